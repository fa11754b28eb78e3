package mock_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/mock"
)

// load is one kind of call: told apart by its path or by its JSON body.
type load struct {
	name string
	call func(i int) (method, path, body string)
}

var loads = []load{
	{"get", func(i int) (string, string, string) { return "GET", fmt.Sprintf("/students/H%08d", i), "" }},
	{"post", func(i int) (string, string, string) {
		return "POST", "/registrations", fmt.Sprintf(`{"id":"H%08d","term":"2026F","crn":"00417","hours":3.50}`, i)
	}},
}

const benchAnswer = `{"id":"H00000000","first_name":"Ada","last_name":"Quill","email":"ada.quill@student.harrowlake.example","plan":"BIO-BS","status":"active","credits":14.50}`

func benchRecording(l load, n int) *harness.Memory {
	rec := harness.NewMemory(harness.Manifest{})
	for i := range n {
		method, path, body := l.call(i)
		x := exchange("", method, path, body, benchAnswer)
		x.Response.Head = append(x.Response.Head, harness.Field{Name: "Content-Type", Value: "application/json"})
		rec.Put(x) //nolint:errcheck // memory keeps everything
	}
	return rec
}

// bare is the least that a server can do: a map of method, path and body bytes over net/http.
func bare(l load, n int) http.Handler {
	answers := make(map[string][]byte, n)
	for i := range n {
		method, path, body := l.call(i)
		answers[method+" "+path+" "+body] = []byte(benchAnswer)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		answer, found := answers[r.Method+" "+r.URL.RequestURI()+" "+string(body)]
		if !found {
			w.WriteHeader(http.StatusNotImplemented)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(answer) //nolint:errcheck // the client counts
	})
}

const connections = 16

// rate drives the handler over loopback with 16 connections and returns requests per second. The client is as cheap as it
// can be, so that the server is what is measured.
func rate(b *testing.B, h http.Handler, l load, n, requests int) float64 {
	b.Helper()
	server := httptest.NewServer(h)
	defer server.Close()
	runtime.GC() // what the round before left behind is not this one's to clear
	var wg sync.WaitGroup
	errs := make(chan error, connections)
	began := time.Now()
	for c := range connections {
		wg.Go(func() {
			if err := drive(server.Listener.Addr().String(), l, n, c, requests/connections); err != nil {
				errs <- err
			}
		})
	}
	wg.Wait()
	took := time.Since(began)
	close(errs)
	if err := <-errs; err != nil {
		b.Fatal(err)
	}
	return float64(requests) / took.Seconds()
}

// drive makes calls that are spread over the recording, one after the other on one connection.
func drive(addr string, l load, n, seed, requests int) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	r := bufio.NewReader(conn)
	const stride = 7919
	for i := range requests {
		method, path, body := l.call((seed*104729 + i*stride) % n)
		if _, err := fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: sis.example\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", method, path, len(body), body); err != nil {
			return err
		}
		if err := readAnswer(r); err != nil {
			return err
		}
	}
	return nil
}

func readAnswer(r *bufio.Reader) error {
	length := 0
	for first := true; ; first = false {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		text := string(line)
		if first && !strings.HasPrefix(text, "HTTP/1.1 200") {
			return fmt.Errorf("answer %q", text)
		}
		if text == "\r\n" {
			break
		}
		if value, found := strings.CutPrefix(text, "Content-Length: "); found {
			length, _ = strconv.Atoi(strings.TrimSpace(value))
		}
	}
	_, err := r.Discard(length)
	return err
}

func median(xs []float64) float64 {
	slices.Sort(xs)
	return xs[len(xs)/2]
}

func benchMock(b *testing.B, rec harness.Recording) *mock.Mock {
	b.Helper()
	m, err := mock.New(rec, mock.Options{})
	if err != nil {
		b.Fatal(err)
	}
	return m
}

// BenchmarkAgainstBareServer reports the mock's rate as a share of a bare map over net/http, in turns in the same run.
// The bar is 0.6.
func BenchmarkAgainstBareServer(b *testing.B) {
	const n, requests, rounds = 1000, 16_000, 5
	for _, l := range loads {
		b.Run(l.name, func(b *testing.B) {
			m, peer := benchMock(b, benchRecording(l, n)), bare(l, n)
			var ours, theirs, ratios []float64
			for b.Loop() {
				for range rounds {
					theirs = append(theirs, rate(b, peer, l, n, requests))
					ours = append(ours, rate(b, m, l, n, requests))
					ratios = append(ratios, ours[len(ours)-1]/theirs[len(theirs)-1])
				}
			}
			b.ReportMetric(median(ours), "req/s")
			b.ReportMetric(median(theirs), "bare-req/s")
			b.ReportMetric(median(ratios), "ratio")
		})
	}
}

// BenchmarkFlat reports the rate over 100,000 exchanges as a share of the rate over 1,000. The bar is 0.8 to 1.2.
func BenchmarkFlat(b *testing.B) {
	const small, large, requests, rounds = 1000, 100_000, 16_000, 7
	for _, l := range loads {
		b.Run(l.name, func(b *testing.B) {
			few, many := benchMock(b, benchRecording(l, small)), benchMock(b, benchRecording(l, large))
			var ratios []float64
			for b.Loop() {
				for range rounds {
					base := rate(b, few, l, small, requests)
					ratios = append(ratios, rate(b, many, l, large, requests)/base)
				}
			}
			b.ReportMetric(median(ratios), "ratio")
		})
	}
}

// BenchmarkNew prepares 10,000 exchanges with JSON bodies. The bar is 300 ms.
func BenchmarkNew(b *testing.B) {
	rec := benchRecording(loads[1], 10_000)
	for b.Loop() {
		benchMock(b, rec)
	}
}

// BenchmarkMiss explains a call that is in no recording of 10,000.
func BenchmarkMiss(b *testing.B) {
	m := benchMock(b, benchRecording(loads[1], 10_000))
	server := httptest.NewServer(m)
	defer server.Close()
	for b.Loop() {
		resp, err := http.Post(server.URL+"/registrations", "application/json", strings.NewReader(`{"id":"none"}`))
		if err != nil || resp.StatusCode != http.StatusNotImplemented {
			b.Fatal(err, resp)
		}
		io.Copy(io.Discard, resp.Body) //nolint:errcheck // only the time counts
		resp.Body.Close()
	}
}
