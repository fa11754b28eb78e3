package explain

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

// TestLawIsCarriedToPlacesWithFewValues checks that a rule learned of many values explains the same change of a single
// one elsewhere, and nothing that it does not give.
func TestLawIsCarriedToPlacesWithFewValues(t *testing.T) {
	fees := func(comma bool) harness.Exchange {
		body := table("ID,FEE", 20, func(i int) string { return fmt.Sprintf(`%s,"%d.%02d"`, id(i), 100+7*i, 5*i) })
		if comma {
			body = strings.ReplaceAll(body, `.`, `,`)
		}
		return in(body)
	}
	rates := func(rate string) harness.Exchange {
		return fileOf("night", "sis", target, "rates.csv", table("KIND,RATE", 4, func(i int) string { return fmt.Sprintf("%s,%q", id(i), rate) }))
	}
	for _, c := range []struct {
		name, why, rate string
		want            []string
	}{
		{"the same change", "one release of the vendor writes all amounts in the new way", "12,50", []string{"F19 breaking 20/20 rows ×24"}},
		{"another change", "what the rule does not give has another cause", "13,50", []string{"F19 breaking 20/20 rows ×20", "F00 review 4/4 rows ×4"}},
	} {
		findings, comparison := explained(t, xs(fees(false), rates("12.50")), xs(fees(true), rates(c.rate)), nil, nil)
		claimedOnce(t, comparison, findings)
		if got := briefs(findings); !slices.Equal(got, c.want) {
			t.Errorf("%s, %s: %v\n%s", c.name, c.why, got, words(findings))
		}
	}
}

// TestPartialLawIsCarriedWithinItsField has a factor in half of the records of one file, and in one record of another that
// has too few to learn from; in a third file the same factor is in another field.
func TestPartialLawIsCarriedWithinItsField(t *testing.T) {
	file := func(name, field string, n, every, factor int) harness.Exchange {
		return fileOf("night", "sis", target, name, table("ID,"+field, n, func(i int) string {
			v := 13 + 17*i
			if (i*i+i/3)%every == 1 {
				v *= factor
			}
			return fmt.Sprintf("%s,%d", id(i), v)
		}))
	}
	all := func(factor int) []harness.Exchange {
		return xs(file("a.csv", "UNITS", 40, 2, factor), file("b.csv", "UNITS", 4, 4, factor), file("c.csv", "SEATS", 4, 4, factor))
	}
	findings, comparison := explained(t, all(1), all(100), nil, nil)
	claimedOnce(t, comparison, findings)
	if len(findings) == 0 || !slices.Equal(findings[0].Operations, []string{"a.csv", "b.csv"}) {
		t.Errorf("one cause of one field:\n%s", words(findings))
	}
}
