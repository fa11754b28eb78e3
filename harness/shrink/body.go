package shrink

import (
	"bytes"
	"context"
	"fmt"
	"strconv"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// parse reads a body without its content encoding, and names its format. A text in an encoding other than UTF-8 has no
// format of which parts could be cut: its bytes are not those that were read.
func parse(m harness.Message) (doc *payload.Doc, format string, err error) {
	raw, err := m.Body.Bytes()
	if err != nil {
		return nil, "", fmt.Errorf("read body: %w", err)
	}
	plain, err := payload.Unpack(m.Head.Get("Content-Encoding"), raw)
	if err != nil {
		return nil, "", fmt.Errorf("unpack body: %w", err)
	}
	f := payload.FormatOf(m.Media, m.Head.Get(harness.FieldName), plain)
	doc, err = f.Parse(plain)
	if err != nil {
		return nil, "", err
	}
	if !bytes.Equal(doc.Source, plain) {
		return doc, "", nil
	}
	return doc, f.Name, nil
}

// withBody is the message with another body, in the same content encoding.
func withBody(m harness.Message, plain []byte) (harness.Message, error) {
	packed, err := payload.Pack(m.Head.Get("Content-Encoding"), plain)
	if err != nil {
		return m, fmt.Errorf("pack body: %w", err)
	}
	m.Body = harness.BytesBody(packed)
	if m.Head.Has("Content-Length") {
		m.Head = m.Head.With("Content-Length", strconv.Itoa(len(packed)))
	}
	return m, nil
}

// half is one message of an exchange.
type half struct {
	exchange int  // index
	answer   bool // the response, else the request
}

func (h half) of(list []harness.Exchange) *harness.Message {
	if h.answer {
		return &list[h.exchange].Response
	}
	return &list[h.exchange].Request
}

// body shrinks the body of one message: containers from the outside to the inside, then texts.
func (s *search) body(ctx context.Context, h half) error {
	doc, format, err := parse(*h.of(s.best))
	if err != nil {
		return nil //nolint:nilerr // a body that is not of its format stays as it is
	}
	for at := 0; ; at++ {
		lists := listsOf(format, doc)
		if at >= len(lists) {
			break
		}
		l, was := lists[at], doc
		kept, err := ddmin(l.n, func(candidates [][]int) (int, error) {
			return s.firstBody(ctx, h, len(candidates), func(c int) ([]byte, bool) {
				if l.stays && len(candidates[c]) == 0 {
					return nil, false
				}
				return mend(format, was, l.keep(was.Source, candidates[c])), true
			})
		})
		if err != nil {
			return err
		}
		if len(kept) == 0 && !l.stays {
			at-- // the container has gone from the lists
		}
		if doc, _, err = parse(*h.of(s.best)); err != nil {
			return err
		}
	}
	return s.texts(ctx, h, doc)
}

// firstBody tests other bodies of one message. One that the format cannot spell is no candidate.
func (s *search) firstBody(ctx context.Context, h half, n int, bodyAt func(int) (plain []byte, ok bool)) (int, error) {
	best := s.best
	return s.first(ctx, n, func(c int) (candidate, error) {
		plain, ok := bodyAt(c)
		if !ok {
			return nil, nil
		}
		list := append(candidate(nil), best...)
		m, err := withBody(*h.of(list), plain)
		*h.of(list) = m
		return list, err
	})
}

// texts shortens each text of the body: to nothing when that still fails, else from both ends.
func (s *search) texts(ctx context.Context, h half, doc *payload.Doc) error {
	for at := 0; ; at++ {
		leaf, ok := textAt(doc, at)
		if !ok {
			return nil
		}
		if err := s.text(ctx, h, doc, leaf); err != nil {
			return err
		}
		var err error
		if doc, _, err = parse(*h.of(s.best)); err != nil {
			return err
		}
	}
}

// textAt is the text of that number.
func textAt(doc *payload.Doc, at int) (payload.Node, bool) {
	for _, leaf := range doc.Root().Leaves() {
		if leaf.Kind() != harness.KindString {
			continue
		}
		if at == 0 {
			return leaf, true
		}
		at--
	}
	return payload.Node{}, false
}

// cuts are the ends that a text can lose.
var cuts = []func(text []rune, n int) []rune{
	func(t []rune, n int) []rune { return t[n:] },
	func(t []rune, n int) []rune { return t[:len(t)-n] },
}

func (s *search) text(ctx context.Context, h half, doc *payload.Doc, leaf payload.Node) error {
	try := func(text []rune) (bool, error) {
		at, err := s.firstBody(ctx, h, 1, func(int) ([]byte, bool) {
			plain, err := doc.Rewrite([]payload.Edit{{Node: leaf, Text: string(text)}})
			return plain, err == nil
		})
		return at == 0, err
	}
	text := []rune(leaf.Text())
	if len(text) == 0 {
		return nil
	}
	if ok, err := try(nil); ok || err != nil {
		return err
	}
	for _, cut := range cuts {
		for n := len(text) / 2; n > 0; {
			ok, err := try(cut(text, n))
			if err != nil {
				return err
			}
			if ok {
				text = cut(text, n)
				n = min(n, len(text)/2)
				continue
			}
			n /= 2
		}
	}
	return nil
}
