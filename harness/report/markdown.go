package report

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// maxComment is the most characters that GitHub takes for a comment. Bytes are counted, which are never fewer.
const maxComment = 65536

// writeMarkdown writes a comment for a pull request: a hidden marker by which the comment is found again, the verdict,
// a table of findings that fits a screen, and the rest folded away. What does not fit is counted.
func writeMarkdown(w io.Writer, r *harness.Report, o Options) error {
	b := bounds{value: 80, list: 10, logLines: 20}
	if o.Verbose {
		b.differences = maxRawRows
	}
	v := newView(r, b)
	page := ""
	if o.Page != "" {
		page = ". Full page: " + code(visible(o.Page))
	}
	m := &comment{footer: "\n<sub>Run " + join(" · ", md(v.Run), md(v.Tool)) + page + "</sub>\n"}
	m.must("<!-- rehearse:" + marker(r.Scenario) + " -->\n")
	m.must("## " + v.Mark + " " + md(v.Headline) + "\n\n" + summary(v))
	m.findings(v)
	m.folded("Volumes compared", recordTable(v))
	m.folded("Noise: "+v.SuppressedCount, ruleTable(v.Suppressed))
	m.folded("Rules past their day, not applied", ruleTable(v.Expired))
	m.folded("Rules that matched nothing", ruleTable(v.Unused))
	m.folded("Not tested", bullets(v.NotTested))
	m.folded("Notes", bullets(v.Notes))
	m.folded("Network: "+v.EgressSentence, connectionTable(v))
	m.folded("Versions and digests", versionTable(v))
	m.raw(v)
	_, err := io.WriteString(w, m.String())
	return err
}

// marker makes a scenario's name safe within an HTML comment.
func marker(scenario string) string {
	return strings.NewReplacer("<", "_", ">", "_", "--", "-_").Replace(visible(scenario))
}

// comment is Markdown that ends before the limit.
type comment struct {
	b       strings.Builder
	size    int // bytes
	footer  string
	dropped int // sections and findings that did not fit
}

func (m *comment) must(s string) {
	m.b.WriteString(s)
	m.size += len(s)
}

// add appends a whole block when it fits and reports whether it did.
func (m *comment) add(s string) bool {
	const reserve = 200 // for the line that counts what is left out
	if m.size+len(s)+len(m.footer)+reserve > maxComment {
		return false
	}
	m.must(s)
	return true
}

// folded adds a section whose summary, a visible text, is all that is seen at first. Within the element Markdown is not
// read, so the summary is escaped as HTML.
func (m *comment) folded(summary, body string) {
	if body == "" {
		return
	}
	if !m.add(fold(summary, body)) {
		m.dropped++
	}
}

func fold(summary, body string) string {
	return "<details><summary>" + codeSpecial.Replace(summary) + "</summary>\n\n" + body + "\n</details>\n"
}

// maxRawRows is how many differences of a finding a comment lists on request.
const maxRawRows = 100

// raw lists the differences behind each finding at the end, so that they are what does not fit first. Of a list that is
// too long as a whole, as many rows stand there as fit.
func (m *comment) raw(v *view) {
	for _, c := range v.Findings {
		summary := fmt.Sprintf("Every difference behind finding %d", c.Number)
		written := len(c.Differences) == 0
		for n := len(c.Differences); n > 0 && !written; n /= 2 {
			rows := rawMarkdown(c.Differences[:n])
			if more := c.Total - n; more > 0 {
				rows += "\n" + plural(more, "more difference", "more differences") + " in the JSON report.\n"
			}
			written = m.add(fold(summary, rows))
		}
		if !written {
			m.dropped++
		}
	}
}

func (m *comment) String() string {
	if m.dropped > 0 {
		m.must("\n**" + plural(m.dropped, "more section does", "more sections do") + " not fit in a comment; the page has everything.**\n")
	}
	m.must(m.footer)
	return m.b.String()
}

func summary(v *view) string {
	s := join(" · ", md(v.Change), bold(cmp.Or(v.Title, v.Integration)), "scenario "+code(v.Scenario))
	if v.Owner != "" {
		s += " · owner " + md(v.Owner)
	}
	s += "\n\n"
	if v.Reason != "" && (len(v.Findings) == 0 || v.Verdict == harness.NoConclusion) {
		s += md(v.Reason) + "\n\n"
	}
	return s
}

func bold(s string) string {
	if s == "" {
		return ""
	}
	return "**" + md(s) + "**"
}

// findings writes the table and then one folded section each.
func (m *comment) findings(v *view) {
	if len(v.Findings) == 0 {
		return
	}
	m.must("| # | Verdict | What | Hit | Owner |\n|--:|---|---|---|---|\n")
	listed := 0
	for _, c := range v.Findings {
		const screen = 240 // columns of a sentence in the table
		row := fmt.Sprintf("| %d | %s **%s** | %s %s: %s | %s | %s |\n", c.Number, c.Mark, md(c.Word), md(c.ID), md(c.Title),
			md(cut(c.Sentence, screen)), md(c.Hits), md(c.Owner))
		if m.size > maxComment/2 || !m.add(row) {
			break
		}
		listed++
	}
	if more := len(v.Findings) - listed; more > 0 {
		m.must("\n**" + plural(more, "more finding does", "more findings do") + " not fit in a comment; the page has all of them.**\n")
	}
	m.must("\n")
	for _, c := range v.Findings[:listed] {
		m.folded(fmt.Sprintf("%d. %s %s %s", c.Number, c.Word, c.ID, c.Title), cardMarkdown(c))
	}
}

func cardMarkdown(c card) string {
	var b strings.Builder
	add := func(label, s string) {
		if s != "" {
			b.WriteString("- **" + label + "**: " + md(s) + "\n")
		}
	}
	b.WriteString(md(c.Sentence) + "\n\n")
	add("Hit", join("; ", append([]string{c.Hits}, c.Groups...)...))
	for _, e := range c.Effects {
		add("Effect", e)
	}
	add("Field", fields(c))
	for _, l := range c.Lineage {
		add("Feeds", l)
	}
	add("Declared", c.Declaration)
	add("Owner", people(c.Owner, c.Steward))
	add("Next step", c.NextStep)
	add("Proof", c.Proof)
	if len(c.Samples) > 0 {
		b.WriteString("\n| Where | Field | Was | Is |\n|---|---|---|---|\n")
		for _, s := range c.Samples {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", md(s.Where), md(s.Field), code(s.Was), code(s.Is))
		}
	}
	return b.String()
}

func rawMarkdown(list []differenceLine) string {
	var b strings.Builder
	b.WriteString("| Place | Change | Was | Is |\n|---|---|---|---|\n")
	for _, d := range list {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", code(d.Path), md(d.Class), code(d.Was), code(d.Is))
	}
	return b.String()
}

func recordTable(v *view) string {
	if len(v.Records) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("| Table | Was | Is | Change |\n|---|--:|--:|---|\n")
	for _, r := range v.Records {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", md(r.Name), r.Was, r.Is, r.Change)
	}
	return b.String()
}

func ruleTable(all []ruleLine) string {
	if len(all) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("| Count | Place | Rule | Reason |\n|--:|---|---|---|\n")
	for _, r := range all {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.Count, code(join(" ", r.Operation, r.At)), md(r.Compare), md(ruleReason(r)))
	}
	return b.String()
}

func bullets(all []string) string {
	var b strings.Builder
	for _, s := range all {
		b.WriteString("- " + md(s) + "\n")
	}
	return b.String()
}

func connectionTable(v *view) string {
	if len(v.Egress) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("| | Count | Address | Reason |\n|---|--:|---|---|\n")
	for _, c := range v.Egress {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", c.Word, c.Count, code(join(" = ", c.Address, c.IP)), md(c.Reason))
	}
	return b.String()
}

func versionTable(v *view) string {
	var b strings.Builder
	b.WriteString("| | Before | After |\n|---|---|---|\n")
	row := func(label, before, after string) {
		if before != "" || after != "" {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", label, code(before), code(after))
		}
	}
	row("Recording", v.Before.Name, v.After.Name)
	row("Exchanges", v.Before.Exchanges, v.After.Exchanges)
	row("Recorded", v.Before.Span, v.After.Span)
	row("Incomplete", v.Before.Losses, v.After.Losses)
	row("Scrubbed", v.Before.Scrub, v.After.Scrub)
	row("Digest", v.Before.Digest, v.After.Digest)
	return b.String()
}

// mdSpecial are the characters that Markdown or HTML would read. A zero-width space after @ and # keeps people and
// tickets from being addressed; an entity within :: and :// keeps commands and links from being made.
var mdSpecial = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "|", `\|`, "~", `\~`,
	"&", "&amp;", "<", "&lt;", ">", "&gt;", "@", "@&#8203;", "#", "#&#8203;", "::", "&#58;&#58;", "://", "&#58;//",
	"www.", "www&#46;", "WWW.", "WWW&#46;", "$", "&#36;",
)

// md writes a visible text as Markdown prose. Signs that only mean something at the start of a line are escaped there.
func md(s string) string {
	s = mdSpecial.Replace(s)
	if s == "" {
		return ""
	}
	switch s[0] {
	case '-', '+', '=', ':':
		s = fmt.Sprintf("&#%d;", s[0]) + s[1:]
	}
	digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
	if digits > 0 && digits < len(s) && (s[digits] == '.' || s[digits] == ')') {
		s = s[:digits] + `\` + s[digits:]
	}
	return s
}

// codeSpecial are the characters that must not be themselves within <code>, which unlike backquotes takes entities.
var codeSpecial = strings.NewReplacer(
	"&", "&amp;", "<", "&lt;", ">", "&gt;", "`", "&#96;", "|", "&#124;", "*", "&#42;", "_", "&#95;", "[", "&#91;",
	"]", "&#93;", "~", "&#126;", `\`, "&#92;", "@", "&#64;&#8203;", "#", "&#35;&#8203;", "::", "&#58;&#58;", "://", "&#58;//", "$", "&#36;", "www.", "www&#46;",
)

// code writes a visible text as code; nothing for an empty text.
func code(s string) string {
	if s == "" {
		return ""
	}
	return "<code>" + codeSpecial.Replace(s) + "</code>"
}
