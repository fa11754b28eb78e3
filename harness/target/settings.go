package target

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// passed are the variables of the caller's environment that a program gets. The last three are what programs need to
// start at all on Windows.
var passed = []string{"PATH", "HOME", "LANG", "TZ", "SYSTEMROOT", "PATHEXT", "TEMP"}

// settings is what the placeholders of Run and Env stand for.
type settings struct {
	env    harness.StageEnv
	root   string // absolute
	listen string // host:port; empty where the kind does not serve
}

func newSettings(env harness.StageEnv, listen string) (settings, error) {
	root := env.Root
	if root == "" {
		root = "."
	}
	root, err := filepath.Abs(root)
	if err != nil {
		return settings{}, fmt.Errorf("find workspace: %w", err)
	}
	return settings{env, root, listen}, nil
}

// expand replaces the placeholders of a text.
func (s settings) expand(text string) (string, error) {
	return harness.ReplacePlaceholders(text, s.value)
}

func (s settings) value(name string) (string, error) {
	if !harness.IsPlaceholder(name) {
		return "", harness.UnknownPlaceholder(name)
	}
	switch name {
	case "listen":
		if s.listen == "" {
			return "", harness.Usage(errors.New("replace {listen}: this kind of target does not serve"), "use a process target, or leave {listen} out")
		}
		return s.listen, nil
	case "now":
		return s.now(), nil
	case "root":
		return s.root, nil
	}
	if container, ok := strings.CutPrefix(name, "container."); ok {
		return s.at(container)
	}
	word, system, _ := strings.Cut(name, ".")
	known, what, hint := s.env.URLs, "is no watched system of this run", "list the system under mocks or upstreams; watched now: "
	if word == "file" {
		known, what, hint = s.env.Files, "has no tables in a file of this run", "list a system that gave rows under mocks; there are now: "
	}
	value, ok := known[system]
	if !ok {
		return "", harness.Usage(fmt.Errorf("replace {%s}: %q %s", name, system, what), hint+orNone(strings.Join(slices.Sorted(maps.Keys(known)), ", ")))
	}
	return value, nil
}

// at is the loopback address of a container of the run.
func (s settings) at(container string) (string, error) {
	if s.env.At != nil {
		if address, known := s.env.At(container); known {
			return address, nil
		}
	}
	return "", harness.Usage(fmt.Errorf("replace {container.%s}: no container of that name listens in this run", container),
		"give it that name and a port under containers; in a container, the name itself is its host")
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func (s settings) now() string { return s.env.Now.UTC().Format(time.RFC3339Nano) }

// expandAll replaces the placeholders of each text.
func (s settings) expandAll(texts []string) ([]string, error) {
	if texts == nil {
		return nil, nil
	}
	all := make([]string, len(texts))
	for i, text := range texts {
		var err error
		if all[i], err = s.expand(text); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// environ is the whole environment of a program on this machine, sorted.
func (s settings) environ(extra map[string]string) ([]string, error) {
	vars, err := s.variables(extra)
	if err != nil {
		return nil, err
	}
	for _, name := range passed {
		v, ok := os.LookupEnv(name)
		if _, set := extra[name]; ok && !set {
			vars[name] = v
		}
	}
	for name, v := range s.env.Proxy {
		if _, set := extra[name]; !set {
			vars[name] = v
		}
	}
	environ := make([]string, 0, len(vars))
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		environ = append(environ, name+"="+vars[name])
	}
	return environ, nil
}

// variables is what a program is told about the run, and what the scenario adds.
func (s settings) variables(extra map[string]string) (map[string]string, error) {
	vars := map[string]string{}
	if !s.env.Now.IsZero() {
		vars["REHEARSE_NOW"] = s.now()
	}
	if s.listen != "" {
		vars["REHEARSE_LISTEN"] = s.listen
	}
	for system, base := range s.env.URLs {
		vars["REHEARSE_URL_"+variableName(system)] = base
	}
	for system, file := range s.env.Files {
		vars["REHEARSE_FILE_"+variableName(system)] = file
	}
	for name, text := range extra {
		value, err := s.expand(text)
		if err != nil {
			return nil, fmt.Errorf("set variable %s: %w", name, err)
		}
		vars[name] = value
	}
	return vars, nil
}

// variableName is a system's name as part of a variable: upper case, _ for what is no letter or digit.
func variableName(system string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToUpper(system))
}

// command is the program of run with its arguments, in the folder dir, with the environment.
func (s settings) command(run []string, extra map[string]string, dir string) (*exec.Cmd, error) {
	args, err := s.expandAll(run)
	if err != nil {
		return nil, fmt.Errorf("read run: %w", err)
	}
	program, err := s.program(args[0])
	if err != nil {
		return nil, err
	}
	environ, err := s.environ(extra)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, args[1:]...)
	cmd.Env, cmd.Dir = environ, dir
	cmd.WaitDelay = stopWait
	ownGroup(cmd)
	return cmd, nil
}

// program finds the executable: "rehearse" is the running binary, a name with a slash lies below the workspace, any
// other is searched in PATH.
func (s settings) program(name string) (string, error) {
	if name == "rehearse" {
		return os.Executable()
	}
	if strings.ContainsRune(filepath.ToSlash(name), '/') && !filepath.IsAbs(name) {
		name = filepath.Join(s.root, name)
	}
	path, err := exec.LookPath(name)
	if err == nil {
		return path, nil
	}
	hint := "install it, or correct the first word of run; programs are searched in PATH and, with a slash in the name, below " + s.root
	if errors.Is(err, fs.ErrPermission) {
		hint = "make it executable: chmod +x " + name
	}
	return "", harness.CannotRun(fmt.Errorf("find program %s: %w", name, err), hint)
}

// checkRun refuses a run without a program.
func checkRun(run []string) error {
	if len(run) == 0 || strings.TrimSpace(run[0]) == "" {
		return harness.Usage(errors.New("run names no program"), "write run: [program, argument, …]")
	}
	return nil
}
