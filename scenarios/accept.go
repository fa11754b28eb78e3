package scenarios

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// AcceptInto appends expectations to an expect file and leaves the text that is there as it is, byte for byte. A file
// that does not exist is made, with a line that names the schema. The file is written whole, and only after the new
// text has been read back: it holds the old expectations and then the new ones.
//
// An expectation that covers the same as one that is there already (same place, operation, class, from and to), an
// expect file that has problems, and a list in [flow style] are refused; the file stays as it was.
func AcceptInto(file string, add []harness.Expectation) error {
	return listFile[harness.Expectation]{
		kind: "expect", key: "expect", decode: decodeExpect, lines: expectationLines, same: sameExpectation, coverage: coverage,
		called: func(e harness.Expectation) string { return e.Change },
	}.add(file, add)
}

// AddRules appends rules to a rule file as AcceptInto does with expectations. A rule that compares the same place of
// the same operation as one that is there already is refused.
func AddRules(file string, add []harness.Rule) error {
	return listFile[harness.Rule]{
		kind: "rules", key: "rules", decode: decodeRules, lines: ruleLines, same: sameRule,
		coverage: func(r harness.Rule) string { return fmt.Sprintf("%q %q", r.At.String(), r.Operation) },
		called:   func(r harness.Rule) string { return r.Compare + " at " + r.At.String() },
	}.add(file, add)
}

func sameExpectation(x, y harness.Expectation) bool {
	if x.Until.String() != y.Until.String() || scopeText(x) != scopeText(y) {
		return false
	}
	x.Until, y.Until, x.At, y.At, x.Also, y.Also = harness.Date{}, harness.Date{}, nil, nil, nil, nil
	return reflect.DeepEqual(x, y)
}

// scopeText is the places of an expectation as text: two ways to spell a path are one place.
func scopeText(e harness.Expectation) string {
	var b strings.Builder
	for _, s := range e.Scope() {
		fmt.Fprintf(&b, "%q %q\n", s.Operation, s.At.String())
	}
	return b.String()
}

func sameRule(x, y harness.Rule) bool {
	if x.Until.String() != y.Until.String() || x.At.String() != y.At.String() {
		return false
	}
	x.Until, y.Until, x.At, y.At = harness.Date{}, harness.Date{}, nil, nil
	return reflect.DeepEqual(x, y)
}

// coverage is equal for expectations that cover the same differences.
func coverage(e harness.Expectation) string {
	side := func(s *string) string {
		if s == nil {
			return "any"
		}
		return strconv.Quote(*s)
	}
	if e.Rule != nil {
		return "rule " + e.Rule.Digest(e.Scope())
	}
	return fmt.Sprintf("%q %q %q %s %s", e.At.String(), e.Operation, e.Class, side(e.From), side(e.To))
}

// expectationLines are the keys of an expectation in the order of its fields, without the empty ones.
func expectationLines(e harness.Expectation) []line {
	lines := []line{{key: "change", text: yamlText(e.Change)}, {key: "at", text: yamlText(e.At.String())}}
	optional := func(key, text string) {
		if text != "" {
			lines = append(lines, line{key: key, text: yamlText(text)})
		}
	}
	optional("operation", e.Operation)
	optional("class", e.Class)
	if e.From != nil {
		lines = append(lines, line{key: "from", text: yamlText(*e.From)})
	}
	if e.To != nil {
		lines = append(lines, line{key: "to", text: yamlText(*e.To)})
	}
	if e.Count != 0 {
		lines = append(lines, line{key: "count", text: strconv.Itoa(e.Count)})
	}
	if e.Rule != nil {
		lines = append(lines, line{key: "rule", below: causeLines(*e.Rule)})
	}
	if len(e.Also) > 0 {
		lines = append(lines, line{key: "also", below: scopeLines(e.Also)})
	}
	optional("proof", e.Proof)
	lines = append(lines, line{key: "reason", text: yamlText(e.Reason)})
	optional("ticket", e.Ticket)
	optional("by", e.By)
	optional("until", e.Until.String())
	return lines
}

// ruleLines are the keys of a rule in the order of its fields, without the empty ones.
func ruleLines(r harness.Rule) []line {
	lines := []line{{key: "at", text: yamlText(r.At.String())}}
	optional := func(key, text string) {
		if text != "" {
			lines = append(lines, line{key: key, text: yamlText(text)})
		}
	}
	optional("operation", r.Operation)
	optional("compare", r.Compare)
	optional("tolerance", r.Tolerance)
	optional("zone", r.Zone)
	if r.Decimals != nil {
		lines = append(lines, line{key: "decimals", text: strconv.Itoa(*r.Decimals)})
	}
	for _, list := range []struct {
		key   string
		texts []string
	}{{"key", r.Key}, {"values", r.Values}} {
		if len(list.texts) > 0 {
			lines = append(lines, line{key: list.key, text: yamlList(list.texts)})
		}
	}
	optional("pattern", r.Pattern)
	optional("within", r.Within)
	lines = append(lines, line{key: "reason", text: yamlText(r.Reason)})
	optional("ticket", r.Ticket)
	optional("until", r.Until.String())
	return lines
}

// yamlList writes texts as a list in one line; nothing when one of them cannot be written.
func yamlList(texts []string) string {
	quoted := make([]string, len(texts))
	for i, t := range texts {
		if quoted[i] = yamlText(t); quoted[i] == "" || strings.ContainsAny(quoted[i], ",[]{}") && quoted[i][0] != '"' {
			return ""
		}
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
