package container

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/rehearse-dev/rehearse/harness"
)

// victim is a process that makes a network, an image and a container in it, says the name of the network and waits to be
// killed. With a second argument it has a watcher.
func victim() {
	o := Options{Run: "victim", Dir: os.Args[2], Now: time.Now}
	if len(os.Args) > 4 {
		o.Watcher = []string{os.Args[0], "watch"}
	}
	n, err := Open(context.Background(), o)
	if err == nil {
		_, err = n.Start(context.Background(), Order{Root: os.Args[3], Spec: harness.ContainerSpec{Name: "hub", Build: &harness.BuildSpec{Context: "image"}}})
	}
	if err != nil {
		fmt.Println(err, harness.HintOf(err))
		os.Exit(1)
	}
	fmt.Println(n.name)
	select {}
}

// killed starts a victim, kills it, and returns the name of its network.
func killed(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{"victim", t.TempDir(), root}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	name, err := bufio.NewReader(out).ReadString('\n')
	name = strings.TrimSpace(name)
	if err != nil || !strings.HasPrefix(name, "rehearse-victim-") {
		t.Fatalf("the victim says %q, %v", name, err)
	}
	if left := mine(t, name); len(left) != 3 {
		t.Errorf("the victim made %v, want a container, a network and an image", left)
	}
	cmd.Process.Kill()
	cmd.Wait()
	return name
}

func TestWatcherRemovesWhatAKilledProcessLeft(t *testing.T) {
	built(t)
	name := killed(t, "watched")
	began := time.Now()
	for len(mine(t, name)) > 0 {
		if time.Since(began) > 2*time.Minute {
			t.Fatalf("still there: %v", mine(t, name))
		}
	}
	t.Logf("removed after %s", time.Since(began).Round(10*time.Millisecond))
}

func TestNextOpenRemovesWhatAKilledProcessLeft(t *testing.T) {
	built(t)
	name := killed(t)
	for _, l := range mine(t, name) {
		if l.State != Left {
			t.Errorf("%s %s: %s, want %s", l.Kind, l.Name, l.State, Left)
		}
	}
	n := open(t, Options{})
	if left := mine(t, name); len(left) > 0 {
		t.Errorf("still there: %v", left)
	}
	for _, l := range mine(t, n.name) {
		if l.State != Needed {
			t.Errorf("%s %s: %s, want %s", l.Kind, l.Name, l.State, Needed)
		}
	}
}

func TestOnlyTheDeadOfThisMachineAreDead(t *testing.T) {
	me := self()
	for _, tt := range []struct {
		why  string
		o    owner
		here bool
		dead bool
	}{
		{"this process", me, true, false},
		{"its number, but begun at another time", owner{me.pid, "1", me.machine}, true, true},
		{"a number that nobody has", owner{1 << 30, "1", me.machine}, true, true},
		{"the same number on another machine", owner{1 << 30, "1", "elsewhere"}, false, false},
		{"labels that cannot be read", ownerOf(map[string]string{labelPID: "x", labelMachine: me.machine}), true, true},
	} {
		if tt.o.here() != tt.here || tt.o.dead() != tt.dead {
			t.Errorf("%s: here %v, dead %v", tt.why, tt.o.here(), tt.o.dead())
		}
	}
}

// busy is a daemon that is slow, or refuses now and then.
type busy struct {
	client.APIClient
	create func(context.Context, func(context.Context) (client.ContainerCreateResult, error)) (client.ContainerCreateResult, error)
	list   func() error
	remove func() error
}

func (b busy) ContainerCreate(ctx context.Context, o client.ContainerCreateOptions) (client.ContainerCreateResult, error) {
	do := func(ctx context.Context) (client.ContainerCreateResult, error) {
		return b.APIClient.ContainerCreate(ctx, o)
	}
	if b.create == nil {
		return do(ctx)
	}
	return b.create(ctx, do)
}

func (b busy) ImageList(ctx context.Context, o client.ImageListOptions) (client.ImageListResult, error) {
	if b.list != nil {
		if err := b.list(); err != nil {
			return client.ImageListResult{}, err
		}
	}
	return b.APIClient.ImageList(ctx, o)
}

func (b busy) ContainerRemove(ctx context.Context, id string, o client.ContainerRemoveOptions) (client.ContainerRemoveResult, error) {
	if b.remove != nil {
		if err := b.remove(); err != nil {
			return client.ContainerRemoveResult{}, err
		}
	}
	return b.APIClient.ContainerRemove(ctx, id, o)
}

// behind puts the daemon of the network behind b.
func (n *Network) behind(b busy) {
	b.APIClient = n.docker.api
	n.docker.api = b
	n.docker.provider.SetClient(b)
}

func TestContainerThatWasAskedForBeforeAnInterruptIsRemoved(t *testing.T) {
	built(t)
	n := open(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	closed := make(chan struct{})
	var late sync.WaitGroup
	n.behind(busy{create: func(asked context.Context, do func(context.Context) (client.ContainerCreateResult, error)) (client.ContainerCreateResult, error) {
		cancel()
		if asked.Err() == nil {
			return do(asked)
		}
		late.Go(func() { // the client is gone; the daemon does what it was asked for, later
			<-closed
			do(context.WithoutCancel(asked)) //nolint:errcheck // nobody hears the answer
		})
		return client.ContainerCreateResult{}, asked.Err()
	}})
	_, err := n.Start(ctx, Order{Root: root, Spec: harness.ContainerSpec{Name: "hub", Image: testImage}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("err %v", err)
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
	close(closed)
	late.Wait()
	if left := mine(t, n.name); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestBusyDaemonIsAskedAgain(t *testing.T) {
	built(t)
	twice := func(err error) func() error {
		left := 2
		return func() error {
			if left--; left >= 0 {
				return err
			}
			return nil
		}
	}
	for why, b := range map[string]busy{
		"it cannot list images while it removes one":  {list: twice(errors.New("layer does not exist"))},
		"somebody else removes the container already": {remove: twice(errdefs.ErrConflict)},
		"the container cannot be removed at first":    {remove: twice(errors.New("device or resource busy"))},
	} {
		n := open(t, Options{})
		if _, err := n.Start(t.Context(), Order{Root: root, Spec: harness.ContainerSpec{Name: "hub", Image: testImage}}); err != nil {
			t.Fatal(err)
		}
		n.behind(b)
		if err := n.Close(); err != nil {
			t.Errorf("%s: %v", why, err)
		}
		if left := mine(t, n.name); len(left) > 0 {
			t.Errorf("%s: left: %v", why, left)
		}
	}
}

// vanishing is a daemon that cannot remove an image.
type vanishing struct {
	client.APIClient
	inspect error // what it says when it is asked for the image
}

func (vanishing) ImageRemove(context.Context, string, client.ImageRemoveOptions) (client.ImageRemoveResult, error) {
	return client.ImageRemoveResult{}, errors.New("unrecognized image ID")
}

func (v vanishing) ImageInspect(context.Context, string, ...client.ImageInspectOption) (client.ImageInspectResult, error) {
	return client.ImageInspectResult{}, v.inspect
}

func TestImageThatSomebodyElseRemovesIsGone(t *testing.T) {
	left := []Leftover{{Kind: "image", ID: "sha256:1", Name: "rehearse:hub"}}
	if err := (docker{api: vanishing{inspect: errdefs.ErrNotFound}}).remove(t.Context(), left); err != nil {
		t.Errorf("it is gone: %v", err)
	}
	if err := (docker{api: vanishing{}}).remove(t.Context(), left); err == nil || harness.HintOf(err) == "" {
		t.Errorf("it is still there: %v", err)
	}
}

// sweptTwice is a daemon with a network of a dead run, whose containers somebody else removes at the same time.
type sweptTwice struct {
	client.APIClient
	network *network.Summary // nil: it is gone
	refuses int              // removals of the network
}

func (*sweptTwice) ContainerList(context.Context, client.ContainerListOptions) (client.ContainerListResult, error) {
	return client.ContainerListResult{}, nil
}

func (*sweptTwice) ImageList(context.Context, client.ImageListOptions) (client.ImageListResult, error) {
	return client.ImageListResult{}, nil
}

func (s *sweptTwice) NetworkList(context.Context, client.NetworkListOptions) (list client.NetworkListResult, err error) {
	needed := network.Summary{Network: network.Network{ID: "2", Labels: self().labels("goes on", "n2")}}
	if list.Items = append(list.Items, needed); s.network != nil {
		list.Items = append(list.Items, *s.network)
	}
	return list, nil
}

func (s *sweptTwice) NetworkRemove(_ context.Context, id string, _ client.NetworkRemoveOptions) (result client.NetworkRemoveResult, err error) {
	if id != s.network.ID {
		return result, errors.New("its run goes on")
	}
	if s.refuses--; s.refuses >= 0 {
		return result, errors.New("network has active endpoints")
	}
	s.network = nil
	return result, nil
}

func TestSweepGoesOnWhileOthersRemove(t *testing.T) {
	dead := self()
	dead.pid = -1
	d := &sweptTwice{network: &network.Summary{Network: network.Network{ID: "1", Labels: dead.labels("dead", "n1")}}, refuses: 2}
	if err := (docker{api: d}).sweep(t.Context()); err != nil || d.network != nil {
		t.Errorf("left %v, %v", d.network, err)
	}
}
