package journal

import "syscall"

// datasync leaves out what is not needed to read the bytes back, such as the
// time of the write.
func (f diskFile) datasync() error {
	for {
		err := syscall.Fdatasync(int(f.Fd()))
		if err != syscall.EINTR { //nolint:errorlint // a system call's error is bare
			return err
		}
	}
}
