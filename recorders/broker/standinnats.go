package broker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"

	client "github.com/nats-io/nats.go"

	"github.com/rehearse-dev/rehearse/harness"
)

// natsPeer is a connection that speaks the client protocol of NATS. Of the server it has what needs no store: subjects with
// wildcards, queue groups, headers, requests and replies.
type natsPeer struct {
	*peer
	s       *StandIn
	verbose bool

	subsMu sync.Mutex
	subs   map[string]*natsSub
}

// natsSub is a subscription.
type natsSub struct {
	of      *natsPeer
	id      string
	subject []string
	queue   string
	left    int // messages until it ends; -1: it does not
}

// errProtocol is the end of a connection on which something else was said.
var errProtocol = errors.New("the client breaks the protocol")

func talkNATS(s *StandIn, c *peer) error {
	n := &natsPeer{peer: c, s: s, subs: map[string]*natsSub{}}
	defer n.leave()
	host, port := hostPort(c.conn.LocalAddr())
	info, err := json.Marshal(map[string]any{
		"server_id": "REHEARSE", "server_name": "rehearse", "version": "2.10.0", "proto": 1, "go": "go", "host": host, "port": port,
		"headers": true, "max_payload": maxMessage,
	})
	if err != nil {
		return err
	}
	if err := n.send(fmt.Appendf(nil, "INFO %s\r\n", info)); err != nil {
		return err
	}
	for {
		line, err := n.line()
		if err != nil {
			return err
		}
		verb, rest, _ := strings.Cut(line, " ")
		do := natsVerbs[strings.ToUpper(verb)]
		if do == nil {
			return n.refuse("Unknown Protocol Operation")
		}
		if err := do(n, rest); err != nil {
			return err
		}
	}
}

// natsVerbs is the table of what a client says.
var natsVerbs = map[string]func(n *natsPeer, rest string) error{
	"CONNECT": (*natsPeer).connect,
	"PING":    func(n *natsPeer, _ string) error { return n.send([]byte("PONG\r\n")) },
	"PONG":    func(*natsPeer, string) error { return nil },
	"SUB":     (*natsPeer).subscribe,
	"UNSUB":   (*natsPeer).unsubscribe,
	"PUB":     func(n *natsPeer, rest string) error { return n.published(rest, false) },
	"HPUB":    func(n *natsPeer, rest string) error { return n.published(rest, true) },
}

// line reads what stands before the next line break.
func (c *peer) line() (string, error) {
	line, err := c.ReadSlice('\n')
	return strings.TrimRight(string(line), "\r\n"), err
}

// refuse tells the client why its connection ends.
func (n *natsPeer) refuse(why string) error {
	return errors.Join(errProtocol, n.send(fmt.Appendf(nil, "-ERR '%s'\r\n", why)))
}

func (n *natsPeer) fine() error {
	if !n.verbose {
		return nil
	}
	return n.send([]byte("+OK\r\n"))
}

func (n *natsPeer) connect(rest string) error {
	var o struct {
		Verbose bool `json:"verbose"`
	}
	if err := json.Unmarshal([]byte(rest), &o); err != nil {
		return n.refuse("Parser Error")
	}
	n.verbose = o.Verbose
	return n.fine()
}

// subscribe reads SUBJECT [QUEUE] ID.
func (n *natsPeer) subscribe(rest string) error {
	words := strings.Fields(rest)
	if len(words) < 2 || len(words) > 3 {
		return n.refuse("Parser Error")
	}
	sub := &natsSub{of: n, id: words[len(words)-1], subject: strings.Split(words[0], "."), left: -1}
	if len(words) == 3 {
		sub.queue = words[1]
	}
	n.subsMu.Lock()
	n.subs[sub.id] = sub
	n.subsMu.Unlock()
	n.s.listen(sub)
	return n.fine()
}

// unsubscribe reads ID [MESSAGES].
func (n *natsPeer) unsubscribe(rest string) error {
	id, most, _ := strings.Cut(rest, " ")
	n.subsMu.Lock()
	sub := n.subs[id]
	if sub != nil {
		sub.left, _ = strconv.Atoi(strings.TrimSpace(most)) //nolint:errcheck // 0: at once
	}
	done := sub != nil && sub.left <= 0
	n.subsMu.Unlock()
	if done {
		n.end(sub)
	}
	return n.fine()
}

func (n *natsPeer) end(sub *natsSub) {
	n.subsMu.Lock()
	delete(n.subs, sub.id)
	n.subsMu.Unlock()
	n.s.leave(sub)
}

func (n *natsPeer) leave() {
	n.subsMu.Lock()
	subs := n.subs
	n.subs = nil
	n.subsMu.Unlock()
	for _, sub := range subs {
		n.s.leave(sub)
	}
}

// published reads SUBJECT [REPLY] [HEADER-BYTES] BYTES and what follows.
func (n *natsPeer) published(rest string, headed bool) error {
	words := strings.Fields(rest)
	numbers := 1
	if headed {
		numbers = 2
	}
	if len(words) < 1+numbers || len(words) > 2+numbers {
		return n.refuse("Parser Error")
	}
	size, err := strconv.Atoi(words[len(words)-1])
	if err != nil || size < 0 || size > maxMessage {
		return n.refuse("Maximum Payload Violation")
	}
	m := &client.Msg{Subject: words[0], Data: make([]byte, size)}
	if len(words) == 2+numbers {
		m.Reply = words[1]
	}
	if _, err := io.ReadFull(n, m.Data); err != nil {
		return err
	}
	if end, err := n.line(); err != nil || end != "" {
		return n.refuse("Parser Error")
	}
	if headed {
		head, err := strconv.Atoi(words[len(words)-2])
		if err != nil || head < 0 || head > size {
			return n.refuse("Parser Error")
		}
		if m.Header, err = client.DecodeHeadersMsg(m.Data[:head]); err != nil {
			return n.refuse("Parser Error")
		}
		m.Data = m.Data[head:]
	}
	if err := n.fine(); err != nil {
		return err
	}
	if out := natsMessage(m); !n.s.publish(out) && out.reply != "" {
		n.s.route(message{topic: out.reply, status: "503"}) // no responders
	}
	return nil
}

func (sub *natsSub) group() string {
	if sub.queue == "" {
		return ""
	}
	return strings.Join(sub.subject, ".") + " " + sub.queue
}

// hears reports whether a topic fits the subject: * stands for one word, > at the end for one and more.
func (sub *natsSub) hears(m message) bool {
	words := strings.Split(m.topic, ".")
	for i, want := range sub.subject {
		switch {
		case want == ">" && i == len(sub.subject)-1:
			return len(words) > i
		case i >= len(words) || want != "*" && want != words[i]:
			return false
		}
	}
	return len(words) == len(sub.subject)
}

// tell sends the message; NATS knows no acknowledgement.
func (sub *natsSub) tell(m message, settled func()) {
	defer settled()
	sub.of.subsMu.Lock()
	if sub.left > 0 {
		sub.left--
	}
	last := sub.left == 0
	sub.of.subsMu.Unlock()
	sub.of.send(natsWire(sub.id, m)) //nolint:errcheck // the reader of the connection ends, too
	if last {
		sub.of.end(sub)
	}
}

// natsWire is a message as the server sends it.
func natsWire(id string, m message) []byte {
	words := []string{m.topic, id}
	if m.reply != "" {
		words = append(words, m.reply)
	}
	var head bytes.Buffer
	if fields := slices.DeleteFunc(slices.Clone(m.head), isReply); len(fields) > 0 || m.status != "" {
		head.WriteString(strings.TrimRight("NATS/1.0 "+m.status, " ") + "\r\n")
		for _, f := range fields {
			head.WriteString(oneLine.Replace(f.Name+": "+f.Value) + "\r\n")
		}
		head.WriteString("\r\n")
	}
	verb := "MSG"
	if head.Len() > 0 {
		verb, words = "HMSG", append(words, strconv.Itoa(head.Len()))
	}
	out := fmt.Appendf(nil, "%s %s %d\r\n", verb, strings.Join(words, " "), head.Len()+len(m.payload))
	return append(append(append(out, head.Bytes()...), m.payload...), "\r\n"...)
}

// oneLine keeps a text of a recording from being more than one line.
var oneLine = strings.NewReplacer("\r", " ", "\n", " ")

func isReply(f harness.Field) bool { return f.Name == fieldReply }

func hostPort(a net.Addr) (string, int) {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return "", 0
	}
	return tcp.IP.String(), tcp.Port
}
