package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// writeText writes for a terminal: the verdict first, then each finding, then what the verdict rests on.
func writeText(w io.Writer, r *harness.Report, o Options) error {
	t := &textPage{width: max(40, o.Width), o: o}
	if o.Width == 0 {
		t.width = 80
	}
	b := bounds{value: t.width / 2, list: 6, logLines: 10}
	if o.Verbose {
		b = bounds{value: 2 * t.width, differences: 500, logLines: 200}
	}
	v := newView(r, b)
	t.head(v)
	for _, c := range v.Findings {
		t.card(c)
	}
	if len(v.Findings) > 0 || o.Verbose {
		t.records(v)
	} else if v.RecordsSentence != "" {
		t.line("")
		t.para("", v.RecordsSentence)
	}
	t.rules(v)
	t.list("Notes", v.Notes)
	t.list("Not tested", v.NotTested)
	t.egress(v)
	t.logs(v)
	t.close(v)
	_, err := io.WriteString(w, t.b.String())
	return err
}

// textPage collects lines of at most width columns.
type textPage struct {
	b     strings.Builder
	width int
	o     Options
}

func (t *textPage) line(s string) {
	t.b.WriteString(strings.TrimRight(s, " "))
	t.b.WriteByte('\n')
}

// para writes s wrapped, each line behind the indent.
func (t *textPage) para(indent, s string) {
	for _, l := range wrap(s, t.width-len(indent)) {
		t.line(indent + l)
	}
}

// labelled writes s wrapped beside a label; nothing when s is empty.
func (t *textPage) labelled(indent, label, s string) {
	const room = 10
	if s == "" {
		return
	}
	blank := indent + strings.Repeat(" ", room)
	for i, l := range wrap(s, t.width-len(blank)) {
		if i == 0 {
			t.line(indent + t.paint("2", pad(label, room)) + l)
			continue
		}
		t.line(blank + l)
	}
}

// heading starts a section.
func (t *textPage) heading(s string) {
	t.line("")
	for _, l := range wrap(s, t.width) {
		t.line(t.paint("1", l))
	}
}

func (t *textPage) paint(color, s string) string {
	if !t.o.Color || color == "" {
		return s
	}
	return "\x1b[" + color + "m" + s + "\x1b[0m"
}

// hanging writes a painted word and a text that is wrapped beneath itself.
func (t *textPage) hanging(lead, color, s string) {
	indent := strings.Repeat(" ", columns(lead)+2)
	for i, l := range wrap(s, t.width-len(indent)) {
		if i == 0 {
			t.line(t.paint(color, lead) + "  " + t.paint("1", l))
			continue
		}
		t.line(indent + t.paint("1", l))
	}
}

func (t *textPage) head(v *view) {
	t.hanging(v.Word, judgementOf(v.Verdict).color, v.Headline+".")
	if v.Reason != "" && (len(v.Findings) == 0 || v.Verdict == harness.NoConclusion) {
		t.para("", v.Reason)
	}
	t.line("")
	title := v.Title
	switch {
	case title == "":
		title = v.Integration
	case v.Integration != "":
		title += " (" + v.Integration + ")"
	}
	t.labelled("", "what", join(" · ", v.Change, title))
	t.labelled("", "scenario", v.Scenario)
	t.labelled("", "tested", v.Target)
	t.labelled("", "before", join(", ", v.Before.Name, v.Before.Exchanges))
	t.labelled("", "after", join(", ", v.After.Name, v.After.Exchanges))
	for _, s := range []sideView{v.Before, v.After} {
		if s.Losses != "" {
			t.labelled("", "lost", s.Name+": "+s.Losses)
		}
	}
	t.labelled("", "owner", people(v.Owner, v.Steward))
	t.labelled("", "when", join(", ", v.Started, "took "+v.Took))
}

// people names the owner and who knows the data.
func people(owner, steward string) string {
	if steward != "" {
		steward = "data steward " + steward
	}
	return join(" · ", owner, steward)
}

// join puts the separator between the parts that are not empty.
func join(separator string, parts ...string) string {
	var full []string
	for _, p := range parts {
		if p != "" {
			full = append(full, p)
		}
	}
	return strings.Join(full, separator)
}

func (t *textPage) card(c card) {
	const indent = "   "
	t.line("")
	lead := fmt.Sprintf("%d. %s", c.Number, c.Word)
	t.hanging(lead, judgementOf(c.Verdict).color, join(" ", c.ID, c.Title))
	t.para(indent, c.Sentence)
	t.labelled(indent, "hit", join("; ", append([]string{c.Hits}, c.Groups...)...))
	for i, e := range c.Effects {
		t.labelled(indent, first(i, "effect"), e)
	}
	t.samples(indent, c.Samples)
	t.labelled(indent, "field", fields(c))
	for i, l := range c.Lineage {
		t.labelled(indent, first(i, "feeds"), l)
	}
	t.labelled(indent, "declared", c.Declaration)
	t.labelled(indent, "owner", people(c.Owner, c.Steward))
	t.labelled(indent, "why", c.Why)
	t.labelled(indent, "next", c.NextStep)
	t.labelled(indent, "proof", c.Proof)
	for i, d := range c.Differences {
		t.labelled(indent, first(i, "all"), d.Path+" "+d.Class+": "+d.Was+" → "+d.Is)
	}
	if c.More != "" {
		t.labelled(indent, "", c.More+"; the JSON report has all of them.")
	}
}

// first is the label of the first line of several.
func first(i int, label string) string {
	if i == 0 {
		return label
	}
	return ""
}

// fields says where the cause lies and what it reaches.
func fields(c card) string {
	switch {
	case len(c.Targets) == 0:
		return c.Source
	case c.Source == "":
		return "→ " + strings.Join(c.Targets, ", ")
	}
	return c.Source + " → " + strings.Join(c.Targets, ", ")
}

// samples are aligned in columns when all of them fit on a line, and stand on two lines each when not.
func (t *textPage) samples(indent string, all []sampleView) {
	var where, field, was, is int
	for _, s := range all {
		where, field = max(where, columns(s.Where)), max(field, columns(s.Field))
		was, is = max(was, columns(s.Was)), max(is, columns(s.Is))
	}
	const label, gaps = 10, 2 + 2 + 3
	fits := len(indent)+label+where+field+was+is+gaps <= t.width
	for i, s := range all {
		change := s.Was + " → " + s.Is
		if fits {
			// Not through labelled: wrapping would close up the columns.
			line := pad(s.Where, where) + "  " + pad(s.Field, field) + "  " + padLeft(s.Was, was) + " → " + s.Is
			t.line(indent + t.paint("2", pad(first(i, "samples"), label)) + line)
			continue
		}
		t.labelled(indent, first(i, "samples"), s.Where)
		t.labelled(indent, "", join(": ", s.Field, change))
	}
}

func (t *textPage) records(v *view) {
	if len(v.Records) == 0 {
		return
	}
	t.heading("Records")
	name, was, is := columns("table"), columns("was"), columns("is")
	for _, r := range v.Records {
		name, was, is = max(name, columns(r.Name)), max(was, columns(r.Was)), max(is, columns(r.Is))
	}
	name = min(name, t.width-was-is-30)
	t.line(t.paint("2", "  "+pad("table", name)+"  "+padLeft("was", was)+"   "+padLeft("is", is)+"  change"))
	for _, r := range v.Records {
		t.line("  " + pad(cut(r.Name, name), name) + "  " + padLeft(r.Was, was) + " → " + padLeft(r.Is, is) + "  " + r.Change)
	}
}

func (t *textPage) rules(v *view) {
	if len(v.Suppressed) > 0 {
		t.heading("Not shown: " + v.SuppressedCount)
		for _, s := range v.Suppressed {
			t.item(s.Count+" × "+rulePlace(s), ruleReason(s))
			if t.o.Verbose && s.Sample.Path != "" {
				t.para("    ", "first: "+s.Sample.Path+" "+s.Sample.Was+" → "+s.Sample.Is)
			}
		}
	}
	if len(v.Expired) > 0 {
		t.heading("Rules past their day, not applied")
		for _, s := range v.Expired {
			t.item(rulePlace(s), ruleReason(s))
		}
	}
	if len(v.Unused) > 0 {
		t.heading("Rules that matched nothing")
		for _, s := range v.Unused {
			t.item(rulePlace(s), ruleReason(s))
		}
	}
}

// rulePlace says what a rule covers and how it compares.
func rulePlace(r ruleLine) string { return join(" ", r.Operation, r.At, r.Compare) }

// ruleReason says why a rule is there and how long it holds.
func ruleReason(r ruleLine) string {
	s := join(", ", r.Reason, r.Ticket)
	if r.Until != "" {
		s += " (until " + r.Until + ")"
	}
	if r.BuiltIn {
		s += " (built in)"
	}
	return s
}

// item writes an entry of a list, its reason beneath when the line would be too long.
func (t *textPage) item(s, reason string) {
	if one := s + ": " + reason; columns(one) <= t.width-2 {
		t.line("  " + one)
		return
	}
	t.para("  ", s)
	t.para("    ", reason)
}

func (t *textPage) list(title string, items []string) {
	if len(items) == 0 {
		return
	}
	t.heading(title)
	for _, s := range items {
		for i, l := range wrap(s, t.width-4) {
			t.line(first(i, "  - ") + strings.Repeat(" ", 4*min(i, 1)) + l)
		}
	}
}

func (t *textPage) egress(v *view) {
	t.heading("Network")
	t.para("  ", v.EgressSentence)
	if len(v.Findings) == 0 && !v.Refused && !t.o.Verbose {
		return
	}
	for _, c := range v.Egress {
		color := ""
		if !c.Allowed {
			color = "1;31"
		}
		s := c.Count + " × " + join(" = ", c.Address, c.IP) + ": " + c.Reason
		for i, l := range wrap(s, t.width-12) {
			t.line("  " + t.paint(color, pad(first(i, c.Word), 8)) + "  " + l)
		}
	}
}

// logs are shown on request, and when there is nothing else to explain the outcome.
func (t *textPage) logs(v *view) {
	if !t.o.Verbose && v.Verdict != harness.NoConclusion {
		return
	}
	for _, l := range v.Logs {
		t.heading("What " + l.System + " said")
		for _, s := range l.Lines {
			t.para("  ", s)
		}
	}
}

func (t *textPage) close(v *view) {
	t.line("")
	if accept := visible(t.o.Accept); accept != "" && len(v.Findings) > 0 {
		t.labelled("", "accept", accept)
	}
	if page := visible(t.o.Page); page != "" {
		t.labelled("", "page", page)
	}
	t.labelled("", "run", v.Run)
}
