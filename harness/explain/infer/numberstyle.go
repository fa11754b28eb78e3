package infer

import (
	"strings"
)

// numberStyle is how a number is written.
type numberStyle struct {
	thousands, point string
	sign             string // row of signStyles
}

// separators is the pairs of marks for thousands and decimals, the plain one first.
var separators = [][2]string{{"", "."}, {",", "."}, {"", ","}, {".", ","}, {" ", ","}, {"\u00a0", ","}, {"\u202f", ","}, {"'", "."}, {"’", "."}, {" ", "."}}

// signStyles is the ways of writing negative numbers, the plain one first.
var signStyles = []struct {
	name            string
	before, after   string // of a negative number
	pBefore, pAfter string // of a positive number
}{
	{"-", "-", "", "", ""},
	{"trailing -", "", "-", "", ""},
	{"trailing -+", "", "-", "", "+"},
	{"+-", "-", "", "+", ""},
	{"()", "(", ")", "", ""},
	{"CR", "", "CR", "", ""},
	{" CR", "", " CR", "", ""},
	{"CR/DR", "", "CR", "", "DR"},
	{" CR/DR", "", " CR", "", " DR"},
	{"DR", "", "DR", "", ""},
	{" DR", "", " DR", "", ""},
	{"DR/CR", "", "DR", "", "CR"},
	{" DR/CR", "", " DR", "", " CR"},
}

// numberStyles is every combination, simple ones first.
var numberStyles = func() []numberStyle {
	var out []numberStyle
	for _, sign := range signStyles {
		for _, sep := range separators {
			out = append(out, numberStyle{sep[0], sep[1], sign.name})
		}
	}
	return out
}()

func (s numberStyle) isPlain() bool { return s == numberStyle{"", ".", "-"} }

// parse reads a number that is written in exactly this style.
func (s numberStyle) parse(text string) (decimal, bool) {
	body, negative, ok := s.unsigned(text)
	if !ok || len(body) > 2*maxDigits {
		return decimal{}, false
	}
	whole, fraction, hasPoint := strings.Cut(body, s.point)
	if hasPoint && fraction == "" {
		return decimal{}, false
	}
	if s.thousands != "" {
		groups := strings.Split(whole, s.thousands)
		for i, g := range groups {
			if len(g) > 3 || i > 0 && len(g) != 3 {
				return decimal{}, false
			}
		}
		whole = strings.Join(groups, "")
	}
	return digitsToDecimal(whole, fraction, negative)
}

// unsigned takes the sign off.
func (s numberStyle) unsigned(text string) (body string, negative, ok bool) {
	for _, sign := range signStyles {
		if sign.name != s.sign {
			continue
		}
		if cut, ok := between(text, sign.before, sign.after); ok && sign.before+sign.after != "" {
			return cut, true, true
		}
		cut, ok := between(text, sign.pBefore, sign.pAfter)
		return cut, false, ok
	}
	return "", false, false
}

func between(text, before, after string) (string, bool) {
	if len(text) < len(before)+len(after) || !strings.HasPrefix(text, before) || !strings.HasSuffix(text, after) {
		return "", false
	}
	return text[len(before) : len(text)-len(after)], true
}

// format writes the number in this style with the places that it has.
func (s numberStyle) format(d decimal) string {
	whole, fraction, negative := d.split()
	if s.thousands != "" {
		var groups []string
		for len(whole) > 3 {
			groups = append([]string{whole[len(whole)-3:]}, groups...)
			whole = whole[:len(whole)-3]
		}
		whole = strings.Join(append([]string{whole}, groups...), s.thousands)
	}
	if fraction != "" {
		whole += s.point + fraction
	}
	for _, sign := range signStyles {
		switch {
		case sign.name != s.sign:
		case negative:
			return sign.before + whole + sign.after
		default:
			return sign.pBefore + whole + sign.pAfter
		}
	}
	return whole
}

// marksOccur reports whether the marks by which the style differs from the plain one are in the texts.
func (s numberStyle) marksOccur(texts string) bool {
	if !strings.Contains(texts, s.thousands) || s.point == "," && !strings.Contains(texts, ",") {
		return false
	}
	for _, sign := range signStyles[1:] {
		if sign.name != s.sign {
			continue
		}
		for _, mark := range []string{sign.after, sign.pBefore, sign.pAfter} {
			if mark != "" && strings.Contains(texts, mark) {
				return true
			}
		}
		return false
	}
	return true
}

// stylesOf is the styles in which at least half of the texts are numbers; of styles that read them alike the first.
func stylesOf(texts []string) []numberStyle {
	var out []numberStyle
	seen := map[string]bool{}
	all := strings.Join(texts, "\n")
	if !anyDigit(all) {
		return nil
	}
	for _, s := range numberStyles {
		if !s.marksOccur(all) {
			continue
		}
		var key strings.Builder
		n := 0
		for _, t := range texts {
			if d, ok := s.parse(t); ok {
				n++
				key.WriteString(d.plain())
			}
			key.WriteByte('\n')
		}
		if 2*n < len(texts) || n == 0 || seen[key.String()] {
			continue
		}
		seen[key.String()] = true
		if out = append(out, s); len(out) == 6 {
			break
		}
	}
	return out
}

// sampleNumber is what styles are shown with, so that no recorded value is.
func (s numberStyle) sample(negative bool, places int) string {
	d, _ := digitsToDecimal("1234", "50", negative)
	if places == 0 {
		d, _ = digitsToDecimal("1234", "", negative)
	}
	return s.format(d)
}
