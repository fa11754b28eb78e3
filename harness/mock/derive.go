package mock

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// Match says which calls are the same.
type Match string

// Ways to match.
const (
	MatchStrict  Match = ""        // every place counts that is not ignored by name
	MatchLenient Match = "lenient" // places that vary in the recording without meaning anything do not count: see [Mock.Rules]
)

// Rule is a place of requests that varies in the recording from call to call without meaning anything, and what shows it.
type Rule struct {
	Operation string // such as "POST /orders"
	System    string
	Place     harness.Path // pattern
	Kind      RuleKind
	Calls     int    // that have the place
	Example   string // a value
}

// RuleKind is why a place means nothing.
type RuleKind string

// Kinds of rules.
const (
	RuleMoment RuleKind = "moment" // each value is the moment of its call
	RuleNonce  RuleKind = "nonce"  // each value is unique, long, and occurs nowhere else but in its own answer
	RuleSet    RuleKind = "set"    // the same elements come in different order
)

// String is the rule and its evidence in words.
func (r Rule) String() string {
	shows := map[RuleKind]string{
		RuleMoment: "holds the moment of the call in all %s",
		RuleNonce:  "holds a new text in each of %s, which occurs nowhere else but in the own answer",
		RuleSet:    "holds the same elements in different order among %s",
	}[r.Kind]
	return fmt.Sprintf("%s: %s "+shows+", such as %q", r.Operation, r.Place, harness.Count(r.Calls, "call"), r.Example)
}

// grounds is what is known of one place of an operation.
type grounds struct {
	place   harness.Path
	values  []string
	moments bool // all so far
	nonces  bool
	sets    map[string]bool // arrays as they came
	sorted  map[string]bool // and sorted
}

// studied is how many calls of one operation are compared.
const studied = 500

// deriveRules looks for places that vary without meaning anything. Segments of paths and fields of the head are no such
// places: those mean something, and these take no part in matching unless they are named.
func deriveRules(exchanges []harness.Exchange) []Rule {
	type kind struct{ system, operation string }
	groups := map[kind][]*harness.Exchange{}
	var order []kind
	for i := range exchanges {
		x := &exchanges[i]
		k := kind{x.To, x.Operation()}
		if groups[k] == nil {
			order = append(order, k)
		}
		if len(groups[k]) < studied {
			groups[k] = append(groups[k], x)
		}
	}
	var mentioned *mentions
	var rules []Rule
	for _, k := range order {
		if len(groups[k]) < 2 {
			continue
		}
		if mentioned == nil {
			mentioned = newMentions(exchanges)
		}
		for _, g := range placesThatVary(groups[k], mentioned) {
			g.System, g.Operation = k.system, k.operation
			rules = append(rules, g)
		}
	}
	return rules
}

func placesThatVary(calls []*harness.Exchange, mentioned *mentions) []Rule {
	found := map[string]*grounds{}
	var order []string
	for _, x := range calls {
		c, err := recordedCall(x.Request)
		if err != nil {
			continue
		}
		for _, p := range placesOf(c, nil) {
			if !p.path.HasPrefix(segmentPlace) {
				order = at(found, p.path).value(order, x, p.text, mentioned)
			}
		}
		if doc := jsonOf(c); doc != nil && len(c.body) <= maxCompared {
			order = noteArrays(found, order, doc.Root(), bodyPlace)
		}
	}
	var rules []Rule
	slices.Sort(order)
	for _, name := range slices.Compact(order) {
		if r, ok := found[name].rule(); ok {
			rules = append(rules, r)
		}
	}
	return rules
}

// noted is a place and its name.
type noted struct {
	*grounds
	name string
}

// at makes room for a place.
func at(found map[string]*grounds, path harness.Path) noted {
	pattern := path.Pattern()
	name := pattern.String()
	g := found[name]
	if g == nil {
		g = &grounds{place: pattern, moments: true, nonces: true, sets: map[string]bool{}, sorted: map[string]bool{}}
		found[name] = g
	}
	return noted{g, name}
}

func (g noted) value(order []string, x *harness.Exchange, text string, mentioned *mentions) []string {
	g.moments = g.moments && isMomentOf(text, x.At)
	g.nonces = g.nonces && looksUnique(text) && !slices.Contains(g.values, text) && !mentioned.elsewhere(text, x)
	g.values = append(g.values, text)
	return append(order, g.name)
}

// noteArrays notes arrays of scalars and the order of their elements.
func noteArrays(found map[string]*grounds, order []string, n payload.Node, path harness.Path) []string {
	if n.IsScalar() {
		return order
	}
	scalars, i := n.Kind() == harness.KindArray && n.Len() > 1, 0
	var elements []string
	for child := range n.Children() {
		step := harness.Name(child.Name())
		if n.Kind() == harness.KindArray {
			step = harness.Index(i)
		}
		order = noteArrays(found, order, child, path.Child(step))
		scalars = scalars && child.IsScalar()
		elements = append(elements, string(child.Raw()))
		i++
	}
	if !scalars {
		return order
	}
	g := at(found, path)
	g.values = append(g.values, string(n.Raw()))
	g.moments, g.nonces = false, false
	g.sets[strings.Join(elements, ",")] = true
	slices.Sort(elements)
	g.sorted[strings.Join(elements, ",")] = true
	return append(order, g.name)
}

func (g *grounds) rule() (Rule, bool) {
	r := Rule{Place: g.place, Calls: len(g.values)}
	if len(g.values) < 2 {
		return r, false
	}
	r.Example = short(g.values[0])
	same := true
	for _, v := range g.values {
		same = same && v == g.values[0]
	}
	switch {
	case same:
		return r, false
	case len(g.sets) > len(g.sorted):
		r.Kind = RuleSet
	case g.moments:
		r.Kind = RuleMoment
	case g.nonces:
		r.Kind = RuleNonce
	}
	return r, r.Kind != ""
}

// isMomentOf reports whether a text tells when its call was made.
func isMomentOf(text string, at time.Time) bool {
	if at.IsZero() {
		return false
	}
	if _, ok := sameMoment(text, at, at); ok {
		return true
	}
	t, err := http.ParseTime(text)
	if seconds, fraction := strconv.ParseFloat(text, 64); err != nil && fraction == nil && strings.Contains(text, ".") {
		t, err = time.Unix(int64(seconds), 0), nil
	}
	return err == nil && t.Sub(at).Abs() <= near
}

// looksUnique reports whether a text is long enough to be by chance and no sentence: letters and digits in one piece.
func looksUnique(text string) bool {
	const least, words = 12, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_+/=."
	return len(text) >= least && strings.ContainsAny(text, "0123456789") && strings.ContainsAny(strings.ToLower(text), "abcdefghijklmnopqrstuvwxyz-") && strings.Trim(text, words) == ""
}

// mentions knows in which exchange a text occurs: in the path, as a value of the request, or in the answer.
type mentions struct{ first map[string]string } // ID of the exchange; several where there are more

const several = "\xff"

func newMentions(exchanges []harness.Exchange) *mentions {
	m := &mentions{first: map[string]string{}}
	for i := range exchanges[:min(len(exchanges), wide)] {
		x := &exchanges[i]
		c, err := recordedCall(x.Request)
		if err != nil {
			continue
		}
		for _, p := range placesOf(c, x.Request.Head) {
			m.add(p.text, x.ID)
		}
		for _, f := range x.Response.Head {
			m.add(f.Value, x.ID)
		}
		if doc := jsonAnswer(x); doc != nil {
			for _, n := range doc.Root().Leaves() {
				m.add(n.Text(), x.ID)
			}
		}
	}
	return m
}

func (m *mentions) add(text, id string) {
	if !looksUnique(text) {
		return
	}
	if was, known := m.first[text]; known && was != id {
		id = several
	}
	m.first[text] = id
}

// elsewhere reports whether a text of an exchange occurs in another one, so that it names something.
func (m *mentions) elsewhere(text string, x *harness.Exchange) bool { return m.first[text] != x.ID }

// Rules are the places that vary in the recording without meaning anything, with their evidence, in the order of the
// recording. They are derived from what was recorded, whatever way of matching was chosen.
func (m *Mock) Rules() []Rule { return deriveRules(m.exchanges) }

// lenient gives each operation that has rules a matcher of its own.
func (m *Mock) lenient(rules []Rule) {
	m.loose = map[string]matcher{}
	for _, r := range rules {
		own, known := m.loose[r.Operation]
		if !known {
			own = matcher{headers: m.rules.headers, ignore: slices.Clone(m.rules.ignore)}
		}
		if r.Kind == RuleSet {
			own.sets = append(own.sets, r.Place)
		} else {
			own.ignore = append(own.ignore, r.Place)
		}
		m.loose[r.Operation] = own
	}
}

// matcherOf is what counts in a call.
func (m *Mock) matcherOf(c call) matcher {
	if len(m.loose) == 0 {
		return m.rules
	}
	x := harness.Exchange{Channel: harness.ChannelHTTP, Request: harness.Message{Head: harness.Head{
		{Name: harness.FieldMethod, Value: c.method}, {Name: harness.FieldPath, Value: originForm(c.target)},
	}}}
	if own, ok := m.loose[x.Operation()]; ok {
		return own
	}
	return m.rules
}
