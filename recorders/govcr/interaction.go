package govcr

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
	"github.com/rehearse-dev/rehearse/recorders/internal/departure"
)

// converter turns the interactions of one file into exchanges.
type converter struct {
	from, to, session string
	file, place       string
	at                time.Time // of the exchange before
	notes             *departure.Notes
}

func (c *converter) note(k departure.Kind) { c.notes.Add(k, c.place) }

// exchanges reads the top of a file.
func (c *converter) exchanges(top ast.Node) ([]harness.Exchange, error) {
	ms, err := members(top)
	if err != nil {
		return nil, err
	}
	var list []ast.Node
	version, found := "", false
	for _, m := range ms {
		switch m.name {
		case "version":
			version, err = scalar(m.value)
		case "interactions":
			found = true
			list, err = items(m.value)
		}
		if err != nil {
			return nil, err
		}
	}
	if version != "1" && version != "2" || !found {
		return nil, errorAt(top, "want version 1 or 2 and interactions, as go-vcr writes them; version is %.20q", version)
	}
	var out []harness.Exchange
	for i, n := range list {
		c.place = fmt.Sprintf("%s interaction %d", c.file, i)
		x, err := c.exchange(n)
		if err != nil {
			if e, ok := errors.AsType[*lineError](err); ok {
				return nil, &lineError{e.line, fmt.Sprintf("interaction %d: %s", i, e.what)}
			}
			return nil, errorAt(n, "interaction %d: %v", i, err)
		}
		out = append(out, x)
	}
	return out, nil
}

// half is what a request or a response of a file holds.
type half struct {
	node    ast.Node
	text    map[string]string // scalars by key
	headers harness.Head
	form    url.Values
}

// scalars are the keys that are read as text; every other key is left alone.
var scalars = []string{"proto", "body", "url", "method", "host", "status", "code", "duration"}

func readHalf(n ast.Node) (half, error) {
	h := half{node: n, text: map[string]string{}, form: url.Values{}}
	ms, err := members(n)
	if err != nil {
		return h, err
	}
	for _, m := range ms {
		switch {
		case m.name == "headers":
			h.headers, err = fields(m.value)
		case m.name == "form":
			var values harness.Head
			values, err = fields(m.value)
			for _, f := range values {
				h.form.Add(f.Name, f.Value)
			}
		case slices.Contains(scalars, m.name):
			h.text[m.name], err = scalar(m.value)
		}
		if err != nil {
			return h, err
		}
	}
	return h, nil
}

// fields reads a mapping of names to lists of values, in its order.
func fields(n ast.Node) (harness.Head, error) {
	ms, err := members(n)
	if err != nil {
		return nil, err
	}
	var head harness.Head
	for _, m := range ms {
		values, err := items(m.value)
		if err != nil {
			return nil, err
		}
		for _, v := range values {
			text, err := scalar(v)
			if err != nil {
				return nil, err
			}
			head = append(head, harness.Field{Name: m.name, Value: text})
		}
	}
	return head, nil
}

func checkFields(n ast.Node, head harness.Head) error {
	for _, f := range head {
		if f.Name == "" || f.IsPseudo() || strings.ContainsAny(f.Name, " \r\n\x00") || strings.ContainsAny(f.Value, "\r\n\x00") {
			return errorAt(n, "field %.40q is not a header field", f.Name)
		}
	}
	return nil
}

func (c *converter) exchange(n ast.Node) (harness.Exchange, error) {
	x := harness.Exchange{Session: c.session, Channel: harness.ChannelHTTP, From: c.from, To: c.to}
	ms, err := members(n)
	if err != nil {
		return x, err
	}
	var q, r half
	for _, m := range ms {
		switch m.name {
		case "request":
			q, err = readHalf(m.value)
		case "response":
			r, err = readHalf(m.value)
		}
		if err != nil {
			return x, err
		}
	}
	if q.node == nil || r.node == nil {
		return x, errorAt(n, "want a request and a response")
	}
	if err := c.request(&x, q); err != nil {
		return x, err
	}
	if err := c.response(&x, r); err != nil {
		return x, err
	}
	return x, c.time(&x, r)
}

func (c *converter) request(x *harness.Exchange, q half) error {
	u, err := url.Parse(q.text["url"])
	if err != nil || u.Host == "" && q.text["host"] == "" {
		return errorAt(q.node, "request url %.80q is not absolute", q.text["url"])
	}
	method := q.text["method"]
	if method == "" {
		method = http.MethodGet // as net/http understands it
	}
	if strings.ContainsAny(method, " \t\r\n") {
		return errorAt(q.node, "request method %.20q is not a method", method)
	}
	if err := checkFields(q.node, q.headers); err != nil {
		return err
	}
	head := withProto(harness.Head{{Name: harness.FieldMethod, Value: method}, {Name: harness.FieldPath, Value: targetOf(q.text["url"])}}, q)
	if host := cmp.Or(q.text["host"], u.Host); !q.headers.Has("Host") {
		if q.text["host"] == "" {
			c.note(departure.Host)
		}
		head = append(head, harness.Field{Name: "Host", Value: host})
	}
	body := []byte(q.text["body"])
	if len(body) == 0 && len(q.form) > 0 && method != http.MethodGet && method != http.MethodHead {
		c.note(noteForm)
		body = []byte(q.form.Encode())
	}
	x.Request = c.message(append(head, q.headers...), body)
	if x.To == "" {
		host := url.URL{Host: strings.ToLower(cmp.Or(u.Host, q.text["host"]))}
		x.To = host.Hostname()
	}
	return nil
}

// targetOf is path and query of a URL as written.
func targetOf(raw string) string {
	raw, _, _ = strings.Cut(raw, "#")
	if _, rest, absolute := strings.Cut(raw, "://"); absolute {
		raw = rest
		if i := strings.IndexAny(raw, "/?"); i >= 0 {
			raw = raw[i:]
		} else {
			raw = ""
		}
	}
	if !strings.HasPrefix(raw, "/") {
		raw = "/" + raw
	}
	return raw
}

func withProto(head harness.Head, h half) harness.Head {
	if proto := h.text["proto"]; proto != "" {
		return append(head, harness.Field{Name: harness.FieldProto, Value: proto})
	}
	return head
}

func (c *converter) response(x *harness.Exchange, r half) error {
	code := r.text["code"]
	if code == "" {
		code, _, _ = strings.Cut(r.text["status"], " ")
	}
	status, err := strconv.Atoi(code)
	if err != nil || status < 100 || status > 999 {
		return errorAt(r.node, "response code %.20q is not a number of three digits", code)
	}
	if err := checkFields(r.node, r.headers); err != nil {
		return err
	}
	head := append(withProto(harness.Head{{Name: harness.FieldStatus, Value: strconv.Itoa(status)}}, r), r.headers...)
	x.Response = c.message(head, []byte(r.text["body"]))
	return nil
}

// time sets when the exchange began and how long it took.
func (c *converter) time(x *harness.Exchange, r half) error {
	if s := r.text["duration"]; s != "" {
		took, err := time.ParseDuration(s)
		if ns, numberErr := strconv.ParseInt(s, 10, 64); numberErr == nil {
			took, err = time.Duration(ns), nil
		}
		if err != nil || took < 0 {
			return errorAt(r.node, "response duration %.40q is not a duration", s)
		}
		x.Took = took
	}
	if date, err := http.ParseTime(r.headers.Get("Date")); err == nil {
		c.at = date.UTC().Add(-x.Took)
	} else {
		c.note(noteTime)
	}
	x.At = c.at
	return nil
}

// message puts head and body together so that they agree.
func (c *converter) message(head harness.Head, body []byte) harness.Message {
	head = departure.Settle(head, body, payload.Unpack, c.note)
	media, _, _ := strings.Cut(head.Get("Content-Type"), ";")
	return harness.Message{Head: head, Media: strings.ToLower(strings.TrimSpace(media)), Body: harness.BytesBody(body)}
}
