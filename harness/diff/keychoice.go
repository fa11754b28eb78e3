package diff

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// What a key must show when no rule names one.
const (
	minUnique   = 0.99 // share of the elements of either side that it tells apart
	minOverlap  = 0.5  // share of the smaller side's elements that it finds on the other side
	maxMembers  = 3    // members of a composite key
	maxNames    = 8    // members that are tried
	sampledRows = 200  // elements that are looked at before all are
)

// A member whose name does not sound like an identifier needs more evidence: it may be unique by chance.
const (
	minPlainRows    = 20
	minPlainOverlap = 0.9
	maxPlainLength  = 64 // bytes
)

// idWords are the words by which a member's name says that it identifies, best first.
var idWords = []string{"id", "uuid", "guid", "key", "code", "number", "no", "nr", "crn", "sid", "pidm", "login", "username", "email", "slug", "name"}

// partWords are the words of members that identify together with another one only.
var partWords = []string{"term", "line", "seq", "sequence", "section", "period", "year", "type", "role", "course", "subject", "campus"}

// idRank is how much a name sounds like an identifier, 0 the most; -1 when it does not.
func idRank(name string) int { return rankIn(idWords, name) }

func rankIn(list []string, name string) int {
	words := splitWords(name)
	if len(words) == 0 {
		return -1
	}
	i := slices.Index(list, words[len(words)-1])
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

// instance is the elements that stand at one place of one pair of exchanges.
type instance struct {
	at      harness.Path
	was, is []payload.Node
}

// inferKey finds the members that identify the elements of all instances of a place: the first of the candidates that
// does.
func inferKey(instances []instance, noise func(harness.Path) bool) []string {
	for _, key := range candidateKeys(instances, noise) {
		if identifies(key, instances, overlapOf(key)) {
			return key
		}
	}
	return nil
}

// overlapOf is the share of the smaller side's elements that the key must find on the other side.
func overlapOf(key []string) float64 {
	if isPlain(key) {
		return minPlainOverlap
	}
	return minOverlap
}

// candidateKeys is what could identify the elements, best first: an id-like member, the fewest members of which one is
// id-like, and at last members that may be unique beyond chance. Noise is no key.
func candidateKeys(instances []instance, noise func(harness.Path) bool) [][]string {
	sample := sampleOfRecords(instances)
	if len(sample) == 0 {
		return nil
	}
	var keys [][]string
	ids, parts, plain := keyNames(sample, noise)
	names := slices.Concat(ids, parts)
	names = names[:min(len(names), maxNames)]
	for size := 1; size <= min(maxMembers, len(names)); size++ {
		for key := range combinations(names, size) {
			if !isPlain(key) {
				keys = append(keys, key)
			}
		}
	}
	if rowsOf(instances) >= minPlainRows {
		for _, name := range plain {
			keys = append(keys, []string{name})
		}
	}
	return keys
}

// rowsOf is how many elements the smaller sides have.
func rowsOf(instances []instance) int {
	n := 0
	for _, in := range instances {
		n += min(len(in.was), len(in.is))
	}
	return n
}

// isPlain reports whether no member of the key sounds like an identifier.
func isPlain(key []string) bool {
	return !slices.ContainsFunc(key, func(name string) bool { return idRank(name) >= 0 })
}

// sampleOfRecords is the first records of both sides of each instance, as long as there is room.
func sampleOfRecords(instances []instance) []payload.Node {
	var sample []payload.Node
	for _, in := range instances {
		for _, side := range [][]payload.Node{in.was, in.is} {
			for _, n := range side[:min(len(side), sampledRows)] {
				if n.Kind() == harness.KindObject && len(sample) < 2*sampledRows {
					sample = append(sample, n)
				}
			}
		}
	}
	return sample
}

// keyNames sorts the scalar members that most records of the sample have: those that sound like identifiers, best first,
// those that may be a part of a key, and others whose values could be one. Noise is left out.
func keyNames(sample []payload.Node, noise func(harness.Path) bool) (ids, parts, plain []string) {
	counts := map[string]int{}
	var names []string
	for _, n := range sample {
		for m := range n.Children() {
			if name := m.Name(); m.IsScalar() && m.Kind() != harness.KindNull {
				if counts[name] == 0 {
					names = append(names, name)
				}
				counts[name]++
			}
		}
	}
	slices.Sort(names)
	for _, name := range names {
		switch {
		case float64(counts[name]) < minUnique*float64(len(sample)) || strings.ContainsAny(name, ".[") || noise != nil && noise(harness.PathOf(harness.Name(name))):
		case idRank(name) >= 0:
			ids = append(ids, name)
		case rankIn(partWords, name) >= 0:
			parts = append(parts, name)
		case couldBeKey(sample, name):
			plain = append(plain, name)
		}
	}
	slices.SortStableFunc(ids, func(a, b string) int { return cmp.Compare(idRank(a), idRank(b)) })
	return ids, parts, plain
}

// couldBeKey refuses members that are no identifiers whatever their name: truth values, fractions, time stamps, prose.
func couldBeKey(sample []payload.Node, name string) bool {
	for _, n := range sample {
		m := n.Member(name)
		text := m.Text()
		if m.Kind() == harness.KindBool || len(text) > maxPlainLength || m.Kind() == harness.KindNumber && strings.ContainsAny(text, ".eE") {
			return false
		}
		if _, _, ok := parseInstant(text); ok {
			return false
		}
	}
	return true
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

// identifies reports whether the key is unique on both sides and joins the share of the smaller side, over all instances
// together, so that one exchange does not change how the others are aligned.
func identifies(key []string, instances []instance, overlap float64) bool {
	first := instances[0]
	if len(first.was) > 2*sampledRows && tellApart(key, first.was[:sampledRows]) < minUnique {
		return false
	}
	var all, apart [2]int
	smaller, found := 0, 0
	for _, in := range instances {
		was, is := distinctKeys(key, in.was), distinctKeys(key, in.is)
		all[0], all[1] = all[0]+len(in.was), all[1]+len(in.is)
		apart[0], apart[1] = apart[0]+len(was), apart[1]+len(is)
		smaller += min(len(in.was), len(in.is))
		for k := range was {
			if is[k] {
				found++
			}
		}
	}
	for side := range all {
		if all[side] == 0 || float64(apart[side]) < minUnique*float64(all[side]) {
			return false
		}
	}
	return smaller > 0 && float64(found) >= overlap*float64(smaller)
}

func tellApart(key []string, nodes []payload.Node) float64 {
	return float64(len(distinctKeys(key, nodes))) / float64(len(nodes))
}

func distinctKeys(key []string, nodes []payload.Node) map[string]bool {
	seen := make(map[string]bool, len(nodes))
	for _, n := range nodes {
		if k, ok := keyValue(key, n, nil); ok {
			seen[k] = true
		}
	}
	return seen
}

// pinOf is the rule that declares the key, as a line of a scenario.
func pinOf(at harness.Path, key []string) string {
	names := make([]string, len(key))
	for i, name := range key {
		names[i] = inFlow(name)
	}
	return fmt.Sprintf("{at: %s, compare: keyed, key: [%s], reason: …}", inFlow(at.Pattern().String()), strings.Join(names, ", "))
}

// inFlow quotes a text unless it stands for itself within braces.
func inFlow(text string) string {
	plain := func(r rune) bool {
		return r == '.' || r == '_' || r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	}
	if strings.ContainsFunc(text, func(r rune) bool { return !plain(r) }) {
		return strconv.Quote(text)
	}
	return text
}
