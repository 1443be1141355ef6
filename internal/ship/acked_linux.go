package ship

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// unacknowledged is how many bytes the receiver's machine has not acknowledged
// (tcp(7), SIOCOUTQ).
func unacknowledged(conn net.Conn) (left int, err error) {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return 0, nil
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return 0, err
	}
	var asked error
	err = raw.Control(func(fd uintptr) { left, asked = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) })
	if err == nil {
		err = asked
	}
	return left, err
}
