package table

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/database"
	"github.com/rehearse-dev/rehearse/recorders/internal/clock"
	"github.com/rehearse-dev/rehearse/recorders/internal/refusals"
)

// DefaultMaxBytes is the most text of rows that is held, in bytes.
const DefaultMaxBytes = 256 << 20

// lastLook is how long the look at the end may take once the recording is asked to stop.
const lastLook = 5 * time.Minute

// DropUnread is the reason with which a look is counted that the database did not answer.
const DropUnread = "the tables could not be read"

// Recorder looks at tables. Its fields must not change once it is used. It is used once: Record ends it.
type Recorder struct {
	Source   string // postgres://USER@HOST/DATABASE, mysql://USER@HOST/DATABASE or sqlite:FILE, without a password
	Password string
	Tables   []string            // names, with a schema where there is one; empty: all tables of the database
	Keys     map[string][]string // columns that tell rows apart, by table; a table without an entry has its primary key
	From, To string              // names of the systems: who writes the tables, and who reads them
	Every    time.Duration       // how often to look; 0: at the start and at the end only
	Existing bool                // the rows that are there at the start are recorded, too
	MaxBytes int64               // most text of rows that is held; 0 is DefaultMaxBytes
	Now      func() time.Time    // the clock of the recording; nil is time.Now

	// Dial connects to the server; nil is the network itself.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	db      *database.DB
	tables  []*table
	before  map[string]*snapshot // by name of the table
	since   time.Time            // of the look before
	looks   int
	refused refusals.Refusals
}

// table is one of those that are looked at.
type table struct {
	name string // as people write it
	key  []string
}

// Open connects, finds the tables and their keys, and looks at them for the first time: what changes after it returns will
// be recorded, once Record runs. The error is a [harness.Problem].
func (r *Recorder) Open(ctx context.Context) error {
	var err error
	if r.db, err = database.Open(ctx, database.Source{URL: r.Source, Password: r.Password, Dial: r.Dial}); err != nil {
		return err
	}
	if err := r.begin(ctx); err != nil {
		return errors.Join(err, r.db.Close())
	}
	return nil
}

func (r *Recorder) begin(ctx context.Context) error {
	names := r.Tables
	if len(names) == 0 {
		var err error
		if names, err = r.db.Tables(ctx); err != nil {
			return unread(r.Source, err)
		}
		if len(names) == 0 {
			return harness.Usage(fmt.Errorf("record tables of %s: there are none", r.Source), "name another database or schema")
		}
	}
	for _, name := range names {
		r.tables = append(r.tables, &table{name: name, key: r.Keys[name]})
	}
	for name := range r.Keys {
		if !slices.Contains(names, name) {
			return harness.Usage(fmt.Errorf("record tables: a key is named for %s, which is not recorded", name), "tables are "+strings.Join(names, ", "))
		}
	}
	now, err := r.look(ctx)
	r.before, r.since = now, r.now()
	return err
}

// Record puts what changed into the sink, at every look until the context is done, and at one more look then. A look that
// fails is counted as dropped, and the next one shows what changed meanwhile; when the last one fails, so does Record.
func (r *Recorder) Record(ctx context.Context, sink harness.Sink) error {
	if r.db == nil {
		if err := r.Open(ctx); err != nil {
			return err
		}
	}
	defer r.db.Close() //nolint:errcheck // opened for reading
	if r.Existing {
		r.tell(sink, r.since, func(s *snapshot) []change { return s.existing() })
	}
	for r.wait(ctx) {
		if err := r.compare(ctx, sink); err != nil && ctx.Err() == nil {
			sink.Drop(DropUnread)
		}
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLook)
	defer cancel()
	if err := r.compare(end, sink); err != nil {
		sink.Drop(DropUnread)
		return err
	}
	return r.refused.Err("tables of %s", r.Source)
}

// wait returns true when it is time to look again, and false when the recording ends.
func (r *Recorder) wait(ctx context.Context) bool {
	if r.Every <= 0 {
		<-ctx.Done()
		return false
	}
	t := time.NewTimer(r.Every)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// compare looks, and tells what changed since the look before.
func (r *Recorder) compare(ctx context.Context, sink harness.Sink) error {
	now, err := r.look(ctx)
	if err != nil {
		return err
	}
	before, since := r.before, r.since
	r.before, r.since = now, r.now()
	r.tell(sink, since, func(s *snapshot) []change { return s.since(before[s.table.name]) })
	return nil
}

// tell puts one exchange for each table in which there is something to tell.
func (r *Recorder) tell(sink harness.Sink, since time.Time, changes func(*snapshot) []change) {
	var told []harness.Exchange
	for _, t := range r.tables {
		if list := changes(r.before[t.name]); len(list) > 0 {
			told = append(told, harness.Exchange{
				Channel: harness.ChannelTable, From: r.From, To: r.To, At: since, Took: r.since.Sub(since),
				Request: harness.Message{
					Head:  harness.Head{{Name: harness.FieldTable, Value: t.name}},
					Media: "application/json", Body: harness.BytesBody(bodyOf(list)),
				},
			})
		}
	}
	if len(told) == 0 {
		return
	}
	r.looks++
	for _, x := range told {
		x.Session = fmt.Sprintf("look-%d", r.looks)
		r.refused.Put(sink, x)
	}
}

// look reads all tables at one moment.
func (r *Recorder) look(ctx context.Context) (map[string]*snapshot, error) {
	tx, err := r.db.Look(ctx)
	if err != nil {
		return nil, unread(r.Source, err)
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	room := cmp.Or(r.MaxBytes, DefaultMaxBytes)
	all := map[string]*snapshot{}
	for _, t := range r.tables {
		s, err := r.read(ctx, tx, t, &room)
		if err != nil {
			return nil, err
		}
		all[t.name] = s
	}
	return all, nil
}

func unread(source string, err error) error {
	return harness.CannotRun(fmt.Errorf("read tables of %s: %w", source, err), "check that the database runs, and that the user may read it")
}

func (r *Recorder) now() time.Time { return clock.Read(r.Now) }
