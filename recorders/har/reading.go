package har

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// partsOf reads an entry. A member that is missing or null is empty; one of another type is an error.
func partsOf(n payload.Node) (e entry, err error) {
	r := &reading{}
	n = r.object(n, "an entry")
	e = entry{Started: r.text(n, "startedDateTime"), Time: r.text(n, "time"), Error: member(n, "_error")}
	e.Request, e.Response = r.request(r.objectAt(n, "request")), r.response(r.objectAt(n, "response"))
	for _, m := range r.list(n, "_webSocketMessages") {
		m = r.object(m, "a message of a web socket")
		e.WebSocket = append(e.WebSocket, socketMessage{r.text(m, "type"), r.text(m, "time"), r.text(m, "opcode"), r.text(m, "data")})
	}
	if mark := member(n, "_rehearse"); !mark.IsZero() && r.err == nil {
		r.err = json.Unmarshal(mark.Raw(), &e.Ours)
	}
	return e, r.err
}

// reading reads members, and keeps the first error.
type reading struct{ err error }

func (r *reading) fail(what string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(what, args...)
	}
}

func (r *reading) request(n payload.Node) request {
	q := request{Method: r.text(n, "method"), URL: r.text(n, "url"), Proto: r.text(n, "httpVersion"), Headers: r.headers(n)}
	if post := r.objectAt(n, "postData"); !post.IsZero() {
		q.PostData = &postData{r.text(post, "mimeType"), r.text(post, "text"), r.text(post, "encoding"), r.list(post, "params")}
	}
	return q
}

func (r *reading) response(n payload.Node) response {
	a := response{
		Status: r.text(n, "status"), Proto: r.text(n, "httpVersion"), Headers: r.headers(n), BodySize: r.text(n, "bodySize"), Error: member(n, "_error"),
	}
	if in := r.objectAt(n, "content"); !in.IsZero() {
		a.Content = content{r.text(in, "size"), r.text(in, "mimeType"), r.text(in, "text"), r.text(in, "encoding"), r.text(in, "_isBinary").value == "true"}
	}
	return a
}

// headers reads the fields of a head. The value is a scalar, or a list of them for a repeated field.
func (r *reading) headers(n payload.Node) (all []header) {
	for _, f := range r.list(n, "headers") {
		f = r.object(f, "a header")
		h := header{Name: r.text(f, "name")}
		if value := member(f, "value"); !value.IsZero() && value.Kind() == harness.KindArray {
			for one := range value.Children() {
				h.Value = append(h.Value, r.scalar(one, "value").value)
			}
		} else if !value.IsZero() {
			h.Value = []string{r.scalar(value, "value").value}
		}
		all = append(all, h)
	}
	return all
}

// member is the last member of an object with a name, letter case aside; zero when there is none.
func member(object payload.Node, name string) (found payload.Node) {
	if object.IsZero() || object.Kind() != harness.KindObject {
		return found
	}
	for n := range object.Children() {
		called := string(n.PlainName())
		if called == "" {
			called = n.Name()
		}
		if strings.EqualFold(called, name) {
			found = n
		}
	}
	return found
}

// object is the node when it is an object, and zero where nothing stands.
func (r *reading) object(n payload.Node, what string) payload.Node {
	if n.IsZero() || n.Kind() == harness.KindNull {
		return payload.Node{}
	}
	if n.Kind() != harness.KindObject {
		r.fail("%s is not an object", what)
		return payload.Node{}
	}
	return n
}

func (r *reading) objectAt(n payload.Node, name string) payload.Node {
	return r.object(member(n, name), name)
}

func (r *reading) list(n payload.Node, name string) (all []payload.Node) {
	n = member(n, name)
	if n.IsZero() || n.Kind() == harness.KindNull {
		return nil
	}
	if n.Kind() != harness.KindArray {
		r.fail("%s is not a list", name)
		return nil
	}
	for one := range n.Children() {
		all = append(all, one)
	}
	return all
}

func (r *reading) text(n payload.Node, name string) text { return r.scalar(member(n, name), name) }

// scalar reads a scalar as text.
func (r *reading) scalar(n payload.Node, name string) (t text) {
	switch {
	case n.IsZero() || n.Kind() == harness.KindNull:
	case !n.IsScalar():
		r.fail("%s: want a text or a number, have %.20s", name, n.Raw())
	case n.Kind() == harness.KindString:
		raw := n.Raw()
		t.present = true
		t.value, t.lossy = unquoted(raw[1 : len(raw)-1])
	default:
		t = text{value: string(n.Raw()), present: true}
	}
	return t
}
