//go:build unix

package cputime

import (
	"fmt"
	"syscall"
	"time"
)

// Used is the time that this process has used so far, of its own and of the system, on all processors together. The
// difference of two calls is what was used in between.
func Used() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(fmt.Sprintf("read the CPU time of this process: %v", err)) // only for an argument that is none
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
