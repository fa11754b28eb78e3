package export

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// Call is an exchange, taken apart for another tool.
type Call struct {
	harness.Exchange
	Method string
	Scheme string
	Host   string // as the Host field has it, or the name of the system
	Target string // path and query
	Sent   Half
	Got    Half
}

// Half is a message with its body in memory.
type Half struct {
	Proto  string
	Fields harness.Head // without pseudo-fields
	Media  string       // Content-Type, or the media type that is known otherwise
	Body   []byte
	Text   string // of the body, unpacked
	IsText bool   // the text says everything: it is UTF-8
	Packed bool   // the body is packed, and Text is not
}

// Take reads the bodies of an exchange. An error names it.
func Take(x harness.Exchange, l *Losses) (c Call, err error) {
	l.In(x)
	c = Call{Exchange: x, Method: x.Request.Head.Get(harness.FieldMethod), Target: x.Request.Head.Get(harness.FieldPath)}
	if !x.Request.Head.Has("Host") {
		l.Add(LossHost)
	}
	c.Host = cmp.Or(x.Request.Head.Get("Host"), x.To)
	c.Scheme = cmp.Or(x.Request.Head.Get(":scheme"), "https")
	if !x.Request.Head.Has(":scheme") && isLoopback(c.Host) {
		c.Scheme = "http"
	}
	if c.Sent, err = half(x.Request); err == nil {
		c.Got, err = half(x.Response)
	}
	if err != nil {
		return c, fmt.Errorf("exchange %s: %w", x.ID, err)
	}
	return c, nil
}

func half(m harness.Message) (h Half, err error) {
	h.Proto = m.Head.Get(harness.FieldProto)
	h.Fields = slices.DeleteFunc(slices.Clone(m.Head), harness.Field.IsPseudo)
	h.Media = cmp.Or(m.Head.Get("Content-Type"), m.Media)
	if h.Body, err = m.Body.Bytes(); err != nil {
		return h, err
	}
	plain := h.Body
	if encoding := strings.Join(m.Head.Values("Content-Encoding"), ","); encoding != "" && len(h.Body) > 0 {
		if unpacked, err := payload.Unpack(encoding, h.Body); err == nil {
			plain, h.Packed = unpacked, !bytes.Equal(unpacked, h.Body)
		}
	}
	h.Text, h.IsText = string(plain), utf8.Valid(plain) && !saysOtherwise(h.Media, plain)
	return h, nil
}

// saysOtherwise reports whether text that is UTF-8 by chance would be written in another encoding by who obeys its media
// type.
func saysOtherwise(media string, text []byte) bool {
	_, params, err := mime.ParseMediaType(media)
	charset := strings.ToLower(params["charset"])
	return err == nil && charset != "" && charset != "utf-8" && charset != "utf8" && !isASCII(text)
}

func isASCII(b []byte) bool {
	return bytes.IndexFunc(b, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// URL of the request.
func (c *Call) URL() string {
	if strings.Contains(c.Target, "://") || c.Method == http.MethodConnect {
		return c.Target
	}
	return c.Scheme + "://" + c.Host + c.Target
}

// Base64 of the body as it crossed.
func (h Half) Base64() string { return base64.StdEncoding.EncodeToString(h.Body) }

// HasPseudo reports whether the exchange has pseudo-fields beyond method, path, status and those named.
func (c *Call) HasPseudo(carried ...string) bool {
	carried = append(carried, harness.FieldMethod, harness.FieldPath, harness.FieldStatus, ":scheme")
	return slices.ContainsFunc(slices.Concat(c.Request.Head, c.Response.Head), func(f harness.Field) bool {
		return f.IsPseudo() && !slices.Contains(carried, f.Name)
	})
}

// Grouped are fields by their canonical name, with all values of a name.
func (h Half) Grouped() map[string][]string {
	grouped := map[string][]string{}
	for _, f := range h.Fields {
		name := http.CanonicalHeaderKey(f.Name)
		grouped[name] = append(grouped[name], f.Value)
	}
	return grouped
}

// IsGrouped reports whether grouping the fields loses nothing: they are sorted, in canonical case, and each name stands
// in one place.
func (h Half) IsGrouped() bool {
	return slices.IsSortedFunc(h.Fields, func(a, b harness.Field) int { return cmp.Compare(a.Name, b.Name) }) &&
		!slices.ContainsFunc(h.Fields, func(f harness.Field) bool { return f.Name != http.CanonicalHeaderKey(f.Name) })
}

// List writes a JSON list item by item.
type List struct {
	w      io.Writer
	indent string
	count  int
}

// NewList begins a list whose items are indented.
func NewList(w io.Writer, indent string) *List { return &List{w: w, indent: indent} }

// Add writes an item.
func (l *List) Add(v any) error {
	b, err := JSON(v, l.indent)
	if err != nil {
		return err
	}
	separator := ",\n"
	if l.count == 0 {
		separator = "\n"
	}
	l.count++
	_, err = io.WriteString(l.w, separator+l.indent+string(b))
	return err
}

// JSON writes a value as people read it. Every line but the first begins with the prefix.
func JSON(v any, prefix string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent(prefix, "  ")
	err := enc.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}
