package payload

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

// members renders the members of an object, null without a text.
func members(n Node) string {
	var list []string
	for m := range n.Children() {
		if m.Kind() == harness.KindNull {
			list = append(list, m.Name())
		} else {
			list = append(list, fmt.Sprintf("%s=%q", m.Name(), m.Text()))
		}
	}
	return strings.Join(list, " ")
}

func TestNDJSONIsRead(t *testing.T) {
	for _, c := range []struct {
		source string
		values int
		facts  string
		why    string
	}{
		{"{\"a\":1}\n{\"a\":2}\n", 2, "line ends: LF; final newline: yes", "two values"},
		{"1\r\n\r\n [2] \r\n", 2, "line ends: CRLF; final newline: yes; blank lines: 1", "blank lines are counted"},
		{"\xef\xbb\xbf1", 1, "byte order mark: UTF-8; line ends: none; final newline: no", "byte order mark"},
		{"", 0, "line ends: none; final newline: no", "no bytes"},
	} {
		d, err := ParseNDJSON([]byte(c.source))
		if err != nil {
			t.Errorf("%s: %v", c.why, err)
			continue
		}
		unchanged(t, d)
		if d.Root().Len() != c.values || facts(d) != c.facts {
			t.Errorf("%s: %d values, %s; want %d, %s", c.why, d.Root().Len(), facts(d), c.values, c.facts)
		}
	}
	d, _ := ParseNDJSON([]byte("{\"a\":1}\n{\"a\":\"x\"}\n"))
	out, err := d.Rewrite([]Edit{{Node: d.Root().Element(1).Member("a"), Text: "y\nz"}})
	if want := "{\"a\":1}\n{\"a\":\"y\\nz\"}\n"; err != nil || string(out) != want {
		t.Errorf("a line end in a text stays on its line: %q, %v", out, err)
	}
	for source, want := range map[string]*SyntaxError{
		"{}\n{\"a\":\n1}\n": {"ndjson", 8, 2, "ends where a value should be"},
		"1\n2 3\n":          {"ndjson", 4, 2, "more text after the end of the value"},
	} {
		_, err := ParseNDJSON([]byte(source))
		got, _ := errors.AsType[*SyntaxError](err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q:\n%s", source, diff)
		}
	}
	for source, want := range map[string]string{"{}\n{}\n": "ndjson", "{}\n": "json", "{\n}\n": "json", "[1]\n[": "ndjson"} {
		if got := FormatOf("", "", []byte(source)).Name; got != want {
			t.Errorf("%q is %s, want %s", source, got, want)
		}
	}
}

func TestFormsAreRead(t *testing.T) {
	for _, c := range []struct{ source, members, facts, why string }{
		{"a=1&b=2&a=3", `a="1" b="2" a="3"`, "", "order and duplicates"},
		{"q=a+b%20c%2Bd&%C3%A9=%E9", `q="a b c+d" é="\xe9"`, "", "both spellings of a blank, and bytes"},
		{"a&b=&=c", `a b="" ="c"`, "", "no value is not an empty one"},
		{"a=100%&b=%zz", `a="100%" b="%zz"`, "broken escapes: 2", "what is no escape stays"},
		{"&a=1&&b=2&", `a="1" b="2"`, "empty pairs: 3", "empty pairs"},
		{"a=b=c", `a="b=c"`, "", "the first = counts"},
		{"", "", "", "no bytes"},
	} {
		d, err := ParseForm([]byte(c.source))
		if err != nil {
			t.Fatal(err)
		}
		unchanged(t, d)
		if members(d.Root()) != c.members || facts(d) != c.facts {
			t.Errorf("%s: %s; %s; want %s; %s", c.why, members(d.Root()), facts(d), c.members, c.facts)
		}
	}
	for _, c := range []struct{ source, text, want, why string }{
		{"a=x%20y", "1 2", "a=1%202", "blanks as before"},
		{"a=x+y", "1 2", "a=1+2", "blanks as before"},
		{"a=x", "a&b=c+d", "a=a%26b%3Dc%2Bd", "what would end the pair"},
		{"a=x@y.example", "d@z.example", "a=d@z.example", "plain as before"},
		{"a=%c3%a9", "é", "a=%c3%a9", "digits as before"},
		{"a", "x", "a=x", "a value where none was"},
	} {
		d, _ := ParseForm([]byte(c.source))
		out, err := d.Rewrite([]Edit{{Node: d.Root().Member("a"), Text: c.text}})
		if err != nil || string(out) != c.want {
			t.Errorf("%s: %s, %v; want %s", c.why, out, err, c.want)
		}
	}
}

func FuzzParseForm(f *testing.F) {
	f.Add([]byte("a=1&b&%zz=%41+&=c&&"), "x&=+%é")
	f.Fuzz(func(t *testing.T, source []byte, text string) {
		d, err := ParseForm(source)
		if err != nil {
			t.Fatal(err)
		}
		unchanged(t, d)
		var edits []Edit
		for m := range d.Root().Children() {
			edits = append(edits, Edit{Node: m, Text: text})
		}
		out, err := d.Rewrite(edits)
		if err != nil {
			t.Fatal(err)
		}
		edited, _ := ParseForm(out)
		if edited.Root().Len() != d.Root().Len() {
			t.Fatalf("%q became %q", source, out)
		}
		for m := range edited.Root().Children() {
			if m.Text() != text {
				t.Fatalf("%q reads back as %q", text, m.Text())
			}
		}
	})
}

const upload = "--%[1]s\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nDear Dana,\r\nhello\r\n--%[1]s\r\n" +
	"content-disposition: form-data; name=\"file\"; filename=\"a;b.csv\"\r\nContent-Type: text/csv\r\n\r\nID\r\n1\r\n\r\n--%[1]s--\r\n"

func TestMultipartIsReadWhateverItsBoundary(t *testing.T) {
	a, err := ParseMultipart(fmt.Appendf(nil, upload, "x1"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := ParseMultipart(fmt.Appendf(nil, upload, "----Boundary7MA4"))
	if err != nil {
		t.Fatal(err)
	}
	unchanged(t, a)
	if CanonicalDigest(a.Root()) != CanonicalDigest(b.Root()) || facts(a) != facts(b) {
		t.Errorf("two boundaries, two values:\n%s\n%s", tree(a), tree(b))
	}
	for i, want := range []string{
		`content-disposition="form-data" name="note" body="Dear Dana,\r\nhello"`,
		`content-disposition="form-data" name="file" filename="a;b.csv" content-type="text/csv" body="ID\r\n1\r\n"`,
	} {
		if got := members(a.Root().Element(i)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	node := a.Root().Element(1).Member("filename")
	out, err := a.Rewrite([]Edit{{Node: node, Text: "c.csv"}})
	if want := bytes.Replace(a.Source, []byte("a;b.csv"), []byte("c.csv"), 1); err != nil || !bytes.Equal(out, want) {
		t.Errorf("%q, %v", out, err)
	}
	if out, err := a.Rewrite([]Edit{{Node: a.Root().Element(0).Member("body"), Text: "x\r\n--x1--"}}); err == nil {
		t.Errorf("a part ends early: %q", out)
	}
	if out, err := a.Rewrite([]Edit{{Node: node, Text: "c\"\r\nX: y"}}); err == nil {
		t.Errorf("a head grows: %q", out)
	}
}

func TestMultipartEdges(t *testing.T) {
	for _, c := range []struct {
		source, facts string
		parts         int
		why           string
	}{
		{"--b\n\nx\n--b--", "boundary: present", 1, "line feeds, no head"},
		{"--b--\r\n", "boundary: present", 0, "no parts"},
		{"--b\r\n\r\nx", "boundary: present; closing boundary: missing", 1, "cut off"},
		{"Hello\r\n--b\r\n\r\nx\r\n--b--\r\nbye", "boundary: present; preamble: 7 bytes; epilogue: 3 bytes", 1, "text around"},
		{"--b\r\n\r\n--bx\r\n--b--", "boundary: present", 1, "a longer line is no boundary"},
		{"--b\r\n\r\n\x00\xff\r\n--b--", "boundary: present", 1, "bytes"},
		{"--b\r\n--b\r\n--b--", "boundary: present", 2, "empty parts"},
	} {
		d, err := ParseMultipart([]byte(c.source))
		if err != nil {
			t.Errorf("%s: %v", c.why, err)
			continue
		}
		unchanged(t, d)
		if d.Root().Len() != c.parts || facts(d) != c.facts {
			t.Errorf("%s: %d parts, %s; want %d, %s", c.why, d.Root().Len(), facts(d), c.parts, c.facts)
		}
	}
	for _, source := range []string{"", "no boundary\n", "--b\r\nno field\r\n\r\nx\r\n--b--", strings.Repeat("--b\n\n", maxParts+2)} {
		if _, err := ParseMultipart([]byte(source)); err == nil {
			t.Errorf("%.40q was read", source)
		}
	}
}

func TestABoundaryAllOverALineTakesNoLonger(t *testing.T) {
	source := []byte("--b\r\n\r\n" + strings.Repeat("--b", 1<<20) + "\r\n--b--\r\n")
	d, err := ParseMultipart(source)
	if err != nil || d.Root().Len() != 1 {
		t.Fatalf("%v", err)
	}
}

func FuzzParseMultipart(f *testing.F) {
	f.Add(fmt.Appendf(nil, upload, "b"))
	f.Add([]byte("x\n--b\n--b\n\nx"))
	f.Fuzz(func(t *testing.T, source []byte) {
		if d, err := ParseMultipart(source); err == nil {
			unchanged(t, d)
			if again := sameTexts(t, d); len(again) != len(source) {
				t.Fatalf("%q became %q", source, again)
			}
		}
	})
}

func TestCookiesAreRead(t *testing.T) {
	for _, c := range []struct{ value, members, why string }{
		{"SID=abc; Path=/; HttpOnly; Max-Age=3600", `name="SID" value="abc" path="/" httponly max-age="3600"`, "names of attributes in any case"},
		{"SID=a=b==;secure", `name="SID" value="a=b==" secure`, "= within the value"},
		{"SID=; Expires=Wed, 02 Dec 2026 10:00:00 GMT", `name="SID" value="" expires="Wed, 02 Dec 2026 10:00:00 GMT"`, "a comma in a date"},
		{"junk", `name="junk"`, "no cookie"},
		{"", "", "nothing"},
	} {
		d := ParseSetCookie(c.value)
		unchanged(t, d)
		if got := members(d.Root()); got != c.members {
			t.Errorf("%s: %s, want %s", c.why, got, c.members)
		}
	}
	d := ParseCookie("a=1; b=2;a=3; c")
	unchanged(t, d)
	if got, want := members(d.Root()), `a="1" b="2" a="3" c`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	out, err := d.Rewrite([]Edit{{Node: d.Root().Member("b"), Text: "x;y"}})
	if want := "a=1; b=x%3By;a=3; c"; err != nil || string(out) != want {
		t.Errorf("%s, %v; want %s", out, err, want)
	}
}

func TestTokensAreTakenApart(t *testing.T) {
	part := base64.RawURLEncoding.EncodeToString
	token := part([]byte(`{"alg":"HS256"}`)) + "." + part([]byte(`{"sub":"H001","exp":1764583200.0}`)) + ".c2ln"
	for _, s := range []string{token, "Bearer " + token} {
		j, err := ParseJWT(s)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := members(j.Claims.Root()), `sub="H001" exp="1764583200.0"`; got != want || j.Signature != "c2ln" || j.Header.Root().Member("alg").Text() != "HS256" {
			t.Errorf("%s, want %s", got, want)
		}
	}
	for _, c := range []struct{ token, why string }{
		{"", "nothing"}, {"a.b", "two parts"}, {"!.e30.", "no base64"}, {"e30.W10.", "claims that are an array"}, {"e30.eA.", "claims that are no JSON"},
		{strings.Repeat("a", maxToken+1), "too long"},
	} {
		if _, err := ParseJWT(c.token); err == nil {
			t.Errorf("%s was read", c.why)
		}
	}
}
