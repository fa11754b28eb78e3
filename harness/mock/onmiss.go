package mock

import (
	"bytes"
	"io"
	"net/http"
)

// LiveField is the header field that says that a live system answered, and which.
const LiveField = "X-Rehearse-Live"

// forward hands a call that was never recorded to whoever answers for its system, if somebody does. The system of a call
// under no host name is the only one that has somebody.
func (m *Mock) forward(w http.ResponseWriter, r *http.Request, body []byte, miss Miss) bool {
	system := miss.System
	if system == "" && len(m.options.OnMiss) == 1 {
		for system = range m.options.OnMiss {
		}
	}
	live := m.options.OnMiss[system]
	if live == nil {
		return false
	}
	miss.System = system
	m.forwarded.keep(miss)
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	w.Header().Set(LiveField, system)
	live.ServeHTTP(w, r)
	return true
}

// Forwarded are the calls that were never recorded and that a live system answered, at most MaxMisses of them.
func (m *Mock) Forwarded() []Miss { return m.forwarded.list() }
