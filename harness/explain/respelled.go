package explain

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/explain/infer"
)

// detectRespelled finds true and false that come in another spelling, such as True instead of 1, and follows them to
// where the target hands them on as text.
func detectRespelled(s *state) {
	for _, g := range s.groups(func(d *harness.Difference) bool {
		return d.Class == harness.Changed && isField(d) && inBody(d) && !s.downstream(d)
	}) {
		var was, is []string
		for _, i := range g.list {
			was, is = append(was, s.at(i).Was.Text), append(is, s.at(i).Is.Text)
		}
		if before, now, ok := infer.Respelled(was, is); ok {
			s.claimRespelled(g.list, before, now)
		}
	}
}

func (s *state) claimRespelled(list []int, before, now [2]string) {
	d := s.at(list[0])
	said := s.share(list)
	list = s.take(list)
	passed := s.take(s.passedOn(list, now))
	refused := slices.DeleteFunc(slices.Clone(passed), func(i int) bool { return !s.refused(i) })
	f := s.sized(list)
	if len(passed) > 0 { // what matters is what goes out
		f.Count, f.Of, f.Unit = len(passed), s.heldBefore(passed), "calls"
	}
	f.Verdict, f.Hit = harness.Benign, s.hits(s.sameTruth(list, passed))
	f.Sentence = fmt.Sprintf("%q in %s from %s spells true and false otherwise: %s/%s instead of %s/%s (%s).",
		fieldName(d), d.Operation, s.side(answerer(d)), spelt(now[0]), spelt(now[1]), spelt(before[0]), spelt(before[1]), said)
	f.NextStep = "Nothing to do: the mapping reads the new spelling, and what it hands on is the same."
	if !s.handsOn(list) {
		f.Verdict = harness.Review
		f.NextStep = fmt.Sprintf("Check that every reader takes %s and %s for true and false: nothing that %s hands on was recorded here.",
			spelt(now[0]), spelt(now[1]), s.side(s.Scenario.Target.System))
	}
	for _, p := range s.grouped(passed) {
		o := s.at(p.list[0])
		f.Verdict = harness.Breaking
		f.Effects = append(f.Effects, fmt.Sprintf("The mapping hands it on as it is: %s in %s to %s is the text %q instead of %s (%s).",
			strconv.Quote(o.Pattern.Leaf()), o.Operation, s.side(receiver(o)), short(o.Is.Text), o.Was.Text, count(len(p.list), "call")))
		f.Target = append(f.Target, s.place(receiver(o), o))
	}
	c := s.consequences(append(slices.Clone(list), passed...))
	f.Effects = append(s.stayActive(refused), f.Effects...)
	c.addTo(&f)
	if c.harm {
		f.Verdict = harness.Breaking
	}
	if f.Verdict == harness.Breaking {
		f.NextStep = fmt.Sprintf("Translate %s and %s to true and false in the mapping before the change goes live.", spelt(now[0]), spelt(now[1]))
	}
	s.claim(f, slices.Concat(list, passed, c.list))
}

// handsOn reports whether the target hands on anything in the sessions of the differences.
func (s *state) handsOn(list []int) bool {
	sessions := s.sessions(list)
	for k, exchanges := range s.before.bySlot {
		if k.from == s.Scenario.Target.System && slices.ContainsFunc(exchanges, func(x harness.Exchange) bool {
			return x.Request.Body.Size() > 0 && slices.Contains(sessions, x.Session)
		}) {
			return true
		}
	}
	return false
}

// spelt is a spelling within a sentence.
func spelt(text string) string {
	if text == "" {
		return "nothing"
	}
	return text
}

// passedOn finds where the target hands on the new spelling in the sessions of the cause: the truth value of before, as
// a text.
func (s *state) passedOn(cause []int, now [2]string) []int {
	roots := s.sessions(cause)
	return s.unclaimed(func(d *harness.Difference) bool {
		if !s.downstream(d) || !inBody(d) || d.Class != harness.Changed && d.Class != harness.Retyped || !slices.Contains(roots, d.Session) {
			return false
		}
		was, known := infer.Truth(d.Was.Text)
		return known && d.Is.Kind == harness.KindString && d.Is.Text == now[map[bool]int{true: 0, false: 1}[was]]
	})
}

// sameTruth is the places of the cause that mean what was handed on, all when nothing was.
func (s *state) sameTruth(cause, passed []int) []int {
	if len(passed) == 0 {
		return cause
	}
	var hit [2]bool
	side := func(i int) int {
		on, _ := infer.Truth(s.at(i).Was.Text)
		return map[bool]int{true: 1, false: 0}[on]
	}
	for _, i := range passed {
		hit[side(i)] = true
	}
	return slices.DeleteFunc(slices.Clone(cause), func(i int) bool { return !hit[side(i)] })
}

// refused reports whether the call that the difference lies in fails now.
func (s *state) refused(i int) bool {
	_, bad := s.facts.answers[s.at(i).Exchange]
	return bad
}

// heldBefore counts the places of the same patterns that held one of the values that are lost now.
func (s *state) heldBefore(list []int) int {
	n := 0
	for _, g := range s.grouped(list) {
		d := s.at(g.list[0])
		s.note(s.before.load(g.slot, []harness.Path{d.Pattern}))
		if s.err != nil {
			return 0
		}
		texts := map[string]bool{}
		for _, i := range g.list {
			texts[s.at(i).Was.Text] = true
		}
		for text := range texts {
			n += s.before.set(g.slot, d.Pattern).counts[text]
		}
	}
	return n
}

// switches are the names of fields that switch something on and off, lower case, without separators; accounts are the
// words of operations that are about people's access.
var (
	switches = []string{"active", "isactive", "enabled", "isenabled", "accountenabled"}
	accounts = regexp.MustCompile(`(?i)user|account|person|people|worker|employee|member|login|identit`)
)

// stayActive says what it means that calls are refused which switch something off.
func (s *state) stayActive(refused []int) []string {
	refused = slices.DeleteFunc(slices.Clone(refused), func(i int) bool {
		on, known := infer.Truth(s.at(i).Was.Text)
		return !known || on || !s.isSwitch(s.at(i))
	})
	if len(refused) == 0 {
		return nil
	}
	calls := fmt.Sprintf("%d of %s", len(refused), count(s.heldBefore(refused), "call"))
	if !accounts.MatchString(s.at(refused[0]).Operation) {
		return []string{calls + " that switch something off are refused. It stays active."}
	}
	return []string{"Security: " + calls + " that switch accounts off, as for terminations, are refused. The accounts stay active."}
}

// isSwitch reports whether the place, or what the object around it names, switches an account on and off.
func (s *state) isSwitch(d *harness.Difference) bool {
	named := func(text string) bool {
		return slices.Contains(switches, strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(text)))
	}
	if named(d.Path.Leaf()) {
		return true
	}
	r := s.read(s.before.byID[d.Exchange])
	doc, err := r.doc(d.Path[0].Name)
	if err != nil {
		s.note(err)
		return false
	}
	parent := doc.Root().At(d.Path[2 : len(d.Path)-1])
	if parent.IsZero() {
		return false
	}
	for c := range parent.Children() {
		if c.IsScalar() && named(c.Text()) {
			return true
		}
	}
	return false
}
