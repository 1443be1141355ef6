//go:build unix

package http1

import (
	"errors"
	"net"
	"syscall"
)

// socketSilent reports whether a socket has nothing to read and is not closed.
// A connection that is no socket passes.
func socketSilent(c net.Conn) bool {
	_, err := peek(c)
	return errors.Is(err, syscall.EAGAIN)
}

// socketStands reports whether the peer of a socket has neither closed nor
// reset it.
func socketStands(c net.Conn) bool {
	n, err := peek(c)
	return n > 0 || errors.Is(err, syscall.EAGAIN)
}

// peek looks into the socket's receive queue without waiting.
func peek(c net.Conn) (n int, err error) {
	s, ok := c.(syscall.Conn)
	if !ok {
		return 0, syscall.EAGAIN
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return 0, err
	}
	controlErr := raw.Control(func(fd uintptr) {
		var one [1]byte
		for {
			n, _, err = syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
			if !errors.Is(err, syscall.EINTR) {
				return
			}
		}
	})
	if controlErr != nil {
		return 0, controlErr
	}
	return n, err
}
