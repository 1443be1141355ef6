package certs_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"keystile/internal/certs"
	"keystile/internal/certs/certtest"
)

// tries are what the client tells of.
type tries struct {
	mu     sync.Mutex
	failed []error
}

func (c *tries) tell(_ string, failed error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed = append(c.failed, failed)
}

func (c *tries) seen() []error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}

// await waits for a try to end and returns how it ended.
func (c *tries) await(t *testing.T) error {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if seen := c.seen(); len(seen) > 0 {
			return seen[0]
		}
	}
	t.Fatal("nothing was tried in a minute")
	return nil
}

func portOf(t *testing.T, ln net.Listener) int {
	t.Helper()
	return ln.Addr().(*net.TCPAddr).Port
}

func listenHere(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	return ln
}

// manage serves "hello" over the TLS of an ACME client.
func manage(t *testing.T, ln net.Listener, o certs.ACMEOptions) *certs.ACME {
	t.Helper()
	o.Log, o.ListenHost = slog.New(slog.DiscardHandler), "127.0.0.1"
	a := certs.NewACME(o)
	f := open(t, certs.Options{Certificate: a.Certificate, Protocols: []string{certs.ALPNProtocol}})
	secure := certs.Listen(ln, f)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })}
	go func() { _ = srv.Serve(secure) }()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() { cancel(); a.Close(); _ = srv.Close() })
	if err := a.Manage(ctx); err != nil {
		t.Fatal(err)
	}
	return a
}

func getAs(addr, name string, roots *x509.CertPool) error {
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: name},
	}}
	res, err := client.Get("https://" + addr + "/")
	if err != nil {
		return err
	}
	return res.Body.Close()
}

// soonAs is getAs for a name that has a certificate or gets it: that one was
// obtained is told just before it is served.
func soonAs(addr, name string, roots *x509.CertPool) error {
	err := getAs(addr, name, roots)
	for end := time.Now().Add(30 * time.Second); err != nil && time.Now().Before(end); err = getAs(addr, name, roots) {
		time.Sleep(20 * time.Millisecond)
	}
	return err
}

func TestACMEByTheListenerItself(t *testing.T) {
	ln := listenHere(t)
	ca := certtest.NewAuthority(t, 1, portOf(t, ln))
	dir := filepath.Join(t.TempDir(), "acme")
	var told tries
	a := manage(t, ln, certs.ACMEOptions{
		Domains: []string{"keys.test", "other.test"}, Email: "ops@keys.test", Dir: dir, DirectoryURL: ca.URL, Roots: ca.Own,
		TLSPort: portOf(t, ln), Tell: told.tell,
	})
	for len(told.seen()) < 2 {
		if err := told.await(t); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	for _, name := range []string{"keys.test", "other.test"} {
		if err := soonAs(ln.Addr().String(), name, ca.Roots); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := getAs(ln.Addr().String(), "stranger.test", ca.Roots); err == nil {
		t.Error("a name that is none of ours has a certificate")
	}
	if left := time.Until(a.NotAfter()); left < 20*time.Hour || left > 25*time.Hour {
		t.Errorf("the certificates end in %v", left)
	}
	wantPrivate(t, dir)
}

// wantPrivate: keys are for the owner alone.
func wantPrivate(t *testing.T, dir string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files++
		if info, err := entry.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
		return nil
	})
	if err != nil || files < 4 {
		t.Errorf("%d files, %v", files, err)
	}
}

func TestACMEByPort80(t *testing.T) {
	ln, plain := listenHere(t), listenHere(t)
	ca := certtest.NewAuthority(t, portOf(t, plain), 1)
	var told tries
	a := manage(t, ln, certs.ACMEOptions{
		Domains: []string{"keys.test"}, Dir: t.TempDir(), DirectoryURL: ca.URL, Roots: ca.Own, HTTPPort: portOf(t, plain), Tell: told.tell,
	})
	srv := &http.Server{Handler: a.Challenges(http.NotFoundHandler())}
	go func() { _ = srv.Serve(plain) }()
	defer srv.Close()
	if err := told.await(t); err != nil {
		t.Fatal(err)
	}
	if err := soonAs(ln.Addr().String(), "keys.test", ca.Roots); err != nil {
		t.Error(err)
	}
	res, err := http.Get("http://" + plain.Addr().String() + "/anything")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusNotFound {
		t.Errorf("port 80 answers %d", res.StatusCode)
	}
}

// A certificate survives a restart without asking for another.
func TestACMEKeepsItsCertificates(t *testing.T) {
	first := listenHere(t)
	ca := certtest.NewAuthority(t, 1, portOf(t, first))
	dir := t.TempDir()
	var told tries
	o := certs.ACMEOptions{Domains: []string{"keys.test"}, Dir: dir, DirectoryURL: ca.URL, Roots: ca.Own, TLSPort: portOf(t, first), Tell: told.tell}
	manage(t, first, o)
	if err := told.await(t); err != nil {
		t.Fatal(err)
	}
	second := listenHere(t)
	o.DirectoryURL, o.TLSPort = ca.URL, portOf(t, second)
	manage(t, second, o)
	if err := soonAs(second.Addr().String(), "keys.test", ca.Roots); err != nil {
		t.Error(err)
	}
	if n := len(told.seen()); n != 1 {
		t.Errorf("%d certificates were asked for", n)
	}
}

// An authority that is out of reach is told of, and the start goes on.
func TestACMEWithoutItsAuthority(t *testing.T) {
	ln := listenHere(t)
	var told tries
	a := manage(t, ln, certs.ACMEOptions{
		Domains: []string{"keys.test"}, Dir: t.TempDir(), DirectoryURL: "https://127.0.0.1:1/directory", TLSPort: portOf(t, ln), Tell: told.tell,
	})
	if err := told.await(t); err == nil {
		t.Error("no failure was told of")
	}
	if !a.NotAfter().IsZero() {
		t.Error("there is a certificate")
	}
	if err := getAs(ln.Addr().String(), "keys.test", nil); err == nil {
		t.Error("a handshake without a certificate")
	}
}
