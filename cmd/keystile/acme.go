package main

import (
	"context"
	"crypto/x509"
	"net"
	"net/http"
	"os"
	"strconv"

	"keystile/internal/certs"
	"keystile/internal/config"
	"keystile/internal/telemetry"
)

// newACME prepares to get the certificates of one listener.
func (s *server) newACME(name string, socket net.Listener, c config.TLS, metrics *telemetry.TLS) (*certs.ACME, error) {
	a := s.config.ACME
	host, port := hostPort(socket.Addr().String())
	options := certs.ACMEOptions{
		Domains: c.ACMEDomains, Email: a.Email, Dir: a.StorageDir, DirectoryURL: a.DirectoryURL, Staging: a.Staging,
		ListenHost: host, TLSPort: port, Log: s.log.With("listener", name),
		Tell: func(domain string, failed error) {
			if failed != nil {
				s.log.Error("no certificate was issued: it is tried again", "listener", name, "domain", domain, "error", failed)
				metrics.ACMEFailed(name)
				return
			}
			s.log.Info("a certificate was issued", "listener", name, "domain", domain)
		},
	}
	if c.RequireClientCert {
		options.TLSPort = 0 // the authority has none to show
	}
	if a.HTTPListen != "" {
		_, options.HTTPPort = hostPort(a.HTTPListen)
	}
	if a.CAFile != "" {
		data, err := os.ReadFile(a.CAFile)
		if err != nil {
			return nil, err
		}
		options.Roots = x509.NewCertPool()
		options.Roots.AppendCertsFromPEM(data) // it was validated
	}
	acme := certs.NewACME(options)
	s.later(func(context.Context) error { acme.Close(); return nil })
	return acme, nil
}

// hostPort takes an address apart that was listened on or validated.
func hostPort(address string) (host string, port int) {
	host, text, _ := net.SplitHostPort(address)
	port, _ = strconv.Atoi(text)
	return host, port
}

// manageACME begins to get certificates. The listeners, which answer the
// authority's challenges, are open by now.
func (s *server) manageACME(ctx context.Context) error {
	challenges, used := http.NotFoundHandler(), false
	for _, t := range s.tls {
		if t.acme == nil {
			continue
		}
		used, challenges = true, t.acme.Challenges(challenges)
		if err := t.acme.Manage(s.work); err != nil {
			return err
		}
	}
	if s.config.ACME.HTTPListen == "" || !used {
		return nil
	}
	ln, err := s.open(ctx, "acme.http_listen", s.config.ACME.HTTPListen)
	if err != nil {
		return err
	}
	ln = s.counted(ln, s.connections.Of(frontChallenges), nil, false)
	s.fronts = append(s.fronts, s.newFront(frontChallenges, ln, wellFormed(challenges)))
	return nil
}
