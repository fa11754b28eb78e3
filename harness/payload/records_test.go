package payload

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rehearse-dev/rehearse/harness"
)

// streamed reads a source as records, a few bytes at a time.
func streamed(media, source string, ahead int) (records []string, facts []Fact, err error) {
	r, err := newRecords(strings.NewReader(source), ahead, media, "")
	if err != nil {
		return nil, nil, err
	}
	if r == nil {
		return nil, nil, errNoRecords
	}
	for {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			return records, r.Facts(), nil
		}
		if err != nil {
			return records, nil, err
		}
		records = append(records, string(record))
	}
}

var errNoRecords = errors.New("no records")

// pieces of sources in which streams and parsers could disagree.
var pieces = map[string][]string{
	"text/csv": {"a", "b", ",", ",", "\n", "\n", "\r", "\r\n", `"`, `""`, "é", "\xc3\xa9", "\xe9", "\u0081", "Ã©", " ", "00417", `"x, y"`, "\xef\xbb\xbf"},
	"application/json": {"[", "]", "{", "}", ",", ",", `"a"`, `"a":`, "1", "-1.50e3", "9007199254740993", "true", "null", " ", "\n", `"\u00e9"`, "\"\xff\"", `{"id":1}`, `,{"id":2,"b":[1,{}]}`,
		"\xef\xbb\xbf"},
	"application/x-ndjson": {`{"id":1}`, `{"id":2}` + "\n", "\n", "\r\n", " ", "[1]\n", "7", "\"\xe9\"\n", "{", "\xef\xbb\xbf", "\r"},
}

// TestRecordsAreThoseOfTheDocument holds for every source: the stream has the records and the facts of the parsed
// document, or both refuse it.
func TestRecordsAreThoseOfTheDocument(t *testing.T) {
	for media, list := range pieces {
		t.Run(media, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				source := strings.Join(rapid.SliceOfN(rapid.SampledFrom(list), 0, 14).Draw(t, "pieces"), "")
				if media == "application/json" && rapid.Bool().Draw(t, "array") {
					source = "[" + source + "]"
				}
				sameAsDocument(t, media, source)
			})
		})
	}
}

func sameAsDocument(t *rapid.T, media, source string) {
	if media == "application/json" && !beginsArray([]byte(source)) {
		return
	}
	format := FormatOf(media, "", nil)
	doc, wholeErr := format.Parse([]byte(source))
	for _, ahead := range []int{3, 16, 1 << 10} {
		records, facts, err := streamed(media, source, ahead)
		if errors.Is(err, errNoRecords) && ahead < 1<<10 {
			continue // so few bytes do not show what it is
		}
		if (err == nil) != (wholeErr == nil) {
			t.Fatalf("%q by %d bytes: stream %v, whole %v", source, ahead, err, wholeErr)
		}
		if err != nil {
			continue
		}
		var want []string
		for n := range doc.Root().Children() {
			want = append(want, string(n.Raw()))
		}
		if d := cmp.Diff(want, records) + cmp.Diff(doc.Facts, facts); d != "" {
			t.Fatalf("%q by %d bytes: -whole +stream\n%s", source, ahead, d)
		}
	}
}

func TestRecordsGoOnAtAMark(t *testing.T) {
	for media, source := range map[string]string{
		"text/csv":             "id,n\n1,a\n2,\"b\nb\"\n\n3,c\n",
		"application/json":     ` [ {"id":1} , {"id":2,"n":[1,2]},7 ] `,
		"application/x-ndjson": "{\"id\":1}\n\n{\"id\":2}\n7",
	} {
		all, _, err := streamed(media, source, 1<<10)
		if err != nil || len(all) != 3 {
			t.Fatal(all, err)
		}
		for n := range all {
			for name, reader := range map[string]func() io.Reader{
				"seeking": func() io.Reader { return strings.NewReader(source) },
				"reading": func() io.Reader { return io.MultiReader(strings.NewReader(source)) },
			} {
				r, err := newRecords(reader(), 1<<10, media, "")
				if err != nil {
					t.Fatal(err)
				}
				for range n {
					if _, err := r.Next(); err != nil {
						t.Fatal(err)
					}
				}
				mark := r.Mark()
				again, err := newRecords(reader(), 4, media, "")
				if err != nil {
					t.Fatal(err)
				}
				if err := again.Skip(mark); err != nil {
					t.Fatal(err)
				}
				record, err := again.Next()
				if err != nil || string(record) != all[n] || again.N() != n+1 {
					t.Errorf("%s, %s, from record %d: %q, %v, %d", media, name, n, record, err, again.N())
				}
			}
		}
	}
}

func TestKeysOfRecordsAreThoseOfNodes(t *testing.T) {
	for _, tc := range []struct{ media, source, why string }{
		{"text/csv", "n,id,x.y\n1,a,\n,\"b,\"\"\",2\nshort\n", "quoted cells are decoded; a short row has no key"},
		{"application/json", `[{"id":"a","n":1},{"n":"x","id":9007199254740993},{"id":null,"n":1},{"id":[],"n":1},{"n":1},7,{"id":"\u0061","n":""}]`, "null, containers and absence are no key"},
		{"application/x-ndjson", "{\"id\":1,\"n\":2}\n[]\n", "an array has no members"},
	} {
		for _, members := range [][]harness.Path{{{harness.Name("id")}}, {{harness.Name("n")}, {harness.Name("id")}}, {{harness.Name("gone")}}, {{harness.Name("x"), harness.Name("y")}}} {
			for _, fold := range []func(string) string{nil, strings.ToUpper} {
				key := &Key{Members: members, Fold: fold}
				r, err := newRecords(strings.NewReader(tc.source), 1<<10, tc.media, "")
				if err != nil {
					t.Fatal(err)
				}
				for doc := Parse(tc.media, "", []byte(tc.source)).Root(); ; {
					record, err := r.Next()
					if err != nil {
						break
					}
					want, ok := AppendKey(nil, doc.Element(r.N()-1), key)
					got, same := r.AppendKey(nil, record, key)
					if ok != same || ok && !bytes.Equal(want, got) {
						t.Errorf("%s: %q by %v: %q %v, want %q %v", tc.why, record, members, got, same, want, ok)
					}
				}
			}
		}
	}
}

func TestBodiesThatAreNoRecords(t *testing.T) {
	for _, tc := range []struct {
		m   harness.Message
		why string
	}{
		{harness.Message{Media: "application/json", Body: harness.BytesBody([]byte(`{"a":[]}`))}, "an object"},
		{harness.Message{Media: "text/csv", Body: harness.BytesBody([]byte("\xff\xfea\x00"))}, "UTF-16"},
		{harness.Message{Media: "text/plain", Body: harness.BytesBody([]byte("a\nb"))}, "text has lines, not records"},
		{harness.Message{Media: "text/csv", Head: harness.Head{{Name: "Content-Encoding", Value: "gzip"}}, Body: harness.BytesBody([]byte("id\n1"))}, "packed"},
	} {
		if r, err := RecordsOf(tc.m); r != nil || err != nil {
			t.Errorf("%s: %v %v", tc.why, r, err)
		}
	}
}

func TestRecordIsBounded(t *testing.T) {
	for media, source := range map[string]string{
		"text/csv":         "id\n" + strings.Repeat("x", 3*MaxRecord),
		"application/json": `["` + strings.Repeat("x", 3*MaxRecord) + `"]`,
	} {
		_, _, err := streamed(media, source, 1<<10)
		if err == nil || !strings.Contains(err.Error(), "record is longer than") {
			t.Errorf("%s: %v", media, err)
		}
	}
}
