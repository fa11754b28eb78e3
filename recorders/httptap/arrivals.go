package httptap

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// maxArrivals is the most pieces whose moments are kept.
const maxArrivals = 1000

// arrivals are the moments at which informational answers and the pieces of a streamed answer came.
type arrivals struct {
	text     strings.Builder
	count    int
	statuses []string // of the informational answers that say more than that the body may come
}

// isStreamed reports whether the moments of the pieces mean something: they are events or messages, not what a buffer
// happened to hold.
func isStreamed(media string) bool {
	switch media {
	case "text/event-stream", "application/x-ndjson", "application/jsonl", "multipart/x-mixed-replace":
		return true
	}
	return strings.HasPrefix(media, "application/grpc")
}

// add notes a piece of n bytes.
func (a *arrivals) add(since time.Duration, n int) {
	if n > 0 {
		a.note(since, strconv.Itoa(n))
	}
}

// interim notes an informational answer.
func (a *arrivals) interim(since time.Duration, status int) {
	text := strconv.Itoa(status)
	if a.note(since, "<"+text+">") && status != http.StatusContinue {
		a.statuses = append(a.statuses, text)
	}
}

// note appends to the moments, unless there are too many.
func (a *arrivals) note(since time.Duration, what string) bool {
	if a.count == maxArrivals {
		return false
	}
	if a.count++; a.count > 1 {
		a.text.WriteByte(' ')
	}
	a.text.WriteString(strconv.FormatInt(since.Milliseconds(), 10) + ":" + what)
	return true
}

// field puts the moments behind the other pseudo-fields of a head.
func (a *arrivals) field(h harness.Head) harness.Head {
	if a.count == 0 {
		return h
	}
	pseudo, rest := pseudoFirst(h)
	with := append(harness.Head{}, pseudo...)
	for _, status := range a.statuses {
		with = append(with, harness.Field{Name: harness.FieldInterim, Value: status})
	}
	with = append(with, harness.Field{Name: harness.FieldArrivals, Value: a.text.String()})
	return append(with, rest...)
}
