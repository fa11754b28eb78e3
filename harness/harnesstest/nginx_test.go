package harnesstest_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/harnesstest"
	"github.com/rehearse-dev/rehearse/harness/mock"
	"github.com/rehearse-dev/rehearse/recorders/httptap"
)

// nginxConf serves a folder on one loopback port. Students are packed, moved and missing; the feed comes in chunks.
const nginxConf = `daemon off;
master_process off;
worker_processes 1;
pid %[1]s/nginx.pid;
error_log stderr;
events { worker_connections 64; }
http {
	types { application/json json; text/csv csv; text/event-stream events; }
	default_type application/octet-stream;
	access_log off;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	gzip on;
	gzip_types application/json;
	gzip_min_length 1;
	server {
		listen 127.0.0.1:%[2]d;
		root %[1]s/www;
		location /old/ { absolute_redirect off; return 301 /students.json; }
		location /elsewhere { return 307 /students.json?moved=yes; }
		location /echo { add_header X-Asked "$request_method $args" always; return 200 "$request_body"; }
		location /feed { chunked_transfer_encoding on; gzip_types text/event-stream; try_files /feed.events =404; }
	}
}
`

// program finds a program of the system, or skips the test.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	for _, dir := range []string{"/usr/sbin", "/sbin"} { // daemons are not in everybody's PATH
		if err != nil {
			path, err = exec.LookPath(filepath.Join(dir, name))
		}
	}
	if err != nil {
		t.Skip(name + " is not installed")
	}
	return path
}

// startNginx serves what www holds and returns the URL.
func startNginx(t *testing.T, www map[string][]byte) string {
	t.Helper()
	binary, dir := program(t, "nginx"), t.TempDir()
	for name, content := range www {
		file := filepath.Join(dir, "www", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	port := freePort(t)
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxConf, dir, port), 0o644); err != nil {
		t.Fatal(err)
	}
	said := new(bytes.Buffer)
	cmd := exec.Command(binary, "-p", dir, "-c", conf, "-e", "stderr")
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill() //nolint:errcheck // it may have ended
		cmd.Wait()         //nolint:errcheck // killed
		if t.Failed() {
			t.Logf("nginx: %s", said)
		}
	})
	address := fmt.Sprintf("127.0.0.1:%d", port)
	awaitPort(t, address)
	return "http://" + address
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// awaitPort polls until the address accepts.
func awaitPort(t *testing.T, address string) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s does not accept: %v", address, err)
		}
	}
}

// curls are the calls, as arguments for curl; the URL is added.
var curls = []struct {
	why, path string
	args      []string
}{
	{"plain JSON", "/students.json", nil},
	{"packed JSON stays packed", "/students.json", []string{"-H", "Accept-Encoding: gzip"}},
	{"HEAD has a length and no body", "/students.json", []string{"--head"}},
	{"a redirect is followed, both are recorded", "/old/students", []string{"-L"}},
	{"an absolute redirect, which curl shows", "/elsewhere", nil},
	{"nothing there", "/nobody/H00000117", nil},
	{"a query with escapes stays as sent", "/students.json?name=Ad%61+Quill&x=%2F&empty=", nil},
	{"CSV with its line ends", "/registrations.csv", nil},
	{"an empty answer", "/empty.json", nil},
	{"bytes that are no text", "/photo.bin", nil},
	{"a part of a file", "/photo.bin", []string{"-r", "100-299"}},
	{"a large file", "/term.bin", nil},
	{"events in chunks, packed on the way", "/feed", []string{"-H", "Accept-Encoding: gzip"}},
	{"a form", "/echo?q=1", []string{"--data-urlencode", "name=Ada Quill", "--data", "plan=3.50"}},
	{"a body of JSON", "/echo", []string{"-X", "PUT", "-H", "Content-Type: application/json", "--data-binary", `{"id":"H00000117","credits":14.50}`}},
	{"a method that is refused", "/students.json", []string{"-X", "DELETE"}},
	{"a conditional request", "/students.json", []string{"-H", "If-Modified-Since: Tue, 01 Sep 2037 08:00:00 GMT"}},
	{"the old protocol", "/students.json", []string{"--http1.0"}},
}

// curl makes the i-th call and returns what curl saw: status lines, fields and bytes.
func curl(t *testing.T, base string, i int) []byte {
	t.Helper()
	args := append([]string{"-q", "-sS", "-i", "--max-time", "20", "--noproxy", "*", "-H", fmt.Sprintf("%s: call-%02d", mock.SessionField, i)}, curls[i].args...)
	cmd := exec.Command(program(t, "curl"), append(args, base+curls[i].path)...)
	stderr := new(bytes.Buffer)
	cmd.Stderr = stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s", curls[i].why, err, stderr)
	}
	return out
}

func TestCallsToNginxAreReplayedByteForByte(t *testing.T) {
	events := strings.Repeat("event: enrolled\ndata: {\"id\":\"H00000117\"}\n\n", 200)
	upstream := startNginx(t, map[string][]byte{
		"students.json":     []byte(`{"students":[{"id":"H00000117","name":"Ada Quill","credits":14.50,"pidm":9007199254740993}]}` + "\n"),
		"registrations.csv": []byte("\xef\xbb\xbfCRN,ID\r\n00892,H00000117\r\n\r\n"),
		"empty.json":        nil,
		"photo.bin":         bytes.Repeat([]byte{0, 1, 2, 0xff, '\r', '\n'}, 100),
		"term.bin":          noise(3<<20 + 17),
		"feed.events":       []byte(events),
	})
	tapped := harnesstest.Record(t, upstream, &httptap.Tap{From: "curl", To: "sis"})
	was := make([][]byte, len(curls))
	for i := range curls {
		was[i] = curl(t, tapped.URL, i)
	}
	seen := tapped.Recording()
	if c := seen.Manifest().Counts; !c.Complete() || c.Recorded != len(curls)+1 {
		t.Fatalf("recorded %+v, want %d exchanges", c, len(curls)+1)
	}
	checkUnpacked(t, seen, events)
	rec := stored(t, seen, scrubber(t, keepEverything(t)))

	m, err := mock.New(rec, mock.Options{Headers: []string{"Accept-Encoding", "Range", "If-Modified-Since"}})
	if err != nil {
		t.Fatal(err)
	}
	server, err := m.Listen("")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	again := harnesstest.Record(t, server.URL, &httptap.Tap{From: "curl", To: "sis"})
	for i := range curls {
		is := curl(t, again.URL, i)
		wasLines, wasBody := ends(was[i])
		isLines, isBody := ends(is)
		if diff := cmp.Diff(wasLines, isLines); diff != "" {
			t.Errorf("%s: curl sees another head: %s", curls[i].why, diff)
		}
		if wasBody != isBody {
			t.Errorf("%s: curl sees another body: %d bytes, want %d", curls[i].why, len(isBody), len(wasBody))
		}
	}
	answeredAll(t, m, len(curls)+1)
	harnesstest.Same(t, rec, again.Recording())
}

// ends is what curl saw: the lines of the heads in no order, because a server chooses it, and the bytes behind the last.
func ends(out []byte) (lines []string, body string) {
	for n := 0; bytes.HasPrefix(out, []byte("HTTP/")); n++ {
		head, rest, _ := bytes.Cut(out, []byte("\r\n\r\n"))
		for line := range strings.SplitSeq(string(head), "\r\n") {
			lines = append(lines, fmt.Sprintf("%d: %s", n, line))
		}
		out = rest
	}
	slices.Sort(lines)
	return lines, string(out)
}

// noise is n bytes that do not compress, the same each time.
func noise(n int) []byte {
	b, x := make([]byte, n), uint32(1)
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = byte(x)
	}
	return b
}

// checkUnpacked makes sure that the feed was packed on the wire and is what nginx had.
func checkUnpacked(t *testing.T, rec harness.Recording, want string) {
	t.Helper()
	for _, x := range collect(t, rec) {
		if x.Request.Head.Get(harness.FieldPath) != "/feed" {
			continue
		}
		b, err := x.Response.Body.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		r, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			t.Fatalf("the feed is not packed: %v", err)
		}
		plain, err := io.ReadAll(r)
		if err != nil || string(plain) != want {
			t.Errorf("the feed has %d bytes, want %d (%v)", len(plain), len(want), err)
		}
		return
	}
	t.Error("the feed was not recorded")
}
