package shrink

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// registrar is a server with a memory. A registration fails when three calls of three sessions come together with it,
// and when its own fields do.
type registrar struct {
	mu       sync.Mutex
	tokens   map[string]bool
	strict   map[string]bool   // term
	students map[string]string // ID → residency
}

func (r *registrar) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	var body map[string]string
	if q.Method != http.MethodGet {
		if err := json.NewDecoder(q.Body).Decode(&body); err != nil {
			body = nil
		}
	}
	status, answer := r.answer(q, body)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	io.WriteString(w, answer) //nolint:errcheck // the client sees it
}

func (r *registrar) answer(q *http.Request, body map[string]string) (int, string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch path := q.URL.Path; {
	case path == "/login":
		r.tokens["t-"+body["user"]] = true
		return 200, fmt.Sprintf(`{"token":"t-%s"}`, body["user"])
	case strings.HasPrefix(path, "/terms/"):
		r.strict[strings.TrimPrefix(path, "/terms/")] = body["mode"] == "strict"
		return 200, `{}`
	case path == "/students":
		r.students[body["id"]] = body["residency"]
		return 201, `{}`
	case path != "/registrations":
		return 200, `[]`
	case !r.tokens[strings.TrimPrefix(q.Header.Get("Authorization"), "Bearer ")]:
		return 401, `{"error":"who are you"}`
	}
	residency, known := r.students[body["ID"]]
	switch {
	case !known:
		return 404, `{"error":"no such student"}`
	case r.strict["202710"] && residency == "IN" && body["RSTS"] == "RH" && len(body["CREDITS"]) > 3:
		return 500, fmt.Sprintf(`{"error":"fee table: no row for %s at 0x%x"}`, body["CREDITS"], time.Now().UnixNano())
	}
	return 201, `{}`
}

// fed replays exchanges over a connection of loopback, to a registrar of their own.
func fed(ctx context.Context, list []harness.Exchange) (harness.Recording, error) {
	server := httptest.NewServer(&registrar{tokens: map[string]bool{}, strict: map[string]bool{}, students: map[string]string{}})
	defer server.Close()
	client := server.Client()
	out := harness.NewMemory(harness.Manifest{})
	for _, x := range list {
		body, err := x.Request.Body.Bytes()
		if err != nil {
			return nil, err
		}
		q, err := http.NewRequestWithContext(ctx, x.Request.Head.Get(":method"), server.URL+x.Request.Head.Get(":path"), bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		for _, f := range x.Request.Head {
			if !f.IsPseudo() {
				q.Header.Set(f.Name, f.Value)
			}
		}
		a, err := client.Do(q)
		if err != nil {
			return nil, err
		}
		b, err := io.ReadAll(a.Body)
		if err != nil {
			return nil, err
		}
		a.Body.Close()
		x.Response = harness.Message{Head: harness.Head{{Name: ":status", Value: fmt.Sprint(a.StatusCode)}}, Media: "application/json", Body: harness.BytesBody(b)}
		out.Put(x) //nolint:errcheck // memory keeps everything
	}
	return out, nil
}

// thousands is sessions of five exchanges: a login, a change of a term, a student, a look, a registration. The failure is
// the last call of a late session; it needs one of an early session and one of a session between them.
func thousands(sessions int) *harness.Memory {
	early, between, late := sessions*3/20, sessions*11/20, sessions*17/20
	rec := harness.NewMemory(harness.Manifest{})
	put := func(session int, method, path string, body map[string]string) {
		head := harness.Head{{Name: ":method", Value: method}, {Name: ":path", Value: path}, {Name: "Content-Type", Value: "application/json"},
			{Name: "Authorization", Value: fmt.Sprintf("Bearer t-u%d", session)}, {Name: "X-Request-ID", Value: fmt.Sprintf("r-%d-%s", session, method)}}
		b, _ := json.Marshal(body)
		status := "200"
		if path == "/registrations" && session == late {
			status = "500"
		}
		answer := harness.Message{Head: harness.Head{{Name: ":status", Value: status}}, Media: "application/json", Body: harness.BytesBody([]byte(`{"error":"fee table: no row for 12.50 at 0x17"}`))}
		rec.Put(harness.Exchange{Session: fmt.Sprintf("s%d", session), Channel: harness.ChannelHTTP, From: "hub", To: "sis", //nolint:errcheck // memory
			Request: harness.Message{Head: head, Media: "application/json", Body: harness.BytesBody(b)}, Response: answer})
	}
	for i := range sessions {
		term, residency, status, credits, student := fmt.Sprintf("2026%02d", i%50), "IS", "RE", "3.0", i
		switch i {
		case early:
			term = "202710"
		case between:
			residency = "IN"
		case late:
			status, credits, student = "RH", "12.50", between
		}
		put(i, "POST", "/login", map[string]string{"user": fmt.Sprintf("u%d", i), "locale": "en-US", "client": "hub"})
		put(i, "PUT", "/terms/"+term, map[string]string{"mode": "strict", "title": "Term", "note": "set by the registrar", "from": "2026-08-24"})
		put(i, "POST", "/students", map[string]string{"id": fmt.Sprintf("H%08d", i), "residency": residency, "first": "Funmi", "last": "Adeyemi", "email": "f@mail.example", "birth": "2008-03-11"})
		put(i, "GET", fmt.Sprintf("/sections?term=%s&page=1", term), nil)
		put(i, "POST", "/registrations", map[string]string{"ID": fmt.Sprintf("H%08d", student), "RSTS": status, "CREDITS": credits, "TERM": "202710", "CRN": "00417", "date": "2026-10-05", "by": "web"})
	}
	return rec
}

// tokens links each call to the login of its session.
func tokens(list []harness.Exchange) ([][]int, error) {
	links, login := make([][]int, len(list)), map[string]int{}
	for i, x := range list {
		if x.Request.Head.Get(":path") == "/login" {
			login[x.Session] = i
		} else if at, ok := login[x.Session]; ok {
			links[i] = []int{at}
		}
	}
	return links, nil
}

const mostFed = 40 * 10_000 // exchanges that the search may feed: it takes time as they do, whatever the machine

func TestThousandsOfExchangesBecomeTheFewThatFail(t *testing.T) {
	replayed := 0
	var mu sync.Mutex
	began := time.Now()
	result, err := Smallest(t.Context(), Case{Recording: thousands(2000), System: "sis", Workers: 2, Links: tokens,
		Replay: func(ctx context.Context, list []harness.Exchange) (harness.Recording, error) {
			mu.Lock()
			replayed += len(list)
			mu.Unlock()
			return fed(ctx, list)
		}})
	if err != nil {
		t.Fatal(err)
	}
	fields := Fields(result.Exchanges, "sis")
	t.Logf("10000 exchanges became %d with %d fields, after %d runs that fed %d exchanges, in %s", len(result.Exchanges), fields, result.Replays, replayed, time.Since(began).Round(time.Millisecond))
	for _, x := range result.Exchanges {
		b, _ := x.Request.Body.Bytes()
		t.Logf("%s %s %s", x.Session, x.Title(), b)
	}
	if len(result.Exchanges) > 5 || fields > 10 {
		t.Errorf("%d exchanges with %d fields are left", len(result.Exchanges), fields)
	}
	if replayed > mostFed {
		t.Errorf("it fed %d exchanges, %d are allowed", replayed, mostFed)
	}
	if same, err := has(result.Failure, result.Replayed); !same || err != nil || result.Failure.Status != 500 {
		t.Errorf("%s: %v", result.Failure, err)
	}
	if len(result.Slipped) == 0 || !strings.Contains(result.Slipped[0].Failure, "no such student") && !strings.Contains(result.Slipped[0].Failure, "who are you") {
		t.Errorf("candidates fail in other ways, and it is not told: %v", result.Slipped)
	}
}

// asChild makes the test binary search as a process of its own, with a journal.
const asChild = "REHEARSE_SHRINK_JOURNAL"

func TestMain(m *testing.M) {
	name := os.Getenv(asChild)
	if name == "" {
		os.Exit(m.Run())
	}
	journal, err := OpenJournal(name, "case")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	result, err := Smallest(context.Background(), Case{Recording: thousands(100), System: "sis", Workers: 2, Links: tokens, Replay: fed, Outcomes: telling{journal}})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("done", keyOf(result.Exchanges), result.Replays, result.Remembered)
}

// telling says each outcome that is kept.
type telling struct{ *Journal }

func (j telling) Keep(key string, o Outcome) error {
	err := j.Journal.Keep(key, o)
	fmt.Println("kept", j.Len())
	return err
}

func TestAKilledSearchGoesOnAndFindsTheSame(t *testing.T) {
	dir := t.TempDir()
	search := func(journal string, killAt int) (key string, replays, remembered int) {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), asChild+"="+filepath.Join(dir, journal))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines, last := bufio.NewScanner(out), ""
		for lines.Scan() {
			if last = lines.Text(); last == fmt.Sprint("kept ", killAt) {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		err = cmd.Wait()
		if killAt > 0 {
			if err == nil {
				t.Fatal("the search ended before it was killed")
			}
			return "", 0, 0
		}
		if _, scan := fmt.Sscanf(last, "done %s %d %d", &key, &replays, &remembered); scan != nil || err != nil {
			t.Fatalf("%q: %v", last, err)
		}
		return key, replays, remembered
	}
	want, all, _ := search("whole", 0)
	search("killed", 20)
	torn, err := os.OpenFile(filepath.Join(dir, "killed"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := torn.WriteString(`{"key":"half a li`); err != nil {
		t.Fatal(err)
	}
	if err := torn.Close(); err != nil {
		t.Fatal(err)
	}
	search("killed", 50)
	got, rest, remembered := search("killed", 0)
	if got != want {
		t.Errorf("the search that went on found %s, one in a single go %s", got, want)
	}
	if remembered < 50 || rest >= all {
		t.Errorf("%d outcomes were remembered, and %d of %d replays done again", remembered, rest, all)
	}
}

func TestAJournalOfAnotherCaseIsBegunAnew(t *testing.T) {
	name := filepath.Join(t.TempDir(), "journal")
	for _, tc := range []struct {
		digest string
		known  bool
		why    string
	}{{"a", false, "there is none"}, {"a", true, "the same case"}, {"b", false, "the target changed"}, {"a", false, "it was begun anew"}} {
		j, err := OpenJournal(name, tc.digest)
		if err != nil {
			t.Fatal(err)
		}
		if _, known := j.Known("k"); known != tc.known {
			t.Errorf("%s (%s): known %v", tc.digest, tc.why, known)
		}
		if err := j.Keep("k", Outcome{Same: true}); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
