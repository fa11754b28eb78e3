package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/target/container"
)

// watcher is the command that removes what the containers of a run leave when this process is killed.
func watcher() []string {
	program, err := os.Executable()
	if err != nil {
		return nil // the next run removes it
	}
	return []string{program, "watch-containers"}
}

// watchContainersVerb outlives a run that is killed.
func (a *app) watchContainersVerb() verb {
	return verb{
		use: "watch-containers", short: "remove the containers of a run when its process dies", hidden: true, exits: []int{exitCannotRun},
		long:    "A run with containers starts this beside itself and names its network on standard input. It is not for people.",
		example: "rehearse watch-containers <network.txt",
		run:     func(ctx context.Context, _ []string) error { return container.Watch(ctx, os.Stdin) },
	}
}

func (a *app) doctorContainersVerb() verb {
	var clean bool
	return verb{
		use: "containers", short: "list, and remove, what runs in containers have left", exits: []int{exitCannotRun},
		long: "A run removes its containers, networks and images at its end, and a process of its own does so when the run is\n" +
			"killed. What both could not remove is removed by the next run on this machine, or by --clean at once. What was\n" +
			"made on another machine, or before this one started, is removed by --clean only.",
		example: "rehearse doctor containers --clean",
		flags: func(set *pflag.FlagSet) {
			set.BoolVar(&clean, "clean", false, "remove what no run on this machine needs any more")
		},
		run: func(ctx context.Context, _ []string) error { return a.doctorContainers(ctx, clean) },
	}
}

func (a *app) doctorContainers(ctx context.Context, clean bool) error {
	list, err := container.Leftovers(ctx)
	if err != nil {
		return err
	}
	for _, l := range list {
		fmt.Fprintf(a.out, "%-9s  %-30s  run %s, %s: %s\n", l.Kind, printable(l.Label()), printable(l.Run), printable(l.Owner), l.State)
	}
	unneeded := slices.DeleteFunc(slices.Clone(list), func(l container.Leftover) bool { return l.State == container.Needed })
	switch {
	case len(list) == 0:
		fmt.Fprintln(a.out, "nothing is left of any run")
		return nil
	case !clean && len(unneeded) > 0:
		fmt.Fprintf(a.err, "%s without need: rehearse doctor containers --clean\n", harness.Count(len(unneeded), "thing"))
		return nil
	case !clean:
		return nil
	}
	if err := container.Clean(ctx, unneeded); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "removed %s\n", harness.Count(len(unneeded), "thing"))
	return nil
}

// checkContainers says which Docker there is and what runs have left.
func checkContainers(*app) (string, error) {
	if _, err := exec.LookPath("docker"); err != nil && os.Getenv("DOCKER_HOST") == "" {
		return "", note{errors.New("no docker; only container targets need one")}
	}
	version, err := container.Version(context.Background())
	if err != nil {
		return "", note{fmt.Errorf("%w; only container targets need it", err)}
	}
	list, err := container.Leftovers(context.Background())
	if err != nil {
		return "", err
	}
	unneeded := slices.DeleteFunc(list, func(l container.Leftover) bool { return l.State == container.Needed })
	if len(unneeded) > 0 {
		return "", note{harness.CannotRun(fmt.Errorf("%s; %s left by runs that were killed", version, harness.Count(len(unneeded), "thing")), "`rehearse doctor containers --clean`")}
	}
	return version + ", nothing left of any run", nil
}
