package rehearsal

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/cputime"
	"github.com/rehearse-dev/rehearse/harness/replay"
	"github.com/rehearse-dev/rehearse/harness/target"
)

const (
	benchUsers = 16 // sessions, all at the same time
	benchEach  = 1000
)

// fedTo starts a target and feeds the sessions to it; it returns how many requests went out in a second, and in a second of
// CPU of this process. What crossed is mapped back meanwhile.
func fedTo(b *testing.B, spec harness.TargetSpec, f *feeding) (perSecond, perCPU float64) {
	b.Helper()
	t, err := target.New(spec)
	if err != nil {
		b.Fatal(err)
	}
	stage, err := t.Start(b.Context(), harness.StageEnv{})
	if err != nil {
		b.Fatal(err)
	}
	defer stage.Close() //nolint:errcheck // drops connections, or ends the process
	began, used := time.Now(), cputime.Used()
	if err := f.feed(b.Context(), stage); err != nil {
		b.Fatal(err)
	}
	f.recording(harness.Manifest{})
	requests := float64(len(f.crossed))
	return requests / time.Since(began).Seconds(), requests / (cputime.Used() - used).Seconds()
}

// BenchmarkReplay feeds as fast as the target answers, and compares with the least that a client can do over net/http: the
// same requests from as many goroutines, answers read to their end and dropped.
func BenchmarkReplay(b *testing.B) {
	body := strings.Repeat("x", 2048)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) })) //nolint:errcheck // the client sees it
	defer server.Close()
	var xs []harness.Exchange
	for i := range benchUsers * benchEach {
		xs = append(xs, harness.Exchange{
			ID: harness.SequenceID(i + 1), Session: fmt.Sprint(i % benchUsers), Channel: harness.ChannelHTTP, From: "crm", To: "vendor", At: time.Unix(int64(i), 0),
			Request: harness.Message{Head: harness.Head{{Name: ":method", Value: "GET"}, {Name: ":path", Value: fmt.Sprintf("/students/%d", i)}}},
		})
	}
	sessions, err := replay.Group(harness.NewMemory(harness.Manifest{}, xs...), "vendor")
	if err != nil {
		b.Fatal(err)
	}
	var ours, bare float64
	for b.Loop() {
		f, err := Plan{Scenario: harness.Scenario{Replay: harness.Replay{Concurrency: benchUsers}}, Uncorrelated: true}.prepare(sessions, false)
		if err != nil {
			b.Fatal(err)
		}
		rate, _ := fedTo(b, harness.TargetSpec{System: "vendor", URL: &harness.URLSpec{Base: server.URL}}, f)
		ours = max(ours, rate)
		bare = max(bare, sentBare(b, server.URL))
	}
	b.ReportMetric(ours, "exchanges/s")
	b.ReportMetric(ours/bare, "of-bare")
}

// sentBare is the requests of a second that a bare client sends.
func sentBare(b *testing.B, base string) float64 {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: benchUsers}}
	defer client.CloseIdleConnections()
	began := time.Now()
	var users sync.WaitGroup
	for u := range benchUsers {
		users.Go(func() {
			for i := range benchEach {
				answer, err := client.Get(fmt.Sprintf("%s/students/%d", base, i*benchUsers+u))
				if err != nil {
					b.Error(err)
					return
				}
				io.Copy(io.Discard, answer.Body) //nolint:errcheck // dropped
				answer.Body.Close()
			}
		})
	}
	users.Wait()
	return benchUsers * benchEach / time.Since(began).Seconds()
}

// BenchmarkCorrelatedReplay feeds sessions in which nearly every request holds values of answers before it, takes the live
// values from each answer, and maps what came back. The server is a process of its own, another one each time.
func BenchmarkCorrelatedReplay(b *testing.B) {
	root := b.TempDir()
	var users []string
	for i := range 2 * benchUsers {
		users = append(users, fmt.Sprintf("user%d", i))
	}
	recordVendor(b, root, users...)
	rec, err := fixtures.Open(filepath.Join(root, "vendor"))
	if err != nil {
		b.Fatal(err)
	}
	sessions, err := replay.Group(rec, "vendor")
	if err != nil {
		b.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	plan := Plan{Scenario: harness.Scenario{Replay: harness.Replay{Concurrency: benchUsers, Polling: harness.Polling{Every: 1}}}}
	var best float64
	var perCPU []float64
	for seed := 1000; b.Loop(); seed++ {
		f, err := plan.prepare(sessions, false)
		if err != nil {
			b.Fatal(err)
		}
		server := &harness.ProcessSpec{Run: []string{self}, Env: map[string]string{"VENDOR_SEED": fmt.Sprint(seed)}}
		rate, cpu := fedTo(b, harness.TargetSpec{System: "vendor", Process: server}, f)
		best, perCPU = max(best, rate), append(perCPU, cpu)
	}
	slices.Sort(perCPU)
	b.ReportMetric(best, "exchanges/s")
	b.ReportMetric(perCPU[len(perCPU)/2], "exchanges/cpu-s")
}
