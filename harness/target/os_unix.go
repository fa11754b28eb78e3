//go:build unix

package target

import (
	"os/exec"
	"syscall"
)

// ownGroup makes the program the leader of a process group, so that what it starts can be ended with it.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// interruptGroup asks every process of the group to end. A group that is gone is fine.
func interruptGroup(cmd *exec.Cmd) {
	syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) //nolint:errcheck // see above
}

// killGroup ends every process of the group. A group that is gone is fine.
func killGroup(cmd *exec.Cmd) {
	syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) //nolint:errcheck // see above
}
