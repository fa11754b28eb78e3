package severity

import (
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

func value(kind harness.ValueKind, text string) harness.Value {
	return harness.Value{Kind: kind, Text: text}
}

var (
	text200 = value(harness.KindString, "200")
	text201 = value(harness.KindString, "201")
	text422 = value(harness.KindString, "422")
)

// seen is one change that each row of the table decides, with what it says when it comes in and when our side sends it.
var seen = []struct {
	why     string
	change  Change
	row     string
	in, out harness.Verdict
}{
	{"reading ends there", Change{Part: PartForm, Name: "malformed", Class: harness.Reformed, Is: text200}, "S40", breaks, breaks},
	{"a timeout", Change{Part: PartCall, Name: "fault", Class: harness.Added, Is: text200}, "S41", breaks, breaks},
	{"a cookie lost its flags", Change{Part: PartHead, Name: "set-cookie", Class: harness.Changed}, "S27", breaks, breaks},
	{"201 became 422", Change{Part: PartStatus, Name: ":status", Class: harness.Changed, Was: text201, Is: text422}, "S22", breaks, breaks},
	{"201 became 200", Change{Part: PartStatus, Name: ":status", Class: harness.Changed, Was: text201, Is: text200}, "S38", looks, looks},
	{"another wording of a 404", Change{Part: PartBody, Name: "message", Class: harness.Changed, InError: true}, "S23", fine, fine},
	{"a sunset date", Change{Part: PartHead, Name: "sunset", Class: harness.Added}, "S37", looks, looks},
	{"JSON became text", Change{Part: PartHead, Name: "content-type", Class: harness.Changed}, "S24", breaks, breaks},
	{"gzip now", Change{Part: PartHead, Name: "content-encoding", Class: harness.Changed}, "S42", fine, looks},
	{"no Location any more", Change{Kind: "F03", Part: PartHead, Name: "location", Class: harness.Removed}, "S25", breaks, breaks},
	{"one more header", Change{Kind: "F13", Part: PartHead, Name: "x-trace", Class: harness.Added}, "S26", fine, fine},
	{"no cipher in common", Change{Kind: "F09", Part: PartCall, Class: harness.MissingCall}, "S53", breaks, breaks},
	{"120 calls an hour", Change{Kind: "F08", Part: PartHead, Class: harness.Changed}, "S54", looks, looks},
	{"tokens live shorter", Change{Kind: "F32", Part: PartBody, Class: harness.Changed}, "S55", breaks, breaks},
	{"signed by another algorithm", Change{Kind: "F38", Part: PartHead, Class: harness.Changed}, "S56", breaks, breaks},
	{"PUT for PATCH", Change{Kind: "F33", Part: PartCall, Class: harness.MissingCall}, "S57", breaks, breaks},
	{"31 seconds", Change{Kind: "F39", Part: PartCall, Class: harness.Changed}, "S35", looks, looks},
	{"delivered twice", Change{Kind: "F26", Part: PartCall, Class: harness.ExtraCall}, "S58", looks, looks},
	{"drop before add", Change{Kind: "F25", Part: PartCall, Class: harness.Moved}, "S59", breaks, breaks},
	{"v44", Change{Kind: "F31", Part: PartBody, Class: harness.Changed}, "S60", looks, looks},
	{"an error inside", Change{Kind: "F34", Part: PartBody, Class: harness.Changed}, "S61", looks, looks},
	{"the term of last year", Change{Kind: "F41", Part: PartHead, Class: harness.Changed}, "S62", breaks, breaks},
	{"a person was deleted in test", Change{Kind: "F43", Part: PartBody, Class: harness.Changed}, "S63", looks, looks},
	{"semicolons", Change{Kind: "F14", Part: PartForm, Name: "delimiter", Class: harness.Reformed}, "S64", breaks, breaks},
	{"USER_ID for user_id", Change{Kind: "F12", Part: PartBody, Class: harness.Removed}, "S65", breaks, breaks},
	{"812 rows of 46,000", Change{Kind: "F29", Part: PartRecord, Class: harness.Removed}, "S66", breaks, breaks},
	{"two became one", Change{Kind: "F36", Part: PartRecord, Class: harness.Removed}, "S67", looks, looks},
	{"left out instead of ended", Change{Kind: "F37", Part: PartRecord, Class: harness.Removed}, "S68", breaks, breaks},
	{"cents for dollars", Change{Kind: "F19", Part: PartBody, Class: harness.Changed}, "S16", breaks, breaks},
	{"zeros lost", Change{Kind: "F18", Part: PartBody, Class: harness.Changed}, "S14", breaks, breaks},
	{"cut at eight", Change{Kind: "F20", Part: PartBody, Class: harness.Changed}, "S10", breaks, breaks},
	{"upper case demanded", Change{Kind: "F17", Part: PartBody, Class: harness.Changed}, "S11", breaks, breaks},
	{"a hard blank", Change{Kind: "F22", Part: PartBody, Class: harness.Changed}, "S17", looks, looks},
	{"composed letters", Change{Kind: "F11", SameLook: true, Part: PartBody, Class: harness.Changed}, "S17", looks, looks},
	{"UTF-8 again", Change{Kind: "F11", Repaired: true, Part: PartBody, Class: harness.Changed}, "S52", looks, looks},
	{"Latin-1 now", Change{Kind: "F11", Part: PartBody, Class: harness.Changed}, "S43", breaks, breaks},
	{"description grew", Change{Kind: "F16", Part: PartForm, Name: "record lengths", Class: harness.Reformed}, "S44", breaks, breaks},
	{"transmission 906", Change{Kind: "F00", Part: PartBody, Name: "isa13", Class: harness.Changed}, "S33", fine, fine},
	{"the ends of an envelope disagree", Change{Kind: "F00", Part: PartForm, Name: "control numbers", Class: harness.Reformed, Is: text200}, "S45", breaks, breaks},
	{"one REF more", Change{Kind: "F00", Part: PartRecord, Class: harness.Added, Segment: true}, "S34", breaks, breaks},
	{"twice the same key", Change{Kind: "F23", Part: PartRecord, Class: harness.Added}, "S20", breaks, breaks},
	{"sorted otherwise", Change{Kind: "F24", Part: PartRecord, Class: harness.Moved}, "S18", fine, fine},
	{"pages of 50", Change{Kind: "F07", Part: PartRecord, Class: harness.Removed}, "S21", looks, looks},
	{"tokens", Change{Kind: "F44", Part: PartBody, Class: harness.Changed}, "S28", looks, looks},
	{"trailer says 60", Change{Kind: "F27", Part: PartForm, Name: "totals", Class: harness.Reformed}, "S45", breaks, breaks},
	{"all rows gone", Change{Kind: "F28", Part: PartRecord, Class: harness.Removed}, "S46", breaks, breaks},
	{"RH has no row", Change{Kind: "F01", Unmapped: true, Part: PartBody, Class: harness.Changed}, "S08", breaks, looks},
	{"RH is caught", Change{Kind: "F01", Part: PartBody, Class: harness.Changed}, "S39", looks, looks},
	{"null in a PATCH", Change{Kind: "F21", Updating: true, Part: PartBody, Class: harness.Changed}, "S05", looks, breaks},
	{"null in a report", Change{Kind: "F21", Part: PartBody, Class: harness.Changed}, "S47", looks, looks},
	{"an advisor at last", Change{Kind: "F00", Part: PartBody, Class: harness.Retyped, Was: value(harness.KindNull, ""), Is: text200}, "S06", fine, looks},
	{"1 became \"1\"", Change{Kind: "F04", Part: PartBody, Class: harness.Retyped}, "S07", breaks, breaks},
	{"middle names gone", Change{Kind: "F03", Sparse: true, Some: true, Read: true, Part: PartBody, Class: harness.Removed}, "S03", looks, fine},
	{"phone gone, nobody seen", Change{Kind: "F03", Part: PartBody, Class: harness.Removed}, "S48", looks, looks},
	{"phone gone, read", Change{Kind: "F03", Read: true, Part: PartBody, Class: harness.Removed}, "S01", breaks, looks},
	{"phone gone for some", Change{Kind: "F03", Read: true, Some: true, Left: true, Part: PartBody, Class: harness.Removed}, "S02", breaks, breaks},
	{"last column added", Change{Kind: "F13", ByPosition: true, Part: PartBody, Class: harness.Added}, "S31", looks, breaks},
	{"the live SIS took it", Change{Kind: "F13", Accepted: true, Part: PartBody, Class: harness.Added}, "S49", fine, looks},
	{"one more member", Change{Kind: "F13", Part: PartBody, Class: harness.Added}, "S04", fine, breaks},
	{"no file any more", Change{Kind: "F00", Lost: true, Part: PartCall, Class: harness.MissingCall}, "S50", looks, breaks},
	{"a student less", Change{Kind: "F00", Part: PartRecord, Class: harness.Removed}, "S19", looks, breaks},
	{"a student more", Change{Kind: "F00", Part: PartRecord, Class: harness.Added}, "S51", looks, looks},
	{"CRLF", Change{Kind: "F00", Part: PartForm, Name: "line ends", Class: harness.Reformed}, "S32", fine, looks},
	{"another prefix", Change{Kind: "F00", Part: PartForm, Name: "prefixes", Class: harness.Reformed}, "S29", fine, fine},
	{"3.50 and 3.5", Change{Kind: "F00", Part: PartBody, Class: harness.Reformed}, "S12", fine, fine},
	{"another name", Change{Kind: "F00", Part: PartBody, Class: harness.Changed}, "S00", looks, looks},
}

func TestEveryRowDecidesSomething(t *testing.T) {
	decided := map[string]bool{}
	for _, tt := range seen {
		for _, side := range []struct {
			out  bool
			want harness.Verdict
		}{{false, tt.in}, {true, tt.out}} {
			c := tt.change
			c.Out = side.out
			rule, got := Of(c, harness.ProfileTyped)
			if tt.row == "S48" && side.out {
				continue // what our side sends is a loss, whoever reads it
			}
			if rule.ID != tt.row || got != side.want {
				t.Errorf("%s (out %v): %s says %s, want %s to say %s", tt.why, side.out, rule.ID, got, tt.row, side.want)
			}
			decided[rule.ID] = true
		}
	}
	ids := map[string]bool{}
	for _, r := range Rules {
		switch {
		case !decided[r.ID]:
			t.Errorf("%s decides nothing", r.ID)
		case ids[r.ID]:
			t.Errorf("%s is there twice", r.ID)
		case r.Change == "" || r.Reason == "" || strings.HasSuffix(r.Reason, "."):
			t.Errorf("%s does not say what and why in one line", r.ID)
		}
		ids[r.ID] = true
	}
}

func TestProfilesForgiveMoreAndMore(t *testing.T) {
	order := []string{harness.ProfileBytes, harness.ProfileLexical, harness.ProfileTyped, harness.ProfileTolerant}
	for _, r := range Rules {
		for _, out := range []bool{false, true} {
			var weights []int
			for _, p := range order {
				weights = append(weights, r.Level(out, true, p).Weight())
			}
			slices.Reverse(weights)
			if !slices.IsSorted(weights) {
				t.Errorf("%s, out %v: a more lenient profile is stricter: %v", r.ID, out, weights)
			}
		}
	}
}

func TestProfiles(t *testing.T) {
	spelling := Change{Kind: "F00", Part: PartBody, Class: harness.Reformed}
	gone := Change{Kind: "F04", Part: PartBody, Class: harness.Retyped}
	unread := gone
	unread.Unread = true
	sent := unread
	sent.Out = true
	ends := Change{Kind: "F00", Part: PartForm, Name: "line ends", Class: harness.Reformed}
	for _, tt := range []struct {
		why     string
		change  Change
		profile string
		want    harness.Verdict
	}{
		{"3.50 and 3.5 are one number", spelling, harness.ProfileTyped, fine},
		{"3.50 and 3.5 are two spellings", spelling, harness.ProfileLexical, looks},
		{"and other bytes", spelling, harness.ProfileBytes, looks},
		{"line ends are white space", ends, harness.ProfileLexical, fine},
		{"line ends are bytes", ends, harness.ProfileBytes, looks},
		{"a field that nobody is known not to read counts", gone, harness.ProfileTolerant, breaks},
		{"a field that the mapping does not read", unread, harness.ProfileTolerant, fine},
		{"tolerance is for readers, not for what is sent", sent, harness.ProfileTolerant, breaks},
		{"other profiles do not ask who reads", unread, harness.ProfileTyped, breaks},
	} {
		if _, got := Of(tt.change, tt.profile); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.why, got, tt.want)
		}
	}
}
