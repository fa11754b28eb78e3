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
	if key, why := r.Contradiction(); key != "" {
		c.problem("replay."+key, "replay.%s: %s", key, why)
	}
	if r.Polling.Attempts < 0 {
		c.problem("replay.polling.attempts", "replay.polling.attempts: %d cannot be", r.Polling.Attempts)
	}
}
