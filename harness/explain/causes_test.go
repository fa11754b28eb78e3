package explain

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

// Columns of the tables below: a key, a campus, a level and a value.
func campusRows(n int, value func(i int, campus, level string) string) string {
	return table("ID,CAMPUS,LEVEL,VALUE", n, func(i int) string {
		campus, level := []string{"MAIN", "NORTH", "LAKE"}[i%3], []string{"UG", "GR"}[i/3%2]
		return fmt.Sprintf("%s,%s,%s,%s", id(i), campus, level, value(i, campus, level))
	})
}

func surnameOf(i int) string {
	return []string{"Achebe", "Brannstrom", "Featherstone", "Lefevre"}[i%4] + string(rune('a'+i%26)) + string(rune('a'+i/26%26))
}

func dateOf(i int) string { return fmt.Sprintf("2026-%02d-%02d", 1+i%12, 1+i%28) }

func usDate(iso string) string { return iso[5:7] + "/" + iso[8:] + "/" + iso[:4] }

// A cause says when it holds, and is proven with its condition only.
func TestChangeUnderACondition(t *testing.T) {
	name := func(i int, _, _ string) string { return surnameOf(i) }
	calls := func(change func(status string, i int) bool) (before, after []harness.Exchange) {
		for i := range 60 {
			status := []string{"200", "206"}[i%2]
			was := fmt.Sprintf(`{"start":"%s"}`, dateOf(i))
			is := was
			if change(status, i) {
				is = fmt.Sprintf(`{"start":"%s"}`, usDate(dateOf(i)))
			}
			session := fmt.Sprintf("s%02d", i)
			head := harness.Field{Name: "X-Node", Value: []string{"a", "b", "c"}[i%3]}
			was1, is1 := ask(session, was), ask(session, is)
			for _, x := range []*harness.Exchange{&was1, &is1} {
				x.Response.Head = x.Response.Head.With(harness.FieldStatus, status)
				x.Request.Head = append(x.Request.Head, head)
				x.At = now.AddDate(0, 0, i)
			}
			before, after = append(before, was1), append(after, is1)
		}
		return before, after
	}
	type world struct{ before, after []harness.Exchange }
	rows := func(n int, value func(i int, campus, level string) string) world {
		return world{xs(in(campusRows(n, name))), xs(in(campusRows(n, value)))}
	}
	pair := func(change func(status string, i int) bool) world { b, a := calls(change); return world{b, a} }
	for _, c := range []struct {
		why    string
		world  world
		when   string
		says   string
		proven bool
	}{
		{"one campus", rows(60, func(i int, campus, _ string) string {
			if campus == "MAIN" {
				return strings.ToUpper(surnameOf(i))
			}
			return surnameOf(i)
		}), "CAMPUS = MAIN", "letter case changed to upper case when CAMPUS = MAIN (20 of 60 rows)", true},
		{"all but one campus", rows(60, func(i int, campus, _ string) string {
			if campus != "LAKE" {
				return strings.ToUpper(surnameOf(i))
			}
			return surnameOf(i)
		}), "CAMPUS is not LAKE", "upper case when CAMPUS is not LAKE", true},
		{"campus and level", rows(120, func(i int, campus, level string) string {
			if campus == "MAIN" && level == "GR" {
				return strings.ToUpper(surnameOf(i))
			}
			return surnameOf(i)
		}), "CAMPUS = MAIN and LEVEL = GR", "when CAMPUS = MAIN and LEVEL = GR (20 of 120 rows)", true},
		{"no member tells", rows(60, func(i int, _, _ string) string {
			if i%7 < 5 {
				return strings.ToUpper(surnameOf(i))
			}
			return surnameOf(i)
		}), "", "letter case changed to upper case (", false},
		{"the status of the answer", pair(func(status string, _ int) bool { return status == "206" }), ":status = 206", "when the status of the answer is 206 (30 of 60 calls)", true},
		{"a node of the service", pair(func(_ string, i int) bool { return i%3 == 1 }), `:header x-node = b`, "when the header x-node is b (20 of 60 calls)", true},
		{"a roll-out in the middle of the recording", pair(func(_ string, i int) bool { return i >= 25 }), ":at from 2026-10-30T14:00:00Z", "when the time of the call from 2026-10-30T14:00:00Z", true},
	} {
		t.Run(c.why, func(t *testing.T) {
			findings, comparison := explained(t, c.world.before, c.world.after, nil, nil)
			claimedOnce(t, comparison, findings)
			if len(findings) != 1 || findings[0].Cause == nil {
				t.Fatal(words(findings))
			}
			f := findings[0]
			if f.Cause.Rule.When != c.when || !strings.Contains(f.Sentence, c.says) || f.Cause.Proof.Proven != c.proven || strings.HasPrefix(f.Proof, "Proven") != c.proven {
				t.Errorf("when %q, proof %+v\n%s", f.Cause.Rule.When, f.Cause.Proof, words(findings))
			}
			if c.proven && !strings.Contains(f.Proof, "the old values when ") {
				t.Errorf("the proof does not name the condition: %s", f.Proof)
			}
		})
	}
}

// Causes that lie over one another at one place come apart, and rare ones are not swallowed.
func TestCausesAtOnePlace(t *testing.T) {
	value := func(i int) string {
		if i%3 == 0 {
			return dateOf(i)
		}
		return surnameOf(i)
	}
	before := xs(in(campusRows(300, func(i int, _, _ string) string { return value(i) })))
	after := xs(in(campusRows(300, func(i int, _, _ string) string {
		switch {
		case i == 100 || i == 202:
			return "lost"
		case i%3 == 0:
			return usDate(dateOf(i))
		}
		return strings.ToUpper(surnameOf(i))
	})))
	findings, c := explained(t, before, after, nil, nil)
	claimedOnce(t, c, findings)
	want := []string{"F17 breaking 198/300 rows ×198", "F05 breaking 100/300 rows ×100", "F00 review 2/300 rows ×2"}
	if got := briefs(findings); !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q\n%s", got, want, words(findings))
	}
	if p := findings[0].Proof; !strings.HasPrefix(p, "Not proven") || !strings.Contains(p, "2 exceptions") {
		t.Errorf("two names did not follow the rule: %s", p)
	}
	if p := findings[1].Proof; !strings.HasPrefix(p, "Proven") {
		t.Errorf("every date followed the rule: %s", p)
	}
}

// One rule in many places is one cause; another rule in one of them is another.
func TestPlacesOfOneRuleAreOneCause(t *testing.T) {
	file := func(name string, value func(string) string) harness.Exchange {
		return fileOf("night", "sis", target, name, table("ID,START,END", 20, func(i int) string {
			return id(i) + "," + value(dateOf(i)) + "," + value(dateOf(i+7))
		}))
	}
	same := func(s string) string { return s }
	numbers := func(text bool) []harness.Exchange {
		var list []harness.Exchange
		for i := range 12 {
			form := `{"credits":%d,"seats":%d}`
			if text {
				form = `{"credits":"%d","seats":"%d"}`
			}
			list = append(list, ask(fmt.Sprintf("s%d", i), fmt.Sprintf(form, i, 20+i)))
		}
		return list
	}
	codes := func(name string, list ...string) harness.Exchange {
		return fileOf("night", "sis", target, name, table("ID,CODE", 60, func(i int) string { return id(i) + "," + list[i%len(list)] }))
	}
	for _, c := range []struct {
		why           string
		before, after []harness.Exchange
		want          []string
	}{
		{"dates in four columns of two files", xs(file("a.csv", same), file("b.csv", same)), xs(file("a.csv", usDate), file("b.csv", usDate)), []string{"F05 breaking 20/20 rows ×80"}},
		{"another rule in one file", xs(file("a.csv", same), file("b.csv", same)), xs(file("a.csv", usDate), file("b.csv", func(s string) string { return strings.ReplaceAll(s, "-", "") })),
			[]string{"F05 breaking 20/20 rows ×40", "F05 breaking 20/20 rows ×40"}},
		{"numbers became texts in two members", numbers(false), numbers(true), []string{"F04 breaking 12/12 calls ×24"}},
		{"two code tables that agree", xs(codes("a.csv", "FT", "PT", "HT"), codes("b.csv", "HT", "QT", "FT")), xs(codes("a.csv", "F1", "P2", "H9"), codes("b.csv", "H9", "Q4", "F1")), []string{"F01 review 60/60 rows ×120"}},
		{"two code tables that contradict", xs(codes("a.csv", "FT", "PT", "HT"), codes("b.csv", "FT", "PT", "QT")), xs(codes("a.csv", "F1", "P2", "H9"), codes("b.csv", "P2", "F1", "Q4")),
			[]string{"F01 review 60/60 rows ×60", "F01 review 60/60 rows ×60"}},
	} {
		t.Run(c.why, func(t *testing.T) {
			findings, comparison := explained(t, c.before, c.after, nil, nil)
			claimedOnce(t, comparison, findings)
			if got := briefs(findings); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q\n%s", got, c.want, words(findings))
			}
			for _, f := range findings {
				if !strings.HasPrefix(f.Proof, "Proven") || len(f.Cause.Scope) == 0 {
					t.Errorf("%s: %+v", f.Proof, f.Cause)
				}
			}
		})
	}
}

// A proof must hold for whatever is learned from changes that no rule made, and from rules that were hit by chance.
func TestNothingIsProvenWrongly(t *testing.T) {
	pick := func(r *rand.Rand, list ...string) string { return list[r.IntN(len(list))] }
	for try := range 60 {
		r := rand.New(rand.NewPCG(uint64(try), 3))
		var was, is []string
		share := []int{10, 4, 2, 1}[r.IntN(4)]
		made := func(i int) (string, string) {
			switch try % 4 {
			case 0:
				return pick(r, "A", "B", "C"), pick(r, "X", "Y")
			case 1:
				return fmt.Sprint(r.IntN(50)), fmt.Sprint(r.IntN(50))
			case 2:
				return dateOf(r.IntN(300)), dateOf(r.IntN(300))
			default:
				return surnameOf(r.IntN(500)), strings.ToUpper(surnameOf(r.IntN(500)))
			}
		}
		for i := range 90 {
			a, b := made(i)
			if r.IntN(share) != 0 {
				b = a
			}
			was, is = append(was, a), append(is, b)
		}
		at := func(list []string) string { return campusRows(90, func(i int, _, _ string) string { return list[i] }) }
		findings, c := explained(t, xs(in(at(was))), xs(in(at(is))), nil, nil)
		claimedOnce(t, c, findings)
		for _, f := range findings {
			if strings.HasPrefix(f.Proof, "Proven") && f.Cause != nil {
				t.Errorf("try %d: %s\n%s", try, f.Sentence, f.Proof)
			}
		}
	}
}

// Fields that changed in the same records without a known cause are one thing to look at; others stay apart.
func TestUnexplainedPlacesThatChangedTogether(t *testing.T) {
	rows := func(garble func(column string, i int) bool) string {
		r := rand.New(rand.NewPCG(9, 9))
		return table("ID,A,B,C", 60, func(i int) string {
			cells := []string{id(i)}
			for n, column := range []string{"A", "B", "C"} {
				text := fmt.Sprintf("%s-%d-%d", surnameOf(i*7+n), i, n)
				if noise := fmt.Sprintf("%x", r.Uint64()); garble != nil && garble(column, i) {
					text = strings.Repeat("?", i%5) + noise[:3+i%9]
				}
				cells = append(cells, text)
			}
			return strings.Join(cells, ",")
		})
	}
	for _, c := range []struct {
		why    string
		garble func(string, int) bool
		want   []string
	}{
		{"three columns of the same rows", func(_ string, i int) bool { return i%6 == 1 }, []string{"F00 review 10/60 rows ×30"}},
		{"columns of other rows", func(column string, i int) bool { return i%6 == int(column[0]-'A') }, []string{"F00 review 10/60 rows ×10", "F00 review 10/60 rows ×10", "F00 review 10/60 rows ×10"}},
		{"one row more in one column", func(column string, i int) bool { return i%6 == 1 || column == "B" && i == 5 }, []string{"F00 review 10/60 rows ×31"}},
		{"a rare one beside many", func(column string, i int) bool { return column != "C" && i%6 == 1 || column == "C" && i == 7 }, []string{"F00 review 10/60 rows ×20", "F00 review 1/60 rows ×1"}},
		{"few rows say nothing", func(_ string, i int) bool { return i == 7 || i == 20 }, []string{"F00 review 2/60 rows ×2", "F00 review 2/60 rows ×2", "F00 review 2/60 rows ×2"}},
	} {
		t.Run(c.why, func(t *testing.T) {
			findings, comparison := explained(t, xs(in(rows(nil))), xs(in(rows(c.garble))), nil, nil)
			claimedOnce(t, comparison, findings)
			if got := briefs(findings); !slices.Equal(got, c.want) {
				t.Fatalf("got %q, want %q\n%s", got, c.want, words(findings))
			}
			if len(c.want) == 1 && (len(findings[0].Effects) != 3 || !strings.Contains(findings[0].Sentence, `"A", "B" and "C"`)) {
				t.Errorf("not every place is named: %s", words(findings))
			}
		})
	}
}
