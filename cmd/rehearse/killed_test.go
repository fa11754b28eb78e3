package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	data "github.com/rehearse-dev/rehearse/fixtures/harrow-lake"
	"github.com/rehearse-dev/rehearse/harness/target/container"
	"github.com/rehearse-dev/rehearse/harness/target/container/images"
	harrowlake "github.com/rehearse-dev/rehearse/scenarios/harrow-lake"
)

// hanging is a scenario whose container never becomes ready.
const hanging = `scenario: Hangs
integration: crm-sis-applicant
recording: fixtures/harrow-lake/crm-sis-applicant
target:
  system: hubline
  container: {build: {context: image}, command: [sleep], port: 8080, wait: 10m}
mocks: [crm, sis]
`

// hung is a run whose container never becomes ready.
type hung struct {
	*exec.Cmd
	said io.Reader // its standard error; read it before Wait
}

// hang starts a run of the scenario by this program and waits until its container is there.
func hang(t *testing.T, dir string, env ...string) hung {
	t.Helper()
	cmd := itself(env, "run", filepath.Join(dir, "hangs.yaml"))
	said := begun(t, cmd)
	has := func(kind, name string) func() bool {
		return func() bool {
			return slices.ContainsFunc(leftOf(t, "hangs"), func(l container.Leftover) bool { return l.Kind == kind && strings.HasPrefix(l.Name, name) })
		}
	}
	within(t, 2*time.Minute, "the image is built", has("image", "rehearse:")) // until then, containers are the builder's
	within(t, time.Minute, "the container of the run is made", has("container", "/"))
	return hung{cmd, said}
}

// leftOf is what is there of runs whose identity holds the word.
func leftOf(t *testing.T, word string) []container.Leftover {
	t.Helper()
	all, err := container.Leftovers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var list []container.Leftover
	for _, l := range all {
		if strings.Contains(l.Run, word) {
			list = append(list, l)
		}
	}
	return list
}

func within(t *testing.T, most time.Duration, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(most); !done(); {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %s", what, most)
		}
	}
}

func hangingWorld(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := harrowlake.Extract(dir, data.FS()); err != nil {
		t.Fatal(err)
	}
	images.Context(t, dir, images.Server)
	if err := os.WriteFile(filepath.Join(dir, "hangs.yaml"), []byte(hanging), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestKilledRunLeavesNoContainerNetworkOrImage(t *testing.T) {
	cmd := hang(t, hangingWorld(t))
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	within(t, 2*time.Minute, "what the run made goes", func() bool { return len(leftOf(t, "hangs")) == 0 })
	t.Logf("gone after %s", time.Since(began).Round(10*time.Millisecond))
}

func TestInterruptedRunLeavesNoContainerNetworkOrImage(t *testing.T) {
	cmd := hang(t, hangingWorld(t))
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() //nolint:errcheck // the code is looked at below
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit code %d, want 130", code)
	}
	if left := leftOf(t, "hangs"); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestDoctorRemovesWhatRunAndWatcherLeft(t *testing.T) {
	cmd := hang(t, hangingWorld(t))
	for _, pid := range childrenOf(t, cmd.Process.Pid) { // the watcher first, then the run
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() //nolint:errcheck // it was killed
	doctor := func(args ...string) string {
		out, err := itself(nil, append([]string{"doctor"}, args...)...).CombinedOutput()
		if err != nil {
			t.Errorf("doctor %v: %v: %s", args, err, out)
		}
		return string(out)
	}
	if said := doctor("containers"); strings.Count(said, ": its run is dead") < 3 || !strings.Contains(said, "rehearse doctor containers --clean") {
		t.Errorf("doctor containers says %s", said)
	}
	if said := doctor(); !strings.Contains(said, "left by runs that were killed") {
		t.Errorf("doctor says %s", said)
	}
	doctor("containers", "--clean")
	if left := leftOf(t, "hangs"); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// childrenOf is the processes that the process started.
func childrenOf(t *testing.T, pid int) []int {
	t.Helper()
	var list []int
	tasks, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		b, err := os.ReadFile(task)
		if err != nil {
			continue // the thread has ended
		}
		for _, word := range strings.Fields(string(b)) {
			child, err := strconv.Atoi(word)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, child)
		}
	}
	if len(list) == 0 {
		t.Fatal("the run has no watcher")
	}
	return list
}

// holding starts a door to the daemon that holds every removal until released is closed, and returns its address.
func holding(t *testing.T, released <-chan struct{}) string {
	t.Helper()
	daemon := strings.TrimPrefix(cmp.Or(os.Getenv("DOCKER_HOST"), "unix:///var/run/docker.sock"), "unix://")
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "docker"}) },
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", daemon)
		}},
		ErrorLog: log.New(io.Discard, "", 0),
	}
	at := filepath.Join(t.TempDir(), "docker.sock")
	l, err := net.Listen("unix", at)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			select {
			case <-released:
			case <-r.Context().Done():
				return
			}
		}
		proxy.ServeHTTP(w, r)
	}))
	server.Listener.Close()
	server.Listener = l
	server.Start()
	t.Cleanup(server.Close)
	return "unix://" + at
}

// TestSecondInterruptLeavesTheRemovalToTheWatcher interrupts a run whose daemon does not get around to removing anything.
func TestSecondInterruptLeavesTheRemovalToTheWatcher(t *testing.T) {
	released := make(chan struct{})
	said, run := new(bytes.Buffer), hang(t, hangingWorld(t), "DOCKER_HOST="+holding(t, released))
	lines := bufio.NewScanner(io.TeeReader(run.said, said))
	for _, want := range []string{"interrupt again to leave that to a process of its own", "a process of its own goes on removing"} {
		if err := run.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		for found := false; !found; found = strings.Contains(lines.Text(), want) {
			if !lines.Scan() {
				t.Fatalf("it ended without saying %q: %s", want, said)
			}
		}
	}
	run.Wait() //nolint:errcheck // the code is looked at below
	if code := run.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit code %d, want 130", code)
	}
	if left := leftOf(t, "hangs"); len(left) < 3 {
		t.Errorf("only %v is left: nothing was held", left)
	}
	close(released)
	within(t, time.Minute, "what the run made goes", func() bool { return len(leftOf(t, "hangs")) == 0 })
}
