package upstream

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"keystile/internal/keystile"
)

// ownCertificate makes a key pair that vouches for itself.
func ownCertificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	parsed, err := x509.ParseCertificate(der)
	must(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func TestTLSToBackends(t *testing.T) {
	server, authority := ownCertificate(t)
	client, clients := ownCertificate(t)
	stranger, others := ownCertificate(t)
	for _, tt := range []struct {
		name    string
		tls     TLS
		demands bool // a client certificate
		ok      bool
	}{
		{"its own authority", TLS{RootCAs: authority}, false, true},
		{"the system's authorities", TLS{}, false, false},
		{"another authority", TLS{RootCAs: others}, false, false},
		{"no verification", TLS{InsecureSkipVerify: true}, false, true},
		{"the client certificate that is demanded", TLS{RootCAs: authority, Certificate: &client}, true, true},
		{"none", TLS{RootCAs: authority}, true, false},
		{"another one", TLS{RootCAs: authority, Certificate: &stranger}, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			s.TLS = &tls.Config{Certificates: []tls.Certificate{server}, MinVersion: tls.VersionTLS12}
			if tt.demands {
				s.TLS.ClientAuth, s.TLS.ClientCAs = tls.RequireAndVerifyClientCert, clients
			}
			s.Config.ErrorLog = log.New(io.Discard, "", 0)
			s.StartTLS()
			defer s.Close()
			info := keystile.Backend{ID: "x", Kind: keystile.KindS3, Endpoint: s.URL, Region: testRegion, PathStyle: true}
			b := newBackend(Endpoint{Backend: info, TLS: tt.tls}, NewDialer(), nil, time.Now)
			defer b.client.Close()
			answer, err := b.Send(t.Context(), Request{Method: http.MethodGet})
			if err == nil {
				drop(answer)
			}
			if tt.ok != (err == nil) {
				t.Errorf("got %v", err)
			}
			if !tt.ok {
				wantTrouble(t, err, ErrUnreachable)
			}
			if b.Health().Unverified != tt.tls.InsecureSkipVerify {
				t.Error("health does not tell whether it is verified")
			}
		})
	}
}
