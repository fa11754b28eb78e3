package payload

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

func TestFormatsArePickedByTrust(t *testing.T) {
	const object, table = `{"a":1}`, "a,b\n1,2\n"
	for _, c := range []struct{ media, name, source, want, why string }{
		{"application/json", "", "", "json", "media type"},
		{"Application/JSON; charset=utf-8", "", "", "json", "letter case and parameters aside"},
		{"application/problem+json", "", "", "json", "suffix"},
		{"text/csv;header=present", "", "", "csv", "media type of a table"},
		{"text/tab-separated-values", "", "", "csv", "media type of a table with tabs"},
		{"text/plain", "", object, "text", "any other text"},
		{"text/html", "", "", "text", "any other text"},
		{"application/soap+xml", "", "", "xml", "SOAP"},
		{"application/json", "x.csv", table, "json", "the media type counts before the name"},
		{"application/octet-stream", "x.csv", object, "csv", "the name counts before the content"},
		{"", "REGISTRATIONS.CSV", "", "csv", "extension in any case"},
		{"", "in/2026.08/x.json", "", "json", "the last extension"},
		{"", "folder.json/x", table, "csv", "the extension of a folder is none"},
		{"", "x.tsv", "", "csv", "table with tabs"},
		{"", "x.log", object, "text", "log"},
		{"", "x.bin", object, "bytes", "bytes"},
		{"", "x.dat", object, "json", "an extension that says nothing"},
		{"json", "", "plain words", "text", "a media type that is none"},
		{"", "", object, "json", "looks like an object"},
		{"", "", " \r\n\t[1]", "json", "looks like a list"},
		{"", "", "\xef\xbb\xbf{}", "json", "behind a byte order mark"},
		{"", "", `"text"`, "text", "a scalar alone looks like text"},
		{"", "", "12", "text", "a scalar alone looks like text"},
		{"", "", table, "csv", "looks like a table"},
		{"", "", "\xef\xbb\xbf\"a,x\";b\n1;2\n", "csv", "a table behind a byte order mark"},
		{"", "", "a,b\n", "text", "a line with a comma is no table"},
		{"", "", "Dear all,\nthe term starts on Monday.\n", "text", "prose with commas"},
		{"", "", "one\ntwo\n", "text", "lines"},
		{"", "", "a,b\n" + strings.Repeat("1,2\n", 5000) + "1,2,3\n", "csv", "only the head is looked at"},
		{"", "", "", "text", "no bytes"},
		{"", "", "Gr\xf6\xdfe", "text", "Latin-1"},
		{"", "", "\x1b[31mred\x1b[0m", "text", "terminal colours"},
		{"", "", "\x00\x01", "bytes", "control characters"},
		{"", "", "\x1f\x8b\x08\x00", "bytes", "a gzip file"},
	} {
		if got := FormatOf(c.media, c.name, []byte(c.source)).Name; got != c.want {
			t.Errorf("%s: %q %q %.20q is %s, want %s", c.why, c.media, c.name, c.source, got, c.want)
		}
	}
}

func TestWhatIsNotOfItsFormatIsKeptAsItIs(t *testing.T) {
	for _, c := range []struct{ media, source, format, malformed, why string }{
		{"application/json", `{"a":1`, "text", "parse json at byte 6 (line 1): ends before '}'", "truncated JSON is text"},
		{"application/json", "", "text", "parse json at byte 0 (line 1): ends where a value should be", "an empty body"},
		{"application/json", "<html>\n<p>502</p>", "text", "parse json at byte 0 (line 1): unexpected '<'", "an error page that says it is JSON"},
		{"application/json", "{\"a\":\x00}", "bytes", "parse json at byte 5 (line 1): unexpected", "with control characters it is bytes"},
		{"text/csv", "a,b\n\"1,2\n", "text", "parse csv at byte 4 (line 2): quote is never closed", "a table with an open quote"},
		{"application/json", "{}", "json", "", "what is of its format has no such fact"},
		{"text/plain", "a\x00b", "text", "", "what is said to be text is read as text"},
	} {
		d := Parse(c.media, "", []byte(c.source))
		if got := d.Fact("malformed"); d.Format != c.format || !strings.HasPrefix(got, c.malformed) || got != "" && c.malformed == "" {
			t.Errorf("%s: %s, malformed %q; want %s, %q", c.why, d.Format, got, c.format, c.malformed)
		}
		if string(d.Source) != c.source {
			t.Errorf("%s: the source is %q", c.why, d.Source)
		}
		unchanged(t, d)
	}
}

func TestTextIsReadByLine(t *testing.T) {
	for _, c := range []struct{ source, lines, facts, why string }{
		{"a\nb\n", "a|b", "line ends: LF; final newline: yes", "lines"},
		{"a\r\nb", "a|b", "line ends: CRLF; final newline: no", "CRLF"},
		{"a\rb\r", "a|b", "line ends: CR; final newline: yes", "CR"},
		{"a\n\nb\r\n", "a||b", "line ends: mixed: 1 CRLF, 2 LF, 0 CR; final newline: yes", "an empty line is a line"},
		{"\xef\xbb\xbfa", "a", "byte order mark: UTF-8; line ends: none; final newline: no", "byte order mark"},
		{"\xe9", "\xe9", "encoding: Windows-1252 or Latin-1; line ends: none; final newline: no", "Latin-1"},
		{"", "", "line ends: none; final newline: no", "no bytes"},
	} {
		d, err := ParseText([]byte(c.source))
		if err != nil {
			t.Fatal(err)
		}
		unchanged(t, d)
		if got := string(sameTexts(t, d)); got != c.source {
			t.Errorf("%s: edits to the same texts made %q of %q", c.why, got, c.source)
		}
		var lines []string
		for n := range d.Root().Children() {
			lines = append(lines, n.Text())
		}
		if got := strings.Join(lines, "|"); got != c.lines || facts(d) != c.facts {
			t.Errorf("%s: %q, %s; want %q, %s", c.why, got, facts(d), c.lines, c.facts)
		}
	}
}

func TestBytesAreOneValue(t *testing.T) {
	const source = "\x00\xff{\"a\"}"
	d, err := ParseBytes([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	unchanged(t, d)
	if n := d.Root(); n.Kind() != harness.KindBytes || n.Text() != source || n.Len() != 0 || !n.IsScalar() {
		t.Errorf("%s %q", n.Kind(), n.Text())
	}
	if got, err := d.Rewrite([]Edit{{Node: d.Root(), Text: "x"}}); err != nil || string(got) != "x" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestBodiesAreUnpackedAsAView(t *testing.T) {
	const object = `{"id":"H00000117"}`
	gzipped := string(pack(t, "gzip", object))
	message := func(body string, head ...harness.Field) harness.Message {
		return harness.Message{Head: head, Media: "application/json", Body: harness.BytesBody([]byte(body))}
	}
	for _, c := range []struct {
		m                         harness.Message
		format, source, malformed string
		why                       string
	}{
		{message(object), "json", object, "", "as it is"},
		{message(gzipped, harness.Field{Name: "content-encoding", Value: "gzip"}), "json", object, "", "packed"},
		{message(string(pack(t, "deflate,gzip", object)), harness.Field{Name: "Content-Encoding", Value: "deflate"}, harness.Field{Name: "Content-Encoding", Value: "gzip"}), "json", object, "", "packed twice, in two fields"},
		{message(object, harness.Field{Name: "Content-Encoding", Value: "compress"}), "bytes", object, `unpack compress: content encoding "compress" is not known`, "an encoding that is not known"},
		{message(gzipped[:10], harness.Field{Name: "Content-Encoding", Value: "gzip"}), "bytes", gzipped[:10], "unpack gzip: unpack gzip of 10 bytes", "damaged"},
		{message("", harness.Field{Name: "Content-Encoding", Value: "gzip"}), "text", "", "parse json at byte 0", "no body"},
		{harness.Message{Head: harness.Head{{Name: harness.FieldName, Value: "out/users.csv"}}, Body: harness.BytesBody([]byte("a\n1\n"))}, "csv", "a\n1\n", "", "the name of a file"},
	} {
		d, err := Of(c.m)
		if err != nil {
			t.Errorf("%s: %v", c.why, err)
			continue
		}
		if got := d.Fact("malformed"); d.Format != c.format || string(d.Source) != c.source || !strings.HasPrefix(got, c.malformed) || got != "" && c.malformed == "" {
			t.Errorf("%s: %s %q, malformed %q", c.why, d.Format, d.Source, got)
		}
	}
	gone := errors.New("the disk is gone")
	m := harness.Message{Body: harness.StoredBody(1, "", func() (io.ReadCloser, error) { return nil, gone })}
	if _, err := Of(m); !errors.Is(err, gone) {
		t.Errorf("a body that cannot be read: %v", err)
	}
}

func TestSegmentedFilesAreKnownUnderNamesOfText(t *testing.T) {
	for _, c := range []struct{ name, media, source, want, why string }{
		{"report.txt", "", "01,HLBANK,HLSIS,261015,0630,1,80,1,2/\n99,0,0,2/\n", "bai2", "banks name them so"},
		{"", "text/plain", "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260101*1200*^*00501*000000001*0*P*:~", "x12", "or send them as plain text"},
		{"adt.txt", "", "MSH|^~\\&|A|B|C|D|20261005||ADT^A01|1|P|2.5\r", "hl7v2", "hospitals do, too"},
		{"notes.txt", "", "01, the first note\n", "text", "a text that only looks a little like it stays a text"},
		{"data.json", "", "MSH|^~\\&|A\r", "json", "a name that says more than text is believed"},
	} {
		if got := FormatOf(c.media, c.name, []byte(c.source)); got.Name != c.want {
			t.Errorf("%s: %q is %s, want %s", c.why, c.name+c.media, got.Name, c.want)
		}
	}
}
