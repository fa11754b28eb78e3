package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// judgement is how a verdict is said to people.
type judgement struct {
	word  string // for the terminal and tables
	plain string // for a reader who does not know the product
	mark  string // a sign beside the word, so that colour is never alone
	color string // ANSI
	noun  string // what is counted
	one   string // after a number of one
	more  string // after a greater number
}

var judgements = map[harness.Verdict]judgement{
	harness.Breaking:     {"BREAKING", "Breaks", "✖", "1;31", "thing", "breaks", "break"},
	harness.Review:       {"REVIEW", "Needs a decision", "?", "1;33", "change", "needs a decision", "need a decision"},
	harness.NoConclusion: {"INCONCLUSIVE", "Proves nothing", "?", "1;35", "check", "proves nothing", "prove nothing"},
	harness.Benign:       {"BENIGN", "Harmless", "✓", "32", "change", "is harmless", "are harmless"},
	harness.Expected:     {"EXPECTED", "As declared", "✓", "36", "change", "is as declared", "are as declared"},
	harness.Same:         {"SAME", "Same", "✓", "32", "thing", "is the same", "are the same"},
}

// byWeight is the order in which verdicts are counted out.
var byWeight = []harness.Verdict{harness.Breaking, harness.Review, harness.NoConclusion, harness.Benign, harness.Expected}

func judgementOf(v harness.Verdict) judgement {
	if j, ok := judgements[v]; ok {
		return j
	}
	word := visible(string(v))
	return judgement{word: strings.ToUpper(word), plain: word, mark: "?", color: "1", noun: "finding", one: word, more: word}
}

// openings begin the headline: may this go live?
var openings = map[harness.Verdict]string{
	harness.Breaking:     "Not safe to go live",
	harness.Review:       "Not decided yet",
	harness.NoConclusion: "No conclusion",
	harness.Benign:       "Safe to go live",
	harness.Expected:     "Safe to go live",
	harness.Same:         "Safe to go live",
}

// tally counts the findings of one verdict.
type tally struct {
	Verdict    harness.Verdict
	Mark, Text string // "3 break"
	n          int
}

// tallies counts the findings by verdict, the weightiest first.
func tallies(r *harness.Report) []tally {
	var out []tally
	for _, v := range byWeight {
		n := 0
		for _, f := range r.Findings {
			if f.Verdict == v {
				n++
			}
		}
		if n > 0 {
			j := judgementOf(v)
			out = append(out, tally{v, j.mark, plural(n, j.one, j.more), n})
		}
	}
	return out
}

// headline is the verdict of the run as a sentence without its full stop.
func headline(r *harness.Report) string {
	opening, ok := openings[r.Verdict]
	if !ok {
		opening = "Verdict " + visible(string(r.Verdict))
	}
	var parts []string
	for i, t := range tallies(r) {
		j := judgementOf(t.Verdict)
		if i > 0 {
			parts = append(parts, t.Text)
			continue
		}
		parts = append(parts, plural(t.n, j.noun+" "+j.one, j.noun+"s "+j.more))
	}
	switch {
	case len(parts) > 0:
		return opening + ": " + strings.Join(parts, ", ")
	case r.Verdict == harness.NoConclusion:
		return opening + ": this run proves nothing"
	case r.Verdict == harness.Same:
		return opening + ": nothing changed"
	}
	return opening
}

// plural writes the number and the word that goes with it.
func plural(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + more
}

// number groups the digits in threes: 46,000.
func number(n int) string {
	s := strconv.Itoa(n)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// percent is part of whole with at most two decimals. A share that is neither nothing nor all keeps as many more
// decimals as it takes not to look like one.
func percent(part, whole int) string {
	share := 100 * float64(part) / float64(whole)
	for decimals := 2; ; decimals++ {
		s := strconv.FormatFloat(share, 'f', decimals, 64)
		rounded, _ := strconv.ParseFloat(s, 64) // what FormatFloat wrote is a number
		looksExact := rounded == 0 && part != 0 || math.Abs(rounded) == 100 && part != whole && part != -whole
		if looksExact && decimals < 12 {
			continue
		}
		if strings.Contains(s, ".") {
			s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
		}
		return s + " %"
	}
}

// change says how a count moved: "-7 (-3.04 %)", "new", or nothing.
func change(was, is int) string {
	switch {
	case was == is:
		return "same"
	case was == 0:
		return "+" + number(is) + " (new)"
	}
	sign := ""
	if is > was {
		sign = "+"
	}
	return fmt.Sprintf("%s%s (%s%s)", sign, number(is-was), sign, percent(is-was, was))
}

// whyOf is the reason that the table of severity gave for a verdict, with the name of its row: S16. A decision of people is
// told among the effects.
func whyOf(severity string) string {
	row, reason, ok := strings.Cut(severity, ": ")
	if !ok || len(row) != 3 || row[0] != 'S' {
		return ""
	}
	return visible(reason) + " (" + row + ")."
}

// hits says how much a finding claims: "7 of 240 rows".
func hits(f harness.Finding) string {
	unit := f.Unit
	if unit == "" {
		unit = "places"
	}
	switch {
	case f.Count == 0:
		return ""
	case f.Of == 1, f.Of == 0 && f.Count == 1:
		unit = strings.TrimSuffix(unit, "s")
	}
	if f.Of > 0 {
		return number(f.Count) + " of " + number(f.Of) + " " + unit
	}
	return number(f.Count) + " " + unit
}

// groupLine names who is hit: "CRN 00892, 10271 and 3 more".
func groupLine(g harness.Group, limit int) string {
	values := make([]string, len(g.Values))
	for i, v := range g.Values {
		values[i] = cut(visible(v), limit)
	}
	line := visible(g.Field) + " " + strings.Join(values, ", ")
	if more := g.Total - len(g.Values); more > 0 && len(g.Values) > 0 {
		line += " and " + number(more) + " more"
	}
	return line
}

// shownPair is both sides of a change. When both are long and begin alike, they begin where the change is near.
func shownPair(was, is string, a, b harness.Value, limit int) (string, string) {
	const lead = 12 // columns before the change
	if columns(was) > limit && columns(is) > limit {
		var at []int // where each character of the common beginning starts
		for i, r := range was {
			if !strings.HasPrefix(is[min(i, len(is)):], string(r)) {
				break
			}
			at = append(at, i)
		}
		if len(at) > lead+1 {
			from := at[len(at)-lead]
			was, is = "…"+was[from:], "…"+is[from:]
		}
	}
	return shown(was, a, limit), shown(is, b, limit)
}

// shown is one side of a sample: what is not there and what is empty are told apart.
func shown(text string, v harness.Value, limit int) string {
	switch {
	case text != "":
		return cut(visible(text), limit)
	case v.IsAbsent():
		return "(absent)"
	case v.Kind == harness.KindNull:
		return "null"
	}
	return "(empty)"
}

// moment writes a time in UTC for people; nothing for the zero time.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// took writes a duration in seconds with one decimal, or in milliseconds below one second.
func took(d time.Duration) string {
	if d < time.Second {
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	}
	if d < time.Minute {
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	}
	return d.Round(time.Second).String()
}
