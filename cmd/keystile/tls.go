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

// certInterval is how often certificate files are looked at.
const certInterval = 5 * time.Second

// The listeners' names in logs, metrics and health.
const (
	frontDashboard = "dashboard"
	frontGateway   = "gateway"
)

// openTLS reads the certificates of the listeners that speak TLS and keeps up
// with their files.
func (s *server) openTLS(context.Context) error {
	s.tls = map[string]*certs.Files{}
	metrics := telemetry.NewTLS(s.metrics)
	wanted := map[string]config.TLS{frontDashboard: s.config.Server.TLS}
	if s.config.S3Proxy.Enabled {
		wanted[frontGateway] = s.config.S3Proxy.TLS
	}
	for name, c := range wanted {
		if !c.Enabled() {
			continue
		}
		files, err := certs.Open(certs.Options{
			CertFile: c.CertFile, KeyFile: c.KeyFile, ClientCAFile: c.ClientCAFile,
			RequireClientCert: c.RequireClientCert, OnlyTLS13: c.MinVersion == "1.3",
		})
		if err != nil {
			return err
		}
		s.tls[name] = files
		s.noteCertificate(name, files, metrics)
		s.background(func(ctx context.Context) { s.watchCertificate(ctx, name, files, metrics) })
	}
	return nil
}

func (s *server) watchCertificate(ctx context.Context, name string, files *certs.Files, metrics *telemetry.TLS) {
	files.Watch(ctx, certInterval, func(changed bool, err error) {
		if err != nil {
			s.log.Error("the new certificate files cannot be used: the old ones stay", "listener", name, "error", err)
			metrics.ReloadFailed(name)
		}
		if changed {
			s.log.Info("new certificate files are in use", "listener", name)
		}
		s.noteCertificate(name, files, metrics)
	})
}

func (s *server) noteCertificate(name string, files *certs.Files, metrics *telemetry.TLS) {
	status := files.Status()
	metrics.InUse(name, status.NotAfter, status.Failed == nil)
	if time.Now().After(status.NotAfter) {
		s.log.Warn("the certificate has expired", "listener", name, "not_after", status.NotAfter)
	}
}

// secured makes the listener speak TLS where it is to.
func (s *server) secured(name string, ln net.Listener) net.Listener {
	if files := s.tls[name]; files != nil {
		return certs.Listen(ln, files)
	}
	return ln
}

// tlsHealth tells of the certificates in use, by listener.
func (s *server) tlsHealth() map[string]string {
	told := map[string]string{}
	for name, files := range s.tls {
		switch status := files.Status(); {
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
