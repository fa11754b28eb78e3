package explain

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// detectTrimmed claims records of fixed width that lost the blanks which fill a field or the record, or got them again:
// how much they are shorter depends on the value, where a new layout moves every record alike.
func detectTrimmed(s *state) {
	for _, g := range s.groups(func(d *harness.Difference) bool { return isFact(d, "record lengths") }) {
		for _, i := range g.list {
			if t := s.trimmingOf(i); t != nil && s.open[i] {
				s.claimTrimmed(t)
			}
		}
	}
}

// trimming is one file whose records lost or got filling blanks.
type trimming struct {
	shift
	came  bool   // the blanks came; otherwise they went
	field string // whose value they fill; empty for the end of the record
	width int    // of the field
}

// trimmingOf looks at the bytes of both bodies; nil when filling blanks do not explain the new lengths.
func (s *state) trimmingOf(fact int) *trimming {
	d := s.at(fact)
	old := s.before.byID[d.Exchange]
	now, ok := s.partner(d.Exchange)
	if !ok || messageOf(old, d).Body.Size() > maxReadAgain {
		return nil
	}
	for _, came := range []bool{false, true} {
		long, short := old, now
		if came {
			long, short = now, old
		}
		doc, err := s.before.kept.of(messageOf(long, d))
		if s.note(err); err != nil {
			return nil
		}
		shorter, err := messageOf(short, d).Body.Bytes()
		if err != nil {
			s.note(err)
			return nil
		}
		if t := findTrimming(doc, shorter, came); t != nil {
			t.fact = fact
			return t
		}
	}
	return nil
}

// findTrimming compares the records of the padded side with the lines of the other one.
func findTrimming(padded *payload.Doc, shorter []byte, came bool) *trimming {
	long, short := bytes.Split(padded.Source, []byte("\n")), bytes.Split(shorter, []byte("\n"))
	if len(long) != len(short) {
		return nil
	}
	fields := fieldsByLine(padded)
	t := &trimming{came: came, shift: shift{wrong: map[int]bool{}}}
	names := map[string]int{}
	at, atShort := 0, 0
	for i := range long {
		was, is := bytes.TrimSuffix(long[i], []byte("\r")), bytes.TrimSuffix(short[i], []byte("\r"))
		offset := at // in the old body, by which differences are found
		if came {
			offset = atShort
		}
		if len(was) != len(is) {
			t.records++
			if name, width, ok := trimmedField(was, is, fields[at]); ok {
				t.restored++
				names[name]++
				t.was, t.is, t.field, t.width = len(was), len(is), name, width
			} else {
				t.wrong[offset] = true
			}
		} else if !bytes.Equal(was, is) {
			t.wrong[offset] = true
		}
		at, atShort = at+len(long[i])+1, atShort+len(short[i])+1
	}
	if t.records == 0 || float64(t.restored) < minRestored*float64(t.records) || len(names) > 1 {
		return nil
	}
	if came {
		t.was, t.is = t.is, t.was
	}
	return t
}

// fieldsByLine is the fields of each record by the offset at which it begins.
func fieldsByLine(doc *payload.Doc) map[int][]payload.Node {
	lines := map[int][]payload.Node{}
	for record := range doc.Root().Children() {
		start := bytes.LastIndexByte(doc.Source[:record.Offset()], '\n') + 1
		for f := range record.Children() {
			lines[start] = append(lines[start], f)
		}
	}
	return lines
}

// trimmedField names the field that lost all the blanks behind its value, empty for the end of the record.
func trimmedField(was, is []byte, fields []payload.Node) (name string, width int, ok bool) {
	if len(is) < len(was) && len(bytes.TrimRight(was[len(is):], " ")) == 0 && !bytes.HasSuffix(is, []byte(" ")) {
		return "", len(was), true // whatever else differs within the record
	}
	if len(fields) == 0 {
		return "", 0, false
	}
	start := fields[0].Offset()
	for _, f := range fields {
		raw := f.Raw()
		value := bytes.TrimRight(raw, " ")
		from, to := f.Offset()-start, f.Offset()-start+len(raw)
		if len(value) < len(raw) && to <= len(was) && bytes.Equal(slices.Concat(was[:from], value, was[to:]), is) {
			return f.Name(), len(raw), true
		}
	}
	return "", 0, false
}

func (s *state) claimTrimmed(t *trimming) {
	d := s.at(t.fact)
	f := s.sized([]int{t.fact})
	f.Count, f.Of, f.Unit = t.restored, s.linesOf(d), "records"
	verb := "lost"
	if t.came {
		verb = "got"
	}
	what := "the blanks at their end"
	if t.field != "" {
		what = fmt.Sprintf("the blanks that fill field %s to its %d bytes", t.field, t.width)
		f.Effects = []string{"Every field behind it moved: a reader by position takes it from the wrong place."}
	}
	f.Sentence = fmt.Sprintf("%s of %s from %s %s %s: such as %d → %d bytes (record lengths %s → %s).",
		count(t.restored, "record"), d.Operation, s.side(answerer(d)), verb, what, t.was, t.is, d.Was.Text, d.Is.Text)
	f.Proof = fmt.Sprintf("With these blanks, %d of %s with another length are the same on both sides.", t.restored, count(t.records, "record"))
	f.NextStep = fmt.Sprintf("Ask %s to fill its records to the width of the layout; most loaders of fixed width refuse shorter ones.", s.side(answerer(d)))
	own := s.take(s.filledBy(t))
	s.claimWithEffects(f, own)
}

// filledBy is the differences that the blanks explain: all of a record whose fields moved, and the fields at the end of a
// record that are empty and there or not.
func (s *state) filledBy(t *trimming) []int {
	all := s.shiftedBy(&t.shift)
	if t.field != "" {
		return all
	}
	return slices.DeleteFunc(all, func(i int) bool {
		d := s.at(i)
		return d.Class != harness.Reformed && (d.Was.Text != "" || d.Is.Text != "")
	})
}
