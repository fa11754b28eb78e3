package report

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rehearse-dev/rehearse/harness"
)

// shape hides a value and keeps its form: every letter becomes x or X, every digit 9. Signs stay, so that a reader sees
// 99/99/9999 become 9999-99-99.
func shape(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError || unicode.IsUpper(r):
			return 'X'
		case unicode.IsLetter(r) || unicode.IsMark(r):
			return 'x'
		case unicode.IsDigit(r):
			return '9'
		}
		return r
	}, s)
}

// mask hides the values of recordings in everything that a report says, for readers who may not see them.
type mask struct {
	known   map[string]bool
	phrases map[string][]string // values of several words, by their first word, the longest first
}

// masked returns a copy of the report in which every value of the recordings is hidden behind its shape: in samples,
// differences, keys of records and sentences. Names of fields, files, systems and people stay; counts stay, too. What
// programs said is left out, because nobody knows what it quotes.
func masked(r *harness.Report) *harness.Report {
	m := mask{known: map[string]bool{}, phrases: map[string][]string{}}
	for _, f := range r.Findings {
		m.learn(f)
	}
	for _, s := range r.Suppressed {
		m.learnDifference(s.Sample)
	}
	for _, list := range m.phrases {
		slices.SortFunc(list, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	}
	out := *r
	out.Reason = m.prose(r.Reason)
	out.Findings = each(r.Findings, m.finding)
	out.Suppressed = each(r.Suppressed, func(s harness.Suppression) harness.Suppression {
		s.Sample = m.difference(s.Sample)
		return s
	})
	out.Masked = true
	out.Notes = append(each(r.Notes, m.prose), "Values are hidden behind their shapes: letters became x, digits 9.")
	if !isOpen(r) {
		out.Notes = append(out.Notes, "They are hidden because a recording has no seal and nobody vouches for it; where live test systems hold no personal data, write egress: {personal-data: none} in the scenario.")
	}
	out.Logs = each(r.Logs, func(l harness.Log) harness.Log {
		return harness.Log{System: l.System, Text: plural(strings.Count(l.Text, "\n"), "line is", "lines are") + " hidden"}
	})
	return &out
}

// learn notes the values that the finding may quote.
func (m mask) learn(f harness.Finding) {
	for _, d := range f.Differences {
		m.learnDifference(d)
	}
	for _, s := range f.Samples {
		m.add(s.Was)
		m.add(s.Is)
		m.learnDifference(s.Source)
	}
	for _, g := range f.Hit {
		for _, v := range g.Values {
			m.add(v)
		}
	}
	if f.Cause != nil {
		for _, c := range f.Cause.Rule.Table {
			m.add(c.Was)
			m.add(c.Is)
		}
	}
}

func (m mask) learnDifference(d harness.Difference) {
	m.add(d.Session)
	for _, v := range []harness.Value{d.Was, d.Is} {
		if v.Kind == harness.KindString || v.Kind == harness.KindNumber || v.Kind == harness.KindBytes {
			m.add(v.Text)
		}
		for _, f := range v.Fields {
			m.add(f.Value)
		}
	}
	for _, s := range d.Path {
		for _, k := range s.Keys {
			m.add(k.Value)
		}
	}
}

// add notes a value, and the words of a value that has several: a sentence may quote one of them.
func (m mask) add(text string) {
	if m.known[text] {
		return
	}
	m.known[text] = true
	if words := wordsIn(text); len(words) > 1 && len(words) <= 50 {
		text = text[strings.Index(text, words[0]):]
		m.phrases[words[0]] = append(m.phrases[words[0]], text)
		for _, w := range words {
			if len(w) > 2 {
				m.known[w] = true
			}
		}
	}
}

func isWordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) }

func wordsIn(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return !isWordRune(r) })
}

// prose hides the known values within a sentence: those of several words as a whole, the others word by word. A number
// of up to four digits stays, because it can be a count.
func (m mask) prose(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		end := strings.IndexFunc(s, func(r rune) bool { return !isWordRune(r) })
		switch end {
		case 0:
			_, end = utf8.DecodeRuneInString(s)
		case -1:
			end = len(s)
		}
		word := s[:end]
		hide := m.known[word] && !isCount(word)
		if i := slices.IndexFunc(m.phrases[word], func(p string) bool { return strings.HasPrefix(s, p) }); i >= 0 {
			word, hide = m.phrases[word][i], true
		}
		s = s[len(word):]
		if hide {
			word = shape(word)
		}
		b.WriteString(word)
	}
	return b.String()
}

func isCount(word string) bool {
	const longest = 4
	return len(word) <= longest && strings.Trim(word, "0123456789") == ""
}

func (m mask) finding(f harness.Finding) harness.Finding {
	f.Sentence, f.Proof, f.NextStep, f.Source = m.prose(f.Sentence), m.prose(f.Proof), m.prose(f.NextStep), m.prose(f.Source)
	f.Severity = m.prose(f.Severity)
	f.Effects, f.Target = each(f.Effects, m.prose), each(f.Target, m.prose)
	f.Hit = each(f.Hit, func(g harness.Group) harness.Group {
		g.Values = each(g.Values, shape)
		return g
	})
	f.Samples = each(f.Samples, func(s harness.Sample) harness.Sample {
		return harness.Sample{Where: m.record(s.Where), Field: s.Field, Was: hidden(s.Was), Is: hidden(s.Is), Source: m.difference(s.Source)}
	})
	f.Lineage = each(f.Lineage, func(l harness.Flow) harness.Flow {
		l.By, l.Evidence = m.prose(l.By), m.prose(l.Evidence)
		return l
	})
	if f.Cause != nil {
		cause := *f.Cause
		cause.Rule.Says, cause.Rule.When, cause.Rule.Table, cause.Rule.Params = m.prose(cause.Rule.Says), m.prose(cause.Rule.When), nil, nil
		f.Cause = &cause
	}
	f.Differences = each(f.Differences, m.difference)
	return f
}

// hidden is the shape of a sample's side; words that stand for no value stay.
func hidden(text string) string {
	switch text {
	case "(absent)", "(empty)", "null", "true", "false":
		return text
	}
	return shape(text)
}

// record hides the values within the name of a record, CRN=00892 ID=H00000117.
func (m mask) record(s string) string {
	var b strings.Builder
	parts := strings.Split(s, "=")
	for i, part := range parts {
		if i == 0 {
			b.WriteString(m.prose(part))
			continue
		}
		value, name := part, ""
		if at := strings.LastIndexByte(part, ' '); at >= 0 && i+1 < len(parts) {
			value, name = part[:at], m.prose(part[at:])
		}
		b.WriteString("=" + shape(value) + name)
	}
	return b.String()
}

func (m mask) difference(d harness.Difference) harness.Difference {
	d.Session, d.Record = shape(d.Session), m.record(d.Record)
	d.Was, d.Is = hiddenValue(d.Was), hiddenValue(d.Is)
	path := make(harness.Path, len(d.Path))
	for i, s := range d.Path {
		s.Keys = each(s.Keys, func(k harness.Field) harness.Field { return harness.Field{Name: k.Name, Value: shape(k.Value)} })
		path[i] = s
	}
	d.Path = path
	return d
}

// hiddenValue hides a text or number. Containers are left out as a whole: their renditions mix names and values.
func hiddenValue(v harness.Value) harness.Value {
	switch v.Kind {
	case harness.KindArray, harness.KindObject:
		v.Text = "(hidden)"
	case harness.KindString, harness.KindNumber, harness.KindBytes:
		v.Text = shape(v.Text)
	}
	v.Fields = each(v.Fields, func(f harness.Field) harness.Field { return harness.Field{Name: f.Name, Value: shape(f.Value)} })
	return v
}

// isOpen reports whether the values of a report may be shown: both recordings are sealed, so that they hold stand-ins or
// what a policy keeps, or somebody vouches for the one that is not.
func isOpen(r *harness.Report) bool {
	return r.Vouched || r.Before.Manifest.Sealed() && r.After.Manifest.Sealed()
}
