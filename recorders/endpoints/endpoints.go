// Package endpoints reads the small JSON files in which client libraries keep the answers for their tests: a map, or a
// list, of records with method, endpoint, data, status_code and headers, as the Canvas client of Python has them.
//
// Data is the body: JSON as it was written, without white space. The request has no body, for the files have none. A
// record without a status was answered with 200; one whose method is ANY is taken as GET, which the field :derived says.
package endpoints

import (
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/departure"
	"github.com/rehearse-dev/rehearse/recorders/internal/plain"
	"github.com/rehearse-dev/rehearse/recorders/internal/sniff"
)

// Format reads the files.
var Format = archive.Format{
	Extensions: []string{".json"}, Wrote: "a JSON file of records with method, endpoint, data, status_code and headers", Read: read,
	Knows: func(head []byte) bool {
		return sniff.Has(head, "*.endpoint", "*.method") || sniff.Has(head, "[].endpoint", "[].method")
	},
}

// Departures that only this format has.
const (
	noteRequest departure.Kind = "requests: the file holds neither their head nor their body"
	noteCompact departure.Kind = "answers: data was written without white space"
	noteStatus  departure.Kind = "answers: the file holds no status; 200 was taken"
)

func read(f *archive.File) error {
	top, err := f.Document()
	if err != nil {
		return err
	}
	if top.Kind == plain.List {
		return f.Each("record", top.Items, func(n *plain.Node) error { return readRecord(f, n) })
	}
	if top.Kind != plain.Map {
		return top.Errorf("want a map or a list of records, have %s", top.Kind)
	}
	records := make([]*plain.Node, len(top.Members))
	for i, m := range top.Members {
		records[i] = m.Value
	}
	return f.Each("record", records, func(n *plain.Node) error { return readRecord(f, n) })
}

func readRecord(f *archive.File, n *plain.Node) error {
	var r struct {
		Method   string       `plain:"method"`
		Endpoint string       `plain:"endpoint"`
		Data     *plain.Node  `plain:"data"`
		Status   string       `plain:"status_code"`
		Headers  plain.Fields `plain:"headers"`
	}
	if err := n.Decode(&r); err != nil {
		return err
	}
	if !n.Has("endpoint") || r.Method == "" {
		return n.Errorf("want a method and an endpoint")
	}
	c := archive.Call{Method: r.Method, URL: r.Endpoint, Response: archive.Half{Fields: harness.Head(r.Headers)}}
	if !strings.HasPrefix(c.URL, "/") && !strings.Contains(c.URL, "://") {
		c.URL = "/" + c.URL
	}
	if strings.EqualFold(r.Method, "ANY") {
		c.Method, c.Derived = "GET", []string{"method"}
	}
	f.Note(noteRequest)
	if r.Status == "" {
		f.Note(noteStatus)
		r.Status = "200"
	}
	var err error
	if c.Status, err = archive.Status(r.Status); err != nil {
		return n.Errorf("%v", err)
	}
	if r.Data != nil {
		f.Note(noteCompact)
		c.Response.Body, c.Response.Media = r.Data.JSON(), "application/json"
	}
	return f.Add(c)
}
