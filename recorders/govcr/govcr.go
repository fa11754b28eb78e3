// Package govcr reads and writes the files of go-vcr: YAML or JSON of the format versions 1 and 2, which all releases of
// the library up to its fourth write.
//
// go-vcr keeps what a Go client saw: fields sorted by name, no time in version 1, and bodies unpacked when the client's
// transport unpacked them. Package archive says how departures from the wire are made and noted; a request without body
// whose form has values gets the form as its body, sorted by name.
package govcr

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/plain"
	"github.com/rehearse-dev/rehearse/recorders/internal/sniff"
)

// Format reads the files.
var Format = archive.Format{
	Extensions: []string{".yaml", ".yml", ".json"}, Wrote: "a file that go-vcr wrote", Read: read,
	Knows: func(head []byte) bool {
		return sniff.Has(head, "version", "interactions", "interactions[].request.url")
	},
}

type request struct {
	Proto   string       `plain:"proto"`
	Host    string       `plain:"host"`
	Body    string       `plain:"body"`
	Form    plain.Fields `plain:"form"`
	Headers plain.Fields `plain:"headers"`
	URL     string       `plain:"url"`
	Method  string       `plain:"method"`
}

type response struct {
	Proto    string       `plain:"proto"`
	Body     string       `plain:"body"`
	Headers  plain.Fields `plain:"headers"`
	Status   string       `plain:"status"`
	Code     string       `plain:"code"`
	Duration *plain.Node  `plain:"duration"`
}

func read(f *archive.File) error {
	top, err := f.Document()
	if err != nil {
		return err
	}
	var file struct {
		Version      string        `plain:"version"`
		Interactions []*plain.Node `plain:"interactions"`
	}
	if err := top.Decode(&file); err != nil {
		return err
	}
	if file.Version != "1" && file.Version != "2" || !top.Has("interactions") {
		return top.Errorf("want version 1 or 2 and interactions, as go-vcr writes them; version is %.20q", file.Version)
	}
	return f.Each("interaction", file.Interactions, func(n *plain.Node) error { return interaction(f, n) })
}

func interaction(f *archive.File, n *plain.Node) error {
	var x struct {
		Request  *request  `plain:"request"`
		Response *response `plain:"response"`
	}
	if err := n.Decode(&x); err != nil {
		return err
	}
	if x.Request == nil || x.Response == nil {
		return n.Errorf("want a request and a response")
	}
	q, r := x.Request, x.Response
	took, err := duration(r.Duration)
	if err != nil {
		return err
	}
	c := archive.Call{
		Method: q.Method, URL: q.URL, Host: q.Host, Took: took,
		Request:  archive.Half{Proto: q.Proto, Fields: harness.Head(q.Headers), Body: q.body(f)},
		Response: archive.Half{Proto: r.Proto, Fields: harness.Head(r.Headers), Body: []byte(r.Body)},
	}
	if c.Status, err = r.status(); err != nil {
		return n.Get("response").Errorf("%v", err)
	}
	return f.Add(c)
}

func (q *request) body(f *archive.File) []byte {
	if q.Body != "" || len(q.Form) == 0 || q.Method == "" || q.Method == http.MethodGet || q.Method == http.MethodHead {
		return []byte(q.Body)
	}
	f.Note(archive.NoteForm)
	form := url.Values{}
	for _, v := range q.Form {
		form.Add(v.Name, v.Value)
	}
	return []byte(form.Encode())
}

// status is the code, or the number in front of the status line.
func (r *response) status() (int, error) {
	code := r.Code
	if code == "" {
		code, _, _ = strings.Cut(r.Status, " ")
	}
	return archive.Status(code)
}

// duration reads "250ms" as version 1 writes it, or nanoseconds.
func duration(n *plain.Node) (time.Duration, error) {
	if n == nil || n.Text == "" {
		return 0, nil
	}
	if ns, err := strconv.ParseInt(n.Text, 10, 64); err == nil && ns >= 0 {
		return time.Duration(ns), nil
	}
	took, err := time.ParseDuration(n.Text)
	if err != nil || took < 0 {
		return 0, n.Errorf("response duration %.40q is not a duration", n.Text)
	}
	return took, nil
}
