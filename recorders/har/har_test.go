package har_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
	"github.com/rehearse-dev/rehearse/recorders/har"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/recordtest"
)

// one is an archive with one entry of Harrow Lake; the parts are JSON.
func one(request, response string) string {
	return `{"log":{"version":"1.2","creator":{"name":"test"},"entries":[{"startedDateTime":"2026-03-02T06:30:00.250Z","time":12.5,
"request":` + request + `,"response":` + response + `}]}}`
}

const (
	getApplicant = `{"method":"GET","url":"https://crm.example/applicants/417?term=2026","httpVersion":"http/2.0","headers":[{"name":":authority","value":"crm.example"},{"name":"X-Trace","value":17}]}`
	found        = `{"status":200,"httpVersion":"HTTP/1.1","headers":[{"name":"Content-Type","value":"application/json"}],"content":{"size":2,"mimeType":"application/json","text":"{}"}}`
)

func write(t *testing.T, name, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// record imports and returns the exchanges with the notes.
func record(t *testing.T, im *archive.Importer) ([]harness.Exchange, []string) {
	t.Helper()
	xs, notes, _ := recordtest.Imported(t, im)
	return xs, notes
}

func TestEntryBecomesExchange(t *testing.T) {
	xs, notes := record(t, &archive.Importer{Format: har.Format, Path: write(t, "applicants.har", "\ufeff"+one(getApplicant, found))})
	if len(xs) != 1 || len(notes) != 0 {
		t.Fatalf("have %d exchanges, notes %q", len(xs), notes)
	}
	x := xs[0]
	want := harness.Exchange{
		ID: "000001", Session: "applicants.har", Channel: harness.ChannelHTTP, From: "client", To: "crm.example",
		At: time.Date(2026, 3, 2, 6, 30, 0, 250e6, time.UTC), Took: 12500 * time.Microsecond,
		Request: harness.Message{Head: harness.Head{
			{Name: ":method", Value: "GET"}, {Name: ":path", Value: "/applicants/417?term=2026"}, {Name: ":proto", Value: "HTTP/2.0"},
			{Name: "Host", Value: "crm.example"}, {Name: "X-Trace", Value: "17"},
		}},
		Response: harness.Message{
			Head:  harness.Head{{Name: ":status", Value: "200"}, {Name: ":proto", Value: "HTTP/1.1"}, {Name: "Content-Type", Value: "application/json"}},
			Media: "application/json",
		},
	}
	if body := recordtest.Body(t, x.Response); body != "{}" {
		t.Errorf("body %q", body)
	}
	x.Request.Body, x.Response.Body = harness.Body{}, harness.Body{}
	if diff := cmp.Diff(want, x, cmp.AllowUnexported(harness.Body{})); diff != "" {
		t.Error(diff)
	}
}

func TestSystemsAndSessionCanBeNamed(t *testing.T) {
	xs, _ := record(t, &archive.Importer{Format: har.Format,
		Path: write(t, "a.har", one(getApplicant, found)), From: "hubline", To: "crm",
		Session: func(file string) string { return "of " + file },
	})
	if x := xs[0]; x.From != "hubline" || x.To != "crm" || x.Session != "of a.har" {
		t.Errorf("have %s → %s in session %q", x.From, x.To, x.Session)
	}
}

// packed is {"id":"H00000417"} in gzip.
func packed(t *testing.T) []byte {
	t.Helper()
	b, err := payload.Pack("gzip", []byte(`{"id":"H00000417"}`))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestResponseBodiesAreTruthful(t *testing.T) {
	gz := packed(t)
	b64 := base64.StdEncoding.EncodeToString
	gzipHead := `{"name":"content-encoding","value":"gzip"},{"name":"transfer-encoding","value":"chunked"}`
	for _, test := range []struct {
		name, why           string
		status              int
		headers, content    string
		body, encoding, len string
		note, fault         string
	}{
		{"plain", "text is UTF-8", 200, ``, `{"size":3,"text":"aé"}`, "aé", "", "", "", ""},
		{"base64", "valid and of the declared size", 200, ``, `{"size":3,"encoding":"base64","text":"AAEC"}`, "\x00\x01\x02", "", "", "", ""},
		{"base64 of unknown size", "the text has not the declared size either", 200, ``, `{"size":9,"encoding":"base64","text":"AAEC"}`, "\x00\x01\x02", "", "", "", ""},
		{"word marked as base64", "true is valid base64, and has the declared size as it stands", 200, ``, `{"size":4,"encoding":"base64","text":"true"}`, "true", "", "", "marked as base64", ""},
		{"JSON marked as base64", "one tool marks what was packed on the wire", 200, gzipHead, `{"size":20,"encoding":"base64","text":"{\"a\":1}"}`, `{"a":1}`, "", "7", "marked as base64", ""},
		{"stored unpacked", "head must not promise gzip", 200, gzipHead, `{"size":7,"text":"{\"a\":1}"}`, `{"a":1}`, "", "7", "stored unpacked", ""},
		{"stored packed", "the bytes of the wire are there", 200, gzipHead, fmt.Sprintf(`{"size":%d,"encoding":"base64","text":%q}`, len(gz), b64(gz)), string(gz), "gzip", "", "", ""},
		{"chunk list", "packed answers as a list of base64", 200, gzipHead, fmt.Sprintf(`{"size":1,"encoding":"base64","text":"[\"%s\",\"%s\"]"}`, b64(gz[:9]), b64(gz[9:])), string(gz), "gzip", "", "", ""},
		{"hexadecimal", "binary answers of early versions of a tool", 200, ``, `{"size":3,"_isBinary":true,"text":"0001ff"}`, "\x00\x01\xff", "", "", "", ""},
		{"hexadecimal chunks", "packed ones are a list of chunks", 200, gzipHead, fmt.Sprintf(`{"size":1,"_isBinary":true,"text":"[\"%x\",\"%x\"]"}`, gz[:9], gz[9:]), string(gz), "gzip", "", "", ""},
		{"marked as binary", "and base64, as later versions do", 200, ``, `{"size":3,"_isBinary":true,"encoding":"base64","text":"AAH/"}`, "\x00\x01\xff", "", "", "", ""},
		{"list that is no chunk list", "a JSON list of words", 200, gzipHead, `{"size":99,"encoding":"base64","text":"[\"AAEC\"]"}`, `["AAEC"]`, "", "8", "marked as base64", ""},
		{"damaged gzip", "damaged on the wire stays damaged", 200, gzipHead, fmt.Sprintf(`{"size":12,"encoding":"base64","text":%q}`, b64(gz[:12])), string(gz[:12]), "gzip", "", "", ""},
		{"text that inflates", "a text may be a bare deflate stream by chance", 200, `{"name":"content-encoding","value":"deflate"}`, `{"size":1,"text":"{rB'0(l2\u0060+;+"}`, "{rB'0(l2`+;+", "", "12", "stored unpacked", ""},
		{"wrong length", "content-length follows the stored body", 200, `{"name":"Content-Length","value":"90"}`, `{"size":1,"text":"x"}`, "x", "", "1", "content-length differed", ""},
		{"Latin-1 by length", "one byte for each character agrees with content-length", 200, `{"name":"Content-Length","value":4}`, `{"size":5,"text":"Zoë!"}`, "Zo\xeb!", "", "4", "Latin-1", ""},
		{"Latin-1 by charset", "the head says so", 200, `{"name":"Content-Type","value":"text/csv; charset=ISO-8859-1"}`, `{"size":3,"text":"Zoë"}`, "Zo\xeb", "", "", "Latin-1", ""},
		{"no text", "the archive was made without contents", 200, ``, `{"size":70}`, "", "", "", "does not hold the body", harness.FaultTruncated},
		{"empty", "an empty body is whole", 200, ``, `{"size":0}`, "", "", "", "", ""},
		{"cached", "304 has no body", 304, ``, `{"size":5,"text":"hello"}`, "", "", "", "came from a cache", ""},
		{"surrogate", "half a character cannot be written", 200, ``, `{"size":3,"text":"a\ud83d"}`, "a\ufffd", "", "", "surrogate", ""},
		{"pair", "a whole pair is a character", 200, ``, `{"size":4,"text":"\ud83d\ude00\\ud83d"}`, "😀\\ud83d", "", "", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			response := fmt.Sprintf(`{"status":%d,"headers":[%s],"content":%s}`, test.status, test.headers, test.content)
			xs, notes := record(t, &archive.Importer{Format: har.Format, Path: write(t, "x.har", one(getApplicant, response))})
			m := xs[0].Response
			if body := recordtest.Body(t, m); body != test.body {
				t.Errorf("%s: body %q, want %q", test.why, body, test.body)
			}
			if have := m.Head.Get("Content-Encoding"); have != test.encoding {
				t.Errorf("%s: content-encoding %q, want %q", test.why, have, test.encoding)
			}
			if have := m.Head.Get("Content-Length"); have != test.len {
				t.Errorf("%s: content-length %q, want %q", test.why, have, test.len)
			}
			if all := strings.Join(notes, "\n"); (test.note == "") != (all == "") || !strings.Contains(all, test.note) {
				t.Errorf("%s: notes %q, want %q", test.why, all, test.note)
			}
			if have := faultKind(xs[0]); have != test.fault {
				t.Errorf("%s: fault %q, want %q", test.why, have, test.fault)
			}
		})
	}
}

func faultKind(x harness.Exchange) string {
	if x.Fault == nil {
		return ""
	}
	return x.Fault.Kind
}

func TestRequestBodies(t *testing.T) {
	for _, test := range []struct{ name, why, headers, post, body, note string }{
		{"text", "as stored", ``, `{"mimeType":"application/json","text":"{ \"a\":1.0}"}`, `{ "a":1.0}`, ""},
		{"form", "parameters only", ``, `{"mimeType":"application/x-www-form-urlencoded","params":[{"name":"grant type","value":"a&b"},{"name":"x","value":""}]}`, "grant+type=a%26b&x=", "form was rebuilt"},
		{"text wins", "parameters are a view", ``, `{"mimeType":"application/x-www-form-urlencoded","text":"b=1","params":[{"name":"a","value":"1"}]}`, "b=1", ""},
		{"bytes as text", "one byte for each character agrees with content-length", `{"name":"content-length","value":3}`, `{"mimeType":"application/octet-stream","text":"\u0001ÿ\u0000"}`, "\x01\xff\x00", "Latin-1"},
		{"missing", "promised by content-length", `{"name":"content-length","value":3}`, `null`, "", "does not hold the body"},
		{"none", "no body", ``, `{"mimeType":"","text":""}`, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			request := fmt.Sprintf(`{"method":"POST","url":"http://sis.example:8080","headers":[{"name":"host","value":"sis"}%s],"postData":%s}`,
				strings.TrimSuffix(","+test.headers, ","), test.post)
			xs, notes := record(t, &archive.Importer{Format: har.Format, Path: write(t, "x.har", one(request, found))})
			if body := recordtest.Body(t, xs[0].Request); body != test.body {
				t.Errorf("%s: body %q, want %q", test.why, body, test.body)
			}
			if all := strings.Join(notes, "\n"); (test.note == "") != (all == "") || !strings.Contains(all, test.note) {
				t.Errorf("%s: notes %q, want %q", test.why, all, test.note)
			}
			if xs[0].To != "sis.example" || xs[0].Request.Head.Get(":path") != "/" {
				t.Errorf("to %q, path %q", xs[0].To, xs[0].Request.Head.Get(":path"))
			}
		})
	}
}

func TestFaultsAreNamed(t *testing.T) {
	for _, test := range []struct{ response, kind, why string }{
		{`{"status":0,"_error":"net::ERR_INTERNET_DISCONNECTED"}`, harness.FaultUnreachable, "no network"},
		{`{"status":0,"_error":"net::ERR_CONNECTION_RESET"}`, harness.FaultReset, "broke"},
		{`{"status":0,"_error":"net::ERR_TIMED_OUT"}`, harness.FaultTimeout, "late"},
		{`{}`, harness.FaultReset, "no answer at all"},
		{`{"status":200,"content":{"size":1,"text":"x"},"_error":"net::ERR_ABORTED"}`, harness.FaultClientGone, "ended early"},
	} {
		xs, _ := record(t, &archive.Importer{Format: har.Format, Path: write(t, "x.har", one(getApplicant, test.response))})
		if have := faultKind(xs[0]); have != test.kind {
			t.Errorf("%s: fault %q, want %q", test.why, have, test.kind)
		}
	}
}

func TestEntriesAreOrderedByStartWithinAFile(t *testing.T) {
	entry := func(at, path string) string {
		return fmt.Sprintf(`{"startedDateTime":%q,"request":{"method":"GET","url":"http://sis.example%s"},"response":%s}`, at, path, found)
	}
	source := `{"log":{"entries":[` + entry("2026-03-02T06:00:02Z", "/c") + "," + entry("2026-03-02T07:00:01+01:00", "/a") + "," +
		entry("2026-03-02T06:00:01Z", "/b") + `,{"startedDateTime":"2026-03-02T06:00:00Z","request":{"method":"GET","url":"data:text/plain,x"}}]}}`
	dir := t.TempDir()
	for _, name := range []string{"b.har", "a/z.HAR"} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755), os.WriteFile(filepath.Join(dir, name), []byte(source), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	xs, notes := record(t, &archive.Importer{Format: har.Format, Path: dir})
	var have []string
	for _, x := range xs {
		have = append(have, x.Session+x.Request.Head.Get(":path"))
	}
	if diff := cmp.Diff([]string{"a/z.HAR/a", "a/z.HAR/b", "a/z.HAR/c", "b.har/a", "b.har/b", "b.har/c"}, have); diff != "" {
		t.Error(diff)
	}
	if all := strings.Join(notes, "\n"); !strings.Contains(all, "2 entries: never crossed a network") {
		t.Errorf("notes %q", all)
	}
}

func TestMalformedArchivesNameThePlace(t *testing.T) {
	for _, test := range []struct{ content, want, why string }{
		{``, "byte 0", "empty"},
		{`[1]`, "byte 0: an archive is a JSON object", "not an object"},
		{`{"a":1}`, "no log", "another JSON file"},
		{`{"log":[2]}`, "log is not an object", "list"},
		{`{"log":{"entries":{}}}`, "log.entries is not a list", "object"},
		{`{"log":{}}`, "no log.entries", "nothing in it"},
		{one(getApplicant, found) + "x", "byte 491: something follows", "something behind the end"},
		{one(getApplicant, found)[:300], "entry 0: byte", "cut"},
		{one(`{"method":"GET"}`, found), "entry 0", "no URL"},
		{one(`{"method":"GET","url":"/relative"}`, found), "not absolute", "relative URL"},
		{one(`{"method":"","url":"http://a.example/"}`, found), "is not a method", "no method"},
		{one(`{"method":"GET","url":"http://a.example/","headers":[{"name":"a\r\nb","value":"c"}]}`, found), "is not a name", "smuggled field"},
		{one(`{"method":"GET","url":"http://a.example/","headers":[{"name":"a","value":"c\r\nd: e"}]}`, found), "control character", "smuggled value"},
		{one(getApplicant, `{"status":"abc"}`), "three digits", "status"},
		{strings.Replace(one(getApplicant, found), "2026-03-02T", "", 1), "is not a time", "time"},
		{strings.Replace(one(getApplicant, found), "{}", "\xff", 1), ": byte 482 is not UTF-8", "not UTF-8"},
		{`{"log":{"entries":[` + strings.Repeat("[", 20000), "nested deeper", "deep nesting"},
	} {
		im := &archive.Importer{Format: har.Format, Path: write(t, "bad.har", test.content)}
		mem := harness.NewMemory(harness.Manifest{})
		err := im.Record(t.Context(), mem)
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "bad.har") {
			t.Errorf("%s: error %v, want %q and the file", test.why, err, test.want)
		}
		if harness.HintOf(err) == "" || mem.Manifest().Counts.Seen != 0 {
			t.Errorf("%s: hint %q, %d exchanges were put", test.why, harness.HintOf(err), mem.Manifest().Counts.Seen)
		}
	}
}

func TestMissingAndEmptyFoldersAreErrors(t *testing.T) {
	for _, path := range []string{t.TempDir(), filepath.Join(t.TempDir(), "none.har")} {
		if err := (&archive.Importer{Format: har.Format, Path: path}).Record(t.Context(), harness.NewMemory(harness.Manifest{})); err == nil || harness.HintOf(err) == "" {
			t.Errorf("error %v without hint", err)
		}
	}
}

func TestRecordEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := (&archive.Importer{Format: har.Format, Path: write(t, "x.har", one(getApplicant, found))}).Record(ctx, harness.NewMemory(harness.Manifest{}))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func FuzzArchive(f *testing.F) {
	f.Add([]byte(one(getApplicant, found)))
	f.Add([]byte("\ufeff" + `{"log":{"entries":[{"_webSocketMessages":[1],"response":{"status":101}}]}}`))
	f.Add([]byte(one(`{"method":"POST","url":"ws://a.example?x","postData":{"params":[1,{"name":2}]}}`, `{"status":304,"content":{"encoding":"base64","text":"[\"H4sI\"]","size":1e9}}`)))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, source []byte) {
		file := filepath.Join(dir, "x.har")
		if err := os.WriteFile(file, source, 0o600); err != nil {
			t.Fatal(err)
		}
		mem := harness.NewMemory(harness.Manifest{})
		if err := (&archive.Importer{Format: har.Format, Path: file}).Record(t.Context(), mem); err != nil {
			return
		}
		for x := range mem.Exchanges() {
			if x.Request.Head.Get(":path") == "" || x.To == "" && x.Request.Head.Get("Host") == "" {
				t.Errorf("exchange without place: %+v", x.Request.Head)
			}
			if x.Response.IsZero() && x.Fault == nil {
				t.Error("exchange without answer and without fault")
			}
		}
	})
}
