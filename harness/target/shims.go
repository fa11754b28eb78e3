package target

import (
	"embed"
	"fmt"
	"path"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

//go:embed shims
var shimFiles embed.FS

// Shim is what a program in another language needs to speak the protocol of a command in mode jsonl: one file to lie beside it.
type Shim struct {
	Name string // of the language
	File string // that programs include
	Run  string // how a mapping beside it is started
}

// Shims is the table of shims.
var Shims = []Shim{
	{"python", "rehearse.py", "python3, %s/map.py"},
	{"node", "rehearse.js", "node, %s/map.js"},
	{"perl", "Rehearse.pm", "perl, %s/map.pl"},
}

// ShimOf finds a shim by its name.
func ShimOf(name string) (Shim, error) {
	var names []string
	for _, s := range Shims {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Shim{}, harness.Usage(fmt.Errorf("find shim: there is none for %q", name), "write one of "+strings.Join(names, ", ")+"; another language answers each line of JSON with one")
}

// Source is the content of the file.
func (s Shim) Source() ([]byte, error) { return shimFiles.ReadFile(path.Join("shims", s.File)) }
