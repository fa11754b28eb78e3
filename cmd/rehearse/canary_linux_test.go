package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/rehearse-dev/rehearse/fixtures/journal"
	"github.com/rehearse-dev/rehearse/fixtures/scan"
)

// canaries are twenty invented people with ten identifiers each.
func canaries() (people [][10]string) {
	for n := range 20 {
		given := []string{"Marisolde", "Chideraka", "Astridune", "Rosalynde", "Bogdanile"}[n%5]
		family := []string{"Nunezare", "Okonkwelo", "Lindqvaast", "Harrowgateau"}[n/5]
		people = append(people, [10]string{
			fmt.Sprintf("H%08d", 60482177+n*1237), given + " " + family, fmt.Sprintf("%s.%s%d@lake-harrow.edu", strings.ToLower(given), strings.ToLower(family), n),
			fmt.Sprintf("%c%s%d", given[0]|0x20, strings.ToLower(family)[:5], 4100+n), fmt.Sprintf("+1 905 872 2%03d", 100+n*7), fmt.Sprintf("%03d-%02d-%04d", 219+n, 10+n, 4321+n*13),
			fmt.Sprintf("%016d", 4992739871640000+n*7919), fmt.Sprintf("tk9%030x", 0xabcdef0123456789+uint64(n)*0x9e3779b97f4a7c15),
			fmt.Sprintf("%d Chestnut Hollow Road", 1207+n*17), fmt.Sprintf("8675309%06d", 100000+n*7717),
		})
	}
	return people
}

const canaryPolicy = `policy: canaries
rules:
  - field: [id, x-student]
    class: id
  - field: name
    class: person-name
  - field: email
    class: email
  - field: login
    class: login
  - field: phone
    class: phone
  - field: ssn
    class: national-id
  - field: card
    class: card
  - field: street
    class: street
  - field: account
    class: bank-account
  - field: [status, state]
    keep: true
    reason: code
  - at: request.segment[0]
    matching: "[a-z]+"
    keep: true
    reason: words of the interface
`

// canaryRecord is a person as JSON; the token, and what wraps others, has no rule.
func canaryRecord(p [10]string, state string) string {
	plain, _ := json.Marshal(map[string]string{"id": p[0], "name": p[1], "email": p[2], "login": p[3], "phone": p[4], "ssn": p[5], "card": p[6], "token": p[7], "street": p[8],
		"account": p[9], "status": "active", "state": state, "note": "asked " + p[1] + " at " + p[2],
		"data": base64.StdEncoding.EncodeToString([]byte(`{"email":"` + p[2] + `"}`))})
	return string(plain)
}

// canarySession is a session of a browser in which all canaries cross, so many times, in heads, targets and bodies.
func canarySession(t *testing.T, file, state string, times int) {
	t.Helper()
	var entries []any
	for range times {
		for _, p := range canaries() {
			head := []map[string]string{{"name": "X-Student", "value": p[0]}, {"name": "Cookie", "value": "sid=" + p[7]}, {"name": "X-Note", "value": "for " + p[1]}}
			entries = append(entries, map[string]any{"startedDateTime": "2026-10-05T14:00:00.250Z", "time": 1,
				"request": map[string]any{"method": "POST", "url": "https://hub.example/people/" + p[0] + "?email=" + strings.Replace(p[2], "@", "%40", 1), "headers": head,
					"postData": map[string]string{"mimeType": "application/json", "text": canaryRecord(p, "asked")}},
				"response": map[string]any{"status": 200, "headers": []any{}, "content": map[string]string{"mimeType": "application/json", "text": canaryRecord(p, state)}}})
		}
	}
	text, err := json.Marshal(map[string]any{"log": map[string]any{"version": "1.2", "entries": entries}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, string(text))
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// cage is where the program runs: everything that it writes or says is watched.
type cage struct {
	t                            *testing.T
	raw, work, temp, home, talks string
	env                          []string
	said                         int
}

func newCage(t *testing.T) *cage {
	c := &cage{t: t, raw: t.TempDir(), work: t.TempDir(), temp: t.TempDir(), home: t.TempDir(), talks: t.TempDir()}
	c.env = []string{"TMPDIR=" + c.temp, "HOME=" + c.home, "XDG_CONFIG_HOME=" + c.home, "GOTRACEBACK=all"}
	canarySession(t, filepath.Join(c.raw, "session.har"), "open", 1)
	canarySession(t, filepath.Join(c.raw, "later.har"), "done", 1)
	write(t, filepath.Join(c.raw, "policy.yaml"), canaryPolicy)
	return c
}

// command runs the program in the cage.
func (c *cage) command(args ...string) *exec.Cmd {
	cmd := itself(c.env, args...)
	cmd.Dir = c.work
	c.said++
	out, err := os.Create(filepath.Join(c.talks, fmt.Sprintf("%02d-%s", c.said, args[0])))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { out.Close() })
	cmd.Stdout, cmd.Stderr = out, out
	return cmd
}

// says runs the program to its end, wants one of the exit codes, and returns what it said.
func (c *cage) says(codes string, args ...string) string {
	c.t.Helper()
	cmd := c.command(args...)
	cmd.Run() //nolint:errcheck // the exit code tells
	text, err := os.ReadFile(cmd.Stdout.(*os.File).Name())
	if err != nil {
		c.t.Fatal(err)
	}
	if code := fmt.Sprint(cmd.ProcessState.ExitCode()); !strings.Contains(codes, code) {
		c.t.Fatalf("rehearse %s: exit code %s, want one of %s: %s", strings.Join(args, " "), code, codes, text)
	}
	return string(text)
}

// raised runs the program and sends it a signal while it holds raw data.
func (c *cage) raised(signal syscall.Signal, args ...string) {
	c.t.Helper()
	cmd := c.command(args...)
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	file := filepath.Join(c.work, args[len(args)-1]+".partial", journal.Name(1))
	for {
		if info, err := os.Stat(file); err == nil && info.Size() > 16<<10 {
			break
		}
		if isEnded(cmd.Process.Pid) {
			c.t.Fatalf("it ended before it was sent signal %v", signal)
		}
		runtime.Gosched()
	}
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", cmd.Process.Pid))
	if err != nil {
		c.t.Fatal(err)
	}
	write(c.t, filepath.Join(c.talks, fmt.Sprintf("cmdline-%d", c.said)), string(bytes.ReplaceAll(line, []byte{0}, []byte{'\n'})))
	if err := cmd.Process.Signal(signal); err != nil {
		c.t.Fatal(err)
	}
	cmd.Wait() //nolint:errcheck // it was ended
}

// isEnded reports whether a process has ended and waits to be asked.
func isEnded(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || bytes.Contains(stat, []byte(") Z "))
}

// watch looks for every canary, in all encodings, in what a folder holds.
func (c *cage) watch(dirs ...string) {
	c.t.Helper()
	for _, dir := range dirs {
		if n, first := canariesIn(c.t, dir); n > 0 {
			c.t.Errorf("%d canaries in %s; first: %s", n, dir, first)
		}
	}
}

func canariesIn(t *testing.T, dir string) (n int, first string) {
	t.Helper()
	known := scan.NewRegister()
	for _, p := range canaries() {
		for _, value := range p {
			if !known.Known(value) {
				t.Fatal("a canary is too short to be searched for")
			}
		}
	}
	result, err := scan.Files(os.DirFS(dir), scan.Options{Register: known})
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range result.Hits {
		if h.Known > 0 {
			if n++; n == 1 {
				first = h.String()
			}
		}
	}
	return n, first
}

func (c *cage) everything() { c.t.Helper(); c.watch(c.work, c.temp, c.home, c.talks) }

func (c *cage) file(name string) string { return filepath.Join(c.raw, name) }

func TestCanariesAreSeenWhereNothingIsScrubbed(t *testing.T) {
	if n, _ := canariesIn(t, newCage(t).raw); n < 200 {
		t.Errorf("%d canaries are seen in the source: the watch sees nothing", n)
	}
}

// TestNoCanaryIsInWhatTheVerbsWriteOrSay follows 200 identifiers through every verb that reads recordings, their reports
// and their errors.
func TestNoCanaryIsInWhatTheVerbsWriteOrSay(t *testing.T) {
	c := newCage(t)
	policy := c.file("policy.yaml")
	write(t, c.file("stop.yaml"), "policy: stop\non-unknown: stop\nrules: []\n")
	write(t, c.file("broken.har"), `{"log":{"version":"1.2","entries":[{"request":"`+canaries()[0][2]+`"}]}}`)
	write(t, c.file("cut.har"), `{"log":{"version":"1.2","entries":[{"startedDateTime":"`+canaries()[0][1])
	for i, kind := range []string{"people.csv", "people.xml", "people.txt"} {
		if err := os.MkdirAll(c.file("files"), 0o700); err != nil {
			t.Fatal(err)
		}
		p := canaries()[i]
		write(t, c.file(filepath.Join("files", kind)), []string{"id,email,name\n" + p[0] + "," + p[2] + "," + p[1] + "\n", "<p id=\"" + p[0] + "\"><email>" + p[2] + "</email></p>", "call " + p[4] + "\n"}[i])
	}
	c.says("0", "import", c.file("session.har"), "--from", "browser", "--to", "hub", "--policy", policy, "--out", "fixtures/before")
	c.says("0", "import", c.file("later.har"), "--from", "browser", "--to", "hub", "--policy", policy, "--out", "fixtures/after")
	c.says("0", "import", c.file("files"), "--format", "files", "--policy", policy, "--out", "fixtures/files")
	c.says("0", "import", c.file("session.har"), "--out", "fixtures/masked")
	c.says("0", "scrub", "fixtures/before", "--policy", policy, "--anonymous", "--out", "fixtures/again")
	c.says("0", "scrub", "suggest", c.file("session.har"))
	c.says("4", "import", c.file("session.har"), "--policy", c.file("stop.yaml"), "--out", "fixtures/stopped")
	c.says("2", "import", c.file("broken.har"), "--out", "fixtures/broken")
	c.says("2", "import", c.file("cut.har"), "--out", "fixtures/cut")
	c.says("2", "import", c.file("session.har"), "--policy", c.file("session.har"), "--out", "fixtures/no-policy")
	for _, format := range []string{"text", "json", "html"} {
		c.says("0", "scan", "fixtures/before", "--format", format)
		c.says("4", "scan", c.file("session.har"), "--format", format)
	}
	for _, kind := range []string{"text", "json", "junit", "markdown", "sarif", "html"} {
		c.says("1", "diff", "fixtures/before", "fixtures/after", "--output", kind)
	}
	c.rehearsal()
	c.everything()
}

// rehearsal runs a scenario over the scrubbed recording against a system that fails, with all reports.
func (c *cage) rehearsal() {
	c.t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprintln(w, `{"state":"failed"}`)
	}))
	defer server.Close()
	for _, dir := range []string{"scenarios", "catalog"} {
		if err := os.MkdirAll(filepath.Join(c.work, dir), 0o755); err != nil {
			c.t.Fatal(err)
		}
	}
	write(c.t, filepath.Join(c.work, "rehearse.yaml"), "version: 1\n")
	write(c.t, filepath.Join(c.work, "catalog", "systems.yaml"), "- {system: browser, title: The browser}\n- {system: hub, title: The hub}\n")
	write(c.t, filepath.Join(c.work, "catalog", "people.yaml"), "- {person: dana, name: Dana Ortiz}\n")
	write(c.t, filepath.Join(c.work, "catalog", "integrations.yaml"), "- {integration: people, title: People, owner: dana, systems: [browser, hub]}\n")
	scenario := "scenario: People\nintegration: people\nrecording: fixtures/before\ntarget:\n  system: hub\n  url: {base: \"" + server.URL + "\"}\n"
	write(c.t, filepath.Join(c.work, "scenarios", "people.yaml"), scenario)
	write(c.t, filepath.Join(c.work, "scenarios", "nobody.yaml"), scenario+"egress: {personal-data: none}\n")
	for _, kind := range []string{"text", "json", "junit", "markdown", "sarif", "html"} {
		c.says("1", "run", "scenarios/people.yaml", "--policy", c.file("policy.yaml"), "--output", kind)
	}
	c.says("2", "shrink", "scenarios/nobody.yaml", "--out", "scenarios/small") // it wants mocks; its output is that of the incident
}

// TestNoCanaryIsLeftWhenTheProgramIsEnded ends imports midway: killed, interrupted, with a dump of all goroutines as in a
// panic, and on a full disk.
func TestNoCanaryIsLeftWhenTheProgramIsEnded(t *testing.T) {
	for _, c := range []struct {
		name   string
		signal syscall.Signal
	}{{"killed", syscall.SIGKILL}, {"interrupted", syscall.SIGINT}, {"dumped", syscall.SIGQUIT}} {
		t.Run(c.name, func(t *testing.T) {
			cage := newCage(t)
			canarySession(t, cage.file("long.har"), "open", 100)
			cage.raised(c.signal, "import", cage.file("long.har"), "--policy", cage.file("policy.yaml"), "--out", "fixture")
			cage.everything()
		})
	}
	t.Run("full disk", func(t *testing.T) {
		c := newCage(t)
		canarySession(t, c.file("long.har"), "open", 20)
		if err := syscall.Mount("tmpfs", c.work, "tmpfs", 0, "size=256k"); err != nil {
			t.Skipf("a small disk needs root: %v", err)
		}
		defer syscall.Unmount(c.work, 0) //nolint:errcheck // the folder goes with the test
		c.says("123", "import", c.file("long.har"), "--policy", c.file("policy.yaml"), "--out", "fixture")
		c.everything()
	})
}
