package payload

import (
	"bytes"
	"io"
	"strconv"
	"unicode/utf8"
)

// jsonRecords cuts a JSON array into its elements. Each is checked against the grammar, as is what stands between them.
type jsonRecords struct {
	recordParser
	mark    bool
	invalid bool // some bytes are not UTF-8
	begun   bool // an element was read: a comma comes first
}

func (j *jsonRecords) open(rest []byte, last bool) (used int, err error) {
	used = lengthOfBOM(rest)
	j.mark = used > 0
	used += spaceLength(rest[used:])
	if used == len(rest) && !last {
		return 0, errShort
	}
	if used == len(rest) || rest[used] != '[' {
		return 0, j.wrong(used, "want an array")
	}
	return used + 1, nil
}

func (j *jsonRecords) resume() { j.begun = true }

func (j *jsonRecords) cut(rest []byte, last bool) (from, to, used int, err error) {
	at := spaceLength(rest)
	if at < len(rest) && rest[at] == ']' {
		return j.end(rest, at+1, last)
	}
	if at < len(rest) && j.begun {
		if rest[at] != ',' {
			return 0, 0, 0, j.wrong(at, "want , or ]")
		}
		at++
		at += spaceLength(rest[at:])
	}
	to, err = j.value(rest, at, last)
	if err != nil {
		return 0, 0, 0, err
	}
	j.begun = true
	j.invalid = j.invalid || !utf8.Valid(rest[at:to])
	return at, to, to, nil
}

// end checks that nothing follows the array.
func (j *jsonRecords) end(rest []byte, at int, last bool) (from, to, used int, err error) {
	at += spaceLength(rest[at:])
	switch {
	case at < len(rest):
		return 0, 0, 0, j.wrong(at, "more text after the end of the value")
	case !last:
		return 0, 0, 0, errShort
	default:
		return 0, 0, 0, io.EOF
	}
}

func (j *jsonRecords) document(elements [][]byte) (*Doc, error) {
	text := append(append([]byte{'['}, bytes.Join(elements, []byte{','})...), ']')
	return ParseJSON(text)
}

func (j *jsonRecords) facts() []Fact { return jsonFacts(j.mark, j.invalid) }

// JSONValues reads JSON values that stand one behind the other in a text, such as the members of an object too large to be
// one document. All of them are read into the same memory. It belongs to one goroutine.
type JSONValues struct {
	parser jsonParser
	doc    Doc
}

// At reads the value that begins at an offset of the source, or behind white space there, and returns where it ends. The
// node is good until the next call. Errors are a *SyntaxError, which counts lines from the start of the source.
func (v *JSONValues) At(source []byte, at int) (n Node, end int, err error) {
	p := &v.parser
	p.s, p.i = source, at
	p.nodes, p.open = p.nodes[:0], p.open[:0]
	if err := p.one(); err != nil {
		return Node{}, p.i, err
	}
	v.doc = Doc{Format: "json", Source: source, nodes: p.nodes, syntax: jsonSyntax{}}
	return v.doc.Root(), p.i, nil
}

// recordParser reads records that are JSON texts, into one tape.
type recordParser struct {
	values JSONValues
	at     *byte // the record that the tape holds
}

func (r *recordParser) wrong(at int, what string) error {
	return &SyntaxError{Format: "json", Offset: at, What: what}
}

// value reads the JSON value that begins at a place and returns where it ends.
func (r *recordParser) value(rest []byte, at int, last bool) (to int, err error) {
	r.at = nil
	_, to, err = r.values.At(rest, at)
	if !last && (err != nil || to == len(rest)) {
		return 0, errShort
	}
	if e, ok := err.(*SyntaxError); ok { //nolint:errorlint // the parser returns it as it is
		e.Line = 0
	}
	if err != nil {
		return 0, err
	}
	r.at = &rest[at]
	return to, nil
}

// node is the record that was read last, or else reads it again.
func (r *recordParser) node(record []byte) (Node, error) {
	if r.at != &record[0] {
		if _, err := r.value(record, 0, true); err != nil {
			return Node{}, err
		}
	}
	return r.values.doc.Root(), nil
}

func (r *recordParser) appendKey(dst, record []byte, k *Key) ([]byte, bool) {
	n, err := r.node(record)
	if err != nil {
		return dst, false
	}
	return AppendKey(dst, n, k)
}

func (r *recordParser) shared() []byte { return nil }
func (r *recordParser) rename(*Doc)    {} // members bring their names with them

// spaceLength is the length of the white space at the start of b.
func spaceLength(b []byte) int {
	i := 0
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// lineRecords cuts JSON Lines into their values.
type lineRecords struct {
	recordParser
	mark         bool
	blank        int
	crlf, lf, cr int
	encoding     encodingTally
	newline      bool
}

func (l *lineRecords) open(rest []byte, _ bool) (used int, err error) {
	used = lengthOfBOM(rest)
	l.mark = used > 0
	l.encoding.add(rest[:used])
	return used, nil
}

func (l *lineRecords) resume() {}

func (l *lineRecords) cut(rest []byte, last bool) (from, to, used int, err error) {
	blank := 0
	for {
		end := len(rest)
		if n := bytes.IndexByte(rest[used:], '\n'); n >= 0 {
			end = used + n + 1
		} else if !last {
			return 0, 0, 0, errShort
		}
		from = used + spaceLength(rest[used:end])
		if from < end {
			to, err = l.value(rest[:end], from, true)
			if err == nil && to+spaceLength(rest[to:end]) < end {
				err = l.wrong(to, "more text after the end of the value")
			}
			if err != nil {
				return 0, 0, 0, err
			}
			l.count(rest[:end], blank)
			return from, to, end, nil
		}
		if used == len(rest) {
			l.count(rest, blank)
			return used, used, used, io.EOF
		}
		blank++
		used = end
	}
}

func (l *lineRecords) count(read []byte, blank int) {
	l.blank += blank
	crlf := bytes.Count(read, []byte("\r\n"))
	l.crlf += crlf
	l.lf += bytes.Count(read, []byte("\n")) - crlf
	l.cr += bytes.Count(read, []byte("\r")) - crlf
	l.encoding.add(read)
	if len(read) > 0 {
		l.newline = finalNewline(read) == "yes"
	}
}

func (l *lineRecords) document(values [][]byte) (*Doc, error) {
	return ParseNDJSON(append(bytes.Join(values, []byte{'\n'}), '\n'))
}

func (l *lineRecords) facts() []Fact {
	var facts []Fact
	if l.mark {
		facts = append(facts, Fact{"byte order mark", "UTF-8"})
	}
	encoding, _ := l.encoding.name()
	facts = append(facts, namedEncoding(encoding)...)
	newline := "no"
	if l.newline {
		newline = "yes"
	}
	facts = append(facts, Fact{"line ends", lineEnds(l.crlf, l.lf, l.cr)}, Fact{"final newline", newline})
	if l.blank > 0 {
		facts = append(facts, Fact{"blank lines", strconv.Itoa(l.blank)})
	}
	return facts
}
