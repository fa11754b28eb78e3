//go:build unix

package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/google/go-cmp/cmp"
	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rabbitmq/amqp091-go"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/recordtest"
)

const patience = 3 * time.Minute // a busy machine takes a minute to start a broker

// running is a recorder that runs.
type running struct {
	t    *testing.T
	mem  *harness.Memory
	stop func() error
}

func start(t *testing.T, r *Recorder) *running {
	t.Helper()
	r.From, r.To = "sis", "lms"
	if err := r.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	mem := harness.NewMemory(harness.Manifest{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Record(ctx, mem) }()
	return &running{t, mem, func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(patience):
			return errors.New("Record does not end")
		}
	}}
}

// await waits until so many exchanges were seen.
func (r *running) await(n int) {
	r.t.Helper()
	for deadline := time.Now().Add(patience); r.mem.Manifest().Counts.Seen < n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("%d exchanges seen, want %d", r.mem.Manifest().Counts.Seen, n)
		}
	}
}

// told is one line for each exchange: session, head and body.
func (r *running) told() []string {
	r.t.Helper()
	if err := r.stop(); err != nil {
		r.t.Fatal(err)
	}
	all, err := harness.Collect(r.mem)
	if err != nil {
		r.t.Fatal(err)
	}
	var lines []string
	for _, x := range all {
		body, err := x.Request.Body.Bytes()
		if err != nil {
			r.t.Fatal(err)
		}
		line := fmt.Sprintf("%s>%s %q", x.From, x.To, x.Session)
		for _, f := range x.Request.Head {
			line += fmt.Sprintf(" %s=%s", f.Name, f.Value)
		}
		lines = append(lines, fmt.Sprintf("%s [%s] %q", line, x.Request.Media, body))
	}
	return lines
}

// launch starts a broker and waits until it listens. The function that it returns ends it at once.
func launch(t *testing.T, port string, env []string, name string, args ...string) (kill func()) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // scripts start programs of their own
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	recordtest.Must(t, err)
	cmd.Stdout, cmd.Stderr = log, log
	recordtest.Must(t, cmd.Start())
	gone := false
	kill = func() {
		if gone {
			return
		}
		gone = true
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) //nolint:errcheck // it may have ended
		cmd.Wait()                                      //nolint:errcheck // it was killed
	}
	t.Cleanup(func() {
		kill()
		log.Close()
		if text, err := os.ReadFile(log.Name()); t.Failed() && err == nil {
			t.Logf("broker: %s", text)
		}
	})
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			conn.Close()
			return kill
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// crowd is how many messages are published where none may be lost.
const crowd = 300

func TestMQTT(t *testing.T) {
	mosquitto, port := recordtest.Program(t, "mosquitto", "/usr/lib/rabbitmq/bin"), recordtest.FreePort(t)
	config := filepath.Join(t.TempDir(), "config")
	recordtest.Must(t, os.WriteFile(config, []byte("listener "+port+" 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"), 0o644))
	kill := launch(t, port, nil, mosquitto, "-c", config)
	dial := func() paho.Client {
		c := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://127.0.0.1:" + port))
		recordtest.Must(t, done(c.Connect(), "connect"))
		t.Cleanup(func() { c.Disconnect(0) })
		return c
	}
	c := dial()
	recordtest.Must(t, done(c.Publish("sis/state", 1, true, "retained before"), "publish"))
	got := make(chan string, crowd)
	recordtest.Must(t, done(dial().Subscribe("sis/students/+/updated", 1, func(_ paho.Client, m paho.Message) { got <- string(m.Payload()) }), "subscribe"))

	r := start(t, &Recorder{Source: "mqtt://127.0.0.1:" + port, Topics: []string{"sis/students/#", "sis/state"}})
	var want []string
	for n := range crowd {
		body := fmt.Sprintf(`{"id":"H%d"}`, n)
		recordtest.Must(t, done(c.Publish(fmt.Sprintf("sis/students/H%d/updated", n), 1, false, body), "publish"))
		want = append(want, fmt.Sprintf(`sis>lms "" :topic=sis/students/H%d/updated :broker=mqtt qos=1 [application/json] %q`, n, body))
	}
	for n := range crowd {
		if body := <-got; body != fmt.Sprintf(`{"id":"H%d"}`, n) {
			t.Fatalf("the other client got %s as number %d", body, n)
		}
	}
	r.await(crowd)
	if diff := cmp.Diff(want, r.told()); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}

	r = start(t, &Recorder{Source: "mqtt://127.0.0.1:" + port, Topics: []string{"sis/state"}, Existing: true})
	r.await(1)
	if got := r.told(); len(got) != 1 || got[0] != `sis>lms "" :topic=sis/state :broker=mqtt qos=1 retained=true [] "retained before"` {
		t.Errorf("retained: %q", got)
	}

	r = start(t, &Recorder{Source: "mqtt://127.0.0.1:" + port, Topics: []string{"sis/#"}})
	kill()
	r.await(1) // the break is counted
	launch(t, port, nil, mosquitto, "-c", config)
	again := dial()
	for deadline := time.Now().Add(patience); r.mem.Manifest().Counts.Recorded == 0; time.Sleep(10 * time.Millisecond) {
		recordtest.Must(t, done(again.Publish("sis/students/H1/updated", 1, false, "after"), "publish"))
		if time.Now().After(deadline) {
			t.Fatal("nothing is recorded after the broker came back")
		}
	}
	recordtest.Must(t, r.stop())
	if reasons := r.mem.Manifest().Counts.Reasons; reasons[DropBroken] == 0 {
		t.Errorf("the break is not counted: %v", reasons)
	}
}

func TestNATS(t *testing.T) {
	port := recordtest.FreePort(t)
	launch(t, port, nil, recordtest.Program(t, "nats-server", "/usr/lib/rabbitmq/bin"), "-a", "127.0.0.1", "-p", port, "-js", "-sd", t.TempDir(), "--user", "loader", "--pass", "hurons")
	c, err := client.Connect("nats://loader:hurons@127.0.0.1:" + port)
	recordtest.Must(t, err)
	t.Cleanup(c.Close)
	js, err := jetstream.New(c)
	recordtest.Must(t, err)
	_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "STUDENTS", Subjects: []string{"students.>"}})
	recordtest.Must(t, err)
	worker, err := js.CreateConsumer(t.Context(), "STUDENTS", jetstream.ConsumerConfig{Durable: "worker"})
	recordtest.Must(t, err)

	r := start(t, &Recorder{Source: "nats://loader@127.0.0.1:" + port, Password: "hurons", Topics: []string{"students.>"}})
	var want []string
	for n := range crowd {
		m := client.NewMsg(fmt.Sprintf("students.H%d.updated", n))
		m.Data = fmt.Appendf(nil, `{"id":"H%d"}`, n)
		m.Header.Set("Content-Type", "application/json; charset=utf-8")
		m.Header.Set("X-Correlation-Id", fmt.Sprintf("c-%d", n))
		_, err := js.PublishMsg(t.Context(), m)
		recordtest.Must(t, err)
		want = append(want, fmt.Sprintf(`sis>lms "c-%d" :topic=students.H%d.updated :broker=nats Content-Type=application/json; charset=utf-8 X-Correlation-Id=c-%d [application/json] %q`, n, n, n, m.Data))
	}
	batch, err := worker.Fetch(crowd)
	recordtest.Must(t, err)
	taken := 0
	for m := range batch.Messages() {
		recordtest.Must(t, m.Ack())
		taken++
	}
	if taken != crowd {
		t.Errorf("the worker got %d messages of %d", taken, crowd)
	}
	r.await(crowd)
	got := r.told()
	for i := range got { // JetStream asks for an acknowledgement at an address of its own each time
		got[i] = withoutReply(got[i])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	if err := (&Recorder{Source: "nats://loader@127.0.0.1:" + port, Password: "wrong", Topics: []string{">"}}).Open(t.Context()); harness.ClassOf(err) != harness.ClassCannotRun {
		t.Errorf("a wrong password: %v", err)
	}
}

func withoutReply(line string) string {
	words := strings.Fields(line)
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return strings.HasPrefix(w, "reply-to=") }), " ")
}

func TestKafka(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(2), kfake.SeedTopics(3, "students"))
	recordtest.Must(t, err)
	t.Cleanup(cluster.Close)
	hosts := cluster.ListenAddrs()
	producer, err := kgo.NewClient(kgo.SeedBrokers(hosts...), kgo.DefaultProduceTopic("students"))
	recordtest.Must(t, err)
	t.Cleanup(producer.Close)
	recordtest.Must(t, producer.ProduceSync(t.Context(), &kgo.Record{Value: []byte("before")}).FirstErr())
	worker, err := kgo.NewClient(kgo.SeedBrokers(hosts...), kgo.ConsumeTopics("students"), kgo.ConsumerGroup("worker"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	recordtest.Must(t, err)
	t.Cleanup(worker.Close)

	source := "kafka://" + strings.Join(hosts, ",")
	r := start(t, &Recorder{Source: source, Topics: []string{"students"}})
	var want []string
	for n := range crowd {
		record := &kgo.Record{Key: fmt.Appendf(nil, "H%d", n), Value: fmt.Appendf(nil, `{"id":"H%d"}`, n),
			Headers: []kgo.RecordHeader{{Key: "trace", Value: []byte("1")}, {Key: "Content-Type", Value: []byte("application/json")}, {Key: "trace", Value: []byte("2")}}}
		recordtest.Must(t, producer.ProduceSync(t.Context(), record).FirstErr())
		want = append(want, fmt.Sprintf(`sis>lms "" :topic=students :broker=kafka key=H%d trace=1 Content-Type=application/json trace=2 [application/json] %q`, n, record.Value))
	}
	for taken := 0; taken < crowd+1; {
		fetches := worker.PollFetches(t.Context())
		recordtest.Must(t, fetches.Err())
		taken += fetches.NumRecords()
	}
	r.await(crowd)
	got := r.told()
	slices.Sort(got) // partitions are read side by side
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}

	r = start(t, &Recorder{Source: source, Topics: []string{"students"}, Existing: true})
	r.await(crowd + 1)
	if got := r.told(); len(got) != crowd+1 {
		t.Errorf("%d messages from the start on, want %d", len(got), crowd+1)
	}
	err = (&Recorder{Source: source, Topics: []string{"grades"}}).Open(t.Context())
	if harness.ClassOf(err) != harness.ClassUsage || !strings.Contains(err.Error(), "listen to topic grades") {
		t.Errorf("a topic that is not there: %v", err)
	}
}

func TestRabbitMQ(t *testing.T) {
	dir, port, other, names := t.TempDir(), recordtest.FreePort(t), recordtest.FreePort(t), recordtest.FreePort(t)
	server := recordtest.Program(t, "rabbitmq-server", "/usr/lib/rabbitmq/bin")
	launch(t, names, nil, recordtest.Program(t, "epmd", "/usr/lib/rabbitmq/bin"), "-port", names, "-address", "127.0.0.1") // else the server starts one that outlives it
	recordtest.Must(t, os.WriteFile(filepath.Join(dir, "plugins"), []byte("[].\n"), 0o644))
	env := []string{
		"RABBITMQ_NODENAME=rehearse" + port + "@localhost", "RABBITMQ_NODE_IP_ADDRESS=127.0.0.1", "RABBITMQ_NODE_PORT=" + port, "RABBITMQ_DIST_PORT=" + other,
		"RABBITMQ_MNESIA_BASE=" + dir, "RABBITMQ_LOG_BASE=" + dir, "RABBITMQ_ENABLED_PLUGINS_FILE=" + filepath.Join(dir, "plugins"),
		"RABBITMQ_PID_FILE=" + filepath.Join(dir, "pid"), "HOME=" + dir, "ERL_EPMD_ADDRESS=127.0.0.1", "ERL_EPMD_PORT=" + names,
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=+S 1:1 +sbwt none",
	}
	launch(t, port, env, server)
	var conn *amqp091.Connection
	var err error
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		if conn, err = amqp091.Dial("amqp://guest:guest@127.0.0.1:" + port + "/"); err == nil || time.Now().After(deadline) {
			break
		}
	}
	recordtest.Must(t, err)
	t.Cleanup(func() { conn.Close() })
	ch, err := conn.Channel()
	recordtest.Must(t, err)
	recordtest.Must(t, ch.ExchangeDeclare("students", "topic", false, false, false, false, nil))
	_, err = ch.QueueDeclare("worker", false, false, false, false, nil)
	recordtest.Must(t, err)
	recordtest.Must(t, ch.QueueBind("worker", "#", "students", false, nil))

	source := "amqp://guest@127.0.0.1:" + port + "/"
	r := start(t, &Recorder{Source: source, Password: "guest", Topics: []string{"students:student.#"}})
	var want []string
	for n := range crowd {
		body := fmt.Sprintf(`{"id":"H%d"}`, n)
		recordtest.Must(t, ch.PublishWithContext(t.Context(), "students", fmt.Sprintf("student.H%d.updated", n), false, false, amqp091.Publishing{
			ContentType: "application/json", CorrelationId: fmt.Sprintf("c-%d", n), DeliveryMode: 2, Headers: amqp091.Table{"b": int64(2), "a": "1"}, Body: []byte(body)}))
		want = append(want, fmt.Sprintf(`sis>lms "c-%d" :topic=students.student.H%d.updated :broker=amqp exchange=students content-type=application/json correlation-id=c-%d delivery-mode=2 a=1 b=2 [application/json] %q`, n, n, n, body))
	}
	r.await(crowd)
	if diff := cmp.Diff(want, r.told()); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	q, err := ch.QueueDeclarePassive("worker", false, false, false, false, nil)
	recordtest.Must(t, err)
	if q.Messages != crowd {
		t.Errorf("%d messages wait for the worker, want %d", q.Messages, crowd)
	}
	for topic, want := range map[string]string{"grades:#": "bind to exchange grades"} {
		err := (&Recorder{Source: source, Password: "guest", Topics: []string{topic}}).Open(t.Context())
		if harness.ClassOf(err) != harness.ClassCannotRun || !strings.Contains(err.Error(), want) {
			t.Errorf("topic %s: %v", topic, err)
		}
	}
}
