package main

import (
	"fmt"
	"hash/fnv"
	"math/big"
	"regexp"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Shapes of values that operators look for.
var (
	digits   = regexp.MustCompile(`^\d+$`)
	isoDay   = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
	usDay    = regexp.MustCompile(`^\d{1,2}/\d{1,2}/\d{4}$`)
	compact  = regexp.MustCompile(`^(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$`)
	instant  = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)?$`)
	decimal  = regexp.MustCompile(`^-?\d+\.\d+$`)
	integer  = regexp.MustCompile(`^-?[1-9]\d*$`)
	lettered = regexp.MustCompile(`[a-z]{2}`)
)

func isNumber(text string) bool { return decimal.MatchString(text) || integer.MatchString(text) }
func isDay(text string) bool {
	return isoDay.MatchString(text) || usDay.MatchString(text) || compact.MatchString(text)
}
func hasAccent(text string) bool { return norm.NFD.String(text) != text }

// day reads a date in one of the layouts that occur.
func day(text string) (t time.Time, layout string, ok bool) {
	for _, layout := range []string{time.DateOnly, "1/2/2006", "20060102"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, layout, true
		}
	}
	return time.Time{}, "", false
}

// relaid writes dates in another layout.
func relaid(layout string) func(string, uint64) string {
	return func(text string, _ uint64) string {
		if t, _, ok := day(text); ok {
			return t.Format(layout)
		}
		return text
	}
}

// shifted moves dates by days, in their layout.
func shifted(days int) func(string, uint64) string {
	return func(text string, _ uint64) string {
		if t, layout, ok := day(text); ok {
			return t.AddDate(0, 0, days).Format(layout)
		}
		return text
	}
}

// moved moves instants by a duration, in their layout.
func moved(by time.Duration) func(string, uint64) string {
	return func(text string, _ uint64) string {
		for _, layout := range []string{"2006-01-02T15:04:05Z", "2006-01-02T15:04:05-07:00", "2006-01-02T15:04:05"} {
			if t, err := time.Parse(layout, text); err == nil {
				return t.Add(by).Format(layout)
			}
		}
		return text
	}
}

// jittered moves instants by some seconds that differ from place to place.
func jittered(text string, n uint64) string {
	return moved(time.Duration(1+n%3000)*time.Second)(text, n)
}

// scaled multiplies a decimal exactly and keeps as many decimals as are needed.
func scaled(num, den int64) func(string, uint64) string {
	return func(text string, _ uint64) string {
		r, ok := new(big.Rat).SetString(text)
		if !ok || r.Sign() == 0 {
			return text
		}
		r.Mul(r, big.NewRat(num, den))
		for places := range 12 {
			out := r.FloatString(places)
			if back, _ := new(big.Rat).SetString(out); back.Cmp(r) == 0 {
				return out
			}
		}
		return text
	}
}

func rounded(text string, _ uint64) string {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return text
	}
	return r.FloatString(0)
}

func negated(text string, _ uint64) string {
	if rest, minus := strings.CutPrefix(text, "-"); minus {
		return rest
	}
	if strings.Trim(text, "0.") == "" {
		return text
	}
	return "-" + text
}

func text(f func(string) string) func(string, uint64) string {
	return func(s string, _ uint64) string { return f(s) }
}

func truncated(n int) func(string, uint64) string {
	return text(func(s string) string {
		if r := []rune(s); len(r) > n {
			return string(r[:n])
		}
		return s
	})
}

func padded(fill string, width int) func(string, uint64) string {
	return text(func(s string) string {
		if len(s) >= width || s == "" {
			return s
		}
		return strings.Repeat(fill, width-len(s)) + s
	})
}

func title(s string) string {
	r := []rune(strings.ToLower(s))
	for i := range r {
		if i == 0 || !unicode.IsLetter(r[i-1]) {
			r[i] = unicode.ToUpper(r[i])
		}
	}
	return string(r)
}

func unaccented(s string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(s) {
		if !unicode.Is(unicode.Mn, r) {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// mojibake reads UTF-8 as Latin-1 and writes it as UTF-8 again.
func mojibake(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		b.WriteRune(rune(c))
	}
	return b.String()
}

// exponent writes long digits as a spreadsheet does.
func exponent(s string) string {
	if len(s) < 8 {
		return s
	}
	r, ok := new(big.Float).SetString(s)
	if !ok {
		return s
	}
	return strings.Replace(strings.ToUpper(r.Text('e', 5)), "E+0", "E+", 1)
}

// garbled is a text that follows from nothing, of the same length.
func garbled(s string, n uint64) string {
	h := fnv.New64a()
	fmt.Fprint(h, s, n)
	x := h.Sum64()
	out := []byte(s)
	for i, c := range out {
		x = x*6364136223846793005 + 1442695040888963407
		switch {
		case c >= '0' && c <= '9':
			out[i] = '0' + byte((x>>33)%10)
		case c >= 'a' && c <= 'z':
			out[i] = 'a' + byte((x>>33)%26)
		case c >= 'A' && c <= 'Z':
			out[i] = 'A' + byte((x>>33)%26)
		}
	}
	if i := strings.IndexFunc(string(out), unicode.IsDigit); i == 0 && out[0] == '0' {
		out[0] = '7' // a JSON number begins with no zero
	}
	return string(out)
}

// rekeyed gives each identifier another one, always the same.
func rekeyed(s string, _ uint64) string { return garbled(s, 4711) }
