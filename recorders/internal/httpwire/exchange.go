package httpwire

import (
	"cmp"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// Exchange puts a request and its answer together; nil: none came. The caller adds systems and session, and the fault of
// an exchange without an answer.
func Exchange(request Message, answer *Message) harness.Exchange {
	x := harness.Exchange{Channel: harness.ChannelHTTP, At: request.Begin.UTC(), Request: request.Message, Fault: request.Fault}
	if answer != nil {
		x.Response = answer.Message
		x.Took = max(answer.End.Sub(request.Begin), 0)
		x.Fault = cmp.Or(request.Fault, answer.Fault)
	}
	return x
}

// OriginForm turns the target of a request that was sent to a proxy, http://host/path, into the path that the origin
// sees, and reports whether it did. RFC 9112 section 3.2.
func OriginForm(h harness.Head) (harness.Head, bool) {
	scheme, rest, absolute := strings.Cut(h.Get(harness.FieldPath), "://")
	if !absolute || !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") {
		return h, false
	}
	path := "/"
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		path = "/" + strings.TrimPrefix(rest[i:], "/")
	}
	return h.With(harness.FieldPath, path), true
}

// HasTarget reports whether a request asks for a path, for a tunnel, or for the server as a whole.
func HasTarget(h harness.Head) bool {
	target := h.Get(harness.FieldPath)
	return strings.HasPrefix(target, "/") || target == "*" || target != "" && h.Get(harness.FieldMethod) == "CONNECT"
}
