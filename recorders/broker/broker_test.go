package broker

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rabbitmq/amqp091-go"

	"github.com/rehearse-dev/rehearse/harness"
)

var _ harness.Recorder = (*Recorder)(nil)

// The firehose of RabbitMQ repeats a message inside of another one.
func TestMessagesOfTheFirehoseAreUnwrapped(t *testing.T) {
	m := amqpMessage(amqp091.Delivery{Exchange: firehose, RoutingKey: "publish.", Body: []byte("a"), Headers: amqp091.Table{
		"exchange_name": "", "routing_keys": []any{"worker"}, "node": "rabbit@sis",
		"properties": amqp091.Table{"content_type": "text/plain", "delivery_mode": int32(2), "correlation_id": "c-1", "headers": amqp091.Table{"tenant": "hlu"}},
	}})
	want := message{topic: "worker", media: "text/plain", session: "c-1", payload: []byte("a"), head: harness.Head{
		{Name: "content-type", Value: "text/plain"}, {Name: "correlation-id", Value: "c-1"}, {Name: "delivery-mode", Value: "2"}, {Name: "tenant", Value: "hlu"}}}
	if diff := cmp.Diff(want, m, cmp.AllowUnexported(message{})); diff != "" {
		t.Errorf("message (-want +got):\n%s", diff)
	}
}

func TestWhatCannotBeRecordedIsSaid(t *testing.T) {
	for _, tt := range []struct {
		why   string
		r     Recorder
		want  string
		class harness.Class
	}{
		{"not a broker", Recorder{Source: "jms://sis", Topics: []string{"a"}}, "is not a broker", harness.ClassUsage},
		{"no topic", Recorder{Source: "nats://127.0.0.1:1"}, "no topic is named", harness.ClassUsage},
		{"a password on the command line", Recorder{Source: "amqp://loader:hurons@127.0.0.1:1/", Topics: []string{"a"}}, "a password stands in the source", harness.ClassUsage},
		{"nobody listens", Recorder{Source: "amqp://loader@127.0.0.1:1/", Topics: []string{"a"}}, "listen at amqp", harness.ClassCannotRun},
		{"nobody listens", Recorder{Source: "nats://127.0.0.1:1", Topics: []string{"a"}}, "listen at nats", harness.ClassCannotRun},
		{"nobody listens", Recorder{Source: "mqtt://127.0.0.1:1", Topics: []string{"a"}}, "listen at mqtt", harness.ClassCannotRun},
	} {
		err := tt.r.Open(t.Context())
		if err == nil || !strings.Contains(err.Error(), tt.want) || harness.ClassOf(err) != tt.class {
			t.Errorf("%s: error %v of class %v, want %q of class %v", tt.why, err, harness.ClassOf(err), tt.want, tt.class)
		} else if strings.Contains(err.Error(), "hurons") {
			t.Errorf("%s: the error holds the password", tt.why)
		}
	}
}
