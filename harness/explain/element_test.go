package explain

import (
	"fmt"
	"strings"
	"testing"
)

// TestElementsOfListsFollowRules checks that texts that stand in a list without a name of their own are explained like
// fields: names and codes of JSON lists, lines of notes.
func TestElementsOfListsFollowRules(t *testing.T) {
	notes := func(write func(string) string) string {
		var list []string
		for i := range 12 {
			list = append(list, fmt.Sprintf("%q", write(fmt.Sprintf("Transfer credit %d accepted", 100+i))))
		}
		return `{"notes":[` + strings.Join(list, ",") + `]}`
	}
	before := askMany(notes(strings.TrimSpace), notes(strings.TrimSpace))
	after := askMany(notes(strings.ToUpper), notes(strings.ToUpper))
	findings, comparison := explained(t, before, after, nil, nil)
	claimedOnce(t, comparison, findings)
	if got := strings.Join(briefs(findings), ", "); !strings.HasPrefix(got, "F17 ") || len(findings) != 1 {
		t.Errorf("found %s\n%s", got, words(findings))
	}
}
