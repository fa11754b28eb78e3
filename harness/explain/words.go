package explain

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// where says in which operation and record a difference lies.
func where(d harness.Difference) string {
	if d.Record != "" {
		return d.Operation + ", " + d.Record
	}
	if d.Session != "" && d.Channel == harness.ChannelHTTP {
		return d.Operation + ", " + d.Session
	}
	return d.Operation
}

// fieldOf names the place within the record or message.
func fieldOf(d harness.Difference) string {
	if isCall(&d) {
		return "call"
	}
	switch {
	case d.Class == harness.Moved:
		return "order"
	case isRecord(&d):
		return "record"
	}
	if len(d.Path) >= 2 && d.Path[1].Name == "form" {
		return d.Path.Leaf()
	}
	for i := len(d.Path) - 1; i >= 0; i-- {
		if k := d.Path[i].Kind; k == harness.StepKey || k == harness.StepEach || k == harness.StepIndex {
			if rest := d.Path[i+1:]; len(rest) == 1 && rest[0].Kind == harness.StepName {
				return rest[0].Name // as people write it, without the quotes of a path
			} else if len(rest) > 0 {
				return rest.String()
			}
		}
	}
	if len(d.Path) > 2 && d.Path[1].Name == "head" {
		if name, ok := pseudoFields[d.Path[2].Name]; ok {
			return name
		}
	}
	if len(d.Path) > 2 {
		return d.Path[2:].String()
	}
	return wholes[d.Path.String()]
}

// wholes is the words for a message and its parts.
var wholes = map[string]string{
	"request": "request", "response": "answer", "fault": "interruption", "request.body": "body of the request", "response.body": "body of the answer",
}

// pseudoFields is the words for the fields that stand beside the headers.
var pseudoFields = map[string]string{
	harness.FieldMethod: "method", harness.FieldPath: "path", harness.FieldStatus: "status code", harness.FieldProto: "protocol", harness.FieldTLS: "encryption", harness.FieldCert: "certificate", harness.FieldCertEnd: "end of the certificate",
	harness.FieldName: "file name", harness.FieldModified: "modification time",
}

// textOf shows a value: absence and null in words, so that they are told apart from texts.
func textOf(v harness.Value) string {
	switch {
	case v.IsAbsent():
		return "(absent)"
	case v.Kind == harness.KindNull:
		return "null"
	case v.Kind == harness.KindString && v.Text == "":
		return "(empty)"
	default:
		return v.Text
	}
}

// inWords is textOf within a sentence.
func inWords(v harness.Value) string {
	switch text := textOf(v); text {
	case "(absent)":
		return "missing"
	case "(empty)":
		return "empty"
	default:
		return short(text)
	}
}

// count writes a number with its noun: 1 row, 7 rows.
func count(n int, noun string) string { return harness.Count(n, noun) }

// plural is the noun of several things.
func plural(noun string) string { return harness.Plural(noun) }

// percent writes a share with at most two decimals.
func percent(part, whole int) string {
	if whole == 0 {
		return "0 %"
	}
	s := strconv.FormatFloat(100*float64(part)/float64(whole), 'f', 2, 64)
	return strings.TrimRight(strings.TrimRight(s, "0"), ".") + " %"
}

// list joins words with commas and a final "and".
func list(words []string) string {
	switch len(words) {
	case 0:
		return ""
	case 1:
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// listSome joins at most max words and says how many more there are.
func listSome(words []string, max int) string {
	if len(words) <= max {
		return list(words)
	}
	return fmt.Sprintf("%s and %d more", strings.Join(words[:max], ", "), len(words)-max)
}

// isAnswered reports whether the difference is in a call and its answer, not in what one side hands on to the other.
func isAnswered(d *harness.Difference) bool { return harness.KindOfChannel(d.Channel).Answered }

// unitOf is the noun for what an operation carries: rows of a file, records and calls of an interface.
func unitOf(d *harness.Difference) string {
	switch {
	case !hasElement(d.Path):
		return harness.KindOfChannel(d.Channel).Unit
	case isElement(d):
		return "element"
	default:
		return harness.KindOfChannel(d.Channel).Row
	}
}

// isElement reports whether the difference is about one element of a list of plain values.
func isElement(d *harness.Difference) bool {
	return isPlace(d) && d.Class != harness.Moved && d.Path[len(d.Path)-1].Kind != harness.StepName
}

func hasElement(p harness.Path) bool {
	return slices.ContainsFunc(p, func(s harness.Step) bool { return s.Kind != harness.StepName })
}

// hits groups the key values of the records that are hit, field by field; differences outside of records are grouped
// by session. A field with one value tells nobody apart and is left out when there are others.
func (s *state) hits(list []int) []harness.Group {
	sets := map[string]*valueSet{}
	var order []string
	add := func(field, text string) {
		if sets[field] == nil {
			sets[field] = setOf(nil)
			order = append(order, field)
		}
		sets[field].add(text)
	}
	for _, i := range list {
		if keys := keysOf(s.at(i).Path); len(keys) > 0 {
			for _, k := range keys {
				add(k.Name, k.Value)
			}
		} else if d := s.at(i); d.Session != "" && isAnswered(d) {
			add("session", d.Session)
		}
	}
	var groups []harness.Group
	for _, field := range order {
		if n := len(sets[field].counts); n > 1 || len(order) == 1 {
			groups = append(groups, harness.Group{Field: field, Values: sets[field].sorted(10), Total: n})
		}
	}
	return groups
}

// keysOf is the keys of the innermost record that a path lies in.
func keysOf(p harness.Path) []harness.Field {
	for i := len(p) - 1; i >= 0; i-- {
		if p[i].Kind == harness.StepKey {
			return p[i].Keys
		}
	}
	return nil
}

// place names a field for people: system, operation, field.
func (s *state) place(system string, d *harness.Difference) string {
	if isCall(d) || isRecord(d) || d.Class == harness.Moved {
		return system + ": " + d.Operation
	}
	return system + ": " + d.Operation + " " + fieldName(d)
}

// side names a system for people.
func (s *state) side(system string) string { return s.Catalogue.SystemTitle(system) }

var verbs = map[harness.ChangeClass]string{
	harness.Changed: "changed", harness.Added: "was added", harness.Removed: "is gone", harness.Retyped: "has another type",
	harness.Moved: "moved", harness.Reformed: "changed its form",
}

// verbOf says what became of the place.
func verbOf(d *harness.Difference) string {
	if d.Class == harness.Retyped && d.Was.Kind == harness.KindNull {
		return "has a value where it was null"
	}
	return verbs[d.Class]
}

// fieldName names the place of all differences of a pattern.
func fieldName(d *harness.Difference) string {
	general := *d
	general.Path = d.Pattern
	return fieldOf(general)
}

// stepFor words a next step for who must take it: where the target is a live system, or nothing was run, there is no
// mapping to be mended.
func (s *state) stepFor(text string) string {
	if t := s.Scenario.Target; t.URL != nil || t.System == "" {
		return strings.ReplaceAll(text, "the mapping", "every reader")
	}
	return text
}

// inQuotes sets a text in quotes that it does not hold itself.
func inQuotes(text string) string {
	if strings.Contains(text, `"`) {
		return "“" + text + "”"
	}
	return strconv.Quote(text)
}

// thatMany writes a number with its noun behind a pointing word: this byte, these 5 bytes.
func thatMany(n int, noun string) string {
	if n == 1 {
		return "this " + noun
	}
	return "these " + count(n, noun)
}

// short cuts a text for a sentence.
func short(text string) string {
	const most = 80
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
