package postman

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/plain"
)

// request is what Postman sends.
type request struct {
	Method string  `plain:"method"`
	URL    address `plain:"url"`
	Header headers `plain:"header"`
	Body   *body   `plain:"body"`
	Auth   *auth   `plain:"auth"`
}

// call makes the request of an item; a text is a URL to get.
func (w *collection) call(n *plain.Node, inherited *auth) (archive.Call, error) {
	q := request{}
	var err error
	if n.Kind == plain.Text {
		err = n.Decode(&q.URL)
	} else {
		err = n.Decode(&q)
	}
	if err != nil {
		return archive.Call{}, err
	}
	c := archive.Call{Method: w.fill(q.Method), URL: w.target(q.URL)}
	for _, h := range q.Header {
		if h.off {
			w.file.Note(noteDisabled)
			continue
		}
		c.Request.Fields = append(c.Request.Fields, harness.Field{Name: w.fill(h.Key), Value: w.fill(h.Value)})
	}
	if q.Auth == nil {
		q.Auth = inherited
	}
	q.Auth.apply(w, &c)
	if q.Body != nil {
		w.body(q.Body, &c)
	}
	w.noteVariables(q.URL.raw, &c)
	return c, nil
}

// noteVariables counts a call that holds a variable which nobody set.
func (w *collection) noteVariables(address string, c *archive.Call) {
	texts := []string{w.fill(address), string(c.Request.Body)}
	for _, f := range c.Request.Fields {
		texts = append(texts, f.Value)
	}
	if slices.ContainsFunc(texts, variables.MatchString) {
		w.file.Note(noteVariable)
	}
}

// variables are written as {{name}}.
var variables = regexp.MustCompile(`\{\{[^{}]*\}\}`)

// fill puts the variables of the collection in.
func (w *collection) fill(s string) string {
	if !strings.Contains(s, "{{") {
		return s
	}
	return variables.ReplaceAllStringFunc(s, func(name string) string {
		if value, ok := w.variables[name[2:len(name)-2]]; ok {
			return value
		}
		return name
	})
}

// target is the URL to send to. A host that is a variable which nobody set is no host.
func (w *collection) target(a address) string {
	raw := w.fill(a.raw)
	for _, v := range a.path {
		raw = strings.Replace(raw, "/:"+v.Key+v.ID, "/"+w.fill(v.Value), 1)
	}
	scheme, rest, absolute := strings.Cut(raw, "://")
	if !absolute {
		scheme, rest = "http", raw
	}
	if host, path, _ := strings.Cut(rest, "/"); host == "" || strings.Contains(host, "{{") {
		return "/" + path
	}
	return scheme + "://" + rest
}

// address is a URL: a text, or a map with the text and its parts.
type address struct {
	raw  string
	path []variable // values of :name in the path
}

// DecodePlain reads the URL. Its text is taken where there is one: it holds what was typed.
func (a *address) DecodePlain(n *plain.Node) error {
	if n.Kind == plain.Text {
		a.raw = n.Text
		return nil
	}
	var m struct {
		Raw      string      `plain:"raw"`
		Protocol string      `plain:"protocol"`
		Host     plain.Texts `plain:"host"`
		Port     string      `plain:"port"`
		Path     *plain.Node `plain:"path"`
		Query    []pair      `plain:"query"`
		Variable []variable  `plain:"variable"`
	}
	if err := n.Decode(&m); err != nil {
		return err
	}
	if a.raw, a.path = m.Raw, m.Variable; a.raw != "" {
		return nil
	}
	if m.Protocol != "" {
		a.raw = m.Protocol + "://"
	}
	a.raw += strings.Join(m.Host, ".")
	if m.Port != "" {
		a.raw += ":" + m.Port
	}
	a.raw += "/" + strings.TrimPrefix(pathOf(m.Path), "/")
	for i, q := range m.Query {
		a.raw += map[bool]string{true: "?", false: "&"}[i == 0] + q.Key + "=" + q.Value
	}
	return nil
}

// pathOf joins the segments of a path, which are texts or maps with a value.
func pathOf(n *plain.Node) string {
	if n == nil {
		return ""
	}
	if n.Kind == plain.Text {
		return n.Text
	}
	var segments []string
	for _, s := range n.Items {
		segments = append(segments, s.TextOr(s.Get("value").TextOr("")))
	}
	return strings.Join(segments, "/")
}

// pair is a name and a value that can be switched off.
type pair struct {
	Key      string      `plain:"key"`
	Value    string      `plain:"value"`
	Disabled *plain.Node `plain:"disabled"`
	Kind     string      `plain:"type"` // of a part of a form: text or file

	off bool
}

// DecodePlain reads the pair.
func (p *pair) DecodePlain(n *plain.Node) error {
	type members pair
	err := n.Decode((*members)(p))
	p.off = p.Disabled.TextOr("") == "true"
	return err
}

// headers are a list of pairs, or a text with one header a line.
type headers []pair

// DecodePlain reads the headers.
func (h *headers) DecodePlain(n *plain.Node) error {
	if n.Kind != plain.Text {
		return n.Decode((*[]pair)(h))
	}
	for line := range strings.Lines(n.Text) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), ":"); found {
			*h = append(*h, pair{Key: strings.TrimSpace(name), Value: strings.TrimSpace(value)})
		}
	}
	return nil
}

func (h headers) head() (head harness.Head) {
	for _, p := range h {
		if !p.off {
			head = append(head, harness.Field{Name: p.Key, Value: p.Value})
		}
	}
	return head
}

// body is one of several ways to write one.
type body struct {
	Mode       string      `plain:"mode"`
	Raw        string      `plain:"raw"`
	URLEncoded []pair      `plain:"urlencoded"`
	FormData   []pair      `plain:"formdata"`
	GraphQL    *graphQL    `plain:"graphql"`
	File       *plain.Node `plain:"file"`
}

type graphQL struct {
	Query     string `plain:"query"`
	Variables string `plain:"variables"` // JSON
}

// boundary parts forms. It is the same every time, so that an import is.
const boundary = "rehearse-form-boundary"

func (w *collection) body(b *body, c *archive.Call) {
	media := ""
	switch b.Mode {
	case "raw":
		c.Request.Body = []byte(w.fill(b.Raw))
	case "urlencoded":
		media = "application/x-www-form-urlencoded"
		var pairs []string
		for _, p := range w.on(b.URLEncoded) {
			pairs = append(pairs, url.QueryEscape(w.fill(p.Key))+"="+url.QueryEscape(w.fill(p.Value)))
		}
		c.Request.Body = []byte(strings.Join(pairs, "&"))
	case "formdata":
		media = "multipart/form-data; boundary=" + boundary
		c.Request.Body = w.form(b.FormData, c)
	case "graphql":
		media = "application/json"
		if b.GraphQL != nil {
			c.Request.Body = b.GraphQL.json(w)
		}
	case "file":
		if c.Request.Body = []byte(b.File.Get("content").TextOr("")); len(c.Request.Body) == 0 {
			w.missingUpload(c)
		}
	}
	if media != "" && len(c.Request.Body) > 0 && !c.Request.Fields.Has("Content-Type") {
		c.Request.Fields = append(c.Request.Fields, harness.Field{Name: "Content-Type", Value: media})
	}
}

func (w *collection) missingUpload(c *archive.Call) {
	w.file.Note(noteUpload)
	c.Fault = &harness.Fault{Kind: harness.FaultTruncated, Detail: "the collection does not hold the file that is uploaded"}
}

// on are the pairs that are not switched off.
func (w *collection) on(pairs []pair) (on []pair) {
	for _, p := range pairs {
		if p.off {
			w.file.Note(noteDisabled)
			continue
		}
		on = append(on, p)
	}
	return on
}

func (w *collection) form(pairs []pair, c *archive.Call) []byte {
	pairs = w.on(pairs)
	if len(pairs) == 0 {
		return nil
	}
	w.file.Note(noteBoundary)
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	form.SetBoundary(boundary) //nolint:errcheck // it is a valid one
	for _, p := range pairs {
		if p.Kind == "file" {
			w.missingUpload(c)
			continue
		}
		form.WriteField(w.fill(p.Key), w.fill(p.Value)) //nolint:errcheck // a buffer takes everything
	}
	form.Close() //nolint:errcheck // as above
	return b.Bytes()
}

func (g *graphQL) json(w *collection) []byte {
	type message struct {
		Query     string          `json:"query"`
		Variables json.RawMessage `json:"variables,omitempty"`
	}
	m := message{Query: w.fill(g.Query)}
	if v := []byte(w.fill(g.Variables)); json.Valid(v) {
		m.Variables = v
	}
	b, _ := json.Marshal(m)
	return b
}
