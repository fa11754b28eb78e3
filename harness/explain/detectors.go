package explain

// Detector is one row of the table: a kind of change, and what recognises it.
type Detector struct {
	Kind    string // F01 to F44 of the catalogue of change kinds; F00 for what has no known cause
	Title   string
	Summary string
	detect  func(*state)
}

// Detectors is the table, in the order in which they claim differences: declared changes, bodies that cannot be read,
// presence of fields, damage of values, codes, types, order, noise, and then what has no known cause.
var Detectors = []Detector{
	{"", "declared change", "differences that the scenario declares, up to the declared count", detectExpected},
	{"F40", "rule from outside", "what a bank, a regulator or a standard demands from a day on, followed or not", detectOutside},
	{"F00", "body malformed", "a body that cannot be read as its format any more", detectMalformed},
	{"F09", "no connection", "an error that speaks of encryption, certificates, host keys or an unknown client", detectConnection},
	{"F08", "rate limit", "calls that are refused as too many, or a lower limit in the headers", detectRateLimit},
	{"F38", "signature changed", "messages that are signed under another name or by another algorithm", detectSignature},
	{"F32", "access changed", "credentials that are refused, another scheme, tokens that live shorter or may do less", detectAccess},
	{"F32", "cookie protected less", "a cookie that lost Secure, HttpOnly or SameSite", detectCookies},
	{"F43", "test data moved", "things that a test system does not hold any more, while it answers for others", detectDrift},
	{"F39", "slower or no answer", "calls that are given up, and operations whose slow calls became three times slower", detectLatency},
	{"F33", "other verb or patch", "the same wish with another verb, or a patch written in another way", detectVerbs},
	{"F26", "delivered twice", "a message that is sent again word for word, with what follows from it", detectDuplicates},
	{"F25", "calls out of order", "calls in another order; dangerous where the history of one thing goes back", detectEventOrder},
	{"F34", "accepted, result later", "202 and a place to ask at, instead of the result", detectAccepted},
	{"F39", "result later", "the number of a job under the old status, instead of the result", detectDeferred},
	{"F34", "status changed", "another status, a redirect, errors told in the body or by the status", detectStatus},
	{"F34", "error told in another way", "another wording or code within the same error", detectErrorText},
	{"F31", "interface end announced", "headers that announce the end of an interface", detectSunset},
	{"F41", "term roll-over", "a term that follows the clock of the run, or stays behind", detectRollover},
	{"F31", "other release of interface", "version in path, media type or message, namespaces and prefixes", detectVersion},
	{"F16", "columns shifted", "records of fixed width that grew or shrank at one column", detectShift},
	{"F12", "header spelled otherwise", "columns whose names differ in letter case, blanks or marks only", detectHeader},
	{"F02", "field renamed", "a field is gone and another with the same values came in its place", detectRenamed},
	{"F02", "fields exchanged", "two fields of one parent that traded their values", detectSwapped},
	{"F07", "answer in pages", "a list that ends early because the server now answers a page", detectPaging},
	{"F11", "encoding changed", "the same letters in another encoding, or lost on the way", detectEncoding},
	{"F14", "file written otherwise", "delimiter, quotes, line ends, order of columns, byte order mark", detectDialect},
	{"F14", "cells written otherwise", "quotes, padding and digits of the same value; values that fall apart at a delimiter", detectCells},
	{"F18", "identifier damaged", "values differ in leading zeros only, or in scientific notation", detectDamage},
	{"F04", "type changed", "true and false in another spelling, and where it is handed on as text", detectRespelled},
	{"F06", "time zone changed", "days that became midnight of a zone, and other days that follow from it", detectDayShift},
	{"F06", "time zone changed", "times that moved by an hour on one side of a switch to or from daylight saving time", detectOneSided},
	{"F21", "null, missing and empty exchanged", "ways to say no value that took each other's place, and stand-ins for it", detectNothing},
	{"F21", "stand-in for no value", "N/A, 9999-12-31 and the like in place of values that the target reads", detectStandInsRead},
	{"F22", "blanks changed", "blanks and invisible characters that came or went", detectBlanks},
	{"F05", "values rewritten", "values that one rule turns into the new ones: dates, zones, units, padding, cuts, code tables", detectTransformed},
	{"F17", "writing changed", "the same values in another writing, where there are few values", detectWriting},
	{"F01", "new code", "a value that was never there in a field of few values", detectNewCode},
	{"F21", "stand-in for no value", "the same in what the target sends", detectStandInsSent},
	{"F03", "header removed", "a header field that clients act on is gone: Location, Link, ETag, Retry-After", detectLostHeaders},
	{"F13", "field added", "a column or member that was not there", detectAdded},
	{"F03", "field removed", "a column or member that is gone or emptied", detectRemoved},
	{"F04", "type changed", "a value of another type", detectRetyped},
	{"F27", "file incomplete", "trailers, sums and hashes that do not hold any more, files that end too early", detectPromises},
	{"F24", "order changed", "the same records in another order", detectOrder},
	{"F44", "looks like noise", "time stamps and tokens that differ and that no rule covers", detectNoise},
	{"F34", "error behind success", "an answer of success that tells an error inside, without a known cause", detectErrorsInside},
	{"F00", "call fails", "an answer that turned from success to an error without a known cause", detectFailing},
	{"F00", "other records", "records that are missing or new in what comes in, with what follows from it", detectRecords},
	{"F00", "unexplained", "differences that no detector claims", detectRest},
}
