package httpwire

import (
	"slices"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// state is where in a direction a Scanner stands.
type state int

const (
	inHead state = iota
	inBody
	inChunkSize
	inChunk
	inChunkEnd
	inTrailer
	untilClose
	seeking  // bytes are missing or were not understood; a piece that begins like a message ends it
	switched // another protocol follows
)

// frame tells what follows a head: a body of a length, chunks, everything until the end, or nothing. An empty problem
// says that it is clear. RFC 9112 section 6.3.
func frame(h harness.Head, answer bool, method string) (next state, length int64, problem string) {
	if answer {
		if next, none := bodyless(h.Get(harness.FieldStatus), method); none {
			return next, 0, ""
		}
	}
	if coding := list(h, "Transfer-Encoding"); len(coding) > 0 {
		switch last := coding[len(coding)-1]; {
		case h.Has("Content-Length"):
			return seeking, 0, "it has both a Content-Length and a Transfer-Encoding"
		case h.Get(harness.FieldProto) == "HTTP/1.0":
			return seeking, 0, "it has a Transfer-Encoding, which HTTP/1.0 does not know"
		case len(coding) == 1 && strings.EqualFold(last, "chunked"):
			return inChunkSize, 0, ""
		}
		return seeking, 0, "its Transfer-Encoding is not chunked alone"
	}
	lengths := slices.Compact(list(h, "Content-Length"))
	switch {
	case len(lengths) > 1:
		return seeking, 0, "it has several Content-Length"
	case len(lengths) == 1:
		n, err := strconv.ParseUint(lengths[0], 10, 62)
		if err != nil {
			return seeking, 0, "its Content-Length is not a number"
		}
		return inBody, int64(n), ""
	case answer:
		return untilClose, 0, ""
	}
	return inHead, 0, ""
}

// bodyless tells the answers that have no body, whatever their fields say.
func bodyless(status, method string) (next state, none bool) {
	switch {
	case status == "101", method == "CONNECT" && strings.HasPrefix(status, "2"):
		return switched, true
	case method == "HEAD", status == "204", status == "304", strings.HasPrefix(status, "1"):
		return inHead, true
	}
	return 0, false
}

// list is the members of all fields of the name.
func list(h harness.Head, name string) []string {
	var members []string
	for _, v := range h.Values(name) {
		for member := range strings.SplitSeq(v, ",") {
			members = append(members, strings.TrimSpace(member))
		}
	}
	return members
}

// chunkSize reads the line before a chunk.
func chunkSize(line string) (n int64, ok bool) {
	digits, _, _ := strings.Cut(line, ";")
	size, err := strconv.ParseUint(strings.Trim(digits, " \t"), 16, 62)
	return int64(size), err == nil
}
