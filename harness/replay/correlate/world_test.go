package correlate_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/replay/correlate"
)

// renamer gives values other texts of the same kind, and others of another length where the server might.
type renamer struct {
	r   *rand.Rand
	new map[string]string
}

func (n *renamer) rename(value string) string {
	if to, known := n.new[value]; known {
		return to
	}
	const digits, hex = "0123456789", "0123456789abcdef"
	var b strings.Builder
	for i := range len(value) {
		switch c := value[i]; {
		case c >= '1' && c <= '9' && i == 0:
			b.WriteByte(digits[1+n.r.IntN(9)])
		case c >= '0' && c <= '9':
			b.WriteByte(digits[n.r.IntN(10)])
		case c >= 'a' && c <= 'f':
			b.WriteByte(hex[10+n.r.IntN(6)])
		default:
			b.WriteByte(c)
		}
	}
	to := b.String()
	if len(value) >= 7 && value[0] >= '0' && value[0] <= '9' {
		to += "77" // the server has many more of them by now
	}
	n.new[value] = to
	return to
}

// token is a text without marks that part names.
var token = regexp.MustCompile(`[A-Za-z0-9_-]+`)

// playedAgain is the recording as a server would play it that gives every linked value anew. It replaces whole tokens of
// the raw texts, knowing nothing of places.
func playedAgain(t testing.TB, xs []harness.Exchange, values map[string]bool, seed uint64) []harness.Exchange {
	n := &renamer{rand.New(rand.NewPCG(seed, 1)), map[string]string{}}
	replace := func(s string) string {
		return token.ReplaceAllStringFunc(s, func(w string) string {
			if values[w] {
				return n.rename(w)
			}
			return w
		})
	}
	message := func(m harness.Message) harness.Message {
		body, err := m.Body.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		m.Body = harness.BytesBody([]byte(replace(string(body))))
		m.Head = append(harness.Head(nil), m.Head...)
		for i := range m.Head {
			switch m.Head[i].Name {
			case "Content-Length", harness.FieldStatus, "Date", "Expires", "Last-Modified", "X-Ratelimit-Limit", "X-RateLimit-Reset":
			default:
				m.Head[i].Value = replace(m.Head[i].Value)
			}
		}
		if m.Head.Has("Content-Length") {
			m.Head = m.Head.With("Content-Length", fmt.Sprint(m.Body.Size()))
		}
		return m
	}
	out := make([]harness.Exchange, len(xs))
	for i, x := range xs {
		x.Request, x.Response = message(x.Request), message(x.Response)
		out[i] = x
	}
	return out
}

func text(t testing.TB, m harness.Message) string {
	body, err := m.Body.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range m.Head {
		if f.Name != "Content-Length" { // some recorders count packed bytes and keep plain ones
			fmt.Fprintf(&b, "%s: %s\n", f.Name, f.Value)
		}
	}
	return b.String() + "\n" + string(body)
}

// A vendor whose ids are others in this run: each request is what that vendor expects, and what crossed becomes the
// recording again, byte for byte.
func TestRealSessionsReplayAgainstRenamedVendors(t *testing.T) {
	eachRealSet(t, realSets[:2], func(t *testing.T, xs []harness.Exchange) {
		plan, err := correlate.Mine(xs, correlate.Options{})
		if err != nil {
			t.Fatal(err)
		}
		values := map[string]bool{}
		for _, l := range plan.Links {
			isLabel := strings.HasPrefix(l.Value, "balancer") // a client put _renamed behind it, and this test knows no such parts
			if token.FindString(l.Value) == l.Value && len(l.Value) >= 5 && !isLabel {
				values[l.Value] = true
			}
		}
		live := playedAgain(t, xs, values, 7)
		v := plan.NewValues()
		changed := 0
		sent := make([]harness.Exchange, len(xs))
		for i, x := range xs {
			if sent[i], err = plan.Request(x, v); err != nil {
				t.Errorf("%v", err)
			}
			want, got := text(t, live[i].Request), text(t, sent[i].Request)
			if want != text(t, x.Request) {
				changed++
			}
			if want != got {
				t.Errorf("request %s %s (-expected +sent):\n%s", x.ID, x.Title(), cmp.Diff(want, got))
			}
			sent[i].Response = live[i].Response
			if err := plan.Learn(x, sent[i], v); err != nil {
				t.Fatal(err)
			}
		}
		for i, x := range sent {
			back, err := plan.Restore(x, v)
			if err != nil {
				t.Fatal(err)
			}
			if want, got := text(t, xs[i].Request), text(t, back.Request); want != got {
				t.Errorf("request %s restored (-recorded +restored):\n%s", x.ID, cmp.Diff(want, got))
			}
			if want, got := text(t, xs[i].Response), text(t, back.Response); want != got {
				t.Errorf("response %s restored (-recorded +restored):\n%s", x.ID, cmp.Diff(want, got))
			}
		}
		t.Logf("%d values renamed, %d of %d requests changed", len(values), changed, len(xs))
	})
}
