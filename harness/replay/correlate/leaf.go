package correlate

import (
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// kind says where in a message a leaf stands.
type kind uint8

// Kinds of leaves.
const (
	inBody kind = iota
	inHead
	inSegment
	inQuery
	inCookie
)

// noField is the field of leaves of a body.
const noField = -1

// leaf is a text in a message: a header field, a scalar of a body, or what such a text wraps.
type leaf struct {
	parent   *leaf
	from, to int    // span in the parent's text
	code     *code  // how the span spells the text; nil: as it is
	text     string // decoded
	key      string // names the step from the parent, the same in every message of this kind
	last     string // the same for the last segment of a URL, counted from the end
	split    bool   // what is inside are leaves of their own
	kind     kind
	name     string // of the field, member, parameter or cookie
	before   string // of a segment: the segment before it
	binary   bool

	field int // index in the head, or noField
	node  int // position in the document of a body
	side  string
	steps harness.Path // behind the side or the body, or behind the parent's place when root is false; good during the visit
	root  bool

	cuts  []cut   // values that were found in the text
	inner []*leaf // leaves within that have some
}

// add notes a value that was found in the text.
func (l *leaf) add(c cut) {
	l.cuts = append(l.cuts, c)
	for l.parent != nil {
		for _, known := range l.parent.inner {
			if known == l {
				return
			}
		}
		l.parent.inner = append(l.parent.inner, l)
		l = l.parent
	}
}

// found is what was found in the leaf and in those within it, as pieces of its text.
func (l *leaf) found() []cut {
	cuts := l.cuts
	for _, in := range l.inner {
		cuts = append(cuts, in.pieces(l.text)...)
	}
	slices.SortFunc(cuts, func(a, b cut) int { return a.from - b.from })
	return cuts
}

// pieces are the cuts of a leaf as pieces of the text around it. Where only characters are escaped, what stands beside a
// value is left alone.
func (l *leaf) pieces(around string) []cut {
	within := l.found()
	switch {
	case l.code == nil:
		for i := range within {
			within[i].from += l.from
			within[i].to += l.from
		}
		return within
	case l.code != segmentCode && l.code != queryCode:
		return []cut{{from: l.from, to: l.to, code: l.code, value: noValue, within: within}}
	}
	raw := around[l.from:l.to]
	for i, c := range within {
		from, to := l.from+rawOffset(raw, c.from), l.from+rawOffset(raw, c.to)
		within[i] = cut{from: from, to: to, code: l.code, value: c.value, how: c.how}
		if c.value == noValue {
			c.from, c.to = 0, c.to-c.from
			within[i] = cut{from: from, to: to, code: l.code, value: noValue, within: []cut{c}}
		}
	}
	return within
}

// rawOffset is where the byte of a decoded text stands in its percent-encoded spelling.
func rawOffset(raw string, decoded int) int {
	i := 0
	for ; decoded > 0 && i < len(raw); decoded-- {
		if raw[i] == '%' && i+2 < len(raw) {
			i += 2
		}
		i++
	}
	return i
}

// at is the place of the leaf.
func (l *leaf) at() harness.Path {
	if !l.root {
		return append(l.parent.at(), l.steps...)
	}
	at := make(harness.Path, 0, len(l.steps)+4)
	if at = append(at, harness.Name(l.side)); l.parent == nil && l.field == noField {
		at = append(at, harness.Name("body"))
	}
	return append(at, l.steps...)
}

// top is the leaf that is a whole field or scalar.
func (l *leaf) top() *leaf {
	for l.parent != nil {
		l = l.parent
	}
	return l
}

// keys are the steps from the top to the leaf.
func (l *leaf) keys() (keys []string) {
	if l.parent == nil {
		return nil
	}
	return append(l.parent.keys(), l.key)
}

// maxScanned is the most bytes of a body that is read for values; a larger one is left out and counted.
const maxScanned = 8 << 20

// visitor is called for each leaf before those within it; it returns whether to go on with these.
type visitor func(l *leaf) (inside bool)

// walk visits the leaves of a message; doc is its body, nil when it has none.
func walk(side string, m harness.Message, doc *payload.Doc, visit visitor) {
	for i, f := range m.Head {
		row := fieldOf(f.Name)
		if row.skip || f.Value == "" {
			continue
		}
		l := &leaf{text: f.Value, kind: inHead, name: f.Name, field: i, side: side, root: true, steps: harness.PathOf(harness.Name("head"), harness.Name(f.Name))}
		l.visit(visit, row.open, 0)
	}
	if doc != nil {
		walkBody(side, m.Media, doc, visit)
	}
}

func walkBody(side, media string, doc *payload.Doc, visit visitor) {
	if side == "response" && isHTML(media, doc) {
		walkHTML(side, doc, visit)
		return
	}
	for below, n := range doc.Root().Leaves() {
		if !n.IsScalar() {
			continue
		}
		switch n.Kind() {
		case harness.KindNull, harness.KindBool:
			continue
		}
		text := n.Text()
		if text == "" {
			continue
		}
		l := &leaf{text: text, kind: inBody, name: below.Leaf(), field: noField, node: n.Position(), side: side, root: true,
			binary: n.Kind() == harness.KindBytes, steps: below}
		l.visit(visit, nil, 0)
	}
}

// maxDepth is how many texts are opened within one another.
const maxDepth = 4

// visit tells the visitor about the leaf and what is inside of it.
func (l *leaf) visit(visit visitor, open func(*leaf) []*leaf, depth int) {
	var inside []*leaf
	if depth < maxDepth && !l.binary {
		inside = l.open(open)
	}
	if !visit(l) {
		return
	}
	for _, in := range inside {
		in.visit(visit, nil, depth+1)
	}
}

// open returns what the text wraps, as the field says or else as it looks.
func (l *leaf) open(open func(*leaf) []*leaf) []*leaf {
	if open != nil {
		return open(l)
	}
	if l.kind == inSegment && l.code != nil && strings.IndexByte(l.text, '%') < 0 && len(l.text) < shortestWrapped {
		return nil
	}
	for _, v := range views {
		if inside := v(l); len(inside) > 0 {
			return inside
		}
	}
	return nil
}

// within adds a leaf that stands in a span of this one, spelled as it is.
func (l *leaf) within(from, to int, key string, steps ...harness.Step) *leaf {
	return &leaf{parent: l, from: from, to: to, text: l.text[from:to], key: key, kind: l.kind, name: l.name, field: l.field, node: l.node, side: l.side, steps: steps}
}

// fieldRow is what is known of a header field.
type fieldRow struct {
	name string // lower case
	skip bool   // no value of it is a link
	open func(*leaf) []*leaf
}

// fields is the table of header fields that are not read as mere texts.
var fields = func() map[string]fieldRow {
	table := map[string]fieldRow{}
	for _, row := range []fieldRow{
		{name: harness.FieldPath, open: openTarget},
		{name: "cookie", open: openCookies},
		{name: "set-cookie", open: openSetCookie},
		{name: "authorization", open: openAuthorization},
		{name: "proxy-authorization", open: openAuthorization},
		{name: "location", open: openURL},
		{name: "content-location", open: openURL},
		{name: "referer", open: openURL},
		{name: "link", open: openLinks},
	} {
		table[row.name] = row
	}
	for name := range strings.FieldsSeq(skipped) {
		table[name] = fieldRow{name: name, skip: true}
	}
	return table
}()

// skipped are fields that speak of the connection, of formats or of time.
const skipped = `:method :status :proto :trailer :arrivals :tls :certificate :certificate-end :derived :mtime
accept accept-charset accept-encoding accept-language accept-ranges age allow alt-svc cache-control connection content-encoding
content-language content-length content-security-policy content-type date dnt expect expires feature-policy forwarded host
if-modified-since if-unmodified-since keep-alive last-modified max-forwards origin permissions-policy pragma priority
proxy-connection range referrer-policy retry-after save-data sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform sec-fetch-dest
sec-fetch-mode sec-fetch-site sec-fetch-user server server-timing strict-transport-security te timing-allow-origin trailer
transfer-encoding upgrade upgrade-insecure-requests user-agent vary via warning x-content-type-options x-dns-prefetch-control
x-forwarded-for x-forwarded-host x-forwarded-proto x-frame-options x-permitted-cross-domain-policies x-powered-by x-xss-protection`

func fieldOf(name string) fieldRow {
	row, known := fields[strings.ToLower(name)]
	if !known && len(name) > 15 && strings.EqualFold(name[:15], "access-control-") {
		return fieldRow{skip: true}
	}
	return row
}
