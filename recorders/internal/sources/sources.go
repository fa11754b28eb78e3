// Package sources finds the files that a path names: one file, or all of a kind in a folder.
package sources

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Open lists the files that name means, sorted, with slashes, relative to the root that it opens and the caller closes.
// A folder is searched to its bottom for files with one of the extensions (lower case, with the dot); letter case does
// not count, and a folder without any is an error. Links inside are not followed out of the folder.
func Open(name string, extensions ...string) (*os.Root, []string, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, nil, err
	}
	if !info.IsDir() {
		root, err := os.OpenRoot(filepath.Dir(name))
		return root, []string{filepath.Base(name)}, err
	}
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, nil, err
	}
	var files []string
	err = fs.WalkDir(root.FS(), ".", func(file string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && slices.Contains(extensions, strings.ToLower(path.Ext(file))) {
			files = append(files, file)
		}
		return err
	})
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("no *%s file in the folder", extensions[0])
	}
	if err != nil {
		root.Close() //nolint:errcheck // it was only read
		return nil, nil, err
	}
	return root, files, nil
}
