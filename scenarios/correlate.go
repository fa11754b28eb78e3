package scenarios

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness"
)

// checkCorrelate looks at what the types of links cannot say: both ends of one that is made, and at least one end of one
// that is not made, on the right sides of their exchanges.
func (c *checker) checkCorrelate(links harness.Correlate) {
	for i, p := range links.Pin {
		label := fmt.Sprintf("correlate.pin[%d]", i)
		for _, end := range []struct {
			key string
			at  harness.Path
		}{{"from", p.From.At}, {"to", p.To.At}} {
			if len(end.at) == 0 {
				c.problem(label, "a link that is pinned names the place at %s, as in %s: {at: %s}", end.key, end.key, placeExamples[end.key])
			}
		}
		c.checkEnds(label, p)
	}
	for i, p := range links.Deny {
		label := fmt.Sprintf("correlate.deny[%d]", i)
		if len(p.From.At)+len(p.To.At) == 0 && p.From.Operation == "" && p.To.Operation == "" {
			c.problem(label, "it names no place, and would deny every link")
		}
		c.checkEnds(label, p)
	}
}

// placeExamples are places of an answer and of a request.
var placeExamples = map[string]string{"from": "response.body.id", "to": "request.segment[1]"}

// checkEnds reports an end on the wrong side: values go from answers to requests.
func (c *checker) checkEnds(label string, p harness.Pinned) {
	for _, end := range []struct {
		key, side string
		at        harness.Path
	}{{"from", "response", p.From.At}, {"to", "request", p.To.At}} {
		if err := end.at.CheckPlace(); err != nil {
			c.problem(label+"."+end.key, "%v", err)
		}
		if len(end.at) > 0 && end.at[0].Kind == harness.StepName && end.at[0].Name != end.side {
			c.problem(label+"."+end.key, "%s is no place of a %s: values go from answers to later requests", quoted(end.at.String()), end.side)
		}
	}
}
