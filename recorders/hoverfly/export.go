package hoverfly

import (
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/departure"
	"github.com/rehearse-dev/rehearse/recorders/internal/export"
)

// Export writes a simulation of schema version 5. A request matches by method, URL and body, all exactly. Calls that are
// alike are answered in turn, by the state of a sequence. Bodies of answers stay as they crossed, packed ones too.
var Export = export.Format{Extension: ".json", Write: write}

// Losses that only this format has.
const (
	lossQuery departure.Kind = "requests: the order of parameters, and how they are spelled, is not kept"
	lossBody  departure.Kind = "requests: the body is no text, and does not have to match"
)

type outMatcher struct {
	Matcher string `json:"matcher"`
	Value   any    `json:"value"`
}

type outPair struct {
	Request  outRequest  `json:"request"`
	Response outResponse `json:"response"`
}

type outRequest struct {
	Path        []outMatcher            `json:"path"`
	Method      []outMatcher            `json:"method"`
	Destination []outMatcher            `json:"destination"`
	Scheme      []outMatcher            `json:"scheme"`
	Query       map[string][]outMatcher `json:"query,omitempty"`
	Body        []outMatcher            `json:"body,omitempty"`
	State       map[string]string       `json:"requiresState,omitempty"`
}

type outResponse struct {
	Status    int                 `json:"status"`
	Body      string              `json:"body"`
	Encoded   bool                `json:"encodedBody"`
	Headers   map[string][]string `json:"headers,omitempty"`
	Templated bool                `json:"templated"`
	Sets      map[string]string   `json:"transitionsState,omitempty"`
}

func write(w io.Writer, xs []harness.Exchange, l *export.Losses) error {
	if _, err := io.WriteString(w, `{"data": {"pairs": [`); err != nil {
		return err
	}
	list, sequences := export.NewList(w, "  "), newSequences(xs)
	for _, x := range xs {
		c, err := export.Take(x, l)
		if err != nil {
			return err
		}
		if c.Fault != nil {
			l.Add(export.LossFault)
			continue
		}
		tellLosses(&c, l)
		p := outPair{requestOf(&c, l), responseOf(&c, l)}
		sequences.take(&p, x)
		if err := list.Add(p); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "\n],\n\"globalActions\": {\"delays\": []}},\n\"meta\": {\"schemaVersion\": \"v5.2\"}}\n")
	return err
}

func tellLosses(c *export.Call, l *export.Losses) {
	l.Add(export.LossSystems)
	if c.Session != "" {
		l.Add(export.LossSession)
	}
	if !c.At.IsZero() {
		l.Add(export.LossTime)
	}
	if c.Took > 0 {
		l.Add(export.LossTook)
	}
	if len(c.Sent.Fields.Without("Host")) > 0 {
		l.Add(export.LossHead)
	}
	if c.HasPseudo() {
		l.Add(export.LossPseudo)
	}
	if !c.Got.IsGrouped() {
		l.Add(export.LossFields)
	}
}

func exactly(value string) []outMatcher { return []outMatcher{{"exact", value}} }

func requestOf(c *export.Call, l *export.Losses) outRequest {
	path, query, _ := strings.Cut(c.Target, "?")
	q := outRequest{Path: exactly(path), Method: exactly(c.Method), Destination: exactly(c.Host), Scheme: exactly(c.Scheme)}
	if query != "" {
		values, err := url.ParseQuery(query)
		if err != nil || values.Encode() != query {
			l.Add(lossQuery)
		}
		q.Query = map[string][]outMatcher{}
		for name, list := range values {
			q.Query[name] = []outMatcher{{"exact", list[0]}}
			if len(list) > 1 {
				q.Query[name] = []outMatcher{{"array", list}}
			}
		}
	}
	switch {
	case len(c.Sent.Body) == 0:
	case c.Sent.IsText && !c.Sent.Packed:
		q.Body = exactly(c.Sent.Text)
	default:
		l.Add(lossBody)
	}
	return q
}

func responseOf(c *export.Call, l *export.Losses) outResponse {
	r := outResponse{Status: c.Status(), Headers: c.Got.Grouped()}
	if c.Got.Fields.Has("Transfer-Encoding") {
		l.Add(export.LossFraming)
		delete(r.Headers, "Transfer-Encoding")
	}
	if c.Got.IsText && !c.Got.Packed {
		r.Body = c.Got.Text
	} else {
		r.Body, r.Encoded = c.Got.Base64(), true
	}
	return r
}

// sequences counts calls that are alike: the same method, host, URL and body.
type sequences struct {
	all, taken map[string]int
	number     map[string]int // of the sequence
}

func newSequences(xs []harness.Exchange) *sequences {
	s := &sequences{map[string]int{}, map[string]int{}, map[string]int{}}
	for _, x := range xs {
		if x.Fault == nil {
			s.all[likeness(x)]++
		}
	}
	return s
}

func likeness(x harness.Exchange) string {
	q := x.Request
	return strings.Join([]string{q.Head.Get(harness.FieldMethod), q.Head.Get("Host"), q.Head.Get(harness.FieldPath), q.Body.Digest()}, " ")
}

// take gives a pair its turn, when there are several for the same call. The last one keeps answering.
func (s *sequences) take(p *outPair, x harness.Exchange) {
	key := likeness(x)
	s.taken[key]++
	if s.all[key] < 2 {
		return
	}
	if s.number[key] == 0 {
		s.number[key] = len(s.number) + 1
	}
	state := fmt.Sprintf("sequence:%d", s.number[key])
	p.Request.State = map[string]string{state: fmt.Sprint(s.taken[key])}
	if s.taken[key] < s.all[key] {
		p.Response.Sets = map[string]string{state: fmt.Sprint(s.taken[key] + 1)}
	}
}
