package httptap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

// all returns the exchanges that are held.
func all(t *testing.T, mem *harness.Memory) []harness.Exchange {
	t.Helper()
	xs, err := harness.Collect(mem)
	if err != nil {
		t.Fatal(err)
	}
	return xs
}

// inside is a sink in memory and what records into it.
func inside() (*harness.Memory, Inside) {
	mem := harness.NewMemory(harness.Manifest{})
	return mem, Inside{Sink: mem, From: "crm", To: "sis"}
}

func TestTransportRecordsWhatTheProgramSendsAndIsAnswered(t *testing.T) {
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		w.Header().Set("Trailer", "X-Sum")
		w.WriteHeader(201)
		fmt.Fprintf(w, `{"got":%d}`, len(b))
		w.Header().Set("X-Sum", "7")
	})
	mem, o := inside()
	o.Session = SessionByHeader("X-Run")
	c := &http.Client{Transport: Transport(client(t).Transport, o)}
	req, _ := http.NewRequest("POST", up+"/applications/A-17?q=a%2Fb", strings.NewReader(`{"n":3.50}`))
	req.Header.Set("X-Run", "night-1")
	req.Header.Set("Content-Type", "Application/JSON")
	if _, body := fetch(t, c, req); string(body) != `{"got":10}` {
		t.Fatalf("the program got %s", body)
	}
	xs := all(t, mem)
	if len(xs) != 1 {
		t.Fatalf("%d exchanges", len(xs))
	}
	x := xs[0]
	wantFault(t, x, "")
	got := []string{x.From, x.To, x.Session, x.Operation(), x.Request.Head.Get(":path"), x.Request.Head.Get("Host"), x.Request.Media, bodyOf(t, x.Request),
		fmt.Sprint(x.Status()), x.Response.Media, bodyOf(t, x.Response)}
	want := []string{"crm", "sis", "night-1", "POST /applications/{}", "/applications/A-17?q=a%2Fb", strings.TrimPrefix(up, "http://"), "application/json", `{"n":3.50}`,
		"201", "application/json", `{"got":10}`}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if _, trailer := x.Response.Head.CutTrailer(); trailer.Get("X-Sum") != "7" {
		t.Errorf("trailer %v", trailer)
	}
}

func TestTransportRecordsFaults(t *testing.T) {
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/breaks":
			w.Header().Set("Content-Length", "10")
			io.WriteString(w, "part")
			panic(http.ErrAbortHandler)
		case "/hangs":
			<-r.Context().Done()
		case "/long":
			io.WriteString(w, strings.Repeat("x", 100_000))
		}
	})
	refuses, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refuses.Close()
	for _, c := range []struct {
		why, url, fault string
		use             func(ctx context.Context, cancel func(), do func(context.Context) (*http.Response, error)) error
	}{
		{"the connection breaks", up + "/breaks", harness.FaultReset, nil},
		{"nobody listens", "http://" + refuses.Addr().String(), harness.FaultUnreachable, nil},
		{"the program gives up", up + "/hangs", harness.FaultClientGone, func(ctx context.Context, cancel func(), do func(context.Context) (*http.Response, error)) error {
			cancel()
			_, err := do(ctx)
			return err
		}},
		{"the program closes the body early", up + "/long", harness.FaultTruncated, func(ctx context.Context, _ func(), do func(context.Context) (*http.Response, error)) error {
			resp, err := do(ctx)
			if err != nil {
				return err
			}
			resp.Body.Close()
			return errors.New("closed early")
		}},
	} {
		mem, o := inside()
		h := &http.Client{Transport: Transport(client(t).Transport, o)}
		do := func(ctx context.Context) (*http.Response, error) {
			req, _ := http.NewRequestWithContext(ctx, "GET", c.url, nil)
			return h.Do(req)
		}
		ctx, cancel := context.WithCancel(t.Context())
		use := c.use
		if use == nil {
			use = func(ctx context.Context, _ func(), do func(context.Context) (*http.Response, error)) error {
				resp, err := do(ctx)
				if err != nil {
					return err
				}
				defer resp.Body.Close()
				_, err = io.ReadAll(resp.Body)
				return err
			}
		}
		if err := use(ctx, cancel, do); err == nil {
			t.Errorf("%s: no error", c.why)
		}
		cancel()
		xs := all(t, mem)
		if len(xs) != 1 || xs[0].Fault == nil || xs[0].Fault.Kind != c.fault {
			t.Errorf("%s: recorded %+v", c.why, xs)
		}
	}
}

func TestMiddlewareRecordsWhatTheHandlerAnswers(t *testing.T) {
	mem, o := inside()
	s := httptest.NewServer(Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/breaks":
			io.WriteString(w, "part")
			panic(http.ErrAbortHandler)
		case "/taken":
			c, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			c.Close()
		default:
			w.Header().Set("Content-Type", "text/plain")
			w.(http.Flusher).Flush()
			w.Header().Set(http.TrailerPrefix+"X-Sum", "7")
			fmt.Fprintf(w, "%s %s", r.Method, b)
		}
	}), o))
	for _, path := range []string{"/breaks", "/taken", "/fine"} {
		if resp, err := http.Post(s.URL+path, "text/plain", strings.NewReader("abc")); err == nil {
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	}
	s.Close()
	waitFor(t, "the handler that took over its connection", func() bool { return mem.Manifest().Counts.Seen == 3 })
	faults := map[string]string{"/breaks": harness.FaultReset, "/taken": harness.FaultTruncated, "/fine": ""}
	xs := all(t, mem)
	if len(xs) != len(faults) {
		t.Fatalf("%d exchanges", len(xs))
	}
	for _, x := range xs {
		path := x.Request.Head.Get(":path")
		wantFault(t, x, faults[path])
		if bodyOf(t, x.Request) != "abc" {
			t.Errorf("%s: request body %q", path, bodyOf(t, x.Request))
		}
		_, trailer := x.Response.Head.CutTrailer()
		if path == "/fine" && (bodyOf(t, x.Response) != "POST abc" || x.Response.Media != "text/plain" || trailer.Get("X-Sum") != "7") {
			t.Errorf("answer %q, %v", bodyOf(t, x.Response), x.Response.Head)
		}
	}
}

func TestInsideLeavesOutWhatTheFilterSays(t *testing.T) {
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) {})
	mem, o := inside()
	o.Filter = Filter{NotPaths: []string{"/health"}}
	c := &http.Client{Transport: Transport(client(t).Transport, o)}
	for _, path := range []string{"/health", "/students"} {
		req, _ := http.NewRequest("GET", up+path, nil)
		fetch(t, c, req)
	}
	if xs := all(t, mem); len(xs) != 1 || xs[0].Request.Head.Get(":path") != "/students" {
		t.Errorf("recorded %+v", xs)
	}
}
