package payload

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

const student = `{"id":"H00000117","terms":[{"code":"202640","credits":3.50},{"code":"202710","credits":null}],"a.b":{"":[]},"none":{},"id":"again"}`

func TestLeavesHavePaths(t *testing.T) {
	var got []string
	for p, n := range mustJSON(t, student).Root().Leaves() {
		got = append(got, fmt.Sprintf("%s = %s %s", p, n.Kind(), n.Text()))
	}
	want := []string{
		`id = string H00000117`,
		`terms[0].code = string 202640`,
		`terms[0].credits = number 3.50`,
		`terms[1].code = string 202710`,
		`terms[1].credits = null null`,
		`["a.b"][""] = array []`,
		`none = object {}`,
		`id = string again`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for range mustJSON(t, student).Root().Leaves() {
		break // a reader may stop
	}
	for p, n := range (Node{}).Leaves() {
		t.Errorf("nothing has a leaf %s %s", p, n.Text())
	}
}

func TestPathsLeadToPlaces(t *testing.T) {
	root := mustJSON(t, student).Root()
	for _, c := range []struct {
		path string
		kind harness.ValueKind
		text string
		why  string
	}{
		{"", harness.KindObject, student, "the document"},
		{"id", harness.KindString, "H00000117", "the first of two members of one name"},
		{"terms[1].code", harness.KindString, "202710", "by place"},
		{"terms[code=202710].credits", harness.KindNull, "null", "by key"},
		{"terms[credits=\"3.50\"].code", harness.KindString, "202640", "a number is a key as it is written"},
		{"terms[credits=\"3.5\"].code", harness.KindAbsent, "", "and not otherwise"},
		{`["a.b"][""]`, harness.KindArray, "[]", "odd names"},
		{"none", harness.KindObject, "{}", "an empty container"},
		{"none.x", harness.KindAbsent, "", "no such member"},
		{"id.x", harness.KindAbsent, "", "a scalar has no members"},
		{"terms.code", harness.KindAbsent, "", "an array has no members"},
		{"terms[2]", harness.KindAbsent, "", "behind the end"},
		{"id[0]", harness.KindAbsent, "", "a scalar has no elements"},
		{"**.code", harness.KindAbsent, "", "a pattern is no place"},
		{"terms[*]", harness.KindAbsent, "", "a pattern is no place"},
	} {
		p, err := harness.ParsePath(c.path)
		if err != nil {
			t.Fatal(err)
		}
		n := root.At(p)
		if n.Kind() != c.kind || n.Text() != c.text || n.IsZero() != (c.kind == harness.KindAbsent) {
			t.Errorf("%s: %s is %s %q, want %s %q", c.why, c.path, n.Kind(), n.Text(), c.kind, c.text)
		}
	}
	for p, leaf := range root.Leaves() {
		if at := root.At(p); at != leaf && p.Leaf() != "id" {
			t.Errorf("the path %s of a leaf leads to %q", p, at.Text())
		}
	}
}

func TestNodesKnowTheirSpan(t *testing.T) {
	d := mustJSON(t, `{ "a" : [ 10, "x" ] }`)
	n := d.Root().Member("a")
	if n.Offset() != 8 || string(n.Raw()) != `[ 10, "x" ]` || n.Len() != 2 || n.IsScalar() || n.Format() != "json" || d.Len() != 4 {
		t.Errorf("%d %q %d", n.Offset(), n.Raw(), n.Len())
	}
	if e := n.Element(1); e.Offset() != 14 || string(e.Raw()) != `"x"` || e.Text() != "x" || e.Name() != "" {
		t.Errorf("%d %q", e.Offset(), e.Raw())
	}
	if got := mustJSON(t, `"Größe und mehr"`).Root().Short(4); got != "Gr\u00f6…" {
		t.Errorf("a short text is cut between characters: %q", got)
	}
	if got := mustJSON(t, `"é"`).Root().Short(1); got != "…" {
		t.Errorf("a short text is cut between characters: %q", got)
	}
}

func TestRewriteEditsEachPlaceOnce(t *testing.T) {
	d := mustJSON(t, `{"a": 1, "b": ["", 2]}`)
	a, b := d.Root().Member("a"), d.Root().Member("b")
	got, err := d.Rewrite([]Edit{
		{Node: b.Element(1), Text: "3"}, {Node: a, Text: "7"}, {Node: a, Text: "8"}, {Node: a, Name: true, Text: "x\ny"}, {Node: b, Name: true, Text: ""}, {Node: b.Element(0), Text: "z"},
	})
	if want := `{"x\ny": 7, "": ["z", 3]}`; err != nil || string(got) != want {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
	if string(d.Source) != `{"a": 1, "b": ["", 2]}` {
		t.Error("the source was written to")
	}
}

func TestRewriteRefuses(t *testing.T) {
	d, other := mustJSON(t, `{"a": [1]}`), mustJSON(t, `1`)
	for _, c := range []struct {
		edit      Edit
		want, why string
	}{
		{Edit{Node: other.Root(), Text: "2"}, "rewrite json: edit of another document", "a node from elsewhere"},
		{Edit{Node: Node{}, Text: "2"}, "rewrite json: edit of another document", "a place that is absent"},
		{Edit{Node: d.Root().Member("a"), Text: "2"}, "rewrite json at byte 6: not a scalar", "a container"},
		{Edit{Node: d.Root(), Name: true, Text: "x"}, "no name stands there", "the root has no name"},
		{Edit{Node: d.Root().Member("a").Element(0), Name: true, Text: "x"}, "no name stands there", "an element has no name"},
	} {
		if got, err := d.Rewrite([]Edit{c.edit}); err == nil || got != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %q, %v; want %q", c.why, got, err, c.want)
		}
	}
}

func students(n int) []byte {
	var b bytes.Buffer
	b.WriteByte('[')
	for i := range n {
		if i > 0 {
			b.WriteString(",\n")
		}
		fmt.Fprintf(&b, `{"id":"H%08d","name":"Student %d","email":"s%d@hlu.example","credits":%d.50,"active":true,"advisor":null,"terms":["202640","202710"],"note":"Gr\u00f6\u00dfe"}`, i, i, i, i%20)
	}
	b.WriteByte(']')
	return b.Bytes()
}

func registrations(n int) []byte {
	var b bytes.Buffer
	b.WriteString("TERM,CRN,ID,RSTS,RSTS_DATE,CREDITS,TITLE\r\n")
	for i := range n {
		fmt.Fprintf(&b, "202640,%05d,H%08d,RE,2026-08-17,3.50,\"Biology, part %d\"\r\n", i%100000, i, i%3)
	}
	return b.Bytes()
}

// TestLargeSourcesTakeBoundedMemory holds the bound that the package states.
func TestLargeSourcesTakeBoundedMemory(t *testing.T) {
	if size := unsafe.Sizeof(node{}); size != 28 {
		t.Errorf("a node takes %d bytes, and the package says 28", size)
	}
	const size = 20 << 20
	for name, c := range map[string]struct {
		source []byte
		parse  func([]byte) (*Doc, error)
	}{
		"json": {students(size / 150), ParseJSON},
		"csv":  {registrations(size / 62), ParseCSV},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		d, err := c.parse(c.source)
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatal(err)
		}
		took := after.TotalAlloc - before.TotalAlloc
		if limit := uint64(d.Len())*28*5/4 + 4*uint64(len(c.source)); took > limit {
			t.Errorf("%s: %d bytes and %d nodes took %d bytes, more than %d", name, len(c.source), d.Len(), took, limit)
		}
		if after.Mallocs-before.Mallocs > 100 {
			t.Errorf("%s: %d allocations", name, after.Mallocs-before.Mallocs)
		}
	}
}

func TestInStep(t *testing.T) {
	for _, tc := range []struct {
		a, b, why string
		ok        bool
	}{
		{`{"a":1,"b":[2]}`, `{ "a" : 2 , "b":null}`, "the same names in the same order", true},
		{`{}`, `{}`, "no names", true},
		{`{"a":1,"b":2}`, `{"b":2,"a":1}`, "another order", false},
		{`{"a":1}`, `{"a":1,"b":2}`, "one more", false},
		{`{"a":1,"a":2}`, `{"a":1,"a":2}`, "a name that occurs twice is a list", false},
		{`{"a":1,"\u0061":2}`, `{"a":1,"\u0061":2}`, "also when it is spelled in another way", false},
	} {
		var nodes [2]Node
		for i, source := range []string{tc.a, tc.b} {
			doc, err := ParseJSON([]byte(source))
			if err != nil {
				t.Fatal(err)
			}
			nodes[i] = doc.Root()
		}
		pairs, ok := InStep(nodes[0], nodes[1])
		if ok != tc.ok {
			t.Errorf("%s: %v", tc.why, ok)
		}
		if !ok {
			continue
		}
		n := 0
		for x, y := range pairs {
			if x.Name() != y.Name() || x.IsZero() {
				t.Errorf("%s: %q beside %q", tc.why, x.Name(), y.Name())
			}
			n++
		}
		if n != nodes[0].Len() {
			t.Errorf("%s: %d pairs of %d members", tc.why, n, nodes[0].Len())
		}
	}
}
