package diff

import (
	"strings"
	"unicode/utf8"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// Sizes of an excerpt, in bytes but for the words.
const (
	longText    = 120 // from which a text is shown by its changed words
	maxExcerpt  = 200
	aroundWords = 4 // words and marks that are shown before and behind a change
	aroundBytes = 40
)

// withParts gives two long texts the words in which they differ, so that a person need not search.
func withParts(was, is harness.Value) (harness.Value, harness.Value) {
	if was.Kind != harness.KindString || is.Kind != harness.KindString || max(len(was.Text), len(is.Text)) < longText {
		return was, is
	}
	if max(len(was.Text), len(is.Text)) > maxWords {
		was.Part, is.Part = middles(was.Text, is.Text)
		return was, is
	}
	a, b := splitText(was.Text), splitText(is.Text)
	equal, _ := commonSequence(wordSums(a), wordSums(b))
	keptA, keptB := make([]bool, len(a)), make([]bool, len(b))
	for _, p := range equal {
		keptA[p.was], keptB[p.is] = true, true
	}
	was.Part, is.Part = changedWords(a, keptA, keptB), changedWords(b, keptB, keptA)
	return was, is
}

func wordSums(words []string) []payload.Sum {
	sums := make([]payload.Sum, len(words))
	for i, w := range words {
		sums[i] = payload.Sum{hashOf(0, w), uint64(len(w))}
	}
	return sums
}

// changedWords shows the words that are not kept with those around them; what is left out is an ellipsis. A side that
// lost nothing shows where the other one has more.
func changedWords(words []string, kept, other []bool) string {
	show := make([]bool, len(words))
	mark := func(i int) {
		for j := max(0, i-aroundWords); j <= min(len(words)-1, i+aroundWords); j++ {
			show[j] = true
		}
	}
	changed := false
	for i, k := range kept {
		if !k {
			changed = true
			mark(i)
		}
	}
	for i := 0; !changed && i < len(other); i++ {
		if !other[i] {
			mark(min(i, len(words)-1))
			changed = true
		}
	}
	var b strings.Builder
	for i, w := range words {
		switch {
		case show[i] && b.Len() < maxExcerpt:
			b.WriteString(w)
		case i == 0 || show[i-1] && b.Len() < maxExcerpt+len("…"):
			b.WriteString("…")
		}
	}
	return cut(b.String(), maxExcerpt)
}

// middles cuts off what two texts have in common at both ends, but for a little.
func middles(a, b string) (string, string) {
	head := 0
	for head < min(len(a), len(b)) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < min(len(a), len(b))-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	middle := func(s string) string {
		from, to := max(0, head-aroundBytes), min(len(s), len(s)-tail+aroundBytes)
		part := cut(strings.ToValidUTF8(s[from:to], ""), maxExcerpt)
		if from > 0 {
			part = "…" + part
		}
		if to < len(s) && !strings.HasSuffix(part, "…") {
			part += "…"
		}
		return part
	}
	return middle(a), middle(b)
}

// cut shortens a text to so many bytes, between characters.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return strings.TrimSuffix(s[:most], "…") + "…"
}
