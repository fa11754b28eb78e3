package correlate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// Mine reads a recording, which is what is fed to one system, and finds the values that an answer gives and a later
// request consumes. The exchanges are in recorded order and have IDs of their own; one without an ID takes no part. A body
// that cannot be read is an error.
func Mine(exchanges []harness.Exchange, o Options) (*Plan, error) {
	n := len(exchanges)
	m := &miner{
		exchanges: exchanges, options: o, wanted: map[uint64]int32{}, candidates: map[string]*candidate{}, anchors: map[uint64][]spelling{},
		sourceOf: map[*maker]int{}, operations: make([]string, n), agree: agreements{map[route]*agreement{}, map[[2]string]int{}},
		tooLarge: map[body]bool{},
		plan:     &Plan{index: make(map[string]int, n), slots: make([][]slot, n), makes: make([][]int, n), producers: make([][]string, n), byText: map[string][]int{}},
	}
	for i, x := range exchanges {
		if _, twice := m.plan.index[x.ID]; twice && x.ID != "" {
			return nil, fmt.Errorf("correlate exchange %s: another one has the same ID", x.ID)
		}
		m.plan.index[x.ID], m.operations[i] = i, x.Operation()
	}
	delete(m.plan.index, "")
	for _, pass := range []func(i int, x *harness.Exchange) error{m.collect, m.offer, m.tally, m.link} {
		for i := range exchanges {
			if err := pass(i, &exchanges[i]); err != nil {
				return nil, err
			}
		}
	}
	m.plan.TooLarge = len(m.tooLarge)
	m.explain()
	m.plan.finish()
	return m.plan, nil
}

// miner goes through the exchanges: what requests hold, what answers give of that, which numbers move together, and what is
// linked.
type miner struct {
	exchanges  []harness.Exchange
	options    Options
	plan       *Plan
	wanted     map[uint64]int32 // run → last request that holds it
	candidates map[string]*candidate
	anchors    map[uint64][]spelling
	operations []string
	agree      agreements
	sourceOf   map[*maker]int
	evidence   [][]string // by link: words beside those of the source
	tooLarge   map[body]bool
}

// body names one of the two of an exchange.
type body struct{ exchange, side string }

// candidate is a text that an answer gives and a later request may consume.
type candidate struct {
	text      string
	before    int // bytes before its anchor
	value     value
	first     []*maker // the first ones in all sessions
	bySession map[string][]*maker
	chosen    []int          // requests that hold it without a link
	things    map[string]int // the first of them by what the place names

}

// spelling is how a candidate may stand in a request.
type spelling struct {
	candidate *candidate
	text      string
	before    int // bytes before its anchor
	how       transform
}

// maker is a place of an answer that gives a value.
type maker struct {
	exchange int
	session  string
	text     string
	at       harness.Path
	kind     kind
	name     string
	field    string
	role     role
	thing    string
	created  bool
	points   bool
	inList   bool
	rank     int // of places in one answer: lower is better
	locator  locator
	also     []*maker // further places in the same answer
}

// document reads a body, nil when there is none or when it is too large.
func (m *miner) document(x *harness.Exchange, side string, msg harness.Message) (*payload.Doc, error) {
	if msg.Body.Size() == 0 {
		return nil, nil
	}
	if msg.Body.Size() > maxScanned {
		m.tooLarge[body{x.ID, side}] = true
		return nil, nil
	}
	doc, err := payload.Of(msg)
	if err != nil {
		return nil, fmt.Errorf("correlate exchange %s: %w", x.ID, err)
	}
	if len(doc.Source) > maxScanned {
		m.tooLarge[body{x.ID, side}] = true
		return nil, nil
	}
	return doc, nil
}

// eachAsked visits the leaves of a request.
func (m *miner) eachAsked(x *harness.Exchange, visit visitor) error {
	if x.ID == "" {
		return nil
	}
	doc, err := m.document(x, "request", x.Request)
	if err != nil {
		return err
	}
	walk("request", x.Request, doc, visit)
	return nil
}

// collect notes the runs of a request, so that of the answers only what is consumed is held.
func (m *miner) collect(i int, x *harness.Exchange) error {
	return m.eachAsked(x, func(l *leaf) bool {
		runsOf(l.text, func(hash uint64) bool {
			m.wanted[hash] = int32(i)
			return true
		})
		return true
	})
}

// offer holds what an answer gives and a later request might consume.
func (m *miner) offer(i int, x *harness.Exchange) error {
	if x.ID == "" || x.Fault != nil || x.Response.IsZero() {
		return nil
	}
	doc, err := m.document(x, "response", x.Response)
	if err != nil {
		return err
	}
	of := thingOfOperation(x.Request.Head)
	created := creates(x.Request.Head.Get(harness.FieldMethod), x.Status())
	walk("response", x.Response, doc, func(l *leaf) bool {
		whole := span{0, len(l.text)}
		m.give(i, doc, l, whole, of, created)
		if !l.split {
			for part := range parts(l.text) {
				m.give(i, doc, l, part, of, created)
			}
		}
		return true
	})
	return nil
}

// isWanted reports whether all runs of a text stand in requests after the exchange.
func (m *miner) isWanted(i int, text string) bool {
	const most = 8 // runs; what has more of them is looked at when it is linked
	n := 0
	runsOf(text, func(hash uint64) bool {
		if m.wanted[hash] <= int32(i) {
			n = 0
			return false
		}
		n++
		return n < most
	})
	return n > 0
}

// give makes a candidate of a span of a leaf.
func (m *miner) give(i int, doc *payload.Doc, l *leaf, at span, of string, created bool) {
	text := l.text[at.from:at.to]
	if len(text) > maxValue || !m.isWanted(i, text) && !(isUUID(text) && m.isWanted(i, transforms[noHyphens].do(text))) {
		return
	}
	v := describe(text)
	mk := &maker{exchange: i, session: m.exchanges[i].Session, text: text, kind: l.kind, name: l.name, created: created && l.kind == inBody, role: l.role(), thing: l.thing(of)}
	if l.top().field != noField {
		mk.field = m.exchanges[i].Response.Head[l.top().field].Name
		mk.points = strings.EqualFold(mk.field, "location") || strings.EqualFold(mk.field, "link")
	}
	mk.inList = slices.ContainsFunc(l.top().steps, harness.Step.IsElement)
	if v.class == word && mk.created && mk.role == idRole && isLongWord(text) {
		v = value{strong, fewestBits, v.form}
	}
	pinned := m.isPinned(l, i)
	if !pinned && !mk.gives(v, at == span{0, len(l.text)}) {
		return
	}
	mk.rank = rankOf(l, at)
	mk.at = l.at()
	mk.locator = locate(l, at, mk.field)
	if mk.field == "" && !isHTML(m.exchanges[i].Response.Media, doc) {
		mk.locator.nth = nthOf(doc, mk.locator.body, l.top().node)
	}
	c := m.candidates[text]
	if c == nil {
		c = &candidate{text: text, value: v, bySession: map[string][]*maker{}}
		m.candidates[text] = c
		for _, how := range []transform{asIs, noHyphens} {
			spelled := transforms[how].do(text)
			if how == asIs || spelled != text {
				hash, before, _ := anchor(spelled)
				m.anchors[hash] = append(m.anchors[hash], spelling{c, spelled, before, how})
			}
		}
	}
	c.add(mk, pinned)
}

// isLongWord reports whether a text is one piece that is longer than most words. As the id of a thing that was just created
// it is random letters, some of which can be spoken.
func isLongWord(text string) bool {
	return len(text) >= longWord && !strings.ContainsAny(text, " \t\r\n")
}

// longWord is from how many bytes on what a server gives anew is no word.
const longWord = 12

// gives reports whether the place may give such a value at all.
func (mk *maker) gives(v value, whole bool) bool {
	switch v.class {
	case strong:
		return true
	case small:
		return whole && (v.form == formAddress && mk.created || v.form != formAddress && !mk.inList || mk.role != plain || mk.kind == inCookie || mk.points)
	case word:
		return whole && (mk.role == tokenRole || mk.kind == inCookie || mk.created && mk.role == idRole)
	}
	return false
}

// certain is how many bits a value has that is never equal by chance.
const certain = 27

// Limits of the makers of a value.
const (
	mostPlaces = 4  // of one answer
	mostFirst  = 16 // of all sessions
)

// add keeps the first maker of a value in each session; of values that may be equal by chance it keeps the first one for
// each thing. Further places in the same answer are kept beside the first.
func (c *candidate) add(mk *maker, pinned bool) {
	for _, known := range c.bySession[mk.session] {
		same := c.value.bits >= certain || known.thing == mk.thing
		if known.exchange == mk.exchange && same {
			if mk.rank < known.rank {
				*known, *mk = *mk, *known
				known.also, mk.also = mk.also, nil
			}
			if len(known.also) < mostPlaces {
				known.also = append(known.also, mk)
			}
			return
		}
		if same && !pinned && known.kind == mk.kind {
			return
		}
	}
	c.bySession[mk.session] = append(c.bySession[mk.session], mk)
	if len(c.first) < mostFirst {
		c.first = append(c.first, mk)
	}
}

// link finds the values in a request.
func (m *miner) link(i int, x *harness.Exchange) error {
	of := thingOfOperation(x.Request.Head)
	var tops []*leaf
	err := m.eachAsked(x, func(l *leaf) bool {
		if l.parent == nil {
			tops = append(tops, l)
		}
		return !m.consume(i, l, of)
	})
	for _, l := range tops {
		if cuts := l.found(); len(cuts) > 0 {
			m.plan.slots[i] = append(m.plan.slots[i], slot{l.field, l.node, cuts})
		}
	}
	return err
}

// consume links the values that stand in a leaf, the longest first. It reports whether there is nothing more to look for
// within.
func (m *miner) consume(i int, l *leaf, of string) (done bool) {
	var found []match
	for at := 0; ; {
		start, end, ok := run(l.text, at)
		if !ok {
			break
		}
		for _, s := range m.anchors[hashOf(l.text[start:end])] {
			if from := start - s.before; stands(l.text, from, s.text) {
				if mt := m.try(i, l, s, of, from); mt.maker != nil {
					found = append(found, mt)
				}
			}
		}
		at = end
	}
	for _, mt := range longest(found) {
		at := mt.span
		l.add(cut{from: at.from, to: at.to, value: m.take(i, l, mt), how: mt.how})
		done = done || at == span{0, len(l.text)}
	}
	return done
}

// longest leaves out what overlaps a longer match that begins with it or before. Its result is in order.
func longest(found []match) []match {
	slices.SortStableFunc(found, func(a, b match) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to))
	})
	kept := found[:0]
	for _, mt := range found {
		last := len(kept) - 1
		switch {
		case last < 0 || kept[last].to <= mt.from:
			kept = append(kept, mt)
		case mt.to-mt.from > kept[last].to-kept[last].from:
			kept[last] = mt
		}
	}
	return kept
}

// match is a candidate that stands in a request, and who gave it.
type match struct {
	candidate *candidate
	maker     *maker
	span      // in the text of the leaf
	how       transform
	score     float64
	words     []string
	pinned    bool
}

// try links a candidate that stands in a leaf, when there is an answer that gave it.
func (m *miner) try(i int, l *leaf, s spelling, of string, from int) match {
	c, at := s.candidate, span{from, from + len(s.text)}
	whole := at == span{0, len(l.text)}
	if !whole && (l.split || inMoment(l.text, at)) {
		return match{}
	}
	how, ok := caseOf(s.text, l.text[at.from:at.to])
	if s.how != asIs {
		ok = how == asIs
		how = s.how
	}
	if !ok || how != asIs && c.value.class != strong {
		return match{}
	}
	t := &taker{kind: l.kind, name: l.name, role: l.role(), thing: l.thing(of), whole: whole, session: m.exchanges[i].Session}
	if f := l.top().field; f != noField {
		t.field = m.exchanges[i].Request.Head[f].Name
	}
	found := m.choose(i, l, c, t)
	found.span, found.how = at, how
	return found
}

// choose picks who gave the value to the request: the first one of its session, or else the first one at all. When there
// is none the client chose it.
func (m *miner) choose(i int, l *leaf, c *candidate, t *taker) (found match) {
	for _, makers := range [][]*maker{c.bySession[t.session], c.first} {
		for _, mk := range makers {
			if mt := m.judge(i, l, c, mk, t); mt.maker != nil && (found.maker == nil || better(mt, found)) {
				found = mt
			}
		}
		if found.maker != nil {
			return found
		}
	}
	c.choose(i, t)
	return match{}
}

// judge scores one maker; the match has none when it is no link.
func (m *miner) judge(i int, l *leaf, c *candidate, mk *maker, t *taker) match {
	if !m.isAnswered(mk.exchange, i) {
		return match{}
	}
	if m.ruled(m.options.Pin, mk, i, l) {
		return match{candidate: c, maker: mk, score: 1, words: []string{"pinned by the scenario"}, pinned: true}
	}
	p := &pair{value: c.value, maker: mk, taker: t, sessions: len(c.bySession)}
	p.moves = c.value.class == small && t.whole && t.role != plain && m.movesWith(mk, i, l)
	if m.ruled(m.options.Deny, mk, i, l) || c.isChosen(p) {
		return match{}
	}
	score, words := p.score()
	if score < threshold {
		return match{}
	}
	return match{candidate: c, maker: mk, score: score, words: words}
}

// better reports whether a later answer is a better source than the one that was found: one that is pinned, and where
// values may be equal by chance one that fits better.
func better(mt, found match) bool {
	if mt.pinned != found.pinned {
		return mt.pinned
	}
	return mt.candidate.value.bits < certain && mt.score > found.score
}

// choose notes that a request holds the value without having been given it.
func (c *candidate) choose(i int, t *taker) {
	if n := len(c.chosen); n == 0 || c.chosen[n-1] != i {
		c.chosen = append(c.chosen, i)
	}
	if c.things == nil {
		c.things = map[string]int{}
	}
	if _, known := c.things[t.thing]; !known {
		c.things[t.thing] = i
	}
}

// isChosen reports whether the client had the value before it was given: then the server only echoes it. A number that
// may be equal by chance must have stood in the same request, or before in a place that names the same thing. A cookie
// that is set again is fresh all the same.
func (c *candidate) isChosen(p *pair) bool {
	if len(c.chosen) == 0 || p.sameCookie() {
		return false
	}
	if c.value.bits >= certain || c.value.class != small && !isDigits(c.text) {
		return c.chosen[0] <= p.maker.exchange
	}
	if _, echoed := slices.BinarySearch(c.chosen, p.maker.exchange); echoed && c.value.class != small {
		return true
	}
	first, known := c.things[p.taker.thing]
	return known && first <= p.maker.exchange
}

// isAnswered reports whether the answer was there before the request was sent. Times are compared with some slack, because
// many recorders round them, and a proxy on a busy machine sees the end of an answer later than the client; and not at all
// when they contradict the order, as in recordings that were joined.
func (m *miner) isAnswered(maker, taker int) bool {
	const slack = 50 * time.Millisecond
	a, b := &m.exchanges[maker], &m.exchanges[taker]
	if maker >= taker {
		return false
	}
	return a.Took == 0 || a.At.IsZero() || b.At.IsZero() || b.At.Before(a.At) || !b.At.Add(slack).Before(a.At.Add(a.Took))
}

// take makes the link, and returns the number of its source.
func (m *miner) take(i int, l *leaf, found match) int {
	s := m.source(found)
	m.plan.Links = append(m.plan.Links, Link{
		Value: found.candidate.text, From: m.plan.sources[s].from, To: m.place(i, l.at()), Transform: transforms[found.how].name, Score: found.score, Pinned: found.pinned, source: s,
	})
	m.evidence = append(m.evidence, found.words)
	if id := m.exchanges[found.maker.exchange].ID; !slices.Contains(m.plan.producers[i], id) {
		m.plan.producers[i] = append(m.plan.producers[i], id)
	}
	return s
}

func (m *miner) place(i int, at harness.Path) Place {
	return Place{m.exchanges[i].ID, m.operations[i], at}
}

// source is the number of what the maker gives.
func (m *miner) source(found match) int {
	if s, known := m.sourceOf[found.maker]; known {
		return s
	}
	mk := found.maker
	s := len(m.plan.sources)
	m.sourceOf[mk] = s
	src := source{text: found.candidate.text, value: found.candidate.value, thing: mk.thing, name: mk.name, again: mk.kind == inCookie, from: m.place(mk.exchange, mk.at), places: []locator{mk.locator}}
	for _, also := range mk.also {
		src.places = append(src.places, also.locator)
	}
	m.plan.sources = append(m.plan.sources, src)
	m.plan.links = append(m.plan.links, len(m.plan.Links))
	m.plan.makes[mk.exchange] = append(m.plan.makes[mk.exchange], s)
	return s
}

// explain puts into words why each link was made.
func (m *miner) explain() {
	uses := make([]int, len(m.plan.sources))
	for _, l := range m.plan.Links {
		uses[l.source]++
	}
	for i := range m.plan.Links {
		l := &m.plan.Links[i]
		l.Uses = uses[l.source]
		form := m.plan.sources[l.source].value.form
		if form == "" {
			form = "value"
		}
		words := append([]string{fmt.Sprintf("%s, returned by %s at %s", form, l.From.Operation, l.From.Path)}, m.evidence[i]...)
		if l.Uses > 1 {
			words = append(words, fmt.Sprintf("used in %s", harness.Count(l.Uses, "place")))
		}
		l.Evidence = strings.Join(words, ", ")
	}
	order := func(a, b string) int { return m.plan.index[a] - m.plan.index[b] }
	for _, ids := range m.plan.producers {
		slices.SortFunc(ids, order)
	}
}
