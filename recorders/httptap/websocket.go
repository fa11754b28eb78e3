package httptap

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// Pseudo-fields of a recorded message of a web socket.
const (
	fieldOpcode = ":opcode" // text, binary or close
	fieldCoding = ":coding" // permessage-deflate, when it crossed compressed; the body is what came out
)

// Frames of a web socket. RFC 6455 section 5.2.
const (
	opContinued = 0x0
	opText      = 0x1
	opBinary    = 0x2
	opClose     = 0x8
	flagFin     = 0x80
	flagRSV1    = 0x40 // compressed, when permessage-deflate was agreed: RFC 7692
	flagsRSV    = 0x30
	flagMask    = 0x80
	maskSize    = 4
	maxControl  = 125 // bytes of a control frame
)

// opcodes are the names of what is recorded. Pings and pongs belong to the connection, not to what crosses it.
var opcodes = map[byte]string{opText: "text", opBinary: "binary", opClose: "close"}

// isWebSocket reports whether an answer switches to web sockets.
func isWebSocket(resp *http.Response) bool {
	return strings.EqualFold(upgrade(resp.Header), "websocket")
}

// socket records the messages of one web socket, both ways.
type socket struct {
	x        *exchange // the handshake
	deflated bool      // compression was agreed
	topic    string
}

func newSocket(x *exchange, resp *http.Response) *socket {
	topic, _, _ := strings.Cut(x.rec.Request.Head.Get(harness.FieldPath), "?")
	deflated := false
	for _, v := range resp.Header.Values("Sec-Websocket-Extensions") {
		deflated = deflated || strings.Contains(strings.ToLower(v), "permessage-deflate")
	}
	return &socket{x, deflated, topic}
}

// follow returns the connection with its messages read along: what is read from it goes from one system to the other.
func (s *socket) follow(c io.Reader, from, to string) io.Reader {
	return &messageReader{Reader: c, scan: messageScanner{
		limit: s.x.tap.maxBody(), deflated: s.deflated, now: s.x.tap.now,
		found: func(m socketMessage) { s.put(m, from, to) },
	}}
}

// put records one message.
func (s *socket) put(m socketMessage, from, to string) {
	if s.x.left.reason != "" {
		return
	}
	rec := harness.Exchange{
		Session: s.x.rec.Session, Channel: harness.ChannelMessage, From: from, To: to, At: m.at, Fault: m.fault,
		Request: harness.Message{Head: harness.Head{{Name: harness.FieldTopic, Value: s.topic}, {Name: fieldOpcode, Value: m.opcode}}, Body: harness.BytesBody(m.body)},
	}
	if m.compressed {
		rec.Request.Head = append(rec.Request.Head, harness.Field{Name: fieldCoding, Value: "permessage-deflate"})
	}
	s.x.tap.refused.Put(s.x.sink, rec)
}

// messageReader follows the frames in what is read.
type messageReader struct {
	io.Reader
	scan messageScanner
}

func (r *messageReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.scan.feed(p[:n])
	if err != nil {
		r.scan.end()
	}
	return n, err
}

// socketMessage is one message as it crossed.
type socketMessage struct {
	at         time.Time // of its first frame
	opcode     string
	body       []byte
	compressed bool // it crossed compressed
	fault      *harness.Fault
}

// messageScanner puts the frames of one direction together to messages. Where the bytes are not understood it says so
// once, and records no more.
type messageScanner struct {
	limit    int64 // bytes kept of one message
	deflated bool
	now      func() time.Time
	found    func(socketMessage)

	head    []byte // of the frame, while incomplete
	inside  bool   // of a payload
	left    uint64 // bytes of the payload that are still to come
	mask    [maskSize]byte
	masked  bool
	at      int // in the mask
	control bool
	flags   byte // of the frame
	code    byte

	open    bool // a message has begun and not ended
	message socketMessage
	size    int64
	closing []byte // payload of a close frame
	window  []byte // the last bytes that came out of the compression
	failed  bool
}

// feed takes the next bytes, cut anywhere.
func (s *messageScanner) feed(p []byte) {
	for len(p) > 0 && !s.failed {
		if s.inside {
			p = p[s.payload(p):]
			continue
		}
		s.head = append(s.head, p[0])
		p = p[1:]
		if s.begin() {
			s.head = s.head[:0]
			s.inside = true
			s.payload(nil)
		}
	}
}

// begin reads the head of a frame, and reports whether it is whole.
func (s *messageScanner) begin() bool {
	h := s.head
	if len(h) < 2 {
		return false
	}
	length, extended := uint64(h[1]&^flagMask), 0
	switch length {
	case 126:
		extended = 2
	case 127:
		extended = 8
	}
	s.masked = h[1]&flagMask != 0
	want := 2 + extended
	if s.masked {
		want += maskSize
	}
	if len(h) < want {
		return false
	}
	switch extended {
	case 2:
		length = uint64(binary.BigEndian.Uint16(h[2:]))
	case 8:
		length = binary.BigEndian.Uint64(h[2:])
	}
	copy(s.mask[:], h[2+extended:want])
	s.left, s.at, s.flags, s.code = length, 0, h[0], h[0]&0x0f
	s.control = s.code >= opClose
	s.startMessage()
	return true
}

// startMessage finds out what a frame adds to.
func (s *messageScanner) startMessage() {
	switch {
	case s.flags&flagsRSV != 0, s.control && (s.left > maxControl || s.flags&flagFin == 0), s.flags&flagRSV1 != 0 && !s.deflated,
		s.code == opContinued && !s.open, (s.code == opText || s.code == opBinary) && s.open, !s.control && s.code > opBinary:
		s.fail("a frame is not of the form that RFC 6455 gives it")
	case s.control:
		s.closing = s.closing[:0]
	case s.code != opContinued:
		s.open, s.size = true, 0
		s.message = socketMessage{at: s.now(), opcode: opcodes[s.code], compressed: s.flags&flagRSV1 != 0}
	}
}

// payload takes what belongs to the frame and returns how much that was.
func (s *messageScanner) payload(p []byte) int {
	n := int(min(s.left, uint64(len(p))))
	for _, b := range p[:n] {
		if s.masked {
			b ^= s.mask[s.at&(maskSize-1)]
			s.at++
		}
		switch {
		case s.control:
			s.closing = append(s.closing, b)
		case int64(len(s.message.body)) < s.limit:
			s.message.body = append(s.message.body, b)
		}
	}
	s.left -= uint64(n)
	if !s.control {
		s.size += int64(n)
	}
	if s.left == 0 && !s.failed {
		s.inside = false
		s.endFrame()
	}
	return n
}

// endFrame hands out the message when the frame was its last.
func (s *messageScanner) endFrame() {
	switch {
	case s.code == opClose:
		s.found(socketMessage{at: s.now(), opcode: opcodes[opClose], body: bytes.Clone(s.closing)})
	case s.control || s.flags&flagFin == 0:
	default:
		s.open = false
		m := s.message
		s.message = socketMessage{}
		if s.size > s.limit {
			m.fault = &harness.Fault{Kind: harness.FaultTruncated, Detail: fmt.Sprintf("the message has %d bytes, of which %d are kept", s.size, s.limit)}
		}
		if m.compressed {
			s.inflate(&m)
		}
		s.found(m)
	}
}

// deflateTail ends a compressed message, which crosses without it (RFC 7692 section 7.2.2), and a last empty block.
var deflateTail = []byte("\x00\x00\xff\xff\x01\x00\x00\xff\xff")

// windowSize is how far a compressed message can refer back, also into those before it.
const windowSize = 32 << 10

// inflate replaces what crossed by what was compressed.
func (s *messageScanner) inflate(m *socketMessage) {
	r := flate.NewReaderDict(io.MultiReader(bytes.NewReader(m.body), bytes.NewReader(deflateTail)), s.window)
	out, err := io.ReadAll(io.LimitReader(r, s.limit+1))
	switch {
	case m.fault != nil:
		s.failed = true // what follows may refer to what was not kept
		return
	case err != nil:
		s.failed = true
		m.fault = &harness.Fault{Kind: harness.FaultTruncated, Detail: "the message cannot be unpacked; what crossed afterwards in this direction is not recorded"}
		return
	case int64(len(out)) > s.limit:
		s.failed = true
		m.fault = &harness.Fault{Kind: harness.FaultTruncated, Detail: fmt.Sprintf("more than %d bytes come out of the message; what crossed afterwards in this direction is not recorded", s.limit)}
		out = out[:s.limit]
	}
	m.body = out
	s.window = append(s.window, out...)
	if len(s.window) > windowSize {
		s.window = bytes.Clone(s.window[len(s.window)-windowSize:])
	}
}

// fail says once that nothing more is understood.
func (s *messageScanner) fail(why string) {
	s.failed = true
	s.found(socketMessage{at: s.now(), opcode: opcodes[opBinary],
		fault: &harness.Fault{Kind: harness.FaultTruncated, Detail: why + "; what crossed afterwards in this direction is not recorded"}})
}

// end tells about a message that broke off.
func (s *messageScanner) end() {
	if !s.failed && (s.open || s.inside && s.code != opClose && !s.control || len(s.head) > 0) {
		s.failed = true
		m := s.message
		if m.opcode == "" {
			m.at, m.opcode = s.now(), opcodes[opBinary]
		}
		m.fault = &harness.Fault{Kind: harness.FaultReset, Detail: "the connection ended within a message"}
		s.found(m)
	}
}
