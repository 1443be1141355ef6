package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"

	"keystile/internal/config"
	"keystile/internal/embedded"
	"keystile/internal/keystile"
	"keystile/internal/upstream"
)

// embeddedName is the hidden command that a child process runs.
const embeddedName = "embedded-backend"

type embeddedCommand struct{}

// Run is the child's side of an embedded backend.
func (embeddedCommand) Run(ctx context.Context, con *console) error {
	return embedded.Serve(ctx, con.in)
}

// children are the running embedded backends.
type children []*embedded.Process

// startDeclared makes the endpoints of all declared backends and starts those
// that are embedded. One that does not start is shown as unhealthy, as any other
// backend that is down.
func startDeclared(ctx context.Context, declared []config.Backend, log *slog.Logger) ([]upstream.Endpoint, children, error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	var started children
	endpoints := make([]upstream.Endpoint, 0, len(declared))
	for _, d := range declared {
		endpoint := upstream.Endpoint{
			Backend: d.Declared(), Secret: d.SecretKey, AdminSecret: d.AdminSecretKey,
			Timeouts: upstream.Timeouts(d.Timeouts), KeepAlive: upstream.KeepAlive(d.KeepAlive),
			TLS: upstream.TLS{RootCAs: d.TLS.CAs, Certificate: d.TLS.Certificate, InsecureSkipVerify: d.TLS.InsecureSkipVerify},
		}
		if endpoint.Backend.Kind == keystile.KindEmbedded {
			child, err := embedded.Start(ctx, embedded.Options{
				Executable: executable, Args: []string{embeddedName}, DataDir: d.DataDir, Logger: log.With("backend", d.ID),
			})
			if err != nil {
				log.Error("an embedded backend did not start", "backend", d.ID, "error", err)
				endpoint.Dial = notStarted
			} else {
				started = append(started, child)
				endpoint.Backend.Region, endpoint.Backend.AccessKeyID = child.Region(), child.AccessKeyID()
				endpoint.Backend.PathStyle = true
				endpoint.Secret = child.Secret()
				endpoint.Dial = child.Dial
			}
		}
		endpoints = append(endpoints, endpoint)
	}
	return endpoints, started, nil
}

func notStarted(context.Context) (net.Conn, error) {
	return nil, errors.New("the embedded backend did not start: see the log")
}

// stop drains all children.
func (c children) stop(ctx context.Context) error {
	var faults []error
	for _, child := range c {
		faults = append(faults, child.Stop(ctx))
	}
	return errors.Join(faults...)
}
