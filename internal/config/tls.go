package config

import (
	"crypto/tls"
	"crypto/x509"
	"net/url"
	"os"
)

// TLS is that of one listener: off, from files, or from the authority of ACME.
type TLS struct {
	CertFile string `key:"cert_file"` // PEM: the certificate, then its chain
	KeyFile  string `key:"key_file"`  // PEM
	// ACMEDomains get their certificates from the authority of ACME.
	ACMEDomains []string `key:"acme_domains"`
	// ClientCAFile holds the authorities of client certificates; empty: clients
	// are asked for none.
	ClientCAFile      string `key:"client_ca_file"`
	RequireClientCert bool   `key:"require_client_cert"`
	MinVersion        string `key:"min_version"` // 1.2 or 1.3
}

// Enabled reports whether the listener speaks TLS.
func (t TLS) Enabled() bool { return t.CertFile != "" || len(t.ACMEDomains) > 0 }

// checkTLS looks into the files, so that what cannot be used is known before
// anything starts.
func (l *loader) checkTLS(at string, t *TLS, publicURL string) {
	l.oneOf(at+".tls.min_version", t.MinVersion, "1.2", "1.3")
	switch {
	case t.CertFile != "" && t.KeyFile == "":
		l.check(at+".tls.cert_file", "needs %s.tls.key_file beside it", at)
	case t.CertFile == "" && t.KeyFile != "":
		l.check(at+".tls.key_file", "needs %s.tls.cert_file beside it", at)
	case t.CertFile != "":
		l.checkKeyPair(at, t)
	}
	l.checkClientCerts(at, t)
	if u, err := url.Parse(publicURL); t.Enabled() && err == nil && u.Scheme == "http" {
		l.check(at+".public_url", "is http although %s.tls is on", at)
	}
}

func (l *loader) checkKeyPair(at string, t *TLS) {
	if err := checkPrivate(t.KeyFile); err != nil {
		l.check(at+".tls.key_file", "%s", err)
		return
	}
	if _, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile); err != nil {
		l.check(at+".tls.cert_file", "%s", err)
	}
}

func (l *loader) checkClientCerts(at string, t *TLS) {
	if t.RequireClientCert && t.ClientCAFile == "" {
		l.check(at+".tls.require_client_cert", "needs %s.tls.client_ca_file", at)
	}
	if t.ClientCAFile == "" {
		return
	}
	if !t.Enabled() {
		l.check(at+".tls.client_ca_file", "means nothing while TLS is off")
	}
	l.checkPEM(at+".tls.client_ca_file", t.ClientCAFile)
}

// checkPEM wants at least one certificate in a file.
func (l *loader) checkPEM(key, name string) {
	data, err := os.ReadFile(name)
	switch {
	case err != nil:
		l.check(key, "%s", err)
	case !x509.NewCertPool().AppendCertsFromPEM(data):
		l.check(key, "%s holds no certificate in PEM", name)
	}
}
