package explain

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/explain/infer"
	"github.com/rehearse-dev/rehearse/harness/explain/severity"
)

// recodings are the ways in which text changes its encoding and nothing else.
var recodings = []struct {
	sentence string // continues "X is …"
	next     string
	know     func(*severity.Change) // what the table of severity must know about it; may be nil
	did      func(was, is string) bool
}{
	{"Windows-1252 (or Latin-1) now instead of UTF-8", "Set the encoding of this input to Windows-1252 in the mapping, or ask for UTF-8.", nil, toWestern},
	{"UTF-8 now instead of Windows-1252 (or Latin-1)", "Set the encoding of this input to UTF-8 in the mapping.", nil, func(was, is string) bool { return toWestern(is, was) }},
	{"encoded as UTF-8 twice", "Find the step that takes UTF-8 for Windows-1252 and encodes it once more.", nil, twice},
	{"UTF-8 as it should be: it had been encoded twice", "Nothing to do here; check the names that receivers keep from before, and that no step repairs them once more.", repaired, func(was, is string) bool { return twice(is, was) }},
	{"without its special letters: they became ? or \uFFFD", "Find the step that cannot hold these letters; what is lost cannot be restored behind it.", nil, lettersLost},
	{"in another Unicode form: letters and accents are composed differently", "Normalize to NFC before names are compared or matched; they look the same and are not.", sameLook, otherForm},
	{"without the accents of its letters", "Find the step that strips accents; people are found and greeted by their names.", nil, accentsLost},
	{"without its special letters: they are left out", "Find the step that cannot hold these letters; what is lost cannot be restored behind it.", nil, lettersDropped},
}

func repaired(c *severity.Change) { c.Repaired = true }

func sameLook(c *severity.Change) { c.SameLook = true }

// detectEncoding claims texts whose encoding changed, in every operation at once, with the facts about the files that
// hold them: the bytes go on to where the target hands them.
func detectEncoding(s *state) {
	for _, r := range recodings {
		texts := s.unclaimed(func(d *harness.Difference) bool {
			return d.Class == harness.Changed && d.Was.Kind == harness.KindString && d.Is.Kind == harness.KindString && r.did(d.Was.Text, d.Is.Text)
		})
		if len(texts) == 0 {
			continue
		}
		slots := map[slot]bool{}
		for _, i := range texts {
			slots[slotOf(s.at(i))] = true
		}
		facts := s.unclaimed(func(d *harness.Difference) bool {
			return slots[slotOf(d)] && (isEncodingFact(d) || isDeclaredEncoding(d))
		})
		first := s.at(texts[0])
		f := s.sized(texts)
		f.Count, f.Of = s.recordsHit(texts, slotOf(first)), s.population(first)
		f.Hit, f.NextStep = s.hits(texts), r.next
		f.Sentence = fmt.Sprintf("%s from %s is %s (special letters in %d of %s).", first.Operation, s.side(answerer(first)), r.sentence, f.Count, count(f.Of, unitOf(first)))
		s.level(&f, texts, r.know)
		f.Effects = s.encodingEffects(texts, slotOf(first))
		f.Proof = fmt.Sprintf("This alone makes the new text of the old one in %s%s.", count(len(texts), "place"), bytesSeen(s, texts))
		s.claim(f, slices.Concat(s.take(texts), s.take(facts)))
	}
}

// recordsHit counts the records, or the places outside of records, in one slot.
func (s *state) recordsHit(list []int, k slot) int {
	seen := map[string]bool{}
	for _, i := range list {
		if d := s.at(i); slotOf(d) == k {
			seen[d.Exchange+"\x00"+d.Record] = true
		}
	}
	return len(seen)
}

// encodingEffects says where else these texts go.
func (s *state) encodingEffects(list []int, own slot) []string {
	var effects []string
	var done []slot
	for _, i := range list {
		d := s.at(i)
		k := slotOf(d)
		if k == own || slices.Contains(done, k) {
			continue
		}
		done = append(done, k)
		effects = append(effects, fmt.Sprintf("%s to %s carries them on: %d of %s. A receiver that wants UTF-8 refuses them or shows wrong letters.",
			d.Operation, s.side(receiver(d)), s.recordsHit(list, k), count(s.population(d), unitOf(d))))
	}
	return effects
}

// bytesSeen names the bytes that are no UTF-8, where there are some.
func bytesSeen(s *state, list []int) string {
	var seen []string
	for _, i := range list {
		for _, text := range []string{s.at(i).Is.Text, s.at(i).Was.Text} {
			for rest := text; len(rest) > 0; {
				r, n := utf8.DecodeRuneInString(rest)
				if b := fmt.Sprintf("%02X", rest[0]); r == utf8.RuneError && n == 1 && !slices.Contains(seen, b) {
					seen = append(seen, b)
				}
				rest = rest[n:]
			}
		}
	}
	if len(seen) == 0 {
		return ""
	}
	slices.Sort(seen)
	return "; the bytes are " + listSome(seen, 12)
}

// isEncodingFact reports whether the difference is a fact about how a file spells its text.
func isEncodingFact(d *harness.Difference) bool {
	return len(d.Path) == 3 && d.Path[1].Name == "form" && (d.Path[2].Name == "encoding" || strings.HasPrefix(d.Path[2].Name, "byte order mark"))
}

// toWestern reports whether is spells the text of was in Windows-1252, of which Latin-1 is the greater part.
func toWestern(was, is string) bool {
	if !utf8.ValidString(was) || utf8.ValidString(is) {
		return false
	}
	spelled, err := charmap.Windows1252.NewEncoder().String(was)
	return err == nil && spelled == is
}

// twice reports whether the bytes of was were taken for Windows-1252, or for Latin-1, and encoded again.
func twice(was, is string) bool {
	if len(was) == utf8.RuneCountInString(was) || was == is {
		return false
	}
	for _, taken := range []*charmap.Charmap{charmap.Windows1252, charmap.ISO8859_1} {
		if again, err := taken.NewDecoder().String(was); err == nil && again == is {
			return true
		}
	}
	return false
}

// lettersLost reports whether is has a stand-in for every letter of was beyond ASCII, or for every byte of it.
func lettersLost(was, is string) bool {
	if len(was) == utf8.RuneCountInString(was) || !strings.ContainsAny(is, "?\uFFFD") {
		return false
	}
	for _, standIn := range []string{"?", "\uFFFD"} {
		for _, byBytes := range []bool{false, true} {
			var b strings.Builder
			for _, r := range was {
				switch n := utf8.RuneLen(r); {
				case r < utf8.RuneSelf:
					b.WriteRune(r)
				case byBytes:
					b.WriteString(strings.Repeat(standIn, n))
				default:
					b.WriteString(standIn)
				}
			}
			if b.String() == is {
				return true
			}
		}
	}
	return false
}

// otherForm reports whether the texts differ in composition only.
func otherForm(was, is string) bool { return was != is && norm.NFC.String(was) == norm.NFC.String(is) }

// accentsLost reports whether is spells was without accents.
func accentsLost(was, is string) bool { return was != is && infer.Unaccented(was) == is }

// lettersDropped reports whether is lacks the letters of was beyond ASCII, and nothing else.
func lettersDropped(was, is string) bool {
	return !strings.HasPrefix(was, is) && strings.Map(func(r rune) rune {
		if r >= utf8.RuneSelf {
			return -1
		}
		return r
	}, was) == is && strings.ContainsFunc(was, func(r rune) bool { return r >= utf8.RuneSelf && unicode.IsLetter(r) })
}
