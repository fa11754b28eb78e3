package target

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/target/container/images"
)

// serverImage is the image of the server of package images, which TestMain removes.
var serverImage = fmt.Sprintf("rehearse-test:target-%d", os.Getpid())

var makeServerImage sync.Once

func inImage(t *testing.T, spec harness.ContainerSpec) harness.TargetSpec {
	t.Helper()
	makeServerImage.Do(func() {
		dir := t.TempDir()
		images.Build(t, serverImage, filepath.Join(dir, images.Context(t, dir, images.Server, "EXPOSE 8080")))
	})
	spec.Image, spec.Pull = serverImage, harness.PullNever
	return harness.TargetSpec{System: "hubline", Container: &spec}
}

func TestContainerThatEndsIsAnErrorOfTheRun(t *testing.T) {
	stage := start(t, inImage(t, harness.ContainerSpec{Memory: "32m"}), testEnv(t))
	session := []harness.Exchange{request("GET", "/a", ""), request("GET", "/eat", "")}
	err := stage.Feed(t.Context(), session, harness.NewMemory(harness.Manifest{}))
	if harness.ClassOf(err) != harness.ClassCannotRun || !strings.Contains(err.Error(), "feed container hubline: it ended: killed: out of memory, its limit is 32m") {
		t.Errorf("err %v", err)
	}
}

func TestContainerMapsAsACommandDoes(t *testing.T) {
	for mode, command := range map[string]string{"once": "map", "jsonl": "lines"} {
		env := testEnv(t)
		spec := inImage(t, harness.ContainerSpec{Mode: mode, Command: []string{command}, Network: "none", Timeout: harness.Duration(time.Minute)})
		xs := feed(t, start(t, spec, env), request("POST", "/a", "first"), request("POST", "/a", "die"), request("POST", "/a", "second"))
		if text(t, xs[0].Response) != "FIRST" || text(t, xs[2].Response) != "SECOND" {
			t.Errorf("%s: answers %q and %q", mode, text(t, xs[0].Response), text(t, xs[2].Response))
		}
		if f := xs[1].Fault; f == nil || f.Kind != FaultFailed || !strings.Contains(f.Detail, "exit status 3") {
			t.Errorf("%s: fault %v", mode, f)
		}
	}
}

func TestContainerGetsItsSettings(t *testing.T) {
	t.Setenv("HUB_TOKEN", "sekret-7")
	t.Setenv("UNRELATED", "do-not-pass")
	env := testEnv(t)
	spec := inImage(t, harness.ContainerSpec{
		Port: 8080, Env: map[string]string{"SIS": "{url.sis-test}/api", "AT": "{now}"}, Secrets: map[string]string{"TOKEN": "env:HUB_TOKEN"},
		Files: []harness.FileCopy{{Text: "sis={url.sis-test}", To: "/etc/hub.conf"}},
	})
	xs := feed(t, start(t, spec, env), request("GET", "/env", ""), request("GET", "/file?name=/etc/hub.conf", ""))
	got := text(t, xs[0].Response)
	for _, want := range []string{"SIS=http://127.0.0.1:9/api", "AT=2026-10-05T14:00:00Z", "TOKEN=sekret-7", "REHEARSE_NOW=2026-10-05T14:00:00Z", "REHEARSE_LISTEN=0.0.0.0:8080"} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("environment without %s:\n%s", want, got)
		}
	}
	if strings.Contains(got, "do-not-pass") {
		t.Errorf("the environment of the caller was passed on:\n%s", got)
	}
	if file := text(t, xs[1].Response); !strings.HasSuffix(file, " sis=http://127.0.0.1:9") {
		t.Errorf("file %q", file)
	}
}

func TestSecretOfAContainerThatIsMissingIsNamed(t *testing.T) {
	target, err := New(inImage(t, harness.ContainerSpec{Secrets: map[string]string{"TOKEN": "env:NO_SUCH_TOKEN"}}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := target.Start(t.Context(), testEnv(t)); err == nil || !strings.Contains(err.Error(), "NO_SUCH_TOKEN") {
		t.Errorf("err %v", err)
	}
}

func TestContainerSpecificationsThatCannotBe(t *testing.T) {
	for _, tt := range []struct {
		why  string
		spec harness.ContainerSpec
		want string
	}{
		{"no image", harness.ContainerSpec{}, "one of image and build"},
		{"two images", harness.ContainerSpec{Image: "a", Build: &harness.BuildSpec{Context: "b"}}, "one of image and build"},
		{"unknown mode", harness.ContainerSpec{Image: "a", Mode: "batch"}, `mode "batch"`},
		{"a mapping with a port", harness.ContainerSpec{Image: "a", Mode: "once", Port: 80}, "no port"},
		{"a server with an output", harness.ContainerSpec{Image: "a", To: "lms", Output: "x"}, "for mode once and jsonl"},
		{"a receiver without a file", harness.ContainerSpec{Image: "a", Mode: "once", To: "lms"}, "without output"},
		{"a server without network", harness.ContainerSpec{Image: "a", Network: "none"}, "cannot be fed"},
		{"unknown network", harness.ContainerSpec{Image: "a", Network: "host"}, `network "host"`},
		{"unknown pull policy", harness.ContainerSpec{Image: "a", Pull: "often"}, `pull "often"`},
		{"memory", harness.ContainerSpec{Image: "a", Memory: "much"}, `memory "much"`},
		{"memory that overflows", harness.ContainerSpec{Image: "a", Memory: "9223372036854775807g"}, "memory"},
		{"processors", harness.ContainerSpec{Image: "a", CPUs: "-1"}, `cpus "-1"`},
		{"mode of a file", harness.ContainerSpec{Image: "a", Files: []harness.FileCopy{{Text: "x", To: "/x", Mode: "rw"}}}, `mode "rw"`},
		{"a file from nowhere", harness.ContainerSpec{Image: "a", Files: []harness.FileCopy{{To: "/x"}}}, "one of from and text"},
		{"files in what is read-only", harness.ContainerSpec{Image: "a", ReadOnly: true, Files: []harness.FileCopy{{Text: "x", To: "/x"}}}, "read-only"},
		{"a path that is none", harness.ContainerSpec{Image: "a", Ready: &harness.ReadySpec{Path: "up"}}, `ready.path "up"`},
		{"a server that is fed at once", harness.ContainerSpec{Image: "a", Ready: &harness.ReadySpec{Start: true}}, "ready.start is for companions"},
		{"a companion without name", harness.ContainerSpec{Image: "a", Also: []harness.ContainerSpec{{Image: "b"}}}, "also[0]: name is missing"},
		{"a companion with companions", harness.ContainerSpec{Image: "a", Also: []harness.ContainerSpec{{Name: "db", Image: "b", Also: []harness.ContainerSpec{{}}}}}, "also[0]: a companion"},
	} {
		_, err := New(harness.TargetSpec{Container: &tt.spec})
		if harness.ClassOf(err) != harness.ClassUsage || err == nil || !strings.Contains(err.Error(), tt.want) || harness.HintOf(err) == "" {
			t.Errorf("%s: err %v, hint %q, want %q", tt.why, err, harness.HintOf(err), tt.want)
		}
	}
}

// removeServerImage is for TestMain.
func removeServerImage() error {
	if _, err := os.Stat("/var/run/docker.sock"); err != nil && os.Getenv("DOCKER_HOST") == "" {
		return nil
	}
	return images.Remove(serverImage)
}
