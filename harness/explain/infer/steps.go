package infer

import (
	"encoding/json"
	"html"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// fixed is a step without parameters.
type fixed struct {
	name, kind, text string
	bits             float64
	lossy            bool
	first            bool // may run before another step
	run              func(string) string
}

// steps is the table of steps without parameters.
var steps = []fixed{
	{"trim", "F22", "blanks at the start and end were removed", 3, true, true, trim},
	{"trim-right", "F22", "blanks at the end were removed", 3.5, true, false, trimRight},
	{"trim-left", "F22", "blanks at the start were removed", 3.5, true, false, trimLeft},
	{"collapse", "F22", "runs of blanks became one blank, those at the start and end were removed", 4, true, true, collapse},
	{"no-blanks", "F22", "all blanks were removed", 5, true, true, withoutBlanks},
	{"visible", "F22", "invisible characters were removed", 5, true, true, visible},
	{"plain-blanks", "F22", "no-break spaces and tabs became plain blanks", 5, true, true, plainBlanks},
	{"upper", "F17", "letter case changed to upper case", 3, true, true, strings.ToUpper},
	{"lower", "F17", "letter case changed to lower case", 3, true, true, strings.ToLower},
	{"title", "F17", "letter case changed to a capital at the start of each word", 4, true, true, title},
	{"sentence", "F17", "letter case changed to a capital at the start only", 4.5, true, true, sentence},
	{"nfc", "F11", "accented letters are one character now (Unicode NFC), were letter and accent (NFD)", 4, true, true, norm.NFC.String},
	{"nfd", "F11", "accented letters are letter and accent now (Unicode NFD), were one character (NFC)", 4, true, false, norm.NFD.String},
	{"nfkc", "F11", "compatibility characters became their plain forms (Unicode NFKC)", 5, true, true, norm.NFKC.String},
	{"no-accents", "F11", "accents were removed from letters", 4, true, true, withoutAccents},
	{"html-escape", "F14", "special characters are escaped as in HTML now", 5, false, false, html.EscapeString},
	{"xml-escape", "F14", "special characters are escaped as in XML now", 5.2, false, false, escapeXML},
	{"html-unescape", "F14", "HTML or XML escapes were resolved", 5, true, true, html.UnescapeString},
	{"url-escape", "F14", "special characters are escaped as in a URL query now", 5, false, false, url.QueryEscape},
	{"path-escape", "F14", "special characters are percent-escaped as in a URL path now", 5.5, false, false, url.PathEscape},
	{"url-unescape", "F14", "URL escapes were resolved", 5, true, true, whole(url.QueryUnescape)},
	{"path-unescape", "F14", "percent escapes were resolved, plus signs stayed", 5.5, true, false, whole(url.PathUnescape)},
	{"json-escape", "F14", "special characters are escaped with backslashes now", 6, false, false, escapeJSON},
	{"json-unescape", "F14", "backslash escapes were resolved", 6, true, false, unescapeJSON},
	{"quote", "F14", "values stand in double quotes now", 5, false, false, quote},
	{"unquote", "F14", "double quotes around values were removed", 5, true, true, unquote},
	{"mojibake", "F11", "encoding damaged: UTF-8 was read as Windows-1252, so é became Ã©", 5, false, false, misread},
	{"mojibake-latin", "F11", "encoding damaged: UTF-8 was read as ISO-8859-1, so é became Ã©", 5.5, false, false, misreadLatin},
	{"repair", "F11", "encoding repaired: UTF-8 that had been read as Windows-1252 is right now, so Ã© became é", 5, false, true, reread},
	{"repair-latin", "F11", "encoding repaired: UTF-8 that had been read as ISO-8859-1 is right now, so Ã© became é", 5.5, false, false, rereadLatin},
	{"to-1252", "F11", "encoding changed from UTF-8 to Windows-1252", 5, false, false, toWindows},
	{"from-1252", "F11", "encoding changed from Windows-1252 to UTF-8", 5, false, false, fromWindows},
	{"question-marks", "F11", "letters beyond ASCII were lost: each became a question mark", 5, true, false, lossWith("?", false)},
	{"question-bytes", "F11", "letters beyond ASCII were lost: each of their bytes became a question mark", 5.5, true, false, lossWith("?", true)},
	{"replacement", "F11", "letters beyond ASCII were lost: each became the replacement character U+FFFD", 5, true, false, lossWith("\ufffd", false)},
	{"replacement-bytes", "F11", "letters beyond ASCII were lost: each of their bytes became the replacement character U+FFFD", 5.5, true, false, lossWith("\ufffd", true)},
	{"ascii-only", "F11", "letters beyond ASCII were dropped", 5, true, false, lossWith("", false)},
}

// stepProbes tell the steps apart that look alike on plain names.
var stepProbes = []probe{
	{`O'Brien`, "a value with an apostrophe"}, {`the "x"`, "a value with quotes"}, {"mary-ann o'neil", "a name of several parts"},
	{"€uro", "a value with a euro sign"}, {"a+b", "a value with a plus sign"}, {"ﬁne½", "a value with a ligature or fraction"},
	{"Łódź", "a value with Polish letters"}, {"\u00a0 x y \u00a0", "a value with blanks on both sides"},
}

// total makes a step of a total function.
func total(f func(string) string) step { return func(s string) (string, bool) { return f(s), true } }

// whole makes a total function of one that can fail: what cannot be read stays.
func whole(f func(string) (string, error)) func(string) string {
	return func(s string) string {
		if out, err := f(s); err == nil {
			return out
		}
		return s
	}
}

func proposeSteps(p *profile) {
	for _, f := range steps {
		c := candidate{kind: f.kind, text: f.text, bits: f.bits, lossy: f.lossy, params: map[string]string{"step": f.name}, probes: stepProbes}
		if f.name == "trim" || f.name == "trim-right" {
			c.kind, c.text = trimKind(p, f)
		}
		p.offer(total(f.run), c)
	}
}

func stepNamed(name string) (fixed, bool) {
	for _, f := range steps {
		if f.name == name {
			return f, true
		}
	}
	return fixed{}, false
}

func buildStep(w *reading) transform {
	f, ok := stepNamed(w.need("step"))
	if !ok {
		w.fail("no step %q", w.text("step"))
		return nil
	}
	return w.lift(total(f.run))
}

// trimKind tells fill of a fixed width, which is part of a layout, from stray blanks.
func trimKind(p *profile, f fixed) (kind, text string) {
	width := -1
	for _, was := range p.was {
		if n := utf8.RuneCountInString(was); width == -1 {
			width = n
		} else if n != width {
			return f.kind, f.text
		}
	}
	if len(p.was) < 2 && width < 8 {
		return f.kind, f.text
	}
	for i, is := range p.is {
		if strings.TrimLeft(p.was[i], " ") != p.was[i] || strings.TrimRight(p.was[i], " ") != is {
			return f.kind, f.text
		}
	}
	return "F17", "fill removed: values were padded with blanks to a fixed width"
}

func isBlank(r rune) bool { return unicode.IsSpace(r) || isInvisible(r) }

// isInvisible reports zero-width characters, joiners and byte order marks.
func isInvisible(r rune) bool { return unicode.Is(unicode.Cf, r) || r == 0 }

func trim(s string) string      { return strings.TrimFunc(s, isBlank) }
func trimLeft(s string) string  { return strings.TrimLeftFunc(s, isBlank) }
func trimRight(s string) string { return strings.TrimRightFunc(s, isBlank) }
func collapse(s string) string  { return strings.Join(strings.FieldsFunc(s, isBlank), " ") }

func without(drop func(rune) bool) func(string) string {
	return func(s string) string {
		return strings.Map(func(r rune) rune {
			if drop(r) {
				return -1
			}
			return r
		}, s)
	}
}

var (
	withoutBlanks = without(isBlank)
	visible       = without(isInvisible)
)

func plainBlanks(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		return r
	}, s)
}

// title capitalises the first letter of each word, as split by anything but letters, digits and apostrophes.
func title(s string) string {
	inWord := false
	return strings.Map(func(r rune) rune {
		was := inWord
		inWord = unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r) || r == '\'' || r == '’'
		if was {
			return unicode.ToLower(r)
		}
		return unicode.ToTitle(r)
	}, s)
}

func sentence(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return strings.ToUpper(s[:n]) + strings.ToLower(s[n:])
}

// Unaccented is the text without the accents of its letters.
func Unaccented(s string) string { return withoutAccents(s) }

// withoutAccents drops combining marks, and spells the Latin letters that do not decompose.
func withoutAccents(s string) string {
	bare := without(func(r rune) bool { return unicode.Is(unicode.Mn, r) })(norm.NFD.String(s))
	return norm.NFC.String(undecomposed.Replace(bare))
}

var undecomposed = strings.NewReplacer("ß", "ss", "ø", "o", "Ø", "O", "ł", "l", "Ł", "L", "đ", "d", "Đ", "D", "æ", "ae", "Æ", "AE", "œ", "oe", "Œ", "OE", "ı", "i")

var escapeXML = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;").Replace

func escapeJSON(s string) string {
	out, err := json.Marshal(s)
	if err != nil || len(out) < 2 {
		return s
	}
	return string(out[1 : len(out)-1])
}

func unescapeJSON(s string) string {
	var out string
	if json.Unmarshal([]byte(`"`+s+`"`), &out) != nil {
		return s
	}
	return out
}

func quote(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

func unquote(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	return strings.ReplaceAll(s[1:len(s)-1], `""`, `"`)
}
