package hoverfly

import (
	"net/url"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/pattern"
	"github.com/rehearse-dev/rehearse/recorders/internal/plain"
)

// request is the matchers of a pair. The keys of old versions stand beside those of new ones.
type request struct {
	Method        field       `plain:"method"`
	Scheme        field       `plain:"scheme"`
	Destination   field       `plain:"destination"`
	Path          field       `plain:"path"`
	Query         *plain.Node `plain:"query"` // v1 to v4: a matcher; v5: matchers by name
	OldQuery      field       `plain:"deprecatedQuery"`
	QueryMatchers named       `plain:"queriesWithMatchers"` // v4
	Body          field       `plain:"body"`
	Headers       named       `plain:"headers"`
	HeadMatchers  named       `plain:"headersWithMatchers"` // v4
	State         *plain.Node `plain:"requiresState"`
}

// call makes the request that the matchers accept.
func (q *request) call() archive.Call {
	d := &derivation{}
	c := archive.Call{Method: q.Method.text(d, "method", "GET")}
	target := q.Path.text(d, "path", "/")
	if !strings.HasPrefix(target, "/") {
		target = "/" + target
	}
	if query := q.query(d); query != "" {
		target += "?" + query
	}
	c.URL = target
	if host := q.Destination.text(nil, "", ""); host != "" && q.Destination.exact() {
		c.URL = q.Scheme.text(nil, "", "http") + "://" + host + target
	}
	for _, h := range slices.Concat(q.Headers, q.HeadMatchers) {
		for _, v := range h.field {
			c.Request.Fields = append(c.Request.Fields, harness.Field{Name: h.name, Value: field{v}.text(d, "head", "")})
		}
	}
	c.Request.Body = []byte(q.Body.text(d, "body", ""))
	c.Derived = d.parts
	return c
}

func (q *request) query(d *derivation) string {
	if old := q.OldQuery.text(d, "query", ""); old != "" {
		return old
	}
	pairs := q.QueryMatchers
	switch {
	case q.Query == nil:
	case isMatcher(q.Query):
		var one field
		if q.Query.Decode(&one) == nil {
			return one.text(d, "query", "")
		}
	default:
		var more named
		if q.Query.Decode(&more) == nil {
			pairs = append(pairs, more...)
		}
	}
	return pairs.encode(d, "query")
}

// derivation collects the parts of a request that are made up.
type derivation struct{ parts []string }

func (d *derivation) add(part string) {
	if d != nil {
		d.parts = append(d.parts, part)
	}
}

// matcher is one way to accept a value.
type matcher struct {
	kind  string // exact, glob, regex, json …
	value *plain.Node
}

// field is the matchers of one value; none accepts anything.
type field []matcher

// oldKinds are the keys of matchers in versions 2 to 4.
var oldKinds = map[string]string{
	"exactMatch": "exact", "globMatch": "glob", "regexMatch": "regex", "jsonMatch": "json", "jsonPartialMatch": "jsonpartial",
	"xmlMatch": "xml", "xpathMatch": "xpath", "jsonPathMatch": "jsonpath",
}

// isMatcher reports whether a node is a matcher and not a map of matchers by name.
func isMatcher(n *plain.Node) bool {
	if n.Kind != plain.Map {
		return true
	}
	for _, m := range n.Members {
		if oldKinds[m.Name] == "" && m.Name != "matcher" {
			return false
		}
	}
	return len(n.Members) > 0
}

// DecodePlain reads a text (version 1), a map of kinds to values (2 to 4), or a list of matchers (5).
func (f *field) DecodePlain(n *plain.Node) error {
	switch {
	case n.Kind == plain.Text:
		*f = append(*f, matcher{"exact", n})
	case n.Kind == plain.List:
		for _, item := range n.Items {
			if err := f.DecodePlain(item); err != nil {
				return err
			}
		}
	case n.Has("matcher"):
		*f = append(*f, matcher{strings.ToLower(n.Get("matcher").TextOr("")), n.Get("value")})
	default:
		for _, m := range n.Members {
			kind := oldKinds[m.Name]
			if kind == "" {
				kind = m.Name
			}
			*f = append(*f, matcher{kind, m.Value})
		}
	}
	return nil
}

func (f field) exact() bool { return len(f) == 1 && f[0].kind == "exact" }

// text is a value that the matchers accept, or otherwise where there are none. What is made up is added to the parts.
func (f field) text(d *derivation, part, otherwise string) string {
	if len(f) == 0 {
		if otherwise != "" {
			d.add(part)
		}
		return otherwise
	}
	if len(f) > 1 {
		d.add(part)
	}
	return f[0].text(d, part)
}

func (m matcher) text(d *derivation, part string) string {
	value := m.value.TextOr("")
	if m.value != nil && (m.value.Kind == plain.List || m.value.Kind == plain.Map) {
		d.add(part)
		return string(m.value.JSON())
	}
	var t pattern.Text
	switch m.kind {
	case "exact":
		t = pattern.Exactly(value)
	case "glob":
		t = pattern.Glob(value)
	case "regex":
		t, _ = pattern.Regexp(value)
	case "json", "jsonpartial", "xml", "xmltemplated":
		t = pattern.Text{Text: value}
	}
	if !t.Exact {
		d.add(part)
	}
	return t.Text
}

// texts are the values of a list that has to be there, or the one value of any other matcher.
func (m matcher) texts(d *derivation, part string) (values []string) {
	if m.kind != "array" || m.value == nil || m.value.Kind != plain.List {
		return []string{m.text(d, part)}
	}
	for _, item := range m.value.Items {
		values = append(values, item.TextOr(""))
	}
	return values
}

// named is fields by the name of a header or parameter.
type named []struct {
	name  string
	field field
}

// DecodePlain reads a map of names to matchers. A list of texts, as in versions 1 to 4, is as many values.
func (q *named) DecodePlain(n *plain.Node) error {
	if n.Kind != plain.Map {
		return n.Errorf("want a map, have %s", n.Kind)
	}
	for _, m := range n.Members {
		one := struct {
			name  string
			field field
		}{name: m.Name}
		if err := m.Value.Decode(&one.field); err != nil {
			return err
		}
		*q = append(*q, one)
	}
	return nil
}

func (q named) encode(d *derivation, part string) string {
	var pairs []string
	for _, p := range q {
		for _, m := range p.field {
			for _, value := range m.texts(d, part) {
				pairs = append(pairs, url.QueryEscape(p.name)+"="+url.QueryEscape(value))
			}
		}
	}
	return strings.Join(pairs, "&")
}
