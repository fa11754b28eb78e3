package mock

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/sign"
)

// callback is a call that a recorded system made back to its caller, and how long after its answer.
type callback struct {
	x     harness.Exchange
	delay time.Duration
}

// callbacks sends what the recording shows to follow an answer.
type callbacks struct {
	after map[string][]callback // by ID of the exchange that they follow
	urls  map[string]string     // where each system is called back
	send  http.RoundTripper
	sign  sign.Signer
	now   func() time.Time

	ctx     context.Context
	cancel  context.CancelFunc
	sending sync.WaitGroup

	mu     sync.Mutex
	closed bool
	sent   int
	failed []string
	stale  map[string]int // calls whose recorded signature was sent, by its field
}

func newCallbacks(exchanges, back []harness.Exchange, o Options) callbacks {
	ctx, cancel := context.WithCancel(context.Background())
	return callbacks{after: learnCallbacks(exchanges, back), urls: o.Callbacks, send: o.Transport, sign: o.Sign, now: o.Now, stale: map[string]int{}, ctx: ctx, cancel: cancel}
}

func (b *callbacks) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sent
}

// maxBack is how many calls before a callback are looked at to find the one that it follows.
const maxBack = 64

// learnCallbacks finds for each call back the call that it follows: made by the system that is called back, to the one that
// calls, in the same session where both have one, answered before. Of those it is the last one that changes something and
// shares an identifier with it, else the last one that changes something, else the last one that shares, else the last.
func learnCallbacks(exchanges []harness.Exchange, back []harness.Exchange) map[string][]callback {
	after := map[string][]callback{}
	for _, b := range back {
		var follows *harness.Exchange
		best, looked := -1, 0
		for i := len(exchanges) - 1; i >= 0 && looked < maxBack && best < changesAndShares; i-- {
			x := &exchanges[i]
			if x.To != b.From || x.From != b.To || x.At.Add(x.Took).After(b.At) || x.Session != "" && b.Session != "" && x.Session != b.Session {
				continue
			}
			looked++
			if r := likelihood(x, b); r > best {
				best, follows = r, x
			}
		}
		if follows != nil {
			after[follows.ID] = append(after[follows.ID], callback{b, b.At.Sub(follows.At.Add(follows.Took))})
		}
	}
	for _, list := range after {
		slices.SortStableFunc(list, func(a, b callback) int { return cmp.Compare(a.delay, b.delay) })
	}
	return after
}

// Likelihoods that a call back follows a call.
const (
	shares           = 1
	changes          = 2
	changesAndShares = changes + shares
)

func likelihood(x *harness.Exchange, b harness.Exchange) (r int) {
	switch x.Request.Head.Get(harness.FieldMethod) {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
	default:
		r = changes
	}
	if sharesText(x, b) {
		r += shares
	}
	return r
}

// sharesText reports whether the answer of a call holds a value with which the call back speaks.
func sharesText(x *harness.Exchange, b harness.Exchange) bool {
	c, err := recordedCall(b.Request)
	if err != nil {
		return false
	}
	said := textsSaid(x)
	return slices.ContainsFunc(placesOf(c, nil), func(p placed) bool {
		return len(p.text) >= shortest && strings.ContainsAny(p.text, "0123456789") && said(p.text)
	})
}

// follow sends what follows an answer, each call after its time, with the values of the live call in it. What is sent ends with the server.
func (m *Mock) follow(a reply) {
	b := &m.back
	list := b.after[a.x.ID]
	if len(list) == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	b.sending.Go(func() {
		waited := time.Duration(0)
		for _, c := range list {
			if d := c.delay - waited; d > 0 {
				m.options.Wait(b.ctx, time.Duration(float64(d)*cmp.Or(m.options.Latency, 1)))
				waited = c.delay
			}
			b.note(c, b.call(c, a.texts))
		}
	})
}

func (b *callbacks) note(c callback, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sent++
	if err != nil {
		b.failed = append(b.failed, fmt.Sprintf("%s to %s, exchange %s: %v", c.x.Operation(), c.x.To, c.x.ID, err))
	}
}

// call makes one call back.
func (b *callbacks) call(c callback, texts map[string]string) error {
	if b.ctx.Err() != nil {
		return errors.New("the mock was stopped before its time")
	}
	const patience = 10 * time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(b.ctx), patience)
	defer cancel()
	message := messageWith(c.x.Request, texts)
	body, err := message.Body.Bytes()
	if err != nil {
		return err
	}
	target := replacedWords(originForm(message.Head.Get(harness.FieldPath)), texts)
	if err := b.signed(&message, target, body); err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, message.Head.Get(harness.FieldMethod), strings.TrimSuffix(b.urls[c.x.To], "/")+target, bytes.NewReader(body))
	if err != nil {
		return err
	}
	for _, f := range message.Head {
		name := http.CanonicalHeaderKey(f.Name)
		if !f.IsPseudo() && !framing[name] && name != "Host" && name != "Connection" {
			r.Header[f.Name] = append(r.Header[f.Name], f.Value)
		}
	}
	resp, err := b.send.RoundTrip(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, maxCompared)) //nolint:errcheck // its status counts
	if was := c.x.Status(); was != 0 && resp.StatusCode/100 != was/100 {
		return fmt.Errorf("answered with %d, recorded was %d", resp.StatusCode, was)
	}
	return nil
}

// signed makes the signature of a message anew, or counts that a recorded one is sent.
func (b *callbacks) signed(m *harness.Message, target string, body []byte) error {
	m.Head = m.Head.With(harness.FieldPath, target)
	done, err := b.sign(m, body, b.now())
	if err != nil || done {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, usual := range sign.Usual {
		if m.Head.Has(usual.Head) {
			b.stale[usual.Head]++
		}
	}
	return nil
}

// StaleSignatures counts the calls back that carried a recorded signature of a well-known sender, by its field. A receiver
// that checks it refuses them.
func (m *Mock) StaleSignatures() map[string]int {
	m.back.mu.Lock()
	defer m.back.mu.Unlock()
	return maps.Clone(m.back.stale)
}

// endCallbacks gives up the calls back whose time has not come and waits for the others.
func (m *Mock) endCallbacks() {
	m.back.mu.Lock()
	m.back.closed = true
	m.back.mu.Unlock()
	m.back.cancel()
	m.back.sending.Wait()
}

// FailedCallbacks says which calls back did not come to their end as recorded, and why.
func (m *Mock) FailedCallbacks() []string {
	m.back.mu.Lock()
	defer m.back.mu.Unlock()
	return slices.Clone(m.back.failed)
}
