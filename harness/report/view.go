package report

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// view is a report as the kinds for people show it: all texts visible and bounded, all sentences made.
type view struct {
	Verdict                    harness.Verdict
	Word, Mark                 string
	Headline, Reason           string
	Run, Scenario, Change      string
	Integration, Title         string
	Owner, Steward             string
	Tool, Started, Took, Clock string
	Target                     string
	Before, After              sideView
	Findings                   []card
	Records                    []recordLine
	RecordsSentence            string
	Suppressed                 []ruleLine
	SuppressedCount            string
	Expired, Unused            []ruleLine
	Notes, NotTested           []string
	Egress                     []connectionLine
	EgressSentence             string
	Refused                    bool // an attempt to connect was refused
	Logs                       []logText
	Tallies                    []tally
}

type sideView struct {
	Name, Digest, Exchanges, Span, Origin, Scrub, Losses string
}

type card struct {
	Number                                int
	Previous, Next                        int // numbers of the findings beside it; 0: none
	Verdict                               harness.Verdict
	Word, Plain, Mark                     string
	ID, Title, Sentence, Proof, Hits      string
	Effects, Groups                       []string
	Samples                               []sampleView
	Source                                string
	Targets, Lineage                      []string
	Owner, Steward, NextStep, Declaration string
	Why                                   string // the row of the table of severity that gave the verdict
	Differences                           []differenceLine
	More                                  string // how many differences are not listed
	Total                                 int    // how many differences there are
}

type sampleView struct {
	Where, Field, Was, Is string
	Drawing               *drawing // of two JSON containers; nil when the values are shown side by side
	Note                  string   // why there is no drawing although both are JSON
}

type differenceLine struct{ Path, Class, Was, Is string }

type recordLine struct {
	Name, Session, Route, Was, Is, Change string
	Same                                  bool
}

type ruleLine struct {
	At, Operation, Compare, Reason, Ticket, Until string
	BuiltIn                                       bool
	Count                                         string
	Sample                                        differenceLine
}

type connectionLine struct {
	Address, IP, Reason, Count, Word string
	Allowed                          bool
}

type logText struct {
	System string
	Lines  []string
}

// bounds says how much of each finding a kind shows.
type bounds struct {
	value       int // columns of a value
	differences int // of each finding
	list        int // effects and fields of each finding; 0: all
	logLines    int // of each program, the last ones
	drawings    bool
}

// room is the columns for a value at the path. Facts about a form are words of ours, which are not cut in their middle.
func (b bounds) room(path harness.Path) int {
	const words = 200
	if len(path) > 1 && path[1].Name == "form" {
		return max(b.value, words)
	}
	return b.value
}

func newView(r *harness.Report, b bounds) *view {
	j := judgementOf(r.Verdict)
	v := &view{
		Verdict: r.Verdict, Word: j.word, Mark: j.mark,
		Headline: headline(r), Reason: sentence(r.Reason),
		Run: visible(r.Run), Scenario: visible(r.Scenario), Change: visible(r.Change),
		Integration: visible(r.Integration), Title: visible(r.Title),
		Owner: visible(r.Owner), Steward: visible(r.Steward),
		Tool: visible(r.Tool), Started: moment(r.Started), Took: took(r.Took), Clock: moment(r.Clock),
		Target: visible(r.Target), Before: newSide(r.Before), After: newSide(r.After),
		Tallies: tallies(r), Unused: rules(r.Unused), Expired: rules(r.Expired),
		Notes: sentences(r.Notes), NotTested: sentences(r.NotTested),
	}
	for i, f := range r.Findings {
		c := newCard(f, b)
		if i > 0 {
			c.Previous = r.Findings[i-1].Number
		}
		if i+1 < len(r.Findings) {
			c.Next = r.Findings[i+1].Number
		}
		v.Findings = append(v.Findings, c)
	}
	v.addRecords(r.Records)
	v.addSuppressed(r.Suppressed, b)
	v.addEgress(r.Egress)
	for _, l := range r.Logs {
		if lines := logLines(l.Text, b.logLines); len(lines) > 0 {
			v.Logs = append(v.Logs, logText{visible(l.System), lines})
		}
	}
	return v
}

func newSide(s harness.Side) sideView {
	m := s.Manifest
	v := sideView{Name: visible(s.Name), Digest: visible(s.Digest), Exchanges: plural(s.Exchanges, "exchange", "exchanges"), Origin: visible(m.Origin)}
	if !m.From.IsZero() {
		v.Span = moment(m.From) + " to " + moment(m.To)
	}
	if m.Sealed() {
		v.Scrub = plural(m.Scrub.Masked, "value was", "values were") + " replaced before storing; policy " + visible(m.Scrub.Policy)
	}
	if c := m.Counts; !c.Complete() {
		v.Losses = plural(c.Dropped, "exchange was lost", "exchanges were lost") + ", " + number(c.Incomplete) + " incomplete"
	}
	return v
}

func newCard(f harness.Finding, b bounds) card {
	j := judgementOf(f.Verdict)
	c := card{
		Number: f.Number, Verdict: f.Verdict, Word: j.word, Plain: j.plain, Mark: j.mark,
		ID: visible(f.Kind), Title: visible(f.Title), Sentence: sentence(f.Sentence), Proof: sentence(f.Proof),
		Hits: visible(hits(f)), Effects: firstOf(f.Effects, b.list, "more effect", "more effects"),
		Source: visible(f.Source), Targets: firstOf(f.Target, b.list, "more field", "more fields"),
		Owner: visible(f.Owner), Steward: visible(f.Steward), NextStep: sentence(f.NextStep), Why: whyOf(f.Severity),
	}
	var lineage []string
	for _, flow := range f.Lineage {
		lineage = append(lineage, flow.String())
	}
	c.Lineage = firstOf(lineage, b.list, "more step", "more steps")
	c.Total = len(f.Differences)
	for _, g := range f.Hit {
		c.Groups = append(c.Groups, groupLine(g, b.value))
	}
	for _, s := range f.Samples {
		c.Samples = append(c.Samples, newSample(s, b))
	}
	for _, d := range f.Differences[:min(len(f.Differences), b.differences)] {
		c.Differences = append(c.Differences, newDifference(d, b))
	}
	if more := len(f.Differences) - b.differences; more > 0 && b.differences > 0 {
		c.More = plural(more, "more difference", "more differences")
	}
	var declared []string
	for _, s := range []string{f.Change, f.Ticket} {
		if s != "" {
			declared = append(declared, visible(s))
		}
	}
	c.Declaration = strings.Join(declared, ", ")
	return c
}

// TotalText writes how many differences there are.
func (c card) TotalText() string { return number(c.Total) }

func newSample(s harness.Sample, b bounds) sampleView {
	v := sampleView{Where: visible(s.Where), Field: visible(s.Field)}
	was, is := s.Source.Was, s.Source.Is
	if was.IsAbsent() && is.IsAbsent() { // the sample has no source: what has no text is empty
		was.Kind, is.Kind = harness.KindString, harness.KindString
	}
	v.Was, v.Is = shownPair(s.Was, s.Is, was, is, b.room(s.Source.Path))
	if b.drawings {
		v.Drawing, v.Note = drawSample(s)
	}
	return v
}

func newDifference(d harness.Difference, b bounds) differenceLine {
	path := visible(d.Path.String())
	if d.Operation != "" {
		path = visible(d.Operation) + " " + path
	}
	line := differenceLine{Path: path, Class: visible(string(d.Class))}
	line.Was, line.Is = shownPair(d.Was.Text, d.Is.Text, d.Was, d.Is, b.value)
	return line
}

func (v *view) addRecords(counts []harness.RecordCount) {
	moved, total := 0, 0
	for _, c := range counts {
		name := visible(c.Operation)
		if leaf := c.Path.Leaf(); leaf != "" && leaf != "body" {
			name += " " + visible(leaf)
		}
		v.Records = append(v.Records, recordLine{
			Name: name, Session: visible(c.Session), Route: visible(c.From) + " → " + visible(c.To),
			Was: number(c.Was), Is: number(c.Is), Change: change(c.Was, c.Is), Same: c.Was == c.Is,
		})
		total += c.Was
		if c.Was != c.Is {
			moved++
		}
	}
	if len(counts) > 0 {
		v.RecordsSentence = plural(total, "record", "records") + " in " + plural(len(counts), "table", "tables") + " compared; "
		switch moved {
		case 0:
			v.RecordsSentence += "every table has as many as before."
		default:
			v.RecordsSentence += plural(moved, "table has", "tables have") + " more or fewer than before."
		}
	}
}

func (v *view) addSuppressed(all []harness.Suppression, b bounds) {
	total := 0
	for _, s := range all {
		line := newRule(s.Rule)
		line.Count = number(s.Count)
		line.Sample = newDifference(s.Sample, b)
		v.Suppressed = append(v.Suppressed, line)
		total += s.Count
	}
	v.SuppressedCount = plural(total, "difference", "differences") + " taken away by " + plural(len(all), "rule", "rules")
}

func rules(all []harness.Rule) []ruleLine {
	var lines []ruleLine
	for _, r := range all {
		lines = append(lines, newRule(r))
	}
	return lines
}

func newRule(r harness.Rule) ruleLine {
	compare := visible(r.Compare)
	if r.Tolerance != "" {
		compare += " ± " + visible(r.Tolerance)
	}
	return ruleLine{
		At: visible(r.At.String()), Operation: visible(r.Operation), Compare: compare, Reason: sentence(r.Reason),
		Ticket: visible(r.Ticket), Until: r.Until.String(), BuiltIn: r.BuiltIn,
	}
}

// addEgress writes the receipt: whether anything left this machine.
func (v *view) addEgress(all []harness.Connection) {
	var local, outside, refused int
	for _, c := range all {
		line := connectionLine{
			Address: visible(c.Address), IP: visible(c.IP), Reason: sentence(c.Reason),
			Count: number(c.Count), Word: "allowed", Allowed: c.Allowed,
		}
		ip, err := netip.ParseAddr(c.IP)
		switch {
		case !c.Allowed:
			line.Word = "REFUSED"
			refused += c.Count
		case err == nil && ip.IsLoopback():
			local += c.Count
		default:
			outside += c.Count
		}
		v.Egress = append(v.Egress, line)
	}
	v.Refused = refused > 0
	v.EgressSentence = egressSentence(local, outside, refused)
}

func egressSentence(local, outside, refused int) string {
	if local+outside+refused == 0 {
		return "No network connection was attempted."
	}
	parts := []string{plural(local, "connection", "connections") + " within this machine"}
	if outside == 0 {
		parts = append(parts, "none left it")
	} else {
		parts = append(parts, number(outside)+" left it, as allowed")
	}
	if refused > 0 {
		parts = append(parts, plural(refused, "attempt was", "attempts were")+" refused")
	}
	return strings.Join(parts, ", ") + "."
}

// logLines are the last lines of what a program said.
func logLines(text string, limit int) []string {
	var lines []string
	for line := range strings.SplitSeq(strings.TrimRight(text, "\r\n"), "\n") {
		lines = append(lines, sentence(strings.TrimRight(line, "\r")))
	}
	if text == "" || limit == 0 {
		return nil
	}
	return slices.Clone(lines[max(0, len(lines)-limit):])
}

// firstOf is the first texts of a list, and how many more there are.
func firstOf(all []string, limit int, one, more string) []string {
	if limit == 0 || len(all) <= limit {
		return sentences(all)
	}
	return append(sentences(all[:limit]), "and "+plural(len(all)-limit, one, more))
}

func sentence(s string) string { return cut(visible(s), maxSentence) }

func sentences(all []string) []string {
	var out []string
	for _, s := range all {
		out = append(out, sentence(s))
	}
	return out
}
