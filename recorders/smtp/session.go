package smtp

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// mostRecipients is how many a mail may have.
const mostRecipients = 10_000

// talk is the conversation with one client.
type talk struct {
	tap     *Tap
	ctx     context.Context
	session string
	conn    net.Conn
	read    *bufio.Reader
	up      *upstream // nil: nobody
	secured bool

	began      bool // MAIL was accepted
	sender     string
	recipients []string
}

// errEnd ends a conversation.
var errEnd = errors.New("the conversation has ended")

// serve talks to one client until it goes away.
func (t *Tap) serve(ctx context.Context, conn net.Conn, session string) {
	k := &talk{tap: t, ctx: ctx, session: session, conn: conn, read: bufio.NewReader(conn)}
	greeting := "220 rehearse ESMTP: every mail is recorded and delivered to nobody"
	if t.Relay != nil {
		var err error
		if k.up, err = t.Relay.dial(ctx); err != nil {
			k.say("421 the server behind this one cannot be reached") //nolint:errcheck // it ends anyway
			return
		}
		if _, ok := t.server.Keep(k.up.conn); !ok {
			return
		}
		defer t.server.Forget(k.up.conn)
		greeting = "220 rehearse ESMTP: every mail is recorded"
	}
	err := k.say(greeting)
	for err == nil {
		k.conn.SetDeadline(time.Now().Add(idleTime)) //nolint:errcheck // then reading says so
		var line string
		if line, err = readLine(k.read); err == nil {
			err = k.command(line)
		}
	}
	if errors.Is(err, errLine) {
		k.say("500 the line is too long") //nolint:errcheck // it ends anyway
	}
}

func (k *talk) say(lines ...string) error {
	_, err := k.conn.Write([]byte(strings.Join(lines, "\r\n") + "\r\n"))
	return err
}

// commands is the table of commands. The real server, where there is one, is asked about the others.
var commands = map[string]func(k *talk, line string) error{
	"EHLO": (*talk).hello, "HELO": (*talk).hello, "MAIL": (*talk).mail, "RCPT": (*talk).recipient, "DATA": (*talk).data,
	"RSET": (*talk).reset, "QUIT": (*talk).quit, "STARTTLS": (*talk).startTLS, "AUTH": (*talk).auth, "BDAT": (*talk).unknown,
	"NOOP": (*talk).nothing, "VRFY": (*talk).verify,
}

func (k *talk) command(line string) error {
	verb, _, _ := strings.Cut(line, " ")
	do := commands[strings.ToUpper(verb)]
	switch {
	case strings.ContainsAny(line, "\r\n\x00"):
		return k.say("500 the line is of wrong form")
	case do == nil:
		do = (*talk).unknown
	}
	return do(k, line)
}

// ask has the real server answer a command, and says ok where there is none.
func (k *talk) ask(line, ok string) (accepted bool, err error) {
	if k.up == nil {
		return true, k.say(ok)
	}
	answer, err := k.up.say(line)
	if err != nil {
		return false, errors.Join(errEnd, err, k.say("421 the server behind this one is gone"))
	}
	return answer.code/100 == 2, k.say(answer.lines...)
}

// passed are the extensions of the real server that are offered to clients.
var passed = []string{"8BITMIME", "SMTPUTF8", "SIZE", "AUTH", "AUTH=LOGIN", "DSN", "ENHANCEDSTATUSCODES", "PIPELINING"}

func (k *talk) hello(line string) error {
	k.forget()
	lines := []string{"250-rehearse", "250-8BITMIME", "250-SMTPUTF8", "250-PIPELINING", "250-AUTH PLAIN LOGIN", fmt.Sprintf("250-SIZE %d", k.tap.maxBody())}
	if k.up != nil {
		answer, err := k.up.say(line)
		if err != nil {
			return err
		}
		if answer.code != 250 {
			return k.say(answer.lines...)
		}
		lines = slices.DeleteFunc(answer.lines[1:], func(l string) bool {
			name, _, _ := strings.Cut(l[min(4, len(l)):], " ")
			return !slices.Contains(passed, strings.ToUpper(name))
		})
		lines = append([]string{answer.lines[0]}, lines...)
	}
	if k.tap.Secure != nil && !k.secured {
		lines = append(lines, "250-STARTTLS")
	}
	if len(line) > 0 && (line[0] == 'H' || line[0] == 'h') {
		lines = lines[:1]
	}
	for i := range lines {
		lines[i] = "250-" + lines[i][min(4, len(lines[i])):]
	}
	lines[len(lines)-1] = "250 " + lines[len(lines)-1][4:]
	return k.say(lines...)
}

func (k *talk) forget() { k.began, k.sender, k.recipients = false, "", nil }

// addressOf is what stands in angle brackets behind the colon of MAIL FROM or RCPT TO.
func addressOf(line, word string) (address string, ok bool) {
	_, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimLeft(rest, " ")
	if len(rest) < len(word) || !strings.EqualFold(rest[:len(word)], word) {
		return "", false
	}
	rest, ok = strings.CutPrefix(strings.TrimLeft(rest[len(word):], " "), "<")
	if !ok {
		return "", false
	}
	address, _, ok = strings.Cut(rest, ">")
	return address, ok && isValue([]byte(address))
}

func (k *talk) mail(line string) error {
	address, ok := addressOf(line, "FROM:")
	switch {
	case !ok:
		return k.say("501 write it as MAIL FROM:<address>")
	case k.began:
		return k.say("503 a mail has begun: RSET first")
	}
	accepted, err := k.ask(line, "250 ok")
	if accepted {
		k.began, k.sender = true, address
	}
	return err
}

func (k *talk) recipient(line string) error {
	address, ok := addressOf(line, "TO:")
	switch {
	case !ok || address == "":
		return k.say("501 write it as RCPT TO:<address>")
	case !k.began:
		return k.say("503 MAIL first")
	case len(k.recipients) >= mostRecipients:
		return k.say("452 too many recipients")
	}
	accepted, err := k.ask(line, "250 ok")
	if accepted {
		k.recipients = append(k.recipients, address)
	}
	return err
}

func (k *talk) reset(line string) error {
	k.forget()
	_, err := k.ask(line, "250 ok")
	return err
}

func (k *talk) nothing(line string) error {
	_, err := k.ask(line, "250 ok")
	return err
}

func (k *talk) verify(line string) error {
	_, err := k.ask(line, "252 send it, and see")
	return err
}

func (k *talk) quit(line string) error {
	_, err := k.ask(line, "221 bye")
	return errors.Join(errEnd, err)
}

func (k *talk) unknown(string) error { return k.say("502 this command is not known here") }

func (k *talk) startTLS(string) error {
	if k.tap.Secure == nil || k.secured {
		return k.say("454 the recorder speaks no TLS here: start it with --tls")
	}
	if k.read.Buffered() > 0 { // RFC 3207: what came in the clear does not count
		return errors.Join(errEnd, k.say("501 nothing may follow STARTTLS"))
	}
	if err := k.say("220 go on"); err != nil {
		return err
	}
	k.forget()
	secured := tls.Server(k.conn, k.tap.Secure)
	k.conn, k.read, k.secured = secured, bufio.NewReader(secured), true
	return secured.HandshakeContext(k.ctx)
}

// auth lets everybody in, or has the real server decide. Nothing of it is kept.
func (k *talk) auth(line string) error {
	if k.up == nil {
		return k.admit(line)
	}
	answer, err := k.up.say(line)
	for err == nil && answer.code == 334 {
		if err = k.say(answer.lines...); err != nil {
			return err
		}
		if line, err = readLine(k.read); err == nil {
			answer, err = k.up.say(line)
		}
	}
	if err != nil {
		return err
	}
	return k.say(answer.lines...)
}

// admit asks for as many lines as the mechanism has, and lets in.
func (k *talk) admit(line string) error {
	words := strings.Fields(line)
	asked := map[string][]string{"PLAIN": {"334 "}, "LOGIN": {"334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"}}
	if len(words) < 2 || asked[strings.ToUpper(words[1])] == nil {
		return k.say("504 log in with PLAIN or LOGIN")
	}
	lines := asked[strings.ToUpper(words[1])]
	for _, question := range lines[min(len(words)-2, len(lines)):] {
		if err := k.say(question); err != nil {
			return err
		}
		if answer, err := readLine(k.read); err != nil || answer == "*" {
			return errors.Join(err, k.say("501 given up"))
		}
	}
	return k.say("235 welcome")
}

func (k *talk) data(line string) error {
	if !k.began || len(k.recipients) == 0 {
		return k.say("503 MAIL and RCPT first")
	}
	if k.up != nil {
		answer, err := k.up.say(line)
		if err != nil {
			return errors.Join(err, k.say("421 the server behind this one is gone"))
		}
		if answer.code != 354 {
			return k.say(answer.lines...)
		}
	}
	defer k.forget()
	at := k.tap.now()
	if err := k.say("354 end it with a line of one dot"); err != nil {
		return err
	}
	k.conn.SetDeadline(time.Now().Add(idleTime)) //nolint:errcheck // then reading says so
	c, err := readData(k.read, k.tap.maxBody())
	switch {
	case err != nil:
		k.record(at, c, &harness.Fault{Kind: harness.FaultClientGone, Detail: "the client went away before the mail ended"})
		return err
	case c.isBare:
		k.tap.sink.Drop(DropForm)
		return k.refuse("550 a line of the mail does not end with CRLF")
	case c.size > len(c.text):
		k.record(at, c, &harness.Fault{Kind: harness.FaultTruncated, Detail: fmt.Sprintf("the mail has %d bytes, of which %d are kept", c.size, len(c.text))})
		return k.refuse("552 the mail is larger than what is recorded")
	}
	return k.deliver(at, c)
}

// refuse refuses a mail. A real server waits for it, and is left.
func (k *talk) refuse(why string) error {
	err := k.say(why)
	if k.up != nil {
		err = errors.Join(errEnd, err)
	}
	return err
}

// deliver passes a mail on, where there is a real server, and records it.
func (k *talk) deliver(at time.Time, c content) error {
	if k.up == nil {
		k.record(at, c, nil)
		return k.say("250 recorded")
	}
	k.up.conn.SetDeadline(time.Now().Add(idleTime)) //nolint:errcheck // then writing says so
	_, err := k.up.conn.Write(stuffed(c.text))
	var answer reply
	if err == nil {
		answer, err = k.up.answer()
	}
	switch {
	case err != nil:
		k.record(at, c, &harness.Fault{Kind: harness.FaultReset, Detail: "the server did not answer to the mail"})
		return errors.Join(errEnd, err, k.say("451 the server behind this one is gone"))
	case answer.code/100 != 2:
		k.tap.sink.Drop(DropRefused)
	default:
		k.record(at, c, nil)
	}
	return k.say(answer.lines...)
}

// record hands a mail to the sink.
func (k *talk) record(at time.Time, c content, fault *harness.Fault) {
	head := harness.Head{{Name: harness.FieldSender, Value: k.sender}}
	for _, r := range k.recipients {
		head = append(head, harness.Field{Name: harness.FieldRecipient, Value: r})
	}
	fields, body := split(c.text)
	x := harness.Exchange{
		Session: k.session, Channel: harness.ChannelMail, From: k.tap.From, To: k.tap.To, At: at, Took: k.tap.now().Sub(at), Fault: fault,
		Request: harness.Message{Head: append(head, fields...), Media: mediaOf(fields), Body: harness.BytesBody(body)},
	}
	k.tap.put(x)
}
