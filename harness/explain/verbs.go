package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// detectVerbs finds the same wish in other words: another verb for a thing, or operations of a patch written in
// another way.
func detectVerbs(s *state) {
	s.claimVerbs()
	s.claimPatches()
}

// verbSwap is a call that is not made any more and one to the same place with another verb.
type verbSwap struct{ missing, extra int }

// claimVerbs joins calls that are missing with calls to the same place that use another verb of change.
func (s *state) claimVerbs() {
	type verbs struct {
		slot     slot
		was, now string
	}
	byVerbs := map[verbs][]verbSwap{}
	var order []verbs
	extras := map[aim][]int{}
	for _, i := range s.unclaimed(func(d *harness.Difference) bool { return d.Class == harness.ExtraCall && isWrite(d) }) {
		at := aimOf(s.at(i), s.at(i).Is)
		extras[at] = append(extras[at], i)
	}
	for _, i := range s.unclaimed(func(d *harness.Difference) bool { return d.Class == harness.MissingCall && isWrite(d) }) {
		at := aimOf(s.at(i), s.at(i).Was)
		if len(extras[at]) == 0 {
			continue
		}
		other := extras[at][0]
		extras[at] = extras[at][1:]
		k := verbs{slotOf(s.at(i)), verbOfCall(s.at(i)), verbOfCall(s.at(other))}
		if byVerbs[k] == nil {
			order = append(order, k)
		}
		byVerbs[k] = append(byVerbs[k], verbSwap{i, other})
	}
	for _, k := range order {
		s.claimVerb(k.was, k.now, byVerbs[k])
	}
}

// verbOfCall is the HTTP method of a call that is missing or extra.
func verbOfCall(d *harness.Difference) string {
	method, _, _ := strings.Cut(d.Operation, " ")
	return method
}

// isWrite reports whether a call changes something at the other side.
func isWrite(d *harness.Difference) bool {
	return slices.Contains([]string{"PUT", "PATCH", "POST", "DELETE"}, verbOfCall(d))
}

// aim is what a call is for: a thing at a system, in one session.
type aim struct{ session, from, to, path string }

// aimOf is the aim of a call that is missing or extra, call being its method and path.
func aimOf(d *harness.Difference, call harness.Value) aim {
	_, path, _ := strings.Cut(call.Text, " ")
	return aim{d.Session, d.From, d.To, path}
}

// effectsOfVerbs is what another verb means for the thing that it changes, by the new verb.
var effectsOfVerbs = map[string]string{
	"PUT":    "PUT replaces the whole thing: fields that the call leaves out are emptied at the receiver.",
	"PATCH":  "PATCH changes only what the call names: fields that it leaves out stay as they are.",
	"POST":   "POST creates something new: a repeated call makes a second one.",
	"DELETE": "DELETE takes the thing away instead of changing it.",
}

func (s *state) claimVerb(was, now string, swaps []verbSwap) {
	var missing, extra, refused []int
	for _, w := range swaps {
		missing, extra = append(missing, w.missing), append(extra, w.extra)
		if x := s.now(s.at(w.extra)); x.Status() >= 400 {
			refused = append(refused, w.extra)
		}
	}
	d := s.at(missing[0])
	f := s.sized(missing)
	f.Verdict, f.Hit = harness.Breaking, s.hits(missing)
	_, aim, _ := strings.Cut(d.Operation, " ")
	f.Sentence = fmt.Sprintf("%s is called with %s instead of %s at %s (%s).", aim, now, was, s.side(d.To), s.share(missing))
	f.Effects = []string{effectsOfVerbs[now]}
	if len(refused) > 0 {
		x := s.now(s.at(refused[0]))
		f.Effects = append(f.Effects, fmt.Sprintf("%s refuses %d of %s (%d).", s.side(d.To), len(refused), count(len(extra), "call"), x.Status()))
	}
	f.NextStep = fmt.Sprintf("Ask %s which verb it takes, and what it does with fields that are left out.", s.side(d.To))
	own := s.take(slices.Concat(missing, extra))
	if len(refused) > 0 {
		calls := s.otherCalls(s.sessions(refused), true)
		calls.addTo(&f)
		own = append(own, calls.list...)
	}
	s.claim(f, own)
}
