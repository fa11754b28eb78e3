package explain

import (
	"bytes"
	"fmt"

	"github.com/rehearse-dev/rehearse/harness"
)

// minCutShare is the part of a file, in bytes, that must be missing when it ends cleanly: the last record of a file may
// have gone for any reason.
const minCutShare = 0.1

// detectCut claims files that end too early: empty ones, those that end within a record, and those that are the beginning
// of the recorded file and no more. It goes before what explains single values, which are damaged at the cut.
func detectCut(s *state) {
	done := map[half]bool{}
	for _, sent := range []bool{false, true} { // what comes in first: it is why what is sent ends too early
		for _, i := range s.unclaimed(isFileBody) {
			d := s.at(i)
			h := half{d.Exchange, d.Path[0].Name}
			if done[h] || !s.open[i] || s.downstream(d) != sent {
				continue
			}
			done[h] = true
			if how := s.howCut(d); how != "" {
				s.claimCut(d, how)
			}
		}
	}
}

func isFileBody(d *harness.Difference) bool {
	return d.Channel == harness.ChannelFile && len(d.Path) > 1 && (d.Path[1].Name == "form" || d.Path[1].Name == "body")
}

// howCut says how the file of the difference ends too early, or nothing.
func (s *state) howCut(d *harness.Difference) string {
	was, is, err := s.bodiesOf(d)
	switch {
	case err != nil:
		s.note(err)
		return ""
	case len(was) == 0 || len(is) >= len(was):
		return ""
	case len(is) == 0:
		return fmt.Sprintf("is empty: 0 bytes instead of %d", len(was))
	case endsWithin(was, is):
		return fmt.Sprintf("ends within a record, after %d bytes; the recorded one has %d", len(is), len(was))
	case s.hasNoRecords(d): // a header alone is whole; how many records went is for the guard against mass changes
		return ""
	case bytes.HasPrefix(was, is) && float64(len(was)-len(is)) >= minCutShare*float64(len(was)):
		return fmt.Sprintf("is the beginning of the recorded file and no more: %d of %d bytes, the same to the last", len(is), len(was))
	}
	return ""
}

// hasNoRecords reports whether the table of the file has no records any more.
func (s *state) hasNoRecords(d *harness.Difference) bool {
	for _, r := range s.Comparison.Records {
		if r.Session == d.Session && r.Operation == d.Operation && r.From == d.From && r.To == d.To && r.Is == 0 {
			return true
		}
	}
	return false
}

// maxCut is the largest file that is looked at, in bytes.
const maxCut = 64 << 20

// bodiesOf reads the file on both sides; nothing when there is no partner or it is too large.
func (s *state) bodiesOf(d *harness.Difference) (was, is []byte, err error) {
	old, known := s.before.byID[d.Exchange]
	if !known {
		return nil, nil, nil
	}
	for _, x := range s.after.bySlot[slotOf(d)] {
		if x.Session != d.Session {
			continue
		}
		a, b := messageOf(old, d).Body, messageOf(x, d).Body
		if a.Size() > maxCut || b.Size() > maxCut {
			return nil, nil, nil
		}
		if was, err = a.Bytes(); err != nil {
			return nil, nil, err
		}
		is, err = b.Bytes()
		return was, is, err
	}
	return nil, nil, nil
}

// endsWithin reports whether the last line has lost its end: its line end is gone, and it is the beginning of the line
// that begins like it in the recorded file, or shorter than lines that are all of one length.
func endsWithin(was, is []byte) bool {
	if !bytes.HasSuffix(was, []byte("\n")) || bytes.HasSuffix(is, []byte("\n")) {
		return false
	}
	if bytes.HasPrefix(was, is) {
		rest := was[len(is):]
		return rest[0] != '\n' && rest[0] != '\r' // otherwise the record is whole, and only its line end is gone
	}
	last := is[bytes.LastIndexByte(is, '\n')+1:]
	length := -1
	for line := range bytes.Lines(was) {
		if line = bytes.TrimRight(line, "\r\n"); length >= 0 && len(line) != length {
			return len(last) > 0 && !bytes.Contains(was, append(bytes.Clone(last), '\n')) && bytes.Contains(was, append([]byte{'\n'}, last...))
		}
		length = len(bytes.TrimRight(line, "\r\n"))
	}
	return len(last) < length
}

func (s *state) claimCut(d *harness.Difference, how string) {
	first := *d
	list := s.take(s.fileOf(d))
	var lost []int
	for _, i := range list {
		if isRecord(s.at(i)) && s.at(i).Class == harness.Removed {
			lost = append(lost, i)
		}
	}
	f := harness.Finding{Count: 1, Unit: "files", Source: answerer(&first) + ": " + first.Operation}
	if len(lost) > 0 {
		f = s.sized(lost)
		f.Hit = s.hits(lost)
		f.Effects = append(f.Effects, s.lossSentence(lost))
	}
	f.Sentence = fmt.Sprintf("%s from %s %s.", first.Operation, s.side(answerer(&first)), how)
	f.NextStep = fmt.Sprintf("Do not import the file. Ask %s for a whole one, and let the transfer prove its size.", s.side(answerer(&first)))
	list = append(list, s.copies(&first, &f)...)
	c := s.lostWith(lost, func(*harness.Difference) bool { return true })
	c.join(s.consequences(list))
	c.addTo(&f)
	s.claim(f, append(list, c.list...))
}

// fileOf is the open differences of form and body in the message.
func (s *state) fileOf(d *harness.Difference) []int {
	return s.unclaimed(func(o *harness.Difference) bool {
		return o.Exchange == d.Exchange && o.Path[0].Name == d.Path[0].Name && isFileBody(o)
	})
}

// copies claims what the target hands on in the same session and that ends too early in a way of its own: an empty input
// makes an empty output.
func (s *state) copies(d *harness.Difference, f *harness.Finding) []int {
	var list []int
	if s.downstream(d) {
		return nil
	}
	for _, i := range s.unclaimed(func(o *harness.Difference) bool { return isFileBody(o) && o.Session == d.Session && s.downstream(o) }) {
		o := s.at(i)
		if !s.open[i] {
			continue
		}
		how := s.howCut(o)
		if how == "" {
			continue
		}
		f.Effects = append(f.Effects, fmt.Sprintf("%s to %s follows: it %s.", o.Operation, s.side(receiver(o)), how))
		f.Target = append(f.Target, receiver(o)+": "+o.Operation)
		list = append(list, s.take(s.fileOf(o))...)
	}
	return list
}
