package main

import (
	"context"
	"net"
	"net/http"
	"time"

	"keystile/internal/certs"
	"keystile/internal/config"
	"keystile/internal/telemetry"
)

// certInterval is how often certificates are looked at.
const certInterval = 5 * time.Second

// The listeners' names in logs, metrics and health.
const (
	frontDashboard  = "dashboard"
	frontGateway    = "gateway"
	frontChallenges = "acme"
)

// listenerTLS is the TLS of one listener.
type listenerTLS struct {
	files *certs.Files
	acme  *certs.ACME // nil where the certificate comes from files
}

// openTLS reads the certificates of the listeners that speak TLS, or prepares to
// get them.
func (s *server) openTLS(context.Context) error {
	s.tls = map[string]*listenerTLS{}
	metrics := telemetry.NewTLS(s.metrics)
	for _, l := range []struct {
		name   string
		socket net.Listener
		config config.TLS
	}{
		{frontDashboard, s.sockets.dashboard, s.config.Server.TLS},
		{frontGateway, s.sockets.gateway, s.config.S3Proxy.TLS},
	} {
		if l.socket == nil || !l.config.Enabled() {
			continue
		}
		t, err := s.newTLS(l.name, l.socket, l.config, metrics)
		if err != nil {
			return err
		}
		s.tls[l.name] = t
		s.background(func(ctx context.Context) { s.watchCertificate(ctx, l.name, t, metrics) })
	}
	return nil
}

func (s *server) newTLS(name string, socket net.Listener, c config.TLS, metrics *telemetry.TLS) (*listenerTLS, error) {
	options := certs.Options{
		CertFile: c.CertFile, KeyFile: c.KeyFile, ClientCAFile: c.ClientCAFile,
		RequireClientCert: c.RequireClientCert, OnlyTLS13: c.MinVersion == "1.3",
	}
	t := &listenerTLS{}
	var err error
	if len(c.ACMEDomains) > 0 {
		if t.acme, err = s.newACME(name, socket, c, metrics); err != nil {
			return nil, err
		}
		options.Certificate = t.acme.Certificate
		if !c.RequireClientCert {
			options.Protocols = []string{certs.ALPNProtocol}
		}
	}
	t.files, err = certs.Open(options)
	return t, err
}

// watchCertificate keeps up with files, and with what the authority issued.
func (s *server) watchCertificate(ctx context.Context, name string, t *listenerTLS, metrics *telemetry.TLS) {
	tick := time.NewTicker(certInterval)
	defer tick.Stop()
	for {
		status := t.status()
		metrics.InUse(name, status.NotAfter, status.Failed == nil && !status.NotAfter.IsZero())
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		changed, err := t.files.Reload()
		if err != nil {
			s.log.Error("the new certificate files cannot be used: the old ones stay", "listener", name, "error", err)
			metrics.ReloadFailed(name)
		}
		if changed {
			s.log.Info("new certificate files are in use", "listener", name)
		}
	}
}

func (t *listenerTLS) status() certs.Status {
	status := t.files.Status()
	if t.acme != nil {
		status.NotAfter = t.acme.NotAfter()
	}
	return status
}

// secured makes the listener speak TLS where it is to.
func (s *server) secured(name string, ln net.Listener) net.Listener {
	if t := s.tls[name]; t != nil {
		return certs.Listen(ln, t.files)
	}
	return ln
}

// tlsHealth tells of the certificates in use, by listener.
func (s *server) tlsHealth() map[string]string {
	told := map[string]string{}
	for name, t := range s.tls {
		switch status := t.status(); {
		case status.NotAfter.IsZero():
			told[name] = "not issued yet"
		case time.Now().After(status.NotAfter):
			told[name] = "expired"
		case status.Failed != nil:
			told[name] = "the files cannot be used, an older certificate is in use"
		default:
			told[name] = "in use"
		}
	}
	return told
}

// hstsValue makes browsers that saw the dashboard over TLS ask for it only so
// (RFC 6797), for a year.
const hstsValue = "max-age=31536000"

// withHSTS speaks for the dashboard where people reach it by https.
func (s *server) withHSTS(next http.Handler) http.Handler {
	if s.dashboardURL().Scheme != "https" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Strict-Transport-Security", hstsValue)
		next.ServeHTTP(w, r)
	})
}
