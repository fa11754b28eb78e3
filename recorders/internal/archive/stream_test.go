package archive_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
)

// sink keeps what is put, until it refuses.
type sink struct {
	seconds []int64
	dropped []string
	room    int
}

func (s *sink) Put(x harness.Exchange) error {
	if len(s.seconds) == s.room {
		return errors.New("no room")
	}
	s.seconds = append(s.seconds, x.At.Unix())
	return nil
}

func (s *sink) Drop(reason string) { s.dropped = append(s.dropped, reason) }
func (s *sink) LeaveOut(string)    {}

// importer reads one file whose exchanges begin at the seconds.
func importer(t *testing.T, streams bool, read func(*archive.File) error) *archive.Importer {
	t.Helper()
	file := filepath.Join(t.TempDir(), "a.txt")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return &archive.Importer{Path: file, Format: archive.Format{Wrote: "a test", Streams: streams, Read: read}}
}

func putting(seconds ...int64) func(*archive.File) error {
	return func(f *archive.File) error {
		for _, s := range seconds {
			f.Put(harness.Exchange{At: time.Unix(s, 0)})
			if err := f.Err(); err != nil {
				return err
			}
		}
		f.Drop("unreadable")
		return nil
	}
}

func TestStreamIsSortedByStartAndAWholeFileIsNot(t *testing.T) {
	for streams, want := range map[bool][]int64{true: {1, 2, 2, 3}, false: {3, 1, 2, 2}} {
		s := &sink{room: 9}
		im := importer(t, streams, putting(3, 1, 2, 2))
		if err := im.Record(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, s.seconds); diff != "" || len(im.Notes()) != 0 || len(s.dropped) != 1 {
			t.Errorf("streams %v: %s, notes %q, dropped %q", streams, diff, im.Notes(), s.dropped)
		}
	}
}

func TestStreamHoldsLittleBackAndNotesWhatCameTooLate(t *testing.T) {
	const many = 6000
	s := &sink{room: many + 1}
	held := 0
	im := importer(t, true, func(f *archive.File) error {
		for i := range int64(many) {
			f.Put(harness.Exchange{At: time.Unix(1000+i, 0)})
		}
		held = many - len(s.seconds)
		f.Put(harness.Exchange{At: time.Unix(1, 0)})
		return nil
	})
	if err := im.Record(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if held > 4096 || len(s.seconds) != many+1 {
		t.Errorf("%d were held back, %d came", held, len(s.seconds))
	}
	if notes := strings.Join(im.Notes(), "\n"); !strings.HasPrefix(notes, "1 exchanges: began long before") {
		t.Errorf("notes %q", notes)
	}
}

func TestStreamHoldsFewLargeBodiesBack(t *testing.T) {
	s := &sink{room: 100}
	body := harness.BytesBody(make([]byte, 1<<20))
	im := importer(t, true, func(f *archive.File) error {
		for i := range int64(80) {
			f.Put(harness.Exchange{At: time.Unix(i, 0), Response: harness.Message{Body: body}})
		}
		if held := 80 - len(s.seconds); held > 64 {
			return fmt.Errorf("%d MiB were held back", held)
		}
		return nil
	})
	if err := im.Record(t.Context(), s); err != nil {
		t.Fatal(err)
	}
}

func TestSinkThatRefusesEndsTheImportWithItsOwnError(t *testing.T) {
	for _, streams := range []bool{true, false} {
		err := importer(t, streams, putting(1, 2, 3)).Record(t.Context(), &sink{room: 1})
		if err == nil || err.Error() != "import a.txt: no room" || harness.HintOf(err) != "" {
			t.Errorf("streams %v: error %v, hint %q", streams, err, harness.HintOf(err))
		}
	}
}
