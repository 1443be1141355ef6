package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"keystile/internal/abandoned"
	"keystile/internal/audit"
	"keystile/internal/config"
	"keystile/internal/control"
	"keystile/internal/keyring"
	"keystile/internal/keystile"
	"keystile/internal/quota"
	"keystile/internal/reserve"
	"keystile/internal/rgw"
	"keystile/internal/sampling"
	"keystile/internal/ship"
	"keystile/internal/store"
	"keystile/internal/store/seal"
	"keystile/internal/store/sqlstore"
	"keystile/internal/telemetry"
	"keystile/internal/traffic"
	"keystile/internal/upstream"
	"keystile/internal/webhook"
)

// Bounds of an orderly stop.
const (
	drainTimeout = 30 * time.Second // for requests in flight
	closeTimeout = 20 * time.Second // for what is behind them
)

// server is all parts of a running gateway.
type server struct {
	config  config.Config
	log     *slog.Logger
	metrics *prometheus.Registry

	sockets     sockets
	tls         map[string]*listenerTLS // by listener, where it speaks TLS
	connections *telemetry.Connections
	store       *sqlstore.DB
	tokenKey    keystile.Secret  // seals continuation tokens; from the master key
	anchorSeed  keystile.Secret  // of the key that signs anchors; likewise
	room        *reserve.Reserve // on the database's disk
	trail       *audit.Trail
	children    children
	dialer      *upstream.Dialer // of every connection out
	backends    *upstream.Registry
	hooks       *webhook.Dispatcher
	shipper     atomic.Pointer[ship.Shipper] // of the audit journal
	traffic     *traffic.Keeper
	keys        *keyring.Keyring
	quotas      *quota.Ledger
	uploads     *abandoned.Keeper // nil: none is ended
	sampling    *sampling.Rates
	control     *control.Service
	fronts      []front
	undo        []func(context.Context) error // closes what was opened, last first
	work        context.Context               // of what runs behind the requests
	stopWork    context.CancelFunc
	workEnded   sync.WaitGroup
}

// newServer opens, starts and wires everything but serving. On an error nothing
// of it is left.
func newServer(ctx context.Context, c config.Config, log *slog.Logger) (*server, error) {
	s := &server{config: c, log: log, metrics: telemetry.NewRegistry(version())}
	s.work, s.stopWork = context.WithCancel(context.WithoutCancel(ctx))
	for _, step := range []func(context.Context) error{
		s.listen, s.openTLS, s.openStore, s.startTrail, s.startBackends, s.startWebhooks, s.startShipping, s.startQuotas, s.startUploads, s.startTraffic, s.startControl, s.mount, s.manageACME,
	} {
		if err := step(ctx); err != nil {
			closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
			defer cancel()
			return nil, errors.Join(err, s.close(closing))
		}
	}
	return s, nil
}

// later notes how to close what was just opened.
func (s *server) later(undo func(context.Context) error) { s.undo = append(s.undo, undo) }

// background runs fn until the server closes.
func (s *server) background(fn func(context.Context)) {
	s.workEnded.Go(func() { fn(s.work) })
}

func (s *server) openStore(ctx context.Context) error {
	release, err := sqlstore.Lock(s.config.Store.Path)
	if err != nil {
		return err
	}
	s.later(func(context.Context) error { return release() })
	var key seal.Key
	if s.store, key, err = openStore(ctx, s.config, s.log); err != nil {
		return err
	}
	s.tokenKey = keystile.NewSecret(string(key.Derive("continuation tokens")))
	s.anchorSeed = keystile.NewSecret(string(key.Derive("audit anchors")))
	s.later(func(context.Context) error { return s.store.Close() })
	s.room = reserve.New(filepath.Join(filepath.Dir(s.config.Store.Path), reserveName), reserveBytes)
	s.store.KeepRoom(s.room)
	return nil
}

// What is kept of the disks of the database and the journal for the time when
// they are full.
const (
	reserveName  = "reserve"
	reserveBytes = 32 << 20
)

// journalRoom is the reserve of the journal's disk: the database's, if that is
// the same.
func (s *server) journalRoom() (*reserve.Reserve, error) {
	dir := s.config.Audit.JournalDir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if reserve.SameDisk(dir, filepath.Dir(s.config.Store.Path)) {
		return s.room, nil
	}
	return reserve.New(filepath.Join(dir, reserveName), reserveBytes), nil
}

// startTrail opens the journal and closes what an earlier process left open
// before anything new is recorded.
func (s *server) startTrail(ctx context.Context) error {
	room, err := s.journalRoom()
	if err != nil {
		return err
	}
	s.trail, err = audit.Open(ctx, audit.Options{
		Dir: s.config.Audit.JournalDir, Store: s.store, Log: s.log, Now: time.Now, Room: room,
		Derive: follow(webhook.FromTrail(time.Now), traffic.FromTrail(), quota.FromTrail), Lost: store.Tx.RecordLeases, GroupWait: s.config.Audit.GroupWait,
		Anchors:   audit.Anchoring{Key: ed25519.NewKeyFromSeed([]byte(s.anchorSeed.Reveal())), Every: s.config.Audit.AnchorEvery},
		Shipped:   s.shipped,
		Retention: audit.Retention{KeepFor: s.config.Audit.KeepFor, KeepBytes: int64(s.config.Audit.KeepBytes)},
	})
	if err != nil {
		return err
	}
	s.later(s.trail.Close)
	orphans, err := s.trail.Recover(ctx)
	if err != nil {
		return fmt.Errorf("recover the audit trail: %w", err)
	}
	if orphans > 0 {
		s.log.Warn("requests were cut off when the process last ended: their outcome is unknown", "events", orphans)
	}
	return nil
}

// follow keeps all that follows from the trail.
func follow(all ...audit.Derive) audit.Derive {
	return func(tx store.Tx, events []keystile.Event, outcomes []keystile.Outcome) error {
		for _, one := range all {
			if err := one(tx, events, outcomes); err != nil {
				return err
			}
		}
		return nil
	}
}

func (s *server) startBackends(ctx context.Context) error {
	for _, warning := range s.config.Warnings() {
		s.log.Warn(warning)
	}
	endpoints, started, err := startDeclared(ctx, s.config.Backends, s.log)
	if err != nil {
		return err
	}
	s.children = started
	s.later(s.children.stop)
	s.dialer = upstream.NewDialer(s.sockets.addresses()...)
	s.backends = upstream.NewRegistry(upstream.Options{
		Declared: endpoints,
		Store:    s.store,
		Dialer:   s.dialer,
		Log:      s.log,
		Alone:    true, // the store is locked
		MaxConns: s.config.Limits.MaxConnectionsPerBackend,

		Timeouts:  upstream.Timeouts(s.config.BackendDefaults.Timeouts),
		KeepAlive: upstream.KeepAlive(s.config.BackendDefaults.KeepAlive),
	})
	s.later(func(context.Context) error { s.backends.Close(); return nil })
	if err := s.backends.Sync(ctx); err != nil {
		return err
	}
	s.background(func(ctx context.Context) {
		if err := s.backends.Run(ctx); err != nil {
			s.log.Error("watching the backends ended", "error", err)
		}
	})
	return nil
}

// startWebhooks delivers what is queued for webhooks.
func (s *server) startWebhooks(context.Context) error {
	sender := webhook.NewSender(webhook.SenderOptions{
		Dialer: s.dialer, Refused: upstream.ErrRefusedAddress, Agent: "keystile/" + version(), Now: time.Now,
	})
	s.hooks = webhook.New(webhook.Options{Store: s.store, Sender: sender, Log: s.log, Now: time.Now})
	s.background(s.hooks.Run)
	return nil
}

// startTraffic keeps counters of requests and the history of backends' health.
func (s *server) startTraffic(context.Context) error {
	s.traffic = traffic.New(traffic.Options{Store: s.store, Backends: s.backends, Log: s.log, Now: time.Now, Holdings: s.quotas.Holdings})
	s.later(s.traffic.Flush)
	s.background(s.traffic.Run)
	return nil
}

// startQuotas opens the books of buckets that have a quota, and learns which reads
// are recorded. What keys have spent the trail tells, with what it closed just now.
func (s *server) startQuotas(ctx context.Context) error {
	if err := s.trail.CaughtUp(ctx); err != nil {
		return err
	}
	s.quotas = quota.New(quota.Options{Store: s.store, Lister: s.backends, Log: s.log, Now: time.Now})
	if err := s.quotas.Sync(ctx); err != nil {
		return err
	}
	s.sampling = sampling.New(s.store, s.config.Audit.Sampling.ProxySuccessReadRate, time.Now)
	if err := s.sampling.Sync(ctx); err != nil {
		return err
	}
	s.later(s.quotas.Flush)
	s.background(s.quotas.Run)
	return nil
}

// startUploads ends uploads that a quota refused and nobody went on with.
func (s *server) startUploads(ctx context.Context) (err error) {
	after := s.config.S3Proxy.AbortRefusedUploadsAfter
	if after == 0 {
		return nil
	}
	s.uploads, err = abandoned.Open(ctx, abandoned.Options{
		Store: s.store, Backends: s.backends, Quotas: s.quotas, Trail: s.trail.Recorder, Log: s.log, Now: time.Now, After: after,
	})
	if err != nil {
		return err
	}
	s.later(s.uploads.Flush)
	s.background(s.uploads.Run)
	return nil
}

func (s *server) startControl(ctx context.Context) error {
	s.keys = keyring.New(s.store, time.Now)
	if err := s.keys.Sync(ctx); err != nil {
		return err
	}
	s.control = control.New(control.Options{
		Store:           s.store,
		Trail:           s.trail,
		Journal:         s.trail,
		Sinks:           s.shipper.Load().Status,
		Gateways:        gateways{s.keys, s.backends, s.quotas, s.sampling},
		Upstreams:       s.backends,
		Homes:           rgw.Count(rgw.New(s.backends, rgw.Gateway{URL: s.servedURL(), Region: s.config.S3Proxy.Region}), s.quotas),
		RGWQuota:        keystile.SizeQuota{MaxSizeKB: int64(s.config.RGW.DefaultQuotaKB), Enabled: true},
		Log:             s.log,
		Ledger:          s.quotas,
		Hooks:           s.hooks,
		SessionIdle:     s.config.Server.Session.IdleTimeout,
		SessionLifetime: s.config.Server.Session.AbsoluteTimeout,
	})
	s.later(s.saveUsed)
	s.background(func(ctx context.Context) { s.control.Run(ctx, s.log) })
	s.background(s.keepInStep)
	return nil
}

// gateways are those that must know of a change: the one of this process.
type gateways struct {
	keys     *keyring.Keyring
	backends *upstream.Registry
	quotas   *quota.Ledger
	sampling *sampling.Rates
}

var _ control.Gateways = gateways{}

// Confirm implements control.Gateways.
func (g gateways) Confirm(ctx context.Context, generation int64) error {
	g.keys.Require(generation)
	// Quotas first: a key with a new allowance is not to come before it.
	return errors.Join(g.quotas.Sync(ctx), g.keys.Sync(ctx), g.backends.Sync(ctx), g.sampling.Sync(ctx))
}

const (
	stepInterval = 2 * time.Second // between looks for changes that nobody announced
	usedInterval = 5 * time.Second // between notes of when keys were used
)

// keepInStep takes over changes of offline commands, and those that could not be
// taken over when they were announced, and notes when keys were used.
func (s *server) keepInStep(ctx context.Context) {
	step, used := time.NewTicker(stepInterval), time.NewTicker(usedInterval)
	defer step.Stop()
	defer used.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-step.C:
			if err := s.step(ctx); err != nil {
				s.log.Error("changes in the store cannot be taken over", "error", err)
			}
		case <-used.C:
			if err := s.saveUsed(ctx); err != nil {
				s.log.Warn("when keys were last used could not be noted", "error", err)
			}
		}
	}
}

func (s *server) step(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	return errors.Join(s.quotas.Sync(ctx), s.keys.Sync(ctx), s.backends.Sync(ctx), s.sampling.Sync(ctx))
}

func (s *server) saveUsed(ctx context.Context) error {
	used := s.keys.Used()
	if len(used) == 0 {
		return nil
	}
	return s.store.Write(ctx, func(tx store.Tx) error { return tx.TouchCredentials(used) })
}

// ready reports why requests cannot be answered now. Backends are not asked: a
// dead one must not drain the others.
func (s *server) ready(ctx context.Context) error {
	return errors.Join(s.store.Ping(ctx), s.keys.Ready())
}

// hasAccounts reports whether anybody could sign in.
func (s *server) hasAccounts(ctx context.Context) (found bool, err error) {
	err = s.store.Read(ctx, func(tx store.Tx) error {
		accounts, err := tx.Accounts()
		found = len(accounts) > 0
		return err
	})
	return found, err
}

// close ends what newServer opened, in the reverse order, whatever fails.
func (s *server) close(ctx context.Context) error {
	s.stopWork()
	s.workEnded.Wait()
	var faults []error
	for i := len(s.undo) - 1; i >= 0; i-- {
		faults = append(faults, s.undo[i](ctx))
	}
	s.undo = nil
	return errors.Join(faults...)
}

// servedURL is where S3 clients go; empty if no gateway is served.
func (s *server) servedURL() string {
	if s.sockets.gateway == nil {
		return ""
	}
	return s.s3URL()
}
