package pcap

import (
	"bytes"
	"encoding/binary"
	"strings"
	"time"

	"golang.org/x/net/http2/hpack"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/httpwire"
)

// preface is how a client begins HTTP/2 (RFC 9113 section 3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

func beginsHTTP2(p []byte) bool { return bytes.HasPrefix(p, []byte(preface)) }

// Frames of RFC 9113 section 6, and bounds of what is held of one connection.
const (
	frameData     = 0x0
	frameHeaders  = 0x1
	frameReset    = 0x3
	frameSettings = 0x4
	framePromise  = 0x5
	frameContinue = 0x9

	flagEndStream  = 0x1
	flagAck        = 0x1
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20

	frameHeader     = 9
	settingSize     = 6
	settingTable    = 1
	defaultTable    = 4096
	maxTable        = 1 << 20
	maxFrame        = 1 << 20
	maxStreams      = 4096
	maxHeaderString = 1 << 20
)

// frame is one frame of HTTP/2.
type frame struct {
	kind, flags byte
	stream      uint32
	payload     []byte
}

// frames cuts one direction into frames.
type frames struct {
	buf     []byte
	decoder *hpack.Decoder
	block   []byte // of header fields that are gathered
	begun   frame  // to which the block belongs; stream 0: none
}

func newFrames() *frames {
	d := hpack.NewDecoder(defaultTable, nil)
	d.SetMaxStringLength(maxHeaderString)
	d.SetAllowedMaxDynamicTableSize(defaultTable)
	return &frames{decoder: d}
}

// next returns the next whole frame.
func (f *frames) next() (fr frame, found, ok bool) {
	if len(f.buf) < frameHeader {
		return fr, false, true
	}
	n := int(binary.BigEndian.Uint32(f.buf) >> 8)
	if n > maxFrame {
		return fr, false, false
	}
	if len(f.buf) < frameHeader+n {
		return fr, false, true
	}
	fr = frame{f.buf[3], f.buf[4], binary.BigEndian.Uint32(f.buf[5:]) &^ (1 << 31), f.buf[frameHeader : frameHeader+n]}
	f.buf = f.buf[frameHeader+n:]
	return fr, true, true
}

// content is the payload without padding, priority and the promised stream.
func (fr frame) content() ([]byte, bool) {
	p, padding := fr.payload, 0
	if fr.flags&flagPadded != 0 && fr.kind != frameContinue {
		if len(p) == 0 {
			return nil, false
		}
		padding, p = int(p[0]), p[1:]
	}
	skip := 0
	switch {
	case fr.kind == frameHeaders && fr.flags&flagPriority != 0:
		skip = 5
	case fr.kind == framePromise:
		skip = 4
	}
	if len(p) < skip+padding {
		return nil, false
	}
	return p[skip : len(p)-padding], true
}

// half is one side of a stream.
type half struct {
	httpwire.Message
	body    []byte
	passed  int // bytes of the body
	started bool
	ended   bool
}

// exchange2 is one stream.
type exchange2 struct{ request, answer half }

// http2 brings the streams of one connection together.
type http2 struct {
	conn    *connection
	sides   [2]*frames // of the client and of the server
	streams map[uint32]*exchange2
	newest  uint32
	preface int // bytes of it that are still to come
	lost    bool
}

func newHTTP2(c *connection) *http2 {
	return &http2{conn: c, sides: [2]*frames{newFrames(), newFrames()}, streams: map[uint32]*exchange2{}, preface: len(preface)}
}

func (h *http2) over() bool { return h.lost }

func (h *http2) end(bool) {}

func (h *http2) gap(_ bool, n int64) {
	if n != 0 {
		h.lose(&harness.Fault{Kind: harness.FaultTruncated, Detail: "bytes of the connection are missing"})
	}
}

// lose gives up: without some of its frames the heads of a connection cannot be decoded any more.
func (h *http2) lose(fault *harness.Fault) {
	if !h.lost {
		h.lost = true
		h.conn.wire.file.Note(noteTrouble)
		h.finish(fault)
	}
}

func (h *http2) finish(broken *harness.Fault) {
	for id := uint32(1); len(h.streams) > 0 && id <= h.newest; id += 2 {
		if x := h.streams[id]; x != nil {
			h.put(id, x, broken)
		}
	}
}

func (h *http2) feed(client bool, p []byte, at time.Time, _ place) {
	side := h.sides[1]
	if client {
		side = h.sides[0]
		n := min(h.preface, len(p))
		h.preface, p = h.preface-n, p[n:]
	}
	side.buf = append(side.buf, p...)
	for !h.lost {
		fr, found, ok := side.next()
		if ok && found {
			ok = h.frame(client, side, fr, at)
		}
		if !ok {
			h.lose(&harness.Fault{Kind: harness.FaultReset, Detail: "the frames of the connection are malformed"})
		}
		if !found {
			break
		}
	}
	side.buf = bytes.Clone(side.buf) // the room of what was read is given back
}

// frame acts on one frame and reports whether it was understood.
func (h *http2) frame(client bool, side *frames, fr frame, at time.Time) bool {
	if (side.begun.stream != 0) != (fr.kind == frameContinue) {
		return false
	}
	switch fr.kind {
	case frameHeaders, framePromise, frameContinue:
		fragment, ok := fr.content()
		if fr.kind != frameContinue {
			side.begun, side.block = fr, nil
		}
		side.block = append(side.block, fragment...)
		if !ok || side.begun.stream == 0 || len(side.block) > httpwire.MaxHead {
			return false
		}
		return fr.flags&flagEndHeaders == 0 || h.fields(client, side, at)
	case frameData:
		content, ok := fr.content()
		if x := h.streams[fr.stream]; x != nil {
			h.data(x.half(client), content, at)
			h.ended(fr.stream, x, x.half(client), fr.flags)
		}
		return ok
	case frameReset:
		if x := h.streams[fr.stream]; x != nil {
			h.put(fr.stream, x, &harness.Fault{Kind: resetKind(client), Detail: "the stream was reset before it ended"})
		}
	case frameSettings:
		h.settings(client, fr)
	}
	return true
}

func resetKind(client bool) string {
	if client {
		return harness.FaultClientGone
	}
	return harness.FaultReset
}

func (x *exchange2) half(client bool) *half {
	if client {
		return &x.request
	}
	return &x.answer
}

// settings takes over how much the other side may remember of header fields.
func (h *http2) settings(client bool, fr frame) {
	other := h.sides[0]
	if client {
		other = h.sides[1]
	}
	for p := fr.payload; fr.flags&flagAck == 0 && len(p) >= settingSize; p = p[settingSize:] {
		if binary.BigEndian.Uint16(p) == settingTable {
			other.decoder.SetAllowedMaxDynamicTableSize(min(binary.BigEndian.Uint32(p[2:]), maxTable))
		}
	}
}

// fields acts on a block of header fields that is whole.
func (h *http2) fields(client bool, side *frames, at time.Time) bool {
	begun, block := side.begun, side.block
	side.begun, side.block = frame{}, nil
	decoded, err := side.decoder.DecodeFull(block)
	if err != nil {
		return false
	}
	if begun.kind == framePromise {
		h.conn.wire.file.Note(notePushed)
		return true
	}
	x := h.streams[begun.stream]
	if x == nil {
		if !client || begun.stream <= h.newest || len(h.streams) >= maxStreams {
			return true // of a stream that ended or was pushed
		}
		x = &exchange2{}
		h.streams[begun.stream], h.newest = x, begun.stream
	}
	half := x.half(client)
	if !half.started {
		half.Begin = at
	}
	half.End = at
	head, interim := headOf(decoded, half.started)
	if interim {
		return true
	}
	half.Head = append(half.Head, head...)
	half.started = true
	h.ended(begun.stream, x, half, begun.flags)
	return true
}

// headOf makes a head of decoded fields: pseudo-fields first, Host from the authority. What follows a head is a trailer.
func headOf(decoded []hpack.HeaderField, trailer bool) (head harness.Head, interim bool) {
	pseudo := map[string]string{}
	var fields harness.Head
	for _, f := range decoded {
		if strings.HasPrefix(f.Name, ":") {
			pseudo[f.Name] = f.Value
			continue
		}
		fields = append(fields, harness.Field{Name: f.Name, Value: f.Value})
	}
	if trailer {
		return append(harness.Head{{Name: harness.FieldTrailer}}, fields...), false
	}
	proto := harness.Field{Name: harness.FieldProto, Value: "HTTP/2.0"}
	if status := pseudo[harness.FieldStatus]; status != "" {
		return append(harness.Head{{Name: harness.FieldStatus, Value: status}, proto}, fields...), strings.HasPrefix(status, "1")
	}
	head = harness.Head{{Name: harness.FieldMethod, Value: pseudo[harness.FieldMethod]}, {Name: harness.FieldPath, Value: pseudo[harness.FieldPath]}, proto}
	authority := pseudo[":authority"]
	if head[0].Value == "CONNECT" && head[1].Value == "" {
		head[1].Value = authority
	}
	if authority != "" && !fields.Has("Host") {
		head = append(head, harness.Field{Name: "Host", Value: authority})
	}
	return append(head, fields...), false
}

// data keeps what comes of a body.
func (h *http2) data(to *half, p []byte, at time.Time) {
	to.End = at
	if to.passed == len(to.body) {
		to.body = append(to.body, p[:h.conn.wire.keep(min(len(p), maxBody-len(to.body)))]...)
	}
	to.passed += len(p)
}

// ended ends one side of a stream, and puts the exchange when both have.
func (h *http2) ended(id uint32, x *exchange2, side *half, flags byte) {
	if flags&flagEndStream == 0 {
		return
	}
	side.ended = true
	if x.request.ended && x.answer.ended {
		h.put(id, x, nil)
	}
}

// put hands a stream on; broken says why a side that has not ended is incomplete.
func (h *http2) put(id uint32, x *exchange2, broken *harness.Fault) {
	delete(h.streams, id)
	request, answer := x.request.message(broken), x.answer.message(broken)
	if !validHead(request.Head, harness.FieldMethod) || !httpwire.HasTarget(request.Head) {
		h.conn.wire.forget(request)
		h.conn.wire.forget(answer)
		h.conn.wire.drop(noteBroken, "malformed request")
		return
	}
	if !validHead(answer.Head, harness.FieldStatus) {
		h.conn.wire.forget(answer)
		h.conn.wire.put(h.conn.session, request, nil)
		return
	}
	h.conn.wire.put(h.conn.session, request, &answer)
}

// validHead reports whether a head has its pseudo-field and could be written as lines.
func validHead(head harness.Head, pseudo string) bool {
	for _, f := range head {
		if f.Name == "" || strings.ContainsAny(f.Name, " \r\n\x00") || strings.ContainsAny(f.Value, "\r\n\x00") {
			return false
		}
	}
	value := head.Get(pseudo)
	return value != "" && !strings.Contains(value, " ") && (pseudo != harness.FieldStatus || len(value) == 3 && value[0] != '0' && strings.Trim(value, "0123456789") == "")
}

// message is what came of a side.
func (s *half) message(broken *harness.Fault) httpwire.Message {
	m := s.Message
	m.Body, m.Media = harness.BytesBody(s.body), httpwire.Media(m.Head.Get("Content-Type"))
	switch {
	case !s.ended:
		m.Fault = broken
	case s.passed > len(s.body):
		m.Fault = &harness.Fault{Kind: harness.FaultTruncated, Detail: "the body is larger than what is kept"}
	}
	return m
}
