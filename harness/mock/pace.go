package mock

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// reply is what a call gets: an exchange whose answer is given, and how long that takes.
type reply struct {
	x     *harness.Exchange
	delay time.Duration // before anything is sent, beside what was recorded
	rate  int           // bytes of the body in a second; 0: as fast as it goes

	texts map[string]string // values of the recording in whose place the answer has values of the live call
}

// wait is the clock of a mock: it returns when the time is over or the context has ended.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// pause waits as long as it took until the answer began when it was recorded, and what a fault adds.
func (m *Mock) pause(ctx context.Context, a reply, pieces []piece) {
	d := m.scaled(a.x.Took)
	if len(pieces) > 0 && a.rate == 0 {
		d = pieces[0].at
	}
	if a.x.Fault != nil && a.x.Response.IsZero() {
		d = 0 // what is acted out takes its own time
	}
	if d += a.delay; d > 0 {
		m.options.Wait(ctx, d)
	}
}

func (m *Mock) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) * m.options.Latency)
}

// timeline is when which part of the body is sent; empty: at once.
func (m *Mock) timeline(a reply) []piece {
	switch {
	case a.rate > 0:
		return dripped(a.x.Response.Body.Size(), a.rate)
	case m.options.Latency == 0:
		return nil
	}
	pieces := piecesOf(a.x.Response.Head)
	for i := range pieces {
		pieces[i].at = m.scaled(pieces[i].at)
	}
	return pieces
}

// piece is a part of a streamed body, and when it came after the request.
type piece struct {
	at   time.Duration
	size int
}

// piecesOf reads the moments at which a streamed answer came; none when they are not recorded or make no sense.
func piecesOf(head harness.Head) []piece {
	var pieces []piece
	for text := range strings.FieldsSeq(head.Get(harness.FieldArrivals)) {
		at, size, _ := strings.Cut(text, ":")
		ms, err := strconv.ParseInt(at, 10, 32)
		n, err2 := strconv.Atoi(size)
		if err != nil || err2 != nil || ms < 0 || n <= 0 {
			return nil
		}
		pieces = append(pieces, piece{time.Duration(ms) * time.Millisecond, n})
	}
	return pieces
}

// dripped are the pieces of a body that comes at a rate: ten in a second, or one for each byte where it is slower.
func dripped(size int64, rate int) []piece {
	const inSecond, most = 10, 10_000
	step := max(rate/inSecond, 1)
	var pieces []piece
	for sent := 0; int64(sent) < size && len(pieces) < most; sent += step {
		pieces = append(pieces, piece{time.Duration(float64(sent) / float64(rate) * float64(time.Second)), step})
	}
	return pieces
}

// stretched passes bytes on piece by piece, each at its moment; the first one at once.
type stretched struct {
	ctx    context.Context
	w      http.ResponseWriter
	wait   func(context.Context, time.Duration)
	pieces []piece
	left   int           // bytes of the piece that has begun
	was    time.Duration // its moment
}

func (m *Mock) stretch(ctx context.Context, w http.ResponseWriter, pieces []piece) *stretched {
	return &stretched{ctx: ctx, w: w, wait: m.options.Wait, pieces: pieces, was: pieces[0].at}
}

func (s *stretched) Write(p []byte) (int, error) {
	sent := 0
	for sent < len(p) {
		if s.left == 0 && len(s.pieces) > 0 {
			s.begin()
		}
		part := p[sent:]
		if s.left > 0 {
			part = part[:min(s.left, len(part))]
			s.left -= len(part)
		}
		n, err := s.w.Write(part)
		if sent += n; err == nil {
			err = s.ctx.Err()
		}
		if err != nil {
			return sent, err
		}
		if s.left == 0 {
			http.NewResponseController(s.w).Flush() //nolint:errcheck // a writer that cannot flush sends it at the end
		}
	}
	return sent, nil
}

// begin waits for the moment of the next piece.
func (s *stretched) begin() {
	next := s.pieces[0]
	if d := next.at - s.was; d > 0 {
		s.wait(s.ctx, d)
	}
	s.pieces, s.left, s.was = s.pieces[1:], next.size, next.at
}
