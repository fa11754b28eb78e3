package scenarios

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness"
)

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
	c.checkShift(r.Shift)
	if r.Polling.Attempts < 0 {
		c.problem("replay.polling.attempts", "replay.polling.attempts: %d cannot be", r.Polling.Attempts)
	}
}

// checkShift looks at how dates are moved.
func (c *checker) checkShift(s *harness.Shift) {
	if s == nil || c.w.CheckShift == nil {
		return
	}
	if key, err := c.w.CheckShift(*s); err != nil {
		c.problem("replay.shift."+key, "replay.shift.%s: %v", key, err)
	}
}

// checkAccess looks at the recipes for credentials.
func (c *checker) checkAccess(list []harness.Access) {
	for i, a := range list {
		label := fmt.Sprintf("access[%d]", i)
		checkGlob(c.decoder, label+".operation", a.Operation)
		if a.Recipe == "" || c.w.CheckAccess == nil {
			continue
		}
		if key, err := c.w.CheckAccess(a); err != nil {
			if key != "" {
				label += "." + key
			}
			c.problem(label, "access[%d]: %v", i, err)
		}
	}
}
