package backends_test

import (
	"bytes"
	"crypto/rand"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keystile/internal/audit"
	"keystile/internal/clientip"
	"keystile/internal/http1"
	"keystile/internal/keyring"
	"keystile/internal/keystile"
	"keystile/internal/s3proxy"
	"keystile/internal/sigv4"
	"keystile/internal/store"
	"keystile/internal/store/seal"
	"keystile/internal/store/sqlstore"
	"keystile/internal/upstream"
)

func openStore(t *testing.T) store.Store {
	t.Helper()
	keys, err := seal.New(seal.NewKey())
	must(t, err)
	db, err := sqlstore.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "keystile.db"), keys)
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func registryIn(t *testing.T, db store.Store, e upstream.Endpoint) *upstream.Registry {
	t.Helper()
	r := upstream.NewRegistry(upstream.Options{Declared: []upstream.Endpoint{e}, Store: db, Dialer: upstream.NewDialer(), Log: quiet()})
	must(t, r.Sync(t.Context()))
	t.Cleanup(r.Close)
	return r
}

func registryOf(t *testing.T, e upstream.Endpoint) *upstream.Registry {
	t.Helper()
	return registryIn(t, openStore(t), e)
}

// newBucket makes a bucket and empties and removes it when the test ends.
func newBucket(t *testing.T, r *upstream.Registry) string {
	t.Helper()
	name := "test-" + strings.ToLower(rand.Text()[:12])
	must(t, r.CreateBucket(t.Context(), keystile.Bucket{Backend: "prod", Name: name}))
	return name
}

// What follows is said to the backend itself, past the gateway.

func sendDirect(t *testing.T, b *upstream.Backend, r upstream.Request) (int, string) {
	t.Helper()
	answer, err := b.Send(t.Context(), r)
	must(t, err)
	defer func() { _ = answer.Body.Close() }()
	data, err := io.ReadAll(answer.Body)
	must(t, err)
	return answer.Status, string(data)
}

func putDirect(t *testing.T, b *upstream.Backend, bucket, key string, data []byte) error {
	t.Helper()
	status, answer := sendDirect(t, b, upstream.Request{
		Method: http.MethodPut, Bucket: bucket, Key: key, Body: bytes.NewReader(data), ContentLength: int64(len(data)), PayloadHash: sigv4.HashHex(data),
	})
	if status != http.StatusOK {
		return fmt.Errorf("PUT %s: %d %s", key, status, answer)
	}
	return nil
}

// getDirect returns an object, and whether there is one.
func getDirect(t *testing.T, b *upstream.Backend, bucket, key string) (string, bool) {
	t.Helper()
	status, data := sendDirect(t, b, upstream.Request{Method: http.MethodGet, Bucket: bucket, Key: key})
	if status != http.StatusOK && status != http.StatusNotFound {
		t.Fatalf("GET %s: %d %s", key, status, data)
	}
	return data, status == http.StatusOK
}

func listDirect(t *testing.T, b *upstream.Backend, bucket string) (keys []string) {
	t.Helper()
	_, data := sendDirect(t, b, upstream.Request{Method: http.MethodGet, Bucket: bucket, Query: url.Values{"list-type": {"2"}}})
	var list struct{ Contents []struct{ Key string } }
	must(t, xml.Unmarshal([]byte(data), &list))
	for _, c := range list.Contents {
		keys = append(keys, c.Key)
	}
	return keys
}

func uploadsDirect(t *testing.T, b *upstream.Backend, bucket string) string {
	t.Helper()
	_, data := sendDirect(t, b, upstream.Request{Method: http.MethodGet, Bucket: bucket, Query: url.Values{"uploads": {""}}})
	return data
}

type noObserver struct{}

func (noObserver) Observe(keystile.Served) {}
func (noObserver) BackendFailed(string)    {}

// gateway is a gateway before one backend, with a credential for one bucket.
type gateway struct {
	t          *testing.T
	addr       string
	backend    *upstream.Backend
	bucket     string
	id, secret string
	host       string // Host of requests; empty: addr
}

// before is a gateway of its own before the backend, for the same bucket.
func (g *gateway) before(e upstream.Endpoint) *gateway {
	g.t.Helper()
	return serve(g.t, openStore(g.t), e, g.bucket, false)
}

// newGateway puts a gateway before a backend, which is probed first if asked.
func newGateway(t *testing.T, e upstream.Endpoint, probed bool) *gateway {
	t.Helper()
	return serve(t, openStore(t), e, "", probed)
}

// serve is newGateway with a store, and with a bucket that is there unless it
// has no name.
func serve(t *testing.T, db store.Store, e upstream.Endpoint, bucket string, probed bool) *gateway {
	t.Helper()
	registry := registryIn(t, db, e)
	if probed {
		if report := registry.Test(t.Context(), e.Backend, keystile.Secret{}); !report.OK {
			t.Fatalf("the backend's test failed: %+v", report.Steps)
		}
	}
	b, _ := registry.Get("prod")
	if bucket == "" {
		bucket = newBucket(t, registry)
	}
	g := &gateway{t: t, backend: b, bucket: bucket}
	keys := keyring.New(db, time.Now)
	trail := audit.NewRecorder(audit.InStore(db), time.Now)
	id, secret := keystile.NewKeyPair()
	g.id, g.secret = id, secret.Reveal()
	grant, err := keystile.ParseGrant("prod/"+g.bucket+":read,list,write,delete", false)
	must(t, err)
	must(t, db.Write(t.Context(), func(tx store.Tx) error {
		generation, err := tx.NextGeneration()
		if err != nil {
			return err
		}
		return tx.CreateCredential(keystile.Credential{
			AccessKeyID: id, Description: "test", CreatedBy: "test", CreatedAt: time.Now(), UpdatedAt: time.Now(),
			Grants: []keystile.Grant{grant}, Generation: generation,
		}, keystile.CredentialSecrets{Current: secret})
	}))
	must(t, keys.Sync(t.Context()))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	g.addr = ln.Addr().String()
	srv := &http.Server{ConnContext: http1.ConnContext, ReadHeaderTimeout: 5 * time.Second, Handler: s3proxy.New(s3proxy.Options{
		Keys: keys, Backends: registry, Trail: trail, Clients: clientip.Resolver{}, Observer: noObserver{},
		Log: quiet(), Now: time.Now, Region: "us-east-1", PublicURL: "http://" + g.addr,
		HostSuffixes: []string{"s3.gateway.test"},
	})}
	go func() { _ = srv.Serve(http1.Guard(ln, http1.GuardOptions{IdleTimeout: 5 * time.Second})) }()
	t.Cleanup(func() { _ = srv.Close(); trail.Close() })
	return g
}

// send signs a request head and sends it with a body that is already as on the
// wire. declared is its framing header. A cut one ends before its last missing
// bytes.
func (g *gateway) send(method, path, query string, header http.Header, hash, declared, wire string, missing int) (status int, answer string, back http.Header) {
	g.t.Helper()
	header = header.Clone()
	if header == nil {
		header = http.Header{}
	}
	g.sign(method, path, query, header, hash)
	return g.sendSigned(method, path, query, header, declared, wire, missing)
}

// named is the Host of requests.
func (g *gateway) named() string {
	if g.host != "" {
		return g.host
	}
	return g.addr
}

func (g *gateway) sign(method, path, query string, header http.Header, hash string) {
	g.t.Helper()
	must(g.t, sigv4.NewSigner(g.id, g.secret, "us-east-1", "s3").Sign(method, path, query, g.named(), header, hash, time.Now()))
}

func (g *gateway) sendSigned(method, path, query string, header http.Header, declared, wire string, missing int) (status int, answer string, back http.Header) {
	g.t.Helper()
	conn, err := net.Dial("tcp", g.addr)
	must(g.t, err)
	defer func() { _ = conn.Close() }()
	must(g.t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	var head strings.Builder
	fmt.Fprintf(&head, "%s %s?%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s\r\n", method, path, query, g.named(), declared)
	for name, values := range header {
		fmt.Fprintf(&head, "%s: %s\r\n", name, values[0])
	}
	head.WriteString("\r\n")
	_, _ = io.WriteString(conn, head.String()+wire[:len(wire)-missing])
	if missing > 0 {
		must(g.t, conn.(*net.TCPConn).CloseWrite())
	}
	return readAnswer(conn)
}
