package httpwire

import (
	"bytes"
	"strings"
	"unicode"

	"github.com/rehearse-dev/rehearse/harness"
)

// maxMethod is the length of the longest method that is taken for one.
const maxMethod = 32

// parseRequestLine cuts a request line into pseudo-fields. RFC 9112 section 3.
func parseRequestLine(line string) (h harness.Head, ok bool) {
	method, rest, _ := strings.Cut(line, " ")
	target, proto, _ := strings.Cut(rest, " ")
	if !isMethod(method) || target == "" || strings.ContainsFunc(target, unicode.IsControl) || !isProto(proto) {
		return nil, false
	}
	return harness.Head{
		{Name: harness.FieldMethod, Value: method}, {Name: harness.FieldPath, Value: target}, {Name: harness.FieldProto, Value: proto},
	}, true
}

// parseStatusLine cuts a status line into pseudo-fields; the reason phrase says nothing and is left out. RFC 9112
// section 4.
func parseStatusLine(line string) (h harness.Head, ok bool) {
	proto, rest, _ := strings.Cut(line, " ")
	status, _, _ := strings.Cut(rest, " ")
	if !isProto(proto) || len(status) != 3 || strings.Trim(status, "0123456789") != "" || status[0] == '0' {
		return nil, false
	}
	return harness.Head{{Name: harness.FieldStatus, Value: status}, {Name: harness.FieldProto, Value: proto}}, true
}

func isMethod(s string) bool {
	return s != "" && len(s) <= maxMethod && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_!#$%&'*+.^`|~0123456789") == ""
}

// isProto reports whether the text is a version of HTTP/1.
func isProto(s string) bool {
	return len(s) == len("HTTP/1.1") && strings.HasPrefix(s, "HTTP/1.") && s[7] >= '0' && s[7] <= '9'
}

// areFields reports whether names and values are those of fields: no blank before the colon, no control character that
// ends a line elsewhere. RFC 9112 section 5.1.
func areFields(h harness.Head) bool {
	for _, f := range h {
		if strings.ContainsAny(f.Name, " \t\r\x00") || strings.ContainsAny(f.Value, "\r\x00") {
			return false
		}
	}
	return true
}

// longLine is the size from which a piece without a line end may be the begin of a long request line.
const longLine = 512

// BeginsRequest reports whether a piece of a client's bytes begins with a request: with a whole request line, or with so
// much of one that its end is elsewhere.
func BeginsRequest(p []byte) bool {
	line, _, ended := bytes.Cut(bytes.TrimLeft(p, "\r\n"), []byte("\n"))
	if ended {
		_, ok := parseRequestLine(string(bytes.TrimSuffix(line, []byte("\r"))))
		return ok
	}
	method, target, found := bytes.Cut(line, []byte(" "))
	return found && isMethod(string(method)) && len(line) >= longLine && bytes.IndexFunc(target, unicode.IsControl) < 0
}

// BeginsAnswer reports whether a piece of a server's bytes begins with an answer.
func BeginsAnswer(p []byte) bool {
	p = bytes.TrimLeft(p, "\r\n")
	const start = len("HTTP/1.1 200")
	if len(p) < start {
		return false
	}
	_, ok := parseStatusLine(string(p[:start]))
	return ok
}
