package s3proxy_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"keystile/internal/abandoned"
	"keystile/internal/audit"
	"keystile/internal/clientip"
	"keystile/internal/http1"
	"keystile/internal/keyring"
	"keystile/internal/keystile"
	"keystile/internal/quota"
	"keystile/internal/s3proxy"
	"keystile/internal/s3test"
	"keystile/internal/sigv4"
	"keystile/internal/store"
	"keystile/internal/store/freshstore"
	"keystile/internal/upstream"
)

// gateway is a real gateway listening on a real socket, with a real store, in
// front of a backend that counts.
type gateway struct {
	t       *testing.T
	addr    string
	store   store.Store
	keys    *keyring.Keyring
	trail   *audit.Recorder
	backend *s3test.Server // nil where newGatewayTo was given others

	backends *upstream.Registry
	proxy    *s3proxy.Proxy
	quotas   *quota.Ledger
	uploads  *abandoned.Keeper
	logs     *lockedBuffer

	mu  sync.Mutex
	now time.Time // zero: the real clock
}

func (g *gateway) clock() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.now.IsZero() {
		return time.Now()
	}
	return g.now
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

type noObserver struct{}

func (noObserver) Observe(keystile.Served) {}
func (noObserver) BackendFailed(string)    {}

const (
	backendKey    = "BACKENDADMINKEY00001"
	backendSecret = "the-backends-admin-secret-key"
)

// newGateway starts one. The backend "prod" has the buckets uploads, reports
// and payroll; it is proven to store whole bodies only and to heed If-None-Match
// (see prove).
func newGateway(t *testing.T, change ...func(*s3proxy.Options)) *gateway {
	t.Helper()
	backend := s3test.New(t)
	for _, name := range []string{"uploads", "reports", "payroll"} {
		backend.CreateBucket(name)
	}
	prod := keystile.Backend{
		ID: "prod", Kind: keystile.KindS3, Endpoint: backend.URL, Region: "eu-test-1", PathStyle: true, AccessKeyID: backendKey,
	}
	g := newGatewayTo(t, []upstream.Endpoint{
		{Backend: prod, Secret: keystile.NewSecret(backendSecret)},
		{Backend: withID(prod, "other"), Secret: keystile.NewSecret(backendSecret)},
	}, change...)
	g.backend = backend
	g.prove(keystile.StoresOnlyWhole, keystile.IfNoneMatch)
	return g
}

// newGatewayTo starts one in front of the backends.
func newGatewayTo(t *testing.T, backends []upstream.Endpoint, change ...func(*s3proxy.Options)) *gateway {
	t.Helper()
	g := &gateway{t: t, logs: &lockedBuffer{}}
	g.store = openStore(t)
	log := slog.New(slog.NewTextHandler(g.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	registry := upstream.NewRegistry(upstream.Options{Declared: backends, Store: g.store, Dialer: upstream.NewDialer(), Log: log})
	g.backends = registry
	must(t, registry.Sync(t.Context()))
	t.Cleanup(registry.Close)
	g.keys = keyring.New(g.store, g.clock)
	must(t, g.keys.Sync(t.Context()))
	g.trail = audit.NewRecorder(audit.InStore(g.store), g.clock)
	g.quotas = quota.New(quota.Options{Store: g.store, Lister: registry, Log: log, Now: g.clock, Pace: 5 * time.Millisecond})
	g.uploads = g.keeper()
	options := s3proxy.Options{
		Keys: g.keys, Backends: registry, Trail: g.trail, Clients: clientip.Resolver{}, Observer: noObserver{},
		Log: log, Now: g.clock, Region: "eu-test-1", PublicURL: "http://gateway.test",
		HostSuffixes:     []string{"s3.test"},
		CORS:             registry,
		Quotas:           g.quotas,
		Uploads:          g.uploads,
		AnonymousEnabled: true, AnonymousRate: 1000,
	}
	for _, c := range change {
		c(&options)
	}
	g.proxy = s3proxy.New(options)
	t.Cleanup(g.trail.Close)
	g.addr = g.listen(http1.GuardOptions{IdleTimeout: 5 * time.Second}, 5*time.Second)
	return g
}

// prove makes these, and no others, the abilities that the backends are proven
// to have. Whether they have them is up to the test.
func (g *gateway) prove(abilities ...keystile.Ability) {
	g.t.Helper()
	sum := sha256.Sum256([]byte(string(keystile.KindS3) + "\n" + g.backend.URL))
	p := keystile.Probe{Fingerprint: hex.EncodeToString(sum[:]), ProbedAt: time.Now()}
	for _, a := range abilities {
		p.Abilities[a] = keystile.Finding{Verdict: keystile.Yes, At: p.ProbedAt}
	}
	must(g.t, g.store.Write(g.t.Context(), func(tx store.Tx) error {
		for _, id := range []string{"prod", "other"} {
			p.BackendID = id
			if err := tx.SaveProbe(p); err != nil {
				return err
			}
		}
		return nil
	}))
	must(g.t, g.backends.Sync(g.t.Context()))
	if b, _ := g.backends.Get("prod"); len(abilities) > 0 && !b.Can(abilities[0]) {
		g.t.Fatal("the proof is not in force")
	}
}

func withID(b keystile.Backend, id string) keystile.Backend {
	b.ID = id
	return b
}

func openStore(t *testing.T) store.Store {
	t.Helper()
	return freshstore.Open(t)
}

// listen serves the gateway on one more socket and returns its address.
func (g *gateway) listen(opts http1.GuardOptions, headTime time.Duration) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(g.t, err)
	srv := &http1.Server{
		Handler: g.proxy, HeaderTimeout: headTime, IdleTimeout: headTime, Guard: opts,
		Log: slog.New(slog.NewTextHandler(g.logs, nil)),
	}
	go func() { _ = srv.Serve(ln) }()
	g.t.Cleanup(func() { _ = srv.Close() })
	return ln.Addr().String()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (g *gateway) grant(text string) keystile.Grant {
	g.t.Helper()
	grant, err := keystile.ParseGrant(text, false)
	must(g.t, err)
	return grant
}

// key is a minted credential.
type key struct {
	id     string
	secret keystile.Secret
}

func (g *gateway) mint(grants ...string) key {
	g.t.Helper()
	id, secret := keystile.NewKeyPair()
	c := keystile.Credential{
		AccessKeyID: id, Description: "test", CreatedBy: "someone",
		CreatedAt: g.clock(), UpdatedAt: g.clock(),
	}
	for _, text := range grants {
		c.Grants = append(c.Grants, g.grant(text))
	}
	must(g.t, keystile.CheckGrants(c.Grants))
	g.write(func(tx store.Tx, generation int64) error {
		c.Generation = generation
		return tx.CreateCredential(c, keystile.CredentialSecrets{Current: secret})
	})
	return key{id, secret}
}

// change edits a stored credential.
func (g *gateway) change(k key, edit func(*keystile.Credential)) {
	g.t.Helper()
	g.write(func(tx store.Tx, generation int64) error {
		c, err := tx.Credential(k.id)
		if err != nil {
			return err
		}
		edit(&c)
		c.Generation = generation
		return tx.UpdateCredential(c)
	})
}

func (g *gateway) bind(b keystile.Binding) {
	g.t.Helper()
	must(g.t, b.Check())
	b.CreatedAt = g.clock()
	g.write(func(tx store.Tx, generation int64) error {
		b.Generation = generation
		return tx.CreateBinding(b)
	})
}

func (g *gateway) write(fn func(tx store.Tx, generation int64) error) {
	g.t.Helper()
	must(g.t, g.store.Write(g.t.Context(), func(tx store.Tx) error {
		generation, err := tx.NextGeneration()
		if err != nil {
			return err
		}
		return fn(tx, generation)
	}))
	ctx, cancel := context.WithTimeout(g.t.Context(), 10*time.Second)
	defer cancel()
	must(g.t, g.keys.Sync(ctx))
}

// call is one request to the gateway.
type call struct {
	method, path, query string
	host                string // empty: the gateway's address
	header              http.Header
	body                string
	payloadHash         string // empty: that of body
	date                time.Time
	skew                time.Duration // of the client's clock, where date is zero
	region              string
	unsigned            bool
	hangUp              bool // close the connection's own side after the body
	// tamper changes the request after it was signed.
	tamper func(*http.Request)
	// before runs before the request is made.
	before func(*gateway, key)
	// as is the key to sign with, if it is not the one that was minted.
	as func(key) key
	// presigned is how long a URL is good for that carries the signature, aged
	// how old it is, and edit what is done to its query.
	presigned, aged time.Duration
	edit            func(query string) string
	// chunks is what to send as chunks that are signed, and frame what is done
	// to them.
	chunks []string
	frame  func(wire string) string
}

// result is the gateway's answer.
type result struct {
	status  int
	code    string // of an error document
	message string
	header  http.Header
	body    string
}

func (g *gateway) request(k key, c call) *http.Request {
	g.t.Helper()
	if c.header == nil {
		c.header = http.Header{}
	}
	if c.before != nil {
		c.before(g, k)
	}
	if c.as != nil {
		k = c.as(k)
	}
	header := c.header.Clone()
	switch {
	case c.presigned != 0:
		c.query = g.presign(k, c)
	case c.chunks != nil:
		header, c.body = g.signedChunks(k, c, c.chunks...)
		if c.frame != nil {
			c.body = c.frame(c.body)
		}
	case !c.unsigned:
		g.sign(k, c, header)
	}
	target := "http://" + g.addr + c.path
	if c.query != "" {
		target += "?" + c.query
	}
	req, err := http.NewRequestWithContext(g.t.Context(), c.method, target, strings.NewReader(c.body))
	must(g.t, err)
	req.Header, req.Host = header, c.host
	if c.body == "" {
		req.Body = nil
	}
	if c.tamper != nil {
		c.tamper(req)
	}
	return req
}

func (g *gateway) sign(k key, c call, header http.Header) {
	g.t.Helper()
	if c.payloadHash == "" {
		c.payloadHash = hashOf(c.body)
	}
	if c.date.IsZero() {
		c.date = g.clock().Add(c.skew)
	}
	if c.region == "" {
		c.region = "eu-test-1"
	}
	if c.host == "" {
		c.host = g.addr
	}
	signer := sigv4.NewSigner(k.id, k.secret.Reveal(), c.region, "s3")
	must(g.t, signer.Sign(c.method, c.path, c.query, c.host, header, c.payloadHash, c.date))
}

func (g *gateway) presign(k key, c call) string {
	g.t.Helper()
	signer := sigv4.NewSigner(k.id, k.secret.Reveal(), "eu-test-1", "s3")
	query, err := signer.Presign(c.method, c.path, c.query, g.addr, c.header, c.presigned, g.clock().Add(-c.aged))
	must(g.t, err)
	if c.edit != nil {
		query = c.edit(query)
	}
	return query
}

func (g *gateway) do(k key, c call) result {
	g.t.Helper()
	return g.send(g.request(k, c))
}

func (g *gateway) send(req *http.Request) result {
	g.t.Helper()
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}).Do(req)
	must(g.t, err)
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	must(g.t, err)
	r := result{status: res.StatusCode, header: res.Header, body: string(data)}
	r.code, r.message = errorIn(data)
	return r
}

// errorIn reads an error document.
func errorIn(data []byte) (code, message string) {
	var doc struct {
		XMLName xml.Name
		Code    string
		Message string
	}
	if xml.Unmarshal(data, &doc) == nil && doc.XMLName.Local == "Error" {
		code, message = doc.Code, doc.Message
	}
	return code, message
}

// events reads the trail, newest first.
func (g *gateway) events(filter keystile.EventFilter) []keystile.Event {
	g.t.Helper()
	var events []keystile.Event
	must(g.t, g.store.Read(g.t.Context(), func(tx store.Tx) error {
		var err error
		events, _, err = tx.Events(keystile.EventPage{Filter: filter, Limit: 1000})
		return err
	}))
	return events
}

func (g *gateway) removeBinding(name string) {
	g.t.Helper()
	g.write(func(tx store.Tx, generation int64) error {
		return tx.RemoveBinding(name, g.clock(), generation)
	})
}
