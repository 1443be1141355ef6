//go:build !linux

package ship

import "net"

// unacknowledged is not to be had here: what was written counts as arrived.
func unacknowledged(net.Conn) (int, error) { return 0, nil }
