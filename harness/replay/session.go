package replay

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

// Session is the fed exchanges of one unit of work, in recorded order.
type Session struct {
	Name      string
	Exchanges []harness.Exchange
}

// Sessions are what is fed, in order of first appearance.
type Sessions []Session

// Group takes from the recording every exchange to the system, grouped by session in order of first appearance.
// Exchanges without a session share one session with an empty name, because nothing says that they can be told apart;
// their order among each other is kept.
func Group(rec harness.Recording, system string) (Sessions, error) {
	var sessions Sessions
	at := map[string]int{}
	for x, err := range rec.Exchanges() {
		if err != nil {
			return nil, fmt.Errorf("read exchanges to %s: %w", system, err)
		}
		if x.To != system {
			continue
		}
		i, known := at[x.Session]
		if !known {
			i = len(sessions)
			at[x.Session] = i
			sessions = append(sessions, Session{Name: x.Session})
		}
		sessions[i].Exchanges = append(sessions[i].Exchanges, x)
	}
	return sessions, nil
}

// Bounds of what Load reads, in bytes.
const (
	mostLoaded = 64 << 10 // of one body
	mostHeld   = 64 << 20 // of all
)

// Load returns the sessions with their bodies in memory, as far as they are short and there is room: what looks into all
// of them several times would open as many files each time.
func (s Sessions) Load() (Sessions, error) {
	out, room := slices.Clone(s), int64(mostHeld)
	for i := range out {
		out[i].Exchanges = slices.Clone(out[i].Exchanges)
		for j := range out[i].Exchanges {
			x := &out[i].Exchanges[j]
			for _, body := range []*harness.Body{&x.Request.Body, &x.Response.Body} {
				if _, held := body.Held(); held || body.Size() > min(mostLoaded, room) {
					continue
				}
				room -= body.Size()
				var err error
				if *body, err = body.Load(); err != nil {
					return nil, fmt.Errorf("read a body of exchange %s: %w", x.ID, err)
				}
			}
		}
	}
	return out, nil
}

// Count is the number of exchanges in all sessions.
func (s Sessions) Count() int {
	n := 0
	for _, session := range s {
		n += len(session.Exchanges)
	}
	return n
}

// Exchanges is all that is fed in the order of the recording: by the moments at which the exchanges began, within a session
// as recorded.
func (s Sessions) Exchanges() []harness.Exchange {
	steps := stepsOf(s)
	all := make([]harness.Exchange, len(steps))
	for i, step := range steps {
		all[i] = step.Exchange
	}
	return all
}
