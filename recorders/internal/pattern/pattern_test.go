package pattern_test

import (
	"regexp"
	"testing"

	"github.com/rehearse-dev/rehearse/recorders/internal/pattern"
)

func TestRegexpIsAnsweredByATextThatItAccepts(t *testing.T) {
	for _, test := range []struct {
		expr, want string
		exact      bool
	}{
		{"/testmapping", "/testmapping", true},
		{`/users/[0-9]+\?full=(true|false)`, "/users/1?full=true", false},
		{`/a/.*`, "/a/", false},
		{`/a/.+`, "/a/x", false},
		{`^/id/[a-f0-9]{8}$`, "/id/11111111", false},
		{`/v\.1`, "/v.1", true},
		{`(?i)/Case`, "/CASE", false},
		{``, "", true},
	} {
		have, ok := pattern.Regexp(test.expr)
		if !ok || have.Exact != test.exact || test.expr != "(?i)/Case" && have.Text != test.want {
			t.Errorf("%s: %+v, %v", test.expr, have, ok)
		}
		if !regexp.MustCompile("^(?:" + test.expr + ")$").MatchString(have.Text) {
			t.Errorf("%s does not accept %q", test.expr, have.Text)
		}
	}
	for _, expr := range []string{`(?=x)`, `[`, `(((a{1000}){1000}){1000})`, `a{1000}b{1000}`} {
		if have, ok := pattern.Regexp(expr); ok {
			t.Errorf("%s: %d bytes", expr, len(have.Text))
		}
	}
}

func FuzzRegexp(f *testing.F) {
	f.Add(`/users/[0-9]+\?full=(true|false)`)
	f.Add(`[^a-z]{2,}|b?`)
	f.Fuzz(func(t *testing.T, expr string) {
		have, ok := pattern.Regexp(expr)
		re, err := regexp.Compile("^(?:" + expr + ")$")
		if !ok || err != nil || regexp.MustCompile(`\\[bBzA]|[\^$]`).MatchString(expr) {
			return
		}
		if !re.MatchString(have.Text) {
			t.Errorf("%q does not accept %q", expr, have.Text)
		}
	})
}
