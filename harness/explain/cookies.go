package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// detectCookies finds cookies that are protected less than before.
func detectCookies(s *state) {
	for _, g := range s.groups(func(d *harness.Difference) bool { return inAnswerHead(d, "set-cookie") && len(weakened(d)) > 0 }) {
		d := s.at(g.list[0])
		f := s.sized(g.list)
		f.Verdict = harness.Breaking
		f.Sentence = fmt.Sprintf("The cookie %s of %s is protected less than before: %s (%s, %s).",
			cookieOf(d.Is.Text)["name"], s.side(d.To), list(weakened(d)), d.Operation, s.share(g.list))
		f.Effects = []string{"This is about security: whoever gets the cookie acts as its owner."}
		f.NextStep = fmt.Sprintf("Ask %s for the old protection; do not go live with this.", s.side(d.To))
		s.claim(f, g.list)
	}
}

// cookieOf is a Set-Cookie field by lower-case attribute; an attribute without a value holds the empty text.
func cookieOf(text string) map[string]string {
	attributes := map[string]string{}
	for n := range payload.ParseSetCookie(text).Root().Children() {
		attributes[n.Name()] = n.Text()
	}
	return attributes
}

// sameSite orders the values of SameSite from weak to strong.
var sameSite = []string{"none", "", "lax", "strict"}

// weakened says in which ways the same cookie is protected less.
func weakened(d *harness.Difference) []string {
	if d.Was.IsAbsent() || d.Is.IsAbsent() {
		return nil
	}
	was, is := cookieOf(d.Was.Text), cookieOf(d.Is.Text)
	if was["name"] != is["name"] {
		return nil
	}
	var ways []string
	for _, flag := range []struct{ attribute, name string }{{"secure", "Secure"}, {"httponly", "HttpOnly"}} {
		_, before := was[flag.attribute]
		if _, now := is[flag.attribute]; before && !now {
			ways = append(ways, flag.name+" is gone")
		}
	}
	a, b := strings.ToLower(was["samesite"]), strings.ToLower(is["samesite"])
	if slices.Index(sameSite, b) < slices.Index(sameSite, a) {
		ways = append(ways, fmt.Sprintf("SameSite is %s instead of %s", orWord(is["samesite"], "missing"), was["samesite"]))
	}
	return ways
}

func orWord(text, word string) string {
	if text == "" {
		return word
	}
	return text
}
