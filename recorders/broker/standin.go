package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/clock"
	"github.com/rehearse-dev/rehearse/recorders/internal/listening"
	"github.com/rehearse-dev/rehearse/recorders/internal/refusals"
)

// StandIn is a broker that plays the part of systems of a recording: it delivers the messages that they published, each
// once, in recorded order, to whoever listens to its topic, and takes what clients publish. What clients publish also
// reaches the clients that listen to it, as in any broker. A request with a reply topic is answered with the recorded
// reply to the request of its turn.
//
// Every user and password is let in, because none was recorded. Nothing outlives a connection but the queues of AMQP, the
// topics of Kafka and the retained messages of MQTT.
//
// It is safe for concurrent use once it listens. Memory: the recorded heads, and what waits in queues.
type StandIn struct {
	From string       // who connects
	Sink harness.Sink // gets what clients publish, as the recorder of this broker sees it; may be nil
	Now  func() time.Time

	// Held keeps the recorded messages until Deliver is called for each. Else each goes out as soon as somebody listens to
	// its topic.
	Held bool

	wire      wire
	systems   []string
	script    []*line
	lines     map[string]*line   // of the script, by ID
	replies   map[string][]*line // of the script, by topic of the recorded request
	taken     []harness.Exchange
	receivers map[string]string // system that gets the messages of an operation
	server    listening.Server
	address   net.Addr // that it listens on

	mu         sync.Mutex
	listening  []listener // in the order in which they began
	turns      map[string]int
	requests   map[string]int // how often each topic was asked, for replies
	changed    chan struct{}  // closed when somebody begins to listen, and when a request was answered
	lastListen time.Time
	retained   map[string]message
	queues     *queues
	published  int
	refused    refusals.Refusals
}

// wire is a row of the table of what stand-ins speak.
type wire struct {
	scheme string
	serve  func(ctx context.Context, s *StandIn) error // takes connections until the context is done
}

// wires is the table of them.
var wires = []wire{{"amqp", talking(talkAMQP)}, {"kafka", serveKafka}, {"mqtt", talking(talkMQTT)}, {"nats", talking(talkNATS)}}

// talking lets each connection be served to its end by itself.
func talking(talk func(s *StandIn, c *peer) error) func(context.Context, *StandIn) error {
	return func(ctx context.Context, s *StandIn) error {
		s.server.Serve(ctx, func(conn net.Conn, _ int) { talk(s, newPeer(conn)) }) //nolint:errcheck // a client that breaks off is its own affair
		return nil
	}
}

// line is a recorded message of one of the systems.
type line struct {
	harness.Exchange
	answers string // topic of the recorded request that it answers; empty: it answers none
	said    bool
}

// listener is somebody who listens to topics.
type listener interface {
	hears(m message) bool
	group() string // of those who share messages, each getting its own; empty: it gets all
	// tell hands a message over. It calls settled once, when the message is acknowledged, or handed over where nobody
	// acknowledges, or when the listener has gone.
	tell(m message, settled func())
}

// gather is how long a client may take to tell all topics that it listens to, so that their messages come in order.
const gather = 100 * time.Millisecond

// NewStandIn reads what systems exchanged with others over a kind of broker: amqp, kafka, mqtt or nats. Messages of a recording
// that was made before the recorder noted the kind of broker are those of none.
func NewStandIn(rec harness.Recording, scheme string, systems []string) (*StandIn, error) {
	at := slices.IndexFunc(wires, func(w wire) bool { return w.scheme == scheme })
	if at < 0 {
		return nil, fmt.Errorf("stand in for a broker: %q is unknown", scheme)
	}
	s := &StandIn{
		wire: wires[at], lines: map[string]*line{}, replies: map[string][]*line{}, receivers: map[string]string{}, turns: map[string]int{}, requests: map[string]int{},
		changed: make(chan struct{}), retained: map[string]message{}, queues: newQueues(),
	}
	asked := map[string]string{} // reply topic → topic of the request
	for x, err := range rec.Exchanges() {
		if err != nil {
			return nil, fmt.Errorf("read recording: %w", err)
		}
		if !crossedAt(&x, scheme) {
			continue
		}
		gives, gets := slices.Contains(systems, x.From), slices.Contains(systems, x.To)
		switch {
		case gives == gets:
			continue
		case gives:
			l := &line{Exchange: x, answers: asked[x.Request.Head.Get(harness.FieldTopic)]}
			s.script, s.lines[x.ID] = append(s.script, l), l
			s.replies[l.answers] = append(s.replies[l.answers], l)
			s.systems = append(s.systems, x.From)
		default:
			s.taken = append(s.taken, x)
			s.receivers[x.Operation()] = x.To
			if reply := x.Request.Head.Get(fieldReply); reply != "" {
				asked[reply] = x.Request.Head.Get(harness.FieldTopic)
			}
			s.systems = append(s.systems, x.To)
		}
	}
	slices.Sort(s.systems)
	s.systems = slices.Compact(s.systems)
	return s, nil
}

// crossedAt reports whether an exchange is a whole message of a kind of broker.
func crossedAt(x *harness.Exchange, scheme string) bool {
	return x.Channel == harness.ChannelMessage && x.Fault == nil && x.Request.Head.Get(harness.FieldBroker) == scheme
}

// Systems are those of the asked ones that exchanged messages over this kind of broker; none is no error.
func (s *StandIn) Systems() []string { return s.systems }

// Listen begins to listen on an address such as 127.0.0.1:1883.
func (s *StandIn) Listen(address string) (addr net.Addr, err error) {
	s.address, err = s.server.Listen(address, "stand in for a broker", "choose another address")
	return s.address, err
}

// Serve answers until the context is done, and returns when every connection has ended. The error is that of a sink that
// refused an exchange, or of a broker that could not start.
func (s *StandIn) Serve(ctx context.Context) error {
	if !s.Held {
		go s.play(ctx) // ends with the context
	}
	return errors.Join(s.wire.serve(ctx, s), s.refused.Err("messages to a stand-in"))
}

// play says the recorded messages as soon as somebody listens. Who begins to listen while others are told gets what is
// left in the next round, so that each hears them in their order.
func (s *StandIn) play(ctx context.Context) {
	for ctx.Err() == nil {
		changed := s.change()
		for _, l := range s.heard(ctx) {
			if m, err := messageOf(l.Exchange); err == nil && s.isDue(l, m) {
				s.route(m)
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// heard are the messages that are not said and that somebody listens to, once nobody has begun to listen for a while.
func (s *StandIn) heard(ctx context.Context) (list []*line) {
	for s.mu.Lock(); ; s.mu.Lock() {
		left := gather - time.Since(s.lastListen)
		if left <= 0 {
			break
		}
		s.mu.Unlock()
		select {
		case <-time.After(left):
		case <-ctx.Done():
			return nil
		}
	}
	defer s.mu.Unlock()
	for _, l := range s.script {
		if !l.said && len(s.hearing(outline(l.Exchange))) > 0 {
			list = append(list, l)
		}
	}
	return list
}

// isDue reports whether a message is not said and somebody listens to it, and takes it as said then.
func (s *StandIn) isDue(l *line, m message) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.said || len(s.hearing(m)) == 0 {
		return false
	}
	l.said = true
	return true
}

// change is closed when somebody begins to listen, and when a request was answered.
func (s *StandIn) change() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// hearing are those who get a message: of a group the one whose turn it is. The caller holds the lock.
func (s *StandIn) hearing(m message) (list []listener) {
	groups := map[string][]listener{}
	for _, l := range s.listening {
		if !l.hears(m) {
			continue
		}
		if name := l.group(); name != "" {
			groups[name] = append(groups[name], l)
			continue
		}
		list = append(list, l)
	}
	for name, members := range groups {
		list = append(list, members[s.turns[name]%len(members)])
	}
	return list
}

// route hands a message to everybody who listens to it. Its result is closed when it is settled with all of them; nil:
// nobody listens.
func (s *StandIn) route(m message) <-chan struct{} {
	s.mu.Lock()
	list := s.hearing(m)
	for _, l := range list {
		if name := l.group(); name != "" {
			s.turns[name]++
		}
	}
	s.mu.Unlock()
	if len(list) == 0 {
		return nil
	}
	var open sync.WaitGroup
	open.Add(len(list))
	settled := make(chan struct{})
	for _, l := range list {
		l.tell(m, sync.OnceFunc(open.Done))
	}
	go func() { // ends when the last listener has acknowledged or gone
		open.Wait()
		close(settled)
	}()
	return settled
}

// ErrNobody is that nobody is there to get a message.
var ErrNobody = errors.New("nobody is there")

// Deliver hands over a message of one of the systems, as soon as somebody listens to its topic, and waits until it is
// acknowledged, where the broker knows such a thing. A reply goes out when its request comes. What does not happen until
// the context is done is the error: nobody listens or asks, which is [ErrNobody], or nobody acknowledges.
func (s *StandIn) Deliver(ctx context.Context, x harness.Exchange) error {
	m, err := messageOf(x)
	if err != nil {
		return err
	}
	l := s.lines[x.ID] // nil: it is no recorded message
	for {
		changed := s.change()
		if l != nil && l.answers != "" {
			if s.isSaid(l) {
				return nil
			}
			err = fmt.Errorf("%w to ask for it by a request to %s", ErrNobody, l.answers)
		} else if settled := s.route(m); settled == nil {
			err = fmt.Errorf("%w who listens to %s", ErrNobody, m.topic)
		} else {
			s.say(l)
			select {
			case <-settled:
				return nil
			case <-ctx.Done():
				return errors.New("nobody acknowledged the message")
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return err
		}
	}
}

func (s *StandIn) isSaid(l *line) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return l.said
}

func (s *StandIn) say(l *line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l != nil {
		l.said = true
	}
}

// listen adds somebody who listens, or who listens to more now.
func (s *StandIn) listen(l listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.listening, l) {
		s.listening = append(s.listening, l)
	}
	s.lastListen = time.Now()
	s.tellChange()
}

// tellChange wakes those who wait for somebody to listen or for a request. The caller holds the lock.
func (s *StandIn) tellChange() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// leave takes a listener away.
func (s *StandIn) leave(l listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listening = slices.DeleteFunc(s.listening, func(other listener) bool { return other == l })
}

// publish takes what a client says, hands it to whoever listens, and answers it where an answer was recorded. It reports
// whether anybody got it.
func (s *StandIn) publish(m message) bool {
	s.record(m)
	reply, answered := s.replyTo(m)
	got := s.route(m) != nil
	if answered {
		s.route(reply)
	}
	return got || answered
}

// record puts what a client published into the sink.
func (s *StandIn) record(m message) {
	m.at = clock.Read(s.Now)
	x := exchangeOf(m, s.wire.scheme, s.From, "")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.published++
	if x.To = s.receivers[x.Operation()]; x.To == "" {
		x.To = s.systems[0]
	}
	if s.Sink != nil {
		s.refused.Put(s.Sink, x)
	}
}

// replyTo is the recorded answer to a request: what a system published to the reply topic of the recorded request of the
// same topic whose turn it is.
func (s *StandIn) replyTo(m message) (message, bool) {
	if m.reply == "" {
		return message{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	answers := s.replies[m.topic]
	if len(answers) == 0 {
		return message{}, false
	}
	l := answers[min(s.requests[m.topic], len(answers)-1)]
	s.requests[m.topic]++
	l.said = true
	s.tellChange()
	reply, err := messageOf(l.Exchange)
	return reply.to(m), err == nil
}

// to is a recorded reply as it answers a request of now.
func (m message) to(request message) message {
	m.topic = request.reply
	if id := request.head.Get(fieldCorrelation); id != "" && m.head.Has(fieldCorrelation) {
		m.head = m.head.With(fieldCorrelation, id)
	}
	return m
}

// Fields that tell where a reply belongs.
const (
	fieldReply       = "reply-to"
	fieldCorrelation = "correlation-id"
)

// Said is how many of the recorded messages went out, and those that nobody listened to.
func (s *StandIn) Said() (said int, unsaid []harness.Exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.script {
		if l.said {
			said++
			continue
		}
		unsaid = append(unsaid, l.Exchange)
	}
	return said, unsaid
}

// Taken are the recorded messages that others published to the systems.
func (s *StandIn) Taken() []harness.Exchange { return s.taken }

// messageOf is a recorded message as it is published again.
func messageOf(x harness.Exchange) (message, error) {
	body, err := x.Request.Body.Bytes()
	if err != nil {
		return message{}, fmt.Errorf("read exchange %s: %w", x.ID, err)
	}
	m := outline(x)
	m.payload = body
	return m, nil
}

// outline is a recorded message without its payload, which is enough to know who hears it.
func outline(x harness.Exchange) message {
	m := message{topic: x.Request.Head.Get(harness.FieldTopic), media: x.Request.Media, recorded: true}
	for _, f := range x.Request.Head {
		if !strings.HasPrefix(f.Name, ":") {
			m.head = append(m.head, f)
		}
	}
	m.reply = m.head.Get(fieldReply)
	return m
}
