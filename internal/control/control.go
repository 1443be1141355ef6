package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/password"
	"keystile/internal/store"
)

// Options are what the use cases work with.
type Options struct {
	Store   store.Store
	Trail   Trail
	Journal Journal // nil where no one asks for it
	// Sinks tells how it stands with those that the journal is shipped to; nil:
	// there are none.
	Sinks     func() []keystile.AuditSink
	Gateways  Gateways
	Upstreams Upstreams
	// Homes are where RGW users live.
	Homes RGWHomes
	// RGWQuota is what a new RGW user may store; zero: DefaultRGWQuota.
	RGWQuota keystile.SizeQuota
	// Log tells what nobody waits for; nil: nothing.
	Log    *slog.Logger
	Ledger Ledger
	// Hooks calls webhooks.
	Hooks Hooks
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// Passwords is the cost of password hashes; zero: password.Default.
	Passwords password.Params
	// SessionIdle and SessionLifetime end a session after its last use and after
	// its beginning; zero: 12 hours and 7 days.
	SessionIdle     time.Duration
	SessionLifetime time.Duration
}

// The limits of a session where the configuration sets none.
const (
	DefaultSessionIdle     = 12 * time.Hour
	DefaultSessionLifetime = 7 * day
)

// DefaultRGWQuota is 500 GiB.
var DefaultRGWQuota = keystile.SizeQuota{MaxSizeKB: 524_288_000, Enabled: true}

// Service is all use cases, by resource.
type Service struct {
	Credentials *Credentials
	Bindings    *Bindings
	Backends    *Backends
	Buckets     *Buckets
	Quotas      *Quotas
	Accounts    *Accounts
	SignIns     *SignIns
	Sessions    *Sessions
	Tokens      *Tokens
	Projects    *Projects
	RGWUsers    *RGWUsers
	Webhooks    *Webhooks
	Usage       *Usage
	Audit       *Audit
	Traffic     *Traffic
	Bootstrap   *Bootstrap

	core     *core
	sessions sessionLimits
}

// New wires the use cases.
func New(o Options) *Service {
	now := clock(o.Now)
	if o.Passwords == (password.Params{}) {
		o.Passwords = password.Default()
	}
	limits := sessionLimits{idle: o.SessionIdle, lifetime: o.SessionLifetime}
	if limits.idle <= 0 {
		limits.idle = DefaultSessionIdle
	}
	if limits.lifetime <= 0 {
		limits.lifetime = DefaultSessionLifetime
	}
	if o.RGWQuota == (keystile.SizeQuota{}) {
		o.RGWQuota = DefaultRGWQuota
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &core{store: o.Store, gateways: o.Gateways, now: now, trail: o.Trail}
	hasher := password.New(o.Passwords)
	guesses := newThrottle(now)
	known := &backendLookup{o.Upstreams}
	accounts := &Accounts{core: c, hasher: hasher}
	tokens := &Tokens{core: c}
	backends := &Backends{core: c, upstreams: o.Upstreams, backends: known}
	return &Service{
		Credentials: &Credentials{core: c, ledger: o.Ledger, backends: known},
		Bindings:    &Bindings{core: c, backends: known},
		Backends:    backends,
		Buckets:     &Buckets{core: c, upstreams: o.Upstreams, backends: known},
		Quotas:      &Quotas{core: c, ledger: o.Ledger, backends: known},
		Accounts:    accounts,
		SignIns:     &SignIns{core: c, hasher: hasher, guesses: guesses, limits: limits},
		Sessions:    &Sessions{core: c, hasher: hasher, guesses: guesses},
		Tokens:      tokens,
		Projects:    &Projects{core: c},
		RGWUsers: &RGWUsers{
			core: c, homes: o.Homes, backends: known, upstreams: o.Upstreams, defaultQuota: o.RGWQuota, ledger: o.Ledger,
			turns: newUserTurns(), jobs: newJobs(), log: o.Log,
		},
		Webhooks:  &Webhooks{core: c, hooks: o.Hooks},
		Usage:     &Usage{core: c},
		Audit:     &Audit{core: c, journal: o.Journal, sinks: o.Sinks},
		Traffic:   &Traffic{core: c, backends: backends},
		Bootstrap: &Bootstrap{core: c, accounts: accounts, tokens: tokens},
		core:      c,
		sessions:  limits,
	}
}

// clock cuts times to what the store keeps, so that an answer and a later read
// agree.
func clock(now func() time.Time) func() time.Time {
	if now == nil {
		now = time.Now
	}
	return func() time.Time { return now().UTC().Truncate(time.Microsecond) }
}

// Maintain ends sessions that have run out. Call it about once a minute.
func (s *Service) Maintain(ctx context.Context) error {
	now := s.core.now()
	err := s.core.store.Write(ctx, func(tx store.Tx) error {
		return tx.DeleteIdleSessions(now, now.Add(-s.sessions.idle))
	})
	if err != nil {
		return fmt.Errorf("maintain: %w", err)
	}
	return nil
}

// Run calls Maintain every minute until ctx ends, and a last time then.
func (s *Service) Run(ctx context.Context, log *slog.Logger) {
	ticker := time.NewTicker(time.Minute)
	defer ticker.Stop()
	defer s.RGWUsers.WaitJobs()
	s.lookAfterUsers(ctx, log)
	for {
		select {
		case <-ticker.C:
			s.lookAfterUsers(ctx, log)
			if err := s.Maintain(ctx); err != nil {
				log.Error("maintenance failed", "error", err)
			}
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
			defer cancel()
			if err := s.Maintain(last); err != nil {
				log.Error("maintenance failed", "error", err)
			}
			return
		}
	}
}

// lookAfterUsers puts right what was cut off, and goes on with long work.
func (s *Service) lookAfterUsers(ctx context.Context, log *slog.Logger) {
	if err := s.RGWUsers.Repair(ctx); err != nil && ctx.Err() == nil {
		log.Warn("what was cut off cannot be put right yet", "error", err)
	}
	if err := s.RGWUsers.RunJobs(ctx); err != nil && ctx.Err() == nil {
		log.Error("jobs cannot be read", "error", err)
	}
}

// RecordRefusal audits a request that was refused before any use case saw it,
// and returns the error to answer with.
func (s *Service) RecordRefusal(ctx context.Context, a Actor, action string, err error) error {
	return s.core.refused(ctx, s.core.newEvent(a, action, ""), err)
}

// deletedName stands for an account that is gone. No account can have it.
const deletedName = "(deleted)"

// names finds the names of accounts, each once.
type names struct {
	tx    store.Tx
	known map[string]string
}

func namesIn(tx store.Tx) names { return names{tx, map[string]string{}} }

// of is the account's name; "" has none.
func (n names) of(id, none string) (string, error) {
	if id == "" {
		return none, nil
	}
	if name, ok := n.known[id]; ok {
		return name, nil
	}
	account, err := n.tx.Account(id)
	switch {
	case errors.Is(err, keystile.ErrNotFound):
		account.Name = deletedName
	case err != nil:
		return "", err
	}
	n.known[id] = account.Name
	return account.Name, nil
}
