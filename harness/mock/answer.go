package mock

import (
	"bytes"
	"io"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// ruled are the fields that net/http looks up by their canonical name; every other field keeps the case of the wire.
var ruled = map[string]bool{"Content-Length": true, "Content-Type": true, "Date": true, "Connection": true, "Content-Encoding": true}

// framing are the fields that say how a message is framed, which is net/http's to say.
var framing = map[string]bool{"Transfer-Encoding": true, "Trailer": true, "Te": true, "Upgrade": true, "Content-Length": true}

// answer sends the recorded answer, faults included. An error means that nothing was sent, because the recorded body
// cannot be read.
func (m *Mock) answer(w http.ResponseWriter, r *http.Request, a reply) error {
	x, pieces := a.x, m.timeline(a)
	m.pause(r.Context(), a, pieces)
	if x.Fault != nil && (x.Response.IsZero() || x.Status() < 200) {
		if x.Fault.Kind == harness.FaultTimeout {
			hold(r, x.Took)
		}
		panic(http.ErrAbortHandler)
	}
	full := hasBody(r.Method, x.Status())
	var body io.WriterTo
	if full {
		var err error
		if body, err = bodyOf(x.Response.Body); err != nil {
			return err
		}
	}
	chunked := writeHead(w.Header(), r.Method, x)
	w.WriteHeader(x.Status())
	if full {
		m.writeBody(w, r, body, pieces)
		if flusher, ok := w.(http.Flusher); ok && (chunked || x.Fault != nil) {
			flusher.Flush()
		}
	}
	_, trailer := x.Response.Head.CutTrailer()
	for _, f := range trailer {
		w.Header().Add(http.TrailerPrefix+f.Name, f.Value)
	}
	if x.Fault != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

func (m *Mock) writeBody(w http.ResponseWriter, r *http.Request, body io.WriterTo, pieces []piece) {
	var to io.Writer = w
	if len(pieces) > 0 {
		to = m.stretch(r.Context(), w, pieces)
	}
	if _, err := body.WriteTo(to); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// maxHold bounds how long a recorded timeout keeps a client waiting.
const maxHold = 30 * time.Second

// hold waits until the client gives up, at most as long as it was recorded.
func hold(r *http.Request, took time.Duration) {
	timer := time.NewTimer(min(took, maxHold))
	defer timer.Stop()
	select {
	case <-r.Context().Done():
	case <-timer.C:
	}
}

// hasBody reports whether an answer of that status to that method can have a body.
func hasBody(method string, status int) bool {
	return method != http.MethodHead && status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// writeHead sets the recorded fields and keeps net/http from adding its own. It reports whether the answer has no
// Content-Length and is to be chunked.
func writeHead(h http.Header, method string, x *harness.Exchange) (chunked bool) {
	h["Date"], h["Content-Type"] = nil, nil
	length := ""
	fields, _ := x.Response.Head.CutTrailer()
	for _, f := range fields {
		if f.IsPseudo() {
			continue
		}
		name := textproto.CanonicalMIMEHeaderKey(f.Name)
		switch {
		case name == "Content-Length":
			length = f.Value
		case framing[name]:
		case ruled[name]:
			h[name] = append(h[name], f.Value)
		default:
			h[f.Name] = append(h[f.Name], f.Value)
		}
	}
	if length == "" {
		return true
	}
	if hasBody(method, x.Status()) && x.Fault == nil {
		length = strconv.FormatInt(x.Response.Body.Size(), 10)
	}
	if _, err := strconv.ParseUint(strings.TrimSpace(length), 10, 63); err == nil {
		h["Content-Length"] = []string{length}
	}
	return false
}

// inMemory is the size up to which a body is written in one piece.
const inMemory = 1 << 20

// bodyOf opens a recorded body: read whole when it is small, as a stream when it is large.
func bodyOf(body harness.Body) (io.WriterTo, error) {
	if body.Size() <= inMemory {
		b, err := body.Bytes()
		return bytes.NewReader(b), err
	}
	r, err := body.Open()
	return stream{r}, err
}

// stream is closed behind its last byte.
type stream struct{ io.ReadCloser }

func (s stream) WriteTo(w io.Writer) (int64, error) {
	defer s.Close()
	return io.Copy(w, s.ReadCloser)
}
