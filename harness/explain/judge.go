package explain

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/explain/severity"
)

// judge settles the verdict of a finding about the differences, the first of which is its cause: what a detector saw
// stands, the table speaks where it saw nothing, and a person's decision goes before both.
func (s *state) judge(f *harness.Finding, list []int) {
	switch {
	case f.Change != "":
		return // declared
	case len(list) == 0:
		f.Verdict = cmp.Or(f.Verdict, harness.Review)
	case f.Verdict == "":
		s.level(f, list, nil)
	case f.Severity == "":
		s.weigh(f, list)
	case f.Verdict != s.levelled:
		f.Severity = "" // more was seen since the table was asked
	}
	for _, o := range s.overrides() {
		if s.applies(o, f, list) {
			f.Severity = fmt.Sprintf("%s instead of %s by decision of %s until %s: %s.",
				o.Verdict, f.Verdict, s.Catalogue.PersonName(o.Owner), o.Until, strings.TrimSuffix(o.Reason, "."))
			f.Effects = append(f.Effects, "Judged "+f.Severity)
			f.Verdict = o.Verdict
			return
		}
	}
}

// weigh puts what a detector saw beside the table: where both say the same, the row is the reason, and profiles hold for
// what was seen, too.
func (s *state) weigh(f *harness.Finding, list []int) {
	c := s.change(f, list)
	rule, level := severity.Of(c, harness.ProfileTyped)
	if level == f.Verdict {
		f.Severity = rule.ID + ": " + rule.Reason
	}
	if s.profile() != harness.ProfileTyped {
		f.Verdict = rule.Under(s.profile(), f.Verdict, c.Unread && !s.reaches(list))
	}
}

// level gives the finding the verdict of the table. Facts beside those of the differences are added by know.
func (s *state) level(f *harness.Finding, list []int, know func(*severity.Change)) {
	c := s.change(f, list)
	if know != nil {
		know(&c)
	}
	rule, verdict := severity.Of(c, s.profile())
	f.Verdict, f.Severity = verdict, rule.ID+": "+rule.Reason
	s.levelled = verdict
}

// reaches reports whether any of the differences lies in what the target hands on.
func (s *state) reaches(list []int) bool {
	return slices.ContainsFunc(list, func(i int) bool { return s.downstream(s.at(i)) || isCall(s.at(i)) })
}

// profile is how strictly this run is judged.
func (s *state) profile() string {
	return cmp.Or(s.Scenario.Severity.Over(s.Integration.Severity).Profile, harness.ProfileTyped)
}

// change is the first difference as the table of severity sees it.
func (s *state) change(f *harness.Finding, list []int) severity.Change {
	d := s.at(list[0])
	c := severity.Change{
		Kind: s.kind.Kind, Class: d.Class, Part: partOf(d), Name: strings.ToLower(d.Pattern.Leaf()), Was: d.Was, Is: d.Is,
		Out: s.downstream(d), Some: f.Of > f.Count, InError: s.inError(d), Accepted: s.accepted(d),
		Segment:  slices.ContainsFunc(d.Pattern, func(step harness.Step) bool { return step.Kind == harness.StepName && step.Name == "segments" }),
		Updating: !isAnswer(d) && strings.HasPrefix(d.Operation, "PATCH "),
	}
	if isPlace(d) && s.Reads.Known {
		c.Read = s.Reads.Names[d.Pattern.Leaf()]
		c.Unread = !c.Read
	}
	c.Lost = isLostDelivery(s, d)
	if c.Kind == "F03" && c.Some && inBody(d) {
		c.Sparse, c.Left = s.presence(d)
	}
	return c
}

// partOf is the part of an exchange in which the difference lies.
func partOf(d *harness.Difference) string {
	switch {
	case isCall(d):
		return severity.PartCall
	case isRecord(d):
		return severity.PartRecord
	case len(d.Path) < 2:
		return severity.PartCall
	case len(d.Path) > 2 && d.Path[2].Name == harness.FieldStatus && d.Path[1].Name == severity.PartHead:
		return severity.PartStatus
	case d.Path[1].Name == severity.PartHead || d.Path[1].Name == severity.PartForm:
		return d.Path[1].Name
	default:
		return severity.PartBody
	}
}

// inError reports whether the difference lies in an answer that was an error already.
func (s *state) inError(d *harness.Difference) bool {
	x, known := s.before.byID[d.Exchange]
	return known && isAnswer(d) && x.Response.Head.Get(harness.FieldStatus) >= "400"
}

// accepted reports whether a live system took the request in which the difference lies.
func (s *state) accepted(d *harness.Difference) bool {
	_, live := s.Scenario.Upstreams[d.To]
	return live && !isAnswer(d) && len(s.facts.failing[d.Session]) == 0
}

// presence says whether a field was missing now and then before, and whether it is still there somewhere.
func (s *state) presence(d *harness.Difference) (sparse, left bool) {
	at := []harness.Path{d.Pattern}
	s.note(s.before.load(slotOf(d), at))
	s.note(s.after.load(slotOf(d), at))
	if s.err != nil {
		return false, false
	}
	return s.before.set(slotOf(d), d.Pattern).total < s.population(d), s.after.set(slotOf(d), d.Pattern).total > 0
}

// overrides is the decisions that hold today, those of the scenario first.
func (s *state) overrides() []harness.SeverityOverride {
	all := s.Scenario.Severity.Over(s.Integration.Severity).Overrides
	return slices.DeleteFunc(all, func(o harness.SeverityOverride) bool { return o.Until.Before(s.Now) })
}

// applies reports whether the decision is about the finding. To be milder it must cover all that the finding claims:
// what follows elsewhere was not decided about. To be stricter, one place is enough.
func (s *state) applies(o harness.SeverityOverride, f *harness.Finding, list []int) bool {
	if o.Kind != "" && o.Kind != s.kind.Kind || o.Verdict == f.Verdict || len(list) == 0 {
		return false
	}
	covered := func(i int) bool { return coveredBy(o, s.at(i)) }
	if o.Verdict.Weight() > f.Verdict.Weight() {
		return slices.ContainsFunc(list, covered)
	}
	return !slices.ContainsFunc(list, func(i int) bool { return !covered(i) })
}

// coveredBy reports whether the difference lies at the place of the decision or below it.
func coveredBy(o harness.SeverityOverride, d *harness.Difference) bool {
	if o.Operation != "" && o.Operation != d.Operation {
		if ok, err := path.Match(o.Operation, d.Operation); !ok || err != nil {
			return false
		}
	}
	for _, at := range []harness.Path{d.Path, d.Pattern} {
		for n := range len(at) + 1 {
			if o.At.Match(at[:n]) {
				return true
			}
		}
	}
	return false
}
