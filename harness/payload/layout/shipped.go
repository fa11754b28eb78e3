package layout

import (
	"embed"
	"io/fs"
	"sync"
)

//go:embed shipped/*.yaml
var shippedFiles embed.FS

// Shipped returns the layouts that come with the program, in order of their file names.
var Shipped = sync.OnceValue(func() []*Layout {
	folder, err := fs.Sub(shippedFiles, "shipped")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	layouts, err := Load(folder)
	if err != nil {
		panic(err) // so are the layouts; a test reads them
	}
	return layouts
})
