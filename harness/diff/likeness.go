package diff

import (
	"cmp"
	"hash/fnv"
	"io"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// minLikeness is the share that two elements must have in common to count as one that changed.
const minLikeness = 0.5

// Bounds of what is looked at: of one element, and of all elements of one side together, but never fewer than
// minFeatures of each.
const (
	maxFeatures = 512
	minFeatures = 32
	allFeatures = 4 << 20
)

// maxWords is the longest text, in bytes, that is taken apart into words.
const maxWords = 4 << 10

// feature is one thing that an element has, such as a value under a name, and its share of the element.
type feature struct {
	sum    uint64 // of the names on the way and the value: the same in every run, because candidates are chosen by it
	weight float64
}

// profile is what elements are compared by: their features in order of sum. The weights add up to 1 at most.
type profile struct {
	kind     harness.ValueKind
	features []feature
}

// profiler makes profiles of elements at one place. What rules take away does not enter them.
type profiler struct {
	at   harness.Path // of the elements
	skip func(harness.Path) bool
	most int // features of one element
}

// profiles takes elements apart: members of an object share its weight alike, and so on downwards; texts by themselves
// are taken apart into words.
func (p profiler) profiles(nodes []payload.Node) []profile {
	p.most = max(minFeatures, min(maxFeatures, allFeatures/max(1, len(nodes))))
	list := make([]profile, len(nodes))
	for i, n := range nodes {
		list[i] = p.of(n)
	}
	return list
}

func (p profiler) of(n payload.Node) profile {
	out := profile{kind: n.Kind()}
	if n.Kind() == harness.KindString && len(n.Raw()) <= maxWords {
		out.features = wordsOf(n.Text(), p.most)
	} else {
		p.add(&out.features, n, p.at, fnv.New64a().Sum64(), 1)
	}
	slices.SortFunc(out.features, func(a, b feature) int { return cmp.Compare(a.sum, b.sum) })
	return out
}

func (p profiler) add(out *[]feature, n payload.Node, at harness.Path, above uint64, weight float64) {
	if len(*out) >= p.most || p.skips(at) {
		return
	}
	if n.IsScalar() || n.Len() == 0 {
		*out = append(*out, feature{hashOf(above, string(n.Kind()), n.Text()), weight})
		return
	}
	share, isObject := weight/float64(p.counted(n, at)), n.Kind() == harness.KindObject
	for c := range n.Children() {
		step, below := harness.Each(), above
		if isObject {
			step, below = harness.Name(c.Name()), hashOf(above, "name", c.Name())
		}
		p.add(out, c, p.child(at, step), below, share)
	}
}

// counted is how many children share the weight: those that rules take away do not.
func (p profiler) counted(n payload.Node, at harness.Path) int {
	if p.skip == nil || n.Kind() != harness.KindObject {
		return n.Len()
	}
	count := 0
	for c := range n.Children() {
		if !p.skip(at.Child(harness.Name(c.Name()))) {
			count++
		}
	}
	return max(count, 1)
}

func (p profiler) skips(at harness.Path) bool { return p.skip != nil && p.skip(at) }

// child spares making paths when nothing is skipped.
func (p profiler) child(at harness.Path, s harness.Step) harness.Path {
	if p.skip == nil {
		return nil
	}
	return at.Child(s)
}

func hashOf(above uint64, parts ...string) uint64 {
	h := fnv.New64a()
	b := [8]byte{}
	for i := range b {
		b[i] = byte(above >> (8 * i))
	}
	h.Write(b[:]) //nolint:errcheck // a hash never fails
	for _, s := range parts {
		io.WriteString(h, s)     //nolint:errcheck // a hash never fails
		h.Write([]byte{0, 0xff}) //nolint:errcheck // a hash never fails
	}
	return h.Sum64()
}

// wordsOf makes each word of a text a feature.
func wordsOf(text string, most int) []feature {
	words := splitText(text)
	out := make([]feature, 0, len(words))
	count := 0
	for _, w := range words {
		if r, _ := utf8.DecodeRuneInString(w); !unicode.IsSpace(r) {
			count++
			out = append(out, feature{sum: hashOf(0, "word", w)})
		}
	}
	for i := range out {
		out[i].weight = 1 / float64(count)
	}
	return out[:min(len(out), most)]
}

// likeness is the share that two elements have in common, from 0 to 1; 0 for elements of different kinds.
func likeness(a, b profile) float64 {
	if a.kind != b.kind {
		return 0
	}
	if len(a.features)+len(b.features) == 0 {
		return 1
	}
	common := 0.0
	for i, j := 0, 0; i < len(a.features) && j < len(b.features); {
		x, y := a.features[i], b.features[j]
		switch {
		case x.sum < y.sum:
			i++
		case x.sum > y.sum:
			j++
		default:
			common += min(x.weight, y.weight)
			i, j = i+1, j+1
		}
	}
	return min(common, 1)
}
