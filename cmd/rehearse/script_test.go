package main

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptCommand is a row of the table of commands that scripts know beside those of testscript.
type scriptCommand struct {
	usage string
	args  int // at least
	run   func(s script, args []string)
}

var scriptCommands = []scriptCommand{
	{"exits CODE PROGRAM ARG... : run the program and want exactly this exit code", 2, script.exits},
	{"start NAME PROGRAM ARG... : run the program in the background; its output goes to NAME.out and NAME.err", 2, script.start},
	{"awaits FILE PATTERN [VAR] : wait until the file matches, and keep the first group in the variable", 2, script.awaits},
	{"ends NAME CODE [INT|TERM|KILL] : send the signal to what was started, wait for its end and want this exit code", 2, script.ends},
	{"request METHOD URL [FILE] [HEAD:VALUE]... : ask once; the status goes to stderr, the body to stdout", 2, script.request},
	{"answers VAR FILE : serve the file at every URL on loopback; the variable is the base URL", 2, script.answers},
	{"vendor VAR SEED : serve an instance of the vendor whose ids and tokens are random; the variable is the base URL", 2, script.vendor},
	{"works URL USER... : let the users work with the vendor at the URL, all at the same time", 2, script.works},
	{"database FILE SQL : run the statements of a file in a SQLite database, which is made when it is missing", 2, script.database},
	{"breaks VAR : serve on loopback, promise 1000 bytes and end after 10; the variable is the base URL", 1, script.breaks},
	{"stores FOLDER FILE : make a sealed recording of the exchanges that stand one a line in a file, as JSON", 2, script.stores},
	{"port VAR : a loopback port that nobody uses; the variable is its number", 1, script.port},
	{"occupies VAR : use a loopback port; the variable is host:port", 1, script.occupies},
	{"repeats FILE COUNT TEXT [BEFORE AFTER] : write BEFORE, the text so many times, and AFTER; Go escapes are understood", 3, script.repeats},
	{"replaces FILE OLD NEW : replace OLD, which must occur, by NEW; Go escapes are understood", 3, script.replaces},
	{"untouched PATH... : want that there is nothing, and nothing half-made beside it", 1, script.untouched},
}

// patience bounds every wait of a script; nothing waits this long when all is well.
const patience = time.Minute

func TestScripts(t *testing.T) {
	commands := map[string]func(*testscript.TestScript, bool, []string){}
	for _, c := range scriptCommands {
		name, _, _ := strings.Cut(c.usage, " ")
		commands[name] = func(ts *testscript.TestScript, neg bool, args []string) {
			if neg || len(args) < c.args {
				ts.Fatalf("usage: %s", c.usage)
			}
			c.run(script{ts, ts.Value(startedKey{}).(map[string]*started)}, args)
		}
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", UpdateScripts: *update, RequireExplicitExec: true, Deadline: time.Now().Add(50 * time.Minute), Setup: prepareScript, Cmds: commands,
	})
}

// prepareScript gives the script a home of its own with a key that is the same each time, so that scripts can name
// stand-ins.
func prepareScript(env *testscript.Env) error {
	env.Values[startedKey{}] = map[string]*started{}
	home := filepath.Join(env.WorkDir, ".home")
	if err := os.Mkdir(home, 0o700); err != nil {
		return err
	}
	key := filepath.Join(home, "scrub.key")
	env.Setenv("HOME", home)
	env.Setenv("XDG_CONFIG_HOME", "")
	env.Setenv("REHEARSE_KEY_FILE", key)
	return os.WriteFile(key, []byte("rehearse-key-1 "+strings.Repeat("HarrowLake", 5)[:42]+"A\n"), 0o600)
}

// script is a running script with what it started, by name.
type script struct {
	*testscript.TestScript
	started map[string]*started
}

type startedKey struct{}

type started struct {
	cmd  *exec.Cmd
	done chan error
}

func (s script) exits(args []string) {
	s.wantCode(args[0], s.Exec(args[1], args[2:]...))
}

// wantCode ends the script unless the error is the one of a program that ended with this code.
func (s script) wantCode(code string, err error) {
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		s.Check(err)
	}
	if strconv.Itoa(got) != code {
		s.Fatalf("exit code %d, want %s", got, code)
	}
}

func (s script) start(args []string) {
	name := args[0]
	cmd := &exec.Cmd{Path: s.lookPath(args[1]), Args: args[1:], Dir: s.MkAbs(".")}
	for _, v := range []string{"PATH", "HUB_URL", "HOME", "WORK", "TMPDIR", "REHEARSE_KEY_FILE", "XDG_CONFIG_HOME"} {
		cmd.Env = append(cmd.Env, v+"="+s.Getenv(v))
	}
	stdout, err := os.Create(s.MkAbs(name + ".out"))
	s.Check(err)
	defer stdout.Close()
	stderr, err := os.Create(s.MkAbs(name + ".err"))
	s.Check(err)
	defer stderr.Close()
	cmd.Stdout, cmd.Stderr = stdout, stderr
	s.Check(cmd.Start())
	p := &started{cmd, make(chan error, 1)}
	go func() { p.done <- cmd.Wait() }() // ends with the program, at the latest with the script
	s.started[name] = p
	s.Defer(func() { cmd.Process.Kill() }) //nolint:errcheck // it is gone already when all went well
}

func (s script) lookPath(program string) string {
	for _, dir := range filepath.SplitList(s.Getenv("PATH")) {
		file := filepath.Join(dir, program)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			return file
		}
	}
	s.Fatalf("no program %s in PATH", program)
	return ""
}

func (s script) awaits(args []string) {
	pattern, err := regexp.Compile(args[1])
	s.Check(err)
	deadline := time.Now().Add(patience)
	for {
		content, err := os.ReadFile(s.MkAbs(args[0]))
		if match := pattern.FindStringSubmatch(string(content)); err == nil && match != nil {
			if len(args) > 2 {
				s.Setenv(args[2], match[len(match)-1])
			}
			return
		}
		if time.Now().After(deadline) {
			s.Fatalf("%s does not match %s: %s", args[0], args[1], content)
		}
		<-time.After(5 * time.Millisecond)
	}
}

func (s script) ends(args []string) {
	p := s.started[args[0]]
	if p == nil {
		s.Fatalf("nothing was started as %s; there is %q", args[0], slices.Collect(maps.Keys(s.started)))
	}
	if len(args) > 2 {
		signal := map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM, "KILL": os.Kill}[args[2]]
		s.Check(p.cmd.Process.Signal(signal))
	}
	select {
	case err := <-p.done:
		s.wantCode(args[1], err)
	case <-time.After(patience):
		s.Fatalf("%s does not end", args[0])
	}
}
