package mitmproxy

import (
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// handshake is what the messages of a web socket take from the call that opened it.
type handshake struct {
	session, to string
	topic       string
}

// socket takes over a flow that holds a web socket apart from its handshake, as versions below 12 do.
func (c *converter) socket(flow dict) error {
	about, _ := flow["metadata"].(dict)
	id, _ := text(about["websocket_handshake"])
	shake, known := c.handshakes[id]
	if !known {
		c.file.Note(noteLone)
		shake = handshake{session: c.session(flow), to: c.file.To}
	}
	return c.messages(shake, flow)
}

// Members of a message: opcode, whether it came from the client, content, moment, and more that is not read.
const messageMembers = 4

// messages takes over the messages of a web socket.
func (c *converter) messages(shake handshake, socket dict) error {
	list, _ := socket["messages"].([]value)
	topic, _, _ := strings.Cut(shake.topic, "?")
	for i, item := range list {
		m, _ := item.([]value)
		if len(m) < messageMembers {
			return fmt.Errorf("web socket message %d: has %d members", i, len(m))
		}
		content, isText := text(m[2])
		fromClient, known := m[1].(bool)
		at, err := moment(m[3])
		switch {
		case err != nil:
			return fmt.Errorf("web socket message %d: %w", i, err)
		case !isText || !known:
			return fmt.Errorf("web socket message %d: its content or direction is not understood", i)
		}
		x := harness.Exchange{
			Session: shake.session, Channel: harness.ChannelMessage, From: c.file.From, To: shake.to, At: at,
			Request: harness.Message{Head: harness.Head{{Name: harness.FieldTopic, Value: topic}}, Body: harness.BytesBody([]byte(content))},
		}
		if !fromClient {
			x.From, x.To = x.To, x.From
		}
		c.file.Note(noteSocket)
		c.file.Put(x)
	}
	return nil
}
