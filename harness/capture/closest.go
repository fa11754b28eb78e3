package capture

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// mostRead is the largest body that is read for identifiers like the one that was looked for.
const mostRead = 64 << 10

// nowhere is the error about a query that finds nothing. It reads the source once more for what is like it.
func (f *finding) nowhere(ctx context.Context, source harness.Recorder) error {
	q := f.query
	hint := "look at the source with `rehearse fixtures stats`, or name the message with --at TIME"
	if want := cmp.Or(first(q.Texts), q.Value); want != "" {
		near, err := closest(ctx, source, want, q.Field)
		if err != nil {
			return err
		}
		if len(near) > 0 {
			hint = "the closest are " + strings.Join(near, ", ")
		}
	}
	return harness.Inconclusive(fmt.Errorf("capture: %s is in none of %s", q.what(), harness.Count(f.read, "exchange")), hint)
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// near is a text and how many letters it is away.
type near struct {
	text string
	away int
}

// closest lists the texts of the source that are most like the wanted one.
func closest(ctx context.Context, source harness.Recorder, want, field string) ([]string, error) {
	const shown = 3
	most := max(2, utf8.RuneCountInString(want)/3)
	best := map[string]int{}
	consider := func(name, text string) {
		if field != "" && !strings.EqualFold(name, field) || len(text) > 4*len(want)+16 {
			return
		}
		for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" /?&=;,\"'", r) }) {
			if n := len(word) - len(want); n > most || -n > most {
				continue
			}
			if _, known := best[word]; known {
				continue
			}
			if away := harness.EditDistance(want, word); away <= most {
				best[word] = away
				if len(best) > 100*shown {
					prune(best, shown)
				}
			}
		}
	}
	err := each(ctx, source, func(_ int, x harness.Exchange) error {
		consider("", x.Session)
		for _, m := range []harness.Message{x.Request, x.Response} {
			for _, f := range m.Head {
				consider(f.Name, f.Value)
			}
			if m.Body.Size() == 0 || m.Body.Size() > mostRead {
				continue
			}
			doc, err := payload.Of(m)
			if err != nil {
				continue
			}
			for path, leaf := range doc.Root().Leaves() {
				consider(path.Leaf(), leaf.Text())
			}
		}
		return nil
	})
	prune(best, shown)
	var list []string
	for _, n := range sorted(best) {
		list = append(list, fmt.Sprintf("%q", n.text))
	}
	return list, err
}

func sorted(best map[string]int) []near {
	var list []near
	for text, away := range best {
		list = append(list, near{text, away})
	}
	slices.SortFunc(list, func(a, b near) int {
		return cmp.Or(a.away-b.away, strings.Compare(a.text, b.text))
	})
	return list
}

// prune keeps the few that are closest.
func prune(best map[string]int, few int) {
	for _, n := range sorted(best)[min(few, len(best)):] {
		delete(best, n.text)
	}
}
