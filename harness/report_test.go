package harness

import "testing"

func TestVerdictsHaveWeight(t *testing.T) {
	order := []Verdict{Same, Expected, Benign, NoConclusion, Review, Breaking, "unheard of"}
	for i, a := range order {
		for j, b := range order {
			if got, want := Worst(a, b), order[max(i, j)]; got != want {
				t.Errorf("worst of %s and %s is %s, want %s", a, b, got, want)
			}
		}
		if got, want := a.NeedsPerson(), a == Review || a == Breaking; got != want {
			t.Errorf("%s needs a person: %v", a, got)
		}
	}
}

func TestReportIsJudgedByItsWeightiestFinding(t *testing.T) {
	finding := func(v Verdict, s string) Finding { return Finding{Verdict: v, Sentence: s} }
	const nothing = "No differences beside those that rules with a reason took away."
	for _, c := range []struct {
		why      string
		before   Report
		findings []Finding
		verdict  Verdict
		reason   string
	}{
		{"no findings", Report{}, nil, Same, nothing},
		{"no findings, judged before", Report{Verdict: Breaking, Reason: "old"}, nil, Same, nothing},
		{"the weightiest counts", Report{}, []Finding{finding(Benign, "a"), finding(Breaking, "b"), finding(Review, "c")}, Breaking, "b"},
		{"the first of equals gives the reason", Report{}, []Finding{finding(Review, "a"), finding(Review, "b")}, Review, "a"},
		{"declared changes are not same", Report{}, []Finding{finding(Expected, "a")}, Expected, "a"},
		{"a finding that proves nothing outweighs benign ones", Report{}, []Finding{finding(NoConclusion, "a"), finding(Benign, "b")}, NoConclusion, "a"},
		{"what could not be judged stays so", Report{Verdict: NoConclusion, Reason: "two records"}, []Finding{finding(Breaking, "a")}, NoConclusion, "two records"},
		{"what could not be judged stays so without findings", Report{Verdict: NoConclusion, Reason: "two records"}, nil, NoConclusion, "two records"},
		{"a finding without a verdict is no success", Report{}, []Finding{finding("", "a")}, "", "a"},
	} {
		r := c.before
		r.Findings = c.findings
		r.Judge()
		if r.Verdict != c.verdict || r.Reason != c.reason {
			t.Errorf("%s: %s because %q, want %s because %q", c.why, r.Verdict, r.Reason, c.verdict, c.reason)
		}
	}
}
