package explain

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

// minRestored is the share of records of the new length that must be as before without the new columns.
const minRestored = 0.95

// detectShift finds records of fixed width that grew or shrank at one column: everything behind it moved, and nothing
// else happened to it.
func detectShift(s *state) {
	for _, g := range s.groups(func(d *harness.Difference) bool {
		return len(d.Path) == 3 && d.Path[1].Name == "form" && d.Path[2].Name == "record lengths"
	}) {
		var found []*shift
		for _, i := range g.list {
			if sh := s.shiftOf(s.at(i)); sh != nil && s.open[i] {
				sh.fact = i
				found = append(found, sh)
			}
		}
		if len(found) > 0 {
			s.claimShift(found)
		}
	}
}

// shift is one file whose records changed their length at one column.
type shift struct {
	fact           int // index of the difference of record lengths
	was, is        int // length of the records, in bytes
	at             int // first byte that is new, or gone, from 0; the least of the possible ones
	records        int // that changed their length
	restored       int // of them, as before without the columns
	field          string
	fieldAt, moved int          // where the field begins, from 1, and how many fields behind it moved
	wrong          map[int]bool // offsets in the old body of records that are not restored
}

// shiftOf looks at the bytes of both bodies; nil when no single column explains the new length.
func (s *state) shiftOf(d *harness.Difference) *shift {
	old, ok := s.before.byID[d.Exchange]
	if !ok {
		return nil
	}
	for _, x := range s.after.bySlot[slotOf(d)] {
		if x.Session != d.Session {
			continue
		}
		a, errA := messageOf(old, d).Body.Bytes()
		b, errB := messageOf(x, d).Body.Bytes()
		if errA != nil || errB != nil {
			continue
		}
		if sh := findShift(bytes.Split(a, []byte("\n")), bytes.Split(b, []byte("\n"))); sh != nil {
			s.nameField(sh, old, d)
			return sh
		}
	}
	return nil
}

func messageOf(x harness.Exchange, d *harness.Difference) harness.Message {
	if isAnswer(d) {
		return x.Response
	}
	return x.Request
}

// findShift searches the column at which most records of the new length grew or shrank by the same number of bytes.
func findShift(was, is [][]byte) *shift {
	if len(was) != len(is) {
		return nil
	}
	deltas := map[int]int{}
	for i := range was {
		if n := len(is[i]) - len(was[i]); n != 0 {
			deltas[n]++
		}
	}
	delta := 0
	for n, count := range deltas {
		if count > deltas[delta] || count == deltas[delta] && n < delta {
			delta = n
		}
	}
	if delta == 0 {
		return nil
	}
	sh := &shift{wrong: map[int]bool{}}
	from, to, offset := 0, 1<<30, 0
	for i, line := range was {
		if len(is[i])-len(line) == delta {
			sh.records++
			if lo, hi, ok := cut(line, is[i]); ok && max(lo, from) <= min(hi, to) {
				from, to = max(lo, from), min(hi, to)
				sh.restored++
				sh.was, sh.is = len(line), len(is[i])
			} else {
				sh.wrong[offset] = true
			}
		} else if !bytes.Equal(line, is[i]) {
			sh.wrong[offset] = true
		}
		offset += len(line) + 1
	}
	if float64(sh.restored) < minRestored*float64(sh.records) {
		return nil
	}
	sh.at = from
	return sh
}

// cut is the places at which bytes were put into, or taken out of, the shorter line to make the longer one.
func cut(a, b []byte) (from, to int, ok bool) {
	if len(a) > len(b) {
		a, b = b, a
	}
	head, tail := 0, 0
	for head < len(a) && a[head] == b[head] {
		head++
	}
	for tail < len(a) && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	return len(a) - tail, head, head+tail >= len(a)
}

// nameField finds the field that the layout has at the column: the one that ends there or goes on.
func (s *state) nameField(sh *shift, old harness.Exchange, d *harness.Difference) {
	doc, err := s.before.kept.of(messageOf(old, d))
	s.note(err)
	if err != nil {
		return
	}
	for record := range doc.Root().Children() {
		fields := slices.Collect(record.Children())
		if len(fields) == 0 {
			continue
		}
		start := bytes.LastIndexByte(doc.Source[:record.Offset()], '\n') + 1
		end := bytes.IndexByte(doc.Source[start:], '\n')
		if end != sh.was || sh.wrong[start] {
			continue
		}
		for i, f := range fields {
			at := f.Offset() - start
			if at < sh.at && sh.at <= at+len(f.Raw()) {
				sh.field, sh.fieldAt, sh.moved = f.Name(), at+1, len(fields)-i-1
			}
		}
		if sh.field != "" && sh.moved > 0 {
			return
		}
	}
}

// claimShift makes one finding of all files with the shift; records that it does not restore stay open.
func (s *state) claimShift(found []*shift) {
	sh := found[0]
	d := s.at(sh.fact)
	f := s.sized([]int{sh.fact})
	f.Count, f.Of, f.Unit = sh.restored, s.linesOf(d), "records"
	f.Source = s.place(answerer(d), d)
	where := fmt.Sprintf("at column %d", sh.at+1)
	if sh.field != "" {
		where = fmt.Sprintf("field %s at column %d is %d longer", sh.field, sh.fieldAt, sh.is-sh.was)
		if sh.is < sh.was {
			where = fmt.Sprintf("field %s at column %d is %d shorter", sh.field, sh.fieldAt, sh.was-sh.is)
		}
	}
	f.Sentence = fmt.Sprintf("%s of %s from %s changed from %d to %d bytes: %s, and %s behind it moved.",
		count(sh.restored, "record"), d.Operation, s.side(answerer(d)), sh.was, sh.is, where, count(sh.moved, "field"))
	proven := "Proven"
	if sh.restored < sh.records {
		proven = "Not proven"
	}
	f.Proof = fmt.Sprintf(proven+": without %s, %d of %s are as before.", thatMany(max(sh.is-sh.was, sh.was-sh.is), "byte"), sh.restored, count(sh.records, "record"))
	f.NextStep = fmt.Sprintf("Ask %s for the old layout, or change the layout file and every reader by position together.", s.side(answerer(d)))
	var list []int
	for _, one := range found {
		list = append(list, s.take(s.shiftedBy(one))...)
	}
	follow := s.sameShift(sh)
	for _, one := range follow {
		o := s.at(one.fact)
		f.Effects = append(f.Effects, fmt.Sprintf("The same in %s to %s: %s. A reader by position takes every field behind the column from the wrong place.",
			o.Operation, s.side(receiver(o)), count(one.restored, "record")))
		f.Target = append(f.Target, s.place(receiver(o), o))
		list = append(list, s.take(s.shiftedBy(one))...)
	}
	s.claimWithEffects(f, list)
}

// sameShift finds other files of the session with the same shift.
func (s *state) sameShift(sh *shift) []*shift {
	session := s.at(sh.fact).Session
	var found []*shift
	for _, i := range s.unclaimed(func(d *harness.Difference) bool {
		return d.Session == session && len(d.Path) == 3 && d.Path[1].Name == "form" && d.Path[2].Name == "record lengths"
	}) {
		if other := s.shiftOf(s.at(i)); other != nil && other.was == sh.was && other.is == sh.is && other.at == sh.at {
			other.fact = i
			found = append(found, other)
		}
	}
	return found
}

// shiftedBy is the differences of the file that the shift explains: those of its form, and those of restored records.
func (s *state) shiftedBy(sh *shift) []int {
	fact := s.at(sh.fact)
	doc, err := s.before.kept.of(messageOf(s.before.byID[fact.Exchange], fact))
	s.note(err)
	if err != nil {
		return nil
	}
	return s.unclaimed(func(d *harness.Difference) bool {
		if d.Exchange != fact.Exchange || len(d.Path) < 3 || d.Path[0].Name != fact.Path[0].Name || d.Path[1].Name == "head" {
			return false
		}
		if d.Path[1].Name == "form" {
			return !isDialect(d) // line ends and the like have another cause
		}
		record := doc.Root().At(d.Path[2:3])
		if record.IsZero() {
			return d.Path[2].Kind == harness.StepEach
		}
		return !sh.wrong[bytes.LastIndexByte(doc.Source[:record.Offset()], '\n')+1]
	})
}

// linesOf is how many records the file had.
func (s *state) linesOf(d *harness.Difference) int {
	doc, err := s.before.kept.of(messageOf(s.before.byID[d.Exchange], d))
	s.note(err)
	if err != nil {
		return 0
	}
	return doc.Root().Len()
}
