package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/recordtest"
)

var _ harness.Recorder = (*Recorder)(nil)

const patience = 60 * time.Second

// service is a fake of S3 in which a test may change the answers.
type service struct {
	*httptest.Server
	backend gofakes3.Backend
	before  func(w http.ResponseWriter, r *http.Request) (done bool)
}

func serve(t *testing.T) *service {
	t.Helper()
	s := &service{backend: s3mem.New()}
	fake := gofakes3.New(s.backend).Server()
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.before == nil || !s.before(w, r) {
			fake.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(s.Close)
	recordtest.Must(t, s.backend.CreateBucket("drop"))
	return s
}

func (s *service) put(t *testing.T, key, content string) {
	t.Helper()
	_, err := s.backend.PutObject("drop", key, map[string]string{}, strings.NewReader(content), int64(len(content)), nil)
	recordtest.Must(t, err)
}

// running is a recorder that runs.
type running struct {
	t    *testing.T
	mem  *harness.Memory
	stop func() error
}

func start(t *testing.T, s *service, r *Recorder) *running {
	t.Helper()
	r.Endpoint, r.Bucket, r.From, r.To = s.URL, "drop", "sis", "lms"
	if r.Every == 0 {
		r.Every = time.Hour // the test stops the recording, which looks a last time
	}
	recordtest.Must(t, r.Open(t.Context()))
	mem := harness.NewMemory(harness.Manifest{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Record(ctx, mem) }()
	stop := sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(patience):
			return errors.New("Record does not end")
		}
	})
	t.Cleanup(func() { stop() }) //nolint:errcheck // a test that wants to know asks
	return &running{t, mem, stop}
}

// told ends the recording and returns name, content and fault of what it holds. The account must be right.
func (r *running) told() []string {
	r.t.Helper()
	recordtest.Must(r.t, r.stop())
	all, err := harness.Collect(r.mem)
	recordtest.Must(r.t, err)
	var lines []string
	for _, x := range all {
		content, _ := x.Request.Body.Bytes()
		line := fmt.Sprintf("%s>%s %s %q", x.From, x.To, x.Request.Head.Get(harness.FieldName), content)
		if x.Fault != nil {
			line += " " + x.Fault.Kind + ": " + x.Fault.Detail
		}
		lines = append(lines, line)
	}
	if c := r.mem.Manifest().Counts; c.Seen != c.Recorded+c.Incomplete+c.Dropped || c.Recorded+c.Incomplete != len(all) {
		r.t.Errorf("counts %+v with %d exchanges", c, len(all))
	}
	return lines
}

func (r *running) await(n int) {
	r.t.Helper()
	for deadline := time.Now().Add(patience); r.mem.Manifest().Counts.Seen < n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("%d exchanges seen, want %d", r.mem.Manifest().Counts.Seen, n)
		}
	}
}

func TestObjectsThatAreNewOrChangedAreRecorded(t *testing.T) {
	s := serve(t)
	s.put(t, "in/old.csv", "old")
	s.put(t, "in/changed.csv", "before")
	r := start(t, s, &Recorder{Prefix: "in/", Every: time.Millisecond})
	s.put(t, "in/a b+c/Zoë.csv", "id\n1\n")
	r.await(1)
	s.put(t, "in/changed.csv", "after!")
	r.await(2)
	s.put(t, "out/other.csv", "not below the prefix")
	s.put(t, "in/folder/", "")
	s.put(t, "in/empty.ctl", "")
	r.await(3)
	want := []string{`sis>lms in/a b+c/Zoë.csv "id\n1\n"`, `sis>lms in/changed.csv "after!"`, `sis>lms in/empty.ctl ""`}
	if diff := cmp.Diff(want, r.told()); diff != "" {
		t.Error(diff)
	}
}

func TestObjectsThatAreThereCountWhenTheyAreWanted(t *testing.T) {
	s := serve(t)
	const many = 1200 // more than a page
	for i := range many {
		s.put(t, fmt.Sprintf("%05d", i), "x")
	}
	if got := start(t, s, &Recorder{Existing: true}).told(); len(got) != many {
		t.Errorf("%d objects, want %d", len(got), many)
	}
}

func TestWhatDoesNotCrossWholeIsAFaultOrCounted(t *testing.T) {
	isObject := func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/a.csv") }
	fail := func(status int) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if isObject(r) {
				w.WriteHeader(status)
			}
			return isObject(r)
		}
	}
	for _, tt := range []struct {
		why     string
		before  func(http.ResponseWriter, *http.Request) bool
		want    []string
		dropped string
	}{
		{"too large", nil, []string{`sis>lms a.csv "0123" truncated: the object has 10 bytes, of which 4 are kept`}, ""},
		{"vanished", fail(404), nil, DropVanished},
		{"may not be read", fail(403), nil, DropUnreadable},
		{"replaced meanwhile, in every look", fail(412), nil, ""},
		{"broken off", func(w http.ResponseWriter, r *http.Request) bool {
			if isObject(r) {
				w.Header().Set("Content-Length", "10")
				w.Write([]byte("01")) //nolint:errcheck // the test sees it
			}
			return isObject(r)
		}, []string{`sis>lms a.csv "01" reset: the object has 10 bytes, of which 2 came`}, ""},
	} {
		t.Run(tt.why, func(t *testing.T) {
			s := serve(t)
			s.before = tt.before
			r := start(t, s, &Recorder{MaxBody: 4, Existing: true})
			s.put(t, "a.csv", "0123456789")
			if diff := cmp.Diff(tt.want, r.told()); diff != "" {
				t.Error(diff)
			}
			if tt.dropped != "" && r.mem.Manifest().Counts.Reasons[tt.dropped] != 1 {
				t.Errorf("dropped %v", r.mem.Manifest().Counts.Reasons)
			}
		})
	}
}

func TestPackedObjectsStayPacked(t *testing.T) {
	s := serve(t)
	packed := "\x1f\x8b\x08packed"
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, ".gz") {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write([]byte(packed)) //nolint:errcheck // the test sees it
		}
		return strings.HasSuffix(r.URL.Path, ".gz")
	}
	r := start(t, s, &Recorder{})
	s.put(t, "a.gz", packed)
	if diff := cmp.Diff([]string{fmt.Sprintf("sis>lms a.gz %q", packed)}, r.told()); diff != "" {
		t.Error(diff)
	}
}

func TestServicesThatCannotBeListedAreToldAtOnce(t *testing.T) {
	answer := func(status int, text string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(status)
			w.Write([]byte(text)) //nolint:errcheck // the test sees it
			return true
		}
	}
	for _, tt := range []struct {
		why    string
		r      *Recorder
		before func(http.ResponseWriter, *http.Request) bool
		class  harness.Class
		want   string
	}{
		{"no URL", &Recorder{Endpoint: "s3.example"}, nil, harness.ClassUsage, "is not the address of a service"},
		{"no bucket", &Recorder{Bucket: "a/b"}, nil, harness.ClassUsage, "is not the name of a bucket"},
		{"no such bucket", &Recorder{Bucket: "none"}, nil, harness.ClassCannotRun, "NoSuchBucket"},
		{"nobody there", &Recorder{Endpoint: "http://127.0.0.1:1"}, nil, harness.ClassCannotRun, "connection refused"},
		{"not allowed", &Recorder{}, answer(403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>"), harness.ClassCannotRun, "AccessDenied"},
		{"another region", &Recorder{}, answer(301, ""), harness.ClassCannotRun, "status 301"},
		{"no list", &Recorder{}, answer(200, "<html>"), harness.ClassCannotRun, "no list of objects"},
		{"endless list", &Recorder{}, answer(200, "<ListBucketResult>"+strings.Repeat(" ", longestList)), harness.ClassCannotRun, "more than"},
		{"cut list", &Recorder{}, answer(200, "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"), harness.ClassCannotRun, "where it goes on"},
		{"too many objects", &Recorder{MaxObjects: 1}, answer(200, "<ListBucketResult><Contents><Key>a</Key></Contents><Contents><Key>b</Key></Contents></ListBucketResult>"), harness.ClassCannotRun, "more than 1 objects"},
		{"a key in wrong form", &Recorder{}, answer(200, "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>%zz</Key></Contents></ListBucketResult>"), harness.ClassCannotRun, "wrong form"},
	} {
		t.Run(tt.why, func(t *testing.T) {
			s := serve(t)
			s.before = tt.before
			r := tt.r
			if r.Endpoint == "" {
				r.Endpoint = s.URL
			}
			if r.Bucket == "" {
				r.Bucket = "drop"
			}
			err := r.Open(t.Context())
			if err == nil || harness.ClassOf(err) != tt.class || harness.HintOf(err) == "" || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v of class %v, hint %q", err, harness.ClassOf(err), harness.HintOf(err))
			}
		})
	}
}

func TestLastLookThatFailsEndsInAnError(t *testing.T) {
	s := serve(t)
	r := start(t, s, &Recorder{})
	s.Close()
	if err := r.stop(); harness.ClassOf(err) != harness.ClassCannotRun || !strings.Contains(err.Error(), "list bucket drop") {
		t.Errorf("error %v", err)
	}
}

// The examples are those of the documentation of Amazon S3, "Examples: Signature Calculations".
func TestSignatureIsThatOfTheDocumentation(t *testing.T) {
	c := Credentials{ID: "AKIAIOSFODNN7EXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
	for _, tt := range []struct{ url, field, want string }{
		{"https://examplebucket.s3.amazonaws.com/test.txt", "bytes=0-9", "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
		{"https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J", "", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
	} {
		r, err := http.NewRequest(http.MethodGet, tt.url, nil)
		recordtest.Must(t, err)
		if tt.field != "" {
			r.Header.Set("Range", tt.field)
		}
		c.sign(r, "us-east-1", time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC))
		if got := r.Header.Get("Authorization"); !strings.HasSuffix(got, "Signature="+tt.want) {
			t.Errorf("%s: %s", tt.url, got)
		}
	}
	r, _ := http.NewRequest(http.MethodGet, "http://127.0.0.1/", nil)
	if (Credentials{}).sign(r, "", time.Now()); len(r.Header) > 0 {
		t.Errorf("without a key: %v", r.Header)
	}
	if Credentials.sign(Credentials{"a", "b", "session"}, r, "", time.Now()); r.Header.Get("X-Amz-Security-Token") != "session" {
		t.Error("the token of the session is missing")
	}
}

func TestSecretsAreInNoRequestAndNoError(t *testing.T) {
	s := serve(t)
	var seen bytes.Buffer
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		r.Write(&seen) //nolint:errcheck // into memory
		w.WriteHeader(http.StatusForbidden)
		return true
	}
	r := &Recorder{Endpoint: s.URL, Bucket: "drop", Credentials: Credentials{ID: "KEY", Secret: "hurons"}}
	err := r.Open(t.Context())
	if err == nil || strings.Contains(seen.String()+err.Error(), "hurons") || !strings.Contains(seen.String(), "Credential=KEY/") {
		t.Errorf("error %v, request %s", err, seen.String())
	}
}

func TestRecorderLeavesNothingBehind(t *testing.T) {
	record := func(t *testing.T) {
		s := serve(t)
		r := start(t, s, &Recorder{Transport: &http.Transport{}})
		s.put(t, "a", "b")
		if got := r.told(); len(got) != 1 {
			t.Errorf("recorded %q", got)
		}
	}
	t.Run("", record)
	base := runtime.NumGoroutine()
	for range 10 {
		t.Run("", record)
	}
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > base; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), base)
		}
	}
}
