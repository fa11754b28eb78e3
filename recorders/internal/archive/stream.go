package archive

import (
	"container/heap"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/departure"
)

// What a stream holds back to sort exchanges by their start.
const (
	maxHeld      = 4096     // exchanges
	maxHeldBytes = 64 << 20 // of their bodies
)

// NoteLate is a departure from the order of the wire.
const NoteLate departure.Kind = "exchanges: began long before the ones that stand before them in the file; they keep the place that they have there"

// outlet takes the exchanges of one file.
type outlet interface {
	put(harness.Exchange)
	drop(reason string)
	flush() error  // puts what is held
	failed() error // of the sink; nothing is put after it
}

// whole holds the exchanges of a file until all of it was read.
type whole struct {
	sink    harness.Sink
	held    []harness.Exchange
	dropped []string // reasons
}

func (w *whole) put(x harness.Exchange) { w.held = append(w.held, x) }
func (w *whole) drop(reason string)     { w.dropped = append(w.dropped, reason) }
func (w *whole) failed() error          { return nil }

func (w *whole) flush() error {
	for _, x := range w.held {
		if err := w.sink.Put(x); err != nil {
			return err
		}
	}
	for _, reason := range w.dropped {
		w.sink.Drop(reason)
	}
	return nil
}

// stream puts exchanges into a sink in the order of their start, as far as it can hold them back: programs write an
// exchange when it ends.
type stream struct {
	sink  harness.Sink
	late  func()
	held  byStart
	bytes int64
	count int
	last  time.Time // start of the exchange that was put last
	err   error     // of the sink
}

func (s *stream) drop(reason string) { s.sink.Drop(reason) }
func (s *stream) failed() error      { return s.err }

// put takes an exchange, and puts the oldest one when there is no room.
func (s *stream) put(x harness.Exchange) {
	s.count++
	s.bytes += size(x)
	heap.Push(&s.held, numbered{x, s.count})
	for len(s.held) > maxHeld || s.bytes > maxHeldBytes {
		s.putOldest()
	}
}

// flush puts all that is held.
func (s *stream) flush() error {
	for len(s.held) > 0 {
		s.putOldest()
	}
	return s.err
}

func (s *stream) putOldest() {
	x := heap.Pop(&s.held).(numbered).x
	s.bytes -= size(x)
	if s.err != nil {
		return
	}
	if x.At.Before(s.last) {
		s.late()
	}
	s.last = x.At
	s.err = s.sink.Put(x)
}

func size(x harness.Exchange) int64 { return x.Request.Body.Size() + x.Response.Body.Size() }

type numbered struct {
	x      harness.Exchange
	number int // of arrival
}

// byStart is a heap with the exchange that began first on top; of equal moments, the one that came first.
type byStart []numbered

func (h byStart) Len() int { return len(h) }
func (h byStart) Less(i, j int) bool {
	if c := h[i].x.At.Compare(h[j].x.At); c != 0 {
		return c < 0
	}
	return h[i].number < h[j].number
}
func (h byStart) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *byStart) Push(v any)   { *h = append(*h, v.(numbered)) }
func (h *byStart) Pop() any {
	last := len(*h) - 1
	v := (*h)[last]
	(*h)[last] = numbered{}
	*h = (*h)[:last]
	return v
}
