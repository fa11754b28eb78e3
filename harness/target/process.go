package target

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/internal/started"
)

// Waiting for a server to come up.
const (
	defaultWait = 10 * time.Second
	probeEvery  = 20 * time.Millisecond
)

// process is a server that is started on loopback.
type process struct{ spec harness.ProcessSpec }

func newProcess(spec harness.TargetSpec) (harness.Target, error) {
	if err := checkProcess(*spec.Process); err != nil {
		return nil, err
	}
	return process{*spec.Process}, nil
}

func checkProcess(spec harness.ProcessSpec) error {
	if spec.Ready != "" && !strings.HasPrefix(spec.Ready, "/") {
		return harness.Usage(fmt.Errorf("ready %q is not a path", spec.Ready), "write it like /healthz")
	}
	return checkRun(spec.Run)
}

func describeProcess(spec harness.TargetSpec) string {
	return "process " + strings.Join(spec.Process.Run, " ")
}

// served is a process together with what feeds it.
type served struct {
	*feeder
	server *child
}

// Start starts the server and waits until it is ready.
func (p process) Start(ctx context.Context, env harness.StageEnv) (harness.Stage, error) {
	listen, c, err := startServer(ctx, p.spec, env)
	if err != nil {
		return nil, err
	}
	f := newFeeder(&url.URL{Scheme: "http", Host: listen}, env)
	f.explain = c.explain
	return served{f, c}, nil
}

// explainWait is how long a server that broke a connection may take to be gone.
const explainWait = 250 * time.Millisecond

// explain tells in the fault how the server ended. It waits for the end of a server that is about to be gone, so that
// the next exchange meets a closed port and not, by chance, one that is just closing.
func (c *child) explain(f *harness.Fault) {
	timer := time.NewTimer(explainWait)
	defer timer.Stop()
	select {
	case <-c.done:
		f.Detail += "; the server ended: " + c.deathDetail()
	case <-timer.C:
	}
}

// Close drops the connections, stops the server and waits for its end.
func (s served) Close() error {
	s.feeder.Close() //nolint:errcheck // never fails
	s.server.stop()
	return nil
}

// StartServer starts a server on a free loopback port and waits until it is ready: the path Ready answers below 500,
// or the port accepts a connection when there is no such path. It returns the base URL and the function that stops it
// and waits for its end, which may be called more than once. A server that ends or does not become ready within Wait
// is a Problem of ClassCannotRun that tells what it said last. The probes are the harness's own, to the port that it
// chose itself, and do not pass the egress guard. The context bounds the start only.
func StartServer(ctx context.Context, spec harness.ProcessSpec, env harness.StageEnv) (base string, stop func() error, err error) {
	listen, c, err := startServer(ctx, spec, env)
	if err != nil {
		return "", nil, err
	}
	return "http://" + listen, func() error { c.stop(); return nil }, nil
}

func startServer(ctx context.Context, spec harness.ProcessSpec, env harness.StageEnv) (listen string, c *child, err error) {
	if err := checkProcess(spec); err != nil {
		return "", nil, err
	}
	if err := ctx.Err(); err != nil {
		return "", nil, err
	}
	if listen, err = freePort(); err != nil {
		return "", nil, harness.CannotRun(err, "check that loopback is up and ports are free")
	}
	set, err := newSettings(env, listen)
	if err != nil {
		return "", nil, err
	}
	cmd, err := set.command(spec.Run, spec.Env, set.root)
	if err != nil {
		return "", nil, err
	}
	if c, err = startChild(spec.Run[0], cmd, env.Log); err != nil {
		return "", nil, err
	}
	if env.Posted && spec.Ready == "" {
		return listen, c, nil // it is waited for by whoever hands it a message
	}
	if err := waitReady(ctx, c, spec, listen); err != nil {
		c.stop()
		return "", nil, err
	}
	return listen, c, nil
}

// freePort asks the system for a loopback port that is free now.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find free port: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// waitReady probes the server until it is ready.
func waitReady(ctx context.Context, c *child, spec harness.ProcessSpec, listen string) error {
	wait := spec.Wait.Or(defaultWait)
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		ready := started.Probe{Address: listen, Path: spec.Ready}.Try(ctx) == nil
		if c.ended() { // also when something answered: it was not this server
			return c.problem("start")
		}
		if ready {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.done:
		case <-deadline.C:
			return harness.CannotRun(fmt.Errorf("start %s: not ready on %s after %s", c.name, listen, wait), readyHint(c, spec))
		case <-tick.C:
		}
	}
}

func readyHint(c *child, spec harness.ProcessSpec) string {
	hint := "make the program listen on {listen} or $REHEARSE_LISTEN, or raise wait"
	if spec.Ready != "" {
		hint = "check that " + spec.Ready + " answers below 500, " + hint
	}
	if said := c.said.Text(); said != "" {
		hint += "; it said: " + said
	}
	return hint
}
