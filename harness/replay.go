package harness

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Replay says how a recording is fed to a target that answers request by request. The zero value sends one request at a
// time, as fast as the target answers, in the order of the recording; a target that calls watched systems is fed session
// by session then, so that each of its calls belongs to one session.
type Replay struct {
	Pace        Pace     `yaml:"pace,omitempty"`        // as-fast-as-possible (default), original, 2x (twice as fast as recorded), 0.5x, 50/s (at most)
	MaxGap      Duration `yaml:"max-gap,omitempty"`     // longer pauses of the recording are cut to this; for the paces that follow the recording
	Concurrency int      `yaml:"concurrency,omitempty"` // requests at the same time, of different sessions unless order allows more; default 1
	Order       string   `yaml:"order,omitempty"`       // session: one request of a session after the other; recorded-overlap: those that overlapped may overlap again; global: one request after the other, whatever its session
	Timeout     Duration `yaml:"timeout,omitempty"`     // for one answer; default 30s

	// SessionHeader is the header field that the target hands on from the request that it answers to the calls that it
	// makes meanwhile, such as traceparent. With it, sessions can be fed at the same time to a target that calls watched
	// systems.
	SessionHeader string `yaml:"session-header,omitempty"`

	Polling Polling `yaml:"polling,omitempty"`
	Shift   *Shift  `yaml:"shift,omitempty"`
}

// Shift moves the dates of what is fed, so that an old recording can be fed to a system that lives today, and the dates
// of the answers back.
type Shift struct {
	To     string   `yaml:"to"`               // the day that the recording's first one becomes: today, or such as 2026-10-05
	Forms  []string `yaml:"forms,omitempty"`  // how dates are written, as the table of package shift has them; default iso, http
	Within Duration `yaml:"within,omitempty"` // how far from the recording a date may lie; default 9600h, 400 days
}

// ShiftToday is the day of the run.
const ShiftToday = "today"

// Orders of a replay.
const (
	OrderSession  = "session"
	OrderOverlap  = "recorded-overlap"
	OrderGlobal   = "global"
	MaxConcurrent = 1024 // most requests at the same time
)

// Polling says how requests are repeated that were repeated in the recording until something was done. A poll ends when
// the answer has the status and the state of the last recorded one, or when a bound is reached, which is a Fault.
type Polling struct {
	Off      bool     `yaml:"off,omitempty"`      // each recorded request is sent once
	Within   Duration `yaml:"within,omitempty"`   // longest time from the first to the last request; default three times as long as recorded, at least 30s
	Every    Duration `yaml:"every,omitempty"`    // pause between two requests; default as recorded, at most 1s
	Attempts int      `yaml:"attempts,omitempty"` // most requests; default 1000
	Also     []string `yaml:"also,omitempty"`     // globs over operations that poll although they are neither GET nor HEAD
}

// Pace is when requests are sent. The zero Pace is as fast as the target answers.
type Pace struct {
	Factor float64 // how much faster than recorded; 0: not by the recorded times
	Rate   float64 // most requests a second; 0: no bound
}

// Contradiction is the key that does not go with the others, and why; empty when all fit together.
func (r Replay) Contradiction() (key, why string) {
	switch {
	case r.Concurrency < 0 || r.Concurrency > MaxConcurrent:
		return "concurrency", fmt.Sprintf("%d requests at the same time; write 1 to %d", r.Concurrency, MaxConcurrent)
	case r.Order == OrderGlobal && r.Concurrency > 1:
		return "order", "global sends one request after the other; drop concurrency, or write session"
	case r.MaxGap > 0 && !r.Pace.Recorded():
		return "max-gap", "there are pauses only at a pace by the recorded times, such as original or 2x"
	}
	return "", ""
}

const asFastAsPossible = "as-fast-as-possible"

// String writes the pace as UnmarshalText reads it.
func (p Pace) String() string {
	switch {
	case p.Rate > 0:
		return strconv.FormatFloat(p.Rate, 'f', -1, 64) + "/s"
	case p.Factor == 1:
		return "original"
	case p.Factor > 0:
		return strconv.FormatFloat(p.Factor, 'f', -1, 64) + "x"
	}
	return asFastAsPossible
}

// MarshalText writes the pace as String does.
func (p Pace) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// rateUnits are the seconds of the units of a rate.
var rateUnits = map[string]float64{"s": 1, "m": 60, "h": 3600}

// UnmarshalText reads as-fast-as-possible, original, a factor such as 2x, and a rate such as 50/s, 300/m or 1000/h.
func (p *Pace) UnmarshalText(text []byte) error {
	s := string(text)
	*p = Pace{}
	switch s {
	case "", asFastAsPossible:
		return nil
	case "original":
		p.Factor = 1
		return nil
	}
	into, divisor := &p.Factor, 1.0
	number, isFactor := strings.CutSuffix(s, "x")
	if !isFactor {
		var unit string
		number, unit, _ = strings.Cut(s, "/")
		into, divisor = &p.Rate, rateUnits[unit]
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || divisor == 0 || !(n > 0 && n <= 1e6) {
		return fmt.Errorf("%q is not a pace: write as-fast-as-possible, original, a factor such as 2x, or a rate such as 50/s", s)
	}
	*into = n / divisor
	return nil
}

// Recorded reports whether the pace follows the times of the recording.
func (p Pace) Recorded() bool { return p.Factor > 0 }

// Apart is the time between two requests at the pace's rate, 0 without one.
func (p Pace) Apart() time.Duration {
	if p.Rate <= 0 {
		return 0
	}
	return time.Duration(float64(time.Second) / p.Rate)
}
