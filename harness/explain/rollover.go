package explain

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// detectRollover checks what becomes of a term when the clock of the run stands in another one than that of the
// recording: a filter that stays behind is hard-coded, one that follows is right. The calendar knows the terms.
func detectRollover(s *state) {
	zone, err := s.Catalogue.Calendar.Location()
	if err != nil || s.Now.IsZero() {
		return
	}
	recorded := s.Comparison.Before.Manifest().From
	old, okOld := s.Catalogue.Calendar.TermAt(recorded.In(zone))
	now, okNow := s.Catalogue.Calendar.TermAt(s.Now.In(zone))
	if recorded.IsZero() || !okOld || !okNow || old.Code == now.Code {
		return
	}
	s.claimFollowing(old, now)
	s.sawHardCoded(old, now)
}

// claimFollowing claims values that were the term of the recording and are the term of the run.
func (s *state) claimFollowing(old, now harness.Term) {
	for _, g := range s.groups(func(d *harness.Difference) bool {
		return d.Class == harness.Changed && s.downstream(d) && !isAnswer(d) && isPlace(d) &&
			d.Was.Text != d.Is.Text && strings.ReplaceAll(d.Was.Text, old.Code, now.Code) == d.Is.Text
	}) {
		d := s.at(g.list[0])
		f := s.sized(g.list)
		f.Verdict = harness.Benign
		f.Sentence = fmt.Sprintf("%s in %s to %s follows the calendar: %s instead of %s (%s).", fieldName(d), d.Operation, s.side(d.To), now.Code, old.Code, s.share(g.list))
		f.NextStep = "Nothing to do: the term is taken from the clock."
		s.kind.Title = "term follows the clock"
		s.claim(f, g.list)
	}
}

// sawHardCoded finds requests of the target that still ask for the term of the recording. Nothing differs, which is the
// trouble.
func (s *state) sawHardCoded(old, now harness.Term) {
	slots := make([]slot, 0, len(s.after.bySlot))
	for k := range s.after.bySlot {
		if k.from == s.Scenario.Target.System && k.channel == harness.ChannelHTTP {
			slots = append(slots, k)
		}
	}
	slices.SortFunc(slots, slot.compare)
	for _, k := range slots {
		calls, parameter := 0, ""
		for _, x := range s.after.bySlot[k] {
			if name := parameterWith(x.Request.Head.Get(harness.FieldPath), old.Code); name != "" {
				calls++
				parameter = name
			}
		}
		if calls == 0 {
			continue
		}
		f := harness.Finding{
			Verdict: harness.Breaking, Count: calls, Of: len(s.after.bySlot[k]), Unit: "calls", Source: s.side(k.from) + ": " + k.operation,
			Sentence: fmt.Sprintf("%s still asks for term %s (%s in %s), though the clock of this run stands in %s.",
				s.side(k.from), old.Code, parameter, k.operation, now.Code),
			Effects:  []string{fmt.Sprintf("From %s on, the integration works on a term that is over.", now.From)},
			NextStep: "Take the term from the calendar or from the system that knows it, and rehearse the first and the last day of a term.",
		}
		s.kind.Title = "term is hard-coded"
		s.claim(f, nil)
		s.findings[len(s.findings)-1].Operations = []string{k.operation}
	}
}

// parameterWith is the name of the parameter of a query that holds the code.
func parameterWith(path, code string) string {
	_, query, _ := strings.Cut(path, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return ""
	}
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if slices.Contains(values[name], code) {
			return name
		}
	}
	return ""
}
