package mock

import (
	"bytes"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// Parameters and members of paging, in the spellings of well-known interfaces.
var (
	sizeNames   = []string{"limit", "count", "per_page", "page_size", "perpage", "pagesize", "size", "top", "$top", "max_results", "maxresults"}
	pageNames   = []string{"page", "page_number", "pagenumber", "p"}
	offsetNames = []string{"offset", "start", "skip", "$skip", "startat"}
	indexNames  = []string{"startindex"} // from 1, as in SCIM (RFC 7644 section 3.4.2.4)
	cursorNames = []string{"starting_after", "after", "cursor", "since_id", "after_id"}
	totalNames  = []string{"total", "count", "total_count", "totalcount", "total_results", "results", "totalelements", "total_items", "totalitems", "totalresults", "@odata.count"}
	pagesNames  = []string{"pages", "total_pages", "totalpages", "page_count", "last_page"}
	moreNames   = []string{"has_more", "hasmore", "has_next", "hasnext", "more"}
	lastNames   = []string{"last", "islast"}
	nextNames   = []string{"next", "next_page", "nextpage", "next_url", "next_page_url", "nextlink", "@odata.nextlink"}
	heldNames   = []string{"itemsperpage"} // how many things are in this part
)

// window is the part of a list that a call asks for.
type window struct {
	asked  bool
	size   int // 0: everything
	page   int // from 1
	offset int
	after  string          // identifier behind which it begins
	other  map[string]bool // names of all other parameters
}

func windowOf(query []pair) window {
	w := window{page: 1, other: map[string]bool{}}
	for _, p := range query {
		n, err := strconv.Atoi(p.value)
		number := err == nil && n >= 0
		name := strings.ToLower(p.name)
		switch {
		case slices.Contains(sizeNames, name) && number:
			w.size, w.asked = n, true
		case slices.Contains(pageNames, name) && number:
			w.page, w.asked = max(n, 1), true
		case slices.Contains(offsetNames, name) && number:
			w.offset, w.asked = n, true
		case slices.Contains(indexNames, name) && number:
			w.offset, w.asked = max(n-1, 0), true
		case slices.Contains(cursorNames, name):
			w.after, w.asked = p.value, true
		default:
			w.other[p.name] = true
		}
	}
	return w
}

// cut is the part of the list, and whether something comes behind it.
func (w window) cut(list []element) (part []element, more bool) {
	from := w.offset
	if w.size > 0 {
		from += (w.page - 1) * w.size
	}
	if i := slices.IndexFunc(list, func(e element) bool { return e.id == w.after }); w.after != "" && i >= 0 {
		from = i + 1
	}
	part = list[min(from, len(list)):]
	if w.size > 0 && len(part) > w.size {
		return part[:w.size], true
	}
	return part, false
}

// element is one thing of a list.
type element struct {
	id  string
	raw []byte
}

// list answers a GET of a collection: the recorded list, without what was removed, with what was changed and created. A part
// of it that was never recorded is cut from all that is known.
func (v *virtual) list(a aim, due *harness.Exchange) (reply, bool) {
	like, ok := a.resource.listLike(a, due)
	if !ok {
		return reply{}, false
	}
	win := windowOf(a.call.query)
	elements := elementsOf(like)
	if due == nil || win.asked {
		elements = a.resource.all(a.parent)
	}
	all := v.asItIs(a, elements, win)
	part, more := all, false
	if win.asked {
		part, more = win.cut(all)
	}
	s := &splices{source: like.answer.Source}
	array := like.answer.Root().At(like.at)
	raws := make([][]byte, 0, len(part))
	for _, e := range part {
		raws = append(raws, inForm(array.Element(0), e.raw))
	}
	s.put(array, slices.Concat([]byte("["), bytes.Join(raws, []byte(",")), []byte("]")))
	s.account(like.answer.Root(), win, extent{len(all), len(part), more})
	s.rename(like.answer.Root(), like.texts(a.parent, ""))
	answer := v.say(a, "listed", like, "", s.bytes())
	answer.x.Response.Head = linked(answer.x.Response.Head, win, more)
	return answer, true
}

// listLike is the recorded list after which one is made: the one that is due, else one of the collection or of its kind.
func (r *resource) listLike(a aim, due *harness.Exchange) (exemplar, bool) {
	if due != nil {
		if doc := jsonAnswer(due); doc != nil {
			if at, ok := listOf(doc.Root()); ok && due.Status() == 200 {
				return exemplar{x: due, call: a.call, parent: a.parent, answer: doc, at: at}, true
			}
		}
		return exemplar{}, false
	}
	if len(r.lists) == 0 {
		return exemplar{}, false
	}
	return nearest(r.lists, a.parent, ""), true
}

func elementsOf(e exemplar) []element {
	var list []element
	for n := range e.answer.Root().At(e.at).Children() {
		list = append(list, element{idOf(n), n.Raw()})
	}
	return list
}

// all is every recorded thing of a collection.
func (r *resource) all(parent string) []element {
	c := r.known[parent]
	if c == nil {
		return nil
	}
	list := make([]element, 0, len(c.ids))
	for _, id := range c.ids {
		list = append(list, element{id, c.bodies[id]})
	}
	return list
}

// asItIs is the list as it is now. What was created is left out where a parameter names a member of it that has another
// value.
func (v *virtual) asItIs(a aim, list []element, win window) []element {
	w := v.worlds[a.world]
	if w == nil {
		return list
	}
	var now []element
	seen := map[string]bool{}
	for _, e := range list {
		if w.gone[e.id] {
			continue
		}
		if body, ok := w.bodies[e.id]; ok {
			e.raw = body
		}
		seen[e.id] = true
		now = append(now, e)
	}
	for _, id := range w.order {
		if !seen[id] && fits(w.bodies[id], a.call.query, win) {
			now = append(now, element{id, w.bodies[id]})
		}
	}
	return now
}

func fits(body []byte, query []pair, win window) bool {
	doc, err := payload.ParseJSON(body)
	if err != nil {
		return false
	}
	for _, p := range query {
		if n := doc.Root().Member(p.name); win.other[p.name] && !n.IsZero() && n.IsScalar() && n.Text() != p.value {
			return false
		}
	}
	return true
}

// inForm is a thing with the members that things have in the list.
func inForm(form payload.Node, raw []byte) []byte {
	doc, err := payload.ParseJSON(raw)
	if err != nil || form.IsZero() || form.Kind() != harness.KindObject || covers(doc.Root(), form) {
		return raw
	}
	base, err := payload.ParseJSON(form.Raw())
	if err != nil {
		return raw
	}
	s := &splices{source: base.Source}
	s.overlay(base.Root(), doc.Root(), true)
	return s.bytes()
}

// extent is how many things there are, how many of them are in this part, and whether some come behind it.
type extent struct {
	total, here int
	more        bool
}

// account corrects the members that count the list and lead to its next part, beside it or one object deeper.
func (s *splices) account(root payload.Node, win window, e extent) {
	if root.Kind() != harness.KindObject {
		return
	}
	number := func(n int) []byte { return strconv.AppendInt(nil, int64(n), 10) }
	for n := range root.Children() {
		name := strings.ToLower(n.Name())
		switch {
		case n.Kind() == harness.KindObject:
			s.account(n, win, e)
		case slices.Contains(nextNames, name) && !e.more && n.IsScalar():
			s.put(n, []byte("null"))
		case slices.Contains(nextNames, name) && n.Kind() == harness.KindString:
			s.put(n, quoted(onward(n.Text(), win)))
		case slices.Contains(nextNames, name) && n.Kind() == harness.KindNumber:
			s.put(n, number(win.page+1))
		case n.Kind() == harness.KindBool && slices.Contains(moreNames, name):
			s.put(n, strconv.AppendBool(nil, e.more))
		case n.Kind() == harness.KindBool && slices.Contains(lastNames, name):
			s.put(n, strconv.AppendBool(nil, !e.more))
		case n.Kind() != harness.KindNumber:
		case slices.Contains(totalNames, name):
			s.put(n, number(e.total))
		case slices.Contains(heldNames, name):
			s.put(n, number(e.here))
		case slices.Contains(indexNames, name) && win.asked:
			s.put(n, number(win.offset+1))
		case slices.Contains(pagesNames, name) && win.size > 0:
			s.put(n, number(max((e.total+win.size-1)/win.size, 1)))
		case slices.Contains(pageNames, name) && win.asked:
			s.put(n, number(win.page))
		case slices.Contains(sizeNames, name) && win.size > 0:
			s.put(n, number(win.size))
		}
	}
}

// onward is the URL of the next part: the recorded one with the page or offset behind the one that was asked for.
func onward(link string, win window) string {
	u, err := url.Parse(link)
	if err != nil {
		return link
	}
	query := u.Query()
	for name := range query {
		switch lower := strings.ToLower(name); {
		case slices.Contains(pageNames, lower):
			query.Set(name, strconv.Itoa(win.page+1))
		case slices.Contains(offsetNames, lower):
			query.Set(name, strconv.Itoa(win.offset+win.size))
		case slices.Contains(sizeNames, lower) && win.size > 0:
			query.Set(name, strconv.Itoa(win.size))
		}
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// linked corrects the links of a head to other parts (RFC 8288): the next one, and none behind the last.
func linked(head harness.Head, win window, more bool) harness.Head {
	var out harness.Head
	for _, f := range head {
		if !strings.EqualFold(f.Name, "Link") {
			out = append(out, f)
			continue
		}
		var links []string
		for link := range strings.SplitSeq(f.Value, ",") {
			target, rest, found := strings.Cut(strings.TrimPrefix(strings.TrimSpace(link), "<"), ">")
			if !found || !strings.Contains(rest, `rel="next"`) {
				links = append(links, strings.TrimSpace(link))
			} else if more {
				links = append(links, "<"+onward(target, win)+">"+rest)
			}
		}
		if len(links) > 0 {
			out = append(out, harness.Field{Name: f.Name, Value: strings.Join(links, ", ")})
		}
	}
	return out
}
