package wiremock

import (
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/pattern"
	"github.com/rehearse-dev/rehearse/recorders/internal/plain"
)

// request is the matcher of a mapping.
type request struct {
	Method          string      `plain:"method"`
	URL             string      `plain:"url"`
	URLPath         string      `plain:"urlPath"`
	URLPattern      string      `plain:"urlPattern"`
	URLPathPattern  string      `plain:"urlPathPattern"`
	URLPathTemplate string      `plain:"urlPathTemplate"`
	PathParameters  named       `plain:"pathParameters"`
	Query           named       `plain:"queryParameters"`
	Headers         named       `plain:"headers"`
	Cookies         named       `plain:"cookies"`
	Host            *matcher    `plain:"host"`
	Basic           *basic      `plain:"basicAuthCredentials"`
	Body            []matcher   `plain:"bodyPatterns"`
	Multipart       *plain.Node `plain:"multipartPatterns"`
	Form            named       `plain:"formParameters"`
	Custom          *plain.Node `plain:"customMatcher"`
}

type basic struct {
	Username string `plain:"username"`
	Password string `plain:"password"`
}

// call makes the request that the matcher accepts.
func (q *request) call(f *archive.File) (c archive.Call, err error) {
	d := &derivation{}
	c.Method = q.Method
	if q.Method == "" || q.Method == "ANY" {
		c.Method = "GET"
		d.add("method")
	}
	c.URL = q.target(d)
	if q.Host != nil {
		c.Host = q.Host.text(d, "head")
	}
	c.Request.Fields = q.fields(d)
	for i := range q.Body {
		if text := q.Body[i].text(d, "body"); c.Request.Body == nil {
			c.Request.Body = []byte(text)
		}
	}
	if len(q.Form) > 0 && len(q.Body) == 0 {
		c.Request.Body = []byte(q.Form.encode(d, "body"))
	}
	if q.Multipart.IsFilled() || q.Custom != nil {
		d.add("body")
	}
	if c.Derived = d.parts; len(d.parts) > 0 {
		f.Note(noteMatcher)
	}
	return c, nil
}

// target is path and query.
func (q *request) target(d *derivation) string {
	target := ""
	switch {
	case q.URL != "":
		return q.URL
	case q.URLPath != "":
		target = q.URLPath
	case q.URLPattern != "":
		target = d.regexp(q.URLPattern, "path")
	case q.URLPathPattern != "":
		target = d.regexp(q.URLPathPattern, "path")
	case q.URLPathTemplate != "":
		target = q.template(d)
	default:
		d.add("path")
	}
	if !strings.HasPrefix(target, "/") {
		target = "/" + target
	}
	if query := q.Query.encode(d, "query"); query != "" {
		target += "?" + query
	}
	return target
}

// template fills the variables of a path: with the value that is asked for, or with their name.
func (q *request) template(d *derivation) string {
	var b strings.Builder
	rest := q.URLPathTemplate
	for {
		before, after, found := strings.Cut(rest, "{")
		b.WriteString(before)
		name, behind, closed := strings.Cut(after, "}")
		if !found || !closed {
			return b.String()
		}
		value := ""
		for _, p := range q.PathParameters {
			if p.name == name {
				value = p.matcher.text(d, "path")
			}
		}
		if value == "" {
			d.add("path")
			value = name
		}
		b.WriteString(url.PathEscape(value))
		rest = behind
	}
}

func (q *request) fields(d *derivation) (head harness.Head) {
	for _, h := range q.Headers {
		if h.matcher.absent() {
			continue
		}
		head = append(head, harness.Field{Name: h.name, Value: h.matcher.text(d, "head")})
	}
	if q.Basic != nil {
		token := base64.StdEncoding.EncodeToString([]byte(q.Basic.Username + ":" + q.Basic.Password))
		head = append(head, harness.Field{Name: "Authorization", Value: "Basic " + token})
	}
	var cookies []string
	for _, c := range q.Cookies {
		if !c.matcher.absent() {
			cookies = append(cookies, c.name+"="+c.matcher.text(d, "head"))
		}
	}
	if len(cookies) > 0 {
		head = append(head, harness.Field{Name: "Cookie", Value: strings.Join(cookies, "; ")})
	}
	return head
}

// derivation collects the parts of a request that are made up.
type derivation struct{ parts []string }

func (d *derivation) add(part string) { d.parts = append(d.parts, part) }

// regexp is a text that the expression accepts; of a dialect that cannot be read there is none.
func (d *derivation) regexp(expr, part string) string {
	t, ok := pattern.Regexp(expr)
	if !ok || !t.Exact {
		d.add(part)
	}
	return t.Text
}

// matcher is one pattern for a value.
type matcher struct{ node *plain.Node }

// DecodePlain takes a map of a matcher's name to its argument, or a text that is meant exactly.
func (m *matcher) DecodePlain(n *plain.Node) error {
	if n.Kind == plain.List {
		return n.Errorf("want a matcher, have a list")
	}
	m.node = n
	return nil
}

func (m matcher) absent() bool { n := m.node.Get("absent"); return n != nil && n.Text == "true" }

// text is a value that the matcher accepts. What is made up is added to the parts.
func (m matcher) text(d *derivation, part string) string {
	if m.node == nil || m.node.Kind == plain.Text {
		return m.node.TextOr("")
	}
	get := func(name string) *plain.Node { return m.node.Get(name) }
	switch {
	case get("equalTo") != nil:
		if n := get("caseInsensitive"); n != nil && n.Text == "true" {
			d.add(part)
		}
		return get("equalTo").TextOr("")
	case get("binaryEqualTo") != nil:
		b, err := base64.StdEncoding.DecodeString(get("binaryEqualTo").TextOr(""))
		if err != nil {
			d.add(part)
		}
		return string(b)
	case get("equalToJson") != nil:
		d.add(part) // members may stand in any order
		if n := get("equalToJson"); n.Kind != plain.Text {
			return string(n.JSON())
		}
		return get("equalToJson").Text
	case get("equalToXml") != nil:
		d.add(part)
		return get("equalToXml").TextOr("")
	case get("matches") != nil:
		return d.regexp(get("matches").TextOr(""), part)
	}
	d.add(part)
	return get("contains").TextOr("")
}

// named is matchers by the name of a header, parameter or cookie.
type named []struct {
	name    string
	matcher matcher
}

// DecodePlain reads a map of names to matchers.
func (q *named) DecodePlain(n *plain.Node) error {
	if n.Kind != plain.Map {
		return n.Errorf("want a map, have %s", n.Kind)
	}
	for _, m := range n.Members {
		one := struct {
			name    string
			matcher matcher
		}{name: m.Name}
		if err := m.Value.Decode(&one.matcher); err != nil {
			return err
		}
		*q = append(*q, one)
	}
	return nil
}

func (q named) encode(d *derivation, part string) string {
	var pairs []string
	for _, p := range q {
		if !p.matcher.absent() {
			pairs = append(pairs, url.QueryEscape(p.name)+"="+url.QueryEscape(p.matcher.text(d, part)))
		}
	}
	return strings.Join(pairs, "&")
}
