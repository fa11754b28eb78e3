package broker

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// queues are the exchanges and queues of AMQP. What clients take for granted is there: an exchange or queue that nobody
// declared is made when it is named, since the recording tells nothing of who made it.
type queues struct {
	mu    sync.Mutex
	kinds map[string]string // of the declared exchanges
	all   map[string]*queue
	made  int // queues whose name the stand-in chose
}

// queue is one of them. It is a listener to the messages of the stand-in.
type queue struct {
	in        *queues
	name      string
	owner     *amqpPeer // of an exclusive queue: it goes with its connection
	auto      bool      // it goes with its last consumer
	declared  bool
	bindings  []binding
	ready     []*pending
	consumers []*consumer
	turn      int
}

type binding struct{ exchange, key string }

// pending is a message in a queue, or with a consumer who has not acknowledged it.
type pending struct {
	message
	of      *queue
	by      *consumer // nil: it was fetched
	settled func()
	again   bool // it was delivered before
}

type consumer struct {
	of     *channel
	tag    string
	silent bool // it acknowledges nothing
	most   int  // messages that it may have at a time; 0: any number
	holds  int
}

func newQueues() *queues { return &queues{kinds: map[string]string{}, all: map[string]*queue{}} }

// own marks names that belong to brokers.
const own = "amq."

// queue finds a queue, or makes it. The caller holds the lock; a fresh one must be made known with listen.
func (qs *queues) queue(name string) (q *queue, fresh bool) {
	if q = qs.all[name]; q == nil {
		q, fresh = &queue{in: qs, name: name}, true
		qs.all[name] = q
	}
	return q, fresh
}

func (q *queue) group() string { return "" }

// hears reports whether the message is routed to the queue. A queue that is not bound and that the client did not make gets
// every recorded message: whoever bound it is not in the recording.
func (q *queue) hears(m message) bool {
	exchange, key := addressOf(m)
	q.in.mu.Lock()
	defer q.in.mu.Unlock()
	if exchange == "" && key == q.name {
		return true
	}
	if !q.declared && len(q.bindings) == 0 {
		return m.recorded && !strings.HasPrefix(q.name, own)
	}
	kind := q.in.kinds[exchange]
	return slices.ContainsFunc(q.bindings, func(b binding) bool { return b.exchange == exchange && routes(kind, b.key, key) })
}

// routes reports whether an exchange of a kind takes a key to a binding: fanout and headers all of them, direct the same
// key, topic and those of an unknown kind by pattern.
func routes(kind, pattern, key string) bool {
	switch kind {
	case "fanout", "headers":
		return true
	case "direct":
		return pattern == key
	}
	return routesWords(strings.Split(pattern, "."), strings.Split(key, "."))
}

// routesWords matches a pattern in which * is one word and # any number of them.
func routesWords(pattern, words []string) bool {
	if len(pattern) == 0 {
		return len(words) == 0
	}
	if pattern[0] == "#" {
		for n := range len(words) + 1 {
			if routesWords(pattern[1:], words[n:]) {
				return true
			}
		}
		return false
	}
	return len(words) > 0 && (pattern[0] == "*" || pattern[0] == words[0]) && routesWords(pattern[1:], words[1:])
}

// tell puts a message into the queue.
func (q *queue) tell(m message, settled func()) {
	q.in.mu.Lock()
	defer q.in.mu.Unlock()
	q.ready = append(q.ready, &pending{message: m, of: q, settled: settled})
	q.pump()
}

// pump hands messages to consumers in turn, as long as one of them may take more. The caller holds the lock.
func (q *queue) pump() {
	for len(q.ready) > 0 {
		c := q.next()
		if c == nil {
			return
		}
		p := q.ready[0]
		q.ready = q.ready[1:]
		p.by = c
		tag := c.of.hold(p, c.silent)
		arguments := append(shortText(c.tag), binary.BigEndian.AppendUint64(nil, tag)...)
		c.of.deliver(delivered, append(append(arguments, flag(p.again)), addressArguments(p.message)...), p.message) //nolint:errcheck // the reader of the connection ends, too
	}
}

// next is the consumer whose turn it is; nil: none may take more.
func (q *queue) next() *consumer {
	for range q.consumers {
		q.turn++
		if c := q.consumers[q.turn%len(q.consumers)]; c.most == 0 || c.holds < c.most {
			return c
		}
	}
	return nil
}

// hold gives a delivery its tag, and keeps it until it is acknowledged.
func (ch *channel) hold(p *pending, silent bool) uint64 {
	ch.tag++
	if silent {
		p.settled()
		return ch.tag
	}
	ch.unacked[ch.tag] = p
	if p.by != nil {
		p.by.holds++
	}
	return ch.tag
}

func addressArguments(m message) []byte {
	exchange, key := addressOf(m)
	return append(shortText(exchange), shortText(key)...)
}

func flag(set bool) byte {
	if set {
		return 1
	}
	return 0
}

// settle ends deliveries: the one of the tag, or all up to it, 0 being the last one. What is to come again goes back to the
// head of its queue.
func (qs *queues) settle(ch *channel, tag uint64, multiple, again bool) {
	qs.mu.Lock()
	defer qs.mu.Unlock()
	var tags []uint64
	for held := range ch.unacked {
		if held == tag || multiple && (tag == 0 || held < tag) {
			tags = append(tags, held)
		}
	}
	qs.end(ch, tags, again)
}

// end takes deliveries from their consumers. The caller holds the lock.
func (qs *queues) end(ch *channel, tags []uint64, again bool) {
	slices.Sort(tags)
	slices.Reverse(tags) // so that what comes again keeps its order
	touched := map[*queue]bool{}
	for _, tag := range tags {
		p := ch.unacked[tag]
		delete(ch.unacked, tag)
		if p.by != nil {
			p.by.holds--
		}
		touched[p.of] = true
		if !again || qs.all[p.of.name] != p.of {
			p.settled()
			continue
		}
		p.by, p.again = nil, true
		p.of.ready = slices.Insert(p.of.ready, 0, p)
	}
	for q := range touched {
		q.pump()
	}
}

// giveBack lets everything come again that a channel has not acknowledged.
func (qs *queues) giveBack(ch *channel) { qs.settle(ch, 0, true, true) }

// close ends the consumers of a channel; what they have not acknowledged goes to others.
func (qs *queues) close(ch *channel) {
	qs.mu.Lock()
	var gone []*queue
	for _, q := range qs.all {
		if q.dismiss(func(c *consumer) bool { return c.of == ch }) && q.auto && len(q.consumers) == 0 {
			gone = append(gone, q)
		}
	}
	qs.end(ch, keysOf(ch.unacked), true)
	qs.mu.Unlock()
	for _, q := range gone {
		qs.remove(ch.of.s, q)
	}
}

func keysOf(m map[uint64]*pending) (keys []uint64) {
	for key := range m {
		keys = append(keys, key)
	}
	return keys
}

// dismiss takes consumers away, and reports whether there were any. The caller holds the lock.
func (q *queue) dismiss(which func(*consumer) bool) bool {
	before := len(q.consumers)
	q.consumers = slices.DeleteFunc(q.consumers, which)
	return len(q.consumers) < before
}

// disown removes the exclusive queues of a connection.
func (qs *queues) disown(a *amqpPeer) {
	qs.mu.Lock()
	var gone []*queue
	for _, q := range qs.all {
		if q.owner == a {
			gone = append(gone, q)
		}
	}
	qs.mu.Unlock()
	for _, q := range gone {
		qs.remove(a.s, q)
	}
}

// remove takes a queue away, with what waits in it, and says how much that was.
func (qs *queues) remove(s *StandIn, q *queue) int {
	s.leave(q)
	qs.mu.Lock()
	defer qs.mu.Unlock()
	if qs.all[q.name] == q {
		delete(qs.all, q.name)
	}
	return q.drop()
}

// drop forgets what waits. The caller holds the lock.
func (q *queue) drop() int {
	n := len(q.ready)
	for _, p := range q.ready {
		p.settled()
	}
	q.ready = nil
	return n
}

func (qs *queues) limit(ch *channel, most int) {
	qs.mu.Lock()
	defer qs.mu.Unlock()
	ch.prefetch = most
}

// named is the queue of a name, made when there is none; an empty name is the queue that the channel declared last.
func (ch *channel) named(name string) *queue {
	if name == "" {
		name = ch.last
	}
	qs := ch.of.s.queues
	qs.mu.Lock()
	q, fresh := qs.queue(name)
	qs.mu.Unlock()
	if fresh {
		ch.of.s.listen(q)
	}
	return q
}

func (ch *channel) declareExchange(m method, f frame) error {
	const passive, silent = 1, 16
	f.short()
	name, kind, bits := f.shortText(), f.shortText(), f.byte()
	if qs := ch.of.s.queues; bits&passive == 0 {
		qs.mu.Lock()
		qs.kinds[name] = kind
		qs.mu.Unlock()
	}
	return ch.sayUnless(bits&silent, m+1, nil)
}

func (ch *channel) declareQueue(m method, f frame) error {
	const passive, exclusive, auto, silent = 1, 4, 8, 16
	f.short()
	name, bits := f.shortText(), f.byte()
	qs := ch.of.s.queues
	qs.mu.Lock()
	if name == "" {
		qs.made++
		name = fmt.Sprintf("%sgen-%d", own, qs.made)
	}
	q, fresh := qs.queue(name)
	if bits&passive == 0 {
		q.declared, q.auto = true, bits&auto != 0
	}
	if bits&exclusive != 0 {
		q.owner = ch.of
	}
	counts := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(len(q.ready))), uint32(len(q.consumers)))
	qs.mu.Unlock()
	ch.last = name
	if fresh {
		ch.of.s.listen(q)
	}
	return ch.sayUnless(bits&silent, m+1, append(shortText(name), counts...))
}

func (ch *channel) bind(m method, f frame) error {
	f.short()
	name, b, silent := f.shortText(), binding{f.shortText(), f.shortText()}, f.byte()
	q := ch.named(name)
	q.in.mu.Lock()
	if !slices.Contains(q.bindings, b) {
		q.bindings = append(q.bindings, b)
	}
	q.in.mu.Unlock()
	ch.of.s.listen(q)
	return ch.sayUnless(silent&1, m+1, nil)
}

func (ch *channel) unbind(m method, f frame) error {
	f.short()
	q, b := ch.named(f.shortText()), binding{f.shortText(), f.shortText()}
	q.in.mu.Lock()
	q.bindings = slices.DeleteFunc(q.bindings, func(other binding) bool { return other == b })
	q.in.mu.Unlock()
	return ch.say(m+1, nil)
}

func (ch *channel) purge(m method, f frame) error {
	f.short()
	q := ch.named(f.shortText())
	silent := f.byte()
	q.in.mu.Lock()
	n := q.drop()
	q.in.mu.Unlock()
	return ch.sayUnless(silent&1, m+1, binary.BigEndian.AppendUint32(nil, uint32(n)))
}

func (ch *channel) deleteQueue(m method, f frame) error {
	const silent = 4
	f.short()
	q := ch.named(f.shortText())
	bits := f.byte()
	n := ch.of.s.queues.remove(ch.of.s, q)
	return ch.sayUnless(bits&silent, m+1, binary.BigEndian.AppendUint32(nil, uint32(n)))
}

func (ch *channel) consume(m method, f frame) error {
	const noAck, silent = 2, 8
	f.short()
	q := ch.named(f.shortText())
	tag, bits := f.shortText(), f.byte()
	if tag == "" {
		ch.tagged++
		tag = fmt.Sprintf("ctag-%d-%d", ch.number, ch.tagged)
	}
	if err := ch.sayUnless(bits&silent, m+1, shortText(tag)); err != nil {
		return err
	}
	q.in.mu.Lock()
	defer q.in.mu.Unlock()
	q.consumers = append(q.consumers, &consumer{of: ch, tag: tag, silent: bits&noAck != 0, most: ch.prefetch})
	q.pump()
	return nil
}

func (ch *channel) cancel(m method, f frame) error {
	tag, silent := f.shortText(), f.byte()
	qs := ch.of.s.queues
	qs.mu.Lock()
	var gone []*queue
	for _, q := range qs.all {
		if q.dismiss(func(c *consumer) bool { return c.of == ch && c.tag == tag }) && q.auto && len(q.consumers) == 0 {
			gone = append(gone, q)
		}
	}
	qs.mu.Unlock()
	for _, q := range gone {
		qs.remove(ch.of.s, q)
	}
	return ch.sayUnless(silent&1, m+1, shortText(tag))
}

// get fetches one message.
func (ch *channel) get(_ method, f frame) error {
	f.short()
	q := ch.named(f.shortText())
	silent := f.byte()&1 != 0
	q.in.mu.Lock()
	defer q.in.mu.Unlock()
	if len(q.ready) == 0 {
		return ch.say(nothingThere, shortText(""))
	}
	p := q.ready[0]
	q.ready = q.ready[1:]
	arguments := append(binary.BigEndian.AppendUint64(nil, ch.hold(p, silent)), flag(p.again))
	arguments = binary.BigEndian.AppendUint32(append(arguments, addressArguments(p.message)...), uint32(len(q.ready)))
	return ch.deliver(gotten, arguments, p.message)
}

// refused is a negative acknowledgement.
func (ch *channel) refused(_ method, f frame) error {
	tag, bits := f.longer(), f.byte()
	ch.of.s.queues.settle(ch, tag, bits&1 != 0, bits&2 != 0)
	return nil
}
