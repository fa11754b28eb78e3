package broker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/rabbitmq/amqp091-go"
)

// method is the number of a method of AMQP 0-9-1: its class and its number therein.
type method uint32

func methodOf(class, number uint16) method { return method(class)<<16 | method(number) }

// Methods that a stand-in sends.
var (
	startConnection  = methodOf(10, 10)
	tuneConnection   = methodOf(10, 30)
	connectionOpened = methodOf(10, 41)
	closeConnection  = methodOf(10, 50)
	connectionClosed = methodOf(10, 51)
	channelOpened    = methodOf(20, 11)
	delivered        = methodOf(60, 60)
	gotten           = methodOf(60, 71)
	nothingThere     = methodOf(60, 72)
	acknowledged     = methodOf(60, 80)
)

// amqpPeer is a connection that speaks AMQP 0-9-1.
type amqpPeer struct {
	*peer
	s        *StandIn
	most     int // bytes of a frame
	channels map[uint16]*channel
	stop     chan struct{} // closed when the connection ends
	once     sync.Once
}

// channel is one channel. Its fields belong to the goroutine that reads, the rest of it is in the queues.
type channel struct {
	of     *amqpPeer
	number uint16

	confirms  bool
	confirmed uint64
	coming    *amqp091.Delivery // a message whose content is not complete
	size      uint64            // of that content
	tagged    int               // consumers whose tag the stand-in chose
	last      string            // queue that was declared last: an empty name means it

	// Behind the lock of the queues.
	prefetch int                 // of each consumer that begins; 0: no limit
	tag      uint64              // of the last delivery
	unacked  map[uint64]*pending // by tag
	tags     []uint64            // of them, in order
}

func talkAMQP(s *StandIn, c *peer) error {
	a := &amqpPeer{peer: c, s: s, most: frameSize, channels: map[uint16]*channel{}, stop: make(chan struct{})}
	defer a.leave()
	var hello [8]byte
	if _, err := io.ReadFull(c, hello[:]); err != nil {
		return err
	}
	if string(hello[:]) != "AMQP\x00\x00\x09\x01" {
		return errors.Join(errProtocol, c.send([]byte("AMQP\x00\x00\x09\x01"))) // section 4.2.2
	}
	start := appendTable([]byte{0, 9}, nil)
	start = append(append(start, longText([]byte("PLAIN AMQPLAIN EXTERNAL"))...), longText([]byte("en_US"))...)
	if err := a.say(0, startConnection, start); err != nil {
		return err
	}
	for {
		f, err := c.frame()
		if err != nil {
			return err
		}
		if err = a.hear(f); err == nil {
			err = f.err
		}
		if err != nil {
			return err
		}
	}
}

func (a *amqpPeer) leave() {
	close(a.stop)
	for _, ch := range a.channels {
		a.s.queues.close(ch)
	}
	a.s.queues.disown(a)
}

// say sends a method.
func (a *amqpPeer) say(channel uint16, m method, arguments []byte) error {
	return a.send(appendFrame(nil, frameMethod, channel, append(binary.BigEndian.AppendUint32(nil, uint32(m)), arguments...)))
}

func (a *amqpPeer) hear(f frame) error {
	switch f.kind {
	case frameHeartbeat:
		return nil
	case frameMethod:
		return a.hearMethod(f)
	}
	ch := a.channels[f.channel]
	if ch == nil || ch.coming == nil {
		return errProtocol
	}
	if f.kind == frameHeader {
		f.long() // class and weight
		ch.size = f.longer()
		if ch.size > maxMessage {
			return errProtocol
		}
		f.readProperties(ch.coming)
	} else {
		ch.coming.Body = append(ch.coming.Body, f.left...)
	}
	if uint64(len(ch.coming.Body)) < ch.size {
		return nil
	}
	return ch.came()
}

// reply is how a method is answered when nothing else is to be done: with the method after it.
func reply(ch *channel, m method, _ frame) error { return ch.say(m+1, nil) }

// connectionMethods is the table of what is said about the connection; channelMethods is that of what is said on a channel.
var (
	connectionMethods = map[method]func(a *amqpPeer, f frame) error{
		methodOf(10, 11): func(a *amqpPeer, _ frame) error { // start-ok: every user is let in
			return a.say(0, tuneConnection, append(binary.BigEndian.AppendUint32(short(2047), frameSize), short(0)...))
		},
		methodOf(10, 31): (*amqpPeer).tuned,
		methodOf(10, 40): func(a *amqpPeer, _ frame) error { return a.say(0, connectionOpened, shortText("")) },
		closeConnection:  func(a *amqpPeer, _ frame) error { return errors.Join(io.EOF, a.say(0, connectionClosed, nil)) },
		connectionClosed: func(*amqpPeer, frame) error { return io.EOF },
	}
	channelMethods = map[method]func(ch *channel, m method, f frame) error{
		methodOf(20, 20): reply, // flow
		methodOf(20, 40): (*channel).closed,
		methodOf(20, 41): func(*channel, method, frame) error { return nil },
		methodOf(40, 10): (*channel).declareExchange,
		methodOf(40, 20): func(ch *channel, m method, f frame) error {
			f.short()
			f.shortText()
			return ch.sayUnless(f.byte()&2, m+1, nil)
		},
		methodOf(50, 10): (*channel).declareQueue,
		methodOf(50, 20): (*channel).bind,
		methodOf(50, 30): (*channel).purge,
		methodOf(50, 40): (*channel).deleteQueue,
		methodOf(50, 50): (*channel).unbind,
		methodOf(60, 10): (*channel).qos,
		methodOf(60, 20): (*channel).consume,
		methodOf(60, 30): (*channel).cancel,
		methodOf(60, 40): (*channel).publish,
		methodOf(60, 70): (*channel).get,
		methodOf(60, 80): func(ch *channel, _ method, f frame) error {
			ch.of.s.queues.settle(ch, f.longer(), f.byte()&1 != 0, false)
			return nil
		},
		methodOf(60, 90): func(ch *channel, _ method, f frame) error {
			ch.of.s.queues.settle(ch, f.longer(), false, f.byte()&1 != 0)
			return nil
		},
		methodOf(60, 110): func(ch *channel, m method, _ frame) error { ch.of.s.queues.giveBack(ch); return ch.say(m+1, nil) },
		methodOf(60, 120): (*channel).refused,
		methodOf(85, 10): func(ch *channel, m method, f frame) error {
			ch.confirms = true
			return ch.sayUnless(f.byte()&1, m+1, nil)
		},
	}
)

// tuned takes the size of frames, and sends heartbeats as often as the client wants them.
func (a *amqpPeer) tuned(f frame) error {
	f.short() // channels
	if most := int(f.long()); most >= 4096 && most < a.most {
		a.most = most
	}
	every := time.Duration(f.short()) * time.Second / 2
	if every == 0 {
		return nil
	}
	a.once.Do(func() {
		go func() { // ends with the connection
			tick := time.NewTicker(every)
			defer tick.Stop()
			for {
				select {
				case <-tick.C:
					a.send(appendFrame(nil, frameHeartbeat, 0, nil)) //nolint:errcheck // the reader of the connection ends, too
				case <-a.stop:
					return
				}
			}
		}()
	})
	return nil
}

func (a *amqpPeer) hearMethod(f frame) error {
	m := method(f.long())
	if f.channel == 0 {
		do := connectionMethods[m]
		if do == nil {
			return a.refuse(m)
		}
		return do(a, f)
	}
	ch := a.channels[f.channel]
	if m == methodOf(20, 10) {
		if ch != nil {
			return errProtocol
		}
		a.channels[f.channel] = &channel{of: a, number: f.channel, unacked: map[uint64]*pending{}}
		return a.say(f.channel, channelOpened, longText(nil))
	}
	if ch == nil {
		return errProtocol
	}
	do := channelMethods[m]
	if do == nil {
		return a.refuse(m)
	}
	return do(ch, m, f)
}

// refuse ends a connection on which something is asked that a stand-in does not do: transactions.
func (a *amqpPeer) refuse(m method) error {
	const notImplemented = 540
	why := append(short(notImplemented), shortText("NOT_IMPLEMENTED: this stand-in knows no such method")...)
	return errors.Join(fmt.Errorf("%w: method %d.%d", errProtocol, m>>16, m&0xffff), a.say(0, closeConnection, binary.BigEndian.AppendUint32(why, uint32(m))))
}

func (ch *channel) say(m method, arguments []byte) error { return ch.of.say(ch.number, m, arguments) }

// sayUnless answers unless the client wants no answer.
func (ch *channel) sayUnless(silent byte, m method, arguments []byte) error {
	if silent != 0 {
		return nil
	}
	return ch.say(m, arguments)
}

// publish begins a message: what follows is its content.
func (ch *channel) publish(_ method, f frame) error {
	f.short()
	ch.coming = &amqp091.Delivery{Exchange: f.shortText(), RoutingKey: f.shortText()}
	return nil
}

// came publishes a message that is complete.
func (ch *channel) came() error {
	m := amqpMessage(*ch.coming)
	m.reply = ch.coming.ReplyTo
	ch.coming = nil
	ch.of.s.publish(m)
	if !ch.confirms {
		return nil
	}
	ch.confirmed++
	return ch.say(acknowledged, append(binary.BigEndian.AppendUint64(nil, ch.confirmed), 0))
}

func (ch *channel) qos(m method, f frame) error {
	f.long()
	ch.of.s.queues.limit(ch, int(f.short()))
	return ch.say(m+1, nil)
}

func (ch *channel) closed(m method, _ frame) error {
	ch.of.s.queues.close(ch)
	delete(ch.of.channels, ch.number)
	return ch.say(m+1, nil)
}

// deliver writes a message to the client: method, head and body. The caller holds the lock of the queues.
func (ch *channel) deliver(m method, arguments []byte, msg message) error {
	const basic = 60
	out := appendFrame(nil, frameMethod, ch.number, append(binary.BigEndian.AppendUint32(nil, uint32(m)), arguments...))
	head := binary.BigEndian.AppendUint64(append(short(basic), 0, 0), uint64(len(msg.payload)))
	out = appendFrame(out, frameHeader, ch.number, append(head, packProperties(msg.head)...))
	for rest := msg.payload; len(rest) > 0; {
		n := min(len(rest), ch.of.most-frameAround)
		out, rest = appendFrame(out, frameBody, ch.number, rest[:n]), rest[n:]
	}
	return ch.of.send(out)
}

// addressOf is the exchange and the key of a message; the recorder writes both into the topic.
func addressOf(m message) (exchange, key string) {
	exchange = m.head.Get(fieldExchange)
	if exchange == "" {
		return "", m.topic
	}
	return exchange, strings.TrimPrefix(strings.TrimPrefix(m.topic, exchange), ".")
}
