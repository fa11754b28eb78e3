package pcap

import (
	"cmp"
	"container/list"
	"strconv"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/departure"
	"github.com/rehearse-dev/rehearse/recorders/internal/httpwire"
)

// Bounds of what is held of all connections.
const (
	maxConnections = 1 << 14
	maxHeld        = 64 << 20  // bytes of segments that wait for missing ones
	maxBodies      = 256 << 20 // bytes of bodies
	maxBody        = 64 << 20  // bytes of one body
)

// pair is the two ends of a connection, the smaller one first.
type pair [2]end

func pairOf(a, b end) pair {
	if c := a.addr.Compare(b.addr); c > 0 || c == 0 && a.port > b.port {
		return pair{b, a}
	}
	return pair{a, b}
}

// wire follows the connections of one capture.
type wire struct {
	file   *archive.File
	open   map[pair]*list.Element
	recent list.List // of *connection, the one that spoke last in front
	number int       // of connections
	held   int       // bytes of segments that wait
	bodies int64     // bytes of bodies that are kept and not yet handed on
}

func newWire(f *archive.File) *wire { return &wire{file: f, open: map[pair]*list.Element{}} }

// segment hands a segment to its connection.
func (w *wire) segment(from, to end, g *segment) {
	ends := pairOf(from, to)
	element := w.open[ends]
	if element != nil && element.Value.(*connection).isOld(from, g) {
		w.close(element)
		element = nil
	}
	if element == nil {
		if !g.syn && len(g.data) == 0 {
			return // the end of a connection that is not in the capture
		}
		w.number++
		c := newConnection(w, ends, w.file.Session+"/"+strconv.Itoa(w.number))
		element = w.recent.PushFront(c)
		w.open[ends] = element
	}
	w.recent.MoveToFront(element)
	if g.missing > 0 {
		w.file.Note(noteCut)
	}
	element.Value.(*connection).take(from, g)
	for len(w.open) > maxConnections {
		w.close(w.recent.Back())
	}
}

// close ends a connection of which nothing more is expected.
func (w *wire) close(element *list.Element) {
	c := element.Value.(*connection)
	c.finish()
	delete(w.open, c.ends)
	w.recent.Remove(element)
}

// finish ends all connections, those that spoke first before the others.
func (w *wire) finish() {
	for w.recent.Len() > 0 {
		w.close(w.recent.Back())
	}
}

// keep allows to keep some of n more bytes of a body.
func (w *wire) keep(n int) int {
	n = int(min(int64(n), max(maxBodies-w.bodies, 0)))
	w.bodies += int64(n)
	return n
}

// forget gives the room of a message back that is not handed on.
func (w *wire) forget(m httpwire.Message) { w.bodies -= m.Body.Size() }

func (w *wire) drop(k departure.Kind, reason string) {
	w.file.Note(k)
	w.file.Drop(reason)
}

// put hands an exchange on. Without an answer it is incomplete.
func (w *wire) put(session string, request httpwire.Message, answer *httpwire.Message) {
	x := httpwire.Exchange(request, answer)
	if answer == nil {
		w.file.Note(noteOpen)
		if x.Fault == nil {
			x.Fault = &harness.Fault{Kind: harness.FaultTruncated, Detail: "the capture holds no answer"}
		}
	}
	x.From, x.Session = w.file.From, session
	x.To = cmp.Or(w.file.To, archive.SystemOf(x.Request.Head.Get("Host")), "server")
	w.bodies -= x.Request.Body.Size() + x.Response.Body.Size()
	w.file.Put(x)
}
