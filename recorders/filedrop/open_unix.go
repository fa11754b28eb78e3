//go:build unix

package filedrop

import "syscall"

// openFlags keep the opening from waiting for the other end of a pipe.
const openFlags = syscall.O_RDONLY | syscall.O_NONBLOCK
