package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// detectPaging finds lists that end early because the server now answers a page: fewer elements, and a sign of more
// that was not there before. When the target asks for the rest, the page is harmless.
func detectPaging(s *state) {
	signs := s.unclaimed(isSignOfMore)
	if len(signs) == 0 {
		return
	}
	for _, sign := range signs {
		if !s.open[sign] {
			continue
		}
		d := s.at(sign)
		lost := s.unclaimed(func(o *harness.Difference) bool {
			return o.Exchange == d.Exchange && isAnswer(o) && o.Class == harness.Removed && (isRecord(o) || isElement(o))
		})
		if len(lost) > 0 {
			s.claimPage(sign, lost)
		}
	}
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

func (s *state) claimPage(sign int, lost []int) {
	d := s.at(sign)
	was, is := s.listSize(s.at(lost[0]))
	followed := s.unclaimed(func(o *harness.Difference) bool {
		return o.Class == harness.ExtraCall && o.Session == d.Session && slotOf(o) == slotOf(d)
	})
	f := s.sized(lost)
	f.Of, f.Hit = was, s.hits(lost)
	f.Source = s.place(answerer(d), s.at(lost[0]))
	f.Sentence = fmt.Sprintf("%s answers %s in pages now: %d entries instead of %d, and a sign that there is a next page (%s).",
		s.side(d.To), d.Operation, is, was, fieldName(d))
	claimed := s.take(slices.Concat([]int{sign}, lost, followed))
	if len(followed) > 0 {
		f.Verdict = harness.Benign
		f.Effects = []string{fmt.Sprintf("The target asks for the rest (%s more).", count(len(followed), "call"))}
		f.NextStep = "Nothing to do, unless the number of calls matters to a rate limit."
		s.claim(f, claimed)
		return
	}
	f.Verdict = harness.Breaking
	f.Effects = []string{fmt.Sprintf("The target asked once and did not follow: %d of %d are never read.", len(lost), was)}
	f.NextStep = "Follow the sign to the last page, or ask for a page size that holds them all and check the total."
	numbers := s.unclaimed(func(o *harness.Difference) bool {
		return o.Session == d.Session && o.Class == harness.Changed && o.Was.Text == fmt.Sprint(was) && o.Is.Text == fmt.Sprint(is)
	})
	for _, i := range numbers {
		o := s.at(i)
		f.Effects = append(f.Effects, fmt.Sprintf("%s in %s says %s instead of %s.", fieldName(o), o.Operation, o.Is.Text, o.Was.Text))
		f.Target = append(f.Target, s.place(answerer(o), o))
	}
	claimed = append(claimed, s.take(numbers)...)
	c := s.consequences(claimed)
	c.addTo(&f)
	s.claim(f, append(claimed, c.list...))
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
