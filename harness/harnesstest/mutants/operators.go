package main

import (
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// level says what an operator works on.
type level int

const (
	onValues  level = iota // scalars of a site, rewritten in place: every format
	onMembers              // members of objects and columns: JSON and CSV
	onTables               // records: JSON and CSV
	onMessage              // bytes, heads and whole exchanges of a slot
)

// operator is one row of the table: a change that vendors and mappings make.
type operator struct {
	name     string
	kinds    []string // of findings that name the change rightly
	level    level
	whole    bool // hits all places of its site, never a part
	calls    bool // makes calls fail, lack or come twice
	requests bool // of those: the caller does it, not the one who answers

	fits    func(*site) bool                                             // onValues, onTree: whether it can be planted there
	value   func(text string, n uint64) string                           // onValues; n differs from place to place
	tree    func(p *planted, id string, root *tree, like *payload.Doc)   // onTree
	message func(p *planted, list []harness.Exchange) []harness.Exchange // onMessage
	slot    func(w *world, s slot) bool                                  // onMessage: whether it can be planted there
}

func kinds(list ...string) []string { return list }

// operators is the table.
var operators = []operator{
	{name: "upper case", kinds: kinds("F17"), fits: texts(lettered.MatchString), value: text(strings.ToUpper)},
	{name: "title case", kinds: kinds("F17"), fits: texts(func(s string) bool { return lettered.MatchString(s) && title(s) != s }), value: text(title)},
	{name: "padded with blanks", kinds: kinds("F17", "F22"), fits: notFixed(texts(notBlank)), value: text(func(s string) string { return s + "  " })},
	{name: "hard blank appended", kinds: kinds("F22", "F17"), fits: notFixed(texts(notBlank)), value: text(func(s string) string { return s + "\u00a0" })},
	{name: "leading zeros lost", kinds: kinds("F18"), fits: texts(func(s string) bool {
		return len(s) > 1 && s[0] == '0' && digits.MatchString(s) && strings.Trim(s, "0") != ""
	}),
		value: text(func(s string) string { return strings.TrimLeft(s, "0") })},
	{name: "filled with zeros", kinds: kinds("F17", "F18"), fits: notFixed(texts(func(s string) bool { return digits.MatchString(s) && len(s) < 9 })), value: padded("0", 10)},
	{name: "cut off at 12", kinds: kinds("F20"), fits: texts(func(s string) bool { return len(s) > 14 && !strings.Contains(s, "://") }), value: truncated(12)},
	{name: "date layout", kinds: kinds("F05"), fits: texts(isDay), value: relaid("02-Jan-2006")},
	{name: "day and month exchanged", kinds: kinds("F05"), fits: texts(isDay), value: relaid("02/01/2006")},
	{name: "one day earlier", kinds: kinds("F06", "F05"), fits: texts(isDay), value: shifted(-1)},
	{name: "six hours later", kinds: kinds("F06"), fits: texts(instant.MatchString), value: moved(6 * time.Hour)},
	{name: "times a hundred", kinds: kinds("F19"), fits: many(isNumber), value: scaled(100, 1)},
	{name: "divided by a hundred", kinds: kinds("F19"), fits: notFixed(many(isNumber)), value: scaled(1, 100)},
	{name: "decimal comma", kinds: kinds("F19"), fits: texts(decimal.MatchString), value: text(func(s string) string { return strings.Replace(s, ".", ",", 1) })},
	{name: "rounded", kinds: kinds("F19"), fits: many(decimal.MatchString), value: rounded},
	{name: "sign turned", kinds: kinds("F19"), fits: notFixed(many(isNumber)), value: negated},
	{name: "new code", kinds: kinds("F01"), fits: codes, value: func(string, uint64) string { return "ZQ" }},
	{name: "became one constant", kinds: kinds("F01", "F03", "F17", "F20"), whole: true, fits: notFixed(texts(notBlank)), value: func(string, uint64) string { return "DEFAULT" }},
	{name: "emptied", kinds: kinds("F03", "F21"), fits: notFixed(texts(notBlank)), value: func(string, uint64) string { return "" }},
	{name: "sentinel for a value", kinds: kinds("F21", "F01", "F03"), fits: notFixed(texts(notBlank)), value: func(string, uint64) string { return "N/A" }},
	{name: "prefix added", kinds: kinds("F17", "F35"), fits: notFixed(texts(notBlank)), value: text(func(s string) string { return "NEW-" + s })},
	{name: "accents stripped", kinds: kinds("F11", "F17"), fits: accents, value: text(unaccented)},
	{name: "encoded twice", kinds: kinds("F11"), fits: accents, value: text(mojibake)},
	{name: "letters decomposed", kinds: kinds("F11"), fits: accents, value: text(norm.NFD.String)},
	{name: "scientific notation", kinds: kinds("F18"), fits: notFixed(texts(func(s string) bool { return len(s) >= 8 && digits.MatchString(s) && s[0] != '0' })), value: text(exponent)},
	{name: "identifiers exchanged", kinds: kinds("F35"), whole: true, fits: texts(func(s string) bool {
		return len(s) > 3 && strings.ContainsAny(s, "0123456789") && !isDay(s) && !instant.MatchString(s)
	}), value: rekeyed},
	{name: "garbled", kinds: kinds("F00", "F35"), fits: texts(func(s string) bool { return len(s) > 4 && lettered.MatchString(s) }), value: garbled},
	{name: "clock runs on", kinds: kinds("F44"), whole: true, fits: texts(instant.MatchString), value: jittered},

	{name: "renamed", kinds: kinds("F02"), level: onMembers, whole: true, fits: member, tree: renamed},
	{name: "removed", kinds: kinds("F03"), level: onMembers, fits: member, tree: removed},
	{name: "added", kinds: kinds("F13"), level: onMembers, whole: true, fits: member, tree: added},
	{name: "moved to another object", kinds: kinds("F02"), level: onMembers, whole: true, fits: jsonOnly(member), tree: nested},
	{name: "null for a value", kinds: kinds("F03", "F21"), level: onMembers, fits: jsonOnly(member), tree: lexemes(func(string) string { return "null" })},
	{name: "number as text", kinds: kinds("F04"), level: onMembers, fits: jsonOnly(kindOnly(harness.KindNumber)), tree: lexemes(func(s string) string { return `"` + s + `"` })},
	{name: "boolean as text", kinds: kinds("F04"), level: onMembers, fits: jsonOnly(kindOnly(harness.KindBool)), tree: lexemes(func(s string) string { return `"` + title(s) + `"` })},
	{name: "boolean as number", kinds: kinds("F04"), level: onMembers, fits: jsonOnly(kindOnly(harness.KindBool)), tree: lexemes(func(s string) string { return map[string]string{"true": "1", "false": "0"}[s] })},
	{name: "list of one", kinds: kinds("F04"), level: onMembers, fits: jsonOnly(member), tree: lexemes(func(s string) string { return "[" + s + "]" })},
	{name: "spelling of numbers", kinds: kinds("F19", "F00"), level: onMembers, fits: jsonOnly(numbers), tree: lexemes(func(s string) string { return s + "0" })},
	{name: "member twice", kinds: kinds("F23"), level: onMembers, fits: jsonOnly(member), tree: twice},
	{name: "two fields exchanged", kinds: kinds("F02", "F00"), level: onMembers, whole: true, fits: neighboured, tree: exchanged},
	{name: "value of the record before", kinds: kinds("F00", "F01"), level: onMembers, fits: member, tree: stale},
	{name: "records lost", kinds: kinds("F27", "F28", "F29", "F00"), level: onTables, fits: table, tree: lostRecords},
	{name: "records doubled", kinds: kinds("F23", "F26"), level: onTables, fits: table, tree: doubledRecords},
	{name: "records in another order", kinds: kinds("F24"), level: onTables, whole: true, fits: table, tree: reordered},
	{name: "list cut to a page", kinds: kinds("F07", "F27", "F28", "F29", "F00"), level: onTables, whole: true, fits: table, tree: paged},

	{name: "Windows-1252", kinds: kinds("F11"), level: onMessage, whole: true, slot: textual(hasAccent), message: bodies(latin)},
	{name: "byte order mark", kinds: kinds("F11"), level: onMessage, whole: true, slot: textual(anything), message: bodies(func(s string) string { return "\ufeff" + s })},
	{name: "line ends", kinds: kinds("F15"), level: onMessage, whole: true, slot: tabular, message: bodies(otherLineEnds)},
	{name: "last line end missing", kinds: kinds("F15"), level: onMessage, whole: true, slot: tabular, message: bodies(func(s string) string { return strings.TrimSuffix(s, "\n") })},
	{name: "delimiter", kinds: kinds("F14"), level: onMessage, whole: true, slot: simpleTable, message: bodies(func(s string) string { return strings.ReplaceAll(s, ",", ";") })},
	{name: "every cell quoted", kinds: kinds("F14"), level: onMessage, whole: true, slot: simpleTable, message: bodies(quoted)},
	{name: "columns shifted", kinds: kinds("F16"), level: onMessage, whole: true, slot: fixedWidth, message: bodies(shiftedColumns)},
	{name: "last lines missing", kinds: kinds("F27", "F30"), level: onMessage, whole: true, slot: fixedWidth, message: bodies(withoutLastDetails)},
	{name: "prefix of a namespace", kinds: kinds("F31"), level: onMessage, whole: true, slot: markup, message: bodies(prefixed)},
	{name: "answers fail", calls: true, kinds: kinds("F00", "F34"), level: onMessage, slot: answered, message: failed},
	{name: "rate limit", calls: true, kinds: kinds("F08"), level: onMessage, slot: answered, message: limited},
	{name: "header removed", kinds: kinds("F03", "F34"), level: onMessage, whole: true, slot: answered, message: headless},
	{name: "header added", kinds: kinds("F13"), level: onMessage, whole: true, slot: answered, message: headed},
	{name: "call not made", calls: true, requests: true, kinds: kinds("F00", "F27", "F37"), level: onMessage, slot: calls, message: uncalled},
	{name: "call made twice", calls: true, requests: true, kinds: kinds("F26", "F00"), level: onMessage, slot: calls, message: repeated},
	{name: "body broke off", kinds: kinds("F27", "F00"), level: onMessage, slot: structured, message: bodies(func(s string) string { return s[:len(s)*2/3] })},
}

// What operators demand of a site.

const fewest = 4 // places that a site must have

func texts(fits func(string) bool) func(*site) bool {
	return func(s *site) bool { return s.n >= fewest && s.only(harness.KindString) && s.every(fits) }
}

// many wants texts or numbers.
func many(fits func(string) bool) func(*site) bool {
	return func(s *site) bool {
		return s.n >= fewest && len(s.values) >= 3 && (s.only(harness.KindString) || s.only(harness.KindNumber)) && s.every(fits)
	}
}

func notBlank(text string) bool { return strings.TrimSpace(text) != "" }
func anything(string) bool      { return true }

func notFixed(fits func(*site) bool) func(*site) bool {
	return func(s *site) bool { return s.format != "fixed" && fits(s) }
}

func jsonOnly(fits func(*site) bool) func(*site) bool {
	return func(s *site) bool { return s.format == "json" && fits(s) }
}

func kindOnly(k harness.ValueKind) func(*site) bool {
	return func(s *site) bool { return s.n >= fewest && s.only(k) && strings.Contains(s.pattern, ".") }
}

// member is a scalar member of JSON or a column of a table.
func member(s *site) bool {
	return s.n >= fewest && len(s.values) >= 3 && (s.format == "json" || s.format == "csv") && strings.Contains(s.pattern, ".") && !strings.HasSuffix(s.pattern, "]")
}

// neighboured is a column that has another text column beside it.
func neighboured(s *site) bool { return member(s) && s.only(harness.KindString) && len(s.parent) > 0 }

func numbers(s *site) bool {
	return s.n >= fewest && s.only(harness.KindNumber) && s.every(decimal.MatchString) && strings.Contains(s.pattern, ".")
}

func table(s *site) bool { return s.n >= fewest && (s.format == "json" || s.format == "csv") }

// codes is a field that takes its values from a short list.
func codes(s *site) bool {
	return s.format != "fixed" && s.n >= 20 && len(s.values) <= 12 && len(s.values) >= 2 && texts(func(t string) bool {
		return len(t) > 0 && len(t) <= 20 && !strings.ContainsAny(t, "0123456789/") && !strings.Contains(t, "@")
	})(s)
}

// accents is a field in which some letters are not ASCII.
func accents(s *site) bool {
	if s.n < fewest || !s.only(harness.KindString) {
		return false
	}
	n := 0
	for t := range s.values {
		if hasAccent(t) {
			n++
		}
	}
	return n > 0
}
