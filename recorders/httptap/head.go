package httptap

import (
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// fieldAuthority is the pseudo-field of HTTP/2 that holds the host.
const fieldAuthority = ":authority"

// reframed are the fields that net/http takes out of a header, or rewrites, because they frame the message.
var reframed = map[string]bool{"Host": true, "Transfer-Encoding": true, "Trailer": true, "Content-Length": true}

// reframedByFrames are those of requests of HTTP/2: there, cookies are joined, and Expect is answered, too.
var reframedByFrames = map[string]bool{"Host": true, "Transfer-Encoding": true, "Trailer": true, "Content-Length": true, "Cookie": true, "Expect": true}

// agrees reports whether the fields are those that net/http read, pseudo-fields and framing aside. It is what makes a raw
// head safe to use: a head that was attributed to the wrong message does not agree.
func agrees(raw harness.Head, parsed http.Header, reframed map[string]bool) bool {
	n, pragma, control := 0, false, false
	for _, f := range raw {
		name := textproto.CanonicalMIMEHeaderKey(f.Name)
		if f.IsPseudo() || reframed[name] {
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

// requestHead is the recorded head of a request for the path: raw when it is there, else net/http's view.
func requestHead(r *http.Request, path string, raw harness.Head) harness.Head {
	h := make(harness.Head, 0, 3+max(len(raw), len(r.Header)+2))
	if pseudo, rest := pseudoFirst(raw); len(pseudo) > 0 {
		h = append(append(h, pseudo...), harness.Field{Name: harness.FieldProto, Value: r.Proto})
		return append(h, rest...)
	}
	h = append(h,
		harness.Field{Name: harness.FieldMethod, Value: r.Method},
		harness.Field{Name: harness.FieldPath, Value: path},
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
		_, rest := pseudoFirst(raw)
		return append(h, rest...)
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

// withTrailer appends the trailer fields that came, behind their marker: raw when they are there, else net/http's view.
func withTrailer(h harness.Head, trailer http.Header, raw harness.Head) harness.Head {
	fields := raw
	if fields == nil {
		fields = sorted(trailer)
	}
	if len(fields) == 0 {
		return h
	}
	return append(append(h, harness.Field{Name: harness.FieldTrailer}), fields...)
}
