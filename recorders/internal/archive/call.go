package archive

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
	"github.com/rehearse-dev/rehearse/recorders/internal/departure"
)

// Call is what a file holds of an HTTP exchange.
type Call struct {
	Method   string // GET when empty, as HTTP libraries understand it
	URL      string // absolute, or a path where the file names no host
	Host     string // where it differs from that of the URL
	Request  Half
	Status   int // 0: there is no answer, and Fault says why
	Response Half
	At       time.Time // zero: the file does not tell
	Took     time.Duration
	Session  string // empty: that of the file
	Fault    *harness.Fault
	Derived  []string // parts of the request that are made up, as [harness.FieldDerived] lists them
}

// Half is a request or an answer.
type Half struct {
	Proto  string // such as HTTP/1.1; empty when unknown
	Fields harness.Head
	Media  string // Content-Type that holds where there is no such field
	Body   []byte
}

// Departures that several formats have.
const (
	NoteTime   departure.Kind = "exchanges: the file holds no time; that of the exchange before was taken"
	NoteHost   departure.Kind = "requests: the file names no host; they have no Host field"
	NoteBlank  departure.Kind = "requests: blanks in the URL were written as %20"
	NoteNoBody departure.Kind = "answers: the body was left out, because such an answer has none (HEAD, 1xx, 204, 304)"
	NoteFolded departure.Kind = "fields: were folded over several lines, which were joined"
	NoteMade   departure.Kind = "requests: made up in part, because the file holds matchers or templates (see the field :derived)"
	NoteForm   departure.Kind = "requests: the body was rebuilt from the form; its spelling and order may differ from the wire"
)

// Add makes an exchange of a call and adds it to those of the file.
func (f *File) Add(c Call) error {
	c.Request.Fields, c.Response.Fields = f.unfold(c.Request.Fields), f.unfold(c.Response.Fields)
	x := harness.Exchange{Session: cmp.Or(c.Session, f.Session), Channel: harness.ChannelHTTP, From: f.From, To: f.To, Took: max(c.Took, 0), Fault: c.Fault}
	if err := f.request(&x, c); err != nil {
		return err
	}
	if err := f.answer(&x, c); err != nil {
		return err
	}
	f.time(&x, c)
	f.Put(x)
	return nil
}

// fold is the end of a line inside of a field (RFC 9112, 5.2).
var fold = regexp.MustCompile(`[ \t]*\r?\n[ \t]+`)

// unfold joins the lines of folded fields.
func (f *File) unfold(head harness.Head) harness.Head {
	for i, h := range head {
		if joined := fold.ReplaceAllString(h.Value, " "); joined != h.Value {
			f.Note(NoteFolded)
			head = slices.Clone(head)
			head[i].Value = joined
		}
	}
	return head
}

// Put adds an exchange to those of the file.
func (f *File) Put(x harness.Exchange) { f.out.put(x) }

// Drop counts an exchange of which the file holds too little to take it over.
func (f *File) Drop(reason string) { f.out.drop(reason) }

func (f *File) request(x *harness.Exchange, c Call) error {
	method := strings.ToUpper(cmp.Or(c.Method, http.MethodGet))
	if !isToken(method) {
		return fmt.Errorf("request method %.20q is not a method", c.Method)
	}
	target, err := SplitURL(c.URL)
	if err != nil {
		return err
	}
	if strings.Contains(target.Path, " ") {
		f.Note(NoteBlank)
		target.Path = strings.ReplaceAll(target.Path, " ", "%20")
	}
	if err := cmp.Or(checkHost(c.Host), c.Request.check()); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	head := c.Request.start(harness.Field{Name: harness.FieldMethod, Value: method}, harness.Field{Name: harness.FieldPath, Value: target.Path})
	if len(c.Derived) > 0 {
		f.Note(NoteMade)
		slices.Sort(c.Derived)
		head = append(head, harness.Field{Name: harness.FieldDerived, Value: strings.Join(slices.Compact(c.Derived), " ")})
	}
	host := cmp.Or(c.Host, c.Request.Fields.Get("Host"), target.Host)
	switch {
	case c.Request.Fields.Has("Host"):
	case host == "":
		f.Note(NoteHost)
	default:
		if c.Host == "" {
			f.Note(departure.Host)
		}
		head = append(head, harness.Field{Name: "Host", Value: host})
	}
	if x.To == "" {
		x.To = cmp.Or(SystemOf(cmp.Or(target.Host, host)), "server")
	}
	x.Request = f.message(append(head, c.Request.Fields...), c.Request)
	return nil
}

func (f *File) answer(x *harness.Exchange, c Call) error {
	if c.Status == 0 && c.Fault != nil {
		return nil
	}
	if _, err := Status(strconv.Itoa(c.Status)); err != nil {
		return err
	}
	if err := c.Response.check(); err != nil {
		return fmt.Errorf("response: %w", err)
	}
	head := append(c.Response.start(harness.Field{Name: harness.FieldStatus, Value: strconv.Itoa(c.Status)}), c.Response.Fields...)
	if hasNoBody(x.Request.Head.Get(harness.FieldMethod), c.Status) && len(c.Response.Body) > 0 {
		f.Note(NoteNoBody)
		c.Response.Body = nil
	}
	x.Response = f.message(head, c.Response)
	return nil
}

// start is the pseudo-fields of a head.
func (h Half) start(fields ...harness.Field) harness.Head {
	if h.Proto != "" {
		fields = append(fields, harness.Field{Name: harness.FieldProto, Value: h.Proto})
	}
	return fields
}

// Status reads a code of three digits.
func Status(code string) (int, error) {
	n, err := strconv.Atoi(code)
	if err != nil || n < 100 || n > 999 {
		return 0, fmt.Errorf("response status %.20q is not a number of three digits", code)
	}
	return n, nil
}

// hasNoBody reports whether the answer ends with its head (RFC 9112, 6.3).
func hasNoBody(method string, status int) bool {
	return method == http.MethodHead || status < 200 || status == http.StatusNoContent || status == http.StatusNotModified
}

// message puts head and body together so that they agree.
func (f *File) message(head harness.Head, h Half) harness.Message {
	head = departure.Settle(head, h.Body, payload.Unpack, f.Note)
	return harness.Message{Head: head, Media: MediaOf(cmp.Or(head.Get("Content-Type"), h.Media)), Body: harness.BytesBody(h.Body)}
}

func (f *File) time(x *harness.Exchange, c Call) {
	date, err := http.ParseTime(c.Response.Fields.Get("Date"))
	switch {
	case !c.At.IsZero():
		f.at = c.At.UTC()
	case err == nil:
		f.at = date.UTC().Add(-x.Took)
	default:
		f.Note(NoteTime)
	}
	x.At = f.at
}

// check refuses what would be another field, or another message, on the wire.
func (h Half) check() error {
	for _, f := range h.Fields {
		if !isToken(f.Name) {
			return fmt.Errorf("field name %.40q is not a name", f.Name)
		}
		if hasControl(f.Value) {
			return fmt.Errorf("field %.40q holds a control character", f.Name)
		}
	}
	return CheckProto(h.Proto)
}

// CheckProto refuses a protocol version that no start line can hold; the empty one is unknown.
func CheckProto(proto string) error {
	if strings.Contains(proto, " ") || hasControl(proto) {
		return fmt.Errorf("protocol %.20q is not a version", proto)
	}
	return nil
}

func checkHost(host string) error {
	if strings.ContainsAny(host, " /") || hasControl(host) {
		return fmt.Errorf("host %.80q is not a host", host)
	}
	return nil
}

// hasControl reports whether a value would end its line on the wire.
func hasControl(s string) bool { return strings.ContainsAny(s, "\r\n\x00") }

// isToken reports whether the text is a token of RFC 9110, 5.6.2.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// Target is a URL, split as it was written and without its fragment.
type Target struct {
	Host string // with the port; empty when the URL is a path
	Path string // path and query, as on the request line
}

// SplitURL splits an absolute URL, or a path that begins with a slash. What stands before an @ in the host is left out.
func SplitURL(raw string) (Target, error) {
	if hasControl(raw) {
		return Target{}, errors.New("request URL holds a control character")
	}
	raw, _, _ = strings.Cut(raw, "#")
	if strings.HasPrefix(raw, "/") && !strings.HasPrefix(raw, "//") {
		return Target{Path: raw}, nil
	}
	scheme, rest, absolute := strings.Cut(raw, "://")
	if !absolute || !IsNetwork(scheme) {
		return Target{}, fmt.Errorf("request URL %.80q is not absolute", raw)
	}
	var t Target
	t.Host = rest
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		t.Host, t.Path = rest[:i], rest[i:]
	}
	if !strings.HasPrefix(t.Path, "/") {
		t.Path = "/" + t.Path
	}
	t.Host = t.Host[strings.LastIndex(t.Host, "@")+1:]
	if t.Host == "" {
		return Target{}, fmt.Errorf("request URL %.80q has no host", raw)
	}
	return t, checkHost(t.Host)
}

// IsNetwork reports whether what has a URL of that scheme crosses a network as HTTP or web socket.
func IsNetwork(scheme string) bool {
	switch strings.ToLower(scheme) {
	case "http", "https", "ws", "wss":
		return true
	}
	return false
}

// SystemOf is the name of a system that is known by its host alone: lower case, without the port.
func SystemOf(host string) string {
	u := url.URL{Host: strings.ToLower(host)}
	return u.Hostname()
}

// MediaOf is the media type of a Content-Type, lower case, without parameters.
func MediaOf(contentType string) string {
	media, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(media))
}
