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

// givers are the exchanges whose answer is the first place of a word that a request of the slice holds. A word that a
// request held before that is the client's own. Words are looked at as bytes, because the whole source is read for this:
// what is a value, mining tells.
func (c *cut) givers(ctx context.Context) ([]hit, error) {
	wanted, last := map[string]bool{}, 0
	for _, t := range c.taken {
		words(t.Exchange.Request, func(word []byte) { wanted[string(word)] = true })
		last = max(last, t.At)
	}
	var found []hit
	err := each(ctx, c.source, func(at int, x harness.Exchange) error {
		if at > last || len(wanted) == 0 {
			return nil
		}
		if c.taken[at] == nil { // what is taken consumes words, and does not have them first
			words(x.Request, func(word []byte) { delete(wanted, string(word)) })
		}
		gives := false
		words(x.Response, func(word []byte) {
			if wanted[string(word)] {
				gives = true
				delete(wanted, string(word))
			}
		})
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

// leastWord and mostWord bound the length of a word that may be a value that is carried over, in bytes.
const (
	leastWord = 4
	mostWord  = 4096
)

// words yields the runs of letters, digits and what stands in tokens, of the head and of the body of a message. A body that
// cannot be unpacked, or is too large to be held, has none. The bytes are valid during the call only.
func words(m harness.Message, yield func(word []byte)) {
	for _, f := range m.Head {
		value := f.Value
		if f.Name == harness.FieldPath {
			if plain, err := url.QueryUnescape(value); err == nil {
				value = plain
			}
		}
		wordsIn([]byte(value), yield)
	}
	if m.Body.Size() == 0 || m.Body.Size() > mostSearched {
		return
	}
	raw, err := m.Body.Bytes()
	if err != nil {
		return
	}
	if plain, err := payload.Unpack(m.Head.Get("Content-Encoding"), raw); err == nil {
		wordsIn(plain, yield)
	}
}

func wordsIn(text []byte, yield func(word []byte)) {
	from := -1
	for i := 0; i <= len(text); i++ {
		if i < len(text) && inWord[text[i]] {
			if from < 0 {
				from = i
			}
			continue
		}
		if from >= 0 && i-from >= leastWord && i-from <= mostWord {
			yield(text[from:i])
		}
		from = -1
	}
}

// inWord are the bytes of words: letters, digits, bytes beyond ASCII, and the signs of base64 and UUIDs but the slash and
// the equals sign, which also part words.
var inWord = func() (in [256]bool) {
	for c := range in {
		in[c] = c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80 || c == '-' || c == '_' || c == '+' || c == '.' || c == '~'
	}
	return in
}()

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
