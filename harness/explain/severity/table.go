package severity

import (
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// Short names for the columns of the table.
const (
	breaks = harness.Breaking
	looks  = harness.Review
	fine   = harness.Benign
)

// Rules is the table, in the order in which rows are tried: what is said of bytes and of whole messages, fields,
// values, records, heads, and then everything else. The numbers are names; a row keeps its own.
var Rules = []Rule{
	{ID: "S40", Change: "body that cannot be read as its format any more", In: breaks, Out: breaks, Reason: "nothing behind the place where reading ends is known", fits: aMalformed},
	{ID: "S41", Change: "connection that breaks off", In: breaks, Out: breaks, Reason: "there is no answer to work with", fits: aFault},
	{ID: "S27", Change: "cookie or way of signing in changed", In: breaks, Out: breaks, Reason: "what guards access is never noise", fits: inHead("set-cookie", "www-authenticate", "authorization", "proxy-authorization")},
	{ID: "S22", Change: "answer turned from success to an error", In: breaks, Out: breaks, Reason: "the caller does not get what it asked for", fits: aFailure},
	{ID: "S38", Change: "one success for another, such as 200 for 201 or 202", In: looks, Out: looks, Reason: "the work may not be done yet when the answer comes", fits: aStatus},
	{ID: "S23", Change: "text of an answer that was an error before", In: fine, Out: fine, Bytes: looks, Reason: "error texts are for people; the code decides", fits: anErrorText},
	{ID: "S37", Change: "announcement that an interface ends", In: looks, Out: looks, Reason: "an early sign of the next upgrade", fits: aFarewell},
	{ID: "S24", Change: "content type or charset changed", In: breaks, Out: breaks, Reason: "readers choose how to read by it", fits: inHead("content-type")},
	{ID: "S42", Change: "compression changed", In: fine, Out: looks, Reason: "clients undo it by themselves; a receiver may not", fits: inHead("content-encoding")},
	{ID: "S25", Change: "header that clients act on is gone", In: breaks, Out: breaks, Unread: true, Reason: "location, paging, retry and caching hang on it", fits: aLostHeader},
	{ID: "S26", Change: "header added", In: fine, Out: fine, Reason: "receivers pass over headers that they do not know", fits: of(harness.Added, PartHead)},

	{ID: "S53", Change: "connection refused: encryption, certificate, host key", In: breaks, Out: breaks, Reason: "nothing crosses any more", fits: kind("F09")},
	{ID: "S54", Change: "fewer calls allowed", In: looks, Out: looks, Reason: "it shows only under load", fits: kind("F08")},
	{ID: "S55", Change: "way of signing in, tokens or scopes changed", In: breaks, Out: breaks, Reason: "calls are refused when the old way ends", fits: kind("F32")},
	{ID: "S56", Change: "signature of messages changed", In: breaks, Out: breaks, Reason: "who checks it refuses, who does not is open to forgery", fits: kind("F38")},
	{ID: "S57", Change: "another verb, or a patch written otherwise", In: breaks, Out: breaks, Reason: "the receiver does something else or refuses", fits: kind("F33")},
	{ID: "S35", Change: "slower answers, or results that come later", In: looks, Out: looks, Reason: "waiting ends somewhere, and then it is a failure", fits: kind("F39")},
	{ID: "S58", Change: "the same message twice", In: looks, Out: looks, Reason: "harmless only where receivers know it again", fits: kind("F26")},
	{ID: "S59", Change: "messages in another order", In: breaks, Out: breaks, Reason: "the last one wins, and it is the older one now", fits: kind("F25")},
	{ID: "S60", Change: "another release of an interface", In: looks, Out: looks, Reason: "what else it changed may lie beyond the recording", fits: kind("F31")},
	{ID: "S61", Change: "another status, redirect or way to tell errors", In: looks, Out: looks, Reason: "callers act on it", fits: kind("F34")},
	{ID: "S62", Change: "term or year rolled over, or did not", In: breaks, Out: breaks, Reason: "records go into the wrong term", fits: kind("F41")},
	{ID: "S63", Change: "test data moved", In: looks, Out: looks, Reason: "it says nothing about the change under test", fits: kind("F43")},

	{ID: "S16", Change: "dates, zones or numbers written in another way", In: breaks, Out: breaks, Unread: true, Reason: "the same text now means another day, moment or amount", fits: kind("F05", "F06", "F19")},
	{ID: "S14", Change: "identifier damaged, exchanged or used again", In: breaks, Out: breaks, Reason: "records join with the wrong ones", fits: kind("F18", "F35")},
	{ID: "S10", Change: "texts cut off", In: breaks, Out: breaks, Unread: true, Reason: "what is cut off cannot be restored behind it", fits: kind("F20")},
	{ID: "S11", Change: "padding, case or justification changed", In: breaks, Out: breaks, Unread: true, Reason: "receivers that compare or cut by column take another value", fits: kind("F17")},
	{ID: "S17", Change: "blanks or composition of letters changed", In: looks, Out: looks, Unread: true, Reason: "values look the same and do not match", fits: aBlank},
	{ID: "S52", Change: "encoding of texts repaired", In: looks, Out: looks, Unread: true, Reason: "receivers keep the damaged texts from before", fits: aRepair},
	{ID: "S43", Change: "encoding of texts changed", In: breaks, Out: breaks, Reason: "letters beyond ASCII turn into others or are refused", fits: kind("F11")},
	{ID: "S44", Change: "records of fixed width shifted", In: breaks, Out: breaks, Reason: "every field behind the column is read from the wrong place", fits: kind("F16")},
	{ID: "S33", Change: "number or time in the envelope of an EDI message", In: fine, Out: fine, Bytes: looks, Reason: "every transmission has its own; two ends of an envelope that disagree are told apart from it (S45)", fits: anEnvelope},
	{ID: "S34", Change: "segment or element of an EDI message added, lost or in another place", In: breaks, Out: breaks, Reason: "loops are told apart by the order of their segments", fits: aSegment},
	{ID: "S64", Change: "delimiter of a file changed", In: breaks, Out: breaks, Reason: "a row becomes one value", fits: aDelimiter},
	{ID: "S32", Change: "line ends, quoting or final newline changed", In: fine, Out: looks, Bytes: looks, Reason: "readers of the format take both; strict loaders do not", fits: aDialect},
	{ID: "S65", Change: "names of columns spelled otherwise", In: breaks, Out: breaks, Reason: "readers that look for the old spelling find nothing", fits: kind("F12")},
	{ID: "S66", Change: "a delta where a snapshot was, or the reverse", In: breaks, Out: breaks, Reason: "a receiver that mirrors deletes the rest", fits: kind("F29")},
	{ID: "S67", Change: "records merged or split", In: looks, Out: looks, Reason: "receivers keep the old identifier until somebody moves what hangs on it", fits: kind("F36")},
	{ID: "S68", Change: "records ended in another way", In: breaks, Out: breaks, Reason: "who is over stays, or who stays is over", fits: kind("F37")},
	{ID: "S20", Change: "the same key twice", In: breaks, Out: breaks, Reason: "which of the two counts is chance", fits: kind("F23")},
	{ID: "S18", Change: "same records in another order", In: fine, Out: fine, Reason: "records are told apart by their keys", fits: aMove},
	{ID: "S21", Change: "list answered in pages", In: looks, Out: looks, Reason: "a reader that does not follow loses the rest", fits: kind("F07")},
	{ID: "S28", Change: "values that look like noise and that no rule covers", In: looks, Out: looks, Reason: "only runs of the same thing prove noise", fits: kind("F44")},
	{ID: "S45", Change: "promise of a message about itself broken", In: breaks, Out: breaks, Reason: "part of the message is missing or altered", fits: aBrokenPromise},
	{ID: "S46", Change: "mass of records gone, new or in another state", In: breaks, Out: breaks, Reason: "one wrong extract can delete a term", fits: kind("F28")},
	{ID: "S08", Change: "new code that no code table translates", In: breaks, Out: looks, Unread: true, Reason: "the mapping drops or guesses what it does not know", fits: anUnmapped},
	{ID: "S39", Change: "new code that passes", In: looks, Out: looks, Unread: true, Reason: "somebody must say what it means before receivers meet it", fits: kind("F01")},

	{ID: "S05", Change: "null, missing and empty exchanged in a partial update", In: looks, Out: breaks, Reason: "in an update null deletes and missing keeps", fits: anUpdate},
	{ID: "S47", Change: "null, missing and empty exchanged", In: looks, Out: looks, Unread: true, Reason: "some readers tell them apart", fits: kind("F21")},
	{ID: "S06", Change: "value where there was null", In: fine, Out: looks, Reason: "a reader that knows null knows a value", fits: aFilled},
	{ID: "S07", Change: "type changed", In: breaks, Out: breaks, Unread: true, Reason: "readers with strict types refuse it, lenient ones misread it", fits: aType},
	{ID: "S03", Change: "field that was missing now and then is never there", In: looks, Out: fine, Unread: true, Reason: "readers live without it already, but some records had it", fits: aRareLoss},
	{ID: "S48", Change: "field gone that nobody is seen to read", In: looks, Out: looks, Unread: true, Reason: "the mapping may read it in a case that was not recorded", fits: anUnseenLoss},
	{ID: "S01", Change: "field gone everywhere, or under another name", In: breaks, Out: looks, Unread: true, Reason: "what reads it gets nothing", fits: aLoss},
	{ID: "S02", Change: "field gone or empty in some records", In: breaks, Out: breaks, Unread: true, Reason: "it breaks for some people only, which is found late", fits: aPartLoss},
	{ID: "S31", Change: "column added in a table read by position", In: looks, Out: breaks, Reason: "rows are longer than the reader expects", fits: aPositionAdded},
	{ID: "S49", Change: "field added that a live receiver took", In: fine, Out: looks, Reason: "accepted once; whether it is stored is not seen", fits: anAcceptedField},
	{ID: "S04", Change: "field added", In: fine, Out: breaks, Reason: "readers pass over it; a strict receiver refuses what it does not know", fits: aNewField},

	{ID: "S50", Change: "delivery or write that is not made any more", In: looks, Out: breaks, Reason: "the receiver works with old data", fits: aLostDelivery},
	{ID: "S19", Change: "record lost", In: looks, Out: breaks, Reason: "who is missing is not served; what comes in may be other data", fits: of(harness.Removed, PartRecord)},
	{ID: "S51", Change: "record new", In: looks, Out: looks, Reason: "nobody said where it comes from", fits: of(harness.Added, PartRecord)},
	{ID: "S29", Change: "prefixes, declarations and comments changed", In: fine, Out: fine, Bytes: looks, Reason: "they carry no meaning to a reader of the format", fits: inForm("prefixes", "declaration", "quotes", "cdata sections", "comments", "processing instructions", "bytes")},
	{ID: "S12", Change: "same value in another spelling, such as 3.50 and 3.5", In: fine, Out: fine, Spell: looks, Unread: true, Reason: "equal by value", fits: of(harness.Reformed, PartBody)},
	{ID: "S00", Change: "anything else", In: looks, Out: looks, Reason: "no row speaks of it, so that a person must", fits: anything},
}

func kind(kinds ...string) func(Change) bool {
	return func(c Change) bool { return slices.Contains(kinds, c.Kind) }
}

func of(class harness.ChangeClass, part string) func(Change) bool {
	return func(c Change) bool { return c.Class == class && c.Part == part }
}

func inHead(names ...string) func(Change) bool {
	return func(c Change) bool {
		return c.Part == PartHead && slices.Contains(names, c.Name) && c.Class != harness.Added
	}
}

func inForm(names ...string) func(Change) bool {
	return func(c Change) bool { return c.Part == PartForm && slices.Contains(names, strings.ToLower(c.Name)) }
}

func anything(Change) bool { return true }

func aMalformed(c Change) bool { return inForm("malformed")(c) && !c.Is.IsAbsent() }

func aFault(c Change) bool { return c.Name == "fault" && !c.Is.IsAbsent() }

func aStatus(c Change) bool { return c.Part == PartStatus }

func aFailure(c Change) bool {
	return aStatus(c) && c.Was.Text < "400" && c.Is.Text >= "400"
}

func anErrorText(c Change) bool {
	return c.InError && c.Part == PartBody && c.Class == harness.Changed && !strings.Contains(strings.ToLower(c.Name), "code")
}

func aFarewell(c Change) bool {
	return c.Part == PartHead && c.Class == harness.Added && (c.Name == "deprecation" || c.Name == "sunset")
}

// actedOn is the headers that clients act on.
var actedOn = []string{"location", "link", "retry-after", "etag", "content-disposition"}

func aLostHeader(c Change) bool {
	return c.Part == PartHead && c.Class == harness.Removed && slices.Contains(actedOn, c.Name)
}

func aBlank(c Change) bool { return c.Kind == "F22" || c.SameLook }

func aRepair(c Change) bool { return c.Repaired }

func aMove(c Change) bool { return c.Kind == "F24" || c.Class == harness.Moved }

func anUnmapped(c Change) bool { return c.Kind == "F01" && c.Unmapped }

func anUpdate(c Change) bool { return c.Kind == "F21" && c.Updating }

func aFilled(c Change) bool { return c.Was.Kind == harness.KindNull && !c.Is.IsAbsent() }

func aType(c Change) bool { return c.Kind == "F04" || c.Class == harness.Retyped }

func isLoss(c Change) bool { return c.Kind == "F02" || c.Kind == "F03" }

func aRareLoss(c Change) bool { return c.Kind == "F03" && c.Sparse && !c.Left }

func anUnseenLoss(c Change) bool { return isLoss(c) && !c.Out && !c.Read }

func aLoss(c Change) bool { return isLoss(c) && !(c.Some && c.Left) }

func aPartLoss(c Change) bool { return isLoss(c) }

func aPositionAdded(c Change) bool { return c.Kind == "F13" && c.ByPosition }

func aNewField(c Change) bool { return c.Kind == "F13" }

func anAcceptedField(c Change) bool { return c.Kind == "F13" && c.Accepted }

func aLostDelivery(c Change) bool { return c.Lost }

// aBrokenPromise is an F27, F30 or F40, and what the reader of an EDI message says of its counts and control numbers.
func aBrokenPromise(c Change) bool {
	return kind("F27", "F30", "F40")(c) || kind("F00")(c) && !c.Is.IsAbsent() && inForm("envelopes", "counts", "control numbers")(c)
}

// envelope names the elements of X12 and HL7 that count or date transmissions.
var envelope = strings.Fields("isa09 isa10 isa13 gs04 gs05 gs06 st02 se02 ge02 iea02 msh-7 msh-10")

func anEnvelope(c Change) bool {
	return c.Part == PartBody && c.Class == harness.Changed && kind("F00", "F44")(c) && slices.Contains(envelope, c.Name)
}

func aSegment(c Change) bool {
	return c.Segment && kind("F00", "F02", "F03", "F13", "F24")(c) &&
		(c.Class == harness.Added || c.Class == harness.Removed || c.Class == harness.Moved)
}

func aDelimiter(c Change) bool {
	return kind("F00", "F14")(c) && inForm("delimiter", "separators")(c)
}

func aDialect(c Change) bool {
	return kind("F14", "F15")(c) || c.Kind == "F00" && inForm("line ends", "final newline", "quoting", "blank lines", "byte order mark")(c)
}
