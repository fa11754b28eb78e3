package explain

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/internal/planted"
)

func TestLongListsAreExplainedTheSameRecordByRecord(t *testing.T) {
	body := func(write func(io.Writer, bool) error, second bool) string {
		var b bytes.Buffer
		if err := write(&b, second); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	file := func(name string, write func(io.Writer, bool) error, edit func(string) string) acceptance {
		return acceptance{
			name:   name,
			before: xs(fileOf("2026-10-05", "sis", target, name, body(write, false))),
			after:  xs(fileOf("2026-10-05", "sis", target, name, edit(body(write, true)))),
		}
	}
	same := func(s string) string { return s }
	for _, tc := range []acceptance{
		file("few.json", planted.Workload{Records: 3000}.JSON, same),
		file("stamped.json", planted.Workload{Records: 3000, Volatile: true}.JSON, same),
		file("shuffled.csv", planted.Workload{Records: 3000, Shuffled: true}.CSV, same),
		file("cut.csv", planted.Workload{Records: 3000}.CSV, func(s string) string { return s[:len(s)/2] }),
		file("cut.json", planted.Workload{Records: 3000}.JSON, func(s string) string { return s[:len(s)/2] }),
		file("delta.json", planted.Workload{Records: 3000}.JSON, func(s string) string { return "[" + s[strings.LastIndex(s[:len(s)*9/10], `{"id"`):] }),
	} {
		t.Run(tc.name, func(t *testing.T) {
			held, c := explained(t, tc.before, tc.after, nil, nil)
			if len(c.Differences) == 0 {
				t.Fatal("nothing differs: the test would prove nothing")
			}
			if d := cmp.Diff(held, explainedFromStreams(t, tc)); d != "" {
				t.Errorf("-held +streamed\n%s", d)
			}
		})
	}
}

func TestOfALongListNothingIsHeld(t *testing.T) {
	defer func(before int64) { mostHeld = before }(mostHeld)
	mostHeld = 0
	k := newKept()
	x := fileOf("2026-10-05", "sis", target, "a.csv", "id,sum\n1,2\n2,3\n")
	r := k.read(x)
	n := 0
	if err := r.texts(at("request.body[*].sum"), func(string) { n++ }); err != nil || n != 2 {
		t.Errorf("%d values, %v", n, err)
	}
	if l, err := k.list(x.Request); err != nil || l.n != 2 || !cmp.Equal(l.columns, []string{"id", "sum"}) || len(k.docs) > 0 {
		t.Errorf("%+v, %v, %d documents are held", l, err, len(k.docs))
	}
	if l, err := k.list(harness.Message{Media: "application/json", Body: harness.BytesBody([]byte(`[1,2`))}); l != nil || err != nil {
		t.Errorf("a list that breaks off: %+v, %v", l, err)
	}
}
