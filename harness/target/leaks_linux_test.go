package target

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/replay"
)

// unreliable is a server that hangs up, breaks off and keeps silent as the path says. It ends after so many requests.
type unreliable struct {
	net.Listener
	ended sync.WaitGroup

	mu    sync.Mutex
	left  int
	conns []net.Conn
}

func newUnreliable(t *testing.T, requests int) *unreliable {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u := &unreliable{Listener: listener, left: requests}
	u.ended.Go(func() {
		for {
			conn, err := u.Accept()
			if err != nil {
				return
			}
			u.mu.Lock()
			u.conns = append(u.conns, conn)
			u.mu.Unlock()
			u.ended.Go(func() { u.serve(conn) })
		}
	})
	return u
}

func (u *unreliable) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		io.Copy(io.Discard, r.Body) //nolint:errcheck // the next request tells
		if u.last() {
			u.end()
		}
		switch kind, _, _ := strings.Cut(r.URL.Path[1:], "/"); kind {
		case "silence":
			in.ReadByte() //nolint:errcheck // the client hangs up
			return
		case "reset":
			conn.(*net.TCPConn).SetLinger(0) //nolint:errcheck // closed below
			return
		case "half":
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf") //nolint:errcheck // closed below
			return
		default:
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") //nolint:errcheck // the next request tells
		}
	}
}

func (u *unreliable) last() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.left--
	return u.left == 0
}

// end closes everything that is open.
func (u *unreliable) end() {
	u.Close()
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, conn := range u.conns {
		conn.Close()
	}
}

// open is what a process can leave behind.
func open() (goroutines, files int) {
	entries, _ := os.ReadDir("/proc/self/fd")
	return runtime.NumGoroutine(), len(entries)
}

// tenThousand are exchanges of sixteen sessions. Of a hundred one is never answered, and several break off.
func tenThousand() (xs []harness.Exchange) {
	kinds := map[int]string{7: "silence", 20: "reset", 21: "reset", 40: "half", 41: "half"}
	for i := range 10_000 {
		kind := kinds[i%100]
		if kind == "silence" && i%1000 != 7 {
			kind = ""
		}
		x := request("POST", fmt.Sprintf("/%s/%d", kind, i), "{}")
		x.ID, x.Session = harness.SequenceID(i+1), fmt.Sprint(i%16)
		xs = append(xs, x)
	}
	return xs
}

func TestReplayLeavesNothingOpen(t *testing.T) {
	xs := tenThousand()
	for _, tt := range []struct {
		why            string
		served, cancel int // requests after which the server is gone, and exchanges after which the run is cancelled
	}{
		{"connections are kept to the end", -1, -1},
		{"the server is gone half way", len(xs) / 2, -1},
		{"the run is cancelled", -1, len(xs) / 4},
	} {
		goroutines, files := open()
		server := newUnreliable(t, tt.served)
		stage := start(t, harness.TargetSpec{URL: &harness.URLSpec{Base: "http://" + server.Addr().String()}}, harness.StageEnv{Wait: 200 * time.Millisecond})
		sessions, err := replay.Group(harness.NewMemory(harness.Manifest{}, xs...), "hubline")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		kept := 0
		_, err = replay.Feed(ctx, stage, sessions, nil, replay.Options{
			Replay: harness.Replay{Concurrency: 16, Polling: harness.Polling{Off: true}},
			Keep: func(replay.Sent) error {
				if kept++; kept == tt.cancel {
					cancel()
				}
				return nil
			},
		})
		if cancelled := tt.cancel > 0; cancelled && !errors.Is(err, context.Canceled) || !cancelled && (err != nil || kept != len(xs)) {
			t.Errorf("%s: %d exchanges, %v", tt.why, kept, err)
		}
		cancel()
		if err := stage.Close(); err != nil {
			t.Error(err)
		}
		server.end()
		server.ended.Wait()
		eventually(t, tt.why+": nothing is open that was not open before", func() bool {
			g, f := open()
			return g <= goroutines && f <= files
		})
	}
}
