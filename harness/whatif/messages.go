package whatif

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// encodings is the table of encodings that a text can be written in. Letters that one does not have become a question
// mark, as programs do.
var encodings = []struct {
	name   string
	encode func(text string) []byte
}{
	{"windows-1252", latin},
	{"iso-8859-1", latin},
	{"utf-8-bom", func(text string) []byte { return append([]byte("\xef\xbb\xbf"), text...) }},
	{"utf-16le", func(text string) []byte {
		out := []byte{0xff, 0xfe}
		for _, unit := range utf16.Encode([]rune(text)) {
			out = append(out, byte(unit), byte(unit>>8))
		}
		return out
	}},
	{"utf-8-twice", func(text string) []byte { // read as Latin-1 and written as UTF-8 once more
		var out []byte
		for _, b := range []byte(text) {
			out = append(out, string(rune(b))...)
		}
		return out
	}},
}

func latin(text string) []byte {
	out := make([]byte, 0, len(text))
	for _, r := range text {
		if r > 0xff {
			r = '?'
		}
		out = append(out, byte(r))
	}
	return out
}

func encodingNames() string {
	var names []string
	for _, e := range encodings {
		names = append(names, e.name)
	}
	return strings.Join(names, ", ")
}

func reencode(v Variation, p *Variant) error {
	at := slices.IndexFunc(encodings, func(e struct {
		name   string
		encode func(text string) []byte
	}) bool {
		return strings.EqualFold(e.name, v.Value)
	})
	if at < 0 {
		return harness.Usage(fmt.Errorf("what-if encoding: %q is not known", v.Value), "encodings are "+encodingNames())
	}
	chosen := v.messages(p, false)
	p.note(chosen, "")
	for _, r := range chosen {
		m := half(&p.Exchanges[r.exchange], r.answer)
		doc, err := payload.Of(*m)
		if err != nil {
			return fmt.Errorf("vary exchange %s: %w", p.Exchanges[r.exchange].ID, err)
		}
		if *m, err = withBody(*m, encodings[at].encode(string(doc.Source))); err != nil {
			return fmt.Errorf("vary exchange %s: %w", p.Exchanges[r.exchange].ID, err)
		}
	}
	return nil
}

// reverse turns the records of tables around; messages without records change places within their session.
func reverse(v Variation, p *Variant) error {
	chosen := v.messages(p, false)
	p.note(chosen, "")
	places := map[string][]int{}
	for _, r := range chosen {
		x := &p.Exchanges[r.exchange]
		turned, ok, err := turnedAround(x.Request)
		if err != nil {
			return fmt.Errorf("vary exchange %s: %w", x.ID, err)
		}
		if ok {
			x.Request = turned
			continue
		}
		places[x.Session] = append(places[x.Session], r.exchange)
	}
	for _, at := range places {
		for i, j := 0, len(at)-1; i < j; i, j = i+1, j-1 {
			a, b := &p.Exchanges[at[i]], &p.Exchanges[at[j]]
			*a, *b = *b, *a
		}
	}
	return nil
}

// turnedAround is the message with its records in the reverse order; false when it has no two records.
func turnedAround(m harness.Message) (harness.Message, bool, error) {
	doc, err := payload.Of(m)
	if err != nil || !slices.Contains([]string{"csv", "ndjson", "json"}, doc.Format) || doc.Root().Kind() != harness.KindArray || doc.Root().Len() < 2 {
		return m, false, nil //nolint:nilerr // a body that is not of its format has no records
	}
	rows := slices.Collect(doc.Root().Children())
	out := bytes.Clone(doc.Source[:rows[0].Offset()])
	for i := range rows {
		out = append(out, rows[len(rows)-1-i].Raw()...)
		end := len(doc.Source)
		if i+1 < len(rows) {
			end = rows[i+1].Offset()
		}
		out = append(out, doc.Source[rows[i].Offset()+len(rows[i].Raw()):end]...)
	}
	m, err = withBody(m, out)
	return m, true, err
}

// page answers lists with their first records, names the next page in a Link, and has the rest behind it.
func page(v Variation, p *Variant) error {
	size, err := strconv.Atoi(v.Value)
	if err != nil || size < 1 {
		return harness.Usage(fmt.Errorf("what-if page: %q is no number of records", v.Value), "write it as "+v.Kind.Example)
	}
	var cut []record
	for _, r := range v.messages(p, true) {
		pages, err := pagesOf(p.Exchanges[r.exchange], size)
		if err != nil {
			return fmt.Errorf("vary exchange %s: %w", p.Exchanges[r.exchange].ID, err)
		}
		if len(pages) < 2 {
			continue
		}
		cut = append(cut, r)
		p.Exchanges[r.exchange] = pages[0]
		p.Exchanges = append(p.Exchanges, pages[1:]...) // mocks answer by what is asked, not by place
	}
	p.note(cut, "")
	return nil
}

// pagesOf parts an answer by its longest array.
func pagesOf(x harness.Exchange, size int) ([]harness.Exchange, error) {
	doc, err := payload.Of(x.Response)
	if err != nil || doc.Format != "json" {
		return nil, nil //nolint:nilerr // what is no list has no pages
	}
	list := longest(doc.Root())
	items := slices.Collect(list.Children())
	if len(items) <= size {
		return nil, nil
	}
	var pages []harness.Exchange
	target := x.Request.Head.Get(harness.FieldPath)
	for from := 0; from < len(items); from += size {
		to := min(from+size, len(items))
		plain := bytes.Clone(doc.Source[:items[0].Offset()])
		plain = append(plain, doc.Source[items[from].Offset():items[to-1].Offset()+len(items[to-1].Raw())]...)
		last := items[len(items)-1]
		plain = append(plain, doc.Source[last.Offset()+len(last.Raw()):]...)
		next := x
		if from > 0 {
			next.ID = ""
			next.Request.Head = next.Request.Head.With(harness.FieldPath, pageTarget(target, from/size+1))
		}
		if next.Response, err = withBody(x.Response, plain); err != nil {
			return nil, err
		}
		if to < len(items) {
			link := fmt.Sprintf(`<%s>; rel="next"`, pageTarget(target, from/size+2))
			next.Response.Head = append(slices.Clone(next.Response.Head), harness.Field{Name: "Link", Value: link})
		}
		pages = append(pages, next)
	}
	return pages, nil
}

func pageTarget(target string, n int) string {
	if strings.Contains(target, "?") {
		return fmt.Sprintf("%s&page=%d", target, n)
	}
	return fmt.Sprintf("%s?page=%d", target, n)
}

// longest is the array with the most elements, the first of equals.
func longest(n payload.Node) payload.Node {
	best := n
	for level := []payload.Node{n}; len(level) > 0; {
		var next []payload.Node
		for _, c := range level {
			if c.Kind() == harness.KindArray && (best.Kind() != harness.KindArray || c.Len() > best.Len()) {
				best = c
			}
			for child := range c.Children() {
				if !child.IsScalar() {
					next = append(next, child)
				}
			}
		}
		level = next
	}
	return best
}
