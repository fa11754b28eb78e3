package har

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// socketMessage is a message of a web socket, as Chrome and mitmproxy write them.
type socketMessage struct {
	Type   text // send or receive, as the client sees it
	Time   text // seconds since 1970
	Opcode text
	Data   text // of a binary message: base64
}

// Opcodes of data frames. RFC 6455 section 5.2.
const (
	opText   = 1
	opBinary = 2
)

// fieldOpcode is the pseudo-field that says of which kind a message is: text or binary.
const fieldOpcode = ":opcode"

// messages are the exchanges of the messages behind a handshake. Their topic is its path.
func (c *converter) messages(handshake harness.Exchange, list []socketMessage) (out []harness.Exchange, err error) {
	topic, _, _ := strings.Cut(handshake.Request.Head.Get(harness.FieldPath), "?")
	for i, m := range list {
		x := harness.Exchange{Session: handshake.Session, Channel: harness.ChannelMessage, From: handshake.From, To: handshake.To, At: handshake.At}
		if m.Type.value == "receive" {
			x.From, x.To = x.To, x.From
		}
		seconds, err := strconv.ParseFloat(m.Time.value, 64)
		if err == nil && seconds > 0 && seconds < math.MaxInt32 {
			x.At = time.UnixMicro(int64(math.Round(seconds * 1e6))).UTC()
		}
		head, body := harness.Head{{Name: harness.FieldTopic, Value: topic}}, []byte(m.Data.value)
		switch m.Opcode.int() {
		case opText:
			head = append(head, harness.Field{Name: fieldOpcode, Value: "text"})
		case opBinary:
			head = append(head, harness.Field{Name: fieldOpcode, Value: "binary"})
			if body, err = decodeBase64(m.Data.value); err != nil {
				return nil, fmt.Errorf("web socket message %d: decode data: %w", i, err)
			}
		default:
			c.note(noteControl)
			continue
		}
		if m.Data.lossy {
			c.note(noteSurrogate)
		}
		x.Request = harness.Message{Head: head, Body: harness.BytesBody(body)}
		out = append(out, x)
	}
	return out, nil
}
