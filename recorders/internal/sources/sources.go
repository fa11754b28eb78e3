// Package sources finds the files that a path names: one file, or all of a kind in a folder.
package sources

import (
	"errors"
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
// not count, and a folder without any is an error. Without extensions it is every file whose path has no hidden name.
// Links inside are not followed out of the folder.
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
		switch hidden := len(extensions) == 0 && file != "." && strings.HasPrefix(path.Base(file), "."); {
		case err != nil:
			return err
		case entry.IsDir() && hidden:
			return fs.SkipDir
		case !entry.IsDir() && !hidden && (len(extensions) == 0 || slices.ContainsFunc(extensions, ends(file))):
			files = append(files, file)
		}
		return nil
	})
	if err == nil && len(files) == 0 {
		err = nothing(extensions)
	}
	if err != nil {
		root.Close() //nolint:errcheck // it was only read
		return nil, nil, err
	}
	return root, files, nil
}

// ends tells the extensions that a name has; one may have several parts, such as .csv.gz.
func ends(name string) func(extension string) bool {
	name = strings.ToLower(name)
	return func(extension string) bool { return strings.HasSuffix(name, extension) }
}

func nothing(extensions []string) error {
	if len(extensions) == 0 {
		return errors.New("no file in the folder")
	}
	return fmt.Errorf("no *%s file in the folder", extensions[0])
}
