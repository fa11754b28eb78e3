package correlate

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// code is how a span of a text spells another text.
type code struct {
	name   string
	decode func(raw string) (string, bool)
	encode func(text, was string) string // in the manner of what stood there
}

var (
	segmentCode = &code{"percent", unescapeSegment, escapeSegment}
	queryCode   = &code{"percent", unescapeQuery, escapeQuery}
	hexCode     = &code{"hex", unhex, func(text, was string) string {
		if strings.ToUpper(was) == was {
			return strings.ToUpper(hex.EncodeToString([]byte(text)))
		}
		return hex.EncodeToString([]byte(text))
	}}
)

func unescapeSegment(raw string) (string, bool) {
	if strings.IndexByte(raw, '%') < 0 {
		return raw, true
	}
	text, err := url.PathUnescape(raw)
	return text, err == nil
}

// inSegments and inQueries are the marks that may stand plain there, beside those that may everywhere (RFC 3986).
const (
	unreserved = "-._~"
	inSegments = "!$&'()*+,;=:@"
	inQueries  = "!$'()*,;:@/?="
)

func escapeSegment(text, was string) string { return escape(text, was, inSegments) }

func unescapeQuery(raw string) (string, bool) {
	if strings.IndexByte(raw, '%') < 0 && strings.IndexByte(raw, '+') < 0 {
		return raw, true
	}
	text, err := url.QueryUnescape(raw)
	return text, err == nil
}

func escapeQuery(text, was string) string { return escape(text, was, inQueries) }

// escape writes the text as what stood there was written: its marks stay plain and its hexadecimal digits small. Other
// marks are escaped, which is right everywhere.
func escape(text, was, allowed string) string {
	digits := "0123456789ABCDEF"
	if i := strings.IndexByte(was, '%'); i >= 0 && strings.ContainsAny(was[i+1:min(i+3, len(was))], "abcdef") {
		digits = "0123456789abcdef"
	}
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		switch {
		case c < 0x80 && isAlnum[c], strings.IndexByte(unreserved, c) >= 0, strings.IndexByte(allowed, c) >= 0 && strings.IndexByte(was, c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	return b.String()
}

// openTarget takes a request target apart: segments of the path and parameters of the query.
func openTarget(l *leaf) []*leaf {
	place := harness.PathOf()
	if l.name == harness.FieldPath {
		return splitTarget(l, true, place)
	}
	return splitTarget(l, false, place)
}

// splitTarget splits "/a/b?x=1". Of a request line the places are those of the message, such as request.segment[0].
func splitTarget(l *leaf, ofMessage bool, prefix harness.Path) []*leaf {
	l.split = true
	path, query, hasQuery := strings.Cut(l.text, "?")
	var leaves []*leaf
	count := strings.Count(path, "/")
	at, before := 0, ""
	for i, n := 0, 0; at <= len(path); i++ {
		end := len(path)
		if j := strings.IndexByte(path[at:], '/'); j >= 0 {
			end = at + j
		}
		if end > at {
			in := l.within(at, end, "segment["+strconv.Itoa(n)+"]", append(prefix[:len(prefix):len(prefix)], harness.Name("segment"), harness.Index(n))...)
			in.last, in.kind, in.before, in.name = "segment[-"+strconv.Itoa(count-i+1)+"]", inSegment, before, ""
			in.root = ofMessage
			if in.spelled(segmentCode) {
				before = in.text
				leaves = append(leaves, in)
			}
			n++
		}
		at = end + 1
	}
	if hasQuery {
		leaves = append(leaves, splitQuery(l, len(path)+1, len(path)+1+len(query), ofMessage, prefix)...)
	}
	return leaves
}

func splitQuery(l *leaf, from, to int, ofMessage bool, prefix harness.Path) (leaves []*leaf) {
	seen := map[string]int{}
	for at := from; at < to; {
		end := to
		if j := strings.IndexByte(l.text[at:to], '&'); j >= 0 {
			end = at + j
		}
		if eq := strings.IndexByte(l.text[at:end], '='); eq >= 0 && at+eq+1 < end {
			name, _ := unescapeQuery(l.text[at : at+eq])
			key := "query." + name
			if seen[name]++; seen[name] > 1 {
				key += "#" + strconv.Itoa(seen[name])
			}
			in := l.within(at+eq+1, end, key, append(prefix[:len(prefix):len(prefix)], harness.Name("query"), harness.Name(name))...)
			in.kind, in.name, in.root = inQuery, name, ofMessage
			if in.spelled(queryCode) {
				leaves = append(leaves, in)
			}
		}
		at = end + 1
	}
	return leaves
}

// spelled decodes the text of a leaf; it is false when it cannot be.
func (l *leaf) spelled(c *code) bool {
	text, ok := c.decode(l.text)
	l.code, l.text = c, text
	return ok
}

// openURL takes an absolute URL or a reference that begins with a slash apart. The target is a leaf of its own, because
// a client sends it as it is.
func openURL(l *leaf) []*leaf {
	rest, at := l.text, 0
	if i := strings.Index(l.text, "://"); i > 0 && i < 12 {
		at = i + len("://")
		slash := strings.IndexByte(l.text[at:], '/')
		if slash < 0 {
			return nil
		}
		at += slash
		rest = l.text[at:]
	}
	if len(rest) < 2 || rest[0] != '/' || strings.ContainsAny(rest, " \t\n\"<>{}") {
		return nil
	}
	end := len(l.text)
	if hash := strings.IndexByte(l.text[at:], '#'); hash >= 0 {
		end = at + hash
	}
	if at == 0 && end == len(l.text) {
		return splitTarget(l, false, harness.PathOf(harness.Name(":url")))
	}
	l.split = true
	target := l.within(at, end, ":url", harness.Name(":url"))
	return []*leaf{target}
}

// mayBeURL opens texts that look like URLs.
func mayBeURL(l *leaf) []*leaf {
	if l.parent != nil && l.key == ":url" {
		return splitTarget(l, false, nil)
	}
	if !strings.HasPrefix(l.text, "/") && !strings.HasPrefix(l.text, "http://") && !strings.HasPrefix(l.text, "https://") {
		return nil
	}
	return openURL(l)
}

// openLinks reads a Link field (RFC 8288): its URLs, by their relation.
func openLinks(l *leaf) (leaves []*leaf) {
	for at := 0; at < len(l.text); {
		open := strings.IndexByte(l.text[at:], '<')
		if open < 0 {
			break
		}
		open += at + 1
		end := strings.IndexByte(l.text[open:], '>')
		if end < 0 {
			break
		}
		end += open
		rest := l.text[end+1:]
		if next := strings.IndexByte(rest, '<'); next >= 0 {
			rest = rest[:next]
		}
		rel := relation(rest)
		l.split = true
		in := l.within(open, end, rel, harness.Name(rel))
		in.name = "link"
		leaves = append(leaves, in)
		at = end + 1
	}
	return leaves
}

// relation is the value of the rel parameter.
func relation(parameters string) string {
	for p := range strings.SplitSeq(parameters, ";") {
		name, v, _ := strings.Cut(strings.Trim(p, " ,"), "=")
		if strings.EqualFold(strings.TrimSpace(name), "rel") {
			return strings.Trim(v, `" `)
		}
	}
	return "link"
}

func openSetCookie(l *leaf) []*leaf {
	doc := payload.ParseSetCookie(l.text)
	name, v := doc.Root().Member("name"), doc.Root().Member("value")
	if name.IsZero() || v.IsZero() {
		return nil
	}
	l.split = true
	in := l.within(v.Offset(), v.Offset()+len(v.Raw()), name.Text(), harness.Name(name.Text()))
	in.kind, in.name = inCookie, name.Text()
	return []*leaf{in}
}

func openCookies(l *leaf) (leaves []*leaf) {
	l.split = true
	for c := range payload.ParseCookie(l.text).Root().Children() {
		if !c.IsScalar() || len(c.Raw()) == 0 {
			continue
		}
		in := l.within(c.Offset(), c.Offset()+len(c.Raw()), c.Name(), harness.Name(c.Name()))
		in.kind, in.name = inCookie, c.Name()
		leaves = append(leaves, in)
	}
	return leaves
}

// openAuthorization parts the scheme from the credentials. User and password of the basic scheme are a text in base64.
func openAuthorization(l *leaf) []*leaf {
	scheme, rest, ok := strings.Cut(l.text, " ")
	if !ok || rest == "" || strings.ContainsAny(rest, "=,") && strings.Contains(rest, "=\"") {
		return nil
	}
	l.split = true
	step := ":" + strings.ToLower(scheme)
	in := l.within(len(l.text)-len(rest), len(l.text), step, harness.Name(step))
	in.name = "authorization"
	return []*leaf{in}
}

// views are the ways in which a text may wrap others, in the order in which they are tried.
var views = []func(*leaf) []*leaf{mayBeURL, mayBeJWT, mayBeBase64, mayBeHex}

// mayBeJWT opens the claims of a token that an answer holds. A token of a request cannot be written anew without the key
// that signs it.
func mayBeJWT(l *leaf) (leaves []*leaf) {
	if l.side != "response" || strings.Count(l.text, ".") != 2 || !strings.HasPrefix(l.text, "ey") {
		return nil
	}
	jwt, err := payload.ParseJWT(l.text)
	if err != nil {
		return nil
	}
	for below, n := range jwt.Claims.Root().Leaves() {
		if n.Kind() != harness.KindString && n.Kind() != harness.KindNumber {
			continue
		}
		in := l.within(0, len(l.text), ":jwt.claims."+below.String(), append(harness.PathOf(harness.Name(":jwt"), harness.Name("claims")), below...)...)
		in.text, in.name, in.code = n.Text(), below.Leaf(), claimCode
		leaves = append(leaves, in)
	}
	return leaves
}

// claimCode marks texts that can be read and not be written.
var claimCode = &code{name: "jwt"}

// shortestWrapped is the fewest characters that are looked at as base64 or hexadecimal.
const shortestWrapped = 8

var base64Codes = []*code{
	base64Code(base64.StdEncoding.Strict()), base64Code(base64.URLEncoding.Strict()), base64Code(base64.RawStdEncoding.Strict()), base64Code(base64.RawURLEncoding.Strict()),
}

func base64Code(e *base64.Encoding) *code {
	return &code{"base64",
		func(raw string) (string, bool) {
			b, err := e.DecodeString(raw)
			return string(b), err == nil
		},
		func(text, _ string) string { return e.EncodeToString([]byte(text)) },
	}
}

func mayBeBase64(l *leaf) []*leaf {
	if len(l.text) < shortestWrapped || len(l.text) > maxValue || isDigits(l.text) {
		return nil
	}
	for i := range len(l.text) {
		if c := l.text[i]; c >= 0x80 || !isAlnum[c] && c != '+' && c != '/' && c != '-' && c != '_' && c != '=' {
			return nil
		}
	}
	for _, c := range base64Codes {
		text, ok := c.decode(l.text)
		if !ok || !isPrintable(text) {
			continue
		}
		in := l.within(0, len(l.text), ":base64", harness.Name(":base64"))
		in.code, in.text = c, text
		return []*leaf{in}
	}
	return nil
}

func unhex(raw string) (string, bool) {
	b, err := hex.DecodeString(raw)
	return string(b), err == nil
}

func mayBeHex(l *leaf) []*leaf {
	if len(l.text) < shortestWrapped || len(l.text)%2 != 0 || len(l.text) > maxValue || !isHex(l.text) {
		return nil
	}
	text, ok := unhex(l.text)
	if !ok || !isPrintable(text) {
		return nil
	}
	in := l.within(0, len(l.text), ":hex", harness.Name(":hex"))
	in.code, in.text = hexCode, text
	return []*leaf{in}
}

// isPrintable reports whether the text is of printable ASCII.
func isPrintable(s string) bool {
	for i := range len(s) {
		if (s[i] < ' ' || s[i] > '~') && s[i] != '\n' {
			return false
		}
	}
	return s != ""
}
