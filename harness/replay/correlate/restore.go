package correlate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// Restore returns what crossed in a run with the recorded values in the places of the live ones, in request and response
// and wherever they appear, so that it can be compared with the recording. Only whole values are replaced, never a part of
// a longer word or number, the longest first. A short number or code is replaced only in places that name the same thing.
func (p *Plan) Restore(x harness.Exchange, v *Values) (harness.Exchange, error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if len(v.back) == 0 && len(v.weak) == 0 {
		return x, nil
	}
	of := thingOfOperation(x.Request.Head)
	for _, side := range []struct {
		name    string
		message *harness.Message
	}{{"request", &x.Request}, {"response", &x.Response}} {
		if err := v.restore(side.name, side.message, of); err != nil {
			return x, fmt.Errorf("map the values of exchange %s back: %w", x.ID, err)
		}
	}
	return x, nil
}

func (v *Values) restore(side string, m *harness.Message, of string) error {
	v.restoreHead(side, m, of)
	if m.Body.Size() == 0 || m.Body.Size() > maxScanned {
		return nil
	}
	doc, err := payload.Of(*m)
	if err != nil {
		return err
	}
	if len(v.weak) == 0 && !v.back.has(doc.Source) {
		return nil
	}
	edits := v.edits(side, doc, of)
	if len(edits) == 0 {
		return nil
	}
	return rewrite(m, doc, edits)
}

// restoreHead maps the fields that may hold values.
func (v *Values) restoreHead(side string, m *harness.Message, of string) {
	copied := false
	for i, f := range m.Head {
		if fieldOf(f.Name).skip {
			continue
		}
		text, changed := v.back.replace(f.Value)
		if len(v.weak) > 0 {
			if weaker := v.restoreWeak(side, f.Name, text, of); weaker != text {
				text, changed = weaker, true
			}
		}
		if !changed {
			continue
		}
		if !copied {
			m.Head, copied = slices.Clone(m.Head), true
		}
		m.Head[i].Value = text
	}
}

// restoreWeak maps short values within a field.
func (v *Values) restoreWeak(side, name, text, of string) string {
	row := fieldOf(name)
	l := &leaf{text: text, kind: inHead, name: name, side: side, root: true}
	l.visit(func(in *leaf) bool {
		if recorded, ok := v.recorded(in, of); ok {
			in.add(cut{from: 0, to: len(in.text), value: recorded})
			return false
		}
		return true
	}, row.open, 0)
	cuts := l.found()
	if len(cuts) == 0 {
		return text
	}
	w := writer{values: v.plan.asRecorded, back: true, missing: noValue}
	return w.write(text, cuts)
}

// recorded is the source whose short live value stands in the leaf.
func (v *Values) recorded(l *leaf, of string) (source int, ok bool) {
	sources := v.weak[l.text]
	if len(sources) == 0 {
		return 0, false
	}
	role, thing := l.role(), l.thing(of)
	for _, s := range sources {
		src := &v.plan.sources[s]
		if l.kind == inCookie || l.name != "" && l.name == src.name || role != plain && (thing == src.thing || src.value.form == formAddress || thing == "" || src.thing == "") {
			return s, true
		}
	}
	return 0, false
}

// edits maps the scalars of a document.
func (v *Values) edits(side string, doc *payload.Doc, of string) (edits []payload.Edit) {
	for below, n := range doc.Root().Leaves() {
		if !n.IsScalar() || n.Kind() == harness.KindNull || n.Kind() == harness.KindBool {
			continue
		}
		was := n.Text()
		text, changed := v.back.replace(was)
		if !changed && len(v.weak) > 0 {
			l := &leaf{text: was, kind: inBody, name: below.Leaf(), field: noField, side: side, root: true, steps: below}
			if s, ok := v.recorded(l, of); ok {
				text, changed = v.plan.sources[s].text, true
			} else if strings.IndexByte(was, '/') >= 0 {
				text = v.restoreWeak(side, "location", was, of)
				changed = text != was
			}
		}
		if changed {
			edits = append(edits, payload.Edit{Node: n, Text: text})
		}
	}
	return append(edits, v.names(doc)...)
}

// names maps the names of members, as of maps by id.
func (v *Values) names(doc *payload.Doc) (edits []payload.Edit) {
	for i := range doc.Len() {
		n := doc.Node(i)
		if raw := n.RawName(); len(raw) == 0 || !v.back.has(raw) {
			continue
		}
		if name, changed := v.back.replace(n.Name()); changed {
			edits = append(edits, payload.Edit{Node: n, Name: true, Text: name})
		}
	}
	return edits
}
