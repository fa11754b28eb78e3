package mock

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// StateKey says what a call is about, such as a customer or a logged-in user: calls of which it reads the same text
// share a sequence of answers, and others have one of their own. See [ParseStateKey].
type StateKey struct {
	text string
	read func(call) string
}

// String is the key as it was written.
func (k StateKey) String() string { return k.text }

// stateKinds is the table of what a state key may name in front of a colon.
var stateKinds = []struct {
	name string
	read func(c call, name string) string
}{
	{"header", func(c call, name string) string { return strings.Join(c.header(name), ", ") }},
	{"cookie", cookieOf},
	{"bearer", func(c call, _ string) string { return bearerOf(c) }},
}

// ParseStateKey reads a state key: header:NAME, cookie:NAME, bearer, or a place of the request such as request.segment[1],
// request.query.user or request.body.customer.id, the body being JSON or a form.
func ParseStateKey(text string) (StateKey, error) {
	kind, name, named := strings.Cut(text, ":")
	for _, k := range stateKinds {
		if k.name == kind && named == (kind != "bearer") && (name != "" || !named) {
			return StateKey{text, func(c call) string { return k.read(c, name) }}, nil
		}
	}
	place, err := harness.ParsePath(text)
	if wrong := place.CheckPlace(); wrong != nil {
		return StateKey{}, harness.Usage(fmt.Errorf("state key %q: %w", text, wrong), "write it in that way")
	}
	if err == nil {
		if read := readerOf(place); read != nil {
			return StateKey{text, read}, nil
		}
	}
	return StateKey{}, harness.Usage(fmt.Errorf("state key %q is not known", text),
		"write header:NAME, cookie:NAME, bearer, or a place such as request.segment[1], request.query.user or request.body.customer.id")
}

// readerOf reads one place of a request; nil when the path names no such place.
func readerOf(place harness.Path) func(call) string {
	switch {
	case len(place) < 3 || place.IsPattern():
		return nil
	case place.HasPrefix(segmentPlace) && len(place) == 3 && place[2].Kind == harness.StepIndex:
		return func(c call) string {
			if i := place[2].Index; i < len(c.segments) {
				return c.segments[i]
			}
			return ""
		}
	case place.HasPrefix(queryPlace) && len(place) == 3:
		return func(c call) string { return valueOf(c.query, place[2].Name) }
	case place.HasPrefix(headPlace) && len(place) == 3:
		return func(c call) string { return strings.Join(c.header(place[2].Name), ", ") }
	case place.HasPrefix(bodyPlace):
		return func(c call) string { return bodyValue(c, place[2:]) }
	}
	return nil
}

// bodyValue is the text at a place of a body: JSON, or a form, of which the place names a field.
func bodyValue(c call, place harness.Path) string {
	if doc := jsonOf(c); doc != nil {
		return doc.Root().At(place).Text()
	}
	if mediaOf(c.contentType) == formMedia && len(place) == 1 {
		return valueOf(pairsOf(string(c.body)), place[0].Name)
	}
	return ""
}

// valueOf is the first value of a name.
func valueOf(pairs []pair, name string) string {
	for _, p := range pairs {
		if p.name == name {
			return p.value
		}
	}
	return ""
}

func cookieOf(c call, name string) string {
	for _, line := range c.header("Cookie") {
		cookies, err := http.ParseCookie(line)
		if err != nil {
			continue
		}
		for _, cookie := range cookies {
			if cookie.Name == name {
				return cookie.Value
			}
		}
	}
	return ""
}

func bearerOf(c call) string {
	for _, v := range c.header("Authorization") {
		if scheme, token, found := strings.Cut(v, " "); found && strings.EqualFold(scheme, "Bearer") {
			return strings.TrimSpace(token)
		}
	}
	return ""
}

// entityOf is what the state keys read of a call, each with its length; empty when there are none.
func (m *Mock) entityOf(c call) string {
	if len(m.options.StateBy) == 0 {
		return ""
	}
	var buf []byte
	for _, k := range m.options.StateBy {
		buf = appendPart(buf, 's', k.read(c))
	}
	return string(buf)
}
