package correlate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// locator finds a value in the answers of one exchange.
type locator struct {
	field string       // of the head; empty: in the body
	body  harness.Path // behind the body
	keys  []string     // through what a text wraps
	lasts []string     // the same, segments counted from the end
	nth   int          // of the scalars with that path, for elements of XML that are called alike
	part  span         // of the text, in the recording
	whole bool
}

func locate(l *leaf, at span, field string) locator {
	loc := locator{field: field, part: at, whole: at == span{0, len(l.text)}, keys: l.keys()}
	for in := l; in.parent != nil; in = in.parent {
		loc.lasts = append(loc.lasts, in.last)
	}
	slices.Reverse(loc.lasts)
	if field == "" {
		loc.body = slices.Clone(l.top().steps)
	}
	return loc
}

// Learn takes the values that the recorded answer gives from the live one. A value that is not there is told when a request
// needs it. The error says that a body cannot be read.
func (p *Plan) Learn(recorded, live harness.Exchange, v *Values) error {
	i, known := p.index[recorded.ID]
	if !known || len(p.makes[i]) == 0 {
		return nil
	}
	a, err := open(recorded.Response, recorded.ID)
	if err != nil {
		return err
	}
	b, err := open(live.Response, recorded.ID)
	if err != nil {
		return err
	}
	var align *aligner
	if a.doc != nil && b.doc != nil {
		align = &aligner{a.doc.Root(), b.doc.Root(), v, map[lookup]map[string]int{}}
	}
	for _, s := range p.makes[i] {
		text, ok := p.find(s, a, b, v, align)
		if !ok {
			v.lacks(s)
			continue
		}
		v.learn(s, text)
	}
	return nil
}

// find tries the places of a source, the best one first.
func (p *Plan) find(s int, a, b *answer, v *Values, align *aligner) (string, bool) {
	for _, loc := range p.sources[s].places {
		was, wrapped, ok := loc.text(a, loc.body)
		if !ok {
			continue
		}
		body := loc.body
		if loc.field == "" && align != nil && loc.inList() {
			body = align.align(loc.body)
		}
		is, wraps, ok := loc.text(b, body)
		if !ok || is == "" {
			continue
		}
		if wrapped != wraps && wraps != "" {
			v.rename(wrapped, wraps)
		}
		if live, ok := v.renamedTo(p.sources[s].text); ok && (loc.inList() || loc.nth > 0) {
			return live, true
		}
		if loc.whole {
			return is, true
		}
		if part, ok := samePart(was, loc.part, is); ok {
			return part, true
		}
	}
	return "", false
}

// inList reports whether the value is one of many, so that which one it is has to be found out.
func (loc *locator) inList() bool {
	return slices.ContainsFunc(loc.body, harness.Step.IsElement)
}

// answer is an answer that values are taken from.
type answer struct {
	message harness.Message
	doc     *payload.Doc // nil when there is no body, or when it is too large
}

func open(m harness.Message, id string) (*answer, error) {
	a := &answer{message: m}
	if m.Body.Size() == 0 || m.Body.Size() > maxScanned {
		return a, nil
	}
	doc, err := payload.Of(m)
	if err != nil {
		return nil, fmt.Errorf("take live values from the answer to exchange %s: %w", id, err)
	}
	a.doc = doc
	return a, nil
}

// text is the text that the locator leads to in an answer, and the one that wraps it in another spelling, if any; body takes
// the place of the locator's own path.
func (loc *locator) text(a *answer, body harness.Path) (text, wrapping string, ok bool) {
	if loc.field != "" {
		for i, f := range a.message.Head {
			if !strings.EqualFold(f.Name, loc.field) {
				continue
			}
			l := &leaf{text: f.Value, kind: inHead, name: f.Name, field: i, side: "response", root: true}
			if text, wrapping, ok := loc.follow(l, fieldOf(f.Name).open); ok {
				return text, wrapping, true
			}
		}
		return "", "", false
	}
	if a.doc == nil {
		return "", "", false
	}
	if isHTML(a.message.Media, a.doc) {
		return loc.html(a)
	}
	n := nthAt(a.doc, body, loc.nth)
	if !n.IsScalar() || n.Kind() == harness.KindNull {
		return "", "", false
	}
	return loc.follow(&leaf{text: n.Text(), kind: inBody, name: body.Leaf(), field: noField, side: "response", root: true}, nil)
}

// nthAt is one of the scalars of that path, from 0. What has no such path more than once is found without a search.
func nthAt(doc *payload.Doc, path harness.Path, nth int) payload.Node {
	if nth == 0 {
		return doc.Root().At(path)
	}
	want := path.String()
	for below, n := range doc.Root().Leaves() {
		if len(below) == len(path) && below.Leaf() == path.Leaf() && below.String() == want {
			if nth == 0 {
				return n
			}
			nth--
		}
	}
	return payload.Node{}
}

// nthOf is how many scalars before the node have its path.
func nthOf(doc *payload.Doc, path harness.Path, node int) (nth int) {
	if doc.Root().At(path).Position() == node {
		return 0
	}
	want := path.String()
	for below, n := range doc.Root().Leaves() {
		if n.Position() == node {
			break
		}
		if len(below) == len(path) && below.Leaf() == path.Leaf() && below.String() == want {
			nth++
		}
	}
	return nth
}

// html looks for the element at the same place.
func (loc *locator) html(a *answer) (text, wrapping string, ok bool) {
	want := harness.Path(loc.body).String()
	walkHTML("response", a.doc, func(l *leaf) bool {
		if !ok && l.parent == nil && l.steps.String() == want {
			text, wrapping, ok = loc.follow(l, nil)
		}
		return false
	})
	return text, wrapping, ok
}

// follow goes from a whole text into what it wraps.
func (loc *locator) follow(l *leaf, open func(*leaf) []*leaf) (text, wrapping string, ok bool) {
	for i, key := range loc.keys {
		inside := l.open(open)
		open = nil
		next := child(inside, key, loc.lasts[i])
		if next == nil {
			return "", "", false
		}
		if next.code != nil && next.code != segmentCode && next.code != queryCode && wrapping == "" {
			wrapping = l.text
		}
		l = next
	}
	return l.text, wrapping, true
}

// child is the leaf of that key. A segment that was the last one of its path is the last one again; where the number of
// segments changed, others are counted from the end.
func child(inside []*leaf, key, last string) *leaf {
	want := func(l *leaf) bool { return l.key == key }
	if last == "segment[-1]" || last == "" {
		want = func(l *leaf) bool { return l.key == key || last != "" && l.last == last }
	}
	var found *leaf
	for _, l := range inside {
		if want(l) && (found == nil || last != "" && l.last == last) {
			found = l
		}
	}
	return found
}

// samePart finds in a live text the part that stood in a span of the recorded one: between the same texts, or else the
// same piece when both have as many pieces, or else behind the same words.
func samePart(was string, at span, is string) (string, bool) {
	before, behind := was[:at.from], was[at.to:]
	if len(is) > len(before)+len(behind) && strings.HasPrefix(is, before) && strings.HasSuffix(is, behind) {
		return is[len(before) : len(is)-len(behind)], true
	}
	for kind := uint8(1); kind <= 3; kind++ {
		a, b := pieces(was, kind), pieces(is, kind)
		if i := slices.Index(a, at); i >= 0 && len(a) == len(b) {
			return is[b[i].from:b[i].to], true
		}
	}
	const context = 24 // bytes that are enough to know a place again
	anchor := before[max(0, len(before)-context):]
	if anchor == "" || strings.Count(is, anchor) != 1 {
		return "", false
	}
	rest := is[strings.Index(is, anchor)+len(anchor):]
	if behind != "" {
		if end := strings.IndexByte(rest, behind[0]); end > 0 {
			return rest[:end], true
		}
		return "", false
	}
	return rest, rest != ""
}

// pieces are the parts of a text between marks of the kind and of those before it, empty ones too.
func pieces(text string, kind uint8) (spans []span) {
	from := 0
	for i := 0; i <= len(text); i++ {
		if i == len(text) || markOf[text[i]] != 0 && markOf[text[i]] <= kind {
			spans = append(spans, span{from, i})
			from = i + 1
		}
	}
	return spans
}
