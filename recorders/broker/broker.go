package broker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
	"github.com/rehearse-dev/rehearse/recorders/internal/clock"
	"github.com/rehearse-dev/rehearse/recorders/internal/refusals"
)

// DefaultSettle is how long a recording that is asked to stop waits for messages that are on their way.
const DefaultSettle = 300 * time.Millisecond

// longestSettle bounds that wait where messages never stop.
const longestSettle = 5 * time.Second

// connectTime is how long a broker may take until it has let the recorder in.
const connectTime = 15 * time.Second

// backlog is how many messages may wait for the sink.
const backlog = 1024

// Reasons with which messages are counted as dropped.
const (
	DropBroken = "the connection to the broker was lost: what crossed meanwhile is not known"
	DropSlow   = "the recorder was too slow"
	DropSink   = refusals.Reason
)

// Recorder listens at a broker. Its fields must not change once it is used. It is used once: Record ends it.
type Recorder struct {
	Source   string // URL of the broker, without a password
	Password string
	Topics   []string      // what to listen to, in the broker's own form; at least one
	From, To string        // names of the systems: who publishes, and who consumes
	Existing bool          // what the broker retains from before the start is recorded, too
	Settle   time.Duration // 0 is DefaultSettle
	Now      func() time.Time

	scheme string // kind of broker
	taps   intake
	stop   func()
}

// message is what a broker delivers.
type message struct {
	topic    string
	reply    string       // topic that an answer goes to; empty: nobody waits for one
	status   string       // of a message of NATS's own
	recorded bool         // it comes from a recording
	retain   bool         // MQTT keeps it for those who subscribe later
	head     harness.Head // without the topic
	media    string       // as the broker or a header names it; with parameters
	session  string
	payload  []byte
	at       time.Time // when it was published; zero: not known
}

// intake takes what the client library of a broker calls back with. It is safe for concurrent use.
type intake struct {
	messages chan message
	drops    chan string
	done     chan struct{} // closed when nobody takes any more
}

func (in *intake) deliver(m message) {
	select {
	case in.messages <- m:
	case <-in.done:
	}
}

func (in *intake) drop(reason string) {
	select {
	case in.drops <- reason:
	case <-in.done:
	}
}

// protocol is one row of the table of brokers.
type protocol struct {
	schemes []string
	form    string // of the source, for people
	topics  string // form of a topic, for people
	// listen connects and subscribes; what is published after it returns is delivered until stop is called.
	listen func(ctx context.Context, r *Recorder, u *url.URL) (stop func(), err error)
}

// protocols is the table of brokers.
var protocols = []protocol{amqp, kafka, nats, mqtt}

// Open connects and subscribes: what is published after it returns will be recorded, once Record runs. The error is a
// [harness.Problem].
func (r *Recorder) Open(ctx context.Context) error {
	u, err := url.Parse(r.Source)
	var forms []string
	for _, p := range protocols {
		forms = append(forms, p.form)
		if err != nil || !slices.Contains(p.schemes, u.Scheme) {
			continue
		}
		if err := harness.WithoutPassword("record messages", u, "with --password env:NAME"); err != nil {
			return err
		}
		if len(r.Topics) == 0 {
			return harness.Usage(errors.New("record messages: no topic is named"), "name one with --topic "+p.topics+"; repeat it for more")
		}
		r.taps = intake{make(chan message, backlog), make(chan string, backlog), make(chan struct{})}
		r.scheme = p.schemes[0]
		if r.stop, err = p.listen(ctx, r, u); err != nil {
			if _, ok := errors.AsType[*harness.Problem](err); ok {
				return err
			}
			return harness.CannotRun(fmt.Errorf("listen at %s: %w", r.Source, err), "check that the broker runs, and that the user may read the topics")
		}
		return nil
	}
	return harness.Usage(fmt.Errorf("record messages: %q is not a broker", r.Source), "write it as "+strings.Join(forms, ", "))
}

// Record puts every message into the sink until the context is done, and then those that are still on their way. It
// returns nil unless the sink refused an exchange.
func (r *Recorder) Record(ctx context.Context, sink harness.Sink) error {
	if r.stop == nil {
		if err := r.Open(ctx); err != nil {
			return err
		}
	}
	defer r.stop()
	defer close(r.taps.done)
	var refused refusals.Refusals
	take := func(m message) { refused.Put(sink, r.exchange(m)) }
	for ctx.Err() == nil {
		select {
		case m := <-r.taps.messages:
			take(m)
		case reason := <-r.taps.drops:
			sink.Drop(reason)
		case <-ctx.Done():
		}
	}
	end := time.After(longestSettle)
	for quiet := false; !quiet; {
		select {
		case m := <-r.taps.messages:
			take(m)
		case reason := <-r.taps.drops:
			sink.Drop(reason)
		case <-time.After(cmp.Or(r.Settle, DefaultSettle)):
			quiet = true
		case <-end:
			quiet = true
		}
	}
	return refused.Err("messages of %s", r.Source)
}

func (r *Recorder) exchange(m message) harness.Exchange {
	if m.at.IsZero() {
		m.at = r.now()
	}
	return exchangeOf(m, r.scheme, r.From, r.To)
}

// exchangeOf is a message as it is recorded.
func exchangeOf(m message, scheme, from, to string) harness.Exchange {
	head := harness.Head{{Name: harness.FieldTopic, Value: m.topic}, {Name: harness.FieldBroker, Value: scheme}}
	return harness.Exchange{
		Session: m.session, Channel: harness.ChannelMessage, From: from, To: to, At: m.at.UTC(),
		Request: harness.Message{Head: append(head, m.head...), Media: mediaOf(m), Body: harness.BytesBody(m.payload)},
	}
}

// mediaOf is what the message says that it holds, or what it looks like.
func mediaOf(m message) string {
	media, _, _ := strings.Cut(m.media, ";")
	if media = strings.ToLower(strings.TrimSpace(media)); media != "" || len(m.payload) == 0 {
		return media
	}
	switch payload.FormatOf("", "", m.payload).Name {
	case "json":
		return "application/json"
	case "xml":
		return "application/xml"
	}
	return ""
}

func (r *Recorder) now() time.Time { return clock.Read(r.Now) }

// correlated are the names of headers that tell which unit of work a message belongs to.
var correlated = []string{"correlation-id", "correlationId", "x-correlation-id", "correlation_id"}

// known reads the content type and the correlation id that producers write into headers.
func known(head harness.Head) (media, session string) {
	for _, name := range correlated {
		session = cmp.Or(session, head.Get(name))
	}
	return head.Get("content-type"), session
}
