//go:build unix

package replay

import "syscall"

// isOpen looks whether a connection without an exchange was closed by the server meanwhile, or says something unasked.
// It does not wait.
func (l *link) isOpen() bool {
	conn, ok := l.raw.(syscall.Conn)
	if !ok {
		return true
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	quiet := false
	err = raw.Read(func(fd uintptr) bool {
		var one [1]byte
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		quiet = err == syscall.EAGAIN
		return true
	})
	return err == nil && quiet
}
