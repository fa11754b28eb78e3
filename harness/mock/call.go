package mock

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// call is a request in the form in which it is compared.
type call struct {
	method, target string // as sent
	segments       []string
	query          []pair // decoded, sorted by name; values of a name keep their order
	contentType    string
	header         func(name string) []string
	body           []byte // content encoding removed, where it could be
}

type pair struct{ name, value string }

// newCall normalizes a request. The target may be in origin form or absolute.
func newCall(method, target string, header func(string) []string, body []byte) call {
	c := call{method: method, target: target, header: header, body: body}
	path, query, _ := strings.Cut(originForm(target), "?")
	c.segments = segmentsOf(path)
	c.query = pairsOf(query)
	if values := header("Content-Type"); len(values) > 0 {
		c.contentType = values[0]
	}
	if encoding := header("Content-Encoding"); len(encoding) > 0 && len(body) > 0 {
		if plain, err := payload.Unpack(strings.Join(encoding, ","), body); err == nil {
			c.body = plain
		}
	}
	return c
}

// recordedCall normalizes a recorded request.
func recordedCall(m harness.Message) (call, error) {
	body, err := m.Body.Bytes()
	if err != nil {
		return call{}, fmt.Errorf("read request: %w", err)
	}
	c := newCall(m.Head.Get(harness.FieldMethod), m.Head.Get(harness.FieldPath), m.Head.Values, body)
	if c.contentType == "" {
		c.contentType = m.Media
	}
	return c, nil
}

func originForm(target string) string {
	if _, rest, absolute := strings.Cut(target, "://"); absolute && !strings.HasPrefix(target, "/") {
		if i := strings.IndexAny(rest, "/?"); i >= 0 {
			return rest[i:]
		}
		return "/"
	}
	return target
}

// requestTarget is path and query of a live request, on the server's and on the client's side.
func requestTarget(r *http.Request) string {
	if r.RequestURI != "" {
		return r.RequestURI
	}
	return r.URL.RequestURI()
}

// segmentsOf decodes the segments of a path one by one, so that an escaped slash stays inside its segment. The leading
// slash begins no segment: "/a/" has the segments "a" and "".
func segmentsOf(path string) []string {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if strings.IndexByte(path, '%') < 0 {
		return segments
	}
	for i, s := range segments {
		if decoded, err := url.PathUnescape(s); err == nil {
			segments[i] = decoded
		}
	}
	return segments
}

// pairsOf reads a query or a form: decoded and sorted by name. What cannot be decoded stays as it is.
func pairsOf(s string) []pair {
	if s == "" {
		return nil
	}
	pairs := make([]pair, 0, strings.Count(s, "&")+1)
	for part := range strings.SplitSeq(s, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		pairs = append(pairs, pair{unescape(name), unescape(value)})
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return strings.Compare(a.name, b.name) })
	return pairs
}

func unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s
	}
	if decoded, err := url.QueryUnescape(s); err == nil {
		return decoded
	}
	return s
}

// headOf is the head of a live request. The order of its fields is not known any more; they are sorted by name.
func headOf(r *http.Request) harness.Head {
	head := harness.Head{
		{Name: harness.FieldMethod, Value: r.Method},
		{Name: harness.FieldPath, Value: requestTarget(r)},
		{Name: harness.FieldProto, Value: r.Proto},
	}
	if r.Host != "" {
		head = append(head, harness.Field{Name: "Host", Value: r.Host})
	}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, v := range r.Header[name] {
			head = append(head, harness.Field{Name: name, Value: v})
		}
	}
	return head
}

func mediaOf(contentType string) string {
	media, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(media))
}
