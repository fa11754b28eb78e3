package correlate

import "sync"

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

func (v *Values) live(s int) (string, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.texts[s], v.states[s] == present
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
	if src.value.class != strong || describe(live).class != strong {
		v.weak[live] = append(v.weak[live], s)
		return
	}
	v.back.add(live, src.text)
	for _, t := range []transform{lowerCase, upperCase} {
		do := transforms[t].do
		v.back.add(do(live), do(src.text))
	}
	for _, c := range []*code{segmentCode, queryCode} {
		v.back.add(c.encode(live, ""), c.encode(src.text, ""))
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

// dictionary maps texts, by their first run.
type dictionary map[uint64][]entry

type entry struct {
	from, to string
	before   int // bytes before the first run
}

// add keeps the first meaning of a text.
func (d dictionary) add(from, to string) {
	hash, before, ok := lead(from)
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

// replace returns the text with everything that the dictionary has in place of what stands there, the longest first.
func (d dictionary) replace(text string) (string, bool) {
	var out []byte
	done := 0
	for at := 0; ; {
		start, end, ok := run(text, at)
		if !ok {
			break
		}
		at = end
		var best *entry
		entries := d[hashOf(text[start:end])]
		for i := range entries {
			e := &entries[i]
			if from := start - e.before; from < done || from+len(e.from) > len(text) || text[from:from+len(e.from)] != e.from || !stands(text, from, e.from) {
				continue
			}
			if best == nil || len(e.from) > len(best.from) {
				best = e
			}
		}
		if best == nil {
			continue
		}
		from := start - best.before
		out = append(append(out, text[done:from]...), best.to...)
		done = from + len(best.from)
		at = max(at, done)
	}
	if done == 0 {
		return text, false
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
