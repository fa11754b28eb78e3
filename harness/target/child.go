package target

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/internal/started"
	"github.com/rehearse-dev/rehearse/harness/target/container"
)

// stopWait is how long a program may take to end after it was asked to.
const stopWait = 3 * time.Second

// child is a started program: a process with its group, or a container. One goroutine waits for it and ends with it.
type child struct {
	name string // as the scenario writes it
	said *started.Tail
	done chan struct{} // closed when the program has ended and err is set
	err  error

	interrupt, force func() // asks it to end, and ends it; what is gone already is fine
	killed           sync.Once
}

// startChild starts the command, which people know by the name; its standard error goes to log, and the end of it into messages.
func startChild(name string, cmd *exec.Cmd, log io.Writer) (*child, error) {
	c := &child{
		name: name, said: started.NewTail(log), done: make(chan struct{}),
		interrupt: func() { interruptGroup(cmd) }, force: func() { killGroup(cmd) },
	}
	cmd.Stderr = c.said
	if err := cmd.Start(); err != nil {
		return nil, harness.CannotRun(fmt.Errorf("start %s: %w", name, err), "check that the program is executable on this machine")
	}
	go func() {
		defer close(c.done)
		c.err = cmd.Wait()
	}()
	return c, nil
}

// stop asks the whole group to end, ends it by force when it does not, and waits. It may be called more than once.
func (c *child) stop() {
	select {
	case <-c.done:
	default:
		c.interrupt()
		timer := time.NewTimer(stopWait)
		defer timer.Stop()
		select {
		case <-c.done:
		case <-timer.C:
		}
	}
	c.kill()
}

// kill ends the whole group by force and waits. What the program itself left behind in its group ends too.
func (c *child) kill() {
	c.killed.Do(c.force) // once: later the number of the group may belong to others
	<-c.done
}

// ended reports whether the program is gone.
func (c *child) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// succeeded reports whether the program ended with exit code 0. Call it after done.
func (c *child) succeeded() bool {
	_, process := errors.AsType[*exec.ExitError](c.err)
	_, contained := errors.AsType[*container.Exit](c.err)
	return !process && !contained
}

// how says in words how the program ended. Call it after done.
func (c *child) how() string {
	if exit, ok := errors.AsType[*exec.ExitError](c.err); ok {
		return exit.String()
	}
	if c.err != nil && !errors.Is(c.err, exec.ErrWaitDelay) {
		return c.err.Error()
	}
	return "exit status 0"
}

// deathDetail is how the program ended and the last line that it said, for a Fault.
func (c *child) deathDetail() string {
	if line := c.said.LastLine(); line != "" {
		return c.how() + ": " + line
	}
	return c.how()
}

// problem is the error for a program that ended when it should have worked.
func (c *child) problem(doing string) error {
	hint := "run it by hand to see more"
	if said := c.said.Text(); said != "" {
		hint = "it said: " + said
	}
	return harness.CannotRun(fmt.Errorf("%s %s: %s", doing, c.name, c.deathDetail()), hint)
}
