package payload

import (
	"bytes"
	"strconv"
	"strings"
)

// ParseCSV reads a table: an array of objects whose member names are the cells of the first row. Delimiter, line ends,
// byte order mark, quoting, blank lines and rows of another width are facts. A quote inside an unquoted cell is part
// of the cell; a quote that is never closed is an error. UTF-16 is read as a view.
func ParseCSV(source []byte) (*Doc, error) {
	if len(source) > MaxSize {
		return nil, syntaxError("csv", source, MaxSize, "larger than %d bytes", MaxSize)
	}
	if cs := utf16Of(source); cs != nil {
		return parseView("csv", cs, source, ParseCSV)
	}
	p := newCSVParser(source, 0, delimiterOf(source))
	if bytes.HasPrefix(source, []byte(utf8BOM)) {
		p.i = len(utf8BOM)
	}
	if err := p.parse(); err != nil {
		return nil, err
	}
	doc := &Doc{Format: "csv", Source: source, nodes: p.nodes, syntax: csvSyntax{p.delimiter, len(p.header) == 1 || p.ragged > 0}}
	if p.header != nil {
		doc.shared = source[p.header[0][0]:p.header[len(p.header)-1][1]]
	}
	encoding, _ := Encoding(source)
	doc.Facts = p.facts(csvWhole{p.delimiter, finalNewline(source), lengthOfBOM(source) > 0, encoding, doc.shared})
	return doc, nil
}

// delimiters in the order of preference.
var delimiters = []byte{',', '\t', ';', '|'}

// delimiterOf picks the delimiter that occurs most in the header row, outside quoted cells.
func delimiterOf(source []byte) byte {
	header := bytes.TrimLeft(bytes.TrimPrefix(source, []byte(utf8BOM)), "\r\n")
	var counts [256]int
	quoted, cellStart := false, true
scan:
	for _, c := range header {
		inside := quoted
		switch {
		case inside:
			quoted = c != '"'
		case c == '\n' || c == '\r':
			break scan
		default:
			quoted = c == '"' && cellStart
			counts[c]++
		}
		// A doubled quote closes and opens at once.
		cellStart = inside && c == '"' || bytes.IndexByte(delimiters, c) >= 0
	}
	best := delimiters[0]
	for _, d := range delimiters {
		if counts[d] > counts[best] {
			best = d
		}
	}
	return best
}

// sniffCSV wants a header with a delimiter and at least one more row of the same width.
func sniffCSV(head []byte) bool {
	head = bytes.TrimPrefix(head, []byte(utf8BOM))
	if !sniffText(head) || bytes.IndexByte(head, delimiterOf(head)) < 0 {
		return false
	}
	const rows = 5
	if end := bytes.LastIndexAny(head, "\r\n"); end >= 0 {
		head = head[:end+1]
	}
	p := newCSVParser(head, 0, delimiterOf(head))
	err := p.parse()
	return err == nil && p.rows > 0 && len(p.header) > 1 && p.ragged == 0 && p.blank*rows <= p.rows
}

type csvParser struct {
	tape
	s         []byte
	i         int
	delimiter byte
	marks     *[256]bool // bytes at which a cell may end, and the quote
	header    [][2]uint32

	csvCounts
}

func newCSVParser(s []byte, i int, delimiter byte) csvParser {
	return csvParser{s: s, i: i, delimiter: delimiter, marks: cellMarks[delimiter]}
}

// cellMarks is the marks of each delimiter.
var cellMarks = func() (marks [256]*[256]bool) {
	for _, d := range delimiters {
		marks[d] = &[256]bool{'\r': true, '\n': true, '"': true}
		marks[d][d] = true
	}
	return marks
}()

// csvCounts is what is counted in a table.
type csvCounts struct {
	rows, ragged, blank, bare int
	cells, quoted             int
	crlf, lf, cr              int
}

func (p *csvParser) parse() error {
	p.nodes = make([]node, 0, p.guess())
	p.begin(node{kind: array})
	for p.i < len(p.s) {
		if p.lineEnd() {
			p.blank++
			continue
		}
		if err := p.row(); err != nil {
			return err
		}
	}
	p.finish(len(p.s))
	return nil
}

// guess is how many nodes there are at most, so that the tape rarely grows; a source that is all marks gets less.
func (p *csvParser) guess() int {
	rows := 1 + max(bytes.Count(p.s, []byte{'\n'}), bytes.Count(p.s, []byte{'\r'}))
	cells := rows + bytes.Count(p.s, []byte{p.delimiter})
	return min(1+rows+cells, len(p.s)/4+1)
}

// row reads the header, when there is none yet, or one object.
func (p *csvParser) row() error {
	isHeader := p.header == nil
	if !isHeader {
		p.begin(node{kind: object, start: uint32(p.i)})
	}
	for column := 0; ; column++ {
		start := p.i
		if err := p.cell(); err != nil {
			return err
		}
		if isHeader {
			p.header = append(p.header, [2]uint32{uint32(start), uint32(p.i)})
		} else {
			n := p.next()
			n.kind, n.start, n.stop = text, uint32(start), uint32(p.i)
			if column < len(p.header) {
				n.nameFrom, n.nameTo, n.named = p.header[column][0], p.header[column][1], true
			}
		}
		if p.i < len(p.s) && p.s[p.i] == p.delimiter {
			p.i++
			continue
		}
		if !isHeader {
			if column+1 != len(p.header) {
				p.ragged++
			}
			p.rows++
			p.finish(p.i)
		}
		p.lineEnd()
		return nil
	}
}

// cell advances to the delimiter or line end behind the cell.
func (p *csvParser) cell() error {
	start := p.i
	p.cells++
	if p.i < len(p.s) && p.s[p.i] == '"' {
		p.quoted++
		for p.i++; ; p.i++ {
			next := bytes.IndexByte(p.s[p.i:], '"')
			if next < 0 {
				p.i = start
				return syntaxError("csv", p.s, start, "quote is never closed")
			}
			if p.i += next; p.i+1 >= len(p.s) || p.s[p.i+1] != '"' {
				p.i++
				break
			}
			p.i++
		}
		if p.i < len(p.s) && !p.marks[p.s[p.i]] {
			p.bare++
		}
	}
	for i, c := range p.s[p.i:] {
		if !p.marks[c] {
			continue
		}
		if c != '"' {
			p.i += i
			return nil
		}
		p.bare++
	}
	p.i = len(p.s)
	return nil
}

// lineEnd passes over one line end and counts it.
func (p *csvParser) lineEnd() bool {
	if p.i >= len(p.s) {
		return false
	}
	switch c := p.s[p.i]; {
	case c == '\r' && p.i+1 < len(p.s) && p.s[p.i+1] == '\n':
		p.crlf++
		p.i++
	case c == '\n':
		p.lf++
	case c == '\r':
		p.cr++
	default:
		return false
	}
	p.i++
	return true
}

var delimiterNames = map[byte]string{',': "comma", '\t': "tab", ';': "semicolon", '|': "bar"}

// csvWhole is what is known of a table beside its counts.
type csvWhole struct {
	delimiter    byte
	finalNewline string
	mark         bool // it begins with a byte order mark
	encoding     string
	header       []byte
}

func (n *csvCounts) facts(of csvWhole) []Fact {
	facts := []Fact{{"delimiter", delimiterNames[of.delimiter]}, {"line ends", lineEnds(n.crlf, n.lf, n.cr)}, {"final newline", of.finalNewline}}
	if of.mark {
		facts = append(facts, Fact{"byte order mark", "UTF-8"})
	}
	facts = append(facts, namedEncoding(of.encoding)...)
	if n.quoted > 0 && n.quoted == n.cells {
		facts = append(facts, Fact{"quoting", "all"})
	}
	for _, count := range []struct {
		name string
		n    int
	}{{"blank lines", n.blank}, {"rows of another width", n.ragged}, {"quotes inside cells", n.bare}} {
		if count.n > 0 {
			facts = append(facts, Fact{count.name, strconv.Itoa(count.n)})
		}
	}
	if n.rows == 0 {
		facts = append(facts, Fact{"columns without rows", string(of.header)})
	}
	return facts
}

// csvSyntax spells the cells of a table.
type csvSyntax struct {
	delimiter byte
	narrow    bool // a row may be a single cell, which must not become a blank line
}

// plain is a cell without quotes, or all between the quotes when there is no other one.
func (csvSyntax) plain(raw []byte, _ *node) ([]byte, bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return raw, true
	}
	last := len(raw) - 1
	return raw[1:last], bytes.IndexByte(raw[1:], '"') == last-1
}

// decode removes the quotes of a quoted cell; what follows the closing quote is kept.
func (s csvSyntax) decode(raw []byte, n *node) string {
	if text, ok := s.plain(raw, n); ok {
		return string(text)
	}
	out := make([]byte, 0, len(raw))
	for i := 1; i < len(raw); i++ {
		if raw[i] == '"' {
			if i++; i >= len(raw) || raw[i] != '"' {
				return string(append(out, raw[i:]...))
			}
		}
		out = append(out, raw[i])
	}
	return string(out)
}

// encode quotes when the cell was quoted or when its text needs it.
func (s csvSyntax) encode(out []byte, value string, was []byte, _ *node) []byte {
	needs := strings.ContainsAny(value, "\"\r\n") || strings.IndexByte(value, s.delimiter) >= 0 || value == "" && s.narrow
	return appendCell(out, value, was, needs)
}

// encodeName quotes every delimiter, because the header row decides which one the table has.
func (s csvSyntax) encodeName(out []byte, value string, was []byte) []byte {
	return appendCell(out, value, was, value == "" && s.narrow || strings.ContainsAny(value, "\"\r\n"+string(delimiters)))
}

func appendCell(out []byte, value string, was []byte, quoted bool) []byte {
	if !quoted && (len(was) == 0 || was[0] != '"') {
		return append(out, value...)
	}
	out = append(out, '"')
	for i := range len(value) {
		if value[i] == '"' {
			out = append(out, '"')
		}
		out = append(out, value[i])
	}
	return append(out, '"')
}

// Columns is the decoded cells of a table's first row, in order; none of a document that is no table.
func (d *Doc) Columns() []string {
	s, ok := d.syntax.(csvSyntax)
	if !ok || len(d.shared) == 0 {
		return nil
	}
	return columnsOf(d.shared, s.delimiter)
}

// columnsOf is the decoded cells of a header.
func columnsOf(header []byte, delimiter byte) []string {
	p := newCSVParser(header, 0, delimiter)
	var names []string
	for {
		start := p.i
		if p.cell() != nil {
			return names
		}
		names = append(names, csvSyntax{}.decode(header[start:p.i], nil))
		if p.i >= len(header) || header[p.i] != delimiter {
			return names
		}
		p.i++
	}
}
