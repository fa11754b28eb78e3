package explain

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// announcesEnd reports whether the header field says that the interface will go: RFC 9745, RFC 8594, a warning 299.
func announcesEnd(d *harness.Difference) bool {
	if !isAnswer(d) || d.Is.IsAbsent() {
		return false
	}
	switch text := strings.ToLower(d.Is.Text); headField(d) {
	case "deprecation", "sunset", "x-api-deprecated", "x-deprecated", "x-api-warn":
		return true
	case "warning":
		return strings.HasPrefix(text, "299") && strings.Contains(text, "deprecat")
	case "link":
		return d.Was.IsAbsent() && (strings.Contains(text, `rel="deprecation"`) || strings.Contains(text, `rel="sunset"`) || strings.Contains(text, `rel="successor-version"`))
	}
	return false
}

// detectSunset finds interfaces whose end is announced, one finding for each system.
func detectSunset(s *state) {
	for _, list := range s.bySystem(s.unclaimed(announcesEnd)) {
		d := s.at(list[0])
		calls, operations := map[string]bool{}, []string{}
		until := ""
		for _, i := range list {
			o := s.at(i)
			calls[o.Exchange] = true
			operations = append(operations, o.Operation)
			if headField(o) == "sunset" && until == "" {
				until = s.untilSunset(o.Is.Text)
			}
		}
		f := s.sized(list)
		f.Verdict, f.Unit, f.Count, f.Of, f.Source = harness.Review, "calls", len(calls), s.before.callsTo(d.To), s.side(d.To)
		f.Sentence = fmt.Sprintf("%s announces the end of %s%s (%d of %s).", s.side(d.To), listSome(distinct(operations), maxSamples), until, f.Count, count(f.Of, "call"))
		f.Effects = []string{"Nothing fails yet: this is an early warning."}
		f.NextStep = fmt.Sprintf("Ask %s what takes its place, and plan the move before that day.", s.side(d.To))
		s.claim(f, list)
	}
}

// untilSunset says on which day the interface ends, and how far that is.
func (s *state) untilSunset(text string) string {
	at, err := http.ParseTime(text)
	if err != nil {
		return " (" + short(text) + ")"
	}
	days := int(at.Sub(s.Now).Hours() / 24)
	if s.Now.IsZero() || days < 0 {
		return " on " + at.Format(time.DateOnly)
	}
	return fmt.Sprintf(" on %s, in %s", at.Format(time.DateOnly), count(days, "day"))
}
