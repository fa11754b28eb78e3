package diff

import (
	"cmp"
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

// idWords are the words by which a member's name says that it identifies, best first.
var idWords = []string{"id", "uuid", "guid", "key", "code", "number", "no", "nr", "crn", "sid", "pidm", "login", "username", "email", "slug", "name"}

// idRank is how much a name sounds like an identifier, 0 the most; -1 when it does not.
func idRank(name string) int {
	words := splitWords(name)
	if len(words) == 0 {
		return -1
	}
	last := words[len(words)-1]
	i := slices.Index(idWords, last)
	if i < 0 {
		return -1
	}
	return i*4 + min(len(words)-1, 3)
}

// splitWords splits snake_case, kebab-case and camelCase into lower-case words.
func splitWords(name string) []string {
	var words []string
	start := 0
	flush := func(end int) {
		if end > start {
			words = append(words, strings.ToLower(name[start:end]))
		}
	}
	for i := range len(name) {
		c := name[i]
		switch {
		case c == '_' || c == '-' || c == '.' || c == ' ' || c == ':':
			flush(i)
			start = i + 1
		case c >= 'A' && c <= 'Z' && i > start && name[i-1] >= 'a' && name[i-1] <= 'z':
			flush(i)
			start = i
		}
	}
	flush(len(name))
	return words
}

// maxKeyMembers bounds a composite key that is inferred.
const maxKeyMembers = 3

// minOverlap is the share of the smaller side's elements that a key must find on the other side.
const minOverlap = 0.5

// inferKey finds the members that identify the elements of both sides: one id-like member that is unique, else the
// fewest that are unique together. At least the given share of the smaller side must be found on the other; it is 0 for
// samples, which need not hold the same elements.
func inferKey(was, is []payload.Node, overlap float64) []string {
	if len(was) == 0 || len(is) == 0 || was[0].Kind() != harness.KindObject || is[0].Kind() != harness.KindObject {
		return nil
	}
	names := idNames(was[0], is[0])
	for size := 1; size <= min(maxKeyMembers, len(names)); size++ {
		for key := range combinations(names, size) {
			if identifies(key, was, is, overlap) {
				return key
			}
		}
	}
	return nil
}

// maxIDNames bounds how many members are tried.
const maxIDNames = 6

// idNames is the scalar members of both records that sound like identifiers, best first.
func idNames(a, b payload.Node) []string {
	var names []string
	for m := range a.Children() {
		name := m.Name()
		if idRank(name) >= 0 && m.IsScalar() && b.Member(name).IsScalar() && !strings.ContainsAny(name, ".[") && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(idRank(a), idRank(b)), cmp.Compare(a, b)) })
	return names[:min(len(names), maxIDNames)]
}

// combinations yields the subsets of the size, in the order of the names.
func combinations(names []string, size int) func(yield func([]string) bool) {
	return func(yield func([]string) bool) {
		var pick func(from int, have []string) bool
		pick = func(from int, have []string) bool {
			if len(have) == size {
				return yield(slices.Clone(have))
			}
			for i := from; i < len(names); i++ {
				if !pick(i+1, append(have, names[i])) {
					return false
				}
			}
			return true
		}
		pick(0, make([]string, 0, size))
	}
}

// identifies reports whether the key is there and unique on both sides and joins the share of the smaller side.
func identifies(key []string, was, is []payload.Node, overlap float64) bool {
	seen := make(map[string]bool, len(was))
	for _, e := range was {
		k, ok := keyValue(key, e, nil)
		if !ok || seen[k] {
			return false
		}
		seen[k] = true
	}
	found := 0
	other := make(map[string]bool, len(is))
	for _, e := range is {
		k, ok := keyValue(key, e, nil)
		if !ok || other[k] {
			return false
		}
		other[k] = true
		if seen[k] {
			found++
		}
	}
	return float64(found) >= overlap*float64(min(len(was), len(is)))
}

// alignment says which elements belong together, by index.
type alignment struct {
	pairs          []indexPair // in the order of the baseline
	removed, added []int
	repeated       int // elements whose key occurs before them on their side
}

type indexPair struct{ was, is int }

// alignByKey joins elements of equal key; repeated keys pair in order. What is left is joined once more by the folded
// key, where that is unambiguous on both sides.
func alignByKey(key []string, was, is []payload.Node) alignment {
	var al alignment
	waiting := make(map[string][]int, len(is))
	for i, e := range is {
		if k, ok := keyValue(key, e, nil); ok {
			if len(waiting[k]) > 0 {
				al.repeated++
			}
			waiting[k] = append(waiting[k], i)
		}
	}
	taken := make([]bool, len(is))
	for i, e := range was {
		k, ok := keyValue(key, e, nil)
		if list := waiting[k]; ok && len(list) > 0 {
			al.pairs = append(al.pairs, indexPair{i, list[0]})
			taken[list[0]] = true
			waiting[k] = list[1:]
			continue
		}
		al.removed = append(al.removed, i)
	}
	for i := range is {
		if !taken[i] {
			al.added = append(al.added, i)
		}
	}
	al.joinFolded(key, was, is)
	return al
}

// joinKeyless pairs the leftovers that have no key at all, such as the header of a file whose records have one, in order.
func (al *alignment) joinKeyless(key []string, was, is []payload.Node, sum func(payload.Node) payload.Sum) {
	keyless := func(list []int, nodes []payload.Node) (at []int, of []payload.Node) {
		for _, i := range list {
			if _, ok := keyValue(key, nodes[i], nil); !ok {
				at, of = append(at, i), append(of, nodes[i])
			}
		}
		return at, of
	}
	a, nodesA := keyless(al.removed, was)
	b, nodesB := keyless(al.added, is)
	if len(a) == 0 || len(b) == 0 {
		return
	}
	joined, _ := alignBySequence(nodesA, nodesB, sum)
	used, taken := map[int]bool{}, map[int]bool{}
	for _, p := range joined.pairs {
		al.pairs = append(al.pairs, indexPair{a[p.was], b[p.is]})
		used[a[p.was]], taken[b[p.is]] = true, true
	}
	slices.SortFunc(al.pairs, func(x, y indexPair) int { return cmp.Compare(x.was, y.was) })
	al.removed = slices.DeleteFunc(al.removed, func(i int) bool { return used[i] })
	al.added = slices.DeleteFunc(al.added, func(i int) bool { return taken[i] })
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
	joined := map[int]int{}
	for k, list := range removed {
		if len(list) == 1 && len(added[k]) == 1 {
			joined[list[0]] = added[k][0]
		}
	}
	used := map[int]bool{}
	for i, j := range joined {
		al.pairs = append(al.pairs, indexPair{i, j})
		used[j] = true
	}
	slices.SortFunc(al.pairs, func(a, b indexPair) int { return cmp.Compare(a.was, b.was) })
	al.removed = slices.DeleteFunc(al.removed, func(i int) bool { _, ok := joined[i]; return ok })
	al.added = slices.DeleteFunc(al.added, func(i int) bool { return used[i] })
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

// movedCount is how many pairs are out of order: all but the longest run of pairs that kept their order.
func movedCount(pairs []indexPair) int {
	var tails []int // tails[n] is the least last position of an ordered run of n+1 pairs
	for _, p := range pairs {
		i, _ := slices.BinarySearch(tails, p.is)
		if i == len(tails) {
			tails = append(tails, p.is)
		} else {
			tails[i] = p.is
		}
	}
	return len(pairs) - len(tails)
}
