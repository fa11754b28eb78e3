package diff

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// Sizes of the comparison of tables that do not fit into memory. A table above bigTable bytes on either side is split
// by the key of its rows into parts, on disk in a folder of its own; each pair of parts is compared in memory. The
// memory is that of one pair, about ten times the size of a part; a part grows only beyond maxParts.
const (
	bigTable   = 64 << 20 // bytes
	partsOfBig = 16       // parts of a table of that size
	maxParts   = 512
)

// sampleRows is how many rows of each side decide about the key when no rule names one.
const sampleRows = 20_000

// isBigTable reports whether the bodies are tables of which one is too large to be read at once.
func (c *comparer) isBigTable(was, is harness.Message) (bool, error) {
	if max(was.Body.Size(), is.Body.Size()) <= c.bigTable || was.Head.Has("Content-Encoding") || is.Head.Has("Content-Encoding") {
		return false, nil
	}
	for _, m := range []harness.Message{was, is} {
		head, err := headOf(m.Body)
		if err != nil {
			return false, err
		}
		if payload.FormatOf(m.Media, m.Head.Get(harness.FieldName), head).Name != "csv" {
			return false, nil
		}
	}
	return true, nil
}

// headOf reads the beginning of a body: as much as formats are told apart by.
func headOf(b harness.Body) ([]byte, error) {
	const enough = 64 << 10
	r, err := b.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, enough))
}

// bigTables compares two tables by parts.
func (c *comparer) bigTables(at harness.Path, was, is harness.Message) (err error) {
	dir, err := os.MkdirTemp("", "rehearse-table-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := c.bigShape(at, was.Body, is.Body); err != nil {
		return err
	}
	guide := c.rules.guide(c.place.Operation, at)
	key, err := c.bigKey(at, guide, was.Body, is.Body)
	if err != nil {
		return err
	}
	parts := int(min(maxParts, 1+max(was.Body.Size(), is.Body.Size())/max(1, c.bigTable/partsOfBig)))
	sides, err := splitBoth(dir, was.Body, is.Body, key, parts)
	if err != nil {
		return fmt.Errorf("split table: %w", err)
	}
	before := len(c.out.Differences)
	for part := range parts {
		if err := c.part(at, key, sides, part); err != nil {
			return err
		}
	}
	c.merge(before)
	c.out.Records = append(c.out.Records, harness.RecordCount{
		Session: c.place.Session, Operation: c.place.Operation, From: c.place.From, To: c.place.To, Path: at, Was: sides[0].rows, Is: sides[1].rows,
	})
	c.notes.add(fmt.Sprintf("%s %s: compared in %d parts by key, because it does not fit into memory; dialect and order are compared within parts", c.place.Operation, at.Pattern(), parts))
	return nil
}

// bigShape compares the dialect of the first rows.
func (c *comparer) bigShape(at harness.Path, was, is harness.Body) error {
	docs := make([]*payload.Doc, 2)
	for i, b := range []harness.Body{was, is} {
		head, err := headOf(b)
		if err != nil {
			return err
		}
		if end := bytes.LastIndexByte(head, '\n'); end >= 0 {
			head = head[:end+1]
		}
		if docs[i], err = payload.ParseCSV(head); err != nil {
			return err
		}
	}
	c.shape(harness.PathOf(at[0], harness.Name("form")), docs[0], docs[1])
	return nil
}

// bigKey decides which columns identify the rows: those of a rule, else inferred from the first rows of both sides.
func (c *comparer) bigKey(at harness.Path, guide *compiledRule, was, is harness.Body) ([]string, error) {
	samples := make([][]payload.Node, 2)
	for i, b := range []harness.Body{was, is} {
		doc, err := sampleOf(b)
		if err != nil {
			return nil, err
		}
		samples[i] = elements(doc.Root())
	}
	return c.keyOf(at, guide, samples[0], samples[1], 0), nil
}

// sampleOf reads the first rows of a table as a document.
func sampleOf(b harness.Body) (*payload.Doc, error) {
	r, err := b.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	rows, err := payload.NewRows(r)
	if err != nil {
		return nil, err
	}
	text := append(bytes.Clone(rows.Header), '\n')
	for range sampleRows {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		text = append(append(text, row...), '\n')
	}
	return payload.ParseCSV(text)
}

// split is a table in parts on disk.
type split struct {
	dir    string
	header []byte
	rows   int
}

// splitBoth splits both tables at the same time.
func splitBoth(dir string, was, is harness.Body, key []string, parts int) (sides [2]*split, err error) {
	var wg sync.WaitGroup
	var errs [2]error
	for i, b := range []harness.Body{was, is} {
		wg.Go(func() { sides[i], errs[i] = splitTable(filepath.Join(dir, fmt.Sprint(i)), b, key, parts) })
	}
	wg.Wait()
	return sides, errors.Join(errs[:]...)
}

// splitTable writes each row to the part that its folded key names, so that a row whose key was damaged meets its old
// self. Without a key the whole row decides.
func splitTable(dir string, b harness.Body, key []string, parts int) (s *split, err error) {
	r, err := b.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	rows, err := payload.NewRows(r)
	if err != nil {
		return nil, err
	}
	w, err := newPartWriters(dir, parts)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	s = &split{dir: dir, header: rows.Header}
	columns := columnsOf(rows.Cells(rows.Header), key)
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return s, nil
		}
		if err != nil {
			return nil, err
		}
		s.rows++
		if err := w.put(partOf(rows, row, columns, parts), row); err != nil {
			return nil, err
		}
	}
}

// keyColumns is where the key's columns stand in one table, in rising order.
type keyColumns struct {
	at    []int
	names []string
}

// columnsOf finds the key's columns; one that the header lacks is left out.
func columnsOf(header, key []string) keyColumns {
	var columns keyColumns
	for i, name := range header {
		if slices.Contains(key, name) {
			columns.at, columns.names = append(columns.at, i), append(columns.names, name)
		}
	}
	return columns
}

// partOf names the part of a row by its folded key, whatever the order of the columns.
func partOf(rows *payload.Rows, row []byte, columns keyColumns, parts int) int {
	sum, h := uint64(0), fnv.New64a()
	add := func(salt string, text []byte) {
		h.Reset()
		io.WriteString(h, salt) //nolint:errcheck // a hash never fails
		h.Write(text)           //nolint:errcheck // a hash never fails
		sum += h.Sum64()
	}
	if len(columns.at) == 0 {
		add("", row)
	}
	n := 0
	rows.Pick(row, columns.at, func(cell string) {
		add(columns.names[n]+"\x00", []byte(FoldKey(cell)))
		n++
	})
	return int(sum % uint64(parts))
}

// partWriters are the files of a split that is being written.
type partWriters struct {
	files   []*os.File
	buffers []*bufio.Writer
}

func newPartWriters(dir string, parts int) (*partWriters, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	w := &partWriters{}
	for i := range parts {
		f, err := os.OpenFile(partName(dir, i), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, errors.Join(err, w.close())
		}
		const buffer = 32 << 10
		w.files, w.buffers = append(w.files, f), append(w.buffers, bufio.NewWriterSize(f, buffer))
	}
	return w, nil
}

func partName(dir string, i int) string { return filepath.Join(dir, fmt.Sprintf("%04d", i)) }

func (w *partWriters) put(part int, row []byte) error {
	if _, err := w.buffers[part].Write(row); err != nil {
		return err
	}
	return w.buffers[part].WriteByte('\n')
}

func (w *partWriters) close() error {
	var errs []error
	for i, f := range w.files {
		errs = append(errs, w.buffers[i].Flush(), f.Close())
	}
	return errors.Join(errs...)
}

// part compares one pair of parts.
func (c *comparer) part(at harness.Path, key []string, sides [2]*split, i int) error {
	var docs [2]*payload.Doc
	for n, s := range sides {
		text, err := os.ReadFile(partName(s.dir, i))
		if err != nil {
			return err
		}
		if docs[n], err = payload.ParseCSV(slices.Concat(s.header, []byte{'\n'}, text)); err != nil {
			return err
		}
	}
	was, is := elements(docs[0].Root()), elements(docs[1].Root())
	if len(was)+len(is) == 0 || payload.SameSource(docs[0].Root(), docs[1].Root()) {
		return nil
	}
	before := len(c.out.Differences)
	if key != nil {
		c.keyed(at, key, was, is)
	} else {
		c.set(at, was, is)
	}
	c.collapse(at, before, min(len(was), len(is)))
	return nil
}

// merge joins what each part states about the whole table: columns that came or went, and records that moved.
func (c *comparer) merge(from int) {
	fresh := c.out.Differences[from:]
	kept := fresh[:0]
	place := map[string]int{}
	for _, d := range fresh {
		whole := d.Class == harness.Moved || d.Record == "" && (d.Class == harness.Added || d.Class == harness.Removed)
		key := string(d.Class) + " " + d.Path.String()
		if i, ok := place[key]; ok && whole {
			kept[i].Count += d.Count
			continue
		}
		if whole {
			place[key] = len(kept)
		}
		kept = append(kept, d)
	}
	c.out.Differences = c.out.Differences[:from+len(kept)]
	slices.SortStableFunc(kept, func(a, b harness.Difference) int { return cmp.Compare(a.Path.String(), b.Path.String()) })
	for i := range kept {
		if d := &kept[i]; d.Class == harness.Moved {
			d.Was.Text, d.Is.Text = "records in order", fmt.Sprintf("%d of them in another place", d.Count)
		}
	}
}
