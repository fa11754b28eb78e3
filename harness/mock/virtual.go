package mock

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// SyntheticField is the header field of an answer that was never recorded: what was done, and after which exchange.
const SyntheticField = "X-Rehearse-Synthetic"

// virtual answers for things that were created, changed or removed while the mock runs. Its answers are recorded ones with
// the values of the live calls in them.
type virtual struct {
	resources map[string]*resource // by system and name
	seed      uint64
	now       func() time.Time

	mu     sync.Mutex
	worlds map[world]*changed
	made   map[*resource]int // identifiers that were made
}

// world is one collection as one caller sees it: what callers of other state keys do is not seen.
type world struct {
	resource *resource
	parent   string
	entity   string
}

// changed is what live calls did to a collection.
type changed struct {
	order  []string // created things
	bodies map[string][]byte
	gone   map[string]bool
}

// aim is a call for a resource.
type aim struct {
	world
	id   string // empty: the collection
	call call
}

func newVirtual(exchanges []harness.Exchange, options Options) *virtual {
	return &virtual{resources: learnResources(exchanges), seed: options.Seed, now: options.Now, worlds: map[world]*changed{}, made: map[*resource]int{}}
}

// aimOf finds the resource that a call is for; the system may be unknown.
func (v *virtual) aimOf(c call, caller who, systems []string) (aim, bool) {
	if caller.system != "" {
		systems = []string{caller.system}
	}
	last := len(c.segments) - 1
	for _, system := range systems {
		path := pathOf(c.segments)
		if r := v.resources[nameOf(system, path)]; r != nil {
			return aim{world{r, path, caller.entity}, "", c}, true
		}
		if last < 1 {
			continue
		}
		path = pathOf(c.segments[:last])
		if r := v.resources[nameOf(system, path)]; r != nil {
			return aim{world{r, path, caller.entity}, c.segments[last], c}, true
		}
	}
	return aim{}, false
}

// touched reports whether live calls changed what the call is for, so that what was recorded is not true any more.
func (v *virtual) touched(a aim) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	w := v.worlds[a.world]
	if w == nil {
		return false
	}
	if a.id == "" {
		return a.call.method == http.MethodGet
	}
	_, here := w.bodies[a.id]
	return here || w.gone[a.id]
}

// answer makes the answer to a call; due is the recorded one, where there is one. Not ok when the recording does not show how
// such a call is answered.
func (v *virtual) answer(a aim, due *harness.Exchange) (reply, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case a.id == "" && a.call.method == http.MethodPost:
		return v.create(a)
	case a.id == "" && a.call.method == http.MethodGet:
		return v.list(a, due)
	case a.id == "":
		return reply{}, false
	}
	body, there := v.body(a)
	switch {
	case !there:
		return v.absent(a)
	case a.call.method == http.MethodGet:
		return v.read(a, body)
	case a.call.method == http.MethodDelete:
		return v.remove(a)
	}
	return v.change(a, body)
}

func (v *virtual) of(w world) *changed {
	c := v.worlds[w]
	if c == nil {
		c = &changed{bodies: map[string][]byte{}, gone: map[string]bool{}}
		v.worlds[w] = c
	}
	return c
}

// body is what a thing looks like now.
func (v *virtual) body(a aim) ([]byte, bool) {
	if w := v.worlds[a.world]; w != nil {
		if w.gone[a.id] {
			return nil, false
		}
		if body, ok := w.bodies[a.id]; ok {
			return body, true
		}
	}
	if c := a.resource.known[a.parent]; c != nil {
		body, ok := c.bodies[a.id]
		return body, ok
	}
	return nil, false
}

// create answers a POST like the recorded one whose body resembles it most.
func (v *virtual) create(a aim) (reply, bool) {
	sent := fieldsOf(a.call)
	if sent == nil {
		return reply{}, false
	}
	like := closest(a.resource.creates, sent.Root())
	id := v.newID(a.resource, like.id)
	root := like.answer.Root()
	thing := root.At(like.at)
	s := &splices{source: like.answer.Source}
	s.fill(thing, fieldsOf(like.call), sent)
	now := v.now()
	s.refresh(root, like.x.At, now)
	s.rename(root, like.texts(a.parent, id))
	body := s.bytes()
	made, err := payload.ParseJSON(body)
	if err != nil {
		return reply{}, false
	}
	w := v.of(a.world)
	w.order = append(w.order, id)
	w.bodies[id] = made.Root().At(like.at).Raw()
	return v.say(a, "created", like, id, body), true
}

// fill puts the fields that were sent where the recorded answer gave back those of the recorded request. What the recorded
// request had and the live one lacks is null.
func (s *splices) fill(thing payload.Node, was, sent *payload.Doc) {
	given := 0
	var back int
	if was != nil {
		for member := range was.Root().Children() {
			given++
			old, now := thing.Member(member.Name()), sent.Root().Member(member.Name())
			if old.IsZero() {
				continue
			}
			back++
			if now.IsZero() && old.IsScalar() && old.Text() == member.Text() {
				s.put(old, []byte("null"))
			}
		}
	}
	s.overlay(thing, sent.Root(), given > 0 && back == given)
}

// texts are what is renamed when an exemplar stands for another thing: its identifier and the segments above it.
func (e exemplar) texts(parent, id string) map[string]string {
	texts := map[string]string{}
	was, is := strings.Split(e.parent, "/"), strings.Split(parent, "/")
	for i := range min(len(was), len(is)) {
		if was[i] != is[i] {
			texts[was[i]] = is[i]
		}
	}
	if e.id != id && e.id != "" {
		texts[e.id] = id
	}
	return texts
}

// read answers a GET like a recorded one.
func (v *virtual) read(a aim, body []byte) (reply, bool) {
	like := nearest(a.resource.reads, a.parent, a.id)
	whole, ok := like.with(a, body)
	if !ok {
		return reply{}, false
	}
	return v.say(a, "read", like, a.id, whole), true
}

// with is the recorded answer with another thing in it.
func (e exemplar) with(a aim, body []byte) ([]byte, bool) {
	doc, err := payload.ParseJSON(body)
	if err != nil {
		return nil, false
	}
	s := &splices{source: e.answer.Source}
	thing := e.answer.Root().At(e.at)
	if covers(doc.Root(), thing) {
		s.put(thing, body)
	} else {
		s.overlay(thing, doc.Root(), true)
	}
	s.rename(e.answer.Root(), e.texts(a.parent, a.id))
	return s.bytes(), true
}

// covers reports whether a thing has every member of another.
func covers(thing, other payload.Node) bool {
	for member := range other.Children() {
		if thing.Member(member.Name()).IsZero() {
			return false
		}
	}
	return true
}

// change answers a PUT or PATCH: the fields that were sent are those of the thing from then on.
func (v *virtual) change(a aim, body []byte) (reply, bool) {
	list, sent := a.resource.changes[a.call.method], fieldsOf(a.call)
	if len(list) == 0 || sent == nil {
		return reply{}, false
	}
	old, err := payload.ParseJSON(body)
	if err != nil {
		return reply{}, false
	}
	like := closest(list, sent.Root())
	s := &splices{source: body}
	s.overlay(old.Root(), sent.Root(), true)
	for _, member := range []string{"updated_at", "updatedAt", "updated", "modified", "modified_at", "lastModified"} {
		if n := old.Root().Member(member); !n.IsZero() {
			if text, ok := sameMoment(n.Text(), momentOf(n.Text()), v.now()); ok && n.Kind() == harness.KindString {
				s.put(n, quoted(text))
			}
		}
	}
	now := s.bytes()
	v.of(a.world).bodies[a.id] = now
	if like.answer == nil {
		return v.say(a, "changed", like, a.id, nil), true
	}
	whole, ok := like.with(a, now)
	return v.say(a, "changed", like, a.id, whole), ok
}

func momentOf(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return t
}

func (v *virtual) remove(a aim) (reply, bool) {
	if len(a.resource.deletes) == 0 {
		return reply{}, false
	}
	like := nearest(a.resource.deletes, a.parent, a.id)
	w := v.of(a.world)
	w.gone[a.id] = true
	delete(w.bodies, a.id)
	w.order = slices.DeleteFunc(w.order, func(id string) bool { return id == a.id })
	return v.say(a, "removed", like, a.id, like.renamedAnswer(a)), true
}

// renamedAnswer is the recorded answer with other identifiers; nil when it is no JSON.
func (e exemplar) renamedAnswer(a aim) []byte {
	if e.answer == nil {
		return nil
	}
	s := &splices{source: e.answer.Source}
	s.rename(e.answer.Root(), e.texts(a.parent, a.id))
	return s.bytes()
}

// absent answers a call for a thing that is not there, like a recorded one; without one only for things that were removed.
func (v *virtual) absent(a aim) (reply, bool) {
	list := a.resource.absent
	if same := slices.DeleteFunc(slices.Clone(list), func(e exemplar) bool { return e.call.method != a.call.method }); len(same) > 0 {
		list = same
	}
	if len(list) > 0 {
		like := nearest(list, a.parent, a.id)
		return v.say(a, "absent", like, a.id, like.renamedAnswer(a)), true
	}
	if w := v.worlds[a.world]; w == nil || !w.gone[a.id] {
		return reply{}, false
	}
	return reply{x: &harness.Exchange{Response: harness.Message{Head: harness.Head{
		{Name: harness.FieldStatus, Value: "404"}, {Name: SyntheticField, Value: "absent " + a.resource.name + "; no such answer was recorded"},
	}}}}, true
}

// say is the recorded exchange with another body and the fields that go with it. A nil body leaves the recorded one.
func (v *virtual) say(a aim, what string, like exemplar, id string, body []byte) reply {
	x := *like.x
	texts := like.texts(a.parent, id)
	head := make(harness.Head, 0, len(x.Response.Head)+1)
	for _, f := range x.Response.Head {
		switch strings.ToLower(f.Name) {
		case "content-encoding":
			if body != nil {
				continue
			}
		case "etag":
			f.Value = newTag(f.Value, body)
		case "content-length", harness.FieldStatus:
		case "content-md5", "digest", "content-digest", "repr-digest":
			continue // of another body
		default:
			f.Value = renamed(f.Value, texts)
		}
		head = append(head, f)
	}
	mark := fmt.Sprintf("%s %s; like %s; %s created and read again when it was recorded", what, a.resource.name, like.x.ID, harness.Count(a.resource.again, "thing"))
	if trailer := slices.IndexFunc(head, func(f harness.Field) bool { return f.Name == harness.FieldTrailer }); trailer >= 0 {
		head = head[:trailer]
	}
	x.Response.Head = append(head, harness.Field{Name: SyntheticField, Value: mark})
	if body != nil {
		x.Response.Body = harness.BytesBody(body)
	}
	x.Fault = nil
	return reply{x: &x, texts: texts}
}

// newTag is an entity tag of the form of another.
func newTag(form string, body []byte) string {
	weak, rest := "", form
	if strings.HasPrefix(form, "W/") {
		weak, rest = "W/", form[2:]
	}
	sum := sha256.Sum256(body)
	text := hex.EncodeToString(sum[:])
	size := min(max(len(rest)-2, 8), len(text))
	return weak + strconv.Quote(text[:size])
}

// fieldsOf are the fields of a request: a JSON object, or a form as one; nil when it is neither.
func fieldsOf(c call) *payload.Doc {
	if doc := jsonOf(c); doc != nil && doc.Root().Kind() == harness.KindObject {
		return doc
	}
	if mediaOf(c.contentType) != formMedia {
		return nil
	}
	s := &splices{source: []byte("{}")}
	doc, err := payload.ParseJSON(s.source)
	if err != nil {
		return nil
	}
	seen := map[string]bool{}
	for _, p := range pairsOf(string(c.body)) {
		if !seen[p.name] {
			seen[p.name] = true
			s.member(doc.Root(), p.name, quoted(p.value))
		}
	}
	doc, err = payload.ParseJSON(s.bytes())
	if err != nil {
		return nil
	}
	return doc
}

// closest is the exemplar whose request has most fields in common with those that were sent; the first of equals.
func closest(list []exemplar, sent payload.Node) exemplar {
	best, bestCost := 0, -1
	for i, e := range list {
		cost := 0
		if fields := fieldsOf(e.call); fields != nil {
			cost = lacking(fields.Root(), sent) + lacking(sent, fields.Root())
		} else {
			cost = sent.Len() + 1
		}
		if bestCost < 0 || cost < bestCost {
			best, bestCost = i, cost
		}
	}
	return list[best]
}

func lacking(of, in payload.Node) (n int) {
	for member := range of.Children() {
		if in.Member(member.Name()).IsZero() {
			n++
		}
	}
	return n
}

// nearest is the exemplar of the same thing, else of the same collection, else the first.
func nearest(list []exemplar, parent, id string) exemplar {
	rank := func(e exemplar) int {
		switch {
		case e.parent == parent && e.id == id:
			return 0
		case e.parent == parent:
			return 1
		}
		return 2
	}
	return slices.MinFunc(list, func(a, b exemplar) int { return cmp.Compare(rank(a), rank(b)) })
}
