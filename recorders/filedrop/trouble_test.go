package filedrop

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/fsnotify/fsnotify"
)

// meddled is an open file with which something happens before its first byte is read.
type meddled struct {
	source
	before func() error
}

func (m *meddled) Read(b []byte) (int, error) {
	if before := m.before; before != nil {
		m.before = nil
		if err := before(); err != nil {
			return 0, err
		}
	}
	return m.source.Read(b)
}

// meddle lets something happen each time a file was opened and before it is read; nth counts from 1.
func meddle(d *Drop, before func(nth int, name string) error) {
	var opened atomic.Int64
	d.open = func(name string) (source, error) {
		in, err := d.openBelow(name)
		if err != nil {
			return nil, err
		}
		nth := int(opened.Add(1))
		return &meddled{in, func() error { return before(nth, filepath.Join(d.Dir, name)) }}, nil
	}
}

func grow(name, more string) error {
	out, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = out.WriteString(more)
	return errors.Join(err, out.Close())
}

func TestFileThatChangesWhileItIsReadIsReadAgain(t *testing.T) {
	for _, tt := range []struct {
		why    string
		change func(name string) error
		want   string
	}{
		{"it grew behind what is read", func(name string) error { return grow(name, ";two") }, "one;two"},
		{"it was cut", func(name string) error { return os.Truncate(name, 1) }, "o"},
		{"it became empty", func(name string) error { return os.Truncate(name, 0) }, ""},
		{"its bytes changed and its size did not", func(name string) error { return os.WriteFile(name, []byte("ONE"), 0o644) }, "ONE"},
	} {
		t.Run(tt.why, func(t *testing.T) {
			both(t, func(t *testing.T, set func(*Drop)) {
				r := record(t, t.TempDir(), func(d *Drop) {
					set(d)
					meddle(d, func(nth int, name string) error {
						if nth == 1 {
							return tt.change(name)
						}
						return nil
					})
				})
				r.write("a.csv", "one")
				r.await(1)
				r.end(nil, [3]string{"a.csv", tt.want, ""})
			})
		})
	}
}

func TestFileThatChangesWheneverItIsReadIsUnfinished(t *testing.T) {
	both(t, func(t *testing.T, set func(*Drop)) {
		reads := make(chan int, 1000)
		r := record(t, t.TempDir(), func(d *Drop) {
			set(d)
			meddle(d, func(nth int, name string) error {
				reads <- nth
				return grow(name, "+")
			})
		})
		r.write("a.csv", "one")
		for nth := range reads {
			if nth == 3 {
				break
			}
		}
		r.end(map[string]int{DropUnfinished: 1})
	})
}

func TestFileThatCannotBeReadIsCountedOnce(t *testing.T) {
	broken := errors.New("input/output error")
	for _, tt := range []struct {
		why  string
		open func(d *Drop) func(string) (source, error)
	}{
		{"it cannot be opened", func(*Drop) func(string) (source, error) {
			return func(name string) (source, error) { return nil, fmt.Errorf("open %s: %w", name, os.ErrPermission) }
		}},
		{"the disk has a bad sector", func(d *Drop) func(string) (source, error) {
			return func(name string) (source, error) {
				in, err := d.openBelow(name)
				return &meddled{in, func() error { return broken }}, err
			}
		}},
	} {
		t.Run(tt.why, func(t *testing.T) {
			both(t, func(t *testing.T, set func(*Drop)) {
				r := record(t, t.TempDir(), func(d *Drop) {
					set(d)
					bad := tt.open(d)
					d.open = func(name string) (source, error) {
						if name == "bad.csv" {
							return bad(name)
						}
						return d.openBelow(name)
					}
				})
				r.write("bad.csv", "x")
				r.await(1)
				r.write("good.csv", "y") // the others are recorded
				r.await(2)
				r.end(map[string]int{DropUnreadable: 1}, [3]string{"good.csv", "y", ""})
			})
		})
	}
}

func TestLostEventsAreMadeUpFor(t *testing.T) {
	r := record(t, t.TempDir(), nil)
	r.write("sub/before.csv", "1")
	r.await(1)
	watcher := r.watcher
	for _, dir := range watcher.WatchList() { // from here the system tells nothing
		if err := watcher.Remove(dir); err != nil {
			t.Fatal(err)
		}
	}
	r.write("a.csv", "2")
	r.write("sub/b.csv", "3")
	r.write("new/c.csv", "4")
	if err := os.Remove(filepath.Join(r.Dir, "sub", "before.csv")); err != nil {
		t.Fatal(err)
	}
	if n := r.mem.Manifest().Counts.Seen; n != 1 {
		t.Fatalf("%d files seen without events", n)
	}
	watcher.Errors <- fsnotify.ErrEventOverflow
	r.await(4)
	r.write("new/d.csv", "5") // every folder is watched again
	r.await(5)
	r.end(nil, [3]string{"sub/before.csv", "1", ""}, [3]string{"a.csv", "2", ""}, [3]string{"new/c.csv", "4", ""}, [3]string{"sub/b.csv", "3", ""}, [3]string{"new/d.csv", "5", ""})
}
