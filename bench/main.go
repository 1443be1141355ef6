package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

type commands struct {
	Run      runCommand      `cmd:"" help:"Measure, print a table, and fail if a bound is broken."`
	Upstream upstreamCommand `cmd:"" hidden:"" help:"Serve S3 from memory."`
	Relay    relayCommand    `cmd:"" hidden:"" help:"Relay by httputil.ReverseProxy."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var cli commands
	parsed := kong.Parse(&cli,
		kong.Name("bench"),
		kong.Description("What the gateway costs beyond a plain relay, measured side by side."),
		kong.BindTo(ctx, (*context.Context)(nil)))
	if err := parsed.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has run
	}
}
