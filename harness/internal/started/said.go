package started

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"sync"
)

// tailSize is how much of what a program says is kept for messages, in bytes.
const tailSize = 4 << 10

// Tail passes on what a program says and keeps the end of it. It is safe for concurrent use.
type Tail struct {
	log io.Writer

	mu   sync.Mutex
	kept []byte
}

// NewTail passes on to the log, which may be nil.
func NewTail(log io.Writer) *Tail { return &Tail{log: log} }

// Write never fails: a log that cannot be written must not stop the target.
func (t *Tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.log != nil {
		t.log.Write(p) //nolint:errcheck // see above
	}
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - tailSize; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(p), nil
}

// Text is what was kept, safe to print: control characters except line ends are escaped.
func (t *Tail) Text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return Printable(string(bytes.TrimSpace(t.kept)))
}

// LastLine is at most 200 bytes of the last line that is not blank.
func (t *Tail) LastLine() string {
	const most = 200
	text := t.Text()
	line := text[strings.LastIndexByte(text, '\n')+1:]
	if len(line) > most {
		line = strings.ToValidUTF8(line[:most], "") + "…"
	}
	return line
}

// Printable escapes everything that a terminal could act on.
func Printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n' || r == '\t' || strconv.IsPrint(r):
			b.WriteRune(r)
		case r == '\r':
		default:
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}
