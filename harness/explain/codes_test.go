package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// registrations is 40 rows with the states RE, RW, AU and WL; those of the given rows have the code instead.
func registrations(code string, rows ...int) string {
	return table("CRN,ID,RSTS", 40, func(i int) string {
		rsts := []string{"RE", "RW", "AU", "WL"}[i%4]
		if slices.Contains(rows, i) {
			rsts = code
		}
		return fmt.Sprintf("%05d,%s,%s", 400+i%5, id(i), rsts)
	})
}

// enrollments is what the mapping makes of registrations; state yields the text for row i, empty leaves it out.
func enrollments(state func(i int) string) string {
	return table("user_id,section_id,status", 40, func(i int) string {
		if s := state(i); s != "" {
			return fmt.Sprintf("%s,202640-%05d,%s", id(i), 400+i%5, s)
		}
		return ""
	})
}

// states is 40 rows that take the codes in turn.
func states(codes ...string) string {
	return table("ID,STATE", 40, func(i int) string { return id(i) + "," + codes[i%len(codes)] })
}

func active(int) string { return "active" }

// but is active, other than in the rows.
func but(text string, rows ...int) func(int) string {
	return func(i int) string {
		if slices.Contains(rows, i) {
			return text
		}
		return "active"
	}
}

func withCrosswalk(standard bool, codes ...string) func(*Case) {
	return func(c *Case) {
		known := map[string]int{}
		for i, code := range codes {
			known[code] = i + 2
		}
		c.Crosswalks = []harness.Crosswalk{{Name: "status", File: "crosswalk/reg-status.csv", Column: "RSTS", Codes: known, Default: standard}}
	}
}

func guarded(lost string, setup func(*Case)) func(*Case) {
	return func(c *Case) {
		if setup != nil {
			setup(c)
		}
		c.Integration.Guards = []harness.Guard{{System: "lms", Operation: "enrollments.csv", Lost: lost}}
	}
}

// program is 24 applications, one a session, with three codes; those of the given sessions have the code instead. The
// SIS answers 422 to a code of fails.
func programs(code string, fails string, sessions ...int) []harness.Exchange {
	var list []harness.Exchange
	for i := range 24 {
		program, status, answer := []string{"BIOL", "CHEM", "PHYS"}[i%3], "201", `{"ok":true}`
		if slices.Contains(sessions, i) {
			program = code
		}
		if fails != "" && strings.Contains(fails, program) {
			status, answer = "422", `{"error":"unknown program"}`
		}
		session := fmt.Sprintf("A-%02d", i)
		list = append(list, ask(session, fmt.Sprintf(`{"number":"%s","program":"%s"}`, session, program)),
			tell(session, fmt.Sprintf(`{"number":"%s","major":"%s"}`, session, program), status, answer))
	}
	return list
}

func codeCases() []acceptance {
	old := xs(in(registrations("")), out(enrollments(active)))
	known := []string{"RE", "RW", "AU", "WL"}
	return []acceptance{
		{
			name: "code lost", why: "rows with a code that the crosswalk lacks are lost", before: old,
			after: xs(in(registrations("RH", 3, 17)), out(enrollments(but("", 3, 17)))), setup: guarded("10%", withCrosswalk(false, known...)),
			want: []string{"F01 breaking 2/40 rows ×4"},
		},
		{
			name: "code lost over the guard", why: "the receiver refuses the file", before: old,
			after: xs(in(registrations("RH", 3, 17, 21)), out(enrollments(but("", 3, 17, 21)))), setup: guarded("5 %", withCrosswalk(false, known...)),
			want: []string{"F01 breaking 3/40 rows ×6"},
		},
		{
			name: "code caught by a default row", why: "no row is lost, yet somebody must say what the code means", before: old,
			after: xs(in(registrations("RH", 3, 17)), out(enrollments(but("unknown", 3, 17)))), setup: withCrosswalk(true, known...),
			want: []string{"F01 review 2/40 rows ×4"},
		},
		{
			name: "code known to the crosswalk", why: "the mapping is ready for it", before: old,
			after: xs(in(registrations("RH", 3)), out(enrollments(active))), setup: withCrosswalk(false, append(known, "RH")...),
			want: []string{"F01 benign 1/40 rows ×1"},
		},
		{
			name: "code known to the crosswalk and new to the receiver", why: "the receiver never got the new state", before: old,
			after: xs(in(registrations("RH", 3)), out(enrollments(but("hybrid", 3)))), setup: withCrosswalk(false, append(known, "RH")...),
			want: []string{"F01 review 1/40 rows ×2"},
		},
		{
			name: "code in an output", why: "the mapping writes a state that the receiver never got", before: old,
			after: xs(in(registrations("")), out(enrollments(but("observer", 4, 8)))),
			want:  []string{"F01 review 2/40 rows ×2"},
		},
		{
			name: "code refused over HTTP", why: "the calls that fail lie in the sessions with the code", before: programs("", ""),
			after: programs("DATA", "DATA", 5, 11), want: []string{"F01 breaking 2/24 calls ×10"},
		},
		{
			name: "code refused and a stranger fails", why: "a failure without the cause is not claimed by it, and the proof falls", before: programs("", ""),
			after: append(programs("DATA", "DATA", 5, 11)[:46], ask("A-23", `{"number":"A-23","program":"PHYS"}`), tell("A-23", `{"number":"A-23","major":"PHYS"}`, "503", `{"error":"maintenance"}`)),
			want:  []string{"F01 breaking 2/24 calls ×10", "F00 breaking 1/24 calls ×3"},
		},
		{
			name: "a list of codes renamed", why: "one table explains them all", before: xs(in(states("A", "B", "C", "D", "E"))),
			after: xs(in(states("A", "QB", "XC", "YD", "ZE"))), want: []string{"F01 review 32/40 rows ×32"},
		},
		{
			name: "four codes beside the old ones", why: "codes that came together are one finding that names each", before: xs(in(states("A", "B", "B", "B", "B"))),
			after: xs(in(states("A", "B", "B", "B", "B", "N1", "N2", "N3", "N4", "B"))), want: []string{"F01 review 16/40 rows ×16"},
		},
		{
			name: "code new in two files", why: "one list of the vendor shows in both", before: xs(in(registrations("")), fileOf("night", "sis", target, "waiting.csv", registrations(""))),
			after: xs(in(registrations("RH", 3, 17)), fileOf("night", "sis", target, "waiting.csv", registrations("RH", 8))), want: []string{"F01 review 2/40 rows ×3"},
		},
		{
			name: "texts that come once beside codes", why: "a field of few values that holds garbage in some rows has no new codes", before: xs(in(states("A", "B"))),
			after: xs(in(table("ID,STATE", 40, func(i int) string {
				if i < 6 {
					return fmt.Sprintf("%s,X%dZ", id(i), 7*i)
				}
				return id(i) + "," + []string{"A", "B"}[i%2]
			}))), want: []string{"F00 review 6/40 rows ×6"},
		},
		{
			name: "no list of codes any more", why: "texts of which each is another one are not new codes", before: xs(in(states("A", "B"))),
			after: xs(in(table("ID,STATE", 40, func(i int) string { return fmt.Sprintf("%s,%c%c", id(i), 'F'+i%13, 'F'+i%17) }))),
			want:  []string{"F00 review 40/40 rows ×40"},
		},
		{
			name: "amounts are no codes", why: "few different amounts in a small sample are not a list of codes",
			before: askMany(`{"fee":"10.00"}`, `{"fee":"10.00"}`, `{"fee":"20.00"}`, `{"fee":"20.00"}`), after: askMany(`{"fee":"10.00"}`, `{"fee":"30.00"}`, `{"fee":"20.00"}`, `{"fee":"20.00"}`),
			want: []string{"F00 review 1/4 calls ×1"},
		},
	}
}
