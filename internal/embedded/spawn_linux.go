package embedded

import "syscall"

// childAttributes puts the child into a process group of its own, out of reach
// of the terminal's Ctrl-C, and has the kernel kill it with the thread that
// started it. The supervisor keeps that thread for itself.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
