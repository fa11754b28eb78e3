// Package wiremock reads and writes stub mappings of WireMock: one or several in a JSON file, with bodies in a folder
// __files beside the folder mappings.
//
// A mapping is an answer and a matcher, and no traffic. The request is what the matcher accepts: an exact URL, method,
// header and body are taken, and what only a pattern tells is made up and listed in the field :derived. What a mapping
// says beyond one request and its answer (states of scenarios, priorities, actions behind an answer) is counted in notes.
package wiremock

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/departure"
	"github.com/rehearse-dev/rehearse/recorders/internal/plain"
	"github.com/rehearse-dev/rehearse/recorders/internal/sniff"
)

// Format reads mappings.
var Format = archive.Format{
	Extensions: []string{".json"}, Skip: []string{filesFolder}, Wrote: "a file of WireMock mappings", Read: read,
	Knows: func(head []byte) bool {
		return sniff.Has(head, "mappings[].request") || sniff.Has(head, "request", "response") &&
			slices.ContainsFunc(ownKeys, func(key string) bool { return sniff.Has(head, key) })
	},
}

// ownKeys tell a mapping from what else has a request and a response.
var ownKeys = []string{"request.method", "request.url", "request.urlPath", "request.urlPattern", "request.urlPathPattern", "request.urlPathTemplate"}

// Folders of WireMock.
const (
	filesFolder    = "__files"
	mappingsFolder = "mappings"
)

// Departures that only this format has.
const (
	noteMatcher  departure.Kind = "matchers: accept more than one request, or are not known here; one request that fits was made"
	noteTemplate departure.Kind = "answers: hold templates, which stand as text"
	noteState    departure.Kind = "mappings: depend on the state of a scenario; only their order is kept"
	notePriority departure.Kind = "mappings: have a priority, which is not kept"
	noteActions  departure.Kind = "mappings: call others after the answer, which is not kept"
	noteDelay    departure.Kind = "answers: are delayed by a distribution or in pieces; only a fixed delay is kept"
	noteFile     departure.Kind = "answers: the file of the body is not there; the exchange is incomplete"
	noteProxied  departure.Kind = "answers: come from another system; the exchange is incomplete"
	noteMessages departure.Kind = "files: message stubs of web sockets were left out"
	noteCompact  departure.Kind = "answers: jsonBody was written without white space"
)

// mapping is one stub.
type mapping struct {
	Request  *request    `plain:"request"`
	Response *response   `plain:"response"`
	Priority string      `plain:"priority"`
	Scenario string      `plain:"scenarioName"`
	Required string      `plain:"requiredScenarioState"`
	New      string      `plain:"newScenarioState"`
	Actions  *plain.Node `plain:"postServeActions"`
	Events   *plain.Node `plain:"serveEventListeners"`
	Metadata struct {
		Ours origin `plain:"rehearse"`
	} `plain:"metadata"`
}

type response struct {
	Status       string       `plain:"status"`
	Headers      plain.Fields `plain:"headers"`
	Body         string       `plain:"body"`
	JSON         *plain.Node  `plain:"jsonBody"`
	Base64       *string      `plain:"base64Body"`
	File         string       `plain:"bodyFileName"`
	FixedDelay   int          `plain:"fixedDelayMilliseconds"`
	Delay        *plain.Node  `plain:"delayDistribution"`
	Dribble      *plain.Node  `plain:"chunkedDribbleDelay"`
	Fault        string       `plain:"fault"`
	Proxy        string       `plain:"proxyBaseUrl"`
	Transformers []string     `plain:"transformers"`
}

func read(f *archive.File) error {
	top, err := f.Document()
	if err != nil {
		return err
	}
	mappings := []*plain.Node{top}
	switch {
	case top.Has(mappingsFolder):
		if err := top.Get(mappingsFolder).Decode(&mappings); err != nil {
			return err
		}
	case top.Has("trigger") && top.Has("actions"):
		f.Note(noteMessages)
		return nil
	}
	return f.Each("mapping", mappings, func(n *plain.Node) error { return readMapping(f, n) })
}

func readMapping(f *archive.File, n *plain.Node) error {
	var m mapping
	if err := n.Decode(&m); err != nil {
		return err
	}
	if m.Request == nil || m.Response == nil {
		return n.Errorf("want a request and a response, as WireMock writes them")
	}
	m.note(f)
	c, err := m.Request.call(f)
	if err != nil {
		return n.Get("request").Errorf("%v", err)
	}
	if err := m.Metadata.Ours.fill(&c); err != nil {
		return n.Get("metadata").Errorf("%v", err)
	}
	if err := m.Response.answer(f, &c); err != nil {
		return n.Get("response").Errorf("%v", err)
	}
	return f.Add(c)
}

// fill takes over what an export of ours wrote down.
func (o origin) fill(c *archive.Call) (err error) {
	c.Host, c.Session = cmp.Or(c.Host, o.Host), o.Session
	if o.At != "" {
		c.At, err = time.Parse(time.RFC3339Nano, o.At)
	}
	return err
}

// note counts what a mapping says beyond its request and its answer.
func (m *mapping) note(f *archive.File) {
	r := m.Response
	for _, n := range []struct {
		kind    departure.Kind
		present bool
	}{
		{noteState, m.Scenario != "" || m.Required != "" || m.New != ""},
		{notePriority, m.Priority != ""},
		{noteActions, m.Actions.IsFilled() || m.Events.IsFilled()},
		{noteDelay, r.Delay != nil || r.Dribble != nil},
		{noteTemplate, len(r.Transformers) > 0 || strings.Contains(r.Body+r.File, "{{")},
	} {
		if n.present {
			f.Note(n.kind)
		}
	}
}

// answer fills the half of the answer.
func (r *response) answer(f *archive.File, c *archive.Call) (err error) {
	if r.Status == "" {
		r.Status = "200"
	}
	if c.Status, err = archive.Status(r.Status); err != nil {
		return err
	}
	c.Took = time.Duration(max(r.FixedDelay, 0)) * time.Millisecond
	c.Response.Fields = harness.Head(r.Headers)
	switch {
	case r.Fault != "":
		c.Status, c.Response = 0, archive.Half{}
		c.Fault = &harness.Fault{Kind: harness.FaultReset, Detail: "the mapping answers with a fault"}
		return nil
	case r.Proxy != "":
		f.Note(noteProxied)
		c.Status, c.Response = 0, archive.Half{}
		c.Fault = &harness.Fault{Kind: harness.FaultTruncated, Detail: "the mapping passes the request on to another system"}
		return nil
	case r.File != "":
		return r.fileBody(f, c)
	case r.Base64 != nil:
		c.Response.Body, err = base64.StdEncoding.DecodeString(*r.Base64)
		if err != nil {
			return fmt.Errorf("decode base64Body: %w", err)
		}
	case r.JSON != nil:
		c.Response.Body, c.Response.Media = r.JSON.JSON(), "application/json"
		f.Note(noteCompact)
	default:
		c.Response.Body = []byte(r.Body)
	}
	return nil
}

// fileBody reads the body from the folder __files that stands beside the folder mappings. Its name never leads out of
// there.
func (r *response) fileBody(f *archive.File, c *archive.Call) error {
	root := f.Name
	for path.Base(root) != mappingsFolder && root != "." && root != "/" {
		root = path.Dir(root)
	}
	name := path.Join(path.Dir(root), filesFolder, path.Clean("/"+r.File))
	body, err := f.Beside(name)
	if err != nil {
		f.Note(noteFile)
		c.Fault = &harness.Fault{Kind: harness.FaultTruncated, Detail: "the file of the body is not there"}
		return nil
	}
	c.Response.Body = body
	return nil
}
