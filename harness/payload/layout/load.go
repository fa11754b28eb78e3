package layout

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/rehearse-dev/rehearse/harness"
)

// Limits of a layout.
const (
	maxFile   = 1 << 20 // bytes of the YAML text
	maxLength = 1 << 16 // bytes of a record
	maxFields = 4096    // of a record, every turn of a repeated field counted

	maxNesting = 16 // of the YAML text

	maxPacked, maxZoned, maxBinary = 16, 31, 8 // bytes of a number: 31 digits, 63 bits and a sign
)

// MaxHead is how much of a file [For] looks at, in bytes.
const MaxHead = 2 * maxLength

// Load reads every .yaml and .yml file of the top folder, in order of their names. Errors name the file and the line.
func Load(fsys fs.FS) ([]*Layout, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("read layouts: %w", err)
	}
	var layouts []*Layout
	for _, entry := range entries {
		if ext := path.Ext(entry.Name()); entry.IsDir() || ext != ".yaml" && ext != ".yml" {
			continue
		}
		if info, err := entry.Info(); err == nil && info.Size() > maxFile {
			return nil, refuse(entry.Name(), "layout is larger than %d bytes", maxFile)
		}
		source, err := fs.ReadFile(fsys, entry.Name())
		if err != nil {
			return nil, fmt.Errorf("read layout: %w", err)
		}
		l, err := Parse(entry.Name(), source)
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(layouts, func(other *Layout) bool { return other.Name == l.Name }); i >= 0 {
			return nil, refuse(entry.Name(), "layout %s is described by another file already", l.Name)
		}
		layouts = append(layouts, l)
	}
	return layouts, nil
}

// Parse reads one layout; file is its name in errors. Unknown keys, aliases, overlapping fields and totals about fields
// that are not there are errors.
func Parse(file string, source []byte) (*Layout, error) {
	if len(source) > maxFile {
		return nil, refuse(file, "layout is larger than %d bytes", maxFile)
	}
	tokens := lexer.Tokenize(string(source))
	if err := checkTokens(tokens); err != nil {
		return nil, refuse(file, "%v", err)
	}
	tree, err := parser.Parse(tokens, 0)
	if err != nil {
		return nil, refuse(file, "%s", shorten(err))
	}
	if len(tree.Docs) != 1 || tree.Docs[0].Body == nil {
		return nil, refuse(file, "want one layout, the file holds %d documents", len(tree.Docs))
	}
	l := &Layout{Digest: sha256.Sum256(source)}
	decoder := yaml.NewDecoder(bytes.NewReader(nil), yaml.Strict())
	if err := decoder.DecodeFromNode(tree.Docs[0].Body, l); err != nil {
		return nil, refuse(file, "%s", shorten(err))
	}
	if err := l.check(); err != nil {
		return nil, refuse(file, "%v", err)
	}
	return l, nil
}

func refuse(file, what string, args ...any) error {
	return harness.Usage(fmt.Errorf("read layout %s: %s", file, fmt.Sprintf(what, args...)), "the package documentation of harness/payload/layout lists the keys of a layout")
}

// shorten keeps the place and the cause of a YAML error, and drops the drawing below it.
func shorten(err error) string {
	first, _, _ := strings.Cut(err.Error(), "\n")
	return first
}

// checkTokens refuses what lets a small file grow or nest.
func checkTokens(tokens token.Tokens) error {
	refused := map[token.Type]string{
		token.AnchorType: "anchor", token.AliasType: "alias", token.MergeKeyType: "merge key", token.TagType: "tag",
		token.DirectiveType: "directive", token.MappingKeyType: "complex key",
	}
	depth, entries := 0, 0
	for i, t := range tokens {
		if what, found := refused[t.Type]; found {
			return fmt.Errorf("line %d: a YAML %s is not allowed here", t.Position.Line, what)
		}
		if i > 0 && t.Position.Line != tokens[i-1].Position.Line {
			entries = 0
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		case token.SequenceEntryType:
			entries++
		}
		if depth+entries > maxNesting || t.Position.IndentNum > 8*maxNesting {
			return fmt.Errorf("line %d: nested deeper than %d levels", t.Position.Line, maxNesting)
		}
	}
	return nil
}

// check completes a layout and says what is wrong with it.
func (l *Layout) check() error {
	l.Encoding = cmp.Or(l.Encoding, "utf-8")
	if err := l.encoding.set(l.Encoding); err != nil {
		return err
	}
	if l.LineEnds == "" && l.needsNoLineEnds() {
		l.LineEnds = NoLineEnds
	}
	l.LineEnds = cmp.Or(l.LineEnds, "any")
	switch {
	case l.Name == "":
		return errors.New("layout has no name: write layout: NAME")
	case l.Length < 1 || l.Length > maxLength:
		return fmt.Errorf("length is %d, want 1 to %d", l.Length, maxLength)
	case l.LineEnds != "any" && l.LineEnds != NoLineEnds:
		return fmt.Errorf("line_ends is %q, want any or none", l.LineEnds)
	case l.LineEnds == "any" && l.needsNoLineEnds():
		return errors.New("line_ends is any, but any byte may stand in EBCDIC, packed and binary fields: leave it out, or write none")
	case len(l.Records) == 0:
		return errors.New("layout has no records")
	}
	for _, pattern := range l.Match {
		if _, err := path.Match(pattern, ""); err != nil {
			return fmt.Errorf("match %q: %w", pattern, err)
		}
	}
	types := map[string]bool{}
	for i := range l.Records {
		r := &l.Records[i]
		if r.Type == "" || types[r.Type] {
			return fmt.Errorf("record %d has the type %q: every record needs a type of its own", i+1, r.Type)
		}
		types[r.Type] = true
		if err := r.check(l.Length, &l.encoding); err != nil {
			return fmt.Errorf("record %s: %w", r.Type, err)
		}
	}
	for i := range l.Totals {
		if err := l.checkTotal(&l.Totals[i]); err != nil {
			return fmt.Errorf("total %d: %w", i+1, err)
		}
	}
	return nil
}

// needsNoLineEnds reports whether a byte that looks like a line end may be part of a record.
func (l *Layout) needsNoLineEnds() bool {
	return l.IsEBCDIC() || slices.ContainsFunc(l.Records, func(r Record) bool {
		return slices.ContainsFunc(r.Fields, func(f Field) bool { return f.Type == Packed || f.Type == Binary })
	})
}

// check sorts the fields, adds the one that names the record and fills the gaps.
func (r *Record) check(length int, in *encoding) error {
	if w := r.When; w != nil {
		if w.At < 1 || len(w.Is) == 0 || w.Is[0] == "" {
			return errors.New("when wants a column from 1 and at least one value")
		}
		for _, is := range w.Is {
			if len(is) != len(w.Is[0]) {
				return errors.New("the values of when are of different lengths")
			}
			w.spelled = append(w.spelled, in.spelled(is))
		}
		r.Fields = append(r.Fields, Field{Name: "record", At: w.At, Length: len(w.Is[0]), Type: KindRecord})
	}
	slices.SortStableFunc(r.Fields, func(a, b Field) int { return cmp.Compare(a.At, b.At) })
	var whole []Field
	at, turns, fillers := 1, 0, 0
	names := map[string]bool{}
	gap := func(to int) {
		if to > at {
			fillers++
			whole = append(whole, Field{Name: fmt.Sprintf("filler_%d", at), At: at, Length: to - at, Type: Filler, Pad: " ", Align: Left, Times: 1})
		}
	}
	for _, f := range r.Fields {
		if err := f.check(); err != nil {
			return fmt.Errorf("field %s: %w", f.Name, err)
		}
		switch {
		case names[f.Name]:
			return fmt.Errorf("field %s is there twice", f.Name)
		case f.At < at:
			return fmt.Errorf("field %s at column %d overlaps the one before it", f.Name, f.At)
		case f.End() > length:
			return fmt.Errorf("field %s ends at column %d, a record at %d", f.Name, f.End(), length)
		}
		gap(f.At)
		names[f.Name] = true
		whole = append(whole, f)
		at = f.End() + 1
		if turns += f.Times; turns > maxFields {
			return fmt.Errorf("more than %d fields", maxFields)
		}
	}
	gap(length + 1)
	r.Fields = whole
	return nil
}

func (f *Field) check() error {
	f.Type, f.Times = cmp.Or(f.Type, Text), cmp.Or(f.Times, 1)
	padding, known := map[string]struct{ pad, align string }{
		Text: {" ", Left}, Number: {"0", Right}, Amount: {"0", Right}, Date: {" ", Left}, Filler: {" ", Left}, KindRecord: {" ", Left},
		Packed: {"0", Right}, Zoned: {"0", Right}, Binary: {"0", Right},
	}[f.Type]
	f.Pad, f.Align = cmp.Or(f.Pad, padding.pad), cmp.Or(f.Align, padding.align)
	switch {
	case !known:
		return fmt.Errorf("type %q is not known: want text, number, amount, date, packed, zoned, binary or filler", f.Type)
	case f.Name == "":
		return fmt.Errorf("the field at column %d has no name", f.At)
	case f.At < 1 || f.Length < 1 || f.Length > maxLength || f.Times < 1 || f.Times > maxFields:
		return errors.New("want at, length and times from 1")
	case f.Decimals < 0 || f.Decimals > 18 || f.Decimals > 0 && f.Type != Amount && !f.IsMachine():
		return errors.New("decimals are for an amount, packed, zoned or binary, at most 18")
	case f.Type == Packed && f.Length > maxPacked, f.Type == Zoned && f.Length > maxZoned, f.Type == Binary && f.Length > maxBinary:
		return fmt.Errorf("a number has at most %d bytes when packed, %d when zoned, %d when binary", maxPacked, maxZoned, maxBinary)
	case len(f.Pad) != 1:
		return fmt.Errorf("pad %q is not one byte", f.Pad)
	case f.Align != Left && f.Align != Right:
		return fmt.Errorf("align is %q, want left or right", f.Align)
	}
	return nil
}

func (l *Layout) checkTotal(t *Total) error {
	if len(t.Counts)+len(t.Sums) == 0 || len(t.Counts) > 0 && len(t.Sums) > 0 {
		return errors.New("want counts or sums")
	}
	if l.Field(t.Record, t.Field) == nil {
		return fmt.Errorf("record %q has no field %q", t.Record, t.Field)
	}
	for _, name := range append(slices.Clone(t.Counts), t.Since) {
		if name != "" && l.record(name) == nil {
			return fmt.Errorf("there is no record %q", name)
		}
	}
	for _, sum := range t.Sums {
		record, field, _ := strings.Cut(sum, ".")
		if l.Field(record, field) == nil {
			return fmt.Errorf("record %q has no field %q", record, field)
		}
	}
	return nil
}

// Field returns the field of a record type, or nil.
func (l *Layout) Field(record, field string) *Field {
	if r := l.record(record); r != nil {
		if i := slices.IndexFunc(r.Fields, func(f Field) bool { return f.Name == field }); i >= 0 {
			return &r.Fields[i]
		}
	}
	return nil
}

func (l *Layout) record(name string) *Record {
	if i := slices.IndexFunc(l.Records, func(r Record) bool { return r.Type == name }); i >= 0 {
		return &l.Records[i]
	}
	return nil
}
