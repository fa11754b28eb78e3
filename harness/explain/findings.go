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
	Crosswalks  []harness.Crosswalk   // of the candidate's mapping
	Breaches    []harness.Breach      // of invariants, on both sides
	Reads       harness.Reads         // of the candidate's mapping
	Now         time.Time             // decides which declared changes have expired
	Traces      []harness.MappedField // of the candidate's mapping
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
		if d.detect(s); s.err != nil {
			return nil, s.err
		}
	}
	s.addQuietEffects()
	if s.addLineage(); s.err != nil {
		return nil, s.err
	}
	slices.SortStableFunc(s.findings, func(a, b harness.Finding) int { return b.Verdict.Weight() - a.Verdict.Weight() })
	for i := range s.findings {
		s.findings[i].Number = i + 1
	}
	return s.findings, nil
}

// state is the work of one explanation.
type state struct {
	Case
	kind       Detector               // the detector at work
	open       []bool                 // by index of difference: not yet claimed
	group      []int                  // by index of difference: its slot, pattern and class, as a number
	facts      *facts                 // from the end of detectExpected on
	outputs    *outputs               // from its first use on
	changes    changes                // from its first use on
	variants   variants               // made with the changes
	recordSets map[place][]*recordSet // by slot and half, from their first use on
	relations  int                    // pairs of fields that lineage has compared
	before     *index
	after      *index
	sizes      map[place]int   // how many elements a table of the baseline has
	levelled   harness.Verdict // what the table said last
	findings   []harness.Finding
	heads      []int // of each finding the difference that its cause begins with, -1 when it has none
	err        error // the first error of reading a recording; it ends the explanation
}

func newState(c Case) (*state, error) {
	s := &state{Case: c, open: make([]bool, len(c.Comparison.Differences)), sizes: map[place]int{}}
	for i := range s.open {
		s.open[i] = true
	}
	s.numberGroups()
	var err error
	documents := newKept()
	if s.before, err = newIndex(c.Comparison.Before, nil, documents); err != nil {
		return nil, err
	}
	called := make(map[string]string, len(c.Comparison.Partner))
	for was, is := range c.Comparison.Partner {
		old := s.before.byID[was]
		called[is] = old.Operation() // so that both sides of a pair stand in one slot
	}
	s.after, err = newIndex(c.Comparison.After, called, documents)
	return s, err
}

// now is the exchange of the candidate in which the difference lies; the zero Exchange for a call that is missing.
func (s *state) now(d *harness.Difference) harness.Exchange {
	if d.Class == harness.ExtraCall {
		return s.after.byID[d.Exchange]
	}
	return s.after.byID[s.Comparison.Partner[d.Exchange]]
}

// at returns the difference of that index.
func (s *state) at(i int) *harness.Difference { return &s.Comparison.Differences[i] }

// note keeps the first error.
func (s *state) note(err error) {
	if s.err == nil {
		s.err = err
	}
}

// take closes the open ones among the differences, so that nobody claims them again, and returns them in order.
func (s *state) take(list []int) []int {
	var taken []int
	for _, i := range slices.Sorted(slices.Values(list)) {
		if s.open[i] {
			s.open[i] = false
			taken = append(taken, i)
		}
	}
	return taken
}

// claim makes the finding the owner of the differences, of which the first is its cause, and completes it: kind, verdict,
// people, operations, and samples where the finding has none.
func (s *state) claim(f harness.Finding, list []int) {
	s.judge(&f, list)
	s.heads = append(s.heads, -1)
	if len(list) > 0 {
		s.heads[len(s.heads)-1] = list[0]
	}
	f.Kind, f.Title, f.NextStep = s.kind.Kind, s.kind.Title, s.stepFor(f.NextStep)
	f.Owner = s.Catalogue.PersonName(s.Integration.Owner)
	f.Steward = s.Catalogue.PersonName(s.Integration.Steward)
	slices.Sort(list)
	operations := map[string]bool{}
	f.Differences = s.differences(list)
	for _, i := range list {
		s.open[i] = false
		if op := s.at(i).Operation; !operations[op] {
			operations[op] = true
			f.Operations = append(f.Operations, op)
		}
	}
	slices.Sort(f.Operations)
	if f.Samples == nil {
		f.Samples = samplesOf(f.Differences)
	}
	s.findings = append(s.findings, f)
}

func (s *state) differences(list []int) []harness.Difference {
	all := make([]harness.Difference, 0, len(list))
	for _, i := range list {
		all = append(all, *s.at(i))
	}
	return all
}

// maxSamples is how many differences a finding shows.
const maxSamples = 3

// samplesOf picks the first differences, no two of the same place and values.
func samplesOf(list []harness.Difference) []harness.Sample {
	type look struct{ operation, leaf, was, is string }
	var samples []harness.Sample
	seen := map[look]bool{}
	for _, d := range list {
		key := look{d.Operation, d.Pattern.Leaf(), sampleText(d.Was), sampleText(d.Is)}
		if seen[key] {
			continue
		}
		seen[key] = true
		samples = append(samples, harness.Sample{Where: where(d), Field: fieldOf(d), Was: key.was, Is: key.is, Source: d})
		if len(samples) == maxSamples {
			break
		}
	}
	return samples
}

// sampleText is textOf, or the part that changed of a long text.
func sampleText(v harness.Value) string {
	if v.Part != "" {
		return v.Part
	}
	return textOf(v)
}

// places is how many places the differences stand for.
func (s *state) places(list []int) int {
	n := 0
	for _, i := range list {
		n += s.at(i).Count
	}
	return n
}

// isRecord reports whether the difference is about a whole record: an element of an array of objects.
func isRecord(d *harness.Difference) bool {
	return len(d.Was.Fields)+len(d.Is.Fields) > 0 && len(d.Path) > 0 && d.Path[len(d.Path)-1].Kind != harness.StepName
}

// isField reports whether the difference is about one named member, column or header.
func isField(d *harness.Difference) bool {
	return isPlace(d) && d.Path[len(d.Path)-1].Kind == harness.StepName
}

// isPlace reports whether the difference is about one place within a head or body, elements of arrays included.
func isPlace(d *harness.Difference) bool {
	return len(d.Path) > 2 && d.Path[1].Name != "form" && !isRecord(d)
}

// inBody reports whether the difference is about one place within a body.
func inBody(d *harness.Difference) bool { return isPlace(d) && d.Path[1].Name == "body" }

// isCall reports whether the difference is about a whole exchange.
func isCall(d *harness.Difference) bool {
	return d.Class == harness.MissingCall || d.Class == harness.ExtraCall
}

// isAnswer reports whether the difference lies in a response.
func isAnswer(d *harness.Difference) bool { return len(d.Path) > 0 && d.Path[0].Name == "response" }

// answerer is the system whose message the difference lies in.
func answerer(d *harness.Difference) string {
	if isAnswer(d) {
		return d.To
	}
	return d.From
}

// receiver is the system that gets the message in which the difference lies.
func receiver(d *harness.Difference) string {
	if isAnswer(d) {
		return d.From
	}
	return d.To
}

// downstream reports whether the difference lies in what the target hands on.
func (s *state) downstream(d *harness.Difference) bool {
	return answerer(d) == s.Scenario.Target.System
}
