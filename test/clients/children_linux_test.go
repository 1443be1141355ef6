package clients

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// prSetChildSubreaper is of prctl(2): orphans of our children become ours, so
// that what a client left in the background is found too.
const prSetChildSubreaper = 36

func adoptOrphans() error {
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prSetChildSubreaper, 1, 0); errno != 0 {
		return errno
	}
	return nil
}

// starter runs functions on a thread that lives as long as this process: the
// kernel ends a child with the thread that started it.
var starter = sync.OnceValue(func() chan<- func() {
	calls := make(chan func())
	go func() {
		runtime.LockOSThread()
		for call := range calls {
			call()
		}
	}()
	return calls
})

// startBound starts a server that ends with this process, also where no cleanup
// runs: when a run exceeds its time, panics or is killed.
func startBound(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error, 1)
	starter() <- func() { started <- cmd.Start() }
	return <-started
}

// leftRunning names the programs that the tests started and did not end. A
// backend of the package ceph ends with this process, by its standard input.
func leftRunning() (names []string) {
	deadline := time.Now().Add(10 * time.Second)
	for {
		names = children()
		if len(names) == 0 || time.Now().After(deadline) {
			return names
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func children() (names []string) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		// proc_pid_stat(5): the name, in parentheses, may hold anything.
		var state string
		var parent int
		if _, err := fmt.Sscan(string(stat[strings.LastIndexByte(string(stat), ')')+1:]), &state, &parent); err != nil || parent != os.Getpid() || state == "Z" {
			continue
		}
		line, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
		name := strings.TrimSpace(strings.ReplaceAll(string(line), "\x00", " "))
		if !strings.Contains(name, "ceph.sh run ") {
			names = append(names, filepath.Base(filepath.Dir(file))+" "+name)
		}
	}
	return names
}
