package filedrop

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/clock"
	"github.com/rehearse-dev/rehearse/recorders/internal/refusals"
	"github.com/rehearse-dev/rehearse/recorders/internal/unfinished"
)

// Defaults of the fields of Drop.
const (
	DefaultSettle  = 2 * time.Second
	DefaultMaxBody = 64 << 20 // bytes
)

// Reasons with which a file is counted as dropped.
const (
	DropVanished   = "the file vanished before it was read"
	DropUnfinished = "the file was still being written when the recording stopped"
	DropOutside    = "a symbolic link leads outside of the folder, or nowhere"
	DropIrregular  = "not a regular file"
	DropUnreadable = "the file could not be read"
	DropSink       = refusals.Reason
)

// Drop watches a folder. The fields must not change once it is used. It is used once: Record ends it.
type Drop struct {
	Dir      string                   // the folder
	From, To string                   // names of the systems: who writes the files, and for whom
	Settle   time.Duration            // how long size and modification time stay the same before a file is finished
	Existing bool                     // takes also the files that are there at the start; else only when they are rewritten
	Poll     time.Duration            // looks at the folder in this interval instead of awaiting events: for NFS, SMB and FUSE
	MaxBody  int64                    // most bytes kept of one file; a longer one is recorded truncated
	Session  func(name string) string // names the session of a file; nil names it after the day of its modification time, UTC
	Now      func() time.Time         // the clock of the recording; nil is time.Now

	root    *os.Root
	open    func(name string) (source, error)
	watcher *fsnotify.Watcher // nil when polling
	files   map[string]*file  // by name: all that are there, temporary ones too
	moved   []*file           // that lost their name a moment ago
	sink    harness.Sink
	refused refusals.Refusals
}

// Watch begins to watch: what arrives after it returns will be recorded, once Record runs. Record with a done context
// releases what Watch holds. The error is a [harness.Problem] with the next step.
func (d *Drop) Watch() error {
	if d.root != nil {
		return nil
	}
	root, err := os.OpenRoot(d.Dir)
	if err != nil {
		return harness.Usage(fmt.Errorf("watch folder %s: %w", d.Dir, err), "create the folder, or name the one in which the files arrive")
	}
	d.root, d.files = root, map[string]*file{}
	if d.open == nil {
		d.open = d.openBelow
	}
	if d.Poll == 0 {
		if d.watcher, err = fsnotify.NewWatcher(); err != nil {
			d.release()
			return harness.CannotRun(fmt.Errorf("watch folder %s: %w", d.Dir, err), "set a poll interval")
		}
	}
	if err := d.scan(".", true); err != nil {
		d.release()
		return err
	}
	return nil
}

func (d *Drop) release() {
	if d.watcher != nil {
		d.watcher.Close() //nolint:errcheck // nothing is read from it any more
	}
	d.root.Close() //nolint:errcheck // opened for reading
	d.root, d.watcher = nil, nil
}

// Record puts every finished file into the sink until the context is done. Then it waits for at most Settle: files that
// do not change are finished, the others are counted as dropped. It returns nil unless the folder could not be watched,
// or the sink refused an exchange.
func (d *Drop) Record(ctx context.Context, sink harness.Sink) error {
	if err := d.Watch(); err != nil {
		return err
	}
	defer d.release()
	d.sink = sink
	err := d.watch(ctx)
	if err == nil {
		err = d.finish()
	}
	for _, f := range d.files {
		if f.pending || f.isUpload() {
			sink.Drop(DropUnfinished)
		}
	}
	d.forgetMoved(time.Time{})
	return errors.Join(err, d.refused.Err("files from %s", d.Dir))
}

// watch handles what happens until the context is done.
func (d *Drop) watch(ctx context.Context) error {
	tick := time.NewTicker(d.interval())
	defer tick.Stop()
	var events <-chan fsnotify.Event
	var faults <-chan error
	if d.watcher != nil {
		events, faults = d.watcher.Events, d.watcher.Errors
	}
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case e := <-events:
			err = d.event(e)
		case <-faults: //nolint:errcheck // events were lost, whatever the reason
			err = d.rescan()
		case <-tick.C:
			err = d.tick()
		}
		if err != nil {
			return err
		}
	}
}

// interval is how often files are looked at: several times while one settles.
func (d *Drop) interval() time.Duration {
	if d.Poll > 0 {
		return d.Poll
	}
	return max(d.settle()/4, time.Millisecond)
}

func (d *Drop) tick() error {
	// The open root keeps a removed folder alive, so that its removal is not told as an event.
	if _, err := os.Stat(d.Dir); errors.Is(err, fs.ErrNotExist) {
		return d.vanished()
	}
	if d.Poll > 0 {
		if err := d.rescan(); err != nil {
			return err
		}
	}
	d.settled()
	return nil
}

// event handles one change that the system told.
func (d *Drop) event(e fsnotify.Event) error {
	rel, err := filepath.Rel(d.Dir, e.Name)
	if err != nil {
		return nil // not below the folder
	}
	if rel == "." {
		if e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename) {
			return d.vanished()
		}
		return nil
	}
	return d.look(filepath.ToSlash(rel), e.Has(fsnotify.Rename), false)
}

func (d *Drop) vanished() error {
	return harness.CannotRun(fmt.Errorf("watch folder %s: it was removed", d.Dir), "create the folder and start the recording again")
}

// finish takes what is finished once the recording is asked to stop.
func (d *Drop) finish() error {
	if err := d.rescan(); err != nil {
		return err
	}
	began := map[*file]version{}
	for _, f := range d.files {
		if f.pending {
			began[f] = f.version
		}
	}
	deadline := time.Now().Add(d.settle() + d.interval())
	for last := false; d.waiting() && !last; {
		time.Sleep(max(d.settle()/4, time.Millisecond))
		last = time.Now().After(deadline) // asked before the look, so that the last one finds all that did not change
		d.settled()
		for f, was := range began {
			if f.version != was {
				delete(began, f) // it is being written: it stays pending, and is counted
			}
		}
		if len(began) == 0 {
			break
		}
	}
	return nil
}

func (d *Drop) waiting() bool {
	for _, f := range d.files {
		if f.pending {
			return true
		}
	}
	return false
}

// rescan looks at everything again.
func (d *Drop) rescan() error {
	if _, err := os.Stat(d.Dir); errors.Is(err, fs.ErrNotExist) {
		return d.vanished()
	}
	for name := range d.files {
		if err := d.look(name, false, false); err != nil {
			return err
		}
	}
	return d.scan(".", false)
}

// scan looks at all files of a folder and below, and watches the folders. At the start, files are old.
func (d *Drop) scan(dir string, old bool) error {
	if d.watcher != nil {
		if err := d.watcher.Add(filepath.Join(d.Dir, filepath.FromSlash(dir))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return harness.CannotRun(fmt.Errorf("watch folder %s: %w", dir, err), "allow more watches (fs.inotify.max_user_watches on Linux), or set a poll interval")
		}
	}
	entries, err := fs.ReadDir(d.root.FS(), dir)
	if err != nil && dir == "." {
		return harness.CannotRun(fmt.Errorf("read folder %s: %w", d.Dir, err), "make the folder readable")
	}
	for _, e := range entries {
		if err := d.look(path.Join(dir, e.Name()), false, old); err != nil {
			return err
		}
	}
	return nil
}

// look compares what is known of a name with what is there.
func (d *Drop) look(name string, renamed, old bool) error {
	info, err := d.root.Lstat(filepath.FromSlash(name))
	if err != nil {
		d.gone(name, renamed)
		return nil
	}
	if info.IsDir() {
		if unfinished.Is(name) {
			return nil
		}
		return d.scan(name, old)
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		if target, err := d.root.Stat(filepath.FromSlash(name)); err == nil {
			info = target
		}
	}
	f := d.files[name]
	switch {
	case f == nil:
		d.arrived(name, info, old)
	case !os.SameFile(f.info, info): // another file was put in its place
		d.gone(name, false)
		d.arrived(name, info, old)
	case f.version != versionOf(info):
		f.rewritten(info, d.now())
	}
	return nil
}

func (d *Drop) settle() time.Duration {
	if d.Settle > 0 {
		return d.Settle
	}
	return DefaultSettle
}

func (d *Drop) maxBody() int64 {
	if d.MaxBody > 0 {
		return d.MaxBody
	}
	return DefaultMaxBody
}

func (d *Drop) now() time.Time { return clock.Read(d.Now) }
