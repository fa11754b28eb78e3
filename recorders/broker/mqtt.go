package broker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/rehearse-dev/rehearse/harness"
)

// quality asks for every message once.
const quality = 2

var mqtt = protocol{
	schemes: []string{"mqtt", "mqtts"}, form: "mqtt://USER@HOST", topics: "TOPIC",
	listen: func(_ context.Context, r *Recorder, u *url.URL) (func(), error) {
		var listening atomic.Bool
		filters := map[string]byte{}
		for _, topic := range r.Topics {
			filters[topic] = quality
		}
		o := paho.NewClientOptions().AddBroker(mqttServer(u)).SetClientID("rehearse-" + rand.Text()[:12]).
			SetCleanSession(true).SetConnectTimeout(connectTime).SetAutoReconnect(true).SetMaxReconnectInterval(time.Second).
			SetUsername(u.User.Username()).SetPassword(r.Password).SetOrderMatters(true)
		o.SetConnectionLostHandler(func(paho.Client, error) { r.taps.drop(DropBroken) })
		take := func(_ paho.Client, m paho.Message) {
			if !m.Retained() || r.Existing {
				r.taps.deliver(mqttMessage(m))
			}
		}
		o.SetOnConnectHandler(func(c paho.Client) {
			if listening.Load() { // anew: a clean session has forgotten what it listened to
				c.SubscribeMultiple(filters, take)
			}
		})
		c := paho.NewClient(o)
		if err := done(c.Connect(), "connect"); err != nil {
			return nil, err
		}
		if err := subscribe(c, filters, take); err != nil {
			c.Disconnect(0)
			return nil, err
		}
		listening.Store(true)
		return func() { c.Disconnect(0) }, nil
	},
}

func mqttServer(u *url.URL) string {
	scheme, port := "tcp", "1883"
	if u.Scheme == "mqtts" {
		scheme, port = "ssl", "8883"
	}
	if u.Port() != "" {
		port = u.Port()
	}
	return scheme + "://" + net.JoinHostPort(u.Hostname(), port)
}

func subscribe(c paho.Client, filters map[string]byte, take paho.MessageHandler) error {
	token := c.SubscribeMultiple(filters, take)
	if err := done(token, "subscribe"); err != nil {
		return err
	}
	granted, ok := token.(*paho.SubscribeToken)
	if !ok {
		return nil
	}
	for topic, code := range granted.Result() {
		if code > quality {
			return harness.Usage(fmt.Errorf("listen to topic %s: the broker refuses it", topic), "check the filter, and that the user may read it")
		}
	}
	return nil
}

func done(token paho.Token, what string) error {
	if !token.WaitTimeout(connectTime) {
		return errors.New(what + ": no answer")
	}
	return token.Error()
}

func mqttMessage(m paho.Message) message {
	return message{topic: m.Topic(), head: mqttHead(m.Qos(), m.Retained()), payload: m.Payload()}
}
