package mock_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/mock"
	"github.com/rehearse-dev/rehearse/recorders"
)

// replay sends every recorded request over loopback and returns the IDs of the exchanges whose answer was not the
// recorded one, with the reason.
func replay(t *testing.T, m *mock.Mock, xs []harness.Exchange) map[string]string {
	t.Helper()
	base, c := listen(t, m), client(t)
	differ := map[string]string{}
	for _, x := range xs {
		if reason := replayOne(t, c, base, x); reason != "" {
			differ[x.ID] = reason
		}
	}
	return differ
}

func replayOne(t *testing.T, c *http.Client, base string, x harness.Exchange) string {
	t.Helper()
	sent, err := x.Request.Body.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest(x.Request.Head.Get(":method"), base+x.Request.Head.Get(":path"), bytes.NewReader(sent))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range x.Request.Head {
		if !f.IsPseudo() && !strings.EqualFold(f.Name, "Host") && !strings.EqualFold(f.Name, "Content-Length") {
			r.Header.Add(f.Name, f.Value)
		}
	}
	r.Header.Set(mock.SessionField, x.Session)
	resp, err := c.Do(r)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	want, err := x.Response.Body.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != x.Status() {
		return fmt.Sprintf("status %d, want %d: %.500s", resp.StatusCode, x.Status(), body)
	}
	if !bytes.Equal(body, want) {
		return fmt.Sprintf("body of %d bytes, want %d", len(body), len(want))
	}
	if resp.Close { // the client takes the field out of the head
		resp.Header.Set("Connection", "close")
	}
	return cmp.Diff(wantFields(x), resp.Header)
}

// wantFields are the recorded fields as a Go client sees them, without the framing.
func wantFields(x harness.Exchange) http.Header {
	fields := http.Header{}
	for _, f := range x.Response.Head {
		name := textproto.CanonicalMIMEHeaderKey(f.Name)
		switch {
		case f.IsPseudo(), name == "Transfer-Encoding":
		case name == "Content-Length" && x.Status() == http.StatusNoContent: // net/http leaves it out
		default:
			fields.Add(name, f.Value)
		}
	}
	return fields
}

func TestRealRecordingsAreAnsweredByteForByte(t *testing.T) {
	root := os.Getenv("REHEARSE_REAL_DATA")
	if root == "" {
		t.Skip("REHEARSE_REAL_DATA is not set")
	}
	for _, test := range []struct {
		format, folder string
		count          int
	}{
		{"govcr", "linodego", 486},
		{"har", "easypost-node-har", 250},
	} {
		t.Run(test.format, func(t *testing.T) {
			im, err := recorders.ImporterFor(test.format, "")
			if err != nil {
				t.Fatal(err)
			}
			rec := harness.NewMemory(harness.Manifest{})
			if err := im.Open(filepath.Join(root, "traffic", test.folder), "", "").Record(t.Context(), rec); err != nil {
				t.Fatal(err)
			}
			xs, err := harness.Collect(rec)
			if err != nil || len(xs) != test.count {
				t.Fatalf("%d exchanges, want %d (%v)", len(xs), test.count, err)
			}
			m := newMock(t, mock.Options{}, xs...)
			if differ := replay(t, m, xs); len(differ) != 0 {
				t.Errorf("%d answers differ: %v", len(differ), differ)
			}
			if diff := cmp.Diff(mock.Counts{Served: test.count}, m.Counts()); diff != "" || len(m.Unused()) != 0 {
				t.Errorf("%s\n%d unused", diff, len(m.Unused()))
			}

			changed, id := changeOne(t, xs)
			differ := replay(t, newMock(t, mock.Options{}, changed...), xs)
			if len(differ) != 1 || !strings.HasPrefix(differ[id], "body of") {
				t.Errorf("changed %s, and these differ: %v", id, differ)
			}
		})
	}
}

// realRecording imports a folder of real traffic.
func realRecording(t *testing.T, format, folder string) []harness.Exchange {
	t.Helper()
	root := os.Getenv("REHEARSE_REAL_DATA")
	if root == "" {
		t.Skip("REHEARSE_REAL_DATA is not set")
	}
	im, err := recorders.ImporterFor(format, "")
	if err != nil {
		t.Fatal(err)
	}
	rec := harness.NewMemory(harness.Manifest{})
	if err := im.Open(filepath.Join(root, "traffic", folder), "", "").Record(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	xs, err := harness.Collect(rec)
	if err != nil || len(xs) == 0 {
		t.Fatalf("%d exchanges (%v)", len(xs), err)
	}
	return xs
}

// Whatever a mock can do beside answering from the recording: the recorded calls get the recorded answers, and none is a miss.
func TestRealRecordingsAreAnsweredAsRecordedInEveryWay(t *testing.T) {
	for _, source := range []struct{ format, folder string }{{"govcr", "linodego"}, {"har", "easypost-node-har"}, {"vcr", "octokit-rb"}} {
		xs := realRecording(t, source.format, source.folder)
		for name, options := range map[string]mock.Options{
			"strict": {}, "echo": {Echo: true}, "synthetic": {Synthetic: true}, "lenient": {Match: mock.MatchLenient, Echo: true},
		} {
			t.Run(source.folder+" "+name, func(t *testing.T) {
				m := newMock(t, options, xs...)
				if differ := replay(t, m, xs); len(differ) != 0 {
					t.Errorf("%d answers differ: %v", len(differ), differ)
				}
				if c := m.Counts(); c.Missed != 0 || c.Synthetic != 0 {
					t.Errorf("counts %+v", c)
				}
				t.Logf("%d exchanges, %d hosts, %d rules, counts %+v", len(xs), len(m.Hosts()), len(m.Rules()), m.Counts())
			})
		}
	}
}

// What a real client created can be created again with other fields, and is read back.
func TestThingsOfRealVendorsAreCreatedAndRead(t *testing.T) {
	xs := realRecording(t, "govcr", "linodego")
	created, read := 0, 0
	m := newMock(t, mock.Options{Synthetic: true}, xs...)
	c := &http.Client{Transport: m.Transport()}
	for _, x := range xs {
		body, err := x.Request.Body.Bytes()
		if err != nil || x.Request.Head.Get(":method") != "POST" || x.Status() != 200 || !bytes.HasPrefix(body, []byte(`{`)) {
			continue
		}
		changed := bytes.Replace(body, []byte(`"label":"`), []byte(`"label":"another-`), 1)
		if bytes.Equal(changed, body) {
			continue
		}
		path := x.Request.Head.Get(":path")
		resp, text, err := ask(c, "https://api.linode.com", x.Session, "POST", path, string(changed), "Content-Type: application/json")
		if err != nil || resp.Header.Get(mock.SyntheticField) == "" {
			continue
		}
		created++
		var thing struct{ ID any }
		if err := json.Unmarshal([]byte(text), &thing); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		at := fmt.Sprintf("%s/%v", path, thing.ID)
		if f, ok := thing.ID.(float64); ok {
			at = fmt.Sprintf("%s/%.0f", path, f)
		}
		resp, again, err := ask(c, "https://api.linode.com", x.Session, "GET", at, "")
		if err == nil && resp.StatusCode == 200 && strings.Contains(again, "another-") {
			read++
		} else {
			t.Errorf("%s: %v %s (%v)", at, resp, again, err)
		}
	}
	if created < 5 || read != created {
		t.Errorf("%d created, %d read back", created, read)
	}
	t.Logf("%d created, %d read back", created, read)
}

// changeOne appends a digit to the first number of an answer in the middle of the recording.
func changeOne(t *testing.T, xs []harness.Exchange) ([]harness.Exchange, string) {
	t.Helper()
	changed := append([]harness.Exchange(nil), xs...)
	for i := len(xs) / 2; i < len(xs); i++ {
		body, err := xs[i].Response.Body.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if at := bytes.IndexAny(body, "123456789"); at >= 0 && body[0] == '{' {
			other := append(append(bytes.Clone(body[:at+1]), '7'), body[at+1:]...)
			changed[i].Response.Body = harness.BytesBody(other)
			return changed, xs[i].ID
		}
	}
	t.Fatal("no answer with a number")
	return nil, ""
}
