package infer

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

func str(s string) harness.Value { return harness.Value{Kind: harness.KindString, Text: s} }
func num(s string) harness.Value { return harness.Value{Kind: harness.KindNumber, Text: s} }

var (
	null   = harness.Value{Kind: harness.KindNull}
	absent = harness.Value{Kind: harness.KindAbsent}
)

// texts makes pairs of "was → is" lines.
func texts(lines ...string) []Pair {
	var out []Pair
	for _, l := range lines {
		was, is, _ := strings.Cut(l, " → ")
		out = append(out, Pair{Was: str(was), Is: str(is)})
	}
	return out
}

// retyped changes the kinds of pairs.
func retyped(pairs []Pair, was, is harness.ValueKind) []Pair {
	for i := range pairs {
		pairs[i].Was.Kind, pairs[i].Is.Kind = was, is
	}
	return pairs
}

func repeat(pairs []Pair, n int) []Pair {
	var out []Pair
	for range n {
		out = append(out, pairs...)
	}
	return out
}

// claims is the table of changes that must be explained.
var claims = []struct {
	why       string
	pairs     []Pair
	kind      string
	text      string // must occur in the text
	ambiguous string // must occur in the first rival; empty: there must be none
}{
	{"F05, US dates to ISO", texts("08/25/2026 → 2026-08-25", "12/31/2026 → 2026-12-31", "01/02/2027 → 2027-01-02"), "F05", "date format changed from 08/17/2026 (US month/day/year) to 2026-08-17 (ISO date)", ""},
	{"F05, month and day swapped", texts("08/05/2026 → 05/08/2026", "09/04/2026 → 04/09/2026", "10/01/2026 → 01/10/2026"), "F05", "US month/day/year", "a day after the 12th"},
	{"F05, Oracle date", texts("2026-08-17 → 17-AUG-26", "2026-12-01 → 01-DEC-26", "2027-05-08 → 08-MAY-27"), "F05", "to 17-AUG-26 (day-MON-two-digit year)", ""},
	{"F05, epoch seconds", texts("2026-08-17T14:30:00Z → 1786977000", "2026-08-18T14:30:00Z → 1787063400", "2026-08-19T14:30:01Z → 1787149801"), "F05", "seconds since 1970", ""},
	{"F05, epoch milliseconds as numbers", retyped(texts("1786977000 → 1786977000000", "1787063400 → 1787063400000", "1787149801 → 1787149801000"), "number", "number"), "F05", "milliseconds since 1970", ""},
	{"F05, compact date", texts("2026-08-17 → 20260817", "2026-12-01 → 20261201", "2027-05-28 → 20270528"), "F05", "without separators", ""},
	{"F05, date became an instant", texts("2026-08-17 → 2026-08-17T00:00:00Z", "2026-12-01 → 2026-12-01T00:00:00Z", "2027-05-28 → 2027-05-28T00:00:00Z"), "F05", "midnight in UTC", ""},
	{"F05, time of day dropped", texts("2026-08-17T08:00:00Z → 2026-08-17", "2026-12-01T23:15:00Z → 2026-12-01", "2027-05-28T02:30:00Z → 2027-05-28"), "F05", "to 2026-08-17 (ISO date)", ""},
	{"F06, one day back", texts("2026-08-17 → 2026-08-16", "2026-12-01 → 2026-11-30", "2027-05-28 → 2027-05-27", "2027-01-01 → 2026-12-31"), "F06", "dates moved one day back", ""},
	{"F06, constant shift", texts("2026-08-17 08:00:00 → 2026-08-17 13:00:00", "2026-08-18 09:30:00 → 2026-08-18 14:30:00", "2026-08-19 20:15:00 → 2026-08-20 01:15:00"), "F06", "times moved 5 hours ahead", "America/Chicago"},
	{"F06, zone with DST", texts("2026-08-17 08:00:00 → 2026-08-17 13:00:00", "2026-12-18 09:30:00 → 2026-12-18 15:30:00", "2026-11-01 20:15:00 → 2026-11-02 02:15:00"), "F06", "America/Chicago time to UTC", ""},
	{"F06, the instant read in a zone", texts("2026-08-17T00:00:00Z → 2026-08-16", "2026-12-01T05:00:00Z → 2026-11-30", "2027-05-28T05:00:00Z → 2027-05-28", "2027-05-28T04:30:00Z → 2027-05-27"), "F06", "America/Chicago", ""},
	{"same moment, other zone", texts("2026-08-17T08:00:00-05:00 → 2026-08-17T13:00:00Z", "2026-12-18T09:30:00-06:00 → 2026-12-18T15:30:00Z", "2027-02-01T10:00:00-06:00 → 2027-02-01T16:00:00Z"), "F05", "the same moment, written in UTC", ""},
	{"F05, month and year only", texts("2026-08-17T08:00:00Z → Aug 2026", "2026-12-01T23:15:00Z → Dec 2026", "2027-05-28T02:30:00Z → May 2027"), "F05", "to Aug 2026 (Mon, year)", ""},
	{"F05, a layout of its own", texts("2026-08-17 08:05:10 → Mon 17/Aug 08h05", "2026-12-01 23:15:00 → Tue 01/Dec 23h15", "2027-05-28 14:30:59 → Fri 28/May 14h30"), "F05", "to Mon 17/Aug 14h30", ""},
	{"12-hour clock", texts("08:00 → 8:00 AM", "13:30 → 1:30 PM", "23:05 → 11:05 PM"), "F05", "12-hour time", ""},
	{"F11, mojibake", texts("José → JosÃ©", "Zoë → ZoÃ«", "Søren → SÃ¸ren"), "F11", "UTF-8 was read as Windows-1252", "euro sign"},
	{"F11, repaired", texts("JosÃ© → José", "ZoÃ« → Zoë", "SÃ¸ren → Søren"), "F11", "encoding repaired", ""},
	{"F11, Windows-1252 bytes", texts("José → Jos\xe9", "Zoë → Zo\xeb", "Søren → S\xf8ren"), "F11", "encoding changed from UTF-8 to Windows-1252", ""},
	{"F11, decomposed", texts("José → Jose\u0301", "Zoë → Zoe\u0308", "Núñez → Nu\u0301n\u0303ez"), "F11", "NFD", ""},
	{"F11, composed", texts("Jose\u0301 → José", "Zoe\u0308 → Zoë", "Nu\u0301n\u0303ez → Núñez"), "F11", "NFC", "NFKC"},
	{"F11, question marks", texts("José → Jos?", "Zoë → Zo?", "Núñez → N??ez"), "F11", "question mark", ""},
	{"F11, replacement characters", texts("José → Jos\ufffd", "Zoë → Zo\ufffd", "Núñez → N\ufffd\ufffdez"), "F11", "U+FFFD", ""},
	{"F11, accents dropped", texts("José → Jose", "Zoë → Zoe", "Núñez → Nunez"), "F11", "accents were removed", ""},
	{"F14, HTML escapes", texts("R&D → R&amp;D", "A<B → A&lt;B", "Q&A → Q&amp;A"), "F14", "escaped as in HTML", "apostrophe"},
	{"F14, URL escapes", texts("a b → a+b", "R&D → R%26D", "50% → 50%25"), "F14", "URL query", ""},
	{"F17, fill removed", texts("REFUND     → REFUND", "PAYROLL    → PAYROLL", "FEES       → FEES"), "F17", "padded with blanks to a fixed width", ""},
	{"F17, upper case", texts("Ames → AMES", "Bexley → BEXLEY", "Corbin → CORBIN"), "F17", "upper case", ""},
	{"F17, padded with blanks", texts("REFUND → REFUND    ", "PAYROLL → PAYROLL   ", "FEES → FEES      "), "F17", "padded on the right with blanks to 10", ""},
	{"F17, padded with zeros", texts("417 → 00417", "12 → 00012", "1234 → 01234"), "F17", "padded on the left with zeros to 5", ""},
	{"F17, other punctuation", texts("5550100 → 555-0100", "5550117 → 555-0117", "5550199 → 555-0199"), "F17", "xxx-xxxx", ""},
	{"F17, trimmed and upper case", texts(" Ames → AMES", "Bexley  → BEXLEY", " Corbin  → CORBIN"), "F17", "upper case", ""},
	{"F18, leading zeros", texts("00417 → 417", "00892 → 892", "01001 → 1001"), "F18", "leading zeros were lost", ""},
	{"F18, leading zeros and another type", retyped(texts("00417 → 417", "00892 → 892", "01001 → 1001"), "string", "number"), "F18", "text became number", ""},
	{"F18, scientific notation", texts("1234567890123 → 1.23457E+12", "2234567890199 → 2.23457E+12", "9990000000000 → 9.99E+12"), "F18", "scientific notation", ""},
	{"F18, spreadsheet date", texts("3-26 → Mar-26", "4-12 → Apr-12", "11-02 → Nov-02"), "F18", "spreadsheet", ""},
	{"F18, spreadsheet day", texts("3-26 → 26-Mar", "4-12 → 12-Apr", "11-02 → 02-Nov"), "F18", "26-Mar", ""},
	{"F19, decimal point lost", texts("125.50 → 12550", "9.99 → 999", "1000.00 → 100000"), "F19", "multiplied by 100", ""},
	{"F19, cents to dollars as numbers", retyped(texts("12550 → 125.50", "999 → 9.99", "100000 → 1000.00"), "number", "number"), "F19", "multiplied by 0.01", ""},
	{"F19, German separators", texts("1,234.50 → 1.234,50", "12.25 → 12,25", "1,000,000.00 → 1.000.000,00"), "F19", "from 1,234.50 to 1.234,50", ""},
	{"F19, parentheses", texts("-5.00 → (5.00)", "-12.75 → (12.75)", "-100.25 → (100.25)"), "F19", "from -1234.50 to (1234.50)", ""},
	{"F19, credit mark", texts("-5.00 → 5.00CR", "-12.75 → 12.75CR", "-100.25 → 100.25CR"), "F19", "1234.50CR", ""},
	{"F19, rounded half up", texts("12.345 → 12.35", "99.125 → 99.13", "0.504 → 0.50"), "F19", "rounded to 2 decimals (half away from zero)", ""},
	{"F19, rounded half even", texts("12.345 → 12.34", "99.135 → 99.14", "0.507 → 0.51", "0.125 → 0.12"), "F19", "half to even", ""},
	{"F19, cut off", texts("12.99 → 12", "99.13 → 99", "100.50 → 100", "250.75 → 250"), "F19", "decimals cut off", "towards minus infinity"},
	{"F19, offset", retyped(texts("1017 → 2017", "1340 → 2340", "5555 → 6555"), "number", "number"), "F19", "1000 added", ""},
	{"F19, implied decimals, zero filled", texts("125.50 → 0000012550", "9.99 → 0000000999", "1000.00 → 0000100000"), "F19", "padded on the left with zeros to 10", ""},
	{"F19, large numbers stay exact", texts("9007199254740993 → 900719925474099300", "9007199254740995 → 900719925474099500", "1 → 100"), "F19", "multiplied by 100", ""},
	{"F20, cut", texts("Bartholomew-Featherstonehaugh → Bartholomew-Feathersto", "Wolfeschlegelstein-Hausenberger → Wolfeschlegelstein-Hau", "Constantinopolitanova-Smithson → Constantinopolitanova-"), "F20", "cut after 22 characters", "bytes"},
	{"F21, missing became null", []Pair{{Was: absent, Is: null}, {Was: absent, Is: null}, {Was: absent, Is: null}}, "F21", "values that were missing are null now", ""},
	{"F21, empty became missing", []Pair{{Was: str(""), Is: absent}, {Was: str(""), Is: absent}, {Was: str(""), Is: absent}}, "F21", "values that were empty are missing now", ""},
	{"F21, sentinel", []Pair{{Was: null, Is: str("9999-12-31")}, {Was: null, Is: str("9999-12-31")}, {Was: null, Is: str("9999-12-31")}}, "F21", `values that were null are "9999-12-31" now`, ""},
	{"F21, default", []Pair{{Was: null, Is: str("US")}, {Was: null, Is: str("US")}, {Was: null, Is: str("US")}}, "F21", `got the default "US"`, ""},
	{"F03, emptied", []Pair{{Was: str("555-0100"), Is: absent}, {Was: str("555-0117"), Is: absent}, {Was: str("555-0121"), Is: absent}}, "F03", "every value is missing now", ""},
	{"constant", texts("red → none set", "green → none set", "blue → none set", "amber → none set"), "F01", `every value is "none set" now`, ""},
	{"F22, no-break space", texts("H00000142 → H00000142\u00a0", "H00000143 → H00000143\u00a0", "H00000199 → H00000199\u00a0"), "F22", "a no-break space (U+00A0) was added at the end", ""},
	{"F22, trimmed", texts(" Ames → Ames", "Bexley  → Bexley", " Corbin → Corbin"), "F22", "blanks at the start and end were removed", ""},
	{"F22, collapsed", texts("Mary  Ann → Mary Ann", "Jo   Lee → Jo Lee", "Al  B  C → Al B C"), "F22", "runs of blanks", ""},
	{"F35, identifiers got a prefix", texts("00000142 → H00000142", "00000143 → H00000143", "00000199 → H00000199"), "F35", `"H" was added at the start`, ""},
	{"prefix removed", texts("dept-bio → bio", "dept-chemistry → chemistry", "dept-art → art"), "F17", `"dept-" was removed`, "after the first"},
	{"F04, number as text", retyped(texts("417 → 417", "892 → 892", "1001 → 1001"), "number", "string"), "F04", "number became text", ""},
	{"F04, Boolean as text", retyped(repeat(texts("false → False", "true → True"), 3), "bool", "string"), "F04", `"True"/"False"`, ""},
	{"F04, list of one", []Pair{{Was: str("a"), Is: harness.Value{Kind: harness.KindArray, Text: `["a"]`}}, {Was: str("b<"), Is: harness.Value{Kind: harness.KindArray, Text: `["b<"]`}}, {Was: num("1"), Is: harness.Value{Kind: harness.KindArray, Text: "[1]"}}}, "F04", "became a list of one", ""},
	{"F04, list of one unpacked", []Pair{{Is: str("aa"), Was: harness.Value{Kind: harness.KindArray, Text: `["aa"]`}}, {Is: str("bb"), Was: harness.Value{Kind: harness.KindArray, Text: `["bb"]`}}, {Is: str("cc"), Was: harness.Value{Kind: harness.KindArray, Text: `["cc"]`}}}, "F04", "a list of one became a single value", ""},
	{"Y and N", repeat(texts("true → Y", "false → N"), 6), "F04", `written "Y"/"N" now`, ""},
	{"flags swapped", repeat(texts("Y → N", "N → Y"), 8), "F01", "changed sides", ""},
	{"code table", repeat(texts("FT → F1", "PT → P2", "HT → H9"), 5), "F01", "FT → F1, HT → H9, PT → P2", ""},
	{"one code", repeat(texts("student → observer"), 6), "F01", "student → observer", ""},
	{"terms", texts("202640 → Fall 2026", "202720 → Spring 2027", "202740 → Fall 2027", "202820 → Spring 2028", "202610 → Winter 2026", "202710 → Winter 2027"), "F05", "20 → Spring", ""},
	{"another host", texts("http://sis.hlu.example/a/1 → https://sis.hlu.example/a/1", "http://sis.hlu.example/b/22 → https://sis.hlu.example/b/22", "http://crm.hlu.example/c → https://crm.hlu.example/c"), "F17", `"http" became "https" within the value`, ""},
	{"F06, one year ahead", texts("2026-08-17 → 2027-08-17", "2026-08-20 → 2027-08-20", "2028-10-20 → 2029-10-20"), "F06", "dates moved one year ahead", ""},
	{"currency sign and separators", texts("$1,234.50 → 1.234,50", "$12.25 → 12,25", "$10,000.00 → 10.000,00"), "F19", `"$" was removed at the start, then number format changed from 1,234.50 to 1.234,50`, ""},
	{"prefix and zeros of identifiers", texts("H00000142 → 142", "H00000143 → 143", "H00001999 → 1999"), "F18", `"H" was removed at the start, then leading zeros were lost`, ""},
	{"replaced character", texts("BIO_101 → BIO-101", "CHEM_2_A → CHEM-2-A", "ART_7 → ART-7"), "F17", `every "_" became "-"`, ""},
	{"words swapped", texts("Nora Ames → Ames, Nora", "Tom Bexley → Bexley, Tom", "Ida Jo Corbin → Corbin, Ida"), "F02", `put together from its last word + ", " + its first word`, ""},
	{"user name from a name", texts("Nora Ames → names", "Tom Bexley → tbexley", "Ida Corbin → icorbin"), "F02", "the old value (first letter in lower case) + its last word in lower case", ""},
	{"token", texts("Ames, Nora → Ames", "Bexley, Tom → Bexley", "Corbin, Ida Jo → Corbin"), "F17", `before the first ","`, "before the last"},
	{"user name of a mail address", texts("nora@hlu.example → nora", "tom.b@hlu.example → tom.b", "ida@hlu.example → ida"), "F17", `"@hlu.example" was removed`, "before the first"},
	{"date within blanks", texts(" 08/25/2026 → 2026-08-25", " 12/31/2026 → 2026-12-31", " 01/02/2027 → 2027-01-02"), "F05", "US month/day/year", ""},
}

func TestInfersTheCatalogue(t *testing.T) {
	for _, c := range claims {
		t.Run(c.why, func(t *testing.T) {
			r, ok := Infer(c.pairs, Options{})
			if !ok {
				t.Fatal("no rule found")
			}
			if r.Kind != c.kind || !strings.Contains(r.Text, c.text) {
				t.Errorf("got %s %q (%s, %.1f bits), want %s %q", r.Kind, r.Text, r.Family, r.Bits, c.kind, c.text)
			}
			if r.Exceptions != 0 || r.Support != len(c.pairs) {
				t.Errorf("%d explained and %d exceptions of %d", r.Support, r.Exceptions, len(c.pairs))
			}
			for _, p := range c.pairs {
				if got, ok := r.Apply(p.Was, p.Record); !ok || !same(got, p.Is) {
					t.Errorf("apply to %q: got %q, want %q", p.Was.Text, got.Text, p.Is.Text)
				}
			}
			switch first := strings.Join(r.Ambiguous, " | "); {
			case !strings.Contains(first, c.ambiguous):
				t.Errorf("rivals %q do not mention %q", first, c.ambiguous)
			case c.ambiguous == "" && first != "":
				t.Errorf("rivals where there should be none: %q", first)
			}
		})
	}
}
