package target

import (
	"cmp"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// mediaTypes by extension. The table of the operating system would differ from machine to machine.
var mediaTypes = map[string]string{
	".csv": "text/csv", ".tsv": "text/tab-separated-values", ".json": "application/json", ".ndjson": "application/x-ndjson",
	".jsonl": "application/x-ndjson", ".xml": "application/xml", ".txt": "text/plain", ".html": "text/html",
}

func mediaOfName(name string) string { return mediaTypes[strings.ToLower(path.Ext(name))] }

// mediaOfType is a Content-Type without parameters.
func mediaOfType(contentType string) string {
	media, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(media))
}

// clock is the frozen now in UTC; a run without one uses the recorded moment.
func clock(env harness.StageEnv, x *harness.Exchange) time.Time {
	if env.Now.IsZero() {
		return x.At.UTC()
	}
	return env.Now.UTC()
}

// fileOutput is a file that the target hands over while it handles x.
func fileOutput(x *harness.Exchange, from, to, name string, at time.Time, body harness.Body) harness.Exchange {
	return harness.Exchange{
		Session: x.Session, Channel: harness.ChannelFile, From: from, To: to, At: at,
		Request: harness.Message{
			Head:  harness.Head{{Name: harness.FieldName, Value: name}, {Name: harness.FieldModified, Value: at.Format(time.RFC3339Nano)}},
			Media: mediaOfName(name),
			Body:  body,
		},
	}
}

// plainInput is what a mapping reads: the request body without content encoding.
func plainInput(x *harness.Exchange) ([]byte, error) {
	raw, err := x.Request.Body.Bytes()
	if err != nil {
		return nil, fmt.Errorf("read body of exchange %s: %w", x.ID, err)
	}
	plain, err := payload.Unpack(x.Request.Head.Get("Content-Encoding"), raw)
	if err != nil {
		return nil, fmt.Errorf("unpack body of exchange %s: %w", x.ID, err)
	}
	return plain, nil
}

// answer is the response that a mapping gives. What the mapping does not decide is that of the recorded answer: its head
// stays when the status is the same, or when the mapping names none and the recorded one is a success, with its content
// encoding applied and its length corrected. Else the head is the status alone, 200 by default. Over a channel without a
// head there is none.
func answer(x *harness.Exchange, out outcome) (harness.Message, error) {
	if x.Channel != harness.ChannelHTTP {
		return harness.Message{Media: mediaLike(x.Request.Media, out.output), Body: harness.BytesBody(out.output)}, nil
	}
	recorded := x.Response
	if !keepsHead(x.Status(), out.status) {
		recorded = harness.Message{Head: harness.Head{{Name: harness.FieldStatus, Value: strconv.Itoa(cmp.Or(out.status, http.StatusOK))}}, Media: mediaLike(x.Request.Media, out.output)}
	}
	packed, err := payload.Pack(recorded.Head.Get("Content-Encoding"), out.output)
	if err != nil {
		return harness.Message{}, fmt.Errorf("pack answer of exchange %s: %w", x.ID, err)
	}
	head, media := slices.Clone(recorded.Head), recorded.Media
	if head.Has("Content-Length") {
		head = head.With("Content-Length", strconv.Itoa(len(packed)))
	}
	if out.media != "" && mediaOfType(out.media) != mediaOfType(head.Get("Content-Type")) {
		head, media = head.With("Content-Type", out.media), mediaOfType(out.media)
	}
	return harness.Message{Head: head, Media: media, Body: harness.BytesBody(packed)}, nil
}

// keepsHead reports whether an answer with this status, 0 when the mapping names none, has the head of the recorded answer.
func keepsHead(recorded, now int) bool {
	if now != 0 {
		return now == recorded
	}
	return recorded >= 200 && recorded <= 299 && recorded != http.StatusNoContent
}

// mediaLike is the media type when the output looks like that format, else none: who reads it goes by its bytes.
func mediaLike(media string, output []byte) string {
	if len(output) > 0 && payload.FormatOf("", "", output).Name != payload.FormatOf(media, "", output).Name {
		return ""
	}
	return media
}

// outcome is what a mapping made of one fed exchange.
type outcome struct {
	output []byte
	none   bool           // the mapping hands nothing over
	status int            // of an answer over HTTP; 0: the mapping names none
	media  string         // Content-Type of that answer; empty: the mapping names none
	fault  *harness.Fault // the mapping gave up
}

// mapped puts a fed exchange and the outcome of its mapping into the sink: as the answer when there is no receiver,
// else as a file to the receiver, after the fed exchange itself. A failed mapping leaves an output with a fault.
func mapped(sink harness.Sink, env harness.StageEnv, x harness.Exchange, from, to, name string, out outcome) error {
	at := clock(env, &x)
	if to == "" {
		return answered(sink, x, at, out)
	}
	if out.none {
		return nil
	}
	o := fileOutput(&x, from, to, name, at, harness.BytesBody(out.output))
	o.Fault = out.fault
	return sink.Put(o)
}

func answered(sink harness.Sink, x harness.Exchange, at time.Time, out outcome) error {
	answeredNow := asFed(x, at)
	answeredNow.Fault = out.fault
	if out.fault == nil {
		response, err := answer(&x, out)
		if err != nil {
			return err
		}
		answeredNow.Response = response
	}
	return sink.Put(answeredNow)
}

// asFed is the exchange as it is delivered now, without an answer.
func asFed(x harness.Exchange, at time.Time) harness.Exchange {
	x.ID, x.At, x.Took, x.Fault, x.Response = "", at, 0, nil, harness.Message{}
	return x
}

// failed is the fault of a program or mapping that gave up.
func failed(format string, args ...any) *harness.Fault {
	return &harness.Fault{Kind: FaultFailed, Detail: fmt.Sprintf(format, args...)}
}
