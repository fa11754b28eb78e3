package broker

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/rabbitmq/amqp091-go"

	"github.com/rehearse-dev/rehearse/harness"
)

// Frames of AMQP 0-9-1, section 4.2.3.
const (
	frameMethod    = 1
	frameHeader    = 2
	frameBody      = 3
	frameHeartbeat = 8
	frameEnd       = 0xCE
)

// frameSize is the largest frame that a stand-in offers, in bytes.
const frameSize = 128 << 10

// frameAround is what a frame has around its payload.
const frameAround = 8

// frame is one frame.
type frame struct {
	kind    byte
	channel uint16
	*reader
}

// frame reads the next frame.
func (c *peer) frame() (frame, error) {
	var head [7]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return frame{}, err
	}
	size := binary.BigEndian.Uint32(head[3:])
	if size > frameSize {
		return frame{}, errProtocol
	}
	body := make([]byte, size+1)
	if _, err := io.ReadFull(c, body); err != nil {
		return frame{}, err
	}
	if body[size] != frameEnd {
		return frame{}, errProtocol
	}
	return frame{head[0], binary.BigEndian.Uint16(head[1:]), &reader{left: body[:size]}}, nil
}

// appendFrame adds a frame.
func appendFrame(out []byte, kind byte, channel uint16, body []byte) []byte {
	out = binary.BigEndian.AppendUint16(append(out, kind), channel)
	out = binary.BigEndian.AppendUint32(out, uint32(len(body)))
	return append(append(out, body...), frameEnd)
}

// shortText is a text with its length in one byte; longer ones are cut.
func shortText(text string) []byte {
	text = text[:min(len(text), math.MaxUint8)]
	return append([]byte{byte(len(text))}, text...)
}

func longText(text []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...)
}

func (r *reader) shortText() string { return string(bytes.Clone(r.take(int(r.byte())))) }
func (r *reader) longText() []byte  { return bytes.Clone(r.take(int(r.long()))) }

// deepest is how many tables may stand in one another.
const deepest = 16

// table reads a field table, section 4.2.5.5.
func (r *reader) table() amqp091.Table { return r.tableAt(0) }

func (r *reader) tableAt(depth int) amqp091.Table {
	in := &reader{left: r.take(int(r.long()))}
	if depth > deepest {
		r.err = errProtocol
	}
	table := amqp091.Table{}
	for r.err == nil && len(in.left) > 0 {
		name := in.shortText()
		table[name] = in.value(depth)
		r.err = in.err
	}
	return table
}

// value reads a value of a table, in the letters that RabbitMQ uses.
func (r *reader) value(depth int) any {
	switch r.byte() {
	case 't':
		return r.byte() != 0
	case 'b':
		return int8(r.byte())
	case 'B':
		return r.byte()
	case 's':
		return int16(r.short())
	case 'u':
		return r.short()
	case 'I':
		return int32(r.long())
	case 'i':
		return r.long()
	case 'l':
		return int64(r.longer())
	case 'f':
		return math.Float32frombits(r.long())
	case 'd':
		return math.Float64frombits(r.longer())
	case 'D':
		return amqp091.Decimal{Scale: r.byte(), Value: int32(r.long())}
	case 'S':
		return string(r.longText())
	case 'x':
		return r.longText()
	case 'T':
		return time.Unix(int64(r.longer()), 0).UTC()
	case 'F':
		return r.tableAt(depth + 1)
	case 'A':
		in := &reader{left: r.take(int(r.long()))}
		list := []any{}
		for r.err == nil && len(in.left) > 0 {
			list = append(list, in.value(depth+1))
			r.err = in.err
		}
		return list
	case 'V':
		return nil
	}
	r.err = errProtocol
	return nil
}

// appendTable adds a table of texts.
func appendTable(out []byte, fields harness.Head) []byte {
	var body []byte
	for _, f := range fields {
		body = append(append(body, shortText(f.Name)...), 'S')
		body = append(body, longText([]byte(f.Value))...)
	}
	return append(out, longText(body)...)
}

// property is a row of the table of what a content header may hold, in its order.
type property struct {
	name  string // as the recorder writes it; empty: it is not kept
	read  func(r *reader, d *amqp091.Delivery)
	write func(text string) []byte
}

// properties are those of class basic, section 1.8.1.5.
var properties = []property{
	{"content-type", func(r *reader, d *amqp091.Delivery) { d.ContentType = r.shortText() }, shortText},
	{"content-encoding", func(r *reader, d *amqp091.Delivery) { d.ContentEncoding = r.shortText() }, shortText},
	{"", func(r *reader, d *amqp091.Delivery) { d.Headers = r.table() }, nil},
	{"delivery-mode", func(r *reader, d *amqp091.Delivery) { d.DeliveryMode = r.byte() }, smallNumber},
	{"priority", func(r *reader, d *amqp091.Delivery) { d.Priority = r.byte() }, smallNumber},
	{fieldCorrelation, func(r *reader, d *amqp091.Delivery) { d.CorrelationId = r.shortText() }, shortText},
	{fieldReply, func(r *reader, d *amqp091.Delivery) { d.ReplyTo = r.shortText() }, shortText},
	{"expiration", func(r *reader, d *amqp091.Delivery) { d.Expiration = r.shortText() }, shortText},
	{"message-id", func(r *reader, d *amqp091.Delivery) { d.MessageId = r.shortText() }, shortText},
	{"timestamp", func(r *reader, d *amqp091.Delivery) { d.Timestamp = time.Unix(int64(r.longer()), 0).UTC() }, seconds},
	{"type", func(r *reader, d *amqp091.Delivery) { d.Type = r.shortText() }, shortText},
	{"user-id", func(r *reader, d *amqp091.Delivery) { d.UserId = r.shortText() }, shortText},
	{"app-id", func(r *reader, d *amqp091.Delivery) { d.AppId = r.shortText() }, shortText},
	{"", func(r *reader, _ *amqp091.Delivery) { r.shortText() }, nil}, // cluster-id
}

func smallNumber(text string) []byte {
	n, _ := strconv.ParseUint(text, 10, 8) //nolint:errcheck // 0: it is not one
	return []byte{byte(n)}
}

func seconds(text string) []byte {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return make([]byte, 8)
	}
	return binary.BigEndian.AppendUint64(nil, uint64(at.Unix()))
}

// fieldExchange is where a message was published; it is none of its own headers.
const fieldExchange = "exchange"

// readProperties reads the flags of a content header and what they announce.
func (r *reader) readProperties(d *amqp091.Delivery) {
	flags := r.short()
	for i, p := range properties {
		if flags&(1<<(15-i)) != 0 {
			p.read(r, d)
		}
	}
}

// packProperties writes the flags and properties that a recorded head holds. What is no property is a header, as text: the
// recording does not tell whether it was a number.
func packProperties(head harness.Head) []byte {
	var flags uint16
	var body []byte
	headers := slices.DeleteFunc(slices.Clone(head), func(f harness.Field) bool {
		return f.Name == fieldExchange || slices.ContainsFunc(properties, func(p property) bool { return p.name == f.Name })
	})
	for i, p := range properties {
		switch {
		case p.write != nil && head.Has(p.name):
			body = append(body, p.write(head.Get(p.name))...)
		case i == 2 && len(headers) > 0:
			body = appendTable(body, headers)
		default:
			continue
		}
		flags |= 1 << (15 - i)
	}
	return append(short(flags), body...)
}
