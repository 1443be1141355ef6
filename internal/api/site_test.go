package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"keystile/internal/audit"
	"keystile/internal/clientip"
	"keystile/internal/control"
	"keystile/internal/keystile"
	"keystile/internal/password"
	"keystile/internal/store"
	"keystile/internal/store/seal"
	"keystile/internal/store/sqlstore"
)

// site is a running API over a real store, with gateways and backends that can
// be told to fail.
type site struct {
	ledger    ledger
	t         *testing.T
	url       string
	file      string // of the database
	handler   http.Handler
	store     store.Store
	control   *control.Service
	gateways  *gateways
	upstreams *upstreams
	homes     homes
	clock     *clock
	log       *logLines
}

const sitePassword = "correct horse battery"

// firstSite is a database with the accounts that every test has, and its key.
// It is made once and copied: migrations take most of a short test's time.
var firstSite = sync.OnceValue(func() (first struct {
	key      seal.Key
	database []byte
	err      error
}) {
	first.key = seal.NewKey()
	dir, err := os.MkdirTemp("", "keystile-api")
	if err != nil {
		first.err = err
		return first
	}
	file := filepath.Join(dir, "keystile.db")
	first.err = makeFirstSite(file, first.key)
	if first.err == nil {
		first.database, first.err = os.ReadFile(file)
	}
	first.err = errors.Join(first.err, os.RemoveAll(dir))
	return first
})

func makeFirstSite(file string, key seal.Key) error {
	ctx := context.Background()
	ring, err := seal.New(key)
	if err != nil {
		return err
	}
	db, err := sqlstore.OpenSQLite(ctx, file, ring)
	if err != nil {
		return err
	}
	trail := audit.NewRecorder(audit.InStore(db), firstClock().now)
	defer trail.Close()
	use := control.New(control.Options{Store: db, Trail: trail, Now: firstClock().now, Passwords: cheap})
	for _, account := range []control.NewAccount{{Name: "root", Role: keystile.RoleAdmin}, {Name: "uma", Role: keystile.RoleUser}, {Name: "rory", Role: keystile.RoleReadonly}} {
		account.Password = keystile.NewSecret(sitePassword)
		if _, _, err := use.Accounts.Create(ctx, control.System(), account); err != nil {
			return err
		}
	}
	return db.Close()
}

var cheap = password.Params{MemoryKiB: 64, Passes: 1, Lanes: 1}

func firstClock() *clock { return &clock{at: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)} }

func newSite(t *testing.T) *site {
	t.Helper()
	first := firstSite()
	must(t, first.err)
	s := &site{
		t: t, file: filepath.Join(t.TempDir(), "keystile.db"), gateways: &gateways{},
		upstreams: newUpstreams(), clock: firstClock(), log: &logLines{},
	}
	must(t, os.WriteFile(s.file, first.database, 0o600))
	ring, err := seal.New(first.key)
	must(t, err)
	db, err := sqlstore.OpenSQLite(t.Context(), s.file, ring)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	s.store = db
	trail := audit.NewRecorder(audit.InStore(db), s.clock.now)
	t.Cleanup(trail.Close)
	s.control = control.New(control.Options{
		Store: db, Trail: trail, Gateways: s.gateways, Journal: quietJournal{}, Upstreams: s.upstreams, Homes: &s.homes, Ledger: &s.ledger, Hooks: hooks{}, Now: s.clock.now,
		Passwords: cheap,
	})
	s.serve(Options{})
	return s
}

// serve starts the API; o completes what every test has.
func (s *site) serve(o Options) {
	server := httptest.NewUnstartedServer(nil)
	listen := server.Listener.Addr().String()
	o.Control, o.Log, o.Listen = s.control, slog.New(slog.NewTextHandler(s.log, nil)), listen
	o.Server = Server{Version: "test", S3Endpoint: "http://s3.test:8090", Region: "us-east-1", AnonymousEnabled: true}
	o.ClientIP = clientip.Resolver{Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	if o.PublicURL == nil {
		o.PublicURL = &url.URL{Scheme: "http", Host: "keys.test"}
	}
	handler, err := New(o)
	must(s.t, err)
	server.Config.Handler = handler
	server.Start()
	s.t.Cleanup(server.Close)
	s.url, s.handler = "http://"+listen, handler
}

// hooks is a receiver that answers 204.
type hooks struct{}

func (hooks) Test(_ context.Context, w keystile.Webhook, _ keystile.Secret, id string) (keystile.Delivery, error) {
	return keystile.Delivery{MessageID: id, WebhookID: w.ID, Kind: keystile.WebhookTest, State: keystile.DeliveryDelivered, Attempts: 1, LastStatus: 204}, nil
}

// ledger counts what a test says.
type ledger struct {
	usage    keystile.Usage
	scanning bool
	spent    int64
}

func (l *ledger) Usage(keystile.Bucket) (keystile.Usage, bool) { return l.usage, true }

func (l *ledger) Scan(keystile.Bucket) bool {
	l.scanning = true
	return true
}

func (l *ledger) Spent(string) (int64, time.Time, bool) { return l.spent, time.Time{}, true }

func (l *ledger) CancelScan(keystile.Bucket) bool {
	was := l.scanning
	l.scanning = false
	return was
}

// client sends requests as someone.
type client struct {
	*site
	header http.Header
}

// nobody sends no credential.
func (s *site) nobody() client { return client{s, http.Header{}} }

// as sends an API token of the account.
func (s *site) as(account string) client {
	token, err := s.control.Bootstrap.CreateToken(s.t.Context(), account, "test", control.Expiry{})
	must(s.t, err)
	return s.bearer(token.Reveal())
}

func (s *site) bearer(value string) client {
	return s.nobody().with("Authorization", "Bearer "+value)
}

// signIn sends a session cookie, with everything that protects it.
func (s *site) signIn(account string) client {
	s.t.Helper()
	a := s.nobody().with("Origin", s.url).do("POST", "/api/session", map[string]string{"username": account, "password": sitePassword})
	a.want(http.StatusOK)
	var in SignedIn
	a.into(&in)
	cookie := strings.SplitN(a.header.Get("Set-Cookie"), ";", 2)[0]
	return s.nobody().with("Cookie", cookie).with("Origin", s.url).with("X-CSRF-Token", in.CSRFToken)
}

// with adds a header, or removes it if value is empty.
func (c client) with(name, value string) client {
	header := maps.Clone(c.header)
	header.Set(name, value)
	if value == "" {
		header.Del(name)
	}
	return client{c.site, header}
}

// on reports to another test.
func (c client) on(t *testing.T) client {
	s := *c.site
	s.t = t
	return client{&s, c.header}
}

// do sends body as JSON; a string goes as it is, nil sends none.
func (c client) do(method, path string, body any) answer {
	c.t.Helper()
	var content io.Reader
	header := maps.Clone(c.header)
	switch b := body.(type) {
	case nil:
	case string:
		content = strings.NewReader(b)
	default:
		encoded, err := json.Marshal(b)
		must(c.t, err)
		content = bytes.NewReader(encoded)
	}
	if content != nil && header.Get("Content-Type") == "" {
		header.Set("Content-Type", "application/json")
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, content)
	must(c.t, err)
	req.Header = header
	if host := header.Get("Host"); host != "" {
		req.Host = host
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	must(c.t, err)
	defer func() { must(c.t, resp.Body.Close()) }()
	text, err := io.ReadAll(resp.Body)
	must(c.t, err)
	return answer{c.t, method + " " + path, resp.StatusCode, resp.Header, text}
}

type answer struct {
	t      *testing.T
	asked  string
	status int
	header http.Header
	body   []byte
}

func (a answer) want(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s: %d, want %d: %s", a.asked, a.status, status, a.body)
	}
	return a
}

func (a answer) wantCode(status int, code string) answer {
	a.t.Helper()
	a.want(status)
	if got := a.problem().Error.Code; got != code {
		a.t.Fatalf("%s: code %q, want %q: %s", a.asked, got, code, a.body)
	}
	return a
}

func (a answer) problem() ErrorBody {
	a.t.Helper()
	var body ErrorBody
	a.into(&body)
	return body
}

func (a answer) into(v any) {
	a.t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		a.t.Fatalf("%s: %v: %s", a.asked, err, a.body)
	}
}

func into[T any](a answer) T {
	a.t.Helper()
	var v T
	a.into(&v)
	return v
}

// events returns the events of one request, newest first.
func (s *site) events(filter keystile.EventFilter) []keystile.Event {
	s.t.Helper()
	var events []keystile.Event
	must(s.t, s.store.Read(s.t.Context(), func(tx store.Tx) (err error) {
		events, _, err = tx.Events(keystile.EventPage{Filter: filter, Limit: 1000})
		return err
	}))
	return events
}

func (s *site) eventsOf(a answer) []keystile.Event {
	s.t.Helper()
	return s.events(keystile.EventFilter{RequestID: a.header.Get("X-Request-Id")})
}

// mint creates a credential as the system.
func (s *site) mint(owner string) control.CredentialSecret {
	s.t.Helper()
	made, err := s.control.Credentials.Create(s.t.Context(), control.System(), control.NewCredential{
		Description: "for " + owner, Owner: owner,
		Grants: []keystile.Grant{{Bucket: keystile.Bucket{Backend: "main", Name: "uploads"}, Permission: keystile.Read}},
	})
	must(s.t, err)
	return made
}

func (s *site) secretsOf(accessKeyID string) keystile.CredentialSecrets {
	s.t.Helper()
	var secrets keystile.CredentialSecrets
	must(s.t, s.store.Read(s.t.Context(), func(tx store.Tx) (err error) {
		secrets, err = tx.CredentialSecrets(accessKeyID)
		return err
	}))
	return secrets
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

type logLines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logLines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// gateways remember what they confirmed.
type gateways struct {
	mu        sync.Mutex
	confirmed []int64
	err       error
	hold      chan struct{} // if not nil, Confirm waits for it
}

func (g *gateways) Confirm(ctx context.Context, generation int64) error {
	g.mu.Lock()
	hold, err := g.hold, g.err
	g.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.confirmed = append(g.confirmed, generation)
	return nil
}

func (g *gateways) fail(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.err = err
}

func (g *gateways) last() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.confirmed) == 0 {
		return 0
	}
	return g.confirmed[len(g.confirmed)-1]
}

// upstreams has one declared backend, "main", and keeps buckets in memory.
type upstreams struct {
	mu      sync.Mutex
	buckets map[keystile.Bucket]bool // true: not empty
	onCheck func() error             // called by CheckEndpoint
	tested  []keystile.Secret
}

func newUpstreams() *upstreams {
	return &upstreams{buckets: map[keystile.Bucket]bool{
		{Backend: "main", Name: "uploads"}: true, {Backend: "main", Name: "empty"}: false,
	}}
}

func (u *upstreams) Declared() []keystile.Backend {
	return []keystile.Backend{{
		ID: "main", Kind: keystile.KindEmbedded, Region: "us-east-1", PathStyle: true, Source: keystile.SourceConfig,
	}}
}

func (u *upstreams) Health() map[string]keystile.Health {
	return map[string]keystile.Health{"main": {Healthy: true, Latency: 1500 * time.Microsecond, Abilities: keepsKeys()}}
}

func (u *upstreams) CheckEndpoint(_ context.Context, b keystile.Backend) error {
	if strings.Contains(b.Endpoint, "169.254.") {
		return fmt.Errorf("link-local: %w", keystile.ErrInvalid)
	}
	if u.onCheck != nil {
		return u.onCheck()
	}
	return nil
}

func (u *upstreams) Test(_ context.Context, _ keystile.Backend, secret keystile.Secret) keystile.TestReport {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.tested = append(u.tested, secret)
	return keystile.TestReport{OK: true, Steps: []keystile.TestStep{{Name: "reach", OK: true}}, ClockSkew: -2 * time.Second, Buckets: 2}
}

func (u *upstreams) Buckets(_ context.Context, backendID string) ([]keystile.BucketInfo, error) {
	if backendID != "main" {
		return nil, fmt.Errorf("dial 10.1.2.3: %w", keystile.ErrUnavailable)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	var list []keystile.BucketInfo
	for b := range u.buckets {
		list = append(list, keystile.BucketInfo{Bucket: b})
	}
	return list, nil
}

func (u *upstreams) CreateBucket(_ context.Context, b keystile.Bucket) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, ok := u.buckets[b]; ok {
		return fmt.Errorf("BucketAlreadyOwnedByYou at 10.1.2.3: %w", keystile.ErrConflict)
	}
	u.buckets[b] = false
	return nil
}

func (u *upstreams) DeleteBucket(_ context.Context, b keystile.Bucket) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	full, ok := u.buckets[b]
	switch {
	case !ok:
		return fmt.Errorf("NoSuchBucket: %w", keystile.ErrNotFound)
	case full:
		return fmt.Errorf("BucketNotEmpty: %w", keystile.ErrConflict)
	}
	delete(u.buckets, b)
	return nil
}

var errDown = errors.New("gateway gw-2 at 10.1.2.3 is down")

func keepsKeys() (a keystile.Abilities) {
	a[keystile.KeepsKeys] = keystile.Finding{Verdict: keystile.Yes, At: time.Now()}
	return a
}
