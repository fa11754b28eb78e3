package mock

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// key identifies a normalized request.
type key [sha256.Size]byte

// matcher knows what of a request takes part in matching.
type matcher struct {
	headers []string
	ignore  []harness.Path
	sets    []harness.Path // arrays whose order does not count
}

var (
	queryPlace   = harness.PathOf(harness.Name("request"), harness.Name("query"))
	segmentPlace = harness.PathOf(harness.Name("request"), harness.Name("segment"))
	headPlace    = harness.PathOf(harness.Name("request"), harness.Name("head"))
	bodyPlace    = harness.PathOf(harness.Name("request"), harness.Name("body"))
)

func newMatcher(headers []string, ignore []harness.Path) (matcher, error) {
	for _, p := range ignore {
		if err := p.CheckPlace(); err != nil {
			return matcher{}, fmt.Errorf("ignore: %w", err)
		}
		if len(p) == 0 || p[0].Kind != harness.StepDeep && (p[0].Kind != harness.StepName || p[0].Name != "request" || len(p) < 2) {
			return matcher{}, fmt.Errorf("ignore %s: not a place of the request", p)
		}
	}
	m := matcher{ignore: ignore}
	for _, name := range headers {
		if !m.ignores(headPlace.Child(harness.Name(name))) {
			m.headers = append(m.headers, name)
		}
	}
	slices.SortFunc(m.headers, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return m, nil
}

func (m matcher) ignores(place harness.Path) bool {
	for _, p := range m.ignore {
		if p.Match(place) {
			return true
		}
	}
	return false
}

// key hashes the parts of a call, each with its length, so that no two calls run into each other.
func (m matcher) key(c call) key {
	buf := make([]byte, 0, 512)
	buf = appendPart(buf, 'm', c.method)
	for i, s := range c.segments {
		if len(m.ignore) > 0 && m.ignores(segmentPlace.Child(harness.Index(i))) {
			s = "*"
		}
		buf = appendPart(buf, '/', s)
	}
	buf = m.appendPairs(buf, '?', queryPlace, c.query)
	for _, name := range m.headers {
		buf = appendPart(buf, 'h', strings.ToLower(name))
		for _, v := range c.header(name) {
			buf = appendPart(buf, ':', v)
		}
	}
	return sha256.Sum256(m.appendBody(buf, c))
}

func appendPart(buf []byte, tag byte, s string) []byte {
	buf = binary.AppendUvarint(append(buf, tag), uint64(len(s)))
	return append(buf, s...)
}

func (m matcher) appendPairs(buf []byte, tag byte, place harness.Path, pairs []pair) []byte {
	for _, p := range pairs {
		if len(m.ignore) > 0 && m.ignores(place.Child(harness.Name(p.name))) {
			continue
		}
		buf = appendPart(appendPart(buf, tag, p.name), '=', p.value)
	}
	return buf
}

const formMedia = "application/x-www-form-urlencoded"

// appendBody writes the body in its canonical form: JSON without white space and member order, a form and the parts
// of a multipart body sorted by name, without their boundary, everything else as it is.
func (m matcher) appendBody(buf []byte, c call) []byte {
	if len(c.body) == 0 || len(m.ignore) > 0 && m.ignores(bodyPlace) {
		return buf
	}
	if doc := jsonOf(c); doc != nil {
		return m.appendJSON(append(buf, 'j'), doc.Root(), bodyPlace)
	}
	switch media := mediaOf(c.contentType); {
	case media == formMedia:
		return m.appendPairs(append(buf, 'f'), '&', bodyPlace, pairsOf(string(c.body)))
	case strings.HasPrefix(media, "multipart/"):
		if parts, ok := partsOf(c); ok {
			return m.appendPairs(append(buf, 'p'), '&', bodyPlace, parts)
		}
	}
	return appendPart(buf, 'b', string(c.body))
}

// jsonOf reads a body that is JSON, whatever its media type says; nil when it is not.
func jsonOf(c call) *payload.Doc {
	trimmed := bytes.TrimLeft(c.body, " \t\r\n")
	looks := len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[')
	if media := mediaOf(c.contentType); !looks && media != "application/json" && !strings.HasSuffix(media, "+json") {
		return nil
	}
	doc, err := payload.ParseJSON(c.body)
	if err != nil {
		return nil
	}
	return doc
}

// appendJSON writes a value: members sorted by name with duplicates in their order, numbers with the digits as written,
// texts decoded. Depth is bounded by the parser.
func (m matcher) appendJSON(buf []byte, n payload.Node, place harness.Path) []byte {
	if n.IsScalar() {
		return appendPart(buf, string(n.Kind())[0], n.Text())
	}
	watch := len(m.ignore) > 0 || len(m.sets) > 0
	if n.Kind() == harness.KindArray {
		return append(m.appendElements(append(buf, '['), n, place, watch), ']')
	}
	type named struct {
		name  string
		value payload.Node
	}
	members := make([]named, 0, n.Len())
	for child := range n.Children() {
		members = append(members, named{child.Name(), child})
	}
	slices.SortStableFunc(members, func(a, b named) int { return strings.Compare(a.name, b.name) })
	buf = append(buf, '{')
	for _, member := range members {
		at := place
		if watch {
			if at = place.Child(harness.Name(member.name)); m.ignores(at) {
				continue
			}
		}
		buf = m.appendJSON(appendPart(buf, 'k', member.name), member.value, at)
	}
	return append(buf, '}')
}

// appendElements writes the elements of an array, sorted when it is a set.
func (m matcher) appendElements(buf []byte, n payload.Node, place harness.Path, watch bool) []byte {
	isSet := slices.ContainsFunc(m.sets, func(p harness.Path) bool { return p.Match(place) })
	var elements [][]byte
	i := 0
	for child := range n.Children() {
		at := place
		if watch {
			at = place.Child(harness.Index(i))
		}
		i++
		switch {
		case watch && m.ignores(at):
		case isSet:
			elements = append(elements, m.appendJSON(nil, child, at))
		default:
			buf = m.appendJSON(buf, child, at)
		}
	}
	slices.SortFunc(elements, bytes.Compare)
	return append(buf, bytes.Join(elements, nil)...)
}

// maxParts bounds a multipart body.
const maxParts = 1000

// partsOf reads a multipart body as pairs, sorted by name like those of a form: the name of a part, and its head and
// content. Parts without names keep their order. Not ok when it is damaged.
func partsOf(c call) ([]pair, bool) {
	_, params, err := mime.ParseMediaType(c.contentType)
	if err != nil || params["boundary"] == "" {
		return nil, false
	}
	r := multipart.NewReader(bytes.NewReader(c.body), params["boundary"])
	var pairs []pair
	for range maxParts {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			slices.SortStableFunc(pairs, func(a, b pair) int { return strings.Compare(a.name, b.name) })
			return pairs, true
		}
		if err != nil {
			return nil, false
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return nil, false
		}
		head := part.Header.Get("Content-Type") + "\n" + part.FileName() + "\n" + part.Header.Get("Content-Transfer-Encoding") + "\n"
		pairs = append(pairs, pair{part.FormName(), head + string(content)})
	}
	return nil, false
}
