package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// alert is a finding as CI servers show it: one line of prose at a line of a file.
type alert struct {
	card
	File    string // within the repository; empty when nothing of the workspace is known
	Line    int
	Print   string // lasts from run to run, and is the only one of its kind in this report
	Level   level
	Message string
}

// level is how the CI servers call the weight of a verdict.
type level struct{ sarif, github, gitlab, azure string }

// levels by verdict. Azure knows nothing below a warning: what is harmless is a plain line there.
var levels = map[harness.Verdict]level{
	harness.Breaking:     {"error", "error", "critical", "error"},
	harness.Review:       {"warning", "warning", "major", "warning"},
	harness.NoConclusion: {"warning", "warning", "major", "warning"},
	harness.Benign:       {"note", "notice", "minor", ""},
	harness.Expected:     {"note", "notice", "info", ""},
	harness.Same:         {"note", "notice", "info", ""},
}

func levelOf(v harness.Verdict) level {
	if l, ok := levels[v]; ok {
		return l
	}
	return levels[harness.Review] // a verdict of a later version
}

// alerts are the findings of the report, and the outcome of a run that proves nothing.
func alerts(r *harness.Report, v *view, o Options) []alert {
	var all []alert
	seen := map[string]int{}
	for i, f := range r.Findings {
		at := placeOf(f, r)
		print := f.Fingerprint()
		if seen[print]++; seen[print] > 1 {
			print = hashOf(print, fmt.Sprint(seen[print]))
		}
		all = append(all, alert{
			card: v.Findings[i], File: inRepository(at.File, o), Line: max(at.Line, 1), Print: print, Level: levelOf(f.Verdict),
			Message: message(v.Findings[i]),
		})
	}
	if r.Verdict == harness.NoConclusion && len(all) == 0 {
		c := card{Verdict: r.Verdict, Word: v.Word, ID: "rehearse", Title: "no conclusion", Sentence: v.Reason}
		all = append(all, alert{
			card: c, File: inRepository(r.File, o), Line: 1, Print: hashOf("no conclusion", r.Scenario), Level: levelOf(r.Verdict), Message: join(" ", v.Headline+".", v.Reason),
		})
	}
	return all
}

// placeOf is where the finding is shown: at what it points to, or else at the scenario.
func placeOf(f harness.Finding, r *harness.Report) harness.FileLine {
	for _, p := range f.Places {
		if p.File != "" {
			return p
		}
	}
	return harness.FileLine{File: r.File, Line: 1}
}

// inRepository is the file as the repository knows it.
func inRepository(file string, o Options) string {
	if file == "" {
		return ""
	}
	return visible(path.Join(o.Folder, file))
}

// message is the finding in one paragraph: what, what follows, and the next step.
func message(c card) string {
	parts := append([]string{c.Sentence}, c.Effects...)
	if c.Declaration != "" {
		parts = append(parts, "Declared: "+c.Declaration+".")
	}
	if c.NextStep != "" {
		parts = append(parts, "Next: "+c.NextStep)
	}
	return cut(join(" ", parts...), maxSentence)
}

// title is the kind and the verdict in a few words.
func (a alert) title() string { return join(" ", a.Word, a.ID, a.Title) }

// hashOf makes one name of several.
func hashOf(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// shownPerLevel is how many annotations of one level a step of GitHub or Azure shows; they drop the rest in silence.
const shownPerLevel = 10

// fitting returns the alerts that a CI server shows, and a last sentence for each level that has more.
func fitting(all []alert, levelOf func(alert) string, page string) (shown []alert, more []rest) {
	total := map[string]int{}
	for _, a := range all {
		total[levelOf(a)]++
	}
	taken := map[string]int{}
	var order []string
	for _, a := range all {
		name := levelOf(a)
		limit := shownPerLevel
		if total[name] > limit {
			limit-- // the last one counts the others
		}
		if taken[name]++; taken[name] <= limit {
			shown = append(shown, a)
		} else if taken[name] == limit+1 {
			order = append(order, name)
		}
	}
	for _, name := range order {
		s := plural(total[name]-shownPerLevel+1, "more finding is", "more findings are") + " not shown here, because a step shows " + number(shownPerLevel) + " of a kind"
		more = append(more, rest{name, join(": ", s, page)})
	}
	return shown, more
}

// rest says how many alerts of a level are not shown.
type rest struct{ level, sentence string }
