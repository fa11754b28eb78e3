package broker

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/rehearse-dev/rehearse/harness"
)

// Control packets of MQTT 3.1.1, section 2.2.1.
const (
	mqttConnect     = 1
	mqttConnected   = 2
	mqttPublish     = 3
	mqttTaken       = 4 // PUBACK
	mqttReceived    = 5 // PUBREC
	mqttRelease     = 6 // PUBREL
	mqttComplete    = 7 // PUBCOMP
	mqttSubscribe   = 8
	mqttSubscribed  = 9
	mqttUnsubscribe = 10
	mqttEnded       = 11
	mqttPing        = 12
	mqttPong        = 13
	mqttDisconnect  = 14
)

// Fields of a message.
const (
	fieldQuality  = "qos"
	fieldRetained = "retained"
)

// mqttPeer is a connection that speaks MQTT 3.1.1. Its session ends with it, also where the client asks to keep it.
type mqttPeer struct {
	*peer
	s         *StandIn
	connected bool
	will      *message

	answering sync.Mutex // held while a subscription is answered: what others say meanwhile comes behind it

	stateMu sync.Mutex
	filters map[string]byte   // with the quality that was asked for
	number  uint16            // of the last message that was sent
	open    map[uint16]func() // what was sent and is not acknowledged
	came    map[uint16]bool   // what came with quality 2 and was not released
}

// packet is a control packet without its length.
type packet struct {
	kind, flags byte
	*reader
}

func talkMQTT(s *StandIn, c *peer) error {
	q := &mqttPeer{peer: c, s: s, filters: map[string]byte{}, open: map[uint16]func(){}, came: map[uint16]bool{}}
	defer q.leave()
	for {
		p, err := c.packet()
		if err != nil {
			return err
		}
		do := mqttPackets[p.kind]
		if do == nil || q.connected == (p.kind == mqttConnect) {
			return errProtocol
		}
		if err := do(q, p); err != nil {
			return err
		}
		if p.err != nil {
			return p.err
		}
	}
}

// mqttPackets is the table of what a client says.
var mqttPackets = map[byte]func(q *mqttPeer, p packet) error{
	mqttConnect:     (*mqttPeer).connect,
	mqttPublish:     (*mqttPeer).published,
	mqttTaken:       func(q *mqttPeer, p packet) error { q.settle(p.short()); return nil },
	mqttReceived:    func(q *mqttPeer, p packet) error { return q.say(mqttRelease, 2, short(p.short())) },
	mqttComplete:    func(q *mqttPeer, p packet) error { q.settle(p.short()); return nil },
	mqttRelease:     (*mqttPeer).released,
	mqttSubscribe:   (*mqttPeer).subscribe,
	mqttUnsubscribe: (*mqttPeer).unsubscribe,
	mqttPing:        func(q *mqttPeer, _ packet) error { return q.say(mqttPong, 0, nil) },
	mqttDisconnect:  func(q *mqttPeer, _ packet) error { q.will = nil; return io.EOF },
}

// packet reads the next control packet.
func (c *peer) packet() (packet, error) {
	first, err := c.ReadByte()
	if err != nil {
		return packet{}, err
	}
	size, err := binary.ReadUvarint(c)
	if err != nil || size > maxMessage {
		return packet{}, errProtocol
	}
	body := make([]byte, size)
	_, err = io.ReadFull(c, body)
	return packet{first >> 4, first & 15, &reader{left: body}}, err
}

func short(n uint16) []byte { return binary.BigEndian.AppendUint16(nil, n) }

func mqttText(text string) []byte { return append(short(uint16(len(text))), text...) }

// say sends a control packet.
func (q *mqttPeer) say(kind, flags byte, body []byte) error {
	out := binary.AppendUvarint([]byte{kind<<4 | flags}, uint64(len(body)))
	return q.send(append(out, body...))
}

// connect lets in whoever speaks version 3.1.1 or 3.1, with any password.
func (q *mqttPeer) connect(p packet) error {
	const badVersion = 1
	name, version := p.text(), p.byte()
	if name != "MQTT" && name != "MQIsdp" || version != 4 && version != 3 {
		return fmt.Errorf("%w: version %d: %w", errProtocol, version, q.say(mqttConnected, 0, []byte{0, badVersion}))
	}
	flags := p.byte()
	p.short() // keep alive
	p.text()  // client identifier
	if flags&0x04 != 0 {
		topic, payload := p.text(), []byte(p.text())
		q.will = mqttPublished(topic, payload, flags>>3&3, flags&0x20 != 0)
	}
	q.connected = true
	return q.say(mqttConnected, 0, []byte{0, 0})
}

// mqttPublished is a message of a client, as the recorder would see it.
func mqttPublished(topic string, payload []byte, qos byte, retained bool) *message {
	return &message{topic: topic, head: mqttHead(qos, false), payload: payload, retain: retained}
}

func (q *mqttPeer) published(p packet) error {
	qos := p.flags >> 1 & 3
	topic := p.text()
	var id uint16
	if qos > 0 {
		id = p.short()
	}
	if p.err != nil || qos > 2 || strings.ContainsAny(topic, "+#") || topic == "" {
		return errProtocol
	}
	m := *mqttPublished(topic, p.left, qos, p.flags&1 != 0)
	switch qos {
	case 1:
		q.take(m)
		return q.say(mqttTaken, 0, short(id))
	case 2:
		if !q.came[id] { // else it was sent again
			q.came[id] = true
			q.take(m)
		}
		return q.say(mqttReceived, 0, short(id))
	}
	q.take(m)
	return nil
}

func (q *mqttPeer) released(p packet) error {
	id := p.short()
	delete(q.came, id)
	return q.say(mqttComplete, 0, short(id))
}

// take publishes; a message that is to be retained replaces the one before it, or takes it away when it is empty.
func (q *mqttPeer) take(m message) {
	q.s.publish(m)
	if !m.retain {
		return
	}
	m.head = mqttHead(mqttQuality(m), true)
	q.s.mu.Lock()
	defer q.s.mu.Unlock()
	if delete(q.s.retained, m.topic); len(m.payload) > 0 {
		q.s.retained[m.topic] = m
	}
}

func (q *mqttPeer) subscribe(p packet) error {
	id := p.short()
	var fresh []string
	granted := short(id)
	q.stateMu.Lock()
	for len(p.left) > 0 && p.err == nil {
		filter, qos := p.text(), p.byte()
		if qos > 2 || !isFilter(filter) {
			granted = append(granted, 0x80)
			continue
		}
		q.filters[filter] = qos
		fresh, granted = append(fresh, filter), append(granted, qos)
	}
	q.stateMu.Unlock()
	q.answering.Lock()
	defer q.answering.Unlock()
	q.s.listen(q)
	if err := q.say(mqttSubscribed, 0, granted); err != nil {
		return err
	}
	q.s.mu.Lock()
	var kept []message
	for _, m := range q.s.retained {
		if slices.ContainsFunc(fresh, func(filter string) bool { return fits(filter, m.topic) }) {
			kept = append(kept, m)
		}
	}
	q.s.mu.Unlock()
	slices.SortFunc(kept, func(a, b message) int { return strings.Compare(a.topic, b.topic) })
	for _, m := range kept {
		q.deliver(m, func() {})
	}
	return nil
}

func (q *mqttPeer) unsubscribe(p packet) error {
	id := p.short()
	q.stateMu.Lock()
	for len(p.left) > 0 && p.err == nil {
		delete(q.filters, p.text())
	}
	q.stateMu.Unlock()
	return q.say(mqttEnded, 0, short(id))
}

func (q *mqttPeer) leave() {
	q.s.leave(q)
	q.stateMu.Lock()
	open := q.open
	q.open = nil
	q.stateMu.Unlock()
	for _, settled := range open {
		settled()
	}
	if q.will != nil {
		q.take(*q.will)
	}
}

// settle ends what the client acknowledges.
func (q *mqttPeer) settle(id uint16) {
	q.stateMu.Lock()
	settled := q.open[id]
	delete(q.open, id)
	q.stateMu.Unlock()
	if settled != nil {
		settled()
	}
}

func (q *mqttPeer) group() string { return "" }

func (q *mqttPeer) hears(m message) bool {
	_, ok := q.granted(m.topic)
	return ok
}

// granted is the best quality of the filters that a topic fits.
func (q *mqttPeer) granted(topic string) (qos byte, ok bool) {
	q.stateMu.Lock()
	defer q.stateMu.Unlock()
	for filter, asked := range q.filters {
		if fits(filter, topic) {
			qos, ok = max(qos, asked), true
		}
	}
	return qos, ok
}

func (q *mqttPeer) tell(m message, settled func()) {
	q.answering.Lock()
	defer q.answering.Unlock()
	q.deliver(m, settled)
}

// deliver sends a message once, whatever number of filters it fits.
func (q *mqttPeer) deliver(m message, settled func()) {
	granted, _ := q.granted(m.topic)
	qos := min(granted, mqttQuality(m))
	flags := qos << 1
	if m.head.Get(fieldRetained) != "" {
		flags |= 1
	}
	body := mqttText(m.topic)
	if qos > 0 {
		id, ok := q.await(settled)
		if !ok {
			settled() // it has gone
			return
		}
		body = append(body, short(id)...)
	} else {
		defer settled()
	}
	q.say(mqttPublish, flags, append(body, m.payload...)) //nolint:errcheck // the reader of the connection ends, too
}

// await gives a message the next number that is free.
func (q *mqttPeer) await(settled func()) (uint16, bool) {
	q.stateMu.Lock()
	defer q.stateMu.Unlock()
	if q.open == nil || len(q.open) == 1<<16-1 {
		return 0, false
	}
	for q.number++; q.number == 0 || q.open[q.number] != nil; q.number++ {
	}
	q.open[q.number] = settled
	return q.number, true
}

func mqttQuality(m message) byte {
	n, err := strconv.ParseUint(m.head.Get(fieldQuality), 10, 2)
	if err != nil {
		return quality
	}
	return min(byte(n), quality)
}

func mqttHead(qos byte, retained bool) harness.Head {
	head := harness.Head{{Name: fieldQuality, Value: strconv.Itoa(int(qos))}}
	if retained {
		head = append(head, harness.Field{Name: fieldRetained, Value: "true"})
	}
	return head
}

// isFilter reports whether wildcards stand where they may: # alone at the end, + alone in a level.
func isFilter(filter string) bool {
	levels := strings.Split(filter, "/")
	for i, level := range levels {
		if strings.ContainsAny(level, "+#") && level != "+" && (level != "#" || i < len(levels)-1) {
			return false
		}
	}
	return filter != ""
}

// fits reports whether a topic fits a filter (section 4.7): + is one level, # all that follow and the one before. Topics
// that begin with $ fit no wildcard at the beginning.
func fits(filter, topic string) bool {
	want, have := strings.Split(filter, "/"), strings.Split(topic, "/")
	if strings.HasPrefix(topic, "$") && (want[0] == "+" || want[0] == "#") {
		return false
	}
	for i, level := range want {
		switch {
		case level == "#":
			return true
		case i >= len(have) || level != "+" && level != have[i]:
			return false
		}
	}
	return len(have) == len(want)
}

// reader takes numbers and texts off bytes that the network gave. The first thing that is not there is its error.
type reader struct {
	left []byte
	err  error
}

func (r *reader) take(n int) []byte {
	if r.err != nil || n < 0 || n > len(r.left) {
		r.err = errProtocol
		return make([]byte, min(max(n, 0), 8))
	}
	b := r.left[:n]
	r.left = r.left[n:]
	return b
}

func (r *reader) byte() byte     { return r.take(1)[0] }
func (r *reader) short() uint16  { return binary.BigEndian.Uint16(r.take(2)) }
func (r *reader) long() uint32   { return binary.BigEndian.Uint32(r.take(4)) }
func (r *reader) longer() uint64 { return binary.BigEndian.Uint64(r.take(8)) }
func (r *reader) text() string   { return string(bytes.Clone(r.take(int(r.short())))) }
