package container

import (
	"context"
	"fmt"
	"io"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"

	"github.com/rehearse-dev/rehearse/harness"
)

// Program is a container whose standard streams are the caller's.
type Program struct {
	*Server
	Input io.WriteCloser // its standard input; closing it ends it there
}

// Run starts a container as a program. Its standard output goes to output, which is closed at its end when it can be;
// what it says on standard error is its log. An output that fails ends the program. Ended is closed when it has ended and
// all of its output was written.
func (n *Network) Run(ctx context.Context, o Order, output io.Writer) (*Program, error) {
	s, err := n.create(ctx, o)
	if err != nil {
		return nil, err
	}
	attached, err := n.docker.api.ContainerAttach(ctx, s.ctr.GetContainerID(), client.ContainerAttachOptions{Stream: true, Stdin: true, Stdout: true, Stderr: true})
	if err != nil {
		close(s.logs)
		s.Stop()
		return nil, harness.CannotRun(fmt.Errorf("attach to container %s: %w", s.Name, err), noDockerHint)
	}
	var following context.Context
	following, s.cancel = context.WithCancel(context.Background())
	s.running.Go(func() { s.pass(following, attached.HijackedResponse, output) })
	if err := s.launch(ctx); err != nil {
		attached.Close()
		s.Stop()
		return nil, err
	}
	s.await(following, s.logs)
	return &Program{s, half{attached.HijackedResponse}}, nil
}

// pass writes what the program says to output and log until it ends.
func (s *Server) pass(ctx context.Context, attached client.HijackedResponse, output io.Writer) {
	defer close(s.logs)
	defer attached.Close()
	defer context.AfterFunc(ctx, attached.Close)()
	if closer, ok := output.(io.Closer); ok {
		defer closer.Close()
	}
	if _, err := stdcopy.StdCopy(output, s.said, attached.Reader); err != nil {
		s.network.docker.api.ContainerKill(ctx, s.ctr.GetContainerID(), client.ContainerKillOptions{}) //nolint:errcheck // it may have ended
	}
}

// half writes to a connection and closes its writing side.
type half struct{ client.HijackedResponse }

func (h half) Write(p []byte) (int, error) { return h.Conn.Write(p) }

func (h half) Close() error { return h.CloseWrite() }
