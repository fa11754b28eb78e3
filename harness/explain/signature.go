package explain

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// signatureName is how header fields are called that sign a message.
var signatureName = regexp.MustCompile(`(?i)(^|-)(sig|signature|hmac|digest)(-|$|\d)`)

// isSignature reports whether the difference lies in a header field of a request that signs it.
func isSignature(d *harness.Difference) bool {
	return !isAnswer(d) && signatureName.MatchString(headField(d))
}

// detectSignature finds messages that are signed in another way: under another name, or by another algorithm.
func detectSignature(s *state) {
	resigned := s.unclaimed(func(d *harness.Difference) bool {
		return isSignature(d) && (d.Was.IsAbsent() || d.Is.IsAbsent() || signedHow(d.Was.Text) != signedHow(d.Is.Text))
	})
	for _, list := range s.bySlot(resigned) {
		s.claimSignature(slotOf(s.at(list[0])), list)
	}
}

// signedHow is the form of a signature with its value left out: "sha1=40 hexadecimal digits".
func signedHow(text string) string {
	var parts []string
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == ' ' || r == ';' }) {
		name, value, named := strings.Cut(part, "=")
		if !named || value == "" || strings.Trim(value, "=") == "" { // base64 ends in =
			name, value = "", part
		} else {
			name += "="
		}
		parts = append(parts, name+digestForm(value))
	}
	return strings.Join(parts, ",")
}

// digestForm is the alphabet and length of a digest; another length is another algorithm.
func digestForm(value string) string {
	switch {
	case onlyDigits.MatchString(value):
		return "number"
	case hexOnly.MatchString(value):
		return fmt.Sprintf("%d hexadecimal digits", len(value))
	default:
		return fmt.Sprintf("%d characters", len(value))
	}
}

var hexOnly = regexp.MustCompile(`^[0-9a-fA-F]+$`)

func (s *state) claimSignature(k slot, resigned []int) {
	var old, now []string
	messages := map[string]bool{}
	for _, i := range resigned {
		d := s.at(i)
		messages[d.Exchange] = true
		if !d.Was.IsAbsent() {
			old = append(old, d.Path[2].Name+": "+signedHow(d.Was.Text))
		}
		if !d.Is.IsAbsent() {
			now = append(now, d.Path[2].Name+": "+signedHow(d.Is.Text))
		}
	}
	f := s.sized(resigned)
	f.Verdict, f.Hit, f.Unit = harness.Breaking, s.hits(resigned), "calls"
	f.Count, f.Of = len(messages), len(s.before.bySlot[k])
	f.Source = s.side(k.from) + ": " + k.operation
	f.Sentence = fmt.Sprintf("%s signs %s in another way (%d of %s): %s instead of %s.",
		s.side(k.from), k.operation, f.Count, count(f.Of, "call"), orWord(list(distinct(now)), "no signature"), orWord(list(distinct(old)), "no signature"))
	f.Effects = []string{fmt.Sprintf("%s cannot check the message before it knows the new way; a receiver that does not check lets anything in.", s.side(k.to))}
	f.NextStep = fmt.Sprintf("Ask %s for the algorithm, what is signed and how old a signature may be; check both ways while the two run side by side.", s.side(k.from))
	stamps := s.unclaimed(func(d *harness.Difference) bool { return messages[d.Exchange] && signsWith(d) })
	own := s.take(slices.Concat(resigned, stamps))
	refused := s.refusals(func(d *harness.Difference, _ harness.Exchange) bool {
		return messages[d.Exchange] && slices.Contains([]string{"400", "401", "403"}, d.Is.Text)
	})
	if len(refused) > 0 {
		c := s.failedAnswers(refused)
		c.join(s.otherCalls(s.sessions(refused), true))
		c.addTo(&f)
		own = append(own, c.list...)
	}
	s.claim(f, own)
}

// signsWith reports whether the field belongs to the signature: the moment at which the message was signed.
func signsWith(d *harness.Difference) bool {
	name := headField(d)
	return !isAnswer(d) && strings.HasPrefix(name, "x-") && strings.HasSuffix(name, "timestamp") && (d.Was.IsAbsent() || d.Is.IsAbsent())
}

// distinct drops repeated texts, in order of first appearance.
func distinct(texts []string) []string {
	var out []string
	for _, t := range texts {
		if !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}
