package explain

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

func lineageOf(findings []harness.Finding) []string {
	var all []string
	for _, f := range findings {
		for _, flow := range f.Lineage {
			all = append(all, flow.String())
		}
	}
	return all
}

// Lineage is shown by recorded values when no program can be read.
func TestLineageByValues(t *testing.T) {
	status := map[string]string{"RE": "active", "RW": "active", "DD": "deleted", "W1": "completed"}
	code := func(i int) string { return []string{"RE", "RW", "DD", "W1"}[(i*7+i/4)%4] }
	start := func(i int) string { return fmt.Sprintf("2026-%02d-%02d", 1+i%12, 1+i%28) }
	reg := func(change func(i int) string) harness.Exchange {
		return in(table("CRN,ID,RSTS,START,NOTE", 60, func(i int) string {
			return fmt.Sprintf("%05d,%s,%s,%s,N%d", 400+i/2, id(i), change(i), start(i), i*37%11)
		}))
	}
	enrol := out(table("user_id,section_id,status,begins,kind", 60, func(i int) string {
		return fmt.Sprintf("%s,202640-%05d,%s,%s,student", id(i), 400+i/2, status[code(i)], usDate(start(i)))
	}))
	changed := func(i int) string {
		if i == 8 {
			return "RH"
		}
		return code(i)
	}
	calls := func(field string) []harness.Exchange {
		var list []harness.Exchange
		for i := range 12 {
			session := fmt.Sprintf("A-%02d", i)
			term := []string{"202640", "202710", "202720"}[i%3]
			list = append(list, ask(session, fmt.Sprintf(`{"number":"%s","%s":"%s","flag":"Y"}`, session, field, term)),
				tell(session, fmt.Sprintf(`{"termCode":"%s","kind":"Y"}`, term), "201", `{"ok":true}`))
		}
		return list
	}
	for _, c := range []struct {
		why           string
		before, after []harness.Exchange
		setup         func(*Case)
		want          []string
	}{
		{"a code through a crosswalk", xs(reg(code), enrol), xs(reg(changed), enrol), withCrosswalk(false, "RE", "RW", "DD", "W1"), []string{"registrations.csv RSTS → crosswalk reg-status.csv → enrollments.csv status"}},
		{"a code through a table that is not known", xs(reg(code), enrol), xs(reg(changed), enrol), nil, []string{"registrations.csv RSTS → a code table → enrollments.csv status"}},
		{"a term of the same session", calls("start_term"), calls("entry_term"), nil, []string{"GET /applications start_term → same values → POST /admissions termCode"}},
		{"a field that goes nowhere", xs(reg(code), enrol), xs(in(table("CRN,ID,RSTS,START,NOTE", 60, func(i int) string {
			return fmt.Sprintf("%05d,%s,%s,%s,N%d", 400+i/2, id(i), code(i), start(i), (i*37+1)%11)
		})), enrol), nil, nil},
		{"from the output back to its sources", xs(reg(code), enrol), xs(reg(code), out(table("user_id,section_id,status,begins,kind", 60, func(i int) string {
			return fmt.Sprintf("%s,202640-%05d,%s,%s,student", id(i), 400+i/2, status[code(i)], start(i))
		}))), nil, []string{"registrations.csv START → date format changed from 2026-08-17 (ISO date) to 08/17/2026 (US month/day/year) → enrollments.csv begins"}},
	} {
		t.Run(c.why, func(t *testing.T) {
			findings, _ := explained(t, c.before, c.after, nil, c.setup)
			if got := lineageOf(findings); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q\n%s", got, c.want, words(findings))
			}
		})
	}
}

// What the mapping says comes before what values show.
func TestLineageByMapping(t *testing.T) {
	traces := func(c *Case) {
		c.Traces = []harness.MappedField{
			{Input: "registrations.csv", Output: "enrollments.csv", Field: "user_id", From: []string{"ID"}, Program: "enrol.jq"},
			{Input: "registrations.csv", Output: "enrollments.csv", Field: "status", From: []string{"RSTS", "sis_code"}, Crosswalks: []string{"crosswalk/reg-status.csv"}, Program: "enrol.jq"},
			{Input: "persons.csv", Output: "users.csv", Field: "status", From: []string{"RSTS"}, Program: "users.jq"},
		}
	}
	enrol := func(status string) harness.Exchange {
		return out(table("user_id,section_id,status", 40, func(i int) string { return fmt.Sprintf("%s,202640-%05d,%s", id(i), 400+i%5, status) }))
	}
	findings, _ := explained(t, xs(in(registrations("")), enrol("active")), xs(in(registrations("RH", 3)), enrol("active")), nil, traces)
	want := []string{"registrations.csv RSTS → crosswalk reg-status.csv → enrollments.csv status"}
	if got := lineageOf(findings); !slices.Equal(got, want) {
		t.Errorf("forward: got %q, want %q", got, want)
	}
	findings, _ = explained(t, xs(in(registrations("")), enrol("active")), xs(in(registrations("")), enrol("open")), nil, traces)
	if got := lineageOf(findings); !slices.Equal(got, want) {
		t.Errorf("backward: got %q, want %q", got, want)
	}
}

// Fields that have nothing to do with one another feed nothing, however few their values are.
func TestLineageClaimsNothingByChance(t *testing.T) {
	claimed := 0
	pick := func(r *rand.Rand, list ...string) string { return list[r.IntN(len(list))] }
	for try := range 60 {
		r := rand.New(rand.NewPCG(uint64(try), 21))
		n := 5 + r.IntN(60)
		row := func(i int) string {
			return fmt.Sprintf("%s,%s,%s,%s,%d,%s", id(i), pick(r, "Y", "N"), pick(r, "A", "B", "C"), pick(r, "MAIN", "NORTH"), r.IntN(4), dateOf(r.IntN(40)))
		}
		input, output := table("ID,F1,F2,F3,F4,F5", n, row), table("user_id,g1,g2,g3,g4,g5", n, row)
		rows := 0
		changed := table("ID,F1,F2,F3,F4,F5", n, func(i int) string {
			rows++
			return fmt.Sprintf("%s,Q,%s,%s,%d,%s", id(i), pick(r, "A", "B", "C"), pick(r, "MAIN", "NORTH"), r.IntN(4), dateOf(r.IntN(40)))
		})
		findings, _ := explained(t, xs(in(input), out(output)), xs(in(changed), out(output)), nil, nil)
		for _, flow := range lineageOf(findings) {
			claimed++
			t.Logf("try %d, %d rows: %s", try, rows, flow)
		}
	}
	if claimed > 0 {
		t.Errorf("%d steps of lineage between fields that were drawn at random", claimed)
	}
}
