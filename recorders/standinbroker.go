package recorders

import (
	"context"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/broker"
)

// standInBroker is one broker for all systems that exchanged messages over one of its kind.
func standInBroker(scheme string) func(harness.Recording, []string, StandInOptions) (*Serving, error) {
	return func(rec harness.Recording, systems []string, o StandInOptions) (*Serving, error) {
		b, err := broker.NewStandIn(rec, scheme, systems)
		if err != nil || len(b.Systems()) == 0 {
			return nil, err
		}
		mem := harness.NewMemory(harness.Manifest{})
		b.From, b.Sink, b.Held = o.from(), both{mem, o.Sink}, o.Held
		addr, err := b.Listen(o.Listen)
		if err != nil {
			return nil, err
		}
		s := begin(scheme+"://"+addr.String(), b.Serve, func() (Account, error) { return accountForMessages(mem, b, o) })
		s.Systems = b.Systems()
		if o.Held {
			s.Deliver = func(ctx context.Context, x harness.Exchange) error { return b.Deliver(ctx, x) }
		}
		return s, nil
	}
}

// accountForMessages compares what clients published with what was recorded, by topic, and adds what was said to them.
func accountForMessages(mem *harness.Memory, b *broker.StandIn, o StandInOptions) (Account, error) {
	a, err := accountFor(mem, "", nil, b.Taken(), o.Scrub)
	if err != nil {
		return a, err
	}
	said, unsaid := b.Said()
	a.Served += said
	for _, x := range unsaid {
		a.Unused = append(a.Unused, x.ID+" "+x.Operation())
	}
	return a, nil
}
