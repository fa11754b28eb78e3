package explain

import (
	"fmt"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

func timeExamples() []example {
	slow := func(n int, took time.Duration) []harness.Exchange {
		return times(n, func(i int) harness.Exchange {
			return timed(ask(applicant(i), `{}`), time.Duration(i)*time.Minute, took)
		})
	}
	given := slow(25, 400*time.Millisecond)
	given[7] = cutOff(timed(given[7], 7*time.Minute, 31*time.Second), harness.FaultTimeout, "the answer of the upstream did not come in time")
	return []example{
		{
			name: "F39 slower", why: "the catalogue's own example: 0.4 seconds become 31",
			before: slow(25, 400*time.Millisecond), after: slow(25, 31*time.Second),
			want: "F39 review", count: "25/0 calls", says: []string{"within 31 s instead of 0.4 s"},
		},
		{
			name: "F39 given up", why: "one call is not answered within the limit of the client",
			before: slow(25, 400*time.Millisecond), after: given,
			want: "F39 breaking", count: "1/25 calls", says: []string{"given up after 31 s", "within 0.4 s"},
		},
	}
}

func termExamples() []example {
	filtered := func(code string) []harness.Exchange {
		return times(3, func(i int) harness.Exchange {
			return timed(callOf(applicant(i), target, "crm", "GET", "/applications?term="+code, "", "200", `{}`), 0, time.Second)
		})
	}
	rolled := func(k *Case) {
		k.Now = time.Date(2027, 1, 11, 6, 0, 0, 0, time.UTC)
		k.Catalogue.Calendar = harness.Calendar{Zone: "America/Chicago", Terms: []harness.Term{
			{Code: "202640", From: day("2026-08-24"), To: day("2026-12-18")}, {Code: "202710", From: day("2027-01-11"), To: day("2027-05-07")},
		}}
	}
	return []example{
		{
			name: "F41 hard-coded term", why: "the clock stands on the first day of the next term, and the filter does not follow",
			before: filtered("202640"), after: filtered("202640"), setup: rolled,
			want: "F41 breaking", count: "3/3 calls", says: []string{"still asks for term 202640 (term in GET /applications)", "202710"},
		},
		{
			name: "F41 term that follows", why: "another term under another clock is right",
			before: filtered("202640"), after: filtered("202710"), setup: rolled,
			want: "F41 benign", count: "3/3 calls", says: []string{"follows the calendar: 202710 instead of 202640"},
		},
	}
}

func driftExamples() []example {
	person := func(i int, status, body string) harness.Exchange {
		return callOf(applicant(i), target, "sis", "GET", fmt.Sprintf("/persons/%d", 100+i), "", status, body)
	}
	found := times(4, func(i int) harness.Exchange { return person(i, "200", `{"active":true}`) })
	write := times(4, func(i int) harness.Exchange { return tell(applicant(i), `{}`, "201", `{}`) })
	gone := append(slices.Clone(found[:3]), person(3, "404", `{"error":"not found"}`))
	return []example{{
		name: "F43 person gone", why: "the test person was terminated by a refresh: the run proves nothing about the release",
		before: slices.Concat(found, write), after: slices.Concat(gone, write[:3]),
		want: "F43 inconclusive", count: "1/4 calls", says: []string{"The test data moved", "refresh", "POST /admissions to Atrium SIS is not called any more"},
	}}
}

func noiseExamples() []example {
	with := func(fields ...func(i int) harness.Field) []harness.Exchange {
		return times(4, func(i int) harness.Exchange {
			x := ask(applicant(i), `{"id":1}`)
			for _, f := range fields {
				x.Response.Head = append(x.Response.Head, f(i))
			}
			return x
		})
	}
	field := func(name, format string, from int) func(int) harness.Field {
		return func(i int) harness.Field { return head(name, fmt.Sprintf(format, from+i)) }
	}
	holding := func(format string, from int) []harness.Exchange {
		return times(4, func(i int) harness.Exchange { return ask(applicant(i), fmt.Sprintf(format, from+i)) })
	}
	query := func(path string) []harness.Exchange {
		return xs(callOf("s1", target, "crm", "GET", path, "", "200", `{}`))
	}
	return []example{
		{
			name: "F44 request ids", why: "another identifier of the same form",
			before: with(field("X-Request-Id", "%016x", 4096)), after: with(field("X-Request-Id", "%016x", 70000)),
			want: "F44 review", count: "4/4 calls", says: []string{`pattern: "[0-9a-f]{16}"`, "their form is the same"},
		},
		{
			name: "F44 tags", why: "an entity tag changes with every version",
			before: with(field("ETag", `"%d"`, 10)), after: with(field("ETag", `"%d"`, 90)),
			want: "F44 review", count: "4/4 calls",
		},
		{
			name: "F44 tokens", why: "another token under the same scheme",
			before: times(2, func(i int) harness.Exchange {
				return asking(ask(applicant(i), `{}`), head("Authorization", "Bearer aaa"))
			}),
			after: times(2, func(i int) harness.Exchange {
				return asking(ask(applicant(i), `{}`), head("Authorization", "Bearer bbbb"))
			}),
			want: "F44 review", count: "2/2 calls", says: []string{`pattern: "Bearer .+"`},
		},
		{
			name: "F44 cookie values", why: "another session of the same cookie; its flags stay in the rule",
			before: with(field("Set-Cookie", "sid=%d; Path=/; Secure", 1)), after: with(field("Set-Cookie", "sid=%d; Path=/; Secure", 77)),
			want: "F44 review", count: "4/4 calls", says: []string{"sid=[^;]*; Path=/; Secure"},
		},
		{
			name: "F44 counter", why: "consecutive numbers on both sides",
			before: holding(`{"receipt":%d}`, 4711), after: holding(`{"receipt":%d}`, 5120), want: "F44 review", count: "4/4 calls", says: []string{"counters"},
		},
		{
			name: "F44 batch number", why: "its name says that it counts",
			before: xs(ask("s1", `{"batch_number":"0004711"}`)), after: xs(ask("s1", `{"batch_number":"0004713"}`)), want: "F44 review", count: "1/1 calls",
		},
		{
			name: "F44 last digits", why: "binary fractions end in noise",
			before: holding(`{"gpa":3.%d}`, 10), after: holding(`{"gpa":3.%d0000000000000004}`, 10), want: "F44 review", count: "4/4 calls", says: []string{"compare: number"},
		},
		{
			name: "F44 order of a query", why: "parameters of different names have no order",
			before: query("/applications?term=202640&page=1&q=a%20b"), after: query("/applications?page=1&term=202640&q=a+b"), want: "F44 benign", count: "1/1 calls",
		},
		{
			name: "F44 order of a list", why: "what is accepted has no order without weights",
			before: xs(asking(ask("s1", `{}`), head("Accept", "application/json, text/json"))), after: xs(asking(ask("s1", `{}`), head("Accept", "text/json,application/json"))),
			want: "F44 benign", count: "1/1 calls",
		},
	}
}
