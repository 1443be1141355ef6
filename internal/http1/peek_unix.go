//go:build unix

package http1

import (
	"errors"
	"net"
	"syscall"
)

// socketSilent looks into the socket's receive queue without waiting: nothing
// there and not closed. A connection that is no socket passes.
func socketSilent(c net.Conn) bool {
	s, ok := c.(syscall.Conn)
	if !ok {
		return true
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return false
	}
	silent := false
	err = raw.Control(func(fd uintptr) {
		var one [1]byte
		for {
			_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
			if errors.Is(err, syscall.EINTR) {
				continue
			}
			silent = errors.Is(err, syscall.EAGAIN)
			return
		}
	})
	return err == nil && silent
}
