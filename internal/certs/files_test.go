package certs_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keystile/internal/certs"
	"keystile/internal/certs/certtest"
)

// serve answers each connection with "hello" over the TLS of f.
func serve(t *testing.T, f *certs.Files) string {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln := certs.Listen(inner, f)
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(10 * time.Second))
				_, _ = io.WriteString(c, "hello")
			}()
		}
	}()
	return ln.Addr().String()
}

func greet(t *testing.T, addr string, c *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	conn, err := tls.Dial("tcp", addr, c)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	// With TLS 1.3 a refused client certificate shows in the first read only.
	got, err := io.ReadAll(conn)
	if err == nil && string(got) != "hello" {
		err = errors.New("no greeting")
	}
	return conn.ConnectionState(), err
}

func open(t *testing.T, o certs.Options) *certs.Files {
	t.Helper()
	f, err := certs.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestHandshakes(t *testing.T) {
	ca, other := certtest.NewCA(t), certtest.NewCA(t)
	mine, foreign := ca.Issue(time.Hour, "client").TLS(t), other.Issue(time.Hour, "client").TLS(t)
	dir := t.TempDir()
	cert, key := ca.Issue(time.Hour, "keys.test").Write(t, dir)
	clientCA := certtest.File(t, dir, "ca.pem", ca.PEM)
	plain := certs.Options{CertFile: cert, KeyFile: key}
	optional, required, modern := plain, plain, plain
	optional.ClientCAFile, required.ClientCAFile, required.RequireClientCert = clientCA, clientCA, true
	modern.OnlyTLS13 = true
	for _, tt := range []struct {
		name   string
		server certs.Options
		client *tls.Config
		ok     bool
	}{
		{"TLS 1.3", plain, &tls.Config{}, true},
		{"TLS 1.2", plain, &tls.Config{MaxVersion: tls.VersionTLS12}, true},
		{"TLS 1.1", plain, &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, false},
		{"TLS 1.2 where only 1.3 is spoken", modern, &tls.Config{MaxVersion: tls.VersionTLS12}, false},
		{"a suite without authenticated encryption", plain, &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}}, false},
		{"an unknown authority", plain, &tls.Config{RootCAs: other.Pool()}, false},
		{"another name", plain, &tls.Config{ServerName: "other.test"}, false},
		{"HTTP/1.1 is offered", plain, &tls.Config{NextProtos: []string{"h2", "http/1.1"}}, true},
		{"HTTP/2 alone", plain, &tls.Config{NextProtos: []string{"h2"}}, false},
		{"no client certificate where it is optional", optional, &tls.Config{}, true},
		{"a good client certificate where it is optional", optional, &tls.Config{Certificates: []tls.Certificate{mine}}, true},
		{"a foreign client certificate where it is optional", optional, &tls.Config{GetClientCertificate: always(foreign)}, false},
		{"no client certificate where it is required", required, &tls.Config{}, false},
		{"a good client certificate where it is required", required, &tls.Config{Certificates: []tls.Certificate{mine}}, true},
		{"a foreign client certificate where it is required", required, &tls.Config{GetClientCertificate: always(foreign)}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client := tt.client.Clone()
			if client.RootCAs == nil {
				client.RootCAs = ca.Pool()
			}
			if client.ServerName == "" {
				client.ServerName = "keys.test"
			}
			state, err := greet(t, serve(t, open(t, tt.server)), client)
			if (err == nil) != tt.ok {
				t.Fatalf("handshake: %v, want success %v", err, tt.ok)
			}
			if proto := state.NegotiatedProtocol; tt.ok && len(tt.client.NextProtos) > 0 && proto != "http/1.1" {
				t.Errorf("negotiated %q", proto)
			}
		})
	}
}

func always(c tls.Certificate) func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	return func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &c, nil }
}

func TestNewFilesAreTakenOver(t *testing.T) {
	ca := certtest.NewCA(t)
	dir := t.TempDir()
	cert, key := ca.Issue(time.Hour, "first.test").Write(t, dir)
	f := open(t, certs.Options{CertFile: cert, KeyFile: key})
	addr := serve(t, f)
	client := func(name string) error {
		_, err := greet(t, addr, &tls.Config{RootCAs: ca.Pool(), ServerName: name})
		return err
	}
	if err := errors.Join(client("first.test")); err != nil || client("second.test") == nil {
		t.Fatalf("before: %v", err)
	}
	if changed, err := f.Reload(); changed || err != nil {
		t.Errorf("nothing was changed: %v, %v", changed, err)
	}
	ca.Issue(2*time.Hour, "second.test").Write(t, dir)
	if changed, err := f.Reload(); !changed || err != nil {
		t.Fatalf("reload: %v, %v", changed, err)
	}
	if err := client("second.test"); err != nil || client("first.test") == nil {
		t.Errorf("after: %v", err)
	}
	if left := time.Until(f.Status().NotAfter); left < 90*time.Minute {
		t.Errorf("the status still tells of the first certificate: %v left", left)
	}
}

// New files that cannot be used are told of once, and the old ones stay.
func TestBrokenFilesChangeNothing(t *testing.T) {
	ca := certtest.NewCA(t)
	next := ca.Issue(time.Hour, "second.test")
	for _, tt := range []struct {
		name  string
		spoil func(t *testing.T, dir string)
	}{
		{"the certificate is no PEM", func(t *testing.T, dir string) { certtest.File(t, dir, "cert.pem", []byte("nonsense")) }},
		{"the certificate is empty", func(t *testing.T, dir string) { certtest.File(t, dir, "cert.pem", nil) }},
		{"the certificate belongs to another key", func(t *testing.T, dir string) { certtest.File(t, dir, "cert.pem", next.Cert) }},
		{"the key belongs to another certificate", func(t *testing.T, dir string) { certtest.File(t, dir, "key.pem", next.Key) }},
		{"the key is gone", func(t *testing.T, dir string) { _ = os.Remove(filepath.Join(dir, "key.pem")) }},
		{"the certificate is endless", func(t *testing.T, dir string) {
			certtest.File(t, dir, "cert.pem", []byte(strings.Repeat("x", 2<<20)))
		}},
		{"the client authority is no PEM", func(t *testing.T, dir string) { certtest.File(t, dir, "ca.pem", []byte("nonsense")) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			cert, key := ca.Issue(time.Hour, "first.test").Write(t, dir)
			f := open(t, certs.Options{CertFile: cert, KeyFile: key, ClientCAFile: certtest.File(t, dir, "ca.pem", ca.PEM)})
			addr := serve(t, f)
			tt.spoil(t, dir)
			if changed, err := f.Reload(); changed || err == nil {
				t.Fatalf("reload: %v, %v, want an error", changed, err)
			}
			if f.Status().Failed == nil {
				t.Error("the status tells of no failure")
			}
			if changed, err := f.Reload(); changed || err != nil {
				t.Errorf("the same fault was told twice: %v, %v", changed, err)
			}
			if _, err := greet(t, addr, &tls.Config{RootCAs: ca.Pool(), ServerName: "first.test"}); err != nil {
				t.Errorf("the old certificate does not serve: %v", err)
			}
			next.Write(t, dir)
			certtest.File(t, dir, "ca.pem", ca.PEM)
			if changed, err := f.Reload(); !changed || err != nil || f.Status().Failed != nil {
				t.Fatalf("mended: %v, %v", changed, err)
			}
			if _, err := greet(t, addr, &tls.Config{RootCAs: ca.Pool(), ServerName: "second.test"}); err != nil {
				t.Errorf("the mended certificate does not serve: %v", err)
			}
		})
	}
}

// A client certificate of an authority that was taken out does not resume its
// old session either.
func TestARemovedAuthorityEndsResumption(t *testing.T) {
	ca, clients := certtest.NewCA(t), certtest.NewCA(t)
	dir := t.TempDir()
	cert, key := ca.Issue(time.Hour, "keys.test").Write(t, dir)
	f := open(t, certs.Options{CertFile: cert, KeyFile: key, ClientCAFile: certtest.File(t, dir, "ca.pem", clients.PEM), RequireClientCert: true})
	addr := serve(t, f)
	client := &tls.Config{
		RootCAs: ca.Pool(), ServerName: "keys.test", Certificates: []tls.Certificate{clients.Issue(time.Hour).TLS(t)},
		ClientSessionCache: tls.NewLRUClientSessionCache(4),
	}
	for i := range 2 {
		if state, err := greet(t, addr, client); err != nil || state.DidResume != (i == 1) {
			t.Fatalf("connection %d: resumed %v, %v", i, state.DidResume, err)
		}
	}
	certtest.File(t, dir, "ca.pem", ca.PEM)
	if changed, err := f.Reload(); !changed || err != nil {
		t.Fatal(changed, err)
	}
	if state, err := greet(t, addr, client); err == nil {
		t.Errorf("still let in, resumed %v", state.DidResume)
	}
}
