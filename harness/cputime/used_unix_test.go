//go:build unix

package cputime

import "testing"

func TestUsedGrowsWithWork(t *testing.T) {
	began, sum := Used(), 0
	for Used() == began { // the clock of the system may be coarse
		for i := range 100_000 {
			sum += i * i
		}
	}
	if now := Used(); now < began {
		t.Errorf("used %v, and before the work %v (sum %d)", now, began, sum)
	}
}
