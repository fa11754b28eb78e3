package diff

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// message compares one half of a pair: head, form and body.
func (c *comparer) message(half string, was, is *harness.Message) error {
	at := harness.PathOf(harness.Name(half))
	if was.IsZero() != is.IsZero() {
		a, b := presence(*was), presence(*is)
		c.emit(at, classOf(a, b), a, b)
		return nil
	}
	c.head(at.Child(harness.Name("head")), was.Head, is.Head)
	if was.Body.Size() == is.Body.Size() && was.Body.Digest() == is.Body.Digest() && was.Media == is.Media && sameEncoding(*was, *is) {
		if err := c.unchangedBody(half, *was); err != nil {
			return err
		}
		return c.countRecords(half, *was)
	}
	if done, err := c.streamed(half, *was, *is); err != nil || done {
		return err
	}
	a, b, err := c.read(was, is)
	if err != nil {
		return err
	}
	if !c.archive(half, was, is, a, b) {
		c.body(half, a, b)
	}
	return nil
}

func sameEncoding(was, is harness.Message) bool {
	return strings.EqualFold(was.Head.Get("Content-Encoding"), is.Head.Get("Content-Encoding"))
}

func presence(m harness.Message) harness.Value {
	if m.IsZero() {
		return harness.Value{Kind: harness.KindAbsent}
	}
	return harness.Value{Kind: harness.KindObject, Text: strings.TrimSpace(m.Head.Get(harness.FieldStatus) + " " + m.Media)}
}

// countRecords notes the size of a table that did not change, on channels where volumes matter.
func (c *comparer) countRecords(half string, m harness.Message) error {
	if !harness.KindOfChannel(c.place.Channel).Volumes || m.Body.Size() == 0 {
		return nil
	}
	at := harness.PathOf(harness.Name(half), harness.Name("body"))
	if n, table, err := c.countStream(m); err != nil || n > 0 {
		if table {
			c.records(at, n, n)
		}
		return err
	}
	doc, err := payload.Of(m)
	if err != nil {
		return err
	}
	if isTable(doc.Root()) {
		c.records(at, doc.Root().Len(), doc.Root().Len())
	}
	return nil
}

// bodyPlace is where the differences of a body are, or of a file within one.
type bodyPlace struct{ body, form harness.Path }

func placeOfBody(half string) bodyPlace {
	return bodyPlace{harness.PathOf(harness.Name(half), harness.Name("body")), harness.PathOf(harness.Name(half), harness.Name("form"))}
}

// member is the place of a file within the body.
func (p bodyPlace) member(name string) bodyPlace {
	return bodyPlace{p.body.Child(harness.Name(name)), p.form.Child(harness.Name(name))}
}

// spelling is the place of bytes that carry no meaning.
func (p bodyPlace) spelling() harness.Path { return p.form.Child(harness.Name("bytes")) }

// body compares two documents whose bytes differ.
func (c *comparer) body(half string, a, b *payload.Doc) {
	at := placeOfBody(half)
	c.documents(at, a, b, func(a, b payload.Node) { c.surveyBody(half, at.body, a, b) })
}

// documents compares what differs in its bytes. Survey chooses the keys of lists before they are compared.
func (c *comparer) documents(at bodyPlace, a, b *payload.Doc, survey func(a, b payload.Node)) {
	if a.Format == "bytes" && b.Format == "bytes" {
		c.bytes(at.body, harness.Changed, a.Source, b.Source)
		return
	}
	before := c.facts()
	c.isText = a.Format == "text" && b.Format == "text"
	c.shape(at.form, a, b)
	source := b.Source
	b = c.header(at, a, b)
	survey(a.Root(), b.Root())
	c.value(at.body, a.Root(), b.Root())
	if c.facts() == before {
		c.spelled(at, a.Source, source)
	}
}

// spelled tells of bytes that differ and mean the same.
func (c *comparer) spelled(at bodyPlace, a, b []byte) {
	switch {
	case bytes.Equal(a, b):
	case c.exact:
		c.bytes(at.spelling(), harness.Reformed, a, b)
	default:
		c.notes.add(sameMeaning)
	}
}

// facts is how many differences were found so far, suppressed ones included.
func (c *comparer) facts() int { return len(c.out.Differences) + len(c.forms) + c.rules.total() }

// shape compares what has no place in the trees: the format and the facts of both documents.
func (c *comparer) shape(at harness.Path, a, b *payload.Doc) {
	if a.Format != b.Format {
		c.emit(at.Child(harness.Name("format")), harness.Reformed, textValue(a.Format), textValue(b.Format))
	}
	names := make([]string, 0, len(a.Facts)+len(b.Facts))
	for _, f := range slices.Concat(a.Facts, b.Facts) {
		if !slices.Contains(names, f.Name) {
			names = append(names, f.Name)
		}
	}
	for _, name := range names {
		if was, is := a.Fact(name), b.Fact(name); was != is {
			c.emit(at.Child(harness.Name(name)), harness.Reformed, textValue(was), textValue(is))
		}
	}
}

func textValue(s string) harness.Value {
	if s == "" {
		return harness.Value{Kind: harness.KindAbsent}
	}
	return harness.Value{Kind: harness.KindString, Text: s}
}

// bytes says where two bodies part that have no other difference.
func (c *comparer) bytes(at harness.Path, class harness.ChangeClass, a, b []byte) {
	offset := 0
	for offset < len(a) && offset < len(b) && a[offset] == b[offset] {
		offset++
	}
	value := func(s []byte) harness.Value {
		return bytesValue(int64(len(s)), typeOfBytes(s), harness.Digest(s), int64(offset))
	}
	c.emit(at, class, value(a), value(b))
}

func bytesValue(size int64, what, digest string, differs int64) harness.Value {
	text := fmt.Sprintf("%d bytes of %s, %s, first difference at byte %d", size, what, digest, differs)
	return harness.Value{Kind: harness.KindBytes, Text: text}
}

// observed is the facts of a connection that a recorder notes where it sees them, and what an importer says of a request:
// a mock and most imported recordings have none, which says nothing.
var observed = map[string]bool{harness.FieldTLS: true, harness.FieldCert: true, harness.FieldCertEnd: true, harness.FieldDerived: true}

// head compares fields by name; the order of fields of different names and the case of names carry no meaning.
func (c *comparer) head(at harness.Path, was, is harness.Head) {
	was, is = was.Without(harness.FieldArrivals), is.Without(harness.FieldArrivals) // no two recordings have the same moments
	for i, f := range was {
		if firstOf(was, f.Name) != i || observed[f.Name] && !is.Has(f.Name) {
			continue
		}
		c.field(at.Child(harness.Name(f.Name)), was.Values(f.Name), is.Values(f.Name))
	}
	for i, f := range is {
		if firstOf(is, f.Name) == i && !was.Has(f.Name) && !observed[f.Name] {
			c.field(at.Child(harness.Name(f.Name)), nil, is.Values(f.Name))
		}
	}
}

func firstOf(h harness.Head, name string) int {
	return slices.IndexFunc(h, func(f harness.Field) bool { return strings.EqualFold(f.Name, name) })
}

// field compares the values of one name; several values are compared place by place, for their order has meaning.
func (c *comparer) field(at harness.Path, was, is []string) {
	for i := range max(len(was), len(is)) {
		a, b := headValue(was, i), headValue(is, i)
		place := at
		if i > 0 {
			place = at.Child(harness.Index(i))
		}
		if a.Kind == b.Kind && a.Text == b.Text {
			c.stays(place, a.Text)
			continue
		}
		c.emit(place, classOf(a, b), a, b)
	}
}

func headValue(values []string, i int) harness.Value {
	if i >= len(values) {
		return harness.Value{Kind: harness.KindAbsent}
	}
	return harness.Value{Kind: harness.KindString, Text: values[i]}
}

// classOf is the class of a change between two values of which not both are absent.
func classOf(was, is harness.Value) harness.ChangeClass {
	switch {
	case was.IsAbsent():
		return harness.Added
	case is.IsAbsent():
		return harness.Removed
	case was.Kind != is.Kind:
		return harness.Retyped
	default:
		return harness.Changed
	}
}
