package shrink

import (
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// Fields counts what is left of the messages that are fed: fields of heads beside those that carry the body, parameters
// of queries, and values of bodies that are not empty.
func Fields(exchanges []harness.Exchange, system string) int {
	n := 0
	for _, x := range exchanges {
		if x.To != system {
			continue
		}
		for _, f := range x.Request.Head {
			if !f.IsPseudo() && !slices.Contains(carried, strings.ToLower(f.Name)) {
				n++
			}
		}
		if _, query, has := strings.Cut(x.Request.Head.Get(harness.FieldPath), "?"); has {
			n += strings.Count(query, "&") + 1
		}
		if doc, _, err := parse(x.Request); err == nil && x.Request.Body.Size() > 0 {
			for _, leaf := range doc.Root().Leaves() {
				if leaf.Text() != "" {
					n++
				}
			}
		}
	}
	return n
}
