package container

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/internal/started"
)

// stopWait is how many seconds a container may take to end after it was asked to.
const stopWait = 3

// logWait is how long the rest of a log may take to come after the container ended.
const logWait = 2 * time.Second

// codeOfKill is the exit code of a process that signal 9 ended, and memoryWait how long the reason may take to come.
const (
	codeOfKill = 128 + 9
	memoryWait = time.Second
)

// Exit is how a container ended. As an error it is one that ended by itself with another code than 0, or by force.
type Exit struct {
	Code   int
	Memory string // the limit that it exceeded; empty: it was not killed for want of memory
	Cause  string // why the daemon could not run it
}

// Error says how it ended.
func (e *Exit) Error() string {
	switch {
	case e.Memory != "":
		return "killed: out of memory, " + e.Memory
	case e.Cause != "":
		return e.Cause
	}
	return fmt.Sprintf("exit status %d", e.Code)
}

// Server is a running container. It is safe for concurrent use.
type Server struct {
	Name    string
	Image   Image
	Address string // loopback host:port here; empty: nobody feeds it

	network *Network
	ctr     testcontainers.Container
	spec    harness.ContainerSpec
	port    int // that is fed in it; 0: none
	taken   way // to which Address leads
	relay   *relay
	said    *started.Tail

	done    chan struct{} // closed when it has ended and its log is read; exit is set
	exit    *Exit
	cancel  context.CancelFunc
	running sync.WaitGroup // the goroutines that wait for its end and read its log
	logs    chan struct{}  // closed when the log, or the output of a program, is read
	once    sync.Once
}

// Start makes a container, starts it, and waits until it is ready. The error is a Problem: of ClassCannotRun when it does
// not come up, with what it said last.
func (n *Network) Start(ctx context.Context, o Order) (*Server, error) {
	s, err := n.create(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := s.start(ctx, o); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// create makes the container without starting it.
func (n *Network) create(ctx context.Context, o Order) (*Server, error) {
	image, err := n.image(ctx, o)
	if err != nil {
		return nil, err
	}
	if r := o.Spec.Ready; r != nil && r.Health && !checked(o.Spec, image) {
		return nil, harness.Usage(fmt.Errorf("wait for the health of container %s: neither it nor image %s has a health check", o.Spec.Name, image.Name),
			"write one as health: or, in a Compose file, healthcheck:, or wait for something else")
	}
	port, err := fed(o.Spec, image)
	if err != nil {
		return nil, err
	}
	request, err := n.request(o, image, port)
	if err != nil {
		return nil, err
	}
	s := &Server{Name: o.Spec.Name, Image: image, network: n, spec: o.Spec, port: port, said: started.NewTail(o.Log), done: make(chan struct{}), logs: make(chan struct{}), cancel: func() {}}
	err = n.asked(ctx, func(ctx context.Context) (err error) {
		s.ctr, err = n.docker.provider.CreateContainer(ctx, request)
		return err
	})
	if made, ok := s.ctr.(*testcontainers.DockerContainer); ok && made != nil {
		n.mu.Lock()
		n.containers = append(n.containers, s)
		n.mu.Unlock()
	} else {
		s.ctr = nil
	}
	if err == nil && port > 0 {
		err = n.published.join(ctx, n.docker.api, s.ctr.GetContainerID())
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err == nil:
		return s, nil
	}
	return nil, harness.CannotRun(fmt.Errorf("make container %s of image %s: %w", s.Name, image.Name, oneLine(err)), "correct what the message names in the scenario")
}

// start starts the container and waits until it is ready.
func (s *Server) start(ctx context.Context, o Order) error {
	if err := s.launch(ctx); err != nil {
		close(s.logs)
		return err
	}
	var following context.Context
	following, s.cancel = context.WithCancel(context.Background())
	s.follow(following)
	s.await(following, s.logs)
	ways, err := s.find(ctx)
	if err != nil {
		return err
	}
	var a *answers
	if s.port > 0 {
		a = &answers{ways: ways, dial: s.network.options.dial}
	}
	err = strategy(s.spec, s.Image, a).WaitUntilReady(ctx, s.ctr)
	switch {
	case ctx.Err() != nil:
		return errors.Join(err, ctx.Err())
	case err != nil:
		return s.notReady(a)
	case s.port == 0:
		return nil
	}
	return s.reach(a.chosen())
}

// launch starts the program in the container.
func (s *Server) launch(ctx context.Context) error {
	err := s.ctr.Start(ctx)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return harness.CannotRun(fmt.Errorf("start container %s of image %s: %w", s.Name, s.Image.Name, oneLine(err)),
		"check entrypoint, command and user: the program must be in the image")
}

// String says what runs and how it is reached.
func (s *Server) String() string {
	if s.taken.words == "" {
		return s.Image.String()
	}
	return s.Image.String() + ", reached at " + s.taken.words
}

// fed is the port that is fed: what the scenario says, else the only one that the image exposes. 0 is none: of a program, or
// of a companion to which nothing but other containers talks.
func fed(spec harness.ContainerSpec, image Image) (int, error) {
	switch {
	case isProgram(spec) || spec.Network == harness.NetworkNone || spec.Ready != nil && spec.Ready.Start:
		return 0, nil
	case spec.Port > 0:
		return spec.Port, nil
	case len(image.ports) == 1:
		return image.ports[0], nil
	case spec.Ready != nil && spec.Ready.Path == "":
		return 0, nil
	}
	return 0, harness.Usage(fmt.Errorf("find the port of container %s: image %s exposes %s", spec.Name, image.Name, exposed(image.ports)),
		"write port: the number of the port that the server in it listens on")
}

func exposed(ports []int) string {
	if len(ports) == 0 {
		return "no port"
	}
	words := make([]string, len(ports))
	for i, p := range ports {
		words[i] = strconv.Itoa(p)
	}
	return "ports " + strings.Join(words, ", ")
}

// notReady is the error for a container that did not become ready, with what a was told last; a may be nil.
func (s *Server) notReady(a *answers) error {
	select {
	case <-s.done:
		return s.Problem("start")
	case <-time.After(probeEvery): // its end may be about to be told
	}
	hint := "raise wait, or correct ready and port; image " + s.Image.Name + " exposes " + exposed(s.Image.ports)
	if said := s.said.Text(); said != "" {
		hint += "; it said: " + said
	}
	err := fmt.Errorf("start container %s: after %s still without %s", s.Name, s.spec.Wait.Or(defaultWait), awaited(s.spec, s.port))
	if a != nil && a.why != nil {
		err = fmt.Errorf("%w: %w", err, a.why)
	}
	return harness.CannotRun(err, hint)
}

// await starts the goroutine that waits for the end of the container, and then for what must come before its end is told.
// Stop ends it.
func (s *Server) await(ctx context.Context, before <-chan struct{}) {
	s.running.Go(func() {
		defer close(s.done)
		ended := s.network.docker.api.ContainerWait(ctx, s.ctr.GetContainerID(), client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
		select {
		case r := <-ended.Result:
			s.exit = s.howItEnded(ctx, int(r.StatusCode))
		case err := <-ended.Error:
			s.exit = &Exit{Code: -1, Cause: oneLine(err).Error()}
		}
		<-before
	})
}

// follow starts the goroutine that reads the log. Stop ends it.
func (s *Server) follow(ctx context.Context) {
	s.running.Go(func() {
		defer close(s.logs)
		r, err := s.network.docker.api.ContainerLogs(ctx, s.ctr.GetContainerID(), client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Follow: true})
		if err != nil {
			fmt.Fprintf(s.said, "the log of container %s cannot be read: %v\n", s.Name, err) //nolint:errcheck // never fails
			return
		}
		defer r.Close()
		stdcopy.StdCopy(s.said, s.said, r) //nolint:errcheck // a log that breaks off stays as far as it came
	})
}

func (s *Server) howItEnded(ctx context.Context, code int) *Exit {
	e := &Exit{Code: code}
	found, err := s.network.docker.api.ContainerInspect(ctx, s.ctr.GetContainerID(), client.ContainerInspectOptions{})
	if err != nil || found.Container.State == nil {
		return e
	}
	state := found.Container.State
	e.Cause = state.Error
	if state.OOMKilled || code == codeOfKill && s.wantedMemory(ctx, state) {
		e.Memory = "the machine has no more"
		if s.spec.Memory != "" {
			e.Memory = "its limit is " + s.spec.Memory
		}
	}
	return e
}

// wantedMemory reports whether the daemon told that the container came to the end of its memory. Some daemons learn of that
// after they learned of the end, and never write it into its state.
func (s *Server) wantedMemory(ctx context.Context, state *container.State) bool {
	finished, err := time.Parse(time.RFC3339Nano, state.FinishedAt)
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, 2*memoryWait) // the clock of the daemon may be another one
	defer cancel()
	told := s.network.docker.api.Events(ctx, client.EventsListOptions{
		Since: state.StartedAt, Until: finished.Add(memoryWait).Format(time.RFC3339Nano),
		Filters: client.Filters{}.Add("container", s.ctr.GetContainerID()).Add("event", string(events.ActionOOM)),
	})
	select {
	case <-told.Messages:
		return true
	case <-told.Err: // io.EOF when nothing was told
		return false
	}
}

// Ended is closed when the container has ended.
func (s *Server) Ended() <-chan struct{} { return s.done }

// Listens reports whether its port accepts a connection.
func (s *Server) Listens() bool {
	return s.taken.probe("", s.network.options.dial).Try(context.Background()) == nil
}

// How says how it ended, and nil when it did with exit code 0. Call it after Ended.
func (s *Server) How() error {
	if s.exit == nil || *s.exit == (Exit{}) {
		return nil
	}
	return s.exit
}

// Problem is the error for a container that ended when it should have worked.
func (s *Server) Problem(doing string) error {
	how := "exit status 0"
	if err := s.How(); err != nil {
		how = err.Error()
	}
	hint := "run it by `docker run` to see more"
	if s.exit != nil && s.exit.Memory != "" {
		hint = "raise memory"
	}
	if said := s.said.Text(); said != "" {
		hint += "; it said: " + said
	}
	return harness.CannotRun(fmt.Errorf("%s container %s: it ended: %s", doing, s.Name, how), hint)
}

// Stop asks the container to end, ends it by force when it does not, removes it, and waits. What it cannot remove is
// removed with the network, whose Close tells when that fails, too. It may be called more than once.
func (s *Server) Stop() {
	s.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), removeWait)
		defer cancel()
		if s.relay != nil {
			s.relay.close()
		}
		api, id, seconds := s.network.docker.api, s.ctr.GetContainerID(), stopWait
		api.ContainerStop(ctx, id, client.ContainerStopOptions{Timeout: &seconds}) //nolint:errcheck // it is removed by force
		select {
		case <-s.logs:
		case <-time.After(logWait):
		}
		s.network.docker.removeOne(ctx, Leftover{Kind: "container", ID: id, Name: s.Name}) //nolint:errcheck // see above
		s.cancel()
		s.running.Wait()
	})
}
