package explain

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/rehearse-dev/rehearse/harness"
)

// outputs finds the records of what the target hands on by the words in them, so that they can be joined with the
// input records that they come from.
type outputs struct {
	words   map[int][]string // difference → words of its record
	byWord  map[outputWord][]int
	missing []int // differences that are whole records which are missing
}

type outputWord struct{ session, word string }

// output returns the index of what the target hands on, which is made once.
func (s *state) output() *outputs {
	if s.outputs != nil {
		return s.outputs
	}
	s.outputs = &outputs{words: map[int][]string{}, byWord: map[outputWord][]int{}}
	for i := range s.open {
		d := s.at(i)
		if !s.downstream(d) || !isRecord(d) && d.Record == "" {
			continue
		}
		if isRecord(d) && d.Class == harness.Removed {
			s.outputs.missing = append(s.outputs.missing, i)
		}
		words := wordsOf(slices.Concat(d.Was.Fields, d.Is.Fields, keysOf(d.Path)))
		s.outputs.words[i] = words
		for _, w := range words {
			k := outputWord{d.Session, w}
			s.outputs.byWord[k] = append(s.outputs.byWord[k], i)
		}
	}
	return s.outputs
}

// wordsOf is the distinct values of the fields, whole and word by word.
func wordsOf(fields []harness.Field) []string {
	var words []string
	for _, f := range fields {
		words = append(words, f.Value)
		words = append(words, strings.FieldsFunc(f.Value, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })...)
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// of finds the output records that come from the input record with the keys: all key values are among their words.
func (o *outputs) of(session string, keys []harness.Field) []int {
	if len(keys) == 0 {
		return nil
	}
	var fewest []int
	for n, k := range keys {
		if list := o.byWord[outputWord{session, k.Value}]; n == 0 || len(list) < len(fewest) {
			fewest = list
		}
	}
	var found []int
	for _, i := range fewest {
		if !slices.ContainsFunc(keys, func(k harness.Field) bool { _, ok := slices.BinarySearch(o.words[i], k.Value); return !ok }) {
			found = append(found, i)
		}
	}
	return found
}

// lostWith claims the output records that are lost or other ones because of the input records in rows. Only those for
// which keep holds count.
func (s *state) lostWith(rows []int, keep func(*harness.Difference) bool) consequence {
	var c consequence
	hit := 0
	for _, i := range rows {
		d := s.at(i)
		if s.downstream(d) {
			return consequence{}
		}
		found := s.output().of(d.Session, keysOf(d.Path))
		found = s.take(slices.DeleteFunc(found, func(j int) bool { return !keep(s.at(j)) }))
		if len(found) > 0 {
			hit++
		}
		c.list = append(c.list, found...)
	}
	slices.Sort(c.list)
	for _, g := range s.grouped(c.list) {
		d := s.at(g.list[0])
		c.targets = append(c.targets, s.place(d.To, d))
		c.effects = append(c.effects, s.lossSentence(g.list))
		c.harm = c.harm || isRecord(d) && d.Class == harness.Removed
		c.fresh = c.fresh || s.isFresh(g)
	}
	if len(c.list) > 0 && hit == len(rows) && s.lostBeside() == 0 {
		c.proof = fmt.Sprintf("%s hit in the output, and nothing else is missing there.", s.allRows(rows))
	}
	return c
}

func (s *state) allRows(rows []int) string {
	unit := unitOf(s.at(rows[0]))
	if len(rows) == 1 {
		return "The one " + unit + " with this cause is"
	}
	return "All " + count(len(rows), unit) + " with this cause are"
}

// isFresh reports whether a receiver gets a value in a short list of values that was never in it.
func (s *state) isFresh(g group) bool {
	d := s.at(g.list[0])
	if d.Class != harness.Changed || !isField(d) {
		return false
	}
	s.note(s.before.load(g.slot, []harness.Path{d.Pattern}))
	known := s.before.set(g.slot, d.Pattern)
	return known.isCodeList() && slices.ContainsFunc(g.list, func(i int) bool { return known.counts[s.at(i).Is.Text] == 0 })
}

// lostBeside counts the output records that are missing for another reason.
func (s *state) lostBeside() int {
	n := 0
	for _, i := range s.output().missing {
		if s.open[i] {
			n++
		}
	}
	return n
}

// lossSentence says what became of records of one operation, and what the receiver's guard makes of it.
func (s *state) lossSentence(list []int) string {
	d := s.at(list[0])
	rows := count(len(list), unitOf(d))
	switch {
	case !isRecord(d):
		return fmt.Sprintf("%s in %s to %s %s (%s), such as %s → %s.", fieldName(d), d.Operation, s.side(d.To), verbOf(d), s.share(list), textOf(d.Was), textOf(d.Is))
	case d.Class == harness.Added:
		return fmt.Sprintf("%s new in %s to %s.", rows, d.Operation, s.side(d.To))
	default:
		return fmt.Sprintf("%s missing from %s to %s%s.", rows, d.Operation, s.side(d.To), s.volume(list))
	}
}

// volume says how the tables of the missing records shrank: of all sessions together, and what a guard makes of the
// session that lost most.
func (s *state) volume(list []int) string {
	d := s.at(list[0])
	at := tableOf(d.Pattern)
	sessions := map[string]bool{}
	for _, i := range list {
		sessions[s.at(i).Session] = true
	}
	var sum, worst harness.RecordCount
	for _, r := range s.Comparison.Records {
		if r.Operation != d.Operation || r.From != d.From || r.To != d.To || !sessions[r.Session] || !at.Match(r.Path) {
			continue
		}
		sum.Was, sum.Is = sum.Was+r.Was, sum.Is+r.Is
		if worst.Was == 0 || lostShare(r) > lostShare(worst) {
			worst = r
		}
	}
	if sum.Was == 0 || sum.Is >= sum.Was {
		return ""
	}
	return fmt.Sprintf(": %d → %d (%s lost%s)", sum.Was, sum.Is, percent(sum.Was-sum.Is, sum.Was), s.guardText(worst))
}

// lostShare is the share of records that a table lost, from 0 to 1.
func lostShare(r harness.RecordCount) float64 {
	if r.Was == 0 {
		return 0
	}
	return float64(r.Was-r.Is) / float64(r.Was)
}
