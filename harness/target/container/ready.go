package container

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/testcontainers/testcontainers-go/wait"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/internal/started"
)

// Waiting for a container.
const (
	defaultWait = 60 * time.Second
	probeEvery  = 20 * time.Millisecond
)

// strategy is when the server at the address is up; an empty address is a companion that nobody feeds.
func strategy(spec harness.ContainerSpec, image Image, address string) wait.Strategy {
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
	if ready.Health || spec.Ready == nil && image.healthy {
		all = append(all, wait.ForHealthCheck().WithPollInterval(probeEvery))
	}
	if ready.Path != "" || address != "" && len(all) == 0 {
		all = append(all, answers{address, ready.Path})
	}
	return wait.ForAll(all...).WithDeadline(spec.Wait.Or(defaultWait))
}

// answers waits until the path answers below 500, or the port accepts when there is no path. The probes go to the
// container itself, past every proxy of the environment.
type answers struct{ address, path string }

// WaitUntilReady probes until the context ends or the container does.
func (a answers) WaitUntilReady(ctx context.Context, c wait.StrategyTarget) error {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		if a.probe(ctx) {
			return nil
		}
		state, err := c.State(ctx)
		if err != nil {
			return err
		}
		if !state.Running {
			return fmt.Errorf("the container is %s", state.Status)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func (a answers) probe(ctx context.Context) bool { return started.Answers(ctx, a.address, a.path) }

// awaited says in words what a container is waited for.
func awaited(spec harness.ContainerSpec, address string) string {
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
		words = append(words, "a connection to "+address)
	}
	return strings.Join(words, " and ")
}
