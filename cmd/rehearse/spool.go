package main

import (
	"context"
	"errors"

	"github.com/rehearse-dev/rehearse/harness"
)

// spool reads a source once and gives it twice: what the first pass brings is held in memory for the second one, up to
// a bound. The second pass reads the source again from where the spool ends, passing over what it holds; a source that
// can be read again brings the same exchanges in the same order. It is a [harness.Recorder]; one Record at a time.
type spool struct {
	source harness.Recorder
	most   int64 // bytes of bodies that are held

	filled  bool // the first pass is over
	whole   bool // the spool holds all of the source
	size    int64
	arrived []arrival
}

// spooled is the bound of a spool of an import, in bytes of bodies. The heads come on top.
const spooled = 64 << 20

// arrival is an exchange, or the reason why there is none.
type arrival struct {
	exchange harness.Exchange
	dropped  string // empty: nothing was dropped
	leftOut  string // empty: nothing was left out
}

func (a arrival) isExchange() bool { return a.dropped == "" && a.leftOut == "" }

// Record puts what the source brings into the sink.
func (s *spool) Record(ctx context.Context, sink harness.Sink) error {
	if !s.filled {
		s.filled, s.whole = true, true
		return s.source.Record(ctx, &filling{s, sink})
	}
	for _, a := range s.arrived {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := a.give(sink); err != nil {
			return err
		}
	}
	if s.whole {
		return nil
	}
	rest := &beyond{next: sink, held: s.arrived}
	s.arrived = nil
	err := s.source.Record(ctx, rest)
	if err == nil && len(rest.held) > 0 {
		err = errChanged
	}
	return err
}

// errChanged is a source that brings something else in the second pass than it did in the first one.
var errChanged = harness.Usage(errors.New("read the source a second time: it changed while it was read"), "run it again when nobody writes to the source")

func (a arrival) give(sink harness.Sink) error {
	switch {
	case a.dropped != "":
		sink.Drop(a.dropped)
	case a.leftOut != "":
		sink.LeaveOut(a.leftOut)
	default:
		return sink.Put(a.exchange)
	}
	return nil
}

// filling holds what comes through it, until the spool is full.
type filling struct {
	spool *spool
	next  harness.Sink
}

// Put holds the exchange. One whose body is kept elsewhere costs nothing to hold.
func (f *filling) Put(x harness.Exchange) error {
	size := int64(0)
	for _, b := range []harness.Body{x.Request.Body, x.Response.Body} {
		if held, ok := b.Held(); ok {
			size += int64(len(held))
		}
	}
	f.hold(arrival{exchange: x}, size)
	return f.next.Put(x)
}

// Drop holds the reason.
func (f *filling) Drop(reason string) {
	f.hold(arrival{dropped: reason}, 0)
	f.next.Drop(reason)
}

// LeaveOut holds the reason.
func (f *filling) LeaveOut(reason string) {
	f.hold(arrival{leftOut: reason}, 0)
	f.next.LeaveOut(reason)
}

// hold appends to the spool. Nothing is held behind the first arrival that has no room.
func (f *filling) hold(a arrival, size int64) {
	const head = 1 << 10 // bytes that an arrival without a body is counted as
	s := f.spool
	if s.whole = s.whole && s.size+size+head <= s.most; s.whole {
		s.size += size + head
		s.arrived = append(s.arrived, a)
	}
}

// beyond passes over what the spool holds, and compares it by size.
type beyond struct {
	next harness.Sink
	held []arrival
}

func (b *beyond) Put(x harness.Exchange) error {
	if len(b.held) == 0 {
		return b.next.Put(x)
	}
	was := b.held[0]
	b.held = b.held[1:]
	if !was.isExchange() || was.exchange.Request.Body.Size() != x.Request.Body.Size() || was.exchange.Response.Body.Size() != x.Response.Body.Size() {
		return errChanged
	}
	return nil
}

func (b *beyond) Drop(reason string) {
	if len(b.held) == 0 {
		b.next.Drop(reason)
		return
	}
	b.held = b.held[1:]
}

func (b *beyond) LeaveOut(reason string) {
	if len(b.held) == 0 {
		b.next.LeaveOut(reason)
		return
	}
	b.held = b.held[1:]
}
