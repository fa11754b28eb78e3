package infer

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// BenchmarkInfer measures 10,000 pairs, 2 % of them garbled.
func BenchmarkInfer(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		name string
		pair func() (string, string)
	}{
		{"date", func() (string, string) {
			t := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, r.IntN(3000))
			return t.Format("01/02/2006"), t.Format("2006-01-02")
		}},
		{"zone", func() (string, string) {
			t := time.Date(2020, 1, 1, 0, 0, r.IntN(1e8), 0, time.UTC)
			return t.Format("2006-01-02 15:04:05"), t.In(loadBuiltin()[1]).Format("2006-01-02 15:04:05")
		}},
		{"scale", func() (string, string) {
			n := r.IntN(1e6)
			return fmt.Sprintf("%d.%02d", n/100, n%100), fmt.Sprint(n)
		}},
		{"table", func() (string, string) { n := r.IntN(300); return fmt.Sprint("C", n), fmt.Sprint("N", n*7919%1000) }},
		{"suffix", func() (string, string) { s := word(r, 4, 9); return s, s + ", Nora" }},
		{"compose", func() (string, string) { s := word(r, 4, 9); return " " + s, title(s) }},
		{"long texts", func() (string, string) { s := strings.Repeat(word(r, 4, 9)+" ", 300); return s, strings.ToUpper(s) }},
		{"words without a rule", func() (string, string) { return word(r, 3, 12), word(r, 3, 12) }},
		{"dates without a rule", func() (string, string) { return day(r), day(r) }},
		{"amounts without a rule", func() (string, string) {
			return fmt.Sprintf("%d.%02d", r.IntN(1000), r.IntN(100)), fmt.Sprintf("%d.%02d", r.IntN(1000), r.IntN(100))
		}},
	} {
		var pairs []Pair
		for i := range 10_000 {
			was, is := c.pair()
			if i%50 == 0 {
				is = word(r, 5, 9)
			}
			pairs = append(pairs, Pair{Was: str(was), Is: str(is), Record: []harness.Field{
				{Name: "first", Value: "Nora"}, {Name: "campus", Value: pick(r, "MAIN", "NORTH")}, {Name: "id", Value: fmt.Sprint("H", i)},
			}})
		}
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				Infer(pairs, Options{})
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/10k-pairs")
		})
	}
}
