package explain

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/explain/infer"
)

// evidence is what came of applying a rule to all values of one place of the baseline.
type evidence struct {
	explained  []int // differences that vanish
	exceptions int   // values that the rule, or its condition, gets wrong
	beyond     int   // those of the exceptions that follow the rule where the condition does not hold
	untouched  int   // values that did not change and that the rule leaves alone
}

func (e evidence) proves() bool { return e.exceptions == 0 && len(e.explained) >= harness.MinProven }

// law is a rule with the condition under which it holds.
type law struct {
	rule infer.Rule
	when infer.Condition
	few  bool // it may hold under a condition, and there are too few values to tell under which
}

func (l law) words() string { return l.rule.Text + whenWords(l.when) }

// pair is the occurrence as the rule sees it. Only rules on several members look at the record.
func (l law) pair(o occurrence) infer.Pair {
	p := infer.Pair{Was: o.was, Is: o.is}
	if l.rule.NeedsRecord() {
		p.Record = o.record()
	}
	return p
}

// alters reports whether the rule makes another value of the old one.
func (l law) alters(o occurrence) bool {
	p := l.pair(o)
	p.Is = p.Was
	return !l.rule.Explains(p)
}

// weigh applies the law to one value. mine says whether its difference, if it has one, may belong to the cause; the
// differences of other causes say nothing.
func (e *evidence) weigh(l law, o occurrence, mine bool) {
	holds := l.when.Always() || l.when.Holds(o.features())
	switch changed := o.diff >= 0; {
	case changed && !mine:
	case changed && l.rule.Explains(l.pair(o)):
		e.explained = append(e.explained, o.diff)
		if !holds {
			e.exceptions++ // changed, although the condition says that it stays
			e.beyond++
		}
	case !holds || !l.alters(o):
		if !changed {
			e.untouched++
		}
	default:
		e.exceptions++
	}
}

// try applies laws to all values of their places in a slot, in one pass over its exchanges.
func (s *state) try(k slot, list []*study) {
	s.note(s.eachOccurrence(k, patternsOf(list), func(n int, o occurrence) {
		list[n].weigh(list[n].law, o, list[n].mine[o.diff])
	}))
}

// proofText says what came of applying a law to the old side.
func proofText(l law, all ...evidence) (string, harness.CauseProof) {
	var p harness.CauseProof
	beyond := 0
	for _, e := range all {
		beyond += e.beyond
		p.Explained += len(e.explained)
		p.Exceptions += e.exceptions
		p.Untouched += e.untouched
	}
	p.Proven = p.Exceptions == 0 && p.Explained >= harness.MinProven
	to := "the old values" + whenWords(l.when)
	switch {
	case beyond > 0 && beyond == p.Exceptions:
		return fmt.Sprintf("Not proven: the rule gives all %d new ones, but %d of them lie beyond its condition (%s).", p.Explained, beyond, l.when), p
	case p.Exceptions > 0:
		text := fmt.Sprintf("Not proven: applied to %s, the rule gives %d of the new ones, with %s.", to, p.Explained, count(p.Exceptions, "exception"))
		if l.few {
			text += " These are too few values to tell when it holds."
		}
		return text, p
	case !p.Proven:
		return fmt.Sprintf("A candidate, not proven: the rule gives %s, which is too few to rule out chance.", count(p.Explained, "new value")), p
	case p.Untouched > 0:
		return fmt.Sprintf("Proven: applied to %s, the rule gives all %d new ones and leaves what did not change alone (%s).", to, p.Explained, count(p.Untouched, "value")), p
	}
	return fmt.Sprintf("Proven: applied to %s, the rule gives all %d new ones, and there are no others.", to, p.Explained), p
}
