package diff

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/rehearse-dev/rehearse/harness"
)

// listText draws a list of records in a format. Few keys and values make collisions: damaged, repeated and missing keys,
// columns that came, went or moved, rows of another width.
func listText(format string) *rapid.Generator[string] {
	id := rapid.SampledFrom([]string{"00417", "417", "00892", "892 ", "10234", "10271", "20", "H1", "h 2", "H2", "007", "x"})
	status := rapid.SampledFrom([]string{"RE", "RW", "re", ""})
	credits := rapid.SampledFrom([]string{"3", "3.0", "4", "3.50"})
	return rapid.Custom(func(t *rapid.T) string {
		ids := rapid.SliceOfN(id, 0, 9).Draw(t, "ids")
		if rapid.Bool().Draw(t, "unique") {
			ids = rapid.SliceOfNDistinct(id, 0, 9, rapid.ID).Draw(t, "ids")
		}
		order := rapid.SampledFrom([][]int{{0, 1, 2, 3}, {0, 1, 2}, {2, 0, 1}, {1, 0, 3, 2}}).Draw(t, "columns")
		names := []string{"id", "status", "credits", "seen"}
		if format == "csv" {
			names[0] = rapid.SampledFrom([]string{"id", "id", "ID"}).Draw(t, "name of the key")
			names[1] = rapid.SampledFrom([]string{"status", "status", "Sta_tus"}).Draw(t, "name")
		}
		var b strings.Builder
		if format == "csv" {
			b.WriteString(pick(names, order, ","))
		}
		for _, id := range ids {
			row := []string{id, status.Draw(t, "status"), credits.Draw(t, "credits"), rapid.SampledFrom([]string{"1", "2"}).Draw(t, "seen")}
			writeRecord(t, &b, format, names, row, order)
		}
		text := b.String()
		switch format {
		case "json":
			text = "[" + strings.TrimPrefix(text, ",") + "]"
		case "csv":
			text += rapid.SampledFrom([]string{"", "\n", "\r\n\r\n"}).Draw(t, "end")
		}
		return text
	})
}

func writeRecord(t *rapid.T, b *strings.Builder, format string, names, row []string, order []int) {
	odd := rapid.IntRange(0, 20).Draw(t, "odd")
	if format == "csv" {
		if odd == 0 {
			order = order[:1] // a row of another width, perhaps without a key
		}
		if odd == 1 {
			row[1] = `"` + row[1] + `"`
		}
		b.WriteString("\n" + pick(row, order, ","))
		return
	}
	if format == "json" {
		b.WriteByte(',')
	}
	var members []string
	for _, i := range order {
		value := fmt.Sprintf("%q", row[i])
		if i > 1 {
			value = row[i]
		}
		members = append(members, fmt.Sprintf("%q:%s", names[i], value))
	}
	switch {
	case odd == 0:
		b.WriteString(`"no record"`)
	case odd == 1:
		fmt.Fprintf(b, `{"id":null,"status":%q}`, row[1])
	default:
		b.WriteString("{" + strings.Join(members, ", ") + "}")
	}
	if format == "ndjson" {
		b.WriteByte('\n')
	}
}

func pick(of []string, order []int, between string) string {
	var list []string
	for _, i := range order {
		list = append(list, of[i])
	}
	return strings.Join(list, between)
}

// TestStreamsDifferAsWholeLists compares the same lists held whole, as a stream, and as a stream in parts: the same facts
// in the same order, the same counts of what rules took away.
func TestStreamsDifferAsWholeLists(t *testing.T) {
	body := harness.PathOf(harness.Name("request"), harness.Name("body"))
	each := func(name string) harness.Path { return body.Child(harness.Each()).Child(harness.Name(name)) }
	rules := map[string][]harness.Rule{
		"inferred key": nil,
		"declared key": {{At: body, Compare: "keyed", Key: []string{"id"}, Reason: "one for each"}},
		"two members":  {{At: body, Compare: "keyed", Key: []string{"id", "status"}, Reason: "one for each"}},
		"set":          {{At: body, Compare: "set", Reason: "no order"}},
		"noise": {{At: each("seen"), Compare: "ignore", Reason: "clock"}, {At: each("credits"), Compare: "number", Tolerance: "0.5", Reason: "rounded"},
			{At: each("status"), Compare: "empty-is-missing", Reason: "filler"}},
		"rows are noise": {{At: body.Child(harness.Each()), Compare: "ignore", Reason: "all of it"}},
	}
	for _, format := range []string{"csv", "json", "ndjson"} {
		for name, rules := range rules {
			t.Run(format+", "+name, func(t *testing.T) {
				rapid.Check(t, func(t *rapid.T) {
					streamsAlike(t, format, night(format, listText(format).Draw(t, "was")), night(format, listText(format).Draw(t, "is")), rules)
				})
			})
		}
	}
}

// night is a recording of one file whose name tells its format.
func night(format, body string) *harness.Memory {
	return harness.NewMemory(harness.Manifest{}, harness.Exchange{
		Session: "night", Channel: harness.ChannelFile, From: "sis", To: "hubline",
		Request: harness.Message{Head: harness.Head{{Name: harness.FieldName, Value: "records." + format}}, Body: harness.BytesBody([]byte(body))},
	})
}

func streamsAlike(t *rapid.T, format string, a, b *harness.Memory, rules []harness.Rule) {
	whole, err := compareAll(a, b, Options{Rules: rules, Exact: true}, 1<<30, recordsPerPart)
	if err != nil {
		t.Fatal(err)
	}
	held := map[string]int{"stream": recordsPerPart}
	if format == "csv" {
		held["parts"] = 4
	}
	for name, perPart := range held {
		stream, err := compareAll(a, b, Options{Rules: rules, Exact: true}, 0, perPart)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(whole, stream, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(harness.Comparison{}, "Before", "After")); d != "" {
			t.Fatalf("-whole +%s\n%s", name, d)
		}
	}
}

func unordered(c *harness.Comparison) []string {
	var list []string
	for _, l := range lines(c) {
		if !strings.HasPrefix(l, "moved ") {
			list = append(list, l)
		}
	}
	slices.Sort(list)
	return list
}

func TestPartsDoNotDependOnTheOrderOfColumns(t *testing.T) {
	was, is := "crn,id,s\n", "id,s,crn\n"
	for i := range 50 {
		was += fmt.Sprintf("%05d,H%d,RE\n", i, i%7)
		is += fmt.Sprintf("H%d,RE,%05d\n", i%7, i)
	}
	rule := harness.Rule{At: harness.PathOf(harness.Name("request"), harness.Name("body")), Compare: "keyed", Key: []string{"crn", "id"}, Reason: "one row for each"}
	c, err := compareAll(file("r.csv", was), file("r.csv", is), Options{Rules: []harness.Rule{rule}}, 1, 8)
	if err != nil {
		t.Fatal(err)
	}
	if list := unordered(c); len(list) != 1 || !strings.Contains(list[0], "column order") {
		t.Errorf("columns in another order are no difference of rows: %v", list)
	}
}

func TestStreamLeavesNothingBehind(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	rows := "id,n\n" + strings.Repeat("a,1\n", 10)
	c, err := compareAll(file("r.csv", rows), file("r.csv", rows+"b,\"open\n"), Options{}, 1, 8)
	if err != nil || !strings.Contains(strings.Join(lines(c), "\n"), "quote is never closed") {
		t.Error("a quote that is never closed goes unnoticed", err)
	}
	if _, err := compareAll(file("r.csv", rows), file("r.csv", rows+"b,2\n"), Options{}, 1, 8); err != nil {
		t.Error(err)
	}
	left, err := os.ReadDir(os.TempDir())
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
