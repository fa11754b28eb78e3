package rehearsal

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/replay"
	"github.com/rehearse-dev/rehearse/harness/replay/correlate"
)

// carried is the values that this run carries over from live answers to later requests: created ids, tokens, cookies. It is
// the [replay.Links] of the run.
type carried struct {
	plan   *correlate.Plan
	values *correlate.Values

	incident bool // a value that no answer gave is sent as recorded: the failure lies in what was sent

	mu      sync.Mutex
	changed map[string]bool // recorded exchanges into whose requests live values were put
	trouble []string        // answers that could not be read
}

// carryOver finds the values in what is fed. It is nil when nothing is a call, so that no answer comes.
func (p Plan) carryOver(sessions replay.Sessions) (*carried, error) {
	s := p.Scenario
	exchanges := slices.DeleteFunc(sessions.Exchanges(), func(x harness.Exchange) bool { return x.Channel != harness.ChannelHTTP })
	if len(exchanges) == 0 {
		return nil, nil
	}
	plan, err := correlate.Mine(exchanges, correlate.Options{Pin: s.Correlate.Pin, Deny: s.Correlate.Deny})
	if err != nil {
		return nil, fmt.Errorf("find what answers give to later requests: %w", err)
	}
	return &carried{plan: plan, values: plan.NewValues(), incident: p.Incident, changed: map[string]bool{}}, nil
}

// Producers are the exchanges that must be answered before.
func (c *carried) Producers(id string) []string { return c.plan.Producers(id) }

// Request puts live values into a request.
func (c *carried) Request(x harness.Exchange) (harness.Exchange, error) {
	live, err := c.plan.Request(x, c.values)
	if _, missing := errors.AsType[*correlate.Missing](err); missing && c.incident {
		return x, nil
	}
	if err == nil && !isSame(x.Request, live.Request) {
		c.mu.Lock()
		c.changed[x.ID] = true
		c.mu.Unlock()
	}
	return live, err
}

// Learn takes the values of an answer. One that cannot be read is an outcome and no reason to stop: what needs a value of
// it is not sent.
func (c *carried) Learn(recorded, live harness.Exchange) error {
	if err := c.plan.Learn(recorded, live, c.values); err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.trouble = append(c.trouble, err.Error())
	}
	return nil
}

// restore puts the recorded values back; an exchange that cannot be read stays as it is, and is compared like that.
func (c *carried) restore(x harness.Exchange) harness.Exchange {
	back, err := c.plan.Restore(x, c.values)
	if err != nil {
		return x
	}
	return back
}

func isSame(a, b harness.Message) bool {
	if !slices.Equal(a.Head, b.Head) || a.Body.Size() != b.Body.Size() {
		return false
	}
	x, held := a.Body.Held()
	y, alsoHeld := b.Body.Held()
	if held && alsoHeld {
		return bytes.Equal(x, y)
	}
	return a.Body.Digest() == b.Body.Digest()
}

// mostPlaces is how many places of answers the report names.
const mostPlaces = 20

// notes says which values were other ones than recorded and were mapped back, by the places that gave them.
func (c *carried) notes() []string {
	type place struct{ operation, path string }
	type use struct {
		place
		values map[string]bool
		uses   int
	}
	var uses []*use
	byPlace := map[place]*use{}
	for _, l := range c.plan.Links {
		if !c.changed[l.To.Exchange] {
			continue
		}
		at := place{l.From.Operation, l.From.Path.Pattern().String()}
		u := byPlace[at]
		if u == nil {
			u = &use{place: at, values: map[string]bool{}}
			byPlace[at] = u
			uses = append(uses, u)
		}
		u.values[l.From.Exchange+l.From.Path.String()] = true
		u.uses++
	}
	slices.SortStableFunc(uses, func(a, b *use) int {
		return cmp.Or(cmp.Compare(b.uses, a.uses), cmp.Compare(a.operation, b.operation), cmp.Compare(a.path, b.path))
	})
	notes := slices.Sorted(slices.Values(c.trouble))
	for i, u := range uses {
		if i == mostPlaces {
			notes = append(notes, fmt.Sprintf("and of %s more", harness.Count(len(uses)-i, "place")))
			break
		}
		notes = append(notes, fmt.Sprintf("%s: %s carried over to later requests in %s, and mapped back before comparing", u.operation+" "+u.path,
			harness.Count(len(u.values), "live value"), harness.Count(u.uses, "place")))
	}
	if c.plan.TooLarge > 0 {
		notes = append(notes, fmt.Sprintf("%s not searched for values of later requests: larger than 8 MiB", harness.Count(c.plan.TooLarge, "body")))
	}
	return notes
}
