package plain_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/recorders/internal/plain"
)

type pupil struct {
	Name   string       `plain:"name"`
	Year   int          `plain:"year"`
	Active bool         `plain:"active"`
	Tags   []string     `plain:"tags"`
	Fields plain.Fields `plain:"fields"`
	Next   *pupil       `plain:"next"`
}

var want = pupil{
	Name: "Zoë", Year: 2026, Active: true, Tags: []string{"a", "007"},
	Fields: plain.Fields{{Name: "X", Value: "1"}, {Name: "X", Value: "2"}, {Name: "A", Value: "3.50"}}, Next: &pupil{Name: "B"},
}

func TestJSONAndYAMLAreReadAlike(t *testing.T) {
	for _, source := range []string{
		"\ufeff" + ` {"name": "Zo\u00eb", "year": 2026, "active": true, "tags": ["a", "007"], "other": {"x": [1]},
			"fields": {"X": ["1", 2], "A": 3.50, "None": null}, "next": {"name": "B", "next": null}}`,
		"---\nname: !!python/unicode \"Zo\\xEB\"\nyear: 2026\nactive: true\ntags: [a, '007']\nother: {x: [1]}\nfields:\n  X: ['1', 2]\n  A:\n  - 3.50\n  None: []\nnext:\n  name: B\n  next: ~\n",
		"name: !!binary Wm/Dqw==\nyear: &y 2026\nactive: true\ntags: &t\n- a\n- \"007\"\nother: {a: *t, b: *t, y: *y}\nfields: {X: ['1', 2], A: ! '3.50'}\nnext: {name: B}\n",
	} {
		var have pupil
		n, err := plain.Parse([]byte(source))
		if err == nil {
			err = n.Decode(&have)
		}
		if diff := cmp.Diff(want, have); err != nil || diff != "" {
			t.Errorf("%s\n%v\n%s", source, err, diff)
		}
	}
}

func TestErrorsNameTheLineAndThePlace(t *testing.T) {
	for _, test := range []struct{ source, want, why string }{
		{"", "1: 0 documents, want one", "empty"},
		{"a: 1\n---\nb: 2\n", "1: 2 documents", "two documents"},
		{"{\"name\":\n\"a\"", "2: byte 12: unexpected end", "cut JSON"},
		{"{\"name\":\n [1]}", "2: name: want a text or a number, have a list", "list for a text"},
		{"name: {a: 1}\n", "1: name: want a text or a number, have a map", "map for a text"},
		{"\nnext:\n  next:\n    year: x\n", `4: next: next: year: want a whole number, have "x"`, "word for a number"},
		{"tags: [a, [b]]", "1: tags: [1]: want a text", "list in a list"},
		{"active: perhaps", "want true or false", "boolean"},
		{"- 1\n", "1: want a map, have a list", "list at the top"},
		{`{"year": 1, "year": 2}`, "1: year stands twice", "duplicate of a key that is read"},
		{"name: !ruby/object:Pupil {}\n", "1: tag !ruby/object:Pupil is not plain data", "object of a program"},
		{"name: !!python/object/apply:os.system [ls]\n", "is not plain data", "code"},
		{"a: &a [*a]\n", `1: alias "a" stands for nothing before it`, "value that holds itself"},
		{"a: &a {x: 1}\nb:\n  <<: *a\n", "3: merge keys are not read", "merge"},
		{"{\"name\": \"a\\ud83d\"}", "half a surrogate pair", "text that cannot be written"},
		{"name: \xff\n", "1: byte 6 is not UTF-8", "not UTF-8"},
		{strings.Repeat("[", 101) + strings.Repeat("]", 101), "1: more than 100 levels", "deep"},
		{bomb(12), "aliases stand for more than", "billion laughs"},
	} {
		var have pupil
		n, err := plain.Parse([]byte(test.source))
		if err == nil {
			err = n.Decode(&have)
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", test.why, err, test.want)
		}
		if _, ok := errors.AsType[*plain.Error](err); err != nil && !ok {
			t.Errorf("%s: %T has no line", test.why, err)
		}
	}
}

// bomb is a list of lists whose size is ten to the power of n.
func bomb(n int) string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x]\n")
	for i := range n {
		name := "a" + string(rune('1'+i))
		before := "*a" + string(rune('0'+i))
		b.WriteString(name + ": &" + name + " [" + strings.Repeat(before+", ", 9) + before + "]\n")
	}
	return b.String()
}

func TestSourceOfJSONIsKeptAsWritten(t *testing.T) {
	n, err := plain.Parse([]byte(`{"a": {"b": [1.50, 12345678901234567890, {"x":"é"}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	if have := string(n.At("a", "b").Source); have != `[1.50, 12345678901234567890, {"x":"é"}]` {
		t.Errorf("have %s", have)
	}
	if n.At("a", "nothing", "x") != nil {
		t.Error("something was found below nothing")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"name": "\ud83d\ude00", "tags": []}`))
	f.Add([]byte("a: &a |-\n  x\nb: [*a, ! 'c', !!binary aGk=]\n"))
	f.Add([]byte(bomb(3)))
	f.Fuzz(func(t *testing.T, source []byte) {
		n, err := plain.Parse(source)
		if err == nil {
			var v pupil
			err = n.Decode(&v)
		}
		if _, ok := errors.AsType[*plain.Error](err); err != nil && !ok {
			t.Errorf("%T has no line: %v", err, err)
		}
	})
}
