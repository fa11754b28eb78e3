package target

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// The test binary is the program under test too: "rehearse" in a run is the running binary, and its first argument
// chooses a row here.
var programs = map[string]func(args []string) error{
	"as-server": serve, "as-dying-server": func([]string) error { return errors.New("no licence") }, "as-mute-server": block,
	"as-mapper": mapOnce, "as-failing-mapper": failingMapper, "as-sleeper": block, "as-chatterer": chatter,
	"as-line-mapper": mapLines, "as-job": job, "as-printer": printEnvironment,
}

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		if run, ok := programs[os.Args[1]]; ok {
			if err := run(os.Args[2:]); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(3)
			}
			os.Exit(0)
		}
	}
	code := m.Run()
	if err := removeServerImage(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// serve answers with what it got. With a file as argument it leaves a child of its own, whose number it writes there.
func serve(args []string) error {
	if len(args) > 0 {
		child := exec.Command(os.Args[0], "as-sleeper")
		if err := child.Start(); err != nil {
			return err
		}
		if err := os.WriteFile(args[0], []byte(strconv.Itoa(child.Process.Pid)), 0o600); err != nil {
			return err
		}
	}
	l, err := net.Listen("tcp", os.Getenv("REHEARSE_LISTEN"))
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "up")
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/die":
			os.Exit(4)
		case "/env":
			fmt.Fprintln(w, strings.Join(os.Environ(), "\n"))
		default:
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			w.Header()["Date"] = nil
			fmt.Fprintf(w, `{"method":%q,"target":%q}`, r.Method, r.RequestURI)
		}
	}))
}

func block([]string) error { select {} }

func mapOnce(args []string) error {
	in, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "mapping")
	_, err = os.Stdout.Write(bytes.ToUpper(in))
	return err
}

func failingMapper([]string) error { return errors.New("no such\x1b[31m field") }

func chatter([]string) error {
	for block := bytes.Repeat([]byte("x"), 1<<20); ; {
		if _, err := os.Stdout.Write(block); err != nil {
			return err
		}
	}
}

// mapLines speaks the jsonl protocol; the input chooses what it does.
func mapLines(args []string) error {
	if slices.Contains(args, "dead") {
		return errors.New("module not found")
	}
	in, out := bufio.NewReader(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return nil
		}
		var r Request
		if err := json.Unmarshal(line, &r); err != nil {
			return err
		}
		if r.Input.Body == nil {
			out.Encode(map[string]any{"id": r.ID, "outputB64": r.Input.B64, "logs": []string{"bytes"}})
			continue
		}
		switch body := *r.Input.Body; body {
		case "die":
			return errors.New("segmentation fault")
		case "hang":
			select {}
		case "refuse":
			out.Encode(map[string]any{"id": r.ID, "error": "term unknown"})
		case "nothing":
			out.Encode(map[string]any{"id": r.ID, "output": nil})
		case "bad gateway":
			out.Encode(map[string]any{"id": r.ID, "output": r.Input.Method + " " + r.Input.Path, "status": 502, "contentType": "text/plain; charset=utf-8"})
		case "status 1":
			out.Encode(map[string]any{"id": r.ID, "output": "x", "status": 1})
		case "value":
			fmt.Printf("{\"id\":%q,\"output\":{\"gpa\": 3.50}}\n", r.ID)
		case "other id":
			out.Encode(map[string]any{"id": "m-0", "output": "x"})
		case "talk":
			fmt.Println("Loading modules …")
		default:
			out.Encode(map[string]any{"id": r.ID, "output": strings.ToUpper(body) + " " + r.Input.ContentType + " " + r.Vars["now"], "logs": []string{"mapped"}})
		}
	}
}

// job copies every file of in to out in upper case; arguments choose variants.
func job(args []string) error {
	if len(args) > 0 && args[0] == "fail" {
		return errors.New("disk quota")
	}
	if len(args) > 0 && args[0] == "link" {
		return os.Symlink("/etc/hosts", "out/hosts")
	}
	return filepath.WalkDir("in", func(name string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		to := filepath.Join("out", strings.TrimPrefix(name, "in"))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		if strings.HasSuffix(name, "large.csv") {
			b = bytes.Repeat(b, 1<<20)
		}
		for i, c := range b { // bytes.ToUpper would repair what is no UTF-8
			if c >= 'a' && c <= 'z' {
				b[i] = c - 'a' + 'A'
			}
		}
		return os.WriteFile(to, b, 0o600)
	})
}

func printEnvironment(args []string) error {
	fmt.Println(strings.Join(os.Environ(), "\n"))
	fmt.Println(strings.Join(args, " "))
	return nil
}

// now is the frozen clock of the tests.
var now = time.Date(2026, 10, 5, 14, 0, 0, 0, time.UTC)

func testEnv(t *testing.T) harness.StageEnv {
	return harness.StageEnv{Root: t.TempDir(), Dir: t.TempDir(), Now: now, URLs: map[string]string{"sis-test": "http://127.0.0.1:9"}}
}

func request(method, target string, body string, header ...string) harness.Exchange {
	x := harness.Exchange{ID: "000007", Session: "A-20481", Channel: harness.ChannelHTTP, From: "crm", To: "hubline", At: now.Add(-time.Hour)}
	x.Request.Head = harness.Head{{Name: harness.FieldMethod, Value: method}, {Name: harness.FieldPath, Value: target}}
	for i := 0; i+1 < len(header); i += 2 {
		x.Request.Head = append(x.Request.Head, harness.Field{Name: header[i], Value: header[i+1]})
	}
	x.Request.Media = "application/json"
	x.Request.Body = harness.BytesBody([]byte(body))
	return x
}

func drop(name, body string) harness.Exchange {
	return harness.Exchange{ID: "000003", Session: "nightly", Channel: harness.ChannelFile, From: "sis", To: "hubline", At: now.Add(-time.Hour), Request: harness.Message{
		Head:  harness.Head{{Name: harness.FieldName, Value: name}, {Name: harness.FieldModified, Value: "2026-10-05T07:15:00Z"}},
		Media: mediaOfName(name), Body: harness.BytesBody([]byte(body)),
	}}
}

// start starts the target and closes it at the end of the test.
func start(t *testing.T, spec harness.TargetSpec, env harness.StageEnv) harness.Stage {
	t.Helper()
	spec.System = "hubline"
	target, err := New(spec)
	if err != nil {
		t.Fatal(err)
	}
	stage, err := target.Start(t.Context(), env)
	if err != nil {
		t.Fatalf("%v\nhint: %s", err, harness.HintOf(err))
	}
	t.Cleanup(func() {
		if err := stage.Close(); err != nil {
			t.Error(err)
		}
	})
	return stage
}

// feed feeds the exchanges as one session and returns what crossed.
func feed(t *testing.T, stage harness.Stage, session ...harness.Exchange) []harness.Exchange {
	t.Helper()
	sink := harness.NewMemory(harness.Manifest{})
	if err := stage.Feed(t.Context(), session, sink); err != nil {
		t.Fatalf("%v\nhint: %s", err, harness.HintOf(err))
	}
	xs, err := harness.Collect(sink)
	if err != nil {
		t.Fatal(err)
	}
	return xs
}

func text(t *testing.T, m harness.Message) string {
	t.Helper()
	b, err := m.Body.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// outline is one line for each exchange: what a second run must repeat.
func outline(t *testing.T, xs []harness.Exchange) string {
	var b strings.Builder
	for _, x := range xs {
		fmt.Fprintf(&b, "%s %s %s→%s %s %s | %v %q | %v %q | %v\n", x.ID, x.Session, x.From, x.To, x.At.Format(time.RFC3339), x.Operation(),
			x.Request.Head, text(t, x.Request), x.Response.Head, text(t, x.Response), x.Fault)
	}
	return b.String()
}

// eventually polls until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within a minute", what)
		}
	}
}
