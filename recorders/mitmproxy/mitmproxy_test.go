package mitmproxy_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/recordtest"
	"github.com/rehearse-dev/rehearse/recorders/mitmproxy"
)

// pairs is a dictionary in the order in which it is written.
type pairs []any

// netstring writes a value as mitmproxy does.
func netstring(v any) string {
	tagged := func(payload, tag string) string { return fmt.Sprintf("%d:%s%s", len(payload), payload, tag) }
	switch v := v.(type) {
	case nil:
		return "0:~"
	case []byte:
		return tagged(string(v), ",")
	case string:
		return tagged(v, ";")
	case bool:
		return tagged(fmt.Sprint(v), "!")
	case int:
		return tagged(fmt.Sprint(v), "#")
	case float64:
		return tagged(fmt.Sprintf("%f", v), "^")
	case []any:
		return tagged(joined(v), "]")
	case pairs:
		return tagged(joined(v), "}")
	}
	panic(fmt.Sprintf("%T", v))
}

func joined(vs []any) string {
	var b strings.Builder
	for _, v := range vs {
		b.WriteString(netstring(v))
	}
	return b.String()
}

func b(s string) []byte { return []byte(s) }

// flow is a whole call of Harrow Lake; the changes replace members of the flow.
func flow(changes ...any) pairs {
	p := pairs{
		"type", "http", "version", 21, "id", "f1", "error", nil, "websocket", nil,
		"client_conn", pairs{"id", "c1", "peername", []any{"127.0.0.1", 4000}},
		"request", pairs{
			"method", b("POST"), "scheme", b("https"), "host", "sis.example", "port", 8443, "authority", b(""), "path", b("/rosters?term=2026"), "http_version", b("HTTP/1.1"),
			"headers", []any{[]any{b("hOST"), b("sis.example:8443")}, []any{b("X-A"), b("1")}, []any{b("x-a"), b("\xff")}},
			"content", b("CRN,ID\n"), "trailers", nil, "timestamp_start", 1785000000.25, "timestamp_end", 1785000000.5,
		},
		"response", pairs{
			"http_version", b("HTTP/1.1"), "status_code", 201, "reason", b("Created"), "headers", []any{[]any{b("Content-Type"), b("Text/CSV; charset=x")}},
			"content", b("ok"), "trailers", []any{[]any{b("X-Sum"), b("9")}}, "timestamp_start", 1785000001.0, "timestamp_end", 1785000001.5,
		},
	}
	for i := 0; i < len(changes); i += 2 {
		p = set(p, changes[i].(string), changes[i+1])
	}
	return p
}

// set replaces a member; "request.path" is one of a member.
func set(p pairs, name string, v any) pairs {
	p = append(pairs(nil), p...)
	first, rest, nested := strings.Cut(name, ".")
	for i := 0; i < len(p); i += 2 {
		if p[i] == first {
			if nested {
				v = set(p[i+1].(pairs), rest, v)
			}
			p[i+1] = v
			return p
		}
	}
	return append(p, name, v)
}

func write(t testing.TB, flows ...pairs) string {
	t.Helper()
	var all strings.Builder
	for _, f := range flows {
		all.WriteString(netstring(f))
	}
	return writeBytes(t, []byte(all.String()))
}

func writeBytes(t testing.TB, content []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rosters.mitm")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestFlowBecomesExchange(t *testing.T) {
	xs, notes, _ := recordtest.Import(t, mitmproxy.Format, write(t, flow()))
	if len(xs) != 1 || len(notes) != 0 {
		t.Fatalf("have %d exchanges, notes %q", len(xs), notes)
	}
	x := xs[0]
	if a, b := recordtest.Body(t, x.Request), recordtest.Body(t, x.Response); a != "CRN,ID\n" || b != "ok" {
		t.Errorf("bodies %q and %q", a, b)
	}
	x.Request.Body, x.Response.Body = harness.Body{}, harness.Body{}
	want := harness.Exchange{
		ID: "000001", Session: "rosters.mitm/1", Channel: harness.ChannelHTTP, From: "client", To: "sis.example",
		At: time.Unix(1785000000, 250e6).UTC(), Took: 1250 * time.Millisecond,
		Request: harness.Message{Head: harness.Head{
			{Name: ":method", Value: "POST"}, {Name: ":path", Value: "/rosters?term=2026"}, {Name: ":proto", Value: "HTTP/1.1"},
			{Name: "hOST", Value: "sis.example:8443"}, {Name: "X-A", Value: "1"}, {Name: "x-a", Value: "\xff"},
		}},
		Response: harness.Message{Media: "text/csv", Head: harness.Head{
			{Name: ":status", Value: "201"}, {Name: ":proto", Value: "HTTP/1.1"}, {Name: "Content-Type", Value: "Text/CSV; charset=x"},
			{Name: ":trailer"}, {Name: "X-Sum", Value: "9"},
		}},
	}
	if diff := cmp.Diff(want, x, cmp.AllowUnexported(harness.Body{})); diff != "" {
		t.Error(diff)
	}
}

func TestWhatADumpDoesNotHoldIsAFaultOrANote(t *testing.T) {
	failed := func(said string) pairs {
		return flow("response", nil, "error", pairs{"msg", said, "timestamp", 1785000002.25})
	}
	for _, tt := range []struct {
		why         string
		flow        pairs
		fault, note string
	}{
		{"an answer that was streamed", flow("response.content", nil), harness.FaultTruncated, "passed on as a stream"},
		{"a request that was streamed", flow("request.content", nil), harness.FaultTruncated, "passed on as a stream"},
		{"no answer yet", flow("response", nil), harness.FaultReset, "no whole answer"},
		{"not reached", failed("[Errno 111] Connect call failed ('127.0.0.1', 1)"), harness.FaultUnreachable, "no whole answer"},
		{"too slow", failed("Timeout after 60s"), harness.FaultTimeout, "no whole answer"},
		{"client gone", failed("Client disconnected."), harness.FaultClientGone, "no whole answer"},
		{"broken within the answer", flow("error", pairs{"msg", "peer closed connection", "timestamp", 1785000002.0}), harness.FaultReset, "no whole answer"},
		{"changed by a script", flow("backup", pairs{"id", "x"}), "", "changed on their way"},
		{"sent again", flow("is_replay", "request"), "", "sent again"},
		{"from the future", flow("version", 99), "", "newer version"},
	} {
		xs, notes, _ := recordtest.Import(t, mitmproxy.Format, write(t, tt.flow))
		have := ""
		if f := xs[0].Fault; f != nil {
			have = f.Kind
		}
		if have != tt.fault || len(notes) != 1 || !strings.Contains(notes[0], tt.note) {
			t.Errorf("%s: fault %q, notes %q", tt.why, have, notes)
		}
	}
}

func TestHostOfHTTP2IsTheAuthority(t *testing.T) {
	xs, notes, _ := recordtest.Import(t, mitmproxy.Format, write(t, flow("request.http_version", b("HTTP/2.0"), "request.authority", b("lms.example"), "request.headers", []any{})))
	if x := xs[0]; x.To != "lms.example" || x.Request.Head.Get("Host") != "lms.example" || len(notes) != 0 {
		t.Errorf("to %q, head %v, notes %q", x.To, x.Request.Head, notes)
	}
	xs, notes, _ = recordtest.Import(t, mitmproxy.Format, write(t, flow("request.headers", []any{})))
	if x := xs[0]; x.Request.Head.Get("Host") != "sis.example:8443" || len(notes) != 1 {
		t.Errorf("head %v, notes %q", x.Request.Head, notes)
	}
}

func TestConnectionsAreSessionsAndExchangesAreInOrderOfTheirStart(t *testing.T) {
	at := func(start float64, connection string) pairs {
		return flow("request.timestamp_start", start, "client_conn.id", connection)
	}
	xs, _, _ := recordtest.Import(t, mitmproxy.Format, write(t, at(30, "b"), at(10, "a"), at(20, "b")))
	var got []string
	for _, x := range xs {
		got = append(got, fmt.Sprint(x.At.Unix(), " ", x.Session))
	}
	if diff := cmp.Diff([]string{"10 rosters.mitm/2", "20 rosters.mitm/1", "30 rosters.mitm/1"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestWebSocketMessagesAreMessages(t *testing.T) {
	socket := pairs{"messages", []any{
		[]any{1, true, b("subscribe"), 1785000003.0, false, false},
		[]any{2, false, b("\x00\x01"), 1785000004.0, false, false},
	}}
	xs, _, _ := recordtest.Import(t, mitmproxy.Format, write(t, flow("response.status_code", 101, "websocket", socket)))
	if len(xs) != 3 {
		t.Fatalf("have %d exchanges", len(xs))
	}
	var got []string
	for _, x := range xs[1:] {
		got = append(got, fmt.Sprintf("%s %s→%s %s %q %s", x.Channel, x.From, x.To, x.Session, recordtest.Body(t, x.Request), x.Request.Head.Get(":topic")))
	}
	want := []string{`message client→sis.example rosters.mitm/1 "subscribe" /rosters`, `message sis.example→client rosters.mitm/1 "\x00\x01" /rosters`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestBrokenDumpIsNamedWithFlowAndOffset(t *testing.T) {
	whole := netstring(flow())
	for _, tt := range []struct{ why, content, want string }{
		{"an archive", `{"log":{}}`, `rosters.mitm: flow 0 (from byte 0): "{" is not a length`},
		{"cut", whole + whole[:100], fmt.Sprintf("flow 1 (from byte %d): unexpected EOF", len(whole))},
		{"a length that lies", "99999999999:", "is not a length"},
		{"a large length", "9999999999:", "not a number up to"},
		{"not a dictionary", "1:x,", "a flow is a dictionary"},
		{"an old version", netstring(pairs{"version", []any{0, 18}}), "write the dump again with a newer mitmproxy"},
		{"no request", netstring(set(flow(), "request", nil)), "the flow has no request"},
		{"a line break in a field", netstring(flow("request.headers", []any{[]any{b("A"), b("b\r\nC: d")}})), "malformed"},
		{"a line break in a path", netstring(flow("request.path", b("/ HTTP/1.1\r\n"))), "control character"},
		{"no path", netstring(flow("request.path", b("rosters"))), "asks for no path"},
		{"no time", netstring(flow("request.timestamp_start", nil)), "request.timestamp_start"},
		{"an impossible status", netstring(flow("response.status_code", 42)), "not a number of three digits"},
		{"deep", nested(40), "nested deeper"},
	} {
		im := &archive.Importer{Format: mitmproxy.Format, Path: writeBytes(t, []byte(tt.content))}
		err := im.Record(t.Context(), harness.NewMemory(harness.Manifest{}))
		if err == nil || !strings.Contains(err.Error(), tt.want) || harness.HintOf(err) == "" {
			t.Errorf("%s: error %v, want %q and a hint", tt.why, err, tt.want)
		}
	}
}

func nested(depth int) string {
	s := netstring([]any{})
	for range depth {
		s = fmt.Sprintf("%d:%s]", len(s), s)
	}
	return s
}

func TestDumpCutAnywhereIsAnErrorOrItsFirstFlows(t *testing.T) {
	one := netstring(flow())
	content := []byte(one + one)
	file := writeBytes(t, nil)
	for n := range content {
		if err := os.WriteFile(file, content[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		err := (&archive.Importer{Format: mitmproxy.Format, Path: file}).Record(t.Context(), harness.NewMemory(harness.Manifest{}))
		if whole := n == 0 || n == len(one); whole != (err == nil) {
			t.Fatalf("cut at %d of %d: error %v", n, len(content), err)
		}
	}
}

func FuzzHostileDump(f *testing.F) {
	f.Add([]byte(netstring(flow())))
	f.Add([]byte(netstring(flow("websocket", pairs{"messages", []any{[]any{1, true, b("x"), 1.0}}}))))
	f.Add([]byte(netstring(flow("response", nil, "error", pairs{"msg", "x", "timestamp", 1.0}))))
	file := writeBytes(f, nil)
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		mem := harness.NewMemory(harness.Manifest{})
		err := (&archive.Importer{Format: mitmproxy.Format, Path: file}).Record(t.Context(), mem)
		if err == nil && len(content) > 0 && !bytes.Contains(content, []byte(":")) {
			t.Errorf("%q was read", content)
		}
	})
}
