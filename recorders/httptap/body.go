package httptap

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// requestSettle is how long the end of an answer waits for the end of its request: an upstream may answer while the
// last bytes of the request are still on their way to it.
const requestSettle = 100 * time.Millisecond

// smallBody is the most, in bytes, that is allocated at once because a message says that it is that long.
const smallBody = 64 << 10

// keeper keeps the first max bytes of a body that passes: in memory, or, when it is long, in a file.
type keeper struct {
	max    int64
	kept   []byte
	long   *spill // holds all that was kept, once it is long
	held   int64  // bytes that are kept
	passed int64
	err    error // why the rest could not be kept
}

// add keeps p; declared is the length that the message gives, or -1.
func (k *keeper) add(p []byte, declared int64) {
	k.passed += int64(len(p))
	room := min(k.max-k.held, int64(len(p)))
	if room <= 0 || k.err != nil {
		return
	}
	if k.long == nil && k.held+room > memoryBody && !k.spill() {
		return
	}
	k.held += room
	if k.long != nil {
		_, k.err = k.long.Write(p[:room])
		return
	}
	if k.kept == nil && declared > 0 {
		k.kept = make([]byte, 0, min(declared, k.max, smallBody))
	}
	k.kept = append(k.kept, p[:room]...)
}

// spill moves what is kept to a file.
func (k *keeper) spill() bool {
	long, err := newSpill()
	if err == nil {
		_, err = long.Write(k.kept)
	}
	if k.err = err; err != nil {
		return false
	}
	k.long, k.kept = long, nil
	return true
}

func (k *keeper) body() harness.Body {
	if k.long == nil {
		return harness.BytesBody(k.kept)
	}
	body, err := k.long.body()
	if k.err == nil {
		k.err = err
	}
	return body
}

// fault tells when the body was longer than what is kept.
func (k *keeper) fault(side string) *harness.Fault {
	switch {
	case k.err != nil:
		return &harness.Fault{Kind: harness.FaultTruncated, Detail: fmt.Sprintf("the %s body could not be kept: %v", side, k.err)}
	case k.passed > k.max:
		return &harness.Fault{Kind: harness.FaultTruncated, Detail: fmt.Sprintf("the %s body has %d bytes, of which %d are kept", side, k.passed, k.held)}
	}
	return nil
}

// requestBody hands the client's body to the transport and keeps what passes. The transport reads and closes it in a
// goroutine of its own.
type requestBody struct {
	src      io.Reader
	declared int64 // length that the head gives, or -1
	drains   bool  // what the transport leaves is read, too

	reading sync.Mutex // held by who reads: the transport, then who wants the rest

	mu     sync.Mutex
	keep   keeper
	sealed bool
	err    error // what ended it; io.EOF when it ended cleanly
	closed bool
	done   chan struct{} // closed when the transport reads no more
}

func newRequestBody(src io.Reader, declared, limit int64) *requestBody {
	return &requestBody{src: src, declared: declared, keep: keeper{max: limit}, done: make(chan struct{})}
}

func (b *requestBody) Read(p []byte) (int, error) {
	b.reading.Lock()
	defer b.reading.Unlock()
	n, err := b.src.Read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.sealed {
		b.keep.add(p[:n], b.declared)
		if err != nil && b.err == nil {
			b.err = err
		}
	}
	return n, err
}

// Close tells that the transport reads no more. The server closes the client's body itself.
func (b *requestBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.closed = true
		close(b.done)
	}
	return nil
}

// whole reports whether the client's body ended cleanly.
func (b *requestBody) whole() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err == io.EOF || b.err == nil && b.declared >= 0 && b.keep.passed >= b.declared //nolint:errorlint // a wrapped EOF is a broken body
}

// passed is how many bytes of it the transport has read.
func (b *requestBody) passed() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.keep.passed
}

// broken is the error with which the client's body ended, nil when it did not fail.
func (b *requestBody) broken() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == io.EOF { //nolint:errorlint // a wrapped EOF is a broken body
		return nil
	}
	return b.err
}

// rest reads what the client sent and the transport did not want to know any more: a client of HTTP/2 may end its body
// with an empty frame behind its head, which an upstream does not wait for. The channel is closed at the end of the body;
// the reading ends with the exchange at the latest, when the server closes the client's body.
func (b *requestBody) rest(stop <-chan struct{}) chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-b.done:
		case <-stop:
			return
		}
		buf := make([]byte, smallBody)
		for left := smallBody; left > 0 && !b.whole() && b.broken() == nil; {
			n, err := b.Read(buf[:left])
			left -= n
			if err != nil {
				return
			}
		}
	}()
	return ended
}

// seal ends the keeping and returns what was kept, and what is wrong with it.
func (b *requestBody) seal() (harness.Body, *harness.Fault) {
	if !b.whole() {
		wait := time.NewTimer(requestSettle)
		defer wait.Stop()
		ended, stop := b.done, make(chan struct{})
		if b.drains {
			ended = b.rest(stop)
		}
		select {
		case <-ended:
		case <-wait.C:
		}
		close(stop)
	}
	whole, broken := b.whole(), b.broken()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sealed = true
	switch {
	case broken != nil:
		return b.keep.body(), bodyFault(broken)
	case !whole:
		return b.keep.body(), &harness.Fault{Kind: harness.FaultTruncated,
			Detail: fmt.Sprintf("the upstream answered after %d bytes of the request body, before its end", b.keep.passed)}
	}
	return b.keep.body(), b.keep.fault("request")
}

// bodyFault tells a client that went away from one that sent a body of wrong form.
func bodyFault(err error) *harness.Fault {
	if _, network := errors.AsType[net.Error](err); network || errors.Is(err, io.ErrUnexpectedEOF) {
		return &harness.Fault{Kind: harness.FaultClientGone, Detail: "the client went away within its request body"}
	}
	return &harness.Fault{Kind: harness.FaultReset, Detail: "the request body is malformed: it broke before its end"}
}
