// Package unfinished knows the names that files have while they are uploaded, before they are renamed into place.
package unfinished

import (
	"path"
	"slices"
	"strings"
)

// endings that programs put behind the last name of a file.
var endings = []string{".tmp", ".part", ".filepart", ".uploading"}

// HasEnding reports whether a name ends like that of an upload, in letters of any case.
func HasEnding(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(endings, func(ending string) bool { return strings.HasSuffix(name, ending) })
}

// Is reports whether a name is that of an upload, of an editor's copy (a trailing ~) or hidden (a leading dot). Folders
// in front do not matter.
func Is(name string) bool {
	name = path.Base(name)
	return HasEnding(name) || strings.HasSuffix(name, "~") || strings.HasPrefix(name, ".")
}
