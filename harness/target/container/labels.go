package container

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Labels of everything that a run makes.
const (
	labelRun     = "dev.rehearse.run"     // identity of the run, for people
	labelNetwork = "dev.rehearse.network" // what is removed together: one network and what stands in it
	labelPID     = "dev.rehearse.pid"     // process that made it
	labelBegan   = "dev.rehearse.began"   // when that process began, as its kernel counts; numbers of processes are used again
	labelMachine = "dev.rehearse.machine" // where that process runs: only there can be told whether it lives
)

// owner is a process on a machine.
type owner struct {
	pid     int
	began   string
	machine string
}

// self is this process.
func self() owner {
	pid := os.Getpid()
	return owner{pid, beganAt(pid), machine()}
}

// machine names the start of the kernel and the space of process numbers in it: containers have their own.
func machine() string {
	name, err := os.Hostname()
	if err != nil {
		name = "unknown"
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return name
	}
	space, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return name
	}
	return fmt.Sprintf("%s %s %s", name, strings.TrimSpace(string(boot)), space)
}

// beganAt is when the process began, in clock ticks since the start of the kernel; empty when it is gone or the kernel
// does not say.
func beganAt(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	_, after, _ := strings.Cut(string(stat), ") ") // the name before it may hold anything
	fields := strings.Fields(after)
	const began = 22 - 3 // field 22 of the line; the state is field 3
	if len(fields) <= began || fields[0] == "Z" {
		return ""
	}
	return fields[began]
}

// labels of what the owner makes for a run in a network.
func (o owner) labels(run, network string) map[string]string {
	return map[string]string{
		labelRun: run, labelNetwork: network, labelPID: strconv.Itoa(o.pid), labelBegan: o.began, labelMachine: o.machine,
	}
}

// ownerOf reads labels.
func ownerOf(labels map[string]string) owner {
	pid, err := strconv.Atoi(labels[labelPID])
	if err != nil {
		pid = -1
	}
	return owner{pid, labels[labelBegan], labels[labelMachine]}
}

// here reports whether the owner belongs to this machine.
func (o owner) here() bool { return o.machine == machine() }

// dead reports whether the owner is known to have ended.
func (o owner) dead() bool {
	return o.here() && (o.pid < 0 || o.began != "" && beganAt(o.pid) != o.began)
}

// host is the name of the machine, for people.
func (o owner) host() string {
	name, _, _ := strings.Cut(o.machine, " ")
	return name
}
