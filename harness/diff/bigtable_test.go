package diff

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rehearse-dev/rehearse/harness"
)

// TestTablesInPartsDifferAsWholeOnes compares the same tables whole and in parts: the same facts, but for the count of
// moved rows, which parts see less of.
func TestTablesInPartsDifferAsWholeOnes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := func(name string) string {
			rows := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"00417", "00892", "10234", "10271", "20", "H1", "h 2"}), 1, 7, rapid.ID).Draw(t, name)
			var b strings.Builder
			b.WriteString("id,status,title\n")
			for _, id := range rows {
				fmt.Fprintf(&b, "%s,%s,%s\n", id, rapid.SampledFrom([]string{"RE", "RW", "RH"}).Draw(t, "status"), rapid.SampledFrom([]string{"x", `"Ethics, Law"`}).Draw(t, "title"))
			}
			return b.String()
		}
		a, b := file("r.csv", table("was")), file("r.csv", table("is"))
		rule := harness.Rule{At: harness.PathOf(harness.Name("request"), harness.Name("body")), Compare: "keyed", Key: []string{"id"}, Reason: "one row for each"}
		whole, err := compareAll(a, b, Options{Rules: []harness.Rule{rule}}, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		parts, err := compareAll(a, b, Options{Rules: []harness.Rule{rule}}, 1)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(unordered(whole), unordered(parts)); d != "" {
			t.Fatalf("-whole +parts\n%s", d)
		}
	})
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
	c, err := compareAll(file("r.csv", was), file("r.csv", is), Options{Rules: []harness.Rule{rule}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if list := unordered(c); len(list) > 0 {
		t.Errorf("columns in another order are no difference of rows: %v", list)
	}
}

func TestBigTableLeavesNothingBehind(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	rows := "id,n\n" + strings.Repeat("a,1\n", 10)
	if _, err := compareAll(file("r.csv", rows), file("r.csv", rows+"b,\"open\n"), Options{}, 1); err == nil {
		t.Error("a quote that is never closed goes through")
	}
	if _, err := compareAll(file("r.csv", rows), file("r.csv", rows+"b,2\n"), Options{}, 1); err != nil {
		t.Error(err)
	}
	left, err := os.ReadDir(os.TempDir())
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// generatedTable is a table of n rows of 12 columns that is made while it is read; every changed-th row differs, and
// rows come in the order of the seed.
func generatedTable(n, changed int, seed uint64) harness.Message {
	order := rand.New(rand.NewPCG(seed, 1)).Perm(n)
	row := func(w io.Writer, i int) {
		status := "active"
		if changed > 0 && i%changed == 0 {
			status = "deleted"
		}
		fmt.Fprintf(w, "H%08d,2026%02d,%05d,student,%s,%d.50,2026-08-24,2026-12-18,HLU,Main Campus,web,%d\n", i, i%12, i%99991, status, i%20, i)
	}
	write := func(w io.Writer) {
		io.WriteString(w, "user_id,term,crn,role,status,credits,start,end,school,campus,mode,line\n") //nolint:errcheck // the reader went away
		for _, i := range order {
			row(w, i)
		}
	}
	var counter countingWriter
	write(&counter)
	size := int64(counter)
	open := func() (io.ReadCloser, error) {
		r, w := io.Pipe()
		go func() {
			var b strings.Builder
			io.WriteString(w, "user_id,term,crn,role,status,credits,start,end,school,campus,mode,line\n") //nolint:errcheck // the reader went away
			for n, i := range order {
				row(&b, i)
				if n%1000 == 999 || n == len(order)-1 {
					if _, err := io.WriteString(w, b.String()); err != nil {
						return
					}
					b.Reset()
				}
			}
			w.Close()
		}()
		return r, nil
	}
	return harness.Message{Head: harness.Head{{Name: harness.FieldName, Value: "enrollments.csv"}}, Media: "text/csv",
		Body: harness.StoredBody(size, fmt.Sprintf("made-%d-%d", seed, changed), open)}
}

type countingWriter int64

func (c *countingWriter) Write(p []byte) (int, error) {
	*c += countingWriter(len(p))
	return len(p), nil
}

// BenchmarkTable1M compares two tables of a million rows in different orders, 1,000 rows changed, larger than what is
// held in memory. The peak is that of the process.
func BenchmarkTable1M(b *testing.B) {
	side := func(changed int, seed uint64) *harness.Memory {
		return harness.NewMemory(harness.Manifest{}, harness.Exchange{Session: "night", Channel: harness.ChannelFile, From: "hubline", To: "lms", Request: generatedTable(1_000_000, changed, seed)})
	}
	was, is := side(0, 1), side(1000, 2)
	runtime.GC()
	for b.Loop() {
		c, err := Recordings(was, is, Options{})
		if err != nil {
			b.Fatal(err)
		}
		if n := len(unordered(c)); n != 1000 {
			b.Fatalf("%d differences, want 1000", n)
		}
	}
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) == nil {
		b.ReportMetric(float64(usage.Maxrss)/1024, "peak-MiB")
	}
}
