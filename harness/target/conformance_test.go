package target

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

// subject is one kind with a specification that works.
type subject struct {
	kind    string
	spec    func(t *testing.T) harness.TargetSpec
	session []harness.Exchange
	missing *harness.TargetSpec // the same with a program that does not exist
}

func subjects() []subject {
	requests := []harness.Exchange{request("GET", "/a?b=1", ""), request("POST", "/c", "{}")}
	files := []harness.Exchange{drop("registrations.csv", "ID,CRN\nH1,00417\n"), drop("persons.csv", "ID\nH1\n")}
	absent := []string{"./no-such-program"}
	command := func(mode string, run ...string) func(*testing.T) harness.TargetSpec {
		return func(*testing.T) harness.TargetSpec {
			return harness.TargetSpec{Command: &harness.CommandSpec{Run: append([]string{"rehearse"}, run...), Mode: mode}}
		}
	}
	return []subject{
		{"url", func(t *testing.T) harness.TargetSpec {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header()["Date"] = nil
				w.Write([]byte(r.RequestURI))
			}))
			t.Cleanup(server.Close)
			return harness.TargetSpec{URL: &harness.URLSpec{Base: server.URL}}
		}, requests, nil},
		{"process", func(t *testing.T) harness.TargetSpec {
			return harness.TargetSpec{Process: &harness.ProcessSpec{Run: []string{"rehearse", "as-server"}, Ready: "/ready"}}
		}, requests, &harness.TargetSpec{Process: &harness.ProcessSpec{Run: absent}}},
		{"command", command("once", "as-mapper"), requests, &harness.TargetSpec{Command: &harness.CommandSpec{Run: absent}}},
		{"command", command("jsonl", "as-line-mapper"), requests, &harness.TargetSpec{Command: &harness.CommandSpec{Run: absent, Mode: "jsonl"}}},
		{"jq", func(t *testing.T) harness.TargetSpec {
			return harness.TargetSpec{JQ: []harness.MappingSpec{{From: "registrations.csv", Program: "map.jq", Output: "out.csv", Columns: []string{"ID", "CRN"}, To: "lms"}}}
		}, files, nil},
		{"starlark", func(t *testing.T) harness.TargetSpec {
			return harness.TargetSpec{Starlark: []harness.MappingSpec{{From: "registrations.csv", Program: "map.star", Output: "out.json", To: "lms"}}}
		}, files, nil},
		{"template", func(t *testing.T) harness.TargetSpec {
			return harness.TargetSpec{Template: []harness.MappingSpec{{From: "registrations.csv", Program: "map.tmpl", Output: "out.dat", To: "lms"}}}
		}, files, nil},
		{"crosswalk", func(t *testing.T) harness.TargetSpec {
			return harness.TargetSpec{Crosswalk: []harness.CrosswalkSpec{{From: "registrations.csv", Table: "codes.csv", Output: "out.csv", To: "lms"}}}
		}, files, nil},
		{"sql", func(t *testing.T) harness.TargetSpec {
			return harness.TargetSpec{SQL: &harness.SQLSpec{Load: []harness.SQLLoad{{From: "*.csv", Table: "people"}}, Run: []string{"map.sql"}, Dump: []harness.SQLDump{{Table: "people", Output: "people.csv"}}, To: "lms"}}
		}, files[:1], nil},
		{"remote", func(t *testing.T) harness.TargetSpec {
			return harness.TargetSpec{Remote: newJobServer(t).recipe()}
		}, files, nil},
		{"func", func(t *testing.T) harness.TargetSpec {
			return harness.TargetSpec{Func: func(context.Context, harness.Exchange) (harness.Handed, error) {
				return harness.Handed{Outputs: []harness.Output{{Name: "a.csv", To: "lms", Body: []byte("a\n")}}}, nil
			}}
		}, files, nil},
		{"files", func(t *testing.T) harness.TargetSpec {
			return harness.TargetSpec{Files: &harness.FilesSpec{Run: []string{"rehearse", "as-job"}, To: "lms"}}
		}, files, &harness.TargetSpec{Files: &harness.FilesSpec{Run: absent, To: "lms"}}},
		{"container", func(t *testing.T) harness.TargetSpec { return inImage(t, harness.ContainerSpec{}) }, requests,
			&harness.TargetSpec{Container: &harness.ContainerSpec{Image: "rehearse-test:no-such-program", Pull: "never"}}},
		{"container", func(t *testing.T) harness.TargetSpec {
			return inImage(t, harness.ContainerSpec{Mode: "jsonl", Command: []string{"lines"}})
		}, requests[1:], nil},
	}
}

func conformanceEnv(t *testing.T) harness.StageEnv {
	env := testEnv(t)
	write(t, env, map[string]string{
		"map.jq": "map(.)", "map.star": "def map(msg): return [r for r in msg.value]", "map.tmpl": "{{range .}}{{.ID}}\n{{end}}", "map.sql": "UPDATE people SET CRN = 'x'", "codes.csv": "ID,name\nH1,one\n",
	})
	return env
}

func TestConformance(t *testing.T) {
	covered := map[string]bool{}
	for _, s := range subjects() {
		covered[s.kind] = true
		t.Run(s.kind, func(t *testing.T) {
			spec := s.spec(t)
			spec.System = "hubline"
			t.Run("repeats itself and leaves nothing behind", func(t *testing.T) { repeats(t, spec, s.session) })
			t.Run("stops when the context ends", func(t *testing.T) { stops(t, spec, s.session) })
			if s.missing != nil {
				t.Run("says that the program is missing", func(t *testing.T) { misses(t, *s.missing) })
			}
		})
	}
	for _, k := range Kinds {
		if !covered[k.Name] {
			t.Errorf("kind %s is not in the conformance suite", k.Name)
		}
	}
}

// repeats starts the target twice, feeds each stage, closes it twice, and wants the same outcome and no goroutines.
func repeats(t *testing.T, spec harness.TargetSpec, session []harness.Exchange) {
	before := runtime.NumGoroutine()
	target, err := New(spec)
	if err != nil {
		t.Fatal(err)
	}
	var outcomes []string
	for range 2 {
		stage, err := target.Start(t.Context(), conformanceEnv(t))
		if err != nil {
			t.Fatalf("%v\nhint: %s", err, harness.HintOf(err))
		}
		xs := feed(t, stage, session...)
		outcomes = append(outcomes, outline(t, xs))
		for _, x := range xs {
			if x.Fault != nil || !x.At.Equal(now) || x.Session != session[0].Session {
				t.Errorf("exchange %s: fault %v, at %s, session %q", x.ID, x.Fault, x.At, x.Session)
			}
		}
		for range 2 {
			if err := stage.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	if diff := cmp.Diff(outcomes[0], outcomes[1]); diff != "" {
		t.Errorf("the second run differs: %s", diff)
	}
	eventually(t, "goroutines end", func() bool {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		return runtime.NumGoroutine() <= before
	})
	if runtime.GOOS == "linux" {
		if left := offspring(t); len(left) > 0 {
			t.Errorf("processes left: %v", left)
		}
	}
}

func stops(t *testing.T, spec harness.TargetSpec, session []harness.Exchange) {
	target, err := New(spec)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	stage, err := target.Start(ctx, conformanceEnv(t))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := stage.Feed(ctx, session, harness.NewMemory(harness.Manifest{})); !errors.Is(err, context.Canceled) {
		t.Errorf("feed after the end of the context: %v", err)
	}
	if err := stage.Close(); err != nil {
		t.Error(err)
	}
	if stage, err := target.Start(ctx, conformanceEnv(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("start after the end of the context: %v, %v", stage, err)
	}
}

func misses(t *testing.T, spec harness.TargetSpec) {
	target, err := New(spec)
	if err != nil {
		t.Fatal(err)
	}
	_, err = target.Start(t.Context(), testEnv(t))
	if harness.ClassOf(err) != harness.ClassCannotRun || harness.HintOf(err) == "" || !strings.Contains(err.Error(), "no-such-program") {
		t.Errorf("err %v, hint %q; want one that cannot run, with the program and a hint", err, harness.HintOf(err))
	}
}

// offspring is the processes that this one started and that are still there, from /proc.
func offspring(t *testing.T) []string {
	t.Helper()
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil || len(tasks) == 0 {
		t.Skip("this kernel does not list children")
	}
	var left []string
	for _, task := range tasks {
		b, err := os.ReadFile(task)
		if err == nil {
			left = append(left, strings.Fields(string(b))...)
		}
	}
	return left
}
