package explain

import (
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// Bounds of what lineage looks at.
const (
	maxSetRows   = 2000 // records of one place
	maxSetFields = 64   // fields of one record
	maxKeyFields = 8    // fields of which a key is made
)

// recordSet is the records of one place in the messages of a slot: the elements of an array, or the message itself.
type recordSet struct {
	slot   slot
	table  harness.Path // pattern of the record
	fields []harness.Path
	known  map[string]bool // names of the fields
	rows   []recordSetRow
}

// recordSetRow is one record: the texts of its scalar fields by pattern.
type recordSetRow struct {
	session string
	texts   map[string]string
}

// recordSetsOf reads the records in one half of the exchanges of a slot of the baseline, in order; the messages are those of
// the request or of the response.
func (s *state) recordSetsOf(k slot, half string) []*recordSet {
	key := place{k, half}
	if list, known := s.recordSets[key]; known {
		return list
	}
	b := recordSetBuilder{slot: k, byTable: map[string]*recordSet{}}
	for _, x := range s.before.bySlot[k] {
		r := s.read(x)
		err := r.leaves(half, func(p harness.Path, n payload.Node) bool {
			if n.IsScalar() && n.Kind() != harness.KindNull {
				b.add(x.Session, harness.PathOf(harness.Name(half), harness.Name("body")), p, n)
			}
			return len(b.opened) <= maxSetRows
		})
		if err != nil {
			s.note(err)
			break
		}
		if b.flush(); b.rows > maxSetRows {
			break
		}
	}
	if s.recordSets == nil {
		s.recordSets = map[place][]*recordSet{}
	}
	s.recordSets[key] = b.order
	return b.order
}

// leaves yields the leaves of a body as payload.Node.Leaves does, until yield says that it is enough.
func (r *reader) leaves(half string, yield func(harness.Path, payload.Node) bool) error {
	l, err := r.list(half)
	if err != nil {
		return err
	}
	if l == nil {
		doc, err := r.doc(half)
		if err != nil {
			return err
		}
		doc.Root().Leaves()(yield)
		return nil
	}
	i, path := 0, make(harness.Path, 1, 16)
	for n, err := range l.records() {
		if err != nil {
			return err
		}
		path[0] = harness.Index(i)
		for p, leaf := range n.Leaves() {
			if path = append(path[:1], p...); !yield(path, leaf) {
				return nil
			}
		}
		i++
	}
	return nil
}

type recordSetBuilder struct {
	slot    slot
	byTable map[string]*recordSet
	order   []*recordSet
	rows    int
	// of the message at work
	open   map[string]*recordSetRow // concrete path of the record → the record
	tables map[string]*recordSet
	opened []string
}

// add puts a leaf into its record.
func (b *recordSetBuilder) add(session string, root, leaf harness.Path, n payload.Node) {
	last := -1
	for i, step := range leaf {
		if step.Kind == harness.StepIndex {
			last = i
		}
	}
	if last == len(leaf)-1 && last >= 0 {
		return // an element of a list of plain values is no field of a record
	}
	record := leaf[:last+1].String()
	if b.open == nil {
		b.open, b.tables = map[string]*recordSetRow{}, map[string]*recordSet{}
	}
	row := b.open[record]
	if row == nil {
		row = &recordSetRow{session: session, texts: map[string]string{}}
		b.open[record], b.tables[record] = row, b.recordSet(append(root[:2:2], leaf[:last+1].Pattern()...))
		b.opened = append(b.opened, record)
	}
	at := append(root[:2:2], leaf.Pattern()...)
	name := at.String()
	if _, twice := row.texts[name]; twice || len(row.texts) >= maxSetFields {
		return // a member that is repeated is no field of its own
	}
	row.texts[name] = n.Text()
	if sh := b.tables[record]; !sh.known[name] {
		sh.known[name] = true
		sh.fields = append(sh.fields, slices.Clone(at))
	}
}

func (b *recordSetBuilder) recordSet(table harness.Path) *recordSet {
	name := table.String()
	if b.byTable[name] == nil {
		b.byTable[name] = &recordSet{slot: b.slot, table: slices.Clone(table), known: map[string]bool{}}
		b.order = append(b.order, b.byTable[name])
	}
	return b.byTable[name]
}

// flush ends a message.
func (b *recordSetBuilder) flush() {
	for _, record := range b.opened {
		sh := b.tables[record]
		sh.rows = append(sh.rows, *b.open[record])
		b.rows++
	}
	b.open, b.tables, b.opened = nil, nil, nil
}

// fed is two records that belong together.
type fed struct{ from, to *recordSetRow }

// join finds the records of other that were made of those of the set: one of each in every session, or those that hold
// the values of a key. Records that several others could belong to are left out; nothing is joined when half of them are.
func (sh *recordSet) join(other *recordSet) []fed {
	if pairs, ok := sh.joinBySession(other); ok {
		return pairs
	}
	words := other.words()
	for _, key := range sh.keys() {
		var pairs []fed
		for i := range sh.rows {
			if n := words.only(&sh.rows[i], key); n >= 0 {
				pairs = append(pairs, fed{&sh.rows[i], &other.rows[n]})
			}
		}
		if 2*len(pairs) >= len(sh.rows) && len(pairs) >= minJoined {
			return pairs
		}
	}
	return nil
}

// joinBySession pairs the records of sessions with one of each. ok is false when sessions have several.
func (sh *recordSet) joinBySession(other *recordSet) (pairs []fed, ok bool) {
	single := func(rows []recordSetRow) map[string]*recordSetRow {
		of := map[string]*recordSetRow{}
		for i := range rows {
			if _, twice := of[rows[i].session]; twice || rows[i].session == "" {
				return nil
			}
			of[rows[i].session] = &rows[i]
		}
		return of
	}
	from, to := single(sh.rows), single(other.rows)
	if from == nil || to == nil {
		return nil, false
	}
	for i := range sh.rows {
		if o := to[sh.rows[i].session]; o != nil {
			pairs = append(pairs, fed{&sh.rows[i], o})
		}
	}
	return pairs, true
}

// keys is the sets of one to three fields by which every record can be told, fewest fields first.
func (sh *recordSet) keys() [][]string {
	names := sh.telling()
	var keys [][]string
	for i := range names {
		if sh.isKey(names[i : i+1]) {
			keys = append(keys, names[i:i+1])
		}
	}
	for i := range names {
		for j := i + 1; j < len(names) && len(keys) == 0; j++ {
			if pair := []string{names[i], names[j]}; sh.isKey(pair) {
				keys = append(keys, pair)
			}
		}
	}
	return keys
}

// telling is the fields with the most different values.
func (sh *recordSet) telling() []string {
	type field struct {
		name string
		n    int
	}
	var fields []field
	for _, p := range sh.fields {
		values, name := map[string]bool{}, p.String()
		for i := range sh.rows {
			if text := sh.rows[i].texts[name]; len(text) >= 2 {
				values[text] = true
			}
		}
		fields = append(fields, field{name, len(values)})
	}
	slices.SortStableFunc(fields, func(a, b field) int { return b.n - a.n })
	var names []string
	for _, f := range fields[:min(len(fields), maxKeyFields)] {
		names = append(names, f.name)
	}
	return names
}

func (sh *recordSet) isKey(names []string) bool {
	seen := map[string]bool{}
	for i := range sh.rows {
		key := sh.rows[i].session
		for _, name := range names {
			text := sh.rows[i].texts[name]
			if len(text) < 2 {
				return false
			}
			key += "\x00" + text
		}
		if seen[key] {
			return false
		}
		seen[key] = true
	}
	return len(sh.rows) > 1
}

// recordSetWords finds records by the words of their values.
type recordSetWords map[outputWord][]int

func (sh *recordSet) words() recordSetWords {
	index := recordSetWords{}
	for n := range sh.rows {
		var fields []harness.Field
		for _, text := range sh.rows[n].texts {
			fields = append(fields, harness.Field{Value: text})
		}
		for _, w := range wordsOf(fields) {
			k := outputWord{sh.rows[n].session, w}
			index[k] = append(index[k], n)
		}
	}
	return index
}

// only is the one record with all values of the key among its words, -1 when there is none or more than one.
func (w recordSetWords) only(row *recordSetRow, key []string) int {
	counts := map[int]int{}
	for _, name := range key {
		for _, n := range w[outputWord{row.session, row.texts[name]}] {
			counts[n]++
		}
	}
	found := -1
	for n, c := range counts {
		if c < len(key) {
			continue
		}
		if found >= 0 {
			return -1
		}
		found = n
	}
	return found
}

// hasWord reports whether the text holds the other one as a word.
func hasWord(text, word string) bool {
	return len(word) >= 2 && strings.Contains(text, word) && slices.Contains(wordsOf([]harness.Field{{Value: text}}), word)
}
