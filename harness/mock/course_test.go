package mock_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/mock"
)

// TestCallsWithoutSessionStayInASession calls two sessions that were recorded side by side, each of them: log in, ask twice, look.
func TestCallsWithoutSessionStayInASession(t *testing.T) {
	var xs []harness.Exchange
	for _, step := range []string{"/login", "/job", "/job", "/only/"} {
		for _, s := range []string{"a", "b"} {
			path := step
			if step == "/only/" {
				path += s
			}
			xs = append(xs, exchange(s, "GET", path, "", s+strings.Repeat("'", len(xs)/2)))
		}
	}
	for why, test := range map[string]struct{ calls, want string }{
		"who keeps to the recording gets it": {
			"/login /login /job /job /job /job /only/a /only/b", "a b a' b' a'' b'' a''' b'''"},
		"who runs one session and then the other gets one and then the other": {
			"/login /only/b /job /job /login /only/a /job /job", "a b''' b' b'' b a''' a' a''"},
		"a session that is at the end of its answers lends from the other": {
			"/only/a /job /job /job /job", "a''' a' a'' b' b''"},
		"behind all answers the last one of the session is repeated": {
			"/only/b /job /job /job /job /job /only/a /job", "b''' b' b'' a' a'' a'' a''' a''"},
		"who begins again begins the session that did not begin": {
			"/login /only/a /login /job", "a a''' b b'"},
	} {
		m := newMock(t, mock.Options{}, xs...)
		base, c := listen(t, m), client(t)
		var have []string
		for path := range strings.FieldsSeq(test.calls) {
			_, body, err := ask(c, base, "", "GET", path, "")
			if err != nil {
				t.Fatal(err)
			}
			have = append(have, body)
		}
		if diff := cmp.Diff(strings.Fields(test.want), have); diff != "" {
			t.Errorf("%s: %s", why, diff)
		}
	}
}

// TestCallersAreToldApart lets two callers take turns, by connection and by names of sessions that were not recorded.
func TestCallersAreToldApart(t *testing.T) {
	var xs []harness.Exchange
	for _, s := range []string{"a", "b"} {
		for _, path := range []string{"/begin/" + s, "/next", "/next", "/next"} {
			xs = append(xs, exchange(s, "GET", path, "", s))
		}
	}
	for why, names := range map[string][2]string{"by connection": {}, "by name": {"run 1", "run 2"}} {
		base := listen(t, newMock(t, mock.Options{}, xs...))
		one, two := client(t), client(t)
		if names[0] != "" {
			two = one
		}
		for i := range 4 {
			path := func(s string) string { return map[bool]string{true: "/begin/" + s, false: "/next"}[i == 0] }
			_, first, err1 := ask(one, base, names[0], "GET", path("b"), "")
			_, second, err2 := ask(two, base, names[1], "GET", path("a"), "")
			if first != "b" || second != "a" || err1 != nil || err2 != nil {
				t.Errorf("%s, call %d: %q and %q, %v, %v", why, i, first, second, err1, err2)
			}
		}
	}
}

// TestRealSessionsRunInAnyOrder runs the sessions of real clients in other orders than recorded and names none. With which of
// several sessions a caller begins that begin alike is not to be known; behind that the answers are those of the session.
func TestRealSessionsRunInAnyOrder(t *testing.T) {
	const orders = 10
	xs := realRecording(t, "govcr", "linodego")
	sessions := map[string][]harness.Exchange{}
	for _, x := range xs {
		sessions[x.Session] = append(sessions[x.Session], x)
	}
	names := slices.Sorted(maps.Keys(sessions))
	random := rand.New(rand.NewPCG(1, 2))
	begun, other, all := 0, 0, 0
	for range orders {
		random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		base, c := listen(t, newMock(t, mock.Options{}, xs...)), client(t)
		for _, name := range names {
			for i, x := range sessions[name] {
				x.Session = "" // which the caller does not name
				switch reason := replayOne(t, c, base, x); {
				case reason == "":
				case i == 0:
					begun++
				default:
					other++
				}
				all++
			}
		}
	}
	t.Logf("of %d calls %d were answered from another session: %d that begin one, and %d others", all, begun+other, begun, other)
	if other*50 > all { // 284 of 4,860 when answers are given in the order of the recording only
		t.Errorf("%d of %d calls behind the first one got another answer", other, all)
	}
}
