package explain

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rehearse-dev/rehearse/harness"
)

// invisible is the names of characters that cannot be seen.
var invisible = map[rune]string{
	' ': "a blank", '\t': "a tab", '\n': "a line feed", '\r': "a carriage return", '\u00a0': "a no-break space (U+00A0)", '\u00ad': "a soft hyphen (U+00AD)",
	'\u200b': "a zero-width space (U+200B)", '\u200c': "a zero-width non-joiner (U+200C)", '\u200d': "a zero-width joiner (U+200D)",
	'\u200e': "a left-to-right mark (U+200E)", '\u200f': "a right-to-left mark (U+200F)", '\u2060': "a word joiner (U+2060)",
	'\u202f': "a narrow no-break space (U+202F)", '\u3000': "an ideographic space (U+3000)", '\ufeff': "a byte order mark (U+FEFF)", 0: "a zero byte",
}

// isInvisible holds for white space, control and format characters.
func isInvisible(r rune) bool {
	return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || unicode.IsControl(r)
}

func nameOfRune(r rune) string {
	if name := invisible[r]; name != "" {
		return name
	}
	return fmt.Sprintf("an invisible character (U+%04X)", r)
}

// blanksBeside names the invisible characters that is has more often than was, in order.
func blanksBeside(was, is string) []string {
	n := map[rune]int{}
	for _, r := range was {
		n[r]++
	}
	var names []string
	for _, r := range is {
		if n[r]--; n[r] < 0 && isInvisible(r) && !slices.Contains(names, nameOfRune(r)) {
			names = append(names, nameOfRune(r))
		}
	}
	return names
}

// detectBlanks claims values that differ in blanks and invisible characters only, by the characters that came and went.
func detectBlanks(s *state) {
	all := s.groups(func(d *harness.Difference) bool {
		return isPlace(d) && d.Class == harness.Changed && d.Was.Kind == harness.KindString && d.Was.Text != "" && d.Is.Text != "" &&
			withoutInvisible(d.Was.Text) == withoutInvisible(d.Is.Text) && oneLineEnd(d.Was.Text) != oneLineEnd(d.Is.Text)
	})
	for _, alike := range alikeBy(all, func(i int) string { return blanksChanged(s.at(i)) }) {
		s.claimBlanks(alike)
	}
}

func withoutInvisible(text string) string {
	return strings.Map(func(r rune) rune {
		if isInvisible(r) {
			return -1
		}
		return r
	}, text)
}

// blanksChanged says which characters came and went, and where.
func blanksChanged(d *harness.Difference) string {
	var parts []string
	if came := blanksBeside(d.Was.Text, d.Is.Text); len(came) > 0 {
		parts = append(parts, list(came)+" came "+placeOfBlanks(d.Is.Text))
	}
	if went := blanksBeside(d.Is.Text, d.Was.Text); len(went) > 0 {
		parts = append(parts, list(went)+" went "+placeOfBlanks(d.Was.Text))
	}
	if len(parts) == 0 {
		return "blanks stand on the other side of the value"
	}
	return list(parts)
}

// placeOfBlanks says where the text has its outermost invisible characters.
func placeOfBlanks(text string) string {
	first, last := strings.TrimLeftFunc(text, isInvisible) != text, strings.TrimRightFunc(text, isInvisible) != text
	switch {
	case first && last:
		return "at both ends"
	case first:
		return "at the start"
	case last:
		return "at the end"
	}
	return "within the value"
}

func (s *state) claimBlanks(groups []group) {
	first := s.at(groups[0].list[0])
	f := s.sized(groups[0].list)
	f.Hit = s.hits(groups[0].list)
	f.Sentence = fmt.Sprintf("%q in %s from %s differs in characters that cannot be seen: %s (%s).", fieldName(first), first.Operation, s.side(answerer(first)), blanksChanged(first), s.share(groups[0].list))
	f.Proof = "Without blanks and invisible characters the values are the same."
	f.NextStep = "Trim the value where it is read, and say so with a rule {compare: trim}; ask where the characters come from."
	s.kind.Kind, s.kind.Title = "F22", "blanks changed"
	if s.isFill(groups) || s.isFixed(first) {
		s.kind.Kind, s.kind.Title = "F17", "padding changed"
		f.Verdict = harness.Breaking
		f.NextStep = "Restore the width that the receiver demands, or ask it whether it takes the value without padding."
	}
	var all []int
	for n, g := range groups {
		d := s.at(g.list[0])
		all = append(all, g.list...)
		if n > 0 {
			s.alsoAt(&f, g.list)
		}
		if s.isKeyField(d) && f.Verdict != harness.Breaking {
			f.Verdict = harness.Breaking
			f.Effects = append(f.Effects, fmt.Sprintf("%s is a key: a receiver that compares it finds no record, or makes a new one.", fieldName(d)))
		}
	}
	own := s.take(all)
	s.claimWithEffects(f, own)
}

// isFixed reports whether the body has records of fixed width, in which blanks belong to the layout.
func (s *state) isFixed(d *harness.Difference) bool {
	r := s.read(s.before.byID[d.Exchange])
	format, err := r.format(d.Path[0].Name)
	s.note(err)
	return format == "fixed"
}

// isKeyField reports whether the place is a member of the key of its record.
func (s *state) isKeyField(d *harness.Difference) bool {
	return slices.ContainsFunc(keysOf(d.Path), func(k harness.Field) bool { return k.Name == d.Path.Leaf() })
}

// isFill reports whether plain blanks filled values of different lengths to one width, on the one side or the other.
func (s *state) isFill(groups []group) bool {
	widths, lengths, fewest := map[int]bool{}, map[int]bool{}, 0
	for _, g := range groups {
		for _, i := range g.list {
			long, short := s.at(i).Was.Text, s.at(i).Is.Text
			if len(long) < len(short) {
				long, short = short, long
			}
			if strings.TrimRight(long, " ") != short && (len(long) != len(short) || strings.Trim(long, " ") != strings.Trim(short, " ")) {
				return false
			}
			plain := strings.Trim(short, " ")
			widths[utf8.RuneCountInString(long)], lengths[len(plain)] = true, true
			if n := len(long) - len(plain); fewest == 0 || n < fewest {
				fewest = n
			}
		}
	}
	const narrow = 8 // values of one length say something only when several blanks fill a field of some width
	for width := range widths {
		return len(widths) == 1 && (len(lengths) > 1 || width >= narrow && fewest > 1)
	}
	return false
}
