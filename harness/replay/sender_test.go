package replay

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// script is a server that does on each connection what it is told to; it counts them.
func script(t *testing.T, each func(n int64, conn net.Conn, in *bufio.Reader)) (base string, connections *atomic.Int64) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	connections = &atomic.Int64{}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			n := connections.Add(1)
			go func() {
				defer conn.Close()
				each(n, conn, bufio.NewReader(conn))
			}()
		}
	}()
	return "http://" + listener.Addr().String(), connections
}

// readAll takes a request to its end; false: there is none any more.
func readAll(in *bufio.Reader) bool {
	r, err := http.ReadRequest(in)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, r.Body)
	return err == nil
}

func newTestSender(t *testing.T) *Sender {
	s := NewSender((&net.Dialer{}).DialContext)
	t.Cleanup(s.CloseIdleConnections)
	return s
}

// sendOnce returns the status and the body of the answer.
func sendOnce(t *testing.T, s http.RoundTripper, method, url, body string) (string, error) {
	t.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, url, content)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := s.RoundTrip(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	return fmt.Sprint(answer.StatusCode, " ", string(got)), err
}

func TestSenderReadsAnswers(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	tests := []struct {
		why, method, body string
		answer            string
		want              string
		connections       int64 // for two requests
	}{
		{"a length keeps the connection", "GET", "", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "200 ok", 1},
		{"chunks do, too", "GET", "", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "200 ok", 1},
		{"no body", "POST", "a=1", "HTTP/1.1 204 No Content\r\n\r\n", "204 ", 1},
		{"the length of an answer to HEAD is of no body", "HEAD", "", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "200 ", 1},
		{"an end that was announced", "GET", "", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", "200 ok", 2},
		{"HTTP/1.0 hangs up", "GET", "", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "200 ok", 2},
		{"informational answers come before", "GET", "", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "200 ok", 1},
		{"bytes behind the answer belong to none", "GET", "", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 Not Asked\r\n\r\n", "200 ok", 2},
		{"another protocol", "GET", "", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nhello", "101 ", 2},
		{"a long request", "PUT", long, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "200 ok", 1},
	}
	for _, test := range tests {
		t.Run(test.why, func(t *testing.T) {
			base, connections := script(t, func(_ int64, conn net.Conn, in *bufio.Reader) {
				for readAll(in) {
					io.WriteString(conn, test.answer) //nolint:errcheck // the sender sees it
				}
			})
			s := newTestSender(t)
			for range 2 {
				got, err := sendOnce(t, s, test.method, base+"/a", test.body)
				if err != nil || got != test.want {
					t.Errorf("%.40q, %v; want %q", got, err, test.want)
				}
			}
			if n := connections.Load(); n != test.connections {
				t.Errorf("%d connections, want %d", n, test.connections)
			}
		})
	}
}

// TestSenderWritesWhatNetHTTPWrites holds the bytes of requests to those of the other client.
func TestSenderWritesWhatNetHTTPWrites(t *testing.T) {
	crossed := make(chan string, 1)
	base, _ := script(t, func(_ int64, conn net.Conn, _ *bufio.Reader) {
		var seen bytes.Buffer
		readAll(bufio.NewReader(io.TeeReader(conn, &seen)))
		crossed <- seen.String()
		io.WriteString(conn, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n") //nolint:errcheck // the sender sees it
	})
	requests := map[string]func() *http.Request{
		"plain": func() *http.Request { return httptest.NewRequest("GET", base+"/a?b=c", nil) },
		"fields in wire case": func() *http.Request {
			r := httptest.NewRequest("DELETE", base+"/a", nil)
			r.Header = http.Header{"User-Agent": {""}, "x-Trace": {"1", "2"}, "ACCEPT": {"text/csv"}}
			return r
		},
		"a body": func() *http.Request { return httptest.NewRequest("POST", base+"/a", strings.NewReader("name=Ada")) },
		"a body of unknown length": func() *http.Request {
			return httptest.NewRequest("POST", base+"/a", io.MultiReader(strings.NewReader("name="), strings.NewReader("Ada")))
		},
		"another host": func() *http.Request {
			r := httptest.NewRequest("GET", base+"/a", nil)
			r.Host = "sis.example"
			return r
		},
	}
	for name, request := range requests {
		t.Run(name, func(t *testing.T) {
			var seen [2]string
			for i, client := range []http.RoundTripper{&http.Transport{DisableCompression: true}, newTestSender(t)} {
				r := request()
				r.RequestURI = ""
				answer, err := client.RoundTrip(r)
				if err != nil {
					t.Fatal(err)
				}
				answer.Body.Close()
				seen[i] = <-crossed
			}
			if d := cmp.Diff(seen[0], seen[1]); d != "" {
				t.Errorf("net/http - sender +\n%s", d)
			}
		})
	}
}

func TestSenderNoticesThatAServerHungUp(t *testing.T) {
	hungUp := make(chan struct{})
	base, connections := script(t, func(_ int64, conn net.Conn, in *bufio.Reader) {
		readAll(in)
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") //nolint:errcheck // the sender sees it
		conn.Close()
		hungUp <- struct{}{}
	})
	s := newTestSender(t)
	for range 3 {
		if got, err := sendOnce(t, s, "POST", base, "a=1"); err != nil || got != "200 ok" {
			t.Errorf("%q, %v", got, err)
		}
		<-hungUp
	}
	if n := connections.Load(); n != 3 {
		t.Errorf("%d connections, want 3", n)
	}
}

// TestSenderRepeatsWhatMayBeRepeated lets a server hang up on the second request of a connection without an answer.
func TestSenderRepeatsWhatMayBeRepeated(t *testing.T) {
	for method, connections := range map[string]int64{"GET": 2, "POST": 1} {
		base, seen := script(t, func(_ int64, conn net.Conn, in *bufio.Reader) {
			readAll(in)
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") //nolint:errcheck // the sender sees it
			readAll(in)
		})
		s := newTestSender(t)
		if _, err := sendOnce(t, s, method, base, "a=1"); err != nil {
			t.Fatal(err)
		}
		got, err := sendOnce(t, s, method, base, "a=1")
		if method == "GET" && (err != nil || got != "200 ok") || method == "POST" && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %q, %v", method, got, err)
		}
		if n := seen.Load(); n != connections {
			t.Errorf("%s: %d connections, want %d", method, n, connections)
		}
		if n := int64(s.SentAgain()); n != connections-1 {
			t.Errorf("%s: %d sent again", method, n)
		}
	}
}

func TestSenderHearsAnAnswerThatCameBeforeTheEndOfTheRequest(t *testing.T) {
	answered := make(chan struct{})
	base, _ := script(t, func(_ int64, conn net.Conn, in *bufio.Reader) {
		http.ReadRequest(in)                                                                                //nolint:errcheck // its head is enough
		io.WriteString(conn, "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig") //nolint:errcheck // the sender sees it
		<-answered
	})
	defer close(answered)
	if got, err := sendOnce(t, newTestSender(t), "POST", base, strings.Repeat("x", 64<<20)); err != nil || got != "413 big" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestSenderBoundsTheHeadOfAnAnswer(t *testing.T) {
	base, _ := script(t, func(_ int64, conn net.Conn, in *bufio.Reader) {
		readAll(in)
		line := "HTTP/1.1 103 Early Hints\r\nX-Filler: " + strings.Repeat("x", 1<<16) + "\r\n\r\n"
		for {
			if _, err := io.WriteString(conn, line); err != nil {
				return
			}
		}
	})
	if _, err := sendOnce(t, newTestSender(t), "GET", base, ""); !errors.Is(err, errLargeHead) {
		t.Errorf("%v", err)
	}
}

func TestSenderEndsWithItsContext(t *testing.T) {
	gone := make(chan error, 2)
	for _, answer := range []string{"", "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf"} {
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("enough")
		base, _ := script(t, func(_ int64, conn net.Conn, in *bufio.Reader) {
			readAll(in)
			io.WriteString(conn, answer) //nolint:errcheck // the sender sees it
			if answer == "" {
				cancel(why)
			}
			_, err := in.ReadByte()
			gone <- err
		})
		r, err := http.NewRequestWithContext(ctx, "GET", base, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := newTestSender(t).RoundTrip(r)
		if err == nil {
			half := make([]byte, 4)
			io.ReadFull(got.Body, half) //nolint:errcheck // the next read tells
			cancel(why)
			_, err = io.ReadAll(got.Body)
		}
		if !errors.Is(err, why) {
			t.Errorf("after %q: %v", answer, err)
		}
		if err := <-gone; err == nil {
			t.Errorf("after %q: the connection is still open", answer)
		}
	}
}

func TestSenderClosesWhatIsNotReadToItsEnd(t *testing.T) {
	gone := make(chan error)
	base, _ := script(t, func(_ int64, conn net.Conn, in *bufio.Reader) {
		readAll(in)
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf") //nolint:errcheck // the sender sees it
		_, err := in.ReadByte()
		gone <- err
	})
	r := httptest.NewRequest("GET", base, nil)
	answer, err := newTestSender(t).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if err := <-gone; err == nil {
		t.Error("the connection is still open")
	}
	if _, err := answer.Body.Read(make([]byte, 1)); !errors.Is(err, http.ErrBodyReadAfterClose) {
		t.Errorf("read after the end: %v", err)
	}
}

// closing is a body that tells whether it was closed.
type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error {
	c.closed = true
	return nil
}

func TestSenderRefusesWhatCannotBeWrittenAsItIs(t *testing.T) {
	refused := errors.New("refused")
	dial := func(context.Context, string, string) (net.Conn, error) { return nil, refused }
	tests := []struct {
		why, url, method, name, value string
		want                          string
	}{
		{"nothing wrong but the dial", "http://sis.example", "POST", "Accept", "*/*", "refused"},
		{"a space in a name", "http://sis.example", "POST", "a b", "1", `the name of the header field "a b" is no token`},
		{"a new line in a value", "http://sis.example", "POST", "Accept", "a\r\nHost: b", "the value of the header field Accept holds control characters"},
		{"a method of two words", "http://sis.example", "GET /", "Accept", "1", `method "GET /" is no token`},
		{"another scheme", "ftp://sis.example", "GET", "Accept", "1", `scheme "ftp" cannot be sent`},
	}
	for _, test := range tests {
		body := &closing{Reader: strings.NewReader("a")}
		r := httptest.NewRequest("POST", test.url, nil)
		r.Method, r.Body, r.Header = test.method, body, http.Header{test.name: {test.value}}
		if _, err := NewSender(dial).RoundTrip(r); err == nil || err.Error() != test.want {
			t.Errorf("%s: %v", test.why, err)
		}
		if !body.closed {
			t.Errorf("%s: the body is still open", test.why)
		}
	}
}

func TestSenderTrustsWhomTheSystemTrusts(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains about the first handshake
	server.StartTLS()
	defer server.Close()
	s := newTestSender(t)
	if _, err := sendOnce(t, s, "GET", server.URL, ""); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate that nobody knows: %v", err)
	}
	s.reads.roots = x509.NewCertPool()
	s.reads.roots.AddCert(server.Certificate())
	for range 2 {
		if got, err := sendOnce(t, s, "GET", server.URL, ""); err != nil || got != "200 HTTP/1.1" {
			t.Errorf("%q, %v", got, err)
		}
	}
}
