package sign

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strings"
)

// canonical is a method of canonicalization: Canonical XML 1.0 and 1.1, and Exclusive XML Canonicalization 1.0.
type canonical struct {
	exclusive, comments bool
	later               bool     // 1.1
	prefixes            []string // of InclusiveNamespaces; #default is the default namespace
}

const (
	methodC14N   = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
	methodC14N11 = "http://www.w3.org/2006/12/xml-c14n11"
	methodExc    = "http://www.w3.org/2001/10/xml-exc-c14n#"
)

var canonicals = map[string]canonical{
	methodC14N: {}, methodC14N + "#WithComments": {comments: true},
	methodC14N11: {later: true}, methodC14N11 + "#WithComments": {later: true, comments: true},
	methodExc: {exclusive: true}, methodExc + "WithComments": {exclusive: true, comments: true},
}

// canonicalOf is the method that an element names, with the prefixes that it lists.
func canonicalOf(method *xmlNode) (canonical, bool) {
	c, ok := canonicals[method.attribute("Algorithm")]
	if !ok {
		return c, false
	}
	for _, kid := range method.kids {
		if kid.is("InclusiveNamespaces", methodExc) {
			c.prefixes = strings.Fields(kid.attribute("PrefixList"))
		}
	}
	return c, true
}

// canonicalizer writes a node and what is below it.
type canonicalizer struct {
	canonical
	omit *xmlNode // and what is below
	out  bytes.Buffer
}

// write is the canonical form of an element, or of a document, without the node to omit.
func (c canonical) write(n, omit *xmlNode) []byte {
	w := &canonicalizer{canonical: c, omit: omit}
	if n.up == nil {
		w.document(n)
	} else {
		w.element(n, map[string]string{}, true)
	}
	return w.out.Bytes()
}

// document writes what stands around the root with a line end between.
func (w *canonicalizer) document(top *xmlNode) {
	behind := false
	for _, n := range top.kids {
		switch {
		case n.kind == xmlElement:
			w.element(n, map[string]string{}, true)
			behind = true
		case n.kind == xmlInstruction || n.kind == xmlComment && w.comments:
			if behind {
				w.out.WriteByte('\n')
			}
			w.aside(n)
			if !behind {
				w.out.WriteByte('\n')
			}
		}
	}
}

func (w *canonicalizer) aside(n *xmlNode) {
	escape := strings.NewReplacer("\r", "&#xD;")
	switch {
	case n.kind == xmlComment && w.comments:
		w.out.WriteString("<!--" + escape.Replace(n.text) + "-->")
	case n.kind == xmlInstruction && n.text == "":
		w.out.WriteString("<?" + n.name + "?>")
	case n.kind == xmlInstruction:
		w.out.WriteString("<?" + n.name + " " + escape.Replace(n.text) + "?>")
	}
}

var (
	canonicalText  = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#xD;")
	canonicalValue = strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&quot;", "\t", "&#x9;", "\n", "&#xA;", "\r", "&#xD;")
)

// element writes an element; written are the namespaces that the elements above it wrote. The apex is the first one.
func (w *canonicalizer) element(n *xmlNode, written map[string]string, apex bool) {
	if n == w.omit {
		return
	}
	w.out.WriteString("<" + n.name)
	written = w.namespaces(n, written)
	for _, a := range w.attributes(n, apex) {
		w.out.WriteString(" " + a.name + `="` + canonicalValue.Replace(a.value) + `"`)
	}
	w.out.WriteByte('>')
	for _, c := range n.kids {
		switch c.kind {
		case xmlElement:
			w.element(c, written, false)
		case xmlText:
			w.out.WriteString(canonicalText.Replace(c.text))
		default:
			w.aside(c)
		}
	}
	w.out.WriteString("</" + n.name + ">")
}

// namespaces writes the declarations that the element needs and none above it wrote, and returns all that are written.
func (w *canonicalizer) namespaces(n *xmlNode, written map[string]string) map[string]string {
	needed := map[string]bool{}
	if w.exclusive {
		prefix, _ := splitName(n.name)
		needed[prefix] = true
		for _, a := range n.attributes {
			if prefix, _ := splitName(a.name); prefix != "" {
				needed[prefix] = true
			}
		}
	}
	inScope := map[string]bool{"": true}
	for up := n; up != nil; up = up.up {
		for prefix := range up.namespaces {
			inScope[prefix] = true
		}
	}
	for prefix := range inScope {
		listed := slices.Contains(w.prefixes, cmp.Or(prefix, "#default"))
		needed[prefix] = needed[prefix] || !w.exclusive || listed
	}
	now, own := written, false
	for _, prefix := range slices.Sorted(maps.Keys(needed)) {
		uri := n.namespace(prefix)
		if !needed[prefix] || prefix == "xml" || written[prefix] == uri {
			continue
		}
		if !own {
			now, own = maps.Clone(written), true
		}
		now[prefix] = uri
		name := "xmlns"
		if prefix != "" {
			name += ":" + prefix
		}
		w.out.WriteString(" " + name + `="` + canonicalValue.Replace(uri) + `"`)
	}
	return now
}

// attributes are in the order of their namespaces and local names. An apex inherits those of the namespace xml, unless
// the method is exclusive.
func (w *canonicalizer) attributes(n *xmlNode, apex bool) []xmlAttribute {
	list := slices.Clone(n.attributes)
	for up := n.up; apex && !w.exclusive && up != nil; up = up.up {
		for _, a := range up.attributes {
			has := slices.ContainsFunc(list, func(b xmlAttribute) bool { return a.name == b.name })
			if prefix, local := splitName(a.name); prefix == "xml" && !has && !(w.later && local == "id") {
				list = append(list, a)
			}
		}
	}
	uri := func(a xmlAttribute) string {
		if prefix, _ := splitName(a.name); prefix != "" {
			return n.namespace(prefix)
		}
		return ""
	}
	slices.SortFunc(list, func(a, b xmlAttribute) int {
		_, one := splitName(a.name)
		_, other := splitName(b.name)
		return cmp.Or(strings.Compare(uri(a), uri(b)), strings.Compare(one, other))
	})
	return list
}
