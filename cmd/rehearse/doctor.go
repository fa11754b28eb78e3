package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"runtime"
	"strings"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/fixtures/scrub"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/diff"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// checks is what doctor looks at, in order. A check returns what it found, or an error whose hint is the cure.
var checks = []struct {
	name string
	look func(*app) (string, error)
}{
	{"program", func(a *app) (string, error) {
		return fmt.Sprintf("%s, %s/%s, %s", a.tool(), runtime.GOOS, runtime.GOARCH, runtime.Version()), nil
	}},
	{"loopback", checkLoopback},
	{"scratch folder", checkScratch},
	{"pseudonym key", checkKey},
	{"workspace", checkWorkspace},
	{"scenarios", checkScenarios},
	{"unfinished recordings", checkUnfinished},
	{"containers", checkContainers},
}

func (a *app) doctorVerb() verb {
	return verb{
		use: "doctor", short: "check this machine and this workspace", exits: []int{exitCannotRun},
		long:    "Doctor looks at what the other commands need and prints the cure for what is missing.",
		example: "rehearse doctor",
		run:     func(context.Context, []string) error { return a.doctor() },
		below:   []verb{a.doctorTLSVerb(), a.doctorCAVerb(), a.doctorContainersVerb()},
	}
}

// note is the error of a check that found something worth saying that stops nothing.
type note struct{ error }

func (n note) Unwrap() error { return n.error }

func (a *app) doctor() error {
	failed := 0
	for _, c := range checks {
		found, err := c.look(a)
		mark := "ok"
		switch {
		case errors.As(err, new(note)):
			mark, found = "note", err.Error()
		case err != nil:
			mark, found = "FAIL", err.Error()
			failed++
		}
		fmt.Fprintf(a.out, "%-4s  %-22s  %s\n", mark, c.name, printable(strings.ReplaceAll(found, "\n", "\n"+strings.Repeat(" ", 30))))
		if hint := harness.HintOf(err); err != nil && hint != "" {
			fmt.Fprintf(a.out, "%30scure: %s\n", "", printable(hint))
		}
	}
	if failed > 0 {
		return harness.CannotRun(fmt.Errorf("doctor: %d of %d checks failed", failed, len(checks)), "the cures stand above")
	}
	return nil
}

func checkLoopback(*app) (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", harness.CannotRun(err, "allow listening on 127.0.0.1")
	}
	return "can listen on 127.0.0.1", ln.Close()
}

func checkScratch(*app) (string, error) {
	dir, err := os.MkdirTemp("", "rehearse-")
	if err != nil {
		return "", harness.CannotRun(err, "set TMPDIR to a folder that can be written")
	}
	return os.TempDir() + " can be written", os.Remove(dir)
}

func checkKey(a *app) (string, error) {
	file := a.getenv("REHEARSE_KEY_FILE")
	if file == "" {
		var err error
		if file, err = scrub.DefaultKeyPath(); err != nil {
			return "", err
		}
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return "", note{fmt.Errorf("none yet; the first recording makes %s", file)}
		}
	}
	key, err := scrub.OpenKey(file, a.getenv)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s, key %s", file, key.ID()), nil
}

func checkWorkspace(*app) (string, error) {
	ws, err := scenarios.OpenWorkspace(".")
	if err != nil {
		return "", note{err}
	}
	c := ws.Catalogue()
	return fmt.Sprintf("%s: %s, %s, %s", ws.Root(), harness.Count(len(c.Systems), "system"),
		harness.Count(len(c.Integrations), "integration"), harness.Count(len(c.People), "person")), nil
}

func checkScenarios(*app) (string, error) {
	ws, err := scenarios.OpenWorkspace(".")
	if err != nil {
		return "", note{errors.New("no workspace")}
	}
	ws.CheckRule = diff.CheckRule
	files, err := ws.Scenarios()
	if err != nil {
		return "", err
	}
	var problems, unmade []error
	for _, f := range files {
		s, err := ws.Scenario(f)
		var found scenarios.Problems
		if errors.As(err, &found) && found.OnlyMissing() {
			unmade = append(unmade, err)
			continue
		}
		if err == nil {
			_, err = fixtures.Open(s.Root + "/" + s.Recording)
		}
		problems = append(problems, err)
	}
	switch err := errors.Join(problems...); {
	case err != nil:
		return "", harness.Usage(err, "mend these files")
	case len(unmade) > 0:
		return "", note{harness.Usage(fmt.Errorf("to do: record what is named here\n%w", errors.Join(unmade...)), "`rehearse record --help`; or remove a scenario that nobody needs")}
	}
	return fmt.Sprintf("%s read without a problem", harness.Count(len(files), "scenario")), nil
}

func checkUnfinished(*app) (string, error) {
	ws, err := scenarios.OpenWorkspace(".")
	if err != nil {
		return "", note{errors.New("no workspace")}
	}
	var left []string
	fs.WalkDir(os.DirFS(ws.Root()), ".", func(path string, d fs.DirEntry, err error) error { //nolint:errcheck // unreadable folders hold nothing of ours
		if err == nil && d.IsDir() && strings.HasSuffix(path, ".partial") {
			left = append(left, path)
			return fs.SkipDir
		}
		return nil
	})
	if len(left) > 0 {
		return "", note{fmt.Errorf("%s: left by a recorder that was killed or still runs; `rehearse fixtures recover` saves it", strings.Join(left, ", "))}
	}
	return "none", nil
}
