package payload

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
)

// MaxRow is the most that one row of a streamed table may hold, in bytes.
const MaxRow = 16 << 20

// Rows reads a table row by row, for tables that do not fit into memory. Rows keep their bytes; line ends between rows
// are left out, those within quotes are kept. It reads the dialects that ParseCSV reads.
type Rows struct {
	Header []byte // the first row, as written
	r      *bufio.Reader
	delim  byte
	row    []byte
	offset int64
}

// NewRows reads the header. A source without any row has an empty header.
func NewRows(r io.Reader) (*Rows, error) {
	const ahead = 64 << 10
	rows := &Rows{r: bufio.NewReaderSize(r, 256<<10)}
	head, err := rows.r.Peek(ahead)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if bytes.HasPrefix(head, []byte(utf8BOM)) {
		rows.r.Discard(len(utf8BOM)) //nolint:errcheck // it was peeked
		head = head[len(utf8BOM):]
	}
	rows.delim = delimiterOf(head)
	header, err := rows.Next()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	rows.Header = bytes.Clone(header)
	return rows, nil
}

// Next returns the next row that is not blank; it is valid until the next call. The error is io.EOF at the end.
func (rows *Rows) Next() ([]byte, error) {
	for {
		row, err := rows.line()
		if len(row) > 0 || err != nil {
			return row, err
		}
	}
}

// line reads up to a line end outside of quotes.
func (rows *Rows) line() ([]byte, error) {
	rows.row = rows.row[:0]
	start, atStart, quoted, quotedCell := rows.offset, true, false, false
	for {
		c, err := rows.r.ReadByte()
		if err != nil {
			return rows.end(err, quoted, start)
		}
		rows.offset++
		switch {
		case quoted:
			quoted = c != '"'
		case c == '"':
			quotedCell = quotedCell || atStart
			quoted = atStart || quotedCell && rows.row[len(rows.row)-1] == '"'
		case c == '\r':
			if next, _ := rows.r.Peek(1); len(next) == 1 && next[0] == '\n' {
				rows.r.Discard(1) //nolint:errcheck // it was peeked
				rows.offset++
			}
			return rows.row, nil
		case c == '\n':
			return rows.row, nil
		}
		if atStart = !quoted && c == rows.delim; atStart {
			quotedCell = false
		}
		if rows.row = append(rows.row, c); len(rows.row) > MaxRow {
			return nil, fmt.Errorf("read table at byte %d: row is longer than %d bytes", start, MaxRow)
		}
	}
}

func (rows *Rows) end(err error, quoted bool, start int64) ([]byte, error) {
	switch {
	case !errors.Is(err, io.EOF):
		return nil, err
	case quoted:
		return nil, fmt.Errorf("read table at byte %d: quote is never closed", start)
	case len(rows.row) == 0:
		return nil, io.EOF
	default:
		return rows.row, nil
	}
}

// Cells splits a raw row of the table into its decoded cells.
func (rows *Rows) Cells(row []byte) []string {
	var cells []string
	for _, cell := range rows.each(row) {
		cells = append(cells, csvSyntax{delimiter: rows.delim}.decode(cell))
	}
	return cells
}

// Pick calls use with the decoded cells of the columns, counted from 0 and in rising order; columns that the row lacks
// are left out.
func (rows *Rows) Pick(row []byte, columns []int, use func(cell string)) {
	for i, cell := range rows.each(row) {
		if len(columns) == 0 {
			return
		}
		if i == columns[0] {
			use(csvSyntax{delimiter: rows.delim}.decode(cell))
			columns = columns[1:]
		}
	}
}

// each yields the raw cells of a row.
func (rows *Rows) each(row []byte) iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		p := csvParser{s: row, delimiter: rows.delim}
		for i := 0; ; i++ {
			start := p.i
			if p.cell() != nil {
				p.i = len(row)
			}
			if !yield(i, row[start:p.i]) || p.i >= len(row) || row[p.i] != rows.delim {
				return
			}
			p.i++
		}
	}
}
