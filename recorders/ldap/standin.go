package ldap

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
	"github.com/rehearse-dev/rehearse/recorders/internal/listening"
)

// codeOther is what a stand-in answers to an operation that was never recorded (RFC 4511 appendix A).
const codeOther = 80

// StandIn answers the operations of clients as a directory answered them when they were recorded: the result of an equal
// operation, and in their order where there are several; behind the last one the last one again. Operations are equal when
// their words are: limits, controls and the order of attributes that are asked for do not count, nor does the letter case of
// names. A bind succeeds or fails as recorded, with any password, because none was recorded. What was never recorded gets
// the result 80 (other) with the closest recorded operation in its diagnostic.
//
// It is safe for concurrent use once it listens. Memory: the recorded answers.
type StandIn struct {
	Secure *tls.Config // with which clients may speak TLS; nil: they cannot

	// Scrub does to a live operation what was done to the recorded ones; nil: nothing.
	Scrub func(harness.Exchange) (harness.Exchange, error)

	system   string
	recorded []*sequence
	by       map[string]*sequence

	server listening.Server

	mu     sync.Mutex
	served int
	misses []string
}

// sequence is the recorded answers to equal operations.
type sequence struct {
	asks    []string // the operation, word by word
	answers []harness.Exchange
	next    int
}

// NewStandIn reads the operations on a system. A recording without any is no error: see [StandIn.Len].
func NewStandIn(rec harness.Recording, system string) (*StandIn, error) {
	s := &StandIn{system: system, by: map[string]*sequence{}}
	for x, err := range rec.Exchanges() {
		if err != nil {
			return nil, fmt.Errorf("read recording: %w", err)
		}
		if x.Channel != harness.ChannelDirectory || x.To != system || x.Fault != nil {
			continue
		}
		asks, err := wordsOf(x.Request)
		if err != nil {
			return nil, fmt.Errorf("read exchange %s: %w", x.ID, err)
		}
		key := strings.Join(asks, "\n")
		if s.by[key] == nil {
			s.by[key] = &sequence{asks: asks}
			s.recorded = append(s.recorded, s.by[key])
		}
		s.by[key].answers = append(s.by[key].answers, x)
	}
	return s, nil
}

// Len is the number of different operations that are answered.
func (s *StandIn) Len() int { return len(s.recorded) }

// notCompared are the fields of an operation that depend on the client's library.
var notCompared = map[string]bool{"deref": true, "size-limit": true, "time-limit": true, "types-only": true, "control": true, "version": true}

// wordsOf is what counts of an operation.
func wordsOf(m harness.Message) ([]string, error) {
	body, err := m.Body.Bytes()
	if err != nil {
		return nil, err
	}
	words, attributes := make([]string, 0, len(m.Head)+1), []string(nil)
	for _, f := range m.Head {
		switch {
		case notCompared[f.Name]:
		case f.Name == "attribute":
			attributes = append(attributes, strings.ToLower(f.Value))
		default:
			words = append(words, f.Name+" "+strings.ToLower(f.Value))
		}
	}
	slices.Sort(attributes)
	if len(attributes) > 0 {
		words = append(words, "attributes "+strings.Join(attributes, " "))
	}
	if len(body) > 0 {
		words = append(words, "body "+string(body))
	}
	return words, nil
}

// Listen begins to listen on an address such as 127.0.0.1:3389.
func (s *StandIn) Listen(address string) (net.Addr, error) {
	return s.server.Listen(address, "stand in for "+s.system, "choose another address")
}

// Serve answers until the context is done, and returns when every connection has ended.
func (s *StandIn) Serve(ctx context.Context) error {
	s.server.Serve(ctx, func(conn net.Conn, _ int) { s.talk(ctx, conn) })
	return nil
}

// talk answers one client until it goes away or says what is not LDAP.
func (s *StandIn) talk(ctx context.Context, conn net.Conn) {
	c := &client{Conn: conn}
	r := &relay{from: conn, to: io.Discard, most: DefaultMaxBody}
	if r.fill() != nil {
		return
	}
	if r.ahead[0] == firstTLS && s.Secure != nil {
		if c.secure(ctx, s.Secure, nil, r.ahead) != nil {
			return
		}
		r = &relay{from: c.Conn, to: io.Discard, most: DefaultMaxBody}
	}
	for {
		var frame []byte
		err := r.next(func(b []byte, _ int) bool {
			frame = slices.Clone(b)
			return false
		})
		if err != nil {
			return
		}
		if id, wanted := wantsTLS(frame); wanted {
			if r, err = s.startTLS(ctx, c, r, id); err != nil {
				return
			}
			continue
		}
		answer, err := s.answer(frame)
		if err != nil {
			return
		}
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}

func (s *StandIn) startTLS(ctx context.Context, c *client, r *relay, id int) (*relay, error) {
	if s.Secure == nil {
		_, err := c.Write(tlsAnswer(id, codeUnavailable, "this stand-in speaks no TLS: start it with --tls"))
		return r, err
	}
	if err := c.secure(ctx, s.Secure, tlsAnswer(id, codeSuccess, ""), r.ahead); err != nil {
		return r, err
	}
	return &relay{from: c.Conn, to: io.Discard, most: r.most}, nil
}

// errUnbound is how a client says that it goes.
var errUnbound = errors.New("the client unbinds")

// answer is every message that answers one of a client; none where it wants none.
func (s *StandIn) answer(frame []byte) ([]byte, error) {
	m, err := parse(frame)
	switch {
	case err != nil:
		return nil, err
	case m.op.tag == opUnbind:
		return nil, errUnbound
	case m.op.tag == opAbandon:
		return nil, nil
	}
	op := operationOf(m.op.tag)
	if op == nil {
		return nil, fmt.Errorf("operation %#x: %w", m.op.tag, errForm)
	}
	q, err := readRequest(op, m)
	if err != nil {
		return nil, err
	}
	x, found, why := s.due(harness.Message{Head: q.head, Body: harness.BytesBody(q.body)})
	if !found {
		return messageOf(m.id, packResult(op.result, harness.Head{{Name: harness.FieldStatus, Value: strconv.Itoa(codeOther)}, {Name: "diagnostic", Value: why}}, nil)), nil
	}
	body, err := x.Response.Body.Bytes()
	if err != nil {
		return nil, err
	}
	return packAnswer(m.id, op, x.Response.Head, body)
}

// due is the recorded exchange whose answer comes next, or what is closest to it.
func (s *StandIn) due(request harness.Message) (x harness.Exchange, found bool, why string) {
	if s.Scrub != nil {
		scrubbed, err := s.Scrub(harness.Exchange{Channel: harness.ChannelDirectory, To: s.system, Request: request})
		if err != nil {
			return x, false, s.miss("scrub the operation: " + err.Error())
		}
		request = scrubbed.Request
	}
	asks, err := wordsOf(request)
	if err != nil {
		return x, false, s.miss(err.Error())
	}
	s.mu.Lock()
	q := s.by[strings.Join(asks, "\n")]
	if q != nil {
		x = q.answers[min(q.next, len(q.answers)-1)]
		q.next++
		s.served++
	}
	s.mu.Unlock()
	if q == nil {
		return x, false, s.miss(s.closest(asks))
	}
	return x, true, ""
}

func (s *StandIn) miss(why string) string {
	const most = 1000
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.misses) < most {
		s.misses = append(s.misses, why)
	}
	return "rehearse: " + why
}

// closest says which recorded operation is most alike, and in which words it differs.
func (s *StandIn) closest(asks []string) string {
	const looked = 1000
	best, id := []string(nil), ""
	for _, q := range s.recorded[:min(len(s.recorded), looked)] {
		if q.asks[0] != asks[0] {
			continue
		}
		if d := differing(q.asks, asks); best == nil || len(d) < len(best) {
			best, id = d, q.answers[0].ID
		}
	}
	operation := strings.TrimPrefix(asks[0], ":method ")
	if best == nil {
		return fmt.Sprintf("no operation %s was recorded", strings.ToUpper(operation))
	}
	return fmt.Sprintf("no recorded answer to %s %s: the closest, exchange %s; %s",
		strings.ToUpper(operation), strings.TrimPrefix(asks[1], ":path "), id, strings.Join(best, "; "))
}

func differing(recorded, asks []string) (list []string) {
	for _, w := range recorded {
		if !slices.Contains(asks, w) {
			list = append(list, "recorded "+strconv.Quote(w))
		}
	}
	for _, w := range asks {
		if !slices.Contains(recorded, w) {
			list = append(list, "asked "+strconv.Quote(w))
		}
	}
	return list
}

// Account is how many operations were answered, the reasons why others were not, and which recorded ones nobody asked for.
func (s *StandIn) Account() (served int, misses, unused []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range s.recorded {
		for _, x := range q.answers[min(q.next, len(q.answers)):] {
			unused = append(unused, x.ID+" "+x.Operation())
		}
	}
	return s.served, slices.Clone(s.misses), unused
}

func messageOf(id int, op []byte) []byte { return pack(tagSequence, packNumber(tagInteger, id), op) }

// packAnswer is a recorded answer as messages.
func packAnswer(id int, op *operation, head harness.Head, body []byte) ([]byte, error) {
	var out, value []byte
	if len(body) > 0 {
		doc, err := payload.ParseJSON(body)
		if err != nil {
			return nil, fmt.Errorf("read a recorded answer: %w", err)
		}
		if op.tag == opSearch {
			for entry := range doc.Root().Children() {
				out = append(out, messageOf(id, packEntry(entry))...)
			}
		} else if v := doc.Root().Member("value"); !v.IsZero() {
			value = valueOf(v)
		}
	}
	return append(out, messageOf(id, packResult(op.result, head, value))...), nil
}

// packEntry is an entry or a reference of a search.
func packEntry(n payload.Node) []byte {
	if list := n.Member("reference"); !list.IsZero() && n.Member("dn").IsZero() {
		return pack(opReference, packValues(list))
	}
	var attributes []byte
	for a := range n.Children() {
		if a.Name() != "dn" {
			attributes = append(attributes, pack(tagSequence, pack(tagOctets, []byte(a.Name())), pack(tagSet, packValues(a)))...)
		}
	}
	return pack(opEntry, pack(tagOctets, []byte(n.Member("dn").Text())), pack(tagSequence, attributes))
}

func packValues(list payload.Node) (out []byte) {
	for v := range list.Children() {
		if v.Member("withheld").IsZero() { // a password was never recorded: the attribute has no value
			out = append(out, pack(tagOctets, valueOf(v))...)
		}
	}
	return out
}

func valueOf(v payload.Node) []byte {
	if coded := v.Member("base64"); !coded.IsZero() {
		if raw, err := base64.StdEncoding.DecodeString(coded.Text()); err == nil {
			return raw
		}
	}
	return []byte(v.Text())
}

// packResult is an LDAPResult.
func packResult(tag byte, head harness.Head, value []byte) []byte {
	code, err := strconv.Atoi(head.Get(harness.FieldStatus))
	if err != nil || code < 0 {
		code = codeOther
	}
	parts := [][]byte{packNumber(tagEnumerated, code), pack(tagOctets, []byte(head.Get("matched-dn"))), pack(tagOctets, []byte(head.Get("diagnostic")))}
	if urls := head.Values("referral"); len(urls) > 0 {
		var list []byte
		for _, u := range urls {
			list = append(list, pack(tagOctets, []byte(u))...)
		}
		parts = append(parts, pack(tagReferral, list))
	}
	if name := head.Get("name"); name != "" && tag == resultExtended {
		parts = append(parts, pack(tagResponseName, []byte(name)))
	}
	if value != nil && tag == resultExtended {
		parts = append(parts, pack(tagResponseValue, value))
	}
	return pack(tag, parts...)
}
