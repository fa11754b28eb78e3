package sftp

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/refusals"
	"github.com/rehearse-dev/rehearse/recorders/internal/unfinished"
)

// ledger knows the files that are being uploaded, and those that wait for their last name. It is safe for concurrent use.
type ledger struct {
	tap  *Tap
	sink harness.Sink

	mu      sync.Mutex
	open    []*upload
	waiting []*waiting // in the order in which they were closed
	refused refusals.Refusals
	done    bool
}

// waiting is an upload that was closed and may still get another name.
type waiting struct {
	crossing
	settles *time.Timer
}

// crossing is what is recorded of one file.
type crossing struct {
	name     string // absolute
	by       *handlers
	outgoing bool // downloaded by the client
	at       time.Time
	took     time.Duration
	modified *time.Time
	content  []byte
	fault    *harness.Fault
}

func newLedger(t *Tap, sink harness.Sink) *ledger { return &ledger{tap: t, sink: sink} }

// closed takes an upload that the client has closed. A file that was opened and left as it was did not cross.
func (l *ledger) closed(u *upload, c crossing, wrote bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = slices.DeleteFunc(l.open, func(o *upload) bool { return o == u })
	c.name = u.name // it may have been renamed while it was open
	if !wrote {
		return
	}
	if c.fault != nil {
		l.put(c)
		return
	}
	w := &waiting{crossing: c}
	l.waiting = append(l.waiting, w)
	l.await(w)
}

// await records an upload when it has its last name, or leaves it alone until it gets another one.
func (l *ledger) await(w *waiting) {
	switch {
	case l.done:
		l.finish(w)
	case !unfinished.Is(w.name):
		w.settles = time.AfterFunc(l.tap.settle(), func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.finish(w)
		})
	}
}

// finish records a waiting upload under the name that it has now, once.
func (l *ledger) finish(w *waiting) {
	i := slices.Index(l.waiting, w)
	if i < 0 {
		return // it was continued, or was recorded just now
	}
	l.waiting = slices.Delete(l.waiting, i, i+1)
	if unfinished.Is(w.name) {
		l.sink.Drop(DropUnfinished)
		return
	}
	l.put(w.crossing)
}

// continued gives back an upload that has not been recorded yet and is opened again, or nil. One that is replaced had
// crossed, and is recorded.
func (l *ledger) continued(name string, replaced bool) *waiting {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.waiting, func(w *waiting) bool { return w.name == name })
	if i < 0 {
		return nil
	}
	w := l.waiting[i]
	w.stop()
	if replaced {
		l.finish(w)
		return nil
	}
	l.waiting = slices.Delete(l.waiting, i, i+1)
	return w
}

func (w *waiting) stop() {
	if w.settles != nil {
		w.settles.Stop()
	}
}

// rename gives another name to what is open or waits, below a folder too.
func (l *ledger) rename(from, to string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, u := range l.open {
		u.name = renamed(u.name, from, to)
	}
	for _, w := range slices.Clone(l.waiting) {
		switch name := renamed(w.name, from, to); {
		case w.name == to:
			w.stop() // another file takes its place
			l.finish(w)
		case name != w.name:
			w.stop()
			w.name = name
			l.await(w)
		}
	}
}

func renamed(name, from, to string) string {
	if rest, ok := strings.CutPrefix(name, from); ok && (rest == "" || rest[0] == '/') {
		return to + rest
	}
	return name
}

// set takes over the attributes of a file that is open or waits.
func (l *ledger) set(name string, a attributes) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, u := range l.open {
		if u.name == name {
			u.set(a)
		}
	}
	for _, w := range l.waiting {
		if w.name == name && a.modified != nil {
			w.modified = a.modified
		}
	}
}

// put hands a crossing to the sink. The caller holds the lock, so that the order is the one in which files were finished.
func (l *ledger) put(c crossing) {
	head := harness.Head{{Name: harness.FieldName, Value: c.by.nameOf(c.name)}}
	if c.modified != nil {
		head = append(head, harness.Field{Name: harness.FieldModified, Value: c.modified.Format(time.RFC3339Nano)})
	}
	x := harness.Exchange{
		Session: c.by.session, Channel: harness.ChannelFile, From: l.tap.From, To: l.tap.To, At: c.at, Took: c.took, Fault: c.fault,
		Request: harness.Message{Head: head, Body: harness.BytesBody(c.content)},
	}
	if c.outgoing {
		x.From, x.To = x.To, x.From
	}
	l.refused.Put(l.sink, x)
}

// close records what waits. Nothing is open any more.
func (l *ledger) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done = true
	for _, w := range slices.Clone(l.waiting) {
		w.stop()
		l.finish(w)
	}
	return l.refused.Err("files over SFTP")
}
