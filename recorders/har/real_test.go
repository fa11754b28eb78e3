package har_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/har"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/recordtest"
)

func realData(t *testing.T, folder string) string {
	t.Helper()
	root := os.Getenv("REHEARSE_REAL_DATA")
	if root == "" {
		t.Skip("REHEARSE_REAL_DATA is not set")
	}
	return filepath.Join(root, "traffic", folder)
}

// member walks decoded JSON.
func member(v any, names ...string) any {
	for _, name := range names {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

// plainEntries decodes all entries below dir without the importer, in the order of file names.
func plainEntries(t *testing.T, dir string) []any {
	t.Helper()
	var entries []any
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(file) != ".har" {
			return err
		}
		b, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var v any
		if err := json.Unmarshal(b, &v); err != nil {
			return err
		}
		list, _ := member(v, "log", "entries").([]any)
		entries = append(entries, list...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// plainBody says what an answer's body must be: the text, or the bytes of a chunk list.
func plainBody(entry any) []byte {
	s, _ := member(entry, "response", "content", "text").(string)
	if inner, ok := strings.CutPrefix(s, `["`); ok && strings.HasPrefix(inner, "H4sI") {
		var joined []byte
		for chunk := range strings.SplitSeq(strings.TrimSuffix(inner, `"]`), `","`) {
			b, _ := base64.StdEncoding.DecodeString(chunk)
			joined = append(joined, b...)
		}
		return joined
	}
	return []byte(s)
}

func TestRealPollyArchives(t *testing.T) {
	dir := realData(t, "easypost-node-har")
	xs, notes := record(t, &archive.Importer{Format: har.Format, Path: dir})
	entries := plainEntries(t, dir)
	if len(xs) != 250 || len(entries) != 250 {
		t.Fatalf("have %d exchanges and %d entries, want 250", len(xs), len(entries))
	}
	sessions := map[string]bool{}
	for i, x := range xs {
		sessions[x.Session] = true
		if x.Fault != nil || x.Status() < 200 {
			t.Errorf("%s: fault %v, status %d", x.ID, x.Fault, x.Status())
		}
		if want := plainBody(entries[i]); !bytes.Equal([]byte(recordtest.Body(t, x.Response)), want) {
			t.Errorf("%s: the body of the answer differs: %d bytes, want %d", x.ID, x.Response.Body.Size(), len(want))
		}
		if want, _ := member(entries[i], "request", "postData", "text").(string); recordtest.Body(t, x.Request) != want {
			t.Errorf("%s: the body of the request differs", x.ID)
		}
		if gzipped := strings.HasPrefix(recordtest.Body(t, x.Response), "\x1f\x8b"); gzipped != x.Response.Head.Has("Content-Encoding") {
			t.Errorf("%s: packed is %v, and the head says otherwise", x.ID, gzipped)
		}
	}
	if len(sessions) != 137 {
		t.Errorf("have %d sessions, want one for each of 137 files", len(sessions))
	}
	all := strings.Join(notes, "\n")
	for _, want := range []string{"246 messages: the body was stored unpacked", "246 bodies: marked as base64"} {
		if !strings.Contains(all, want) {
			t.Errorf("notes lack %q:\n%s", want, all)
		}
	}
}

func TestRealBrowserArchives(t *testing.T) {
	dir := realData(t, "mitmproxy-har")
	for _, test := range []struct {
		file      string
		exchanges int
		whole     int
	}{
		{"flows/websocket.har", 8, 8}, {"flows/diff_data.har", 5, 5}, {"flows/incomplete_log.har", 4, 0},
		{"flows/successful_log.har", 2, 2}, {"flows/corrupted_gzip_body.har", 1, 1}, {"flows/error_log.har", 2, 1},
		{"flows/event_stream.har", 2, 2}, {"flows/compressed.zhar", 2, 2}, {"har_files/chrome.har", 3, 2}, {"har_files/safari.har", 19, 19},
		{"har_files/postdata.har", 1, 1}, {"har_files/head-content-length.har", 1, 1}, {"har_files/charles.har", 1, 1},
		{"har_files/firefox.har", 14, -1}, {"har_files/with-bom.har", 1, 1}, {"har_files/insomnia.har", 1, 1},
	} {
		xs, notes := record(t, &archive.Importer{Format: har.Format, Path: filepath.Join(dir, test.file)})
		whole := 0
		for _, x := range xs {
			if x.Fault == nil {
				whole++
			}
		}
		if len(xs) != test.exchanges || test.whole >= 0 && whole != test.whole {
			t.Errorf("%s: %d exchanges, %d of them whole, want %d and %d\n%s", test.file, len(xs), whole, test.exchanges, test.whole, strings.Join(notes, "\n"))
		}
	}
	for _, broken := range []string{"corrupted_har/brokenfile.har", "har_extractor.har"} {
		err := (&archive.Importer{Format: har.Format, Path: filepath.Join(dir, broken)}).Record(t.Context(), harness.NewMemory(harness.Manifest{}))
		if err == nil || harness.HintOf(err) == "" {
			t.Errorf("%s: error %v, want one with a hint", broken, err)
		}
	}
}
