package explain

import (
	"cmp"
	"errors"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// slot is the exchanges of one operation between two systems.
type slot struct{ from, to, channel, operation string }

// inSession is the exchanges of a slot in one session, in order.
func (ix *index) inSession(k slot, session string) []harness.Exchange {
	var list []harness.Exchange
	for _, id := range ix.bySession[session] {
		if x := ix.byID[id]; x.From == k.from && x.To == k.to && x.Channel == k.channel && harness.WithoutVersion(x.Operation()) == harness.WithoutVersion(k.operation) {
			list = append(list, x)
		}
	}
	return list
}

// compare orders slots by systems, then by operation.
func (k slot) compare(other slot) int {
	return cmp.Or(cmp.Compare(k.from, other.from), cmp.Compare(k.to, other.to), cmp.Compare(k.channel, other.channel), cmp.Compare(k.operation, other.operation))
}

func slotOf(d *harness.Difference) slot { return slot{d.From, d.To, d.Channel, d.Operation} }

// place is a pattern within the exchanges of a slot.
type place struct {
	slot    slot
	pattern string
}

// index finds the exchanges of a recording by slot and by ID, and the values at their places.
type index struct {
	bySlot    map[slot][]harness.Exchange
	seen      map[slot]map[string]bool // sessions in which the slot has an exchange
	byID      map[string]harness.Exchange
	order     []string            // IDs as recorded
	bySession map[string][]string // the same, session by session
	standings map[string]int      // by ID: the place in its session
	sets      map[place]*valueSet
	kept      *kept
}

// newIndex reads a recording. An exchange that called says to belong to another operation stands under that one.
func newIndex(r harness.Recording, called map[string]string, documents *kept) (*index, error) {
	ix := &index{kept: documents, bySlot: map[slot][]harness.Exchange{}, seen: map[slot]map[string]bool{}, byID: map[string]harness.Exchange{}, bySession: map[string][]string{}, standings: map[string]int{}, sets: map[place]*valueSet{}}
	for x, err := range r.Exchanges() {
		if err != nil {
			return nil, err
		}
		k := slot{x.From, x.To, x.Channel, x.Operation()}
		if name, ok := called[x.ID]; ok {
			k.operation = name
		}
		ix.bySlot[k] = append(ix.bySlot[k], x)
		if ix.seen[k] == nil {
			ix.seen[k] = map[string]bool{}
		}
		ix.seen[k][x.Session] = true
		ix.byID[x.ID] = x
		ix.order = append(ix.order, x.ID)
		ix.standings[x.ID] = len(ix.bySession[x.Session])
		ix.bySession[x.Session] = append(ix.bySession[x.Session], x.ID)
	}
	return ix, nil
}

// load reads the values at the patterns of a slot in one pass over its exchanges.
func (ix *index) load(k slot, patterns []harness.Path) error {
	type reading struct {
		pattern harness.Path
		set     *valueSet
	}
	var wanted []reading
	for _, p := range patterns {
		key := place{k, p.String()}
		if ix.sets[key] == nil {
			ix.sets[key] = setOf(nil)
			wanted = append(wanted, reading{p, ix.sets[key]})
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	for _, x := range ix.bySlot[k] {
		r := ix.kept.read(x)
		for _, w := range wanted {
			if err := r.texts(w.pattern, w.set.add); err != nil {
				return err
			}
		}
	}
	return nil
}

// set is the values at the pattern of a slot, which must be loaded.
func (ix *index) set(k slot, p harness.Path) *valueSet { return ix.sets[place{k, p.String()}] }

// elements counts the elements of the lists at the pattern of a slot: of arrays, and of members that share a name.
func (ix *index) elements(k slot, p harness.Path) (int, error) {
	n := 0
	parent, last := p[:max(2, len(p)-1)], p[max(2, len(p)-1):] // the root of a body has no parent
	for _, x := range ix.bySlot[k] {
		r := ix.kept.read(x)
		l, err := r.list(p[0].Name)
		if err != nil {
			return 0, err
		}
		if l != nil && len(p) == 2 {
			n += l.n
			continue
		}
		if l != nil && len(parent) == 2 {
			parent, last = p, nil
		}
		err = r.nodes(parent, func(node payload.Node) {
			if len(last) == 1 && last[0].Kind == harness.StepName {
				if list := membersNamed(node, last[0].Name); list != nil {
					n += len(list)
					return
				}
			}
			visit(node, last, func(array payload.Node) { n += array.Len() })
		})
		if err != nil {
			return 0, err
		}
	}
	return n, nil
}

// columns is the header of the first table with rows at the place, in order; none when the body is no CSV.
func (ix *index) columns(k slot, half string) ([]string, error) {
	for _, x := range ix.bySlot[k] {
		r := ix.kept.read(x)
		l, err := r.list(half)
		if err != nil {
			return nil, err
		}
		if l != nil && l.columns != nil {
			return l.columns, nil
		}
		if l != nil {
			continue
		}
		doc, err := r.doc(half)
		if err != nil {
			return nil, err
		}
		if doc.Format == "csv" && doc.Root().Len() > 0 {
			return namesOf(doc.Root().Element(0)), nil
		}
	}
	return nil, nil
}

// reader reads places of one exchange; it parses each body once.
type reader struct {
	exchange harness.Exchange
	docs     [2]*payload.Doc
	kept     *kept
}

func (r *reader) message(half string) (m harness.Message, i int) {
	if half == "response" {
		return r.exchange.Response, 1
	}
	return r.exchange.Request, 0
}

func (r *reader) doc(half string) (*payload.Doc, error) {
	m, i := r.message(half)
	if r.docs[i] == nil {
		doc, err := r.kept.of(m)
		if err != nil {
			return nil, err
		}
		r.docs[i] = doc
	}
	return r.docs[i], nil
}

// list is the body as a list of records, nil when it is held or none.
func (r *reader) list(half string) (*streamed, error) {
	m, i := r.message(half)
	if r.docs[i] != nil {
		return nil, nil
	}
	return r.kept.list(m)
}

// format is the name of the body's row in payload.Formats.
func (r *reader) format(half string) (string, error) {
	l, err := r.list(half)
	switch {
	case err != nil:
		return "", err
	case l != nil:
		return l.format, nil
	}
	doc, err := r.doc(half)
	if err != nil {
		return "", err
	}
	return doc.Format, nil
}

// texts yields the texts of all places that the pattern covers, in order. Null and absent have no text and are left
// out; containers are told apart by their content.
func (r *reader) texts(p harness.Path, yield func(string)) error {
	if len(p) == 3 && p[1].Name == "head" {
		m, _ := r.message(p[0].Name)
		for _, v := range m.Head.Values(p[2].Name) {
			yield(v)
		}
		return nil
	}
	return r.nodes(p, func(n payload.Node) {
		switch {
		case n.Kind() == harness.KindNull:
		case n.IsScalar():
			yield(n.Text())
		default:
			sum := payload.CanonicalDigest(n)
			yield(string(sum[:]))
		}
	})
}

// nodes yields the nodes of a body that the pattern covers.
func (r *reader) nodes(p harness.Path, yield func(payload.Node)) error {
	if len(p) < 2 || p[1].Name != "body" {
		return nil
	}
	if len(p) > 2 {
		if l, err := r.list(p[0].Name); l != nil || err != nil {
			return errors.Join(err, l.visit(p[2:], yield))
		}
	}
	doc, err := r.doc(p[0].Name)
	if err != nil {
		return err
	}
	visit(doc.Root(), p[2:], yield)
	return nil
}

// visit does for a list what the function of that name does for a document. A list has no members.
func (l *streamed) visit(path harness.Path, yield func(payload.Node)) error {
	if l == nil || path[0].Kind == harness.StepName {
		return nil
	}
	for n, err := range l.records() {
		if err != nil {
			return err
		}
		visit(n, path[1:], yield)
	}
	return nil
}

func visit(n payload.Node, path harness.Path, yield func(payload.Node)) {
	if n.IsZero() {
		return
	}
	if len(path) == 0 {
		yield(n)
		return
	}
	if path[0].Kind == harness.StepName {
		if list := repeated(n, path); list != nil {
			for _, c := range list {
				visit(c, path[2:], yield)
			}
			return
		}
		visit(n.Member(path[0].Name), path[1:], yield)
		return
	}
	if n.Kind() == harness.KindArray {
		for c := range n.Children() {
			visit(c, path[1:], yield)
		}
	}
}

// repeated is the members that the first two steps of the path cover when they share a name, as elements of XML do: a
// name and a step into a list that is no array. It is nil otherwise.
func repeated(n payload.Node, path harness.Path) []payload.Node {
	if len(path) < 2 || path[1].Kind == harness.StepName {
		return nil
	}
	return membersNamed(n, path[0].Name)
}

// membersNamed is the members of that name, nil when there is none or an array stands there.
func membersNamed(n payload.Node, name string) []payload.Node {
	if n.Kind() != harness.KindObject {
		return nil
	}
	var list []payload.Node
	for c := range n.Children() {
		if c.Name() == name {
			list = append(list, c)
		}
	}
	if len(list) == 1 && list[0].Kind() == harness.KindArray {
		return nil
	}
	return list
}

// valueSet is the distinct texts at a place, and how often each occurs.
type valueSet struct {
	counts map[string]int
	total  int
}

func setOf(texts []string) *valueSet {
	set := &valueSet{counts: map[string]int{}}
	for _, t := range texts {
		set.add(t)
	}
	return set
}

func (v *valueSet) add(text string) {
	v.counts[text]++
	v.total++
}

// Limits of a field that counts as a list of codes: few values, each used often, and short.
const (
	maxCodes      = 200
	maxCodeShare  = 0.05
	maxFewCodes   = 12 // so few values count as codes in small samples too
	maxCodeLength = 40 // bytes
)

// isCodeList reports whether the field takes its values from a short list.
func (v *valueSet) isCodeList() bool {
	n := len(v.counts)
	if n == 0 || n > maxCodes {
		return false
	}
	for text := range v.counts {
		if len(text) > maxCodeLength {
			return false
		}
	}
	return float64(n) <= maxCodeShare*float64(v.total) || n <= maxFewCodes && v.total >= 2*n
}

// overlap is the share of the larger side that both sides have in common, value by value.
func (v *valueSet) overlap(other *valueSet) float64 {
	common := 0
	for text, n := range v.counts {
		common += min(n, other.counts[text])
	}
	if most := max(v.total, other.total); most > 0 {
		return float64(common) / float64(most)
	}
	return 0
}

// sorted returns at most max distinct values in order.
func (v *valueSet) sorted(max int) []string {
	list := make([]string, 0, len(v.counts))
	for text := range v.counts {
		list = append(list, text)
	}
	slices.Sort(list)
	return list[:min(len(list), max)]
}
