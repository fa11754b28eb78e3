package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"github.com/rehearse-dev/rehearse/harness"
)

// fieldKey is the key of a message of Kafka.
const fieldKey = "key"

var kafka = protocol{
	schemes: []string{"kafka", "kafkas"}, form: "kafka://HOST:PORT[,HOST:PORT]", topics: "TOPIC",
	listen: func(ctx context.Context, r *Recorder, u *url.URL) (func(), error) {
		start := kgo.NewOffset().AtEnd()
		if r.Existing {
			start = kgo.NewOffset().AtStart()
		}
		options := []kgo.Opt{
			kgo.SeedBrokers(strings.Split(u.Host, ",")...), kgo.ClientID("rehearse"),
			kgo.ConsumeResetOffset(start), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		}
		if u.Scheme == "kafkas" {
			options = append(options, kgo.DialTLSConfig(&tls.Config{}))
		}
		if user := u.User.Username(); user != "" {
			options = append(options, kgo.SASL(plain.Auth{User: user, Pass: r.Password}.AsMechanism()))
		}
		return consume(ctx, r, options)
	},
}

// consume asks where each partition ends before it returns, so that what comes after is read.
func consume(ctx context.Context, r *Recorder, options []kgo.Opt) (func(), error) {
	ask, err := kgo.NewClient(options...)
	if err != nil {
		return nil, err
	}
	defer ask.Close()
	asking, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	partitions, err := r.partitions(asking, ask)
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(append(options, kgo.ConsumePartitions(partitions))...)
	if err != nil {
		return nil, err
	}
	stopped, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() { // ends with stop
		defer close(ended)
		for stopped.Err() == nil {
			client.PollFetches(stopped).EachRecord(func(record *kgo.Record) { r.taps.deliver(kafkaMessage(record)) })
		}
	}()
	return func() {
		stop()
		<-ended
		client.Close()
	}, nil
}

// partitions finds the partitions of the topics, and where in each to begin.
func (r *Recorder) partitions(ctx context.Context, client *kgo.Client) (map[string]map[int32]kgo.Offset, error) {
	request := kmsg.NewPtrMetadataRequest()
	for _, topic := range r.Topics {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = &topic
		request.Topics = append(request.Topics, t)
	}
	answer, err := request.RequestWith(ctx, client)
	if err != nil {
		return nil, err
	}
	list := kmsg.NewPtrListOffsetsRequest()
	for _, t := range answer.Topics {
		if len(t.Partitions) == 0 {
			return nil, harness.Usage(fmt.Errorf("listen to topic %s: there is none of that name, or the user may not see it", *t.Topic), "check the name")
		}
		asked := kmsg.NewListOffsetsRequestTopic()
		asked.Topic = *t.Topic
		for _, p := range t.Partitions {
			partition := kmsg.NewListOffsetsRequestTopicPartition()
			partition.Partition, partition.Timestamp = p.Partition, -1 // the end
			if r.Existing {
				partition.Timestamp = -2 // the start
			}
			asked.Partitions = append(asked.Partitions, partition)
		}
		list.Topics = append(list.Topics, asked)
	}
	found := map[string]map[int32]kgo.Offset{}
	for _, shard := range client.RequestSharded(ctx, list) {
		if shard.Err != nil {
			return nil, shard.Err
		}
		part, ok := shard.Resp.(*kmsg.ListOffsetsResponse)
		if !ok {
			return nil, errors.New("the broker does not tell where its partitions end")
		}
		for _, t := range part.Topics {
			if found[t.Topic] == nil {
				found[t.Topic] = map[int32]kgo.Offset{}
			}
			for _, p := range t.Partitions {
				found[t.Topic][p.Partition] = kgo.NewOffset().At(p.Offset)
			}
		}
	}
	return found, nil
}

func kafkaMessage(record *kgo.Record) message {
	m := message{topic: record.Topic, payload: record.Value, at: record.Timestamp}
	if record.Key != nil {
		m.head = append(m.head, harness.Field{Name: fieldKey, Value: string(record.Key)})
	}
	for _, h := range record.Headers {
		m.head = append(m.head, harness.Field{Name: h.Key, Value: string(h.Value)})
	}
	m.media, m.session = known(m.head)
	return m
}
