package explain

import (
	"fmt"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/diff"
)

// benchmarked explains the same comparison again and again, and returns the findings.
func benchmarked(b *testing.B, want int, before, after []harness.Exchange) (findings []harness.Finding) {
	b.Helper()
	c, err := diff.Recordings(harness.NewMemory(harness.Manifest{}, before...), harness.NewMemory(harness.Manifest{}, after...), diff.Options{})
	if err != nil {
		b.Fatal(err)
	}
	if len(c.Differences) < want {
		b.Fatalf("%d differences, want %d", len(c.Differences), want)
	}
	for b.Loop() {
		if findings, err = Findings(Case{Comparison: c, Scenario: harness.Scenario{Target: harness.TargetSpec{System: target}}}); err != nil {
			b.Fatal(err)
		}
	}
	return findings
}

// BenchmarkManyRows: one cause in every row of a file, with what follows in the output.
func BenchmarkManyRows(b *testing.B) {
	for _, n := range []int{12_000, 50_000} {
		b.Run(fmt.Sprintf("differences=%d", 2*n), func(b *testing.B) {
			row := func(code string) string {
				return table("CRN,ID,RSTS", 2*n, func(i int) string {
					if i%2 == 0 {
						return fmt.Sprintf("%05d,H%08d,%s", i%90, i, code)
					}
					return fmt.Sprintf("%05d,H%08d,RW", i%90, i)
				})
			}
			mapped := func(lost bool) string {
				return table("user_id,section_id,status", 2*n, func(i int) string {
					if lost && i%2 == 0 {
						return ""
					}
					return fmt.Sprintf("H%08d,202640-%05d,active", i, i%90)
				})
			}
			benchmarked(b, 2*n, xs(in(row("RE")), out(mapped(false))), xs(in(row("RH")), out(mapped(true))))
		})
	}
}

// BenchmarkManySessions: a renamed field in each of many sessions, a lost target field, a call that fails.
func BenchmarkManySessions(b *testing.B) {
	for _, n := range []int{4_000, 16_000} {
		b.Run(fmt.Sprintf("differences=%d", 6*n), func(b *testing.B) {
			var before, after []harness.Exchange
			for i := range n {
				session := fmt.Sprintf("A-%06d", i)
				before = append(before, ask(session, fmt.Sprintf(`{"number":%q,"start_term":"T%d"}`, session, i)), tell(session, fmt.Sprintf(`{"number":%q,"termCode":"T%d"}`, session, i), "201", `{"ok":true}`))
				after = append(after, ask(session, fmt.Sprintf(`{"number":%q,"entry_term":"T%d"}`, session, i)), tell(session, fmt.Sprintf(`{"number":%q,"termCode":null}`, session), "422", `{"error":"no"}`))
			}
			benchmarked(b, 6*n, before, after)
		})
	}
}

// BenchmarkManyFields: an object whose names are data, so that every difference has a place of its own.
func BenchmarkManyFields(b *testing.B) {
	for _, n := range []int{12_000, 50_000} {
		b.Run(fmt.Sprintf("differences=%d", 2*n), func(b *testing.B) {
			object := func(key string) string {
				s := []byte(`{"first":1`)
				for i := range n {
					s = fmt.Appendf(s, `,"%s%06d":{"v":"x%d"}`, key, i, i)
				}
				return string(append(s, '}'))
			}
			benchmarked(b, 2*n, askMany(object("a")), askMany(object("b")))
		})
	}
}

// BenchmarkSameValue: every row loses the same value, and so does every row of the output.
func BenchmarkSameValue(b *testing.B) {
	rows := func(header, value string) string {
		return table(header, 50_000, func(i int) string { return fmt.Sprintf("H%08d,%s", i, value) })
	}
	benchmarked(b, 100_000, xs(in(rows("ID,MAIL", "desk@hlu.example")), out(rows("user_id,email", "desk@hlu.example"))), xs(in(rows("ID,MAIL", "")), out(rows("user_id,email", ""))))
}

// BenchmarkManyCodes: many new codes in many fields, each with rows in the output to look for.
func BenchmarkManyCodes(b *testing.B) {
	rows := func(code string) string {
		return table("ID,A,B,C,D", 25_000, func(i int) string {
			return fmt.Sprintf("H%08d,%s%d,%s%d,%s%d,%s%d", i, code, i%150, code, i%140, code, i%130, code, i%120)
		})
	}
	benchmarked(b, 100_000, xs(in(rows("x")), out("id\n1\n")), xs(in(rows("y")), out("id\n2\n")))
}
