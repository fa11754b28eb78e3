//go:build unix

package filedrop

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

func TestLinksAndPipes(t *testing.T) {
	both(t, func(t *testing.T, set func(*Drop)) {
		outside := filepath.Join(t.TempDir(), "secret.csv")
		if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
			t.Fatal(err)
		}
		r := record(t, t.TempDir(), set)
		r.write("sub/real.csv", "x")
		for link, to := range map[string]string{"out.csv": outside, "up.csv": "../../secret.csv", "nowhere.csv": "missing", "dir": "sub", "in.csv": "sub/real.csv"} {
			if err := os.Symlink(to, filepath.Join(r.Dir, link)); err != nil {
				t.Fatal(err)
			}
		}
		if err := syscall.Mkfifo(filepath.Join(r.Dir, "pipe"), 0o644); err != nil {
			t.Fatal(err)
		}
		r.await(6)
		if err := r.stop(); err != nil {
			t.Error(err)
		}
		want := map[string]int{DropOutside: 3, DropIrregular: 1}
		if d := cmp.Diff(want, r.mem.Manifest().Counts.Reasons); d != "" {
			t.Error(d)
		}
		xs, _ := harness.Collect(r.mem)
		for _, x := range xs {
			if b, _ := x.Request.Body.Bytes(); string(b) != "x" {
				t.Errorf("%v: %q", x.Request.Head, b)
			}
		}
		if len(xs) != 2 {
			t.Errorf("%d files, want the real one and the link to it", len(xs))
		}
	})
}

func TestPipeThatTakesThePlaceOfAFileIsNotWaitedFor(t *testing.T) {
	swap := func(d *Drop) {
		d.open = func(name string) (source, error) {
			full := filepath.Join(d.Dir, name)
			if err := errors.Join(os.Remove(full), syscall.Mkfifo(full, 0o644)); err != nil {
				t.Error(err)
			}
			return d.openBelow(name)
		}
	}
	r := record(t, t.TempDir(), swap)
	r.write("a.csv", "x")
	r.await(1)
	ended := make(chan error, 1)
	go func() { ended <- r.stop() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("still waits for the pipe")
	}
	if n := r.mem.Manifest().Counts.Reasons[DropIrregular]; n == 0 {
		t.Errorf("dropped: %v", r.mem.Manifest().Counts.Reasons)
	}
}
