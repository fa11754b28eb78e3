package httptap

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/authority"
	"github.com/rehearse-dev/rehearse/recorders/internal/httpwire"
)

// authorityOfTests signs for the loopback addresses.
func authorityOfTests(t *testing.T, hosts ...string) (*authority.Authority, *x509.CertPool) {
	t.Helper()
	a, _, err := authority.Open(t.TempDir(), hosts, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.Certificate())
	return a, pool
}

// secureUpstream serves h over TLS, in HTTP/2 or HTTP/1.1.
func secureUpstream(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// trusting is a transport that trusts the server and speaks nothing but one version of HTTP.
func trusting(t *testing.T, pool *x509.CertPool, major int) *http.Client {
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableCompression: true, Protocols: new(http.Protocols)}
	tr.Protocols.SetHTTP1(major == 1)
	tr.Protocols.SetHTTP2(major == 2)
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

// recordSecure starts a tap that speaks TLS in front of the upstream.
func recordSecure(t *testing.T, up *httptest.Server, set func(*Tap)) (recording, *x509.CertPool) {
	t.Helper()
	a, pool := authorityOfTests(t)
	rec := record(t, up.URL, func(tap *Tap) {
		tap.Secure = a.Config()
		roots := x509.NewCertPool()
		if up.TLS != nil {
			roots.AddCert(up.Certificate())
		}
		tap.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
		if set != nil {
			set(tap)
		}
	})
	rec.url = strings.Replace(rec.url, "http://", "https://", 1)
	return rec, pool
}

func TestUpstreamIsSpokenToAsTheClientSpeaks(t *testing.T) {
	both := secureUpstream(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) })
	old := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
	old.StartTLS()
	defer old.Close()
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
	defer plain.Close()
	modern := frameUpstream(t, true, func(f *rawFrames, stream uint32) {
		f.head(t, stream, false, ":status", "200")
		f.WriteData(stream, true, []byte("HTTP/2.0"))
	})
	for _, c := range []struct {
		why      string
		up       *httptest.Server
		major    int
		upstream string
	}{
		{"HTTP/2 on both sides", both, 2, "HTTP/2.0"},
		{"HTTP/1.1 on both sides", both, 1, "HTTP/1.1"},
		{"an upstream that knows HTTP/1.1 only", old, 2, "HTTP/1.1"},
		{"an upstream without TLS", plain, 2, "HTTP/1.1"},
		{"an upstream that knows HTTP/2 only", modern, 2, "HTTP/2.0"},
	} {
		t.Run(c.why, func(t *testing.T) {
			rec, pool := recordSecure(t, c.up, nil)
			client := trusting(t, pool, c.major)
			for range 3 {
				req, _ := http.NewRequest("GET", rec.url+"/a", nil)
				resp, body := fetch(t, client, req)
				if resp.ProtoMajor != c.major || string(body) != c.upstream {
					t.Errorf("the client speaks %s, the upstream was spoken to in %s", resp.Proto, body)
				}
			}
			for _, x := range rec.exchanges(t, 3) {
				wantFault(t, x, "")
				if x.Response.Head.Get(harness.FieldProto) != c.upstream || strings.HasPrefix(x.Response.Head.Get(harness.FieldTLS), "TLS 1.3 ") != (c.up != plain) ||
					!strings.HasPrefix(x.Request.Head.Get(harness.FieldProto), fmt.Sprintf("HTTP/%d", c.major)) {
					t.Errorf("recorded %v, %v", x.Request.Head, x.Response.Head)
				}
			}
		})
	}
}

// rawFrames serves or speaks HTTP/2 frame by frame.
type rawFrames struct {
	*http2.Framer
	block bytes.Buffer
	pack  *hpack.Encoder
}

func newRawFrames(c net.Conn) *rawFrames {
	f := &rawFrames{Framer: http2.NewFramer(c, c)}
	f.pack = hpack.NewEncoder(&f.block)
	f.ReadMetaHeaders = hpack.NewDecoder(headerTable, nil)
	return f
}

// head writes fields in the given order, cut into as many frames as there are fields.
func (f *rawFrames) head(t *testing.T, stream uint32, end bool, fields ...string) {
	t.Helper()
	f.block.Reset()
	for i := 0; i < len(fields); i += 2 {
		f.pack.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	block := f.block.Bytes()
	half := len(block) / 2
	if err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block[:half], EndStream: end, PadLength: 7}); err != nil {
		t.Error(err)
	}
	if err := f.WriteContinuation(stream, true, block[half:]); err != nil {
		t.Error(err)
	}
}

// answer reads up to the end of the stream and returns its status, body and trailer.
func (f *rawFrames) answer(t *testing.T, stream uint32) (status, body string, trailer []hpack.HeaderField) {
	t.Helper()
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				f.WriteSettingsAck()
			}
			continue
		case *http2.MetaHeadersFrame:
			if got := frame.PseudoValue("status"); got != "" && got[0] != '1' {
				status = got
			} else if got == "" {
				trailer = frame.Fields
			}
		case *http2.DataFrame:
			body += string(frame.Data())
		case *http2.RSTStreamFrame:
			return status, body + "|reset", trailer
		}
		if frame.Header().StreamID == stream && frame.Header().Flags.Has(http2.FlagDataEndStream) {
			return status, body, trailer
		}
	}
}

// frameUpstream answers every request with what serve writes, frame by frame: when the request has ended, or at its head.
func frameUpstream(t *testing.T, patient bool, serve func(f *rawFrames, stream uint32)) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){
		"h2": func(_ *http.Server, c *tls.Conn, _ http.Handler) {
			preface := make([]byte, len(clientPreface))
			if _, err := io.ReadFull(c, preface); err != nil {
				return
			}
			f := newRawFrames(c)
			f.WriteSettings()
			for {
				frame, err := f.ReadFrame()
				if err != nil {
					return
				}
				switch frame := frame.(type) {
				case *http2.SettingsFrame:
					if !frame.IsAck() {
						f.WriteSettingsAck()
					}
				case *http2.MetaHeadersFrame:
					if frame.StreamEnded() || !patient {
						serve(f, frame.StreamID)
					}
				case *http2.DataFrame:
					if frame.StreamEnded() && patient {
						serve(f, frame.StreamID)
					}
				}
			}
		},
	}
	s.TLS = &tls.Config{NextProtos: []string{"h2"}}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// dialFrames speaks HTTP/2 with the tap by hand.
func dialFrames(t *testing.T, rec recording, pool *x509.CertPool) *rawFrames {
	t.Helper()
	c, err := tls.Dial("tcp", strings.TrimPrefix(rec.url, "https://"), &tls.Config{RootCAs: pool, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(20 * time.Second))
	io.WriteString(c, clientPreface)
	f := newRawFrames(c)
	f.WriteSettings()
	return f
}

func TestHeadsOfFramesAreRecordedAsTheyCame(t *testing.T) {
	up := frameUpstream(t, true, func(f *rawFrames, stream uint32) {
		f.head(t, stream, false, ":status", "103", "link", "</a.css>")
		f.head(t, stream, false, ":status", "200", "x-b", "2", "content-type", "application/grpc", "x-a", "1", "set-cookie", "a=1", "x-b", "3", "set-cookie", "b=2")
		f.WriteData(stream, false, []byte("ok"))
		f.head(t, stream, true, "grpc-status", "0", "x-z", "1", "grpc-message", "fine")
	})
	rec, pool := recordSecure(t, up, nil)
	f := dialFrames(t, rec, pool)
	f.head(t, 1, false, ":path", "/p?x=%2f", ":authority", "sis.example", ":method", "POST", ":scheme", "https",
		"z-last", "1", "te", "trailers", "x-dup", "1", "cookie", "a=1", "accept", "*/*", "x-dup", "2", "cookie", "b=2")
	f.WriteData(1, true, []byte("abc"))
	status, body, trailer := f.answer(t, 1)
	if status != "200" || body != "ok" || len(trailer) != 3 {
		t.Errorf("client got %s %q, trailer %v", status, body, trailer)
	}
	x := rec.only(t)
	wantFault(t, x, "")
	want := harness.Head{{Name: ":path", Value: "/p?x=%2f"}, {Name: ":authority", Value: "sis.example"}, {Name: ":method", Value: "POST"}, {Name: ":scheme", Value: "https"},
		{Name: ":proto", Value: "HTTP/2.0"}, {Name: "z-last", Value: "1"}, {Name: "te", Value: "trailers"}, {Name: "x-dup", Value: "1"}, {Name: "cookie", Value: "a=1"},
		{Name: "accept", Value: "*/*"}, {Name: "x-dup", Value: "2"}, {Name: "cookie", Value: "b=2"}}
	if d := cmp.Diff(want, x.Request.Head); d != "" {
		t.Errorf("request: %s", d)
	}
	got := x.Response.Head.Without(harness.FieldTLS, harness.FieldCert, harness.FieldCertEnd, harness.FieldArrivals)
	want = harness.Head{{Name: ":status", Value: "200"}, {Name: ":proto", Value: "HTTP/2.0"}, {Name: ":informational", Value: "103"}, {Name: "x-b", Value: "2"}, {Name: "content-type", Value: "application/grpc"},
		{Name: "x-a", Value: "1"}, {Name: "set-cookie", Value: "a=1"}, {Name: "x-b", Value: "3"}, {Name: "set-cookie", Value: "b=2"},
		{Name: ":trailer"}, {Name: "grpc-status", Value: "0"}, {Name: "x-z", Value: "1"}, {Name: "grpc-message", Value: "fine"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("response: %s", d)
	}
	if bodyOf(t, x.Request) != "abc" || bodyOf(t, x.Response) != "ok" || x.Response.Media != "application/grpc" {
		t.Errorf("bodies %q, %q", bodyOf(t, x.Request), bodyOf(t, x.Response))
	}
}

func TestEmptyBodyThatEndsBehindItsHeadIsWhole(t *testing.T) {
	answersAtOnce := frameUpstream(t, false, func(f *rawFrames, stream uint32) {
		f.head(t, stream, true, ":status", "200", "x-a", "1")
		f.WriteRSTStream(stream, http2.ErrCodeNo)
	})
	rec, pool := recordSecure(t, answersAtOnce, nil)
	f := dialFrames(t, rec, pool)
	const streams = 20
	for i := range uint32(streams) {
		f.head(t, 2*i+1, false, ":method", "GET", ":path", "/", ":authority", "x", ":scheme", "https")
		f.WriteData(2*i+1, true, nil)
		if status, _, _ := f.answer(t, 2*i+1); status != "200" {
			t.Errorf("stream %d: %s", i, status)
		}
	}
	for _, x := range rec.exchanges(t, streams) {
		wantFault(t, x, "")
	}
}

func TestStreamsBesideOneAnotherKeepTheirOwnHeads(t *testing.T) {
	up := secureUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Echo", r.Header.Get("X-Own"))
		fmt.Fprintf(w, "%s|%s", r.URL.Path, b)
	})
	rec, pool := recordSecure(t, up, nil)
	c := trusting(t, pool, 2)
	const workers, each = 32, 12
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() {
			for j := range each {
				own := fmt.Sprintf("%d-%d", i, j)
				req, _ := http.NewRequest("POST", rec.url+"/same", strings.NewReader(own))
				req.Header.Set("X-Own", own)
				resp, err := c.Do(req)
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil || string(body) != "/same|"+own {
					t.Errorf("%s: client got %q, %v", own, body, err)
				}
			}
		})
	}
	all.Wait()
	seen := map[string]bool{}
	for _, x := range rec.exchanges(t, workers*each) {
		wantFault(t, x, "")
		own := x.Request.Head.Get("x-own")
		if seen[own] || own != bodyOf(t, x.Request) || bodyOf(t, x.Response) != "/same|"+own || x.Response.Head.Get("x-echo") != own {
			t.Errorf("%s is recorded twice or mixed up", own)
		}
		seen[own] = true
		if pseudo, _ := pseudoFirst(x.Request.Head); len(pseudo) != 5 {
			t.Errorf("not the raw head: %v", x.Request.Head)
		}
	}
}

func TestStreamThatBreaksIsRecordedBrokenAndTheOthersGoOn(t *testing.T) {
	release := make(chan struct{})
	up := secureUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "part")
		w.(http.Flusher).Flush()
		switch r.URL.Path {
		case "/breaks":
			panic(http.ErrAbortHandler)
		case "/client-leaves":
			<-r.Context().Done()
		case "/waits":
			<-release
		}
	})
	rec, pool := recordSecure(t, up, nil)
	c := trusting(t, pool, 2)
	waits, err := c.Get(rec.url + "/waits")
	if err != nil {
		t.Fatal(err)
	}
	broken, err := c.Get(rec.url + "/breaks")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(broken.Body); err == nil {
		t.Errorf("the client got %q as if it were whole", b)
	}
	broken.Body.Close()
	ctx, cancel := context.WithCancel(t.Context())
	req, _ := http.NewRequestWithContext(ctx, "GET", rec.url+"/client-leaves", nil)
	left, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	left.Body.Close()
	waitFor(t, "the broken streams", func() bool { return rec.sink.Manifest().Counts.Seen >= 2 })
	close(release)
	if b, err := io.ReadAll(waits.Body); err != nil || string(b) != "part" {
		t.Errorf("the stream beside them: %q, %v", b, err)
	}
	waits.Body.Close()
	faults := map[string]string{"/breaks": harness.FaultReset, "/client-leaves": harness.FaultClientGone, "/waits": ""}
	for _, x := range rec.exchanges(t, 3) {
		wantFault(t, x, faults[x.Request.Head.Get(":path")])
	}
}

func TestHandshakeThatFailsIsCounted(t *testing.T) {
	up := secureUpstream(t, func(w http.ResponseWriter, r *http.Request) {})
	rec, _ := recordSecure(t, up, nil)
	if _, err := trusting(t, x509.NewCertPool(), 2).Get(rec.url); err == nil {
		t.Error("a client that trusts nobody was answered")
	}
	silent, err := net.Dial("tcp", strings.TrimPrefix(rec.url, "https://")) // a probe of the port is no client
	if err != nil {
		t.Fatal(err)
	}
	silent.Close()
	rec.exchanges(t, 1)
	if got := rec.sink.Manifest().Counts.Reasons[DropHandshake]; got != 1 {
		t.Errorf("%d handshakes counted", got)
	}
}

func TestPriorKnowledgeReachesAPlainUpstream(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Config.Protocols.SetHTTP1(true)
	s.Start()
	defer s.Close()
	rec := record(t, s.URL, nil)
	tr := &http.Transport{Protocols: new(http.Protocols)}
	tr.Protocols.SetUnencryptedHTTP2(true)
	defer tr.CloseIdleConnections()
	req, _ := http.NewRequest("GET", rec.url, nil)
	if resp, body := fetch(t, &http.Client{Transport: tr}, req); resp.Proto != "HTTP/2.0" || string(body) != "HTTP/2.0" {
		t.Errorf("%s, upstream %s", resp.Proto, body)
	}
	x := rec.only(t)
	wantFault(t, x, "")
	if pseudo, _ := pseudoFirst(x.Request.Head); len(pseudo) != 5 {
		t.Errorf("recorded %v", x.Request.Head)
	}
}

// FuzzFrameScanner: whatever comes, cut anywhere, nothing panics and memory is bounded.
func FuzzFrameScanner(f *testing.F) {
	var seed bytes.Buffer
	seed.WriteString(prefaceRest)
	fr := http2.NewFramer(&seed, nil)
	fr.WriteSettings()
	fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0x82, 0x84, 0x86}, EndHeaders: true, PadLength: 3})
	fr.WriteData(1, true, []byte("abc"))
	f.Add(seed.Bytes(), 3)
	f.Add([]byte(prefaceRest+"\x00\x00\x00\x09\x04\x00\x00\x00\x01"), 1)
	f.Fuzz(func(t *testing.T, b []byte, at int) {
		whole, cut := newRequestStreams(), newRequestStreams()
		whole.feed(b)
		for len(b) > 0 {
			n := min(max(at, 1), len(b))
			cut.feed(b[:n])
			b = b[n:]
		}
		if len(whole.heads) > maxPendingHeads || cap(whole.block) > 4*httpwire.MaxHead {
			t.Errorf("%d heads, %d bytes are held", len(whole.heads), cap(whole.block))
		}
		if d := cmp.Diff(whole.heads, cut.heads); d != "" || whole.failed != cut.failed {
			t.Errorf("cut differently, read differently: %s", d)
		}
	})
}
