package explain

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

// counted is a table of n rows; its trailer says how many.
func counted(n, says int) string {
	return table("id,amount", n, func(i int) string { return fmt.Sprintf("%s,%d.00", id(i), 10+i) }) + fmt.Sprintf("T,%d\n", says)
}

// breach is a message of the night that breaks a promise on the given sides.
func breach(x harness.Exchange, kind, says string, before, after bool) harness.Breach {
	return harness.Breach{
		Invariant: harness.Invariant{Name: "count", Kind: kind, Verdict: harness.Breaking, Reason: "the receiver counts.", From: day("2026-03-20"), At: at("request.body[*].role")},
		Session:   x.Session, Channel: x.Channel, Operation: x.Operation(), From: x.From, To: x.To, Half: "request", Says: says, Before: before, After: after,
	}
}

func breached(list ...harness.Breach) func(*Case) { return func(c *Case) { c.Breaches = list } }

// countedFeed is a feed in the layout HLU-GL-132 with n lines; its trailer counts as many as it says.
func countedFeed(n, says, cents int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-132s\n", "HATRIUMAR20261005233000GL00004711")
	for i := range n {
		fmt.Fprintf(&b, "DATRIUMARF%07d%04d20261005CHG1H110001%s%-35s%013d%s%s%s%10s\n", i, 1, "210500113010000000", "Tuition", cents+i, "D", "H00000142", "202640", "")
	}
	total := says * cents
	for i := range says {
		total += i
	}
	fmt.Fprintf(&b, "%-132s\n", fmt.Sprintf("TATRIUMAR%07d%015d%015d", says, total, 0))
	return b.String()
}

func feedIn(body string) harness.Exchange {
	x := fileOf("night", "sis", target, "gl_20261005.dat", body)
	x.Request.Media = ""
	return x
}

func promiseCases() []acceptance {
	whole, cut := in(counted(10, 10)), in(counted(8, 10))
	wholeOut, cutOut := out(counted(10, 10)), out(counted(8, 10))
	said := "trailer says 10, file holds 8"
	return []acceptance{
		{
			name: "rows missing and the trailer counts them", why: "the file says itself that it is not whole, and is handed on like that",
			before: xs(whole, wholeOut), after: xs(cut, cutOut),
			setup: breached(breach(cut, "F27", said, false, true), breach(cutOut, "F27", said, false, true)), want: []string{"F27 breaking 2/11 rows ×4"},
		},
		{
			name: "rows missing and another file broken", why: "what has its own numbers has its own cause",
			before: xs(whole, wholeOut), after: xs(cut, out(counted(10, 9))),
			setup: breached(breach(cut, "F27", said, false, true), breach(cutOut, "F30", "trailer says 9, file holds 10", false, true)),
			want:  []string{"F27 breaking 2/11 rows ×2", "F30 breaking 1/0 files ×1"},
		},
		{
			name: "layout says that totals do not hold", why: "no invariant is needed where the layout has the totals",
			before: xs(feedIn(countedFeed(60, 60, 10000))), after: xs(feedIn(countedFeed(57, 60, 10000))), want: []string{"F27 breaking 3/62 rows ×5"},
		},
		{
			name: "amount changed and the sum does not follow", why: "the amount is why the sum does not hold",
			before: xs(feedIn(countedFeed(40, 40, 10000))), after: xs(feedIn(strings.Replace(countedFeed(40, 40, 10000), "0000000010007D", "0000000010917D", 1))),
			want: []string{"F30 breaking 1/0 files ×2"},
		},
		{
			name: "two amounts changed and the sum does not follow", why: "which of them is wrong is not known",
			before: xs(feedIn(countedFeed(40, 40, 10000))), after: xs(feedIn(strings.NewReplacer("0000000010007D", "0000000010917D", "0000000010009D", "0000000010002D").Replace(countedFeed(40, 40, 10000)))),
			want: []string{"F30 breaking 1/0 files ×1", "F00 review 2/42 rows ×2"},
		},
		{
			name: "amount and day changed", why: "no day is a part of a sum",
			before: xs(feedIn(countedFeed(40, 40, 10000))), after: xs(feedIn(strings.NewReplacer("0000000010007D", "0000000010917D", "D", "D", "120261005C", "120260905C").Replace(countedFeed(40, 40, 10000)))),
			want: []string{"F30 breaking 1/0 files ×2", "F00 review 40/42 rows ×40"},
		},
		{
			name: "promise broken by an earlier cause", why: "it follows from the cause that explains the file",
			before: xs(in(table("id,amount", 40, func(i int) string { return fmt.Sprintf("%s,%d.50", id(i), 10+i) }))),
			after:  xs(in(table("id,amount", 40, func(i int) string { return fmt.Sprintf("%s,%d50", id(i), 10+i) }))),
			setup:  breached(breach(whole, "F30", "sum is 98,000.00, expected 980.00", false, true)), want: []string{"F19 breaking 40/40 rows ×40"},
		},
	}
}

func described(role string) string {
	return table("id,role", 10, func(i int) string { return fmt.Sprintf("%s,%s", id(i), role) })
}

func outsideCases() []acceptance {
	old, ruled, other := in(described("SALARY")), in(described("PAYROLL")), in(described("Payroll"))
	return []acceptance{
		{name: "rule followed now", why: "what a bank demands is expected from its day on", before: xs(old), after: xs(ruled),
			setup: breached(breach(old, "F40", "described as SALARY", true, false)), want: []string{"F40 expected 10/10 rows ×10"}},
		{name: "rule not followed by the change", why: "it was changed, and not into what is demanded", before: xs(old), after: xs(other),
			setup: breached(breach(old, "F40", "described as Payroll", true, true)), want: []string{"F40 breaking 10/10 rows ×10"}},
		{name: "rule broken by the change", why: "it was followed before", before: xs(ruled), after: xs(old),
			setup: breached(breach(old, "F40", "described as SALARY", false, true)), want: []string{"F40 breaking 10/10 rows ×10"}},
	}
}

// A rule that nobody follows shows although nothing differs: its day has come.
func TestRuleThatNobodyFollowsIsForAPerson(t *testing.T) {
	old := in(described("SALARY"))
	findings, _ := explained(t, xs(old), xs(old), nil, breached(breach(old, "F40", "described as SALARY", true, true)))
	if len(findings) != 1 || findings[0].Verdict != harness.Review || !strings.Contains(findings[0].Sentence, "since 2026-03-20, and did not before: described as SALARY") {
		t.Errorf("it is not said:\n%s", words(findings))
	}
}

func TestPromiseThatWasBrokenBeforeSaysNothing(t *testing.T) {
	whole, less := in(counted(10, 12)), in(counted(9, 12))
	findings, _ := explained(t, xs(whole), xs(less), nil, breached(breach(less, "F27", "trailer says 12, file holds 9", true, true)))
	for _, f := range findings {
		if f.Kind == "F27" || f.Kind == "F30" {
			t.Errorf("the baseline is no better:\n%s", words(findings))
		}
	}
}

func TestTheSamePromiseBrokenInManySessionsIsOneFinding(t *testing.T) {
	var before, after []harness.Exchange
	var breaches []harness.Breach
	for i := range 30 {
		session := fmt.Sprintf("A-%02d", i)
		before = append(before, ask(session, fmt.Sprintf(`{"number":%q,"total":"%d.50"}`, session, 20+i)))
		x := ask(session, fmt.Sprintf(`{"number":%q,"total":"%d.75"}`, session, 30+i*i))
		after = append(after, x)
		b := breach(x, "F30", fmt.Sprintf("total is %d.75", 30+i*i), false, true)
		b.Half = "response"
		breaches = append(breaches, b)
	}
	findings, c := explained(t, before, after, nil, breached(breaches...))
	claimedOnce(t, c, findings)
	if len(findings) != 1 || brief(findings[0]) != "F30 breaking 30/0 calls ×30" || !strings.Contains(findings[0].Sentence, "total is 30.75, and 29 other calls with numbers of their own") {
		t.Errorf("it is not one cause:\n%s", words(findings))
	}
}
