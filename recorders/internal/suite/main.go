// Command suite runs the test suite of an official client three times: against its own mock server, through the tap in
// front of it, and against the recording with that server gone. The suite is not changed; it speaks TLS and HTTP/2. All
// three must end alike, test by test.
//
//	suite REHEARSE FOLDER
//
// REHEARSE is the program under test; the modules are downloaded and built in FOLDER, which may be kept for the next run.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The client whose suite is run, and the server that it is run against.
const (
	client = "github.com/stripe/stripe-go/v82@v82.5.1"
	server = "github.com/stripe/stripe-mock@v0.203.0"
)

// kept are the rules that stand before those of the built-in policy: what the suite checks in the answers.
const kept = `rules:
  - {at: response.head.stripe-mock-version, keep: true, reason: version of a program}
  - {field: [object, total_count], keep: true, reason: kinds and counts}
  - {at: "response.body.**", matching: "Stripe binary response", keep: true, reason: stands for a file}
`

// clock is the one place of a request that the suite fills from its clock.
const clock = "request.body.billing_cycle_anchor"

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: suite REHEARSE FOLDER")
		os.Exit(2)
	}
	same, err := run(os.Args[1], os.Args[2], os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "suite:", err)
		os.Exit(3)
	}
	if !same {
		os.Exit(1)
	}
}

// suite is the built tests of the client.
type suite struct {
	folder, rehearse string
	tests            []binary
}

// binary is the tests of one package, and the folder in which they run.
type binary struct{ name, program, folder string }

// outcomes is how each test ended, by package and name.
type outcomes map[string]string

// run prints one line for each of the three, and reports whether they ended alike.
func run(rehearse, folder string, out io.Writer) (same bool, err error) {
	s := &suite{}
	if s.rehearse, err = filepath.Abs(rehearse); err != nil {
		return false, err
	}
	if s.folder, err = filepath.Abs(folder); err != nil {
		return false, err
	}
	if err := s.build(); err != nil {
		return false, err
	}
	recording := filepath.Join(s.folder, "recording")
	if err := errors.Join(os.RemoveAll(recording), s.writePolicy()); err != nil {
		return false, err
	}
	port, err := freePort()
	if err != nil {
		return false, err
	}
	origin, err := start(s.folder, port, filepath.Join(s.folder, "stripe-mock"), "-https-addr", "127.0.0.1:"+port)
	if err != nil {
		return false, err
	}
	direct, err := s.against(port)
	if err == nil {
		report(out, "direct", direct, direct)
		same, err = s.compare(out, "through the tap", direct, "record", "http", "https://127.0.0.1:"+port, "--insecure", "127.0.0.1", "--tls",
			"--from", "sdk", "--to", "stripe", "--policy", "policy.yaml", "--out", recording)
	}
	if err := errors.Join(err, origin.stop()); err != nil {
		return false, err
	}
	if err := s.check(recording, out); err != nil {
		return false, err
	}
	replayed, err := s.compare(out, "the recording answers", direct, "mock", recording, "--tls", "--policy", "policy.yaml", "--ignore", clock)
	return same && replayed, err
}

// writePolicy puts the rules of the suite before those of the built-in policy.
func (s *suite) writePolicy() error {
	file := filepath.Join(s.folder, "policy.yaml")
	os.Remove(file) //nolint:errcheck // of an earlier run, or none
	if said, err := exec.Command(s.rehearse, "scrub", "policy", "--out", file).CombinedOutput(); err != nil {
		return fmt.Errorf("print the built-in policy: %w: %s", err, said)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return os.WriteFile(file, bytes.Replace(text, []byte("rules:\n"), []byte(kept), 1), 0o600)
}

// compare runs the suite against what the arguments start, and reports whether it ends as it did directly.
func (s *suite) compare(out io.Writer, name string, direct outcomes, args ...string) (bool, error) {
	port, err := freePort()
	if err != nil {
		return false, err
	}
	between, err := start(s.folder, port, s.rehearse, append(args, "--listen", "127.0.0.1:"+port)...)
	if err != nil {
		return false, err
	}
	got, err := s.against(port)
	if err := errors.Join(err, between.stop()); err != nil {
		return false, err
	}
	return report(out, name, got, direct), nil
}

// check makes sure that the recording is whole, but for answers that the client itself did not wait for.
func (s *suite) check(recording string, out io.Writer) error {
	const inconclusive = 5 // exit code: a recording is undamaged, and incomplete
	text, err := exec.Command(s.rehearse, "fixtures", "check", recording).CombinedOutput()
	exit, failed := errors.AsType[*exec.ExitError](err)
	if err == nil || !failed || exit.ExitCode() != inconclusive {
		if err != nil {
			err = fmt.Errorf("check the recording: %w: %s", err, text)
		}
		return err
	}
	manifest, err := os.ReadFile(filepath.Join(recording, "recording.yaml"))
	if err != nil {
		return err
	}
	lines, err := os.ReadFile(filepath.Join(recording, "exchanges.jsonl"))
	if err != nil {
		return err
	}
	left, err := unread(lines)
	if err == nil && !bytes.Contains(manifest, []byte("\n  dropped: 0\n")) {
		err = fmt.Errorf("exchanges were dropped: %s", text)
	}
	if err == nil {
		fmt.Fprintf(out, "  of %d answers to its first question the client read the head only\n", left)
	}
	return err
}

// unread counts the exchanges whose client went away before the answer ended, and refuses every other fault. Each test
// program asks for / when it begins, looks at a field of the head and never reads the body: one that has nothing more to
// ask can end before the body came, where the machine is busy. The recording is right to say so.
func unread(lines []byte) (n int, err error) {
	for line := range bytes.Lines(lines) {
		var x struct {
			Request  struct{ Head [][2]json.RawMessage }
			Response struct{ Head [][2]json.RawMessage }
			Fault    *struct{ Kind, Detail string }
		}
		if err := json.Unmarshal(line, &x); err != nil {
			return n, fmt.Errorf("read the recording: %w", err)
		}
		if x.Fault == nil {
			continue
		}
		asks := slices.ContainsFunc(x.Request.Head, func(f [2]json.RawMessage) bool {
			return string(f[0]) == `":path"` && string(f[1]) == `"/"`
		})
		if x.Fault.Kind != "client-gone" || !asks || len(x.Response.Head) == 0 {
			return n, fmt.Errorf("an exchange is not whole: %s: %s: %.300s", x.Fault.Kind, x.Fault.Detail, line)
		}
		n++
	}
	return n, nil
}

// report prints how a run ended, and each test that did not end as it did directly.
func report(out io.Writer, name string, got, direct outcomes) (same bool) {
	packages, counts := map[string]bool{}, map[string]int{}
	for test, how := range got {
		pkg, _, _ := strings.Cut(test, " ")
		packages[pkg] = packages[pkg] || how == "FAIL"
		counts[how]++
	}
	failed := 0
	for _, f := range packages {
		if f {
			failed++
		}
	}
	same = maps.Equal(got, direct)
	fmt.Fprintf(out, "%-22s %d packages pass, %d fail; %d tests pass, %d fail; as directly: %v\n", name, len(packages)-failed, failed, counts["PASS"], counts["FAIL"], same)
	for _, test := range slices.Sorted(maps.Keys(direct)) {
		if got[test] != direct[test] {
			fmt.Fprintf(out, "  %s: %s, directly %s\n", test, got[test], direct[test])
		}
	}
	return same
}

// build downloads both modules, and builds the server and the tests of every package that has some.
func (s *suite) build() error {
	source := filepath.Join(s.folder, "client")
	if err := os.MkdirAll(filepath.Join(s.folder, "tests"), 0o755); err != nil {
		return err
	}
	if _, err := goTool(s.folder, "install", "-ldflags=-s -w", server); err != nil {
		return err
	}
	if _, err := os.Stat(source); err != nil {
		text, err := goTool(s.folder, "mod", "download", "-json", client)
		if err != nil {
			return err
		}
		var module struct{ Dir string }
		if err := json.Unmarshal(text, &module); err != nil {
			return fmt.Errorf("download %s: %w", client, err)
		}
		if err := os.CopyFS(source, os.DirFS(module.Dir)); err != nil {
			return err
		}
	}
	listed, err := goTool(source, "list", "-mod=mod", "-f", "{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}} {{.Dir}}{{end}}", "./...")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(listed)) {
		name, folder, _ := strings.Cut(strings.TrimSpace(line), " ")
		s.tests = append(s.tests, binary{name, filepath.Join(s.folder, "tests", strconv.Itoa(len(s.tests))), folder})
	}
	return s.compile(source)
}

// compile builds the tests of all packages, as many at a time as there are processors. Most of it is linking, which is
// faster without what debuggers need.
func (s *suite) compile(source string) error {
	work := make(chan binary)
	errs := make([]error, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			for b := range work {
				if errs[i] == nil {
					_, errs[i] = goTool(source, "test", "-mod=mod", "-c", "-vet=off", "-ldflags=-s -w", "-o", b.program, b.name)
				}
			}
		})
	}
	for _, b := range s.tests {
		work <- b
	}
	close(work)
	wg.Wait()
	return errors.Join(errs...)
}

// goTool runs the go command in a folder; it installs into the folder of the suite.
func goTool(dir string, args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOWORK=off")
	var said bytes.Buffer
	cmd.Stderr = &said
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, said.String())
	}
	return text, nil
}

// ended is how a test ends in the output of its package.
var ended = regexp.MustCompile(`^\s*--- (PASS|FAIL|SKIP): (\S+)`)

// against runs all tests with the server on that port.
func (s *suite) against(port string) (outcomes, error) {
	all := outcomes{}
	for _, b := range s.tests {
		cmd := exec.Command(b.program, "-test.v", "-test.count=1")
		cmd.Dir = b.folder
		cmd.Env = append(os.Environ(), "STRIPE_MOCK_PORT="+port)
		text, err := cmd.CombinedOutput()
		if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
			return nil, err
		}
		tests := 0
		for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
			if m := ended.FindStringSubmatch(lines.Text()); m != nil {
				all[b.name+" "+m[2]] = m[1]
				tests++
			}
		}
		if tests == 0 {
			all[b.name+" (no test ran)"] = "FAIL"
		}
	}
	return all, nil
}

// process is a server that was started.
type process struct {
	*exec.Cmd
	said *bytes.Buffer
}

// patience bounds the waits for a server to listen and to end.
const patience = 60 * time.Second

// start runs a server and returns when it listens on the port.
func start(dir, port, program string, args ...string) (*process, error) {
	p := &process{exec.Command(program, args...), new(bytes.Buffer)}
	p.Dir, p.Stdout, p.Stderr = dir, p.said, p.said
	if err := p.Start(); err != nil {
		return nil, err
	}
	for begin := time.Now(); time.Since(begin) < patience; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
			return p, c.Close()
		}
	}
	return nil, errors.Join(fmt.Errorf("%s does not listen: %s", program, p.said), p.Process.Kill())
}

// stop ends the server and waits for its end. A mock ends with 1 when it missed a call, which the tests show.
func (p *process) stop() error {
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	err := p.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() > 1 {
		return fmt.Errorf("%s: %w: %s", p.Path, err, p.said)
	}
	return nil
}

func freePort() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(ln.Addr().String())
	return port, errors.Join(err, ln.Close())
}
