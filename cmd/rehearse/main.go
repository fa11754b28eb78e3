// Command rehearse answers one question before a vendor upgrade or a mapping change goes live: what will be different,
// why, who is hit, and is it safe?
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func main() { os.Exit(run()) }

// run is main with its exit code as a value.
func run() int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	a := &app{
		out: os.Stdout, err: os.Stderr, now: time.Now, getenv: os.Getenv, version: version(),
		color: term.IsTerminal(int(os.Stdout.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
		width: width(),
	}
	go a.obey(signals, cancel, os.Exit) // ends with the process
	return a.main(ctx, os.Args[1:])
}

// app is what verbs need from the outside world.
type app struct {
	out, err io.Writer // results, and progress and talk
	now      func() time.Time
	getenv   func(string) string
	version  string
	color    bool
	width    int

	root *cobra.Command // set by main
}

// How much garbage a verb lets grow before it is collected, in percent of what it holds. Recordings come as many small
// exchanges, of which little is held: to collect less often saves a tenth of the time. Comparisons hold two whole files.
const (
	garbageOfStores      = 200
	garbageOfComparisons = 50
)

// collect sets how much garbage is let grow, unless the user has said so in GOGC.
func (a *app) collect(percent int) {
	if a.getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}

// width is the columns of the terminal, 0 when there is none.
func width() int {
	columns, _, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil {
		return 0
	}
	return min(columns, 120)
}

// version is the module's version as the toolchain stamped it, or the revision it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "development"
	}
	return info.Main.Version
}

// tool names the program in recordings and reports.
func (a *app) tool() string { return "rehearse " + a.version }
