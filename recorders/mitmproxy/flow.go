package mitmproxy

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/departure"
	"github.com/rehearse-dev/rehearse/recorders/internal/httpwire"
)

// maxConnections bounds the connections and handshakes that are remembered; the ones after it share a session.
const maxConnections = 1 << 20

// converter turns the flows of one file into exchanges.
type converter struct {
	file       *archive.File
	sessions   map[string]string    // by id of the client's connection
	handshakes map[string]handshake // of web sockets, by id of the flow; only versions in which they are apart
}

// flow takes over one flow.
func (c *converter) flow(raw []byte) error {
	v, err := parse(raw)
	if err != nil {
		return err
	}
	flow, ok := v.(dict)
	if !ok {
		return errors.New("a flow is a dictionary")
	}
	version, _ := flow["version"].(number)
	n, err := strconv.Atoi(string(version))
	switch {
	case err != nil || n < OldestVersion:
		return fmt.Errorf("version %v of flows is older than %d; write the dump again with a newer mitmproxy: mitmdump --no-server --rfile OLD --save-stream-file NEW", flow["version"], OldestVersion)
	case n > NewestVersion:
		c.file.Note(noteNewer)
	}
	switch kind, _ := text(flow["type"]); kind {
	case "http":
		return c.call(flow)
	case "websocket":
		return c.socket(flow)
	case "":
		return errors.New("the flow has no type")
	default:
		c.file.Note(noteOther(kind))
	}
	return nil
}

// call takes over a flow of HTTP, and the messages of the web socket that it opened.
func (c *converter) call(flow dict) error {
	request, ok := flow["request"].(dict)
	if !ok {
		return errors.New("the flow has no request")
	}
	if modified, _ := flow["modified"].(bool); modified || flow["backup"] != nil {
		c.file.Note(noteChanged)
	}
	if kind, _ := text(flow["is_replay"]); kind == "request" {
		c.file.Note(noteReplayed)
	}
	x := harness.Exchange{Session: c.session(flow), Channel: harness.ChannelHTTP, From: c.file.From}
	at, err := moment(request["timestamp_start"])
	if err != nil {
		return fmt.Errorf("request.timestamp_start: %w", err)
	}
	x.At = at
	if err := c.request(&x, request); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	if err := c.answer(&x, flow); err != nil {
		return fmt.Errorf("response: %w", err)
	}
	c.file.Put(x)
	id, _ := text(flow["id"])
	shake := handshake{session: x.Session, to: x.To, topic: x.Request.Head.Get(harness.FieldPath)}
	if x.Response.Head.Get(harness.FieldStatus) == "101" && len(c.handshakes) < maxConnections {
		c.handshakes[id] = shake
	}
	if socket, ok := flow["websocket"].(dict); ok {
		return c.messages(shake, socket)
	}
	return nil
}

// session names the connection of the client: connections are numbered as they come.
func (c *converter) session(flow dict) string {
	client, _ := flow["client_conn"].(dict)
	id, _ := text(client["id"])
	if name, known := c.sessions[id]; known {
		return name
	}
	name := c.file.Session + "/" + strconv.Itoa(len(c.sessions)+1)
	if len(c.sessions) < maxConnections {
		c.sessions[id] = name
	}
	return name
}

func (c *converter) request(x *harness.Exchange, request dict) error {
	method, _ := text(request["method"])
	target, _ := text(request["path"])
	host, _ := text(request["host"])
	authority, _ := text(request["authority"])
	proto, _ := text(request["http_version"])
	if method == "" || strings.ContainsAny(method+target+host+authority+proto, " \t\r\n\x00") {
		return errors.New("method, path or host is missing or holds a control character")
	}
	address := host
	if port, ok := request["port"].(number); ok && !isUsual(request["scheme"], string(port)) {
		address += ":" + string(port)
	}
	authority = cmp.Or(authority, address)
	if method == "CONNECT" {
		target = authority
	}
	fields, err := fieldsOf(request["headers"])
	if err != nil {
		return err
	}
	head := harness.Head{{Name: harness.FieldMethod, Value: method}, {Name: harness.FieldPath, Value: target}, {Name: harness.FieldProto, Value: proto}}
	if !httpwire.HasTarget(head) {
		return fmt.Errorf("target %.40q asks for no path", target)
	}
	if !fields.Has("Host") && authority != "" {
		if !strings.HasPrefix(proto, "HTTP/2") && !strings.HasPrefix(proto, "HTTP/3") {
			c.file.Note(departure.Host)
		}
		head = append(head, harness.Field{Name: "Host", Value: authority})
	}
	x.To = cmp.Or(c.file.To, archive.SystemOf(cmp.Or(fields.Get("Host"), authority)), "server")
	x.Request, x.Fault, err = c.message("request", append(head, fields...), request)
	return err
}

// isUsual reports whether the port goes without saying.
func isUsual(scheme value, port string) bool {
	name, _ := text(scheme)
	return name == "http" && port == "80" || name == "https" && port == "443" || port == "0"
}

// answer fills the response, or says why there is none.
func (c *converter) answer(x *harness.Exchange, flow dict) error {
	response, answered := flow["response"].(dict)
	failure, failed := flow["error"].(dict)
	if answered {
		status, _ := response["status_code"].(number)
		if _, err := archive.Status(string(status)); err != nil {
			return err
		}
		proto, _ := text(response["http_version"])
		fields, err := fieldsOf(response["headers"])
		if err != nil {
			return err
		}
		head := append(harness.Head{{Name: harness.FieldStatus, Value: string(status)}, {Name: harness.FieldProto, Value: proto}}, fields...)
		var fault *harness.Fault
		if x.Response, fault, err = c.message("answer", head, response); err != nil {
			return err
		}
		x.Fault = cmp.Or(x.Fault, fault)
		x.Took = since(x.At, response["timestamp_end"], response["timestamp_start"])
	}
	if failed || !answered {
		c.file.Note(noteUnanswered)
		x.Fault = cmp.Or(x.Fault, faultOf(failure))
		if x.Took == 0 {
			x.Took = since(x.At, failure["timestamp"])
		}
	}
	return nil
}

// message puts a head and what the dump holds of its body and trailer together.
func (c *converter) message(half string, head harness.Head, d dict) (m harness.Message, fault *harness.Fault, err error) {
	trailer, err := fieldsOf(d["trailers"])
	if err != nil {
		return m, nil, fmt.Errorf("trailer: %w", err)
	}
	m = harness.Message{Head: head, Media: httpwire.Media(head.Get("Content-Type"))}
	if len(trailer) > 0 {
		m.Head = append(append(m.Head, harness.Field{Name: harness.FieldTrailer}), trailer...)
	}
	switch content := d["content"].(type) {
	case nil:
		c.file.Note(noteStreamed)
		fault = &harness.Fault{Kind: harness.FaultTruncated, Detail: "the dump does not hold the body of the " + half}
	case []byte:
		m.Body = harness.BytesBody(content)
	default:
		return m, nil, errors.New("content is not bytes")
	}
	return m, fault, nil
}

// fieldsOf reads a list of pairs.
func fieldsOf(v value) (harness.Head, error) {
	list, _ := v.([]value)
	fields := make(harness.Head, 0, len(list))
	for _, item := range list {
		pair, _ := item.([]value)
		if len(pair) != 2 {
			return nil, errors.New("a field is not a pair")
		}
		name, named := text(pair[0])
		val, valued := text(pair[1])
		if !named || !valued || name == "" || strings.ContainsAny(name, " \r\n\x00:") || strings.ContainsAny(val, "\r\n\x00") {
			return nil, fmt.Errorf("field %.40q is malformed", name)
		}
		fields = append(fields, harness.Field{Name: name, Value: val})
	}
	return fields, nil
}

// faultWords tell kinds of fault apart in the words of mitmproxy.
var faultWords = []struct{ word, kind string }{
	{"client disconnect", harness.FaultClientGone}, {"client closed", harness.FaultClientGone},
	{"timeout", harness.FaultTimeout}, {"timed out", harness.FaultTimeout},
	{"connect call failed", harness.FaultUnreachable}, {"connection failed", harness.FaultUnreachable}, {"error connecting", harness.FaultUnreachable},
	{"refused", harness.FaultUnreachable}, {"getaddrinfo", harness.FaultUnreachable}, {"name or service", harness.FaultUnreachable},
	{"handshake", harness.FaultUnreachable}, {"certificate verify", harness.FaultUnreachable},
}

// faultOf names the fault of a flow. Its words are not kept, for they may hold addresses.
func faultOf(failure dict) *harness.Fault {
	fault := &harness.Fault{Kind: harness.FaultReset, Detail: "the dump holds no whole answer"}
	said, _ := text(failure["msg"])
	for _, w := range faultWords {
		if strings.Contains(strings.ToLower(said), w.word) {
			fault.Kind = w.kind
			break
		}
	}
	return fault
}

// moment reads seconds since 1970 with their fraction, to the microsecond, which is what the proxy's clock gives.
func moment(v value) (time.Time, error) {
	const latest = 1 << 36 // seconds, year 4147
	n, ok := v.(number)
	seconds, err := strconv.ParseFloat(string(n), 64)
	if !ok || err != nil || seconds < 0 || seconds > latest {
		return time.Time{}, fmt.Errorf("%.20v is not a time", v)
	}
	return time.UnixMicro(int64(seconds*1e6 + 0.5)).UTC(), nil
}

// since is the time from a moment to the first of the values that is one.
func since(at time.Time, ends ...value) time.Duration {
	for _, v := range ends {
		if end, err := moment(v); err == nil {
			return max(end.Sub(at), 0)
		}
	}
	return 0
}
