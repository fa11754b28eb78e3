package payload

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestEncodingsAreNamedWithEvidence(t *testing.T) {
	for _, c := range []struct{ source, name, evidence, why string }{
		{"plain", "", "", "ASCII"},
		{"Größe", "", "", "UTF-8"},
		{"Gr\xf6\xdfe", "Windows-1252 or Latin-1", "2 bytes above 7F that are no UTF-8, first F6 at byte 2", "the two agree here"},
		{"5 \x80", "Windows-1252", "1 bytes above 7F that are no UTF-8, first 80 at byte 2", "the euro sign is Windows alone"},
		{"\x81\x8d", "neither UTF-8 nor Windows-1252", "2 bytes above 7F that are no UTF-8, first 81 at byte 0", "bytes without a letter"},
		{"Größe \xff", "UTF-8 with broken bytes", "1 bytes above 7F that are no UTF-8, first FF at byte 8", "most of it is UTF-8"},
		{"GrÃ¶ÃŸe", "UTF-8 encoded twice", "2 places, first Ã¶ at byte 2", "ß becomes Ã and the Windows letter Ÿ"},
		{"â‚¬", "UTF-8 encoded twice", "1 places, first â‚¬ at byte 0", "three letters of one"},
		{"São Ångström", "", "", "capitals with marks are no second encoding"},
		{"\xff\xfea\x00", "UTF-16LE with byte order mark", "begins with FF FE", "little end first"},
		{"\xfe\xff\x00a", "UTF-16BE with byte order mark", "begins with FE FF", "big end first"},
		{"a\x00,\x00b\x00\n\x00", "UTF-16LE", "every other byte is zero", "without a mark"},
	} {
		if name, evidence := Encoding([]byte(c.source)); name != c.name || evidence != c.evidence {
			t.Errorf("%s: %q, %q; want %q, %q", c.why, name, evidence, c.name, c.evidence)
		}
	}
}

func TestAViewIsWrittenBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		source := rapid.SliceOf(rapid.Byte()).Draw(t, "source")
		for _, cs := range []*charset{latin1, windows1252, utf16LE, utf16BE} {
			text, err := cs.decode(source)
			if err != nil {
				continue
			}
			if out, err := cs.encode(text); err != nil || !bytes.Equal(out, source) {
				t.Fatalf("%s: % X became % X, %v", cs.name, source, out, err)
			}
		}
	})
}

func TestTablesInUTF16AreRead(t *testing.T) {
	source, err := utf16BE.encode([]byte("\ufeffID,NAME\r\n1,José 😀\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	d := Parse("text/csv", "", source)
	if got, want := rows(d), "ID=1|NAME=José 😀|\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := facts(d), "delimiter: comma; line ends: CRLF; final newline: yes; encoding: UTF-16BE with byte order mark"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	out, err := d.Rewrite([]Edit{{Node: d.Root().Element(0).Member("NAME"), Text: "Ortiz, Åsa"}})
	want, _ := utf16BE.encode([]byte("\ufeffID,NAME\r\n1,\"Ortiz, Åsa\"\r\n"))
	if err != nil || !bytes.Equal(out, want) {
		t.Errorf("% X, %v", out, err)
	}
	if out, err := d.Rewrite(nil); err != nil || !bytes.Equal(out, source) {
		t.Errorf("% X, %v", out, err)
	}
	broken, _ := utf16LE.encode([]byte("\ufeffa,b\n1,\"2\n"))
	_, err = ParseCSV(broken)
	if e, ok := errors.AsType[*SyntaxError](err); !ok || e.Offset != 14 || !strings.Contains(e.What, "quote") {
		t.Errorf("the place in the source: %v", err)
	}
	if _, err = ParseText([]byte("\xff\xfea")); err == nil {
		t.Error("half a character")
	}
}
