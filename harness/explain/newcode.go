package explain

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/explain/infer"
	"github.com/rehearse-dev/rehearse/harness/explain/severity"
)

// detectNewCode finds values that were never there in a field that takes its values from a short list, and the records
// that are lost with them.
func detectNewCode(s *state) {
	groups := s.uncrowded(s.groups(func(d *harness.Difference) bool {
		return d.Class == harness.Changed && isField(d) && inBody(d) && isCode(d.Is)
	}))
	s.loadSets(s.before, groups)
	s.loadSets(s.after, groups)
	if s.err != nil {
		return
	}
	var found []newCodes
	for _, g := range groups {
		known := s.before.set(g.slot, s.at(g.list[0]).Pattern)
		if !known.isCodeList() || known.areAmounts() {
			continue
		}
		rows := map[string][]int{}
		var codes []string
		for _, i := range g.list {
			code := s.at(i).Is.Text
			if known.counts[code] > 0 || infer.Nothing(s.at(i).Is) != "" && s.crosswalkFor(known).Name == "" {
				continue
			}
			if rows[code] == nil {
				codes = append(codes, code)
			}
			rows[code] = append(rows[code], i)
		}
		slices.Sort(codes)
		switch {
		case s.areReplaced(g, codes, known):
			found = append(found, newCodes{codes, known, []group{g}})
		case len(codes) <= maxSingleCodes:
			for _, code := range codes {
				found = append(found, newCodes{[]string{code}, known, []group{{g.slot, rows[code]}}})
			}
		case len(known.counts) > 1 && s.after.set(g.slot, s.at(g.list[0]).Pattern).isCodeList():
			var list []int
			for _, code := range codes {
				list = append(list, rows[code]...)
			}
			if len(list) < minEachCode*len(codes) {
				continue // texts that hardly ever come again are no codes
			}
			found = append(found, newCodes{codes, known, []group{{g.slot, list}}})
		}
	}
	for _, same := range partition(found, s.sameCodes) {
		n := same[0]
		for _, other := range same[1:] {
			n.places = append(n.places, other.places...)
		}
		s.claimNewCodes(n)
	}
}

// newCodes is codes that are new in fields of one name, in one place or in several.
type newCodes struct {
	codes  []string
	known  *valueSet // at the first place
	places []group
}

// newCodesKey is what codes of one origin have in common: the same vendor's list shows in many messages.
type newCodesKey struct {
	field fieldKey
	codes string
}

func (s *state) sameCodes(n newCodes) newCodesKey {
	return newCodesKey{s.keyOfField(n.places[0]), strings.Join(n.codes, "\x00")}
}

// maxSingleCodes is how many new codes of one field are a finding each; more of them came together and are one.
const maxSingleCodes = 3

// minEachCode is how often codes that came together must occur on average.
const minEachCode = 2

var notCodes = regexp.MustCompile(`^\d{4}-\d\d-\d\d|^[-+]?\d+[.,]\d+$|^\d\d?/\d\d?/\d{4}|^(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$|^(\D*\d){9}|\S\s+\S+\s+\S`)

// areAmounts reports whether the values are numbers with decimals, which are no codes.
func (v *valueSet) areAmounts() bool {
	for text := range v.counts {
		if text != "" && !amount.MatchString(text) {
			return false
		}
	}
	return true
}

var amount = regexp.MustCompile(`^-?\d+\.\d+$`)

// isCode reports whether the value can be a code: a short text or a whole number, no date, no amount, no long number such
// as that of a phone, no text of three words.
func isCode(v harness.Value) bool {
	return isText(v) && v.Text != "" && len(v.Text) <= maxCodeLength && !notCodes.MatchString(v.Text) && shapeOf(v.Text) == nil
}

// replacements writes what each old code of the places became, in order.
func (s *state) replacements(places []group) string {
	pairs := setOf(nil)
	for _, i := range indexesOf(places) {
		pairs.add(s.at(i).Was.Text + " → " + s.at(i).Is.Text)
	}
	return listSome(pairs.sorted(len(pairs.counts)), maxFewCodes)
}

// areReplaced reports whether the codes took the place of all old ones, each of one: a list that was renamed.
func (s *state) areReplaced(g group, codes []string, known *valueSet) bool {
	became, covered := map[string]string{}, 0
	for _, i := range g.list {
		d := s.at(i)
		if is, ok := became[d.Was.Text]; ok && is != d.Is.Text {
			return false
		}
		became[d.Was.Text] = d.Is.Text
		covered++
	}
	return len(codes) > 1 && len(became) == len(codes) && len(became) == len(known.counts) && covered == known.total
}

func (s *state) claimNewCodes(n newCodes) {
	codes, known := n.codes, n.known
	n.places = s.takePlaces(n.places)
	if len(n.places) == 0 {
		return
	}
	rows := n.places[0].list
	d := s.at(rows[0])
	f := s.sized(rows)
	f.Sentence = fmt.Sprintf("%s new in %s of %s from %s (%s). Known so far: %s.",
		quotedCodes(codes), fieldName(d), d.Operation, s.side(answerer(d)), s.share(rows), listSome(known.sorted(len(known.counts)), maxFewCodes))
	if len(codes) > 1 {
		f.Effects = append(f.Effects, fmt.Sprintf("They came in place of others: %s.", s.replacements(n.places)))
	}
	f.Effects, rows = append(f.Effects, s.alsoIn(n.places[1:])...), indexesOf(n.places)
	f.Hit = s.hits(rows)
	crosswalk := s.crosswalkFor(known)
	knows := true
	for _, code := range codes {
		knows = knows && crosswalk.Codes[code] > 0
		f.Effects = append(f.Effects, crosswalk.effect(code)...)
	}
	f.Effects = append(f.Effects, s.defaultHits(d, known, crosswalk)...)
	f.NextStep = s.nextStepForCodes(codes, crosswalk)
	f.Places = crosswalk.places(codes)
	c := s.lostWith(rows, func(*harness.Difference) bool { return true })
	c.join(s.consequences(rows))
	c.addTo(&f)
	s.level(&f, rows, func(change *severity.Change) {
		change.Unmapped = crosswalk.Name != "" && !knows && !crosswalk.Default && !s.downstream(d)
	})
	switch {
	case c.harm:
		f.Verdict = harness.Breaking
	case knows && !c.fresh && !s.downstream(d):
		f.Verdict = harness.Benign // the mapping knows the code, and nothing is lost
		f.NextStep = "Nothing to do: the mapping knows " + plain(codes, "the code", "the codes") + "."
	}
	s.claim(f, append(rows, c.list...))
}

func (s *state) nextStepForCodes(codes []string, c crosswalk) string {
	steward := s.Catalogue.PersonName(s.Integration.Steward)
	if steward == "" {
		steward = "the owner of the data"
	}
	unknown := slices.DeleteFunc(slices.Clone(codes), func(code string) bool { return c.Codes[code] > 0 })
	if c.Name != "" && len(unknown) > 0 {
		return fmt.Sprintf("Ask %s what %s, then add %s to %s.", steward, listSome(unknown, maxFewCodes)+plain(unknown, " means", " mean"),
			plain(unknown, "a row for it", "a row for each"), c.File)
	}
	return fmt.Sprintf("Ask %s what %s and whether every receiver knows %s.", steward, listSome(codes, maxFewCodes)+plain(codes, " means", " mean"), plain(codes, "it", "them"))
}

// quotedCodes begins a sentence about codes.
func quotedCodes(codes []string) string {
	quoted := make([]string, len(codes))
	for i, code := range codes {
		quoted[i] = strconv.Quote(code)
	}
	return listSome(quoted, maxFewCodes) + plain(codes, " is", " are")
}

// plain picks the wording for one code or for several.
func plain(codes []string, one, several string) string {
	if len(codes) == 1 {
		return one
	}
	return several
}

// crosswalk is a code table, or none.
type crosswalk struct{ harness.Crosswalk }

// crosswalkFor picks the crosswalk that knows most of the codes seen so far, at least half of them.
func (s *state) crosswalkFor(known *valueSet) crosswalk {
	var best crosswalk
	most := 0
	for _, c := range s.Crosswalks {
		n := 0
		for text := range known.counts {
			if c.Codes[text] > 0 {
				n++
			}
		}
		if n > most && n*2 >= len(known.counts) {
			best, most = crosswalk{c}, n
		}
	}
	return best
}

// defaultHits says how often the default row of the crosswalk is used, when it is used more than before.
func (s *state) defaultHits(d *harness.Difference, known *valueSet, c crosswalk) []string {
	if !c.Default {
		return nil
	}
	s.note(s.after.load(slotOf(d), []harness.Path{d.Pattern}))
	if s.err != nil {
		return nil
	}
	before, now := c.caught(known), c.caught(s.after.set(slotOf(d), d.Pattern))
	if now <= before {
		return nil
	}
	return []string{fmt.Sprintf("The default row catches %s now; before it caught %d.", count(now, unitOf(d)), before)}
}

// caught counts the values that no row but the default one knows.
func (c crosswalk) caught(set *valueSet) int {
	n := 0
	for text, times := range set.counts {
		if c.Codes[text] == 0 && text != "" {
			n += times
		}
	}
	return n
}

// places are the row of the first code that the crosswalk knows, or else its last row, after which rows are missing.
func (c crosswalk) places(codes []string) []harness.FileLine {
	if c.Name == "" {
		return nil
	}
	last := 1
	for _, line := range c.Codes {
		last = max(last, line)
	}
	for _, code := range codes {
		if line := c.Codes[code]; line > 0 {
			last = line
			break
		}
	}
	return []harness.FileLine{{File: filepath.ToSlash(c.File), Line: last}}
}

// effect says what the crosswalk makes of the code.
func (c crosswalk) effect(code string) []string {
	switch line := c.Codes[code]; {
	case c.Name == "":
		return nil
	case line > 0:
		return []string{fmt.Sprintf("Crosswalk %s has a row for %s (line %d).", c.File, code, line)}
	case c.Default:
		return []string{fmt.Sprintf("No row for %s in crosswalk %s; its default row * catches it.", code, c.File)}
	default:
		return []string{fmt.Sprintf("No row for %s in crosswalk %s.", code, c.File)}
	}
}
