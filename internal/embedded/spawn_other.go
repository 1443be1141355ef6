//go:build !linux

package embedded

import "syscall"

// childAttributes puts the child into a process group of its own, out of reach
// of the terminal's Ctrl-C. That its standard input ends tells it of its
// parent's death.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
