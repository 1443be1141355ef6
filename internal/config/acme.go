package config

import (
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
)

// ACME is the authority that issues certificates for the listeners' acme_domains.
type ACME struct {
	AgreeTerms   bool   `key:"agree_terms"` // to the authority's terms of service
	Email        string `key:"email"`
	StorageDir   string `key:"storage_dir"`   // empty: acme in the data directory
	DirectoryURL string `key:"directory_url"` // empty: Let's Encrypt
	Staging      bool   `key:"staging"`       // Let's Encrypt's authority for trying out
	CAFile       string `key:"ca_file"`       // trusted for the directory itself; empty: the system's authorities
	HTTPListen   string `key:"http_listen"`   // HOST:PORT for challenges that come to port 80; empty: none
}

func (c *Config) deriveACME() {
	if c.ACME.StorageDir == "" && c.usesACME() {
		c.ACME.StorageDir = filepath.Join(c.DataDir, "acme")
	}
}

func (c *Config) usesACME() bool {
	return len(c.Server.TLS.ACMEDomains)+len(c.S3Proxy.TLS.ACMEDomains) > 0
}

func (l *loader) checkACME(c *Config) {
	a := &c.ACME
	if c.usesACME() && !a.AgreeTerms {
		l.check("acme.agree_terms", "must be true: certificates are issued only to those who agree to the authority's terms of service")
	}
	if a.Email != "" && strings.Count(strings.Trim(a.Email, "@"), "@") != 1 {
		l.check("acme.email", "%q is no e-mail address", a.Email)
	}
	if a.DirectoryURL != "" {
		if u, err := url.Parse(a.DirectoryURL); err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
			l.check("acme.directory_url", "must be https://HOST[:PORT]/PATH")
		}
		if a.Staging {
			l.check("acme.staging", "is set beside acme.directory_url: give one of them")
		}
	}
	if a.CAFile != "" {
		l.checkPEM("acme.ca_file", a.CAFile)
	}
	if a.HTTPListen != "" {
		l.checkListen("acme.http_listen", a.HTTPListen)
	}
}

// checkACMEDomains: wildcards would need a challenge by DNS, which is not
// spoken.
func (l *loader) checkACMEDomains(at string, t *TLS, httpListen string) {
	key := at + ".tls.acme_domains"
	for _, name := range t.ACMEDomains {
		if !isDomain(name) {
			l.check(key, "%q is not a domain name such as s3.example.org; wildcards and addresses get no certificate this way", name)
		}
	}
	if len(t.ACMEDomains) == 0 {
		return
	}
	if t.CertFile != "" || t.KeyFile != "" {
		l.check(key, "is set beside files: give one of them")
	}
	if t.RequireClientCert && httpListen == "" {
		l.check(at+".tls.require_client_cert", "needs acme.http_listen: the authority has no client certificate, and cannot check the domain at this listener")
	}
}

func isDomain(name string) bool {
	if _, err := netip.ParseAddr(name); err == nil || len(name) > 253 || !strings.Contains(name, ".") {
		return false
	}
	return !slices.ContainsFunc(strings.Split(name, "."), func(label string) bool {
		return label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != ""
	})
}
