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
	verdict  harness.Verdict // empty: as the table of severity says
	did      func(was, is string) bool
}{
	{"Leading zeros are lost", "Each old value becomes the new one when its leading zeros are taken away; nothing else differs in these fields.", "", lostZeros},
	{"Numbers are in scientific notation, and their last digits can be lost", "Each new value is the old one, rounded.", "", isRounded},
	{"Long numbers have zeros behind their first 15 digits, which is all that a spreadsheet keeps", "The first 15 digits of each value are as before.", "", isCutToFifteen},
	{"Codes have become dates", "Each new value is what a spreadsheet makes of the old one.", "", becameDate},
	{"The plus sign in front of numbers is lost", "Each new value is the old one without its plus sign.", "", lostPlus},
	{"Trailing zeros are lost: an amount is the same, a version or code such as 1.10 is another one", "Each old value becomes the new one when the zeros at its end are taken away.", harness.Review, lostTrailingZeros},
}

// detectDamage claims identifiers that were damaged, in every operation at once: one mapping mistake damages an
// identifier wherever it goes.
func detectDamage(s *state) {
	for _, damage := range damages {
		all := s.withoutRounded(s.unclaimed(func(d *harness.Difference) bool {
			return inBody(d) && d.Was.Kind == harness.KindString && isText(d.Is) && d.Was.Text != d.Is.Text && damage.did(d.Was.Text, d.Is.Text)
		}))
		if len(all) == 0 {
			continue
		}
		f := s.sized(all)
		f.Verdict, f.Of, f.Hit, f.Proof = damage.verdict, 0, s.hits(all), damage.proof
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
		s.claimWithEffects(f, own)
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
	codeWithE  = regexp.MustCompile(`^[0-9]+[eE][0-9]{1,3}$`)
)

// isRounded reports whether is can be was in scientific notation, rounded to the digits that is shows. A code such as
// 12E4 is such a number for a spreadsheet.
func isRounded(was, is string) bool {
	parts := scientific.FindStringSubmatch(is)
	if parts == nil || was == is || !longDigits.MatchString(was) && !codeWithE.MatchString(was) {
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

// isCutToFifteen reports whether the digits behind the fifteenth became zeros.
func isCutToFifteen(was, is string) bool {
	const kept = 15
	return len(was) > kept && len(was) == len(is) && onlyDigits.MatchString(was) && was[:kept] == is[:kept] && strings.Trim(is[kept:], "0") == ""
}

// lostPlus reports whether a number lost its plus sign, as telephone numbers do.
func lostPlus(was, is string) bool {
	const shortest = 7
	return was == "+"+is && len(is) >= shortest && onlyDigits.MatchString(is)
}

var decimalWithZeros = regexp.MustCompile(`^-?[0-9]+\.[0-9]*0$`)

// lostTrailingZeros reports whether is can be was without the zeros at the end of its decimals.
func lostTrailingZeros(was, is string) bool {
	return decimalWithZeros.MatchString(was) && strings.TrimSuffix(strings.TrimRight(was, "0"), ".") == is
}

var (
	monthDay  = regexp.MustCompile(`^(1[0-2]|0?[1-9])[-/](\d{1,4})$`)
	wordDay   = regexp.MustCompile(`^(?i)(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[- ]?(\d{1,4})$`)
	shortDate = regexp.MustCompile(`^(?:(\d{1,4})-)?(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)(?:-(\d{1,4}))?$`)
	wholeDate = regexp.MustCompile(`^(?:(\d{1,2})/(\d{1,2})/\d{2,4}|\d{4}-(\d\d)-(\d\d)(?:[T ]00:00:00)?)$`)
)

const months = "JanFebMarAprMayJunJulAugSepOctNovDec"

// becameDate reports whether is can be the date that a spreadsheet makes of was: 3-26 → Mar-26, 26-Mar, 3/26/2026 or
// 2026-03-26, and MAR1 → 1-Mar.
func becameDate(was, is string) bool {
	var month int
	var day string
	if a := monthDay.FindStringSubmatch(was); a != nil {
		month, _ = strconv.Atoi(a[1])
		day = a[2]
	} else if a := wordDay.FindStringSubmatch(was); a != nil {
		month, day = 1+strings.Index(strings.ToLower(months), strings.ToLower(a[1]))/3, a[2]
	} else {
		return false
	}
	same := func(x, y string) bool { return x != "" && strings.TrimLeft(x, "0") == strings.TrimLeft(y, "0") }
	if b := shortDate.FindStringSubmatch(is); b != nil {
		return months[(month-1)*3:month*3] == b[2] && (b[1] == "") != (b[3] == "") && same(b[1]+b[3], day)
	}
	b, m := wholeDate.FindStringSubmatch(is), strconv.Itoa(month)
	return b != nil && (same(b[1], m) && same(b[2], day) || same(b[2], m) && same(b[1], day) || same(b[3], m) && same(b[4], day))
}
