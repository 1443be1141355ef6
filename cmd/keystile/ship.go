package main

import (
	"context"
	"crypto/tls"
	"os"
	"os/signal"
	"syscall"
	"time"

	"keystile/internal/config"
	"keystile/internal/ship"
	"keystile/internal/telemetry"
	"keystile/internal/upstream"
	"keystile/internal/webhook"
)

// startShipping sends the audit journal to its sinks.
func (s *server) startShipping(ctx context.Context) error {
	feeds := make([]ship.Feed, 0, len(s.config.Audit.Sinks))
	for _, c := range s.config.Audit.Sinks {
		sink, err := s.sink(c)
		if err != nil {
			return err
		}
		feeds = append(feeds, ship.Feed{
			Name: c.Name, Kind: c.Kind, Target: c.Target(), Sink: sink,
			Records: c.Sends(config.SendRecords), Anchors: c.Sends(config.SendAnchors),
			FromNow: c.From == "now", Waited: c.Retention == "waits",
		})
	}
	shipper, err := ship.New(ctx, ship.Options{Journal: s.trail.Reading(), Store: s.store, Log: s.log, Now: time.Now, Feeds: feeds})
	if err != nil {
		return err
	}
	s.shipper.Store(shipper)
	telemetry.NewSinks(s.metrics, shipper.Status)
	s.background(shipper.Run)
	if len(feeds) > 0 {
		s.background(func(ctx context.Context) { reopenOnHangup(ctx, shipper) })
	}
	return nil
}

// shipped is for retention: until the sinks are known, none has got anything.
func (s *server) shipped() uint64 {
	if shipper := s.shipper.Load(); shipper != nil {
		return shipper.Shipped()
	}
	return 0
}

// reopenOnHangup is how log rotation asks for files to be opened anew.
func reopenOnHangup(ctx context.Context, shipper *ship.Shipper) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			shipper.Reopen()
		}
	}
}

func (s *server) sink(c config.Sink) (ship.Sink, error) {
	settings := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.TLS.CAs, InsecureSkipVerify: c.TLS.InsecureSkipVerify} //nolint:gosec // the operator's choice, told of loudly
	if c.TLS.Certificate != nil {
		settings.Certificates = []tls.Certificate{*c.TLS.Certificate}
	}
	switch c.Kind {
	case config.SinkSyslog:
		name, _ := os.Hostname() // it is told as unknown then
		return ship.NewSyslog(ship.SyslogOptions{
			Address: c.Address, Dialer: s.dialer, TLS: settings, Facility: c.Facility, Hostname: name, PID: os.Getpid(),
		}), nil
	case config.SinkWebhook:
		sender := webhook.NewSender(webhook.SenderOptions{
			Dialer: s.dialer, Refused: upstream.ErrRefusedAddress, Agent: "keystile/" + version(), Now: time.Now, TLS: settings,
		})
		return ship.NewHook(sender, c.URL, c.Secret, time.Now), nil
	case config.SinkS3:
		return ship.NewBucket(ship.BucketOptions{
			Endpoint: c.Endpoint, Region: c.Region, PathStyle: c.PathStyle, Bucket: c.Bucket, Prefix: c.Prefix,
			AccessKeyID: c.AccessKeyID, Secret: c.Secret, RetainFor: c.RetainFor,
			Dialer: s.dialer, Refused: upstream.ErrRefusedAddress, TLS: settings, Now: time.Now,
		})
	}
	return ship.NewFile(c.Path, int64(c.MaxBytes), c.Keep), nil
}

// sinkHealth says of each sink of the audit journal whether it keeps up.
func (s *server) sinkHealth() map[string]string {
	health := map[string]string{}
	for _, one := range s.shipper.Load().Status() {
		switch {
		case one.Failing != "":
			health[one.Name] = "failing"
		case one.Lag > sinkBehind:
			health[one.Name] = "behind"
		default:
			health[one.Name] = "up to date"
		}
	}
	return health
}

// sinkBehind is how many records a sink may lack without being called behind.
const sinkBehind = 1000
