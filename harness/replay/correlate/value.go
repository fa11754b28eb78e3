package correlate

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
)

// class says how much a text tells by itself that it is the same value as an equal text elsewhere.
type class uint8

// Classes, weakest first.
const (
	never  class = iota // booleans, dates, amounts: equal by chance or because they mean the same everywhere
	word                // plain words and names built of them, which codes and states are
	small               // short numbers and codes: equal by chance, unless the structure says otherwise
	strong              // hardly ever equal by chance
)

// value describes a text as a possible link.
type value struct {
	class class
	bits  float64 // how much it would take to guess it
	form  string  // in words, for people
}

// Limits of values.
const (
	maxValue   = 16 << 10 // bytes; the longest tokens that servers take in a header have half of it
	fewestBits = 20       // of a strong value that is no number
)

// sameEverywhere are texts that mean the same wherever they stand.
var sameEverywhere = map[string]bool{
	"true": true, "false": true, "null": true, "nil": true, "none": true, "undefined": true, "nan": true,
	"yes": true, "no": true, "on": true, "off": true, "ok": true, "y": true, "n": true,
}

// describe looks at the form of a text only.
func describe(s string) value {
	switch {
	case s == "" || len(s) > maxValue || len(s) <= 9 && sameEverywhere[strings.ToLower(s)] || isMoment(s) || isAmount(s):
		return value{class: never}
	case isDigits(s):
		return describeNumber(s)
	case isUUID(s):
		return value{strong, 122, "UUID"}
	case strings.ContainsAny(s, " \t\r\n"):
		return value{class: word, form: "text"}
	}
	if isAddress(s) {
		return value{small, 0, formAddress}
	}
	return describePieces(s)
}

// describeNumber trusts a number by its digits, those left out that are likely in round numbers.
func describeNumber(s string) value {
	form := fmt.Sprintf("number of %d digits", len(s))
	if len(s) == 1 {
		form = "number of one digit"
	}
	significant := len(strings.TrimRight(s, "0"))
	const fewest = 5
	if len(s) < fewest || significant < fewest-1 {
		return value{small, float64(len(s)) * math.Log2(10), form}
	}
	return value{strong, float64(significant) * math.Log2(10), form}
}

// describePieces adds up what the pieces between marks tell. Words tell nothing, and neither do words with a short number
// such as debian12.
func describePieces(s string) value {
	bits, letters := 0.0, 0
	for piece := range strings.FieldsFuncSeq(s, func(r rune) bool { return r < 0x80 && !isAlnum[byte(r)] }) {
		letters += len(piece)
		if !isPlain(piece) {
			bits += float64(len(piece)) * math.Log2(alphabet(piece))
		}
	}
	form := formOf(s)
	switch {
	case letters == 0:
		return value{class: never}
	case bits == 0:
		return value{word, 0, form}
	case bits < fewestBits:
		return value{small, bits, form}
	default:
		return value{strong, bits, form}
	}
}

// formAddress is the form of IP addresses and networks: documentation and configuration hold the same ones everywhere.
const formAddress = "IP address"

func isAddress(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	_, err := netip.ParsePrefix(s)
	return err == nil
}

func formOf(s string) string {
	switch {
	case strings.HasPrefix(s, "/") || strings.Contains(s, "://"):
		return "URL"
	case isHex(s) && len(s) >= 8:
		return fmt.Sprintf("%d hex digits", len(s))
	default:
		return fmt.Sprintf("text of %d characters", len(s))
	}
}

// isPlain reports whether a piece between marks is a word, a number of at most three digits, or a word that ends in one or
// has one before it.
func isPlain(piece string) bool {
	letters := strings.Trim(piece, "0123456789")
	digits := len(piece) - len(letters)
	const mostDigits, mostRandom = 3, 3
	if digits > mostDigits {
		return false
	}
	return letters == "" || len(letters) <= mostRandom && !strings.ContainsAny(letters, "0123456789") || isWord(letters)
}

// isWord reports whether letters can be spoken: one word, an abbreviation, or words written together where each begins with
// a capital, as in GetTICGroups. Random letters change case more often.
func isWord(s string) bool {
	words := wordsOf(s)
	const lettersOfWord = 3 // and more, on average
	if len(words) == 0 || len(words) > 1 && len(words)*lettersOfWord > len(s) {
		return false
	}
	for _, w := range words {
		if !canBeSpoken(w) {
			return false
		}
	}
	return true
}

// canBeSpoken reports whether a word of small letters has some vowels and no long row of consonants; short ones may be
// abbreviations.
func canBeSpoken(w string) bool {
	const mostConsonants, abbreviation = 5, 4
	vowels, row := 0, 0
	for i := range len(w) {
		switch c := w[i]; {
		case isDigit(c):
			return false
		case c >= 0x80, strings.IndexByte("aeiouy", c) >= 0:
			vowels, row = vowels+1, 0
		default:
			if row++; row > mostConsonants {
				return false
			}
		}
	}
	return vowels*6 >= len(w) || len(w) <= abbreviation
}

// alphabet is the number of characters that a random piece was drawn from.
func alphabet(piece string) float64 {
	var digit, lower, upper, other bool
	for i := range len(piece) {
		switch c := piece[i]; {
		case c >= '0' && c <= '9':
			digit = true
		case c >= 'a' && c <= 'z':
			lower = true
		case c >= 'A' && c <= 'Z':
			upper = true
		default:
			other = true
		}
	}
	if isHex(piece) && (!lower || !upper) {
		return 16
	}
	n := 0.0
	for _, has := range []struct {
		yes  bool
		size float64
	}{{digit, 10}, {lower, 26}, {upper, 26}, {other, 64}} {
		if has.yes {
			n += has.size
		}
	}
	return n
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdefABCDEF") == "" }

// isUUID accepts the form with hyphens of RFC 9562.
func isUUID(s string) bool {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return false
	}
	return isHex(strings.ReplaceAll(s, "-", ""))
}

// isAmount reports whether the text is a number with a sign, a point or an exponent: a quantity, and not a name.
func isAmount(s string) bool {
	s = strings.TrimRight(s, ".,") // of the sentence
	if isDigits(s) || strings.Trim(s, "0123456789+-.,eE") != "" || strings.IndexAny(s, "0123456789") < 0 {
		return false
	}
	if _, err := strconv.ParseFloat(strings.ReplaceAll(s, ",", ""), 64); err != nil {
		return false
	}
	return strings.Trim(s, "0123456789eE") != "" // 12e45678 is a code
}

// isMoment reports whether the text begins as a date or a time of day does, in the usual spellings.
func isMoment(s string) bool {
	for _, shape := range moments {
		if len(s) >= len(shape) && hasShape(s, shape) && (len(s) == len(shape) || !isAlnum[s[len(shape)]] || s[len(shape)] == 'T') {
			return true
		}
	}
	return false
}

// moments are the beginnings of dates and times: 9 is a digit, a a letter.
var moments = []string{
	"9999-99-99", "9999/99/99", "99/99/9999", "99.99.9999", "99-99-9999", "9/99/9999", "99:99", "9:99", "99999999T999999",
	"aaa, 99 aaa 9999", "aaa, 99-aaa-99", "99 aaa 9999", "99-aaa-9999", "aaa aaa 99", "aaa aaa  9", "P9", "PT9",
}

func hasShape(s, shape string) bool {
	for i := range len(shape) {
		switch c := s[i]; shape[i] {
		case '9':
			if c < '0' || c > '9' {
				return false
			}
		case 'a':
			if c|0x20 < 'a' || c|0x20 > 'z' {
				return false
			}
		default:
			if c != shape[i] {
				return false
			}
		}
	}
	return true
}

// isAlnum holds the bytes that words and numbers are made of; every byte of a character beyond ASCII is one.
var isAlnum = func() (is [256]bool) {
	for c := range is {
		is[c] = c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
	}
	return is
}()
