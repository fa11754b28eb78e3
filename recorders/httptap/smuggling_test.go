package httptap

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/httpwire"
)

// framings is a small grammar of requests whose parts disagree about where a body ends. Every combination is sent.
var framings = struct{ lengths, codings, prefixes, colons, ends []string }{
	lengths:  []string{"", "3", "+3", "03", "3, 3", "3\r\nContent-Length: 3", "3\r\nContent-Length: 28", "28", "-3", "0x3"},
	codings:  []string{"", "chunked", "CHUNKED", "\tchunked ", "\vchunked", "gzip, chunked", "chunked, identity", "identity", "chunked\r\nTransfer-Encoding: chunked"},
	prefixes: []string{"", " "},               // before the field that frames
	colons:   []string{": ", " : ", ":\r\n "}, // of the field that frames
	ends:     []string{"\r\n", "\n"},          // of the lines of the head
}

// framedBodies are what stands behind the head; NEXT becomes a request line that must not be taken for a request when
// it is a part of the body.
var framedBodies = []struct {
	why, bytes string
	broken     bool // never a whole body in chunks
}{
	{"three bytes, then a request", "abcNEXT\r\nHost: a.example\r\n\r\n", true},
	{"whole chunks, then a request", "3\r\nabc\r\n0\r\n\r\nNEXT\r\nHost: a.example\r\n\r\n", false},
	{"whole chunks with bare line feeds, then a request", "3\nabc\n0\n\nNEXT\r\nHost: a.example\r\n\r\n", true},
	{"no last chunk", "3\r\nabc\r\n", true},
	{"a chunk longer than its size", "2\r\nabc\r\n0\r\n\r\nNEXT\r\nHost: a.example\r\n\r\n", true},
}

// crossing is one request as one side of the tap knows it.
type crossing struct{ path, body string }

// strictOrigin is a server with a reader of its own. It takes only what can be read in one way, and answers.
type strictOrigin struct {
	mu    sync.Mutex
	heads map[string][]string   // paths by case
	whole map[string][]crossing // whose bodies ended, by case
	wrong []string              // what a server could read in two ways
}

func caseOf(path string) string {
	n, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return n
}

func (o *strictOrigin) serve(c net.Conn, r *bufio.Reader) {
	for {
		head := skipHead(r)
		if !strings.HasSuffix(head, "\r\n\r\n") {
			if head != "" {
				o.complain("head that breaks off: %q", head)
			}
			return
		}
		path, body, whole := o.read(head, r)
		if !whole {
			return
		}
		o.mu.Lock()
		o.whole[caseOf(path)] = append(o.whole[caseOf(path)], crossing{path, body})
		o.mu.Unlock()
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	}
}

func (o *strictOrigin) complain(format string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.wrong = append(o.wrong, fmt.Sprintf(format, args...))
}

func (o *strictOrigin) read(head string, r *bufio.Reader) (path, body string, whole bool) {
	raw, ok := httpwire.ParseHead([]byte(head))
	if words := strings.Fields(raw.Start); ok && len(words) == 3 {
		path = words[1]
	}
	o.mu.Lock()
	o.heads[caseOf(path)] = append(o.heads[caseOf(path)], path)
	o.mu.Unlock()
	lengths, codings := raw.Fields.Values("Content-Length"), raw.Fields.Values("Transfer-Encoding")
	var from io.Reader = strings.NewReader("")
	switch n, err := strconv.ParseUint(strings.Join(lengths, ","), 10, 32); {
	case len(lengths)+len(codings) > 1, len(codings) == 1 && codings[0] != "chunked", len(lengths) == 1 && err != nil:
		o.complain("length %q with coding %q", lengths, codings)
		return path, "", false
	case len(codings) == 1:
		from = httputil.NewChunkedReader(r)
	case len(lengths) == 1:
		from = io.LimitReader(r, int64(n))
		defer func() { whole = whole && len(body) == int(n) }()
	}
	b, err := io.ReadAll(from)
	if err == nil && len(codings) == 1 {
		for line := ""; line != "\r\n" && err == nil; { // trailers
			line, err = r.ReadString('\n')
		}
	}
	return path, string(b), err == nil
}

// framedRequests is the language of framings, each with the number of its case as its path. Behind each stands a request
// that ends the connection: whoever waits for a body is given enough, and whoever is in step answers it and closes, so
// that a sender sees the end of each case without a clock.
func framedRequests() (requests []string, bodies []int) {
	field := func(name, colon, value string) string {
		if value == "" {
			return ""
		}
		return name + colon + value + "\r\n"
	}
	for _, length := range framings.lengths {
		for _, coding := range framings.codings {
			for _, prefix := range framings.prefixes {
				for _, colon := range framings.colons {
					framing := field("Content-Length", ": ", length) + field(prefix+"Transfer-Encoding", colon, coding)
					if coding == "" {
						framing = field(prefix+"Content-Length", colon, length)
					}
					for _, end := range framings.ends {
						for b, body := range framedBodies {
							n := len(requests)
							head := fmt.Sprintf("POST /%d HTTP/1.1\r\nHost: a.example\r\n%s\r\n", n, framing)
							requests = append(requests, strings.ReplaceAll(head, "\r\n", end)+
								strings.ReplaceAll(body.bytes, "NEXT", fmt.Sprintf("GET /%d/next HTTP/1.1", n))+
								fmt.Sprintf("GET /%d/last HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n", n))
							bodies = append(bodies, b)
						}
					}
				}
			}
		}
	}
	return requests, bodies
}

func TestNothingIsSmuggledPastTheRecording(t *testing.T) {
	origin := &strictOrigin{heads: map[string][]string{}, whole: map[string][]crossing{}}
	var mu sync.Mutex
	hooked := map[string]int{}
	rec := record(t, rawUpstream(t, origin.serve), func(tap *Tap) {
		tap.Session = func(r *http.Request) string {
			mu.Lock()
			defer mu.Unlock()
			hooked[caseOf(r.RequestURI)]++
			return ""
		}
	})
	requests, bodies := framedRequests()
	if len(requests) < 2000 {
		t.Fatalf("%d cases", len(requests))
	}
	var senders sync.WaitGroup
	const workers = 48 // they wait most of the time
	for worker := range workers {
		senders.Go(func() {
			for n := worker; n < len(requests); n += workers {
				if err := sendRaw(rec.url, requests[n]); err != nil {
					t.Errorf("case %d: %v: %q", n, err, requests[n])
				}
			}
		})
	}
	senders.Wait()
	if err := rec.stop(); err != nil {
		t.Fatal(err)
	}
	origin.mu.Lock()
	defer origin.mu.Unlock()
	if len(origin.wrong) > 0 {
		t.Errorf("the upstream got %d heads that can be read in two ways, the first with %s", len(origin.wrong), origin.wrong[0])
	}
	put, whole := recordedCases(t, rec.sink)
	accepted := 0
	for n, request := range requests {
		id := strconv.Itoa(n)
		if hooked[id] != put[id] || len(origin.heads[id]) > put[id] {
			t.Errorf("the tap saw %d requests, recorded %d, the upstream got %q: %q", hooked[id], put[id], origin.heads[id], request)
		}
		if !slices.Equal(whole[id], origin.whole[id]) {
			t.Errorf("the recording has the whole %v, the upstream got the whole %v: %q", whole[id], origin.whole[id], request)
		}
		for _, x := range whole[id] {
			chunked := strings.Contains(strings.ToLower(request), "chunked")
			if broken := chunked && framedBodies[bodies[n]].broken; broken && x.path == "/"+id {
				t.Errorf("%s is recorded as the whole body %q: %q", framedBodies[bodies[n]].why, x.body, request)
			}
			accepted++
		}
	}
	t.Logf("%d whole requests in %d cases", accepted, len(requests))
	if accepted < 250 || accepted > 3*len(requests) {
		t.Errorf("%d requests of %d cases were whole: the grammar tests nothing", accepted, len(requests))
	}
	for id := range origin.heads {
		if n, err := strconv.Atoi(id); err != nil || n >= len(requests) {
			t.Errorf("the upstream got a request that nobody sent: %q", id)
		}
	}
}

// sendRaw sends the bytes on a connection of their own and reads until the tap closes it.
func sendRaw(url, request string) error {
	const stuck = 60 * time.Second // the tap waits for something that the grammar does not have
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(stuck))
	if _, err := io.WriteString(conn, request); err != nil {
		return nil // refused before its end
	}
	if _, err := io.Copy(io.Discard, conn); isTimeout(err) {
		return err
	}
	return nil
}

// recordedCases counts the exchanges that were put by case, and returns those without fault.
func recordedCases(t *testing.T, mem *harness.Memory) (put map[string]int, whole map[string][]crossing) {
	t.Helper()
	xs, err := harness.Collect(mem)
	if err != nil {
		t.Fatal(err)
	}
	put, whole = map[string]int{}, map[string][]crossing{}
	for _, x := range xs {
		path := x.Request.Head.Get(harness.FieldPath)
		put[caseOf(path)]++
		if x.Fault == nil {
			whole[caseOf(path)] = append(whole[caseOf(path)], crossing{path, bodyOf(t, x.Request)})
		}
	}
	return put, whole
}
