package layout

import (
	"bytes"
	"path"
	"slices"
	"strings"
)

// Layout describes the files of one kind. It is immutable once loaded and safe for concurrent use.
type Layout struct {
	Name     string   `yaml:"layout"`
	Summary  string   `yaml:"summary"`
	Encoding string   `yaml:"encoding"`
	Length   int      `yaml:"length"` // bytes of a record, its line end left out
	LineEnds string   `yaml:"line_ends"`
	Match    []string `yaml:"match"`
	Records  []Record `yaml:"records"`
	Totals   []Total  `yaml:"totals"`

	// Digest identifies the text of the layout: 32 bytes of SHA-256. Load and Parse set it.
	Digest [32]byte `yaml:"-"`

	encoding encoding // set by Load and Parse
}

// Record is one type of record.
type Record struct {
	Type   string  `yaml:"type"`
	When   *When   `yaml:"when"`
	Fields []Field `yaml:"fields"` // sorted by column, without gaps and overlaps once loaded; When has its own field
}

// When says which lines are of a record type: one of the values stands at the column.
type When struct {
	At int      `yaml:"at"`
	Is []string `yaml:"is"`

	spelled [][]byte // Is in the encoding of the layout
}

// Spelled is the first of the values, in the encoding of the layout.
func (w *When) Spelled() []byte { return w.spelled[0] }

// Field is a range of columns.
type Field struct {
	Name     string   `yaml:"name"`
	At       int      `yaml:"at"` // from 1
	Length   int      `yaml:"length"`
	Type     string   `yaml:"type"`
	Decimals int      `yaml:"decimals"` // implied, of an amount and of what a machine counts with
	Pad      string   `yaml:"pad"`      // one byte; Parse sets it
	Align    string   `yaml:"align"`    // left or right; Parse sets it
	Format   string   `yaml:"format"`   // of a date: yyyyMMdd, yyMMdd, HHmmss …
	Times    int      `yaml:"times"`    // Length is that of one of them
	Is       []string `yaml:"is"`
	Plain    bool     `yaml:"plain"` // says nothing about a person: a code, a count, an amount, a day of business
	Summary  string   `yaml:"summary"`
}

// Types of fields. KindRecord is the field that names the record type; it comes from Record.When.
const (
	Text       = "text"
	Number     = "number"
	Amount     = "amount"
	Date       = "date"
	Filler     = "filler"
	Packed     = "packed"
	Zoned      = "zoned"
	Binary     = "binary"
	KindRecord = "record"
)

// IsMachine reports whether the field holds a number as machines count with it, in which no other text can stand.
func (f *Field) IsMachine() bool { return f.Type == Packed || f.Type == Zoned || f.Type == Binary }

// SaysNothing reports whether what stands in the field tells records apart, or says nothing about a person as far as the
// layout knows.
func (f *Field) SaysNothing() bool { return f.Plain || f.Type == KindRecord || len(f.Is) > 0 }

// Alignments of fields.
const (
	Left  = "left"
	Right = "right"
)

// NoLineEnds is the value of Layout.LineEnds for records that stand back to back.
const NoLineEnds = "none"

// Total is a promise of a trailer about the records before it.
type Total struct {
	Record string      `yaml:"record"`
	Field  string      `yaml:"field"`
	Counts []string    `yaml:"counts"` // record types
	Sums   []string    `yaml:"sums"`   // record.field
	Where  *TotalWhere `yaml:"where"`
	Since  string      `yaml:"since"`  // counting begins anew at records of this type
	Digits int         `yaml:"digits"` // only the last digits of a sum count, as in an entry hash; 0: all
}

// TotalWhere limits a total to records in which a field has one of the values.
type TotalWhere struct {
	Field string   `yaml:"field"`
	Is    []string `yaml:"is"`
}

// End is the column behind the field, from 0 the index of the first byte that is not its own.
func (f *Field) End() int { return f.At - 1 + f.Length*f.Times }

// Of returns the index of the first record type that fits a line, or -1.
func (l *Layout) Of(line []byte) int {
	for i := range l.Records {
		if w := l.Records[i].When; w == nil || w.fits(line) {
			return i
		}
	}
	return -1
}

func (w *When) fits(line []byte) bool {
	if len(line) < w.At {
		return false
	}
	rest := line[w.At-1:]
	for _, is := range w.spelled {
		if bytes.HasPrefix(rest, is) {
			return true
		}
	}
	return false
}

// Fits reports whether a file name matches the layout.
func (l *Layout) Fits(name string) bool {
	base := strings.ToLower(path.Base(name))
	return slices.ContainsFunc(l.Match, func(pattern string) bool {
		ok, _ := path.Match(strings.ToLower(pattern), base) // Parse has checked the pattern
		return ok
	})
}

// Sniff reports whether the head of a file begins with the first record of the layout: its type and every byte that
// the layout knows about its numbers, dates and fixed values. The length may be another one, because a file with a
// shifted column is still a file of its layout. A layout whose first record fits every line is never found this way.
func (l *Layout) Sniff(head []byte) bool {
	first := &l.Records[0]
	if first.When == nil || l.LineEnds == NoLineEnds && len(head) < l.Length {
		return false
	}
	line := head
	if l.LineEnds == NoLineEnds {
		line = head[:l.Length]
	} else if end := bytes.IndexAny(head, "\r\n"); end >= 0 {
		line = head[:end]
	}
	if len(line) > 2*l.Length || !first.When.fits(line) {
		return false
	}
	for i := range first.Fields {
		if f := &first.Fields[i]; !f.plausible(line, &l.encoding) {
			return false
		}
	}
	return true
}

// plausible reports whether a field of a line can be what its layout says.
func (f *Field) plausible(line []byte, in *encoding) bool {
	if f.Type == Filler || f.Type == KindRecord || f.Type == Packed || f.Type == Binary {
		return true
	}
	if len(line) < f.End() {
		// A trailing text may have lost its blanks.
		return f.Type == Text && len(f.Is) == 0 && len(line) >= f.At
	}
	cell := in.plain(line[f.At-1 : f.End()])
	if len(f.Is) > 0 {
		return slices.Contains(f.Is, string(cell))
	}
	if f.Type == Text || f.Type == Zoned {
		return true
	}
	return !bytes.ContainsFunc(cell, func(r rune) bool { return (r < '0' || r > '9') && r != ' ' && r != '-' && r != '+' })
}

// For picks the layout of a file: the first that matches its name, else the first that sniffs its head, else nil.
func For(layouts []*Layout, name string, head []byte) *Layout {
	for _, l := range layouts {
		if name != "" && l.Fits(name) {
			return l
		}
	}
	for _, l := range layouts {
		if l.Sniff(head) {
			return l
		}
	}
	return nil
}

// HasMachineNumbers reports whether a field holds a number as machines count with it.
func (l *Layout) HasMachineNumbers() bool {
	return slices.ContainsFunc(l.Records, func(r Record) bool {
		return slices.ContainsFunc(r.Fields, func(f Field) bool { return f.IsMachine() })
	})
}
