package target

import (
	"os/exec"
	"strconv"
	"syscall"
)

// ownGroup makes the program the root of a process group, so that signals to this console do not reach it.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// interruptGroup ends the tree at once: there is no request to end that every program understands.
func interruptGroup(cmd *exec.Cmd) { killGroup(cmd) }

// killGroup ends the program and what it started. A program that is gone is fine.
func killGroup(cmd *exec.Cmd) {
	exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(cmd.Process.Pid)).Run() //nolint:errcheck // see above
	cmd.Process.Kill()                                                                //nolint:errcheck // see above
}
