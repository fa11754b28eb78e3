package filedrop

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

var _ harness.Recorder = (*Drop)(nil)

const (
	settle   = 20 * time.Millisecond
	never    = time.Hour   // a file does not settle within a test
	patience = time.Minute // after it a test fails that waits
)

// recording is a Drop that runs on a folder of the test.
type recording struct {
	*Drop
	t    *testing.T
	mem  *harness.Memory
	stop func() error
}

func record(t *testing.T, dir string, set func(*Drop)) recording {
	t.Helper()
	mem := harness.NewMemory(harness.Manifest{})
	return recordTo(t, dir, mem, mem, set)
}

func recordTo(t *testing.T, dir string, mem *harness.Memory, sink harness.Sink, set func(*Drop)) recording {
	t.Helper()
	d := &Drop{Dir: dir, From: "sis", To: "lms", Settle: settle}
	if set != nil {
		set(d)
	}
	if err := d.Watch(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Record(ctx, sink) }()
	stop := sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(patience):
			return errors.New("Record does not end")
		}
	})
	t.Cleanup(func() { stop() })
	return recording{d, t, mem, stop}
}

// write puts a file into the folder in one step: nobody sees it half written, however long the writer is held up.
func (r recording) write(name, content string) {
	r.t.Helper()
	r.writeAt(name, content, time.Now())
}

func (r recording) writeAt(name, content string, modified time.Time) {
	r.t.Helper()
	name, aside := filepath.Join(r.Dir, filepath.FromSlash(name)), filepath.Join(r.t.TempDir(), "aside")
	if err := errors.Join(
		os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(aside, []byte(content), 0o644), os.Chtimes(aside, modified, modified), os.Rename(aside, name),
	); err != nil {
		r.t.Fatal(err)
	}
}

// rewrite writes longer content into a file that is there.
func (r recording) rewrite(name, content string) {
	r.t.Helper()
	file, err := os.OpenFile(filepath.Join(r.Dir, name), os.O_WRONLY, 0)
	if err != nil {
		r.t.Fatal(err)
	}
	_, err = file.WriteString(content)
	if err := errors.Join(err, file.Close()); err != nil {
		r.t.Fatal(err)
	}
}

func (r recording) rename(from, to string) {
	r.t.Helper()
	if err := os.Rename(filepath.Join(r.Dir, from), filepath.Join(r.Dir, to)); err != nil {
		r.t.Fatal(err)
	}
}

// await waits until n files were seen.
func (r recording) await(n int) {
	r.t.Helper()
	deadline := time.Now().Add(patience)
	for r.mem.Manifest().Counts.Seen < n {
		if time.Now().After(deadline) {
			r.t.Fatalf("%d files seen within %v, want %d", r.mem.Manifest().Counts.Seen, patience, n)
		}
		time.Sleep(time.Millisecond)
	}
}

// end stops the recording and compares what was recorded: name, content and the kind of fault of each file.
func (r recording) end(drops map[string]int, want ...[3]string) []harness.Exchange {
	r.t.Helper()
	if err := r.stop(); err != nil {
		r.t.Errorf("Record: %v", err)
	}
	xs, err := harness.Collect(r.mem)
	if err != nil {
		r.t.Fatal(err)
	}
	var got [][3]string
	for _, x := range xs {
		b, _ := x.Request.Body.Bytes()
		kind := ""
		if x.Fault != nil {
			kind = x.Fault.Kind
		}
		got = append(got, [3]string{x.Request.Head.Get(":name"), string(b), kind})
	}
	if d := cmp.Diff(want, got); d != "" {
		r.t.Errorf("recorded: %s", d)
	}
	if d := cmp.Diff(drops, r.mem.Manifest().Counts.Reasons); d != "" {
		r.t.Errorf("dropped: %s", d)
	}
	return xs
}

// both runs a test with events and with polling.
func both(t *testing.T, test func(t *testing.T, set func(*Drop))) {
	t.Run("events", func(t *testing.T) { test(t, func(*Drop) {}) })
	t.Run("polling", func(t *testing.T) { test(t, func(d *Drop) { d.Poll = 2 * time.Millisecond }) })
}

func TestStableFilesAreRecordedByteForByte(t *testing.T) {
	both(t, func(t *testing.T, set func(*Drop)) {
		r := record(t, t.TempDir(), set)
		content := "\xef\xbb\xbfid;plan\r\nH001;\"3,50\"\r\n\r\n\xff"
		r.writeAt("out/2026/registrations.csv", content, time.Date(2026, 3, 1, 23, 30, 0, 123456789, time.FixedZone("", -2*3600)))
		r.await(1)
		xs := r.end(nil, [3]string{"out/2026/registrations.csv", content, ""})
		x := xs[0]
		got := []any{x.Channel, x.From, x.To, x.Session, x.Request.Head, x.Response.IsZero(), x.Took, x.At.Location()}
		want := []any{"file", "sis", "lms", "2026-03-02", harness.Head{{Name: ":name", Value: "out/2026/registrations.csv"},
			{Name: ":mtime", Value: "2026-03-02T01:30:00.123456789Z"}}, true, time.Duration(0), time.UTC}
		if d := cmp.Diff(want, got, cmp.Comparer(func(a, b *time.Location) bool { return a == b })); d != "" {
			t.Error(d)
		}
	})
}

func TestFileRenamedIntoPlaceIsTakenAtOnce(t *testing.T) {
	both(t, func(t *testing.T, set func(*Drop)) {
		dir := t.TempDir()
		for _, name := range []string{"a.csv.part", ".b.csv.x7", "c.TMP"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		r := record(t, dir, func(d *Drop) { set(d); d.Settle = never; d.Session = strings.ToUpper })
		for i, move := range [][2]string{{"a.csv.part", "a.csv"}, {".b.csv.x7", "b.csv"}, {"c.TMP", "c.csv"}} {
			r.rename(move[0], move[1])
			r.await(i + 1)
		}
		xs := r.end(nil, [3]string{"a.csv", "a.csv.part", ""}, [3]string{"b.csv", ".b.csv.x7", ""}, [3]string{"c.csv", "c.TMP", ""})
		if xs[0].Session != "A.CSV" {
			t.Errorf("session %q", xs[0].Session)
		}
	})
}

func TestTemporaryNamesAreLeftAlone(t *testing.T) {
	both(t, func(t *testing.T, set func(*Drop)) {
		r := record(t, t.TempDir(), set)
		for _, name := range []string{"a.csv.tmp", "b.part", "c.filepart", "d.csv~", ".e.csv", ".hidden/f.csv", "batch.tmp/g.csv"} {
			r.write(name, "x")
		}
		r.write("last.csv", "y")
		r.await(1)
		r.end(map[string]int{DropUnfinished: 3}, [3]string{"last.csv", "y", ""}) // a, b and c are uploads that did not end
	})
}

func TestFilesOfTheStart(t *testing.T) {
	both(t, func(t *testing.T, set func(*Drop)) {
		dir := t.TempDir()
		r := recording{Drop: &Drop{Dir: dir}, t: t}
		r.write("sub/old.csv", "1")
		r.write("other.csv", "2")
		for _, c := range []struct {
			why      string
			existing bool
			want     [][3]string
		}{
			{"are taken when asked for", true, [][3]string{{"other.csv", "2", ""}, {"sub/old.csv", "1", ""}, {"new.csv", "3", ""}}},
			{"are left alone until they are rewritten", false, [][3]string{{"new.csv", "3", ""}, {"other.csv", "2+", ""}}},
		} {
			os.Remove(filepath.Join(dir, "new.csv"))
			r := record(t, dir, func(d *Drop) { set(d); d.Existing = c.existing })
			if c.existing {
				r.await(2)
			}
			r.write("new.csv", "3")
			r.await(len(c.want) - map[bool]int{false: 1}[c.existing])
			if !c.existing {
				r.rewrite("other.csv", "2+")
				r.await(2)
			}
			t.Log(c.why)
			r.end(nil, c.want...)
		}
	})
}

func TestRewrittenFileIsRecordedAgainWhenItIsNew(t *testing.T) {
	both(t, func(t *testing.T, set func(*Drop)) {
		r := record(t, t.TempDir(), set)
		r.write("a.csv", "one")
		r.await(1)
		later := time.Now().Add(time.Minute)
		if err := os.Chtimes(filepath.Join(r.Dir, "a.csv"), later, later); err != nil {
			t.Fatal(err)
		}
		r.write("b.csv", "b") // settles after the touched file
		r.await(2)
		r.rewrite("a.csv", "three")
		r.await(3)
		if err := os.Remove(filepath.Join(r.Dir, "a.csv")); err != nil {
			t.Fatal(err)
		}
		r.write("c.csv", "c") // settles after the removal was seen
		r.await(4)
		r.write("a.csv", "three") // the next crossing
		r.await(5)
		r.end(nil, [3]string{"a.csv", "one", ""}, [3]string{"b.csv", "b", ""}, [3]string{"a.csv", "three", ""}, [3]string{"c.csv", "c", ""}, [3]string{"a.csv", "three", ""})
	})
}

func TestRecordedFileThatMovesOnIsNotRecordedAgain(t *testing.T) {
	both(t, func(t *testing.T, set func(*Drop)) {
		r := record(t, t.TempDir(), set)
		r.write("done/x.csv", "x")
		r.await(1)
		r.write("a.csv", "one")
		r.await(2)
		r.rename("a.csv", "done/a.csv")
		r.write("b.csv", "b")
		r.await(3)
		r.end(nil, [3]string{"done/x.csv", "x", ""}, [3]string{"a.csv", "one", ""}, [3]string{"b.csv", "b", ""})
	})
}

// A look takes one name after the other: a file may get its new name after the old one was looked at.
func TestFileThatMovesOnDuringALookIsNotRecordedAgain(t *testing.T) {
	mem := harness.NewMemory(harness.Manifest{})
	dir := t.TempDir()
	r := recording{Drop: &Drop{Dir: dir, Poll: never, Settle: settle}, t: t, mem: mem}
	r.write("done/x.csv", "x")
	if err := r.Watch(); err != nil {
		t.Fatal(err)
	}
	defer r.release()
	r.sink = mem
	r.write("a.csv", "one")
	if err := r.rescan(); err != nil {
		t.Fatal(err)
	}
	r.take(r.files["a.csv"])
	r.rename("a.csv", "done/a.csv")
	if err := r.scan(".", false); err != nil { // the second half of a look
		t.Fatal(err)
	}
	if err := r.finish(); err != nil {
		t.Fatal(err)
	}
	if n := mem.Manifest().Counts.Recorded; n != 1 {
		t.Errorf("%d files recorded, want the one", n)
	}
}

func TestFileThatVanishesIsCounted(t *testing.T) {
	both(t, func(t *testing.T, set func(*Drop)) {
		r := recording{Drop: &Drop{Dir: t.TempDir()}, t: t}
		r.write("gone.csv", "x")
		r = record(t, r.Dir, func(d *Drop) { set(d); d.Settle, d.Existing = never, true })
		if err := os.Remove(filepath.Join(r.Dir, "gone.csv")); err != nil {
			t.Fatal(err)
		}
		r.end(map[string]int{DropVanished: 1})
	})
}

func TestFileAboveTheLimitIsTruncated(t *testing.T) {
	r := record(t, t.TempDir(), func(d *Drop) { d.MaxBody = 4 })
	r.write("a.csv", "12345")
	r.await(1)
	r.write("b.csv", "1234")
	r.await(2)
	r.end(nil, [3]string{"a.csv", "1234", harness.FaultTruncated}, [3]string{"b.csv", "1234", ""})
}

func TestStopFinishesStableFilesAndCountsUnfinishedOnes(t *testing.T) {
	both(t, func(t *testing.T, set func(*Drop)) {
		dir := t.TempDir()
		grow := func() time.Time { // asked for whenever a version of a file is noted, after which the next one is there
			if out, err := os.OpenFile(filepath.Join(dir, "growing.csv"), os.O_APPEND|os.O_WRONLY, 0); err == nil {
				out.WriteString("y")
				out.Close()
			}
			return time.Now()
		}
		r := record(t, dir, func(d *Drop) { set(d); d.Now = grow })
		r.write("stable.csv", "x")
		r.write("growing.csv", "x")
		r.end(map[string]int{DropUnfinished: 1}, [3]string{"stable.csv", "x", ""})
	})
}

// failing is a sink that takes nothing.
type failing struct{ *harness.Memory }

var errFull = errors.New("disk full")

func (failing) Put(harness.Exchange) error { return errFull }

func TestSinkThatFails(t *testing.T) {
	mem := harness.NewMemory(harness.Manifest{})
	r := recordTo(t, t.TempDir(), mem, failing{mem}, nil)
	r.write("a.csv", "x")
	r.await(1)
	if err := r.stop(); !errors.Is(err, errFull) {
		t.Errorf("Record: %v", err)
	}
	if d := cmp.Diff(map[string]int{DropSink: 1}, mem.Manifest().Counts.Reasons); d != "" {
		t.Error(d)
	}
}

func TestFolderThatIsMissing(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none")
	if err := (&Drop{Dir: missing}).Record(t.Context(), nil); harness.HintOf(err) == "" || !strings.Contains(err.Error(), missing) {
		t.Errorf("missing folder: %v (hint %q)", err, harness.HintOf(err))
	}
	both(t, func(t *testing.T, set func(*Drop)) {
		dir := filepath.Join(t.TempDir(), "drop")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		d := &Drop{Dir: dir, Settle: settle}
		set(d)
		if err := d.Watch(); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(dir); err != nil {
			t.Fatal(err)
		}
		if err := d.Record(t.Context(), harness.NewMemory(harness.Manifest{})); harness.ClassOf(err) != harness.ClassCannotRun {
			t.Errorf("folder removed while watching: %v", err)
		}
	})
}

func TestNoGoroutineIsLeft(t *testing.T) {
	base := runtime.NumGoroutine()
	r := record(t, t.TempDir(), nil)
	r.write("a.csv", "x")
	r.await(1)
	r.end(nil, [3]string{"a.csv", "x", ""})
	deadline := time.Now().Add(patience)
	for runtime.NumGoroutine() > base {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), base)
		}
		time.Sleep(time.Millisecond)
	}
}
