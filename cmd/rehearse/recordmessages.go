package main

import (
	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/recorders"
)

// messageFlags adds the flags of the recorder of messages, and returns what reads the password that they name.
func messageFlags(a *app, set *pflag.FlagSet, o *recorders.LiveOptions) (prepare func() error) {
	var password string
	set.StringArrayVar(&o.Messages.Topics, "topic", nil, "`topic` to listen to: EXCHANGE:KEY of AMQP, TOPIC of Kafka and MQTT, SUBJECT of NATS; repeat it for more")
	set.StringVar(&password, "password", "", "password of the user: a `file`, env:NAME or fd:NUMBER")
	set.BoolVar(&o.Existing, "existing", false, "what Kafka keeps and MQTT retains from before counts, too")
	return func() (err error) {
		o.Messages.Password, err = a.password(password)
		return err
	}
}
