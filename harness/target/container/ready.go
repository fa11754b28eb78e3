package container

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/testcontainers/testcontainers-go/wait"

	"github.com/rehearse-dev/rehearse/harness"
)

// Waiting for a container.
const (
	defaultWait = 60 * time.Second
	probeEvery  = 20 * time.Millisecond
)

// strategy is when a container is up. Its server is asked by a, which is nil for a companion that nobody feeds, when the
// scenario says so, when nothing else tells, or when which way leads to it is not known.
func strategy(spec harness.ContainerSpec, image Image, a *answers) wait.Strategy {
	ready := harness.ReadySpec{}
	if spec.Ready != nil {
		ready = *spec.Ready
	}
	var all []wait.Strategy
	if ready.Exit {
		all = append(all, wait.ForExit().WithPollInterval(probeEvery))
	}
	if ready.Log != "" {
		all = append(all, wait.ForLog(ready.Log).AsRegexp().WithPollInterval(probeEvery))
	}
	if ready.Health || spec.Ready == nil && checked(spec, image) {
		all = append(all, wait.ForHealthCheck().WithPollInterval(probeEvery))
	}
	if a != nil && (ready.Path != "" || len(all) == 0 || len(a.ways) > 1 && !ready.Exit) {
		a.path = ready.Path
		all = append(all, a)
	}
	if len(all) == 0 {
		return nothing{}
	}
	return wait.ForAll(all...).WithDeadline(spec.Wait.Or(defaultWait))
}

// checked reports whether the container has a health check.
func checked(spec harness.ContainerSpec, image Image) bool {
	if spec.Health != nil && len(spec.Health.Test) > 0 {
		return spec.Health.Test[0] != "NONE"
	}
	return image.healthy
}

// nothing waits for nothing more than the start.
type nothing struct{}

// WaitUntilReady is ready at once.
func (nothing) WaitUntilReady(context.Context, wait.StrategyTarget) error { return nil }

// awaited says in words what a container is waited for, whose server listens on the port.
func awaited(spec harness.ContainerSpec, port int) string {
	var words []string
	if r := spec.Ready; r != nil {
		for _, w := range []struct {
			set  bool
			text string
		}{
			{r.Exit, "its end with exit code 0"}, {r.Log != "", fmt.Sprintf("a line of its log that matches %q", r.Log)},
			{r.Health, "its health check"}, {r.Path != "", "an answer below 500 to " + r.Path},
		} {
			if w.set {
				words = append(words, w.text)
			}
		}
	}
	if len(words) == 0 {
		words = append(words, "a connection to port "+strconv.Itoa(port))
	}
	return strings.Join(words, " and ")
}
