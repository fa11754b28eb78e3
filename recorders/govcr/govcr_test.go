package govcr_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/govcr"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/recordtest"
)

const versionTwo = `---
version: 2
interactions:
    - id: 0
      request:
        proto: HTTP/1.1
        content_length: 12
        host: crm.example
        body: grant=secret
        form:
            grant:
                - secret
        headers:
            X-Zeta:
                - "1"
            Content-Type:
                - application/x-www-form-urlencoded
        url: https://crm.example/token?a=1#part
        method: POST
      response:
        proto: HTTP/2.0
        uncompressed: false
        body: !!binary H4sIAAAA/w==
        headers:
            Content-Encoding:
                - gzip
            Date:
                - Mon, 02 Mar 2026 06:30:01 GMT
        status: 200 OK
        code: 200
        duration: 250ms
    - id: 1
      request:
        body: ""
        form: {}
        headers: {}
        url: https://crm.example
        method: ""
      response:
        body: |
            line one
            0012
        headers:
            Content-Length: ["3"]
            Content-Encoding: [gzip]
            X-Twice: [a, "b"]
        status: 404 Not Found
        duration: 5000000
`

func write(t *testing.T, name, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func record(t *testing.T, im *archive.Importer) ([]harness.Exchange, string) {
	t.Helper()
	xs, notes, _ := recordtest.Imported(t, im)
	return xs, strings.Join(notes, "\n")
}

func TestVersionTwo(t *testing.T) {
	xs, notes := record(t, &archive.Importer{Format: govcr.Format, Path: write(t, "token.yaml", versionTwo)})
	if len(xs) != 2 {
		t.Fatalf("have %d exchanges", len(xs))
	}
	first, second := xs[0], xs[1]
	wantHead := harness.Head{
		{Name: ":method", Value: "POST"}, {Name: ":path", Value: "/token?a=1"}, {Name: ":proto", Value: "HTTP/1.1"}, {Name: "Host", Value: "crm.example"},
		{Name: "X-Zeta", Value: "1"}, {Name: "Content-Type", Value: "application/x-www-form-urlencoded"},
	}
	if diff := cmp.Diff(wantHead, first.Request.Head); diff != "" {
		t.Error(diff)
	}
	if have := recordtest.Body(t, first.Response); have != "\x1f\x8b\x08\x00\x00\x00\xff" || !first.Response.Head.Has("Content-Encoding") {
		t.Errorf("packed body %q, head %v", have, first.Response.Head)
	}
	if want := time.Date(2026, 3, 2, 6, 30, 0, 750e6, time.UTC); !first.At.Equal(want) || first.Took != 250*time.Millisecond || !second.At.Equal(want) || second.Took != 5*time.Millisecond {
		t.Errorf("times %v %v, %v %v", first.At, first.Took, second.At, second.Took)
	}
	wantHead = harness.Head{{Name: ":status", Value: "404"}, {Name: "Content-Length", Value: "14"}, {Name: "X-Twice", Value: "a"}, {Name: "X-Twice", Value: "b"}}
	if diff := cmp.Diff(wantHead, second.Response.Head); diff != "" || recordtest.Body(t, second.Response) != "line one\n0012\n" {
		t.Errorf("%s\nbody %q", diff, recordtest.Body(t, second.Response))
	}
	if first.Session != "token.yaml" || first.From != "client" || first.To != "crm.example" || second.Request.Head.Get(":path") != "/" || second.Request.Head.Get(":method") != "GET" {
		t.Errorf("have %+v", first)
	}
	for _, want := range []string{"1 messages: the body was stored unpacked", "1 exchanges: the file holds no time"} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes lack %q:\n%s", want, notes)
		}
	}
}

func TestScalarsKeepTheirText(t *testing.T) {
	for _, test := range []struct{ yaml, want, why string }{
		{`"a\n\u00e9\x00"`, "a\né\x00", "escapes of a double-quoted text"},
		{`'it''s # no comment'`, "it's # no comment", "single-quoted"},
		{"'folded\n        line\n\n        next'", "folded line\nnext", "folding in a quoted text"},
		{"\"folded\n        line \\\n        kept\"", "folded line kept", "escaped line break"},
		{`00417`, "00417", "leading zeros"},
		{`12345678901234567890`, "12345678901234567890", "more than 64 bits"},
		{`3.50`, "3.50", "trailing zero"},
		{`0x1F`, "0x1F", "spelling"},
		{`true`, "true", "boolean"},
		{`~`, "", "null"},
		{`!!str 12`, "12", "core tag"},
		{"|-\n        {\n          \"a\": 1\n        }", "{\n  \"a\": 1\n}", "literal without line end"},
		{"|+\n        a\n\n", "a\n\n\n", "literal that keeps its line ends"},
	} {
		source := "version: 1\ninteractions:\n- request:\n    url: http://sis.example/\n    method: POST\n    body: " + test.yaml + "\n  response: {code: 200}\n"
		xs, _ := record(t, &archive.Importer{Format: govcr.Format, Path: write(t, "x.yml", source)})
		if have := recordtest.Body(t, xs[0].Request); have != test.want {
			t.Errorf("%s: body %q, want %q", test.why, have, test.want)
		}
	}
}

func TestFormBecomesBody(t *testing.T) {
	source := "version: 1\ninteractions:\n- request:\n    url: http://sis.example/t\n    method: POST\n    form: {b: ['2', 'x y'], a: ['1']}\n  response: {code: 200}\n"
	xs, notes := record(t, &archive.Importer{Format: govcr.Format, Path: write(t, "x.yml", source), From: "hubline", To: "sis"})
	if have := recordtest.Body(t, xs[0].Request); have != "a=1&b=2&b=x+y" || !strings.Contains(notes, "rebuilt from the form") || xs[0].To != "sis" {
		t.Errorf("body %q, notes %q, to %q", have, notes, xs[0].To)
	}
}

// A text may be a bare deflate stream by chance; it is text all the same.
func TestTextIsNotPacked(t *testing.T) {
	source := "version: 1\ninteractions:\n- request: {url: 'http://sis.example/'}\n  response:\n    code: 200\n    headers: {Content-Encoding: [deflate]}\n    body: \"{rB'0(l2`+;+\"\n"
	xs, notes := record(t, &archive.Importer{Format: govcr.Format, Path: write(t, "x.yml", source)})
	if xs[0].Response.Head.Has("Content-Encoding") || !strings.Contains(notes, "stored unpacked") {
		t.Errorf("head %v, notes %q", xs[0].Response.Head, notes)
	}
}

func TestMalformedFilesNameTheLine(t *testing.T) {
	interaction := func(s string) string { return "version: 1\ninteractions:\n" + s }
	for _, test := range []struct{ content, want, why string }{
		{``, "bad.yaml:1: 0 documents", "empty"},
		{"- a\n", "bad.yaml:1: want a map, have a list", "list"},
		{"a: 1\n", "want version 1 or 2", "another YAML file"},
		{"version: 3\ninteractions: []\n", `version is "3"`, "unknown version"},
		{"version: 1\ninteractions:\n  a: b\n", "bad.yaml:3: interactions: want a list", "mapping"},
		{interaction("- request: {url: 'http://a.example/'}\n"), "interaction 0: want a request and a response", "half"},
		{interaction("- request: {url: 'a'}\n  response: {code: 200}\n"), "bad.yaml:3: interaction 0: request URL", "relative"},
		{interaction("- request: {url: 'http://a.example/'}\n  response:\n    code: x\n"), "bad.yaml:5: interaction 0: response status", "status"},
		{interaction("- request: {url: 'http://a.example/'}\n  response: {code: 200, duration: soon}\n"), "response duration", "duration"},
		{interaction("- request:\n    url: 'http://a.example/'\n    headers:\n      \"A\\nB\": [c]\n  response: {code: 200}\n"), "is not a name", "smuggled"},
		{interaction("- request:\n    body: !!binary '***'\n"), "bad.yaml:4: decode !!binary", "not base64"},
		{interaction("- request:\n    body: !ruby/object a\n"), "is not plain data", "tag of a program"},
		{"a: &a [*a]\n", "bad.yaml:1: alias", "value that holds itself"},
		{"version: 1\nversion: 1\n", "bad.yaml:2:", "duplicate key"},
		{"version: 1\ninteractions: [\n", "bad.yaml:", "cut"},
		{"a: " + strings.Repeat("[", 5000), "levels", "deep flow"},
		{strings.Repeat("- ", 5000), "indented", "deep block"},
		{"version: 1\na: \xff\n", "bad.yaml:2: byte 14 is not UTF-8", "not UTF-8"},
	} {
		mem := harness.NewMemory(harness.Manifest{})
		err := (&archive.Importer{Format: govcr.Format, Path: write(t, "bad.yaml", test.content)}).Record(t.Context(), mem)
		if err == nil || !strings.Contains(err.Error(), test.want) || harness.HintOf(err) == "" {
			t.Errorf("%s: error %v, want %q", test.why, err, test.want)
		}
	}
}

func TestRealFiles(t *testing.T) {
	root := os.Getenv("REHEARSE_REAL_DATA")
	if root == "" {
		t.Skip("REHEARSE_REAL_DATA is not set")
	}
	dir := filepath.Join(root, "traffic", "linodego")
	xs, notes := record(t, &archive.Importer{Format: govcr.Format, Path: dir})
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) != 111 || len(xs) != 486 {
		t.Fatalf("%d files, %d exchanges, want 111 and 486 (%v)", len(files), len(xs), err)
	}
	next := 0
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var plain struct{ Interactions []map[string]map[string]any }
		if err := yaml.Unmarshal(source, &plain); err != nil {
			t.Fatal(err)
		}
		for _, want := range plain.Interactions {
			x := xs[next]
			next++
			if x.Session != filepath.Base(file) {
				t.Errorf("%s: session %q of %s", x.ID, x.Session, file)
			}
			if have := recordtest.Body(t, x.Request); have != want["request"]["body"] {
				t.Errorf("%s: the body of the request differs", x.ID)
			}
			if have := recordtest.Body(t, x.Response); have != want["response"]["body"] {
				t.Errorf("%s: the body of the answer differs", x.ID)
			}
			// What the server counted is a witness that does not depend on any reader of YAML.
			if n, err := strconv.Atoi(x.Response.Head.Get("Content-Length")); err == nil && n != int(x.Response.Body.Size()) {
				t.Errorf("%s: content-length %d, body %d", x.ID, n, x.Response.Body.Size())
			}
			if x.Response.Media == "application/json" && x.Response.Body.Size() > 0 && !json.Valid([]byte(recordtest.Body(t, x.Response))) {
				t.Errorf("%s: the answer is not JSON", x.ID)
			}
		}
	}
	t.Log(notes)
}

func FuzzFile(f *testing.F) {
	f.Add([]byte(versionTwo))
	f.Add([]byte("version: 1\ninteractions:\n- request: {url: 'http://a.example', body: !!binary aGk=}\n  response: {code: 200}\n"))
	f.Add([]byte("? a\n: *b\n<<: {x: |2-\n"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, source []byte) {
		file := filepath.Join(dir, "x.yaml")
		if err := os.WriteFile(file, source, 0o600); err != nil {
			t.Fatal(err)
		}
		mem := harness.NewMemory(harness.Manifest{})
		if err := (&archive.Importer{Format: govcr.Format, Path: file}).Record(t.Context(), mem); err != nil {
			return
		}
		for x := range mem.Exchanges() {
			if x.Status() < 100 || x.Request.Head.Get(":path") == "" {
				t.Errorf("exchange without place or status: %+v", x)
			}
		}
	})
}
