package harness_test

import (
	"slices"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

func TestFingerprintNamesWhatAFindingIsAbout(t *testing.T) {
	at := func(path string) harness.Path {
		p, err := harness.ParsePath(path)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	difference := func(operation, path string, class harness.ChangeClass, was, is string) harness.Difference {
		return harness.Difference{
			Operation: operation, Path: at(path), Pattern: at(path).Pattern(), Class: class, Count: 1,
			Was: harness.Value{Kind: harness.KindString, Text: was}, Is: harness.Value{Kind: harness.KindString, Text: is},
		}
	}
	base := func() harness.Finding {
		return harness.Finding{
			Number: 1, Kind: "F01", Verdict: harness.Review, Sentence: "RH is new.", Count: 2, Operations: []string{"enrollments.csv"},
			Differences: []harness.Difference{
				difference("enrollments.csv", "response.body[ID=H001].status", harness.Changed, "RE", "RH"),
				difference("enrollments.csv", "response.body[ID=H002].role", harness.Removed, "student", ""),
			},
		}
	}
	want := base().Fingerprint()
	if len(want) != 32 {
		t.Fatalf("fingerprint %q, want 32 digits", want)
	}
	for _, c := range []struct {
		why    string
		change func(f *harness.Finding)
		same   bool
	}{
		{"another order of the differences is the same cause", func(f *harness.Finding) { slices.Reverse(f.Differences) }, true},
		{"other values are the same cause", func(f *harness.Finding) { f.Differences[0].Is.Text = "RX" }, true},
		{"one more record at the same place is the same cause", func(f *harness.Finding) {
			f.Count, f.Differences = 3, append(f.Differences, difference("enrollments.csv", "response.body[ID=H003].status", harness.Changed, "RE", "RH"))
		}, true},
		{"number, wording and judgement are no part of it", func(f *harness.Finding) { f.Number, f.Sentence, f.Verdict = 7, "RH is declared.", harness.Expected }, true},
		{"another kind is another cause", func(f *harness.Finding) { f.Kind = "F02" }, false},
		{"another place is another cause", func(f *harness.Finding) { f.Differences[0].Pattern = at("response.body[*].grade") }, false},
		{"another class is another cause", func(f *harness.Finding) { f.Differences[0].Class = harness.Retyped }, false},
		{"another operation is another cause", func(f *harness.Finding) { f.Differences[0].Operation = "users.csv" }, false},
		{"a place less is another cause", func(f *harness.Finding) { f.Differences = f.Differences[:1] }, false},
	} {
		f := base()
		if c.change(&f); (f.Fingerprint() == want) != c.same {
			t.Errorf("%s: same fingerprint is %v, want %v", c.why, !c.same, c.same)
		}
	}
	a, b := harness.Finding{Kind: "F40", Source: "rule A"}, harness.Finding{Kind: "F40", Source: "rule B"}
	if a.Fingerprint() == b.Fingerprint() {
		t.Error("findings without differences but of different sources have the same fingerprint")
	}
}
