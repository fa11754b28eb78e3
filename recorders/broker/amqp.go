package broker

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rabbitmq/amqp091-go"

	"github.com/rehearse-dev/rehearse/harness"
)

// firehose is the exchange of RabbitMQ's that repeats every message that is published or delivered.
const firehose = "amq.rabbitmq.trace"

var amqp = protocol{
	schemes: []string{"amqp", "amqps"}, form: "amqp://USER@HOST/VHOST", topics: "EXCHANGE:KEY",
	listen: func(ctx context.Context, r *Recorder, u *url.URL) (func(), error) {
		t := &amqpTap{r: r, uri: *u, ended: make(chan struct{})}
		if r.Password != "" {
			t.uri.User = url.UserPassword(u.User.Username(), r.Password)
		}
		deliveries, err := t.connect()
		if err != nil {
			return nil, err
		}
		stopped, cancel := context.WithCancel(context.WithoutCancel(ctx))
		go t.run(stopped, deliveries) // ends with cancel
		return func() {
			cancel()
			<-t.ended
		}, nil
	},
}

// amqpTap holds a connection, and makes it again when it breaks.
type amqpTap struct {
	r     *Recorder
	uri   url.URL
	conn  *amqp091.Connection
	ended chan struct{}
}

// connect binds a queue that is ours alone and goes away with the connection.
func (t *amqpTap) connect() (<-chan amqp091.Delivery, error) {
	conn, err := amqp091.DialConfig(t.uri.String(), amqp091.Config{Dial: amqp091.DefaultDial(connectTime)})
	if err != nil {
		return nil, err
	}
	t.conn = conn
	ch, err := conn.Channel()
	if err != nil {
		return nil, t.giveUp(err)
	}
	q, err := ch.QueueDeclare("", false, true, true, false, nil)
	if err != nil {
		return nil, t.giveUp(err)
	}
	for _, topic := range t.r.Topics {
		exchange, key, ok := strings.Cut(topic, ":")
		if !ok {
			key = "#"
		}
		if err := ch.QueueBind(q.Name, key, exchange, false, nil); err != nil {
			return nil, t.giveUp(fmt.Errorf("bind to exchange %s: %w", exchange, err))
		}
	}
	deliveries, err := ch.Consume(q.Name, "", true, true, false, false, nil)
	if err != nil {
		return nil, t.giveUp(err)
	}
	return deliveries, nil
}

func (t *amqpTap) giveUp(err error) error {
	t.conn.Close() //nolint:errcheck // the first error says it
	return err
}

// run delivers until it is stopped.
func (t *amqpTap) run(ctx context.Context, deliveries <-chan amqp091.Delivery) {
	defer close(t.ended)
	for {
		select {
		case <-ctx.Done():
			t.conn.Close() //nolint:errcheck // nothing is sent
			return
		case d, ok := <-deliveries:
			if ok {
				t.r.taps.deliver(amqpMessage(d))
				continue
			}
		}
		t.r.taps.drop(DropBroken)
		if deliveries = t.again(ctx); deliveries == nil {
			return
		}
	}
}

// again connects anew, once a second, until it works or is stopped.
func (t *amqpTap) again(ctx context.Context) <-chan amqp091.Delivery {
	for {
		if deliveries, err := t.connect(); err == nil {
			return deliveries
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
}

func amqpMessage(d amqp091.Delivery) message {
	exchange, key, headers := d.Exchange, d.RoutingKey, d.Headers
	if exchange == firehose {
		exchange, key, headers = unwrap(&d)
	}
	m := message{topic: key, payload: d.Body, at: d.Timestamp, media: d.ContentType, session: d.CorrelationId}
	if exchange != "" {
		m.topic = strings.TrimSuffix(exchange+"."+key, ".")
		m.head = append(m.head, harness.Field{Name: "exchange", Value: exchange})
	}
	for _, p := range []harness.Field{
		{Name: "content-type", Value: d.ContentType}, {Name: "content-encoding", Value: d.ContentEncoding},
		{Name: "correlation-id", Value: d.CorrelationId}, {Name: "message-id", Value: d.MessageId}, {Name: "reply-to", Value: d.ReplyTo},
		{Name: "type", Value: d.Type}, {Name: "app-id", Value: d.AppId}, {Name: "user-id", Value: d.UserId},
		{Name: "expiration", Value: d.Expiration}, {Name: "priority", Value: unlessZero(d.Priority)}, {Name: "delivery-mode", Value: unlessZero(d.DeliveryMode)},
	} {
		if p.Value != "" {
			m.head = append(m.head, p)
		}
	}
	if !d.Timestamp.IsZero() {
		m.head = append(m.head, harness.Field{Name: "timestamp", Value: d.Timestamp.UTC().Format(time.RFC3339)})
	}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		m.head = append(m.head, harness.Field{Name: name, Value: amqpText(headers[name])})
	}
	return m
}

// unwrap puts the message that the firehose repeats in place of the one that repeats it.
func unwrap(d *amqp091.Delivery) (exchange, key string, headers amqp091.Table) {
	exchange, _ = d.Headers["exchange_name"].(string)
	if keys, _ := d.Headers["routing_keys"].([]any); len(keys) > 0 {
		key, _ = keys[0].(string)
	}
	properties, _ := d.Headers["properties"].(amqp091.Table)
	of := func(name string) string {
		text, _ := properties[name].(string)
		return text
	}
	d.ContentType, d.ContentEncoding, d.CorrelationId, d.MessageId = of("content_type"), of("content_encoding"), of("correlation_id"), of("message_id")
	d.ReplyTo, d.Type, d.AppId, d.UserId, d.Expiration = of("reply_to"), of("type"), of("app_id"), of("user_id"), of("expiration")
	d.Timestamp, _ = properties["timestamp"].(time.Time)
	d.Priority, d.DeliveryMode = small(properties["priority"]), small(properties["delivery_mode"])
	headers, _ = properties["headers"].(amqp091.Table)
	return exchange, key, headers
}

func small(value any) uint8 {
	n, _ := strconv.ParseUint(fmt.Sprint(value), 10, 8)
	return uint8(n)
}

func unlessZero(n uint8) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(int(n))
}

// amqpText writes a value of a table as text, nested ones as Go prints them sorted.
func amqpText(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case []byte:
		if utf8.Valid(v) {
			return string(v)
		}
		return hex.EncodeToString(v)
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	case nil:
		return ""
	}
	return fmt.Sprint(value)
}
