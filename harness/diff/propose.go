package diff

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// Proposal is a rule for a place that varies from run to run, with the evidence. It is never applied by itself.
type Proposal struct {
	Rule    harness.Rule
	Varied  int      // differences at the place, over all runs
	Runs    int      // how many runs were compared with the first
	In      int      // in how many of them the place varied
	Samples []string // at most three values
}

// Unruly is a place that varies in a way that no rule may hide: presence, type or class change from run to run.
type Unruly struct {
	Operation string
	Pattern   string
	Class     harness.ChangeClass
	Count     int
}

// Propose turns the comparisons of runs of the same thing into rules. A value may vary, its form may not: the rule is
// the tightest that covers all values seen, so that a regression inside a noisy field is still found. A header field
// that varies in one form in several operations is one rule for all of them.
func Propose(comparisons []*harness.Comparison) (proposals []Proposal, unruly []Unruly) {
	type place struct{ operation, pattern string }
	sites := map[place]*site{}
	rough := map[Unruly]int{}
	for run, c := range comparisons {
		for _, d := range c.Differences {
			if d.Class != harness.Changed {
				rough[Unruly{Operation: d.Operation, Pattern: d.Pattern.String(), Class: d.Class}] += d.Count
				continue
			}
			k := place{d.Operation, d.Pattern.String()}
			if sites[k] == nil {
				sites[k] = &site{at: d.Pattern, operation: d.Operation, kind: d.Was.Kind, runs: map[int]bool{}}
			}
			sites[k].add(run, d)
		}
	}
	var sorted []*site
	for _, k := range slices.SortedFunc(maps.Keys(sites), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.operation, b.operation), cmp.Compare(a.pattern, b.pattern))
	}) {
		sorted = append(sorted, sites[k])
	}
	for _, s := range joinHeads(sorted) {
		proposals = append(proposals, s.proposal(len(comparisons)))
	}
	for u, n := range rough {
		u.Count = n
		unruly = append(unruly, u)
	}
	slices.SortFunc(unruly, func(a, b Unruly) int {
		return cmp.Or(cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Pattern, b.Pattern), cmp.Compare(a.Class, b.Class))
	})
	return proposals, unruly
}

// joinHeads makes one site of all those of a header field, when its values have the same form everywhere. The order stays.
func joinHeads(sites []*site) []*site {
	fields := map[string][]*site{}
	for _, s := range sites {
		if len(s.at) > 1 && s.at[1].Name == "head" && !strings.HasPrefix(s.at.Leaf(), ":") { // a status is each operation's own
			fields[s.at.String()] = append(fields[s.at.String()], s)
		}
	}
	whole := map[*site]*site{} // what stands in the place of a site; nil: one before it does
	for _, same := range fields {
		if len(same) < 2 {
			continue
		}
		if all, alike := merged(same); alike {
			for _, s := range same {
				whole[s] = nil
			}
			whole[same[0]] = all
		}
	}
	var joined []*site
	for _, s := range sites {
		all, isJoined := whole[s]
		switch {
		case !isJoined:
			joined = append(joined, s)
		case all != nil:
			joined = append(joined, all)
		}
	}
	return joined
}

// merged is several sites as one, for all operations, and whether their values are of one form: the same one for each, or
// as long and made of the same letters.
func merged(sites []*site) (all *site, alike bool) {
	all = &site{runs: map[int]bool{}}
	forms, widths := map[string]bool{}, map[string]bool{}
	for _, s := range sites {
		all.at, all.kind, all.varied = s.at, s.kind, all.varied+s.varied
		maps.Copy(all.runs, s.runs)
		all.values = append(all.values, s.values...)
		forms[s.proposal(0).Rule.Pattern], widths[widthOf(s.values)] = true, true
	}
	form := all.proposal(0).Rule.Pattern
	return all, len(forms) == 1 && forms[form] || len(widths) == 1 && form != "" && !strings.HasPrefix(form, anyForm)
}

// RulesFor makes the tightest rules that take the changed values of the differences away. Differences of another class
// than changed have no such rule and are left out.
func RulesFor(differences []harness.Difference) []harness.Rule {
	proposals, _ := Propose([]*harness.Comparison{{Differences: differences}})
	rules := make([]harness.Rule, len(proposals))
	for i, p := range proposals {
		rules[i] = p.Rule
	}
	return rules
}

// site gathers the values of one place that varies.
type site struct {
	at        harness.Path
	operation string
	kind      harness.ValueKind
	runs      map[int]bool
	varied    int
	values    []string
}

func (s *site) add(run int, d harness.Difference) {
	s.runs[run] = true
	s.varied += d.Count
	for _, v := range []string{d.Was.Text, d.Is.Text} {
		if !slices.Contains(s.values, v) && len(s.values) < maxValues {
			s.values = append(s.values, v)
		}
	}
}

// maxValues is how many values of a place decide about its form.
const maxValues = 200

func (s *site) proposal(runs int) Proposal {
	p := Proposal{Varied: s.varied, Runs: runs, In: len(s.runs), Samples: s.values[:min(3, len(s.values))]}
	p.Rule = harness.Rule{At: s.at, Operation: escapeGlob(s.operation), Compare: "pattern", Pattern: formOf(s.values)}
	if s.allInstants() {
		p.Rule.Compare, p.Rule.Pattern = "instant", ""
	}
	p.Rule.Reason = fmt.Sprintf("varies from run to run (in %d of %d repeated baselines)", p.In, p.Runs)
	return p
}

// allInstants reports whether all values are time stamps in one layout that tells the time of day.
func (s *site) allInstants() bool {
	first := ""
	for i, v := range s.values {
		_, layout, ok := parseInstant(v)
		if !ok || !strings.Contains(layout, "15") || i > 0 && layout != first {
			return false
		}
		first = layout
	}
	return true
}

// escapeGlob makes an operation a glob that covers itself only.
func escapeGlob(operation string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(operation)
}

// tokenMarks are the marks beside letters and digits that tokens mix in every order: hexadecimal, base64 and its form for URLs.
var tokenMarks = []string{"", "+/", "_-"}

// formOf is the tightest regular expression of classes that all values match: the same runs of letters, digits and
// marks, with the lengths that were seen.
func formOf(values []string) string {
	shapes := make([][]run, 0, len(values))
	for _, v := range values {
		shapes = append(shapes, runsOf(v, classOfByte))
	}
	if form, ok := joinShapes(shapes); ok {
		return form
	}
	for _, marks := range tokenMarks {
		shapes = shapes[:0]
		for _, v := range values {
			shapes = append(shapes, runsOf(v, func(c byte) string {
				if classOfByte(c) != "" || strings.IndexByte(marks, c) >= 0 {
					return "[0-9A-Za-z" + marks + "]"
				}
				return ""
			}))
		}
		if form, ok := joinShapes(shapes); ok {
			return form
		}
	}
	return anyForm + widthOf(values)
}

// anyForm is what values without a common form match, but for their length.
const anyForm = "(?s)."

// widthOf is how long values are, in characters, as a quantifier.
func widthOf(values []string) string {
	shortest, longest := len([]rune(values[0])), 0
	for _, v := range values {
		n := len([]rune(v))
		shortest, longest = min(shortest, n), max(longest, n)
	}
	return quantifier(shortest, longest)
}

// run is a stretch of bytes of one class, or one literal mark.
type run struct {
	class    string // regular expression of one byte; a literal is quoted
	min, max int
	text     string // what stands there in every value; empty when it varies
}

func runsOf(s string, class func(byte) string) []run {
	var runs []run
	for i := range len(s) {
		name := class(s[i])
		if name == "" {
			runs = append(runs, run{regexp.QuoteMeta(s[i : i+1]), 1, 1, ""})
			continue
		}
		if last := len(runs) - 1; last >= 0 && runs[last].class == name {
			runs[last].min++
			runs[last].max++
			runs[last].text += s[i : i+1]
			continue
		}
		runs = append(runs, run{name, 1, 1, s[i : i+1]})
	}
	return runs
}

func classOfByte(c byte) string {
	switch {
	case c >= '0' && c <= '9':
		return "[0-9]"
	case c >= 'a' && c <= 'z':
		return "[a-z]"
	case c >= 'A' && c <= 'Z':
		return "[A-Z]"
	default:
		return ""
	}
}

// joinShapes makes one expression of shapes that have the same runs.
func joinShapes(shapes [][]run) (string, bool) {
	joined := slices.Clone(shapes[0])
	for _, shape := range shapes[1:] {
		if len(shape) != len(joined) {
			return "", false
		}
		for i, r := range shape {
			if r.class != joined[i].class {
				return "", false
			}
			joined[i].min, joined[i].max = min(joined[i].min, r.min), max(joined[i].max, r.max)
			if r.text != joined[i].text {
				joined[i].text = ""
			}
		}
	}
	var b strings.Builder
	for _, r := range joined {
		if r.text != "" && (r.class == "[a-z]" || r.class == "[A-Z]") {
			b.WriteString(r.text) // letters that never vary; digits may just not have varied yet
			continue
		}
		b.WriteString(r.class)
		if r.max > 1 || r.min != r.max {
			b.WriteString(quantifier(r.min, r.max))
		}
	}
	return b.String(), true
}

func quantifier(least, most int) string {
	if least == most {
		return fmt.Sprintf("{%d}", least)
	}
	return fmt.Sprintf("{%d,%d}", least, most)
}
