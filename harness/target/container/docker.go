package container

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"

	"github.com/rehearse-dev/rehearse/harness"
)

const noDockerHint = "install Docker and start it, or let this user reach it: `docker info` must answer; DOCKER_HOST names a daemon elsewhere"

// quiet turns off what testcontainers would do and say by itself: its reaper is an image of a registry.
var quiet = sync.OnceFunc(func() {
	os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true") //nolint:errcheck // the name is valid
	log.SetDefault(log.NewNoopLogger())
})

// docker is the daemon.
type docker struct {
	provider *testcontainers.DockerProvider
	api      client.APIClient
}

// connect asks the daemon whether it is there. The error is a Problem of ClassCannotRun.
func connect(ctx context.Context) (d docker, err error) {
	quiet()
	defer func() { // testcontainers gives up on hosts without any sign of Docker by a panic
		if r := recover(); r != nil {
			err = harness.CannotRun(fmt.Errorf("reach docker: %v", r), noDockerHint)
		}
	}()
	if err := ctx.Err(); err != nil {
		return d, err
	}
	d.provider, err = testcontainers.NewDockerProvider(testcontainers.WithLogger(log.NewNoopLogger()))
	if err != nil {
		return d, harness.CannotRun(fmt.Errorf("reach docker: %w", oneLine(err)), noDockerHint)
	}
	d.api = d.provider.Client()
	if asked := os.Getenv("DOCKER_HOST"); asked != "" && d.api.DaemonHost() != asked { // testcontainers looks elsewhere
		return d, harness.CannotRun(fmt.Errorf("reach docker: nothing answers at %s", asked), noDockerHint)
	}
	if _, err := d.api.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true}); err != nil {
		return d, harness.CannotRun(fmt.Errorf("reach docker: %w", oneLine(err)), noDockerHint)
	}
	return d, nil
}

// close drops the connections to the daemon.
func (d docker) close() { d.provider.Close() } //nolint:errcheck // nothing is left to lose

// Version says which Docker is there and where.
func Version(ctx context.Context) (string, error) {
	d, err := connect(ctx)
	if err != nil {
		return "", err
	}
	defer d.close()
	v, err := d.api.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return "", harness.CannotRun(fmt.Errorf("ask docker for its version: %w", err), noDockerHint)
	}
	return fmt.Sprintf("docker %s at %s", v.Version, d.api.DaemonHost()), nil
}

// oneLine is the error on one line.
func oneLine(err error) error {
	return errors.New(strings.Join(strings.Fields(err.Error()), " "))
}
