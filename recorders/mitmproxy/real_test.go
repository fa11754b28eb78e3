package mitmproxy_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
	"github.com/rehearse-dev/rehearse/recorders/har"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/recordtest"
	"github.com/rehearse-dev/rehearse/recorders/mitmproxy"
)

func realData(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("REHEARSE_REAL_DATA")
	if root == "" {
		t.Skip("REHEARSE_REAL_DATA is not set")
	}
	return filepath.Join(root, "traffic", "mitmproxy-har", name)
}

func TestRealDumps(t *testing.T) {
	for _, tt := range []struct {
		file            string
		calls, messages int
		whole           int
		note            string
	}{
		{"dumpfile-19.mitm", 1, 0, 1, ""},
		{"dumpfile-7.mitm", 2, 0, 2, ""},
		{"dumpfile-7-websocket.mitm", 3, 6, 9, "6 messages of web sockets"},
		{"flows/corrupted_gzip_body.mitm", 1, 0, 1, ""},
		{"flows/diff_data.mitm", 5, 0, 5, "2 flows: of tcp are no calls"},
		{"flows/error_log.mitm", 2, 0, 1, "1 exchanges: the dump holds no whole answer"},
		{"flows/event_stream.mitm", 2, 0, 0, "body was passed on as a stream"},
		{"flows/incomplete_log.mitm", 4, 0, 0, "4 exchanges: the dump holds no whole answer"},
		{"flows/successful_log.mitm", 2, 0, 2, ""},
		{"flows/websocket.mitm", 3, 5, 8, "5 messages of web sockets"},
	} {
		xs, notes, _ := recordtest.Import(t, mitmproxy.Format, realData(t, tt.file))
		calls, whole := 0, 0
		for _, x := range xs {
			if x.Channel == harness.ChannelHTTP {
				calls++
			}
			if x.Fault == nil {
				whole++
			}
		}
		all := strings.Join(notes, "\n")
		if calls != tt.calls || len(xs)-calls != tt.messages || whole != tt.whole || !strings.Contains(all, tt.note) || tt.note == "" && all != "" {
			t.Errorf("%s: %d calls, %d messages, %d whole, notes:\n%s", tt.file, calls, len(xs)-calls, whole, all)
		}
	}
}

// callsOf leaves the messages of web sockets out.
func callsOf(all []harness.Exchange) []harness.Exchange {
	return slices.DeleteFunc(all, func(x harness.Exchange) bool { return x.Channel != harness.ChannelHTTP })
}

// TestRealDumpsAgreeWithTheArchivesThatMitmproxyWroteOfThem uses mitmproxy's own export of the same flows as an oracle.
func TestRealDumpsAgreeWithTheArchivesThatMitmproxyWroteOfThem(t *testing.T) {
	for _, name := range []string{"corrupted_gzip_body", "diff_data", "successful_log", "websocket"} {
		dump, _, _ := recordtest.Import(t, mitmproxy.Format, realData(t, "flows/"+name+".mitm"))
		mem := harness.NewMemory(harness.Manifest{})
		if err := (&archive.Importer{Format: har.Format, Path: realData(t, "flows/"+name+".har")}).Record(t.Context(), mem); err != nil {
			t.Fatal(err)
		}
		archived, _ := harness.Collect(mem)
		calls, exported := callsOf(dump), callsOf(archived)
		if len(calls) != len(exported) {
			t.Errorf("%s: %d calls in the dump, %d in the archive", name, len(calls), len(exported))
			continue
		}
		for i, x := range calls {
			y := exported[i]
			if x.Title() != y.Title() || x.Status() != y.Status() || x.To != y.To || !sameText(t, x.Response, y.Response) || !sameText(t, x.Request, y.Request) {
				t.Errorf("%s flow %d: %s %d to %s with %d bytes; the archive has %s %d to %s with %d", name, i,
					x.Title(), x.Status(), x.To, x.Response.Body.Size(), y.Title(), y.Status(), y.To, y.Response.Body.Size())
			}
			for _, f := range y.Request.Head {
				if !f.IsPseudo() && f.Name != "Host" && !strings.EqualFold(f.Name, "content-length") && x.Request.Head.Get(f.Name) != f.Value && len(x.Request.Head.Values(f.Name)) == 1 {
					t.Errorf("%s flow %d: %s differs", name, i, f.Name)
				}
			}
		}
	}
}

// sameText compares the bodies as far as that archive holds them: bytes that are no text became characters in it.
func sameText(t *testing.T, dump, exported harness.Message) bool {
	t.Helper()
	b := plain(t, dump)
	return !utf8.Valid(b) || bytes.Equal(b, plain(t, exported))
}

// plain is the body without content encoding, or as it is when it is damaged.
func plain(t *testing.T, m harness.Message) []byte {
	t.Helper()
	b, err := m.Body.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if unpacked, err := payload.Unpack(m.Head.Get("Content-Encoding"), b); err == nil {
		return unpacked
	}
	return b
}
