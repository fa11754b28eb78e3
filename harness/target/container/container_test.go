package container

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/target/container/images"
)

// testImage is the name of the image of the test server, which is built once.
var testImage = fmt.Sprintf("rehearse-test:server-%d", os.Getpid())

var root string // a workspace with the build context "image"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "watch" { // the watcher is this binary, too
		if err := Watch(context.Background(), os.Stdin); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	if len(os.Args) > 1 && os.Args[1] == "victim" {
		victim()
	}
	code := m.Run()
	if root != "" {
		if err := errors.Join(images.Remove(testImage), os.RemoveAll(root)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

var once sync.Once

// built makes the image of the test server, which TestMain removes.
func built(t testing.TB) {
	t.Helper()
	once.Do(func() {
		dir, err := os.MkdirTemp("", "rehearse-test-")
		if err != nil {
			t.Fatal(err)
		}
		root = dir
		images.Context(t, root, images.Server, "EXPOSE 8080", `LABEL org.opencontainers.image.version="4.2" org.opencontainers.image.title="hub"`)
		images.Build(t, testImage, filepath.Join(root, "image"))
	})
}

func open(t testing.TB, o Options) *Network {
	t.Helper()
	o.Run, o.Dir, o.Now = t.Name(), t.TempDir(), time.Now
	n, err := Open(t.Context(), o)
	if err != nil {
		t.Fatalf("%v\nhint: %s", err, harness.HintOf(err))
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
		if left := mine(t, n.name); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	})
	return n
}

// mine is what is left of a network.
func mine(t testing.TB, network string) []Leftover {
	t.Helper()
	d, err := connect(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	left, err := d.made(context.WithoutCancel(t.Context()), labelNetwork+"="+network)
	if err != nil {
		t.Fatal(err)
	}
	return left
}

func get(t *testing.T, s *Server, path string) string {
	t.Helper()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Get("http://" + s.Address + path)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func TestServerGetsWhatTheOrderSays(t *testing.T) {
	built(t)
	n := open(t, Options{})
	os.WriteFile(filepath.Join(root, "rules.csv"), []byte("RE,active"), 0o600)
	s, err := n.Start(t.Context(), Order{Root: root, Env: map[string]string{"TOKEN": "t-1"}, Spec: harness.ContainerSpec{
		Name: "hub", Image: testImage, User: "1000:1000", Memory: "64m", CPUs: "0.5", Processes: 50, Tmpfs: []string{"/scratch:size=1m"}, Volumes: []string{"/data"},
		Files:  []harness.FileCopy{{Text: "x=1", To: "/etc/hub/hub.conf", Mode: "0640"}, {From: "rules.csv", To: "/etc/hub/rules.csv"}},
		Mounts: []harness.MountSpec{{From: "rules.csv", To: "/mnt/rules.csv"}},
		Ready:  &harness.ReadySpec{Path: "/up", Log: `^server is up`},
	}})
	if err != nil {
		t.Fatalf("%v\nhint: %s", err, harness.HintOf(err))
	}
	for path, want := range map[string]string{
		"/env": "TOKEN=t-1", "/file?name=/etc/hub/rules.csv": "-rw-r--r-- 1000 RE,active", "/file?name=/mnt/rules.csv": "1000", "/file?name=/scratch": "dtrwxrwxrwx", "/file?name=/data": "d",
		"/file?name=/etc/hub/hub.conf": "-rw-r----- 1000 ", "/x?y=%20": `"target":"/x?y=%20"`,
	} {
		if got := get(t, s, path); !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
	if got := s.Image.String(); !strings.HasPrefix(got, testImage+" (sha256:") || !strings.Contains(got, ", created 20") || !strings.Contains(got, ", title hub, version 4.2)") {
		t.Errorf("image %q", got)
	}
}

func TestWatchedSystemsAnswerByTheirNamesAndNothingElseIsReached(t *testing.T) {
	built(t)
	n := open(t, Options{})
	system := func(name string) string {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, name+" "+r.Host+r.RequestURI) }))
		server.Config.Protocols = new(http.Protocols)
		server.Config.Protocols.SetHTTP1(true)
		server.Config.Protocols.SetUnencryptedHTTP2(true) // as taps do
		server.Start()
		t.Cleanup(server.Close)
		return strings.TrimPrefix(server.URL, "http://")
	}
	urls, err := n.Admit([]Entry{
		{System: "sis", Address: system("SIS"), Hosts: []string{"api.sis.example", "sis.example:8443"}},
		{System: "crm", Address: system("CRM"), Hosts: []string{"crm.example"}},
	})
	if err != nil {
		t.Fatalf("%v\nhint: %s", err, harness.HintOf(err))
	}
	if urls["sis"] != "http://api.sis.example" || urls["crm"] != "http://crm.example" {
		t.Errorf("URLs %v", urls)
	}
	s, err := n.Start(t.Context(), Order{Root: root, Spec: harness.ContainerSpec{Name: "hub", Image: testImage}})
	if err != nil {
		t.Fatal(err)
	}
	other, err := n.Start(t.Context(), Order{Root: root, Spec: harness.ContainerSpec{Name: "db", Image: testImage}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ why, from, want string }{
		{"a vendor's name", "http://api.sis.example/v1?a=b", "SIS api.sis.example/v1?a=b"},
		{"the same in upper case", "http://API.SIS.example/v1", "SIS "},
		{"the other system on the same port", "http://crm.example/", "CRM crm.example/"},
		{"a system by its own name", "http://crm/", "CRM crm/"},
		{"over TLS, trusted by the certificate that was copied in", "https://crm.example/x", "CRM crm.example/x"},
		{"a port of its own, over TLS", "https://sis.example:8443/y", "SIS sis.example:8443/y"},
		{"a port of its own, in plain HTTP", "http://sis.example:8443/y", "SIS sis.example:8443/y"},
		{"a companion", "http://db:8080/z", `"target":"/z"`},
		{"an address that names no system", "http://" + n.gateway.String() + "/", ""},
		{"a name of the world", "http://www.vendor.example/", "no such host"},
		{"an address of the world", "http://192.0.2.80/", `Get "http://192.0.2.80/": `},
	} {
		if got := get(t, s, "/fetch?url="+url.QueryEscape(tt.from)); !strings.Contains(got, tt.want) || tt.want == "" && got != "" {
			t.Errorf("%s: %s answers %q, want %q", tt.why, tt.from, got, tt.want)
		}
	}
	if got := n.Sought(); !slices.Contains(got, "www.vendor.example") {
		t.Errorf("names that were looked for: %v", got)
	}
	other.Stop()
}

func TestContainersThatDoNotComeUp(t *testing.T) {
	built(t)
	n := open(t, Options{})
	short := harness.Duration(5 * time.Second) // enough for a busy machine to say that the server is up
	for _, tt := range []struct {
		why  string
		spec harness.ContainerSpec
		want []string // in message and hint
		is   harness.Class
	}{
		{"the image is nowhere", harness.ContainerSpec{Image: "rehearse-test:absent", Pull: "never"}, []string{"find image rehearse-test:absent", "docker load"}, harness.ClassCannotRun},
		{"the registry does not give it", harness.ContainerSpec{Image: "127.0.0.1:9/absent:1"}, []string{"pull image 127.0.0.1:9/absent:1", "connection refused", "pull: never"}, harness.ClassCannotRun},
		{"it ends early", harness.ContainerSpec{Image: testImage, Command: []string{"fail"}}, []string{"it ended: exit status 3", "no licence"}, harness.ClassCannotRun},
		{"the program is not in the image", harness.ContainerSpec{Image: testImage, Entrypoint: []string{"/absent"}}, []string{"/absent", "entrypoint"}, harness.ClassCannotRun},
		{"nothing listens on the port", harness.ContainerSpec{Image: testImage, Port: 9999, Wait: short}, []string{"after 5s still without a connection to port 9999: its own address: dial tcp", "exposes ports 8080", "it said: server is up"}, harness.ClassCannotRun},
		{"the line never comes", harness.ContainerSpec{Image: testImage, Ready: &harness.ReadySpec{Log: "database ready"}, Wait: short}, []string{`a line of its log that matches "database ready"`, "it said: server is up"}, harness.ClassCannotRun},
		{"the path never answers", harness.ContainerSpec{Image: testImage, Command: []string{"sleep"}, Ready: &harness.ReadySpec{Path: "/up"}, Wait: short}, []string{"an answer below 500 to /up"}, harness.ClassCannotRun},
		{"a mount is missing", harness.ContainerSpec{Image: testImage, Mounts: []harness.MountSpec{{From: "absent", To: "/x"}}}, []string{"mount absent"}, harness.ClassUsage},
		{"a file is missing", harness.ContainerSpec{Image: testImage, Files: []harness.FileCopy{{From: "absent", To: "/x"}}}, []string{"read absent"}, harness.ClassUsage},
		{"the build fails", harness.ContainerSpec{Build: &harness.BuildSpec{Context: "image", Dockerfile: "Brokenfile"}}, []string{"build the image of hub from image", "/absent-file", "see whether `docker build -f image/Brokenfile image` works"}, harness.ClassCannotRun},
	} {
		os.WriteFile(filepath.Join(root, "image", "Brokenfile"), []byte("FROM scratch\nCOPY /absent-file /x\n"), 0o600)
		tt.spec.Name = "hub"
		_, err := n.Start(t.Context(), Order{Root: root, Spec: tt.spec})
		for _, want := range tt.want {
			if err == nil || harness.ClassOf(err) != tt.is || !strings.Contains(err.Error()+"\n"+harness.HintOf(err), want) {
				t.Errorf("%s: err %v\nhint %q\nwant %q", tt.why, err, harness.HintOf(err), want)
			}
		}
	}
}

func TestPortThatIsNotExposedMustBeNamed(t *testing.T) {
	built(t)
	dir := t.TempDir()
	images.Context(t, dir, images.Server)
	n := open(t, Options{})
	_, err := n.Start(t.Context(), Order{Root: dir, Spec: harness.ContainerSpec{Name: "hub", Build: &harness.BuildSpec{Context: "image"}}})
	if harness.ClassOf(err) != harness.ClassUsage || !strings.Contains(err.Error(), "exposes no port") {
		t.Errorf("err %v", err)
	}
}

func TestContainerThatIsKilledForMemorySaysSo(t *testing.T) {
	built(t)
	n := open(t, Options{})
	s, err := n.Start(t.Context(), Order{Root: root, Spec: harness.ContainerSpec{Name: "hub", Image: testImage, Memory: "24m"}})
	if err != nil {
		t.Fatal(err)
	}
	get(t, s, "/eat")
	<-s.Ended()
	if err := s.Problem("feed"); !strings.Contains(err.Error(), "killed: out of memory, its limit is 24m") || harness.HintOf(err) == "" {
		t.Errorf("err %v", err)
	}
}

func TestProgramMapsItsInput(t *testing.T) {
	built(t)
	n := open(t, Options{})
	var out, log strings.Builder
	p, err := n.Run(t.Context(), Order{Root: root, Log: &log, Spec: harness.ContainerSpec{Name: "map", Image: testImage, Command: []string{"map"}, Mode: harness.ContainerOnce, Network: harness.NetworkNone}}, &out)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(p.Input, "straße\n")
	p.Input.Close()
	<-p.Ended()
	if p.How() != nil || out.String() != "STRASSE\n" && out.String() != "STRAßE\n" || log.String() != "mapping\n" {
		t.Errorf("ended %v, output %q, log %q", p.How(), out.String(), log.String())
	}
}

func TestStartEndsWithTheContext(t *testing.T) {
	built(t)
	n := open(t, Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	_, err := n.Start(ctx, Order{Root: root, Spec: harness.ContainerSpec{Name: "hub", Image: testImage, Ready: &harness.ReadySpec{Log: "never"}}})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err %v", err)
	}
}

func TestClosedNetworkLeavesNoGoroutine(t *testing.T) {
	built(t)
	before := runtime.NumGoroutine()
	n := open(t, Options{})
	s, err := n.Start(t.Context(), Order{Root: root, Spec: harness.ContainerSpec{Name: "hub", Image: testImage}})
	if err != nil {
		t.Fatal(err)
	}
	get(t, s, "/x")
	for range 2 {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}
	deadline := time.Now().Add(time.Minute)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("goroutines: %d, %d before\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
		runtime.Gosched()
	}
}

func TestMissingDockerIsSaid(t *testing.T) {
	cmd := exec.Command(os.Args[0], "victim", t.TempDir(), t.TempDir())
	cmd.Env = append(os.Environ(), "DOCKER_HOST=unix:///nonexistent/docker.sock")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "reach docker: ") || !strings.Contains(string(out), "`docker info` must answer") {
		t.Errorf("err %v, said %s", err, out)
	}
}

func TestWhatAContainerIsWaitedFor(t *testing.T) {
	built(t)
	n := open(t, Options{})
	if _, err := n.Start(t.Context(), Order{Root: root, Spec: harness.ContainerSpec{Name: "hub", Image: testImage, Ready: &harness.ReadySpec{Health: true}}}); harness.ClassOf(err) != harness.ClassUsage ||
		!strings.Contains(err.Error(), "neither it nor image "+testImage+" has a health check") {
		t.Errorf("health that nothing checks: %v", err)
	}
	asked := harness.HealthSpec{Test: []string{"CMD", "/program", "check", "http://127.0.0.1:8080/health"}, Interval: harness.Duration(time.Second)}
	for _, tt := range []struct {
		name string
		spec harness.ContainerSpec
	}{
		{"healthy", harness.ContainerSpec{Health: &asked, Aliases: []string{"well"}, Hostname: "hub-1"}},
		{"started", harness.ContainerSpec{Command: []string{"sleep"}, Health: &asked, Ready: &harness.ReadySpec{Start: true}}},
		{"caller", harness.ContainerSpec{}},
	} {
		tt.spec.Name, tt.spec.Image = tt.name, testImage
		s, err := n.Start(t.Context(), Order{Root: root, Spec: tt.spec})
		switch {
		case err != nil:
			t.Fatalf("%s: %v\nhint: %s", tt.name, err, harness.HintOf(err))
		case tt.name == "healthy" && !strings.Contains(get(t, s, "/env"), "HOSTNAME=hub-1\n"):
			t.Errorf("environment %s", get(t, s, "/env"))
		case tt.name == "caller" && strings.Contains(get(t, s, "/fetch?url=http://well:8080/checked"), " "):
			t.Errorf("it was not healthy: %s", get(t, s, "/fetch?url=http://well:8080/checked"))
		}
	}
}
