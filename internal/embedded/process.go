package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"keystile/internal/keystile"
)

const (
	// Region is what requests to the embedded backend are signed for.
	Region = "us-east-1"

	// accessKeyID names the one account of the child. It is the same for good
	// since the server stores it as the owner of every bucket; what is drawn
	// anew at each start is the secret.
	accessKeyID = "KEYSTILEEMBEDDED"

	defaultReadyTimeout = 20 * time.Second
	// defaultStopTimeout leaves the child its own 10 seconds to drain.
	defaultStopTimeout = 15 * time.Second
)

// Options tell [Start] what to run and where.
type Options struct {
	// Executable is the absolute path of Keystile's own binary.
	Executable string
	// Args are the arguments that lead it to [Serve].
	Args []string
	// DataDir is where Keystile keeps its data; the backend uses the directory
	// "embedded" in it. Its path may be relative and of any length.
	DataDir string
	// Logger receives what happens to the child, and at debug level what the child
	// prints. Nil discards both.
	Logger *slog.Logger
	// ReadyTimeout bounds the wait for a child to serve; zero means 20 seconds.
	ReadyTimeout time.Duration
	// StopTimeout bounds the wait for a child to drain before it is killed; zero
	// means 15 seconds.
	StopTimeout time.Duration
}

// Process is a running embedded backend. Its methods may be called from any
// goroutine.
type Process struct {
	opts   Options
	layout *layout
	secret keystile.Secret

	healthy  atomic.Bool
	restarts atomic.Int64
	pid      atomic.Int64

	stopping  chan struct{} // closed: no more restarts, drain
	stopOnce  sync.Once
	killing   chan struct{} // closed: do not wait for the drain
	killOnce  sync.Once
	done      chan struct{} // closed: supervision has ended, no child is left
	killed    atomic.Bool
	firstTime chan error // result of the first child's start
}

// Start prepares the directories, starts the child and returns once it serves.
// The context bounds the start only; the backend then runs until [Process.Stop]
// or the end of this process, whichever comes first. A child that ends by itself
// is replaced. A directory that another process serves yields [ErrInUse].
func Start(ctx context.Context, opts Options) (*Process, error) {
	if opts.Executable == "" || opts.DataDir == "" {
		return nil, errors.New("embedded backend: executable and data directory must be given")
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.ReadyTimeout <= 0 {
		opts.ReadyTimeout = defaultReadyTimeout
	}
	if opts.StopTimeout <= 0 {
		opts.StopTimeout = defaultStopTimeout
	}
	place, err := prepare(ctx, opts.DataDir)
	if err != nil {
		return nil, err
	}
	p := &Process{
		opts:      opts,
		layout:    place,
		secret:    keystile.NewSecretKey(),
		stopping:  make(chan struct{}),
		killing:   make(chan struct{}),
		done:      make(chan struct{}),
		firstTime: make(chan error, 1),
	}
	go p.supervise()
	select {
	case err := <-p.firstTime:
		if err != nil {
			<-p.done
			return nil, fmt.Errorf("embedded backend: %w", err)
		}
		return p, nil
	case <-ctx.Done():
		_ = p.Stop(ctx)
		return nil, fmt.Errorf("embedded backend: %w", ctx.Err())
	}
}

// Dial opens a connection to the child. While a dead child is being replaced it
// fails at once.
func (p *Process) Dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", p.layout.socket())
	if err != nil {
		return nil, fmt.Errorf("embedded backend: %w", err)
	}
	return conn, nil
}

// AccessKeyID is the child's root access key id.
func (p *Process) AccessKeyID() string { return accessKeyID }

// Secret is the child's root secret key. It lives in memory only and is another
// one after each Start, but stays when a dead child is replaced.
func (p *Process) Secret() keystile.Secret { return p.secret }

// Region is what requests must be signed for.
func (p *Process) Region() string { return Region }

// Healthy tells whether a child is up and has answered since it was started.
func (p *Process) Healthy() bool { return p.healthy.Load() }

// Restarts counts how often a dead child was replaced.
func (p *Process) Restarts() int64 { return p.restarts.Load() }

// PID is the process id of the present child, 0 while there is none.
func (p *Process) PID() int { return int(p.pid.Load()) }

// Stop tells the child to drain and waits until it is gone. When ctx ends, or
// the stop timeout runs out, the child is killed and Stop says so in its error.
// Further calls wait for the same end.
func (p *Process) Stop(ctx context.Context) error {
	p.stopOnce.Do(func() { close(p.stopping) })
	select {
	case <-p.done:
	case <-ctx.Done():
		p.killOnce.Do(func() { close(p.killing) })
		<-p.done
	}
	if p.killed.Load() {
		return errors.New("embedded backend: did not drain in time and was killed")
	}
	return nil
}

// removeSocket takes away what a killed child left; versitygw refuses to
// bind over a socket that it cannot tell to be dead.
func (p *Process) removeSocket() error {
	err := os.Remove(p.layout.socket())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
