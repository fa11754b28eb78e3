package mock

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// resource is a kind of thing that the recording shows being created and read again, such as /students and /students/{}.
// Its exemplars are recorded exchanges: what is answered for a thing that was never recorded is one of them with other
// values in it.
type resource struct {
	name    string // of the collection, identifiers generalised: /students
	creates []exemplar
	reads   []exemplar
	lists   []exemplar
	changes map[string][]exemplar // PUT and PATCH, by method
	deletes []exemplar
	absent  []exemplar // answers to calls for things that are not there

	names string                 // where the identifier stands in the answers of creates
	known map[string]*collection // recorded things, by the path of their collection
	again int                    // created things that were read again: the evidence
}

// collection is the things of one collection, in the order in which they were seen.
type collection struct {
	ids    []string
	bodies map[string][]byte // the last JSON object that was seen of each
}

// exemplar is a recorded exchange taken apart.
type exemplar struct {
	x      *harness.Exchange
	call   call
	parent string       // path of its collection
	id     string       // of the thing; empty for lists
	answer *payload.Doc // nil when the answer is no JSON
	at     harness.Path // of the thing, or of the list, in the answer
}

// wide bounds what is looked at to learn resources, so that preparing a mock stays cheap.
const wide = 20_000

// idNames are the members that name a thing, the likeliest first.
var idNames = []string{"id", "_id", "uuid", "guid", "key", "code", "number", "slug", "name"}

// absences are the statuses that say that a thing is not there.
var absences = map[int]bool{http.StatusNotFound: true, http.StatusGone: true}

// study is what is collected while resources are learned.
type study struct {
	found   map[string]*resource // by system and name
	items   map[string]bool      // paths of things that were called
	pending []exemplar           // everything with a JSON answer or none, in recorded order
}

// learnResources finds the resources of a recording, by system and name. A resource is a collection to which something was
// posted whose identifier stands in the answer and in the path of a call that reads it.
func learnResources(exchanges []harness.Exchange) map[string]*resource {
	s := study{found: map[string]*resource{}, items: map[string]bool{}}
	for i := range exchanges[:min(len(exchanges), wide)] {
		s.look(&exchanges[i])
	}
	for _, e := range s.pending {
		if e.call.method == http.MethodPost && e.x.Status() < 300 {
			s.create(e)
		}
	}
	for _, e := range s.pending {
		s.file(e)
	}
	for key, r := range s.found {
		if len(r.reads) == 0 || len(r.creates) == 0 {
			delete(s.found, key)
		}
	}
	return s.found
}

func (s *study) look(x *harness.Exchange) {
	if x.Fault != nil || x.Status() < 200 || x.Status() >= 500 {
		return
	}
	c, err := recordedCall(x.Request)
	if err != nil {
		return
	}
	e := exemplar{x: x, call: c, answer: jsonAnswer(x)}
	s.pending = append(s.pending, e)
	if c.method != http.MethodPost {
		s.items[x.To+"\n"+pathOf(c.segments)] = true
	}
}

// jsonAnswer is the answer of an exchange as a document; nil when it is no JSON or large.
func jsonAnswer(x *harness.Exchange) *payload.Doc {
	if x.Response.Body.Size() == 0 || x.Response.Body.Size() > maxCompared {
		return nil
	}
	body, err := x.Response.Body.Bytes()
	if err != nil {
		return nil
	}
	if encoding := x.Response.Head.Get("Content-Encoding"); encoding != "" {
		if body, err = payload.Unpack(encoding, body); err != nil {
			return nil
		}
	}
	if trimmed := strings.TrimLeft(string(body[:min(len(body), 64)]), " \t\r\n"); trimmed == "" || trimmed[0] != '{' && trimmed[0] != '[' {
		return nil
	}
	doc, err := payload.ParseJSON(body)
	if err != nil {
		return nil
	}
	return doc
}

func pathOf(segments []string) string { return "/" + strings.Join(segments, "/") }

// nameOf is the name of a collection.
func nameOf(system, path string) string {
	x := harness.Exchange{Channel: harness.ChannelHTTP, Request: harness.Message{Head: harness.Head{{Name: harness.FieldPath, Value: path}}}}
	return system + "\n" + strings.TrimSpace(x.Operation())
}

// create learns a resource from a POST whose answer names what it created.
func (s *study) create(e exemplar) {
	if e.answer == nil {
		return
	}
	parent := pathOf(e.call.segments)
	for place, id := range idsOf(e.answer.Root()) {
		if !s.items[e.x.To+"\n"+strings.TrimSuffix(parent, "/")+"/"+id] {
			continue
		}
		key := nameOf(e.x.To, parent)
		r := s.found[key]
		if r == nil {
			_, name, _ := strings.Cut(key, "\n")
			r = &resource{name: name, changes: map[string][]exemplar{}, known: map[string]*collection{}}
			s.found[key] = r
		}
		r.names = cmp.Or(r.names, place.String())
		r.again++
		return
	}
}

// idsOf yields the identifiers that a document may give its thing, with their places: in the object itself or in one that
// is a member of it.
func idsOf(root payload.Node) func(yield func(harness.Path, string) bool) {
	return func(yield func(harness.Path, string) bool) {
		objects := []harness.Path{nil}
		if root.Kind() == harness.KindObject {
			for child := range root.Children() {
				if child.Kind() == harness.KindObject {
					objects = append(objects, harness.PathOf(harness.Name(child.Name())))
				}
			}
		}
		for _, at := range objects {
			for _, name := range idNames {
				n := root.At(at).Member(name)
				if !n.IsZero() && n.IsScalar() && n.Text() != "" && !yield(at.Child(harness.Name(name)), n.Text()) {
					return
				}
			}
		}
	}
}

// file puts an exchange where it belongs in a resource that was found.
func (s *study) file(e exemplar) {
	if r := s.found[nameOf(e.x.To, pathOf(e.call.segments))]; r != nil {
		e.parent = pathOf(e.call.segments)
		switch {
		case e.call.method == http.MethodGet && e.x.Status() == http.StatusOK && e.answer != nil:
			if at, ok := listOf(e.answer.Root()); ok {
				e.at = at
				r.lists = append(r.lists, e)
				r.seeList(e)
			}
		case e.call.method == http.MethodPost:
			r.fileCreate(e)
		}
	}
	if len(e.call.segments) < 2 {
		return
	}
	last := len(e.call.segments) - 1
	if r := s.found[nameOf(e.x.To, pathOf(e.call.segments[:last]))]; r != nil {
		e.parent, e.id = pathOf(e.call.segments[:last]), e.call.segments[last]
		r.fileThing(e)
	}
}

// fileCreate files a POST to the collection. Of what it created nothing else need be known than its identifier.
func (r *resource) fileCreate(e exemplar) {
	if e.answer == nil || e.x.Status() >= 300 {
		return
	}
	for place, id := range idsOf(e.answer.Root()) {
		if place.String() != r.names {
			continue
		}
		e.id, e.at = id, place[:len(place)-1]
		r.see(e.parent, id, e.answer.Root().At(e.at).Raw())
		r.creates = append(r.creates, e)
		return
	}
}

// fileThing files a call for one thing.
func (r *resource) fileThing(e exemplar) {
	ok := e.thing()
	switch {
	case absences[e.x.Status()]:
		r.absent = append(r.absent, e)
	case e.x.Status() >= 300:
	case e.call.method == http.MethodGet && ok:
		r.reads = append(r.reads, e)
	case (e.call.method == http.MethodPut || e.call.method == http.MethodPatch) && (ok || e.answer == nil):
		r.changes[e.call.method] = append(r.changes[e.call.method], e)
	case e.call.method == http.MethodDelete:
		r.deletes = append(r.deletes, e)
		return
	}
	if ok {
		r.see(e.parent, e.id, e.answer.Root().At(e.at).Raw())
	}
}

// thing finds the thing in the answer by its identifier.
func (e *exemplar) thing() bool {
	if e.answer == nil || e.x.Status() >= 300 {
		return false
	}
	for place, id := range idsOf(e.answer.Root()) {
		if id == e.id {
			e.at = place[:len(place)-1]
			return true
		}
	}
	return false
}

// see keeps what a thing looks like.
func (r *resource) see(parent, id string, body []byte) {
	c := r.known[parent]
	if c == nil {
		c = &collection{bodies: map[string][]byte{}}
		r.known[parent] = c
	}
	if _, known := c.bodies[id]; !known {
		c.ids = append(c.ids, id)
	}
	c.bodies[id] = body
}

func (r *resource) seeList(e exemplar) {
	for n := range e.answer.Root().At(e.at).Children() {
		if id := idOf(n); id != "" {
			r.see(e.parent, id, n.Raw())
		}
	}
}

// listOf is the place of the list in an answer: the answer itself, or the only member that is a list of objects, or else the
// only one that is a list.
func listOf(root payload.Node) (harness.Path, bool) {
	if root.Kind() == harness.KindArray {
		return nil, true
	}
	var lists, ofObjects []harness.Path
	if root.Kind() == harness.KindObject {
		for child := range root.Children() {
			if child.Kind() != harness.KindArray {
				continue
			}
			place := harness.PathOf(harness.Name(child.Name()))
			lists = append(lists, place)
			if child.Element(0).Kind() == harness.KindObject {
				ofObjects = append(ofObjects, place)
			}
		}
	}
	switch {
	case len(ofObjects) == 1:
		return ofObjects[0], true
	case len(lists) == 1:
		return lists[0], true
	}
	return nil, false
}

// idOf is what names an object; empty when nothing does.
func idOf(n payload.Node) string {
	for _, name := range idNames {
		if m := n.Member(name); !m.IsZero() && m.IsScalar() {
			return m.Text()
		}
	}
	return ""
}
