package scenarios

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

//go:embed starter
var starter embed.FS

// gitLines are the lines that a workspace needs in the files of Git.
var gitLines = []struct {
	file  string
	lines []string
}{
	// Runs and caches are nobody's business; the schemas are what the first lines of files point to.
	{".gitignore", []string{"/.rehearse/*", "!/.rehearse/schema/"}},
	// Bodies are bytes as they crossed: Git must not touch their line ends.
	{".gitattributes", []string{"fixtures/**/bodies/** -text"}},
}

// Init starts a workspace in a folder, which is made when it does not exist: settings, a catalogue, an example
// scenario with the recording still to be made, the schemas, and the lines that Git needs, which are added to the
// files of Git that are there. Nothing is overwritten but schemas of an earlier version: when another file of the
// workspace is there already, nothing at all is written.
func Init(dir string) error {
	files, err := starterFiles()
	if err != nil {
		return err
	}
	if there := existing(dir, files); len(there) > 0 {
		return harness.Usage(fmt.Errorf("start a workspace in %s: %s is there already", dir, strings.Join(there, ", ")),
			"choose an empty folder, or use the workspace that is there")
	}
	for _, f := range files {
		if err := writeWhole(filepath.Join(dir, filepath.FromSlash(f.name)), f.content); err != nil {
			return harness.Usage(fmt.Errorf("start a workspace: %w", err), "name a folder that can be written to")
		}
	}
	for _, git := range gitLines {
		if err := addLines(filepath.Join(dir, git.file), git.lines); err != nil {
			return harness.Usage(fmt.Errorf("start a workspace: %w", err), "")
		}
	}
	return nil
}

type starterFile struct {
	name    string // with slashes, below the workspace
	content []byte
}

// starterFiles lists what Init writes; the workspace file comes last, so that a folder is a workspace only when the
// rest of it is there.
func starterFiles() ([]starterFile, error) {
	var files []starterFile
	for _, name := range SchemaNames {
		files = append(files, starterFile{schemaDir + "/" + name + ".schema.json", Schema(name)})
	}
	root, err := fs.Sub(starter, "starter")
	if err != nil {
		return nil, err
	}
	err = fs.WalkDir(root, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(root, path)
		files = append(files, starterFile{path, content})
		return err
	})
	slices.SortStableFunc(files, func(a, b starterFile) int {
		return rank(a.name) - rank(b.name)
	})
	return files, err
}

func rank(name string) int {
	if name == FileNames[0] {
		return 1
	}
	return 0
}

// existing lists what Init would overwrite, and workspace files of any name.
func existing(dir string, files []starterFile) []string {
	candidates := slices.Clone(FileNames)
	for _, f := range files {
		if !strings.HasPrefix(f.name, schemaDir+"/") && f.name != FileNames[0] {
			candidates = append(candidates, f.name)
		}
	}
	return slices.DeleteFunc(candidates, func(name string) bool {
		_, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(name)))
		return errors.Is(err, fs.ErrNotExist)
	})
}

// addLines adds the lines that a text file lacks at its end, and makes the file when there is none.
func addLines(file string, lines []string) error {
	old, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text := string(old)
	have := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for _, line := range lines {
		if slices.Contains(have, line) {
			continue
		}
		if text != "" && !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		text += line + "\n"
	}
	if text == string(old) {
		return nil
	}
	return writeWhole(file, []byte(text))
}
