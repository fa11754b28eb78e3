// Package openapi reads the examples of OpenAPI descriptions, versions 3.0, 3.1 and 3.2, YAML or JSON.
//
// Examples belong together by their name: an example of an answer goes with the examples of that name for the body and
// the parameters of the request. Where there is none of that name, the only or unnamed one is taken; a parameter in the
// path without any example is made of its schema or of its name. An operation without an example of an answer gives
// nothing, unless the answer has no body. Nothing of it is traffic, so each request says in the field :derived what it is
// made of. References within the file are followed, others are not.
package openapi

import (
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/departure"
	"github.com/rehearse-dev/rehearse/recorders/internal/plain"
	"github.com/rehearse-dev/rehearse/recorders/internal/sniff"
)

// Format reads descriptions.
var Format = archive.Format{
	Extensions: []string{".yaml", ".yml", ".json"}, Wrote: "an OpenAPI description, version 3", Read: read,
	Knows: func(head []byte) bool { return sniff.Has(head, "openapi") || sniff.Has(head, "swagger") },
}

// Departures that only this format has.
const (
	noteNoExample departure.Kind = "operations: have no example of an answer and were left out"
	noteDefault   departure.Kind = "answers: stand for other codes (default, 4XX) and were left out"
	noteExternal  departure.Kind = "examples: lie outside of the file and were left out"
	noteUnwritten departure.Kind = "examples: are values of a media type that is not JSON, and were left out"
)

// methods in the order in which operations are read.
var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace", "query"}

// description is a file while it is read.
type description struct {
	file *archive.File
	top  *plain.Node
	base string // of URLs, without a slash at the end; empty or a path when no host is known
}

func read(f *archive.File) error {
	top, err := f.Document()
	if err != nil {
		return err
	}
	version := top.Get("openapi").TextOr("")
	if !strings.HasPrefix(version, "3.") {
		return top.Errorf("want openapi 3.x, have %.20q", version+top.Get("swagger").TextOr(""))
	}
	d := &description{file: f, top: top, base: baseOf(top)}
	paths := top.Get("paths")
	if paths != nil && paths.Kind != plain.Map && paths.Kind != plain.Null {
		return paths.Errorf("paths: want a map, have %s", paths.Kind)
	}
	count := 0
	for _, member := range membersOf(paths) {
		item, err := d.follow(member.Value)
		if err != nil {
			return err
		}
		for _, method := range methods {
			op := item.Get(method)
			if op == nil {
				continue
			}
			if err := f.Err(); err != nil {
				return err
			}
			o := operation{d, method, member.Name, item, op}
			if err := f.One(fmt.Sprintf("operation %d", count), op, func(*plain.Node) error { return o.read() }); err != nil {
				return err
			}
			count++
		}
	}
	return nil
}

func membersOf(n *plain.Node) []plain.Member {
	if n == nil {
		return nil
	}
	return n.Members
}

// baseOf is the URL of the first server with the defaults of its variables.
func baseOf(top *plain.Node) string {
	servers := top.Get("servers")
	if servers == nil || len(servers.Items) == 0 {
		return ""
	}
	base := servers.Items[0].Get("url").TextOr("")
	for _, v := range membersOf(servers.Items[0].Get("variables")) {
		base = strings.ReplaceAll(base, "{"+v.Name+"}", v.Value.Get("default").TextOr(""))
	}
	return strings.TrimSuffix(base, "/")
}

// mostReferences is how many references may lead to one another.
const mostReferences = 20

// follow returns what a node refers to within the file, or the node itself.
func (d *description) follow(n *plain.Node) (*plain.Node, error) {
	from := n
	for range mostReferences {
		ref := n.Get("$ref").TextOr("")
		if ref == "" {
			return n, nil
		}
		pointer, local := strings.CutPrefix(ref, "#/")
		if !local {
			return nil, n.Errorf("reference %.80q leads out of the file", ref)
		}
		n = d.top
		for step := range strings.SplitSeq(pointer, "/") {
			n = n.Get(strings.NewReplacer("~1", "/", "~0", "~").Replace(step))
		}
		if n == nil {
			return nil, from.Errorf("reference %.80q leads nowhere", ref)
		}
	}
	return nil, from.Errorf("more than %d references lead to one another", mostReferences)
}
