//go:build unix

package container

import (
	"os/exec"
	"syscall"
)

// ownSession keeps the signals of the terminal and of the caller's process group from the program.
func ownSession(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
