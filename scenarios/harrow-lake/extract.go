package harrowlake

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// RootFile is the content of rehearse.yaml, which makes a folder a workspace.
const RootFile = "version: 1\ncatalog: scenarios/harrow-lake/catalog\n"

// Folders within the workspace.
const (
	scenariosDir = "scenarios/harrow-lake"
	fixturesDir  = "fixtures/harrow-lake"
	schemasDir   = "scenarios/schema" // the first lines of the files name it
)

// Extract makes the folder a workspace of the demo world: scenarios and their schemas, the given tree of recordings,
// and last of all rehearse.yaml, so that an interrupted extraction is not taken for a workspace. The folder is made
// when it is missing; one that holds anything is refused.
func Extract(dir string, fixtures fs.FS) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return harness.Usage(fmt.Errorf("make folder %s: %w", dir, err), "name a folder that can be written")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return harness.Usage(fmt.Errorf("read folder %s: %w", dir, err), "name a folder that can be read")
	}
	if len(entries) > 0 {
		return harness.Usage(fmt.Errorf("extract into %s: the folder is not empty, it holds %s", dir, entries[0].Name()),
			"name a folder that is new or empty")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return harness.Usage(fmt.Errorf("open folder %s: %w", dir, err), "name a folder that can be written")
	}
	defer root.Close()
	if err := writeAll(root, fixtures); err != nil {
		return harness.Usage(fmt.Errorf("extract into %s: %w", dir, err), "empty the folder and extract again")
	}
	return nil
}

func writeAll(root *os.Root, fixtures fs.FS) error {
	if err := copyTree(root, scenariosDir, FS()); err != nil {
		return err
	}
	if err := copyTree(root, fixturesDir, fixtures); err != nil {
		return err
	}
	if err := root.MkdirAll(filepath.FromSlash(schemasDir), 0o755); err != nil {
		return err
	}
	for _, name := range scenarios.SchemaNames {
		if err := writeFile(root, path.Join(schemasDir, name+".schema.json"), scenarios.Schema(name)); err != nil {
			return err
		}
	}
	return writeFile(root, "rehearse.yaml", []byte(RootFile))
}

// copyTree writes the files of the tree below the folder within. Go files belong to the packages that carry the
// trees and stay behind.
func copyTree(root *os.Root, within string, tree fs.FS) error {
	return fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return root.MkdirAll(filepath.FromSlash(path.Join(within, name)), 0o755)
		}
		if path.Ext(name) == ".go" {
			return nil
		}
		b, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		return writeFile(root, path.Join(within, name), b)
	})
}

// writeFile makes a new file whole: it is there with all its bytes, or not at all.
func writeFile(root *os.Root, name string, b []byte) error {
	name = filepath.FromSlash(name)
	partial := name + ".partial"
	f, err := root.OpenFile(partial, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		root.Remove(partial) //nolint:errcheck // the first error says more
		return err
	}
	return root.Rename(partial, name)
}
