package explain

import (
	"errors"
	"io"
	"iter"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// mostHeld is the size of the largest list of records, in bytes, that is parsed as a whole when it is only walked through.
// Larger ones are read record by record, each time anew.
var mostHeld int64 = 8 << 20

// streamed is a body that is read record by record.
type streamed struct {
	message harness.Message
	format  string
	columns []string // of a table with rows
	n       int      // records
}

// list is the body as a list of records; nil when it is none, or small, or not of its format.
func (k *kept) list(m harness.Message) (*streamed, error) {
	if m.Body.Size() <= mostHeld {
		return nil, nil
	}
	key := keyOf(m)
	l, known := k.lists[key]
	if !known {
		var err error
		if l, err = readList(m); err != nil {
			return nil, err
		}
		k.lists[key] = l
	}
	return l, nil
}

// readList reads the body once: what is found to be malformed on the way is no list.
func readList(m harness.Message) (*streamed, error) {
	r, err := payload.RecordsOf(m)
	if _, malformed := errors.AsType[*payload.SyntaxError](err); malformed || r == nil && err == nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer r.Close()
	l := &streamed{message: m, format: r.Format}
	for {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			return l, nil
		}
		if _, malformed := errors.AsType[*payload.SyntaxError](err); malformed {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if l.n++; l.n == 1 && r.Format == "csv" {
			n, err := r.Node(record)
			if err != nil {
				return nil, err
			}
			l.columns = namesOf(n)
		}
	}
}

// namesOf is the names of the members of a record.
func namesOf(n payload.Node) []string {
	var names []string
	for c := range n.Children() {
		names = append(names, c.Name())
	}
	return names
}

// records yields the records in order; each is valid until the next one. An error ends them.
func (l *streamed) records() iter.Seq2[payload.Node, error] {
	return func(yield func(payload.Node, error) bool) {
		r, err := payload.RecordsOf(l.message)
		if err == nil && r == nil {
			err = errors.New("the body changed while it was explained")
		}
		if err != nil {
			yield(payload.Node{}, err)
			return
		}
		defer r.Close()
		r.All()(yield)
	}
}

// rows is the records of one table in order. Those of a body that is not held are read each time anew, and each is valid
// until the next one.
type rows struct {
	n   int
	all iter.Seq[payload.Node]
}

func heldRows(nodes []payload.Node) rows { return rows{len(nodes), slices.Values(nodes)} }

// rowsOf is the records of a list. An error ends them and is kept.
func (s *state) rowsOf(l *streamed) rows {
	return rows{l.n, func(yield func(payload.Node) bool) {
		for n, err := range l.records() {
			if s.note(err); err != nil || !yield(n) {
				return
			}
		}
	}}
}

// first is the first record, or the zero Node.
func (r rows) first() payload.Node {
	for n := range r.all {
		return n
	}
	return payload.Node{}
}
