package target

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/replay"
)

// jobServer runs jobs as integration platforms do: files are sent, a job is triggered, it is asked about until it is done, and
// its outputs have addresses of their own.
type jobServer struct {
	*httptest.Server
	mu    sync.Mutex
	files map[string][]byte
	asked map[string]int // questions by job
	jobs  map[string][]byte
	busy  int // questions that are answered with 503
	fail  bool
	never bool
	seen  []string
}

func newJobServer(t *testing.T) *jobServer {
	s := &jobServer{files: map[string][]byte{}, asked: map[string]int{}, jobs: map[string][]byte{}}
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /api/files/{name}", func(w http.ResponseWriter, r *http.Request) {
		s.files[r.PathValue("name")], _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusCreated)
	})
	mux.HandleFunc("POST /api/jobs", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		id := fmt.Sprintf("job %d/%d", len(s.jobs)+1, 7)
		s.jobs[id] = body
		w.WriteHeader(http.StatusAccepted)
		json.NewEncoder(w).Encode(map[string]any{"job": map[string]string{"id": id}})
	})
	mux.HandleFunc("GET /api/jobs/{id}", func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("id")
		s.asked[id]++
		state := "running"
		switch {
		case s.busy > 0:
			s.busy--
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		case s.fail:
			state = "failed"
		case s.asked[id] > 2 && !s.never:
			state = "done"
		}
		answer := map[string]any{"state": state, "why": "term\x1b[31m unknown", "files": []map[string]string{{"href": "/out/" + id + "/a.csv"}, {"href": s.URL + "/api/out/x/b.csv"}}}
		json.NewEncoder(w).Encode(answer)
	})
	mux.HandleFunc("GET /api/out/", func(w http.ResponseWriter, r *http.Request) {
		names := make([]string, 0, len(s.files))
		for name, body := range s.files {
			names = append(names, name+"="+string(body))
		}
		fmt.Fprintf(w, "%s %d\n", r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:], len(names))
	})
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.seen = append(s.seen, r.Method+" "+r.RequestURI)
		if r.Header.Get("Authorization") != "Bearer swordfish" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	t.Setenv("JOB_TOKEN", "swordfish")
	return s
}

func at(text string) harness.Path {
	p, err := harness.ParsePath(text)
	if err != nil {
		panic(err)
	}
	return p
}

func (s *jobServer) recipe() *harness.RemoteSpec {
	return &harness.RemoteSpec{
		Base: s.URL + "/api", Secrets: map[string]string{"token": "env:JOB_TOKEN"}, Head: map[string]string{"Authorization": "Bearer {secret.token}"},
		Send:    &harness.RemoteRequest{Path: "/files/{name}"},
		Trigger: harness.RemoteTrigger{Path: "/jobs", Body: `{"session":"{session}","now":"{now}"}`, ID: at("response.body.job.id")},
		Poll:    harness.RemotePoll{Path: "/jobs/{id}", At: at("response.body.state"), Done: []string{"done"}, Failed: []string{"failed"}, Reason: at("response.body.why"), Every: harness.Duration(time.Millisecond)},
		Fetch:   []harness.RemoteFetch{{Path: "/out/{id}/log.txt", Output: "log.txt", To: "log"}, {Path: "{each}", Each: at("response.body.files[*].href")}},
		To:      "lms",
	}
}

func TestRemoteJob(t *testing.T) {
	server := newJobServer(t)
	server.busy = 2
	var log bytes.Buffer
	env := testEnv(t)
	env.Log = &log
	stage := start(t, harness.TargetSpec{Remote: server.recipe()}, env)
	xs := feed(t, stage, drop("registrations.csv", "ID\n1\n"), drop("persons.csv", "ID\n1\n"))
	var got []string
	for _, x := range xs {
		got = append(got, x.To+" "+x.Request.Head.Get(harness.FieldName)+" "+text(t, x.Request))
	}
	want := []string{"hubline registrations.csv ID\n1\n", "hubline persons.csv ID\n1\n", "log log.txt log.txt 2\n", "lms a.csv a.csv 2\n", "lms b.csv b.csv 2\n"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if string(server.jobs["job 1/7"]) != `{"session":"nightly","now":"2026-10-05T14:00:00Z"}` {
		t.Errorf("the job got %q", server.jobs)
	}
	wantLog := "send registrations.csv: PUT BASE/files/registrations.csv: 201 Created\nsend persons.csv: PUT BASE/files/persons.csv: 201 Created\ntrigger job: POST BASE/jobs: 202 Accepted\n" +
		strings.Repeat("poll job: GET BASE/jobs/job%201%2F7: 503 Service Unavailable\n", 2) + "poll job: GET BASE/jobs/job%201%2F7: 200 OK\n" +
		"fetch output: GET BASE/out/job%201%2F7/log.txt: 200 OK\nfetch output: GET BASE/out/job%201/7/a.csv: 200 OK\nfetch output: GET BASE/out/x/b.csv: 200 OK\n"
	if diff := cmp.Diff(wantLog, strings.ReplaceAll(log.String(), server.URL+"/api", "BASE")); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(log.String(), "swordfish") {
		t.Error("the log tells a secret")
	}
}

// TestRequestsOfARemoteJobThatAreSentAgainAreCounted lets the server hang up on the second poll, whose connection was kept.
func TestRequestsOfARemoteJobThatAreSentAgainAreCounted(t *testing.T) {
	server := newJobServer(t)
	answers := server.Config.Handler
	var polls atomic.Int32 // each connection has a goroutine of its own
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.RequestURI, "/api/jobs/") {
			if polls.Add(1) == 2 {
				panic(http.ErrAbortHandler)
			}
		}
		answers.ServeHTTP(w, r)
	})
	account, err := replay.Feed(t.Context(), start(t, harness.TargetSpec{Remote: server.recipe()}, testEnv(t)),
		replay.Sessions{{Name: "nightly", Exchanges: []harness.Exchange{drop("registrations.csv", "ID\n1\n")}}}, harness.NewMemory(harness.Manifest{}), replay.Options{})
	if err != nil || account.Again != 1 {
		t.Errorf("%+v, %v", account, err)
	}
}

func TestRemoteJobForEachExchange(t *testing.T) {
	server := newJobServer(t)
	spec := server.recipe()
	spec.Send, spec.Trigger.Body = nil, ""
	spec.Fetch = spec.Fetch[:1]
	stage := start(t, harness.TargetSpec{Remote: spec}, testEnv(t))
	if xs := feed(t, stage, drop("a.csv", "A"), drop("b.csv", "B")); len(xs) != 4 || xs[0].Request.Head.Get(":name") != "a.csv" || xs[2].Request.Head.Get(":name") != "b.csv" {
		t.Errorf("%s", outline(t, xs))
	}
	if diff := cmp.Diff(map[string][]byte{"job 1/7": []byte("A"), "job 2/7": []byte("B")}, server.jobs); diff != "" {
		t.Error(diff)
	}
}

func TestRemoteJobsThatGiveNothing(t *testing.T) {
	for _, tt := range []struct {
		why   string
		set   func(*jobServer, *harness.RemoteSpec)
		class harness.Class
		want  string
	}{
		{"a job that fails", func(s *jobServer, _ *harness.RemoteSpec) { s.fail = true }, harness.ClassCannotRun, `it ended as "failed": term\x1b[31m unknown`},
		{"a job that is never done", func(s *jobServer, r *harness.RemoteSpec) {
			s.never, r.Timeout = true, harness.Duration(100*time.Millisecond)
		}, harness.ClassCannotRun, "it was not done within 100ms, after "},
		{"a server that stays busy", func(s *jobServer, r *harness.RemoteSpec) {
			s.busy, r.Timeout = 1e9, harness.Duration(100*time.Millisecond)
		}, harness.ClassCannotRun, "it was not done within 100ms, after "},
		{"a dead host", func(s *jobServer, _ *harness.RemoteSpec) { s.Close() }, harness.ClassCannotRun, "send registrations.csv at http://127.0.0.1:"},
		{"a host that is not named", func(_ *jobServer, r *harness.RemoteSpec) { r.Base = "https://ipaas-test.example/api" }, harness.ClassRefused, "ipaas-test.example"},
		{"a wrong token", func(_ *jobServer, r *harness.RemoteSpec) { r.Head = nil }, harness.ClassCannotRun, "send registrations.csv: PUT /api/files/registrations.csv answered 401 Unauthorized"},
		{"no such path", func(_ *jobServer, r *harness.RemoteSpec) { r.Trigger.Path = "/job" }, harness.ClassCannotRun, "trigger job: POST /api/job answered 404 Not Found"},
		{"no id", func(_ *jobServer, r *harness.RemoteSpec) { r.Trigger.ID = at("response.body.id") }, harness.ClassCannotRun, "read id of the job: the answer 202 Accepted has 0 values at response.body.id"},
		{"no state", func(_ *jobServer, r *harness.RemoteSpec) { r.Poll.At = at("response.body.files[*].href") }, harness.ClassCannotRun, "read state of the job: the answer 200 OK has 2 values at response.body.files[*].href"},
		{"no outputs", func(_ *jobServer, r *harness.RemoteSpec) { r.Fetch[1].Each = at("response.body.outputs[*]") }, harness.ClassCannotRun, "fetch outputs: the last answer has nothing at response.body.outputs[*]"},
		{"an output on another host", func(_ *jobServer, r *harness.RemoteSpec) { r.Fetch[1].Path = "https://files.example/{each}" }, harness.ClassRefused, "the job names an output on another host, files.example"},
	} {
		server := newJobServer(t)
		spec := server.recipe()
		tt.set(server, spec)
		stage := start(t, harness.TargetSpec{Remote: spec}, testEnv(t))
		err := stage.Feed(t.Context(), []harness.Exchange{drop("registrations.csv", "ID\n1\n")}, harness.NewMemory(harness.Manifest{}))
		if err == nil || harness.ClassOf(err) != tt.class || !strings.Contains(err.Error(), tt.want) || harness.HintOf(err) == "" || strings.Contains(err.Error(), "swordfish") {
			t.Errorf("%s: class %v, %v, hint %q; want %s", tt.why, harness.ClassOf(err), err, harness.HintOf(err), tt.want)
		}
	}
}

func TestRemoteRecipesThatAreNone(t *testing.T) {
	server := newJobServer(t)
	for why, set := range map[string]func(*harness.RemoteSpec){
		"no base":             func(r *harness.RemoteSpec) { r.Base = "ipaas-test.example" },
		"credentials in base": func(r *harness.RemoteSpec) { r.Base = "https://me:secret@ipaas-test.example" },
		"nobody receives":     func(r *harness.RemoteSpec) { r.To = "" },
		"no trigger":          func(r *harness.RemoteSpec) { r.Trigger.Path = "" },
		"nothing to fetch":    func(r *harness.RemoteSpec) { r.Fetch = nil },
		"no end":              func(r *harness.RemoteSpec) { r.Poll.Done = nil },
		"an unknown word":     func(r *harness.RemoteSpec) { r.Poll.Path = "/jobs/{job}" },
		"an unknown secret":   func(r *harness.RemoteSpec) { r.Head["X"] = "{secret.key}" },
	} {
		spec := server.recipe()
		set(spec)
		if _, err := New(harness.TargetSpec{Remote: spec}); err == nil || harness.HintOf(err) == "" {
			t.Errorf("%s: %v", why, err)
		}
	}
	spec := server.recipe()
	spec.Secrets["token"] = "env:NOT_SET_ANYWHERE"
	target, err := New(harness.TargetSpec{Remote: spec})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := target.Start(t.Context(), testEnv(t)); err == nil || !strings.Contains(err.Error(), "NOT_SET_ANYWHERE") {
		t.Errorf("a secret that is not set: %v", err)
	}
}
