package main

import (
	"context"
	"fmt"
	"os"

	"github.com/rehearse-dev/rehearse/harness/target/container"
)

// obey ends what is done at the first signal, and the program at the second, when that takes too long.
func (a *app) obey(signals <-chan os.Signal, cancel context.CancelFunc, exit func(int)) {
	<-signals
	cancel()
	if container.Standing() {
		fmt.Fprintln(a.err, "rehearse: interrupted: removing the containers of the run; interrupt again to leave that to a process of its own")
	}
	<-signals
	words := "rehearse: interrupted again: ended at once"
	if container.Standing() {
		words += "; a process of its own goes on removing the containers of the run, and `rehearse doctor containers` lists what is left"
	}
	fmt.Fprintln(a.err, words)
	exit(exitInterrupted)
}
