package correlate

import (
	"net/http"
	"strings"
)

// pair is a value that an answer gives and a later request holds.
type pair struct {
	value value
	maker *maker
	taker *taker

	sessions int  // in whose answers the value stands
	moves    bool // in all sessions both places hold the same number, whichever it is
}

// taker is the place of a request that holds the value.
type taker struct {
	kind  kind
	name  string
	role  role
	thing string
	whole bool // the value is all that stands there

	session string
	field   string
}

const (
	sure            = 40 // bits of a value that is a link wherever it stands
	severalSessions = 3  // in whose answers the same value stands, which is then no value of one of them
)

// threshold is the score from which on a pair is a link.
const threshold = 0.5

// weights is the table of what speaks for a link and against it.
var weights = []struct {
	weight float64
	words  string // for people; empty: it goes without saying
	holds  func(p *pair) bool
}{
	{0.6, "a cookie of that name", (*pair).sameCookie},
	{0.5, "where the answer points to", (*pair).pointed},
	{0.5, "the entity tag", (*pair).entityTag},
	{0.5, "both change together from session to session", func(p *pair) bool { return p.moves }},
	{0.3, "an address that was assigned", func(p *pair) bool { return p.value.form == formAddress && p.maker.created }},
	{0.25, "", func(p *pair) bool { return p.maker.role != plain }},
	{0.2, "", func(p *pair) bool { return p.taker.role != plain }},
	{0.3, "both name the same thing", (*pair).sameThing},
	{0.3, "both hold tokens", func(p *pair) bool { return p.maker.role == tokenRole && p.taker.role == tokenRole }},
	{0.1, "", func(p *pair) bool { return p.maker.created }},
	{0.15, "both have the same name", func(p *pair) bool { return p.maker.name != "" && strings.EqualFold(p.maker.name, p.taker.name) }},
	{-0.5, "", func(p *pair) bool {
		return p.value.class == small && p.value.form != formAddress && p.otherThing() && !p.moves
	}},
	{-0.15, "", func(p *pair) bool { return p.maker.role == plain && p.taker.role == plain && !p.sameCookie() }},
	{-0.2, "", func(p *pair) bool { return p.maker.session != p.taker.session && p.maker.role == plain }},
	{-0.5, "", func(p *pair) bool {
		return p.maker.role == plain && p.value.bits < sure && p.sessions >= severalSessions
	}},
	{-0.6, "", func(p *pair) bool { return p.maker.role == plain && isEpoch(p.maker.text) }},
}

// score adds up what speaks for the pair, from 0 to 1, and says why.
func (p *pair) score() (score float64, words []string) {
	switch p.value.class {
	case never:
		return 0, nil
	case small:
		score = 0.1
	case strong:
		score = min(0.9, p.value.bits/sure)
	}
	for _, w := range weights {
		if !w.holds(p) {
			continue
		}
		score += w.weight
		if w.words != "" {
			words = append(words, w.words)
		}
	}
	if !p.mayLink() {
		score = min(score, threshold-0.05)
	}
	return max(0, min(1, score)), words
}

// mayLink reports whether the structure allows a value that says nothing by itself.
func (p *pair) mayLink() bool {
	tokens := p.maker.role == tokenRole && p.taker.role == tokenRole
	switch p.value.class {
	case word:
		return p.sameCookie() || tokens || p.entityTag() || p.maker.created && p.maker.role == idRole && p.sameThing()
	case small:
		if p.moves {
			return true
		}
		if p.value.form == formAddress {
			return p.maker.created && p.taker.kind == inSegment && p.taker.whole
		}
		return p.sameCookie() || tokens || p.entityTag() || p.pointed() || p.maker.role == idRole && p.taker.role != plain && p.sameThing()
	}
	return true
}

func (p *pair) sameCookie() bool {
	return p.maker.kind == inCookie && p.taker.kind == inCookie && p.maker.name == p.taker.name
}

// pointed reports whether an answer names a URL and the request goes there.
func (p *pair) pointed() bool {
	goes := p.taker.kind == inSegment || p.taker.kind == inQuery && (p.value.class == strong || p.taker.role != plain) || p.taker.field == ":path" && p.taker.kind == inHead
	return p.maker.points && goes && !p.otherThing()
}

func (p *pair) entityTag() bool {
	return strings.EqualFold(p.maker.field, "etag") && (strings.EqualFold(p.taker.field, "if-match") || strings.EqualFold(p.taker.field, "if-none-match"))
}

// sameThing compares what identifiers name; other names are compared as they are.
func (p *pair) sameThing() bool {
	return p.maker.role != plain && p.maker.thing != "" && p.maker.thing == p.taker.thing
}

func (p *pair) otherThing() bool {
	return p.maker.thing != "" && p.taker.thing != "" && p.maker.thing != p.taker.thing
}

// isEpoch reports whether a number may be seconds or milliseconds since 1970, of the years 2001 to 2040.
func isEpoch(s string) bool {
	return isDigits(s) && (len(s) == 10 && s >= "1000000000" && s < "2210000000" || len(s) == 13 && s >= "1000000000000" && s < "2210000000000")
}

// creates reports whether an answer of that status to the method makes a thing that did not exist before.
func creates(method string, status int) bool {
	return status == http.StatusCreated || method == http.MethodPost && status >= 200 && status < 300
}
