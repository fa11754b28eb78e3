package infer

// Family is one row of the table: a way in which values change, and what solves its parameters.
type Family struct {
	Name    string
	Kind    string // of the catalogue, when its rules suggest nothing more specific
	Summary string
	propose func(*profile)
	build   func(*reading) transform // makes the rule again of what was written
}

// Families is the table. Order breaks ties.
var Families = []Family{
	{"presence", "F21", "null, missing, empty and sentinel values take each other's place", proposePresence, buildPresence},
	{"constant", "F01", "every value became the same one, or a default was filled in", proposeConstant, buildConstant},
	{"type", "F04", "the same text as another type", proposeRetype, buildRetype},
	{"array", "F04", "a single value became a list of one, or the reverse", proposeArray, buildArray},
	{"text", "F17", "blanks, letter case, accents, normalisation, escapes, encoding", proposeSteps, buildStep},
	{"zeros", "F18", "leading zeros lost", proposeZeros, buildZeros},
	{"pad", "F17", "filled up with a character to a width, or the fill stripped", proposePad, buildPad},
	{"truncate", "F20", "cut to a length", proposeTruncate, buildTruncate},
	{"affix", "F17", "a prefix or suffix added or removed", proposeAffix, buildAffix},
	{"replace", "F17", "one character in place of another, or characters removed", proposeReplace, buildReplace},
	{"template", "F17", "the same letters and digits with other punctuation", proposeTemplate, buildTemplate},
	{"boolean", "F04", "true and false in another spelling, or swapped", proposeBoolean, buildBoolean},
	{"number", "F19", "scale, offset, rounding, separators, sign", proposeNumber, buildNumber},
	{"exponent", "F18", "scientific notation", proposeExponent, buildExponent},
	{"date", "F05", "layout, zone and shift of dates and times", proposeDate, buildDate},
	{"term", "F05", "academic terms: year and season in another order or code", proposeTerm, buildTerm},
	{"substring", "F17", "part of the old value", proposeSubstring, buildSubstring},
	{"concat", "F02", "put together from members of the record", proposeConcat, buildConcat},
	{"table", "F01", "a code table", proposeTable, buildTable},
	{"mask", "F35", "each identifier became another one, always the same", proposeMask, buildTable},
}
