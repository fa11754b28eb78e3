package mock

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// splices are pieces of a JSON document that are replaced; every other byte stays.
type splices struct {
	source []byte
	list   []splice
}

type splice struct {
	from, to int
	with     []byte
}

// put replaces a value; within a value that is replaced already it does nothing.
func (s *splices) put(n payload.Node, with []byte) {
	from := n.Offset()
	s.add(splice{from, from + len(n.Raw()), with})
}

func (s *splices) add(p splice) {
	for _, q := range s.list {
		if p.from < q.to && q.from < p.to {
			return
		}
	}
	s.list = append(s.list, p)
}

// member appends a member to an object.
func (s *splices) member(object payload.Node, name string, value []byte) {
	at := object.Offset() + len(object.Raw()) - 1
	text := strconv.AppendQuote(nil, name)
	if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == '\\' || r > '~' }) {
		return // a name that would have to be escaped is nobody's field
	}
	text = append(append(text, ':'), value...)
	if object.Len() > 0 || s.appended(at) {
		text = append([]byte{','}, text...)
	}
	s.list = append(s.list, splice{at, at, text})
}

func (s *splices) appended(at int) bool {
	return slices.ContainsFunc(s.list, func(p splice) bool { return p.from == at && p.to == at })
}

// bytes is the document with everything put in.
func (s *splices) bytes() []byte {
	slices.SortStableFunc(s.list, func(a, b splice) int { return a.from - b.from })
	var out bytes.Buffer
	at := 0
	for _, p := range s.list {
		out.Write(s.source[at:p.from])
		out.Write(p.with)
		at = p.to
	}
	out.Write(s.source[at:])
	return out.Bytes()
}

// overlay puts the members of one object over those of another, objects within objects too. Members that are new are
// appended when grow is set.
func (s *splices) overlay(onto, from payload.Node, grow bool) {
	for member := range from.Children() {
		old := onto.Member(member.Name())
		switch {
		case old.IsZero():
			if grow {
				s.member(onto, member.Name(), member.Raw())
			}
		case old.Kind() == harness.KindObject && member.Kind() == harness.KindObject:
			s.overlay(old, member, grow)
		default:
			s.put(old, likewise(old, member))
		}
	}
}

// likewise spells a value as the recorded one: a number of a form is a text, and stays a number where one was recorded.
func likewise(old, value payload.Node) []byte {
	if value.Kind() == harness.KindString && old.Kind() != harness.KindString && old.IsScalar() {
		if doc, err := payload.ParseJSON([]byte(value.Text())); err == nil && doc.Root().Kind() == old.Kind() {
			return []byte(value.Text())
		}
	}
	return value.Raw()
}

// rename puts a new identifier, and other texts, wherever the old one is a whole text or a part of a URL or path.
func (s *splices) rename(root payload.Node, texts map[string]string) {
	for _, n := range root.Leaves() {
		if n.Kind() != harness.KindString && n.Kind() != harness.KindNumber {
			continue
		}
		if now := renamed(n.Text(), texts); now != n.Text() {
			if n.Kind() == harness.KindNumber {
				s.put(n, []byte(now))
			} else {
				s.put(n, quoted(now))
			}
		}
	}
}

func quoted(text string) []byte {
	doc, err := payload.ParseJSON([]byte(`""`))
	if err != nil {
		return nil
	}
	b, err := doc.Rewrite([]payload.Edit{{Node: doc.Root(), Text: text}})
	if err != nil {
		return nil
	}
	return b
}

// renamed replaces texts that are all of s, or stand in it between characters that are no part of an identifier, as in a
// URL.
func renamed(s string, texts map[string]string) string {
	if now, whole := texts[s]; whole {
		return now
	}
	if !strings.ContainsAny(s, "/=") {
		return s
	}
	for old, now := range texts {
		for at := 0; old != ""; {
			i := strings.Index(s[at:], old)
			if i < 0 {
				break
			}
			from, to := at+i, at+i+len(old)
			if at = to; (from == 0 || !isWordByte(s[from-1])) && (to == len(s) || !isWordByte(s[to])) {
				s = s[:from] + now + s[to:]
				at = from + len(now)
			}
		}
	}
	return s
}

func isWordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
}

// near is how far from its exchange a moment may lie that tells when something happened.
const near = 5 * time.Minute

// refresh puts the moment of now where the moment of the recorded exchange stood, in the same spelling: RFC 3339, or
// seconds or milliseconds since 1970.
func (s *splices) refresh(root payload.Node, recorded, now time.Time) {
	for _, n := range root.Leaves() {
		if text, ok := sameMoment(n.Text(), recorded, now); ok && n.IsScalar() {
			if n.Kind() == harness.KindString {
				s.put(n, quoted(text))
			} else if n.Kind() == harness.KindNumber {
				s.put(n, []byte(text))
			}
		}
	}
}

func sameMoment(text string, recorded, now time.Time) (string, bool) {
	isNear := func(t time.Time) bool { return t.Sub(recorded).Abs() <= near }
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil && isNear(t) {
		layout := "2006-01-02T15:04:05"
		if _, fraction, found := strings.Cut(text, "."); found {
			digits := len(fraction) - len(strings.TrimLeft(fraction, "0123456789"))
			layout += "." + strings.Repeat("0", digits)
		}
		return now.In(t.Location()).Format(layout + "Z07:00"), true
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		switch {
		case len(text) == 10 && isNear(time.Unix(n, 0)):
			return strconv.FormatInt(now.Unix(), 10), true
		case len(text) == 13 && isNear(time.UnixMilli(n)):
			return strconv.FormatInt(now.UnixMilli(), 10), true
		}
	}
	return "", false
}
