package httpwire_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/httpwire"
)

var noon = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)

// scan feeds the pieces, where the piece "GAP n" stands for n missing bytes, and says in a line each what came out.
func scan(method string, answers bool, pieces ...string) []string {
	var lines []string
	s := &httpwire.Scanner{Emit: func(m httpwire.Message) { lines = append(lines, describe(m)) }}
	if answers {
		s.Method = func() string { return method }
	}
	for i, p := range pieces {
		var n int64
		if _, err := fmt.Sscanf(p, "GAP %d", &n); err == nil {
			s.Gap(n)
			continue
		}
		s.Feed([]byte(p), noon.Add(time.Duration(i)*time.Second))
	}
	s.Close(nil)
	return lines
}

func describe(m httpwire.Message) string {
	var b strings.Builder
	for _, f := range m.Head {
		fmt.Fprintf(&b, "%s=%s|", f.Name, f.Value)
	}
	body, _ := m.Body.Bytes()
	fmt.Fprintf(&b, " %q", body)
	if m.Fault != nil {
		fmt.Fprintf(&b, " %s: %s", m.Fault.Kind, m.Fault.Detail)
	}
	if m.Switched {
		b.WriteString(" switched")
	}
	return b.String()
}

func TestMessagesAreCutOut(t *testing.T) {
	for _, tt := range []struct {
		why, method string
		answers     bool
		wire        string
		want        []string
	}{
		{"order, case and duplicates are kept", "", false, "GET /a?b HTTP/1.1\r\nhOsT: sis\r\nX-A: 1\r\nx-a:  2 \r\n\r\n",
			[]string{`:method=GET|:path=/a?b|:proto=HTTP/1.1|hOsT=sis|X-A=1|x-a=2| ""`}},
		{"pipelined, with a blank line between", "", false, "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc\r\nGET /2 HTTP/1.0\r\n\r\n",
			[]string{`:method=POST|:path=/|:proto=HTTP/1.1|Content-Length=3| "abc"`, `:method=GET|:path=/2|:proto=HTTP/1.0| ""`}},
		{"chunks with extension and trailer", "GET", true, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n1\r\nd\r\n0\r\nX-Sum: 9\r\nX-B: 1\r\n\r\n",
			[]string{`:status=200|:proto=HTTP/1.1|Transfer-Encoding=chunked|:trailer=|X-Sum=9|X-B=1| "abcd"`}},
		{"until the end", "GET", true, "HTTP/1.0 200\n\nall\r\nof it", []string{`:status=200|:proto=HTTP/1.0| "all\r\nof it"`}},
		{"an answer to HEAD", "HEAD", true, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", []string{`:status=200|:proto=HTTP/1.1|Content-Length=9| ""`}},
		{"304 has no body", "GET", true, "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
			[]string{`:status=304|:proto=HTTP/1.1|Content-Length=9| ""`, `:status=200|:proto=HTTP/1.1|Content-Length=0| ""`}},
		{"interim answers are passed over", "POST", true, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\nx",
			[]string{`:status=201|:proto=HTTP/1.1|Content-Length=1| "x"`}},
		{"another protocol", "GET", true, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x00HTTP/1.1 200 OK\r\n\r\n",
			[]string{`:status=101|:proto=HTTP/1.1|Upgrade=websocket| "" switched`}},
		{"a tunnel", "CONNECT", true, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n\x16\x03", []string{`:status=200|:proto=HTTP/1.1|Content-Length=7| "" switched`}},
		{"the same length twice", "", false, "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
			[]string{`:method=POST|:path=/|:proto=HTTP/1.1|Content-Length=1|Content-Length=1| "x"`}},
		{"ends within the head", "", false, "GET / HTTP/1.1\r\nHost: s", []string{` "" reset: the connection ended before the message did`}},
		{"ends within the body", "", false, "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc",
			[]string{`:method=POST|:path=/|:proto=HTTP/1.1|Content-Length=9| "abc" reset: the connection ended before the message did`}},
		{"ends within the chunks", "GET", true, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
			[]string{`:status=200|:proto=HTTP/1.1|Transfer-Encoding=chunked| "abc" reset: the connection ended before the message did`}},
		{"two framings", "", false, "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
			[]string{`:method=POST|:path=/|:proto=HTTP/1.1|Content-Length=5|Transfer-Encoding=chunked| "" reset: the message is malformed: it has both a Content-Length and a Transfer-Encoding`}},
		{"two lengths", "", false, "POST / HTTP/1.1\r\nContent-Length: 1, 2\r\n\r\nx",
			[]string{`:method=POST|:path=/|:proto=HTTP/1.1|Content-Length=1, 2| "" reset: the message is malformed: it has several Content-Length`}},
		{"a signed length", "", false, "POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\nx",
			[]string{`:method=POST|:path=/|:proto=HTTP/1.1|Content-Length=+1| "" reset: the message is malformed: its Content-Length is not a number`}},
		{"a chunk of wrong size", "GET", true, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n",
			[]string{`:status=200|:proto=HTTP/1.1|Transfer-Encoding=chunked| "ab" reset: the message is malformed: a chunk does not end where it says`}},
		{"chunks in HTTP/1.0", "GET", true, "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
			[]string{`:status=200|:proto=HTTP/1.0|Transfer-Encoding=chunked| "" reset: the message is malformed: it has a Transfer-Encoding, which HTTP/1.0 does not know`}},
		{"a blank before the colon", "", false, "GET / HTTP/1.1\r\nHost : a\r\n\r\n", []string{` "" reset: the message is malformed: its head is malformed`}},
		{"a control character in a field", "", false, "GET / HTTP/1.1\r\nHost: a\x00b\r\n\r\n", []string{` "" reset: the message is malformed: its head is malformed`}},
		{"not HTTP", "", false, "EHLO client\r\n\r\n", []string{` "" reset: the message is malformed: its head is malformed`}},
	} {
		t.Run(tt.why, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, scan(tt.method, tt.answers, tt.wire)); diff != "" {
				t.Errorf("whole (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.want, scan(tt.method, tt.answers, strings.Split(tt.wire, "")...)); diff != "" {
				t.Errorf("byte by byte (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMissingBytesMakeMessagesIncompleteAndTheNextIsFound(t *testing.T) {
	const next = "HTTP/1.1 204 No Content\r\n\r\n"
	const wantNext = `:status=204|:proto=HTTP/1.1| ""`
	for _, tt := range []struct {
		why    string
		pieces []string
		want   []string
	}{
		{"within a body of known length", []string{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", "GAP 4", "ghi" + next},
			[]string{`:status=200|:proto=HTTP/1.1|Content-Length=9| "abghi" truncated: 4 bytes of the body are missing`, wantNext}},
		{"the end of a body", []string{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", "GAP 7", next},
			[]string{`:status=200|:proto=HTTP/1.1|Content-Length=9| "ab" truncated: 7 bytes of the body are missing`, wantNext}},
		{"more than the body", []string{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", "GAP 70", "rest of something", next},
			[]string{`:status=200|:proto=HTTP/1.1|Content-Length=9| "ab" truncated: bytes of it are missing`, wantNext}},
		{"within a chunk", []string{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "GAP 2", "e\r\n0\r\n\r\n", next},
			[]string{`:status=200|:proto=HTTP/1.1|Transfer-Encoding=chunked| "abe" truncated: 2 bytes of the body are missing`, wantNext}},
		{"within a head", []string{"HTTP/1.1 200 OK\r\nContent-", "GAP 12", "x\r\n\r\n", next},
			[]string{` "" truncated: bytes of it are missing`, wantNext}},
		{"between messages", []string{"GAP 100", "tail of a body", next}, []string{wantNext}},
		{"an unknown number", []string{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", "GAP -1", next},
			[]string{`:status=200|:proto=HTTP/1.1|Content-Length=9| "ab" truncated: bytes of it are missing`, wantNext}},
	} {
		if diff := cmp.Diff(tt.want, scan("GET", true, tt.pieces...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.why, diff)
		}
	}
}

func TestMomentsAreThoseOfThePieces(t *testing.T) {
	var got []time.Duration
	s := &httpwire.Scanner{Emit: func(m httpwire.Message) { got = append(got, m.Begin.Sub(noon), m.End.Sub(noon)) }}
	for i, p := range []string{"GET / HT", "TP/1.1\r\n", "\r\nPOST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n", "a", "b"} {
		s.Feed([]byte(p), noon.Add(time.Duration(i)*time.Second))
	}
	if diff := cmp.Diff([]time.Duration{0, 2 * time.Second, 2 * time.Second, 4 * time.Second}, got); diff != "" {
		t.Error(diff)
	}
}

func TestBodyIsKeptAsFarAsAllowed(t *testing.T) {
	var got httpwire.Message
	left := 4
	s := &httpwire.Scanner{Emit: func(m httpwire.Message) { got = m }, Keep: func(n int) int {
		n = min(n, left)
		left -= n
		return n
	}}
	for _, p := range []string{"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc", "def", "ghi"} {
		s.Feed([]byte(p), noon)
	}
	if want := `:method=POST|:path=/|:proto=HTTP/1.1|Content-Length=9| "abcd" truncated: the body has 9 bytes, of which 4 are kept`; describe(got) != want {
		t.Errorf("got %s, want %s", describe(got), want)
	}
}

// FuzzWholeMessagesAreWhatNetHTTPReads holds every message that is called whole against the reading of net/http.
func FuzzWholeMessagesAreWhatNetHTTPReads(f *testing.F) {
	f.Add([]byte("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"), false)
	f.Add([]byte("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;q\r\nabc\r\n0\r\nA: b\r\n\r\n"), false)
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"), true)
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\nx"), true)
	f.Add([]byte("HTTP/1.1 200 OK\r\n\r\nrest"), true)
	f.Fuzz(func(t *testing.T, wire []byte, answers bool) {
		var first *httpwire.Message
		s := &httpwire.Scanner{Emit: func(m httpwire.Message) {
			if first == nil {
				first = &m
			}
		}}
		if answers {
			s.Method = func() string { return "GET" }
		}
		s.Feed(wire, noon)
		s.Close(nil)
		if first == nil || first.Fault != nil || first.Switched {
			return
		}
		have, _ := first.Body.Bytes()
		want, err := netHTTP(wire, answers, first.Head.Get(harness.FieldStatus))
		if err == nil && !bytes.Equal(have, want) {
			t.Errorf("%q: body %q, net/http reads %q", wire, have, want)
		}
	})
}

// netHTTP is the body of the first message, or of the first of that status.
func netHTTP(wire []byte, answers bool, status string) ([]byte, error) {
	r := bufio.NewReader(bytes.NewReader(wire))
	if !answers {
		req, err := http.ReadRequest(r)
		if err != nil {
			return nil, err
		}
		return io.ReadAll(req.Body)
	}
	for {
		resp, err := http.ReadResponse(r, &http.Request{Method: "GET"})
		if err != nil {
			return nil, err
		}
		if fmt.Sprint(resp.StatusCode) == status {
			return io.ReadAll(resp.Body)
		}
	}
}
