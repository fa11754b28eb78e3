package explain

import (
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// Case is everything that an explanation may draw on.
type Case struct {
	Comparison  *harness.Comparison
	Scenario    harness.Scenario
	Integration harness.Integration
	Catalogue   harness.Catalogue
	Crosswalks  []harness.Crosswalk // of the candidate's mapping
	Now         time.Time           // decides which declared changes have expired
}

// Findings explains the differences of the case. Every difference belongs to exactly one finding. Findings are in the
// order of weight, then of the detectors; the error is about reading the recordings.
func Findings(c Case) ([]harness.Finding, error) {
	s, err := newState(c)
	if err != nil {
		return nil, err
	}
	for _, d := range Detectors {
		s.kind = d
		if err := d.detect(s); err != nil {
			return nil, err
		}
	}
	s.addQuietEffects()
	slices.SortStableFunc(s.findings, func(a, b harness.Finding) int { return b.Verdict.Weight() - a.Verdict.Weight() })
	for i := range s.findings {
		s.findings[i].Number = i + 1
	}
	return s.findings, nil
}

// state is the work of one explanation.
type state struct {
	Case
	kind     Detector // the detector at work
	open     []bool   // by index of difference: not yet claimed
	before   *index
	after    *index
	findings []harness.Finding
}

func newState(c Case) (*state, error) {
	s := &state{Case: c, open: make([]bool, len(c.Comparison.Differences))}
	for i := range s.open {
		s.open[i] = true
	}
	var err error
	if s.before, err = newIndex(c.Comparison.Before); err != nil {
		return nil, err
	}
	s.after, err = newIndex(c.Comparison.After)
	return s, err
}

// at returns the difference of that index.
func (s *state) at(i int) *harness.Difference { return &s.Comparison.Differences[i] }

// unclaimed returns the indexes of open differences for which keep holds, in order.
func (s *state) unclaimed(keep func(*harness.Difference) bool) []int {
	var list []int
	for i, open := range s.open {
		if open && keep(s.at(i)) {
			list = append(list, i)
		}
	}
	return list
}

// claim makes the finding the owner of the differences and completes it: kind, people, samples, operations.
func (s *state) claim(f harness.Finding, list []int) {
	f.Kind, f.Title = s.kind.Kind, s.kind.Title
	f.Owner = s.Catalogue.PersonName(s.Integration.Owner)
	f.Steward = s.Catalogue.PersonName(s.Integration.Steward)
	slices.Sort(list)
	for _, i := range list {
		s.open[i] = false
		d := *s.at(i)
		f.Differences = append(f.Differences, d)
		if !slices.Contains(f.Operations, d.Operation) {
			f.Operations = append(f.Operations, d.Operation)
		}
	}
	slices.Sort(f.Operations)
	if f.Samples == nil {
		f.Samples = samplesOf(f.Differences)
	}
	s.findings = append(s.findings, f)
}

// maxSamples is how many differences a finding shows.
const maxSamples = 3

// samplesOf picks the first differences, no two of the same place and values.
func samplesOf(list []harness.Difference) []harness.Sample {
	var samples []harness.Sample
	seen := map[string]bool{}
	for _, d := range list {
		sample := harness.Sample{Where: where(d), Field: fieldOf(d), Was: textOf(d.Was), Is: textOf(d.Is), Source: d}
		key := d.Operation + d.Pattern.String() + sample.Was + "\x00" + sample.Is
		if seen[key] || len(samples) == maxSamples {
			continue
		}
		seen[key] = true
		samples = append(samples, sample)
	}
	return samples
}

// group is differences that share a slot, a pattern and a class.
type group struct {
	slot    slot
	pattern string
	class   harness.ChangeClass
	list    []int
}

// groups sorts open differences into groups, in order of first appearance.
func (s *state) groups(keep func(*harness.Difference) bool) []group {
	type key struct {
		slot    slot
		pattern string
		class   harness.ChangeClass
	}
	var out []group
	place := map[key]int{}
	for _, i := range s.unclaimed(keep) {
		d := s.at(i)
		k := key{slotOf(d), d.Pattern.String(), d.Class}
		n, ok := place[k]
		if !ok {
			n = len(out)
			place[k] = n
			out = append(out, group{k.slot, k.pattern, k.class, nil})
		}
		out[n].list = append(out[n].list, i)
	}
	return out
}

// places is how many places the differences stand for.
func (s *state) places(list []int) int {
	n := 0
	for _, i := range list {
		n += s.at(i).Count
	}
	return n
}

// sessions is the sessions of the differences.
func (s *state) sessions(list []int) map[string]bool {
	set := map[string]bool{}
	for _, i := range list {
		set[s.at(i).Session] = true
	}
	return set
}

// isRecord reports whether the difference is about a whole record: an element of an array of objects.
func isRecord(d *harness.Difference) bool {
	return len(d.Was.Fields)+len(d.Is.Fields) > 0 && len(d.Path) > 0 && d.Path[len(d.Path)-1].Kind != harness.StepName
}

// isCall reports whether the difference is about a whole exchange.
func isCall(d *harness.Difference) bool {
	return d.Class == harness.MissingCall || d.Class == harness.ExtraCall
}

// downstream reports whether the difference lies in what the target hands on.
func (s *state) downstream(d *harness.Difference) bool { return d.From == s.Scenario.Target.System }
