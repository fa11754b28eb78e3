package whatif

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/rehearse-dev/rehearse/harness"
)

// Answer is what a variation does to all scenarios that were asked.
type Answer struct {
	Question  string
	Tool      string
	Catalogue harness.Catalogue
	Outcomes  []Outcome
}

// NeedsPerson reports whether somebody must look.
func (a Answer) NeedsPerson() bool {
	return slices.ContainsFunc(a.Outcomes, Outcome.NeedsPerson)
}

// Nowhere reports whether no recording holds what the question is about.
func (a Answer) Nowhere() bool {
	return !slices.ContainsFunc(a.Outcomes, func(o Outcome) bool { return o.Effect != Absent })
}

// effects from the one that says most about an integration to the one that says least.
var effects = []Effect{Hit, Unsure, Carried, Known, Unread, Absent}

// ordered is the outcomes, those that are hit first. What other scenarios of the same integration say less is left out:
// one that holds no such field, a mock that cannot tell what a live system told, the same once more.
func (a Answer) ordered() []Outcome {
	list := slices.Clone(a.Outcomes)
	slices.SortStableFunc(list, func(x, y Outcome) int { return slices.Index(effects, x.Effect) - slices.Index(effects, y.Effect) })
	best, said := map[string]Effect{}, map[string]bool{}
	return slices.DeleteFunc(list, func(o Outcome) bool {
		title := a.title(o)
		if best[title] == "" {
			best[title] = o.Effect
		}
		same := title + "\n" + o.Says
		for _, f := range o.Findings {
			same += "\n" + f.Sentence
		}
		repeated := said[same]
		said[same] = true
		return best[title] != o.Effect || repeated
	})
}

// verdict is the answer in one sentence.
func (a Answer) verdict() string {
	var hit, unsure []string
	for _, o := range a.ordered() {
		switch title := a.title(o); {
		case o.Effect == Hit && !slices.Contains(hit, title):
			hit = append(hit, title)
		case o.Effect == Unsure && !slices.Contains(unsure, title):
			unsure = append(unsure, title)
		}
	}
	switch {
	case len(hit) > 0:
		return harness.Count(len(hit), "integration") + " hit: " + strings.Join(hit, "; ")
	case len(unsure) > 0:
		return "Cannot be told of " + strings.Join(unsure, "; ")
	}
	return "Nobody is hit."
}

func (a Answer) title(o Outcome) string {
	if i, ok := a.Catalogue.Integrations[o.Integration]; ok && i.Title != "" {
		return i.Title
	}
	if o.Integration != "" {
		return o.Integration
	}
	return o.Scenario
}

// contact is a person with the ways to reach them.
func (a Answer) contact(key string) string {
	if key == "" {
		return ""
	}
	p := a.Catalogue.People[key]
	parts := slices.DeleteFunc([]string{a.Catalogue.PersonName(key), p.Role, p.Email, p.Phone}, func(s string) bool { return s == "" })
	return strings.Join(parts, ", ")
}

// findings are those of an outcome, with the owner and how to reach them.
func (a Answer) findings(o Outcome) []harness.Finding {
	list := slices.Clone(o.Findings)
	i := a.Catalogue.Integrations[o.Integration]
	for n := range list {
		list[n].Owner, list[n].Steward = a.contact(i.Owner), a.contact(i.Steward)
		list[n].Places = append(slices.Clone(o.Edit), list[n].Places...)
	}
	return list
}

// Text writes the answer for people: who is hit, how, whom to ask and what to edit, then who is not. Clean makes a text
// safe for where it is written. Width is in columns; 0: no bound.
func (a Answer) Text(w io.Writer, width int, clean func(string) string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "What if: %s?\n%s\n", a.Question, a.verdict())
	for _, o := range a.ordered() {
		if !o.NeedsPerson() {
			continue
		}
		word := "HIT"
		if o.Effect == Unsure {
			word = "UNSURE"
		}
		fmt.Fprintf(&b, "\n%-8s %s\n", word, a.title(o))
		row := func(name, text string) {
			if text != "" {
				fmt.Fprintf(&b, "  %-8s %s\n", name, wrapped(clean(text), width-11))
			}
		}
		row("why", o.Says)
		for _, f := range o.Findings {
			row(strings.ToLower(string(f.Verdict)), f.Sentence)
			for _, effect := range f.Effects {
				row("effect", effect)
			}
			for _, g := range f.Hit {
				row("records", fmt.Sprintf("%s %s", g.Field, strings.Join(g.Values, ", ")))
			}
			row("next", f.NextStep)
		}
		for _, place := range o.Edit {
			row("edit", fmt.Sprintf("%s:%d", place.File, place.Line))
		}
		i := a.Catalogue.Integrations[o.Integration]
		row("owner", a.contact(i.Owner))
		row("steward", a.contact(i.Steward))
		row("varied", fmt.Sprintf("%d of %s of %s", o.Records, harness.Count(o.Of, "place"), strings.Join(o.Places, ", ")))
		row("scenario", o.File)
	}
	a.spared(&b, width, clean)
	_, err := io.WriteString(w, b.String())
	return err
}

// spared lists who is not hit, and why; those of one integration that have the same reason once.
func (a Answer) spared(b *strings.Builder, width int, clean func(string) string) {
	var lines []string
	for _, o := range a.ordered() {
		if !o.NeedsPerson() {
			lines = append(lines, fmt.Sprintf("%s: %s", a.title(o), o.Says))
		}
	}
	if len(lines) == 0 {
		return
	}
	b.WriteString("\nNot hit\n")
	for _, line := range lines {
		fmt.Fprintf(b, "  %s\n", wrapped(clean(line), width-11))
	}
}

// wrapped breaks a text at blanks; the lines behind the first are indented.
func wrapped(text string, width int) string {
	const least, indent = 30, "\n           "
	if width < least {
		return text
	}
	var b strings.Builder
	column := 0
	for word := range strings.FieldsSeq(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case column > 0 && column+1+n > width:
			b.WriteString(indent)
			column = 0
		case column > 0:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}

// Report is the answer as a report, for the kinds that programs and pages take.
func (a Answer) Report() *harness.Report {
	r := &harness.Report{
		Run: "what-if", Scenario: "What if: " + a.Question, Change: "what if: " + a.Question, Tool: a.Tool,
		Target: "every scenario of the workspace that was asked",
	}
	for _, o := range a.ordered() {
		if !o.NeedsPerson() {
			r.NotTested = append(r.NotTested, fmt.Sprintf("Not hit: %s: %s (%s)", a.title(o), o.Says, o.File))
			continue
		}
		if len(r.Findings) == 0 || !o.Manifest.Sealed() { // one that nobody scrubbed decides about what is shown
			r.Before.Manifest, r.After.Manifest = o.Manifest, o.Manifest
		}
		for _, f := range a.findings(o) {
			f.Number = len(r.Findings) + 1
			f.Sentence = a.title(o) + ": " + f.Sentence
			if o.Effect == Unsure {
				f.Verdict = harness.Review
				f.Effects = append([]string{o.Says}, f.Effects...)
			}
			r.Findings = append(r.Findings, f)
		}
	}
	r.Before.Name, r.After.Name = "as recorded", "the variant"
	r.Judge()
	if len(r.Findings) == 0 {
		r.Reason = a.verdict()
	}
	return r
}
