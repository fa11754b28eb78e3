package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/google/go-cmp/cmp"
	client "github.com/nats-io/nats.go"
	"github.com/rabbitmq/amqp091-go"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/recordtest"
)

// crossing is a recorded message: who to whom, its topic, head and payload.
func crossing(scheme, from, to, topic string, head harness.Head, body string) harness.Exchange {
	return exchangeOf(message{topic: topic, head: head, payload: []byte(body), at: time.Unix(1, 0)}, scheme, from, to)
}

// playing is a stand-in for sis that runs.
type playing struct {
	*StandIn
	t       *testing.T
	mem     *harness.Memory
	address string
}

func play(t *testing.T, scheme string, held bool, xs ...harness.Exchange) *playing {
	t.Helper()
	s, err := NewStandIn(harness.NewMemory(harness.Manifest{}, xs...), scheme, []string{"sis"})
	recordtest.Must(t, err)
	p := &playing{s, t, harness.NewMemory(harness.Manifest{}), ""}
	s.From, s.Sink, s.Held = "hub", p.mem, held
	addr, err := s.Listen("127.0.0.1:0")
	recordtest.Must(t, err)
	p.address = addr.String()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			recordtest.Must(t, err)
		case <-time.After(patience):
			t.Error("Serve does not end")
		}
	})
	return p
}

// told is what clients published, once it is so many messages.
func (p *playing) told(n int) []string {
	p.t.Helper()
	r := &running{p.t, p.mem, func() error { return nil }}
	r.await(n)
	return r.told()
}

// exactly takes so many texts from a channel and sees that no other is there when done has returned.
func exactly(t *testing.T, from <-chan string, n int, done func()) (got []string) {
	t.Helper()
	for len(got) < n {
		select {
		case text := <-from:
			got = append(got, text)
		case <-time.After(patience):
			t.Fatalf("%d messages came, want %d: %q", len(got), n, got)
		}
	}
	done()
	select {
	case text := <-from:
		t.Errorf("and then came %s", text)
	default:
	}
	return got
}

func equal(t *testing.T, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func natsClient(t *testing.T, p *playing) *client.Conn {
	t.Helper()
	conn, err := client.Connect("nats://anyone:anything@" + p.address)
	recordtest.Must(t, err)
	t.Cleanup(conn.Close)
	return conn
}

func TestNATSStandIn(t *testing.T) {
	p := play(t, "nats", false,
		crossing("nats", "sis", "hub", "students.1.created", harness.Head{{Name: "Content-Type", Value: "application/json"}, {Name: "Trace", Value: "a"}, {Name: "Trace", Value: "b"}}, `{"id":1}`),
		crossing("nats", "sis", "hub", "grades.1", nil, ""),
		crossing("nats", "sis", "hub", "students.2.created", harness.Head{{Name: "reply-to", Value: "answers.2"}}, "two"),
		crossing("nats", "sis", "hub", "nobody.listens", nil, "x"),
		crossing("nats", "hub", "lms", "courses", nil, "not of sis"),
		crossing("nats", "hub", "sis", "answers.2", nil, "fine"),
		crossing("nats", "hub", "sis", "ask.price", harness.Head{{Name: "reply-to", Value: "_INBOX.recorded"}}, "?"),
		crossing("nats", "sis", "hub", "_INBOX.recorded", harness.Head{{Name: "Unit", Value: "cents"}}, "350"),
		crossing("mqtt", "sis", "hub", "students.3.created", nil, "not of this broker"),
	)
	conn := natsClient(t, p)
	got := make(chan string, 100)
	tell := func(m *client.Msg) {
		if m.Reply != "" {
			m.Respond([]byte("fine")) //nolint:errcheck // it is awaited below
		}
		got <- fmt.Sprintf("%s %s %q %v", m.Subject, m.Reply, m.Data, m.Header)
	}
	came := make(chan *client.Msg, 100) // of both, in the order in which they came
	go func() {
		for m := range came {
			tell(m)
		}
	}()
	for _, subject := range []string{"students.*.created", "grades.>"} {
		_, err := conn.ChanSubscribe(subject, came)
		recordtest.Must(t, err)
	}
	equal(t, []string{
		`students.1.created  "{\"id\":1}" map[Content-Type:[application/json] Trace:[a b]]`, `grades.1  "" map[]`, `students.2.created answers.2 "two" map[]`,
	}, exactly(t, got, 3, func() { recordtest.Must(t, conn.Flush()) }))
	answer, err := conn.Request("ask.price", []byte("?"), patience)
	recordtest.Must(t, err)
	equal(t, `350 map[Unit:[cents]]`, fmt.Sprintf("%s %v", answer.Data, answer.Header))
	if _, err := conn.Request("ask.nothing", nil, patience); !errors.Is(err, client.ErrNoResponders) {
		t.Errorf("a request that nobody answers: %v", err)
	}
	lines := p.told(3)
	for i, want := range []string{`hub>sis "" :topic=answers.2 :broker=nats [] "fine"`, `:topic=ask.price :broker=nats reply-to=_INBOX.`, `:topic=ask.nothing :broker=nats reply-to=_INBOX.`} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("%s, want %s", lines[i], want)
		}
	}
	if _, left := p.Said(); len(left) != 1 || left[0].Title() != "nobody.listens" {
		t.Errorf("unsaid: %v", left)
	}
	equal(t, []string{"sis"}, p.Systems())
}

// A recorder that listens to a stand-in records the recording.
func TestARecordingOfAStandInIsTheRecording(t *testing.T) {
	for _, tt := range []struct {
		scheme, topic string
		heads         []harness.Head
	}{
		{"nats", ">", []harness.Head{nil, {{Name: "X", Value: "1"}, {Name: "X", Value: "2"}}}},
		{"kafka", "students", []harness.Head{nil, {{Name: "key", Value: "H1"}, {Name: "X", Value: "1"}, {Name: "X", Value: "2"}}, {{Name: "correlation-id", Value: "c"}, {Name: "content-type", Value: "text/plain"}}}},
		{"mqtt", "#", []harness.Head{qos("0", ""), qos("1", ""), qos("2", "")}},
		{"amqp", "students:#", []harness.Head{{{Name: "exchange", Value: "students"}}, {
			{Name: "exchange", Value: "students"}, {Name: "content-type", Value: "text/plain"}, {Name: "content-encoding", Value: "identity"}, {Name: "correlation-id", Value: "c"},
			{Name: "message-id", Value: "m"}, {Name: "reply-to", Value: "r"}, {Name: "type", Value: "t"}, {Name: "app-id", Value: "a"}, {Name: "user-id", Value: "u"}, {Name: "expiration", Value: "60000"},
			{Name: "priority", Value: "7"}, {Name: "delivery-mode", Value: "2"}, {Name: "timestamp", Value: "2026-10-05T01:00:00Z"}, {Name: "a", Value: "1"}, {Name: "b", Value: "é"}}}},
	} {
		var xs []harness.Exchange
		for n := range crowd {
			topic := map[string]string{"nats": "students.%d", "mqtt": "students/%d", "amqp": "students.%d", "kafka": "students"}[tt.scheme]
			x := crossing(tt.scheme, "sis", "lms", strings.ReplaceAll(topic, "%d", strconv.Itoa(n)), tt.heads[n%len(tt.heads)], fmt.Sprintf(`{"id":"H%d"}`, n))
			x.Session = x.Request.Head.Get(fieldCorrelation)
			if media := x.Request.Head.Get("content-type"); media != "" {
				x.Request.Media = media
			}
			xs = append(xs, x)
		}
		p := play(t, tt.scheme, false, xs...)
		r := start(t, &Recorder{Source: tt.scheme + "://anyone@" + p.address, Password: "anything", Topics: []string{tt.topic}})
		r.await(crowd)
		want := &running{t, harness.NewMemory(harness.Manifest{}, xs...), func() error { return nil }}
		equal(t, want.told(), r.told())
	}
}

// What clients publish reaches those who listen; members of a queue group share it.
func TestNATSClientsReachEachOther(t *testing.T) {
	p := play(t, "nats", true, crossing("nats", "sis", "hub", "a", nil, "held back"))
	conn, other := natsClient(t, p), natsClient(t, p)
	shared, all := make(chan string, 100), make(chan string, 100)
	for _, c := range []*client.Conn{conn, other} {
		_, err := c.QueueSubscribe("a", "workers", func(m *client.Msg) { shared <- string(m.Data) })
		recordtest.Must(t, err)
	}
	limited, err := other.Subscribe(">", func(m *client.Msg) { all <- m.Subject + " " + m.Header.Get("N") })
	recordtest.Must(t, err)
	recordtest.Must(t, limited.AutoUnsubscribe(3))
	recordtest.Must(t, conn.Flush())
	recordtest.Must(t, other.Flush())
	var want []string
	for n := range 10 {
		recordtest.Must(t, conn.PublishMsg(&client.Msg{Subject: "a", Data: []byte{'0' + byte(n)}, Header: client.Header{"N": {fmt.Sprint(n)}}}))
		want = append(want, fmt.Sprint(n))
	}
	got := exactly(t, shared, 10, func() { recordtest.Must(t, conn.Flush()); recordtest.Must(t, other.Flush()) })
	slices.Sort(got)
	equal(t, want, got)
	equal(t, []string{"a 0", "a 1", "a 2"}, exactly(t, all, 3, func() { recordtest.Must(t, other.Flush()) }))
	equal(t, `hub>sis "" :topic=a :broker=nats N=9 [] "9"`, p.told(10)[9])
}

func mqttClient(t *testing.T, p *playing, change func(*paho.ClientOptions)) paho.Client {
	t.Helper()
	o := paho.NewClientOptions().AddBroker("tcp://" + p.address).SetUsername("anyone").SetPassword("anything").SetAutoReconnect(false).SetOrderMatters(true)
	if change != nil {
		change(o)
	}
	c := paho.NewClient(o)
	recordtest.Must(t, done(c.Connect(), "connect"))
	t.Cleanup(func() { c.Disconnect(0) })
	return c
}

func qos(level, retained string) harness.Head {
	head := harness.Head{{Name: "qos", Value: level}}
	if retained != "" {
		head = append(head, harness.Field{Name: "retained", Value: retained})
	}
	return head
}

func TestMQTTStandIn(t *testing.T) {
	p := play(t, "mqtt", false,
		crossing("mqtt", "sis", "hub", "students/1", qos("0", ""), "one"),
		crossing("mqtt", "sis", "hub", "students/2", qos("1", ""), "two"),
		crossing("mqtt", "sis", "hub", "state", qos("2", "true"), "on"),
		crossing("mqtt", "sis", "hub", "students/3", qos("2", ""), strings.Repeat("x", 300_000)),
		crossing("mqtt", "sis", "hub", "other", qos("2", ""), "nobody"),
		crossing("mqtt", "hub", "lms", "courses", qos("1", ""), "not of sis"),
	)
	got := make(chan string, 100)
	c := mqttClient(t, p, func(o *paho.ClientOptions) {
		o.SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
			got <- fmt.Sprintf("%s %d %v %d", m.Topic(), m.Qos(), m.Retained(), len(m.Payload()))
		})
	})
	token := c.SubscribeMultiple(map[string]byte{"students/+": 2, "students/#": 1, "state": 1}, nil) // two that fit are no two messages
	recordtest.Must(t, done(token, "subscribe"))
	equal(t, []string{"students/1 0 false 3", "students/2 1 false 3", "state 1 true 2", "students/3 2 false 300000"}, exactly(t, got, 4, func() {}))
	for level := range byte(3) {
		recordtest.Must(t, done(c.Publish("grades/"+fmt.Sprint(level), level, false, []byte("A")), "publish"))
	}
	equal(t, []string{
		`hub>sis "" :topic=grades/0 :broker=mqtt qos=0 [] "A"`, `hub>sis "" :topic=grades/1 :broker=mqtt qos=1 [] "A"`, `hub>sis "" :topic=grades/2 :broker=mqtt qos=2 [] "A"`,
	}, p.told(3))
	if _, left := p.Said(); len(left) != 1 || left[0].Title() != "other" {
		t.Errorf("unsaid: %v", left)
	}
}

func TestMQTTKeepsWhatIsRetained(t *testing.T) {
	p := play(t, "mqtt", true, crossing("mqtt", "sis", "hub", "a", qos("1", ""), "held back"))
	c := mqttClient(t, p, func(o *paho.ClientOptions) { o.SetWill("gone", "hub", 1, false) })
	recordtest.Must(t, done(c.Publish("state/a", 1, true, "first"), "publish"))
	recordtest.Must(t, done(c.Publish("state/a", 1, true, "second"), "publish"))
	recordtest.Must(t, done(c.Publish("state/b", 1, true, "x"), "publish"))
	recordtest.Must(t, done(c.Publish("state/b", 1, true, ""), "publish"))
	other := mqttClient(t, p, nil)
	got := make(chan string, 100)
	recordtest.Must(t, done(other.Subscribe("#", 2, func(_ paho.Client, m paho.Message) {
		got <- fmt.Sprintf("%s %v %s", m.Topic(), m.Retained(), m.Payload())
	}), "subscribe"))
	recordtest.Must(t, done(c.Publish("state/a", 0, false, "third"), "publish"))
	equal(t, []string{"state/a true second", "state/a false third"}, exactly(t, got, 2, func() {}))
	recordtest.Must(t, done(other.Unsubscribe("#"), "unsubscribe"))
	recordtest.Must(t, done(c.Publish("state/c", 1, false, "nobody"), "publish"))
	equal(t, []string(nil), exactly(t, got, 0, func() {}))
}

func amqpClient(t *testing.T, p *playing) *amqp091.Channel {
	t.Helper()
	conn, err := amqp091.Dial("amqp://anyone:anything@" + p.address + "/any")
	recordtest.Must(t, err)
	t.Cleanup(func() { conn.Close() })
	ch, err := conn.Channel()
	recordtest.Must(t, err)
	return ch
}

// deliveries passes on what a consumer gets as texts, and acknowledges it when acknowledge says so.
func deliveries(t *testing.T, ch *amqp091.Channel, queue string, auto bool) <-chan string {
	t.Helper()
	from, err := ch.Consume(queue, "", auto, false, false, false, nil)
	recordtest.Must(t, err)
	got := make(chan string, 100)
	go func() {
		for d := range from {
			got <- fmt.Sprintf("%s %s %s %s %d %s %v %v", d.Exchange, d.RoutingKey, d.ContentType, d.CorrelationId, d.DeliveryMode, d.Timestamp.UTC().Format(time.DateOnly), d.Headers, len(d.Body))
			if !auto {
				d.Ack(false) //nolint:errcheck // the stand-in waits for it
			}
		}
	}()
	return got
}

func TestAMQPStandIn(t *testing.T) {
	p := play(t, "amqp", false,
		crossing("amqp", "sis", "hub", "students.student.1.updated", harness.Head{
			{Name: "exchange", Value: "students"}, {Name: "content-type", Value: "application/json"}, {Name: "correlation-id", Value: "c-1"},
			{Name: "delivery-mode", Value: "2"}, {Name: "timestamp", Value: "2026-10-05T01:00:00Z"}, {Name: "tenant", Value: "hlu"}}, `{"id":1}`),
		crossing("amqp", "sis", "hub", "students.grade.1", harness.Head{{Name: "exchange", Value: "students"}}, "not bound"),
		crossing("amqp", "sis", "hub", "worker", nil, strings.Repeat("x", 300_000)),
		crossing("amqp", "sis", "hub", "students.student.2.updated", harness.Head{{Name: "exchange", Value: "students"}}, ""),
		crossing("amqp", "hub", "sis", "prices", harness.Head{{Name: "reply-to", Value: "amq.gen-recorded"}, {Name: "correlation-id", Value: "r-1"}}, "?"),
		crossing("amqp", "sis", "hub", "amq.gen-recorded", harness.Head{{Name: "correlation-id", Value: "r-1"}}, "350"),
	)
	ch := amqpClient(t, p)
	recordtest.Must(t, ch.Qos(1, 0, false))
	recordtest.Must(t, ch.ExchangeDeclare("students", "topic", true, false, false, false, nil))
	_, err := ch.QueueDeclare("worker", true, false, false, false, nil)
	recordtest.Must(t, err)
	recordtest.Must(t, ch.QueueBind("worker", "student.#", "students", false, nil))
	got := deliveries(t, ch, "worker", false)
	equal(t, []string{
		"students student.1.updated application/json c-1 2 2026-10-05 map[tenant:hlu] 8", " worker   0 0001-01-01 map[] 300000", "students student.2.updated   0 0001-01-01 map[] 0",
	}, exactly(t, got, 3, func() {}))

	asking := amqpClient(t, p)
	recordtest.Must(t, asking.Confirm(false))
	inbox, err := asking.QueueDeclare("", false, true, true, false, nil)
	recordtest.Must(t, err)
	answers := deliveries(t, asking, inbox.Name, true)
	sure, err := asking.PublishWithDeferredConfirm("", "prices", true, false, amqp091.Publishing{ReplyTo: inbox.Name, CorrelationId: "live-7", Body: []byte("?"), Headers: amqp091.Table{"n": int64(2), "deep": amqp091.Table{"list": []any{true, "x"}}}})
	recordtest.Must(t, err)
	if !sure.Wait() {
		t.Error("the message is not confirmed")
	}
	equal(t, []string{" " + inbox.Name + "  live-7 0 0001-01-01 map[] 3"}, exactly(t, answers, 1, func() {}))
	line := p.told(1)[0]
	for _, want := range []string{`hub>sis "live-7" :topic=prices :broker=amqp correlation-id=live-7 reply-to=` + inbox.Name, " n=2 ", "deep=map[list:[true x]]"} {
		if !strings.Contains(line, want) {
			t.Errorf("%s, want %s", line, want)
		}
	}
	if _, left := p.Said(); len(left) != 1 || left[0].Title() != "students.grade.1" {
		t.Errorf("unsaid: %v", left)
	}
}

// A queue that somebody else made and bound gets what was recorded; what is not acknowledged comes again.
func TestAMQPQueuesOfOthers(t *testing.T) {
	p := play(t, "amqp", false,
		crossing("amqp", "sis", "hub", "events.1", harness.Head{{Name: "exchange", Value: "events"}}, "1"),
		crossing("amqp", "sis", "hub", "events.2", harness.Head{{Name: "exchange", Value: "events"}}, "2"),
	)
	ch := amqpClient(t, p)
	from, err := ch.Consume("made-elsewhere", "", false, false, false, false, nil)
	recordtest.Must(t, err)
	var seen []string
	for range 2 {
		select {
		case d := <-from:
			seen = append(seen, fmt.Sprintf("%s %v", d.Body, d.Redelivered))
			if string(d.Body) == "2" {
				recordtest.Must(t, d.Ack(false))
			}
		case <-time.After(patience):
			t.Fatal("nothing came")
		}
	}
	recordtest.Must(t, ch.Close())
	ch = amqpClient(t, p)
	var d amqp091.Delivery
	for deadline, ok := time.Now().Add(patience), false; !ok && time.Now().Before(deadline); {
		d, ok, err = ch.Get("made-elsewhere", false)
		recordtest.Must(t, err)
	}
	seen = append(seen, fmt.Sprintf("%s %v", d.Body, d.Redelivered))
	recordtest.Must(t, d.Nack(false, false))
	equal(t, []string{"1 false", "2 false", "1 true"}, seen)
	q, err := ch.QueueDeclarePassive("made-elsewhere", false, false, false, false, nil)
	recordtest.Must(t, err)
	equal(t, 0, q.Messages)
	if err := ch.Tx(); err == nil || !strings.Contains(err.Error(), "NOT_IMPLEMENTED") {
		t.Errorf("a transaction: %v", err)
	}
}

// Deliver waits for whoever listens, and then for the acknowledgement.
func TestHeldMessagesGoOutOneByOne(t *testing.T) {
	x := crossing("mqtt", "sis", "hub", "students/1", qos("1", ""), "one")
	x.ID = "000001"
	p := play(t, "mqtt", true, x)
	soon, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Deliver(soon, x); !errors.Is(err, ErrNobody) || err.Error() != "nobody is there who listens to students/1" {
		t.Errorf("error %v", err)
	}
	delivering := make(chan error, 1)
	go func() { delivering <- p.Deliver(t.Context(), x) }()
	got := make(chan string, 10)
	c := mqttClient(t, p, nil)
	recordtest.Must(t, done(c.Subscribe("students/#", 1, func(_ paho.Client, m paho.Message) { got <- string(m.Payload()) }), "subscribe"))
	select {
	case err := <-delivering:
		recordtest.Must(t, err)
	case <-time.After(patience):
		t.Fatal("Deliver does not end")
	}
	equal(t, []string{"one"}, exactly(t, got, 1, func() {}))
	if _, left := p.Said(); len(left) != 0 {
		t.Errorf("unsaid: %v", left)
	}
}

func TestPatternsOfTopics(t *testing.T) {
	for _, tt := range []struct {
		wire, pattern, topic string
		want                 bool
	}{
		{"nats", "a.*.c", "a.b.c", true}, {"nats", "a.*", "a.b.c", false}, {"nats", "a.>", "a", false}, {"nats", "a.>", "a.b.c", true}, {"nats", ">", "a", true}, {"nats", "a", "a.b", false},
		{"mqtt", "a/+/c", "a/b/c", true}, {"mqtt", "a/#", "a", true}, {"mqtt", "a/#", "ab", false}, {"mqtt", "+", "a/b", false}, {"mqtt", "+/+", "/b", true}, {"mqtt", "#", "$SYS/x", false}, {"mqtt", "$SYS/#", "$SYS/x", true},
		{"amqp", "a.*.c", "a.b.c", true}, {"amqp", "#", "", true}, {"amqp", "a.#", "a", true}, {"amqp", "#.c", "a.b.c", true}, {"amqp", "a.#.c", "a.c", true}, {"amqp", "a.*", "a", false},
	} {
		var got bool
		switch tt.wire {
		case "nats":
			got = (&natsSub{subject: strings.Split(tt.pattern, ".")}).hears(message{topic: tt.topic})
		case "mqtt":
			got = fits(tt.pattern, tt.topic)
		case "amqp":
			got = routes("topic", tt.pattern, tt.topic)
		}
		if tt.wire == "mqtt" && !isFilter(tt.pattern) {
			t.Errorf("%s is no filter", tt.pattern)
		}
		if got != tt.want {
			t.Errorf("%s: %s fits %s: %v, want %v", tt.wire, tt.topic, tt.pattern, got, tt.want)
		}
	}
	for _, pattern := range []string{"", "a/#/b", "a+", "a/b#"} {
		if isFilter(pattern) {
			t.Errorf("%q is a filter", pattern)
		}
	}
}

// kafkaClient is a client of a stand-in, which lets in any user and password.
func kafkaClient(t *testing.T, p *playing, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append(options, kgo.SeedBrokers(p.address), kgo.SASL(plain.Auth{User: "anyone", Pass: "anything"}.AsMechanism()))...)
	recordtest.Must(t, err)
	t.Cleanup(c.Close)
	return c
}

// fetched is what a client gets until it is so many messages.
func fetched(t *testing.T, c *kgo.Client, n int) (lines []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for len(lines) < n {
		fetches := c.PollFetches(ctx)
		recordtest.Must(t, fetches.Err())
		fetches.EachRecord(func(r *kgo.Record) {
			lines = append(lines, fmt.Sprintf("%s %q %q %v", r.Topic, r.Key, r.Value, r.Headers))
		})
	}
	return lines
}

func TestKafkaStandIn(t *testing.T) {
	p := play(t, "kafka", false,
		crossing("kafka", "sis", "hub", "students", harness.Head{{Name: "key", Value: "1"}, {Name: "trace", Value: "a"}}, `{"id":1}`),
		crossing("kafka", "sis", "hub", "students", nil, strings.Repeat("x", 3_000_000)),
		crossing("kafka", "sis", "hub", "students", harness.Head{{Name: "key", Value: "2"}}, ""),
		crossing("kafka", "sis", "hub", "grades", nil, "A"),
		crossing("kafka", "sis", "hub", "nobody.reads", nil, "x"),
		crossing("kafka", "hub", "lms", "courses", nil, "not of sis"),
		crossing("kafka", "hub", "sis", "questions", harness.Head{{Name: "reply-to", Value: "answers"}, {Name: "correlation-id", Value: "recorded"}}, "?"),
		crossing("kafka", "sis", "hub", "answers", harness.Head{{Name: "correlation-id", Value: "recorded"}}, "350"),
	)
	big := fmt.Sprintf("students %q %q %v", "", strings.Repeat("x", 3_000_000), []kgo.RecordHeader{})
	late := kafkaClient(t, p, kgo.ConsumeTopics("students"), kgo.ConsumeResetOffset(kgo.NewOffset().AtEnd()), kgo.FetchMaxPartitionBytes(8<<20))
	equal(t, []string{`students "1" "{\"id\":1}" [{trace [97]}]`, big, `students "2" "" []`}, fetched(t, late, 3))
	group := kafkaClient(t, p, kgo.ConsumerGroup("loaders"), kgo.ConsumeTopics("grades"))
	equal(t, []string{`grades "" "A" []`}, fetched(t, group, 1))
	recordtest.Must(t, group.CommitUncommittedOffsets(t.Context()))

	asker := kafkaClient(t, p, kgo.ConsumeTopics("answers"), kgo.ProducerBatchCompression(kgo.ZstdCompression()))
	question := &kgo.Record{Topic: "questions", Value: []byte("?"), Headers: []kgo.RecordHeader{{Key: "reply-to", Value: []byte("answers")}, {Key: "correlation-id", Value: []byte("now")}}}
	recordtest.Must(t, asker.ProduceSync(t.Context(), question).FirstErr())
	equal(t, []string{`answers "" "350" [{correlation-id [110 111 119]}]`}, fetched(t, asker, 1))
	recordtest.Must(t, asker.ProduceSync(t.Context(), &kgo.Record{Topic: "students", Key: []byte("3"), Value: []byte("three")}).FirstErr())
	equal(t, []string{`students "3" "three" []`}, fetched(t, late, 1))
	equal(t, []string{
		`hub>sis "now" :topic=questions :broker=kafka reply-to=answers correlation-id=now [] "?"`,
		`hub>sis "" :topic=students :broker=kafka key=3 [] "three"`,
	}, p.told(2))
	if said, left := p.Said(); said != 5 || len(left) != 1 || left[0].Title() != "nobody.reads" {
		t.Errorf("said %d, unsaid: %v", said, left)
	}
}

// What is no Kafka, and whoever keeps his password to himself, loses his connection, and nobody else does.
func TestKafkaStandInRefuses(t *testing.T) {
	p := play(t, "kafka", false, crossing("kafka", "sis", "hub", "students", nil, "one"))
	for _, noise := range []string{"GET / HTTP/1.1\r\nHost: sis\r\n\r\n", "\x00\x00\x00\x04\x00\x12", "\xff\xff\xff\xff\xff\xff\xff\xff", "\x00\x00\x00\x00"} {
		conn, err := net.Dial("tcp", p.address)
		recordtest.Must(t, err)
		_, err = conn.Write([]byte(noise))
		recordtest.Must(t, err)
		recordtest.Must(t, conn.Close())
	}
	proud, err := kgo.NewClient(kgo.SeedBrokers(p.address), kgo.SASL(scram.Auth{User: "anyone", Pass: "anything"}.AsSha256Mechanism()))
	recordtest.Must(t, err)
	defer proud.Close()
	if err := proud.Ping(t.Context()); err == nil {
		t.Error("a password that is not shown is let in")
	}
	equal(t, []string{`students "" "one" []`}, fetched(t, kafkaClient(t, p, kgo.ConsumeTopics("students")), 1))
}
