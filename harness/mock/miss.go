package mock

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// Bounds of explanations.
const (
	MaxMisses     = 1000    // misses that are kept with their explanation
	maxPlaces     = 10      // differing places that a miss lists
	maxCandidates = 64      // recorded calls that are compared with a missed one
	maxLeaves     = 10_000  // values of a body that are compared
	maxCompared   = 1 << 20 // bytes of a body that is compared value by value
	maxText       = 80      // bytes of a value that are shown
)

// Miss is a call that was never recorded, and how the closest recorded call differs from it.
type Miss struct {
	Method  string  `json:"method"`
	Target  string  `json:"target"`           // path and query, as sent or as scrubbed
	System  string  `json:"system,omitempty"` // whose host name was called
	Session string  `json:"session,omitempty"`
	Reason  string  `json:"reason"`
	Closest string  `json:"closest,omitempty"` // ID of the closest recorded exchange; empty when there is none
	Places  []Place `json:"places,omitempty"`  // the first places that differ from it
	Total   int     `json:"total,omitempty"`   // how many places differ
	Hint    string  `json:"hint,omitempty"`    // which rule would make it match
}

// Place is one place in which a missed call differs from the closest recorded one.
type Place struct {
	Path  harness.Path        `json:"path"`
	Class harness.ChangeClass `json:"class"`
	Was   string              `json:"was,omitempty"` // recorded; empty for an added place
	Is    string              `json:"is,omitempty"`  // of the call; empty for a removed place
}

// String is the miss in lines of text, the values quoted.
func (m Miss) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "no recorded answer to %s %q: %s", m.Method, m.Target, m.Reason)
	for _, p := range m.Places {
		switch p.Class {
		case harness.Added:
			fmt.Fprintf(&b, "\n  %s: recorded none, called with %q", p.Path, p.Is)
		case harness.Removed:
			fmt.Fprintf(&b, "\n  %s: recorded %q, called with none", p.Path, p.Was)
		default:
			fmt.Fprintf(&b, "\n  %s: recorded %q, called with %q", p.Path, p.Was, p.Is)
		}
	}
	if more := m.Total - len(m.Places); more > 0 {
		fmt.Fprintf(&b, "\n  and %d more", more)
	}
	if m.Hint != "" {
		b.WriteString("\n  hint: " + m.Hint)
	}
	return b.String()
}

// missLog keeps the first misses and counts all.
type missLog struct {
	mu    sync.Mutex
	kept  []Miss
	total int
}

func (l *missLog) len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total
}

func (l *missLog) list() []Miss {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.kept)
}

func (l *missLog) keep(miss Miss) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total++
	if len(l.kept) < MaxMisses {
		l.kept = append(l.kept, miss)
	}
}

// refuse keeps a miss and answers it: status 501, the explanation as JSON.
func (m *Mock) refuse(w http.ResponseWriter, miss Miss) {
	m.misses.keep(miss)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusNotImplemented)
	w.Write(missBody(miss)) //nolint:errcheck // the client may be gone; the miss is kept all the same
}

func missBody(miss Miss) []byte {
	body, err := json.MarshalIndent(struct {
		Error string `json:"error"`
		Miss
	}{"rehearse: no recorded answer to this call", miss}, "", "  ")
	if err != nil {
		return []byte(`{"error":"rehearse: no recorded answer to this call"}`)
	}
	return append(body, '\n')
}

// neighbours finds recorded calls that resemble a missed one.
type neighbours struct {
	byPath, byOperation, byMethod map[string][]int32
}

func newNeighbours(exchanges []harness.Exchange) *neighbours {
	n := &neighbours{map[string][]int32{}, map[string][]int32{}, map[string][]int32{}}
	add := func(index map[string][]int32, name string, i int) {
		for _, system := range []string{"", exchanges[i].To} {
			if at := system + "\n" + name; len(index[at]) < maxCandidates {
				index[at] = append(index[at], int32(i))
			}
		}
	}
	for i := range exchanges {
		x := &exchanges[i]
		path, _, _ := strings.Cut(originForm(x.Request.Head.Get(harness.FieldPath)), "?")
		add(n.byPath, path, i)
		add(n.byOperation, x.Operation(), i)
		add(n.byMethod, x.Request.Head.Get(harness.FieldMethod), i)
	}
	return n
}

// candidates are at most maxCandidates calls, the likeliest first: same path, same operation, same method.
// An empty system is any.
func (n *neighbours) candidates(c call, system string) []int32 {
	path, _, _ := strings.Cut(originForm(c.target), "?")
	like := harness.Exchange{Request: harness.Message{Head: harness.Head{{Name: harness.FieldMethod, Value: c.method}, {Name: harness.FieldPath, Value: path}}}}
	var out []int32
	seen := map[int32]bool{}
	for _, list := range [][]int32{n.byPath[system+"\n"+path], n.byOperation[system+"\n"+like.Operation()], n.byMethod[system+"\n"+c.method]} {
		for _, i := range list {
			if !seen[i] && len(out) < maxCandidates {
				seen[i] = true
				out = append(out, i)
			}
		}
	}
	return out
}

// explain compares a missed call with the closest recorded one.
func (m *Mock) explain(c call, caller who) Miss {
	miss := Miss{Method: c.method, Target: c.target, System: caller.system, Session: caller.session, Reason: "no call with this method was recorded", Hint: "record a call of this kind"}
	if len(m.exchanges) == 0 {
		miss.Reason = "the recording holds no call to this system"
		return miss
	}
	if c.method == http.MethodConnect {
		miss.Reason, miss.Hint = "a mock without TLS is no proxy for https", "serve it with TLS (--tls), or let the client call its address"
		return miss
	}
	best, bestCost, rules := -1, 0, m.matcherOf(c)
	var places []Place
	for _, i := range m.near().candidates(c, caller.system) {
		recorded, err := recordedCall(m.exchanges[i].Request)
		if err != nil {
			continue
		}
		found := rules.compare(recorded, c)
		if cost := costOf(found); best < 0 || cost < bestCost {
			best, bestCost, places = int(i), cost, found
		}
	}
	if best < 0 {
		return miss
	}
	miss.Closest = m.exchanges[best].ID
	miss.Reason = fmt.Sprintf("the closest recorded call, exchange %s, differs in %s", miss.Closest, harness.Count(len(places), "place"))
	miss.Total, miss.Hint = len(places), hintFor(places)
	miss.Places = places[:min(len(places), maxPlaces)]
	return miss
}

// costs weighs places by what they say about the kind of call; every other place costs 1.
var costs = []struct {
	prefix harness.Path
	cost   int
}{
	{headPlace.Child(harness.Name(harness.FieldMethod)), 1000},
	{headPlace.Child(harness.Name(harness.FieldPath)), 1000},
	{segmentPlace, 30},
}

func costOf(places []Place) int {
	total := 0
	for _, p := range places {
		cost := 1
		for _, c := range costs {
			if p.Path.HasPrefix(c.prefix) {
				cost = c.cost
			}
		}
		total += cost
	}
	return total
}

// hintFor says which rule would make the call match.
func hintFor(places []Place) string {
	var ignore, headers []string
	for _, p := range places {
		switch p.Path[1].Name {
		case "head":
			if name := p.Path[2]; name.Name == harness.FieldMethod || name.Name == harness.FieldPath {
				return "another kind of call: record it, or correct the caller"
			}
			headers = append(headers, p.Path.Leaf())
		case "segment":
			ignore = append(ignore, p.Path.String())
		default:
			ignore = append(ignore, p.Path.Pattern().String())
		}
	}
	slices.Sort(ignore)
	ignore = slices.Compact(ignore)
	if len(ignore) > maxPlaces {
		return "too much differs for a rule: record this call"
	}
	var rules []string
	if len(ignore) > 0 {
		rules = append(rules, "ignore "+strings.Join(ignore, ", "))
	}
	if len(headers) > 0 {
		rules = append(rules, "match without the header field "+strings.Join(headers, ", "))
	}
	if len(rules) == 0 {
		return "the body differs in a way that is not a value: compare the bytes"
	}
	return "it would match with the rule: " + strings.Join(rules, "; ") + ". Otherwise record this call"
}

// compare lists the places that take part in matching and differ, in the order method, path, query, head, body.
func (m matcher) compare(was, is call) []Place {
	var places placeList
	places.add(headPlace.Child(harness.Name(harness.FieldMethod)), was.method, is.method)
	if len(was.segments) != len(is.segments) {
		places.add(headPlace.Child(harness.Name(harness.FieldPath)), "/"+strings.Join(was.segments, "/"), "/"+strings.Join(is.segments, "/"))
	} else {
		for i := range was.segments {
			places.add(segmentPlace.Child(harness.Index(i)), was.segments[i], is.segments[i])
		}
	}
	places.addPairs(queryPlace, was.query, is.query)
	for _, name := range m.headers {
		places.add(headPlace.Child(harness.Name(name)), strings.Join(was.header(name), ", "), strings.Join(is.header(name), ", "))
	}
	places.addBodies(was, is)
	return slices.DeleteFunc(places, func(p Place) bool { return m.ignores(p.Path) || m.ignoresAbove(p.Path) })
}

// ignoresAbove reports whether a place lies in an ignored part of the body.
func (m matcher) ignoresAbove(place harness.Path) bool {
	for n := 2; n < len(place); n++ {
		if m.ignores(place[:n]) {
			return true
		}
	}
	return false
}

type placeList []Place

// add appends the place when its texts differ; an empty text is an absent one.
func (l *placeList) add(path harness.Path, was, is string) {
	if was == is {
		return
	}
	class := harness.Changed
	switch {
	case was == "":
		class = harness.Added
	case is == "":
		class = harness.Removed
	}
	*l = append(*l, Place{path, class, short(was), short(is)})
}

func (l *placeList) addPairs(place harness.Path, was, is []pair) {
	wasTexts, isTexts := textsOf(was), textsOf(is)
	for _, name := range names(wasTexts, isTexts) {
		l.add(place.Child(harness.Name(name)), strings.Join(wasTexts[name], ", "), strings.Join(isTexts[name], ", "))
	}
}

func textsOf(pairs []pair) map[string][]string {
	texts := map[string][]string{}
	for _, p := range pairs {
		texts[p.name] = append(texts[p.name], p.value)
	}
	return texts
}

func names(was, is map[string][]string) []string {
	var all []string
	for name := range was {
		all = append(all, name)
	}
	for name := range is {
		all = append(all, name)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (l *placeList) addBodies(was, is call) {
	if string(was.body) == string(is.body) {
		return
	}
	before := len(*l)
	if max(len(was.body), len(is.body)) <= maxCompared {
		wasDoc, isDoc := jsonOf(was), jsonOf(is)
		switch {
		case wasDoc != nil && isDoc != nil:
			if l.addLeaves(leavesOf(wasDoc), leavesOf(isDoc)) {
				return // another spelling of the same value is no difference
			}
		case mediaOf(was.contentType) == formMedia && mediaOf(is.contentType) == formMedia:
			l.addPairs(bodyPlace, pairsOf(string(was.body)), pairsOf(string(is.body)))
			return
		default:
			wasParts, ok := partsOf(was)
			if isParts, isOK := partsOf(is); ok && isOK {
				l.addPairs(bodyPlace, wasParts, isParts)
				return
			}
		}
	}
	if len(*l) == before {
		l.add(bodyPlace, describe(was.body), describe(is.body))
	}
}

// describe shows a body that is compared as a whole.
func describe(body []byte) string {
	if len(body) == 0 {
		return ""
	}
	return fmt.Sprintf("%s, %s: %s", harness.Count(len(body), "byte"), harness.Digest(body)[:19], short(string(body)))
}

func short(s string) string {
	if len(s) > maxText {
		s = s[:maxText] + "…"
	}
	return strings.ToValidUTF8(s, "\ufffd")
}

// leaf is a scalar or empty container of a JSON body.
type leaf struct {
	path harness.Path
	raw  string // kind and decoded text
	text string // as written
}

// leavesOf lists the values of a document with the kind in front of the text, so that 1 and "1" differ.
func leavesOf(doc *payload.Doc) []leaf {
	var leaves []leaf
	for path, n := range doc.Root().Leaves() {
		leaves = append(leaves, leaf{slices.Concat(bodyPlace, path), string(n.Kind()) + n.Text(), string(n.Raw())})
		if len(leaves) > maxLeaves {
			break
		}
	}
	return leaves
}

// addLeaves compares the values of two JSON bodies by place; not ok when they are too many.
func (l *placeList) addLeaves(was, is []leaf) bool {
	if len(was) > maxLeaves || len(is) > maxLeaves {
		return false
	}
	isAt := make(map[string]leaf, len(is))
	for _, v := range is {
		isAt[v.path.String()] = v
	}
	for _, v := range was {
		at := v.path.String()
		other, found := isAt[at]
		delete(isAt, at)
		switch {
		case !found:
			*l = append(*l, Place{v.path, harness.Removed, short(v.text), ""})
		case v.raw != other.raw:
			*l = append(*l, Place{v.path, harness.Changed, short(v.text), short(other.text)})
		}
	}
	for _, v := range is {
		if _, left := isAt[v.path.String()]; left {
			*l = append(*l, Place{v.path, harness.Added, "", short(v.text)})
			delete(isAt, v.path.String())
		}
	}
	return true
}
