package main

import (
	"context"
	"errors"
	"path/filepath"

	"keystile/internal/config"
)

type serveCommand struct {
	ConfigFlags
	ListenFlags
}

// ListenFlags are short names of the settings most often given on the command
// line.
type ListenFlags struct {
	Data     string `help:"The data directory (data_dir)." placeholder:"DIR"`
	Listen   string `help:"Address of API and dashboard (server.listen); port 0 takes a free one." placeholder:"ADDR"`
	S3Listen string `name:"s3-listen" help:"Address of the gateway (s3_proxy.listen); port 0 takes a free one." placeholder:"ADDR"`
}

func (f ListenFlags) overrides() []config.Override {
	var list []config.Override
	if f.Data != "" {
		list = append(list, config.Override{Flag: "--data", Key: "data_dir", Value: filepath.Clean(f.Data)})
	}
	if f.Listen != "" {
		list = append(list, config.Override{Flag: "--listen", Key: "server.listen", Value: f.Listen})
	}
	if f.S3Listen != "" {
		list = append(list, config.Override{Flag: "--s3-listen", Key: "s3_proxy.listen", Value: f.S3Listen})
	}
	return list
}

// Help has the examples.
func (serveCommand) Help() string {
	return `Runs until SIGINT or SIGTERM, then lets requests in flight end. A second signal ends it at once.

Examples:

    keystile serve --config /etc/keystile/keystile.yaml
    keystile admin create alice --config /etc/keystile/keystile.yaml
`
}

// Run serves until the context ends.
func (cmd serveCommand) Run(ctx context.Context, con *console) error {
	c, err := cmd.load(con, cmd.overrides()...)
	if err != nil {
		return err
	}
	return runServer(ctx, con, c, func(s *server) error {
		s.log.Info("ready", "dashboard", s.dashboardURL().String(), "s3_endpoint", s.s3URL(), "version", version())
		found, err := s.hasAccounts(ctx)
		if err == nil && !found {
			s.log.Warn("nobody can sign in yet: create an administrator with keystile admin create NAME")
		}
		return err
	})
}

// runServer builds a server, hands it to begin once it answers, and serves
// until ctx ends.
func runServer(ctx context.Context, con *console, c config.Config, begin func(*server) error) error {
	s, err := newServer(ctx, c, newLogger(con.err, c.Log))
	if err != nil {
		return err
	}
	if con.environ["GOGC"] == "" {
		paceCollector()
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	go func() { served <- s.serve(ctx) }()
	begun := begin(s)
	if begun != nil {
		stop()
	}
	err = errors.Join(begun, <-served)
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	return errors.Join(err, s.close(closing))
}
