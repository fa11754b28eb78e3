package container

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

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
		if time.Since(began) > 20*time.Second {
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
