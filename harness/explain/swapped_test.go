package explain

import (
	"fmt"
	"slices"
	"testing"
)

// TestFieldsThatTradedValues holds exchanged fields apart from fields that merely changed together.
func TestFieldsThatTradedValues(t *testing.T) {
	names := func(header string, row func(i int) string) string { return table(header, 10, row) }
	before := names("ID,FIRST,LAST", func(i int) string { return fmt.Sprintf("%s,F%d,L%d", id(i), i, i) })
	for _, c := range []struct {
		name, why, after string
		want             []string
	}{
		{"every record", "one cause for both columns", names("ID,FIRST,LAST", func(i int) string { return fmt.Sprintf("%s,L%d,F%d", id(i), i, i) }), []string{"F02 breaking 10/10 rows ×20"}},
		{"one record differs", "a record with another change is no part of it", names("ID,FIRST,LAST", func(i int) string {
			if i == 4 {
				return id(i) + ",X,Y"
			}
			return fmt.Sprintf("%s,L%d,F%d", id(i), i, i)
		}), []string{"F02 breaking 9/10 rows ×18"}},
		{"both replaced", "new values were held by nobody", names("ID,FIRST,LAST", func(i int) string { return fmt.Sprintf("%s,Q%d,Z%d", id(i), 7*i, 5*i) }), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			findings, comparison := explained(t, xs(in(before)), xs(in(c.after)), nil, nil)
			claimedOnce(t, comparison, findings)
			swapped := slices.DeleteFunc(briefs(findings), func(b string) bool { return b[:3] != "F02" })
			if !slices.Equal(swapped, c.want) {
				t.Errorf("%s: %v\n%s", c.why, swapped, words(findings))
			}
		})
	}
}
