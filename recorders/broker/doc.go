// Package broker records the messages that cross a broker, without taking one away from anybody: RabbitMQ and others that
// speak AMQP 0-9-1, Kafka, NATS with or without JetStream, and MQTT.
//
// Each message is one exchange on the message channel, from [Recorder.From] to [Recorder.To], its payload byte for byte,
// with the pseudo-field :topic and what the broker carries beside the payload: properties and headers. The session is the
// correlation id, where there is one.
//
//   - AMQP: a queue of the recorder's own, which goes away with it, is bound to each exchange that is named; the others
//     keep theirs. A topic is EXCHANGE or EXCHANGE:KEY. Messages to queues without an exchange are seen through RabbitMQ's
//     firehose: switch it on (rabbitmqctl trace_on) and name amq.rabbitmq.trace:publish.#. The recorded topic is the
//     exchange and the key with a dot in between. Headers are sorted by name, since AMQP gives them no order.
//   - Kafka: all partitions are read from their end on, outside of any group, and nothing is committed. Headers keep their
//     order and duplicates, the key of a record is the field key. Records of transactions that were given up are left out.
//   - NATS: a subscription outside of any queue group. What a stream stores passes by on its subject as well.
//   - MQTT: a subscription of its own (version 3.1.1, quality of service 2), not a shared one. Retained messages, which
//     are older than the recording, are recorded when [Recorder.Existing] is set.
//
// # What is lost
//
// A connection that breaks is made again. What crossed meanwhile cannot be known, except with Kafka, which is read on from
// where it ended: each break is counted as dropped, and the recording is incomplete. What the client library throws away
// because the recorder is too slow is counted one by one.
//
// # Standing in
//
// A [StandIn] plays the part of systems of a recording to programs that speak AMQP 0-9-1, Kafka, MQTT 3.1.1 or NATS: it
// delivers what they published and takes what programs publish. Kafka is a cluster of kfake, of the library that also
// records it, with one broker, and one partition for each topic. The others are written for this, without the server of any
// broker: of AMQP there are exchanges, queues, bindings, prefetch, acknowledgements and confirms, and no transactions; of
// MQTT all qualities of service, retained messages and wills, and no session that outlives its connection; of NATS
// wildcards, queue groups, headers, requests and replies, and no JetStream. Headers of AMQP are texts, because a recording
// does not tell of which type they were.
//
// Memory: at most 1,024 messages, besides what the libraries hold.
package broker
