package target

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/target/container"
)

// stopWait is how long a program may take to end after it was asked to.
const stopWait = 3 * time.Second

// tailSize is how much of standard error is kept for messages, in bytes.
const tailSize = 4 << 10

// child is a started program: a process with its group, or a container. One goroutine waits for it and ends with it.
type child struct {
	name string // as the scenario writes it
	said *tail
	done chan struct{} // closed when the program has ended and err is set
	err  error

	interrupt, force func() // asks it to end, and ends it; what is gone already is fine
	killed           sync.Once
}

// startChild starts the command, which people know by the name; its standard error goes to log, and the end of it into messages.
func startChild(name string, cmd *exec.Cmd, log io.Writer) (*child, error) {
	c := &child{
		name: name, said: &tail{log: log}, done: make(chan struct{}),
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
	if line := c.said.lastLine(); line != "" {
		return c.how() + ": " + line
	}
	return c.how()
}

// problem is the error for a program that ended when it should have worked.
func (c *child) problem(doing string) error {
	hint := "run it by hand to see more"
	if said := c.said.text(); said != "" {
		hint = "it said: " + said
	}
	return harness.CannotRun(fmt.Errorf("%s %s: %s", doing, c.name, c.deathDetail()), hint)
}

// tail passes on what a program says and keeps the end of it. It is safe for concurrent use.
type tail struct {
	log io.Writer

	mu   sync.Mutex
	kept []byte
}

// Write never fails: a log that cannot be written must not stop the target.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.log != nil {
		t.log.Write(p) //nolint:errcheck // see above
	}
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - tailSize; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(p), nil
}

// text is what was kept, safe to print: control characters except line ends are escaped.
func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return printable(string(bytes.TrimSpace(t.kept)))
}

// lastLine is at most 200 bytes of the last line that is not blank.
func (t *tail) lastLine() string {
	const most = 200
	text := t.text()
	line := text[strings.LastIndexByte(text, '\n')+1:]
	if len(line) > most {
		line = strings.ToValidUTF8(line[:most], "") + "…"
	}
	return line
}

// printable escapes everything that a terminal could act on.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n' || r == '\t' || strconv.IsPrint(r):
			b.WriteRune(r)
		case r == '\r':
		default:
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}
