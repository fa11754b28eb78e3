package httptap

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// patternBody is n bytes of which no two blocks are alike.
type patternBody struct {
	left int64
	n    uint64
	each func() // called for each block
}

const patternBlock = 1 << 20

var pattern = func() []byte {
	b := make([]byte, patternBlock)
	for i := range b {
		b[i] = byte(i * 131 >> 7)
	}
	return b
}()

func (b *patternBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(int64(len(p)), b.left)], pattern)
	if n >= 8 {
		binary.LittleEndian.PutUint64(p, b.n)
	}
	b.n++
	b.left -= int64(n)
	if b.each != nil {
		b.each()
	}
	return n, nil
}

// inMemory is how many bytes of the process live, and how many are garbage that is not collected yet.
func inMemory() int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}

// hashSink reads each body once, as a store does.
type hashSink struct {
	*harness.Memory
	sums chan [2]uint32
}

func (s hashSink) Put(x harness.Exchange) error {
	var sums [2]uint32
	for i, body := range []harness.Body{x.Request.Body, x.Response.Body} {
		r, err := body.Open()
		if err != nil {
			return err
		}
		h := crc32.New(crc32.MakeTable(crc32.Castagnoli))
		n, err := io.Copy(h, r)
		r.Close()
		if err != nil || n != body.Size() {
			return fmt.Errorf("%d of %d bytes: %w", n, body.Size(), err)
		}
		sums[i] = h.Sum32()
	}
	s.sums <- sums
	x.Request.Body, x.Response.Body = harness.Body{}, harness.Body{}
	return s.Memory.Put(x)
}

// passLong sends a body of that many bytes each way through the tap, wants it whole at both ends and in the recording, and
// returns the most memory that it took, in bytes above what was there before.
func passLong(t testing.TB, size int64) int64 {
	castagnoli := crc32.MakeTable(crc32.Castagnoli)
	runtime.GC()
	idle := inMemory()
	var peak atomic.Int64
	look := func() {
		if now := inMemory() - idle; now > peak.Load() {
			peak.Store(now)
		}
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := crc32.New(castagnoli)
		io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{r.Body}, make([]byte, patternBlock))
		w.Header().Set("X-Sum", strconv.FormatUint(uint64(h.Sum32()), 10))
		io.CopyBuffer(struct{ io.Writer }{w}, &patternBody{left: size, n: 7, each: look}, make([]byte, patternBlock))
	}))
	defer s.Close()
	upstream, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	sink := hashSink{harness.NewMemory(harness.Manifest{}), make(chan [2]uint32, 1)}
	tap := &Tap{Upstream: upstream, MaxBody: size}
	front := httptest.NewServer(tap.Handler(sink))
	defer tap.CloseIdleConnections()
	defer front.Close()
	sent, got := crc32.New(castagnoli), crc32.New(castagnoli)
	resp, err := http.Post(front.URL, "", struct{ io.Reader }{io.TeeReader(&patternBody{left: size, each: look}, sent)})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.CopyBuffer(struct{ io.Writer }{got}, struct{ io.Reader }{resp.Body}, make([]byte, patternBlock)); n != size || err != nil {
		t.Fatalf("the client got %d bytes, %v", n, err)
	}
	sums := <-sink.sums
	if resp.Header.Get("X-Sum") != fmt.Sprint(sent.Sum32()) || sums[0] != sent.Sum32() || sums[1] != got.Sum32() || sent.Sum32() == got.Sum32() {
		t.Errorf("the bytes changed: sent %d, upstream got %s, recorded %d; client got %d, recorded %d", sent.Sum32(), resp.Header.Get("X-Sum"), sums[0], got.Sum32(), sums[1])
	}
	if c := sink.Manifest().Counts; c.Recorded != 1 {
		t.Errorf("counts %+v", c)
	}
	return peak.Load()
}

func TestLongBodyPassesWholeInLittleMemory(t *testing.T) {
	const size, most = 72 << 20, 64 << 20
	if peak := passLong(t, size); peak > most {
		t.Errorf("%d bytes of memory above idle, %d are allowed", peak, most)
	}
}

// BenchmarkGigabyte sends a body of a gigabyte each way. Bar: peak-MiB ≤ 64.
func BenchmarkGigabyte(b *testing.B) {
	peak := int64(0)
	for b.Loop() {
		peak = max(peak, passLong(b, 1<<30))
	}
	b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
}

// clientsEnv tells a second process of this test to be the clients: they and the tap have too many connections for one.
const clientsEnv = "REHEARSE_TEST_CLIENTS_OF"

const keptAlive = 10_000

func TestMain(m *testing.M) {
	if addr := os.Getenv(clientsEnv); addr != "" {
		if err := beClients(addr); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// beClients asks twice on each connection: when it was opened, because the tap lets nobody be silent for long, and when all
// stand.
func beClients(addr string) error {
	conns := make([]net.Conn, keptAlive)
	for round := range 2 {
		var asking sync.WaitGroup
		broken := make(chan error, keptAlive)
		const workers = 64
		for w := range workers {
			asking.Go(func() {
				for i := w; i < len(conns); i += workers {
					var err error
					if round == 0 {
						conns[i], err = net.Dial("tcp", addr)
					}
					if err == nil {
						err = askOn(conns[i], fmt.Sprintf("/%d/%d", round, i))
					}
					if err != nil {
						broken <- fmt.Errorf("connection %d, round %d: %w", i, round, err)
						return
					}
				}
			})
		}
		asking.Wait()
		close(broken)
		if err := <-broken; err != nil {
			return err
		}
	}
	return nil
}

// askOn sends a request on a connection and wants it answered well.
func askOn(c net.Conn, path string) error {
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path); err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReaderSize(c, 512), nil)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// openFiles counts the descriptors of this process; 0 where the system does not tell.
func openFiles() int {
	entries, _ := os.ReadDir("/proc/self/fd")
	return len(entries)
}

func TestTenThousandConnectionsAreKeptAliveAndLeaveNothing(t *testing.T) {
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.URL.Path) })
	goroutines, files := runtime.NumGoroutine(), openFiles()
	rec := record(t, up, nil)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), clientsEnv+"="+strings.TrimPrefix(rec.url, "http://"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	paths := make([]string, 0, 2*keptAlive)
	for _, x := range rec.exchanges(t, 2*keptAlive) {
		wantFault(t, x, "")
		path := x.Request.Head.Get(":path")
		if bodyOf(t, x.Response) != path {
			t.Fatalf("%s was answered %q", path, bodyOf(t, x.Response))
		}
		paths = append(paths, path)
	}
	slices.Sort(paths)
	if n := len(slices.Compact(paths)); n != 2*keptAlive {
		t.Errorf("%d of %d requests are recorded", n, 2*keptAlive)
	}
	const slack = 5 // the upstream's own connections end a moment later
	waitFor(t, "end of all goroutines and descriptors", func() bool {
		return runtime.NumGoroutine() <= goroutines+slack && openFiles() <= files+slack
	})
}

func TestSlowAndHalfClosedPeersAreRecordedAsTheyAre(t *testing.T) {
	goroutines, files := runtime.NumGoroutine(), openFiles()
	up := rawUpstream(t, func(c net.Conn, r *bufio.Reader) {
		path := strings.Fields(skipHead(r))[1]
		switch path {
		case "/drips":
			for _, b := range []byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nslow!") {
				c.Write([]byte{b})
			}
			r.ReadByte()
		case "/half-closes": // it says that nothing more comes, and goes on reading
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\npart")
			c.(*net.TCPConn).CloseWrite()
			io.Copy(io.Discard, r)
		case "/resets":
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\npart")
			c.(*net.TCPConn).SetLinger(0)
		case "/waits":
			io.Copy(io.Discard, r)
		case "/close-delimited":
			io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\nuntil the end")
			c.(*net.TCPConn).CloseWrite()
			io.Copy(io.Discard, r)
		}
	})
	for _, c := range []struct{ why, path, fault, body string }{
		{"byte for byte, both ways", "/drips", "", "slow!"},
		{"the upstream closes its half within the body", "/half-closes", harness.FaultReset, "part"},
		{"the upstream resets within the body", "/resets", harness.FaultReset, ""},
		{"the end of the connection is the end of the body", "/close-delimited", "", "until the end"},
	} {
		rec := record(t, up, nil)
		conn := dialTap(t, rec)
		for _, b := range []byte("GET " + c.path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") {
			conn.Write([]byte{b})
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
		}
		if (err == nil) != (c.fault == "") {
			t.Errorf("%s: the client saw %v", c.why, err)
		}
		x := rec.only(t)
		wantFault(t, x, c.fault)
		if got := bodyOf(t, x.Response); !strings.HasPrefix(got, c.body) {
			t.Errorf("%s: recorded %q", c.why, got)
		}
		conn.Close()
	}
	// A client that says nothing more while it waits is taken for one that went away, as by every proxy of net/http.
	rec := record(t, up, nil)
	conn := dialTap(t, rec)
	io.WriteString(conn, "POST /waits HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\npart")
	conn.(*net.TCPConn).CloseWrite()
	io.Copy(io.Discard, conn)
	wantFault(t, rec.only(t), harness.FaultClientGone)
	conn.Close()
	const slack = 5
	waitFor(t, "end of all goroutines and descriptors", func() bool {
		return runtime.NumGoroutine() <= goroutines+slack+8 && openFiles() <= files+slack+8 // the upstream waits for the end of the test
	})
}

func TestFaultsTellTheClientWhy(t *testing.T) {
	secure := secureUpstream(t, func(http.ResponseWriter, *http.Request) {})
	hangs := rawUpstream(t, func(c net.Conn, r *bufio.Reader) { io.Copy(io.Discard, r) })
	silent := rawUpstream(t, func(c net.Conn, r *bufio.Reader) { skipHead(r) })
	babbles := rawUpstream(t, func(c net.Conn, r *bufio.Reader) { io.WriteString(c, "220 mail.example ready\r\n") })
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for _, c := range []struct {
		why, url, kind string
		status         int
	}{
		{"refused", "http://" + closed.Addr().String(), harness.FaultUnreachable, 502},
		{"the certificate is not trusted", secure.URL, harness.FaultUnreachable, 502},
		{"TLS is answered by something else", strings.Replace(babbles, "http://", "https://", 1), harness.FaultUnreachable, 502},
		{"the connection ends without an answer", silent, harness.FaultReset, 502},
		{"no answer in time", hangs, harness.FaultTimeout, 504},
	} {
		rec := record(t, c.url, func(tap *Tap) {
			if c.kind == harness.FaultTimeout {
				tap.Transport = &http.Transport{ResponseHeaderTimeout: 50 * time.Millisecond}
			}
		})
		resp, body := get(t, rec.url)
		if resp.StatusCode != c.status || resp.Header.Get(fieldFault) != c.kind || !strings.Contains(string(body), c.kind) {
			t.Errorf("%s: the client got %d, %q, %s", c.why, resp.StatusCode, resp.Header.Get(fieldFault), body)
		}
		wantFault(t, rec.only(t), c.kind)
	}
}

func TestUpstreamThatAsksForACertificateGetsIt(t *testing.T) {
	var seen atomic.Value
	up := secureUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		name := "nobody"
		if len(r.TLS.PeerCertificates) > 0 {
			name = r.TLS.PeerCertificates[0].Subject.Organization[0]
		}
		seen.Store(name)
	})
	up.TLS.ClientAuth = 1 // tls.RequestClientCert, asked for and not verified
	a, _ := authorityOfTests(t)
	leaf, err := a.Leaf("localhost")
	if err != nil {
		t.Fatal(err)
	}
	rec := record(t, up.URL, func(tap *Tap) {
		tap.Insecure = func(host string) bool { return host == "127.0.0.1" }
		tr := &http.Transport{}
		tr.TLSClientConfig = a.Config()
		tr.TLSClientConfig.GetCertificate = nil
		tr.TLSClientConfig.Certificates = append(tr.TLSClientConfig.Certificates, *leaf)
		tap.Transport = tr
	})
	get(t, rec.url)
	wantFault(t, rec.only(t), "")
	if seen.Load() != "Rehearse" {
		t.Errorf("the upstream saw %v", seen.Load())
	}
	if notes := rec.Notes(); len(notes) != 1 || !strings.Contains(notes[0], "127.0.0.1 was not verified") {
		t.Errorf("notes %q", notes)
	}
}
