package httptap

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/http2/hpack"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/httpwire"
)

// Frames of HTTP/2 that matter here. RFC 9113 section 6.
const (
	frameHeader      = 9 // bytes before each payload
	frameHeaders     = 0x1
	framePromise     = 0x5
	frameContinued   = 0x9
	flagEndHeaders   = 0x4
	flagPadded       = 0x8
	flagPriority     = 0x20
	prioritySize     = 5
	headerTable      = 4096 // bytes of the dynamic table; net/http advertises no other size
	prefaceStart     = "PRI * HTTP/2.0"
	prefaceRest      = "SM\r\n\r\n" // behind the blank line of what looks like a head
	clientPreface    = prefaceStart + "\r\n\r\n" + prefaceRest
	maxPendingHeads  = 1024
	continuationMost = 64 // frames of one header block
)

// frameScanner follows the frames of one direction of an HTTP/2 connection and cuts out the header blocks. It only
// observes, as requestScanner does.
type frameScanner struct {
	skip    int // bytes before the next frame that are none of one
	header  [frameHeader]byte
	have    int // bytes of the header
	left    int // bytes of the payload that are still to come
	payload []byte
	block   []byte // of the header block that is being gathered
	stream  uint32 // whose block it is; 0: none
	parts   int
	decoder *hpack.Decoder                           // nil: only the streams of header blocks are wanted
	found   func(stream uint32, fields harness.Head) // a header block that ended
	failed  bool                                     // the bytes are not understood any more
}

func newFrameScanner(decode bool, found func(uint32, harness.Head)) frameScanner {
	s := frameScanner{found: found}
	if decode {
		s.decoder = hpack.NewDecoder(headerTable, nil)
		s.decoder.SetMaxStringLength(httpwire.MaxHead)
	}
	return s
}

// feed takes the next bytes, cut anywhere.
func (s *frameScanner) feed(p []byte) {
	for len(p) > 0 && !s.failed {
		switch {
		case s.skip > 0:
			n := min(s.skip, len(p))
			s.skip -= n
			p = p[n:]
		case s.have < frameHeader:
			n := copy(s.header[s.have:], p)
			s.have += n
			p = p[n:]
			if s.have == frameHeader {
				s.begin()
			}
		default:
			n := min(s.left, len(p))
			if s.wanted() {
				s.payload = append(s.payload, p[:n]...)
			}
			s.left -= n
			p = p[n:]
			s.endPayload()
		}
	}
}

func (s *frameScanner) wanted() bool {
	kind := s.header[3]
	return kind == frameHeaders || kind == frameContinued || kind == framePromise
}

// begin reads the header of a frame.
func (s *frameScanner) begin() {
	s.left = int(s.header[0])<<16 | int(s.header[1])<<8 | int(s.header[2])
	s.payload = s.payload[:0]
	s.failed = s.stream != 0 && s.header[3] != frameContinued || s.wanted() && s.left+len(s.block) > httpwire.MaxHead
	s.endPayload()
}

// endPayload acts on a frame that is whole.
func (s *frameScanner) endPayload() {
	if s.left > 0 || s.failed {
		return
	}
	s.have = 0
	id := (uint32(s.header[5])<<24 | uint32(s.header[6])<<16 | uint32(s.header[7])<<8 | uint32(s.header[8])) & (1<<31 - 1)
	switch s.header[3] {
	case frameHeaders:
		fragment, ok := s.fragment()
		s.stream, s.block, s.parts, s.failed = id, append(s.block[:0], fragment...), 0, !ok || id == 0
	case frameContinued:
		s.parts++
		s.block = append(s.block, s.payload...)
		s.failed = s.stream == 0 || s.stream != id || s.parts > continuationMost
	case framePromise:
		s.failed = true // no side here allows pushes
		return
	default:
		return
	}
	if !s.failed && s.header[4]&flagEndHeaders != 0 {
		s.endBlock()
	}
}

// fragment is the part of the header block that a HEADERS frame holds.
func (s *frameScanner) fragment() ([]byte, bool) {
	b, flags := s.payload, s.header[4]
	padding := 0
	if flags&flagPadded != 0 {
		if len(b) == 0 {
			return nil, false
		}
		padding, b = int(b[0]), b[1:]
	}
	if flags&flagPriority != 0 {
		if len(b) < prioritySize {
			return nil, false
		}
		b = b[prioritySize:]
	}
	if padding > len(b) {
		return nil, false
	}
	return b[:len(b)-padding], true
}

func (s *frameScanner) endBlock() {
	id := s.stream
	s.stream = 0
	if s.decoder == nil {
		s.found(id, nil)
		return
	}
	decoded, err := s.decoder.DecodeFull(s.block)
	s.block = s.block[:0]
	if err != nil {
		s.failed = true
	}
	fields := make(harness.Head, 0, len(decoded))
	for _, f := range decoded {
		fields = append(fields, harness.Field{Name: f.Name, Value: f.Value})
	}
	s.found(id, fields)
}

// partial reports whether a header block has begun and not ended.
func (s *frameScanner) partial() bool { return s.stream != 0 }

// requestStreams are the heads of the requests on one HTTP/2 connection of a client.
type requestStreams struct {
	frameScanner
	last  uint32         // newest stream; a header block of an older one is a trailer
	heads []harness.Head // whole, and not yet asked for
	full  int            // heads that there was no room for
}

func newRequestStreams() *requestStreams {
	s := &requestStreams{}
	s.frameScanner = newFrameScanner(true, func(stream uint32, fields harness.Head) {
		if stream <= s.last {
			return
		}
		s.last = stream
		if len(s.heads) == maxPendingHeads {
			s.heads, s.full = s.heads[1:], s.full+1
		}
		s.heads = append(s.heads, fields)
	})
	s.skip = len(prefaceRest)
	return s
}

// take hands out the head of the request: the oldest that says the same. Streams run beside one another and net/http
// does not tell their numbers, so of two requests that are equal but for the order of their fields, either may get the
// head of the other.
func (s *requestStreams) take(r *http.Request) (harness.Head, bool) {
	for i, h := range s.heads {
		if h.Get(harness.FieldMethod) == r.Method && h.Get(harness.FieldPath) == r.RequestURI && hostOf(h) == r.Host && agrees(h, r.Header, reframedByFrames) {
			s.heads = slices.Delete(s.heads, i, i+1)
			return h, true
		}
	}
	return nil, false
}

// unanswered counts the requests that began and were never asked for.
func (s *requestStreams) unanswered() int {
	n := len(s.heads) + s.full
	if s.partial() {
		n++
	}
	return n
}

// hostOf is the host that a request of HTTP/2 asks.
func hostOf(h harness.Head) string { return cmp.Or(h.Get(fieldAuthority), h.Get("Host")) }

// pseudoFirst cuts a head into the pseudo-fields at its begin and the rest.
func pseudoFirst(h harness.Head) (pseudo, rest harness.Head) {
	for i, f := range h {
		if !f.IsPseudo() {
			return h[:i], h[i:]
		}
	}
	return h, nil
}

// isInformationalHead reports whether a header block announces another one.
func isInformationalHead(h harness.Head) bool {
	return strings.HasPrefix(h.Get(harness.FieldStatus), "1")
}
