package main

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime is the CPU time that a process has used so far, all of its threads
// together, by the kernel's clock of that process (clock_getcpuclockid(3)).
func cpuTime(pid int) (time.Duration, error) {
	const schedulerClock = 2
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid)<<3|schedulerClock, &ts); err != nil {
		return 0, err
	}
	return time.Duration(ts.Nano()), nil
}

// datasync is how the gateway syncs its journal.
func datasync(f *os.File) error { return unix.Fdatasync(int(f.Fd())) }
