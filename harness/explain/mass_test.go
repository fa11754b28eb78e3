package explain

import (
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// massSeats is n registrations of two terms, of which every tenth is in spring; skip leaves rows out, state is that of row i.
func massSeats(n int, skip func(i int) bool, state func(i int) string) string {
	return table("TERM,ID,STATUS", n, func(i int) string {
		if skip != nil && skip(i) {
			return ""
		}
		term, status := "202640", "active"
		if i%10 == 9 {
			term = "202710"
		}
		if i%4 == 1 {
			status = "deleted"
		}
		if state != nil {
			if s := state(i); s != "" {
				status = s
			}
		}
		return fmt.Sprintf("%s,%s,%s", term, id(i), status)
	})
}

func massGuard(g harness.Guard) func(*Case) {
	g.Operation = "*.csv"
	return func(c *Case) { c.Integration.Guards = []harness.Guard{g} }
}

// some holds for every n-th row of those that begin at from.
func some(from, n int) func(i int) bool {
	return func(i int) bool { return i >= from && (i-from)%n == 0 }
}

func massCases() []acceptance {
	whole := massSeats(400, nil, nil)
	spring := func(i int) bool { return i%10 == 9 }
	deleted := func(every func(int) bool) func(int) string {
		return func(i int) string {
			if every(i) {
				return "deleted"
			}
			return ""
		}
	}
	keyed := []harness.Rule{{At: at("request.body"), Compare: "keyed", Key: []string{"TERM", "ID"}, Reason: "a student once a term"}}
	return []acceptance{
		{name: "mass delete", why: "25 of 400 are over 5 % and over the floor", rules: keyed, before: xs(in(whole), out(whole)),
			after: xs(in(massSeats(400, some(0, 16), nil)), out(massSeats(400, some(0, 16), nil))), want: []string{"F28 breaking 25/400 rows ×50"}},
		{name: "as many as the floor", why: "20 of 200 are 10 %, and still few", rules: keyed, before: xs(in(massSeats(200, nil, nil))), after: xs(in(massSeats(200, some(0, 10), nil))),
			want: []string{"F00 review 20/200 rows ×20"}},
		{name: "a share under the guard", why: "25 of 600 are under 5 %", rules: keyed, before: xs(in(massSeats(600, nil, nil))), after: xs(in(massSeats(600, some(0, 24), nil))),
			want: []string{"F00 review 25/600 rows ×25"}},
		{name: "a guard of the catalogue", why: "the receiver stands more", rules: keyed, before: xs(in(whole)), after: xs(in(massSeats(400, some(0, 16), nil))),
			setup: massGuard(harness.Guard{Mass: "10%"}), want: []string{"F00 review 25/400 rows ×25"}},
		{name: "a floor of the catalogue", why: "every record counts", rules: keyed, before: xs(in(massSeats(20, nil, nil))), after: xs(in(massSeats(20, some(0, 8), nil))),
			setup: massGuard(harness.Guard{Mass: "5 %", Floor: 2}), want: []string{"F28 breaking 3/20 rows ×3"}},
		{name: "one term emptied", why: "40 of 400 are under the guard, all of one term are not", rules: keyed, before: xs(in(whole)), after: xs(in(massSeats(400, spring, nil))),
			setup: massGuard(harness.Guard{Mass: "20%", By: "TERM"}), want: []string{"F28 breaking 40/40 rows ×40"}},
		{name: "records new in mass", why: "somebody merged two sources", rules: keyed, before: xs(in(whole)), after: xs(in(massSeats(450, nil, nil))),
			want: []string{"F28 breaking 50/400 rows ×50"}},
		{name: "states flipped in mass", why: "a job that deactivates all", rules: keyed, before: xs(in(whole)), after: xs(in(massSeats(400, nil, deleted(some(0, 8))))),
			want: []string{"F28 breaking 50/400 rows ×50"}},
		{name: "few states flipped", why: "a normal day", rules: keyed, before: xs(in(whole)), after: xs(in(massSeats(400, nil, deleted(some(0, 40))))),
			want: []string{"F00 review 10/400 rows ×10"}},
		{name: "states flipped in a column of the catalogue", why: "the guard names the column", rules: keyed,
			before: xs(in(strings.Replace(whole, "STATUS", "RSTS", 1))), after: xs(in(strings.Replace(massSeats(400, nil, deleted(some(0, 8))), "STATUS", "RSTS", 1))),
			setup: massGuard(harness.Guard{State: "RSTS"}), want: []string{"F28 breaking 50/400 rows ×50"}},
		{name: "mass delete in the output alone", why: "the mapping drops them", rules: keyed, before: xs(in(whole), out(whole)), after: xs(in(whole), out(massSeats(400, some(0, 16), nil))),
			want: []string{"F28 breaking 25/400 rows ×25"}},
		{name: "other records in their place", why: "what identifies a record was rewritten, which is no mass delete", rules: keyed,
			before: xs(in(strings.ReplaceAll(whole, "deleted", "active"))), after: xs(in(strings.ReplaceAll(strings.ReplaceAll(whole, "deleted", "active"), ",H", ",S"))),
			want: []string{"F00 review 400/400 rows ×800"}},
		{name: "only the header is left", why: "a receiver that mirrors deletes all", rules: keyed, before: xs(in(whole), out(whole)), after: xs(in("TERM,ID,STATUS\n"), out("TERM,ID,STATUS\n")),
			want: []string{"F28 breaking 400/400 rows ×802"}},
	}
}

func cutCases() []acceptance {
	rows := table("ID,NAME,CITY", 60, func(i int) string { return fmt.Sprintf("%s,N%d,C%d", id(i), i, i%7) })
	within, beginning := rows[:len(rows)*6/10], rows[:strings.Index(rows, "H0030")]
	feed := countedFeed(40, 40, 10000)
	return []acceptance{
		{name: "file empty", why: "nothing arrived, and nothing is handed on", before: xs(in(rows), out(rows)), after: xs(in(""), out("")), want: []string{"F27 breaking 60/60 rows ×124"}},
		{name: "file ends within a row", why: "a transfer broke off", before: xs(in(rows), out(rows)), after: xs(in(within), out(within)), want: []string{"F27 breaking 24/60 rows ×52"}},
		{name: "file is the beginning of the old one", why: "a transfer broke off between two rows", before: xs(in(rows)), after: xs(in(beginning)), want: []string{"F27 breaking 30/60 rows ×30"}},
		{name: "last row gone", why: "one record may have gone for any reason", before: xs(in(rows)), after: xs(in(rows[:strings.Index(rows, "H0059")])), want: []string{"F00 review 1/60 rows ×1"}},
		{name: "last line end gone", why: "no record is missing", before: xs(in(rows)), after: xs(in(strings.TrimSuffix(rows, "\n"))), want: []string{"F15 benign 1/1 files ×1"}},
		{name: "record of fixed width cut", why: "the last record is short and the trailer is missing", before: xs(feedIn(feed)), after: xs(feedIn(feed[:133*20+50])), want: []string{"F27 breaking 21/42 rows ×32"}},
		{name: "output cut", why: "the target did not finish", before: xs(in(rows), out(rows)), after: xs(in(rows), out(within)), want: []string{"F27 breaking 24/60 rows ×26"}},
	}
}
