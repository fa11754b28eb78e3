package correlate

import (
	"html"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// isHTML reports whether an answer is a page, which is read by its elements instead of by line.
func isHTML(media string, doc *payload.Doc) bool {
	return strings.Contains(media, "html") && doc.Format == "text"
}

// identifying are the attributes by which an element of a page is known again, the best one first.
var identifying = []string{"name", "id", "property", "rel", "itemprop"}

// walkHTML visits the attributes of a page and the texts between its tags. Places are the element with what identifies it,
// else with its number among those of its kind: response.body.input[name=csrf].value, response.body.a[3].href,
// response.body.script[0].
func walkHTML(side string, doc *payload.Doc, visit visitor) {
	page := string(doc.Source)
	count := map[string]int{}
	tell := func(text string, steps ...harness.Step) {
		if text = strings.TrimSpace(html.UnescapeString(text)); text == "" {
			return
		}
		l := &leaf{text: text, kind: inBody, field: noField, side: side, root: true, steps: steps}
		l.name = nameInPage(steps)
		l.visit(visit, nil, 0)
	}
	inside := harness.PathOf(harness.Name("html"), harness.Index(0))
	for at := 0; at < len(page); {
		open := strings.IndexByte(page[at:], '<')
		if open < 0 {
			open = len(page) - at
		}
		tell(page[at:at+open], inside...)
		if at += open; at == len(page) {
			return
		}
		if strings.HasPrefix(page[at:], "<!--") {
			end := strings.Index(page[at:], "-->")
			if end < 0 {
				return
			}
			at += end + len("-->")
			continue
		}
		tag := readTag(page[at:])
		at += tag.length
		if tag.name == "" || tag.name[0] == '/' {
			continue
		}
		element := harness.Index(count[tag.name])
		count[tag.name]++
		inside = harness.PathOf(harness.Name(tag.name), element)
		if key, ok := tag.identity(); ok {
			element = harness.Keyed(key)
		}
		for _, a := range tag.attributes {
			tell(a.Value, harness.Name(tag.name), element, harness.Name(a.Name))
		}
	}
}

// nameInPage is what the value of a field or of a meta element is called: its name, not the word value.
func nameInPage(steps []harness.Step) string {
	last := steps[len(steps)-1]
	if len(steps) == 3 && steps[1].Kind == harness.StepKey && (last.Name == "value" || last.Name == "content") {
		return steps[1].Keys[0].Value
	}
	return last.Name
}

// tag is one tag of a page.
type tag struct {
	name       string // lower case; begins with a slash when it closes
	attributes []harness.Field
	length     int
}

func (t *tag) identity() (harness.Field, bool) {
	for _, name := range identifying {
		for _, a := range t.attributes {
			if a.Name == name && a.Value != "" {
				return a, true
			}
		}
	}
	return harness.Field{}, false
}

// readTag reads the tag at the start of s. What is no tag is passed over up to the next mark.
func readTag(s string) (t tag) {
	i := 1
	for i < len(s) && (isAlnum[s[i]] || s[i] == '/' || s[i] == '-' || s[i] == ':') {
		i++
	}
	t.name = strings.ToLower(s[1:i])
	for i < len(s) && s[i] != '>' {
		if isBlank(s[i]) || s[i] == '/' {
			i++
			continue
		}
		from := i
		for i < len(s) && !isBlank(s[i]) && s[i] != '=' && s[i] != '>' && s[i] != '/' {
			i++
		}
		name := strings.ToLower(s[from:i])
		for i < len(s) && isBlank(s[i]) {
			i++
		}
		if i >= len(s) || s[i] != '=' {
			if i == from {
				i++
			}
			continue
		}
		for i++; i < len(s) && isBlank(s[i]); i++ {
		}
		var value string
		value, i = readAttribute(s, i)
		t.attributes = append(t.attributes, harness.Field{Name: name, Value: html.UnescapeString(value)})
	}
	t.length = min(i+1, len(s))
	return t
}

// readAttribute reads a value in quotes or up to the next blank, and returns what is behind it.
func readAttribute(s string, i int) (value string, next int) {
	if i < len(s) && (s[i] == '"' || s[i] == '\'') {
		if end := strings.IndexByte(s[i+1:], s[i]); end >= 0 {
			return s[i+1 : i+1+end], i + end + 2
		}
		return "", len(s)
	}
	end := i
	for end < len(s) && !isBlank(s[end]) && s[end] != '>' {
		end++
	}
	return s[i:end], end
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' }
