// Package clock is the clock of live recorders.
package clock

import "time"

// Read is the moment in UTC: that of now, or of [time.Now] when it is nil.
func Read(now func() time.Time) time.Time {
	if now == nil {
		now = time.Now
	}
	return now().UTC()
}
