package recorders

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/accesslog"
	"github.com/rehearse-dev/rehearse/recorders/curl"
	"github.com/rehearse-dev/rehearse/recorders/endpoints"
	"github.com/rehearse-dev/rehearse/recorders/goreplay"
	"github.com/rehearse-dev/rehearse/recorders/govcr"
	"github.com/rehearse-dev/rehearse/recorders/har"
	"github.com/rehearse-dev/rehearse/recorders/hoverfly"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/sniff"
	"github.com/rehearse-dev/rehearse/recorders/internal/sources"
	"github.com/rehearse-dev/rehearse/recorders/mitmproxy"
	"github.com/rehearse-dev/rehearse/recorders/openapi"
	"github.com/rehearse-dev/rehearse/recorders/pcap"
	"github.com/rehearse-dev/rehearse/recorders/plainfile"
	"github.com/rehearse-dev/rehearse/recorders/postman"
	"github.com/rehearse-dev/rehearse/recorders/urlpaths"
	"github.com/rehearse-dev/rehearse/recorders/vcr"
	"github.com/rehearse-dev/rehearse/recorders/wiremock"
)

// Importer is one row of the table of importers.
type Importer struct {
	Name       string
	Summary    string
	Extensions []string // of the files that it reads, lower case with the dot
	// Knows tells by the first bytes of a file, at most 64 KiB, whether it is of this format; nil: only when it is named.
	Knows func(head []byte) bool
	Open  func(path, from, to string) Noted
}

// Noted is a recorder that says what it could not take over as it stands.
type Noted interface {
	harness.Recorder
	Notes() []string
}

// Patient is a recorder that can pass over what it cannot read.
type Patient interface {
	// KeepOn makes Record pass over records and files that cannot be read; each counts as dropped.
	KeepOn()
	// Unreadable are those that the last Record passed over, each with its file and place.
	Unreadable() []error
}

// Importers is the table of importers. The conformance suite walks it.
var Importers = []Importer{
	importing("har", "HTTP archives of browsers, proxies and Polly.JS: HAR 1.2", har.Format),
	importing("govcr", "files of go-vcr, versions 1 and 2", govcr.Format),
	importing("vcr", "files of Ruby VCR and betamax, YAML or JSON", vcr.Ruby),
	importing("vcrpy", "files of vcrpy, YAML or JSON", vcr.Python),
	importing("phpvcr", "files of php-vcr, YAML or JSON", vcr.PHP),
	importing("mitmproxy", "flow dumps of mitmproxy 4 and newer", mitmproxy.Format),
	importing("goreplay", "files of GoReplay: *.gor, also compressed", goreplay.Format),
	importing("wiremock", "stub mappings of WireMock, with the bodies in __files", wiremock.Format),
	importing("hoverfly", "simulations of Hoverfly, schema v1 to v5", hoverfly.Format),
	importing("endpoints", "JSON files of method, endpoint, data, status_code and headers", endpoints.Format),
	importing("urlpaths", "a folder whose paths are URLs; only when the format is named", urlpaths.Format),
	importing("postman", "collections of Postman, format 2.0 and 2.1: saved examples and requests", postman.Format),
	importing("openapi", "examples of OpenAPI 3 descriptions, paired by their name", openapi.Format),
	importing("pcap", "HTTP/1 and clear HTTP/2 in captures of networks: pcap, pcapng", pcap.Format),
	importing("accesslog", "access logs: Common, Combined, named formats of Apache and nginx, JSON lines, W3C of IIS", accesslog.Format),
	importing("curl", "files of curl commands, as browsers copy them for a shell or for Windows", curl.Format),
	{"files", "plain files, byte for byte; only when the format is named", nil, nil, func(path, from, to string) Noted { return &plainfile.Importer{Path: path, From: from, To: to} }},
}

// importing is the row of a format of package archive.
func importing(name, summary string, f archive.Format) Importer {
	return Importer{name, summary, f.Extensions, f.Knows, func(path, from, to string) Noted {
		return &archive.Importer{Format: f, Path: path, From: from, To: to}
	}}
}

// ErrNoFormat is wrapped in the error of [ImporterFor] about a path of which no format is known.
var ErrNoFormat = errors.New("no content of a known format")

// ImporterFor returns the row of that name. With the empty name the content of the file decides, or that of the files in
// a folder; where no content is known, an extension that tells the format does.
func ImporterFor(name, path string) (Importer, error) {
	if name == "" {
		return detect(path)
	}
	for _, im := range Importers {
		if im.Name == name {
			return im, nil
		}
	}
	return Importer{}, harness.Usage(fmt.Errorf("import %s: format %q is not known", path, name), "formats are "+importerNames())
}

func importerNames() string {
	var names []string
	for _, im := range Importers {
		names = append(names, im.Name)
	}
	return strings.Join(names, ", ")
}

func detect(path string) (Importer, error) {
	root, files, err := sources.Open(path)
	if err != nil {
		return Importer{}, harness.Usage(fmt.Errorf("import: %w", err), "check the path")
	}
	defer root.Close()
	found, err := knownIn(root, files)
	if err != nil {
		return Importer{}, harness.Usage(fmt.Errorf("import %s: %w", path, err), "make it a regular file that you may read, or name the format with --format")
	}
	if len(found) == 0 {
		found = byExtension(files)
	}
	switch len(found) {
	case 0:
		return Importer{}, harness.Usage(fmt.Errorf("import %s: %w", path, ErrNoFormat), "name the format with --format: "+importerNames())
	case 1:
		return found[0].importer, nil
	}
	var candidates []string
	for _, c := range found {
		candidates = append(candidates, fmt.Sprintf("%s (%s, first %s)", c.importer.Name, harness.Count(c.files, "file"), c.first))
	}
	return Importer{}, harness.Usage(fmt.Errorf("import %s: more than one format fits: %s", path, strings.Join(candidates, ", ")),
		"name one with --format; it reads the files with its extensions")
}

// candidate is a format that files of a folder may have.
type candidate struct {
	importer Importer
	files    int
	first    string // file
}

type candidates []candidate

func (cs candidates) add(im Importer, file string) candidates {
	i := slices.IndexFunc(cs, func(c candidate) bool { return c.importer.Name == im.Name })
	if i < 0 {
		return append(cs, candidate{im, 1, file})
	}
	cs[i].files++
	return cs
}

// knownIn reads the first bytes of each file.
func knownIn(root *os.Root, files []string) (found candidates, err error) {
	head := make([]byte, sniff.Head)
	for _, file := range files {
		n, err := readHead(root, file, head)
		if err != nil {
			return nil, err
		}
		for _, im := range Importers {
			if im.Knows != nil && im.Knows(head[:n]) {
				found = found.add(im, file)
			}
		}
	}
	return found, nil
}

func readHead(root *os.Root, file string, head []byte) (int, error) {
	info, err := root.Stat(filepath.FromSlash(file)) // before it is opened: a pipe would block
	if err != nil || !info.Mode().IsRegular() {
		return 0, cmp.Or(err, fmt.Errorf("%s: not a regular file", file))
	}
	f, err := root.Open(filepath.FromSlash(file))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	n, err := io.ReadFull(f, head)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return n, err
}

// anybodys are extensions that say nothing about the tool that wrote a file.
var anybodys = []string{".json", ".yaml", ".yml", ".txt", ".log", ".xml", ".html"}

// byExtension is the rows whose own extension files have.
func byExtension(files []string) (found candidates) {
	for _, file := range files {
		ext := strings.ToLower(filepath.Ext(file))
		for _, im := range Importers {
			if slices.Contains(im.Extensions, ext) && !slices.Contains(anybodys, ext) {
				found = found.add(im, file)
			}
		}
	}
	return found
}
