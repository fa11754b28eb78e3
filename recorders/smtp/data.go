package smtp

import (
	"bufio"
	"bytes"
	"errors"
	"mime"
	"strings"
	"unicode/utf8"

	"github.com/rehearse-dev/rehearse/harness"
)

// content is what came behind DATA.
type content struct {
	text   []byte // at most so many bytes as are kept, without the dots that SMTP adds
	size   int
	isBare bool // a CR or an LF stands alone
}

// readData reads the lines of a mail up to the dot. Of a mail that breaks off, what came is returned, too.
func readData(from *bufio.Reader, most int) (content, error) {
	var c content
	atStart := true // of a line
	for {
		part, err := from.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			if last := len(part) - 1; part[last] == '\r' { // the LF may come next
				from.UnreadByte() //nolint:errcheck // a byte was read
				part = part[:last]
			}
			err = nil
		}
		if atStart && string(part) == ".\r\n" {
			return c, nil
		}
		if bytes.ContainsAny(bytes.TrimSuffix(part, []byte("\r\n")), "\r\n") {
			c.isBare = true
		}
		if atStart && len(part) > 0 && part[0] == '.' {
			part = part[1:]
		}
		c.size += len(part)
		c.text = append(c.text, part[:min(len(part), most-len(c.text))]...)
		if err != nil {
			return c, err
		}
		atStart = bytes.HasSuffix(part, []byte("\r\n"))
	}
}

// stuffed is a mail as it crosses: a dot before each dot that begins a line, and the end.
func stuffed(text []byte) []byte {
	out := bytes.ReplaceAll(text, []byte("\r\n."), []byte("\r\n.."))
	if bytes.HasPrefix(out, []byte(".")) {
		out = append([]byte("."), out...)
	}
	return append(out, ".\r\n"...)
}

// split parts the fields of a mail from its body.
func split(text []byte) (head harness.Head, body []byte) {
	for len(text) > 0 {
		line, rest, ok := bytes.Cut(text, []byte("\r\n"))
		if ok && len(line) == 0 {
			return head, rest
		}
		if line[0] == ' ' || line[0] == '\t' {
			if len(head) == 0 || !isValue(line) {
				return head, text
			}
			head[len(head)-1].Value += string(line)
			text = rest
			continue
		}
		name, value, found := strings.Cut(string(line), ":")
		if name = strings.TrimRight(name, " \t"); !found || !isName(name) || !isValue([]byte(value)) {
			return head, text
		}
		head = append(head, harness.Field{Name: name, Value: strings.TrimLeft(value, " \t")})
		text = rest
	}
	return head, nil
}

// isName reports whether a text names a field: printable ASCII without a colon.
func isName(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ':' })
}

func isValue(text []byte) bool {
	return utf8.Valid(text) && !bytes.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

// mediaOf is the media type that a mail says, without parameters.
func mediaOf(head harness.Head) string {
	said := head.Get("Content-Type")
	if said == "" {
		return "text/plain" // RFC 2045 section 5.2
	}
	media, _, err := mime.ParseMediaType(said)
	if err != nil {
		return ""
	}
	return media
}
