package container

import (
	"os/exec"
	"syscall"
)

// ownSession keeps the interrupts of the console from the program.
func ownSession(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
