package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// claimPatches finds operations of a patch that are written in another way and mean the same: their word in another
// letter case, or what they remove named by a value instead of by a path. Values that a patch sets are data, no dialect.
func (s *state) claimPatches() {
	var words []int
	var members []int
	for _, i := range s.unclaimed(inPatch) {
		if isOperationWord(s.at(i)) {
			words = append(words, i)
		} else {
			members = append(members, i)
		}
	}
	for _, g := range s.grouped(words) {
		d := s.at(g.list[0])
		s.claimPatch(g.list, fmt.Sprintf("the word of an operation is %q instead of %q", d.Is.Text, d.Was.Text))
	}
	var aims []int
	for _, list := range s.byList(members) {
		if s.aimsElsewhere(list) {
			aims = append(aims, list...)
		}
	}
	for _, list := range s.bySlot(aims) {
		s.claimPatch(list, "what an operation is about is named by its value instead of by its path, or the other way round")
	}
}

// isOperationWord reports whether the difference is the word of an operation in another letter case.
func isOperationWord(d *harness.Difference) bool {
	return !isRecord(d) && strings.EqualFold(d.Path.Leaf(), "op") && d.Class == harness.Changed && strings.EqualFold(d.Was.Text, d.Is.Text)
}

// aimsElsewhere reports whether the differences of one patch exchange path and value: one of them changed or is another
// operation with the same word, and a value came or went.
func (s *state) aimsElsewhere(list []int) bool {
	var path, value bool
	var gone, came []string
	for _, i := range list {
		d := s.at(i)
		if isRecord(d) {
			if op, ok := d.Was.Field("op"); ok {
				gone = append(gone, strings.ToLower(op))
			}
			if op, ok := d.Is.Field("op"); ok {
				came = append(came, strings.ToLower(op))
			}
			continue
		}
		path = path || d.Path.Leaf() == "path"
		value = value || strings.EqualFold(d.Path.Leaf(), "value") && (d.Was.IsAbsent() || d.Is.IsAbsent())
	}
	slices.Sort(gone)
	slices.Sort(came)
	return path && value || len(gone) > 0 && slices.Equal(gone, came)
}

func (s *state) claimPatch(list []int, how string) {
	d := s.at(list[0])
	calls := map[string]bool{}
	for _, i := range list {
		calls[s.at(i).Exchange] = true
	}
	f := s.sized(list)
	f.Verdict, f.Hit, f.Unit = harness.Breaking, s.hits(list), "calls"
	f.Count, f.Of = len(calls), len(s.before.bySlot[slotOf(d)])
	f.Sentence = fmt.Sprintf("The patch in %s to %s is written in another way: %s (%d of %s).", d.Operation, s.side(d.To), how, f.Count, count(f.Of, "call"))
	f.Effects = []string{"A strict receiver refuses it; a loose one can take it for something else, such as removing all members instead of one."}
	f.NextStep = fmt.Sprintf("Write the patch as %s documents it, and check afterwards what became of the thing that was listPlace.", s.side(d.To))
	own := s.take(list)
	s.claimWithEffects(f, own)
}

// inPatch reports whether the difference is an operation of a patch or a member of one: an element of the list of
// operations in the body of a PATCH.
func inPatch(d *harness.Difference) bool {
	if isAnswer(d) || len(d.Path) < 3 || d.Path[1].Name != "body" || !strings.HasPrefix(d.Operation, "PATCH ") {
		return false
	}
	p := d.Pattern[2:]
	if len(p) > 1 && strings.EqualFold(p[0].Name, "Operations") { // as in RFC 7644; else the body is the list, as in RFC 6902
		p = p[1:]
	}
	return (len(p) == 1 || len(p) == 2 && p[1].Kind == harness.StepName) && p[0].Kind == harness.StepEach
}
