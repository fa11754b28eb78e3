package fakes

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

func TestServeRunsUntilTheContextEnds(t *testing.T) {
	for _, s := range Services {
		ln := listen(t, "127.0.0.1:0")
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- Serve(ctx, s.Name, Options{CRM: "http://127.0.0.1:1", SIS: "http://127.0.0.1:2"}, ln)
		}()
		resp, err := http.Get("http://" + ln.Addr().String() + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != 200 || !strings.Contains(string(body), `"service":"`+s.Name+`"`) {
			t.Errorf("%s: health %d %s", s.Name, resp.StatusCode, body)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
		if conn, err := net.Dial("tcp", ln.Addr().String()); err == nil {
			conn.Close()
			t.Errorf("%s still listens", s.Name)
		}
	}
}

func TestServeRefuses(t *testing.T) {
	tests := []struct {
		why, name, address string
		options            Options
		class              harness.Class
		want               string
	}{
		{"other machines could reach it", "crm", "0.0.0.0:0", Options{}, harness.ClassRefused, "not a loopback address"},
		{"no such service", "erp", "127.0.0.1:0", Options{}, harness.ClassUsage, `"erp"`},
		{"no such release", "crm", "127.0.0.1:0", Options{Release: "2025.1"}, harness.ClassUsage, `"2025.1"`},
		{"no such release", "sis", "127.0.0.1:0", Options{Release: "2026.3"}, harness.ClassUsage, `"2026.3"`},
		{"the runner needs the CRM", "hubline", "127.0.0.1:0", Options{SIS: "http://127.0.0.1:1"}, harness.ClassUsage, "base URL of crm"},
		{"the runner needs the SIS", "hubline", "127.0.0.1:0", Options{CRM: "http://127.0.0.1:1", SIS: "file:///etc"}, harness.ClassUsage, "base URL of sis"},
	}
	for _, tt := range tests {
		err := Serve(t.Context(), tt.name, tt.options, listen(t, tt.address))
		if err == nil || harness.ClassOf(err) != tt.class || !strings.Contains(err.Error(), tt.want) || harness.HintOf(err) == "" {
			t.Errorf("%s: error %v of class %d with hint %q", tt.why, err, harness.ClassOf(err), harness.HintOf(err))
		}
	}
}

func TestServeSaysWhenTheListenerBreaks(t *testing.T) {
	ln := listen(t, "127.0.0.1:0")
	ln.Close()
	if err := Serve(t.Context(), "crm", Options{}, ln); harness.ClassOf(err) != harness.ClassCannotRun {
		t.Errorf("error %v, want one of a target that cannot run", err)
	}
}
