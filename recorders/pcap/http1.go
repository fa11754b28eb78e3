package pcap

import (
	"cmp"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/httpwire"
)

// maxPipelined is how many requests of one connection may wait for their answers.
const maxPipelined = 1024

// asked is a request that waits for its answer.
type asked struct {
	httpwire.Message
	ack uint32 // how many bytes of the server its client had: where the answer begins, unless requests were pipelined
}

// http1 brings the requests and answers of one connection together.
type http1 struct {
	conn     *connection
	requests httpwire.Scanner
	answers  httpwire.Scanner
	kept     [2]int // bytes of the body that is read, of the client and of the server
	waiting  []asked
	ack      uint32 // of the request that is read
	seq      uint32 // where the answer that is read begins
	between  bool   // no answer is read, or only what announces one
	unsure   bool   // messages may have been lost: an answer is given only to the request that it must belong to
	switched bool
}

func newHTTP1(c *connection) *http1 {
	h := &http1{conn: c, unsure: !c.whole, between: true}
	h.requests.Emit, h.requests.Keep = h.request, h.keep(0)
	h.answers.Emit, h.answers.Keep, h.answers.Method = h.answer, h.keep(1), h.method
	if !c.whole {
		h.requests.Seek()
		h.answers.Seek()
	}
	return h
}

func (h *http1) keep(i int) func(int) int {
	return func(n int) int {
		n = h.conn.wire.keep(min(n, maxBody-h.kept[i]))
		h.kept[i] += n
		return n
	}
}

func (h *http1) feed(client bool, p []byte, at time.Time, where place) {
	switch {
	case h.switched:
	case client:
		if !h.requests.Open() {
			h.ack = where.ack
		}
		h.requests.Feed(p, at)
	default:
		if h.between || h.answers.Seeking() {
			h.seq = where.seq
		}
		h.between = false
		h.answers.Feed(p, at)
	}
}

func (h *http1) gap(client bool, n int64) {
	h.unsure = true
	if client {
		h.requests.Gap(n)
		return
	}
	h.answers.Gap(n)
}

func (h *http1) end(client bool) {
	if client {
		h.requests.Close(nil)
		return
	}
	h.answers.Close(nil)
}

func (h *http1) finish(broken *harness.Fault) {
	h.requests.Close(broken)
	h.answers.Close(broken)
	for len(h.waiting) > 0 {
		h.unanswered()
	}
}

func (h *http1) over() bool { return h.switched && len(h.waiting) == 0 }

// method is that of the request that the next answer belongs to.
func (h *http1) method() string {
	if i := h.asker(); i >= 0 {
		return h.waiting[i].Head.Get(harness.FieldMethod)
	}
	return ""
}

// asker is the request that the answer belongs to that is read, -1 when that is not known. As long as nothing is missing
// it is the oldest. Later it is the one whose client had everything that stands before the answer, and no more; where
// requests were pipelined that may be several.
func (h *http1) asker() int {
	if !h.unsure {
		return min(len(h.waiting), 1) - 1
	}
	found := -1
	for i, r := range h.waiting {
		if r.ack == h.seq {
			if found >= 0 {
				return -1
			}
			found = i
		}
	}
	return found
}

// request takes a request that was cut out.
func (h *http1) request(m httpwire.Message) {
	h.kept[0] = 0
	head, changed := httpwire.OriginForm(m.Head)
	if changed {
		h.conn.wire.file.Note(noteProxy)
		m.Head = head
	}
	if !httpwire.HasTarget(head) {
		h.conn.wire.forget(m)
		h.conn.wire.drop(noteBroken, "malformed request")
		return
	}
	h.waiting = append(h.waiting, asked{m, h.ack})
	if len(h.waiting) > maxPipelined {
		h.unsure = true
		h.unanswered()
	}
}

// unanswered hands the oldest request on without an answer.
func (h *http1) unanswered() {
	h.conn.wire.put(h.conn.session, h.waiting[0].Message, nil)
	h.waiting = h.waiting[1:]
}

// answer takes an answer that was cut out, and finds its request.
func (h *http1) answer(m httpwire.Message) {
	h.kept[1], h.between = 0, true
	i := h.asker()
	if i < 0 {
		h.conn.wire.forget(m)
		h.conn.wire.drop(noteOrphan, "answer without its request")
		return
	}
	for range i {
		h.unanswered()
	}
	if len(m.Head) == 0 {
		h.conn.wire.forget(m)
		h.waiting[0].Fault = cmp.Or(h.waiting[0].Fault, m.Fault)
		h.unanswered()
		return
	}
	request := h.waiting[0].Message
	h.waiting = h.waiting[1:]
	if m.Switched {
		h.switches(request, &m)
	}
	h.conn.wire.put(h.conn.session, request, &m)
}

// switches ends the reading: another protocol follows the answer.
func (h *http1) switches(request httpwire.Message, answer *httpwire.Message) {
	h.switched = true
	if request.Head.Get(harness.FieldMethod) == "CONNECT" {
		h.conn.wire.file.Note(noteTunnel)
		return
	}
	h.conn.wire.file.Note(noteSwitched)
	answer.Fault = &harness.Fault{Kind: harness.FaultTruncated, Detail: "the connection switched to another protocol; what crossed afterwards is not in the recording"}
}
