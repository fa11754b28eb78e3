package correlate

import (
	"html"
	"strings"
	"sync"
)

// state of a live value.
type state uint8

const (
	unknown state = iota
	present
	absent // the answer came and did not hold it
)

// Values are the live values of one run against one target. They are safe for concurrent use.
type Values struct {
	plan *Plan

	mu     sync.RWMutex
	texts  []string // by source
	states []state
	back   dictionary       // live → recorded, values that are hardly equal by chance
	weak   map[string][]int // live → sources, values that only count in places that name the same thing
}

// NewValues returns the values of a run that has not begun.
func (p *Plan) NewValues() *Values {
	return &Values{plan: p, texts: make([]string, len(p.sources)), states: make([]state, len(p.sources)), back: dictionary{}, weak: map[string][]int{}}
}

// live is the live value of a source. When its answer did not hold it, the same value from another answer will do.
func (v *Values) live(s int) (string, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if v.states[s] == present {
		return v.texts[s], true
	}
	return v.known(v.plan.sources[s].text)
}

// known is the live value for a recorded text that is never equal by chance, from whatever answer.
func (v *Values) known(recorded string) (string, bool) {
	for _, s := range v.plan.byText[recorded] {
		if v.states[s] == present && v.plan.sources[s].value.bits >= certain {
			return v.texts[s], true
		}
	}
	return "", false
}

func (v *Values) stateOf(s int) state {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.states[s]
}

// learn keeps the live value of a source. The first one stays, unless it is one that is given anew.
func (v *Values) learn(s int, live string) {
	src := &v.plan.sources[s]
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.states[s] == present && (!src.again || v.texts[s] == live) {
		return
	}
	v.texts[s], v.states[s] = live, present
	if live == src.text {
		return
	}
	if !isTelling(src.text, live) {
		v.weak[live] = append(v.weak[live], s)
		return
	}
	v.back.add(live, src.text)
	v.learnParts(src.text, live)
	for _, t := range []transform{lowerCase, upperCase, noHyphens} {
		do := transforms[t].do
		v.back.add(do(live), do(src.text))
	}
	v.back.add(html.EscapeString(live), html.EscapeString(src.text))
	for _, plain := range []string{"", inQueries, inSegments} { // clients differ in what they leave plain
		v.back.add(escape(live, plain, plain), escape(src.text, plain, plain))
	}
}

// isTelling reports whether a live value is known again wherever it stands: it is hardly equal to another text by chance, or
// it is long and another one than recorded at the place of a link, which no word is, however it looks. Random letters look
// like words now and then.
func isTelling(recorded, live string) bool {
	joined := func(text string) string { return strings.Join(strings.Fields(text), "-") }
	was, is := describe(joined(recorded)).class, describe(joined(live)).class
	switch {
	case was == never || is == never:
		return false
	case is == strong:
		return was == strong || len(live) >= longWord
	}
	return isLongWord(live)
}

// learnParts keeps the ids that are parts of a URL: they stand by themselves in other places.
func (v *Values) learnParts(recorded, live string) {
	mark := func(r rune) bool { return strings.ContainsRune("/?&=#", r) }
	was, is := strings.FieldsFunc(recorded, mark), strings.FieldsFunc(live, mark)
	if len(was) != len(is) || len(was) < 2 {
		return
	}
	for i := range was {
		if was[i] != is[i] && isTelling(was[i], is[i]) {
			v.back.add(is[i], was[i])
		}
	}
}

func (v *Values) lacks(s int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.states[s] == unknown {
		v.states[s] = absent
	}
}

func (v *Values) rename(recorded, live string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.back.add(live, recorded)
}

// dictionary maps texts, by their anchor.
type dictionary map[uint64][]entry

type entry struct {
	from, to string
	before   int // bytes before the anchor
}

// add keeps the first meaning of a text.
func (d dictionary) add(from, to string) {
	hash, before, ok := anchor(from)
	if !ok || from == to {
		return
	}
	for _, e := range d[hash] {
		if e.from == from {
			return
		}
	}
	d[hash] = append(d[hash], entry{from, to, before})
}

// hit is an entry that stands in a text.
type hit struct {
	span
	entry *entry
}

// hits are the entries that stand in a text, in order. Of those that overlap the longest one counts.
func (d dictionary) hits(text string) (hits []hit) {
	for at := 0; ; {
		start, end, ok := run(text, at)
		if !ok {
			return hits
		}
		at = end
		entries := d[hashOf(text[start:end])]
		for i := range entries {
			e := &entries[i]
			in := span{start - e.before, start - e.before + len(e.from)}
			if in.from >= 0 && in.to <= len(text) && text[in.from:in.to] == e.from && stands(text, in.from, e.from) {
				hits = keepLongest(hits, hit{in, e})
			}
		}
	}
}

// keepLongest adds a hit to those found before, unless one of them overlaps it and is as long; shorter ones give way. What
// overlaps a new hit is always among the last ones.
func keepLongest(hits []hit, h hit) []hit {
	n := len(hits)
	for ; n > 0 && hits[n-1].to > h.from; n-- {
		if len(hits[n-1].entry.from) >= len(h.entry.from) {
			return hits
		}
	}
	return append(hits[:n], h)
}

// replace returns the text with everything that the dictionary has in place of what stands there.
func (d dictionary) replace(text string) (string, bool) {
	if len(d) == 0 {
		return text, false
	}
	hits := d.hits(text)
	if len(hits) == 0 {
		return text, false
	}
	var out []byte
	done := 0
	for _, h := range hits {
		out = append(append(out, text[done:h.from]...), h.entry.to...)
		done = h.to
	}
	return string(append(out, text[done:]...)), true
}

// has reports whether the dictionary has anything that may stand in the bytes.
func (d dictionary) has(b []byte) bool {
	if len(d) == 0 {
		return false
	}
	const offset, prime = 14695981039346656037, 1099511628211
	for i := 0; i < len(b); {
		if !isAlnum[b[i]] {
			i++
			continue
		}
		h := uint64(offset)
		for ; i < len(b) && isAlnum[b[i]]; i++ {
			c := b[i]
			if c >= 'A' && c <= 'Z' {
				c |= 0x20
			}
			h = (h ^ uint64(c)) * prime
		}
		if _, ok := d[h]; ok {
			return true
		}
	}
	return false
}
