package container

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"sync"
)

// tailSize is how much of a log is kept for messages, in bytes.
const tailSize = 4 << 10

// tail passes a log on and keeps the end of it. It is safe for concurrent use.
type tail struct {
	log io.Writer

	mu   sync.Mutex
	kept []byte
}

// Write never fails: a log that cannot be written stops nothing.
func (t *tail) Write(p []byte) (int, error) {
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

// text is what was kept, with everything escaped that a terminal could act on.
func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b strings.Builder
	for _, r := range string(bytes.TrimSpace(t.kept)) {
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
