package broker

import (
	"context"
	"maps"
	"net/url"
	"slices"

	client "github.com/nats-io/nats.go"

	"github.com/rehearse-dev/rehearse/harness"
)

var nats = protocol{
	schemes: []string{"nats", "tls"}, form: "nats://USER@HOST", topics: "SUBJECT",
	listen: func(_ context.Context, r *Recorder, u *url.URL) (func(), error) {
		server := *u
		server.User = nil
		conn, err := client.Connect(server.String(), natsOptions(r, u)...)
		if err != nil {
			return nil, err
		}
		for _, subject := range r.Topics {
			if _, err := conn.Subscribe(subject, func(m *client.Msg) { r.taps.deliver(natsMessage(m)) }); err != nil {
				conn.Close()
				return nil, err
			}
		}
		if err := conn.FlushTimeout(connectTime); err != nil { // the server knows the subscriptions now
			conn.Close()
			return nil, err
		}
		if err := conn.LastError(); err != nil { // it refused one
			conn.Close()
			return nil, err
		}
		return conn.Close, nil
	},
}

func natsOptions(r *Recorder, u *url.URL) []client.Option {
	slow := map[*client.Subscription]int{} // what was thrown away; the library calls back one at a time
	options := []client.Option{
		client.Name("rehearse"), client.Timeout(connectTime), client.MaxReconnects(-1),
		client.DisconnectErrHandler(func(_ *client.Conn, err error) {
			if err != nil { // else it was closed by the recorder
				r.taps.drop(DropBroken)
			}
		}),
		client.ErrorHandler(func(_ *client.Conn, s *client.Subscription, err error) {
			if err != client.ErrSlowConsumer || s == nil {
				return
			}
			all, _ := s.Dropped() //nolint:errcheck // a subscription that has ended drops no more
			for ; slow[s] < all; slow[s]++ {
				r.taps.drop(DropSlow)
			}
		}),
	}
	switch user := u.User.Username(); {
	case user != "" && r.Password != "":
		options = append(options, client.UserInfo(user, r.Password))
	case r.Password != "":
		options = append(options, client.Token(r.Password))
	}
	return options
}

func natsMessage(m *client.Msg) message {
	out := message{topic: m.Subject, reply: m.Reply, payload: m.Data}
	if m.Reply != "" {
		out.head = append(out.head, harness.Field{Name: fieldReply, Value: m.Reply})
	}
	for _, name := range slices.Sorted(maps.Keys(m.Header)) {
		for _, value := range m.Header[name] {
			out.head = append(out.head, harness.Field{Name: name, Value: value})
		}
	}
	out.media, out.session = known(out.head)
	return out
}
