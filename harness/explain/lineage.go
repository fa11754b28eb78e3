package explain

import (
	"fmt"
	"math"
	"path"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/explain/infer"
)

const (
	minJoined    = 5  // pairs of records that lineage may rest on
	minSurprise  = 24 // bits by which a relation must be beyond chance, before the number of tries counts
	alike        = 10 // bits that names with a word in common say
	maxFlows     = 4  // steps that a finding shows
	maxRelations = 400
)

// addLineage says of each finding which fields feed the places of its cause, and which they feed. What a mapping says
// comes first; where there is no program to read, the recorded values must say it beyond chance.
func (s *state) addLineage() {
	for i := range s.findings {
		f := &s.findings[i]
		seen := map[string]bool{}
		for _, at := range s.causePlaces(f.Differences, s.heads[i]) {
			for _, flow := range s.flowsOf(at, f.Verdict.NeedsPerson()) {
				if key := flow.String(); !seen[key] && len(f.Lineage) < maxFlows {
					seen[key] = true
					f.Lineage = append(f.Lineage, flow)
				}
			}
		}
	}
}

// causePlaces is the places that lineage is asked of: the fields of the message that the cause lies in, or, where it lies
// in what the target sends, all such fields. Consequences are none of them.
func (s *state) causePlaces(list []harness.Difference, head int) []harness.Difference {
	if head < 0 {
		return nil
	}
	first := s.at(head)
	var places []harness.Difference
	seen := map[place]bool{}
	for _, d := range append([]harness.Difference{*first}, list...) {
		k := place{slotOf(&d), d.Pattern.String()}
		same := k.slot == slotOf(first) && isAnswer(&d) == isAnswer(first)
		if seen[k] || !isField(&d) || !inBody(&d) || !same && !(s.downstream(&d) && s.downstream(first)) {
			continue
		}
		if seen[k] = true; len(places) < maxFlows {
			places = append(places, d)
		}
	}
	return places
}

// flowsOf is the steps from a place of the input, or to a place of the output.
func (s *state) flowsOf(d harness.Difference, byValues bool) []harness.Flow {
	flows := s.tracedFlows(&d)
	if len(flows) > 0 || !byValues {
		return flows
	}
	return s.valueFlows(&d)
}

func fieldPlaceOf(k slot, at harness.Path, sender string) harness.FieldPlace {
	d := harness.Difference{From: k.from, To: k.to, Channel: k.channel, Operation: k.operation, Path: at, Pattern: at}
	return harness.FieldPlace{System: sender, Operation: k.operation, Field: fieldName(&d), At: at}
}

// tracedFlows is the steps that the mapping's programs show.
func (s *state) tracedFlows(d *harness.Difference) []harness.Flow {
	var flows []harness.Flow
	here, leaf := fieldPlaceOf(slotOf(d), d.Pattern, answerer(d)), d.Pattern.Leaf()
	for _, t := range s.Traces {
		switch {
		case !s.downstream(d) && harness.MatchOperation(t.Input, d.Operation) && slices.Contains(t.From, leaf):
			for _, k := range s.written(t.Output) {
				if at, ok := s.fieldCalled(k, t.Field); ok {
					flows = append(flows, traced(here, fieldPlaceOf(k, at, s.Scenario.Target.System), t))
				}
			}
		case s.downstream(d) && t.Field == leaf && slices.Contains(s.written(t.Output), slotOf(d)):
			for _, k := range s.slots() {
				if k.to != s.Scenario.Target.System || !harness.MatchOperation(t.Input, k.operation) {
					continue
				}
				for _, name := range t.From {
					if at, ok := s.fieldCalled(k, name); ok {
						flows = append(flows, traced(fieldPlaceOf(k, at, k.from), here, t))
					}
				}
			}
		}
	}
	return flows
}

func traced(from, to harness.FieldPlace, t harness.MappedField) harness.Flow {
	f := harness.Flow{From: from, To: to, By: "mapping " + t.Program, Evidence: fmt.Sprintf("%s reads it for this field", t.Program)}
	if len(t.Crosswalks) > 0 {
		var files []string
		for _, file := range t.Crosswalks {
			files = append(files, path.Base(file))
		}
		f.By = "crosswalk " + list(files)
		f.Evidence += " and looks it up"
	}
	return f
}

// slots is the slots of the baseline, in order of their names.
func (s *state) slots() []slot {
	var all []slot
	for k := range s.before.bySlot {
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b slot) int {
		return slices.Compare([]string{a.operation, a.from, a.to, a.channel}, []string{b.operation, b.from, b.to, b.channel})
	})
	return all
}

// written is the slots of the files of that name that the target writes.
func (s *state) written(name string) []slot {
	x := harness.Exchange{Channel: harness.ChannelFile, Request: harness.Message{Head: harness.Head{{Name: harness.FieldName, Value: name}}}}
	var found []slot
	for _, k := range s.slots() {
		if name != "" && k.from == s.Scenario.Target.System && k.operation == x.Operation() {
			found = append(found, k)
		}
	}
	return found
}

// fieldCalled finds the field of that name in the messages of a slot.
func (s *state) fieldCalled(k slot, name string) (harness.Path, bool) {
	for _, sh := range s.recordSetsOf(k, "request") {
		for _, p := range sh.fields {
			if p.Leaf() == name {
				return p, true
			}
		}
	}
	return nil, false
}

// halfSlot is the messages of a slot that one side sends.
type halfSlot struct {
	slot slot
	half string
}

// sides is the messages that the target gets, or that it sends.
func (s *state) sides(sent bool) []halfSlot {
	var all []halfSlot
	for _, k := range s.slots() {
		switch target := s.Scenario.Target.System; {
		case k.from == target && sent, k.to == target && !sent:
			all = append(all, halfSlot{k, "request"})
		case k.from == target && !sent, k.to == target && sent:
			all = append(all, halfSlot{k, "response"})
		}
	}
	return all
}

// valueFlows is the steps that the recorded values show.
func (s *state) valueFlows(d *harness.Difference) []harness.Flow {
	own := s.recordSetWith(slotOf(d), d.Path[0].Name, d.Pattern)
	if own == nil {
		return nil
	}
	var flows []harness.Flow
	for _, side := range s.sides(!s.downstream(d)) {
		if side.slot == slotOf(d) {
			continue // an answer that repeats its request feeds nothing
		}
		for _, other := range s.recordSetsOf(side.slot, side.half) {
			if s.downstream(d) {
				flows = append(flows, s.recordSetFlows(other, own, nil, d.Pattern)...)
			} else {
				flows = append(flows, s.recordSetFlows(own, other, d.Pattern, nil)...)
			}
		}
	}
	return flows
}

func (s *state) recordSetWith(k slot, half string, field harness.Path) *recordSet {
	for _, sh := range s.recordSetsOf(k, half) {
		if slices.ContainsFunc(sh.fields, func(p harness.Path) bool { return p.String() == field.String() }) {
			return sh
		}
	}
	return nil
}

// recordSetFlows is the relations between the fields of joined records: of one source field, or to one target field.
func (s *state) recordSetFlows(from, to *recordSet, source, field harness.Path) []harness.Flow {
	pairs := from.join(to)
	if len(pairs) < minJoined {
		return nil
	}
	sources, targets := from.fields, to.fields
	if source != nil {
		sources = []harness.Path{source}
	} else {
		targets = []harness.Path{field}
	}
	tries := len(sources) * len(targets)
	var flows []harness.Flow
	for _, p := range sources {
		for _, q := range targets {
			if s.relations++; s.relations > maxRelations {
				return flows
			}
			by, evidence, ok := s.relation(pairs, p, q, tries)
			if !ok {
				continue
			}
			flows = append(flows, harness.Flow{From: fieldPlaceOf(from.slot, p, senderOf(from.slot, p)), To: fieldPlaceOf(to.slot, q, senderOf(to.slot, q)), By: by, Evidence: evidence})
		}
	}
	return flows
}

func senderOf(k slot, p harness.Path) string {
	if p[0].Name == "response" {
		return k.to
	}
	return k.from
}

// relation says how the values of one field make those of another in all pairs of records that have both.
func (s *state) relation(pairs []fed, source, field harness.Path, tries int) (by, evidence string, ok bool) {
	var values []infer.Pair
	same, part := true, true
	from, to := source.String(), field.String()
	for _, p := range pairs {
		was, okWas := p.from.texts[from]
		is, okIs := p.to.texts[to]
		if !okWas || !okIs {
			continue
		}
		values = append(values, infer.Pair{Was: harness.Value{Kind: harness.KindString, Text: was}, Is: harness.Value{Kind: harness.KindString, Text: is}})
		same, part = same && was == is, part && hasWord(is, was)
	}
	bits, least := surprise(values), minSurprise+math.Log2(float64(tries))
	if same || part {
		bits = min(bits+spelled(values), bits*2) + alike*float64(min(commonWords(source.Leaf(), field.Leaf()), 1))
	}
	if len(values) < minJoined || 2*len(values) < len(pairs) || bits < least {
		return "", "", false
	}
	evidence = "in all " + count(len(values), "record") + " that belong together"
	switch {
	case same:
		return "same values", evidence, true
	case part:
		return "a part of it", evidence, true
	}
	if walk := s.crosswalkFor(textsOf(values)); walk.Name != "" && isTable(values) {
		return "crosswalk " + path.Base(walk.File), evidence, true
	}
	rule, found := infer.Infer(values, infer.Options{})
	if !found || rule.Exceptions > 0 || rule.Family == "constant" || rule.Family == "presence" || rule.NeedsRecord() {
		return "", "", false
	}
	if rule.Family == "table" || rule.Family == "mask" {
		return "a code table", evidence, isTable(values)
	}
	return rule.Text, evidence, true
}

func textsOf(values []infer.Pair) *valueSet {
	set := setOf(nil)
	for _, v := range values {
		set.add(v.Was.Text)
	}
	return set
}

// isTable reports whether each old value has one new one, and old values occur often enough to say so.
func isTable(values []infer.Pair) bool {
	to := map[string]string{}
	if 2*len(textsOf(values).counts) > len(values) {
		return false // most old values occur once: any values would do
	}
	for _, v := range values {
		if is, known := to[v.Was.Text]; known && is != v.Is.Text {
			return false
		}
		to[v.Was.Text] = v.Is.Text
	}
	return true
}

// spelled is by how many bits it is unlikely that two fields that have nothing to do with one another take the same
// texts: long ones say more. A single text says nothing, it may be a constant of the whole system; two fields can also
// share a vocabulary, so that texts count for no more than what the records say.
func spelled(values []infer.Pair) float64 {
	old, bits := textsOf(values), 0.0
	if len(old.counts) < 2 {
		return 0
	}
	for text := range old.counts {
		bits += 2 * float64(min(len(text), 8))
	}
	return bits
}

// surprise is by how many bits it is unlikely that chance gives every record with one old value the same new value: the
// first record of each old value is free, every other one must hit. A field that always holds one value surprises nobody.
// Where all old values differ, being the new value, or a rule, is what must not be chance: then every record counts.
func surprise(values []infer.Pair) float64 {
	now, old := setOf(nil), textsOf(values)
	for _, v := range values {
		now.add(v.Is.Text)
	}
	sum := 0.0
	for _, n := range now.counts {
		share := float64(n) / float64(len(values))
		sum += share * share
	}
	free := len(old.counts)
	if 2*free > len(values) {
		free = 0
	}
	return float64(len(values)-free) * -math.Log2(sum)
}
