// Package vcr reads the files of VCR and of the libraries that follow it: Ruby VCR and betamax (YAML and JSON), vcrpy
// (YAML and JSON) and php-vcr (YAML and JSON).
//
// Files are plain data: no tag of a program is obeyed, and ERB in a file of Ruby VCR is text. Bodies are the text that
// stands there, decoded where it is marked as base64 or binary. Package archive says how departures from the wire are
// made and noted.
package vcr

import (
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/departure"
	"github.com/rehearse-dev/rehearse/recorders/internal/plain"
	"github.com/rehearse-dev/rehearse/recorders/internal/sniff"
)

// Ruby reads the files of Ruby VCR and of betamax.
var Ruby = archive.Format{
	Extensions: []string{".yml", ".yaml", ".json"}, Wrote: "a file that Ruby VCR or betamax wrote",
	Knows: func(head []byte) bool { return sniff.Has(head, "http_interactions") },
	Read:  func(f *archive.File) error { return read(f, "http_interactions") },
}

// Python reads the files of vcrpy.
var Python = archive.Format{
	Extensions: []string{".yaml", ".yml", ".json"}, Wrote: "a file that vcrpy wrote",
	Knows: func(head []byte) bool { return sniff.Has(head, "interactions[].request.uri") },
	Read:  func(f *archive.File) error { return read(f, "interactions") },
}

// Departures from the wire that only these formats have.
const (
	noteERB      departure.Kind = "exchanges: ERB was not run and stands as text"
	noteRecorded departure.Kind = "exchanges: the file tells when they were written, not when the request began"
)

// interaction is one record of Ruby VCR, betamax or vcrpy.
type interaction struct {
	Request struct {
		Method  string       `plain:"method"`
		URI     string       `plain:"uri"`
		Body    body         `plain:"body"`
		Headers plain.Fields `plain:"headers"`
	} `plain:"request"`
	Response struct {
		Status struct {
			Code string `plain:"code"`
		} `plain:"status"`
		StatusCode string       `plain:"status_code"` // vcrpy, for httpx
		Headers    plain.Fields `plain:"headers"`
		Body       body         `plain:"body"`
		Content    body         `plain:"content"` // vcrpy, for httpx
		Version    string       `plain:"http_version"`
	} `plain:"response"`
	RecordedAt string `plain:"recorded_at"`
}

// read reads a map that has the list of records under a key.
func read(f *archive.File, key string) error {
	top, err := f.Document()
	if err != nil {
		return err
	}
	var records []*plain.Node
	if !top.Has(key) {
		return top.Errorf("no %s", key)
	}
	if err := top.Get(key).Decode(&records); err != nil {
		return err
	}
	return f.Each("interaction", records, func(n *plain.Node) error { return readInteraction(f, n) })
}

func readInteraction(f *archive.File, n *plain.Node) error {
	var x interaction
	if !n.Has("request") || !n.Has("response") {
		return n.Errorf("want a request and a response")
	}
	if err := n.Decode(&x); err != nil {
		return err
	}
	q, r := x.Request, x.Response
	code := r.Status.Code + r.StatusCode
	status, err := archive.Status(code)
	if err != nil {
		return n.Get("response").Errorf("%v", err)
	}
	c := archive.Call{
		Method: q.Method, URL: q.URI, Status: status,
		Request:  archive.Half{Fields: harness.Head(q.Headers), Body: q.Body},
		Response: archive.Half{Proto: protoOf(r.Version), Fields: harness.Head(r.Headers), Body: append(r.Body, r.Content...)},
	}
	if c.At, err = recordedAt(x.RecordedAt); err != nil {
		return n.Get("recorded_at").Errorf("%v", err)
	}
	if !c.At.IsZero() {
		f.Note(noteRecorded)
	}
	for _, text := range []string{q.URI, string(q.Body), string(c.Response.Body)} {
		if strings.Contains(text, "<%=") {
			f.Note(noteERB)
			break
		}
	}
	return f.Add(c)
}

// protoOf is the protocol of a version, which tools write as 1.1, HTTP/1.1 or HTTP/2.
func protoOf(version string) string {
	if version == "" || strings.HasPrefix(version, "HTTP/") {
		return version
	}
	return "HTTP/" + version
}

// layouts of recorded_at: Ruby VCR writes the date of HTTP, betamax ISO 8601 without a zone, which is UTC.
var layouts = []string{http.TimeFormat, time.RFC1123, time.RFC1123Z, time.RFC3339Nano, "2006-01-02T15:04:05"}

func recordedAt(s string) (t time.Time, err error) {
	if s == "" {
		return t, nil
	}
	for _, layout := range layouts {
		if t, err = time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return t, err
}

// body is a text, or a map that holds one under string or base64_string.
type body []byte

// DecodePlain reads the body.
func (b *body) DecodePlain(n *plain.Node) error {
	if n.Kind == plain.Text {
		*b = body(n.Text)
		return nil
	}
	var m struct {
		Text   *plain.Node `plain:"string"`
		Base64 *plain.Node `plain:"base64_string"`
	}
	if err := n.Decode(&m); err != nil {
		return err
	}
	if m.Base64 == nil {
		if m.Text == nil {
			return nil
		}
		var s string
		err := m.Text.Decode(&s)
		*b = body(s)
		return err
	}
	decoded, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(m.Base64.Text), ""))
	if err != nil {
		return m.Base64.Errorf("decode base64_string: %v", err)
	}
	*b = decoded
	return nil
}
