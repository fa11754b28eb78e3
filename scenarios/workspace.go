package scenarios

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// FileNames are the names that a workspace file may have, in the order in which they are looked for.
var FileNames = []string{"rehearse.yaml", "rehearse.yml", ".rehearse.yaml"}

// formatVersion is the version of the workspace's files that this package reads.
const formatVersion = 1

// settings are the content of the workspace file. Folders are relative to the workspace.
type settings struct {
	Version   int    `yaml:"version"`
	Catalog   string `yaml:"catalog,omitempty"`
	Fixtures  string `yaml:"fixtures,omitempty"`
	Scenarios string `yaml:"scenarios,omitempty"`
}

// Workspace is a folder with a workspace file, a catalogue, scenarios and fixtures. Its methods may be called at the
// same time, as long as nobody sets its fields.
type Workspace struct {
	// Env looks up the variables that scenarios and expect files name; os.LookupEnv from the start. Nil: none is set.
	Env func(name string) (value string, ok bool)
	// CheckRule says whether a rule can be compared by: the name of its comparison, its tolerance, its keys. Nil
	// checks nothing. The error is reported with the rule's place.
	CheckRule func(harness.Rule) error
	// CheckAccess says whether an entry for credentials can be understood, and which key of it cannot. Nil checks nothing.
	CheckAccess func(harness.Access) (key string, err error)
	// CheckShift says whether the dates of a recording can be moved so, and which key stands in the way. Nil checks nothing.
	CheckShift func(harness.Shift) (key string, err error)
	// CheckInvariant says whether an invariant of the scenario or of its integration can be understood. Nil checks nothing.
	CheckInvariant func(harness.Invariant) error

	// CheckCause says whether the rule of an accepted change can be applied. Nil checks nothing.
	CheckCause func(harness.CauseRule) error

	root      string // absolute
	file      string // of the settings, below root
	settings  settings
	catalogue harness.Catalogue
}

// OpenWorkspace finds the workspace of a folder, which is the folder itself or its nearest parent that holds a
// workspace file, and reads its settings and its catalogue. Variables are looked up in the process's environment, where
// REHEARSE_CATALOG, REHEARSE_FIXTURES and REHEARSE_SCENARIOS have precedence over the folders of the file. Every error is one of usage; what is wrong in files is Problems in its chain.
func OpenWorkspace(dir string) (*Workspace, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open workspace %s: %w", dir, err)
	}
	root, file, err := findWorkspace(abs)
	if err != nil {
		return nil, err
	}
	w := &Workspace{Env: os.LookupEnv, root: root, file: file}
	if err := w.readSettings(); err != nil {
		return nil, err
	}
	if w.catalogue, err = w.readCatalogue(); err != nil {
		return nil, err
	}
	return w, nil
}

func findWorkspace(dir string) (root, file string, err error) {
	if _, err := os.Stat(dir); err != nil {
		return "", "", harness.Usage(fmt.Errorf("open workspace: %w", err), "name a folder that exists")
	}
	for at := dir; ; at = filepath.Dir(at) {
		for _, name := range FileNames {
			if info, err := os.Stat(filepath.Join(at, name)); err == nil && info.Mode().IsRegular() {
				return at, name, nil
			}
		}
		if at == filepath.Dir(at) {
			return "", "", harness.Usage(
				fmt.Errorf("find workspace: no %s in %s or a folder above it", FileNames[0], dir),
				"run `rehearse init` to start a workspace here")
		}
	}
}

func (w *Workspace) readSettings() error {
	d := newDecoder(w.file, "workspace file", w.Env)
	src, err := readWhole(filepath.Join(w.root, w.file))
	if err != nil {
		return harness.Usage(fmt.Errorf("read workspace file: %w", err), "")
	}
	d.decodeFile(src, &w.settings)
	s := &w.settings
	if s.Version != 0 && s.Version != formatVersion {
		d.problem("version", "version %d is not known; this program reads version %d", s.Version, formatVersion)
	}
	for _, f := range []folder{
		{"catalog", "REHEARSE_CATALOG", &s.Catalog},
		{"fixtures", "REHEARSE_FIXTURES", &s.Fixtures},
		{"scenarios", "REHEARSE_SCENARIOS", &s.Scenarios},
	} {
		f.settle(d)
	}
	return d.problems.err()
}

// folder is a setting that names a folder below the workspace. The variable has precedence over the file; without
// both, the folder has the name of its key.
type folder struct {
	key, variable string
	path          *string
}

func (f folder) settle(d *decoder) {
	if *f.path == "" {
		*f.path = f.key
	}
	if problem := checkLocal(*f.path); problem != "" {
		d.problem(f.key, "%s: %s", f.key, problem)
	}
	value, _ := d.lookup(f.variable)
	if value == "" {
		return
	}
	*f.path = value
	if problem := checkLocal(value); problem != "" {
		d.problems.add(d.file, place{}, "variable %s: %s", f.variable, problem)
	}
}

// Root returns the absolute path of the workspace.
func (w *Workspace) Root() string { return w.root }

// Catalogue returns what the workspace knows about systems, integrations and people. Do not change its maps.
func (w *Workspace) Catalogue() harness.Catalogue { return w.catalogue }

// FixturesDir returns the absolute path of the folder for recordings; it need not exist.
func (w *Workspace) FixturesDir() string { return w.path(w.settings.Fixtures) }

// ScenariosDir returns the absolute path of the folder for scenarios; it need not exist.
func (w *Workspace) ScenariosDir() string { return w.path(w.settings.Scenarios) }

func (w *Workspace) path(local string) string {
	return filepath.Join(w.root, filepath.FromSlash(local))
}

// shown is how messages and reports name a file: relative to the workspace and with slashes when it lies below it.
func (w *Workspace) shown(abs string) string {
	if rel, err := filepath.Rel(w.root, abs); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return abs
}

// scenarioKey finds files that are meant to be scenarios, also those that cannot be parsed: they must not vanish from
// the list.
var scenarioKey = regexp.MustCompile(`(?m)\A(\x{feff})?(\{\s*)?["']?scenario["']?\s*:|^["']?scenario["']?\s*:`)

// Scenarios returns the absolute paths of all scenario files below the scenarios folder in the order of their names: YAML
// files with the top-level key scenario. Hidden folders, and folders with a workspace file of their own, are left out.
// A folder that is missing has no scenarios.
func (w *Workspace) Scenarios() ([]string, error) {
	var files []string
	start := w.ScenariosDir()
	err := filepath.WalkDir(start, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case path == start && errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case entry.IsDir():
			if path != start && (strings.HasPrefix(entry.Name(), ".") || holdsWorkspace(path)) {
				return fs.SkipDir
			}
			return nil
		case !entry.Type().IsRegular() || !isYAML(entry.Name()):
			return nil
		}
		src, err := readWhole(path)
		if err != nil {
			return err
		}
		if scenarioKey.Match(src) {
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		return nil, harness.Usage(fmt.Errorf("list scenarios: %w", err), "")
	}
	return files, nil // WalkDir goes in the order of names
}

func isYAML(name string) bool {
	ext := strings.ToLower(filepath.Ext(name))
	return ext == ".yaml" || ext == ".yml"
}

func holdsWorkspace(dir string) bool {
	for _, name := range FileNames {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	return false
}

// checkLocal says what is wrong with a path that a file names.
func checkLocal(path string) string {
	if strings.Contains(path, `\`) {
		return quoted(path) + " holds a backslash; write paths with /"
	}
	if strings.HasPrefix(path, "/") || !filepath.IsLocal(filepath.FromSlash(path)) {
		return quoted(path) + " leaves the workspace; write a path below its root"
	}
	return ""
}

// ScenariosBelow is those of Scenarios that lie below the folder dir, which is relative to the current one.
func (w *Workspace) ScenariosBelow(dir string) ([]string, error) {
	all, err := w.Scenarios()
	if err != nil {
		return nil, err
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(file string) bool {
		rel, err := filepath.Rel(abs, file)
		return err != nil || !filepath.IsLocal(rel)
	}), nil
}
