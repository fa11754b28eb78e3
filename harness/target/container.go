package target

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/internal/started"
	"github.com/rehearse-dev/rehearse/harness/target/container"
)

// contained is a target in a container.
type contained struct {
	system  string
	spec    harness.ContainerSpec
	network *container.Network // of the run; nil: Start makes one
}

func newContainer(spec harness.TargetSpec) (harness.Target, error) {
	if err := checkContainer(*spec.Container, false); err != nil {
		return nil, err
	}
	c := *spec.Container
	c.Name = cmp.Or(c.Name, spec.System, "target")
	return contained{system: spec.System, spec: c}, nil
}

// InNetwork is the target in the network of the run, when it is one in a container; else the target itself.
func InNetwork(t harness.Target, n *container.Network) harness.Target {
	if c, ok := t.(contained); ok {
		c.network = n
		return c
	}
	return t
}

func describeContainer(spec harness.TargetSpec) string {
	c := spec.Container
	switch {
	case c.Compose != "":
		return fmt.Sprintf("container of service %s in %s", c.Service, c.Compose)
	case c.Build != nil:
		return "container built from " + c.Build.Context
	}
	return "container of image " + c.Image
}

// checkContainer looks at what a specification says by itself.
func checkContainer(spec harness.ContainerSpec, companion bool) error {
	for _, check := range []func(harness.ContainerSpec, bool) error{checkImage, checkContainerMode, checkNetwork, checkLimits} {
		if err := check(spec, companion); err != nil {
			return err
		}
	}
	for i, also := range spec.Also {
		if err := checkContainer(also, true); err != nil {
			return harness.Usage(fmt.Errorf("also[%d]: %w", i, err), harness.HintOf(err))
		}
	}
	return nil
}

func checkImage(spec harness.ContainerSpec, companion bool) error {
	switch {
	case (spec.Image != "") == (spec.Build != nil):
		return harness.Usage(errors.New("one of image and build must be set"), "write image: the name under which docker knows it")
	case companion && spec.Name == "":
		return harness.Usage(errors.New("name is missing"), "write name: the host name under which the others reach it")
	case companion && (spec.Mode != "" && spec.Mode != harness.ContainerServer || len(spec.Also) > 0 || spec.Network == harness.NetworkNone):
		return harness.Usage(errors.New("a companion is a server in the network, without companions of its own"), "drop mode, also and network from it")
	case !slices.Contains([]string{"", harness.PullMissing, harness.PullAlways, harness.PullNever}, spec.Pull):
		return harness.Usage(fmt.Errorf("pull %q is unknown", spec.Pull), "write missing, always or never")
	case spec.ReadOnly && len(spec.Files) > 0:
		return harness.Usage(errors.New("nothing can be copied into a container that is read-only"), "use mounts in place of files")
	}
	return nil
}

func checkContainerMode(spec harness.ContainerSpec, _ bool) error {
	program := isProgram(spec)
	switch {
	case !program && spec.Mode != "" && spec.Mode != harness.ContainerServer:
		return harness.Usage(fmt.Errorf("mode %q is unknown", spec.Mode), "write server, once or jsonl")
	case program && (spec.Port != 0 || spec.Ready != nil):
		return harness.Usage(errors.New("a program that reads standard input has no port and is never waited for"), "drop port and ready, or mode")
	case !program && (spec.To != "" || spec.Output != "" || spec.Timeout != 0):
		return harness.Usage(errors.New("to, output and timeout are for mode once and jsonl"), "write mode: jsonl, or drop them")
	}
	return checkOutput(spec.To, spec.Output)
}

func checkNetwork(spec harness.ContainerSpec, companion bool) error {
	switch {
	case !slices.Contains([]string{"", harness.NetworkMocks, harness.NetworkNone}, spec.Network):
		return harness.Usage(fmt.Errorf("network %q is unknown", spec.Network), "write mocks or none")
	case spec.Network == harness.NetworkNone && !isProgram(spec):
		return harness.Usage(errors.New("a server without a network cannot be fed"), "drop network: none, or write mode: once or jsonl")
	case spec.Network == harness.NetworkNone && (len(spec.Hosts) > 0 || len(spec.Also) > 0):
		return harness.Usage(errors.New("without a network there are no hosts and no companions"), "drop network: none, or hosts and also")
	}
	if r := spec.Ready; r != nil && r.Path != "" && !strings.HasPrefix(r.Path, "/") {
		return harness.Usage(fmt.Errorf("ready.path %q is not a path", r.Path), "write it like /healthz")
	}
	if r := spec.Ready; r != nil && r.Start && (!companion || r.Path != "") {
		return harness.Usage(errors.New("ready.start is for companions that nobody feeds"), "drop start, and path from a companion; what is fed is waited for")
	}
	return nil
}

func checkLimits(spec harness.ContainerSpec, _ bool) error {
	var errs []error
	if spec.Memory != "" {
		_, err := container.ParseMemory(spec.Memory)
		errs = append(errs, err)
	}
	if spec.CPUs != "" {
		_, err := container.ParseCPUs(spec.CPUs)
		errs = append(errs, err)
	}
	for _, f := range spec.Files {
		_, err := container.ParseMode(f.Mode)
		errs = append(errs, err)
		if (f.From == "") == (f.Text == "") {
			errs = append(errs, harness.Usage(fmt.Errorf("file %s: one of from and text must be set", f.To), "from names a file of the workspace"))
		}
	}
	return cmp.Or(errs...)
}

func isProgram(spec harness.ContainerSpec) bool {
	return spec.Mode == harness.ContainerOnce || spec.Mode == harness.ContainerLines
}

// Start starts the companions, then the container, and waits for each.
func (t contained) Start(ctx context.Context, env harness.StageEnv) (harness.Stage, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if t.network != nil {
		return t.start(ctx, env)
	}
	n, err := container.Open(ctx, container.Options{Run: t.spec.Name, Dir: env.Dir, Now: time.Now})
	if err != nil {
		return nil, err
	}
	t.network = n
	stage, err := t.start(ctx, env)
	if err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return closing{stage, n.Close}, nil
}

func (t contained) start(ctx context.Context, env harness.StageEnv) (versioned, error) {
	if !isProgram(t.spec) {
		s, err := startContainer(ctx, t.spec, env, t.network)
		if err != nil {
			return nil, err
		}
		f := newFeeder(&url.URL{Scheme: "http", Host: s.Address}, env)
		c := containerStage{f, s}
		f.explain = c.explain
		return c, nil
	}
	for _, also := range t.spec.Also {
		if _, err := startContainer(ctx, also, env, t.network); err != nil {
			return nil, err
		}
	}
	o, err := order(t.spec, env)
	if err != nil {
		return nil, err
	}
	o, image, err := t.network.Prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	spec := harness.CommandSpec{Run: []string{"container " + t.spec.Name}, Mode: t.spec.Mode, To: t.spec.To, Output: t.spec.Output, Timeout: t.spec.Timeout}
	stage, err := newMapping(ctx, spec, t.system, runner{t.network, o}, env)
	if err != nil {
		return nil, err
	}
	return containedMapping{stage, image}, nil
}

// StartContainer starts a server in a container of the network, with its companions, and returns the loopback base URL
// under which it is reached, and the image that it was made from and how it is reached, in words. It ends with the network.
func StartContainer(ctx context.Context, name string, spec harness.ContainerSpec, env harness.StageEnv, n *container.Network) (base, image string, err error) {
	if err := checkContainer(spec, false); err != nil {
		return "", "", err
	}
	if isProgram(spec) {
		return "", "", harness.Usage(fmt.Errorf("start container %s: a program that reads standard input answers no calls", name), "drop mode")
	}
	spec.Name = cmp.Or(spec.Name, name)
	s, err := startContainer(ctx, spec, env, n)
	if err != nil {
		return "", "", err
	}
	return "http://" + s.Address, s.String(), nil
}

// StartBeside starts a server in a container of the network that a target needs, and returns the image that it was made
// from in words. It ends with the network.
func StartBeside(ctx context.Context, spec harness.ContainerSpec, env harness.StageEnv, n *container.Network) (image string, err error) {
	if err := checkContainer(spec, true); err != nil {
		return "", err
	}
	s, err := startContainer(ctx, spec, env, n)
	if err != nil {
		return "", err
	}
	return s.Image.String(), nil
}

// Placed replaces the placeholders of a text, such as the source of a database.
func Placed(text string, env harness.StageEnv) (string, error) {
	set, err := newSettings(env, "")
	if err != nil {
		return "", err
	}
	return set.expand(text)
}

// startContainer starts the companions and the container.
func startContainer(ctx context.Context, spec harness.ContainerSpec, env harness.StageEnv, n *container.Network) (*container.Server, error) {
	for _, also := range spec.Also {
		if _, err := startContainer(ctx, also, env, n); err != nil {
			return nil, err
		}
	}
	o, err := order(spec, env)
	if err != nil {
		return nil, err
	}
	return n.Start(ctx, o)
}

// order replaces placeholders and reads secrets.
func order(spec harness.ContainerSpec, env harness.StageEnv) (container.Order, error) {
	listen := ""
	if spec.Port > 0 {
		listen = fmt.Sprintf("0.0.0.0:%d", spec.Port) // in the container's own network
	}
	env.At = nil // from within a container, another one is reached by its name
	set, err := newSettings(env, listen)
	if err != nil {
		return container.Order{}, err
	}
	o := container.Order{Spec: spec, Root: set.root, Log: env.Log}
	if o.Spec.Entrypoint, err = set.expandAll(spec.Entrypoint); err != nil {
		return o, err
	}
	if o.Spec.Command, err = set.expandAll(spec.Command); err != nil {
		return o, err
	}
	o.Spec.Files = slices.Clone(spec.Files)
	for i, f := range o.Spec.Files {
		if o.Spec.Files[i].Text, err = set.expand(f.Text); err != nil {
			return o, fmt.Errorf("write file %s: %w", f.To, err)
		}
	}
	if o.Env, err = set.variables(spec.Env); err != nil {
		return o, err
	}
	for name, reference := range spec.Secrets {
		secret, err := harness.ReadSecret(reference, os.Getenv, "set it before the run, or correct secrets."+name)
		if err != nil {
			return o, err
		}
		o.Env[name] = strings.TrimRight(string(secret), "\r\n")
	}
	return o, nil
}

// versioned is a stage that knows what exactly it runs.
type versioned interface {
	harness.Stage
	// Version is the image in words.
	Version() string
}

// closing is a stage that closes something after itself.
type closing struct {
	versioned
	then func() error
}

func (c closing) Close() error { return errors.Join(c.versioned.Close(), c.then()) }

// containerStage feeds a server in a container.
type containerStage struct {
	*feeder
	server *container.Server
}

// Version is the image that runs, and how its server is reached.
func (s containerStage) Version() string { return s.server.String() }

// Feed sends the requests. A container that ends meanwhile is a Problem of ClassCannotRun: what would follow says nothing
// about the release.
func (s containerStage) Feed(ctx context.Context, session []harness.Exchange, sink harness.Sink) error {
	return s.ended(ctx, s.feeder.Feed(ctx, session, sink))
}

// Answer sends one request; see Feed.
func (s containerStage) Answer(ctx context.Context, x harness.Exchange) (harness.Exchange, error) {
	answered, err := s.feeder.Answer(ctx, x)
	return answered, s.ended(ctx, err)
}

// ended is the error when the container has ended, else err.
func (s containerStage) ended(ctx context.Context, err error) error {
	select {
	case <-s.server.Ended():
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return s.server.Problem("feed")
	default:
		return err
	}
}

// explain waits for the end of a container that is about to be gone, so that a broken connection is told from an end. One
// that still listens is most likely well.
func (s containerStage) explain(*harness.Fault) {
	wait := containerEnd
	if s.server.Listens() {
		wait = containerStay
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-s.server.Ended():
	case <-timer.C:
	}
}

const (
	containerEnd  = 15 * time.Second // how long a busy daemon may take to tell that a container is gone that listens no more
	containerStay = time.Second      // the same for one that still listens
)

// Close drops the connections, stops the container and removes it.
func (s containerStage) Close() error {
	s.feeder.Close() //nolint:errcheck // never fails
	s.server.Stop()
	return nil
}

// containedMapping is a mapping in a container.
type containedMapping struct {
	harness.Stage
	image container.Image
}

// Version is the image that runs.
func (m containedMapping) Version() string { return m.image.String() }

// runner starts containers as programs.
type runner struct {
	network *container.Network
	order   container.Order
}

func (r runner) start(ctx context.Context, input io.Reader, output io.Writer) (*child, io.WriteCloser, error) {
	o := r.order
	c := &child{name: "container " + o.Spec.Name, said: started.NewTail(o.Log), done: make(chan struct{})}
	o.Log = c.said
	p, err := r.network.Run(ctx, o, output)
	if err != nil {
		if closer, ok := output.(io.Closer); ok {
			closer.Close()
		}
		return nil, nil, err
	}
	c.interrupt, c.force = p.Stop, p.Stop
	go func() { // ends with the container
		defer close(c.done)
		<-p.Ended()
		c.err = p.How()
		p.Stop()
	}()
	if input == nil {
		return c, p.Input, nil
	}
	go func() { // ends when all is written, or the container ends
		io.Copy(p.Input, input) //nolint:errcheck // a program that does not read its input says by its exit code whether that is right
		p.Input.Close()
	}()
	return c, nil, nil
}

// Version says what exactly a stage runs, such as the digest of an image; empty when it does not know.
func Version(s harness.Stage) string {
	if v, ok := s.(versioned); ok {
		return v.Version()
	}
	return ""
}
