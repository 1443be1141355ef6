//go:build !unix

package http1

import "net"

// socketSilent cannot look into a socket here without waiting, so nothing is
// reused.
func socketSilent(net.Conn) bool { return false }

// socketStands cannot tell either, and takes the backend to be at fault.
func socketStands(net.Conn) bool { return false }
