package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// consequence is what follows from a cause: records and values that are lost, calls that fail now, calls that are not
// made any more. Its differences are closed.
type consequence struct {
	list    []int
	effects []string
	targets []string
	proof   string
	harm    bool // something is lost or fails; otherwise values are other ones
	fresh   bool // a receiver gets a value that it never got before
}

func (c *consequence) join(other consequence) {
	c.list = append(c.list, other.list...)
	c.effects = append(c.effects, other.effects...)
	c.targets = append(c.targets, other.targets...)
	c.proof = strings.TrimSpace(c.proof + " " + other.proof)
	c.harm, c.fresh = c.harm || other.harm, c.fresh || other.fresh
}

// addTo writes the consequence into the finding of its cause.
func (c *consequence) addTo(f *harness.Finding) {
	f.Effects = append(f.Effects, c.effects...)
	f.Target = append(f.Target, c.targets...)
	f.Proof = strings.TrimSpace(f.Proof + " " + c.proof)
}

// claimWithEffects makes the finding the owner of the cause, whose differences are closed, and of what follows from it.
func (s *state) claimWithEffects(f harness.Finding, cause []int) {
	c := s.consequences(cause)
	c.addTo(&f)
	s.claim(f, append(cause, c.list...))
}

// consequences follows a cause, whose differences are closed, through their sessions. Claimed are only differences of
// sessions in which the cause lies; the proof says so when sessions without the cause are free of failures.
func (s *state) consequences(cause []int) consequence {
	roots := s.sessions(cause)
	c := s.lostValues(cause)
	c.join(s.writtenEmpty(cause))
	failing := s.regular(roots, s.couldBringOn(s.stillOpen(within(s.facts.failing, roots))))
	c.join(s.failedAnswers(failing))
	strangers := s.facts.total - len(within(s.facts.failing, roots)) - len(within(s.facts.missing, roots))
	if len(failing) > 0 || strangers == 0 {
		c.join(s.otherCalls(roots, len(failing) > 0))
	}
	if strangers == 0 && len(failing) > 0 {
		c.proof = fmt.Sprintf("Every failing call lies in one of the %s with this cause, and no session without it fails.", count(len(roots), "session"))
		if len(roots) == 1 {
			c.proof = "Every failing call lies in the one session with this cause, and no session without it fails."
		}
	}
	return c
}

// regular leaves out what happens in less than half of the sessions with the cause in which it could: a cause that is
// everywhere must not hide a rare fault of its own.
func (s *state) regular(roots []string, list []int) []int {
	var kept []int
	for _, g := range s.grouped(list) {
		could := 0
		for _, session := range roots {
			if s.before.seen[g.slot][session] {
				could++
			}
		}
		if 2*len(s.sessions(g.list)) >= could {
			kept = append(kept, g.list...)
		}
	}
	slices.Sort(kept)
	return kept
}

// usual is regular for lost values. Among records with a key a tenth is enough: what is handed on may be fewer records.
func (s *state) usual(cause, lost []int) []int {
	most := 0
	for _, g := range s.grouped(cause) {
		most = max(most, s.places(g.list))
	}
	roots := s.sessions(cause)
	var kept []int
	for _, g := range s.grouped(lost) {
		if len(keysOf(s.at(g.list[0]).Path)) == 0 {
			kept = append(kept, s.regular(roots, g.list)...)
		} else if 10*s.places(g.list) >= most {
			kept = append(kept, g.list...)
		}
	}
	return kept
}

func (s *state) stillOpen(list []int) []int {
	return slices.DeleteFunc(list, func(i int) bool { return !s.open[i] })
}

// lostValues finds fields of other operations that held the lost value and do not hold it any more. Where both sides
// have a key, the records must belong together.
func (s *state) lostValues(cause []int) consequence {
	type visit struct {
		slot    slot
		session string
		text    string
		keyed   bool
	}
	var found []int
	visited := map[visit]bool{} // many rows lose the same value
	for _, i := range cause {
		d := s.at(i)
		if d.Session == "" || isPseudo(d) {
			continue
		}
		texts, keys := s.lostTexts(d), keysOf(d.Path)
		for _, j := range s.output().of(d.Session, keys) {
			if o := s.at(j); slotOf(o) != slotOf(d) && losesValue(o) && slices.Contains(texts, o.Was.Text) {
				found = append(found, j)
			}
		}
		for _, text := range texts {
			if v := (visit{slotOf(d), d.Session, text, len(keys) > 0}); !visited[v] {
				visited[v] = true
				found = append(found, s.facts.holders(d, text, v.keyed)...)
			}
		}
	}
	found = s.couldBringOn(slices.DeleteFunc(found, func(j int) bool { return s.facts.held[j] || !s.canFollow(s.at(cause[0]), s.at(j)) }))
	found = s.onlyBeside(cause, s.stillOpen(found))
	var c consequence
	for _, g := range s.grouped(s.take(s.usual(cause, found))) {
		d := s.at(g.list[0])
		c.list = append(c.list, g.list...)
		c.targets = append(c.targets, s.place(d.To, d))
		c.effects = append(c.effects, fmt.Sprintf("The target field %s in %s to %s is now %s (%s).",
			fieldName(d), d.Operation, s.side(d.To), s.valuesNow(g.list), s.share(g.list)))
		c.harm = true
	}
	return c
}

// onlyBeside leaves out values that a place has now in sessions without the cause, too: what happens as well without a
// cause does not come of it. Values that are just gone are left to it, for there are many ways to lose one.
func (s *state) onlyBeside(cause, list []int) []int {
	type now struct {
		slot slot
		text string
	}
	of := func(i int) now { return now{slotOf(s.at(i)), s.at(i).Is.Text} }
	asWell := map[now]bool{}
	for _, i := range list {
		if of(i).text != "" {
			asWell[of(i)] = false
		}
	}
	if len(asWell) == 0 {
		return list
	}
	roots := s.sessions(cause)
	for i, open := range s.open {
		if !open || s.at(i).Is.Text == "" {
			continue
		}
		if _, sought := asWell[of(i)]; !sought {
			continue
		}
		if _, has := slices.BinarySearch(roots, s.at(i).Session); !has {
			asWell[of(i)] = true
		}
	}
	return slices.DeleteFunc(list, func(i int) bool { return asWell[of(i)] })
}

// canFollow reports whether a change can come of the cause: what is handed on is made of what came in. Two files that come
// in, or two that are handed on, are not made of one another.
func (s *state) canFollow(cause, d *harness.Difference) bool {
	return isAnswered(d) || s.downstream(d) && !s.downstream(cause)
}

// lostTexts is the values that are lost at the place: of a column that is gone, the values of all its rows.
func (s *state) lostTexts(d *harness.Difference) []string {
	if d.Count == 1 {
		return []string{d.Was.Text}
	}
	r, set := s.read(s.before.byID[d.Exchange]), setOf(nil)
	if err := r.texts(d.Pattern, set.add); err != nil {
		s.note(err)
	}
	delete(set.counts, "")
	return set.sorted(len(set.counts))
}

func (s *state) valuesNow(list []int) string {
	values := setOf(nil)
	for _, i := range list {
		values.add(inWords(s.at(i).Is))
	}
	return listSome(values.sorted(len(values.counts)), maxSamples)
}

// failedAnswers claims the answers of failing calls, with all that differs in them.
func (s *state) failedAnswers(statuses []int) consequence {
	var c consequence
	for _, g := range s.grouped(statuses) {
		var list []int
		for _, i := range g.list {
			list = append(list, s.facts.answers[s.at(i).Exchange]...)
		}
		list = s.take(list)
		d := s.at(g.list[0])
		c.harm = true
		c.list = append(c.list, list...)
		c.effects = append(c.effects, fmt.Sprintf("%s %s to %s (%s)%s.", s.side(d.To), s.failText(g.list), d.Operation, s.share(g.list), s.complaint(list)))
	}
	return c
}

// failText says how the answers fail: by their status, or behind a status that says success.
func (s *state) failText(list []int) string {
	if d := s.at(list[0]); turnedBad(d) {
		return fmt.Sprintf("answers %s instead of %s", s.valuesNow(list), d.Was.Text)
	}
	return "tells an error behind a status of success in its answer"
}

// complaints are the words in the names of fields that say what went wrong.
var complaints = []string{"error", "message", "detail", "reason"}

// complaint quotes what the first error answer says.
func (s *state) complaint(list []int) string {
	for _, i := range list {
		d := s.at(i)
		name := strings.ToLower(d.Path.Leaf())
		says := slices.ContainsFunc(complaints, func(word string) bool { return strings.Contains(name, word) })
		switch {
		case !says || d.Is.IsAbsent() || isEmpty(d.Is):
		case d.Is.Kind == harness.KindString:
			return ": " + inQuotes(short(d.Is.Text))
		case d.Is.Kind == harness.KindArray || d.Is.Kind == harness.KindObject:
			return ": " + short(strings.Join(strings.Fields(d.Is.Text), " "))
		}
	}
	return ""
}

// otherCalls claims the calls of the sessions that are not made any more, and those that a failure brings with it.
func (s *state) otherCalls(sessions []string, failing bool) consequence {
	missing := within(s.facts.missing, sessions)
	if !failing { // a file of the same night may be missing for any reason
		missing = slices.DeleteFunc(missing, func(i int) bool { return !isAnswered(s.at(i)) })
	}
	missing = s.take(s.regular(sessions, s.stillOpen(missing)))
	c := consequence{list: missing, harm: len(missing) > 0}
	for _, g := range s.grouped(missing) {
		d := s.at(g.list[0])
		c.effects = append(c.effects, fmt.Sprintf("%s to %s is not called any more (%s missing).", d.Operation, s.side(d.To), s.share(g.list)))
	}
	if failing {
		extra := s.take(within(s.facts.extra, sessions))
		for _, g := range s.grouped(extra) {
			d := s.at(g.list[0])
			c.effects = append(c.effects, fmt.Sprintf("%s of %s to %s that were not made before.", count(len(g.list), "call"), d.Operation, s.side(d.To)))
		}
		c.list = append(c.list, extra...)
	}
	if n := s.Comparison.Exchanges; len(c.list) > 0 && n[0] != n[1] {
		c.effects = append(c.effects, fmt.Sprintf("Exchanges %d → %d.", n[0], n[1]))
	}
	return c
}
