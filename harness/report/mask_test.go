package report

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

// secrets are the values of the report below; none of them may be seen in any kind of masked report.
var secrets = []string{"Marisol", "Quintero", "1999-04-17", "H00000117", "555-0142", "00892", "m.quintero@hlu.example", "4321.75", "Elm", "night-H00000117"}

func secretReport() *harness.Report {
	r := cleanReport()
	d := harness.Difference{
		Exchange: "000003", Session: "night-H00000117", Channel: harness.ChannelFile, Operation: "persons.csv", From: "atrium", To: "hubline",
		Path: mustPath("request.body[CRN=00892,ID=H00000117].NAME"), Pattern: mustPath("request.body[*].NAME"), Class: harness.Changed,
		Was: text("Marisol Quintero"), Is: text("QUINTERO, Marisol 1999-04-17"), Count: 1, Record: "CRN=00892 ID=H00000117 NAME=Marisol Quintero",
	}
	row := d
	row.Class, row.Path = harness.Removed, mustPath("request.body[ID=H00000117]")
	row.Was = harness.Value{Kind: harness.KindObject, Text: "H00000117,Marisol,555-0142", Fields: []harness.Field{
		{Name: "ID", Value: "H00000117"}, {Name: "PHONE", Value: "555-0142"}, {Name: "MAIL", Value: "m.quintero@hlu.example"}, {Name: "PAID", Value: "4321.75"}, {Name: "STREET", Value: "12 Elm Road"},
	}}
	row.Is = harness.Value{Kind: harness.KindAbsent}
	r.Findings = []harness.Finding{{
		Number: 1, Kind: "F05", Title: "values rewritten", Verdict: harness.Review, Count: 7, Of: 240, Unit: "rows",
		Sentence: "NAME of persons.csv changed in 7 of 240 rows, such as Marisol Quintero → QUINTERO, Marisol 1999-04-17; m.quintero@hlu.example.",
		Effects:  []string{"H00000117 pays 4321.75, tel. 555-0142, lives at 12 Elm Road."}, Proof: "All rows of 00892 fit.",
		Hit:     []harness.Group{{Field: "ID", Values: []string{"H00000117"}, Total: 1}},
		Samples: []harness.Sample{{Where: "persons.csv, CRN=00892 ID=H00000117", Field: "NAME", Was: "Marisol Quintero", Is: "QUINTERO, Marisol 1999-04-17", Source: d}},
		Source:  "atrium persons.csv NAME", NextStep: "Ask for Marisol.", Differences: []harness.Difference{d, row},
		Cause: &harness.Cause{Rule: harness.CauseRule{Family: "table", Says: "Marisol becomes QUINTERO", Table: []harness.CodePair{{Was: "Marisol", Is: "QUINTERO"}}}},
	}}
	r.Suppressed = append(r.Suppressed, harness.Suppression{Rule: harness.Rule{Compare: "ignore", Reason: "noise"}, Count: 1, Sample: d})
	r.Logs = []harness.Log{{System: "hubline", Text: "read Marisol Quintero\n"}}
	r.Verdict = ""
	r.Judge()
	return r
}

// sees returns the secrets that a reader sees, whatever the letter case.
func sees(page string) (seen []string) {
	for _, s := range secrets {
		if strings.Contains(strings.ToLower(page), strings.ToLower(s)) {
			seen = append(seen, s)
		}
	}
	return seen
}

func TestMaskedReportsShowNoValue(t *testing.T) {
	unsealed := secretReport()
	unsealed.Vouched = false
	for _, k := range Kinds {
		open := write(t, k.Name, secretReport(), Options{Verbose: true})
		if len(sees(open)) == 0 {
			t.Errorf("%s: shows no value at all, so nothing is proved", k.Name)
		}
		for why, got := range map[string]string{
			"asked for":                     write(t, k.Name, secretReport(), Options{Mask: true, Verbose: true}),
			"not sealed and nobody vouches": write(t, k.Name, unsealed, Options{Verbose: true}),
		} {
			if seen := sees(got); len(seen) > 0 {
				t.Errorf("%s, %s: shows %q", k.Name, why, seen)
			}
			if !strings.Contains(got, "7 of 240 rows") || !strings.Contains(got, "persons.csv") {
				t.Errorf("%s, %s: counts or names are hidden, too", k.Name, why)
			}
		}
	}
	if got := write(t, "text", secretReport(), Options{Mask: true}); !strings.Contains(got, "9999-99-99") {
		t.Errorf("the form of a value is not seen:\n%s", got)
	}
}

func TestAMaskedReportSaysSo(t *testing.T) {
	masked, err := ReadJSON(strings.NewReader(write(t, "json", secretReport(), Options{Mask: true})))
	if err != nil || !masked.Masked {
		t.Errorf("a reader of the JSON report does not learn that values are hidden: %v", err)
	}
	open, err := ReadJSON(strings.NewReader(write(t, "json", secretReport(), Options{})))
	if err != nil || open.Masked {
		t.Errorf("an open report says that values are hidden: %v", err)
	}
	if got := write(t, "text", secretReport(), Options{Mask: true}); !strings.Contains(got, "hidden behind their shapes") {
		t.Error("the text does not say that values are hidden")
	}
}

func TestMaskLeavesTheReportAsItWas(t *testing.T) {
	r := secretReport()
	before := write(t, "json", r, Options{})
	masked(r)
	if after := write(t, "json", r, Options{}); after != before {
		t.Error("masking changed the report itself")
	}
}
