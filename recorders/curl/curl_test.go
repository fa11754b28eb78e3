package curl_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/curl"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
)

func record(t testing.TB, content string) (xs []harness.Exchange, notes []string, err error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "calls.sh")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	mem := harness.NewMemory(harness.Manifest{})
	im := &archive.Importer{Format: curl.Format, Path: file}
	err = im.Record(t.Context(), mem)
	for x := range mem.Exchanges() {
		xs = append(xs, x)
	}
	return xs, im.Notes(), err
}

// describe says what a request is, fields sorted as they stand.
func describe(x harness.Exchange) string {
	b, _ := x.Request.Body.Bytes()
	line := fmt.Sprintf("%s %q", x.Title(), b)
	for _, f := range x.Request.Head {
		if !f.IsPseudo() {
			line += fmt.Sprintf(" %s=%s", f.Name, f.Value)
		}
	}
	return line
}

// TestCommandsAreReadAsCurlAndBashReadThem runs every command for real, and holds what was read against what came.
func TestCommandsAreReadAsCurlAndBashReadThem(t *testing.T) {
	var mu sync.Mutex
	var came *http.Request
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		came = r.Clone(r.Context())
		body, _ = io.ReadAll(r.Body) //nolint:errcheck // the test sees what is missing
	}))
	defer server.Close()
	for _, command := range []string{
		`curl URL/a`, `curl 'URL/a?b=c&d' -H 'X-A: 1' -H "X-B: two words" -sS`, `curl -XPUT URL/a -d 'x=1' -d y=2`,
		`curl URL/a --data-raw $'{"name":"Zo\u00eb \'quoted\' \\ \x41\n"}' -H 'content-type: application/json'`,
		"curl \\\n  -H 'Accept: text/csv' \\\n  --request DELETE \\\n  URL/a", `curl -G URL/a?z=1 -d q=xy --data-urlencode 'n=a b&c/ü'`,
		`curl -u 'kim:se cret' URL/a`, `curl --json '{"a":1}' URL/a`, `curl -I URL/a`, `curl -b 'sid=17; t=2' -A 'agent 7' -e https://hub.example/ URL/a`,
		`curl "URL/a/\"q\"\$x" -H "X-Empty;" -H Accept:`, `curl --data-urlencode 'only text+' URL/a`, `curl -fsSL --max-time 9 -o /dev/null URL/a 2>/dev/null`,
		`curl -H'X-Joined: y' -dx=1 URL/a > /dev/null`, `curl --data-binary '  keeps
lines ' URL/a`, `curl -r 0-9 URL/a --compressed --url URL/a`,
	} {
		command := strings.ReplaceAll(command, "URL", server.URL)
		out, err := exec.CommandContext(t.Context(), "bash", "-c", command).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
		mu.Lock()
		came, body := came, body
		mu.Unlock()
		xs, _, err := record(t, "# a call\n"+command+"\n")
		if err != nil || len(xs) == 0 {
			t.Errorf("%s: %d exchanges, %v", command, len(xs), err)
			continue
		}
		x := xs[0]
		b, _ := x.Request.Body.Bytes()
		// versions of curl write hexadecimal digits in either case
		if !strings.EqualFold(x.Title(), came.Method+" "+came.RequestURI) || string(b) != string(body) {
			t.Errorf("%s: read %s %q, curl sent %s %s %q", command, x.Title(), b, came.Method, came.RequestURI, body)
		}
		have := http.Header{}
		for _, f := range x.Request.Head {
			if !f.IsPseudo() && f.Name != "Host" {
				have.Add(f.Name, f.Value)
			}
		}
		if strings.HasPrefix(came.Header.Get("User-Agent"), "curl/") {
			came.Header.Del("User-Agent")
		}
		if strings.Contains(command, "--compressed") { // what the build of curl can unpack
			came.Header.Set("Accept-Encoding", have.Get("Accept-Encoding"))
		}
		if diff := cmp.Diff(came.Header, have); diff != "" {
			t.Errorf("%s: fields (-sent +read):\n%s", command, diff)
		}
	}
}

func TestCommandsForWindows(t *testing.T) {
	for _, tt := range []struct{ why, content, want string }{
		{"as Chrome copies them", "curl ^\"https://lms.example/a?b=c^&d=^%^20^\" ^\r\n  -H ^\"accept: */*^\" ^\r\n  --data-raw ^\"^{^\\^\"a^\\^\":^\\^\"x^^y^\\^\"^}^\" &\r\ncurl ^\"https://lms.example/b^\"",
			`POST /a?b=c&d=%20 "{\"a\":\"x^y\"}" Host=lms.example accept=*/* Content-Length=11 Content-Type=application/x-www-form-urlencoded`},
		{"plain quotes", "curl.exe -H \"X-A: a^b\" ^\r\n \"https://lms.example/a\" --data \"{\\\"a\\\":1}\"\r\n",
			`POST /a "{\"a\":1}" Host=lms.example X-A=a^b Accept=*/* Content-Length=7 Content-Type=application/x-www-form-urlencoded`},
	} {
		xs, _, err := record(t, tt.content)
		if err != nil || len(xs) == 0 || describe(xs[0]) != tt.want {
			t.Errorf("%s: error %v, have %d", tt.why, err, len(xs))
			for _, x := range xs {
				t.Log(describe(x))
			}
		}
	}
}

func TestWhatACommandDoesNotHoldIsNoted(t *testing.T) {
	for _, tt := range []struct{ why, content, note string }{
		{"no answer", "curl https://lms.example/a", "1 exchanges: a command has no answer"},
		{"a file", "curl https://lms.example/a -d @body.json", "1 requests: the body lies in another file"},
		{"parts", "curl https://lms.example/a -F a=@x", "1 requests: the body lies in another file"},
		{"a variable", `curl "https://lms.example/$ID"`, "1 commands: hold variables"},
		{"another program", "cd /tmp && curl https://lms.example/a", "1 commands: are not curl"},
	} {
		xs, notes, err := record(t, tt.content)
		if err != nil || len(xs) != 1 || xs[0].Fault == nil || !strings.Contains(strings.Join(notes, "\n"), tt.note) {
			t.Errorf("%s: %d exchanges, error %v, notes %q", tt.why, len(xs), err, notes)
		}
	}
}

func TestBrokenCommandIsNamedWithItsLine(t *testing.T) {
	for _, tt := range []struct{ why, content, want string }{
		{"an open quote", "# x\n\ncurl 'https://lms.example/a\n", "calls.sh: line 3: the quote ' is not closed"},
		{"an open double quote", "curl \"x\n", `line 1: the quote " is not closed`},
		{"no URL", "curl -s\n", "line 1: the command names no URL"},
		{"no value", "curl https://lms.example/a -H", "line 1: option -H has no value"},
		{"an unknown letter", "curl -! https://lms.example/a", "line 1: option -! is not known"},
		{"no command", "hello\n", "line 1: no curl command"},
		{"a line break in a field", "curl https://lms.example/a -H $'A: b\\r\\nC: d'", "line 1: "},
	} {
		_, _, err := record(t, tt.content)
		if err == nil || !strings.Contains(err.Error(), tt.want) || harness.HintOf(err) == "" {
			t.Errorf("%s: error %v, want %q", tt.why, err, tt.want)
		}
	}
}

func TestFileIsKnownByItsFirstCommand(t *testing.T) {
	for content, want := range map[string]bool{
		"curl https://a": true, "#!/bin/sh\n# x\n\n  curl -s x": true, "$ curl x": true, "@echo off\r\ncurl.exe x": true, "curly x": false, "Use curl x": false, "{}": false,
	} {
		if have := curl.Format.Knows([]byte(content)); have != want {
			t.Errorf("%q is known: %v", content, have)
		}
	}
}
