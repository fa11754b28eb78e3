package har

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/export"
)

// Export writes HAR 1.2. Bodies are unpacked, as the format asks, and what is no text is written as base64, in requests as
// well, which is an extension that not every tool reads. Systems, session and fault stand in the member _rehearse of an
// entry; tools pass over it.
var Export = export.Format{Extension: ".har", Write: write}

// ours is what an entry holds for a later import.
type ours struct {
	From    string     `json:"from,omitempty"`
	To      string     `json:"to,omitempty"`
	Session string     `json:"session,omitempty"`
	Fault   *oursFault `json:"fault,omitempty"`
}

type oursFault struct {
	Kind   string `json:"kind"`
	Detail string `json:"detail,omitempty"`
}

type pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type outEntry struct {
	Started  string         `json:"startedDateTime"`
	Time     json.Number    `json:"time"`
	Request  outRequest     `json:"request"`
	Response outResponse    `json:"response"`
	Cache    struct{}       `json:"cache"`
	Timings  map[string]any `json:"timings"`
	Error    string         `json:"_error,omitempty"`
	Ours     ours           `json:"_rehearse"`
}

type outRequest struct {
	Method      string   `json:"method"`
	URL         string   `json:"url"`
	Proto       string   `json:"httpVersion"`
	Cookies     []pair   `json:"cookies"`
	Headers     []pair   `json:"headers"`
	Query       []pair   `json:"queryString"`
	PostData    *outPost `json:"postData,omitempty"`
	HeadersSize int      `json:"headersSize"`
	BodySize    int      `json:"bodySize"`
}

type outPost struct {
	MimeType string `json:"mimeType"`
	Text     string `json:"text"`
	Encoding string `json:"encoding,omitempty"`
}

type outResponse struct {
	Status      int        `json:"status"`
	StatusText  string     `json:"statusText"`
	Proto       string     `json:"httpVersion"`
	Cookies     []pair     `json:"cookies"`
	Headers     []pair     `json:"headers"`
	Content     outContent `json:"content"`
	RedirectURL string     `json:"redirectURL"`
	HeadersSize int        `json:"headersSize"`
	BodySize    int        `json:"bodySize"`
}

type outContent struct {
	Size        int    `json:"size"`
	Compression int    `json:"compression,omitempty"`
	MimeType    string `json:"mimeType"`
	Text        string `json:"text"`
	Encoding    string `json:"encoding,omitempty"`
}

func write(w io.Writer, xs []harness.Exchange, l *export.Losses) error {
	if _, err := io.WriteString(w, `{"log": {"version": "1.2", "creator": {"name": "rehearse", "version": "1"}, "entries": [`); err != nil {
		return err
	}
	list := export.NewList(w, "  ")
	for _, x := range xs {
		c, err := export.Take(x, l)
		if err != nil {
			return err
		}
		if c.HasPseudo(harness.FieldProto) {
			l.Add(export.LossPseudo)
		}
		if err := list.Add(entryOf(&c, l)); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "\n]}}\n")
	return err
}

func entryOf(c *export.Call, l *export.Losses) outEntry {
	ms := json.Number(strconv.FormatFloat(float64(c.Took)/float64(time.Millisecond), 'f', -1, 64))
	e := outEntry{
		Started: c.At.UTC().Format(time.RFC3339Nano), Time: ms, Timings: map[string]any{"send": 0, "wait": ms, "receive": 0},
		Request: outRequest{
			Method: c.Method, URL: c.URL(), Proto: c.Sent.Proto, Cookies: cookiesOf(c.Sent.Fields, "Cookie"), Headers: pairsOf(c.Sent.Fields),
			Query: queryOf(c.Target), HeadersSize: -1, BodySize: len(c.Sent.Body),
		},
		Response: outResponse{
			Status: c.Status(), StatusText: http.StatusText(c.Status()), Proto: c.Got.Proto, Cookies: cookiesOf(c.Got.Fields, "Set-Cookie"),
			Headers: pairsOf(c.Got.Fields), RedirectURL: c.Response.Head.Get("Location"), HeadersSize: -1, BodySize: len(c.Got.Body),
			Content: contentOf(c.Got, l),
		},
		Ours: ours{From: c.From, To: c.To, Session: c.Session},
	}
	if len(c.Sent.Body) > 0 || c.Sent.Media != "" {
		body := contentOf(c.Sent, l)
		e.Request.PostData = &outPost{body.MimeType, body.Text, body.Encoding}
	}
	if c.Fault != nil {
		e.Ours.Fault = &oursFault{c.Fault.Kind, c.Fault.Detail}
		e.Error = c.Fault.Kind
	}
	return e
}

// contentOf writes a body unpacked.
func contentOf(h export.Half, l *export.Losses) outContent {
	if h.Packed {
		l.Add(export.LossUnpacked)
	}
	out := outContent{Size: len(h.Text), MimeType: cmp.Or(h.Media, "x-unknown"), Text: h.Text, Compression: max(0, len(h.Text)-len(h.Body))}
	if !h.IsText {
		out.Text, out.Encoding = base64.StdEncoding.EncodeToString([]byte(h.Text)), "base64"
	}
	return out
}

func pairsOf(head harness.Head) []pair {
	pairs := make([]pair, len(head))
	for i, f := range head {
		pairs[i] = pair(f)
	}
	return pairs
}

// queryOf is the parameters of a URL, decoded where they can be.
func queryOf(target string) []pair {
	pairs := []pair{}
	_, query, _ := strings.Cut(target, "?")
	for part := range strings.SplitSeq(query, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		pairs = append(pairs, pair{decoded(name), decoded(value)})
	}
	return pairs
}

func decoded(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

// cookiesOf lists the cookies of Cookie or Set-Cookie by name and value; a cookie that cannot be read is in the fields
// only.
func cookiesOf(head harness.Head, field string) []pair {
	cookies := []pair{}
	for _, value := range head.Values(field) {
		if field == "Set-Cookie" {
			if c, err := http.ParseSetCookie(value); err == nil {
				cookies = append(cookies, pair{c.Name, c.Value})
			}
			continue
		}
		list, _ := http.ParseCookie(value)
		for _, c := range list {
			cookies = append(cookies, pair{c.Name, c.Value})
		}
	}
	return cookies
}
