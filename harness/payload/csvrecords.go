package payload

import (
	"bytes"
	"io"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

// csvRecords cuts a table into its rows; the header is read when the stream is opened.
type csvRecords struct {
	csvCounts
	delimiter byte
	mark      bool
	header    []byte
	names     []string
	encoding  encodingTally
	newline   bool // what was read last is a line end

	key     *Key // the one that columns belong to
	columns []int
}

func (c *csvRecords) open(rest []byte, last bool) (used int, err error) {
	mark := lengthOfBOM(rest)
	c.delimiter, c.mark = delimiterOf(rest), mark > 0
	from, to, used, err := c.cut(rest[mark:], last)
	switch {
	case err == io.EOF: //nolint:errorlint // cut returns it as it is
		return mark + used, nil
	case err != nil:
		return 0, err
	}
	c.encoding.add(rest[:mark])
	c.header = bytes.Clone(rest[mark+from : mark+to])
	c.names = columnsOf(c.header, c.delimiter)
	c.rows, c.ragged = 0, 0
	return mark + used, nil
}

func (c *csvRecords) rename(d *Doc) { c.header, c.names, c.key = d.shared, d.Columns(), nil }

func (c *csvRecords) resume() {}

func (c *csvRecords) cut(rest []byte, last bool) (from, to, used int, err error) {
	counts := c.csvCounts
	at := 0
	for at < len(rest) {
		n := lineEndLength(rest[at:])
		if n == 0 {
			break
		}
		if !last && at+n == len(rest) && rest[at] == '\r' {
			return 0, 0, 0, errShort
		}
		counts.lineEnd(rest[at:])
		counts.blank++
		at += n
	}
	if at == len(rest) && !last {
		return 0, 0, 0, errShort
	}
	if at == len(rest) {
		c.done(counts, rest)
		return at, at, at, io.EOF
	}
	to, cells, err := c.row(rest, at, last, &counts)
	if err != nil {
		return 0, 0, 0, err
	}
	end := lineEndLength(rest[to:])
	if !last && (to+end == len(rest) && (end == 0 || rest[to] == '\r')) {
		return 0, 0, 0, errShort
	}
	if end > 0 {
		counts.lineEnd(rest[to:])
	}
	counts.rows++
	if cells != len(c.names) {
		counts.ragged++
	}
	counts.cells += cells
	c.encoding.add(rest[at:to])
	c.done(counts, rest[:to+end])
	return at, to, to + end, nil
}

// row finds the end of the row that begins at a place.
func (c *csvRecords) row(rest []byte, at int, last bool, counts *csvCounts) (to, cells int, err error) {
	line := rest[at:]
	if end := bytes.IndexByte(line, '\n'); end >= 0 {
		line = line[:end]
	} else if !last {
		return 0, 0, errShort
	}
	if bytes.IndexByte(line, '"') < 0 {
		if end := bytes.IndexByte(line, '\r'); end >= 0 {
			line = line[:end]
		}
		return at + len(line), 1 + bytes.Count(line, []byte{c.delimiter}), nil
	}
	p := newCSVParser(rest, at, c.delimiter)
	for {
		if err := p.cell(); err != nil && !last {
			return 0, 0, errShort
		} else if err != nil {
			return 0, 0, err
		}
		if p.i == len(rest) || rest[p.i] != c.delimiter {
			break
		}
		p.i++
	}
	counts.quoted += p.quoted
	counts.bare += p.bare
	return p.i, p.cells, nil
}

// done takes over what was counted up to the end of the bytes that were read.
func (c *csvRecords) done(counts csvCounts, read []byte) {
	c.csvCounts = counts
	if n := len(read); n > 0 {
		c.newline = read[n-1] == '\n' || read[n-1] == '\r'
	}
}

// lineEndLength is the length of the line end at the start of b, 0 when there is none.
func lineEndLength(b []byte) int {
	switch {
	case len(b) > 1 && b[0] == '\r' && b[1] == '\n':
		return 2
	case len(b) > 0 && (b[0] == '\n' || b[0] == '\r'):
		return 1
	default:
		return 0
	}
}

// lineEnd counts the line end at the start of b.
func (n *csvCounts) lineEnd(b []byte) {
	switch {
	case b[0] == '\n':
		n.lf++
	case lineEndLength(b) == 2:
		n.crlf++
	default:
		n.cr++
	}
}

// cellEnd is where the cell ends that begins at i.
func (c *csvRecords) cellEnd(row []byte, i int) int {
	if i < len(row) && row[i] == '"' {
		p := newCSVParser(row, i, c.delimiter)
		if p.cell() != nil {
			return len(row)
		}
		return p.i
	}
	if n := bytes.IndexByte(row[i:], c.delimiter); n >= 0 {
		return i + n
	}
	return len(row)
}

func (c *csvRecords) appendKey(dst, row []byte, k *Key) ([]byte, bool) {
	c.find(k)
	for _, column := range c.columns {
		start := 0
		for ; column > 0; column-- {
			if start = c.cellEnd(row, start) + 1; start > len(row) {
				return dst, false
			}
		}
		if column < 0 {
			return dst, false
		}
		cell := row[start:c.cellEnd(row, start)]
		if k.Fold == nil && (len(cell) == 0 || cell[0] != '"') {
			dst = append(append(dst, cell...), 0)
			continue
		}
		dst = appendKeyText(dst, csvSyntax{}.decode(cell, nil), k.Fold)
	}
	return dst, true
}

// find looks up the columns of a key; -1 is one that the header lacks.
func (c *csvRecords) find(k *Key) {
	if c.key == k {
		return
	}
	c.key, c.columns = k, nil
	for _, path := range k.Members {
		column := -1
		if len(path) == 1 && path[0].Kind == harness.StepName {
			column = slices.Index(c.names, path[0].Name)
		}
		c.columns = append(c.columns, column)
	}
}

func (c *csvRecords) node(row []byte) (Node, error) { return onlyRecord(c.document([][]byte{row})) }

func (c *csvRecords) document(rows [][]byte) (*Doc, error) {
	size := len(c.header) + 1
	for _, row := range rows {
		size += len(row) + 1
	}
	text := append(append(make([]byte, 0, size), c.header...), '\n')
	for _, row := range rows {
		text = append(append(text, row...), '\n')
	}
	return ParseCSV(text)
}

// onlyRecord is the one record of a document that has no other.
func onlyRecord(doc *Doc, err error) (Node, error) {
	if err != nil {
		return Node{}, err
	}
	return doc.Root().Element(0), nil
}

func (c *csvRecords) shared() []byte { return c.header }

func (c *csvRecords) facts() []Fact {
	encoding, _ := c.encoding.name()
	newline := "no"
	if c.newline {
		newline = "yes"
	}
	return c.csvCounts.facts(csvWhole{c.delimiter, newline, c.mark, encoding, c.header})
}
