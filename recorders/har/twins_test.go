package har_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/har"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
)

// twin is what another tool read from the same archive.
type twin struct {
	Request struct {
		Method  string
		Host    string `json:"pretty_host"`
		Path    string
		Headers [][2]string
		Hash    string  `json:"contentHash"`
		Start   float64 `json:"timestamp_start"`
	}
	Response *struct {
		Status  int `json:"status_code"`
		Headers [][2]string
		Hash    string `json:"contentHash"`
	}
}

// Beside each archive of a browser lies what mitmproxy makes of it: an oracle that shares no code with this package.
func TestArchivesOfBrowsersAreReadAsAnotherToolReadsThem(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(realData(t, "mitmproxy-har"), "har_files", "*.har"))
	if err != nil || len(files) != 8 {
		t.Fatalf("%d archives, %v", len(files), err)
	}
	bodies := 0
	for _, file := range files {
		xs, _ := record(t, &archive.Importer{Format: har.Format, Path: file})
		b, err := os.ReadFile(strings.TrimSuffix(file, ".har") + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var twins []twin
		if err := json.Unmarshal(b, &twins); err != nil || len(twins) != len(xs) {
			t.Fatalf("%s: %d exchanges and %d twins, %v", file, len(xs), len(twins), err)
		}
		for _, x := range xs {
			tw := take(&twins, x)
			if tw == nil {
				t.Errorf("%s %s: no twin for %s %s at %v", filepath.Base(file), x.ID, x.Request.Head.Get(":method"), x.Request.Head.Get(":path"), x.At)
				continue
			}
			bodies += sameMessage(t, file, x.Request, tw.Request.Headers, tw.Request.Hash)
			if tw.Response != nil && x.Fault == nil {
				if x.Status() != tw.Response.Status {
					t.Errorf("%s %s: status %d, want %d", file, x.ID, x.Status(), tw.Response.Status)
				}
				bodies += sameMessage(t, file, x.Response, tw.Response.Headers, tw.Response.Hash)
			}
		}
	}
	if bodies < 25 {
		t.Errorf("only %d bodies could be compared", bodies)
	}
}

// take removes the twin of an exchange from the list.
func take(twins *[]twin, x harness.Exchange) *twin {
	for i, tw := range *twins {
		q := x.Request.Head
		if tw.Request.Method == q.Get(":method") && tw.Request.Path == q.Get(":path") && math.Abs(float64(x.At.UnixMicro())/1e6-tw.Request.Start) < 0.001 {
			*twins = append((*twins)[:i:i], (*twins)[i+1:]...)
			return &tw
		}
	}
	return nil
}

// sameMessage compares fields and body, and says how many bodies were compared: one that is packed here or there is not.
func sameMessage(t *testing.T, file string, m harness.Message, headers [][2]string, hash string) int {
	t.Helper()
	packed := m.Head.Has("Content-Encoding")
	for _, h := range headers {
		name := strings.ToLower(h[0])
		switch {
		case name == "content-encoding":
			packed = true
			continue
		case strings.HasPrefix(name, ":"), name == "content-length", name == "transfer-encoding", name == "set-cookie":
			continue
		}
		if !m.Head.Has(name) || !slices.Contains(m.Head.Values(name), h[1]) {
			t.Errorf("%s: field %s is %q, want %q", filepath.Base(file), h[0], m.Head.Values(name), h[1])
		}
	}
	if packed || m.Body.Size() == 0 {
		return 0
	}
	if have := m.Body.Digest(); have != "sha256:"+hash {
		t.Errorf("%s: body of %d bytes is %s, want %s", filepath.Base(file), m.Body.Size(), have, hash)
	}
	return 1
}
