package diff

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/rehearse-dev/rehearse/harness"
)

// texts makes the check of a comparison without parameters, over two texts of one type.
func texts(equal func(was, is string) bool) func(harness.Rule) (takesAway, error) {
	return func(harness.Rule) (takesAway, error) {
		return func(d harness.Difference) bool { return d.Was.Kind == d.Is.Kind && equal(d.Was.Text, d.Is.Text) }, nil
	}
}

func equalTrimmed(was, is string) bool {
	return strings.TrimFunc(was, isBlank) == strings.TrimFunc(is, isBlank)
}

// isBlank holds for white space, hard spaces included, and for characters without width.
func isBlank(r rune) bool { return unicode.IsSpace(r) || r == '\u200b' || r == '\ufeff' }

func equalNormalized(was, is string) bool { return norm.NFC.String(was) == norm.NFC.String(is) }

func checkPattern(r harness.Rule) (takesAway, error) {
	if r.Pattern == "" {
		return nil, fmt.Errorf("rule at %s: pattern needs pattern, a regular expression", r.At)
	}
	shape, err := regexp.Compile("^(?:" + r.Pattern + ")$")
	if err != nil {
		return nil, fmt.Errorf("rule at %s: pattern %q: %w", r.At, r.Pattern, err)
	}
	return func(d harness.Difference) bool {
		return d.Was.Kind == d.Is.Kind && shape.MatchString(d.Was.Text) && shape.MatchString(d.Is.Text)
	}, nil
}

func checkOneOf(r harness.Rule) (takesAway, error) {
	if len(r.Values) == 0 {
		return nil, fmt.Errorf("rule at %s: one-of needs values", r.At)
	}
	return func(d harness.Difference) bool {
		return d.Was.Kind == d.Is.Kind && slices.Contains(r.Values, d.Is.Text)
	}, nil
}

func checkEmpty(harness.Rule) (takesAway, error) {
	empty := func(v harness.Value) bool {
		return v.IsAbsent() || v.Kind == harness.KindNull || v.Kind == harness.KindString && v.Text == ""
	}
	return func(d harness.Difference) bool { return empty(d.Was) && empty(d.Is) }, nil
}

func checkForm(harness.Rule) (takesAway, error) {
	return func(d harness.Difference) bool { return d.Class == harness.Reformed }, nil
}
