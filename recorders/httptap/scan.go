package httptap

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/httpwire"
)

// place is where in the bytes of a connection a requestScanner stands.
type place int

const (
	inHead place = iota
	inBody
	inChunkSize
	inChunk
	inTrailer
	inFrames
	lost // the bytes are not understood any more, or not HTTP: nothing is attributed
)

// requestScanner follows the bytes that a client sends on one connection and cuts out the heads of its requests,
// kept-alive and pipelined ones and those of HTTP/2 too. It only observes: net/http decides what is valid, and a head that net/http reads
// differently is not used.
type requestScanner struct {
	at    place
	head  httpwire.HeadScanner
	line  []byte          // of a chunk size or a trailer, while incomplete
	left  int64           // bytes of the body or chunk that are still to come
	heads []httpwire.Head // whole, and not yet asked for

	streams *requestStreams // of HTTP/2; nil before its preface
}

// feed takes the next bytes, cut anywhere.
func (s *requestScanner) feed(p []byte) {
	for len(p) > 0 {
		switch s.at {
		case inHead:
			n, done := s.head.Take(p)
			p = p[n:]
			if done {
				s.endHead()
			} else if s.head.Overflow() {
				s.loseHead()
			}
		case inBody, inChunk:
			n := min(s.left, int64(len(p)))
			s.left -= n
			p = p[n:]
			s.endBody()
		case inChunkSize, inTrailer:
			p = p[s.takeLine(p):]
		case inFrames:
			s.streams.feed(p)
			return
		case lost:
			return
		}
	}
}

// endHead queues the head and finds out what follows it.
func (s *requestScanner) endHead() {
	h, ok := httpwire.ParseHead(s.head.Bytes())
	s.head.Reset()
	switch {
	case !ok:
		s.loseHead()
		return
	case h.Start == prefaceStart && len(h.Fields) == 0:
		s.at, s.streams = inFrames, newRequestStreams()
		return
	}
	s.heads = append(s.heads, h)
	s.at, s.left = frame(h.Fields)
	s.endBody()
}

// endBody moves on when nothing is left of the body or chunk.
func (s *requestScanner) endBody() {
	switch {
	case s.left > 0:
	case s.at == inBody:
		s.at = inHead
	case s.at == inChunk:
		s.at = inChunkSize
	}
}

// frame tells from a request's fields what follows: a body of a length, or chunks. RFC 9112 section 6.3.
func frame(h harness.Head) (place, int64) {
	if coding := h.Values("Transfer-Encoding"); len(coding) > 0 {
		if strings.EqualFold(coding[len(coding)-1], "chunked") {
			return inChunkSize, 0
		}
		return lost, 0
	}
	lengths := slices.Compact(h.Values("Content-Length"))
	if len(lengths) == 0 {
		return inHead, 0
	}
	n, err := strconv.ParseInt(lengths[0], 10, 64)
	if err != nil || n < 0 || len(lengths) > 1 {
		return lost, 0
	}
	return inBody, n
}

// takeLine consumes up to the end of a chunk-size or trailer line and acts on it.
func (s *requestScanner) takeLine(p []byte) (n int) {
	i := bytes.IndexByte(p, '\n')
	if i < 0 {
		i = len(p) - 1
	}
	s.line = append(s.line, p[:i+1]...)
	switch {
	case len(s.line) > httpwire.MaxLine:
		s.lose()
	case p[i] != '\n':
	case s.at == inTrailer:
		if httpwire.IsBlank(s.line) {
			s.at = inHead
		}
		s.line = s.line[:0]
	default:
		s.chunk(string(bytes.TrimRight(s.line, "\r\n")))
		s.line = s.line[:0]
	}
	return i + 1
}

// chunk begins the chunk of a size line.
func (s *requestScanner) chunk(line string) {
	digits, _, _ := strings.Cut(line, ";")
	n, err := strconv.ParseInt(strings.TrimSpace(digits), 16, 62)
	switch {
	case err != nil || n < 0:
		s.lose()
	case n == 0:
		s.at = inTrailer
	default:
		s.at, s.left = inChunk, n+int64(len("\r\n"))
	}
}

// lose gives up on this connection.
func (s *requestScanner) lose() { *s = requestScanner{at: lost, heads: s.heads} }

// loseHead gives up at a head; an empty one stands for it, which agrees with nothing and is still counted.
func (s *requestScanner) loseHead() {
	s.heads = append(s.heads, httpwire.Head{})
	s.lose()
}

// next hands out the oldest head.
func (s *requestScanner) next() (httpwire.Head, bool) {
	if len(s.heads) == 0 {
		return httpwire.Head{}, false
	}
	h := s.heads[0]
	s.heads[0] = httpwire.Head{}
	if s.heads = s.heads[1:]; len(s.heads) == 0 {
		s.heads = nil
	}
	return h, true
}

// unanswered counts the requests that began and were never asked for.
func (s *requestScanner) unanswered() int {
	if s.streams != nil {
		return s.streams.unanswered()
	}
	n := len(s.heads)
	if s.at == inHead && s.head.Partial() {
		n++
	}
	return n
}
