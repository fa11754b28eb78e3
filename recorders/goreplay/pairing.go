package goreplay

import (
	"cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/departure"
	"github.com/rehearse-dev/rehearse/recorders/internal/httpwire"
)

// Bounds of what waits for its other half.
const (
	maxBody         = 64 << 20  // bytes kept of one body
	maxWaiting      = 1 << 16   // messages
	maxWaitingBytes = 256 << 20 // of their bodies
)

// message is a record while its bytes are read.
type message struct {
	header
	scan httpwire.Scanner
	got  []httpwire.Message
}

// feed takes the next bytes of the message.
func (m *message) feed(p []byte) { m.scan.Feed(p, m.at) }

// waiting is what came of one id.
type waiting struct {
	id       string
	requests []httpwire.Message
	answers  []httpwire.Message
	replays  []httpwire.Message
	answered bool // an original answer was given to a request of this id
}

// pairing brings requests and their answers together.
type pairing struct {
	file  *archive.File
	byID  map[string]*waiting
	order []*waiting // oldest first; what was answered is still in it
	bytes int64
}

func newPairing(f *archive.File) *pairing { return &pairing{file: f, byID: map[string]*waiting{}} }

// begin starts the message of a record.
func (p *pairing) begin(h header) *message {
	m := &message{header: h}
	m.scan.Emit = func(got httpwire.Message) { m.got = append(m.got, got) }
	left := maxBody
	m.scan.Keep = func(n int) int {
		n = min(n, left)
		left -= n
		return n
	}
	if h.kind != typeRequest {
		m.scan.Method = func() string { return p.method(h.id) }
	}
	return m
}

// method is that of the request that waits under an id.
func (p *pairing) method(id string) string {
	if w := p.byID[id]; w != nil && len(w.requests) > 0 {
		return w.requests[0].Head.Get(harness.FieldMethod)
	}
	return ""
}

// end takes over the message of a record that was read.
func (p *pairing) end(m *message) {
	if m.scan.Open() && !m.scan.UntilClose() {
		p.file.Note(noteCut)
		m.scan.Close(&harness.Fault{Kind: harness.FaultTruncated, Detail: "the record ends before the message does"})
	} else {
		m.scan.Close(nil)
	}
	if len(m.got) == 0 || len(m.got[0].Head) == 0 {
		p.drop(noteBroken, "record is not HTTP/1")
		return
	}
	if len(m.got) > 1 {
		p.drop(noteBroken, "second message in one record")
	}
	got := m.got[0]
	got.Begin, got.End = m.at, m.at.Add(m.took)
	if m.kind == typeRequest && !p.settleTarget(&got) {
		p.drop(noteBroken, "record is not HTTP/1")
		return
	}
	p.add(m.header, got)
}

// settleTarget makes the target a path where it was that of a proxy.
func (p *pairing) settleTarget(m *httpwire.Message) bool {
	head, changed := httpwire.OriginForm(m.Head)
	if changed {
		p.file.Note(noteProxy)
		m.Head = head
	}
	return httpwire.HasTarget(head)
}

func (p *pairing) drop(k departure.Kind, reason string) {
	p.file.Note(k)
	p.file.Drop(reason)
}

// add puts a message to the others of its id, and puts the exchange that it completes.
func (p *pairing) add(h header, m httpwire.Message) {
	w := p.byID[h.id]
	if w == nil {
		w = &waiting{id: h.id}
		p.byID[h.id] = w
		p.order = append(p.order, w)
	}
	p.bytes += m.Body.Size()
	switch h.kind {
	case typeRequest:
		if len(w.requests) > 0 || w.answered {
			p.file.Note(noteTwice)
		}
		w.requests = append(w.requests, m)
	case typeAnswer:
		w.answers = append(w.answers, m)
	case typeReplayed:
		w.replays = append(w.replays, m)
	}
	for len(w.requests) > 0 && len(w.answers) > 0 {
		p.put(w.requests[0], &w.answers[0])
		w.requests, w.answers, w.answered = w.requests[1:], w.answers[1:], true
	}
	for len(p.order) > maxWaiting || p.bytes > maxWaitingBytes {
		p.giveUp()
	}
}

// giveUp ends the waiting of the oldest id.
func (p *pairing) giveUp() {
	w := p.order[0]
	p.order[0] = nil
	p.order = p.order[1:]
	delete(p.byID, w.id)
	for _, request := range w.requests {
		if len(w.replays) > 0 && !w.answered {
			p.file.Note(noteReplayed)
			p.put(request, &w.replays[0])
			w.replays = w.replays[1:]
			continue
		}
		p.file.Note(noteUnanswered)
		p.put(request, nil)
	}
	for _, m := range w.answers {
		p.bytes -= m.Body.Size()
		p.drop(noteOrphan, "answer without its request")
	}
	for _, m := range w.replays {
		p.bytes -= m.Body.Size()
		if w.answered {
			p.file.Note(noteLeftOut)
		} else {
			p.drop(noteOrphan, "answer without its request")
		}
	}
}

// finish ends the waiting of all.
func (p *pairing) finish() {
	for len(p.order) > 0 {
		p.giveUp()
	}
}

// put hands an exchange on.
func (p *pairing) put(request httpwire.Message, answer *httpwire.Message) {
	x := httpwire.Exchange(request, answer)
	p.bytes -= x.Request.Body.Size() + x.Response.Body.Size()
	if answer == nil && x.Fault == nil {
		x.Fault = &harness.Fault{Kind: harness.FaultReset, Detail: "the file holds no answer"}
	}
	x.From, x.Session = p.file.From, p.file.Session
	x.To = cmp.Or(p.file.To, archive.SystemOf(x.Request.Head.Get("Host")), "server")
	p.file.Put(x)
}
