package capture

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// mostSearched is the largest body that is taken apart to name the place, in bytes. In larger ones the line is named.
const mostSearched = 16 << 20

// sessionName is the place of what stands in the name of a session.
const sessionName = "the name of its session"

// mostPlaces is how many places of one exchange are named.
const mostPlaces = 3

// placesOf says where an exchange holds what is looked for; nothing when it does not.
func placesOf(x *harness.Exchange, q Query) ([]string, error) {
	if len(q.Texts) > 0 && within(x.Session, q.Texts) {
		return []string{sessionName}, nil
	}
	var places []string
	for _, half := range []struct {
		name string
		m    harness.Message
	}{{"request", x.Request}, {"response", x.Response}} {
		places = append(places, inHead(half.name, half.m.Head, q)...)
		found, err := inBody(half.name, half.m, q)
		if err != nil {
			return nil, fmt.Errorf("capture: search exchange %s: %w", x.ID, err)
		}
		places = append(places, found...)
	}
	return places[:min(len(places), mostPlaces)], nil
}

// inHead searches the fields of a head, escapes of URLs undone.
func inHead(half string, head harness.Head, q Query) (places []string) {
	for _, f := range head {
		texts := []string{f.Value}
		if plain, err := url.QueryUnescape(f.Value); err == nil && plain != f.Value {
			texts = append(texts, plain)
		}
		for _, text := range texts {
			named := q.Field != "" && (strings.EqualFold(f.Name, q.Field) && text == q.Value || f.Name == harness.FieldPath && inQuery(text, q))
			if named || within(text, q.Texts) {
				places = append(places, half+".head."+f.Name)
				break
			}
		}
	}
	return places
}

// inQuery reports whether a parameter of a target is the field with its value.
func inQuery(target string, q Query) bool {
	_, query, _ := strings.Cut(target, "?")
	values, err := url.ParseQuery(query)
	return err == nil && values.Has(q.Field) && values.Get(q.Field) == q.Value
}

// within reports whether a text holds one of the texts as a whole word: no letter or digit goes on at either end.
func within(text string, texts []string) bool {
	for _, want := range texts {
		for from := 0; ; {
			at := strings.Index(text[from:], want)
			if at < 0 {
				break
			}
			at += from
			before, _ := utf8.DecodeLastRuneInString(text[:at])
			after, _ := utf8.DecodeRuneInString(text[at+len(want):])
			if !wordRune(before) && !wordRune(after) {
				return true
			}
			from = at + 1
		}
	}
	return false
}

func wordRune(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }

// inBody searches a body. It is taken apart only when its bytes hold the value.
func inBody(half string, m harness.Message, q Query) ([]string, error) {
	if m.Body.Size() == 0 {
		return nil, nil
	}
	needles := q.Texts
	if q.Field != "" {
		needles = []string{q.Value}
	}
	if len(needles) == 0 {
		return nil, nil
	}
	if m.Body.Size() > mostSearched {
		return inStream(half, m, needles)
	}
	raw, err := m.Body.Bytes()
	if err != nil {
		return nil, err
	}
	plain, err := payload.Unpack(m.Head.Get("Content-Encoding"), raw)
	if err != nil {
		plain = raw // a damaged body is searched as it is
	}
	if !maybe(plain, needles) {
		return nil, nil
	}
	return inLeaves(half, payload.Parse(m.Media, m.Head.Get(harness.FieldName), plain), q), nil
}

// maybe reports whether a body can hold one of the texts: as it is, or in a spelling of its own.
func maybe(plain []byte, needles []string) bool {
	for _, n := range needles {
		if bytes.Contains(plain, []byte(n)) {
			return true
		}
	}
	return bytes.ContainsAny(plain, "\\%&?") || bytes.IndexByte(plain[:min(len(plain), 256)], 0) >= 0
}

// inLeaves names the leaves that hold the value.
func inLeaves(half string, doc *payload.Doc, q Query) (places []string) {
	for path, leaf := range doc.Root().Leaves() {
		if len(places) == mostPlaces {
			break
		}
		text := leaf.Text()
		if q.Field == "" && within(text, q.Texts) || q.Field != "" && text == q.Value && strings.EqualFold(path.Leaf(), q.Field) {
			places = append(places, half+".body"+rowOf(doc, path))
		}
	}
	return places
}

// rowOf is the path of a leaf; of a table and of a text also the line, as an editor counts.
func rowOf(doc *payload.Doc, path harness.Path) string {
	text := path.String()
	if !strings.HasPrefix(text, "[") && text != "" {
		text = "." + text
	}
	if len(path) == 0 {
		return text
	}
	switch row := path[0]; {
	case doc.Format == "csv" || doc.Format == "text" || doc.Format == "ndjson" || doc.Format == "fixed":
		line := 1 + bytes.Count(doc.Source[:doc.Root().Element(row.Index).Offset()], []byte{'\n'})
		return fmt.Sprintf("%s (line %d)", text, line)
	}
	return text
}

// inStream searches a large body without holding it, and names the line.
func inStream(half string, m harness.Message, needles []string) ([]string, error) {
	if encoding := m.Head.Get("Content-Encoding"); encoding != "" {
		return nil, nil // so much is not unpacked in memory
	}
	body, err := m.Body.Open()
	if err != nil {
		return nil, err
	}
	defer body.Close()
	const longestLine = 1 << 20
	r := bufio.NewReaderSize(body, longestLine)
	for line := 1; ; {
		piece, err := r.ReadSlice('\n')
		if within(string(piece), needles) {
			return []string{fmt.Sprintf("%s.body (line %d)", half, line)}, nil
		}
		switch {
		case err == nil:
			line++
		case errors.Is(err, io.EOF):
			return nil, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}

// numbers are indexes and lines in places.
var numbers = regexp.MustCompile(`\[\d+\]| \(line \d+\)$`)

// general is a place without the numbers of elements and lines.
func general(place string) string {
	return numbers.ReplaceAllStringFunc(place, func(s string) string {
		if s[0] == '[' {
			return "[*]"
		}
		return ""
	})
}
