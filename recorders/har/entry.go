package har

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/departure"
)

// entry is the part of a HAR entry that is read. Every other member is left alone.
type entry struct {
	Started   text
	Time      text
	Request   request
	Response  response
	WebSocket []socketMessage
	Error     payload.Node // Chrome and mitmproxy write it here or in the response
	Ours      ours
}

type request struct {
	Method   text
	URL      text
	Proto    text
	Headers  []header
	PostData *postData
}

type postData struct {
	MimeType text
	Text     text
	Encoding text // an extension of some tools: base64
	Params   []payload.Node
}

type response struct {
	Status   text
	Proto    text
	Headers  []header
	Content  content
	BodySize text
	Error    payload.Node
}

type content struct {
	Size     text
	MimeType text
	Text     text
	Encoding text
	Binary   bool // early versions of Polly.JS: hexadecimal digits
}

type header struct {
	Name  text
	Value []string // several of a repeated field, as some tools write it
}

// converter turns entries of one file into exchanges.
type converter struct {
	file  *archive.File
	fault *harness.Fault // that an export of ours wrote into the entry; nil: none
	ours  bool           // the file is such an export
}

func (c *converter) note(k departure.Kind) { c.file.Note(k) }

// read converts an entry: to none when it never was on a network, to more than one when it has messages.
func (c *converter) read(n payload.Node) ([]harness.Exchange, error) {
	e, err := partsOf(n)
	if err != nil {
		return nil, err
	}
	x, crossed, err := c.exchange(e)
	if err != nil || !crossed {
		return nil, err
	}
	messages, err := c.messages(x, e.WebSocket)
	return append([]harness.Exchange{x}, messages...), err
}

// exchange converts an entry; crossed is false when it never was on a network.
func (c *converter) exchange(e entry) (x harness.Exchange, crossed bool, err error) {
	host, target, crossed, err := splitURL(e.Request.Method.value, e.Request.URL.value)
	if err != nil {
		return x, false, err
	}
	if !crossed {
		c.note(noteNoNetwork)
		return x, false, nil
	}
	at, err := parseTime(e.Started.value)
	if err != nil {
		return x, false, err
	}
	if c.fault, err = e.Ours.fault(); err != nil {
		return x, false, err
	}
	c.ours = c.ours || e.Ours.From != ""
	x = harness.Exchange{
		Session: cmp.Or(e.Ours.Session, c.file.Session), Channel: harness.ChannelHTTP,
		From: c.file.Caller(e.Ours.From), To: c.file.Answerer(cmp.Or(e.Ours.To, archive.SystemOf(host))),
		At: at, Took: milliseconds(e.Time.value),
	}
	if x.Request, x.Fault, err = c.request(e.Request, host, target); err != nil {
		return x, false, fmt.Errorf("request: %w", err)
	}
	fault, err := c.answer(&x, e)
	if err != nil {
		return x, false, fmt.Errorf("response: %w", err)
	}
	x.Fault = cmp.Or(c.fault, fault, x.Fault)
	return x, true, nil
}

// fault is the one that an export wrote.
func (o ours) fault() (*harness.Fault, error) {
	if o.Fault == nil {
		return nil, nil
	}
	switch o.Fault.Kind {
	case harness.FaultUnreachable, harness.FaultReset, harness.FaultTimeout, harness.FaultTruncated, harness.FaultClientGone:
		return &harness.Fault{Kind: o.Fault.Kind, Detail: o.Fault.Detail}, nil
	}
	return nil, fmt.Errorf("_rehearse.fault.kind %.20q is not known", o.Fault.Kind)
}

// answer fills the response, or says why there is none.
func (c *converter) answer(x *harness.Exchange, e entry) (*harness.Fault, error) {
	status := e.Response.Status.int()
	if status <= 0 && (e.Response.Status.value == "" || status == 0) {
		c.note(noteUnanswered)
		return faultOf(e), nil
	}
	if status < 100 || status > 999 {
		return nil, fmt.Errorf("status %q is not a number of three digits", e.Response.Status.value)
	}
	var fault *harness.Fault
	var err error
	x.Response, fault, err = c.response(e.Response, x.Request.Head.Get(harness.FieldMethod), status)
	switch {
	case err != nil || fault != nil:
		return fault, err
	case isSet(e.Error) || isSet(e.Response.Error):
		return faultOf(e), nil
	}
	return nil, nil
}

func isSet(n payload.Node) bool {
	if n.IsZero() || n.Kind() == harness.KindNull {
		return false
	}
	return !n.IsScalar() || n.Text() != "" && n.Text() != "false"
}

// said is a text, empty where something else stands.
func said(n payload.Node) string {
	if n.IsZero() || n.Kind() != harness.KindString {
		return ""
	}
	return n.Text()
}

// chromeError is the form of a network error that holds no value of the payload.
var chromeError = regexp.MustCompile(`^net::ERR_[A-Z_]+$`)

// faultWords tell kinds of fault apart in the words of browsers and proxies.
var faultWords = []struct{ word, kind string }{
	{"timeout", harness.FaultTimeout}, {"timed_out", harness.FaultTimeout}, {"timed out", harness.FaultTimeout},
	{"connect", harness.FaultUnreachable}, {"resolved", harness.FaultUnreachable}, {"disconnected", harness.FaultUnreachable},
	{"aborted", harness.FaultClientGone},
}

// faultOf names the fault of an entry without a whole answer. Its text is kept only where it is a fixed code.
func faultOf(e entry) *harness.Fault {
	code := cmp.Or(said(e.Response.Error), said(e.Error))
	fault := &harness.Fault{Kind: harness.FaultReset, Detail: "the archive holds no whole answer"}
	if chromeError.MatchString(code) {
		fault.Detail += ": " + code
	}
	lower := strings.ToLower(code)
	for _, w := range faultWords {
		if strings.Contains(lower, w.word) && !strings.Contains(lower, "connection_reset") {
			fault.Kind = w.kind
			break
		}
	}
	return fault
}

// splitURL takes the host and the request target out of a URL, both as written, without the fragment.
func splitURL(method, raw string) (host, target string, crossed bool, err error) {
	if raw == "" {
		return "", "", false, errors.New("request.url is missing")
	}
	scheme, _, found := strings.Cut(raw, ":")
	switch {
	case method == http.MethodConnect && !strings.ContainsAny(raw, "/\r\n\x00"):
		return raw, raw, true, nil
	case found && !archive.IsNetwork(scheme) && !strings.Contains(scheme, "/"):
		return "", "", false, nil
	case strings.HasPrefix(raw, "/"):
		return "", "", false, errors.New("request.url is not absolute")
	}
	t, err := archive.SplitURL(raw)
	return t.Host, t.Path, err == nil, err
}

// layouts of startedDateTime: ISO 8601 with or without fraction, and the zone spellings of several tools.
var layouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999"}

func parseTime(s string) (time.Time, error) {
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("startedDateTime %.40q is not a time", s)
}

// milliseconds reads a duration; an unknown one, written as -1 or null, is 0.
func milliseconds(s string) time.Duration {
	ms, err := strconv.ParseFloat(s, 64)
	if err != nil || ms <= 0 || math.IsNaN(ms) || ms > float64(math.MaxInt64/int64(time.Millisecond)) {
		return 0
	}
	return time.Duration(math.Round(ms * float64(time.Millisecond)))
}

// protos spell the versions that tools abbreviate.
var protos = map[string]string{"H2": "HTTP/2", "H3": "HTTP/3", "UNKNOWN": ""}

func protoOf(s string) (string, error) {
	s = strings.ToUpper(s)
	if p, known := protos[s]; known {
		return p, nil
	}
	return s, archive.CheckProto(s)
}

// encodeParams rebuilds a form from postData.params.
func encodeParams(params []payload.Node) []byte {
	var b bytes.Buffer
	for _, p := range params {
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(said(member(p, "name"))) + "=" + url.QueryEscape(said(member(p, "value"))))
	}
	return b.Bytes()
}
