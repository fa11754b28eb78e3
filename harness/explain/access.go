package explain

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// detectAccess finds what changed in how systems let one another in: credentials that are refused, another scheme,
// tokens that live shorter or may do less.
func detectAccess(s *state) {
	refused := s.refusals(isNotLetIn)
	for _, list := range s.bySystem(refused) {
		s.claimRefused(list)
	}
	schemes := s.groups(func(d *harness.Difference) bool {
		return headField(d) == "authorization" && scheme(d.Was.Text) != scheme(d.Is.Text)
	})
	for _, g := range schemes {
		s.claimScheme(g.list)
	}
	for _, g := range s.groups(func(d *harness.Difference) bool { return isTokenLife(d) && fewer(d.Was.Text, d.Is.Text) }) {
		s.claimTokenLife(g.list)
	}
	for _, g := range s.groups(func(d *harness.Difference) bool { return isScope(d) && len(lostWords(d.Was.Text, d.Is.Text)) > 0 }) {
		s.claimScope(g.list)
	}
}

// isNotLetIn reports whether a call was refused because of who called, or of what the caller may do.
func isNotLetIn(d *harness.Difference, now harness.Exchange) bool {
	switch d.Is.Text {
	case "401":
		return true
	case "403":
		return bodyHolds(now, "insufficient_scope") || strings.Contains(now.Response.Head.Get("WWW-Authenticate"), "insufficient_scope")
	}
	return false
}

// scheme is the first word of an Authorization or WWW-Authenticate field.
func scheme(text string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	return word
}

func (s *state) claimRefused(list []int) {
	d := s.at(list[0])
	now := s.now(d)
	asks, brings := scheme(now.Response.Head.Get("WWW-Authenticate")), scheme(now.Request.Head.Get("Authorization"))
	f := s.sized(list)
	f.Verdict, f.Hit = harness.Breaking, s.hits(list)
	f.Source, f.Of = s.side(d.To), s.before.callsTo(d.To)
	f.Sentence = fmt.Sprintf("%s refuses the credentials of %d of %s (%s).", s.side(d.To), f.Count, count(f.Of, "call"), s.valuesNow(list))
	switch {
	case asks != "" && brings != "" && !strings.EqualFold(asks, brings):
		f.Effects = append(f.Effects, fmt.Sprintf("It asks for %s; the call brings %s.", asks, brings))
	case asks != "" && brings == "":
		f.Effects = append(f.Effects, fmt.Sprintf("It asks for %s; the call brings no Authorization field.", asks))
	case asks != "":
		f.Effects = append(f.Effects, fmt.Sprintf("The scheme is the one that it asks for (%s), so the token or what it may do is wrong.", asks))
	}
	if d.Is.Text == "403" {
		f.Effects = append(f.Effects, "The caller is known, and may not do this any more (insufficient_scope).")
	}
	f.NextStep = fmt.Sprintf("Ask %s which scheme, client and scopes it takes now; where this run used a stand-in for a secret, give the target a test secret first.", s.side(d.To))
	roots := s.sessions(list)
	headers := s.unclaimed(func(o *harness.Difference) bool {
		return o.To == d.To && !isAnswer(o) && headField(o) == "authorization" && slices.Contains(roots, o.Session)
	})
	own := append(s.take(headers), s.answersOf(list)...)
	calls := s.otherCalls(roots, true)
	calls.addTo(&f)
	s.claim(f, append(own, calls.list...))
}

func (s *state) claimScheme(list []int) {
	d := s.at(list[0])
	f := s.sized(list)
	f.Verdict = harness.Review
	f.Sentence = fmt.Sprintf("%s to %s brings %s for its credentials instead of %s (%s).",
		d.Operation, s.side(d.To), schemeText(d.Is), schemeText(d.Was), s.share(list))
	f.NextStep = fmt.Sprintf("Make sure that %s takes this scheme in production too, and that the secret behind it is stored there.", s.side(d.To))
	if d.Is.IsAbsent() {
		f.Verdict = harness.Breaking
		f.NextStep = "Find out why the call brings no credentials any more; a test side may let it in where production does not."
	}
	s.claim(f, s.take(list))
}

func schemeText(v harness.Value) string {
	if v.IsAbsent() {
		return "nothing"
	}
	return scheme(v.Text)
}

// isTokenLife reports whether the place says for how many seconds a token holds.
func isTokenLife(d *harness.Difference) bool {
	return isAnswer(d) && inBody(d) && d.Class == harness.Changed && (d.Path.Leaf() == "expires_in" || d.Path.Leaf() == "expiresIn")
}

func (s *state) claimTokenLife(list []int) {
	d := s.at(list[0])
	f := s.sized(list)
	f.Verdict = harness.Review
	f.Sentence = fmt.Sprintf("A token of %s lives %s seconds instead of %s (%s in %s).", s.side(d.To), d.Is.Text, d.Was.Text, fieldName(d), d.Operation)
	f.NextStep = "Ask for a token shortly before each use, or once more after a 401, instead of keeping one for a whole run."
	if life, err := strconv.Atoi(d.Is.Text); err == nil {
		if n := s.usedLater(list, time.Duration(life)*time.Second); n > 0 {
			f.Verdict = harness.Breaking
			f.Effects = []string{fmt.Sprintf("In the recording, %s came later than that after the token was given: such calls are refused now.", count(n, "call"))}
		} else {
			f.Effects = []string{"In the recording, every call came within the shorter life; a slower run does not."}
		}
	}
	s.claim(f, s.take(list))
}

// usedLater counts the recorded calls of the sessions that came with credentials later than the token would live.
func (s *state) usedLater(list []int, life time.Duration) int {
	given := map[string]time.Time{}
	for _, i := range list {
		d := s.at(i)
		x := s.before.byID[d.Exchange]
		given[d.Session] = x.At.Add(x.Took)
	}
	n := 0
	for session, at := range given {
		for _, id := range s.before.bySession[session] {
			x := s.before.byID[id]
			if x.From == s.at(list[0]).From && x.Request.Head.Has("Authorization") && x.At.Sub(at) > life {
				n++
			}
		}
	}
	return n
}

// isScope reports whether the place lists what a token may do.
func isScope(d *harness.Difference) bool {
	return isAnswer(d) && inBody(d) && d.Class == harness.Changed && d.Path.Leaf() == "scope"
}

// lostWords is the words of the first text that the second lacks.
func lostWords(was, is string) []string {
	words := strings.Fields(is)
	return slices.DeleteFunc(strings.Fields(was), func(w string) bool { return slices.Contains(words, w) })
}

func (s *state) claimScope(list []int) {
	d := s.at(list[0])
	lost := lostWords(d.Was.Text, d.Is.Text)
	f := s.sized(list)
	f.Verdict = harness.Breaking
	f.Sentence = fmt.Sprintf("A token of %s may do less: %s is gone from its scope (%s).", s.side(d.To), listSome(lost, maxFewCodes), d.Operation)
	f.NextStep = fmt.Sprintf("Ask %s to grant the scope again, or take out the calls that need it.", s.side(d.To))
	own := s.take(list)
	s.claimWithEffects(f, own)
}
