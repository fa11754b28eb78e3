package scenarios

import "github.com/rehearse-dev/rehearse/harness"

// checkReplay looks at what the keys of replay say together.
func (c *checker) checkReplay(r harness.Replay) {
	for _, d := range []struct {
		key   string
		value harness.Duration
	}{{"max-gap", r.MaxGap}, {"timeout", r.Timeout}, {"polling.within", r.Polling.Within}, {"polling.every", r.Polling.Every}} {
		if d.value < 0 {
			c.problem("replay."+d.key, "replay.%s: a duration below zero cannot be", d.key)
		}
	}
	if r.Concurrency < 0 || r.Concurrency > harness.MaxConcurrent {
		c.problem("replay.concurrency", "replay.concurrency: %d requests at the same time; write 1 to %d", r.Concurrency, harness.MaxConcurrent)
	}
	if r.Order == harness.OrderGlobal && r.Concurrency > 1 {
		c.problem("replay.order", "replay.order: global sends one request after the other; drop concurrency, or write session")
	}
	if r.MaxGap > 0 && !r.Pace.Recorded() {
		c.problem("replay.max-gap", "replay.max-gap: there are pauses only at a pace by the recorded times, such as original or 2x")
	}
	if r.Polling.Attempts < 0 {
		c.problem("replay.polling.attempts", "replay.polling.attempts: %d cannot be", r.Polling.Attempts)
	}
}
