package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// detectReordered claims records without a key that are the same and stand elsewhere: they look like records that are
// gone and others that came.
func detectReordered(s *state) {
	type table struct{ exchange, at string }
	lists := map[table][]int{}
	var order []table
	for _, i := range s.unclaimed(func(d *harness.Difference) bool { return inIndexed(d.Path) }) {
		k := table{s.at(i).Exchange, tableOf(s.at(i).Path).String()}
		if lists[k] == nil {
			order = append(order, k)
		}
		lists[k] = append(lists[k], i)
	}
	for _, k := range order {
		d := s.at(lists[k][0])
		t := s.tablesOf(d)
		moved := lists[k]
		if !sameRows(t.was, t.is) {
			moved = s.elsewhere(lists[k])
		}
		if len(moved) > 1 {
			s.claimReordered(s.take(moved), t)
		}
	}
}

// inIndexed reports whether the path leads into a record of an array whose records were aligned by their order.
func inIndexed(p harness.Path) bool {
	at := tableOf(p)
	return at != nil && p[1].Name == "body" && p[len(at)].Kind == harness.StepIndex
}

// sameRows reports whether both sides have the same records, as often.
func sameRows(was, is rows) bool {
	if was.n != is.n || was.n < 2 || was.first().Kind() != harness.KindObject {
		return false
	}
	n := map[[32]byte]int{}
	for row := range was.all {
		n[payload.CanonicalDigest(row)]++
	}
	for row := range is.all {
		if sum := payload.CanonicalDigest(row); n[sum] == 0 {
			return false
		} else {
			n[sum]--
		}
	}
	return true
}

// elsewhere is the records that are gone in one place and came, the same, in another one.
func (s *state) elsewhere(list []int) []int {
	came := map[string][]int{}
	for _, j := range list {
		if d := s.at(j); isRecord(d) && d.Class == harness.Added {
			came[d.Is.Text] = append(came[d.Is.Text], j)
		}
	}
	var moved []int
	for _, i := range list {
		d := s.at(i)
		if others := came[d.Was.Text]; isRecord(d) && d.Class == harness.Removed && len(others) > 0 {
			moved = append(moved, i, others[0])
			came[d.Was.Text] = others[1:]
		}
	}
	return moved
}

func (s *state) claimReordered(list []int, t tables) {
	d := s.at(list[0])
	f := s.sized(list)
	f.Of, f.Count = t.was.n, len(slices.DeleteFunc(slices.Clone(list), func(i int) bool { return s.at(i).Class == harness.Added }))
	f.Sentence = fmt.Sprintf("%s from %s comes in another order: %d of %s are the same and stand elsewhere.", d.Operation, s.side(answerer(d)), f.Count, count(f.Of, unitOf(d)))
	f.Proof = "The records that stand elsewhere are the same in every value on both sides."
	f.NextStep = "Nothing to do, unless a receiver lets the last row win or needs parents before children."
	s.addOrderEffects(&f, t)
	s.claim(f, list)
}

// addOrderEffects says what the order of the records means to a receiver that goes by it, and makes the finding breaking
// when it means something.
func (s *state) addOrderEffects(f *harness.Finding, t tables) {
	if effect := lastRowEffect(t); effect != "" {
		f.Verdict, f.Effects = harness.Breaking, append(f.Effects, effect)
		f.NextStep = "Ask for a key that tells the rows apart, or for the old order; until then the last row decides."
	}
	if effect := parentEffect(t); effect != "" {
		f.Verdict, f.Effects = harness.Breaking, append(f.Effects, effect)
		f.NextStep = "Ask for the old order, or sort the records by their references before they are loaded."
	}
}

// lastRowEffect compares the last row of each identifier that stands in several rows, when no key tells the rows apart.
func lastRowEffect(t tables) string {
	if t.was.n < 2 || businessKey(t.was) != nil {
		return ""
	}
	name := bestID(t.was.first())
	if name == "" {
		return ""
	}
	was, is := lastRows(t.was, name), lastRows(t.is, name)
	var other []string
	for row := range t.was.all {
		id := row.Member(name).Text()
		if now, there := is[id]; there && was[id] != now && !slices.Contains(other, id) {
			other = append(other, id)
		}
	}
	if len(other) == 0 {
		return ""
	}
	return fmt.Sprintf("A receiver in which the last row wins has other values for %s now: the last row of %s is another one.",
		count(len(other), "identifier"), listSome(other, maxSamples))
}

// bestID is the name of the member that sounds most like an identifier.
func bestID(row payload.Node) string {
	best := ""
	for _, f := range fieldsOf(row) {
		if r := idRank(f.Name); r >= 0 && (best == "" || r < idRank(best)) {
			best = f.Name
		}
	}
	return best
}

// lastRows is the content of the last row of each identifier.
func lastRows(rows rows, name string) map[string]content {
	last := map[string]content{}
	for row := range rows.all {
		last[row.Member(name).Text()] = contentOf(fieldsOf(row))
	}
	return last
}

// referring are the words in the names of members that hold the identifier of another record of the table.
var referring = []string{"parent", "manager", "supervisor", "superior", "reports", "prerequisite", "prereq", "master", "head"}

// parentEffect counts the records that stand before the one that they refer to.
func parentEffect(t tables) string {
	if t.was.n == 0 || t.is.n == 0 {
		return ""
	}
	id := ""
	for _, f := range fieldsOf(t.was.first()) {
		if refersTo(f.Name) {
			continue
		}
		if r := idRank(f.Name); r >= 0 && (id == "" || r < idRank(id)) {
			id = f.Name
		}
	}
	for _, f := range fieldsOf(t.was.first()) {
		if id == "" || !refersTo(f.Name) {
			continue
		}
		if was, is := early(t.was, id, f.Name), early(t.is, id, f.Name); is > was {
			return fmt.Sprintf("%s stand before the one that %s refers to; %d did before. A receiver that loads them in order refuses them.", count(is, "record"), f.Name, was)
		}
	}
	return ""
}

func refersTo(name string) bool {
	return slices.ContainsFunc(wordsOfName(name), func(w string) bool { return slices.Contains(referring, strings.ToLower(w)) })
}

// early counts the records that refer to one that stands behind them.
func early(rows rows, id, reference string) int {
	all, seen, n := map[string]bool{}, map[string]bool{}, 0
	for row := range rows.all {
		all[row.Member(id).Text()] = true
	}
	for row := range rows.all {
		to := row.Member(reference).Text()
		if to != "" && all[to] && !seen[to] && to != row.Member(id).Text() {
			n++
		}
		seen[row.Member(id).Text()] = true
	}
	return n
}
