package httpwire

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// Message is a request or an answer that a Scanner cut out.
type Message struct {
	harness.Message
	Begin, End time.Time      // moments of its first and last piece
	Fault      *harness.Fault // nil: whole
	Switched   bool           // another protocol follows in this direction
}

// Scanner cuts the bytes of one direction of a connection into messages. Set the exported fields before the first use.
type Scanner struct {
	// Method is asked for the method of the request that an answer belongs to, once its head is there. Nil: the direction
	// is that of requests.
	Method func() string
	Keep   func(n int) int // how many of n more bytes of a body may be kept; nil: all
	Emit   func(Message)   // takes each message in order; informational answers are passed over

	at    state
	head  HeadScanner
	line  []byte // of a chunk size or a trailer, while incomplete
	left  int64  // bytes of the body or chunk that are still to come
	msg   Message
	body  []byte
	seen  int64 // bytes of the body that passed or are missing
	holes int64 // of them missing
}

// Seek waits for a piece that begins like a message: what comes first may be the rest of another one.
func (s *Scanner) Seek() { s.at = seeking }

// Open reports whether a message has begun and not ended.
func (s *Scanner) Open() bool {
	return s.at == inHead && s.head.Partial() || s.at > inHead && s.at < seeking
}

// Switched reports whether another protocol follows.
func (s *Scanner) Switched() bool { return s.at == switched }

// Seeking reports whether what comes next is looked through for the begin of a message.
func (s *Scanner) Seeking() bool { return s.at == seeking }

// Feed takes the next piece, seen at a moment.
func (s *Scanner) Feed(p []byte, at time.Time) {
	if s.at == seeking && len(p) > 0 && s.begins(p) {
		s.at = inHead
	}
	for len(p) > 0 {
		if !s.head.Partial() && s.at == inHead {
			s.msg.Begin = at
		}
		s.msg.End = at
		switch s.at {
		case inHead:
			n, done := s.head.Take(p)
			p = p[n:]
			switch {
			case done:
				s.endHead()
			case s.head.Overflow():
				s.lose(fmt.Sprintf("its head has more than %d bytes", MaxHead))
			}
		case inBody, inChunk, untilClose:
			p = p[s.takeBody(p):]
		case inChunkSize, inChunkEnd, inTrailer:
			p = p[s.takeLine(p):]
		default:
			return
		}
	}
}

func (s *Scanner) begins(p []byte) bool {
	if s.Method == nil {
		return BeginsRequest(p)
	}
	return BeginsAnswer(p)
}

// Gap tells that n bytes are missing here; n < 0: an unknown number.
func (s *Scanner) Gap(n int64) {
	inside := s.at == inBody || s.at == inChunk || s.at == untilClose
	switch {
	case s.at == switched || s.at == seeking:
	case inside && n >= 0 && (s.at == untilClose || n <= s.left):
		s.holes += n
		s.seen += n
		s.left -= n
		s.endBody()
	case s.Open():
		s.emit(&harness.Fault{Kind: harness.FaultTruncated, Detail: "bytes of it are missing"})
		s.at = seeking
	default:
		s.at = seeking
	}
}

// UntilClose reports whether the body that is read ends where the direction does.
func (s *Scanner) UntilClose() bool { return s.at == untilClose }

// Close ends the direction. Without a fault its sender ended it; a message that is open is incomplete either way, unless
// its body ends where the direction does.
func (s *Scanner) Close(fault *harness.Fault) {
	switch {
	case !s.Open():
	case fault == nil && s.at != untilClose:
		s.emit(&harness.Fault{Kind: harness.FaultReset, Detail: "the connection ended before the message did"})
	default:
		s.emit(fault)
	}
	s.at = seeking
}

// endHead reads the head and finds out what follows it.
func (s *Scanner) endHead() {
	h, ok := ParseHead(s.head.Bytes())
	s.head.Reset()
	parse, method := parseRequestLine, ""
	if s.Method != nil {
		parse = parseStatusLine
	}
	start, valid := parse(h.Start)
	if !ok || !valid || !areFields(h.Fields) {
		s.lose("its head is malformed")
		return
	}
	s.msg.Head = append(start, h.Fields...)
	s.msg.Media = Media(s.msg.Head.Get("Content-Type"))
	if s.Method != nil {
		method = s.Method()
	}
	next, length, problem := frame(s.msg.Head, s.Method != nil, method)
	if problem != "" {
		s.lose(problem)
		return
	}
	s.at, s.left = next, length
	switch next {
	case inHead:
		s.emit(nil)
	case switched:
		s.msg.Switched = true
		s.emit(nil)
	case inBody:
		s.endBody()
	}
}

// takeBody keeps what p holds of the body or chunk.
func (s *Scanner) takeBody(p []byte) (n int) {
	n = len(p)
	if s.at != untilClose {
		n = int(min(s.left, int64(n)))
		s.left -= int64(n)
	}
	keep := 0
	if s.seen-s.holes == int64(len(s.body)) { // nothing was left out yet
		if keep = n; s.Keep != nil {
			keep = s.Keep(n)
		}
	}
	s.body = append(s.body, p[:keep]...)
	s.seen += int64(n)
	s.endBody()
	return n
}

// endBody moves on when nothing is left of the body or chunk.
func (s *Scanner) endBody() {
	switch {
	case s.left > 0 || s.at == untilClose:
	case s.at == inBody:
		s.at = inHead
		s.emit(nil)
	case s.at == inChunk:
		s.at = inChunkEnd
	}
}

// takeLine consumes up to the end of a line between chunks and acts on it.
func (s *Scanner) takeLine(p []byte) (n int) {
	i := bytes.IndexByte(p, '\n')
	if i < 0 {
		i = len(p) - 1
	}
	s.line = append(s.line, p[:i+1]...)
	switch {
	case s.at != inTrailer && len(s.line) > MaxLine || len(s.line) > MaxHead:
		s.lose("a line between its chunks is too long")
	case p[i] == '\n':
		s.endLine()
	}
	return i + 1
}

func (s *Scanner) endLine() {
	blank := IsBlank(s.line)
	switch {
	case s.at == inTrailer && !bytes.HasSuffix(s.line, []byte("\n\r\n")) && !bytes.HasSuffix(s.line, []byte("\n\n")) && !blank:
		return // the trailer is read as a whole
	case s.at == inTrailer:
		s.endTrailer()
	case s.at == inChunkEnd && blank:
		s.at = inChunkSize
	case s.at == inChunkEnd:
		s.lose("a chunk does not end where it says")
	default:
		size, ok := chunkSize(strings.TrimRight(string(s.line), "\r\n"))
		switch {
		case !ok:
			s.lose("the size of a chunk is not a number")
		case size == 0:
			s.at = inTrailer
		default:
			s.at, s.left = inChunk, size
		}
	}
	s.line = s.line[:0]
}

// endTrailer appends the trailer fields behind their marker.
func (s *Scanner) endTrailer() {
	s.at = inHead
	if IsBlank(s.line) {
		s.emit(nil)
		return
	}
	trailer, ok := ParseHead(append([]byte("\n"), s.line...))
	if !ok || len(trailer.Fields) == 0 || !areFields(trailer.Fields) {
		s.lose("its trailer is malformed")
		return
	}
	s.msg.Head = append(append(s.msg.Head, harness.Field{Name: harness.FieldTrailer}), trailer.Fields...)
	s.emit(nil)
}

// lose ends a message that is not understood, and waits for another one.
func (s *Scanner) lose(problem string) {
	s.emit(&harness.Fault{Kind: harness.FaultReset, Detail: "the message is malformed: " + problem})
	s.at = seeking
}

// emit hands out the message. What is missing of its body is a fault, too.
func (s *Scanner) emit(fault *harness.Fault) {
	m := s.msg
	m.Body = harness.BytesBody(s.body)
	passed := s.seen - s.holes
	switch {
	case fault != nil:
	case s.holes > 0:
		fault = &harness.Fault{Kind: harness.FaultTruncated, Detail: fmt.Sprintf("%d bytes of the body are missing", s.holes)}
	case passed > int64(len(s.body)):
		fault = &harness.Fault{Kind: harness.FaultTruncated, Detail: fmt.Sprintf("the body has %d bytes, of which %d are kept", passed, len(s.body))}
	}
	m.Fault = fault
	s.msg, s.body, s.seen, s.holes, s.left, s.line = Message{}, nil, 0, 0, 0, s.line[:0]
	s.head.Reset()
	if status := m.Head.Get(harness.FieldStatus); strings.HasPrefix(status, "1") && !m.Switched && fault == nil {
		return
	}
	s.Emit(m)
}
