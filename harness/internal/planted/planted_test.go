package planted

import (
	"bytes"
	"io"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// TestEditsAreThoseThatWerePlanted counts them by the ids of the records, without a differ.
func TestEditsAreThoseThatWerePlanted(t *testing.T) {
	for _, tc := range []struct {
		w     Workload
		edits int
		why   string
	}{
		{Workload{Records: 20}, 4, "two changed, one gone, one new"},
		{Workload{Records: 2000}, 14, "ten changed, two gone, two new"},
		{Workload{Records: 2000, Shuffled: true}, 14, "order is no edit"},
		{Workload{Records: 2000, Volatile: true}, 2012, "one more in each of 1,998 records"},
		{Workload{Records: 20, Volatile: true}, 23, "one more in each of 19 records"},
	} {
		for media, write := range map[string]func(Workload, io.Writer, bool) error{"application/json": Workload.JSON, "text/csv": Workload.CSV} {
			if got := edits(t, tc.w, media, write); got != tc.edits || tc.w.Edits() != tc.edits {
				t.Errorf("%+v %s: %d edits, %d planted, want %d: %s", tc.w, media, got, tc.w.Edits(), tc.edits, tc.why)
			}
		}
	}
}

// edits counts records that one side alone has, and leaves that differ in records of one id.
func edits(t *testing.T, w Workload, media string, write func(Workload, io.Writer, bool) error) int {
	var sides [2]map[string]payload.Node
	for i := range sides {
		var b bytes.Buffer
		if err := write(w, &b, i == 1); err != nil {
			t.Fatal(err)
		}
		sides[i] = map[string]payload.Node{}
		for n := range payload.Parse(media, "", b.Bytes()).Root().Children() {
			for m := range n.Children() {
				sides[i][m.Text()] = n // the first member identifies
				break
			}
		}
	}
	count := 0
	for id, was := range sides[0] {
		is := sides[1][id]
		if is.IsZero() {
			count++
			continue
		}
		for path, leaf := range was.Leaves() {
			if is.At(append(harness.Path{}, path...)).Text() != leaf.Text() {
				count++
			}
		}
		delete(sides[1], id)
	}
	return count + len(sides[1])
}

func TestFirstNewRecordIsAtTheFront(t *testing.T) {
	var b bytes.Buffer
	if err := (Workload{Records: 20}).CSV(&b, true); err != nil {
		t.Fatal(err)
	}
	if second := bytes.Split(b.Bytes(), []byte("\n"))[1]; second[0] != 'N' {
		t.Errorf("%s is no new record", second)
	}
}
