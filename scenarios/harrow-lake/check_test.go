package harrowlake

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

func TestCheckAcceptsThePlantedAndNothingElse(t *testing.T) {
	planted := Run{Findings: []Planted{
		{ID: "D01", Kind: "F01", Verdict: harness.Breaking, Count: 7, Contains: []string{"RH", "00892", "223"}, Owner: "Dana Ortiz"},
		{ID: "D12", Verdict: harness.Expected, Contains: []string{"observer"}},
	}}
	newCode := harness.Finding{
		Kind: "F01", Verdict: harness.Breaking, Count: 7, Sentence: "RH is new", Effects: []string{"230 → 223"},
		Hit: []harness.Group{{Field: "CRN", Values: []string{"00892"}, Total: 1}}, Owner: "Dana Ortiz",
	}
	declared := harness.Finding{Verdict: harness.Expected, Samples: []harness.Sample{{Is: "observer"}}}
	noise := harness.Finding{Kind: "F44", Verdict: harness.Same, Sentence: "a clock"}
	with := func(f harness.Finding, change func(*harness.Finding)) harness.Finding {
		change(&f)
		return f
	}
	tests := []struct {
		why      string
		findings []harness.Finding
		want     []string // a part of each problem
	}{
		{"order does not matter, noise is passed over", []harness.Finding{noise, declared, newCode}, nil},
		{"one is missing", []harness.Finding{newCode}, []string{"D12 was not found"}},
		{"a false alarm", []harness.Finding{newCode, declared, {Kind: "F00", Verdict: harness.Review, Sentence: "what?"}}, []string{"F00, review: what?"}},
		{"the same cause twice", []harness.Finding{newCode, newCode, declared}, []string{"nothing is planted that explains the finding F01"}},
		{"another count", []harness.Finding{with(newCode, func(f *harness.Finding) { f.Count = 6 }), declared}, []string{"D01: count is 6, want 7"}},
		{"another verdict", []harness.Finding{with(newCode, func(f *harness.Finding) { f.Verdict = harness.Review }), declared}, []string{`verdict is "review"`}},
		{"another kind", []harness.Finding{with(newCode, func(f *harness.Finding) { f.Kind = "F00" }), declared}, []string{`kind is "F00"`}},
		{"nobody owns it", []harness.Finding{with(newCode, func(f *harness.Finding) { f.Owner = "" }), declared}, []string{`owner is ""`}},
		{"who is hit is not said", []harness.Finding{with(newCode, func(f *harness.Finding) { f.Hit = nil }), declared}, []string{`"00892" is not mentioned`}},
	}
	for _, tt := range tests {
		got := planted.Check(tt.findings)
		if len(got) != len(tt.want) {
			t.Errorf("%s: problems %q, want %d", tt.why, got, len(tt.want))
			continue
		}
		for i, want := range tt.want {
			if !strings.Contains(got[i], want) {
				t.Errorf("%s: problem %q, want one with %q", tt.why, got[i], want)
			}
		}
	}
}
