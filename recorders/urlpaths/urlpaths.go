// Package urlpaths reads a folder whose paths are URLs: each file is the body of an answer, as mirrors of sites and the
// mock resources of client libraries keep them.
//
//   - The path below the folder is the path of the URL. A top folder that is the name of a host, such as sis.test.example,
//     is the host.
//   - A file index.html, index.json or index.xml stands for its folder.
//   - A name that ends in .POST, .PUT, .PATCH, .DELETE, .HEAD or .OPTIONS is the answer to that method, all others to GET.
//   - NAME.http-headers is a JSON map: the head of the answer NAME.
//   - Names are taken as they are: %3A stays, a blank becomes %20, and ? begins the query. A query that a tool wrote with
//     other characters stays part of the path.
//
// The status is 200, for the files tell none.
package urlpaths

import (
	"encoding/json"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/departure"
	"github.com/rehearse-dev/rehearse/recorders/internal/plain"
)

// Format reads such folders. No content tells them apart from plain files.
var Format = archive.Format{Wrote: "a folder whose paths are URLs", Read: read}

// Departures that only this format has.
const (
	noteStatus departure.Kind = "answers: the folder holds no status; 200 was taken"
	noteIndex  departure.Kind = "answers: index files stand for their folder"
)

const headersSuffix = ".http-headers"

var (
	methods = []string{"POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}
	hostTop = regexp.MustCompile(`^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}(:[0-9]+)?$`)
)

func read(f *archive.File) error {
	if strings.HasSuffix(f.Name, headersSuffix) {
		return nil
	}
	body, err := f.Source()
	if err != nil {
		return err
	}
	c := archive.Call{Method: "GET", Status: 200, Response: archive.Half{Body: body, Media: mediaOf(body)}}
	name := f.Name
	if i := strings.LastIndex(name, "."); i >= 0 && slices.Contains(methods, name[i+1:]) {
		c.Method, name = name[i+1:], name[:i]
	}
	switch path.Base(name) {
	case "index.html", "index.json", "index.xml":
		f.Note(noteIndex)
		name = path.Dir(name)
	}
	c.URL = urlOf(name)
	f.Note(noteStatus)
	f.Session = path.Dir(f.Name)
	head, err := headersOf(f)
	if head == nil && err == nil {
		return f.Add(c)
	}
	// From here on it is the head that may be wrong.
	f.Name += headersSuffix
	if err != nil {
		return err
	}
	var fields plain.Fields
	if err := head.Decode(&fields); err != nil {
		return err
	}
	c.Response.Fields = harness.Head(fields)
	if err := f.Add(c); err != nil {
		return head.Errorf("%v", err)
	}
	return nil
}

// urlOf is the URL of a path: absolute when its top folder names a host.
func urlOf(name string) string {
	if name == "." {
		return "/"
	}
	// Only what cannot stand on a request line is escaped; names may hold escapes already.
	name = strings.NewReplacer("#", "%23", "\t", "%09", "\r", "%0D", "\n", "%0A").Replace(name)
	host, rest, below := strings.Cut(name, "/")
	if below && hostTop.MatchString(host) {
		return "http://" + host + "/" + rest
	}
	return "/" + name
}

// headersOf reads the head that stands beside an answer, nil when there is none.
func headersOf(f *archive.File) (*plain.Node, error) {
	source, err := f.Beside(f.Name + headersSuffix)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return plain.Parse(source)
}

// mediaOf is what a body looks like; empty when it may be anything.
func mediaOf(body []byte) string {
	if json.Valid(body) {
		return "application/json"
	}
	return ""
}
