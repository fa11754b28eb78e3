package payload

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/payload/layout"
)

// ParseFixed reads records of fixed width: an array of objects in the order of the file. The member record is the type
// of a record, then come its fields; what a layout leaves without a name is there as filler. The text of a field has
// no padding, and an amount has its decimal point; the bytes stay as they are.
//
// A record of another length has its fields as far as they go; what stands behind the last column is the member rest.
// A line that is of no record type is the member line. Lengths, line ends and promises of trailers that do not hold
// are facts.
//
// An edit keeps the width of a field and its side of padding. What is too long loses its end, or its first digits
// when it stands on the right. A field that holds a number as machines count with it becomes zero by a text that is none,
// see [Node.IsMachineNumber].
func ParseFixed(l *layout.Layout, source []byte) (*Doc, error) {
	if len(source) > MaxSize {
		return nil, syntaxError("fixed", source, MaxSize, "larger than %d bytes", MaxSize)
	}
	p := newFixedParser(l, source)
	if err := p.parse(); err != nil {
		return nil, err
	}
	doc := &Doc{Format: "fixed", Source: source, Facts: p.facts(), nodes: p.nodes, names: p.names, shared: l.Digest[:]}
	doc.syntax = &fixedSyntax{l, l.Charmap(), p.fields, p.types}
	return doc, nil
}

// FixedFormat is the row of formats for fixed-width files of the layouts; the first that fits counts.
func FixedFormat(layouts ...*layout.Layout) Format {
	return Format{
		Name: "fixed", Summary: "records of fixed width, by layout", Extensions: []string{".ach", ".nacha"},
		Sniff: func(head []byte) bool { return layout.For(layouts, "", head) != nil },
		Parse: func(source []byte) (*Doc, error) {
			if l := layout.For(layouts, "", source); l != nil {
				return ParseFixed(l, source)
			}
			return nil, syntaxError("fixed", source, 0, "the first record is of no layout that is known")
		},
	}
}

// AddLayouts gives [Formats] a row for each layout, by which bodies of its media type are read. It is not safe while
// somebody reads documents: a program calls it at its start.
func AddLayouts(layouts ...*layout.Layout) {
	for _, l := range layouts {
		Formats = slices.Insert(Formats, 0, Format{
			Name: "fixed", Summary: l.Summary, Media: []string{LayoutMedia(l)},
			Sniff: func([]byte) bool { return false },
			Parse: func(source []byte) (*Doc, error) { return ParseFixed(l, source) },
		})
	}
}

// LayoutMedia is the media type of files that have the layout, after [AddLayouts].
func LayoutMedia(l *layout.Layout) string {
	return fmt.Sprintf("application/x-layout-%x", l.Digest[:8])
}

// SaysNothing reports whether the value is a field of fixed width that says nothing about a person by its layout, see
// [layout.Field.SaysNothing].
func (n Node) SaysNothing() bool {
	f := n.field()
	return f != nil && f.SaysNothing()
}

// field is the field of fixed width that the node is, or nil.
func (n Node) field() *layout.Field {
	if s, ok := n.doc.syntax.(*fixedSyntax); ok && n.IsScalar() {
		return s.fields[n.node().nameFrom]
	}
	return nil
}

func sniffFixed(head []byte) bool { return layout.For(layout.Shipped(), "", head) != nil }

// parseShipped reads a file of one of the layouts that are shipped.
func parseShipped(source []byte) (*Doc, error) { return FixedFormat(layout.Shipped()...).Parse(source) }

// The first names of every document.
const (
	nameLine = iota
	nameRest
	firstFieldName
)

type fixedParser struct {
	tape
	l       *layout.Layout
	s       []byte
	names   []string
	fields  []*layout.Field // of a name
	types   []int           // record type of a name
	base    []uint32        // first name of a record type
	totals  []*runningTotal
	lengths map[int]int // of the records that have another length than the layout says
	exact   int         // records that have it
	records int
	unknown int
}

func newFixedParser(l *layout.Layout, source []byte) *fixedParser {
	p := &fixedParser{l: l, s: source, names: []string{"line", "rest"}, fields: make([]*layout.Field, firstFieldName), types: make([]int, firstFieldName), lengths: map[int]int{}}
	perRecord := 0
	for i := range l.Records {
		p.base = append(p.base, uint32(len(p.names)))
		for k := range l.Records[i].Fields {
			f := &l.Records[i].Fields[k]
			// The second name is for the elements of a repeated field, which have none.
			p.names = append(p.names, f.Name, "")
			p.fields = append(p.fields, f, f)
			p.types = append(p.types, i, i)
		}
		perRecord = max(perRecord, len(l.Records[i].Fields)+1)
	}
	p.totals = newTotals(l)
	p.nodes = make([]node, 0, min(len(source)/l.Length*perRecord+perRecord, len(source)+1)+1)
	return p
}

func (p *fixedParser) parse() error {
	p.begin(node{kind: array})
	at := 0
	if !p.l.IsEBCDIC() && bytes.HasPrefix(p.s, []byte(utf8BOM)) {
		at = len(utf8BOM)
	}
	for at < len(p.s) {
		var line, rest []byte
		if p.l.LineEnds == layout.NoLineEnds {
			n := min(p.l.Length, len(p.s)-at)
			line, rest = p.s[at:at+n], p.s[at+n:]
		} else {
			line, rest = cutLine(p.s[at:])
		}
		p.record(at, line)
		at = len(p.s) - len(rest)
	}
	p.finish(len(p.s))
	return nil
}

func (p *fixedParser) record(at int, line []byte) {
	p.records++
	if len(line) == p.l.Length {
		p.exact++
	} else {
		p.lengths[len(line)]++
	}
	p.begin(node{kind: object, start: uint32(at)})
	kind := p.l.Of(line)
	if kind < 0 {
		p.unknown++
		p.cell(at, 0, len(line), nameLine, true)
	} else {
		p.cells(at, line, kind)
		for _, t := range p.totals {
			t.record(kind, line, p.records)
		}
	}
	p.finish(at + len(line))
}

func (p *fixedParser) cells(at int, line []byte, kind int) {
	fields := p.l.Records[kind].Fields
	for i := range fields {
		f := &fields[i]
		from, name := f.At-1, p.base[kind]+2*uint32(i)
		if from >= len(line) {
			return
		}
		if f.Times == 1 {
			p.cell(at, from, min(f.End(), len(line)), name, true)
			continue
		}
		p.begin(node{kind: array, start: uint32(at + from), listed: true, named: true, nameFrom: name})
		for range f.Times {
			if from < len(line) {
				p.cell(at, from, min(from+f.Length, len(line)), name+1, false)
			}
			from += f.Length
		}
		p.finish(at + min(f.End(), len(line)))
	}
	if len(line) > p.l.Length {
		p.cell(at, p.l.Length, len(line), nameRest, true)
	}
}

func (p *fixedParser) cell(at, from, to int, name uint32, named bool) {
	n := p.next()
	n.kind, n.start, n.stop = text, uint32(at+from), uint32(at+to)
	n.listed, n.named, n.nameFrom = true, named, name
}

func (p *fixedParser) facts() []Fact {
	facts := []Fact{{"layout", p.l.Name}}
	if p.l.IsEBCDIC() {
		facts = append(facts, namedEncoding(p.l.Encoding)...)
	} else {
		facts = append(facts, lineFacts(p.s)...)
	}
	if p.exact > 0 {
		p.lengths[p.l.Length] = p.exact
	}
	facts = append(facts, Fact{"record lengths", histogram(p.lengths)})
	if p.unknown > 0 {
		facts = append(facts, Fact{"records of no type", strconv.Itoa(p.unknown)})
	}
	if broken := brokenTotals(p.totals); broken != "" {
		facts = append(facts, Fact{"totals", broken})
	}
	return facts
}

// histogram writes how often each length is there, the most frequent first: 60 × 132, 2 × 137.
func histogram(lengths map[int]int) string {
	order := slices.SortedFunc(maps.Keys(lengths), func(a, b int) int {
		return cmp.Or(cmp.Compare(lengths[b], lengths[a]), cmp.Compare(a, b))
	})
	const most = 8
	var parts []string
	for i, length := range order {
		if i == most {
			parts = append(parts, fmt.Sprintf("%d more lengths", len(order)-most))
			break
		}
		parts = append(parts, fmt.Sprintf("%d × %d", lengths[length], length))
	}
	return strings.Join(parts, ", ")
}
