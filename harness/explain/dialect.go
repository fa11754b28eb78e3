package explain

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// formFact is one row of the table of facts about how a file is written: what the fact is called, which kind of change
// it is, and how it is said.
type formFact struct {
	name, kind, title string
	verdict           func(s *state, d *harness.Difference) harness.Verdict
	sentence          func(d *harness.Difference) string // continues "NAME from SYSTEM …"
	next              string
}

var formFacts = []formFact{
	{"delimiter", "F14", "delimiter changed", verdictIs(harness.Breaking), sayFact("separates its values by %s now, was %s"),
		"Ask for the old delimiter or set the new one in the reader: one that expects the old one sees a single column."},
	{"quoting", "F14", "quoting changed", outgoing(harness.Benign, harness.Review), sayQuoting,
		"Nothing to do for a reader of CSV. A loader that splits lines at the delimiter takes the quotes for a part of the values."},
	{"quotes inside cells", "F14", "quotes not escaped", worse(harness.Breaking, harness.Benign), sayMore("has quotes within values that are not escaped (%s values), so that strict readers refuse the file", "escapes the quotes within its values again"),
		"Ask for quotes that are doubled within quoted values (RFC 4180)."},
	{"separators", "F14", "delimiter changed", verdictIs(harness.Breaking), sayFact("announces the separators %s now, was %s"),
		"Check that every reader takes the separators from the file instead of assuming them."},
	{"line ends", "F15", "line ends changed", lineEndVerdict, sayFact("ends its lines with %s now, was %s"),
		"Nothing to do for readers that take every line end; ask the owners of strict loaders, which may take the mark as a part of the last value."},
	{"final newline", "F15", "end of the file changed", outgoing(harness.Benign, harness.Review), sayLastLine,
		"Nothing to do for most readers; some loaders skip a last line without its end, or take an empty line for a record."},
	{"blank lines", "F15", "blank lines", outgoing(harness.Benign, harness.Review), sayMore("has %s blank lines now", "has no blank lines any more"),
		"Nothing to do for readers of CSV; strict loaders take a blank line for a record that lacks every value."},
	{"column order", "F12", "columns in another order", columnOrderVerdict, sayFact("has its columns in another order: %s, was %s"),
		"Nothing to do where columns are read by name; move every reader by position to names."},
	{"byte order mark", "F11", "byte order mark", markVerdict, sayMark,
		"Set the reader to skip the mark, or ask for a file as it was: a reader that does not know it takes it for a part of the first name."},
	{"encoding", "F11", "encoding changed", verdictIs(harness.Breaking), sayEncoding,
		"Set the encoding of this input in the mapping, or ask for the old one."},
}

// detectDialect claims facts about how a file is written, one finding for each kind of fact and its two values, in every
// operation at once.
func detectDialect(s *state) {
	for _, fact := range formFacts {
		ways := func(i int) string { return s.at(i).Was.Text + "\x00" + s.at(i).Is.Text }
		for _, alike := range alikeBy(s.groups(func(d *harness.Difference) bool { return isFact(d, fact.name) }), ways) {
			s.claimFact(fact, alike)
		}
	}
}

func isFact(d *harness.Difference, name string) bool {
	return len(d.Path) == 3 && d.Path[1].Name == "form" && d.Path[2].Name == name
}

// isDialect reports whether the difference is one of these facts.
func isDialect(d *harness.Difference) bool {
	return slices.ContainsFunc(formFacts, func(fact formFact) bool { return isFact(d, fact.name) })
}

func (s *state) claimFact(fact formFact, groups []group) {
	var list []int
	var f harness.Finding
	for n, g := range groups {
		d := s.at(g.list[0])
		all := slices.Concat(g.list, s.spellings(fact, g.list))
		if n == 0 {
			f = s.sized(g.list)
			f.Verdict = fact.verdict(s, d)
			f.Sentence = fmt.Sprintf("%s from %s %s.", d.Operation, s.side(answerer(d)), fact.sentence(d))
			f.NextStep = fact.next
		} else {
			f.Verdict = harness.Worst(f.Verdict, fact.verdict(s, d))
			f.Effects = append(f.Effects, fmt.Sprintf("The same in %s to %s.", d.Operation, s.side(receiver(d))))
			f.Target = append(f.Target, s.place(receiver(d), d))
		}
		list = append(list, s.take(all)...)
	}
	s.kind.Kind, s.kind.Title = fact.kind, fact.title
	c := s.consequences(list)
	if c.harm {
		f.Verdict = harness.Breaking
	}
	c.addTo(&f)
	s.claim(f, append(list, c.list...))
}

// spellings is the cells of the same bodies whose quotes came or went, which the fact about quoting or the delimiter sums
// up, and the line ends within cells; of a fact about the encoding, what the body declares.
func (s *state) spellings(fact formFact, facts []int) []int {
	bodies := map[half]bool{}
	for _, i := range facts {
		bodies[half{s.at(i).Exchange, s.at(i).Path[0].Name}] = true
	}
	return s.unclaimed(func(o *harness.Difference) bool {
		if len(o.Path) < 3 || !bodies[half{o.Exchange, o.Path[0].Name}] {
			return false
		}
		switch fact.name {
		case "encoding":
			return isDeclaredEncoding(o)
		case "delimiter", "quoting", "quotes inside cells":
			return inBody(o) && isQuoting(o)
		case "line ends":
			if isFact(o, "blank lines") { // CR CR LF: each lone CR makes a blank line
				return o.Is.Text != "" && strings.HasSuffix(s.lineEndsBeside(o), ", "+o.Is.Text+" CR")
			}
			return inBody(o) && o.Class == harness.Changed && oneLineEnd(o.Was.Text) == oneLineEnd(o.Is.Text)
		}
		return false
	})
}

// lineEndsBeside is the line ends that the candidate has in the body of the difference.
func (s *state) lineEndsBeside(d *harness.Difference) string {
	for _, i := range s.unclaimed(func(o *harness.Difference) bool {
		return isFact(o, "line ends") && o.Exchange == d.Exchange && o.Path[0].Name == d.Path[0].Name
	}) {
		return s.at(i).Is.Text
	}
	return ""
}

// isQuoting reports whether the quotes of a cell came, went, or are escaped in another way.
func isQuoting(d *harness.Difference) bool {
	return d.Class == harness.Reformed && unquoted(d.Was.Text) == unquoted(d.Is.Text) && !isHeader(d) ||
		d.Class == harness.Changed && strings.Contains(d.Was.Text, `"`) && backslashed(d.Was.Text) == d.Is.Text
}

// isDeclaredEncoding reports whether the declaration of an XML document names another encoding, and nothing else differs in
// it.
func isDeclaredEncoding(d *harness.Difference) bool {
	return isFact(d, "declaration") && declaredEncoding.MatchString(d.Is.Text) &&
		declaredEncoding.ReplaceAllString(d.Was.Text, "") == declaredEncoding.ReplaceAllString(d.Is.Text, "")
}

var declaredEncoding = regexp.MustCompile(`\s*encoding=("[^"]*"|'[^']*')`)

// unquoted is a cell without its quotes.
func unquoted(raw string) string {
	if len(raw) >= 2 && raw[0] == '"' && raw[len(raw)-1] == '"' {
		return strings.ReplaceAll(raw[1:len(raw)-1], `""`, `"`)
	}
	return raw
}

var oneLineEnd = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace

func verdictIs(v harness.Verdict) func(*state, *harness.Difference) harness.Verdict {
	return func(*state, *harness.Difference) harness.Verdict { return v }
}

// outgoing judges by direction: what the target reads, and what it sends.
func outgoing(in, out harness.Verdict) func(*state, *harness.Difference) harness.Verdict {
	return func(s *state, d *harness.Difference) harness.Verdict {
		if s.downstream(d) {
			return out
		}
		return in
	}
}

// worse judges a fact that should not be there: it came or grew, or it went.
func worse(came, went harness.Verdict) func(*state, *harness.Difference) harness.Verdict {
	return func(_ *state, d *harness.Difference) harness.Verdict {
		if d.Is.IsAbsent() {
			return went
		}
		return came
	}
}

// lineEndVerdict: a lone CR joins all lines of a reader that does not know it, and mixed ends are seldom meant.
func lineEndVerdict(s *state, d *harness.Difference) harness.Verdict {
	switch {
	case d.Is.Text == "CR":
		return harness.Breaking
	case strings.HasPrefix(d.Is.Text, "mixed"):
		return harness.Review
	}
	return outgoing(harness.Benign, harness.Review)(s, d)
}

// columnOrderVerdict: only readers by name do not mind.
func columnOrderVerdict(s *state, d *harness.Difference) harness.Verdict {
	switch {
	case s.downstream(d):
		return harness.Review
	case s.Integration.Reads == "position":
		return harness.Breaking
	case s.Integration.Reads == "name":
		return harness.Benign
	}
	return harness.Review
}

// markVerdict: in a table the mark becomes a part of the first column's name.
func markVerdict(s *state, d *harness.Difference) harness.Verdict {
	if d.Was.IsAbsent() && s.isTable(d) {
		return harness.Breaking
	}
	return harness.Review
}

// isTable reports whether the body of the difference has a header row.
func (s *state) isTable(d *harness.Difference) bool {
	r := s.read(s.before.byID[d.Exchange])
	format, err := r.format(d.Path[0].Name)
	s.note(err)
	return format == "csv"
}

func sayFact(text string) func(*harness.Difference) string {
	return func(d *harness.Difference) string { return fmt.Sprintf(text, orNone(d.Is), orNone(d.Was)) }
}

func orNone(v harness.Value) string {
	if v.IsAbsent() {
		return "none"
	}
	return v.Text
}

// sayMore says that something came or grew, or that it went.
func sayMore(came, went string) func(*harness.Difference) string {
	return func(d *harness.Difference) string {
		switch {
		case d.Is.IsAbsent():
			return went
		case d.Was.IsAbsent():
			return fmt.Sprintf(came, d.Is.Text)
		}
		return fmt.Sprintf(came, d.Is.Text) + ", had " + d.Was.Text
	}
}

func sayQuoting(d *harness.Difference) string {
	if d.Is.IsAbsent() {
		return "quotes only some of its values now, had quoted all"
	}
	return "quotes all of its values now, had quoted only some"
}

func sayLastLine(d *harness.Difference) string {
	if d.Is.Text == "no" {
		return "ends without a line end behind its last line now"
	}
	return "ends with a line end behind its last line now"
}

func sayMark(d *harness.Difference) string {
	if d.Is.IsAbsent() {
		return "has no byte order mark any more (EF BB BF at its start); readers that tell UTF-8 by it now take the file for Latin-1"
	}
	return "begins with a byte order mark now (EF BB BF); readers that do not skip it take it for a part of the first name or value"
}

func sayEncoding(d *harness.Difference) string {
	now, old := orPlain(d.Is), orPlain(d.Was)
	return fmt.Sprintf("is encoded as %s now, was %s", now, old)
}

func orPlain(v harness.Value) string {
	if v.IsAbsent() {
		return "UTF-8"
	}
	return v.Text
}
