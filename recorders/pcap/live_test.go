package pcap_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/recordtest"
	"github.com/rehearse-dev/rehearse/recorders/pcap"
)

// marker is the last thing that crosses in a live capture.
const marker = "nothing crosses after this"

// sniffer runs tcpdump on the loopback device.
type sniffer struct {
	t    testing.TB
	cmd  *exec.Cmd
	done chan struct{}

	mu  sync.Mutex
	got bytes.Buffer
	saw chan struct{} // closed when the marker was captured
}

// sniff starts a capture of what crosses the port, and returns once it runs.
func sniff(t testing.TB, port string, options ...string) *sniffer {
	t.Helper()
	s := &sniffer{t: t, done: make(chan struct{}), saw: make(chan struct{})}
	s.cmd = exec.CommandContext(t.Context(), "tcpdump", append(options, "-i", "lo", "-B", "131072", "-U", "--immediate-mode", "-w", "-", "tcp", "port", port)...)
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	said, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatalf("tcpdump: %v (Debian package tcpdump)", err)
	}
	lines := bufio.NewScanner(said)
	for lines.Scan() && !strings.Contains(lines.Text(), "listening on") {
		t.Log(lines.Text())
	}
	go io.Copy(io.Discard, said) //nolint:errcheck // what it says at its end
	go s.read(out)
	return s
}

func (s *sniffer) read(out io.Reader) {
	defer close(s.done)
	buf := make([]byte, 64<<10)
	seen := false
	for {
		n, err := out.Read(buf)
		s.mu.Lock()
		s.got.Write(buf[:n])
		if !seen && bytes.Contains(s.got.Bytes(), []byte(marker)) {
			seen = true
			close(s.saw)
		}
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// capture waits for the marker and ends the capture.
func (s *sniffer) capture() string {
	s.t.Helper()
	select {
	case <-s.saw:
	case <-s.done:
		s.t.Fatal("tcpdump ended before the marker crossed")
	}
	s.cmd.Process.Signal(os.Interrupt) //nolint:errcheck // it may have ended
	<-s.done
	s.cmd.Wait() //nolint:errcheck // it was interrupted
	return writeBytes(s.t, s.got.Bytes())
}

// lms answers calls of several forms.
func lms(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) //nolint:errcheck // the test sees what is missing
	switch r.URL.Path {
	case "/chunks":
		for i := range 5 {
			fmt.Fprintf(w, "chunk %d of %d bytes\n", i, len(body))
			w.(http.Flusher).Flush()
		}
		w.Header().Set(http.TrailerPrefix+"X-Sum", "9")
	case "/marker":
		io.WriteString(w, marker) //nolint:errcheck // the test waits for it
	default:
		w.Header().Set("Content-Type", "text/csv")
		w.WriteHeader(http.StatusCreated)
		w.Write(body) //nolint:errcheck // the test sees what is missing
	}
}

// talkTo calls the server several times over one connection.
func talkTo(t testing.TB, client *http.Client, url string) {
	t.Helper()
	for _, call := range []struct{ method, path, body string }{
		{"GET", "/empty", ""}, {"POST", "/echo", strings.Repeat("CRN,ID\n", 50_000)}, {"POST", "/chunks", "abc"}, {"HEAD", "/head", ""}, {"GET", "/marker", ""},
	} {
		req, err := http.NewRequestWithContext(t.Context(), call.method, url+call.path, strings.NewReader(call.body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(resp.Body); err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
}

func TestLiveCaptureOfBothVersionsHoldsWhatCrossed(t *testing.T) {
	const echoed = `"CRN"+349997`
	want := []string{
		`lms.pcap/1 GET /empty "" → 201 "" whole`, `lms.pcap/1 POST /echo ` + echoed + ` → 201 ` + echoed + ` whole`,
		`lms.pcap/1 POST /chunks "abc" → 200 "chu"+92 whole`, `lms.pcap/1 HEAD /head "" → 201 "" whole`, `lms.pcap/1 GET /marker "" → 200 "not"+23 whole`,
	}
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		var protocols http.Protocols
		protocols.SetHTTP1(proto == "HTTP/1.1")
		protocols.SetUnencryptedHTTP2(proto == "HTTP/2.0")
		server := httptest.NewUnstartedServer(http.HandlerFunc(lms))
		server.Config.Protocols = &protocols
		server.Start()
		transport := &http.Transport{Protocols: &protocols}
		s := sniff(t, portOf(server.Listener), "-s", "70000") // room for many packets in its buffer
		talkTo(t, &http.Client{Transport: transport}, server.URL)
		file := s.capture()
		transport.CloseIdleConnections()
		server.Close()

		xs, notes, counts := recordtest.Import(t, pcap.Format, file)
		if diff := cmp.Diff(want, lines(t, xs)); diff != "" || !counts.Complete() || len(notes) > 0 {
			t.Errorf("%s: %s\nnotes %q", proto, diff, notes)
			continue
		}
		for _, x := range xs {
			if x.Request.Head.Get(harness.FieldProto) != proto || x.Request.Head.Get("Host") != server.Listener.Addr().String() || x.To != "127.0.0.1" || x.Took <= 0 {
				t.Errorf("%s: to %q in %v, head %v", proto, x.To, x.Took, x.Request.Head)
			}
		}
		if x := xs[2]; x.Response.Head.Get("X-Sum") != "9" || !x.Response.Head.Has(":trailer") {
			t.Errorf("%s: the trailer is missing in %v", proto, x.Response.Head)
		}
	}
}

func TestLiveCaptureThatIsCutIsIncomplete(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(lms))
	defer server.Close()
	s := sniff(t, portOf(server.Listener), "-s", "400")
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	talkTo(t, &http.Client{Transport: transport}, server.URL)
	xs, notes, counts := recordtest.Import(t, pcap.Format, s.capture())
	if len(xs) != 5 || xs[0].Fault != nil || xs[1].Fault == nil || counts.Complete() || !strings.Contains(strings.Join(notes, "\n"), "cut by the snap length") {
		t.Errorf("have %v, notes %q", lines(t, xs), notes)
	}
}

func TestLiveCaptureOfTLSNamesTheHost(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(lms))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains about the marker
	server.StartTLS()
	defer server.Close()
	s := sniff(t, portOf(server.Listener))
	conf := server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	conf.ServerName = "example.com"
	conn, err := tls.Dial("tcp", server.Listener.Addr().String(), conf)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	plain, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	if _, err := io.WriteString(plain, marker); err != nil {
		t.Fatal(err)
	}
	xs, notes, _ := recordtest.Import(t, pcap.Format, s.capture())
	if all := strings.Join(notes, "\n"); len(xs) != 0 || !strings.Contains(all, "1 connections: TLS to example.com cannot be read") {
		t.Errorf("%d exchanges, notes %q", len(xs), notes)
	}
}

func portOf(l net.Listener) string {
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}
