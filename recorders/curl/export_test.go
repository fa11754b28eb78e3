package curl_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/curl"
	"github.com/rehearse-dev/rehearse/recorders/internal/export"
)

// sent is what arrives of a request.
type sent struct {
	Line   string
	Fields map[string][]string
	Body   string
}

func TestScriptSendsTheRequestsAgain(t *testing.T) {
	var mu sync.Mutex
	var got []sent
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Header.Del("Content-Length")
		mu.Lock()
		defer mu.Unlock()
		got = append(got, sent{r.Method + " " + r.RequestURI, r.Header, string(body)})
	}))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	want := []sent{
		{"GET /a/../b?x=[1-3]&y={a,b}&z=%20", map[string][]string{"X-Twice": {"1", "2"}, "X-Empty": {""}, "Accept": {"*/*"}}, ""},
		{"POST /it's", map[string][]string{"Content-Type": {"text/plain"}, "User-Agent": {"it's $HOME `id` \\"}}, "it's\r\n$(id) \\ `x`\n\n"},
		{"PUT /at", map[string][]string{}, "@/etc/hostname"},
		{"PATCH /binary", map[string][]string{"Content-Type": {"image/png"}}, "\x00\x01\xff'\n"},
		{"POST /large", map[string][]string{"Content-Type": {"text/plain"}}, strings.Repeat("0123456789", 30_000)},
		{"HEAD /a", map[string][]string{}, ""},
		{"DELETE /a", map[string][]string{}, ""},
	}
	var xs []harness.Exchange
	for i, w := range want {
		method, path, _ := strings.Cut(w.Line, " ")
		head := harness.Head{{Name: ":method", Value: method}, {Name: ":path", Value: path}, {Name: "Host", Value: host}}
		for name, values := range w.Fields {
			for _, v := range values {
				head = append(head, harness.Field{Name: name, Value: v})
			}
		}
		xs = append(xs, harness.Exchange{ID: harness.SequenceID(i + 1), Session: "a\nb", Channel: harness.ChannelHTTP, To: "crm", Request: harness.Message{Head: head, Body: harness.BytesBody([]byte(w.Body))}})
	}
	script := filepath.Join(t.TempDir(), "calls.sh")
	losses, err := curl.Export.Export(script, xs, export.Options{})
	if err != nil || !strings.Contains(strings.Join(losses, "\n"), "7 exchanges: the answers are not kept") {
		t.Fatalf("%v, %q", err, losses)
	}
	cmd := exec.Command("sh", "-e", script)
	cmd.Env = append(cmd.Environ(), "http_proxy=", "no_proxy=*")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
