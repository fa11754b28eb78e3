package access

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// place is where credentials stand: one of the three is set.
type place struct {
	head  string
	query string
	body  harness.Path
}

// read is what stands there; empty: nothing.
func (p place) read(m harness.Message) string {
	if p.head != "" {
		return m.Head.Get(p.head)
	}
	found := ""
	p.replace(&m, func(was string) string { found = was; return was }) //nolint:errcheck // what cannot be read holds nothing
	return found
}

// replace puts a value into the place of the one that stands there. Where nothing stands, nothing is put.
func (p place) replace(m *harness.Message, value func(was string) string) error {
	switch {
	case p.query != "":
		m.Head = m.Head.With(harness.FieldPath, inQuery(m.Head.Get(harness.FieldPath), p.query, value))
	case len(p.body) > 0:
		return p.inBody(m, value)
	case m.Head.Has(p.head):
		m.Head = m.Head.With(p.head, value(m.Head.Get(p.head)))
	}
	return nil
}

// inQuery replaces the value of a parameter, and leaves all else of the target as it is written.
func inQuery(target, name string, value func(was string) string) string {
	path, query, has := strings.Cut(target, "?")
	if !has {
		return target
	}
	return path + "?" + inPairs(query, name, value)
}

// inPairs replaces the value of a name in pairs of a query or form.
func inPairs(text, name string, value func(was string) string) string {
	pairs := strings.Split(text, "&")
	for i, pair := range pairs {
		key, was, _ := strings.Cut(pair, "=")
		plain, err := url.QueryUnescape(key)
		if err != nil || plain != name {
			continue
		}
		if was, err = url.QueryUnescape(was); err == nil {
			pairs[i] = key + "=" + url.QueryEscape(value(was))
		}
	}
	return strings.Join(pairs, "&")
}

// inBody replaces the text of a leaf of the body, when it is there.
func (p place) inBody(m *harness.Message, value func(was string) string) error {
	packed, err := m.Body.Bytes()
	if err != nil {
		return err
	}
	encoding := m.Head.Get("Content-Encoding")
	plain, err := payload.Unpack(encoding, packed)
	if err != nil || len(plain) == 0 {
		return err
	}
	doc := payload.Parse(cmp.Or(m.Media, m.Head.Get("Content-Type")), "", plain)
	leaf := doc.Root().At(p.body[2:])
	if leaf.IsZero() || !leaf.IsScalar() {
		return nil
	}
	if plain, err = doc.Rewrite([]payload.Edit{{Node: leaf, Text: value(leaf.Text())}}); err != nil {
		return fmt.Errorf("put a value at %s: %w", p.body, err)
	}
	if packed, err = payload.Pack(encoding, plain); err != nil {
		return err
	}
	m.Body = harness.BytesBody(packed)
	return nil
}
