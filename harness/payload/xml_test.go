package payload

import (
	"bytes"
	"compress/gzip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func mustXML(t tester, source string) *Doc {
	t.Helper()
	d, err := ParseXML([]byte(source))
	if err != nil {
		t.Fatalf("%v\n%s", err, source)
	}
	return d
}

// tree renders the leaves of a document, one a line.
func tree(d *Doc) string {
	var b strings.Builder
	for p, n := range d.Root().Leaves() {
		fmt.Fprintf(&b, "%s=%s\n", p, n.Text())
	}
	return b.String()
}

func TestXMLIsRead(t *testing.T) {
	for _, c := range []struct{ source, tree, facts, why string }{
		{"<a>1</a>", "a=1\n", "", "a leaf is a text"},
		{"<a/>", "a=\n", "", "no content"},
		{"<a></a>", "a=\n", "empty elements: start and end tags", "the other spelling of no content"},
		{"<a> \n</a>", "a= \n\n", "", "white space alone is the text of a leaf"},
		{"<a>\n <b>1</b>\n <b>2</b>\n</a>", "a.b=1\na.b=2\n", "", "white space between elements is no text; a repeated name stays in order"},
		{`<a x="1" y='2'>t</a>`, "a.@x=1\na.@y=2\na.#text=t\n", "attribute quotes: single and double", "attributes are members"},
		{`<a x="1"/>`, "a.@x=1\n", "", "nothing within"},
		{"<p>Dear <b>Dana</b>, hello</p>", "p.#text=Dear \np.b=Dana\np.#text=, hello\n", "", "mixed content in order"},
		{"<a>x<!-- c -->y<![CDATA[<z>&]]>&amp;&#x41;&#66;</a>", "a=xy<z>&&AB\n", "CDATA sections: 1; comments: 1, digest cfccad23", "one text in several pieces"},
		{"<a>1\r\n2\r3</a>", "a=1\n2\n3\n", "line ends: mixed", "line ends as a reader of XML sees them"},
		{`<a xmlns="urn:x"><b>1</b></a>`, "a.@xmlns=urn:x\na.b=1\n", "prefixes: default=urn:x", "the namespace is said once"},
		{`<p:a xmlns:p="urn:x"><p:b>1</p:b></p:a>`, "a.@xmlns=urn:x\na.b=1\n", "prefixes: p=urn:x", "a prefix is form"},
		{`<p:a xmlns:p="urn:x"><b>1</b></p:a>`, "a.@xmlns=urn:x\na.b.@xmlns=\na.b.#text=1\n", "prefixes: p=urn:x", "an element without a namespace in one that has it"},
		{`<a><b xmlns="urn:y">1</b><c/></a>`, "a.b.@xmlns=urn:y\na.b.#text=1\na.c=\n", "prefixes: default=urn:y; namespace declarations: also below the document's element", "a namespace of a leaf"},
		{`<a xml:space="preserve"> <b/> </a>`, "a.@space=preserve\na.#text= \na.b=\na.#text= \n", "", "white space that is kept"},
		{"<?xml version='1.0'  encoding='UTF-8'?>\n<?go fast?><!DOCTYPE a SYSTEM \"a.dtd\"><a/>\n<!-- end -->", "a=\n",
			`declaration: version='1.0' encoding='UTF-8'; document type: a SYSTEM "a.dtd"; comments: 1, digest ff52a9b8; processing instructions: 1, digest 260a46fa`, "what stands around the element"},
		{"\xef\xbb\xbf<a>\xc3\xa9</a>", "a=é\n", "byte order mark: UTF-8", "byte order mark"},
		{"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xe9</a>", "a=é\n", `declaration: version="1.0" encoding="ISO-8859-1"; encoding: ISO-8859-1`, "Latin-1"},
		{"<?xml version=\"1.0\" encoding=\"windows-1252\"?><a>\x80\x81</a>", "a=€\u0081\n", `declaration: version="1.0" encoding="windows-1252"; encoding: Windows-1252`, "Windows-1252"},
		{"\xff\xfe<\x00a\x00>\x00\xe9\x00=\xd8\x00\xde<\x00/\x00a\x00>\x00", "a=é😀\n", "encoding: UTF-16LE with byte order mark", "UTF-16"},
		{"<?xml version=\"1.0\" encoding=\"utf-16\"?><a>é</a>", "a=é\n", `declaration: version="1.0" encoding="utf-16"`, "a string that was declared before it was encoded"},
		{"<a>\xe9</a>", "a=\xe9\n", "encoding: Windows-1252 or Latin-1", "a byte that is not UTF-8 is kept"},
	} {
		d, err := ParseXML([]byte(c.source))
		if err != nil {
			t.Errorf("%s: %v", c.why, err)
			continue
		}
		if out, err := d.Rewrite(nil); err != nil || string(out) != c.source {
			t.Errorf("%s: %q became %q, %v", c.why, c.source, out, err)
		}
		if diff := cmp.Diff(c.tree, strings.ReplaceAll(strings.ReplaceAll(tree(d), `["#text"]`, ".#text"), `.["`, `.["`)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.why, diff)
		}
		if diff := cmp.Diff(c.facts, facts(d)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.why, diff)
		}
	}
}

func TestXMLErrorsNameThePlace(t *testing.T) {
	for _, c := range []struct {
		source string
		offset int
		what   string
	}{
		{"", 0, "ends where an element should be"},
		{"<a>", 3, "ends before </a> closes what opened at byte 0"},
		{"<a></b>", 3, "</b> where </a> should close what opened at byte 0"},
		{"</a>", 0, "</a> closes nothing"},
		{"<a/><b/>", 4, "a second element outside the document's element"},
		{"x<a/>", 0, "text outside the document's element"},
		{"<a>&nbsp;</a>", 3, "&nbsp; is no entity of XML"},
		{"<a>AT&T</a>", 5, "& begins no reference; a plain one is spelled &amp;"},
		{"<a>&#0;</a>", 3, "&#0; is no entity of XML"},
		{"<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", 12, "document type declaration with an internal subset, which can define entities, is refused"},
		{"<a x='1' x='2'/>", 9, `attribute "x" stands here twice`},
		{"<a x=1/>", 5, "want the value of an attribute in quotes"},
		{"<a x='1'y='2'/>", 8, "want white space or > in a tag"},
		{"<a x='<'/>", 6, "'<' in the value of an attribute"},
		{"<p:a/>", 0, `prefix "p" is not declared`},
		{"<a p:x='1'/>", 3, `prefix "p" is not declared`},
		{"<a:b:c/>", 1, "want a name"},
		{"<a>\x00</a>", 3, "control character 0x00"},
		{"<a>]]></a>", 3, "]]> outside a CDATA section"},
		{"<a><!-- x", 3, "comment is never closed"},
		{"<a><![CDATA[ x", 3, "CDATA section is never closed"},
		{"<?xml version='1.0' encoding='EBCDIC'?><a/>", 0, `encoding "ebcdic" is not known: want UTF-8, UTF-16, ISO-8859-1 or Windows-1252`},
		{strings.Repeat("<a>", maxElements+1), 3 * maxElements, "nested deeper than 256 elements"},
		{"\xff\xfe<\x00a\x00>\x00&\x00<\x00", 8, "& begins no reference; a plain one is spelled &amp;"},
	} {
		_, err := ParseXML([]byte(c.source))
		want := &SyntaxError{"xml", c.offset, 1, c.what}
		if got, ok := errors.AsType[*SyntaxError](err); !ok {
			t.Errorf("%.40q: %v, want %v", c.source, err, want)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%.40q (-want +got):\n%s", c.source, diff)
		}
	}
}

func TestXMLEdits(t *testing.T) {
	text := func(path, text string) func(*Doc) Edit {
		return func(d *Doc) Edit {
			n := d.Root()
			for step := range strings.SplitSeq(path, "/") {
				n = n.Member(step)
			}
			return Edit{Node: n, Text: text}
		}
	}
	name := func(path, name string) func(*Doc) Edit {
		return func(d *Doc) Edit { e := text(path, name)(d); e.Name = true; return e }
	}
	for _, c := range []struct {
		source string
		edit   func(*Doc) Edit
		want   string
		why    string
	}{
		{"<a>1</a>", text("a", `x<&>"'`), `<a>x&lt;&amp;>"'</a>`, "only what must be escaped is"},
		{"<a><![CDATA[1]]></a>", text("a", "x<]]>&"), "<a><![CDATA[x<]]]]><![CDATA[>&]]></a>", "CDATA stays"},
		{"<a/>", text("a", "1"), "<a>1</a>", "a tag that closes itself opens"},
		{"<p:a xmlns:p='u'><p:b /></p:a>", text("a/b", "1"), "<p:a xmlns:p='u'><p:b >1</p:b></p:a>", "with its prefix"},
		{"<a x='1'/>", text("a/@x", `"it's"`), `<a x='"it&apos;s"'/>`, "the quotes stay"},
		{`<a x="1"/>`, text("a/@x", "\"it's\"\n"), `<a x="&quot;it's&quot;&#10;"/>`, "a line end is no blank"},
		{"<p:a xmlns:p='u'>x<p:b>1</p:b ></p:a>", name("a/b", "c"), "<p:a xmlns:p='u'>x<p:c>1</p:c ></p:a>", "a name is in both tags"},
		{"<p:a xmlns:p='u'>x<p:b>1</p:b ></p:a>", name("a", "c"), "<p:c xmlns:p='u'>x<p:b>1</p:b ></p:c>", "that of an object, too"},
		{"<a><b>1<!-- </b> --></b></a>", name("a/b", "c"), "<a><c>1<!-- </b> --></c></a>", "a comment is no end tag"},
		{"<a x = '1'/>", name("a/@x", "@y"), "<a y = '1'/>", "the name of an attribute"},
		{"<a xmlns='u'/>", text("a/@xmlns", "v"), "<a xmlns='v'/>", "a namespace is edited where it is declared"},
		{"<?xml version='1.0' encoding='iso-8859-1'?><a>\xe9</a>", text("a", "é€"), "<?xml version='1.0' encoding='iso-8859-1'?><a>\xe9&#8364;</a>", "a character that the encoding lacks"},
		{"<a>1<b/>2</a>", text("a/#text", " "), "<a>&#32;<b/>2</a>", "white space that is a text"},
		{"<a/><!-- Dana -->", func(d *Doc) Edit {
			for n := range d.Asides() {
				return Edit{Node: n, Text: "x"}
			}
			return Edit{}
		}, "<a/><!--x-->", "a comment"},
	} {
		d := mustXML(t, c.source)
		if got, err := d.Rewrite([]Edit{c.edit(d)}); err != nil || string(got) != c.want {
			t.Errorf("%s: %s, %v; want %s", c.why, got, err, c.want)
		}
	}
	for _, c := range []struct {
		edit func(*Doc) Edit
		why  string
	}{
		{text("a", "\x00"), "not even as a reference"},
		{name("a", "b c"), "no name"},
		{name("a", "b:c"), "a prefix"},
	} {
		d := mustXML(t, "<a>1</a>")
		if got, err := d.Rewrite([]Edit{c.edit(d)}); err == nil {
			t.Errorf("%s: %q", c.why, got)
		}
	}
}

// drawElement writes one element twice, in two spellings of the same value.
func drawElement(t *rapid.T, depth int, namespace string) (a, b string) {
	local := rapid.SampledFrom([]string{"Student", "Course", "id", "Größe"}).Draw(t, "local")
	own := rapid.SampledFrom([]string{namespace, namespace, "urn:hlu:1", "urn:hlu:2"}).Draw(t, "namespace")
	openA, openB, nameB := "<"+local, "<q:"+local, "q:"+local
	if own != namespace {
		openA += ` xmlns="` + own + `"`
	}
	openB += ` xmlns:q='` + own + `'`
	if own == "" {
		openB, nameB = "<"+local+" xmlns=''", local
	}
	if rapid.Bool().Draw(t, "attributes") {
		openA += ` x="1&lt;" y="&#65;"`
		openB += " y='A'\n x='1&#60;'"
	}
	var inA, inB strings.Builder
	if depth > 0 {
		for range rapid.IntRange(0, 3).Draw(t, "children") {
			ca, cb := drawElement(t, depth-1, own)
			inA.WriteString(ca)
			inB.WriteString("\n<!-- c -->" + cb + "  ")
		}
	}
	if inA.Len() == 0 {
		s := rapid.SampledFrom([]string{"", "x", "<", "a&b", "]]", " é "}).Draw(t, "text")
		inA.WriteString(strings.NewReplacer("<", "&lt;", "&", "&amp;").Replace(s))
		if s != "" {
			inB.WriteString("<![CDATA[" + s + "]]>")
		}
	}
	return openA + ">" + inA.String() + "</" + local + ">", openB + ">" + inB.String() + "</" + nameB + ">"
}

func TestTwoSpellingsOfXMLHaveOneValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawElement(t, 3, "")
		x, y := mustXML(t, a), mustXML(t, b)
		if CanonicalDigest(x.Root()) != CanonicalDigest(y.Root()) {
			t.Fatalf("%s\n%s\n%s", a, b, cmp.Diff(tree(x), tree(y)))
		}
		for _, d := range []*Doc{x, y} {
			unchanged(t, d)
			sameLeaves(t, d, mustXML(t, string(sameTexts(t, d))))
		}
	})
}

func TestSameSourceKnowsNamespaces(t *testing.T) {
	a := mustXML(t, `<p:r xmlns:p="urn:1"><p:x>1</p:x></p:r>`).Root().Member("r").Member("x")
	b := mustXML(t, `<p:r xmlns:p="urn:2"><p:x>1</p:x></p:r>`).Root().Member("r").Member("x")
	if SameSource(a, b) {
		t.Error("one prefix, two namespaces, one source")
	}
}

func FuzzParseXML(f *testing.F) {
	for _, s := range []string{"<a>1</a>", `<p:a xmlns:p="u" x='1'><b/>t<!-- c --><![CDATA[x]]>&amp;</p:a>`, "<?xml version='1.0' encoding='iso-8859-1'?><a>\xe9</a>",
		"\xff\xfe<\x00a\x00/\x00>\x00", "<a xml:space='preserve'> <b> </b> </a>", "<!DOCTYPE a><a></a>", "<a", "<a>&x;</a>", "<a xmlns=''/>"} {
		f.Add([]byte(s), "x<\"'&>]]>")
	}
	f.Fuzz(func(t *testing.T, source []byte, text string) {
		d, err := ParseXML(source)
		if err != nil {
			if e, ok := errors.AsType[*SyntaxError](err); !ok || e.Offset > len(source) || e.Line < 1 {
				t.Fatalf("error without a place: %v", err)
			}
			return
		}
		if out, err := d.Rewrite(nil); err != nil || !bytes.Equal(out, source) {
			t.Fatalf("%q became %q, %v", source, out, err)
		}
		again, err := ParseXML(sameTexts(t, d))
		if err != nil {
			t.Fatalf("edits to the same texts broke the document: %v", err)
		}
		sameLeaves(t, d, again)
		var edits []Edit
		for _, n := range d.Root().Leaves() {
			if n.IsScalar() && n.Name() != "@xmlns" && n.Name() != "@space" {
				edits = append(edits, Edit{Node: n, Text: text})
			}
		}
		out, err := d.Rewrite(edits)
		if err != nil || text == "" {
			return // a text that XML cannot spell
		}
		edited, err := ParseXML(out)
		if err != nil {
			t.Fatalf("the text %q broke %q: %v", text, source, err)
		}
		for _, n := range edited.Root().Leaves() {
			if n.IsScalar() && n.Name() != "@xmlns" && n.Name() != "@space" && n.Text() != text {
				t.Fatalf("the text %q reads back as %q: %q became %q", text, n.Text(), source, out)
			}
		}
	})
}

// TestRealXML reads every file of others, writes it back, and finds it equal to itself with all texts edited.
func TestRealXML(t *testing.T) {
	root := os.Getenv("REHEARSE_REAL_DATA")
	if root == "" {
		t.Skip("REHEARSE_REAL_DATA is not set")
	}
	read := 0
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(strings.TrimSuffix(name, ".gz"), ".xml") {
			return err
		}
		source, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if strings.HasSuffix(name, ".gz") {
			z, err := gzip.NewReader(bytes.NewReader(source))
			if err != nil {
				return err
			}
			if source, err = io.ReadAll(z); err != nil {
				return err
			}
		}
		d, err := ParseXML(source)
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(name), err)
			return nil
		}
		read++
		if out, err := d.Rewrite(nil); err != nil || !bytes.Equal(out, source) {
			t.Errorf("%s is not written as it was read", filepath.Base(name))
		}
		again, err := ParseXML(sameTexts(t, d))
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(name), err)
		} else if CanonicalDigest(d.Root()) != CanonicalDigest(again.Root()) {
			t.Errorf("%s is not equal to itself", filepath.Base(name))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files", read)
}

func BenchmarkParseXML(b *testing.B) {
	var s strings.Builder
	s.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<hlu:Roster xmlns:hlu="urn:hlu:roster">` + "\n")
	for i := range 20_000 {
		fmt.Fprintf(&s, "\t<hlu:Student term=\"202610\">\n\t\t<hlu:Id>H%06d</hlu:Id>\n\t\t<hlu:Name>Dana &amp; Ortiz</hlu:Name>\n\t\t<hlu:Status>RE</hlu:Status>\n\t</hlu:Student>\n", i)
	}
	s.WriteString("</hlu:Roster>\n")
	source := []byte(s.String())
	b.SetBytes(int64(len(source)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseXML(source); err != nil {
			b.Fatal(err)
		}
	}
	own := b.Elapsed() / time.Duration(b.N)
	began := time.Now()
	const rounds = 3
	for range rounds {
		for dec := xml.NewDecoder(bytes.NewReader(source)); ; {
			if _, err := dec.RawToken(); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(time.Since(began)/rounds)/float64(own), "x-of-RawToken")
}

// TestRealSOAP reads every envelope and description of recorded calls, and writes it back.
func TestRealSOAP(t *testing.T) {
	root := os.Getenv("REHEARSE_REAL_DATA")
	if root == "" {
		t.Skip("REHEARSE_REAL_DATA is not set")
	}
	files, err := filepath.Glob(filepath.Join(root, "traffic", "tax-cloud-soap", "*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	type half struct{ Body struct{ String string } }
	read := 0
	for _, name := range files {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var calls struct {
			Calls []struct{ Request, Response half } `yaml:"http_interactions"`
		}
		if err := yaml.Unmarshal(source, &calls); err != nil {
			t.Errorf("%s: %v", filepath.Base(name), err)
			continue
		}
		for _, c := range calls.Calls {
			for _, body := range []string{c.Request.Body.String, c.Response.Body.String} {
				if body == "" {
					continue
				}
				d := Parse("text/xml", "", []byte(body))
				unchanged(t, d)
				if d.Format != "xml" {
					t.Logf("%s holds a body that is not XML: %s", filepath.Base(name), d.Fact("malformed"))
					continue
				}
				read++
				if again := mustXML(t, string(sameTexts(t, d))); CanonicalDigest(d.Root()) != CanonicalDigest(again.Root()) {
					t.Errorf("%s is not equal to itself", filepath.Base(name))
				}
			}
		}
	}
	t.Logf("%d bodies", read)
	if read == 0 {
		t.Error("no body was read")
	}
}
