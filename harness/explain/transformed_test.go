package explain

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/explain/infer"
)

// rewritten is a table of 12 rows whose second column is made by the function.
func rewritten(value func(i int) string) string {
	return table("ID,VALUE", 12, func(i int) string { return id(i) + "," + value(i) })
}

func transformedCases() []acceptance {
	change := func(name, why, want string, was, is func(i int) string) acceptance {
		return acceptance{name: name, why: why, before: xs(in(rewritten(was))), after: xs(in(rewritten(is))), want: []string{want}}
	}
	surname := func(i int) string {
		return []string{"Achebe", "Brannstrom", "Featherstone", "Lefevre"}[i%4] + fmt.Sprint(i)
	}
	return []acceptance{
		change("dates in another format", "US to ISO", "F05 breaking 12/12 rows ×12",
			func(i int) string { return fmt.Sprintf("%02d/%02d/2026", 1+i%12, 13+i) },
			func(i int) string { return fmt.Sprintf("2026-%02d-%02d", 1+i%12, 13+i) }),
		change("one day earlier", "midnight UTC read in Chicago", "F06 breaking 12/12 rows ×12",
			func(i int) string { return fmt.Sprintf("2026-08-%02d", 5+i) },
			func(i int) string { return fmt.Sprintf("2026-08-%02d", 4+i) }),
		change("cents for dollars", "a constant ratio is named", "F19 breaking 12/12 rows ×12",
			func(i int) string { return fmt.Sprintf("%d.%02d", 100+7*i, i) },
			func(i int) string { return fmt.Sprintf("%d%02d", 100+7*i, i) }),
		change("cut at eight", "a prefix of the old value, of one length", "F20 breaking 7/12 rows ×7",
			surname, func(i int) string { s := surname(i); return s[:min(8, len(s))] }),
		change("upper case", "a rule on writing", "F17 breaking 12/12 rows ×12",
			surname, func(i int) string { return strings.ToUpper(surname(i)) }),
		{
			name: "dates in input and output", why: "one cause in two files is one finding",
			before: xs(in(rewritten(func(i int) string { return fmt.Sprintf("%02d/%02d/2026", 1+i%12, 13+i) })), out(table("user_id,start", 12, func(i int) string { return fmt.Sprintf("%s,%02d/%02d/2026", id(i), 1+i%12, 13+i) }))),
			after:  xs(in(rewritten(func(i int) string { return fmt.Sprintf("2026-%02d-%02d", 1+i%12, 13+i) })), out(table("user_id,start", 12, func(i int) string { return fmt.Sprintf("%s,2026-%02d-%02d", id(i), 1+i%12, 13+i) }))),
			want:   []string{"F05 breaking 12/12 rows ×24"},
		},
		{
			name: "an exception to the rule", why: "what the rule does not explain is shown beside it, never swallowed",
			before: xs(in(rewritten(func(i int) string { return fmt.Sprintf("%d.00", 100+7*i) }))),
			after: xs(in(rewritten(func(i int) string {
				if i == 7 {
					return "5"
				}
				return fmt.Sprintf("%d", 10000+700*i)
			}))),
			want: []string{"F19 breaking 11/12 rows ×11", "F00 review 1/12 rows ×1"},
		},
	}
}

func TestEveryKindOfRuleHasAMeaning(t *testing.T) {
	for _, f := range infer.Families {
		if _, ok := transformations[f.Kind]; !ok {
			t.Errorf("rules of family %s suggest %s, which has no title, verdict and next step", f.Name, f.Kind)
		}
	}
}
