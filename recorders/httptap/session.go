package httptap

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// SessionByHeader names the session after the value of a request field, such as a correlation id. The value becomes
// the name as it is: choose a field that identifies a unit of work, not a person.
func SessionByHeader(name string) func(*http.Request) string {
	return func(r *http.Request) string { return r.Header.Get(name) }
}

// SessionByCookie names the session after a digest of the cookie's value, so that a token never becomes a name.
// Requests without the cookie have no session.
func SessionByCookie(name string) func(*http.Request) string {
	const digits = 16
	return func(r *http.Request) string {
		c, err := r.Cookie(name)
		if err != nil || c.Value == "" {
			return ""
		}
		return strings.TrimPrefix(harness.Digest([]byte(c.Value)), "sha256:")[:digits]
	}
}

// SessionByConnection names the session after the client's connection: conn-1, conn-2 and so on, in order of arrival.
// Outside of [Tap.Record] there are no numbers, and the client's address is the name.
func SessionByConnection() func(*http.Request) string {
	return func(r *http.Request) string {
		if c := clientConnOf(r); c != nil {
			return fmt.Sprintf("conn-%d", c.number)
		}
		return r.RemoteAddr
	}
}
