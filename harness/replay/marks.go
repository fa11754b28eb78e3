package replay

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// Marks tell whose calls a target makes while several sessions are fed at the same time. Each request that is fed carries
// the mark of its session in a header field that the target hands on, and a call that carries it belongs to the session.
// A recorded value of that field stays and is the mark itself. Marks are safe for concurrent use.
type Marks struct {
	field    string
	sessions map[string]string // mark → session
	added    map[string]string // session → mark of a request without one
}

// markLength is that of a mark in hexadecimal digits: of a trace id of W3C Trace Context.
const markLength = 32

// NewMarks gives each session its mark. A recorded value that two sessions share is an error: it would tell nothing.
func NewMarks(field string, sessions Sessions) (*Marks, error) {
	m := &Marks{field: field, sessions: map[string]string{}, added: map[string]string{}}
	for _, session := range sessions {
		sum := sha256.Sum256([]byte("session " + session.Name))
		mark := hex.EncodeToString(sum[:])[:markLength]
		m.added[session.Name], m.sessions[mark] = mark, session.Name
		for _, x := range session.Exchanges {
			recorded := m.markOf(x.Request.Head.Get(field))
			if recorded == "" {
				continue
			}
			if other, known := m.sessions[recorded]; known && other != session.Name {
				return nil, harness.Usage(fmt.Errorf("mark sessions by %s: exchanges of the sessions %q and %q have the same value", field, other, session.Name),
					"name a field in replay.session-header that differs between sessions, or drop concurrency")
			}
			m.sessions[recorded] = session.Name
		}
	}
	return m, nil
}

// markOf is the part of a value that stays the same from call to call: the trace id of a traceparent, else all of it.
func (m *Marks) markOf(value string) string {
	if strings.EqualFold(m.field, "traceparent") {
		if parts := strings.Split(value, "-"); len(parts) >= 4 && len(parts[1]) == markLength {
			return parts[1]
		}
	}
	return value
}

// mark is the request with the mark of its session.
func (m *Marks) mark(x harness.Exchange) harness.Exchange {
	if x.Channel != harness.ChannelHTTP || x.Request.Head.Has(m.field) {
		return x
	}
	value := m.added[x.Session]
	if strings.EqualFold(m.field, "traceparent") {
		value = "00-" + value + "-" + value[:16] + "-01"
	}
	x.Request.Head = x.Request.Head.With(m.field, value)
	return x
}

// Session is whose call it is; false when the call does not tell.
func (m *Marks) Session(r *http.Request) (name string, told bool) {
	name, told = m.sessions[m.markOf(r.Header.Get(m.field))]
	return name, told
}

// Clean is a call of the target without the mark, if it is one that was added.
func (m *Marks) Clean(x harness.Exchange) harness.Exchange {
	mark := m.markOf(x.Request.Head.Get(m.field))
	if session, known := m.sessions[mark]; known && m.added[session] == mark {
		x.Request.Head = x.Request.Head.Without(m.field)
	}
	return x
}
