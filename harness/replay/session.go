package replay

import (
	"fmt"

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
