package upstream

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// Store is where backends that admins added, and proofs about all, are kept.
type Store interface {
	Read(ctx context.Context, fn func(store.Tx) error) error
	Write(ctx context.Context, fn func(store.Tx) error) error
}

// Options configure a Registry. Store, Dialer and Log are required.
type Options struct {
	Declared []Endpoint // from the configuration
	Store    Store
	Dialer   *Dialer
	Log      *slog.Logger
	// RootCAs are trusted for https endpoints; nil: those of the system.
	RootCAs *x509.CertPool
	// CheckEvery is the time between two checks of a backend's health, give or
	// take a quarter; 0 stands for 30 s.
	CheckEvery time.Duration
	// MaxConns bounds the connections to one backend; 0 stands for 256.
	MaxConns int
	// Timeouts and KeepAlive hold where an Endpoint says nothing.
	Timeouts  Timeouts
	KeepAlive KeepAlive
	// Alone says that no other process works on the store: what earlier ones left
	// at backends can be removed at once.
	Alone bool
	// Now is the clock; nil stands for time.Now.
	Now func() time.Time
}

const defaultCheckEvery = 30 * time.Second

// Registry holds every backend. Looking one up takes no lock. It is safe for
// concurrent use.
type Registry struct {
	opts     Options
	backends atomic.Pointer[map[string]*Backend] // replaced whole, never changed
	cors     atomic.Pointer[corsTable]           // likewise
	syncing  sync.Mutex
	changed  chan struct{} // tells Run that backends was replaced

	process  string // among those that share the store
	provenMu sync.Mutex
	proven   map[string]keystile.Probe // by backend id; see remember
}

// NewRegistry makes a registry of the declared backends. Sync adds those of
// the store; Run watches over all.
func NewRegistry(opts Options) *Registry {
	if opts.CheckEvery <= 0 {
		opts.CheckEvery = defaultCheckEvery
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	r := &Registry{opts: opts, process: newProcessName(), changed: make(chan struct{}, 1), proven: map[string]keystile.Probe{}}
	first := map[string]*Backend{}
	for _, e := range opts.Declared {
		e.Backend.Source = keystile.SourceConfig
		first[e.Backend.ID] = r.newBackend(e)
	}
	r.backends.Store(&first)
	r.cors.Store(newCORSTable(nil, &corsTable{}))
	r.opts.Declared = nil // no second place that holds their secrets
	return r
}

func (r *Registry) newBackend(e Endpoint) *Backend {
	e.maxConns = r.opts.MaxConns
	e.Timeouts, e.KeepAlive = e.Timeouts.or(r.opts.Timeouts), e.KeepAlive.or(r.opts.KeepAlive)
	return newBackend(e, r.opts.Dialer, r.opts.RootCAs, r.opts.Now)
}

// Get returns a backend by id.
func (r *Registry) Get(id string) (*Backend, bool) {
	b, ok := (*r.backends.Load())[id]
	return b, ok
}

// Declared lists the backends of the configuration, by id.
func (r *Registry) Declared() []keystile.Backend {
	list := []keystile.Backend{}
	for _, b := range *r.backends.Load() {
		if b.info.Source == keystile.SourceConfig {
			list = append(list, b.info)
		}
	}
	slices.SortFunc(list, func(a, b keystile.Backend) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// Health tells what was last seen of every backend.
func (r *Registry) Health() map[string]keystile.Health {
	all := *r.backends.Load()
	health := make(map[string]keystile.Health, len(all))
	for id, b := range all {
		health[id] = b.Health()
	}
	return health
}

// Loads returns the gauges of every backend's connections.
func (r *Registry) Loads() map[string]keystile.BackendLoad {
	all := *r.backends.Load()
	loads := make(map[string]keystile.BackendLoad, len(all))
	for id, b := range all {
		loads[id] = b.Load()
	}
	return loads
}

// Sync takes over what the store says. A backend whose endpoint, key, region or
// addressing changed is replaced; requests under way on the old one go on. On
// an error everything stays as it was.
func (r *Registry) Sync(ctx context.Context) error {
	r.syncing.Lock()
	defer r.syncing.Unlock()
	stored, err := r.load(ctx)
	if err != nil {
		return fmt.Errorf("backends of the store: %w", err)
	}
	if err := r.syncCORS(ctx); err != nil {
		return err
	}
	old := *r.backends.Load()
	next := make(map[string]*Backend, len(old))
	for id, b := range old {
		if b.info.Source == keystile.SourceConfig {
			next[id] = b
		}
	}
	for _, e := range stored.endpoints {
		id := e.Backend.ID
		if _, taken := next[id]; taken {
			r.opts.Log.Warn("the configuration declares a backend that the store has too: the store's is not used", "backend", id)
			continue
		}
		if b := old[id]; b != nil && b.serves(e) {
			next[id] = b
			continue
		}
		next[id] = r.newBackend(e)
	}
	for id, b := range next {
		b.adopt(stored.proofs[id], r.remembered(b))
	}
	r.backends.Store(&next)
	for id, b := range old {
		if next[id] != b {
			b.client.CloseIdle()
			if b.admin != nil {
				b.admin.Close()
			}
		}
	}
	select {
	case r.changed <- struct{}{}:
	default:
	}
	return nil
}

type storedBackends struct {
	endpoints []Endpoint
	proofs    map[string]keystile.Probe
}

// load reads the backends of the store, and proofs about all backends.
func (r *Registry) load(ctx context.Context) (storedBackends, error) {
	var s storedBackends
	err := r.opts.Store.Read(ctx, func(tx store.Tx) error {
		s = storedBackends{proofs: map[string]keystile.Probe{}}
		list, err := tx.Backends()
		if err != nil {
			return err
		}
		for _, b := range list {
			secret, err := tx.BackendSecret(b.ID)
			if err != nil {
				return fmt.Errorf("secret of backend %q: %w", b.ID, err)
			}
			var admin keystile.Secret
			if b.Kind == keystile.KindCeph {
				if admin, err = tx.BackendAdminSecret(b.ID); err != nil {
					return fmt.Errorf("admin secret of backend %q: %w", b.ID, err)
				}
			}
			b.Source = keystile.SourceStore
			s.endpoints = append(s.endpoints, Endpoint{Backend: b, Secret: secret, AdminSecret: admin})
		}
		ids := slices.Collect(maps.Keys(*r.backends.Load()))
		for _, e := range s.endpoints {
			ids = append(ids, e.Backend.ID)
		}
		for _, id := range ids {
			proof, err := tx.Probe(id)
			if errors.Is(err, keystile.ErrNotFound) {
				continue
			}
			if err != nil {
				return fmt.Errorf("proof about backend %q: %w", id, err)
			}
			s.proofs[id] = proof
		}
		return nil
	})
	return s, err
}

// serves reports whether b is what e describes, so that its connections and
// what is known of it can be kept.
func (b *Backend) serves(e Endpoint) bool {
	a, c := b.info, e.Backend
	return a.Kind == c.Kind && a.Endpoint == c.Endpoint && a.Region == c.Region && a.PathStyle == c.PathStyle &&
		a.AccessKeyID == c.AccessKeyID && a.ForceHashing == c.ForceHashing && a.Scratch == c.Scratch && a.Source == c.Source && b.secret.Equal(e.Secret) &&
		a.AdminEndpoint == c.AdminEndpoint && a.AdminAccessKeyID == c.AdminAccessKeyID && b.adminSecret.Equal(e.AdminSecret)
}

// Close closes the idle connections to every backend and refuses new requests.
func (r *Registry) Close() {
	for _, b := range *r.backends.Load() {
		b.close()
	}
}

// CheckEndpoint refuses a backend whose settings are wrong, or whose endpoint
// resolves to an address that nothing may connect to. A name that does not
// resolve now is let pass: every connection is checked again.
func (r *Registry) CheckEndpoint(ctx context.Context, b keystile.Backend) error {
	if err := b.Check(); err != nil {
		return err
	}
	if b.Kind == keystile.KindEmbedded {
		return nil
	}
	var faults keystile.Faults
	r.checkAddress(ctx, "endpoint", b.Endpoint, &faults)
	if b.Kind == keystile.KindCeph && b.AdminEndpoint != "" {
		r.checkAddress(ctx, "admin_endpoint", b.AdminEndpoint, &faults)
	}
	return faults.Err()
}

func (r *Registry) checkAddress(ctx context.Context, field, endpoint string, faults *keystile.Faults) {
	u, err := url.Parse(endpoint)
	if err != nil || !r.opts.Dialer.allowsHost(ctx, u.Hostname(), portOf(u)) {
		faults.Add(field, "leads to an address that is not allowed: link-local, multicast, unspecified, a cloud's metadata service or this gateway itself")
	}
}

// allowsHost resolves host and checks every address.
func (d *Dialer) allowsHost(ctx context.Context, host, port string) bool {
	number, err := net.DefaultResolver.LookupPort(ctx, "tcp", port)
	if err != nil {
		return false
	}
	addrs, err := d.dialer.Resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return true
	}
	return !slices.ContainsFunc(addrs, func(a netip.Addr) bool {
		return d.check(netip.AddrPortFrom(a, uint16(number))) != nil //nolint:gosec // LookupPort bounds it
	})
}
