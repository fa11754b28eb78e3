package clock

import (
	"testing"
	"time"
)

func TestReadsTheClockThatItIsGiven(t *testing.T) {
	noon := time.Date(2026, 9, 1, 12, 0, 0, 0, time.FixedZone("", -5*3600))
	if got := Read(func() time.Time { return noon }); !got.Equal(noon) || got.Location() != time.UTC {
		t.Errorf("got %v", got)
	}
	before := time.Now()
	if got := Read(nil); got.Before(before) || got.After(time.Now()) || got.Location() != time.UTC {
		t.Errorf("got %v", got)
	}
}
