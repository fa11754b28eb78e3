package harness

import (
	"testing"
	"time"
)

func TestPaceIsReadAndWritten(t *testing.T) {
	tests := []struct {
		text, written string
		want          Pace
		apart         time.Duration
	}{
		{"", "as-fast-as-possible", Pace{}, 0},
		{"as-fast-as-possible", "as-fast-as-possible", Pace{}, 0},
		{"original", "original", Pace{Factor: 1}, 0},
		{"1x", "original", Pace{Factor: 1}, 0},
		{"2x", "2x", Pace{Factor: 2}, 0},
		{"0.5x", "0.5x", Pace{Factor: 0.5}, 0},
		{"50/s", "50/s", Pace{Rate: 50}, 20 * time.Millisecond},
		{"300/m", "5/s", Pace{Rate: 5}, 200 * time.Millisecond},
	}
	for _, test := range tests {
		var p Pace
		if err := p.UnmarshalText([]byte(test.text)); err != nil || p != test.want || p.String() != test.written || p.Apart() != test.apart {
			t.Errorf("%q: %v %+v written %q, apart %s", test.text, err, p, p, p.Apart())
		}
	}
	for _, text := range []string{"fast", "x", "0x", "-1x", "NaNx", "50/d", "50", "/s", "1e9/s"} {
		if err := new(Pace).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is read as a pace", text)
		}
	}
}
