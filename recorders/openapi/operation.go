package openapi

import (
	"net/url"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/plain"
)

// operation is one method of one path.
type operation struct {
	*description
	method, path string
	item, node   *plain.Node
}

// read adds an exchange for each example of an answer.
func (o operation) read() error {
	responses := o.node.Get("responses")
	if responses != nil && responses.Kind != plain.Map && responses.Kind != plain.Null {
		return responses.Errorf("responses: want a map, have %s", responses.Kind)
	}
	found := false
	for _, m := range membersOf(responses) {
		status, err := archive.Status(m.Name)
		if err != nil {
			o.file.Note(noteDefault)
			continue
		}
		response, err := o.follow(m.Value)
		if err != nil {
			return err
		}
		answers, err := o.answers(response)
		if err != nil {
			return err
		}
		for _, a := range answers {
			found = true
			c, err := o.call(a.name)
			if err != nil {
				return err
			}
			c.Status, c.Response = status, a.half()
			if fields, err := o.fields(response.Get("headers"), a.name); err != nil {
				return err
			} else if c.Response.Fields = append(c.Response.Fields, fields...); a.media != "" {
				c.Request.Fields = append(harness.Head{{Name: "Accept", Value: a.media}}, c.Request.Fields...)
			}
			if err := o.file.Add(c); err != nil {
				return err
			}
		}
	}
	if !found {
		o.file.Note(noteNoExample)
	}
	return nil
}

// content is an example of a body.
type content struct {
	name  string // empty when the example has none
	media string
	body  []byte
}

func (c content) half() archive.Half {
	if c.media == "" {
		return archive.Half{}
	}
	return archive.Half{Fields: harness.Head{{Name: "Content-Type", Value: c.media}}, Body: c.body}
}

// answers are the examples of a response; one that has no content is an example itself.
func (o operation) answers(response *plain.Node) ([]content, error) {
	kinds := membersOf(response.Get("content"))
	if len(kinds) == 0 {
		return []content{{}}, nil
	}
	var all []content
	for _, kind := range kinds {
		some, err := o.contents(kind.Name, kind.Value)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// contents are the examples of one media type.
func (o operation) contents(media string, n *plain.Node) (all []content, err error) {
	examples, err := o.examples(n)
	if err != nil {
		return nil, err
	}
	for _, e := range examples {
		body, ok := bodyOf(media, e.value)
		if !ok {
			o.file.Note(noteUnwritten)
			continue
		}
		all = append(all, content{e.name, media, body})
	}
	return all, nil
}

// bodyOf writes a value as a body. A text stands for itself, unless the media type is JSON and the text is none.
func bodyOf(media string, n *plain.Node) ([]byte, bool) {
	isJSON := strings.Contains(archive.MediaOf(media), "json")
	if n.Kind == plain.Text && n.Quoted {
		text := strings.TrimSpace(n.Text)
		if !isJSON || strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
			return []byte(n.Text), true
		}
	}
	if n.Kind == plain.Text && !isJSON {
		return []byte(n.Text), true
	}
	return n.JSON(), isJSON
}

// example is a value with its name.
type example struct {
	name  string
	value *plain.Node
}

// examples of a media type, a parameter or a header: those with a name, the one without, or the one of the schema.
func (o operation) examples(n *plain.Node) (all []example, err error) {
	for _, m := range membersOf(n.Get("examples")) {
		e, err := o.follow(m.Value)
		if err != nil {
			return nil, err
		}
		switch value := e.Get("value"); {
		case value != nil:
			all = append(all, example{m.Name, value})
		case e.Has("externalValue"):
			o.file.Note(noteExternal)
		}
	}
	if len(all) > 0 {
		return all, nil
	}
	if value := n.Get("example"); value != nil {
		return []example{{"", value}}, nil
	}
	if !n.Has("schema") {
		return nil, nil
	}
	schema, err := o.follow(n.Get("schema"))
	if err != nil {
		return nil, err
	}
	if value := schema.Get("example"); value != nil {
		return []example{{"", value}}, nil
	}
	if list := schema.Get("examples"); list != nil && len(list.Items) > 0 {
		return []example{{"", list.Items[0]}}, nil
	}
	return nil, nil
}

// named picks the example of a name, or the first one.
func named(all []example, name string) *plain.Node {
	for _, e := range all {
		if e.name == name {
			return e.value
		}
	}
	if len(all) > 0 {
		return all[0].value
	}
	return nil
}

// call makes the request of an example.
func (o operation) call(name string) (c archive.Call, err error) {
	c = archive.Call{Method: o.method, Derived: []string{"path"}}
	path, query := o.path, []string{}
	parameters, err := o.parameters()
	if err != nil {
		return c, err
	}
	for _, p := range parameters {
		key, in := p.Get("name").TextOr(""), p.Get("in").TextOr("")
		examples, err := o.examples(p)
		if err != nil {
			return c, err
		}
		value := textOf(named(examples, name))
		switch {
		case in == "path":
			if value == "" {
				value = o.fallback(p, key)
			}
			path = strings.ReplaceAll(path, "{"+key+"}", url.PathEscape(value))
		case value == "":
		case in == "query":
			query = append(query, url.QueryEscape(key)+"="+url.QueryEscape(value))
			c.Derived = append(c.Derived, "query")
		case in == "header":
			c.Request.Fields = append(c.Request.Fields, harness.Field{Name: key, Value: value})
			c.Derived = append(c.Derived, "head")
		}
	}
	if c.URL = o.base + path; len(query) > 0 {
		c.URL += "?" + strings.Join(query, "&")
	}
	return c, o.requestBody(&c, name)
}

// parameters of the path and of the operation, which come last and count more.
func (o operation) parameters() ([]*plain.Node, error) {
	var all []*plain.Node
	for _, list := range []*plain.Node{o.item.Get("parameters"), o.node.Get("parameters")} {
		if list == nil {
			continue
		}
		for _, n := range list.Items {
			p, err := o.follow(n)
			if err != nil {
				return nil, err
			}
			kept := all[:0]
			for _, had := range all {
				if had.Get("name").TextOr("") != p.Get("name").TextOr("") || had.Get("in").TextOr("") != p.Get("in").TextOr("") {
					kept = append(kept, had)
				}
			}
			all = append(kept, p)
		}
	}
	return all, nil
}

// fallback is a value for a parameter in the path that has no example.
func (o operation) fallback(p *plain.Node, key string) string {
	schema, err := o.follow(p.Get("schema"))
	if err != nil || schema == nil {
		return key
	}
	for _, n := range []*plain.Node{schema.Get("default"), firstOf(schema.Get("enum"))} {
		if text := textOf(n); text != "" {
			return text
		}
	}
	switch schema.Get("type").TextOr("") {
	case "integer", "number":
		return "1"
	}
	return key
}

func firstOf(n *plain.Node) *plain.Node {
	if n == nil || len(n.Items) == 0 {
		return nil
	}
	return n.Items[0]
}

// textOf writes a value of a parameter: a list with commas, as the style of most parameters is.
func textOf(n *plain.Node) string {
	if n == nil || n.Kind != plain.List {
		return n.TextOr("")
	}
	texts := make([]string, len(n.Items))
	for i, item := range n.Items {
		texts[i] = item.TextOr("")
	}
	return strings.Join(texts, ",")
}

func (o operation) requestBody(c *archive.Call, name string) error {
	if !o.node.Has("requestBody") {
		return nil
	}
	body, err := o.follow(o.node.Get("requestBody"))
	if err != nil {
		return err
	}
	var chosen *content
	for _, kind := range membersOf(body.Get("content")) {
		some, err := o.contents(kind.Name, kind.Value)
		if err != nil {
			return err
		}
		for i := range some {
			if chosen == nil || some[i].name == name && chosen.name != name {
				chosen = &some[i]
			}
		}
	}
	if chosen != nil {
		c.Request.Fields = append(c.Request.Fields, harness.Field{Name: "Content-Type", Value: chosen.media})
		c.Request.Body = chosen.body
		c.Derived = append(c.Derived, "body")
	}
	return nil
}

// fields are the examples of the headers of an answer.
func (o operation) fields(headers *plain.Node, name string) (head harness.Head, err error) {
	for _, m := range membersOf(headers) {
		h, err := o.follow(m.Value)
		if err != nil {
			return nil, err
		}
		examples, err := o.examples(h)
		if err != nil {
			return nil, err
		}
		if value := textOf(named(examples, name)); value != "" && !strings.EqualFold(m.Name, "Content-Type") {
			head = append(head, harness.Field{Name: m.Name, Value: value})
		}
	}
	return head, nil
}
