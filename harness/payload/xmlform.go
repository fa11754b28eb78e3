package payload

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// xmlForm gathers what is form in a document and not value. The usual spelling is no fact, so that a value that comes
// or goes does not change the form.
type xmlForm struct {
	declaration, doctype   string
	bound                  map[string]string // prefix to namespace
	isUsed                 bool
	used                   struct{ prefix, uri string } // what was noted last, as it mostly comes again
	isAmbiguous            bool                         // a prefix stands for two namespaces
	declarations, below    int                          // namespace declarations, and those below the document's element
	single, double         bool                         // quotes of attributes
	hollow, tagged         bool                         // spellings of empty elements
	cdata                  int
	comments, instructions asideForm
	prefixes               map[string]bool
}

// asideForm counts texts that are no values, and tells them apart by a digest.
type asideForm struct {
	n      int
	digest hash.Hash
}

func (a *asideForm) add(b []byte) {
	if a.n++; a.digest == nil {
		a.digest = sha256.New()
	}
	fmt.Fprintf(a.digest, "%d:", len(b))
	a.digest.Write(b)
}

func (a *asideForm) text() string {
	if a.n == 0 {
		return ""
	}
	const shown = 4 // bytes
	return fmt.Sprintf("%d, digest %x", a.n, a.digest.Sum(nil)[:shown])
}

// use notes what a prefix stands for.
func (f *xmlForm) use(prefix []byte, uri string) {
	if f.isUsed && string(prefix) == f.used.prefix && uri == f.used.uri {
		return
	}
	was, ok := f.bound[string(prefix)]
	if !ok {
		f.bound[string(prefix)] = uri
	}
	f.isAmbiguous = f.isAmbiguous || ok && was != uri
	f.isUsed, f.used.prefix, f.used.uri = true, string(prefix), uri
}

func (f *xmlForm) declare(prefix []byte, uri string, depth int) {
	f.use(prefix, uri)
	f.declarations++
	if depth > 0 {
		f.below++
	}
	if f.prefixes == nil {
		f.prefixes = map[string]bool{}
	}
	f.prefixes[cmp.Or(string(prefix), "default")+"="+uri] = true
}

func (f *xmlForm) quote(c byte) {
	f.single = f.single || c == '\''
	f.double = f.double || c == '"'
}

func (f *xmlForm) empty(isEmpty, hollow bool) {
	f.hollow = f.hollow || isEmpty && hollow
	f.tagged = f.tagged || isEmpty && !hollow
}

// shared is what gives prefixes their meaning. Where a prefix has two, only equal documents are spelled alike.
func (f *xmlForm) shared(source []byte) []byte {
	if f.isAmbiguous {
		sum := sha256.Sum256(source)
		return sum[:]
	}
	var b bytes.Buffer
	for _, prefix := range slices.Sorted(maps.Keys(f.bound)) {
		fmt.Fprintf(&b, "%s=%q\n", prefix, f.bound[prefix])
	}
	return b.Bytes()
}

func (p *xmlParser) facts() []Fact {
	f := &p.form
	var facts []Fact
	add := func(is bool, name, value string) {
		if is {
			facts = append(facts, Fact{name, value})
		}
	}
	add(bytes.HasPrefix(p.s, []byte(utf8BOM)), "byte order mark", "UTF-8")
	facts = append(facts, encodingFact(p.s)...)
	add(f.declaration != "", "declaration", f.declaration)
	add(f.doctype != "", "document type", f.doctype)
	add(len(f.prefixes) > 0, "prefixes", strings.Join(slices.Sorted(maps.Keys(f.prefixes)), " "))
	add(f.below > 0, "namespace declarations", "also below the document's element")
	add(f.single, "attribute quotes", either(f.double, "single and double", "single"))
	add(f.tagged, "empty elements", either(f.hollow, "self-closing, and start and end tags", "start and end tags"))
	add(f.cdata > 0, "CDATA sections", strconv.Itoa(f.cdata))
	add(f.comments.n > 0, "comments", f.comments.text())
	add(f.instructions.n > 0, "processing instructions", f.instructions.text())
	if bytes.IndexByte(p.s, '\r') >= 0 {
		crlf, cr := bytes.Count(p.s, []byte("\r\n")), bytes.Count(p.s, []byte("\r"))
		add(true, "line ends", either(crlf == cr && crlf == bytes.Count(p.s, []byte("\n")), "CRLF", "mixed"))
	}
	return facts
}

func either(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}
