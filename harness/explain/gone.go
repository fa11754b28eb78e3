package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// goneStatuses are answers that say that there is nothing at an address any more.
var goneStatuses = []string{"404", "405", "410", "501"}

// release is one version of the interface of a system, by what the paths of its calls begin with.
type release struct{ system, prefix string }

// detectGone finds a version of an interface that was taken away: no call below it succeeds any more, and all are refused
// with the same status, while the system still answers elsewhere, or says itself that it is gone for good. Requests that
// need what these calls gave, and calls that are not made any more, follow from it.
func detectGone(s *state) {
	refused := map[release][]int{}
	for _, i := range s.refusals(func(d *harness.Difference, _ harness.Exchange) bool { return slices.Contains(goneStatuses, d.Is.Text) }) {
		if r, ok := s.releaseOf(s.at(i)); ok {
			refused[r] = append(refused[r], i)
		}
	}
	removed := make([]release, 0, len(refused))
	for r, list := range refused {
		if s.isRemoved(r, list) {
			removed = append(removed, r)
		}
	}
	slices.SortFunc(removed, func(a, b release) int { return strings.Compare(a.system+a.prefix, b.system+b.prefix) })
	for _, r := range removed {
		s.claimGone(r, refused[r])
	}
}

// releaseOf is the version of the interface that the call of a difference asks for.
func (s *state) releaseOf(d *harness.Difference) (release, bool) {
	prefix, ok := versionPrefix(s.before.byID[d.Exchange].Request.Head.Get(harness.FieldPath))
	return release{answerer(d), prefix}, ok
}

// versionPrefix is a path up to its first segment that is a version, such as /api/v1.
func versionPrefix(path string) (string, bool) {
	path, _, _ = strings.Cut(path, "?")
	segments := strings.Split(path, "/")
	i := slices.IndexFunc(segments, isVersionSegment)
	if i < 0 {
		return "", false
	}
	return strings.Join(segments[:i+1], "/"), true
}

// isRemoved reports whether nothing of the release succeeds any more, and all is refused with one status.
func (s *state) isRemoved(r release, list []int) bool {
	operations, status := map[string]bool{}, s.at(list[0]).Is.Text
	bad := map[string]bool{}
	for _, i := range list {
		operations[s.at(i).Operation] = true
		bad[s.at(i).Exchange] = true
		if s.at(i).Is.Text != status {
			return false
		}
	}
	elsewhere := false
	for _, id := range s.before.order {
		x := s.before.byID[id]
		if x.To != r.system || x.Channel != harness.ChannelHTTP || x.Status() >= 400 || s.isUnsent(id) {
			continue
		}
		if prefix, ok := versionPrefix(x.Request.Head.Get(harness.FieldPath)); !ok || prefix != r.prefix {
			elsewhere = elsewhere || s.succeeds(id)
		} else if !bad[id] {
			return false
		}
	}
	return len(operations) > 1 && (elsewhere || status == "410")
}

// isUnsent reports whether the request of the exchange could not be sent in this run.
func (s *state) isUnsent(id string) bool {
	return slices.ContainsFunc(s.facts.within[id], func(i int) bool { return isNotSent(s, s.at(i)) })
}

// succeeds reports whether the call is made and answered with success in this run.
func (s *state) succeeds(id string) bool {
	now := s.after.byID[s.Comparison.Partner[id]]
	return now.Fault == nil && now.Status() > 0 && now.Status() < 400
}

// claimGone makes one finding of all that a removed release refuses, and of what follows from it.
func (s *state) claimGone(r release, statuses []int) {
	operations := s.operationsOf(statuses)
	d := s.at(statuses[0])
	f := s.brokenCalls(statuses)
	answers := s.answersOf(statuses)
	f.Sentence = fmt.Sprintf("%s has no %s any more: each of %s below it is answered %s%s (%d of %s).", s.side(r.system), r.prefix,
		count(len(operations), "operation"), d.Is.Text, s.complaint(answers), f.Count, count(f.Of, "call"))
	f.Effects = append(f.Effects, fmt.Sprintf("These fail: %s.", listSome(operations, maxFewCodes)))
	f.NextStep = fmt.Sprintf("Move these calls to the version that %s offers now before the upgrade; its release notes say which.", s.side(r.system))
	own := append(answers, s.unsentAfter(&f, r)...)
	calls := s.otherCalls(s.sessions(statuses), true)
	calls.addTo(&f)
	s.claim(f, append(own, calls.list...))
}

// unsentAfter claims the requests to the system that could not be sent, because a call of the release did not give what
// they need.
func (s *state) unsentAfter(f *harness.Finding, r release) []int {
	list := s.take(s.unclaimed(func(d *harness.Difference) bool {
		return isNotSent(s, d) && d.To == r.system && strings.Contains(detailOf(d), r.prefix+"/")
	}))
	if len(list) > 0 {
		f.Effects = append(f.Effects, fmt.Sprintf("%s could not be sent, because these calls did not give what it needs: %s.", count(len(list), "request"),
			listSome(s.operationsOf(list), maxFewCodes)))
	}
	return list
}

// operationsOf is the operations of the differences, each once, in their order.
func (s *state) operationsOf(list []int) []string {
	names := make([]string, len(list))
	for n, i := range list {
		names[n] = s.at(i).Operation
	}
	return distinct(names)
}
