// Package hoverfly reads and writes simulations of Hoverfly, versions 1 to 5 of their schema.
//
// A pair is an answer and matchers for the request. An exact value is taken as it stands; what other matchers tell is
// made up and listed in the field :derived. What a pair says beyond one request and its answer (states, actions behind an
// answer, delays of a whole simulation) is counted in notes.
package hoverfly

import (
	"encoding/base64"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/departure"
	"github.com/rehearse-dev/rehearse/recorders/internal/plain"
	"github.com/rehearse-dev/rehearse/recorders/internal/sniff"
)

// Format reads simulations.
var Format = archive.Format{
	Extensions: []string{".json"}, Wrote: "a simulation of Hoverfly", Read: read,
	Knows: func(head []byte) bool { return sniff.Has(head, "data.pairs") },
}

// Departures that only this format has.
const (
	noteTemplate departure.Kind = "answers: hold templates, which stand as text"
	noteState    departure.Kind = "pairs: depend on a state, or change one; only their order is kept"
	noteActions  departure.Kind = "pairs: run an action after the answer, which is not kept"
	noteDelay    departure.Kind = "simulations: delay answers by rules or distributions, which are not kept"
	noteFile     departure.Kind = "answers: the file of the body is not there; the exchange is incomplete"
	noteNamed    departure.Kind = "simulations: have literals or variables for templates, which are not kept"
)

type simulation struct {
	Data *struct {
		Pairs  []*plain.Node `plain:"pairs"`
		Global struct {
			Delays    *plain.Node `plain:"delays"`
			LogNormal *plain.Node `plain:"delaysLogNormal"`
		} `plain:"globalActions"`
		Literals  *plain.Node `plain:"literals"`
		Variables *plain.Node `plain:"variables"`
	} `plain:"data"`
	Meta struct {
		Schema string `plain:"schemaVersion"`
	} `plain:"meta"`
}

func read(f *archive.File) error {
	top, err := f.Document()
	if err != nil {
		return err
	}
	var s simulation
	if err := top.Decode(&s); err != nil {
		return err
	}
	version := strings.TrimPrefix(s.Meta.Schema, "v")
	major, _, _ := strings.Cut(version, ".")
	if s.Data == nil || len(major) != 1 || !strings.Contains("12345", major) {
		return top.Errorf("want data with pairs and a meta.schemaVersion from v1 to v5; it is %.20q", s.Meta.Schema)
	}
	if s.Data.Global.Delays.IsFilled() || s.Data.Global.LogNormal.IsFilled() {
		f.Note(noteDelay)
	}
	if s.Data.Literals.IsFilled() || s.Data.Variables.IsFilled() {
		f.Note(noteNamed)
	}
	return f.Each("pair", s.Data.Pairs, func(n *plain.Node) error { return readPair(f, n) })
}

type response struct {
	Status    string       `plain:"status"`
	Body      string       `plain:"body"`
	File      string       `plain:"bodyFile"`
	Encoded   bool         `plain:"encodedBody"`
	Headers   plain.Fields `plain:"headers"`
	Templated bool         `plain:"templated"`
	Sets      *plain.Node  `plain:"transitionsState"`
	Removes   *plain.Node  `plain:"removesState"`
	Delay     int          `plain:"fixedDelay"`
	LogNormal *plain.Node  `plain:"logNormalDelay"`
	Action    string       `plain:"postServeAction"`
}

func readPair(f *archive.File, n *plain.Node) error {
	var p struct {
		Request  *request  `plain:"request"`
		Response *response `plain:"response"`
	}
	if err := n.Decode(&p); err != nil {
		return err
	}
	if p.Request == nil || p.Response == nil {
		return n.Errorf("want a request and a response")
	}
	for _, lost := range []struct {
		kind    departure.Kind
		present bool
	}{
		{noteState, p.Request.State.IsFilled() || p.Response.Sets.IsFilled() || p.Response.Removes.IsFilled()},
		{noteActions, p.Response.Action != ""},
		{noteDelay, p.Response.LogNormal.IsFilled()},
		{noteTemplate, p.Response.Templated},
	} {
		if lost.present {
			f.Note(lost.kind)
		}
	}
	c := p.Request.call()
	if err := p.Response.answer(f, &c); err != nil {
		return n.Get("response").Errorf("%v", err)
	}
	return f.Add(c)
}

func (r *response) answer(f *archive.File, c *archive.Call) (err error) {
	if c.Status, err = archive.Status(r.Status); err != nil {
		return err
	}
	c.Took = time.Duration(max(r.Delay, 0)) * time.Millisecond
	c.Response.Fields = harness.Head(r.Headers)
	switch {
	case r.File != "":
		body, err := f.Beside(path.Join(path.Dir(f.Name), path.Clean("/"+r.File)))
		if err != nil {
			f.Note(noteFile)
			c.Fault = &harness.Fault{Kind: harness.FaultTruncated, Detail: "the file of the body is not there"}
			return nil
		}
		c.Response.Body = body
	case r.Encoded:
		if c.Response.Body, err = base64.StdEncoding.DecodeString(r.Body); err != nil {
			return fmt.Errorf("decode body: %w", err)
		}
	default:
		c.Response.Body = []byte(r.Body)
	}
	return nil
}
