// Package postman reads and writes collections of Postman, formats 2.0 and 2.1.
//
// A saved example is an exchange: the request that it was saved with, and its answer. A request without an example has no
// answer, so its exchange is incomplete. Variables of the collection are filled in; others stay as {{name}}, in the host
// too, where no host is then known. Scripts do not run, and authorization is written only where it is a header that the
// collection spells out (basic, bearer, API key). Examples are often written by hand, which no file tells.
package postman

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/departure"
	"github.com/rehearse-dev/rehearse/recorders/internal/plain"
	"github.com/rehearse-dev/rehearse/recorders/internal/sniff"
)

// Format reads collections.
var Format = archive.Format{
	Extensions: []string{".json"}, Wrote: "a collection of Postman, exported as Collection v2.1", Read: read,
	Knows: func(head []byte) bool {
		return sniff.Has(head, "item") && (sniff.Has(head, "info.schema") || knowsItems(head))
	},
}

func knowsItems(head []byte) bool {
	return sniff.Has(head, "item[].request") || sniff.Has(head, "item[].item")
}

// Departures that only this format has.
const (
	noteUnanswered departure.Kind = "requests: have no saved example; the exchange is incomplete"
	noteScripts    departure.Kind = "items: have scripts, which do not run"
	noteVariable   departure.Kind = "requests: hold variables that the collection does not set; they stand as {{name}}"
	noteAuth       departure.Kind = "requests: are authorized in a way that is not written here"
	noteDisabled   departure.Kind = "requests: have parts that are switched off, which are left out"
	noteUpload     departure.Kind = "requests: upload files that the collection does not hold; the exchange is incomplete"
	noteBoundary   departure.Kind = "requests: the form was written with a boundary of our own"
)

// item is a folder or a request.
type item struct {
	Name     string      `plain:"name"`
	Items    *plain.Node `plain:"item"`
	Request  *plain.Node `plain:"request"`
	Examples []example   `plain:"response"`
	Auth     *auth       `plain:"auth"`
	Events   *plain.Node `plain:"event"`
}

// example is a saved answer.
type example struct {
	Request *plain.Node `plain:"originalRequest"`
	Code    string      `plain:"code"`
	Header  headers     `plain:"header"`
	Body    string      `plain:"body"`
	Took    string      `plain:"responseTime"` // milliseconds
}

// collection walks the items of a file.
type collection struct {
	file      *archive.File
	variables map[string]string
	count     int // requests so far
}

func read(f *archive.File) error {
	top, err := f.Document()
	if err != nil {
		return err
	}
	var c struct {
		Info struct {
			Schema string `plain:"schema"`
		} `plain:"info"`
		Items     *plain.Node `plain:"item"`
		Variables []variable  `plain:"variable"`
		Old       *plain.Node `plain:"variables"`
		Auth      *auth       `plain:"auth"`
		Events    *plain.Node `plain:"event"`
	}
	if err := top.Decode(&c); err != nil {
		return err
	}
	if c.Items == nil || c.Info.Schema != "" && !strings.Contains(c.Info.Schema, "/v2.") {
		return top.Errorf("want the items of a collection in format 2.0 or 2.1; its schema is %.80q", c.Info.Schema)
	}
	w := &collection{file: f, variables: map[string]string{}}
	for _, v := range c.Variables {
		w.variables[v.Key+v.ID] = v.Value
	}
	if c.Events.IsFilled() {
		f.Note(noteScripts)
	}
	return w.items(c.Items, f.Session, c.Auth)
}

// items reads a folder. Its requests are a session.
func (w *collection) items(list *plain.Node, session string, inherited *auth) error {
	if list.Kind != plain.List {
		return list.Errorf("item: want a list, have %s", list.Kind)
	}
	for _, n := range list.Items {
		if err := w.file.Err(); err != nil {
			return err
		}
		var it item
		if err := n.Decode(&it); err != nil {
			return plain.Below(fmt.Sprintf("item %d", w.count), err)
		}
		if it.Auth == nil {
			it.Auth = inherited
		}
		if it.Events.IsFilled() {
			w.file.Note(noteScripts)
		}
		var err error
		switch {
		case it.Items != nil:
			err = w.items(it.Items, session+"/"+it.Name, it.Auth)
		case it.Request != nil:
			err = w.file.One(fmt.Sprintf("item %d", w.count), n, func(*plain.Node) error { return w.request(it, session) })
			w.count++
		default:
			err = n.Errorf("want a request or items")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// request adds an exchange for each example, or one without an answer.
func (w *collection) request(it item, session string) error {
	if len(it.Examples) == 0 {
		w.file.Note(noteUnanswered)
		c, err := w.call(it.Request, it.Auth)
		if err != nil {
			return err
		}
		c.Session = session
		c.Fault = &harness.Fault{Kind: harness.FaultTruncated, Detail: "the collection has no answer to this request"}
		return w.file.Add(c)
	}
	for _, e := range it.Examples {
		sent := it.Request
		if e.Request != nil && e.Request.Kind != plain.Null {
			sent = e.Request
		}
		c, err := w.call(sent, it.Auth)
		if err != nil {
			return err
		}
		c.Session = session
		if err := e.answer(&c); err != nil {
			return err
		}
		if err := w.file.Add(c); err != nil {
			return err
		}
	}
	return nil
}

func (e *example) answer(c *archive.Call) (err error) {
	if e.Code == "" {
		e.Code = "200"
	}
	if c.Status, err = archive.Status(e.Code); err != nil {
		return err
	}
	if ms, err := strconv.ParseFloat(e.Took, 64); err == nil && ms > 0 && ms < 1e9 {
		c.Took = time.Duration(ms * float64(time.Millisecond))
	}
	c.Response = archive.Half{Fields: e.Header.head(), Body: []byte(e.Body)}
	return nil
}

// auth is how requests are authorized.
type auth struct {
	kind       string
	parameters map[string]string
}

// DecodePlain reads the type, and its parameters as a list (2.1) or a map (2.0).
func (a *auth) DecodePlain(n *plain.Node) error {
	if n.Kind != plain.Map {
		return n.Errorf("want a map, have %s", n.Kind)
	}
	a.kind, a.parameters = n.Get("type").TextOr(""), map[string]string{}
	p := n.Get(a.kind)
	if p == nil {
		return nil
	}
	for _, m := range p.Members {
		a.parameters[m.Name] = m.Value.TextOr("")
	}
	for _, item := range p.Items {
		a.parameters[item.Get("key").TextOr("")] = item.Get("value").TextOr("")
	}
	return nil
}

// apply writes the authorization into the call.
func (a *auth) apply(w *collection, c *archive.Call) {
	if a == nil || a.kind == "" || a.kind == "noauth" || c.Request.Fields.Has("Authorization") {
		return
	}
	get := func(name string) string { return w.fill(a.parameters[name]) }
	add := func(name, value string) {
		c.Request.Fields = append(c.Request.Fields, harness.Field{Name: name, Value: value})
	}
	switch a.kind {
	case "basic":
		add("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(get("username")+":"+get("password"))))
	case "bearer":
		add("Authorization", "Bearer "+get("token"))
	case "apikey":
		if a.parameters["in"] == "query" {
			separator := "?"
			if strings.Contains(c.URL, "?") {
				separator = "&"
			}
			c.URL += separator + get("key") + "=" + get("value")
			return
		}
		add(get("key"), get("value"))
	default:
		w.file.Note(noteAuth)
	}
}

// variable is a name and a value, of a collection or of a URL.
type variable struct {
	Key   string `plain:"key"`
	ID    string `plain:"id"`
	Value string `plain:"value"`
}
