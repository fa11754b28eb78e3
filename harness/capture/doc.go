// Package capture cuts out of a recording what one failing message needs to fail again: its session, the answers that give
// it values, what changed the things that it reads, the files of its batch.
//
// The source is read as a stream, several times: to find the message, to gather its surroundings, and once for each step
// back to what gives values. It must bring the same exchanges in the same order each time. Memory holds, of the exchanges
// that hold what is looked for, at most [mostHits]; of their sessions, [Query.Most] exchanges; and the values of their
// requests. Bodies stay where the source keeps them, and those above [mostSearched] are searched as streams of bytes.
//
// What was taken, and why, is in the [Slice]; nothing is scrubbed here.
package capture

import (
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// Query says which message is meant. Exactly one of the kinds is set.
type Query struct {
	Texts    []string  // spellings of its correlation identifier, wherever they stand
	Exchange string    // its ID, or its number in the source, from 1
	Field    string    // name of a header field, member or column …
	Value    string    // … and its whole text
	At       time.Time // the failure nearest to the moment, else the message nearest to it

	Most int // exchanges that are taken of one session; 0: 500
}

const mostOfSession = 500

func (q Query) most() int {
	if q.Most > 0 {
		return q.Most
	}
	return mostOfSession
}

// Taken is an exchange of the slice.
type Taken struct {
	At       int // in the source, from 0
	Exchange harness.Exchange
	Why      []string // a sentence each, the most telling first
}

// Slice is what was cut out.
type Slice struct {
	Taken  []Taken // in the order of the source
	Anchor int     // index in Taken of the message that is meant: the one that fails, where one does
	Read   int     // exchanges of the source
	Left   int     // exchanges of the sessions that were too many
}

// Fails reports whether an exchange is a failure: it broke off, or was answered 400 and above.
func Fails(x *harness.Exchange) bool { return x.Fault != nil || x.Status() >= 400 }
