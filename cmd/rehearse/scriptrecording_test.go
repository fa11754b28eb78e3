package main

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
)

// writtenExchange is an exchange as scripts write it down.
type writtenExchange struct {
	Channel, Session, From, To string
	At                         time.Time
	Request, Response          struct {
		Head [][2]string
		Body string
	}
}

// stores makes a sealed recording of exchanges that stand one a line in a file, for channels that nothing imports.
func (s script) stores(args []string) {
	w, err := fixtures.Begin(s.MkAbs(args[0]), harness.Manifest{Origin: "script", Scrub: harness.ScrubSeal{Policy: "sha256:invented", Key: "none"}}, fixtures.Options{})
	s.Check(err)
	for d := json.NewDecoder(bytes.NewReader([]byte(s.ReadFile(args[1])))); d.More(); {
		var e writtenExchange
		s.Check(d.Decode(&e))
		x := harness.Exchange{Channel: e.Channel, Session: e.Session, From: e.From, To: e.To, At: e.At}
		for _, half := range []struct {
			from struct {
				Head [][2]string
				Body string
			}
			to *harness.Message
		}{{e.Request, &x.Request}, {e.Response, &x.Response}} {
			for _, f := range half.from.Head {
				half.to.Head = append(half.to.Head, harness.Field{Name: f[0], Value: f[1]})
			}
			half.to.Body = harness.BytesBody([]byte(half.from.Body))
		}
		s.Check(w.Put(x))
	}
	s.Check(w.Close())
}
