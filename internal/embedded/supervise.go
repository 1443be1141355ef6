package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"time"
)

const (
	minBackoff = 50 * time.Millisecond
	maxBackoff = 5 * time.Second
	// stableAfter is how long a child must have lived to start anew with the
	// shortest wait.
	stableAfter = 30 * time.Second

	readyPoll = 5 * time.Millisecond
	// pipeGrace is how long the child's output may stay open after its end.
	pipeGrace = 2 * time.Second
)

var errNotReady = errors.New("child did not serve in time")

// supervise runs one child after the other until Stop is called, or until
// the first one has failed to serve.
//
// The kernel kills a child together with the thread that started it (see
// childAttributes), so this goroutine keeps its thread.
func (p *Process) supervise() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(p.done)
	defer p.layout.release()

	served := false
	wait := minBackoff
	for {
		began := time.Now()
		err := p.runChild(func() {
			if !served {
				served = true
				p.firstTime <- nil
			}
		})
		switch {
		case p.isStopping():
			return
		case !served:
			p.firstTime <- err
			return
		case time.Since(began) > stableAfter:
			wait = minBackoff
		}
		p.opts.Logger.Warn("embedded backend ended, starting it again",
			slog.Any("error", err), slog.Duration("after", wait))
		select {
		case <-p.stopping:
			return
		case <-time.After(wait):
		}
		p.restarts.Add(1)
		wait = min(2*wait, maxBackoff)
	}
}

func (p *Process) isStopping() bool {
	select {
	case <-p.stopping:
		return true
	default:
		return false
	}
}

// runChild starts a child, calls ready when it serves, and returns when it has
// ended, with the reason.
func (p *Process) runChild(ready func()) error {
	if err := p.removeSocket(); err != nil {
		return err
	}
	printed := &lineLog{log: p.opts.Logger}
	cmd := exec.Command(p.opts.Executable, p.opts.Args...)
	cmd.Env = []string{} // nothing of ours is the child's business
	cmd.Dir = p.layout.base
	cmd.Stdout, cmd.Stderr = printed, printed
	cmd.ExtraFiles = []*os.File{p.layout.lock} // held as long as either lives
	cmd.SysProcAttr = childAttributes()
	cmd.WaitDelay = pipeGrace
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	p.pid.Store(int64(cmd.Process.Pid))

	exited := make(chan struct{})
	watched := make(chan error, 1)
	go func() { watched <- p.watch(cmd.Process, stdin, exited, ready) }()
	err = cmd.Wait()
	p.healthy.Store(false)
	p.pid.Store(0)
	close(exited)
	if reason := <-watched; reason != nil {
		err = reason
	}
	if err == nil {
		err = errors.New("child ended by itself")
	}
	if last := printed.tail(); last != "" {
		return fmt.Errorf("%w (it last printed: %q)", err, last)
	}
	return err
}

// watch leads a child from its settings to its end. It returns an error if it
// had to kill the child since it did not come up.
func (p *Process) watch(child *os.Process, stdin io.WriteCloser, exited <-chan struct{}, ready func()) error {
	if err := p.sendSettings(stdin); err != nil {
		_ = child.Kill()
		return fmt.Errorf("hand over settings: %w", err)
	}
	if err := p.awaitReady(exited); err != nil {
		_ = child.Kill()
		return err
	}
	select {
	case <-exited:
		return nil
	case <-p.stopping:
	default:
		p.healthy.Store(true)
		ready()
	}
	select {
	case <-exited:
		return nil
	case <-p.stopping:
	}
	p.healthy.Store(false)
	_ = stdin.Close()
	select {
	case <-exited:
		return nil
	case <-p.killing:
	case <-time.After(p.opts.StopTimeout):
	}
	p.killed.Store(true)
	_ = child.Kill()
	return nil
}

func (p *Process) sendSettings(w io.Writer) error {
	return json.NewEncoder(w).Encode(settings{
		Buckets:     p.layout.buckets,
		Versions:    p.layout.versions,
		Sidecar:     p.layout.sidecar,
		Socket:      p.layout.socket(),
		Region:      Region,
		AccessKeyID: accessKeyID,
		Secret:      p.secret.Reveal(),
	})
}

// awaitReady asks the child's health path until it answers. It returns nil too
// when the child has exited or Stop was called: the caller looks at both.
func (p *Process) awaitReady(exited <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(context.Background(), p.opts.ReadyTimeout)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return p.Dial(ctx) },
	}}
	for {
		if answers(ctx, client) {
			return nil
		}
		select {
		case <-exited:
			return nil
		case <-p.stopping:
			return nil
		case <-ctx.Done():
			return errNotReady
		case <-time.After(readyPoll):
		}
	}
}

func answers(ctx context.Context, client *http.Client) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://embedded"+healthPath, http.NoBody)
	if err != nil {
		return false
	}
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}
