package capture

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
	"github.com/rehearse-dev/rehearse/harness/replay/correlate"
)

// steps is how far producers of producers are followed.
const steps = 4

// producers takes the answers that give values to what was taken, and what gives values to those.
func (c *cut) producers(ctx context.Context) error {
	for range steps {
		found, err := c.givers(ctx)
		if err != nil {
			return err
		}
		more, err := c.takeGivers(found)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// givers are the exchanges whose answer is the first place of a value that a request of the slice holds. A value that a
// request held before that is the client's own.
func (c *cut) givers(ctx context.Context) ([]hit, error) {
	wanted, last := map[string]bool{}, 0
	for _, t := range c.taken {
		for _, value := range valuesOf(t.Exchange.Request) {
			wanted[value] = true
		}
		last = max(last, t.At)
	}
	var found []hit
	err := each(ctx, c.source, func(at int, x harness.Exchange) error {
		if at > last || len(wanted) == 0 {
			return nil
		}
		if c.taken[at] == nil { // what is taken consumes values, and does not have them first
			for _, value := range valuesOf(x.Request) {
				delete(wanted, value)
			}
		}
		gives := false
		for _, value := range valuesOf(x.Response) {
			if wanted[value] {
				gives = true
				delete(wanted, value)
			}
		}
		if gives && c.taken[at] == nil {
			found = append(found, hit{at: at, x: x})
		}
		return nil
	})
	return found, err
}

// takeGivers takes those that mining finds to be the source of a value, with what it says about the link.
func (c *cut) takeGivers(found []hit) (more bool, err error) {
	if len(found) == 0 {
		return false, nil
	}
	list := map[int]harness.Exchange{}
	for _, h := range found {
		list[h.at] = h.x
	}
	for _, t := range c.taken {
		list[t.At] = t.Exchange
	}
	var order []int
	for at := range list {
		order = append(order, at)
	}
	slices.Sort(order)
	exchanges := make([]harness.Exchange, len(order))
	for i, at := range order {
		exchanges[i] = list[at]
		exchanges[i].ID = fmt.Sprint(at) // the source may give an ID twice
	}
	plan, err := correlate.Mine(exchanges, correlate.Options{})
	if err != nil {
		return false, fmt.Errorf("capture: look for what gives values: %w", err)
	}
	for _, link := range plan.Links {
		at := slices.IndexFunc(found, func(h hit) bool { return fmt.Sprint(h.at) == link.From.Exchange })
		if at < 0 {
			continue
		}
		more = true
		c.take(found[at].at, found[at].x, fmt.Sprintf("its answer gives %s (%s)", link.To.Path, link.From.Path))
	}
	return more, nil
}

// leastValue is the length from which a text can be a value that is carried over.
const leastValue = 4

// valuesOf are the texts of a message that may be carried over: of its head, of the target, of its body.
func valuesOf(m harness.Message) []string {
	var list []string
	add := func(text string) {
		if len(text) >= leastValue && len(text) <= mostRead {
			list = append(list, text)
		}
	}
	for _, f := range m.Head {
		value := f.Value
		if plain, err := url.QueryUnescape(value); err == nil && f.Name == harness.FieldPath {
			value = plain
		}
		for _, word := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(" /?&=;,\"", r) }) {
			add(word)
		}
	}
	if m.Body.Size() == 0 || m.Body.Size() > mostSearched {
		return list
	}
	doc, err := payload.Of(m)
	if err != nil {
		return list
	}
	for _, leaf := range doc.Root().Leaves() {
		text := leaf.Text()
		add(text)
		if strings.ContainsRune(text, '/') {
			for word := range strings.SplitSeq(text, "/") {
				add(word)
			}
		}
	}
	return list
}

// state takes, for each thing that the slice asks for, the last change before it, and the last time that it was read.
func (c *cut) state(ctx context.Context) error {
	first := map[string]int{} // system and path → index of the first taken that asks for it
	for _, t := range c.inOrder() {
		if thing := thingOf(&t.Exchange); thing != "" {
			if _, known := first[thing]; !known {
				first[thing] = t.At
			}
		}
	}
	if len(first) == 0 {
		return nil
	}
	changes, reads := map[string]hit{}, map[string]hit{}
	err := each(ctx, c.source, func(at int, x harness.Exchange) error {
		thing := thingOf(&x)
		before, asked := first[thing]
		if !asked || at >= before || Fails(&x) || c.taken[at] != nil {
			return nil
		}
		if x.Request.Head.Get(harness.FieldMethod) == "GET" {
			reads[thing] = hit{at: at, x: x}
		} else {
			changes[thing] = hit{at: at, x: x}
		}
		return nil
	})
	for _, h := range changes {
		c.take(h.at, h.x, "changes what is asked for later")
	}
	for thing, h := range reads {
		if changed, ok := changes[thing]; !ok || changed.at < h.at {
			c.take(h.at, h.x, "earlier answer about what is asked for later")
		}
	}
	return err
}

// thingOf is the system and path of a call that asks for one thing: its path ends in, or holds, an identifier.
func thingOf(x *harness.Exchange) string {
	path, _, _ := strings.Cut(x.Request.Head.Get(harness.FieldPath), "?")
	if x.Channel != harness.ChannelHTTP || !strings.Contains(x.Operation(), "{}") {
		return ""
	}
	return x.To + " " + path
}
