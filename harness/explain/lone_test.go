package explain

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

// entries is a statement of XML with twenty entries, of which every fourth has one detail and the others have two. price
// writes the amount of a detail; alone says that it has no other beside it.
func entries(price func(amount int, alone bool) string) []harness.Exchange {
	var b strings.Builder
	amount := 0
	for i := range 20 {
		fmt.Fprintf(&b, "<Entry><Ref>R%d</Ref>", i)
		alone := i%4 == 0
		for n := range 2 {
			if amount += 13; n == 0 || !alone {
				fmt.Fprintf(&b, "<Detail><Kind>%s</Kind><Fee>%s</Fee></Detail>", map[bool]string{true: "whole", false: "part"}[alone], price(amount, alone))
			}
		}
		b.WriteString("</Entry>")
	}
	x := fileOf("night", "sis", target, "fees.xml", `<?xml version="1.0"?><Fees>`+b.String()+"</Fees>")
	x.Request.Media = "application/xml"
	return xs(x)
}

// TestElementsThatStandAloneAreLikeRepeatedOnes checks that an element of XML is one place whether it comes once in its
// parent or several times: those that changed as well are no exceptions to the rule, those that stayed are.
func TestElementsThatStandAloneAreLikeRepeatedOnes(t *testing.T) {
	plain := func(amount int, _ bool) string { return fmt.Sprint(amount) }
	for _, c := range []struct {
		name, why, proof string
		price            func(int, bool) string
		want             []string
	}{
		{"all", "one rule, without a condition", "Proven", func(amount int, _ bool) string { return fmt.Sprint(100 * amount) }, []string{"F19 breaking 5/20 rows ×35"}},
		{"repeated ones only", "the others stay, which is the condition", "Proven: applied to the old values when Kind = part", func(amount int, alone bool) string {
			if alone {
				return fmt.Sprint(amount)
			}
			return fmt.Sprint(100 * amount)
		}, []string{"F19 breaking 30/35 rows ×30"}},
	} {
		findings, comparison := explained(t, entries(plain), entries(c.price), nil, nil)
		claimedOnce(t, comparison, findings)
		if got := briefs(findings); !slices.Equal(got, c.want) || !strings.HasPrefix(findings[0].Proof, c.proof) {
			t.Errorf("%s, %s: %v %s\n%s", c.name, c.why, got, findings[0].Proof, words(findings))
		}
	}
}
