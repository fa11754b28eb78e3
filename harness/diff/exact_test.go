package diff

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

// TestNothingThatDiffersIsCalledEqual is the list of pairs that decoders and other tools call equal. Each must be at
// least one difference, in both directions, at the place that is named.
func TestNothingThatDiffersIsCalledEqual(t *testing.T) {
	const json, csv, xml, text, opaque = "application/json", "text/csv", "application/xml", "text/plain", "application/octet-stream"
	for _, tc := range []struct{ media, was, is, at, why string }{
		{json, `{"id":9007199254740992}`, `{"id":9007199254740993}`, "changed response.body.id", "one above 2^53: a float64 cannot tell"},
		{json, `[12345678901234567]`, `[12345678901234568]`, "changed response.body[0]", "an identifier of 17 digits"},
		{json, `{"n":0.1234567890123456789}`, `{"n":0.1234567890123456788}`, "changed response.body.n", "the nineteenth digit"},
		{json, `{"a":1}`, `{"a":1,"a":1}`, "added response.body.a[1]", "a duplicate member, even of the same value"},
		{json, `{"a":1,"a":2}`, `{"a":2,"a":1}`, "moved response.body.a[*]", "readers take the last duplicate or the first"},
		{json, `1e400`, `1e401`, "changed response.body", "beyond every float64"},
		{json, `-0`, `0`, "form response.body", "zero with a sign is the same number, written otherwise"},
		{json, `-0.0`, `0`, "form response.body", "as a decimal, too"},
		{json, `1`, `1.0`, "form response.body", "an integer became a decimal: the same number, written otherwise"},
		{json, `1.10`, `1.1`, "form response.body", "trailing zeros"},
		{json, `100`, `1e2`, "form response.body", "exponents"},
		{json, `{"a":null}`, `{}`, "removed response.body.a", "null is not missing"},
		{json, `{"a":null}`, `{"a":""}`, "type response.body.a", "null is not empty"},
		{json, `{"a":""}`, `{}`, "removed response.body.a", "empty is not missing"},
		{json, `{"a":[]}`, `{"a":{}}`, "type response.body.a", "an empty list is no empty object"},
		{json, `{"a":[]}`, `{"a":null}`, "type response.body.a", "an empty list is not null"},
		{json, `[]`, `[null]`, "added response.body[0]", "a list of nothing is not nothing"},
		{json, `[false]`, `[null]`, "type response.body[0]", "hashes without a type"},
		{json, `["1"]`, `[true]`, "type response.body[0]", "hashes without a type"},
		{json, `[""]`, `[[]]`, "", "hashes without a type"},
		{json, `[{"a":"bc"}]`, `[{"ab":"c"}]`, "", "hashes without lengths"},
		{json, `["ab","c"]`, `["a","bc"]`, "changed response.body[0]", "hashes without lengths"},
		{json, `{"a":false}`, `{"a":"False"}`, "type response.body.a", "a non-empty text is true in many languages"},
		{json, `{"a":1}`, `{"a":"1"}`, "type response.body.a", "number and text"},
		{json, `{"a":[1]}`, `{"a":1}`, "type response.body.a", "a list of one is not its element"},
		{json, `["a","a"]`, `["a"]`, "removed response.body[1]", "a repeated element is no set"},
		{json, `[1,2]`, `[2,1]`, "moved response.body[*]", "order"},
		{json, `[1]`, `[2]`, "changed response.body[0]", "a list at the top"},
		{json, `{"n":"Jos\u00e9"}`, `{"n":"Jose\u0301"}`, "changed response.body.n", "composed and decomposed look alike"},
		{json, "{\"n\":\"Jos\xe9\"}", "{\"n\":\"Jos\ufffd\"}", "changed response.body.n", "a byte that is no UTF-8, and the mark for such a byte"},
		{json, `{"n":"\ud800"}`, `{"n":"\ufffd"}`, "changed response.body.n", "half a pair, and the mark for it"},
		{json, `{"n":"a b"}`, "{\"n\":\"a\u00a0b\"}", "changed response.body.n", "a blank and a hard one"},
		{json, `{"n":"a"}`, `{"n":"A"}`, "changed response.body.n", "letter case"},
		{json, `{"N":1}`, `{"n":1}`, "", "letter case of names"},
		{json, `{"n":1}`, "\ufeff" + `{"n":1}`, `form response.form["byte order mark"]`, "a mark that breaks strict readers"},
		{json, `{"n":1}`, `{"n":1} x`, "form response.form.malformed", "something behind the document"},
		{json, `{"n":1}`, `{"n":1`, "form response.form.malformed", "cut off"},
		{csv, "id,n\na,\"001\"\n", "id,n\na,001\n", "form response.body[id=a].n", "quotes keep spreadsheets from eating zeros"},
		{csv, "id,n\na,001\n", "id,n\na,1\n", "changed response.body[id=a].n", "leading zeros"},
		{csv, "id,n\na,\"x\r\ny\"\nb,1\n", "id,n\na,\"x\ny\"\nb,1\n", "changed response.body[id=a].n", "a line end within a cell is data"},
		{csv, "id,n\na,1\n", "\ufeffid,n\na,1\n", `form response.form["byte order mark"]`, "the first column is not called BOM id"},
		{csv, "id,n\na,1\nb,2\n", "id,n\na,1\n\nb,2\n", `form response.form["blank lines"]`, "a blank line"},
		{csv, "id,n\na,x y\n", "id,n\na,x \"y\n", "", "a bare quote"},
		{csv, "id,n\na,1\nb,2\n", "id,n\ra,1\rb,2\r", `form response.form["line ends"]`, "old line ends"},
		{csv, "id,n\na,1\n", "id,n\r\na,1\r\n", `form response.form["line ends"]`, "line ends"},
		{csv, "id,n\na,1\nb,2\n", "id,n\na,1,9\nb,2\n", "", "a cell too many in one row"},
		{csv, "id,n\na,1\nb,2\n", "id,n\na\nb,2\n", "removed response.body[id=a].n", "a cell too few in one row"},
		{csv, "id,n\na,\n", "id,n\na\n", "removed response.body[id=a].n", "an empty cell is there"},
		{csv, "id,n\na,1\n", "id,n\na,1", `form response.form["final newline"]`, "no newline at the end"},
		{csv, "id,n\na,1\n", "id;n\na;1\n", "form response.form.delimiter", "another delimiter"},
		{csv, "id,n\na, 1\n", "id,n\na,1\n", "changed response.body[id=a].n", "a blank before a value"},
		{csv, "id,n\na,Jos\u00e9\n", "id,n\na,Jos\xe9\n", "form response.form.encoding", "another encoding"},
		{csv, "id,n\na,1\n", "id,n\na,1\na,1\n", "", "a row that stands twice"},
		{csv, "id,n,m\na,1,2\n", "id,m,n\na,2,1\n", `form response.form["column order"]`, "columns that are read by place"},
		{csv, "id,n\n", "id,m\n", "", "a header without rows"},
		{xml, `<?xml version="1.0" encoding="UTF-8"?><a>x</a>`, `<?xml version="1.0" encoding="ISO-8859-1"?><a>x</a>`, "form response.form", "another declared encoding"},
		{xml, "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>Jos\xe9</a>", "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>Jose</a>", "changed response.body", "read in the encoding that it declares"},
		{xml, `<a><b>1</b><b>1</b></a>`, `<a><b>1</b></a>`, "removed response.body", "a repeated element"},
		{xml, `<a x="1"/>`, `<a><x>1</x></a>`, "", "an attribute is no element"},
		{xml, `<a/>`, `<a> </a>`, "", "a blank is data"},
		{xml, `<a xmlns="urn:one">1</a>`, `<a xmlns="urn:two">1</a>`, "", "another namespace"},
		{text, "a\nb\n", "a\nb", `form response.form["final newline"]`, "no newline at the end"},
		{text, "a\nb\n", "a\r\nb\r\n", `form response.form["line ends"]`, "line ends"},
		{text, "a\nb\n", "b\na\n", "", "lines in another order"},
		{text, "a \n", "a\n", "changed response.body[0]", "a blank at the end of a line"},
		{opaque, "\x00\x01", "\x00\x02", "changed response.body", "bytes"},
		{opaque, "\x00", "\x00\x00", "changed response.body", "length"},
	} {
		t.Run(tc.why+", "+tc.was, func(t *testing.T) {
			there := compare(t, answer(tc.media, tc.was), answer(tc.media, tc.is))
			if !strings.Contains(strings.Join(lines(there), "\n"), tc.at) || len(there.Differences) == 0 {
				t.Errorf("%q and %q: %v, want %s", tc.was, tc.is, lines(there), tc.at)
			}
			if back := compare(t, answer(tc.media, tc.is), answer(tc.media, tc.was)); len(back.Differences) != len(there.Differences) {
				t.Errorf("%q and %q: %v, and back %v", tc.was, tc.is, lines(there), lines(back))
			}
			for _, same := range []string{tc.was, tc.is} {
				if self := compare(t, answer(tc.media, same), answer(tc.media, same)); len(self.Differences) > 0 {
					t.Errorf("%q differs from itself: %v", same, lines(self))
				}
			}
		})
	}
}

// TestHeadsThatDifferAreNotEqual is the same for what stands before a body.
func TestHeadsThatDifferAreNotEqual(t *testing.T) {
	field := func(name, value string) harness.Field { return harness.Field{Name: name, Value: value} }
	for _, tc := range []struct {
		was, is []harness.Field
		why     string
	}{
		{nil, []harness.Field{field("Sunset", "Sat, 31 Oct 2026 00:00:00 GMT")}, "an added field announces an end"},
		{[]harness.Field{field("ETag", `"a"`)}, nil, "a field is gone"},
		{[]harness.Field{field("X-A", "")}, nil, "an empty field is there"},
		{[]harness.Field{field("Content-Type", "application/json; charset=utf-8")}, []harness.Field{field("Content-Type", "application/json; charset=iso-8859-1")}, "another charset"},
		{[]harness.Field{field("Content-Type", "application/json")}, []harness.Field{field("Content-Type", "application/json; charset=utf-8")}, "a charset where none was"},
		{[]harness.Field{field("X-A", "1"), field("X-A", "2")}, []harness.Field{field("X-A", "2"), field("X-A", "1")}, "values of one name in another order"},
		{[]harness.Field{field("X-A", "1"), field("X-A", "1")}, []harness.Field{field("X-A", "1")}, "a repeated field"},
		{[]harness.Field{field("X-A", "a")}, []harness.Field{field("X-A", "A")}, "letter case of a value"},
		{[]harness.Field{field("Set-Cookie", "s=1; Secure")}, []harness.Field{field("Set-Cookie", "s=1")}, "a cookie that is protected less"},
	} {
		t.Run(tc.why, func(t *testing.T) {
			there := compare(t, answer("application/json", `{}`, tc.was...), answer("application/json", `{}`, tc.is...))
			back := compare(t, answer("application/json", `{}`, tc.is...), answer("application/json", `{}`, tc.was...))
			if len(there.Differences) == 0 || len(there.Differences) != len(back.Differences) {
				t.Errorf("%v, and back %v", lines(there), lines(back))
			}
		})
	}
}
