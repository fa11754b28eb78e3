package httptap

import (
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/httpwire"
)

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
	return append(append(h, harness.Field{Name: httpwire.FieldTrailer}), fields...)
}
