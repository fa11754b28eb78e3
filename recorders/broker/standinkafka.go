package broker

import (
	"context"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/rehearse-dev/rehearse/harness"
)

// kafkaCluster is a Kafka in memory, of one broker that speaks as version 2.8 does. A topic is one partition, so that its
// messages keep their order. A recorded message is appended to its topic as soon as somebody fetches from it, so that those
// who begin at the end of a topic get it, too.
type kafkaCluster struct {
	*kfake.Cluster
	s      *StandIn
	ctx    context.Context // of Serve
	client *kgo.Client     // publishes the recorded messages
	own    atomic.Int64    // producer ID of the client, which its messages carry

	mu   sync.Mutex
	logs map[string]*kafkaLog // topics that somebody fetches from
}

// kafkaLog is a topic; it stays where its readers go.
type kafkaLog struct {
	of    *kafkaCluster
	topic string
}

func serveKafka(ctx context.Context, s *StandIn) error {
	k := &kafkaCluster{s: s, ctx: ctx, logs: map[string]*kafkaLog{}}
	k.own.Store(-1)
	door := &door{address: s.address, conns: make(chan net.Conn), closed: make(chan struct{})}
	var err error
	k.Cluster, err = kfake.NewCluster(
		kfake.NumBrokers(1), kfake.DefaultNumPartitions(1), kfake.AllowAutoTopicCreation(), kfake.SeedTopics(1, s.topics()...),
		kfake.MaxVersions(kversion.V2_8_0()), // before topics got numbers, which requests would name them by
		kfake.BrokerConfigs(map[string]string{"message.max.bytes": strconv.Itoa(maxMessage)}),
		kfake.ListenFn(func(string, string) (net.Listener, error) { return door, nil }),
	)
	if err != nil {
		return err
	}
	defer k.Close()
	k.client, err = kgo.NewClient(kgo.SeedBrokers(s.address.String()), kgo.ProducerLinger(0), kgo.ProducerBatchMaxBytes(maxMessage))
	if err != nil {
		return err
	}
	defer k.client.Close()
	for key, watch := range kafkaWatches {
		k.ControlKey(key.Int16(), func(request kmsg.Request) (kmsg.Response, error, bool) {
			answer := watch(k, request)
			if answer == nil {
				return nil, nil, false // the cluster answers
			}
			k.KeepControl()
			return answer, nil, true
		})
	}
	s.server.Serve(ctx, func(conn net.Conn, _ int) { door.let(conn) })
	return nil
}

// kafkaWatches is the table of requests that are looked at before the cluster has them, which has them where there is no
// answer. One runs at a time.
var kafkaWatches = map[kmsg.Key]func(k *kafkaCluster, request kmsg.Request) kmsg.Response{
	kmsg.Fetch:            (*kafkaCluster).fetched,
	kmsg.Produce:          (*kafkaCluster).produced,
	kmsg.SASLHandshake:    (*kafkaCluster).greet,
	kmsg.SASLAuthenticate: func(_ *kafkaCluster, request kmsg.Request) kmsg.Response { return request.ResponseKind() },
}

// greet lets in whoever sends a password as it is: any will do.
func (k *kafkaCluster) greet(request kmsg.Request) kmsg.Response {
	const plain = "PLAIN"
	answer := request.ResponseKind()
	asked, isHandshake := request.(*kmsg.SASLHandshakeRequest)
	reply, isReply := answer.(*kmsg.SASLHandshakeResponse)
	if isHandshake && isReply {
		reply.SupportedMechanisms = []string{plain}
		if asked.Mechanism != plain {
			reply.ErrorCode = kerr.UnsupportedSaslMechanism.Code
		}
	}
	return answer
}

// fetched notes what topics somebody reads.
func (k *kafkaCluster) fetched(request kmsg.Request) kmsg.Response {
	fetch, ok := request.(*kmsg.FetchRequest)
	if !ok {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, t := range fetch.Topics {
		if k.logs[t.Topic] == nil {
			k.logs[t.Topic] = &kafkaLog{k, t.Topic}
			k.s.listen(k.logs[t.Topic])
		}
	}
	return nil
}

// produced takes what clients publish.
func (k *kafkaCluster) produced(request kmsg.Request) kmsg.Response {
	produce, ok := request.(*kmsg.ProduceRequest)
	if !ok {
		return nil
	}
	for _, t := range produce.Topics {
		for _, p := range t.Partitions {
			k.take(t.Topic, p.Records)
		}
	}
	return nil
}

func (k *kafkaCluster) take(topic string, batches []byte) {
	read, _ := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{Topic: topic},
		&kmsg.FetchResponseTopicPartition{RecordBatches: batches}, kgo.DefaultDecompressor(), nil)
	for _, record := range read.Records {
		if record.ProducerID >= 0 && record.ProducerID == k.own.Load() {
			continue
		}
		m := kafkaMessage(record)
		m.reply = m.head.Get(fieldReply)
		k.s.record(m)
		if reply, ok := k.s.replyTo(m); ok {
			go k.append(reply) //nolint:errcheck // ends with the stand-in; the cluster takes it after this request
		}
	}
}

// append puts a message at the end of its topic.
func (k *kafkaCluster) append(m message) error {
	id, _, err := k.client.ProducerID(k.ctx)
	if err != nil {
		return err
	}
	k.own.Store(id)
	return k.client.ProduceSync(k.ctx, kafkaRecord(m)).FirstErr()
}

// kafkaRecord is the other way round of kafkaMessage.
func kafkaRecord(m message) *kgo.Record {
	record := &kgo.Record{Topic: m.topic, Value: m.payload, Timestamp: time.Now()}
	for _, f := range m.head {
		if f.Name == fieldKey && record.Key == nil {
			record.Key = []byte(f.Value)
			continue
		}
		record.Headers = append(record.Headers, kgo.RecordHeader{Key: f.Name, Value: []byte(f.Value)})
	}
	return record
}

func (l *kafkaLog) hears(m message) bool { return m.topic == l.topic }

func (l *kafkaLog) group() string { return "" }

func (l *kafkaLog) tell(m message, settled func()) {
	defer settled() // how far clients have read is their affair
	l.of.append(m)  //nolint:errcheck // the stand-in ends
}

// topics are those of the recording.
func (s *StandIn) topics() (list []string) {
	for _, l := range s.script {
		list = append(list, l.Request.Head.Get(harness.FieldTopic))
	}
	for _, x := range s.taken {
		list = append(list, x.Request.Head.Get(harness.FieldTopic))
	}
	return list
}

// door is a listener that gets its connections from another one.
type door struct {
	address net.Addr
	conns   chan net.Conn
	closing sync.Once
	closed  chan struct{}
}

// let hands a connection over, and returns when it is closed.
func (d *door) let(conn net.Conn) {
	c := &watchedConn{Conn: conn, closed: make(chan struct{})}
	select {
	case d.conns <- c:
		<-c.closed
	case <-d.closed:
	}
}

func (d *door) Accept() (net.Conn, error) {
	select {
	case conn := <-d.conns:
		return conn, nil
	case <-d.closed:
		return nil, net.ErrClosed
	}
}

func (d *door) Addr() net.Addr { return d.address }

func (d *door) Close() error {
	d.closing.Do(func() { close(d.closed) })
	return nil
}

// watchedConn tells when it is closed.
type watchedConn struct {
	net.Conn
	closing sync.Once
	closed  chan struct{}
}

func (c *watchedConn) Close() error {
	err := c.Conn.Close()
	c.closing.Do(func() { close(c.closed) })
	return err
}
