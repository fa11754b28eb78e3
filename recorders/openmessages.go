package recorders

import (
	"context"
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/broker"
)

func openMessages(o LiveOptions) (harness.Recorder, string, error) {
	r := &broker.Recorder{Source: o.Source, Password: o.Messages.Password, Topics: o.Messages.Topics, From: o.From, To: o.To, Existing: o.Existing}
	if err := r.Open(context.Background()); err != nil {
		return nil, "", err
	}
	return r, fmt.Sprintf("listening to %s at %s", strings.Join(o.Messages.Topics, ", "), o.Source), nil
}
