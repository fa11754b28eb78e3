package mock

import (
	"bytes"
	"net/http"
	"strings"
	"sync"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// echoes knows which values of a request the answers of an operation repeat, such as correlation ids.
type echoes struct {
	mu          sync.Mutex
	byOperation map[string]map[string]bool // places of the request, as text
}

// shortest is the least length of a value that an answer is said to repeat; shorter ones are the same by chance.
const shortest = 6

// sampled is how many exchanges of an operation are looked at.
const sampled = 64

// of are the places whose values the answers of the operation repeat. They are learned when the first call of it comes: a
// place counts when every recorded answer to a call that had it holds its value.
func (e *echoes) of(m *Mock, x *harness.Exchange) map[string]bool {
	operation := x.To + "\n" + x.Operation()
	e.mu.Lock()
	defer e.mu.Unlock()
	if known, ok := e.byOperation[operation]; ok {
		return known
	}
	if e.byOperation == nil {
		e.byOperation = map[string]map[string]bool{}
	}
	held := map[string]bool{}
	for _, i := range m.near().byOperation[operation] {
		learnEchoes(held, &m.exchanges[i])
	}
	for place, always := range held {
		if !always {
			delete(held, place)
		}
	}
	e.byOperation[operation] = held
	return held
}

func learnEchoes(held map[string]bool, x *harness.Exchange) {
	c, err := recordedCall(x.Request)
	if err != nil || x.Fault != nil {
		return
	}
	said := textsSaid(x)
	for _, p := range placesOf(c, x.Request.Head) {
		if len(p.text) < shortest || !strings.ContainsAny(p.text, "0123456789") {
			continue
		}
		at := p.path.Pattern().String()
		always, known := held[at]
		held[at] = said(p.text) && (always || !known)
	}
}

// textsSaid reports whether an answer holds a text as a field of its head, as a leaf of JSON, or between characters that are
// no part of it.
func textsSaid(x *harness.Exchange) func(string) bool {
	var all strings.Builder
	for _, f := range x.Response.Head {
		if !f.IsPseudo() {
			all.WriteString(f.Value + "\n")
		}
	}
	if body, err := x.Response.Body.Bytes(); err == nil && len(body) <= maxCompared {
		if encoding := x.Response.Head.Get("Content-Encoding"); encoding != "" {
			if plain, err := payload.Unpack(encoding, body); err == nil {
				body = plain
			}
		}
		all.Write(body)
	}
	text := all.String()
	return func(s string) bool { return indexWord(text, s, 0) >= 0 }
}

// indexWord finds a text that does not stand within a longer word.
func indexWord(s, word string, from int) int {
	for from <= len(s) {
		i := strings.Index(s[from:], word)
		if i < 0 {
			return -1
		}
		i += from
		end := i + len(word)
		if (i == 0 || !isWordByte(s[i-1])) && (end == len(s) || !isWordByte(s[end])) {
			return i
		}
		from = i + 1
	}
	return -1
}

// echoed are the recorded values that the answer repeats, with those of the live call in their place. A value that
// scrubbing makes equal to the recorded one is no other value.
func (m *Mock) echoed(x *harness.Exchange, c call, r *http.Request, body []byte) map[string]string {
	places := m.echo.of(m, x)
	if len(places) == 0 {
		return nil
	}
	recorded, err := recordedCall(x.Request)
	if err != nil {
		return nil
	}
	raw := newCall(r.Method, requestTarget(r), func(name string) []string { return r.Header.Values(name) }, body)
	live, scrubbed := textsAt(placesOf(raw, headOf(r))), textsAt(placesOf(c, headOf(r)))
	var texts map[string]string
	for _, p := range placesOf(recorded, x.Request.Head) {
		at := p.path.String()
		now := live[at]
		if !places[p.path.Pattern().String()] || len(p.text) < shortest || now == "" || now == p.text || scrubbed[at] == p.text {
			continue
		}
		if texts == nil {
			texts = map[string]string{}
		}
		texts[p.text] = now
	}
	return texts
}

func textsAt(list []placed) map[string]string {
	texts := make(map[string]string, len(list))
	for _, p := range list {
		if at := p.path.String(); texts[at] == "" {
			texts[at] = p.text
		}
	}
	return texts
}

// with is the exchange with other texts in its answer; the exchange itself where nothing changes. An encoded body stays
// encoded, and one that is no text as it is.
func with(x *harness.Exchange, texts map[string]string) *harness.Exchange {
	changed := *x
	changed.Response = messageWith(x.Response, texts)
	return &changed
}

func messageWith(m harness.Message, texts map[string]string) harness.Message {
	head := make(harness.Head, len(m.Head))
	for i, f := range m.Head {
		if !f.IsPseudo() {
			f.Value = replacedWords(f.Value, texts)
		}
		head[i] = f
	}
	m.Head = head
	if m.Body.Size() == 0 || m.Body.Size() > maxCompared {
		return m
	}
	body, err := m.Body.Bytes()
	if err != nil {
		return m // whoever sends it says so
	}
	encoding := m.Head.Get("Content-Encoding")
	plain, err := payload.Unpack(encoding, body)
	if err != nil || bytes.IndexByte(plain, 0) >= 0 {
		return m
	}
	now := bodyWith(plain, texts)
	if bytes.Equal(now, plain) {
		return m
	}
	if packed, err := payload.Pack(encoding, now); err == nil {
		m.Body = harness.BytesBody(packed)
	}
	return m
}

// bodyWith puts texts into a body: into the leaves of JSON, so that they are escaped there, else wherever they are words.
func bodyWith(body []byte, texts map[string]string) []byte {
	if doc, err := payload.ParseJSON(body); err == nil {
		s := &splices{source: body}
		for _, n := range doc.Root().Leaves() {
			if now := replacedWords(n.Text(), texts); n.IsScalar() && now != n.Text() {
				s.put(n, spelled(n, now))
			}
		}
		return s.bytes()
	}
	return []byte(replacedWords(string(body), texts))
}

// spelled is a text as a value of JSON; what was a number stays one where it can.
func spelled(n payload.Node, text string) []byte {
	if n.Kind() == harness.KindNumber {
		if doc, err := payload.ParseJSON([]byte(text)); err == nil && doc.Root().Kind() == harness.KindNumber {
			return []byte(text)
		}
	}
	return quoted(text)
}

func replacedWords(s string, texts map[string]string) string {
	for old, now := range texts {
		for i := indexWord(s, old, 0); i >= 0; i = indexWord(s, old, i+len(now)) {
			s = s[:i] + now + s[i+len(old):]
		}
	}
	return s
}
