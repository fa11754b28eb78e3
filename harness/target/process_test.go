package target

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

func server(args ...string) *harness.ProcessSpec {
	return &harness.ProcessSpec{Run: append([]string{"rehearse", "as-server"}, args...), Ready: "/ready"}
}

func TestProcessGetsItsSettingsAndNothingElse(t *testing.T) {
	t.Setenv("SECRET_TOKEN", "do-not-pass")
	env := testEnv(t)
	spec := server()
	spec.Env = map[string]string{"SIS": "{url.sis-test}/api", "AT": "{now}", "HOME_DIR": "{root}", "BIND": "{listen}", "PLAIN": "{{other}}"}
	stage := start(t, harness.TargetSpec{Process: spec}, env)
	xs := feed(t, stage, request("GET", "/env", ""))
	got := map[string]string{}
	for line := range strings.Lines(text(t, xs[0].Response)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		got[name] = value
	}
	listen := stage.(served).base.Host
	want := map[string]string{"SIS": "http://127.0.0.1:9/api", "AT": "2026-10-05T14:00:00Z", "HOME_DIR": env.Root, "BIND": listen, "PLAIN": "{other}",
		"REHEARSE_NOW": "2026-10-05T14:00:00Z", "REHEARSE_LISTEN": listen, "REHEARSE_URL_SIS_TEST": "http://127.0.0.1:9"}
	for _, name := range passed {
		if value, ok := os.LookupEnv(name); ok {
			want[name] = value
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestProcessThatDoesNotComeUp(t *testing.T) {
	tests := []struct {
		why  string
		spec harness.ProcessSpec
		want string // in message or hint
		is   harness.Class
	}{
		{"it ends", harness.ProcessSpec{Run: []string{"rehearse", "as-dying-server"}}, "no licence", harness.ClassCannotRun},
		{"it never listens", harness.ProcessSpec{Run: []string{"rehearse", "as-mute-server"}, Wait: harness.Duration(300 * time.Millisecond)}, "{listen}", harness.ClassCannotRun},
		{"its placeholder names no system", harness.ProcessSpec{Run: []string{"rehearse", "as-server", "{url.lms}"}}, "sis-test", harness.ClassUsage},
	}
	for _, test := range tests {
		target, err := New(harness.TargetSpec{Process: &test.spec})
		if err != nil {
			t.Fatal(err)
		}
		_, err = target.Start(t.Context(), testEnv(t))
		if harness.ClassOf(err) != test.is || !strings.Contains(err.Error()+harness.HintOf(err), test.want) {
			t.Errorf("%s: err %v, hint %q; want %q", test.why, err, harness.HintOf(err), test.want)
		}
	}
}

func TestProcessStartEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, _, err := StartServer(ctx, harness.ProcessSpec{Run: []string{"rehearse", "as-mute-server"}}, testEnv(t))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err %v", err)
	}
}

func TestStoppedServerLeavesNoProcessOfItsGroup(t *testing.T) {
	env := testEnv(t)
	number := filepath.Join(env.Dir, "child")
	base, stop, err := StartServer(t.Context(), *server(number), env)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Get(base + "/x")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	pid, err := os.ReadFile(number)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := stop(); err != nil {
			t.Error(err)
		}
	}
	if conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://")); err == nil {
		conn.Close()
		t.Error("the port still accepts")
	}
	if _, err := os.Stat("/proc/self"); err != nil {
		t.Skip("no /proc to look for the child of the server")
	}
	eventually(t, "the child of the server ends", func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%s/stat", pid))
		_, state, _ := strings.Cut(string(stat), ") ")
		return err != nil || strings.HasPrefix(state, "Z") // whoever adopted it has still to take note
	})
}

func TestServerThatDiesIsAFaultOfTheExchange(t *testing.T) {
	stage := start(t, harness.TargetSpec{Process: server()}, testEnv(t))
	xs := feed(t, stage, request("GET", "/a", ""), request("POST", "/die", "x"), request("POST", "/a", "x"))
	if xs[0].Fault != nil || xs[1].Fault == nil || xs[1].Fault.Kind != harness.FaultReset || xs[2].Fault == nil || xs[2].Fault.Kind != harness.FaultUnreachable {
		t.Errorf("faults %v, %v, %v", xs[0].Fault, xs[1].Fault, xs[2].Fault)
	}
	if want := "; the server ended: exit status 4: up"; xs[1].Fault != nil && !strings.HasSuffix(xs[1].Fault.Detail, want) {
		t.Errorf("detail %q, want at the end %q", xs[1].Fault.Detail, want)
	}
}
