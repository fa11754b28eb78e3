package access

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/sign"
)

// Options of New.
type Options struct {
	Base      string              // URL of the target, for token URLs that are paths
	Getenv    func(string) string // for references to secrets
	Now       func() time.Time    // for signatures and the ends of tokens
	Transport http.RoundTripper   // through the egress guard, for getting tokens
}

// Access gives requests credentials of now. It is safe for concurrent use.
type Access struct {
	entries []covering
	now     func() time.Time
}

// covering is an entry of the scenario with what it covers.
type covering struct {
	operation string // glob; empty covers all
	entry     entry
}

// entry puts one kind of credentials into requests.
type entry interface {
	// enter changes the message, which crosses with the body, when it was recorded with credentials of this kind.
	enter(ctx context.Context, m *harness.Message, at moment) error
}

// renewable is an entry whose credentials may end before the run does.
type renewable interface {
	// renew forgets what was used, unless it was renewed since.
	renew(used string)
	// used is the credentials that a message carries.
	used(m harness.Message) string
}

// moment is when a request is sent, and when it was recorded.
type moment struct{ now, recorded time.Time }

// material is what a recipe is made of.
type material struct {
	spec   harness.Access
	o      Options
	secret func(reference string) (string, error)
}

// New reads the secrets that the entries refer to. Nothing is reached before the first request needs it.
func New(entries []harness.Access, o Options) (*Access, error) {
	a := &Access{now: o.Now}
	for i, spec := range entries {
		if _, err := Check(spec); err != nil {
			return nil, harness.Usage(fmt.Errorf("access[%d]: %w", i, err), "see the recipes in the documentation")
		}
		recipe, _ := RecipeOf(spec.Recipe)
		made, err := recipe.make(material{spec, o, func(reference string) (string, error) {
			text, err := harness.ReadSecret(reference, o.Getenv, "write env:NAME, fd:3 or the name of a file that only you can read")
			return strings.TrimRight(string(text), "\r\n"), err
		}})
		if err != nil {
			return nil, fmt.Errorf("access[%d] (%s): %w", i, spec.Recipe, err)
		}
		a.entries = append(a.entries, covering{spec.Operation, made})
	}
	return a, nil
}

// Enter returns the request as it is to be sent. A request that was refused for its credentials stays as it is.
func (a *Access) Enter(ctx context.Context, x harness.Exchange) (harness.Exchange, error) {
	if refused(&x) {
		return x, nil
	}
	for _, c := range a.covering(&x) {
		if err := c.enter(ctx, &x.Request, moment{a.now(), x.At}); err != nil {
			return x, fmt.Errorf("give exchange %s its credentials: %w", x.ID, err)
		}
	}
	return x, nil
}

// Renew reports whether the request is worth sending again: it was recorded with success, is refused for its
// credentials now, and these can be got anew.
func (a *Access) Renew(recorded, sent, live harness.Exchange) bool {
	if live.Status() != http.StatusUnauthorized || refused(&recorded) {
		return false
	}
	again := false
	for _, c := range a.covering(&recorded) {
		r, ok := c.(renewable)
		if !ok {
			continue
		}
		if used := r.used(sent.Request); used != "" {
			r.renew(used)
			again = true
		}
	}
	return again
}

func refused(x *harness.Exchange) bool {
	status := x.Status()
	return status == http.StatusUnauthorized || status == http.StatusForbidden
}

// covering is the entries for an exchange, in the order of the scenario.
func (a *Access) covering(x *harness.Exchange) []entry {
	var list []entry
	operation := x.Operation()
	for _, c := range a.entries {
		if harness.MatchOperation(c.operation, operation) {
			list = append(list, c.entry)
		}
	}
	return list
}

// fixed puts one value into the place where the recorded one stood.
type fixed struct {
	at    place
	value func(was string) string
}

func (f fixed) enter(_ context.Context, m *harness.Message, _ moment) error {
	return f.at.replace(m, f.value)
}

// signing makes a signature anew.
type signing struct{ by sign.Signer }

func (s signing) enter(_ context.Context, m *harness.Message, at moment) error {
	body, err := m.Body.Bytes()
	if err != nil {
		return err
	}
	_, err = s.by(m, body, at.now)
	return err
}

// minting gives a recorded token later moments.
type minting struct {
	key  sign.Key
	head string
}

func (k minting) enter(_ context.Context, m *harness.Message, at moment) error {
	_, err := k.key.Bearer(k.head, at.recorded)(m, nil, at.now)
	return err
}

// place is where the scenario says that the credentials stand.
func (m material) place() place {
	p := place{head: m.spec.Head, query: m.spec.Query, body: m.spec.Body}
	if p.query == "" && len(p.body) == 0 {
		p.head = cmp.Or(p.head, "Authorization")
	}
	return p
}
