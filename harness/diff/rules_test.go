package diff

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

// TestTheValueMayVaryItsFormMayNot plants regressions inside noisy fields: what only varies is taken away, everything
// else stays a difference.
func TestTheValueMayVaryItsFormMayNot(t *testing.T) {
	instant := harness.Rule{Compare: "instant", Tolerance: "5m"}
	chicago := harness.Rule{Compare: "instant", Tolerance: "5m", Zone: "America/Chicago"}
	pattern := harness.Rule{Compare: "pattern", Pattern: `INV-\d{4}`}
	cents := harness.Rule{Compare: "number", Decimals: new(2)}
	for _, tc := range []struct {
		was, is string
		rule    harness.Rule
		stays   bool
		why     string
	}{
		{`"2026-10-05T09:00:00Z"`, `"2026-10-05T09:04:59Z"`, instant, false, "within five minutes"},
		{`"2026-10-05T09:00:00Z"`, `"2026-10-05T04:01:00-05:00"`, instant, false, "the same moment in another offset, written alike"},
		{`"2026-10-05T09:00:00Z"`, `"2026-10-05T10:00:00Z"`, instant, true, "an hour is no jitter"},
		{`"2026-10-05T09:00:00Z"`, `"2026-10-05T09:00:00"`, instant, true, "the zone is gone"},
		{`"2026-10-05T09:00:00Z"`, `"10/05/2026 09:00:00"`, instant, true, "another layout"},
		{`"2026-10-05T09:00:00Z"`, `"2026-10-05"`, instant, true, "the time is gone"},
		{`"2026-10-05T09:00:00Z"`, `1791190800`, instant, true, "a number of seconds"},
		{`"2026-10-05T09:00:00Z"`, `null`, instant, true, "no moment at all"},
		{`"2026-10-05T09:00:00Z"`, `""`, instant, true, "no moment at all"},
		{`"2026-10-05T09:00:00Z"`, `"2026-13-05T09:00:00Z"`, instant, true, "there is no such month"},
		{`"2026-10-05T04:00:00"`, `"2026-10-05T09:01:00Z"`, chicago, false, "the rule says where stamps without a zone are"},
		{`"2026-10-05T09:00:00"`, `"2026-10-05T09:01:00Z"`, chicago, true, "five hours apart, read in that zone"},
		{`"2026-11-01T00:59:00"`, `"2026-11-01T02:01:00"`, harness.Rule{Compare: "instant", Tolerance: "1h5m", Zone: "America/Chicago"}, true, "the hour between happened twice that night"},
		{`"2026-03-08T01:59:00"`, `"2026-03-08T03:01:00"`, chicago, false, "the hour between did not happen that night"},
		{`"2026-10-05T04:00:00"`, `"10/05/2026 04:00:00"`, chicago, true, "another layout, zone or not"},
		{`"INV-0012"`, `"INV-0977"`, pattern, false, "the form holds"},
		{`"INV-0012"`, `"INV-977"`, pattern, true, "a digit is gone"},
		{`"INV-0012"`, `"xINV-0977"`, pattern, true, "the whole text must match"},
		{`"INV-0012"`, `977`, pattern, true, "another type"},
		{`10.004`, `10.0049`, cents, false, "the same cents"},
		{`10.004`, `10.006`, cents, true, "another cent"},
		{`0.125`, `0.13`, cents, false, "halves are rounded away from zero"},
		{`-0.125`, `-0.13`, cents, false, "on both sides of zero"},
		{`10.004`, `"10.004"`, cents, true, "another type"},
		{`9007199254740992.001`, `9007199254740993.001`, cents, true, "exact above 2^53"},
		{`10.00`, `10.02`, harness.Rule{Compare: "number", Decimals: new(2), Tolerance: "0.01"}, true, "rounded, then within the tolerance"},
		{`10.004`, `10.0149`, harness.Rule{Compare: "number", Decimals: new(2), Tolerance: "0.01"}, false, "rounded, then within the tolerance"},
		{`99`, `100`, harness.Rule{Compare: "number", Tolerance: "1%"}, false, "one percent of the larger one"},
		{`100`, `98.9`, harness.Rule{Compare: "number", Tolerance: "1%"}, true, "more than one percent of the larger one"},
		{`10.4`, `9.6`, harness.Rule{Compare: "number", Decimals: new(0)}, false, "no places at all"},
		{`{"a":1}`, `{"a":2}`, harness.Rule{Compare: "ignore"}, false, "everything below"},
		{`"id-1"`, `"id-2"`, harness.Rule{Compare: "correlated"}, false, "drawn anew"},
		{`"id-1"`, `2`, harness.Rule{Compare: "correlated"}, true, "another type"},
		{`"id-1"`, `"id-x"`, harness.Rule{Compare: "correlated", Pattern: `id-\d+`}, true, "another form"},
	} {
		t.Run(tc.why, func(t *testing.T) {
			tc.rule.At, tc.rule.Reason = mustRule(t, "response.body.t", "").At, "test"
			for _, pair := range [][2]string{{tc.was, tc.is}, {tc.is, tc.was}} {
				c := compare(t, answer("application/json", `{"t":`+pair[0]+`}`), answer("application/json", `{"t":`+pair[1]+`}`), tc.rule)
				if stays := len(c.Differences) > 0; stays != tc.stays {
					t.Errorf("%s → %s: %v", pair[0], pair[1], lines(c))
				}
				taken := 0
				for _, s := range c.Suppressed {
					taken += s.Count
				}
				if want := 1; !tc.stays && taken != want {
					t.Errorf("%s → %s: %d differences are counted as taken away, want %d", pair[0], pair[1], taken, want)
				}
			}
			gone := compare(t, answer("application/json", `{"t":`+tc.was+`}`), answer("application/json", `{}`), tc.rule)
			if tc.rule.Compare != "ignore" && len(gone.Differences) != 1 {
				t.Errorf("the value is gone, which is no variation: %v", lines(gone))
			}
		})
	}
}

// TestCorrelatedValuesKeepToTheirPairs plants values that do not map one to one.
func TestCorrelatedValuesKeepToTheirPairs(t *testing.T) {
	session := func(name, head, body string) harness.Exchange {
		return call(name, "GET", "/students", "application/json", body, harness.Field{Name: "X-Ref", Value: head})
	}
	for _, tc := range []struct {
		name, within string
		was, is      []harness.Exchange
		want         []string
		why          string
	}{
		{"one to one", "", []harness.Exchange{session("a", "r1", `{"id":"r1","of":["r2","r1"]}`), session("b", "r2", `{"id":"r2","of":[]}`)},
			[]harness.Exchange{session("a", "x9", `{"id":"x9","of":["x4","x9"]}`), session("b", "x4", `{"id":"x4","of":[]}`)}, nil, "head, body and other sessions agree"},
		{"one becomes two", "", []harness.Exchange{session("a", "", `{"id":"r1","of":["r1","r1"]}`)}, []harness.Exchange{session("a", "", `{"id":"x1","of":["x1","x2"]}`)},
			[]string{`changed response.body.of[1] r1 → x2: "r1" becomes "x1" elsewhere`}, "the rare one is wrong"},
		{"two become one", "", []harness.Exchange{session("a", "", `{"id":"r1","of":["r1","r2"]}`)}, []harness.Exchange{session("a", "", `{"id":"x1","of":["x1","x1"]}`)},
			[]string{`changed response.body.of[1] r2 → x1: "x1" is what "r1" becomes elsewhere`}, "the reverse"},
		{"one stays elsewhere", "", []harness.Exchange{session("a", "", `{"id":"r1","of":["r1"]}`)}, []harness.Exchange{session("a", "", `{"id":"r1","of":["x1"]}`)},
			[]string{`changed response.body.of[0] r1 → x1: "r1" stays the same elsewhere`}, "unchanged values are looked at"},
		{"one stays in an equal body", "", []harness.Exchange{session("a", "", `{"id":"r1","of":[]}`), session("b", "", `{"id":"r1","of":[]}`)}, []harness.Exchange{session("a", "", `{"id":"r1","of":[]}`), session("b", "", `{"id":"x1","of":[]}`)},
			[]string{`changed response.body.id r1 → x1: "r1" stays the same elsewhere`}, "bodies that are equal byte for byte are looked at"},
		{"drawn anew in each session", "session", []harness.Exchange{session("a", "", `{"id":"r1","of":[]}`), session("b", "", `{"id":"r1","of":[]}`)}, []harness.Exchange{session("a", "", `{"id":"x1","of":[]}`), session("b", "", `{"id":"x2","of":[]}`)},
			nil, "within a session only"},
		{"and not in each session", "run", []harness.Exchange{session("a", "", `{"id":"r1","of":[]}`), session("b", "", `{"id":"r1","of":[]}`)}, []harness.Exchange{session("a", "", `{"id":"x1","of":[]}`), session("b", "", `{"id":"x2","of":[]}`)},
			[]string{`changed response.body.id r1 → x2: "r1" becomes "x1" elsewhere`}, "over the whole run"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rule := mustRule(t, "response.**", "correlated")
			rule.Within = tc.within
			c := compare(t, harness.NewMemory(harness.Manifest{}, tc.was...), harness.NewMemory(harness.Manifest{}, tc.is...), rule)
			var got []string
			for i, l := range lines(c) {
				got = append(got, l+": "+c.Differences[i].Note)
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("%s: %s", tc.why, d)
			}
		})
	}
}

// TestExpiredRulesTakeNothingAwayAndSaySo checks that a rule past its day leaves its differences, each with the rule.
func TestExpiredRulesTakeNothingAwayAndSaySo(t *testing.T) {
	rule := mustRule(t, "response.body.t", "instant")
	rule.Until = harness.Date{Time: time.Date(2026, 9, 30, 0, 0, 0, 0, time.UTC)}
	was, is := answer("application/json", `{"t":"2026-10-05T09:00:00Z","u":1}`), answer("application/json", `{"t":"2026-10-05T09:00:01Z","u":2}`)
	for day, expired := range map[int]bool{30: false, 31: true} {
		c, err := Recordings(was, is, Options{Rules: []harness.Rule{rule}, Now: time.Date(2026, 9, day, 12, 0, 0, 0, time.UTC)})
		if err != nil {
			t.Fatal(err)
		}
		if got := len(c.Expired) == 1; got != expired {
			t.Errorf("on day %d expired is %v", day, got)
		}
		if !expired {
			continue
		}
		if len(c.Differences) != 2 || c.Differences[0].Rule == nil || !strings.Contains(c.Differences[0].Note, "2026-09-30") || c.Differences[1].Rule != nil {
			t.Errorf("differences do not tell the rule: %v", fmt.Sprint(lines(c)))
		}
	}
}

// TestParametersBelongToTheirComparison refuses what a comparison would not read, and what it cannot read.
func TestParametersBelongToTheirComparison(t *testing.T) {
	for _, tc := range []struct {
		rule harness.Rule
		says string
	}{
		{harness.Rule{Compare: "pattern", Pattern: "x", Tolerance: "5s"}, "pattern has no tolerance: instant and number have"},
		{harness.Rule{Compare: "instant", Decimals: new(2)}, "instant has no decimals: number has"},
		{harness.Rule{Compare: "number", Zone: "America/Chicago"}, "number has no zone: instant has"},
		{harness.Rule{Compare: "instant", Zone: "Chicago"}, `zone "Chicago" is not a time zone such as America/Chicago`},
		{harness.Rule{Compare: "instant", Zone: "Local"}, "is not a time zone"},
		{harness.Rule{Compare: "number", Decimals: new(-1)}, "decimals -1 is not a number of places"},
		{harness.Rule{Compare: "correlated", Within: "day"}, `within "day" is not run or session`},
		{harness.Rule{Compare: "correlated", Pattern: "("}, `pattern "("`},
		{harness.Rule{Compare: "set", Key: []string{"id"}}, "set has no key: keyed has"},
		{harness.Rule{Compare: "ignore", Values: []string{"a"}}, "ignore has no values: one-of has"},
	} {
		tc.rule.At, tc.rule.Reason = mustRule(t, "response.body.t", "").At, "test"
		if err := CheckRule(tc.rule); err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v, want %q", tc.rule.Compare, err, tc.says)
		}
	}
}

func TestSameDecimal(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		same bool
		why  string
	}{
		{"1", "1.0", true, "zeros behind the point"},
		{"-0", "0", true, "zero has no sign"},
		{"-0.0", "0e5", true, "zero has no exponent"},
		{"100", "1e2", true, "exponents"},
		{"1E+2", "1e2", true, "spelling of exponents"},
		{"0.001", "1e-3", true, "negative exponents"},
		{"1e400", "1e401", false, "beyond every float"},
		{"10e400", "1e401", true, "beyond every float, and the same"},
		{"1e99999999999999999999", "10e99999999999999999998", true, "exponents of any length"},
		{"9007199254740992", "9007199254740993", false, "above 2^53"},
		{"0.1234567890123456789", "0.1234567890123456788", false, "nineteen digits"},
		{"1", "-1", false, "sign"},
		{"", "0", false, "no number"},
		{"0x10", "16", false, "no decimal"},
		{"1_000", "1000", false, "no decimal"},
	} {
		if got := sameDecimal(tc.a, tc.b); got != tc.same || sameDecimal(tc.b, tc.a) != got {
			t.Errorf("%s and %s: %v: %s", tc.a, tc.b, got, tc.why)
		}
	}
}
