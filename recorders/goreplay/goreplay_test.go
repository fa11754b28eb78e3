package goreplay_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/goreplay"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/recordtest"
)

const separator = "\n🐵🙈🙉\n"

// rec is one record; at and took are nanoseconds behind a moment of 2026.
func rec(kind int, id string, at, took int64, message string) string {
	return fmt.Sprintf("%d %s %d %d\n%s%s", kind, id, 1785000000e9+at, took, message, separator)
}

const (
	get  = "GET /applicants/417?term=2026 HTTP/1.1\r\nhOST: sis.example:8080\r\nX-A: 1\r\nx-a: 2\r\n\r\n"
	post = "POST /applicants HTTP/1.1\r\nHost: sis.example\r\nContent-Length: 7\r\n\r\nCRN,ID\n"
	ok   = "HTTP/1.1 200 OK\r\nContent-Type: Text/CSV; charset=x\r\nContent-Length: 3\r\n\r\nabc"
)

func write(t testing.TB, name, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// line says what matters of an exchange.
func line(t *testing.T, x harness.Exchange) string {
	fault := "whole"
	if x.Fault != nil {
		fault = x.Fault.Kind
	}
	return fmt.Sprintf("%s %q → %d %q %v %s", x.Title(), recordtest.Body(t, x.Request), x.Status(), recordtest.Body(t, x.Response), x.Took, fault)
}

func TestRecordsBecomeExchange(t *testing.T) {
	xs, notes, _ := recordtest.Import(t, goreplay.Format, write(t, "sis.gor", rec(1, "8e09", 0, 5e6, get)+rec(2, "8e09", 20e6, 3e6, ok)))
	if len(xs) != 1 || len(notes) != 0 {
		t.Fatalf("have %d exchanges, notes %q", len(xs), notes)
	}
	x := xs[0]
	if got := line(t, x); got != `GET /applicants/417?term=2026 "" → 200 "abc" 23ms whole` {
		t.Error(got)
	}
	x.Request.Body, x.Response.Body = harness.Body{}, harness.Body{}
	want := harness.Exchange{
		ID: "000001", Session: "sis.gor", Channel: harness.ChannelHTTP, From: "client", To: "sis.example", At: time.Unix(1785000000, 0).UTC(), Took: 23 * time.Millisecond,
		Request: harness.Message{Head: harness.Head{
			{Name: ":method", Value: "GET"}, {Name: ":path", Value: "/applicants/417?term=2026"}, {Name: ":proto", Value: "HTTP/1.1"},
			{Name: "hOST", Value: "sis.example:8080"}, {Name: "X-A", Value: "1"}, {Name: "x-a", Value: "2"},
		}},
		Response: harness.Message{Media: "text/csv", Head: harness.Head{
			{Name: ":status", Value: "200"}, {Name: ":proto", Value: "HTTP/1.1"}, {Name: "Content-Type", Value: "Text/CSV; charset=x"}, {Name: "Content-Length", Value: "3"},
		}},
	}
	if diff := cmp.Diff(want, x, cmp.AllowUnexported(harness.Body{})); diff != "" {
		t.Error(diff)
	}
}

func TestFilesAsTheyOccur(t *testing.T) {
	const whole = `GET /applicants/417?term=2026 "" → 200 "abc" 0s whole`
	for _, tt := range []struct {
		why, content string
		want         []string
		notes        string
		dropped      int
	}{
		{"the last record lacks its separator", rec(1, "a", 0, 0, get) + strings.TrimSuffix(rec(2, "a", 0, 0, ok), separator), []string{whole}, "", 0},
		{"headers of old versions have no latency", strings.Replace(rec(1, "a", 0, 0, get)+rec(2, "a", 0, 0, ok), " 0\n", "\n", 1), []string{whole}, "", 0},
		{"an unknown latency is -1", rec(1, "a", 0, -1, get) + rec(2, "a", 0, -1, ok), []string{whole}, "", 0},
		{"the answer stands first", rec(2, "a", 0, 0, ok) + rec(1, "a", 0, 0, get), []string{whole}, "", 0},
		{"one id twice", rec(1, "a", 0, 0, get) + rec(1, "a", 1, 0, post) + rec(2, "a", 2, 0, ok) + rec(2, "a", 3, 0, strings.Replace(ok, "200", "201", 1)),
			[]string{`GET /applicants/417?term=2026 "" → 200 "abc" 2ns whole`, `POST /applicants "CRN,ID\n" → 201 "abc" 2ns whole`}, "1 requests: have the id of another one", 0},
		{"no answer", rec(1, "a", 0, 0, get), []string{`GET /applicants/417?term=2026 "" → 0 "" 0s reset`}, "1 exchanges: the file holds no answer", 0},
		{"no request", rec(2, "a", 0, 0, ok), nil, "1 answers: the file does not hold the request", 1},
		{"replayed beside the original", rec(1, "a", 0, 0, get) + rec(2, "a", 0, 0, ok) + rec(3, "a", 0, 0, strings.Replace(ok, "200", "500", 1)), []string{whole}, "1 answers: of the system to which the request was sent again; they were left out", 0},
		{"replayed without the original", rec(1, "a", 0, 0, get) + rec(3, "a", 0, 0, ok), []string{whole}, "1 answers: of the system to which the request was sent again; they were taken", 0},
		{"a body that is cut", rec(1, "a", 0, 0, get) + rec(2, "a", 0, 0, strings.TrimSuffix(ok, "c")), []string{strings.NewReplacer("abc", "ab", "whole", "truncated").Replace(whole)}, "1 messages: the record ends before", 0},
		{"a head that is cut", rec(1, "a", 0, 0, get[:30]) + rec(1, "b", 0, 0, get) + rec(2, "b", 0, 0, ok), []string{whole}, "the record ends before", 1},
		{"a body that ends in line ends", rec(1, "a", 0, 0, get) + rec(2, "a", 0, 0, "HTTP/1.0 200 OK\r\n\r\nabc\n\n"), []string{strings.Replace(whole, "abc", `abc\n\n`, 1)}, "", 0},
		{"a body that holds the separator", rec(1, "a", 0, 0, get) + rec(2, "a", 0, 0, strings.Replace(strings.Replace(ok, "abc", "a"+separator+"c", 1), ": 3", ": 16", 1)),
			[]string{strings.Replace(whole, "abc", `a\n🐵🙈🙉\nc`, 1)}, "", 0},
		{"not HTTP", rec(1, "a", 0, 0, "\x00\x01\x02"), nil, "something else than one message", 1},
		{"to a proxy", rec(1, "a", 0, 0, strings.Replace(get, "/app", "http://sis.example:8080/app", 1)) + rec(2, "a", 0, 0, ok), []string{whole}, "1 requests: went to a proxy", 0},
		{"a line longer than any buffer", rec(1, "a", 0, 0, get) + rec(2, "a", 0, 0, "HTTP/1.0 200 OK\r\n\r\n"+strings.Repeat("x", 200_000)), []string{strings.Replace(whole, "abc", strings.Repeat("x", 200_000), 1)}, "", 0},
	} {
		xs, notes, counts := recordtest.Import(t, goreplay.Format, write(t, "sis.gor", tt.content))
		var got []string
		for _, x := range xs {
			got = append(got, line(t, x))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.why, diff)
		}
		all := strings.Join(notes, "\n")
		if !strings.Contains(all, tt.notes) || tt.notes == "" && all != "" || counts.Dropped != tt.dropped {
			t.Errorf("%s: %d dropped, notes %q", tt.why, counts.Dropped, all)
		}
	}
}

func TestCompressedFileIsReadAsWell(t *testing.T) {
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	fmt.Fprint(zip, rec(1, "a", 0, 0, get)+rec(2, "a", 0, 0, ok))
	zip.Close()
	if !goreplay.Format.Knows(packed.Bytes()) || goreplay.Format.Knows(packed.Bytes()[:4]) {
		t.Error("the format is not known by its content")
	}
	dir := filepath.Dir(write(t, "a.gor.gz", packed.String()))
	if err := os.WriteFile(filepath.Join(dir, "other.gz"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if xs, notes, _ := recordtest.Import(t, goreplay.Format, dir); len(xs) != 1 || len(notes) != 0 || xs[0].Session != "a.gor.gz" {
		t.Errorf("have %v, notes %q", xs, notes)
	}
	im := &archive.Importer{Format: goreplay.Format, Path: write(t, "a.gor.gz", packed.String()[:packed.Len()-20])}
	if err := im.Record(t.Context(), harness.NewMemory(harness.Manifest{})); err == nil || !strings.Contains(err.Error(), "record") {
		t.Errorf("a cut archive: error %v", err)
	}
}

func TestBrokenFileIsNamedWithRecordAndOffset(t *testing.T) {
	first := rec(1, "a", 0, 0, get)
	im := &archive.Importer{Format: goreplay.Format, Path: write(t, "sis.gor", first+"2 b noon 1\nHTTP/1.1 200 OK\r\n\r\n")}
	err := im.Record(t.Context(), harness.NewMemory(harness.Manifest{}))
	want := fmt.Sprintf(`import sis.gor: record 1 (from byte %d): "2 b noon 1\n" is not the first line of a record`, len(first))
	if err == nil || !strings.Contains(err.Error(), want) || harness.HintOf(err) == "" {
		t.Errorf("error %v, want %q", err, want)
	}
}

func TestFileCutAnywhereLosesNothingInSilence(t *testing.T) {
	content := rec(1, "a", 0, 0, post) + rec(2, "a", 0, 0, ok)
	file := write(t, "sis.gor", "")
	for n := range content {
		if err := os.WriteFile(file, []byte(content[:n]), 0o600); err != nil {
			t.Fatal(err)
		}
		mem := harness.NewMemory(harness.Manifest{})
		err := (&archive.Importer{Format: goreplay.Format, Path: file}).Record(t.Context(), mem)
		counts := mem.Manifest().Counts
		lastByte := n == len(content)-1 || n >= len(content)-len(separator)
		if n > 0 && err == nil && counts.Complete() && !lastByte {
			t.Fatalf("cut at %d of %d: counts %+v", n, len(content), counts)
		}
	}
}

func FuzzHostileFile(f *testing.F) {
	f.Add([]byte(rec(1, "a", 0, 0, get) + rec(2, "a", 0, 0, ok) + rec(3, "a", 0, 0, ok)))
	f.Add([]byte(rec(1, "a", 0, 0, post)))
	file := write(f, "x.gor", "")
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		mem := harness.NewMemory(harness.Manifest{})
		err := (&archive.Importer{Format: goreplay.Format, Path: file}).Record(t.Context(), mem)
		counts := mem.Manifest().Counts
		if err == nil && len(content) > 0 && counts.Seen == 0 {
			t.Errorf("%q: nothing was seen", content)
		}
		if counts.Seen != counts.Recorded+counts.Incomplete+counts.Dropped {
			t.Errorf("counts %+v", counts)
		}
	})
}
