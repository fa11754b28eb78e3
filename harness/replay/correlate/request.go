package correlate

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// slot is a field or scalar of a request in which values stand.
type slot struct {
	field int // index in the head, or noField
	node  int // position in the document of the body
	cuts  []cut
}

// noValue is the value of a cut that only holds others.
const noValue = -1

// cut is a piece of a text that is written anew.
type cut struct {
	from, to int
	code     *code // how the piece is spelled; nil: as it is
	value    int   // source, or noValue
	how      transform
	within   []cut // in the decoded piece
}

// Request returns the recorded request with the live values in the places of the recorded ones; everything else is left as
// it is. Where a value is missing the recorded one stays, and the error is a [*Missing] that names the link.
func (p *Plan) Request(x harness.Exchange, v *Values) (harness.Exchange, error) {
	i, known := p.index[x.ID]
	if !known || len(p.slots[i]) == 0 {
		return x, nil
	}
	w := writer{values: v, missing: noValue}
	x.Request.Head = append(harness.Head(nil), x.Request.Head...)
	var inBody []slot
	for _, s := range p.slots[i] {
		if s.field == noField {
			inBody = append(inBody, s)
			continue
		}
		if s.field >= len(x.Request.Head) {
			return x, fmt.Errorf("put live values into exchange %s: it is not the one that was mined", x.ID)
		}
		f := &x.Request.Head[s.field]
		text := w.write(f.Value, s.cuts)
		w.renamed(f.Value, text)
		f.Value = text
	}
	if err := w.body(&x.Request, inBody); err != nil {
		return x, fmt.Errorf("put live values into exchange %s: %w", x.ID, err)
	}
	if w.missing != noValue {
		return x, p.missing(i, w.missing, v)
	}
	return x, nil
}

// body writes the values of a body, in its encoding.
func (w *writer) body(m *harness.Message, slots []slot) error {
	if len(slots) == 0 {
		return nil
	}
	doc, err := payload.Of(*m)
	if err != nil {
		return err
	}
	edits := make([]payload.Edit, 0, len(slots))
	for _, s := range slots {
		n := doc.Node(s.node)
		if n.IsZero() {
			return fmt.Errorf("the body is not the one that was mined")
		}
		was := n.Text()
		if text := w.write(was, s.cuts); text != was { // what stays as it is keeps its spelling, too
			edits = append(edits, payload.Edit{Node: n, Text: text})
		}
	}
	if len(edits) == 0 {
		return nil
	}
	return rewrite(m, doc, edits)
}

// rewrite puts edits into a body, in the content encoding of the message, whose Content-Length follows.
func rewrite(m *harness.Message, doc *payload.Doc, edits []payload.Edit) error {
	plain, err := doc.Rewrite(edits)
	if err != nil {
		return err
	}
	packed, err := payload.Pack(strings.Join(m.Head.Values("Content-Encoding"), ","), plain)
	if err != nil {
		return err
	}
	m.Body = harness.BytesBody(packed)
	if m.Head.Has("Content-Length") {
		m.Head = m.Head.With("Content-Length", strconv.Itoa(len(packed)))
	}
	return nil
}

// writer puts live values into texts.
type writer struct {
	values  *Values
	back    bool // the texts are live ones
	missing int  // source of the first value that is not there
}

// write returns the text with the pieces written anew.
func (w *writer) write(text string, cuts []cut) string {
	var b strings.Builder
	at := 0
	for _, c := range cuts {
		if c.from < at || c.to > len(text) {
			continue
		}
		b.WriteString(text[at:c.from])
		b.WriteString(w.piece(text[c.from:c.to], c))
		at = c.to
	}
	b.WriteString(text[at:])
	return b.String()
}

func (w *writer) piece(was string, c cut) string {
	if c.value != noValue {
		live, ok := w.values.live(c.value)
		if !ok {
			if w.missing == noValue {
				w.missing = c.value
			}
			return was
		}
		if live == w.values.plan.sources[c.value].text && !w.back {
			return was // in its spelling
		}
		live = transforms[c.how].do(live)
		if c.code != nil {
			live = c.code.encode(live, was)
		}
		return live
	}
	if c.code == nil {
		return w.write(was, c.within)
	}
	plain, ok := c.code.decode(was)
	if !ok {
		return was
	}
	inner := w.write(plain, c.within)
	if inner == plain {
		return was
	}
	text := c.code.encode(inner, was)
	if isLongWord(text) { // even when its letters look like words, as those of base64 may
		w.values.rename(was, text)
	}
	return text
}

// renamed remembers how a text with values in it, which is spelled in another way, was written, so that it can be mapped
// back as a whole.
func (w *writer) renamed(was, is string) {
	if was != is && describe(is).class == strong {
		w.values.rename(was, is)
	}
}

// Missing says that a live value is not there when a request needs it.
type Missing struct {
	Link   Link
	Reason string
}

func (e *Missing) Error() string {
	return fmt.Sprintf("send exchange %s (%s): no live value for %s: exchange %s (%s) %s", e.Link.To.Exchange, e.Link.To.Operation, e.Link.To.Path,
		e.Link.From.Exchange, e.Link.From.Operation, e.Reason)
}

func (p *Plan) missing(i, s int, v *Values) error {
	link := p.Links[p.links[s]]
	for _, l := range p.Links {
		if l.source == s && p.index[l.To.Exchange] == i {
			link = l
			break
		}
	}
	reason := "was not answered yet"
	if v.stateOf(s) == absent {
		reason = fmt.Sprintf("answered without a value at %s", link.From.Path)
	}
	return &Missing{link, reason}
}
