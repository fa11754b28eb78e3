// Package mock answers HTTP calls from a recording.
//
// A call is looked up by its normalized request: method, path, query, chosen header fields and body, each in a canonical
// form, hashed to one key. The cost of a lookup does not depend on how many exchanges are recorded. One [Mock] stands for all
// systems of a recording: a call under the host name of one of them is answered by that one, a call under any other name,
// such as the address that the mock listens on, by whichever recorded it.
//
// The same call may have been answered differently in the course of a session. Each session has a cursor for each key and
// gets the recorded answers in their order, see [harness.Timeline]; a call without session, or of a session that never made this call, moves one
// cursor that all such calls share. The session is the header field [SessionField]. With [Options.StateBy] each customer,
// token or whatever the keys read has cursors of its own. A cursor moves once for each call, however many come at a time.
// Behind the last recorded answer the last one is repeated and counted, see [Repeat].
//
// An answer is what crossed: status, fields, and body bytes with their content encoding. What net/http decides is
// the order of fields (sorted by name), chunking, and that 204 and 304 carry no Content-Length; 304 carries no
// Content-Type either. A recorded Date stays, nothing is added. Content-Length is the size of the recorded body.
//
// A recorded fault is acted out: what was recorded of the answer is sent and the connection is aborted. An unreachable
// upstream has no answer, so the connection ends before the first byte, which clients treat like a refused one. A timeout
// holds the connection until the client gives up, at most as long as the recorded call took.
//
// A call that was never recorded is a failure: status 501 with an explanation, see [Miss]. Nothing else happens unless
// [Options] ask for it: answers that are made after recorded ones, faults, calls back and live systems are each marked in
// the answer or listed, and counted apart.
//
// Memory: heads and keys of all exchanges; bodies stay where the recording keeps them. A Mock is safe for concurrent use.
package mock

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/sign"
)

// SessionField is the request header field that says which session a call belongs to.
const SessionField = "X-Rehearse-Session"

// Repeat says what happens to a call behind the last recorded answer.
type Repeat string

// Ways to repeat.
const (
	RepeatLast  Repeat = ""      // the last answer again; counted in Counts.Repeated
	RepeatNever Repeat = "never" // a miss
)

// Options of a Mock. The zero value answers calls to every system by method, path, query and body.
type Options struct {
	Systems []string // exchanges to these systems are answered; empty: all
	Headers []string // request header fields that take part in matching

	// Hosts are host names, with or without port, under which systems are called, beside those that the recording shows.
	Hosts map[string]string

	StateBy []StateKey // what has a sequence of answers of its own; see [ParseStateKey]

	// Ignore names places of the request that take no part in matching, as patterns: request.body.sent_at,
	// request.body.**.trace, request.query.nonce, request.segment[2] (a segment of the path, from 0).
	Ignore []harness.Path

	Match Match // strict, or lenient by rules that the recording shows

	// Scrub does to a live request what was done to the recorded ones. The response of its exchange is zero.
	Scrub func(harness.Exchange) (harness.Exchange, error)

	Session func(*http.Request) string // default: the field SessionField
	Repeat  Repeat

	Latency float64 // of the recorded times, streams piece by piece: 1 as recorded, 0 none
	Faults  []Fault // what goes wrong on purpose; of those that are due for a call the first one happens
	Seed    uint64  // of everything that is by chance

	// Echo puts values of the live call where recorded answers repeat those of their requests, such as correlation ids.
	Echo bool

	// Callbacks are the URLs at which systems are called back, as the recording shows, behind the answer that such a call
	// followed; Transport sends them.
	Callbacks map[string]string
	Transport http.RoundTripper
	Sign      sign.Signer // signs them for the moment, with the secrets of who is called; nil: they keep recorded signatures

	// OnMiss answers calls that were never recorded, by the system that they are for, such as a live test instance. They are
	// listed by Forwarded, and their answers have the field LiveField.
	OnMiss map[string]http.Handler

	// Synthetic answers calls that were never recorded where the recording shows how: a thing that is created is read,
	// listed, changed and removed from then on. Such answers have the field SyntheticField, and recorded ones take
	// precedence as long as nothing was changed.
	Synthetic bool

	Now     func() time.Time                           // the clock of synthetic answers; default time.Now
	Wait    func(ctx context.Context, d time.Duration) // returns when the time is over; default: a timer
	MaxBody int64                                      // largest body of a live request, in bytes; default 64 MiB
}

const defaultMaxBody = 64 << 20

// Mock answers calls from a recording. It is an [http.Handler].
type Mock struct {
	options   Options
	rules     matcher
	loose     map[string]matcher // of operations with rules of their own
	hosts     hosts
	exchanges []harness.Exchange
	slots     map[key]*slot
	sessions  map[string]bool
	used      []atomic.Bool

	served, repeated, borrowed atomic.Int64
	injected, synthetic        atomic.Int64
	echoing                    atomic.Int64
	echo                       echoes
	back                       callbacks
	forwarded                  missLog
	faults                     []Fault
	virtual                    *virtual // nil unless synthetic answers are wanted
	systems                    []string
	misses                     missLog
	near                       func() *neighbours // built at the first miss
}

// Counts is the account of a Mock.
type Counts struct {
	Served   int // calls answered from the recording, recorded faults included
	Repeated int // of them: behind the last recorded answer
	Borrowed int // of them: the session is recorded, but never made this call
	Missed   int // calls that were never recorded

	Injected  int // calls for which something went wrong on purpose
	Synthetic int // calls answered without a recorded answer, made after recorded ones
	Echoed    int // calls answered with values of their own in the recorded answer
	Forwarded int // calls that were never recorded and that a live system answered
	Callbacks int // calls that were made back, failed ones included
}

// New reads the recording and prepares its keys. Only HTTP exchanges are answered. An exchange that cannot be read, that
// has neither answer nor fault, and a place in Ignore outside of the request are errors.
func New(rec harness.Recording, options Options) (*Mock, error) {
	rules, err := newMatcher(options.Headers, options.Ignore)
	if err != nil {
		return nil, harness.Usage(err, "name places of the request, such as request.body.sent_at or request.query.nonce")
	}
	options.MaxBody = cmp.Or(options.MaxBody, defaultMaxBody)
	if options.Session == nil {
		options.Session = func(r *http.Request) string { return r.Header.Get(SessionField) }
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Wait == nil {
		options.Wait = wait
	}
	if options.Sign == nil {
		options.Sign = sign.All()
	}
	m := &Mock{options: options, faults: prepared(options.Faults), rules: rules, slots: map[key]*slot{}, sessions: map[string]bool{}}
	var back []harness.Exchange
	for x, err := range rec.Exchanges() {
		if err != nil {
			return nil, fmt.Errorf("read recording: %w", err)
		}
		if x.Channel != harness.ChannelHTTP {
			continue
		}
		if options.Callbacks[x.To] != "" && m.answers(x.From) {
			back = append(back, x)
		}
		if !m.answers(x.To) || options.Callbacks[x.To] != "" {
			continue
		}
		if err := m.add(x); err != nil {
			return nil, unservable(x.ID, err)
		}
	}
	if options.Match == MatchLenient {
		m.lenient(deriveRules(m.exchanges))
	}
	if err := m.fileAll(); err != nil {
		return nil, err
	}
	m.back = newCallbacks(m.exchanges, back, options)
	m.used = make([]atomic.Bool, len(m.exchanges))
	for host, system := range options.Hosts {
		m.hosts.name(host, system)
	}
	m.systems = m.Systems()
	if options.Synthetic {
		m.virtual = newVirtual(m.exchanges, options)
	}
	m.near = sync.OnceValue(func() *neighbours { return newNeighbours(m.exchanges) })
	return m, nil
}

// answers reports whether the mock stands for the system.
func (m *Mock) answers(system string) bool {
	return len(m.options.Systems) == 0 || slices.Contains(m.options.Systems, system)
}

func (m *Mock) add(x harness.Exchange) error {
	if status := x.Status(); x.Fault == nil && (status < 100 || status > 999) {
		return fmt.Errorf("status %q is not a number of three digits", x.Response.Head.Get(harness.FieldStatus))
	}
	m.exchanges = append(m.exchanges, x)
	m.hosts.learn(&x)
	m.sessions[x.Session] = true
	return nil
}

// file puts the exchange of that index into the slot of its key.
func (m *Mock) file(index int) error {
	x := &m.exchanges[index]
	c, err := recordedCall(x.Request)
	if err != nil {
		return err
	}
	k := m.matcherOf(c).key(c)
	s, known := m.slots[k]
	if !known {
		s = &slot{}
		m.slots[k] = s
	}
	s.add(entry{int32(index), who{x.To, x.Session, m.entityOf(c)}}, !known, m.stateful())
	return nil
}

// fileAll files everything in the order in which it happened: recordings of several files have that of their files.
func (m *Mock) fileAll() error {
	for _, i := range harness.Timeline(m.exchanges) {
		if err := m.file(i); err != nil {
			return unservable(m.exchanges[i].ID, err)
		}
	}
	return nil
}

// unservable is the Problem of an exchange that cannot be served.
func unservable(id string, err error) error {
	return harness.Usage(fmt.Errorf("mock exchange %s: %w", id, err), "verify the recording")
}

func (m *Mock) stateful() bool { return len(m.options.StateBy) > 0 }

// ServeHTTP answers the call, or explains with status 501 why it cannot.
func (m *Mock) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body []byte
	if r.Body != nil && r.ContentLength != 0 {
		var err error
		if body, err = readBody(http.MaxBytesReader(w, r.Body, m.options.MaxBody), r.ContentLength); err != nil {
			m.refuse(w, Miss{Method: r.Method, Target: r.URL.RequestURI(), Reason: "the body of the request cannot be read: " + err.Error()})
			return
		}
	}
	a, miss := m.take(r, body)
	if miss != nil {
		if !m.forward(w, r, body, *miss) {
			m.refuse(w, *miss)
		}
		return
	}
	defer m.follow(a) // also behind an answer that is broken off
	if err := m.answer(w, r, a); err != nil {
		m.refuse(w, unreadable(r, a.x, err))
	}
}

// unreadable is the miss where a body of the recording cannot be read.
func unreadable(r *http.Request, x *harness.Exchange, err error) Miss {
	return Miss{Method: r.Method, Target: r.URL.RequestURI(), Closest: x.ID, Reason: "the recorded answer cannot be read: " + err.Error(), Hint: "verify the recording"}
}

// readBody spares growing when the size is known and small.
func readBody(r io.Reader, size int64) ([]byte, error) {
	const trusted = 1 << 20
	if size < 0 || size > trusted {
		return io.ReadAll(r)
	}
	body := make([]byte, size)
	_, err := io.ReadFull(r, body)
	return body, err
}

// take finds what the call gets, or says what was missed.
func (m *Mock) take(r *http.Request, body []byte) (reply, *Miss) {
	a, late, early := m.early(r)
	if early {
		return a, nil
	}
	a, miss := m.find(r, body)
	if miss != nil || late == nil {
		return a, miss
	}
	spoilt, err := late.row.act(late.fault, a.x, late.random)
	if err != nil {
		miss := unreadable(r, a.x, err)
		return reply{}, &miss
	}
	spoilt.texts = a.texts
	return spoilt, nil
}

// find is the answer that is due.
func (m *Mock) find(r *http.Request, body []byte) (reply, *Miss) {
	caller := who{system: m.hosts.of(r), session: m.options.Session(r)}
	c, err := m.liveCall(r, body, caller)
	if err != nil {
		return reply{}, &Miss{Method: r.Method, Target: r.URL.RequestURI(), System: caller.system, Session: caller.session, Reason: err.Error()}
	}
	caller.entity = m.entityOf(c)
	turn, found := m.lookUp(c, caller)
	if m.virtual != nil {
		if a, ok := m.imagine(c, caller, turn, found); ok {
			return a, nil
		}
	}
	if !found {
		miss := m.explain(c, caller)
		return reply{}, &miss
	}
	x := &m.exchanges[turn.index]
	miss := Miss{Method: c.method, Target: c.target, System: caller.system, Session: caller.session, Closest: x.ID}
	switch {
	case turn.repeated && m.options.Repeat == RepeatNever:
		miss.Reason = fmt.Sprintf("all %d recorded answers to this call were given already", turn.of)
		miss.Hint = "allow repeats of the last answer, or record the further calls"
		return reply{}, &miss
	case x.Status() < http.StatusOK && x.Fault == nil:
		miss.Reason = "the recorded answer ends with status 1xx, as where the protocol is switched; a mock does not speak the other protocol"
		return reply{}, &miss
	}
	m.given(turn, caller)
	if !m.options.Echo {
		return reply{x: x}, nil
	}
	texts := m.echoed(x, c, r, body)
	if len(texts) == 0 {
		return reply{x: x}, nil
	}
	m.echoing.Add(1)
	return reply{x: with(x, texts), texts: texts}, nil
}

// lookUp moves the cursor of the caller.
func (m *Mock) lookUp(c call, caller who) (turn, bool) {
	s := m.slots[m.matcherOf(c).key(c)]
	if s == nil {
		return turn{}, false
	}
	return s.take(caller, m.stateful())
}

// given counts a recorded answer.
func (m *Mock) given(t turn, caller who) {
	m.used[t.index].Store(true)
	m.served.Add(1)
	if t.repeated {
		m.repeated.Add(1)
	}
	if t.foreign && caller.session != "" && m.sessions[caller.session] {
		m.borrowed.Add(1)
	}
}

// imagine makes an answer where no recorded one is true: none is there, live calls changed what it tells, or the recorded
// answers to a call that creates something were all given.
func (m *Mock) imagine(c call, caller who, t turn, found bool) (reply, bool) {
	a, ok := m.virtual.aimOf(c, caller, m.systems)
	if !ok {
		return reply{}, false
	}
	var due *harness.Exchange
	if found {
		due = &m.exchanges[t.index]
		again := t.repeated && a.id == "" && c.method == http.MethodPost
		if !again && !m.virtual.touched(a) {
			return reply{}, false
		}
	}
	made, ok := m.virtual.answer(a, due)
	if ok {
		m.synthetic.Add(1)
		if found {
			m.used[t.index].Store(true)
		}
	}
	return made, ok
}

// liveCall normalizes a live request, scrubbed when there is a scrubber.
func (m *Mock) liveCall(r *http.Request, body []byte, caller who) (call, error) {
	if m.options.Scrub == nil {
		return newCall(r.Method, requestTarget(r), func(name string) []string { return r.Header.Values(name) }, body), nil
	}
	x := harness.Exchange{Session: caller.session, To: caller.system, Channel: harness.ChannelHTTP, Request: harness.Message{
		Head: headOf(r), Media: mediaOf(r.Header.Get("Content-Type")), Body: harness.BytesBody(body),
	}}
	if len(m.options.Systems) == 1 {
		x.To = m.options.Systems[0]
	}
	scrubbed, err := m.options.Scrub(x)
	if err != nil {
		return call{}, fmt.Errorf("scrub the request: %w", err)
	}
	return recordedCall(scrubbed.Request)
}

// Counts returns the account so far.
func (m *Mock) Counts() Counts {
	return Counts{Served: int(m.served.Load()), Repeated: int(m.repeated.Load()), Borrowed: int(m.borrowed.Load()), Missed: m.misses.len(),
		Injected: int(m.injected.Load()), Synthetic: int(m.synthetic.Load()), Echoed: int(m.echoing.Load()),
		Forwarded: m.forwarded.len(), Callbacks: m.back.count()}
}

// Unused returns the exchanges whose answer was never given, in recorded order.
func (m *Mock) Unused() []harness.Exchange {
	var unused []harness.Exchange
	for i := range m.used {
		if !m.used[i].Load() {
			unused = append(unused, m.exchanges[i])
		}
	}
	return unused
}

// Misses returns the calls that were never recorded, in order of arrival, at most MaxMisses of them; Counts has them all.
func (m *Mock) Misses() []Miss { return m.misses.list() }
