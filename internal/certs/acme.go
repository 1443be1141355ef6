package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/http"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
)

// ACMEOptions say from whom certificates are to come (RFC 8555).
type ACMEOptions struct {
	Domains []string // each gets a certificate
	Email   string   // of the account at the authority; may be empty
	Dir     string   // keeps the account, keys and certificates; made with mode 0700
	// DirectoryURL is the authority's; empty: Let's Encrypt's.
	DirectoryURL string
	// Staging asks Let's Encrypt's staging authority, which browsers do not trust.
	Staging bool
	// Roots are trusted for the directory itself; nil: the system's.
	Roots *x509.CertPool
	// ListenHost and TLSPort are where the listener is; the authority's challenge
	// by TLS-ALPN-01 (RFC 8737) comes to port 443 of the domains and must reach
	// it there. TLSPort 0: that challenge is not used.
	ListenHost string
	TLSPort    int
	// HTTPPort is where [ACME.Challenges] are served, which come to port 80; 0:
	// the challenge HTTP-01 is not used.
	HTTPPort int
	Log      *slog.Logger
	// Tell is told of every try to get a certificate; nil where one was got.
	Tell func(domain string, failed error)
}

// ACME gets certificates from an authority and renews them.
type ACME struct {
	options ACMEOptions
	cache   *certmagic.Cache
	config  *certmagic.Config
	issuer  *certmagic.ACMEIssuer
}

// NewACME prepares. Nothing is asked for before Manage.
func NewACME(o ACMEOptions) *ACME {
	a := &ACME{options: o}
	log := zap.New(slogCore{log: o.Log})
	a.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return a.config, nil },
		Logger:           log,
	})
	a.config = certmagic.New(a.cache, certmagic.Config{
		Storage:           &certmagic.FileStorage{Path: o.Dir},
		DefaultServerName: o.Domains[0],
		// A certificate must not make the gateway ask addresses that stand in it.
		OCSP:    certmagic.OCSPConfig{DisableStapling: true},
		Logger:  log,
		OnEvent: a.event,
	})
	a.issuer = certmagic.NewACMEIssuer(a.config, certmagic.ACMEIssuer{
		CA: o.directory(), TestCA: o.directory(), Email: o.Email, Agreed: true, TrustedRoots: o.Roots,
		DisableTLSALPNChallenge: o.TLSPort == 0, DisableHTTPChallenge: o.HTTPPort == 0,
		ListenHost: o.ListenHost, AltTLSALPNPort: o.TLSPort, AltHTTPPort: o.HTTPPort,
		// The environment says nothing here.
		HTTPProxy: http.ProxyURL(nil), Logger: log,
	})
	a.config.Issuers = []certmagic.Issuer{a.issuer}
	return a
}

func (o ACMEOptions) directory() string {
	switch {
	case o.DirectoryURL != "":
		return o.DirectoryURL
	case o.Staging:
		return certmagic.LetsEncryptStagingCA
	}
	return certmagic.LetsEncryptProductionCA
}

func (a *ACME) event(_ context.Context, name string, data map[string]any) error {
	domain, _ := data["identifier"].(string)
	switch name {
	case "cert_obtained":
		a.options.Tell(domain, nil)
	case "cert_failed":
		if err, ok := data["error"].(error); ok {
			a.options.Tell(domain, err)
		}
	}
	return nil
}

// Manage gets what is missing and renews what is due, in the background, until
// ctx ends. Failures are tried again with growing pauses.
func (a *ACME) Manage(ctx context.Context) error {
	return a.config.ManageAsync(ctx, a.options.Domains)
}

// Close ends the renewing.
func (a *ACME) Close() { a.cache.Stop() }

// Certificate is the tls.Config.GetCertificate of the listener. It knows the
// domains, and the authority's challenge while one is under way.
func (a *ACME) Certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	return a.config.GetCertificate(hello)
}

// ALPNProtocol is the protocol of the challenge TLS-ALPN-01, which the listener
// offers for its sake.
const ALPNProtocol = "acme-tls/1"

// Challenges answers the challenge HTTP-01 and leaves everything else to next.
func (a *ACME) Challenges(next http.Handler) http.Handler { return a.issuer.HTTPChallengeHandler(next) }

// NotAfter is the end of the certificate that expires first; zero while a domain
// has none.
func (a *ACME) NotAfter() time.Time {
	var first time.Time
	for _, domain := range a.options.Domains {
		var last time.Time // an old one may still be known beside the new one
		for _, c := range a.cache.AllMatchingCertificates(domain) {
			if c.Leaf != nil && c.Leaf.NotAfter.After(last) {
				last = c.Leaf.NotAfter
			}
		}
		if last.IsZero() {
			return time.Time{}
		}
		if first.IsZero() || last.Before(first) {
			first = last
		}
	}
	return first
}
