//go:build !unix && !windows

package target

import "os/exec"

// Systems without process groups: the program alone is ended.
func ownGroup(*exec.Cmd)            {}
func interruptGroup(cmd *exec.Cmd) { killGroup(cmd) }
func killGroup(cmd *exec.Cmd)      { cmd.Process.Kill() } //nolint:errcheck // a program that is gone is fine
