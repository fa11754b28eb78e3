package diff

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// Sizes of the comparison record by record.
const (
	streamFrom = 4 << 20  // bytes of the larger side from which a list of records is not held whole
	wholeMost  = 64 << 20 // bytes up to which records without a key are aligned in order, which needs both lists whole
	maxRecords = 1<<31 - 1
)

// streaming is the comparison of two bodies that are lists of records, without holding them. Both are read three times
// at most: for the fingerprints by which records are joined, for keys that were damaged, and for the records that differ.
type streaming struct {
	c      *comparer
	at     harness.Path // of the list
	bodies [2]harness.Message
	format [2]*payload.Records // closed; they know how documents are made of records
	key    []string            // nil when the whole record is
	join   payload.Key
	header headers
	facts  [2][]payload.Fact
	marks  [2][]payload.Mark // one every markEvery records
	rows   [2]int            // records that are expected, later those that there are
	tables bool              // both lists begin with a record of named members
}

// markEvery is how many records lie between two marks: what is read again begins at one.
const markEvery = 4096

// streamed compares two bodies record by record, when they are lists of records and one is large; else it reports false.
func (c *comparer) streamed(half string, was, is harness.Message) (done bool, err error) {
	size, at := max(was.Body.Size(), is.Body.Size()), harness.PathOf(harness.Name(half), harness.Name("body"))
	if size <= c.streamFrom || size <= wholeMost && c.rules.correlates(c.place.Operation, at) {
		return false, nil
	}
	if c.rules.correlates(c.place.Operation, at) {
		c.notes.add(unseenNote(c.place.Operation, at))
	}
	s := &streaming{c: c, at: at, bodies: [2]harness.Message{was, is}}
	samples, err := s.begin()
	if err != nil || s.format[0] == nil || s.format[1] == nil || s.format[0].Format != s.format[1].Format {
		return false, unlessWhole(err, s.most())
	}
	m, note, err := s.matched(samples)
	if err != nil || m == nil {
		return false, unlessWhole(err, s.most())
	}
	before := c.facts()
	c.shape(harness.PathOf(harness.Name(half), harness.Name("form")), s.form(0), s.form(1))
	c.columns(placeOfBody(half), s.header, s.rows[0])
	if harness.KindOfChannel(c.place.Channel).Volumes && len(samples[0]) > 0 && samples[0][0].Kind() == harness.KindObject || s.tables && s.rows[0] != s.rows[1] {
		c.records(s.at, s.rows[0], s.rows[1])
	}
	if note != "" {
		c.notes.add(note)
	}
	if err := errors.Join(s.alignRest(m), s.state(m)); err != nil {
		return false, err
	}
	switch {
	case c.facts() != before || was.Body.Digest() == is.Body.Digest():
		return true, nil
	case c.exact:
		return true, s.spelling(half)
	default:
		c.notes.add(sameMeaning)
		return true, nil
	}
}

// spelling states that the bytes differ.
func (s *streaming) spelling(half string) (err error) {
	var readers [2]*bufio.Reader
	for side, m := range s.bodies {
		r, err := m.Body.Open()
		if err != nil {
			return err
		}
		defer r.Close()
		readers[side] = bufio.NewReader(r)
	}
	offset := int64(0)
	for ; ; offset++ {
		a, errA := readers[0].ReadByte()
		b, errB := readers[1].ReadByte()
		if a != b || errA != nil || errB != nil {
			break
		}
	}
	was, is := s.bodies[0].Body, s.bodies[1].Body
	s.c.emit(placeOfBody(half).spelling(), harness.Reformed, bytesValue(was.Size(), unknownData, was.Digest(), offset), bytesValue(is.Size(), unknownData, is.Digest(), offset))
	return nil
}

func (s *streaming) most() int64 { return max(s.bodies[0].Body.Size(), s.bodies[1].Body.Size()) }

func (s *streaming) form(side int) *payload.Doc {
	return &payload.Doc{Format: s.format[side].Format, Facts: s.facts[side]}
}

// unlessWhole forgets that a source is not of its format when it can still be compared whole, as what it is instead.
func unlessWhole(err error, size int64) error {
	if _, malformed := errors.AsType[*payload.SyntaxError](err); malformed && size <= harness.MaxBodyInMemory {
		return nil
	}
	return err
}

// Sizes of a sample.
const (
	sampleRecords = 2_000
	sampleBytes   = 1 << 20
)

// begin opens both sides and reads their first records. A format stays nil when its side is no list of records.
func (s *streaming) begin() (samples [2][]payload.Node, err error) {
	var docs [2]*payload.Doc
	for side, m := range s.bodies {
		r, err := payload.RecordsOf(m)
		if err != nil || r == nil {
			return samples, err
		}
		docs[side], err = s.sample(side, r)
		if err := errors.Join(err, r.Close()); err != nil {
			return samples, err
		}
		s.format[side] = r
	}
	s.header = headersOf(docs[0], docs[1])
	s.format[1].Rename(s.header.b)
	s.tables = isTable(docs[0].Root()) && isTable(docs[1].Root())
	return [2][]payload.Node{elements(docs[0].Root()), elements(s.header.b.Root())}, nil
}

// open opens a side again.
func (s *streaming) open(side int) (*payload.Records, error) {
	r, err := payload.RecordsOf(s.bodies[side])
	if err == nil && r == nil {
		err = errors.New("the body changed while it was compared")
	}
	if err == nil && side == 1 {
		r.Rename(s.header.b)
	}
	return r, err
}

// sample reads the first records and guesses from them how many there are.
func (s *streaming) sample(side int, r *payload.Records) (*payload.Doc, error) {
	var b batch
	for len(b.bytes) < sampleBytes && len(b.ends) < sampleRecords {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		b.add(record)
	}
	s.rows[side] = 1 + int(s.bodies[side].Body.Size()*int64(len(b.ends))/int64(max(len(b.bytes), 1)))
	return r.Doc(b.records()...)
}

// errNoKey says that members do not identify the records, errNoneFound that no record has its key on the other side.
var (
	errNoKey     = errors.New("not unique, or not found on the other side")
	errNoneFound = fmt.Errorf("%w: none is", errNoKey)
)

// matched joins the records of both sides by the key of a rule, else by the first inferred one that holds for all
// records. It returns nil when there is none and the bodies are small enough to be aligned whole.
func (s *streaming) matched(samples [2][]payload.Node) (m *matching, note string, err error) {
	guide := s.c.rules.guide(s.c.place.Operation, s.at)
	where := s.c.place.Operation + " " + s.at.Pattern().String()
	switch {
	case guide != nil && guide.Compare == "keyed":
		s.use(guide.Key)
		m, err := s.matchAll(maxRecords)
		return m, alignedByRule(where, guide), err
	case guide == nil:
		place := arrayPlace{s.c.place.Operation, s.at.Pattern().String()}
		if m, err := s.matchPossible(s.possibleKeys(place, samples)); m != nil || err != nil {
			s.c.keys.chosen[place] = s.key
			return m, alignedByInference(where, s.at, s.key, 1), err
		}
	}
	if s.most() <= wholeMost {
		return nil, "", nil
	}
	s.use(nil)
	m, err = s.matchAll(maxRecords)
	return m, where + ": no members identify the records and there are too many to align them in order; equal ones were paired, the rest is removed and added", err
}

// possibleKeys are the keys that could be inferred, best first, as far as samples tell. The one that was chosen for the
// place before comes first.
func (s *streaming) possibleKeys(place arrayPlace, samples [2][]payload.Node) [][]string {
	var keys [][]string
	if key := s.c.keys.chosen[place]; key != nil {
		keys = append(keys, key)
	}
	instances := []instance{{s.at, samples[0], samples[1]}}
	for _, key := range candidateKeys(instances, s.c.rules.noiseOfKeys(place.operation, s.at)) {
		if identifies(key, instances, 0) { // samples need not hold the same records
			keys = append(keys, key)
		}
	}
	return keys
}

// matchPossible joins the records by the first key that identifies them; it returns nil when none does. Where no record has
// its key on the other side, none has it together with further members.
func (s *streaming) matchPossible(keys [][]string) (*matching, error) {
	var fruitless [][]string
	for _, key := range keys {
		if slices.ContainsFunc(fruitless, func(part []string) bool { return containsAll(key, part) }) {
			continue
		}
		m, err := s.matchInferred(key)
		switch {
		case errors.Is(err, errNoneFound):
			fruitless = append(fruitless, key)
		case !errors.Is(err, errNoKey):
			return m, err
		}
	}
	return nil, nil
}

func containsAll(list, part []string) bool {
	return !slices.ContainsFunc(part, func(name string) bool { return !slices.Contains(list, name) })
}

// matchInferred joins the records by a key that must identify them; else the error is errNoKey.
func (s *streaming) matchInferred(key []string) (*matching, error) {
	s.use(key)
	tolerated := max(s.rows[0], s.rows[1]) / 50 // an early end; what counts are the shares below
	m, err := s.matchAll(tolerated)
	if err != nil {
		return nil, err
	}
	if m.counts.found == 0 {
		return nil, errNoneFound
	}
	for side, distinct := range m.counts.distinct {
		if float64(distinct) < minUnique*float64(s.rows[side]) {
			return nil, errNoKey
		}
	}
	if float64(m.counts.found) < overlapOf(key)*float64(min(s.rows[0], s.rows[1])) {
		return nil, errNoKey
	}
	return m, nil
}

func (s *streaming) use(key []string) {
	s.key, s.join = key, payload.Key{}
	for _, name := range key {
		s.join.Members = append(s.join.Members, memberPath(name))
	}
}

// countStream counts the records of a large body; table is false when they are no rows.
func (c *comparer) countStream(m harness.Message) (n int, table bool, err error) {
	if m.Body.Size() <= c.streamFrom {
		return 0, false, nil
	}
	r, err := payload.RecordsOf(m)
	if err != nil || r == nil {
		return 0, false, err
	}
	defer r.Close()
	for {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			return r.N(), table, nil
		}
		if err != nil {
			return 0, false, unlessWhole(err, m.Body.Size())
		}
		if r.N() == 1 {
			first, err := r.Node(record)
			if err != nil {
				return 0, false, err
			}
			table = first.Kind() == harness.KindObject
		}
	}
}

// batch is some records, copied.
type batch struct {
	bytes []byte
	ends  []int
}

func (b *batch) add(record []byte) {
	b.bytes = append(b.bytes, record...)
	b.ends = append(b.ends, len(b.bytes))
}

func (b *batch) records() [][]byte {
	list, from := make([][]byte, len(b.ends)), 0
	for i, end := range b.ends {
		list[i], from = b.bytes[from:end], end
	}
	return list
}

func (b *batch) reset() { b.bytes, b.ends = b.bytes[:0], b.ends[:0] }

// Notes about how records were aligned.
const sameMeaning = "bodies that differ in white space, member order or escapes only, which carry no meaning: %d"

func repeatedNote(operation string, at harness.Path, repeated int) string {
	return fmt.Sprintf("%s %s: %s under a key that stands more than once; they were paired by likeness, then in order", operation, at.Pattern(), harness.Count(repeated, "record"))
}

func alignedByRule(where string, guide *compiledRule) string {
	return fmt.Sprintf("%s: records aligned by %s (rule: %s)", where, strings.Join(guide.Key, ", "), guide.Reason)
}

func alignedByInference(where string, at harness.Path, key []string, lists int) string {
	over := ""
	if lists > 1 {
		over = fmt.Sprintf(", over %d lists", lists)
	}
	return fmt.Sprintf("%s: records aligned by %s (inferred: unique on both sides%s; pin with %s)", where, strings.Join(key, ", "), over, pinOf(at, key))
}
