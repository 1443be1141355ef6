package s3proxy

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"keystile/internal/abandoned"
	"keystile/internal/audit"
	"keystile/internal/http1"
	"keystile/internal/keyring"
	"keystile/internal/keystile"
	"keystile/internal/quota"
	"keystile/internal/s3wire"
	"keystile/internal/sigv4"
	"keystile/internal/upstream"
)

// Backends finds a backend by id.
type Backends interface {
	Get(id string) (*upstream.Backend, bool)
}

// ClientAddress tells where a request comes from.
type ClientAddress interface {
	Addr(r *http.Request) netip.Addr
}

// Observer counts finished requests.
type Observer interface {
	// Observe is told of every request that has ended. It is on the request's
	// way: it must not wait.
	Observe(keystile.Served)
	// BackendFailed is told that a backend was in trouble.
	BackendFailed(backend string)
}

// Options are what a Proxy is made of. All fields but the last four are
// required. How long a client may stand still is up to the listener's
// http1.Server.
type Options struct {
	Keys     *keyring.Keyring
	Backends Backends
	Trail    *audit.Recorder
	Clients  ClientAddress
	Observer Observer
	RGW      RGWBuckets    // nil: there are no RGW users
	CORS     CORS          // nil: no page of another origin may use anything
	Quotas   *quota.Ledger // nil: no bucket is counted
	// Uploads ends those that a quota refused; nil: they stay as they are.
	Uploads *abandoned.Keeper
	Log     *slog.Logger
	Now     func() time.Time
	// Region is the one that clients sign for; us-east-1 is accepted beside it.
	Region string
	// PublicURL begins the locations that clients are told, without a slash at
	// its end.
	PublicURL string
	// HostSuffixes are the gateway's own names, in front of which a host may name
	// the bucket.
	HostSuffixes []string
	// TokenKey seals the continuation tokens of listings that hide a prefix. With
	// none, only this process opens what it sealed.
	TokenKey keystile.Secret
	// AnonymousEnabled is the global switch of all anonymous bindings.
	AnonymousEnabled bool
	// AnonymousRate is the requests per second and source address where a
	// binding says nothing.
	AnonymousRate float64
	// AnonymousTotal is the requests per second to one binding from all addresses
	// together; 0: no bound.
	AnonymousTotal float64
	// ReadRate is the part, 0 to 1, of a credential's successful reads of a bucket
	// that is recorded; nil: none. The key is empty for reads without a signature.
	ReadRate func(accessKeyID string, b keystile.Bucket) float64
	// KeepAlive is how long a copy or the completion of an upload may keep its
	// client waiting before it gets white space, and between that; 0 stands for
	// 10 s.
	KeepAlive time.Duration
	// Limits bound what clients take together.
	Limits Limits
}

// Proxy is the gateway's HTTP handler.
type Proxy struct {
	Options
	signingKeys *sigv4.KeyCache
	tokens      tokenSealer
	limits      *limiter // of anonymous callers
	totals      *limiter // of bindings, from all addresses
	keyLimits   *limiter
	rate        *rate.Limiter // of all; nil: none
	inFlight    atomic.Int64
	memory      memory
}

// cachedSigningKeys is how many keys of a day are kept derived.
const cachedSigningKeys = 16_384

// New makes a gateway.
func New(o Options) *Proxy {
	if o.KeepAlive == 0 {
		o.KeepAlive = defaultKeepAlive
	}
	if o.TokenKey.IsZero() {
		o.TokenKey = keystile.NewSecretKey()
	}
	return &Proxy{
		Options: o, signingKeys: sigv4.NewKeyCache(cachedSigningKeys), tokens: tokenSealer{o.TokenKey}, limits: newLimiter(o.Now),
		totals:    newLimiter(o.Now),
		keyLimits: newLimiter(o.Now), rate: newRate(o.Limits.RequestsPerSecond), memory: memory{limit: o.Limits.BufferedBytes},
	}
}

// healthPath is the gateway's own. No bucket can be called "-"; behind a host
// that names the bucket it is a key like any other.
const healthPath = "/-/healthz"

func (p *Proxy) asksHealth(r *http.Request) bool {
	if r.URL.Path != healthPath || http1.Refused(r) != nil {
		return false
	}
	_, virtual := s3wire.HostBucket(r.Host, p.HostSuffixes)
	return !virtual
}

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.asksHealth(r) {
		p.health(w)
		return
	}
	continueEmpty(w, r)
	x := p.begin(w, r)
	defer x.end()
	if err := p.handle(x); err != nil {
		x.refuse(err)
	}
}

// handle is the way of a request.
func (p *Proxy) handle(x *exchange) error {
	if x.r.Method == http.MethodOptions && http1.Refused(x.r) == nil {
		return p.preflight(x)
	}
	if err := p.parse(x); err != nil {
		return err
	}
	if err := p.authenticate(x); err != nil {
		return err
	}
	if err := p.serveIndex(x); err != nil {
		return err
	}
	if err := p.authorize(x); err != nil {
		return err
	}
	if err := p.limit(x); err != nil {
		return err
	}
	if err := x.checkConditions(); err != nil {
		return err
	}
	switch {
	case x.req.Op.Name == s3wire.OpListBuckets:
		return p.listBuckets(x)
	case x.ownsBuckets():
		return p.changeOwn(x)
	case x.req.Op.Name == s3wire.OpDeleteObjects:
		return p.deleteObjects(x)
	case x.copiesAcross():
		return p.copyAcross(x)
	case x.req.Op.Mutates():
		return p.mutate(x)
	}
	return p.read(x)
}

// parse finds out what is asked.
func (p *Proxy) parse(x *exchange) error {
	if err := http1.Refused(x.r); errors.Is(err, http1.ErrHeadTooLarge) {
		return s3wire.HeadTooLarge.Err()
	} else if err != nil {
		return s3wire.InvalidRequest.With("The request is not well-formed HTTP/1.1: its head is malformed or ambiguous.")
	}
	var err error
	if x.req, err = s3wire.Parse(x.r, p.HostSuffixes...); err != nil || x.req.Op.Name != s3wire.OpPostObject {
		return err
	}
	return x.readForm()
}

func (p *Proxy) health(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if err := p.Keys.Ready(); err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = fmt.Fprintln(w, "not ready")
		return
	}
	_, _ = fmt.Fprintln(w, "ok")
}
