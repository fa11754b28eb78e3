package diff

import (
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// memberPath is the path to a key member: a name, or names joined by dots for a nested one.
func memberPath(name string) harness.Path {
	if strings.ContainsAny(name, ".[") {
		if p, err := harness.ParsePath(name); err == nil {
			return p
		}
	}
	return harness.PathOf(harness.Name(name))
}

// keyValue is the text by which an element is found: its key members with their lengths, or false when one is missing
// or no scalar.
func keyValue(key []string, n payload.Node, fold func(string) string) (string, bool) {
	var b strings.Builder
	for _, name := range key {
		m := n.At(memberPath(name))
		if m.IsZero() || !m.IsScalar() || m.Kind() == harness.KindNull {
			return "", false
		}
		text := m.Text()
		if fold != nil {
			text = fold(text)
		}
		b.WriteString(text)
		b.WriteByte(0)
	}
	return b.String(), true
}

// keyIndex finds elements by the text of their key.
type keyIndex struct {
	first map[string]int   // the first element of each key
	more  map[string][]int // all elements of the keys that occur more than once
}

func indexByKey(key []string, nodes []payload.Node) keyIndex {
	index := keyIndex{make(map[string]int, len(nodes)), map[string][]int{}}
	for i, n := range nodes {
		k, ok := keyValue(key, n, nil)
		if !ok {
			continue
		}
		first, twice := index.first[k]
		switch {
		case !twice:
			index.first[k] = i
		case index.more[k] == nil:
			index.more[k] = []int{first, i}
		default:
			index.more[k] = append(index.more[k], i)
		}
	}
	return index
}

// all returns the elements of a key.
func (x keyIndex) all(k string) []int {
	if list := x.more[k]; list != nil {
		return list
	}
	if i, ok := x.first[k]; ok {
		return []int{i}
	}
	return nil
}

// again marks the elements whose key occurs before them.
func (x keyIndex) again() map[int]bool {
	marked := map[int]bool{}
	for _, list := range x.more {
		for _, i := range list[1:] {
			marked[i] = true
		}
	}
	return marked
}

// alignByKey joins elements of equal key. Repeated keys pair equal elements first, then those that are alike, then in
// order. What is left is joined once more by the folded key, where that is unambiguous on both sides, and elements
// without the key, or all when the key is none by its name, as a list of their own.
func alignByKey(key []string, was, is []payload.Node, k keyless) alignment {
	var al alignment
	a, b := indexByKey(key, was), indexByKey(key, is)
	for text, i := range a.first {
		if j, ok := b.first[text]; ok && a.more[text] == nil && b.more[text] == nil {
			al.pairs = append(al.pairs, indexPair{i, j})
		}
	}
	for _, text := range repeatedKeys(a, b) {
		x, y := a.all(text), b.all(text)
		al.join(k, was, is, x, y, true)
	}
	al.again = [2]map[int]bool{a.again(), b.again()}
	al.close(len(was), len(is))
	al.joinFolded(key, was, is)
	al.joinKeyless(key, was, is, k)
	if isPlain(key) && len(al.removed) > 0 && len(al.added) > 0 {
		al.join(k, was, is, al.removed, al.added, false) // the value changed that was taken for an identifier
		al.close(len(was), len(is))
	}
	return al
}

// repeatedKeys is the keys that occur more than once on a side, in order.
func repeatedKeys(a, b keyIndex) []string {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a.more)), maps.Keys(b.more))
	slices.Sort(keys)
	return slices.Compact(keys)
}

// join pairs the elements at the places as lists of their own; with all, also those that have nothing in common.
func (al *alignment) join(k keyless, was, is []payload.Node, x, y []int, all bool) {
	at := func(nodes []payload.Node, places []int) []payload.Node {
		list := make([]payload.Node, len(places))
		for i, place := range places {
			list[i] = nodes[place]
		}
		return list
	}
	joined, _ := k.align(at(was, x), at(is, y))
	if all {
		for n := range min(len(joined.removed), len(joined.added)) {
			joined.pairs = append(joined.pairs, indexPair{joined.removed[n], joined.added[n]})
		}
	}
	for _, p := range joined.pairs {
		al.pairs = append(al.pairs, indexPair{x[p.was], y[p.is]})
	}
}

// joinKeyless pairs the leftovers that have no key at all, such as the header of a file whose records have one.
func (al *alignment) joinKeyless(key []string, was, is []payload.Node, k keyless) {
	without := func(list []int, nodes []payload.Node) (at []int) {
		for _, i := range list {
			if _, ok := keyValue(key, nodes[i], nil); !ok {
				at = append(at, i)
			}
		}
		return at
	}
	x, y := without(al.removed, was), without(al.added, is)
	if len(x) > 0 && len(y) > 0 {
		al.join(k, was, is, x, y, false)
		al.close(len(was), len(is))
	}
}

// joinFolded pairs leftovers whose keys differ only in ways that damage keys: letter case, blanks, leading zeros.
func (al *alignment) joinFolded(key []string, was, is []payload.Node) {
	if len(al.removed) == 0 || len(al.added) == 0 {
		return
	}
	index := func(list []int, nodes []payload.Node) map[string][]int {
		m := map[string][]int{}
		for _, i := range list {
			if k, ok := keyValue(key, nodes[i], FoldKey); ok {
				m[k] = append(m[k], i)
			}
		}
		return m
	}
	removed, added := index(al.removed, was), index(al.added, is)
	for k, list := range removed {
		if len(list) == 1 && len(added[k]) == 1 {
			al.pairs = append(al.pairs, indexPair{list[0], added[k][0]})
		}
	}
	al.close(len(was), len(is))
}

// FoldKey maps the damaged spellings of a key to one: lower case, no blanks or invisible characters, no leading zeros in runs of digits.
func FoldKey(s string) string {
	var b strings.Builder
	inDigits := false
	for _, r := range strings.ToLower(s) {
		switch {
		case isBlank(r) || unicode.Is(unicode.Cf, r):
			continue
		case r == '0' && !inDigits:
			continue
		}
		inDigits = r >= '0' && r <= '9'
		b.WriteRune(r)
	}
	return b.String()
}
