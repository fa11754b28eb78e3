package target

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

func contextSoon(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), 100*time.Millisecond)
}

func batch(args ...string) harness.TargetSpec {
	return harness.TargetSpec{Files: &harness.FilesSpec{Run: append([]string{"rehearse"}, args...), To: "lms"}}
}

func TestBatchJob(t *testing.T) {
	stage := start(t, batch("as-job"), testEnv(t))
	large := drop("z/large.csv", "ab\n")
	xs := feed(t, stage, drop("b.csv", "x\r\n\xff"), large, drop("a/persons.csv", "y"))
	var got []string
	for _, x := range xs[3:] {
		got = append(got, x.From+"→"+x.To+" "+x.Session+" "+x.Request.Head.Get(":name")+" "+x.Request.Head.Get(":mtime")+" "+x.Request.Media)
	}
	const at = " 2026-10-05T14:00:00Z text/csv"
	want := []string{"hubline→lms nightly a/persons.csv" + at, "hubline→lms nightly b.csv" + at, "hubline→lms nightly z/large.csv" + at}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	if body := text(t, xs[4].Request); body != "X\r\n\xff" {
		t.Errorf("body %q", body)
	}
	b, err := xs[5].Request.Body.Bytes()
	if err != nil || len(b) != 3<<20 || harness.Digest(b) != xs[5].Request.Body.Digest() {
		t.Errorf("large output: %d bytes, %v", len(b), err)
	}
	next := feed(t, stage, drop("c.csv", "z"))
	if len(next) != 2 || next[1].Request.Head.Get(":name") != "c.csv" {
		t.Errorf("the second session finds an empty folder: %s", outline(t, next))
	}
	if again := text(t, xs[5].Request); len(again) != 3<<20 {
		t.Error("a large output of the first session is gone")
	}
}

func TestBatchJobLaysOutFilesAsTheyWere(t *testing.T) {
	env := testEnv(t)
	stage := start(t, batch("as-printer"), env)
	feed(t, stage, drop("persons.csv", "x"))
	folders, err := os.ReadDir(env.Dir)
	if err != nil || len(folders) != 1 {
		t.Fatalf("%v, %v", folders, err)
	}
	info, err := os.Stat(env.Dir + "/" + folders[0].Name() + "/in/persons.csv")
	if err != nil || !info.ModTime().Equal(now.Add(-6*time.Hour-45*time.Minute)) {
		t.Errorf("modified %v, %v; want the recorded time", info.ModTime().UTC(), err)
	}
}

func TestBatchJobRefusesNamesThatLeaveItsFolder(t *testing.T) {
	for _, name := range []string{"../out/x", "/etc/x", "a/../../x", `..\x`, "a\x00b", "", "..", "."} {
		env := testEnv(t)
		sink := harness.NewMemory(harness.Manifest{})
		err := start(t, batch("as-job"), env).Feed(t.Context(), []harness.Exchange{drop(name, "x")}, sink)
		if err == nil || sink.Manifest().Counts.Seen != 0 {
			t.Errorf("%q: err %v", name, err)
		}
	}
}

func TestBatchJobThatFails(t *testing.T) {
	tests := []struct {
		why     string
		args    []string
		session []harness.Exchange
		want    string
		class   harness.Class
	}{
		{"exit code", []string{"as-job", "fail"}, []harness.Exchange{drop("a.csv", "x")}, "exit status 3: disk quota", harness.ClassCannotRun},
		{"an output that is a link", []string{"as-job", "link"}, []harness.Exchange{drop("a.csv", "x")}, `"hosts" is not a regular file`, harness.ClassCannotRun},
		{"too slow", []string{"as-sleeper"}, []harness.Exchange{drop("a.csv", "x")}, "did not end within", harness.ClassCannotRun},
		{"a request", []string{"as-job"}, []harness.Exchange{request("GET", "/a", "")}, "is not a file", harness.ClassUsage},
		{"one name twice", []string{"as-job"}, []harness.Exchange{drop("a.csv", "x"), drop("a.csv", "y")}, "exists", harness.ClassUsage},
	}
	for _, test := range tests {
		spec := batch(test.args...)
		if test.args[0] == "as-sleeper" {
			spec.Files.Timeout = harness.Duration(100 * time.Millisecond)
		}
		err := start(t, spec, testEnv(t)).Feed(t.Context(), test.session, harness.NewMemory(harness.Manifest{}))
		if err == nil || harness.ClassOf(err) != test.class || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: err %v, want %q", test.why, err, test.want)
		}
	}
}

func TestSpecificationsThatAreWrong(t *testing.T) {
	run := []string{"x"}
	tests := []struct {
		spec harness.TargetSpec
		want string
	}{
		{harness.TargetSpec{}, "no kind"},
		{harness.TargetSpec{URL: &harness.URLSpec{Base: "http://a"}, Process: &harness.ProcessSpec{Run: run}}, "url and process"},
		{harness.TargetSpec{URL: &harness.URLSpec{Base: "ftp://a"}}, "no http scheme"},
		{harness.TargetSpec{URL: &harness.URLSpec{Base: "127.0.0.1:80"}}, "not a URL"},
		{harness.TargetSpec{URL: &harness.URLSpec{Base: "http://user:secret@a"}}, "credentials"},
		{harness.TargetSpec{URL: &harness.URLSpec{Base: "http://a/?b"}}, "query"},
		{harness.TargetSpec{Process: &harness.ProcessSpec{}}, "no program"},
		{harness.TargetSpec{Process: &harness.ProcessSpec{Run: run, Ready: "healthz"}}, "not a path"},
		{harness.TargetSpec{Command: &harness.CommandSpec{Run: run, Mode: "lines"}}, "mode"},
		{harness.TargetSpec{Command: &harness.CommandSpec{Run: run, To: "lms"}}, "without output"},
		{harness.TargetSpec{Command: &harness.CommandSpec{Run: run, Output: "x"}}, "without to"},
		{harness.TargetSpec{JQ: []harness.MappingSpec{{}}}, "no program"},
		{harness.TargetSpec{JQ: []harness.MappingSpec{{Program: "p", From: "["}}}, "glob"},
		{harness.TargetSpec{JQ: []harness.MappingSpec{{Program: "p", Output: "a.xml", To: "lms"}}}, "format"},
		{harness.TargetSpec{JQ: []harness.MappingSpec{{Program: "p", Output: "a.csv", To: "lms"}}}, "columns"},
		{harness.TargetSpec{JQ: []harness.MappingSpec{{Program: "p", Crosswalks: map[string]string{"a-b": "x"}}}}, "variable"},
		{harness.TargetSpec{Files: &harness.FilesSpec{Run: run}}, "to is empty"},
		{harness.TargetSpec{Files: &harness.FilesSpec{Run: run, To: "lms", In: "../x"}}, "below"},
		{harness.TargetSpec{Files: &harness.FilesSpec{Run: run, To: "lms", In: "out"}}, "same folder"},
		{harness.TargetSpec{Files: &harness.FilesSpec{To: "lms"}}, "no program"},
	}
	for _, test := range tests {
		_, err := New(test.spec)
		if err == nil || harness.ClassOf(err) != harness.ClassUsage || harness.HintOf(err) == "" || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: err %v, hint %q", test.want, err, harness.HintOf(err))
		}
	}
}

func TestDescribe(t *testing.T) {
	tests := []struct {
		spec harness.TargetSpec
		want string
	}{
		{harness.TargetSpec{URL: &harness.URLSpec{Base: "http://127.0.0.1:8080"}}, "server at http://127.0.0.1:8080"},
		{harness.TargetSpec{Process: &harness.ProcessSpec{Run: []string{"./runner", "--listen", "{listen}"}}}, "process ./runner --listen {listen}"},
		{harness.TargetSpec{Command: &harness.CommandSpec{Run: []string{"node", "map.js"}}}, "command node map.js"},
		{harness.TargetSpec{JQ: []harness.MappingSpec{{Program: "a.jq"}}}, "jq mapping a.jq"},
		{harness.TargetSpec{JQ: []harness.MappingSpec{{Program: "a.jq"}, {Program: "b.jq"}}}, "jq mappings a.jq, b.jq"},
		{harness.TargetSpec{Files: &harness.FilesSpec{Run: []string{"./feed.sh"}}}, "batch job ./feed.sh"},
		{harness.TargetSpec{}, "nothing"},
	}
	for _, test := range tests {
		if got := Describe(test.spec); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}
