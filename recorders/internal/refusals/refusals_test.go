package refusals

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

var errFull = errors.New("no space left")

// half refuses every second exchange, each time for another reason.
type half struct {
	*harness.Memory
	puts int
}

func (h *half) Put(x harness.Exchange) error {
	switch h.puts++; h.puts {
	case 2:
		return errFull
	case 4:
		return errors.New("still none")
	}
	return h.Memory.Put(x)
}

func TestRefusalsAreCountedAndTold(t *testing.T) {
	var r Refusals
	if err := r.Err("nothing"); err != nil {
		t.Errorf("before anything was refused: %v", err)
	}
	sink := &half{Memory: harness.NewMemory(harness.Manifest{})}
	for range 5 {
		r.Put(sink, harness.Exchange{Channel: harness.ChannelMail})
	}
	err := r.Err("mails to %s", "sis")
	if want := "record mails to sis: the sink refused 2 exchanges: no space left"; !errors.Is(err, errFull) || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	counts := sink.Manifest().Counts
	if d := cmp.Diff(map[string]int{Reason: 2}, counts.Reasons); d != "" || counts.Recorded != 3 {
		t.Errorf("%d kept; reasons differ: %s", counts.Recorded, d)
	}
}
