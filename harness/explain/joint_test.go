package explain

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

func text(s string) *string { return &s }

// roles is 20 enrolments; zeros keeps the section's leading zeros, role yields the role of row i.
func roles(zeros bool, role func(i int) string) harness.Exchange {
	format := "%s,202640-%d,%s"
	if zeros {
		format = "%s,202640-%05d,%s"
	}
	return out(table("user_id,section_id,role", 20, func(i int) string {
		section := 10000 + i
		if i < 6 {
			section = 400 + i
		}
		return fmt.Sprintf(format, id(i), section, role(i))
	}))
}

func student(i int) string {
	if i%5 == 0 {
		return "teacher"
	}
	return "student"
}

// audited is student, other than in the rows.
func audited(rows ...int) func(int) string {
	return func(i int) string {
		if slices.Contains(rows, i) {
			return "observer"
		}
		return student(i)
	}
}

func declares(list ...harness.Expectation) func(*Case) {
	return func(c *Case) { c.Scenario.Expect = list }
}

func jointCases() []acceptance {
	upgraded := table("CRN,ID,RSTS,LAST_ACTIVITY_TS", 40, func(i int) string {
		i = 39 - i
		rsts := []string{"RE", "RW", "AU", "WL"}[i%4]
		if i == 3 || i == 17 {
			rsts = "RH"
		}
		return fmt.Sprintf("%05d,%s,%s,2026-10-04T12:00:00Z", 400+i%5, id(i), rsts)
	})
	role := harness.Expectation{Change: "D12", At: at("request.body[*].role"), From: text("student"), To: text("observer"), Reason: "auditors become observers.", Ticket: "PR-418", Until: day("2026-12-31")}
	with := func(change func(*harness.Expectation)) harness.Expectation { e := role; change(&e); return e }
	few := xs(roles(true, audited(4, 6)))
	one, none := `{"v":"x","w":null}`, `{"v":null,"w":"y"}`
	return []acceptance{
		{
			name: "three changes in one file", why: "a new code, a new column and another order are told apart",
			before: xs(in(registrations("")), out(enrollments(active))), after: xs(in(upgraded), out(enrollments(but("", 3, 17)))),
			setup: withCrosswalk(false, "RE", "RW", "AU", "WL"),
			want:  []string{"F01 breaking 2/40 rows ×4", "F13 benign 40/40 rows ×1", "F24 benign 39/40 rows ×1"},
		},
		{
			name: "declared and damaged in the same rows", why: "two causes overlap in two rows",
			before: xs(roles(true, student)), after: xs(roles(false, audited(3, 4, 6))), setup: declares(with(func(e *harness.Expectation) { e.Count = 3 })),
			want: []string{"F18 breaking 6/0 rows ×6", "D12 expected 3/20 rows ×3"},
		},
		{name: "declared", why: "exactly as declared", before: xs(roles(true, student)), after: few, setup: declares(with(func(e *harness.Expectation) { e.Count = 2 })), want: []string{"D12 expected 2/20 rows ×2"}},
		{name: "declared with another count", why: "a person must look", before: xs(roles(true, student)), after: few, setup: declares(with(func(e *harness.Expectation) { e.Count = 3 })), want: []string{"D12 review 2/20 rows ×2"}},
		{name: "declared and expired", why: "the declaration covers nothing any more", before: xs(roles(true, student)), after: few, setup: declares(with(func(e *harness.Expectation) { e.Until = day("2026-10-04") })),
			want: []string{"D12 review 0/0 places ×0", "F01 review 2/20 rows ×2"}},
		{name: "declared and did not happen", why: "the mapping does not do what was announced", before: xs(roles(true, student)), after: few, setup: declares(role, harness.Expectation{Change: "D13", At: at("request.body[*].user_id"), Reason: "r"}),
			want: []string{"D13 review 0/0 places ×0", "D12 expected 2/20 rows ×2"}},
		{name: "declared in several entries", why: "one change, one finding", before: askMany(one), after: askMany(none), setup: declares(
			harness.Expectation{Change: "C1", At: at("response.body.v"), From: text("x"), To: text("null"), Reason: "r"},
			harness.Expectation{Change: "C1", At: at("response.body.w"), From: text("null"), To: text("y"), Reason: "r"}),
			want: []string{"C1 expected 2/0 places ×2"}},
		{name: "declared absence", why: "absent, empty and null are three things", before: askMany(`{"a":"x","b":"","c":null}`), after: askMany(`{"b":"y","c":"z"}`), setup: declares(
			harness.Expectation{Change: "C1", At: at("response.body.a"), To: text("(absent)"), Reason: "r"},
			harness.Expectation{Change: "C2", At: at("response.body.b"), From: text(""), Reason: "r"},
			harness.Expectation{Change: "C3", At: at("response.body.c"), From: text(""), Reason: "r"}),
			want: []string{"C3 review 0/0 places ×0", "F00 benign 1/1 calls ×1", "C1 expected 1/1 calls ×1", "C2 expected 1/1 calls ×1"}},
	}
}
