package httptap

import (
	"bytes"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// Limits of a head that is read from the wire.
const (
	maxHead   = 1 << 20 // bytes
	maxFields = 512
	maxLine   = 4096 // bytes of a line between chunks
)

// fieldTrailer marks the end of the header fields and the begin of the trailer fields in a recorded head.
const fieldTrailer = ":trailer"

// headScanner collects the bytes of one head, up to and with its blank line.
type headScanner struct {
	buf  []byte
	line int // where the current line begins in buf
}

// take consumes the part of p that belongs to the head. Blank lines before the head are skipped.
func (s *headScanner) take(p []byte) (n int, done bool) {
	for n < len(p) {
		i := bytes.IndexByte(p[n:], '\n')
		if i < 0 {
			s.buf = append(s.buf, p[n:]...)
			return len(p), false
		}
		s.buf = append(s.buf, p[n:n+i+1]...)
		n += i + 1
		blank := isBlank(s.buf[s.line:])
		if blank && s.line > 0 {
			return n, true
		}
		if blank {
			s.buf = s.buf[:0]
		}
		s.line = len(s.buf)
	}
	return n, false
}

func (s *headScanner) reset() { s.buf, s.line = s.buf[:0], 0 }

func (s *headScanner) overflow() bool { return len(s.buf) > maxHead }

// partial reports whether a head has begun and not ended.
func (s *headScanner) partial() bool { return len(bytes.Trim(s.buf, "\r\n")) > 0 }

func isBlank(line []byte) bool {
	return len(line) == 1 || len(line) == 2 && line[0] == '\r'
}

// rawHead is a head as it crossed: its first line, and its fields in order.
type rawHead struct {
	start  string
	fields harness.Head
}

// parseHead cuts a head into its fields. Values lose the white space around them, as RFC 9110 section 5.5 defines;
// folded lines are joined by one space, as net/http does.
func parseHead(b []byte) (h rawHead, ok bool) {
	text := string(b)
	h.start, text, _ = strings.Cut(text, "\n")
	h.start = strings.TrimSuffix(h.start, "\r")
	h.fields = make(harness.Head, 0, strings.Count(text, "\n"))
	for text != "" {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			break
		}
		if last := len(h.fields) - 1; line[0] == ' ' || line[0] == '\t' {
			if last < 0 {
				return h, false
			}
			h.fields[last].Value += " " + strings.Trim(line, " \t")
			continue
		}
		name, value, colon := strings.Cut(line, ":")
		if !colon || name == "" || len(h.fields) == maxFields {
			return h, false
		}
		h.fields = append(h.fields, harness.Field{Name: name, Value: strings.Trim(value, " \t")})
	}
	return h, true
}

// reframed are the fields that net/http takes out of a header, or rewrites, because they frame the message.
var reframed = map[string]bool{"Host": true, "Transfer-Encoding": true, "Trailer": true, "Content-Length": true}

// agrees reports whether the fields are those that net/http read, framing aside. It is what makes a raw head safe to
// use: a head that was attributed to the wrong message does not agree.
func agrees(raw harness.Head, parsed http.Header) bool {
	n, pragma, control := 0, false, false
	for _, f := range raw {
		name := textproto.CanonicalMIMEHeaderKey(f.Name)
		if reframed[name] {
			continue
		}
		if !slices.Contains(parsed[name], f.Value) {
			return false
		}
		pragma = pragma || name == "Pragma"
		control = control || name == "Cache-Control"
		n++
	}
	have := 0
	for name, values := range parsed {
		if !reframed[name] {
			have += len(values)
		}
	}
	// net/http adds the Cache-Control that a lone Pragma means.
	return have == n || pragma && !control && have == n+1
}

// requestHead is the recorded head of a request: raw when it is there, else net/http's view.
func requestHead(r *http.Request, raw harness.Head) harness.Head {
	h := make(harness.Head, 0, 3+max(len(raw), len(r.Header)+2))
	h = append(h,
		harness.Field{Name: harness.FieldMethod, Value: r.Method},
		harness.Field{Name: harness.FieldPath, Value: r.RequestURI},
		harness.Field{Name: harness.FieldProto, Value: r.Proto})
	if raw != nil {
		return append(h, raw...)
	}
	view := r.Header.Clone()
	if view == nil {
		view = http.Header{}
	}
	view.Set("Host", r.Host)
	return append(h, sorted(framed(view, r.TransferEncoding, r.Trailer))...)
}

// responseHead is the recorded head of an answer: raw when it is there, else net/http's view. What is known of the
// connection stands before it.
func responseHead(resp *http.Response, connection, raw harness.Head) harness.Head {
	h := make(harness.Head, 0, 2+len(connection)+max(len(raw), len(resp.Header)+1))
	h = append(h,
		harness.Field{Name: harness.FieldStatus, Value: strconv.Itoa(resp.StatusCode)},
		harness.Field{Name: harness.FieldProto, Value: resp.Proto})
	h = append(h, connection...)
	if raw != nil {
		return append(h, raw...)
	}
	view := resp.Header.Clone()
	if view == nil {
		view = http.Header{}
	}
	return append(h, sorted(framed(view, resp.TransferEncoding, resp.Trailer))...)
}

// framed puts back the fields that net/http took out.
func framed(h http.Header, coding []string, trailer http.Header) http.Header {
	if len(coding) > 0 {
		h.Set("Transfer-Encoding", strings.Join(coding, ", "))
	}
	if len(trailer) > 0 {
		names := make([]string, 0, len(trailer))
		for name := range trailer {
			names = append(names, name)
		}
		slices.Sort(names)
		h.Set("Trailer", strings.Join(names, ", "))
	}
	return h
}

// sorted lists a header by name; values of one name stay in order.
func sorted(h http.Header) harness.Head {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	var fields harness.Head
	for _, name := range names {
		for _, v := range h[name] {
			fields = append(fields, harness.Field{Name: name, Value: v})
		}
	}
	return fields
}

// withTrailer appends the trailer fields that came, behind their marker.
func withTrailer(h harness.Head, trailer http.Header) harness.Head {
	fields := sorted(trailer)
	if len(fields) == 0 {
		return h
	}
	return append(append(h, harness.Field{Name: fieldTrailer}), fields...)
}

// mediaOf is the media type without parameters, lower case.
func mediaOf(contentType string) string {
	media, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(media))
}
