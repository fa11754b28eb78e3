// Package sniff tells by the first bytes of a file which keys its maps have, so that importers know their own files.
//
// It is a guess about a file that may be cut, damaged or hostile: nothing is an error, and what cannot be read ends it.
package sniff

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
)

// Head is how many of the first bytes of a file are enough.
const Head = 64 << 10

// Bounds of what is looked at.
const (
	maxDepth = 8
	maxKeys  = 4096
)

// Has reports whether the head of a JSON or YAML file has all keys. A key is a path such as "log.entries[].request":
// "[]" goes into a list, and "*" is any one key.
func Has(head []byte, keys ...string) bool {
	for _, key := range keys {
		for name := range strings.SplitSeq(strings.ReplaceAll(key, "[]", ""), ".") {
			if name != "*" && !bytes.Contains(head, []byte(name)) {
				return false // most files end here, before anything is parsed
			}
		}
	}
	have := Keys(head)
	for _, want := range keys {
		if !have.match(want) {
			return false
		}
	}
	return true
}

// Paths is the set of keys of a head, each as a path.
type Paths map[string]bool

func (p Paths) match(want string) bool {
	if !strings.Contains(want, "*") {
		return p[want]
	}
	pattern := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(want), `\*`, `[^.\[\]]+`) + "$")
	for have := range p {
		if pattern.MatchString(have) {
			return true
		}
	}
	return false
}

// Keys collects the keys of a JSON or YAML file, as far as its head goes.
func Keys(head []byte) Paths {
	head = bytes.TrimPrefix(head, []byte("\ufeff"))
	found := Paths{}
	if text := bytes.TrimLeft(head, " \t\r\n"); len(text) > 0 && (text[0] == '{' || text[0] == '[') {
		dec := json.NewDecoder(bytes.NewReader(head))
		dec.UseNumber()
		found.json(dec, "", 0)
		return found
	}
	found.yaml(head)
	return found
}

func (p Paths) add(path string) {
	if len(p) < maxKeys {
		p[path] = true
	}
}

// json reads a value below a path and reports whether it came to its end.
func (p Paths) json(dec *json.Decoder, path string, depth int) bool {
	token, err := dec.Token()
	if err != nil || depth > maxDepth {
		return false
	}
	switch token {
	case json.Delim('['):
		for dec.More() {
			if !p.json(dec, path+"[]", depth+1) {
				return false
			}
		}
	case json.Delim('{'):
		for dec.More() {
			token, err := dec.Token()
			name, ok := token.(string)
			if err != nil || !ok {
				return false
			}
			below := strings.TrimPrefix(path+"."+name, ".")
			p.add(below)
			if !p.json(dec, below, depth+1) {
				return false
			}
		}
	default:
		return true
	}
	_, err = dec.Token()
	return err == nil
}

// yamlKey is a key at the start of a line of block YAML, behind any dashes.
var yamlKey = regexp.MustCompile(`^( *(?:- +)*)["']?([^\s"'#:{}\[\],&*!|>%@-][^"'#:]*?)["']?:(?: |$)`)

// yamlDash is a line of dashes only: what follows is an item of a list.
var yamlDash = regexp.MustCompile(`^( *(?:- +)*-)$`)

// level is one open key, or one open list, of block YAML.
type level struct {
	indent int
	path   string
}

// yaml follows keys by their indentation, without reading scalars: a line in a block scalar may look like a key, which
// adds a path that is not there.
func (p Paths) yaml(head []byte) {
	open := levels{{-1, ""}}
	for line := range strings.Lines(string(head)) {
		line = strings.TrimRight(line, "\r\n ")
		if m := yamlDash.FindStringSubmatch(line); m != nil {
			open = open.items(m[1])
			continue
		}
		m := yamlKey.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		open = open.items(m[1]).above(len(m[1]))
		path := strings.TrimPrefix(open[len(open)-1].path+"."+m[2], ".")
		if len(open) <= maxDepth {
			p.add(path)
			open = append(open, level{len(m[1]), path})
		}
	}
}

// levels are what is open, from the outside in.
type levels []level

// above closes what does not enclose a column.
func (o levels) above(column int) levels {
	for o[len(o)-1].indent >= column {
		o = o[:len(o)-1]
	}
	return o
}

// items opens a list for each dash of the start of a line. A list may stand at the indentation of its key.
func (o levels) items(start string) levels {
	for i, c := range start {
		if c != '-' {
			continue
		}
		for last := o[len(o)-1]; last.indent > i || last.indent == i && strings.HasSuffix(last.path, "[]"); last = o[len(o)-1] {
			o = o[:len(o)-1]
		}
		o = append(o, level{i, o[len(o)-1].path + "[]"})
	}
	return o
}
