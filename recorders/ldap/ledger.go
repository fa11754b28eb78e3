package ldap

import (
	"slices"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// ledger knows the operations of one connection that have no result yet. It is safe for concurrent use.
type ledger struct {
	tap     *Tap
	session string

	mu      sync.Mutex
	open    map[int]*open // by message id
	held    int           // bytes of all of them
	foreign bool          // something else than LDAP was spoken
}

// open is an operation without a result.
type open struct {
	*operation
	at      time.Time
	request request
	entries []byte // JSON, without the brackets of the list
	fault   *harness.Fault
}

// headSize is what an operation counts for beside its body.
const headSize = 512

// opening reads the id and the operation of a message of which more may follow.
func opening(frame []byte) (id int, tag byte, err error) {
	_, size, _, _, err := header(frame)
	if err != nil {
		return 0, 0, err
	}
	s := elements{rest: frame[min(size, len(frame)):]}
	id = s.number(tagInteger)
	return id, s.peek(), s.err
}

// ask notes what a client asks for. The frame is shorter than the size when the message is too large to keep.
func (l *ledger) ask(frame []byte, size int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id, tag, err := opening(frame)
	op := operationOf(tag)
	switch {
	case err != nil:
		l.tap.sink.Drop(DropForm)
	case tag == opUnbind:
	case tag == opAbandon:
		l.abandon(frame)
	case op == nil:
		l.tap.sink.Drop(DropForm)
	default:
		l.begin(id, op, frame, size)
	}
}

func (l *ledger) begin(id int, op *operation, frame []byte, size int) {
	if l.open[id] != nil {
		l.end(id, harness.FaultClientGone, "the client used its number for another operation")
	}
	o := &open{operation: op, at: l.tap.now()}
	if size > len(frame) {
		o.request.head = harness.Head{{Name: harness.FieldMethod, Value: op.method}, {Name: harness.FieldPath}}
		o.fault = &harness.Fault{Kind: harness.FaultTruncated, Detail: "the operation is larger than what is kept"}
	} else {
		m, err := parse(frame)
		if err == nil {
			o.request, err = readRequest(op, m)
		}
		if err != nil {
			l.tap.sink.Drop(DropForm)
			return
		}
	}
	l.open[id] = o
	l.held += headSize + len(o.request.body)
	if l.held > l.tap.maxBody() {
		l.end(id, harness.FaultTruncated, "more operations are open than what is kept")
	}
}

// abandon ends the operation that a message names.
func (l *ledger) abandon(frame []byte) {
	m, err := parse(frame)
	which := elements{rest: pack(tagInteger, m.op.content)}
	id := which.number(tagInteger)
	if err != nil || which.err != nil {
		l.tap.sink.Drop(DropForm)
		return
	}
	if l.open[id] != nil {
		l.end(id, harness.FaultClientGone, "the client abandoned the operation")
	}
}

// answer notes what the directory says. What belongs to no operation was told when the operation was.
func (l *ledger) answer(frame []byte, size int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id, tag, err := opening(frame)
	o := l.open[id]
	if err != nil || o == nil {
		return
	}
	isResult := tag == o.result
	if size > len(frame) {
		o.cut(harness.FaultTruncated, "an answer is larger than what is kept")
	}
	var r result
	m, err := parse(frame)
	switch {
	case o.fault != nil:
	case err != nil:
	case isResult:
		r, err = readResult(m)
	case slices.Contains([]byte{opEntry, opReference, opIntermediate}, tag):
		err = l.entry(o, m.op)
	default:
		err = errForm
	}
	if err != nil {
		o.cut(harness.FaultReset, "an answer is not in the form of RFC 4511")
	}
	if isResult || tag != opEntry && tag != opReference && tag != opIntermediate {
		l.finish(id, r)
	}
}

// cut notes why the operation is not recorded whole. The first reason stays.
func (o *open) cut(kind, detail string) {
	if o.fault == nil {
		o.fault = &harness.Fault{Kind: kind, Detail: detail}
	}
}

// entry keeps what comes before the result.
func (l *ledger) entry(o *open, op element) error {
	text, err := writeEntry(op)
	if err != nil {
		return err
	}
	if l.held+len(text)+2 > l.tap.maxBody() {
		o.cut(harness.FaultTruncated, "the entries are larger than what is kept")
		return nil
	}
	if len(o.entries) > 0 {
		text = slices.Concat([]byte(",\n"), text)
	}
	o.entries = append(o.entries, text...)
	l.held += len(text)
	return nil
}

// end records an operation that has no result.
func (l *ledger) end(id int, kind, detail string) {
	l.open[id].cut(kind, detail)
	l.finish(id, result{})
}

// finish records an operation.
func (l *ledger) finish(id int, r result) {
	o := l.open[id]
	delete(l.open, id)
	l.held -= headSize + len(o.request.body) + len(o.entries)
	x := harness.Exchange{
		Session: l.session, Channel: harness.ChannelDirectory, From: l.tap.From, To: l.tap.To, At: o.at, Took: l.tap.now().Sub(o.at), Fault: o.fault,
		Request: harness.Message{Head: o.request.head},
	}
	if o.fault == nil {
		x.Response.Head = r.head()
	}
	fill(&x.Request, o.request.body)
	switch {
	case r.value != nil:
		fill(&x.Response, writeExtended(x.Request.Head.Get(harness.FieldPath), r.value))
	case len(o.entries) > 0 || o.tag == opSearch && o.fault == nil:
		fill(&x.Response, slices.Concat([]byte("["), o.entries, []byte("]")))
	}
	l.tap.put(x)
}

// fill gives a message a body, where there is one.
func fill(m *harness.Message, body []byte) {
	if len(body) > 0 {
		m.Media, m.Body = "application/json", harness.BytesBody(body)
	}
}

// close records all operations that have no result, in the order in which they began.
func (l *ledger) close(kind, detail string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var ids []int
	for id := range l.open {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b int) int {
		if order := l.open[a].at.Compare(l.open[b].at); order != 0 {
			return order
		}
		return a - b
	})
	for _, id := range ids {
		l.end(id, kind, detail)
	}
}

// strange counts a connection that went on with something else than LDAP, once.
func (l *ledger) strange() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.foreign {
		l.tap.sink.Drop(DropForeign)
	}
	l.foreign = true
}
