package harness

import (
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Pseudo-fields stand in a Head beside the header fields of the wire.
const (
	FieldMethod    = ":method"          // HTTP verb, as sent
	FieldPath      = ":path"            // request target: path and query, as sent
	FieldStatus    = ":status"          // three digits
	FieldProto     = ":proto"           // protocol version, such as HTTP/1.1
	FieldTrailer   = ":trailer"         // empty; the fields behind it came behind the body
	FieldArrivals  = ":arrivals"        // when the pieces of a streamed body came: milliseconds since the request and bytes, such as 12:57 215:60; of informational answers, bytes stand as their status: 3:<103>
	FieldInterim   = ":informational"   // status of an informational answer that came before this one, such as 103; one field each, 100 left aside
	FieldTLS       = ":tls"             // version and cipher of the connection to the answerer, as recorders see it: TLS 1.3 TLS_AES_128_GCM_SHA256
	FieldCert      = ":certificate"     // SHA-256 of the answerer's certificate, hexadecimal
	FieldCertEnd   = ":certificate-end" // last moment at which that certificate is valid, RFC 3339, UTC
	FieldDerived   = ":derived"         // parts of the request that an importer made up, because its source holds a matcher or a template: method, path, query, head, body
	FieldName      = ":name"            // file name, slash-separated, relative to the drop folder
	FieldTable     = ":table"           // name of a table, with its schema
	FieldTopic     = ":topic"           // topic, queue or subject of a broker
	FieldBroker    = ":broker"          // kind of broker: amqp, kafka, mqtt or nats
	FieldSender    = ":sender"          // address of who sends a mail, as the envelope says; empty for a bounce
	FieldRecipient = ":recipient"       // address of one who receives it
	FieldModified  = ":mtime"           // modification time of a file, RFC 3339 with nanoseconds, UTC
)

// Exchange is one crossing between two systems, and its answer.
type Exchange struct {
	ID       string        // unique within its recording, assigned in order of arrival
	Session  string        // groups the exchanges of one unit of work; empty when unknown
	Channel  string        // one of the Channel constants
	From, To string        // names of systems
	At       time.Time     // when the request began, UTC
	Took     time.Duration // until the last byte of the answer; 0 when there is none
	Request  Message
	Response Message // zero when the channel has no answer, or when none came
	Fault    *Fault  // nil when the exchange ended well
}

// Fault says how an exchange failed on the wire. An exchange with a Fault is incomplete: it is kept, and it is never
// compared as if it were whole.
type Fault struct {
	Kind   string // one of the Fault constants
	Detail string // for people, without payload values
}

// Kinds of Fault.
const (
	FaultUnreachable = "unreachable" // no connection to the upstream
	FaultReset       = "reset"       // a connection broke before the message ended
	FaultTimeout     = "timeout"     // the answer did not come in time
	FaultTruncated   = "truncated"   // a body was larger than the recorder's limit and was cut
	FaultClientGone  = "client-gone" // the client went away before the answer ended
	FaultNotSent     = "not-sent"    // a replay could not make the request: a value of an answer before it is missing
	FaultNotReached  = "not-reached" // a request was repeated, and the answer did not come to the recorded end
)

// Status is the three-digit answer of an HTTP exchange, 0 when there is none.
func (x *Exchange) Status() int {
	n, _ := strconv.Atoi(x.Response.Head.Get(FieldStatus))
	return n
}

// Message is half an exchange.
type Message struct {
	Head  Head
	Media string // media type without parameters, lower case; empty when unknown
	Body  Body
}

// IsZero reports whether the message was never sent.
func (m Message) IsZero() bool { return len(m.Head) == 0 && m.Media == "" && m.Body.Size() == 0 }

// Field is one name and value of a Head, in wire case.
type Field struct{ Name, Value string }

// Head is the ordered fields of a message. Order, case and duplicates are those of the wire; pseudo-fields come first.
type Head []Field

// Get returns the first value whose name equals name, letter case aside, or the empty string.
func (h Head) Get(name string) string {
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// Has reports whether a field of that name is present, letter case aside.
func (h Head) Has(name string) bool {
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			return true
		}
	}
	return false
}

// Values returns all values of the name in order, letter case aside.
func (h Head) Values(name string) []string {
	var vs []string
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			vs = append(vs, f.Value)
		}
	}
	return vs
}

// With returns a copy in which the first field of that name has the value; a missing field is appended.
func (h Head) With(name, value string) Head {
	out := append(Head(nil), h...)
	for i, f := range out {
		if strings.EqualFold(f.Name, name) {
			out[i].Value = value
			return out
		}
	}
	return append(out, Field{name, value})
}

// Without returns a copy that lacks all fields of the names, letter case aside.
func (h Head) Without(names ...string) Head {
	out := make(Head, 0, len(h))
next:
	for _, f := range h {
		for _, n := range names {
			if strings.EqualFold(f.Name, n) {
				continue next
			}
		}
		out = append(out, f)
	}
	return out
}

// CutTrailer parts the fields before the body from those that came behind it, without the marker between them.
func (h Head) CutTrailer() (before, trailer Head) {
	for i, f := range h {
		if f.Name == FieldTrailer {
			return h[:i], h[i+1:]
		}
	}
	return h, nil
}

// IsPseudo reports whether the field is one that Rehearse adds, such as ":status", and not a header of the wire.
func (f Field) IsPseudo() bool { return strings.HasPrefix(f.Name, ":") }

// generalisePath replaces the segments that look like identifiers by {}.
func generalisePath(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if looksLikeID(s) {
			segments[i] = "{}"
		}
	}
	return strings.Join(segments, "/")
}

// version is a path segment such as v2, v1.1 or v4beta: it names a release of the interface.
var version = regexp.MustCompile(`^[vV]\d{1,3}(\.\d{1,3})*(alpha|beta)?\d*$`)

// looksLikeID reports whether a path segment names a thing rather than a kind of thing: it holds a digit and is not a
// version.
func looksLikeID(segment string) bool {
	return strings.ContainsAny(segment, "0123456789") && !version.MatchString(segment)
}

// WithoutVersion generalises the versions in an operation to {version}, so that calls of two releases of one interface
// are seen to ask for the same: "GET /v16/workers" and "GET /v17/workers".
func WithoutVersion(operation string) string {
	segments := strings.Split(operation, "/")
	for i, s := range segments {
		if version.MatchString(s) {
			segments[i] = "{version}"
		}
	}
	return strings.Join(segments, "/")
}

// generaliseName replaces runs of six and more digits, the form of dates and sequence numbers, by {}.
func generaliseName(name string) string {
	var b strings.Builder
	for i := 0; i < len(name); {
		j := i
		for j < len(name) && name[j] >= '0' && name[j] <= '9' {
			j++
		}
		switch {
		case j-i >= 6:
			b.WriteString("{}")
			i = j
		case j > i:
			b.WriteString(name[i:j])
			i = j
		default:
			b.WriteByte(name[i])
			i++
		}
	}
	return b.String()
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// MatchOperation reports whether a glob, or the exact name, covers an operation; the empty glob covers all. A * stops at
// slashes.
func MatchOperation(glob, operation string) bool {
	if glob == "" || glob == operation {
		return true
	}
	ok, err := path.Match(glob, operation)
	return ok && err == nil
}
