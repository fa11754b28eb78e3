package container

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/rehearse-dev/rehearse/harness"
)

// Leftover is a container, network or image that a run has made and that is still there.
type Leftover struct {
	Kind  string // container, network or image
	ID    string
	Name  string
	Run   string
	Owner string // process and machine
	State State
}

// Label is the name, or the beginning of the identity where there is none.
func (l Leftover) Label() string {
	if l.Name != "" {
		return strings.TrimPrefix(l.Name, "/")
	}
	return l.ID[:min(len(l.ID), 12)]
}

// State says whether something is still needed.
type State string

// States of what a run has made.
const (
	Needed  State = "its run goes on"
	Left    State = "its run is dead"
	Unknown State = "made on another machine, or before this one started"
)

// removeWait is how long the removal of a container, or of all that is left of a run, may take: daemons can be busy.
const removeWait = 2 * time.Minute

// sweepWait is how long a run waits until what dead ones have left is gone: their watchers, and runs that begin at the same
// time, may be removing it.
const sweepWait = 30 * time.Second

// patience is how often is looked for what has to go, and how often in a row nothing must be found before all counts as
// gone.
type patience struct {
	looks int
	every time.Duration
}

// How patient is who removes.
var (
	knowing  = patience{1, 20 * time.Millisecond}  // everything that was asked for has been answered
	guessing = patience{8, 300 * time.Millisecond} // the daemon may still be making what it was asked for last
)

// Leftovers lists what runs have made and what is still there, containers first.
func Leftovers(ctx context.Context) ([]Leftover, error) {
	d, err := connect(ctx)
	if err != nil {
		return nil, err
	}
	defer d.close()
	return d.made(ctx, labelRun)
}

// Clean removes what is listed.
func Clean(ctx context.Context, list []Leftover) error {
	d, err := connect(ctx)
	if err != nil {
		return err
	}
	defer d.close()
	return d.remove(ctx, list)
}

// made lists everything with the label, in the order in which it can be removed.
func (d docker) made(ctx context.Context, label string) ([]Leftover, error) {
	filter := client.Filters{}.Add("label", label)
	containers, err := d.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filter})
	if err != nil {
		return nil, harness.CannotRun(fmt.Errorf("list containers: %w", err), noDockerHint)
	}
	networks, err := d.api.NetworkList(ctx, client.NetworkListOptions{Filters: filter})
	if err != nil {
		return nil, harness.CannotRun(fmt.Errorf("list networks: %w", err), noDockerHint)
	}
	images, err := d.api.ImageList(ctx, client.ImageListOptions{Filters: filter})
	if err != nil {
		return nil, harness.CannotRun(fmt.Errorf("list images: %w", err), noDockerHint)
	}
	var list []Leftover
	for _, c := range containers.Items {
		list = append(list, leftover("container", c.ID, first(c.Names), c.Labels))
	}
	for _, n := range networks.Items {
		list = append(list, leftover("network", n.ID, n.Name, n.Labels))
	}
	for _, i := range images.Items {
		list = append(list, leftover("image", i.ID, first(i.RepoTags), i.Labels))
	}
	slices.SortStableFunc(list, func(a, b Leftover) int { return cmp.Compare(a.Run, b.Run) })
	return list, nil
}

func first(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

func leftover(kind, id, name string, labels map[string]string) Leftover {
	o := ownerOf(labels)
	state := Needed
	switch {
	case !o.here():
		state = Unknown
	case o.dead():
		state = Left
	}
	return Leftover{Kind: kind, ID: id, Name: name, Run: labels[labelRun], Owner: fmt.Sprintf("process %d on %s", o.pid, o.host()), State: state}
}

// remove removes all of the list, containers before what they need. What is gone already is fine.
func (d docker) remove(ctx context.Context, list []Leftover) error {
	var errs []error
	for _, kind := range []string{"container", "network", "image"} {
		for _, l := range list {
			if l.Kind == kind {
				errs = append(errs, d.removeOne(ctx, l))
			}
		}
	}
	return errors.Join(errs...)
}

func (d docker) removeOne(ctx context.Context, l Leftover) error {
	var err error
	switch l.Kind {
	case "container":
		_, err = d.api.ContainerRemove(ctx, l.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	case "network":
		_, err = d.api.NetworkRemove(ctx, l.ID, client.NetworkRemoveOptions{})
	case "image":
		_, err = d.api.ImageRemove(ctx, l.ID, client.ImageRemoveOptions{Force: true, PruneChildren: true})
	}
	if err == nil || errdefs.IsNotFound(err) || errdefs.IsConflict(err) && l.Kind == "container" { // a removal that goes on already
		return nil
	}
	if l.Kind == "image" { // of one that somebody else removes at the same time, the daemon says many things
		if _, gone := d.api.ImageInspect(ctx, l.ID); errdefs.IsNotFound(gone) {
			return nil
		}
	}
	return harness.CannotRun(fmt.Errorf("remove %s %s: %w", l.Kind, l.Name, err), "`rehearse doctor containers --clean` tries it again")
}

// clear removes everything with the label that has a state, or any when none is named, and waits until it is gone. What
// cannot be removed, or not even listed, is tried again until the context ends: a daemon lists nothing while it removes a
// layer for somebody else.
func (d docker) clear(ctx context.Context, label string, p patience, of ...State) error {
	tick := time.NewTicker(p.every)
	defer tick.Stop()
	for quiet := 0; ; {
		left, err := d.made(ctx, label)
		if err == nil {
			left = slices.DeleteFunc(left, func(l Leftover) bool { return len(of) > 0 && !slices.Contains(of, l.State) })
			err = d.remove(ctx, left)
		}
		quiet++
		if err != nil || len(left) > 0 {
			quiet = 0
		}
		if quiet == p.looks {
			return nil
		}
		select {
		case <-ctx.Done():
			return cmp.Or(err, ctx.Err())
		case <-tick.C:
		}
	}
}

// sweep removes what dead runs of this machine have left.
func (d docker) sweep(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, sweepWait)
	defer cancel()
	return d.clear(ctx, labelRun, knowing, Left)
}
