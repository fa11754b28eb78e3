package explain

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

// TestIdentifiersThatAreExchangedEverywhere has one batch number in each of two files: one value in a file is no evidence,
// the same story in both is.
func TestIdentifiersThatAreExchangedEverywhere(t *testing.T) {
	files := func(a, b string) []harness.Exchange {
		body := func(batch string) string {
			return table("ID,BATCH", 6, func(i int) string { return id(i) + "," + batch })
		}
		return xs(fileOf("night", "sis", target, "people.csv", body(a)), fileOf("night", "sis", target, "courses.csv", body(b)))
	}
	for _, c := range []struct {
		name, why, a, b string
		want            []string
	}{
		{"each another one", "one drawing of numbers, wherever they stand", "K0731", "R4802", []string{"F35 breaking 6/6 rows ×12"}},
		{"another form", "what looks otherwise was made by something else", "K0731", "DEFAULT", []string{"F01 review 6/6 rows ×6", "F01 review 6/6 rows ×6"}},
		{"both the same", "two numbers that became one are no exchange", "K0731", "K0731", []string{"F01 review 6/6 rows ×12"}},
	} {
		findings, comparison := explained(t, files("B2291", "C1187"), files(c.a, c.b), nil, nil)
		claimedOnce(t, comparison, findings)
		if got := briefs(findings); !slices.Equal(got, c.want) {
			t.Errorf("%s, %s: %v\n%s", c.name, c.why, got, words(findings))
		}
	}
}

// TestFileThatIsKnownNoMore has two statements of which the first record lost its date, so that nothing takes them for
// statements: one finding holds them and all their lines.
func TestFileThatIsKnownNoMore(t *testing.T) {
	files := func(date string) []harness.Exchange {
		var list []harness.Exchange
		for _, name := range []string{"day.bai", "night.bai"} {
			lines := []string{"01,122099999,123456789," + date + ",0200,1,65,,2/", "02,031001234,122099999,1,040620,2359,,2/",
				"03,0123456789,,010,4350000,,/", "16,115,450000,S,100000,200000,150000/", "49,4800000,3/", "98,4800000,1,5/", "99,4800000,1,7/"}
			x := fileOf("night", "sis", target, name, strings.Join(lines, "\n")+"\n")
			x.Request.Media = "text/plain"
			list = append(list, x)
		}
		return list
	}
	findings, comparison := explained(t, files("040621"), files("N/A"), nil, nil)
	claimedOnce(t, comparison, findings)
	if len(findings) != 1 || findings[0].Kind != "F00" || !strings.Contains(findings[0].Sentence, "not known as bai2") || fmt.Sprint(findings[0].Operations) != "[day.bai night.bai]" {
		t.Errorf("one finding for files that nothing reads:\n%s", words(findings))
	}
}
