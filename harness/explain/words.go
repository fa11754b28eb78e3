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
			if rest := d.Path[i+1:]; len(rest) > 0 {
				return rest.String()
			}
		}
	}
	if len(d.Path) > 2 {
		return d.Path[2:].String()
	}
	return d.Path.String()
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

// count writes a number with its noun: 1 row, 7 rows.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + plural(noun)
}

// plural of the nouns that this package uses.
func plural(noun string) string { return noun + "s" }

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

// unitOf is the noun for what an operation carries: rows of a file, calls of an interface.
func unitOf(d *harness.Difference) string {
	switch {
	case d.Channel == harness.ChannelFile:
		return "row"
	case hasElement(d.Path):
		return "record"
	default:
		return "call"
	}
}

func hasElement(p harness.Path) bool {
	return slices.ContainsFunc(p, func(s harness.Step) bool { return s.Kind != harness.StepName })
}

// hits groups the key values of the records that are hit, field by field; differences outside of records are grouped
// by session. A field with one value tells nobody apart and is left out when there are others.
func (s *state) hits(list []int) []harness.Group {
	sets := map[string]valueSet{}
	var order []string
	add := func(field, text string) {
		set, ok := sets[field]
		if !ok {
			set = valueSet{counts: map[string]int{}}
			order = append(order, field)
		}
		set.counts[text]++
		set.total++
		sets[field] = set
	}
	for _, i := range list {
		if keys := keysOf(s.at(i).Path); len(keys) > 0 {
			for _, k := range keys {
				add(k.Name, k.Value)
			}
		} else if d := s.at(i); d.Session != "" && d.Channel != harness.ChannelFile {
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
	return strings.TrimSpace(system + ": " + d.Operation + " " + strings.TrimPrefix(fieldOf(*d), "record"))
}

// side names a system for people.
func (s *state) side(system string) string { return s.Catalogue.SystemTitle(system) }

// distinct counts the different texts that of yields over the differences.
func (s *state) distinct(list []int, of func(*harness.Difference) string) valueSet {
	var texts []string
	for _, i := range list {
		texts = append(texts, of(s.at(i)))
	}
	return setOf(texts)
}
