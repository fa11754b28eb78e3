package container

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// ended is the line with which a process tells its watcher that everything is removed.
const ended = "ended"

// Limits of the watcher.
const (
	watchMost = 10 * time.Minute // for the removal of everything
	watchEnd  = 10 * time.Second // how long the watcher may take to end by itself
)

// watcher is a process that outlives this one and removes what it leaves.
type watcher struct {
	cmd   *exec.Cmd
	input io.WriteCloser
}

// startWatcher starts the command, which must call [Watch] with its standard input.
func startWatcher(command []string, network string) (*watcher, error) {
	if len(command) == 0 {
		return nil, nil
	}
	cmd := exec.Command(command[0], command[1:]...)
	ownSession(cmd)
	input, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err == nil {
		_, err = fmt.Fprintln(input, network)
	}
	if err != nil {
		return nil, harness.CannotRun(fmt.Errorf("start the watcher of containers: %w", err), "check that "+command[0]+" can be executed")
	}
	return &watcher{cmd, input}, nil
}

// end tells the watcher that nothing is left, and waits for its end. When something is, the watcher goes on alone.
func (w *watcher) end(left error) {
	if w == nil {
		return
	}
	if left != nil {
		w.input.Close()
		return
	}
	fmt.Fprintln(w.input, ended) //nolint:errcheck // a watcher that is gone needs no word
	w.input.Close()
	timer := time.AfterFunc(watchEnd, func() { w.cmd.Process.Kill() }) //nolint:errcheck // it may have ended
	defer timer.Stop()
	w.cmd.Wait() //nolint:errcheck // how it ended changes nothing
}

// Watch reads the name of a network from the input and waits for its end. Unless the input says that everything was
// removed, whoever wrote it has died: Watch then removes what is in the network and the network itself, until nothing
// more appears.
func Watch(ctx context.Context, input io.Reader) error {
	lines := bufio.NewScanner(input)
	if !lines.Scan() {
		return nil
	}
	network := lines.Text()
	for lines.Scan() {
		if strings.TrimSpace(lines.Text()) == ended {
			return nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, watchMost)
	defer cancel()
	d, err := connect(ctx)
	if err != nil {
		return err
	}
	defer d.close()
	return d.clear(ctx, labelNetwork+"="+network, guessing)
}
