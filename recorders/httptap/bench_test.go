package httptap

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// benchUpstream answers with about 2 KB.
func benchUpstream(b *testing.B) *url.URL {
	answer := []byte(`{"students":[` + strings.Repeat(`{"id":"H00000117","plan":"3.50"},`, 61) + `{}]}`)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.Write(answer)
	}))
	b.Cleanup(s.Close)
	u, _ := url.Parse(s.URL)
	return u
}

// appendSink writes each exchange to a file with one call, as the bare proxy does.
type appendSink struct{ file *os.File }

func (s appendSink) Put(x harness.Exchange) error {
	request, _ := x.Request.Body.Bytes()
	response, _ := x.Response.Body.Bytes()
	_, err := s.file.Write(slices.Concat(request, response))
	return err
}

func (s appendSink) Drop(reason string)     { panic(reason) }
func (s appendSink) LeaveOut(reason string) { panic(reason) }

func benchFile(b *testing.B) *os.File {
	f, err := os.Create(filepath.Join(b.TempDir(), "exchanges"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	return f
}

func benchTap(b *testing.B, up *url.URL) string {
	tap := &Tap{Upstream: up, From: "crm", To: "sis"}
	addr, err := tap.Listen("")
	if err != nil {
		b.Fatal(err)
	}
	sink := appendSink{benchFile(b)}
	var ended sync.WaitGroup
	ended.Go(func() { tap.Record(b.Context(), sink) })
	b.Cleanup(ended.Wait)
	return addr.String()
}

// benchBare is the reference: the proxy of the standard library, which appends both bodies before the end of the answer.
func benchBare(b *testing.B, up *url.URL) string {
	file := benchFile(b)
	proxy := httputil.NewSingleHostReverseProxy(up)
	proxy.Transport = &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64}
	proxy.BufferPool = new(copyBuffers)
	proxy.ModifyResponse = func(resp *http.Response) error {
		kept, _ := resp.Request.Context().Value(keptKey{}).(*bytes.Buffer)
		resp.Body = &atEOF{resp.Body, kept, file}
		return nil
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kept := new(bytes.Buffer)
		r.Body = &atEOF{ReadCloser: r.Body, kept: kept}
		proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), keptKey{}, kept)))
	}))
	b.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// copyBuffers spare the bare proxy a buffer for each answer, as every careful user of it does.
type copyBuffers struct{ pool sync.Pool }

func (c *copyBuffers) Get() []byte {
	if b, ok := c.pool.Get().(*[]byte); ok {
		return *b
	}
	return make([]byte, 32<<10)
}

func (c *copyBuffers) Put(b []byte) { c.pool.Put(&b) }

type keptKey struct{}

// atEOF keeps what is read and appends it to a file before it tells the end.
type atEOF struct {
	io.ReadCloser
	kept *bytes.Buffer
	file *os.File
}

func (a *atEOF) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	a.kept.Write(p[:n])
	if err == io.EOF && a.file != nil {
		a.file.Write(a.kept.Bytes())
	}
	return n, err
}

// caller is one keep-alive connection of a client that costs little: half GET, half POST with 300 bytes.
type caller struct {
	conn net.Conn
	in   *bufio.Reader
	took []time.Duration
}

var (
	benchGet  = []byte("GET /students?page=7 HTTP/1.1\r\nHost: sis.example\r\nAccept: application/json\r\n\r\n")
	benchPost = []byte("POST /students HTTP/1.1\r\nHost: sis.example\r\nContent-Type: application/json\r\nContent-Length: 300\r\n\r\n" + strings.Repeat("x", 300))
)

func callers(b *testing.B, addr string, n int) []*caller {
	all := make([]*caller, n)
	for i := range all {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { conn.Close() })
		all[i] = &caller{conn: conn, in: bufio.NewReader(conn)}
	}
	return all
}

// call sends n requests one after the other.
func (c *caller) call(b *testing.B, n int) {
	for i := range n {
		begin := time.Now()
		request := benchGet
		if i%2 == 1 {
			request = benchPost
		}
		if _, err := c.conn.Write(request); err != nil {
			b.Error(err)
			return
		}
		resp, err := http.ReadResponse(c.in, nil)
		if err != nil {
			b.Error(err)
			return
		}
		if got, err := io.Copy(io.Discard, resp.Body); err != nil || got < 2000 || resp.StatusCode != 200 {
			b.Errorf("%d, %d bytes, %v", resp.StatusCode, got, err)
			return
		}
		c.took = append(c.took, time.Since(begin))
	}
}

// load lets all callers send n requests each and returns the time that it took.
func load(b *testing.B, all []*caller, n int) time.Duration {
	begin := time.Now()
	var running sync.WaitGroup
	for _, c := range all {
		running.Go(func() { c.call(b, n) })
	}
	running.Wait()
	return time.Since(begin)
}

func p50(all []*caller) float64 {
	var took []time.Duration
	for _, c := range all {
		took = append(took, c.took...)
	}
	slices.Sort(took)
	return float64(took[len(took)/2].Microseconds()) / 1000
}

const (
	benchConns  = 16
	benchRound  = 50 // requests of each connection in one round
	benchRounds = 15 // at least
)

// BenchmarkTap measures the tap against the bare proxy and against no proxy, in turns. Bars: tap/bare ≥ 0.9, and
// added-p50-ms ≤ 1, which is the latency that one connection notices; p50 with all connections busy is reported beside it.
func BenchmarkTap(b *testing.B) {
	up := benchUpstream(b)
	addrs := []string{up.Host, benchBare(b, up), benchTap(b, up)}
	var many, one [3][]*caller
	var took, total [3]time.Duration
	for i, addr := range addrs {
		many[i], one[i] = callers(b, addr, benchConns), callers(b, addr, 1)
		load(b, many[i], benchRound) // connections stand and pools are warm
	}
	var ratios []float64 // of each round: what disturbs the machine for a moment disturbs few of them
	for b.Loop() {
		for range benchRounds {
			for i := range addrs {
				took[i] = load(b, many[i], benchRound)
				total[i] += took[i]
				load(b, one[i], benchRound)
			}
			ratios = append(ratios, float64(took[1])/float64(took[2]))
		}
	}
	slices.Sort(ratios)
	rate := func(i int) float64 { return float64(len(ratios)*benchRound*benchConns) / total[i].Seconds() }
	b.ReportMetric(rate(2), "tap-req/s")
	b.ReportMetric(rate(1), "bare-req/s")
	b.ReportMetric(rate(0), "direct-req/s")
	b.ReportMetric(ratios[len(ratios)/2], "tap/bare")
	b.ReportMetric(p50(one[2])-p50(one[0]), "added-p50-ms")
	b.ReportMetric(p50(many[2])-p50(many[0]), "added-p50-ms-c16")
	b.ReportMetric(p50(many[1])-p50(many[0]), "bare-added-p50-ms-c16")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkBareAppend is one request through the bare proxy, 16 connections.
func BenchmarkBareAppend(b *testing.B) { benchAlone(b, benchBare(b, benchUpstream(b))) }

// BenchmarkTapAlone is one request through the tap, 16 connections; it is the one to profile.
func BenchmarkTapAlone(b *testing.B) { benchAlone(b, benchTap(b, benchUpstream(b))) }

// BenchmarkDirect is one request without a proxy, 16 connections.
func BenchmarkDirect(b *testing.B) { benchAlone(b, benchUpstream(b).Host) }

func benchAlone(b *testing.B, addr string) {
	all := callers(b, addr, benchConns)
	b.ReportAllocs()
	b.ResetTimer()
	load(b, all, (b.N+benchConns-1)/benchConns)
}
