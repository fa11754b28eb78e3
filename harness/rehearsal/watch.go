package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/target"
	"github.com/rehearse-dev/rehearse/recorders/filedrop"
	"github.com/rehearse-dev/rehearse/recorders/table"
)

// watch starts a recorder at each place where the target leaves things. They end before the target does, with one last look.
func (s *stage) watch(ctx context.Context, p Plan, env harness.StageEnv) error {
	for _, spec := range p.Scenario.Target.Watch {
		recorder, err := s.watcher(ctx, p, spec, env)
		if err != nil {
			return fmt.Errorf("watch what %s leaves for %s: %w", p.Scenario.Target.System, spec.System, err)
		}
		p.tell("watching what is left for " + spec.System)
		recording, cancel := context.WithCancel(context.WithoutCancel(ctx))
		done, seen := make(chan error, 1), harness.NewMemory(harness.Manifest{})
		go func() { done <- recorder.Record(recording, seen) }() // ends with cancel, below
		s.closers = append(s.closers, func() error {
			timer := time.NewTimer(time.Duration(spec.Wait))
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-ctx.Done():
			}
			cancel()
			return errors.Join(<-done, s.keepSeen(seen, env.Now))
		})
	}
	return nil
}

// watcher returns a recorder that watches already.
func (s *stage) watcher(ctx context.Context, p Plan, spec harness.WatchSpec, env harness.StageEnv) (harness.Recorder, error) {
	from := p.Scenario.Target.System
	switch t, f := spec.Table, spec.Files; {
	case t != nil && f == nil:
		password, err := secret(t.Password)
		if err != nil {
			return nil, err
		}
		source, err := target.Placed(t.Source, env)
		if err != nil {
			return nil, err
		}
		r := &table.Recorder{Source: below(source, env.Root), Password: password, Tables: t.Tables, Keys: t.Keys, From: from, To: spec.System, Dial: env.Dial}
		return r, r.Open(ctx)
	case f != nil && t == nil:
		dir := f.Dir
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(env.Root, filepath.FromSlash(dir))
		}
		d := &filedrop.Drop{
			Dir: dir, From: from, To: spec.System, Settle: time.Duration(f.Settle),
			Session: func(string) string { return env.Now.UTC().Format(time.DateOnly) }, // as the day of a recorded file
		}
		return d, d.Watch()
	}
	return nil, harness.Usage(errors.New("it is not one of table and files"), "write table: or files:")
}

func secret(reference string) (string, error) {
	if reference == "" {
		return "", nil
	}
	text, err := harness.ReadSecret(reference, os.Getenv, "write password: env:NAME, or a file that only you can read")
	return strings.TrimRight(string(text), "\r\n"), err
}

// below is the source of a database; a file of SQLite lies below the workspace unless its path is absolute.
func below(source, root string) string {
	file, isFile := strings.CutPrefix(source, "sqlite:")
	if !isFile || filepath.IsAbs(file) {
		return source
	}
	return "sqlite:" + filepath.ToSlash(filepath.Join(root, filepath.FromSlash(file)))
}

// keepSeen adds what was seen at a place to what crossed, in the order of the names: when files settle is a matter of this run.
func (s *stage) keepSeen(seen *harness.Memory, now time.Time) error {
	list, err := harness.Collect(seen)
	if err != nil {
		return err
	}
	slices.SortStableFunc(list, func(a, b harness.Exchange) int { return strings.Compare(a.Title(), b.Title()) })
	for _, x := range list {
		x.ID = ""
		if err := (frozen{s.feeding, now}).Put(x); err != nil {
			return err
		}
	}
	for reason, n := range seen.Manifest().Counts.Reasons {
		for range n {
			s.feeding.Drop(reason)
		}
	}
	return nil
}

// frozen is a sink for what was seen at some moment of this run: it happened at the frozen clock, like everything else.
type frozen struct {
	harness.Sink
	now time.Time
}

// Put passes on the exchange with the moments of the run.
func (f frozen) Put(x harness.Exchange) error {
	x.At, x.Took = f.now, 0
	if x.Request.Head.Has(harness.FieldModified) {
		x.Request.Head = x.Request.Head.With(harness.FieldModified, f.now.Format(time.RFC3339Nano))
	}
	return f.Sink.Put(x)
}
