package whatif

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// mostNames is how many names of fields are collected.
const mostNames = 10_000

// Names adds the fields of what can be varied, as people name them: registrations.RSTS.
func Names(list []harness.Exchange, system string, names map[string]bool) {
	for i := range list {
		for _, answer := range []bool{false, true} {
			x := &list[i]
			if !variable(x, answer, system) || len(names) > mostNames {
				continue
			}
			called := calledBy(x.Operation())
			names[called] = true
			doc, err := payload.Of(*half(x, answer))
			if err != nil || half(x, answer).Body.Size() == 0 {
				continue
			}
			for path := range doc.Root().Leaves() {
				if leaf := path.Leaf(); leaf != "" {
					names[called+"."+leaf] = true
				}
			}
		}
	}
}

// calledBy is the word of an operation that says most: the name of a file without its extension, the last word of an
// address.
func calledBy(operation string) string {
	words := slices.DeleteFunc(wordParts.Split(operation, -1), func(w string) bool {
		return w == "" || w == "csv" || w == "xml" || w == "json" || w == "dat" || w == "ach"
	})
	if len(words) == 0 {
		return operation
	}
	return words[len(words)-1]
}

// Closest names the fields that are most like one that is nowhere.
func Closest(f Field, names map[string]bool) string {
	type near struct {
		name string
		away int
	}
	var list []near
	want := strings.ToLower(f.String())
	for name := range names {
		away := harness.EditDistance(want, strings.ToLower(name))
		if _, leaf, ok := strings.Cut(name, "."); ok && len(f) == 1 {
			away = min(away, harness.EditDistance(want, strings.ToLower(leaf)))
		}
		list = append(list, near{name, away})
	}
	slices.SortFunc(list, func(a, b near) int { return cmp.Or(a.away-b.away, strings.Compare(a.name, b.name)) })
	const shown = 3
	var closest []string
	for _, n := range list[:min(shown, len(list))] {
		closest = append(closest, n.name)
	}
	return fmt.Sprintf("the closest are %s", strings.Join(closest, ", "))
}
