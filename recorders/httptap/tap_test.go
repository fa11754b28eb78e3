package httptap

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

var _ harness.Recorder = (*Tap)(nil)

// recording is a tap that runs.
type recording struct {
	*Tap
	url  string
	sink *harness.Memory
	stop func() error // ends the recording and returns what Record returned
}

// record starts the tap in front of the upstream and stops it at the end of the test.
func record(t *testing.T, upstream string, set func(*Tap)) recording {
	t.Helper()
	sink := harness.NewMemory(harness.Manifest{})
	return recordTo(t, upstream, sink, sink, set)
}

func recordTo(t *testing.T, upstream string, mem *harness.Memory, sink harness.Sink, set func(*Tap)) recording {
	t.Helper()
	u, err := url.Parse(upstream)
	if err != nil {
		t.Fatal(err)
	}
	tap := &Tap{Upstream: u, From: "crm", To: "sis"}
	if set != nil {
		set(tap)
	}
	addr, err := tap.Listen("")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- tap.Record(ctx, sink) }()
	stop := sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { stop() })
	return recording{tap, "http://" + addr.String(), mem, stop}
}

// upstream serves h on loopback.
func upstream(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// rawUpstream answers each connection by hand.
func rawUpstream(t *testing.T, serve func(c net.Conn, r *bufio.Reader)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() { defer c.Close(); serve(c, bufio.NewReader(c)) })
		}
	})
	t.Cleanup(func() { ln.Close(); all.Wait() })
	return "http://" + ln.Addr().String()
}

// skipHead reads a request head and returns it.
func skipHead(r *bufio.Reader) string {
	var head strings.Builder
	for {
		line, err := r.ReadString('\n')
		head.WriteString(line)
		if err != nil || line == "\r\n" {
			return head.String()
		}
	}
}

// client has a pool of its own and does not ask for gzip.
func client(t *testing.T) *http.Client {
	tr := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 100}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func fetch(t *testing.T, c *http.Client, req *http.Request) (*http.Response, []byte) {
	t.Helper()
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, b
}

func get(t *testing.T, url string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return fetch(t, client(t), req)
}

// dialTap opens a connection on which the test speaks HTTP by hand.
func dialTap(t *testing.T, r recording) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(20 * time.Second))
	return c
}

// exchanges waits until n exchanges were seen, ends the recording and returns those that were put.
func (r recording) exchanges(t *testing.T, n int) []harness.Exchange {
	t.Helper()
	waitFor(t, fmt.Sprintf("%d exchanges", n), func() bool { return r.sink.Manifest().Counts.Seen >= n })
	if err := r.stop(); err != nil {
		t.Errorf("Record: %v", err)
	}
	c := r.sink.Manifest().Counts
	if c.Seen != n || c.Seen != c.Recorded+c.Incomplete+c.Dropped {
		t.Errorf("counts %+v, want %d seen = recorded + incomplete + dropped", c, n)
	}
	xs, err := harness.Collect(r.sink)
	if err != nil {
		t.Fatal(err)
	}
	return xs
}

// only returns the one exchange that was recorded.
func (r recording) only(t *testing.T) harness.Exchange {
	t.Helper()
	xs := r.exchanges(t, 1)
	if len(xs) != 1 {
		t.Fatalf("%d exchanges put, want 1: %+v", len(xs), r.sink.Manifest().Counts)
	}
	return xs[0]
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	const patience = time.Minute
	deadline := time.Now().Add(patience)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("no %s within %v", what, patience)
		}
		time.Sleep(time.Millisecond)
	}
}

func bodyOf(t *testing.T, m harness.Message) string {
	t.Helper()
	b, err := m.Body.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func wantFault(t *testing.T, x harness.Exchange, kind string) {
	t.Helper()
	switch {
	case x.Fault == nil && kind != "":
		t.Errorf("no fault, want %s", kind)
	case x.Fault != nil && x.Fault.Kind != kind:
		t.Errorf("fault %+v, want %q", *x.Fault, kind)
	}
}

func TestExchangeIsRecordedAsItCrossed(t *testing.T) {
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		w.WriteHeader(201)
		fmt.Fprintf(w, `{"got":%d}`, len(b))
	})
	at := time.Date(2026, 3, 2, 4, 5, 6, 0, time.FixedZone("", 3600))
	ticks := []time.Time{at, at.Add(250 * time.Millisecond)}
	rec := record(t, up, func(tap *Tap) {
		tap.Now = func() time.Time { now := ticks[0]; ticks = ticks[1:]; return now }
		tap.Session = SessionByHeader("X-Run")
	})
	req, _ := http.NewRequest("POST", rec.url+"/applications/A-17?q=a%2Fb|c", strings.NewReader(`{"n":3.50}`))
	req.Header.Set("X-Run", "night-1")
	req.Header.Set("Content-Type", "Application/JSON")
	resp, body := fetch(t, client(t), req)
	if resp.StatusCode != 201 || string(body) != `{"got":10}` {
		t.Fatalf("client got %d %s", resp.StatusCode, body)
	}
	x := rec.only(t)
	got := []any{x.ID, x.Session, x.Channel, x.From, x.To, x.At, x.Took, x.Fault == nil, x.Request.Media, bodyOf(t, x.Request),
		x.Response.Media, bodyOf(t, x.Response), x.Operation(), x.Request.Head.Get(":path"), x.Status()}
	want := []any{"000001", "night-1", "http", "crm", "sis", at.UTC(), 250 * time.Millisecond, true, "application/json", `{"n":3.50}`,
		"application/json", `{"got":10}`, "POST /applications/{}", "/applications/A-17?q=a%2Fb|c", 201}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestFirstServerSentEventPassesAtOnce(t *testing.T) {
	next := make(chan struct{})
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		for i := range 3 {
			<-next
			fmt.Fprintf(w, "data: %d\n\n", i)
			w.(http.Flusher).Flush()
		}
		<-next
	})
	rec := record(t, up, nil)
	resp, err := client(t).Get(rec.url) // returns although the upstream has sent the head only
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	buf := make([]byte, 64)
	for i := range 3 {
		next <- struct{}{}
		n, err := resp.Body.Read(buf)
		if want := fmt.Sprintf("data: %d\n\n", i); err != nil || string(buf[:n]) != want {
			t.Fatalf("event %d: %q, %v", i, buf[:n], err)
		}
	}
	next <- struct{}{}
	if _, err := resp.Body.Read(buf); err != io.EOF {
		t.Fatalf("end: %v", err)
	}
	x := rec.only(t)
	wantFault(t, x, "")
	if got := bodyOf(t, x.Response); got != "data: 0\n\ndata: 1\n\ndata: 2\n\n" {
		t.Errorf("recorded %q", got)
	}
	last := -1
	for i, piece := range strings.Fields(x.Response.Head.Get(harness.FieldArrivals)) {
		var at, size int
		if n, _ := fmt.Sscanf(piece, "%d:%d", &at, &size); n != 2 || at < last || size != len("data: 0\n\n") || i > 2 {
			t.Errorf("event %d came %s, the one before at %d", i, piece, last)
		}
		last = at
	}
	if last < 0 {
		t.Errorf("no moments: %v", x.Response.Head)
	}
}

func TestHeadOfASlowAnswerPassesAtOnce(t *testing.T) {
	release := make(chan struct{})
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "2")
		w.(http.Flusher).Flush()
		<-release
		io.WriteString(w, "ok")
	})
	rec := record(t, up, nil)
	resp, err := client(t).Get(rec.url)
	if err != nil {
		t.Fatal(err)
	}
	close(release)
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	wantFault(t, rec.only(t), "")
}

func TestGzipStaysGzip(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	io.WriteString(z, strings.Repeat(`{"plan":"3.50"}`, 300))
	z.Close()
	var asked []string
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("Accept-Encoding"))
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(packed.Bytes())
	})
	rec := record(t, up, nil)
	_, body := get(t, rec.url)
	x := rec.only(t)
	if d := cmp.Diff([]string{""}, asked); d != "" {
		t.Errorf("Accept-Encoding at the upstream: %s", d)
	}
	if !bytes.Equal(body, packed.Bytes()) || bodyOf(t, x.Response) != packed.String() {
		t.Error("the bytes changed on the way")
	}
	if x.Response.Body.Digest() != harness.Digest(packed.Bytes()) || x.Response.Head.Get("content-encoding") != "gzip" {
		t.Error("digest or head differ")
	}
}

// snoop is a sink that tells what is put.
type snoop struct {
	harness.Sink
	put func(harness.Exchange) error
}

func (s snoop) Put(x harness.Exchange) error {
	if err := s.put(x); err != nil {
		return err
	}
	return s.Sink.Put(x)
}

func TestExchangeIsPutBeforeTheClientSeesItsEnd(t *testing.T) {
	for _, c := range []struct{ why, method, path string }{
		{"known length: the last byte is the end", "GET", "/sized"},
		{"chunked: the last chunk is the end", "GET", "/chunked"},
		{"no body: the head is the end", "GET", "/none"},
		{"HEAD: the head is the end", "HEAD", "/sized"},
	} {
		t.Run(c.method+c.path, func(t *testing.T) {
			up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/sized":
					w.Header().Set("Content-Length", "5")
					io.WriteString(w, "hello")
				case "/chunked":
					io.WriteString(w, "hello")
					w.(http.Flusher).Flush()
				case "/none":
					w.WriteHeader(204)
				}
			})
			entered, release := make(chan struct{}), make(chan struct{})
			mem := harness.NewMemory(harness.Manifest{})
			rec := recordTo(t, up, mem, snoop{mem, func(harness.Exchange) error { close(entered); <-release; return nil }}, nil)
			ended := make(chan error, 1)
			go func() {
				req, _ := http.NewRequest(c.method, rec.url+c.path, nil)
				resp, err := client(t).Do(req)
				if err == nil {
					_, err = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
				ended <- err
			}()
			<-entered
			select {
			case err := <-ended:
				t.Errorf("%s: the client saw the end first (%v)", c.why, err)
			case <-time.After(20 * time.Millisecond):
			}
			close(release)
			if err := <-ended; err != nil {
				t.Error(err)
			}
			wantFault(t, rec.only(t), "")
		})
	}
}

func TestManyClientsAreRecordedOnceEach(t *testing.T) {
	const clients, each = 64, 25
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if len(b)%2 == 0 {
			w.(http.Flusher).Flush() // chunked
		}
		fmt.Fprintf(w, "%s|%s", r.URL.Path, b)
	})
	rec := record(t, up, nil)
	c := client(t)
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			for j := range each {
				path := fmt.Sprintf("/c/%d/%d", i, j)
				body := strings.Repeat("x", i+j)
				resp, err := c.Post(rec.url+path, "text/plain", strings.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				b, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil || string(b) != path+"|"+body {
					t.Errorf("%s: client got %q, %v", path, b, err)
				}
			}
		})
	}
	all.Wait()
	seen := map[string]bool{}
	for _, x := range rec.exchanges(t, clients*each) {
		path := x.Request.Head.Get(":path")
		wantFault(t, x, "")
		if seen[path] || bodyOf(t, x.Response) != path+"|"+bodyOf(t, x.Request) {
			t.Errorf("%s is recorded twice or wrong", path)
		}
		if x.Request.Head.Get("Host") == "" {
			t.Errorf("%s: no Host in %v", path, x.Request.Head)
		}
		seen[path] = true
	}
}

func TestBrokenAnswersBreakTheClientToo(t *testing.T) {
	for _, c := range []struct{ why, answer, kept string }{
		{"fewer bytes than announced", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "half"},
		{"chunk without an end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", "half"},
		{"cut in a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nhalf", "half"},
		{"broken chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n", "half"},
	} {
		t.Run(c.why, func(t *testing.T) {
			rec := record(t, rawUpstream(t, func(conn net.Conn, r *bufio.Reader) {
				skipHead(r)
				io.WriteString(conn, c.answer)
			}), nil)
			resp, err := client(t).Get(rec.url)
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				resp.Body.Close()
			}
			if err == nil {
				t.Error("the client saw a clean end")
			}
			x := rec.only(t)
			wantFault(t, x, harness.FaultReset)
			if got := bodyOf(t, x.Response); got != c.kept {
				t.Errorf("kept %q, want %q", got, c.kept)
			}
		})
	}
}

func TestUpstreamWithoutAnswer(t *testing.T) {
	t.Run("unreachable", func(t *testing.T) {
		ln, _ := net.Listen("tcp", "127.0.0.1:0")
		ln.Close()
		rec := record(t, "http://"+ln.Addr().String(), nil)
		resp, _ := get(t, rec.url)
		x := rec.only(t)
		wantFault(t, x, harness.FaultUnreachable)
		if resp.StatusCode != 502 || !x.Response.IsZero() {
			t.Errorf("client got %d, recorded answer %+v", resp.StatusCode, x.Response)
		}
	})
	t.Run("dies before the answer", func(t *testing.T) {
		rec := record(t, rawUpstream(t, func(_ net.Conn, r *bufio.Reader) { skipHead(r) }), nil)
		req, _ := http.NewRequest("POST", rec.url, strings.NewReader("x"))
		resp, _ := fetch(t, client(t), req)
		x := rec.only(t)
		wantFault(t, x, harness.FaultReset)
		if resp.StatusCode != 502 || !x.Response.IsZero() {
			t.Errorf("client got %d, recorded answer %+v", resp.StatusCode, x.Response)
		}
	})
	t.Run("too late", func(t *testing.T) {
		hold := make(chan struct{})
		up := upstream(t, func(http.ResponseWriter, *http.Request) { <-hold })
		rec := record(t, up, func(tap *Tap) { tap.Transport = &http.Transport{ResponseHeaderTimeout: 5 * time.Millisecond} })
		resp, _ := get(t, rec.url)
		close(hold)
		wantFault(t, rec.only(t), harness.FaultTimeout)
		if resp.StatusCode != 504 {
			t.Errorf("client got %d", resp.StatusCode)
		}
	})
}

func TestClientThatGoesAway(t *testing.T) {
	t.Run("within the answer", func(t *testing.T) {
		gone := make(chan struct{})
		up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "first")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			close(gone)
		})
		rec := record(t, up, nil)
		ctx, cancel := context.WithCancel(t.Context())
		req, _ := http.NewRequestWithContext(ctx, "GET", rec.url, nil)
		resp, err := client(t).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		io.ReadFull(resp.Body, make([]byte, 5))
		cancel()
		<-gone // the upstream notices too
		resp.Body.Close()
		wantFault(t, rec.only(t), harness.FaultClientGone)
	})
	t.Run("within its request", func(t *testing.T) {
		up := upstream(t, func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })
		rec := record(t, up, nil)
		c := dialTap(t, rec)
		io.WriteString(c, "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 10\r\n\r\nhalf")
		c.Close()
		x := rec.only(t)
		wantFault(t, x, harness.FaultClientGone)
		if got := bodyOf(t, x.Request); got != "half" && got != "" {
			t.Errorf("kept %q", got)
		}
	})
}

func TestBrokenRequestsAreNeverWhole(t *testing.T) {
	const start = "POST / HTTP/1.1\r\nHost: a.example\r\n"
	for _, c := range []struct{ why, request string }{
		{"broken chunk size", start + "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n\r\n"},
		{"chunk longer than its size", start + "Transfer-Encoding: chunked\r\n\r\n2\r\nhalf\r\n0\r\n\r\n"},
		{"no last chunk", start + "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"},
		{"broken field line", "GET / HTTP/1.1\r\nHost: a.example\r\nno colon\r\n\r\n"},
		{"two lengths", start + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"},
		{"head that breaks off", "GET / HTTP/1.1\r\nHost: a.ex"},
		{"no HTTP", "\x16\x03\x01\x02\x00\x01"},
		{"unknown expectation", start + "Expect: miracles\r\nContent-Length: 1\r\n\r\na"},
	} {
		t.Run(c.why, func(t *testing.T) {
			up := upstream(t, func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })
			rec := record(t, up, nil)
			conn := dialTap(t, rec)
			io.WriteString(conn, c.request)
			conn.(*net.TCPConn).CloseWrite()
			io.Copy(io.Discard, conn)
			conn.Close()
			for _, x := range rec.exchanges(t, 1) {
				if x.Fault == nil {
					t.Errorf("recorded as whole: %+v", x)
				}
			}
		})
	}
}

func TestEarlyAnswerLeavesTheRequestIncomplete(t *testing.T) {
	rec := record(t, rawUpstream(t, func(c net.Conn, r *bufio.Reader) {
		skipHead(r)
		io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	}), nil)
	c := dialTap(t, rec)
	io.WriteString(c, "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 10\r\n\r\nhalf")
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || resp.StatusCode != 413 {
		t.Fatalf("client got %v, %v", resp, err)
	}
	c.Close()
	wantFault(t, rec.only(t), harness.FaultTruncated)
}

func TestBodyAboveTheLimitPassesAndIsRecordedTruncated(t *testing.T) {
	const size, limit = 64 << 20, 1 << 10
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		io.CopyN(w, zeros{}, size)
	})
	rec := record(t, up, func(tap *Tap) { tap.MaxBody = limit })
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	resp, err := client(t).Get(rec.url)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	runtime.ReadMemStats(&after)
	if n != size || err != nil {
		t.Fatalf("%d bytes passed, %v", n, err)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 16<<20 {
		t.Errorf("%d bytes were allocated for a body of which %d are kept", grown, limit)
	}
	x := rec.only(t)
	wantFault(t, x, harness.FaultTruncated)
	if x.Response.Body.Size() != limit {
		t.Errorf("%d bytes kept, want %d", x.Response.Body.Size(), limit)
	}
}

func TestRequestBodyAboveTheLimit(t *testing.T) {
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n)
	})
	for _, c := range []struct {
		why   string
		size  int
		fault string
	}{
		{"exactly the limit is whole", 100, ""},
		{"one byte more is truncated", 101, harness.FaultTruncated},
	} {
		rec := record(t, up, func(tap *Tap) { tap.MaxBody = 100 })
		req, _ := http.NewRequest("PUT", rec.url, io.LimitReader(zeros{}, int64(c.size))) // chunked
		if _, b := fetch(t, client(t), req); string(b) != fmt.Sprint(c.size) {
			t.Errorf("%s: %s bytes reached the upstream", c.why, b)
		}
		x := rec.only(t)
		wantFault(t, x, c.fault)
		if x.Request.Body.Size() != 100 {
			t.Errorf("%s: kept %d", c.why, x.Request.Body.Size())
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestSinkThatFailsDoesNotDisturbTheClient(t *testing.T) {
	full := errors.New("disk full")
	mem := harness.NewMemory(harness.Manifest{})
	rec := recordTo(t, upstream(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok") }), mem,
		snoop{mem, func(harness.Exchange) error { return full }}, nil)
	for range 3 {
		if resp, b := get(t, rec.url); resp.StatusCode != 200 || string(b) != "ok" {
			t.Errorf("client got %d %q", resp.StatusCode, b)
		}
	}
	if err := rec.stop(); !errors.Is(err, full) || !errors.Is(rec.Err(), full) {
		t.Errorf("Record returned %v, Err %v", err, rec.Err())
	}
	want := harness.Counts{Seen: 3, Dropped: 3, Reasons: map[string]int{DropSink: 3}}
	if d := cmp.Diff(want, mem.Manifest().Counts); d != "" {
		t.Error(d)
	}
}

func TestGracefulStopFinishesWhatIsInFlight(t *testing.T) {
	base := runtime.NumGoroutine()
	entered, release := make(chan struct{}), make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-release
		io.WriteString(w, "late")
	}))
	rec := record(t, srv.URL, nil)
	silent := dialTap(t, rec) // never says anything, and must not delay the stop
	defer silent.Close()
	c := client(t)
	got := make(chan string, 1)
	go func() {
		resp, err := c.Get(rec.url)
		if err != nil {
			got <- err.Error()
			return
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		got <- string(b)
	}()
	<-entered
	stopped := make(chan error, 1)
	go func() { stopped <- rec.stop() }()
	waitFor(t, "closed listener", func() bool {
		c, err := net.Dial("tcp", strings.TrimPrefix(rec.url, "http://"))
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	close(release)
	if b := <-got; b != "late" {
		t.Errorf("client got %q", b)
	}
	if err := <-stopped; err != nil {
		t.Errorf("Record: %v", err)
	}
	wantFault(t, rec.only(t), "")
	c.CloseIdleConnections()
	srv.Close()
	waitFor(t, "goroutine count of before", func() bool { return runtime.NumGoroutine() <= base })
}

func TestStopCutsWhatOutlastsTheGrace(t *testing.T) {
	entered := make(chan struct{})
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "first")
		w.(http.Flusher).Flush()
		close(entered)
		<-r.Context().Done()
	})
	rec := record(t, up, func(tap *Tap) { tap.Grace = 5 * time.Millisecond })
	ended := make(chan error, 1)
	go func() {
		resp, err := client(t).Get(rec.url)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			resp.Body.Close()
		}
		ended <- err
	}()
	<-entered
	waitFor(t, "end", func() bool { return rec.stop() == nil })
	if <-ended == nil {
		t.Error("the client saw a clean end")
	}
	x := rec.only(t)
	wantFault(t, x, harness.FaultReset)
	if x.Fault != nil && x.Fault.Detail != errStopped.Error() {
		t.Errorf("detail %q", x.Fault.Detail)
	}
}

func TestListen(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, err = new(Tap).Listen(taken.Addr().String())
	if harness.ClassOf(err) != harness.ClassCannotRun || !strings.Contains(harness.HintOf(err), "choose another port") ||
		!strings.Contains(err.Error(), taken.Addr().String()) {
		t.Errorf("port in use: %v (hint %q)", err, harness.HintOf(err))
	}
	for addr, want := range map[string]string{"": "127.0.0.1:0", ":81": "127.0.0.1:81", "8080": "127.0.0.1:8080", "0.0.0.0:1": "0.0.0.0:1", "[::1]:2": "[::1]:2"} {
		if got := loopback(addr); got != want {
			t.Errorf("loopback(%q) = %q, want %q", addr, got, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tap := &Tap{Upstream: &url.URL{Scheme: "http", Host: "127.0.0.1:1"}}
	addr, err := tap.Listen("")
	if err != nil {
		t.Fatal(err)
	}
	if err := tap.Record(ctx, harness.NewMemory(harness.Manifest{})); err != nil {
		t.Error(err)
	}
	again, err := net.Listen("tcp", addr.String())
	if err != nil {
		t.Fatalf("the port was not released: %v", err)
	}
	again.Close()
	if err := new(Tap).Record(ctx, nil); harness.HintOf(err) == "" {
		t.Errorf("no upstream: %v", err)
	}
}

func TestTapOverTLSKeepsTheRawHead(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["x-ODD"] = []string{"1"}
		io.WriteString(w, r.Proto)
	}))
	defer srv.Close()
	rec := record(t, srv.URL, func(tap *Tap) { tap.Transport = srv.Client().Transport })
	_, b := get(t, rec.url)
	x := rec.only(t)
	if string(b) != "HTTP/1.1" || !strings.Contains(fmt.Sprint(x.Response.Head), "x-ODD") {
		t.Errorf("upstream saw %s, recorded %v", b, x.Response.Head)
	}
	state, leaf := x.Response.Head.Get(harness.FieldTLS), sha256.Sum256(srv.Certificate().Raw)
	if !strings.HasPrefix(state, "TLS 1.3 TLS_") || x.Response.Head.Get(harness.FieldCert) != hex.EncodeToString(leaf[:]) ||
		x.Response.Head.Get(harness.FieldCertEnd) != srv.Certificate().NotAfter.UTC().Format(time.RFC3339) {
		t.Errorf("facts of the connection: %v", x.Response.Head)
	}
	// An unknown authority is an upstream that cannot be reached.
	rec = record(t, srv.URL, func(tap *Tap) { tap.Transport = &http.Transport{TLSClientConfig: &tls.Config{}} })
	if resp, _ := get(t, rec.url); resp.StatusCode != 502 {
		t.Errorf("client got %d", resp.StatusCode)
	}
	wantFault(t, rec.only(t), harness.FaultUnreachable)
}

// TestRequestsThatWentToTheUpstreamTwiceAreCounted calls an upstream that hangs up on the second request of each connection.
func TestRequestsThatWentToTheUpstreamTwiceAreCounted(t *testing.T) {
	var seen sync.Map // addresses of the tap
	rec := record(t, upstream(t, func(w http.ResponseWriter, r *http.Request) {
		if _, again := seen.LoadOrStore(r.RemoteAddr, true); again {
			panic(http.ErrAbortHandler)
		}
		io.WriteString(w, "ok") //nolint:errcheck // the tap sees it
	}), nil)
	for range 3 {
		resp, err := http.Get(rec.url + "/status")
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body) //nolint:errcheck // nothing is looked at
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("status %d", resp.StatusCode)
		}
	}
	if err := rec.stop(); err != nil {
		t.Fatal(err)
	}
	want := []string{"2 requests went to sis a second time, because a kept connection was closed before an answer came: it may have got them twice"}
	if diff := cmp.Diff(want, rec.Notes()); diff != "" {
		t.Error(diff)
	}
}
