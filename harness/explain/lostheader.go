package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// promisedFields is the header fields of answers that clients act on, and what they do with them.
var promisedFields = map[string]string{
	"location":    "A client that looks there for what it made does not find it.",
	"link":        "A client that follows links does not find the next one.",
	"etag":        "A client that guards against lost updates with it (If-Match) cannot any more.",
	"retry-after": "A client does not learn how long to wait, and may repeat at once.",
}

// detectLostHeaders finds header fields of answers that clients act on and that are gone.
func detectLostHeaders(s *state) {
	for _, g := range s.groups(func(d *harness.Difference) bool {
		return isAnswer(d) && d.Is.IsAbsent() && promisedFields[headField(d)] != ""
	}) {
		d := s.at(g.list[0])
		f := s.sized(g.list)
		f.Verdict, f.Hit = harness.Review, s.hits(g.list)
		f.Sentence = fmt.Sprintf("The header field %s is gone from the answers of %s to %s (%s).", d.Path[2].Name, s.side(d.To), d.Operation, s.share(g.list))
		f.Effects = []string{promisedFields[headField(d)]}
		if slices.ContainsFunc(g.list, func(i int) bool { return s.wasRead(s.at(i)) }) {
			f.Verdict = harness.Breaking
			f.Effects = append(f.Effects, "The recording shows that it is read: a later call of the session uses its value.")
		}
		f.NextStep = fmt.Sprintf("Find out whether the integration reads %s; ask %s for it back when it does.", d.Path[2].Name, s.side(d.To))
		own := s.take(g.list)
		s.claimWithEffects(f, own)
	}
}

// wasRead reports whether a later call of the session in the baseline used the value of the field.
func (s *state) wasRead(d *harness.Difference) bool {
	x, later := s.before.byID[d.Exchange], false
	for _, id := range s.before.bySession[d.Session] {
		o := s.before.byID[id]
		if later && o.From == x.From && usesValue(o.Request.Head, headField(d), d.Was.Text) {
			return true
		}
		later = later || id == x.ID
	}
	return false
}

// usesValue reports whether a request goes to the place that a field named, or guards itself with the tag that it held.
func usesValue(request harness.Head, field, value string) bool {
	if field == "etag" {
		return request.Get("If-Match") == value || request.Get("If-None-Match") == value
	}
	path := request.Get(harness.FieldPath)
	return len(path) > 1 && strings.Contains(value, path)
}
