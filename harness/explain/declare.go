package explain

import (
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

// Declare is the expectations that cover exactly what the finding claims, each with the words of the decision: its change,
// reason, ticket, person and last day. A proven cause is one entry that holds its rule. What is no value that the rule
// makes is one entry for each operation, place, class and pair of values, with its count. Values of records and of
// volatile content are left open.
func Declare(finding harness.Finding, decision harness.Expectation) []harness.Expectation {
	var list []harness.Expectation
	if c := finding.Cause; c != nil && c.Proof.Proven {
		e := decision
		e.At, e.Operation, e.Also = c.Scope[0].At, c.Scope[0].Operation, c.Scope[1:]
		e.Rule, e.Proof = &c.Rule, c.Rule.Digest(c.Scope)
		list = append(list, e)
		finding.Differences = slices.DeleteFunc(slices.Clone(finding.Differences), func(d harness.Difference) bool { return Covers(e, d) })
	}
	at := map[string]int{}
	for _, d := range finding.Differences {
		e := decision
		e.At, e.Operation, e.Class = d.Pattern, d.Operation, string(d.Class)
		if isNameable(d.Was) && isNameable(d.Is) && sameValues(finding.Differences, d) {
			e.From, e.To = &d.Was.Text, &d.Is.Text
		}
		key := e.Operation + "\x00" + e.At.String() + "\x00" + e.Class
		if i, ok := at[key]; ok {
			list[i].Count += d.Count
			continue
		}
		e.Count = d.Count
		at[key] = len(list)
		list = append(list, e)
	}
	return list
}

// isNameable reports whether the value is a short text that a declaration can name.
func isNameable(v harness.Value) bool {
	const maxNamed = 80
	return (v.Kind == harness.KindString || v.Kind == harness.KindNumber || v.Kind == harness.KindBool) && v.Text != "" && len(v.Text) <= maxNamed
}

// sameValues reports whether all differences of the place have the values of d.
func sameValues(all []harness.Difference, d harness.Difference) bool {
	for _, o := range all {
		same := o.Operation == d.Operation && o.Class == d.Class && o.Pattern.String() == d.Pattern.String()
		if same && (o.Was.Text != d.Was.Text || o.Is.Text != d.Is.Text) {
			return false
		}
	}
	return true
}
