package explain

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// damages is what a detour over a number or a spreadsheet does to an identifier.
var damages = []struct {
	sentence string // continued by the counts
	proof    string
	did      func(was, is string) bool
}{
	{"Leading zeros are lost", "Each old value becomes the new one when its leading zeros are taken away; nothing else differs in these fields.", lostZeros},
	{"Long numbers are in scientific notation, and their last digits are lost", "Each new value is the old one, rounded.", isRounded},
	{"Numbers have become dates", "Each new value is what a spreadsheet makes of the old one.", becameDate},
}

// detectDamage claims identifiers that were damaged, in every operation at once: one mapping mistake damages an
// identifier wherever it goes.
func detectDamage(s *state) {
	for _, damage := range damages {
		all := s.unclaimed(func(d *harness.Difference) bool {
			return inBody(d) && d.Was.Kind == harness.KindString && isText(d.Is) && d.Was.Text != d.Is.Text && damage.did(d.Was.Text, d.Is.Text)
		})
		if len(all) == 0 {
			continue
		}
		f := s.sized(all)
		f.Of, f.Hit, f.Proof = 0, s.hits(all), damage.proof
		f.NextStep = "Keep the identifier as text in the mapping: no conversion to a number, no spreadsheet in between."
		var counts []string
		for _, g := range s.grouped(all) {
			d := s.at(g.list[0])
			counts = append(counts, count(s.places(g.list), unitOf(d))+" of "+d.Operation)
			f.Effects = append(f.Effects, fmt.Sprintf("%s to %s: %s in %s, such as %s → %s.",
				d.Operation, s.side(receiver(d)), fieldName(d), s.share(g.list), textOf(d.Was), textOf(d.Is)))
			f.Target = append(f.Target, s.place(receiver(d), d))
		}
		f.Sentence = fmt.Sprintf("%s: %s.", damage.sentence, list(counts))
		own := s.take(all)
		c := s.consequences(own)
		c.addTo(&f)
		s.claim(f, append(own, c.list...))
	}
}

func isText(v harness.Value) bool {
	return v.Kind == harness.KindString || v.Kind == harness.KindNumber
}

var leadingZeros = regexp.MustCompile(`(^|[^0-9.])0+([0-9])`)

// lostZeros reports whether is can be was without the leading zeros of its numbers.
func lostZeros(was, is string) bool {
	return len(is) < len(was) && strings.Contains(was, "0") && leadingZeros.ReplaceAllString(was, "$1$2") == is
}

var (
	scientific = regexp.MustCompile(`^[0-9](\.([0-9]+))?[eE]\+?[0-9]+$`)
	longDigits = regexp.MustCompile(`^[0-9]{11,}$`)
)

// isRounded reports whether is can be was in scientific notation, rounded to the digits that is shows.
func isRounded(was, is string) bool {
	parts := scientific.FindStringSubmatch(is)
	if parts == nil || !longDigits.MatchString(was) {
		return false
	}
	whole, err := strconv.ParseFloat(was, 64)
	if err != nil {
		return false
	}
	now, err := strconv.ParseFloat(is, 64)
	if err != nil {
		return false
	}
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(whole, 'e', len(parts[2]), 64), 64)
	return err == nil && rounded == now
}

var (
	monthDay  = regexp.MustCompile(`^(1[0-2]|0?[1-9])[-/](\d{1,4})$`)
	shortDate = regexp.MustCompile(`^(?:(\d{1,4})-)?(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)(?:-(\d{1,4}))?$`)
)

const months = "JanFebMarAprMayJunJulAugSepOctNovDec"

// becameDate reports whether is can be the date that a spreadsheet makes of was: 3-26 → Mar-26 or 26-Mar.
func becameDate(was, is string) bool {
	a, b := monthDay.FindStringSubmatch(was), shortDate.FindStringSubmatch(is)
	if a == nil || b == nil {
		return false
	}
	month, err := strconv.Atoi(a[1])
	return err == nil && months[(month-1)*3:month*3] == b[2] && (b[1] == "") != (b[3] == "") && strings.TrimLeft(b[1]+b[3], "0") == strings.TrimLeft(a[2], "0")
}
