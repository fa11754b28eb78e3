package capture

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// Cut finds the message of the query in the source and takes what belongs to it. What is nowhere, or everywhere, is a
// Problem of ClassInconclusive that names what is closest, or where it stands.
func Cut(ctx context.Context, source harness.Recorder, q Query) (*Slice, error) {
	f, err := find(ctx, source, q)
	if err != nil {
		return nil, err
	}
	if len(f.hits) == 0 {
		return nil, f.nowhere(ctx, source)
	}
	anchor, err := f.anchor()
	if err != nil {
		return nil, err
	}
	c := &cut{source: source, query: q, taken: map[int]*Taken{}, anchor: f.hits[anchor]}
	for _, h := range f.hits {
		c.take(h.at, h.x, foundAt(q, h.places))
	}
	for _, step := range []func(context.Context) error{c.surroundings, c.producers, c.state} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return c.slice(f.read), nil
}

// foundAt says why an exchange was found.
func foundAt(q Query, places []string) string {
	if len(places) == 0 {
		return "the message that was named"
	}
	return fmt.Sprintf("holds %s in %s", q.what(), strings.Join(places, ", "))
}

// cut is what was taken so far.
type cut struct {
	source harness.Recorder
	query  Query
	anchor hit
	taken  map[int]*Taken
	left   int
}

func (c *cut) take(at int, x harness.Exchange, why string) {
	t := c.taken[at]
	if t == nil {
		t = &Taken{At: at, Exchange: x}
		c.taken[at] = t
	}
	if !slices.Contains(t.Why, why) {
		t.Why = append(t.Why, why)
	}
}

// inOrder is what was taken, in the order of the source.
func (c *cut) inOrder() []*Taken {
	return slices.SortedFunc(maps.Values(c.taken), func(a, b *Taken) int { return a.At - b.At })
}

// traceFields are header fields that go through a chain of calls, and what of their value does.
var traceFields = []struct {
	name string
	of   func(value string) string
}{
	{"traceparent", func(v string) string { // W3C Trace Context: version-trace-parent-flags
		parts := strings.Split(v, "-")
		if len(parts) < 4 {
			return ""
		}
		return parts[1]
	}},
	{"X-Request-ID", strings.TrimSpace}, {"X-Correlation-ID", strings.TrimSpace}, {"X-Trace-ID", strings.TrimSpace}, {"X-B3-TraceId", strings.TrimSpace},
	{"Request-Id", strings.TrimSpace}, {"Message-ID", strings.TrimSpace}, {"In-Reply-To", strings.TrimSpace}, {"correlation-id", strings.TrimSpace},
}

// tracesOf are the identifiers of a chain that an exchange is part of.
func tracesOf(x *harness.Exchange) map[string]string {
	traces := map[string]string{}
	for _, m := range []harness.Message{x.Request, x.Response} {
		for _, f := range traceFields {
			if id := f.of(m.Head.Get(f.name)); id != "" {
				traces[id] = f.name
			}
		}
	}
	return traces
}

// surroundings takes the sessions of what was found, the calls of the same trace, and the files of the same batch.
func (c *cut) surroundings(ctx context.Context) error {
	sessions, traces := map[string]bool{}, tracesOf(&c.anchor.x)
	for _, t := range c.taken {
		if t.Exchange.Session != "" {
			sessions[t.Exchange.Session] = true
		}
	}
	var members []hit
	err := each(ctx, c.source, func(at int, x harness.Exchange) error {
		if c.taken[at] != nil {
			return nil
		}
		why := ""
		switch {
		case sessions[x.Session]:
			why = "same session"
		case isBatch(&c.anchor.x, &x):
			why = "file of the same batch"
		default:
			for id := range tracesOf(&x) {
				if field := traces[id]; field != "" {
					why = "same " + field
				}
			}
		}
		if why == "" {
			return nil
		}
		members = append(members, hit{at, x, []string{why}})
		if len(members) > 2*c.query.most() {
			members = c.nearest(members)
		}
		return nil
	})
	for _, m := range c.nearest(members) {
		c.take(m.at, m.x, m.places[0])
	}
	return err
}

// nearest keeps those nearest to the message; what came before it goes before what came behind.
func (c *cut) nearest(members []hit) []hit {
	most := c.query.most()
	if len(members) <= most {
		return members
	}
	away := func(h hit) int {
		if h.at > c.anchor.at {
			return 2 * (h.at - c.anchor.at)
		}
		return c.anchor.at - h.at
	}
	slices.SortFunc(members, func(a, b hit) int { return cmp.Or(away(a)-away(b), a.at-b.at) })
	c.left += len(members) - most
	members = members[:most]
	slices.SortFunc(members, func(a, b hit) int { return a.at - b.at })
	return members
}

// batch is how long the files of one batch take to arrive, where nothing else tells that they belong together.
const batch = 5 * time.Minute

// isBatch reports whether a file came with the one that is meant: between the same systems, in no session, at the time.
func isBatch(anchor, x *harness.Exchange) bool {
	return anchor.Channel == harness.ChannelFile && x.Channel == harness.ChannelFile && anchor.Session == "" && x.Session == "" &&
		anchor.From == x.From && anchor.To == x.To && anchor.At.Sub(x.At).Abs() <= batch
}

// slice is the result.
func (c *cut) slice(read int) *Slice {
	s := &Slice{Read: read, Left: c.left}
	for i, t := range c.inOrder() {
		if t.At == c.anchor.at {
			s.Anchor = i
			if Fails(&t.Exchange) {
				t.Why = append([]string{"FAILS"}, t.Why...)
			}
		}
		s.Taken = append(s.Taken, *t)
	}
	return s
}
