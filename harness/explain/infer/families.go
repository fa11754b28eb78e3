package infer

// Family is one row of the table: a way in which values change, and what solves its parameters.
type Family struct {
	Name    string
	Kind    string // of the catalogue, when its rules suggest nothing more specific
	Summary string
	propose func(*profile)
}

// Families is the table. Order breaks ties.
var Families = []Family{
	{"presence", "F21", "null, missing, empty and sentinel values take each other's place", proposePresence},
	{"constant", "F01", "every value became the same one, or a default was filled in", proposeConstant},
	{"type", "F04", "the same text as another type", proposeRetype},
	{"array", "F04", "a single value became a list of one, or the reverse", proposeArray},
	{"text", "F17", "blanks, letter case, accents, normalisation, escapes, encoding", proposeSteps},
	{"zeros", "F18", "leading zeros lost", proposeZeros},
	{"pad", "F17", "filled up with a character to a width, or the fill stripped", proposePad},
	{"truncate", "F20", "cut to a length", proposeTruncate},
	{"affix", "F17", "a prefix or suffix added or removed", proposeAffix},
	{"replace", "F17", "one character in place of another, or characters removed", proposeReplace},
	{"template", "F17", "the same letters and digits with other punctuation", proposeTemplate},
	{"boolean", "F04", "true and false in another spelling, or swapped", proposeBoolean},
	{"number", "F19", "scale, offset, rounding, separators, sign", proposeNumber},
	{"exponent", "F18", "scientific notation", proposeExponent},
	{"date", "F05", "layout, zone and shift of dates and times", proposeDate},
	{"term", "F05", "academic terms: year and season in another order or code", proposeTerm},
	{"substring", "F17", "part of the old value", proposeSubstring},
	{"concat", "F02", "put together from members of the record", proposeConcat},
	{"table", "F01", "a code table", proposeTable},
	{"mask", "F35", "each identifier became another one, always the same", proposeMask},
}
