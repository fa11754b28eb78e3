//go:build unix

package explain

import (
	"fmt"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/cputime"
)

// BenchmarkManyCauses: 10,000 answers of four operations that differ in 60,000 places for eight causes, seven of them
// for one more that is rare.
func BenchmarkManyCauses(b *testing.B) {
	const calls = 10_000
	var before, after []harness.Exchange
	for i := range calls {
		session := fmt.Sprintf("S-%05d", i)
		was, is := answersWithCauses(i)
		x := ask(session, was)
		x.Request.Head[1].Value = []string{"/students/", "/courses/", "/holds/", "/charges/"}[i%4] + fmt.Sprint(i)
		y := x
		y.Response.Body = harness.BytesBody([]byte(is))
		before, after = append(before, x), append(after, y)
	}
	start := cputime.Used()
	findings := benchmarked(b, 6*calls, before, after)
	b.ReportMetric((cputime.Used()-start).Seconds()/float64(b.N), "cpu-s")
	if len(findings) < 8 || len(findings) > 40 {
		b.Fatalf("%d findings for 9 causes in 4 operations", len(findings))
	}
}

// answersWithCauses is an answer of the old release and of the new one: a date in another layout, a code of another
// table, a renamed member, padding, another unit, upper case and, in the last quarter, a member that is new.
func answersWithCauses(i int) (was, is string) {
	day := time.Date(2027, 1, 1+i%300, 0, 0, 0, 0, time.UTC)
	codes := [][2]string{{"RE", "ENR"}, {"DR", "DRP"}, {"WL", "WTL"}, {"AU", "AUD"}}
	code := codes[i/4%len(codes)]
	was = fmt.Sprintf(`{"id":%q,"start":%q,"status":%q,"start_term":"T%d","crn":"%d","amount":%d.50,"city":"Harrow Lake %d"}`,
		fmt.Sprintf("H%08d", i), day.Format("2006-01-02"), code[0], i, 10000+i%9000, i%700, i%50)
	name, amount := "entry_term", fmt.Sprintf("%d50", i%700)
	if i%4 == 3 {
		amount += `,"region":"north"`
	}
	if i%1500 == 3 {
		amount = "0"
	}
	return was, fmt.Sprintf(`{"id":%q,"start":%q,"status":%q,%q:"T%d","crn":"%08d","amount":%s,"city":"HARROW LAKE %d"}`,
		fmt.Sprintf("H%08d", i), day.Format("01/02/2006"), code[1], name, i, 10000+i%9000, amount, i%50)
}
