package pcap

import (
	"slices"
	"time"
)

// Bounds of what waits in one direction for bytes that come later, or are missing.
const (
	maxWaiting      = 256             // segments
	maxWaitingBytes = 1 << 20         // of their data
	maxWait         = 3 * time.Second // of the capture's clock
)

// segment is what one packet carries in one direction.
type segment struct {
	seq                uint32
	data               []byte
	missing            int // bytes behind data that the capture cut off
	at                 time.Time
	ackNo              uint32
	syn, ack, fin, rst bool
}

func (s *segment) end() uint32 { return s.seq + uint32(len(s.data)+s.missing) }

// stream puts the segments of one direction in order.
type stream struct {
	feed func(p []byte, at time.Time)
	gap  func(n int64)
	end  func() // the sender has ended it

	begun   bool
	next    uint32 // sequence number of the next byte
	waiting []segment
	bytes   int
	fin     bool
	finAt   uint32
	ended   bool
	started time.Time // when the oldest waiting segment came
}

// after is how far a is behind b; negative when it stands before it. Sequence numbers wrap (RFC 9293 section 3.4).
func after(a, b uint32) int { return int(int32(a - b)) }

// take accepts a segment in any order. Data is copied when it must wait.
func (s *stream) take(g *segment) {
	switch {
	case g.syn && !s.begun:
		s.begun, s.next = true, g.seq+1
		return
	case g.syn || s.ended:
		return
	case !s.begun:
		s.begun, s.next = true, g.seq
	}
	if g.fin {
		s.fin, s.finAt = true, g.end()
	}
	s.place(g)
	s.drain(g.at)
	for len(s.waiting) > maxWaiting || s.bytes > maxWaitingBytes || len(s.waiting) > 0 && g.at.Sub(s.started) > maxWait {
		s.skip(g.at)
	}
}

// place delivers a segment that is next, and lets one that is not wait.
func (s *stream) place(g *segment) {
	if after(g.end(), s.next) <= 0 {
		return // seen before
	}
	if after(g.seq, s.next) > 0 {
		i, same := slices.BinarySearchFunc(s.waiting, g, func(w segment, g *segment) int { return after(w.seq, g.seq) })
		if same && len(s.waiting[i].data) >= len(g.data) {
			return
		}
		if len(s.waiting) == 0 {
			s.started = g.at
		}
		held := *g
		held.data = slices.Clone(g.data)
		s.bytes += len(held.data)
		s.waiting = slices.Insert(s.waiting, i, held)
		return
	}
	s.deliver(g)
}

// deliver hands on what of a segment is new.
func (s *stream) deliver(g *segment) {
	if old := after(s.next, g.seq); old < len(g.data) {
		s.feed(g.data[old:], g.at)
		s.next = g.seq + uint32(len(g.data))
	}
	if left := after(g.end(), s.next); left > 0 {
		s.gap(int64(left))
		s.next = g.end()
	}
}

// drain delivers what waited for the bytes that have come.
func (s *stream) drain(now time.Time) {
	for len(s.waiting) > 0 && after(s.waiting[0].seq, s.next) <= 0 {
		g := s.waiting[0]
		s.bytes -= len(g.data)
		s.waiting = slices.Delete(s.waiting, 0, 1)
		s.started = now
		if after(g.end(), s.next) > 0 {
			s.deliver(&g)
		}
	}
	if s.fin && after(s.finAt, s.next) <= 0 && len(s.waiting) == 0 {
		s.ended = true
		s.end()
	}
}

// skip gives up waiting for the bytes before the oldest segment.
func (s *stream) skip(now time.Time) {
	n := after(s.waiting[0].seq, s.next)
	s.gap(int64(n))
	s.next = s.waiting[0].seq
	s.drain(now)
}

// catchUp gives up waiting for bytes that the other side says it has: the capture lost them.
func (s *stream) catchUp(ack uint32, now time.Time) {
	for s.begun && !s.ended && after(ack, s.next) > 0 {
		if len(s.waiting) > 0 && after(s.waiting[0].seq, ack) < 0 {
			s.skip(now)
			continue
		}
		if s.fin && after(ack, s.finAt) > 0 {
			ack = s.finAt
		}
		if n := after(ack, s.next); n > 0 {
			s.gap(int64(n))
			s.next = ack
		}
		s.drain(now)
		return
	}
}

// flush delivers all that waits, for nothing more will come.
func (s *stream) flush(now time.Time) {
	for len(s.waiting) > 0 {
		s.skip(now)
	}
	if s.fin && !s.ended {
		s.gap(int64(max(after(s.finAt, s.next), 0)))
		s.ended = true
		s.end()
	}
}
