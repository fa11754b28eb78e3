package target

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/internal/started"
)

// Request is one line that a jsonl command reads. A program answers each line with one [Reply] line before it reads
// the next, and ends at the end of its input.
type Request struct {
	ID    string            `json:"id"`
	Input Input             `json:"input"`
	Vars  map[string]string `json:"vars"` // now: the frozen clock, RFC 3339
}

// Input is the payload, without content encoding: Body when it is valid UTF-8, else B64.
type Input struct {
	Method      string  `json:"method,omitempty"` // over HTTP
	Path        string  `json:"path,omitempty"`   // name of a fed file; over HTTP path and query of the request
	ContentType string  `json:"contentType"`
	Body        *string `json:"body,omitempty"`
	B64         []byte  `json:"b64,omitempty"` // standard base64
}

// Reply is one line that a jsonl command writes. ID repeats the request's. Output is the payload as a JSON string; any
// other JSON value is the payload itself, byte for byte as it stands in the line. OutputB64 is a payload of any bytes
// in standard base64. A reply without both, or with a null Output, hands nothing over. Status and ContentType are of an
// answer over HTTP, see [harness.Handed]; a file has none. Error that is not null is a Fault of the exchange. Logs go to the
// log of the run.
type Reply struct {
	ID          string          `json:"id"`
	Output      json.RawMessage `json:"output,omitempty"`
	OutputB64   *string         `json:"outputB64,omitempty"`
	Status      int             `json:"status,omitempty"`
	ContentType string          `json:"contentType,omitempty"`
	Logs        []string        `json:"logs,omitempty"`
	Error       json.RawMessage `json:"error,omitempty"`
}

// lines is a long-lived program that maps one line to one line. When it exceeds its time or dies on a payload, the
// exchange has a Fault and the next one meets a fresh program; a program that dies before its first reply cannot run.
type lines struct {
	name    string // of the program, for messages
	spec    harness.CommandSpec
	from    starter
	env     harness.StageEnv
	sent    int
	replied bool

	child   *child
	stdin   io.WriteCloser
	replies chan replyLine // from the reading goroutine, which ends when the program's output ends or stop is closed
	stop    chan struct{}
	reading chan struct{} // closed when the reading goroutine has ended
}

type replyLine struct {
	text []byte
	err  error
}

// start starts the program and the goroutine that reads its replies.
func (l *lines) start(ctx context.Context) error {
	r, w, err := os.Pipe()
	if err != nil {
		return harness.CannotRun(fmt.Errorf("open output of a program: %w", err), "")
	}
	l.child, l.stdin, err = l.from.start(ctx, nil, w)
	if err != nil {
		r.Close()
		return err
	}
	l.replies, l.stop, l.reading = make(chan replyLine), make(chan struct{}), make(chan struct{})
	go readLines(r, l.replies, l.stop, l.reading)
	return nil
}

// readLines passes on each line until the output ends, a line is too long, or stop is closed.
func readLines(r io.ReadCloser, to chan<- replyLine, stop <-chan struct{}, done chan<- struct{}) {
	defer close(done)
	defer r.Close()
	scanner := bufio.NewScanner(r)
	scanner.Buffer(make([]byte, 0, 64<<10), 2*maxOutput) // base64 and escapes need more than the output itself
	for scanner.Scan() {
		select {
		case to <- replyLine{text: bytes.Clone(scanner.Bytes())}:
		case <-stop:
			return
		}
	}
	err := scanner.Err()
	if err == nil {
		err = io.EOF
	}
	select {
	case to <- replyLine{err: err}:
	case <-stop:
	}
}

// end stops the program, kindly when there is time, and waits for everything that start began.
func (l *lines) end(kindly bool) {
	if l.child == nil {
		return
	}
	close(l.stop)
	l.stdin.Close()
	if kindly {
		l.child.stop()
	}
	l.child.kill()
	<-l.reading
	l.child = nil
}

// Close stops the program.
func (l *lines) Close() error {
	l.end(true)
	return nil
}

// Map sends one line and waits for its reply.
func (l *lines) Map(ctx context.Context, x *harness.Exchange, input []byte) (outcome, error) {
	if l.child == nil {
		if err := l.start(ctx); err != nil {
			return outcome{}, err
		}
	}
	l.sent++
	id := "m-" + strconv.Itoa(l.sent)
	request, err := l.request(id, x, input)
	if err != nil {
		return outcome{}, err
	}
	wrote, stdin := make(chan error, 1), l.stdin
	go func() { // ends when the program reads or dies: every path below that leaves it waiting ends the program
		_, err := stdin.Write(request)
		wrote <- err
	}()
	timeout := l.spec.Timeout.Or(commandTimeout)
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			l.end(false)
			return outcome{}, ctx.Err()
		case <-timer.C:
			l.end(false)
			return outcome{fault: &harness.Fault{Kind: harness.FaultTimeout, Detail: fmt.Sprintf("%s did not reply within %s", l.name, timeout)}}, nil
		case err := <-wrote:
			if wrote = nil; err != nil {
				return l.died(x)
			}
		case line := <-l.replies:
			if errors.Is(line.err, io.EOF) {
				return l.died(x)
			}
			return l.reply(id, x, line)
		}
	}
}

func (l *lines) request(id string, x *harness.Exchange, input []byte) ([]byte, error) {
	contentType := x.Request.Head.Get("Content-Type")
	if contentType == "" {
		contentType = x.Request.Media
	}
	head := x.Request.Head
	in := Input{Method: head.Get(harness.FieldMethod), Path: cmp.Or(head.Get(harness.FieldName), head.Get(harness.FieldPath)), ContentType: contentType}
	r := Request{ID: id, Input: in, Vars: map[string]string{"now": clock(l.env, x).Format(time.RFC3339Nano)}}
	if utf8.Valid(input) {
		text := string(input)
		r.Input.Body = &text
	} else {
		r.Input.B64 = input
	}
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(r); err != nil {
		return nil, fmt.Errorf("write request line of exchange %s: %w", x.ID, err)
	}
	return line.Bytes(), nil
}

// died is for a program whose output or input ended while it was mapping.
func (l *lines) died(x *harness.Exchange) (outcome, error) {
	c := l.child
	select { // it may close its output a moment before it ends; its own exit tells more than the kill
	case <-c.done:
	case <-time.After(stopWait):
	}
	l.end(false)
	if !l.replied {
		return outcome{}, c.problem(fmt.Sprintf("map exchange %s by", x.ID))
	}
	return outcome{fault: failed("%s ended without a reply: %s", l.name, c.deathDetail())}, nil
}

// reply reads a reply line. A line that breaks the protocol is an error: nothing after it could be trusted.
func (l *lines) reply(id string, x *harness.Exchange, line replyLine) (outcome, error) {
	const hint = `write one line of JSON for each line of input, {"id": …, "output": …}, and nothing else to standard output`
	broken := func(format string, args ...any) (outcome, error) {
		l.end(false)
		cause := fmt.Errorf(format, args...)
		return outcome{}, harness.CannotRun(fmt.Errorf("map exchange %s by %s: %w", x.ID, l.name, cause), hint)
	}
	if line.err != nil {
		return broken("read reply: %w", line.err)
	}
	var r Reply
	if err := json.Unmarshal(line.text, &r); err != nil {
		return broken("the reply is not a line of the protocol: %w", err)
	}
	if r.ID != id {
		return broken("the reply has id %q, the request had %q", r.ID, id)
	}
	l.replied = true
	for _, text := range r.Logs {
		fmt.Fprintln(l.child.said, text) //nolint:errcheck // never fails
	}
	if len(r.Error) > 0 && string(r.Error) != "null" {
		return outcome{fault: failed("%s: %s", l.name, started.Printable(jsonText(r.Error)))}, nil
	}
	output, err := r.payload()
	if err != nil {
		return broken("the reply's outputB64 is not base64: %w", err)
	}
	if len(output) > maxOutput {
		return outcome{fault: failed("%s wrote more than %d bytes", l.name, maxOutput)}, nil
	}
	if err := r.checkAnswer(x, l.spec.To); err != nil {
		return broken("%w", err)
	}
	return outcome{output: output, none: output == nil, status: r.Status, media: r.ContentType}, nil
}

// checkAnswer refuses a status that is none, and one where nothing could carry it.
func (r *Reply) checkAnswer(x *harness.Exchange, to string) error {
	switch told := r.Status != 0 || r.ContentType != ""; {
	case told && (to != "" || x.Channel != harness.ChannelHTTP):
		return errors.New("the reply has a status or a contentType, which only an answer over HTTP has")
	case r.Status != 0 && (r.Status < 200 || r.Status > 599):
		return fmt.Errorf("the reply has status %d, which is no status of HTTP", r.Status)
	}
	return nil
}

// payload is the output of a reply, nil when there is none.
func (r *Reply) payload() ([]byte, error) {
	if r.OutputB64 != nil {
		output, err := base64.StdEncoding.DecodeString(*r.OutputB64)
		if output == nil {
			output = []byte{}
		}
		return output, err
	}
	if len(r.Output) == 0 || string(r.Output) == "null" {
		return nil, nil
	}
	return append([]byte{}, jsonText(r.Output)...), nil
}

// jsonText is the text of a JSON string, or any other JSON value as it stands.
func jsonText(raw json.RawMessage) string {
	var text string
	if strings.HasPrefix(string(raw), `"`) && json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}
