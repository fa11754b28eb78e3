package explain

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/rehearse-dev/rehearse/harness"
)

// detectNewCode finds values that were never there in a field that takes its values from a short list, and the records
// that are lost with them.
func detectNewCode(s *state) error {
	for _, g := range s.groups(func(d *harness.Difference) bool {
		return d.Class == harness.Changed && isField(d) && d.Path[1].Name == "body"
	}) {
		texts, err := s.before.texts(g.slot, s.at(g.list[0]).Pattern)
		if err != nil {
			return err
		}
		known := setOf(texts)
		if !known.isCodeList() {
			continue
		}
		for _, code := range s.distinct(g.list, func(d *harness.Difference) string { return d.Is.Text }).sorted(maxCodes) {
			if known.counts[code] == 0 {
				s.claimNewCode(g, code, known)
			}
		}
	}
	return nil
}

func (s *state) claimNewCode(g group, code string, known valueSet) {
	var rows []int
	for _, i := range g.list {
		if s.open[i] && s.at(i).Is.Text == code {
			rows = append(rows, i)
		}
	}
	if len(rows) == 0 {
		return
	}
	d := s.at(rows[0])
	field, n, of := fieldOf(*d), s.places(rows), s.population(d)
	f := harness.Finding{
		Verdict: harness.Review, Count: n, Of: of, Unit: plural(unitOf(d)), Hit: s.hits(rows),
		Sentence: fmt.Sprintf("%q is new in %s of %s from %s (%d of %s). Known so far: %s.",
			code, field, d.Operation, s.side(answerer(d)), n, count(of, unitOf(d)), listSome(known.sorted(maxFewCodes), maxFewCodes)),
		Source: s.place(answerer(d), d),
	}
	crosswalk, missing := s.crosswalkFor(known, code)
	f.Effects = append(f.Effects, crosswalk.sentence(code, missing)...)
	for _, i := range rows {
		s.open[i] = false // its own rows are no consequence of it
	}
	lost := s.lostWith(rows)
	c := s.consequences(rows)
	list := slices.Concat(rows, lost.list, c.list)
	f.Effects = slices.Concat(f.Effects, lost.effects, c.effects)
	f.Target = slices.Concat(lost.targets, c.targets)
	f.Proof = strings.TrimSpace(lost.proof + " " + c.proof)
	switch {
	case len(lost.list)+len(c.list) > 0:
		f.Verdict = harness.Breaking
	case crosswalk.Name != "" && !missing && !s.downstream(d):
		f.Verdict = harness.Benign // the mapping knows the code, and nothing is lost
	}
	f.NextStep = s.nextStepForCode(code, crosswalk, missing)
	s.claim(f, list)
}

func (s *state) nextStepForCode(code string, c crosswalkView, missing bool) string {
	steward := s.Catalogue.PersonName(s.Integration.Steward)
	if steward == "" {
		steward = "the owner of the data"
	}
	if missing {
		return fmt.Sprintf("Ask %s what %s means, then add a row for it to %s.", steward, code, c.File)
	}
	return fmt.Sprintf("Ask %s what %s means and whether every receiver knows it.", steward, code)
}

// crosswalkView is a crosswalk, or none.
type crosswalkView struct{ harness.Crosswalk }

// crosswalkFor picks the crosswalk that knows most of the codes seen so far, and says whether it lacks the new one.
func (s *state) crosswalkFor(known valueSet, code string) (view crosswalkView, missing bool) {
	most := 0
	for _, c := range s.Crosswalks {
		n := 0
		for text := range known.counts {
			if c.Codes[text] > 0 {
				n++
			}
		}
		if n > most && n*2 >= len(known.counts) {
			view, most = crosswalkView{c}, n
		}
	}
	return view, most > 0 && view.Codes[code] == 0
}

func (c crosswalkView) sentence(code string, missing bool) []string {
	switch {
	case c.Name == "":
		return nil
	case missing && c.Default:
		return []string{fmt.Sprintf("No row for %s in crosswalk %s; its default row * catches it.", code, c.File)}
	case missing:
		return []string{fmt.Sprintf("No row for %s in crosswalk %s.", code, c.File)}
	default:
		return []string{fmt.Sprintf("Crosswalk %s has a row for %s (line %d).", c.File, code, c.Codes[code])}
	}
}

// lostWith joins records that the target lost or changed with the records that carry the cause: all key values of the
// input record are among the words of the output record.
func (s *state) lostWith(rows []int) consequence {
	var c consequence
	joined := map[int]bool{}
	for _, i := range s.unclaimed(func(d *harness.Difference) bool { return s.downstream(d) && (isRecord(d) || d.Record != "") }) {
		if row, ok := s.sourceOf(s.at(i), rows); ok {
			c.list = append(c.list, i)
			joined[row] = true
		}
	}
	for _, g := range s.grouped(c.list) {
		d := s.at(g.list[0])
		c.targets = append(c.targets, s.place(d.To, d))
		c.effects = append(c.effects, s.lossSentence(d, len(g.list)))
	}
	if others := s.lostBeside(c.list); len(c.list) > 0 && len(joined) == len(rows) && others == 0 {
		c.proof = fmt.Sprintf("All %s with the new value are hit in the output, and nothing else is missing there.", count(len(rows), unitOf(s.at(rows[0]))))
	}
	return c
}

// lostBeside counts the output records that are missing for another reason.
func (s *state) lostBeside(list []int) int {
	others := s.unclaimed(func(d *harness.Difference) bool { return s.downstream(d) && isRecord(d) && d.Class == harness.Removed })
	return len(slices.DeleteFunc(others, func(i int) bool { return slices.Contains(list, i) }))
}

// sourceOf finds the row whose key values all occur in the output record, within the same session.
func (s *state) sourceOf(d *harness.Difference, rows []int) (row int, ok bool) {
	have := map[string]bool{}
	note := func(text string) {
		have[text] = true
		for _, w := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			have[w] = true
		}
	}
	for _, f := range slices.Concat(d.Was.Fields, d.Is.Fields, keysOf(d.Path)) {
		note(f.Value)
	}
	for _, i := range rows {
		keys := keysOf(s.at(i).Path)
		if len(keys) == 0 || s.at(i).Session != d.Session {
			continue
		}
		if !slices.ContainsFunc(keys, func(k harness.Field) bool { return !have[k.Value] }) {
			return i, true
		}
	}
	return 0, false
}

// lossSentence says how many records an operation lost, and what the receiver's guard makes of it.
func (s *state) lossSentence(d *harness.Difference, n int) string {
	rows := count(n, unitOf(d))
	if d.Class != harness.Removed || !isRecord(d) {
		return fmt.Sprintf("%s of %s to %s: %s.", rows, d.Operation, s.side(d.To), d.Class)
	}
	for _, r := range s.Comparison.Records {
		if r.Operation == d.Operation && r.From == d.From && r.To == d.To && r.Was > 0 {
			return fmt.Sprintf("%s missing from %s to %s: %d → %d (%s lost%s).", rows, d.Operation, s.side(d.To), r.Was, r.Is, percent(r.Was-r.Is, r.Was), s.guardText(r))
		}
	}
	return fmt.Sprintf("%s missing from %s to %s.", rows, d.Operation, s.side(d.To))
}
