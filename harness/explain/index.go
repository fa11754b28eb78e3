package explain

import (
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// slot is the exchanges of one operation between two systems.
type slot struct{ from, to, channel, operation string }

func slotOf(d *harness.Difference) slot { return slot{d.From, d.To, d.Channel, d.Operation} }

// index finds the exchanges of a recording by slot.
type index struct {
	order  []slot
	bySlot map[slot][]harness.Exchange
}

func newIndex(r harness.Recording) (*index, error) {
	ix := &index{bySlot: map[slot][]harness.Exchange{}}
	for x, err := range r.Exchanges() {
		if err != nil {
			return nil, err
		}
		k := slot{x.From, x.To, x.Channel, x.Operation()}
		if ix.bySlot[k] == nil {
			ix.order = append(ix.order, k)
		}
		ix.bySlot[k] = append(ix.bySlot[k], x)
	}
	return ix, nil
}

// texts returns the texts of all places of the slot's exchanges that the path covers, in order. Null and absent have
// no text and are left out.
func (ix *index) texts(k slot, path harness.Path) ([]string, error) {
	var out []string
	for _, x := range ix.bySlot[k] {
		if len(path) < 2 {
			continue
		}
		m := x.Request
		if path[0].Name == "response" {
			m = x.Response
		}
		switch path[1].Name {
		case "head":
			if len(path) > 2 {
				out = append(out, m.Head.Values(path[2].Name)...)
			}
		case "body":
			doc, err := payload.Of(m)
			if err != nil {
				return nil, err
			}
			out = collect(out, doc.Root(), path[2:])
		}
	}
	return out, nil
}

// collect appends the texts of the scalars that the pattern covers.
func collect(out []string, n payload.Node, path harness.Path) []string {
	if n.IsZero() {
		return out
	}
	if len(path) == 0 {
		if n.IsScalar() && n.Kind() != harness.KindNull {
			out = append(out, n.Text())
		}
		return out
	}
	step, rest := path[0], path[1:]
	switch step.Kind {
	case harness.StepName:
		return collect(out, n.Member(step.Name), rest)
	case harness.StepEach, harness.StepKey, harness.StepIndex:
		if n.Kind() == harness.KindArray {
			for c := range n.Children() {
				out = collect(out, c, rest)
			}
		}
	}
	return out
}

// valueSet is the distinct texts at a place, and how often each occurs.
type valueSet struct {
	counts map[string]int
	total  int
}

func setOf(texts []string) valueSet {
	set := valueSet{counts: map[string]int{}, total: len(texts)}
	for _, t := range texts {
		set.counts[t]++
	}
	return set
}

// Limits of a field that counts as a list of codes: few values, each used often, and short.
const (
	maxCodes      = 200
	maxCodeShare  = 0.05
	maxFewCodes   = 12 // so few values count as codes in small samples too
	maxCodeLength = 40
)

// isCodeList reports whether the field takes its values from a short list.
func (v valueSet) isCodeList() bool {
	n := len(v.counts)
	if n == 0 || n > maxCodes {
		return false
	}
	for text := range v.counts {
		if len(text) > maxCodeLength {
			return false
		}
	}
	return float64(n) <= maxCodeShare*float64(v.total) || n <= maxFewCodes && v.total >= 2*n
}

// overlap is the share of the larger side that both sides have in common, value by value.
func (v valueSet) overlap(other valueSet) float64 {
	common := 0
	for text, n := range v.counts {
		common += min(n, other.counts[text])
	}
	if most := max(v.total, other.total); most > 0 {
		return float64(common) / float64(most)
	}
	return 0
}

// sorted returns at most max distinct values in order.
func (v valueSet) sorted(max int) []string {
	list := make([]string, 0, len(v.counts))
	for text := range v.counts {
		list = append(list, text)
	}
	slices.Sort(list)
	return list[:min(len(list), max)]
}
