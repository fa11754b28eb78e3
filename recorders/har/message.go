package har

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/departure"
)

// request converts a request; host and target are the parts of its URL.
func (c *converter) request(q request, host, target string) (harness.Message, *harness.Fault, error) {
	method := q.Method.value
	if method == "" || strings.ContainsAny(method, " \t\r\n") {
		return harness.Message{}, nil, fmt.Errorf("method %.20q is not a method", method)
	}
	head := harness.Head{{Name: harness.FieldMethod, Value: method}, {Name: harness.FieldPath, Value: target}}
	proto, err := protoOf(q.Proto.value)
	if err != nil {
		return harness.Message{}, nil, err
	}
	if proto != "" {
		head = append(head, harness.Field{Name: harness.FieldProto, Value: proto})
	}
	fields, authority, err := fieldsOf(q.Headers)
	if err != nil {
		return harness.Message{}, nil, err
	}
	if !fields.Has("Host") {
		if authority == "" {
			authority = host
			c.note(departure.Host)
		}
		head = append(head, harness.Field{Name: "Host", Value: authority})
	}
	head = append(head, fields...)
	body, fault := c.requestBody(q, head)
	fallback := ""
	if q.PostData != nil {
		fallback = q.PostData.MimeType.value
	}
	return c.message(head, fallback, body, fault), fault, nil
}

func (c *converter) requestBody(q request, head harness.Head) ([]byte, *harness.Fault) {
	declared, err := strconv.Atoi(head.Get("Content-Length"))
	if err != nil {
		declared = -1
	}
	post := q.PostData
	switch {
	case post != nil && post.Text.value != "" && strings.EqualFold(post.Encoding.value, "base64"):
		return c.base64Body(post.Text, declared, head), nil
	case post != nil && post.Text.value != "":
		return c.textBody(post.Text, declared, head), nil
	case post != nil && len(post.Params) > 0 && mediaOf(head.Get("Content-Type"), post.MimeType.value) == formMedia:
		c.note(noteForm)
		return encodeParams(post.Params), nil
	case declared > 0 || post != nil && len(post.Params) > 0:
		c.note(noteMissing)
		return nil, truncated("request")
	}
	return nil, nil
}

const formMedia = "application/x-www-form-urlencoded"

func truncated(half string) *harness.Fault {
	return &harness.Fault{Kind: harness.FaultTruncated, Detail: "the archive does not hold the body of the " + half}
}

// response converts an answer.
func (c *converter) response(r response, method string, status int) (harness.Message, *harness.Fault, error) {
	head := harness.Head{{Name: harness.FieldStatus, Value: strconv.Itoa(status)}}
	proto, err := protoOf(r.Proto.value)
	if err != nil {
		return harness.Message{}, nil, err
	}
	if proto != "" {
		head = append(head, harness.Field{Name: harness.FieldProto, Value: proto})
	}
	fields, _, err := fieldsOf(r.Headers)
	if err != nil {
		return harness.Message{}, nil, err
	}
	head = append(head, fields...)
	body, fault := c.responseBody(r, head)
	if method == "HEAD" || status < 200 || status == 204 || status == 304 {
		if len(body) > 0 {
			c.note(noteCached)
		}
		return harness.Message{Head: head, Media: mediaOf(head.Get("Content-Type"), "")}, nil, nil
	}
	if fault != nil {
		c.note(noteMissing)
	}
	return c.message(head, r.Content.MimeType.value, body, fault), fault, nil
}

func (c *converter) responseBody(r response, head harness.Head) ([]byte, *harness.Fault) {
	size := r.Content.Size.int()
	if r.Content.Text.value != "" {
		if r.Content.Binary && r.Content.Encoding.value == "" {
			if b, ok := hexBody(r.Content.Text.value); ok {
				return b, nil
			}
		}
		if strings.EqualFold(r.Content.Encoding.value, "base64") {
			return c.base64Body(r.Content.Text, size, head), nil
		}
		declared, err := strconv.Atoi(head.Get("Content-Length"))
		if err != nil {
			declared = -1
		}
		return c.textBody(r.Content.Text, declared, head), nil
	}
	declared, _ := strconv.Atoi(head.Get("Content-Length"))
	if size > 0 || declared > 0 || !r.Content.Text.present && r.BodySize.int() > 0 {
		return nil, truncated("answer")
	}
	return nil, nil
}

// base64Body decodes a text that is marked as base64, where it is; size is the declared one, -1 when unknown.
func (c *converter) base64Body(t text, size int, head harness.Head) []byte {
	if b, ok := joinChunks(t.value, head.Get("Content-Encoding")); ok {
		return b
	}
	b, err := decodeBase64(t.value)
	if err == nil && (len(b) == size || len(t.value) != size) {
		return b
	}
	c.note(noteNotBase64)
	return c.textBody(t, size, head)
}

func decodeBase64(s string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(strings.Map(func(r rune) rune {
		if r == '\r' || r == '\n' {
			return -1
		}
		return r
	}, s))
}

// joinChunks reads the list of base64 chunks that Polly.JS writes for a packed answer. What comes out must be packed as
// the head says; else the text is a JSON list that happens to look so.
func joinChunks(s, encoding string) ([]byte, bool) {
	if encoding == "" || !strings.HasPrefix(s, "[") {
		return nil, false
	}
	var chunks []string
	if json.Unmarshal([]byte(s), &chunks) != nil {
		return nil, false
	}
	var joined []byte
	for _, chunk := range chunks {
		b, err := decodeBase64(chunk)
		if err != nil {
			return nil, false
		}
		joined = append(joined, b...)
	}
	return joined, len(joined) > 0 && departure.IsPacked(encoding, joined, payload.Unpack)
}

// hexBody reads what early versions of Polly.JS write for a binary answer: hexadecimal digits, for a packed one a list of
// them.
func hexBody(s string) ([]byte, bool) {
	chunks := []string{s}
	if strings.HasPrefix(s, "[") && json.Unmarshal([]byte(s), &chunks) != nil {
		return nil, false
	}
	b, err := hex.DecodeString(strings.Join(chunks, ""))
	return b, err == nil
}

// textBody writes a text as the bytes that most likely crossed; declared is the size on the wire, -1 when unknown.
func (c *converter) textBody(t text, declared int, head harness.Head) []byte {
	if t.lossy {
		c.note(noteSurrogate)
	}
	if narrow, ok := latin1(t.value); ok && (len(narrow) == declared || saysLatin1(head.Get("Content-Type"))) {
		c.note(noteLatin1)
		return narrow
	}
	return []byte(t.value)
}

func saysLatin1(contentType string) bool {
	_, params, err := mime.ParseMediaType(contentType)
	return err == nil && strings.EqualFold(params["charset"], "iso-8859-1")
}

// message puts head and body together so that they agree. The head of an incomplete body is left as it is.
func (c *converter) message(head harness.Head, fallback string, body []byte, fault *harness.Fault) harness.Message {
	if fault == nil && c.fault == nil {
		head = departure.Settle(head, body, payload.Unpack, c.note)
	}
	return harness.Message{Head: head, Media: mediaOf(head.Get("Content-Type"), fallback), Body: harness.BytesBody(body)}
}

// fieldsOf reads header fields in their order. The pseudo-fields of HTTP/2 are in method and URL already; only the
// authority is returned, for the Host field.
func fieldsOf(headers []header) (fields harness.Head, authority string, err error) {
	for _, h := range headers {
		name := h.Name.value
		if name == "" || strings.ContainsAny(name, "\r\n\x00 ") {
			return nil, "", fmt.Errorf("field name %.40q is not a name", name)
		}
		for _, v := range h.Value {
			if strings.ContainsAny(v, "\r\n\x00") && !strings.EqualFold(name, "Set-Cookie") {
				return nil, "", errors.New("field " + strconv.Quote(name) + " holds a control character")
			}
			if strings.HasPrefix(name, ":") {
				if strings.EqualFold(name, ":authority") {
					authority = v
				}
				continue
			}
			// Firefox joins the cookies of several fields with line feeds.
			for line := range strings.SplitSeq(v, "\n") {
				fields = append(fields, harness.Field{Name: name, Value: strings.TrimSuffix(line, "\r")})
			}
		}
	}
	return fields, authority, nil
}

// mediaOf is the media type without parameters, lower case.
func mediaOf(contentType, fallback string) string {
	if contentType == "" {
		contentType = fallback
	}
	media := archive.MediaOf(contentType)
	if media == "x-unknown" {
		return ""
	}
	return media
}
