package correlate

import (
	"github.com/rehearse-dev/rehearse/harness"
)

// Options of Mine.
type Options struct {
	Pin  []harness.Pinned // links that are made whatever the values look like
	Deny []harness.Pinned // links that are not made
}

// Plan is what Mine found. It is immutable and safe for concurrent use.
type Plan struct {
	Links    []Link // in the order of the requests that consume, then of the places in them
	TooLarge int    // bodies that were not read, because they are larger than 8 MiB

	sources   []source
	index     map[string]int   // exchange ID → position
	slots     [][]slot         // by position: where its request holds values
	makes     [][]int          // by position: the sources that its answer gives
	producers [][]string       // by position: what must be answered first
	links     []int            // by source: its first link, for errors
	byText    map[string][]int // recorded text → sources

	asRecorded *Values // of a run in which everything is as recorded
}

// Link says that a value of an answer is consumed by a later request.
type Link struct {
	Value     string  `json:"value"`               // as recorded
	From      Place   `json:"from"`                // where the value comes from
	To        Place   `json:"to"`                  // where it is consumed
	Transform string  `json:"transform,omitempty"` // what the client does to it; empty: nothing
	Score     float64 `json:"score"`               // from 0 to 1: how sure that is
	Uses      int     `json:"uses"`                // places of requests that consume the value
	Evidence  string  `json:"evidence"`            // why, in words
	Pinned    bool    `json:"pinned,omitempty"`    // the scenario says so

	source int
}

// Place is a place in one exchange.
type Place struct {
	Exchange  string       `json:"exchange"`  // ID
	Operation string       `json:"operation"` // of the exchange
	Path      harness.Path `json:"path"`      // in the answer or in the request, written as a policy for anonymization writes places
}

// source is a value that an answer gives.
type source struct {
	text   string
	value  value
	thing  string    // what it names
	name   string    // of its place
	places []locator // in the answer, the best one first
	from   Place
	again  bool // later answers that give the value anew replace it
}

// Producers are the IDs of the exchanges that must be answered before the exchange is sent, in recorded order.
func (p *Plan) Producers(id string) []string {
	if i, known := p.index[id]; known {
		return p.producers[i]
	}
	return nil
}

// finish indexes the sources by their text.
func (p *Plan) finish() {
	p.asRecorded = p.NewValues()
	for s := range p.sources {
		text := p.sources[s].text
		p.asRecorded.texts[s], p.asRecorded.states[s] = text, present
		p.byText[text] = append(p.byText[text], s)
	}
}
