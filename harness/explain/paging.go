package explain

import (
	"bytes"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// cutList is a list in one answer that lost elements, and what shows that it goes on.
type cutList struct {
	lost, signs []int
	sign        string
	was, is     int
}

// detectPaging finds lists that end early because the server now answers a page: fewer elements, and a sign of more.
// When the target asks for the rest, the page is harmless. The lists of one operation are one cause.
func detectPaging(s *state) {
	lost := s.unclaimed(func(d *harness.Difference) bool {
		return isAnswer(d) && d.Class == harness.Removed && (isRecord(d) || isElement(d))
	})
	bySlot := map[slot][]cutList{}
	var slots []slot
	for _, list := range s.byList(lost) {
		cut := cutList{lost: list}
		if !s.findSign(&cut) {
			continue
		}
		at := slotOf(s.at(cut.lost[0]))
		if bySlot[at] == nil {
			slots = append(slots, at)
		}
		bySlot[at] = append(bySlot[at], cut)
	}
	for _, at := range slots {
		s.claimPages(at, bySlot[at])
	}
}

// findSign finds by what one sees that a list goes on: what the answer says and did not say before, a total that is
// larger, or a number of elements that looks like the size of a page.
func (s *state) findSign(cut *cutList) bool {
	d := s.at(cut.lost[0])
	for _, i := range s.facts.within[d.Exchange] {
		if s.open[i] && isSignOfMore(s.at(i)) {
			cut.signs = append(cut.signs, i)
		}
	}
	cut.was, cut.is = s.listSize(d)
	if len(cut.signs) > 0 {
		cut.sign = fmt.Sprintf("a sign that there is a next page (%s)", fieldName(s.at(cut.signs[0])))
		return true
	}
	if name, total := s.totalBeside(d); total > cut.is && total >= cut.was {
		cut.sign = fmt.Sprintf("a total that says %d (%s)", total, name)
		return true
	}
	if s.isRoundCut(d, cut.was, cut.is, len(cut.lost)) {
		cut.sign = "a round number with nothing that says that there is more"
		return true
	}
	return false
}

// totalNames is how answers call the number of all elements, in lower case.
var totalNames = []string{"total", "totalcount", "total_count", "totalresults", "total_results", "totalitems", "total_items", "totalsize", "recordcount", "@odata.count"}

// totalBeside is the total that the answer of the candidate states, 0 when there is none.
func (s *state) totalBeside(d *harness.Difference) (name string, total int) {
	x := s.now(d)
	for _, header := range []string{"X-Total-Count", "X-Total"} {
		if n, ok := firstNumber(x.Response.Head.Get(header)); ok {
			return header, n
		}
	}
	r := s.read(x)
	s.note(r.leaves("response", func(path harness.Path, n payload.Node) bool {
		if len(path) > 2 || !slices.Contains(totalNames, strings.ToLower(path.Leaf())) {
			return true
		}
		number, ok := firstNumber(n.Text())
		if ok {
			name, total = path.Leaf(), number
		}
		return !ok
	}))
	return name, total
}

// isRoundCut reports whether the list is the first elements of the old one, up to a number that looks like a page.
func (s *state) isRoundCut(d *harness.Difference, was, is, lost int) bool {
	if is < 10 || is%10 != 0 || was-is != lost {
		return false
	}
	at := d.Path[:len(d.Path)-1]
	next, stop := iter.Pull(s.elementsAt(s.before.byID[d.Exchange], at).all)
	defer stop()
	same := 0
	for n := range s.elementsAt(s.now(d), at).all {
		if old, ok := next(); ok && bytes.Equal(old.Raw(), n.Raw()) {
			same++
		}
	}
	return 2*same > is
}

// isSignOfMore reports whether the answer tells, and did not tell before, that there is a next page.
func isSignOfMore(d *harness.Difference) bool {
	if !isAnswer(d) || d.Is.IsAbsent() || len(d.Path) < 3 {
		return false
	}
	switch name := strings.ToLower(d.Path.Leaf()); name {
	case "link":
		return strings.Contains(d.Is.Text, `rel="next"`) && !strings.Contains(d.Was.Text, `rel="next"`)
	case "next", "next_page", "next_url", "nextlink", "@odata.nextlink", "next_cursor", "nextpagetoken", "next_page_token", "continuation":
		return d.Is.Kind == harness.KindString && d.Is.Text != "" && (d.Was.IsAbsent() || d.Was.Kind == harness.KindNull || d.Was.Text == "")
	case "has_more", "hasmore", "has_next":
		return d.Is.Text == "true" && d.Was.Text != "true"
	default:
		return false
	}
}

func (s *state) claimPages(at slot, cuts []cutList) {
	var lost, own []int
	var whole cutList
	sessions := map[string]cutList{}
	for _, cut := range cuts {
		lost, own = append(lost, cut.lost...), append(own, cut.signs...)
		whole.was, whole.is = whole.was+cut.was, whole.is+cut.is
		sessions[s.at(cut.lost[0]).Session] = cut
	}
	d := s.at(lost[0])
	followed := s.unclaimed(func(o *harness.Difference) bool {
		_, same := sessions[o.Session]
		return o.Class == harness.ExtraCall && same && slotOf(o) == at
	})
	f := s.sized(lost)
	f.Of, f.Hit = whole.was, s.hits(lost)
	f.Source = s.place(answerer(d), d)
	f.Sentence = fmt.Sprintf("%s answers %s in pages now: %d entries instead of %d%s, and %s.",
		s.side(d.To), d.Operation, whole.is, whole.was, inAnswers(len(cuts)), cuts[0].sign)
	claimed := s.take(slices.Concat(own, lost, followed))
	if len(followed) >= len(cuts) {
		f.Verdict = harness.Benign
		f.Effects = []string{fmt.Sprintf("The target asks for the rest (%s more).", count(len(followed), "call"))}
		f.NextStep = "Nothing to do, unless the number of calls matters to a rate limit."
		s.claim(f, claimed)
		return
	}
	f.Verdict = harness.Breaking
	f.Effects = []string{fmt.Sprintf("The target asked once and did not follow: %d of %d are never read.", len(lost), whole.was)}
	f.NextStep = "Follow the sign to the last page, or ask for a page size that holds them all and check the total."
	numbers := s.unclaimed(func(o *harness.Difference) bool {
		cut, same := sessions[o.Session]
		return same && o.Class == harness.Changed && o.Was.Text == fmt.Sprint(cut.was) && o.Is.Text == fmt.Sprint(cut.is)
	})
	for _, g := range s.grouped(numbers) {
		o := s.at(g.list[0])
		f.Effects = append(f.Effects, fmt.Sprintf("%s in %s says %s instead of %s.", fieldName(o), o.Operation, o.Is.Text, o.Was.Text))
		f.Target = append(f.Target, s.place(answerer(o), o))
	}
	claimed = append(claimed, s.take(numbers)...)
	s.claimWithEffects(f, claimed)
}

// inAnswers says in how many answers, when there are several.
func inAnswers(n int) string {
	if n == 1 {
		return ""
	}
	return fmt.Sprintf(" in %d answers", n)
}

// listSize is how many elements the list of a removed element had, and has.
func (s *state) listSize(d *harness.Difference) (was, is int) {
	for _, r := range s.Comparison.Records {
		if r.Session == d.Session && r.Operation == d.Operation && r.From == d.From && r.To == d.To && slices.EqualFunc(r.Path, d.Path[:len(d.Path)-1], sameStep) {
			return r.Was, r.Is
		}
	}
	return 0, 0
}

func sameStep(a, b harness.Step) bool {
	return a.Kind == b.Kind && a.Name == b.Name && a.Index == b.Index
}
