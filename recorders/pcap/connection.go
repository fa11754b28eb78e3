package pcap

import (
	"bytes"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/httpwire"
)

// maxSniff is how many bytes are gathered to find out what a connection speaks.
const maxSniff = 32 << 10

// place is where a piece stands: the sequence number of its first byte, and how many bytes of the other direction its
// sender had.
type place struct{ seq, ack uint32 }

// protocol makes exchanges of the bytes of a connection.
type protocol interface {
	feed(client bool, p []byte, at time.Time, where place)
	gap(client bool, n int64)
	end(client bool)              // that side ended its direction
	finish(broken *harness.Fault) // nothing more comes; what is open broke off so
	over() bool                   // what follows is not to be read
}

// connection follows one connection of TCP.
type connection struct {
	wire     *wire
	ends     pair
	session  string
	halves   [2]*stream
	client   int  // which end opened it; -1: not known
	whole    bool // from its begin
	seen     [2]bool
	opened   uint32 // sequence number of the first SYN
	speaks   protocol
	ignored  bool
	heard    bool // bytes of which it is not known what they are
	noted    bool // that bytes are missing
	reset    bool
	done     bool // what comes late was seen before
	sniffed  [2][]byte
	where    place // of the piece that is delivered
	lastSeen time.Time
}

func newConnection(w *wire, ends pair, session string) *connection {
	c := &connection{wire: w, ends: ends, session: session, client: -1}
	for i := range c.halves {
		c.halves[i] = &stream{
			feed: func(p []byte, at time.Time) { c.feed(i, p, at) },
			gap:  func(n int64) { c.gap(i, n) },
			end:  func() { c.end(i) },
		}
	}
	return c
}

func (c *connection) side(e end) int {
	if e == c.ends[0] {
		return 0
	}
	return 1
}

// isOld reports whether a segment belongs to another connection between the same ends: to one that it opens, or, after
// this one has ended, to one whose begin the capture does not hold.
func (c *connection) isOld(from end, g *segment) bool {
	i := c.side(from)
	switch {
	case g.syn && !g.ack:
		return c.client != i || c.opened != g.seq
	case c.done:
		return len(g.data) > 0 && after(g.end(), c.halves[i].next) > 0
	}
	return false
}

// take hands a segment to its direction.
func (c *connection) take(from end, g *segment) {
	if c.done {
		return
	}
	i := c.side(from)
	if g.syn && !g.ack && c.client < 0 {
		c.client, c.whole, c.opened = i, true, g.seq
	}
	if g.syn && g.ack && c.client < 0 && !c.seen[0] && !c.seen[1] {
		c.client, c.whole, c.opened = 1-i, true, g.ackNo-1
	}
	c.seen[i], c.lastSeen = true, g.at
	half, other := c.halves[i], c.halves[1-i]
	before := half.bytes + other.bytes
	switch {
	case g.ack && !other.begun:
		other.begun, other.next = true, g.ackNo
	case g.ack && len(g.data) > 0:
		other.catchUp(g.ackNo, g.at)
	}
	c.where.ack = g.ackNo
	half.take(g)
	c.wire.held += half.bytes + other.bytes - before
	if c.wire.held > maxHeld || g.rst {
		c.flush()
	}
	c.reset = g.rst
	if c.reset || c.halves[0].ended && c.halves[1].ended {
		c.finish()
	}
}

// flush gives up waiting in both directions, in that of the client first.
func (c *connection) flush() {
	first := max(c.client, 0)
	for _, i := range [2]int{first, 1 - first} {
		half := c.halves[i]
		c.wire.held -= half.bytes
		half.flush(c.lastSeen)
	}
}

// finish ends the connection and counts what it was.
func (c *connection) finish() {
	if c.done {
		return
	}
	c.flush()
	c.done = true
	switch {
	case c.speaks != nil && c.reset:
		c.speaks.finish(&harness.Fault{Kind: harness.FaultReset, Detail: "the connection was reset before the message ended"})
	case c.speaks != nil:
		c.speaks.finish(&harness.Fault{Kind: harness.FaultTruncated, Detail: "the capture ends before the message does"})
	case c.heard && !c.ignored:
		c.ignore(c.sniffed[0], c.sniffed[1])
	}
	c.speaks, c.sniffed = nil, [2][]byte{}
}

func (c *connection) end(i int) {
	if c.speaks != nil {
		c.speaks.end(i == c.client)
	}
}

func (c *connection) gap(i int, n int64) {
	if n > 0 && !c.noted && !c.ignored {
		c.noted = true
		c.wire.file.Note(noteMissing)
	}
	if c.speaks != nil {
		c.speaks.gap(i == c.client, n)
		return
	}
	c.whole, c.sniffed[i] = false, nil
}

// feed takes the next bytes of a direction.
func (c *connection) feed(i int, p []byte, at time.Time) {
	if c.ignored {
		return
	}
	c.where.seq = c.halves[i].next
	if c.speaks == nil {
		if p = c.sniff(i, p); p == nil {
			return
		}
	}
	c.speaks.feed(i == c.client, p, at, c.where)
	if c.speaks.over() {
		c.ignored = true
	}
}

// sniff finds out what the connection speaks. It returns all bytes of the direction so far once that is known and can be
// read. A connection that began before the capture is listened to until a message begins.
func (c *connection) sniff(i int, p []byte) []byte {
	p = append(c.sniffed[i], p...)
	c.sniffed[i], c.heard = nil, true
	fromClient, fromServer := c.client < 0 || c.client == i, c.client < 0 || c.client != i
	switch {
	case fromClient && httpwire.BeginsRequest(p):
		c.client = i
		c.speaks = newHTTP1(c)
	case fromServer && httpwire.BeginsAnswer(p):
		c.client = 1 - i
		c.speaks = newHTTP1(c)
	case fromClient && beginsHTTP2(p):
		c.client = i
		c.speaks = newHTTP2(c)
	case c.whole && len(p) < maxSniff && mayBecomeKnown(p):
		c.sniffed[i] = p
	case c.whole || isTLS(p):
		c.ignore(p)
	}
	if c.speaks == nil {
		return nil
	}
	if !c.whole {
		c.wire.file.Note(noteMiddle)
	}
	return p
}

// mayBecomeKnown reports whether the begin of a direction is too short to tell.
func mayBecomeKnown(p []byte) bool {
	if isTLS(p) {
		_, whole := serverName(p)
		return !whole
	}
	const longest = 2048
	return len(p) < longest && (!bytes.ContainsAny(p, "\n\x00") || bytes.HasPrefix([]byte(preface), p))
}

// ignore counts a connection that cannot be read.
func (c *connection) ignore(begins ...[]byte) {
	c.ignored, c.sniffed = true, [2][]byte{}
	for _, p := range begins {
		if isTLS(p) {
			name, _ := serverName(p)
			c.wire.file.Note(noteTLS(name))
			return
		}
	}
	c.wire.file.Note(noteOther)
}
