package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// TLS tells of the listeners' certificates. The labels are the listeners' names.
type TLS struct {
	notAfter *prometheus.GaugeVec
	current  *prometheus.GaugeVec
	failures *prometheus.CounterVec
	acme     *prometheus.CounterVec
}

// NewTLS registers the metrics of certificates.
func NewTLS(r prometheus.Registerer) *TLS {
	labels := []string{"listener"}
	t := &TLS{
		notAfter: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "keystile_tls_certificate_not_after_seconds", Help: "When the certificate in use expires, as Unix time.",
		}, labels),
		current: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "keystile_tls_certificate_current", Help: "1 if the certificate that should be in use is; 0 if its files cannot be used, or none was issued yet.",
		}, labels),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "keystile_tls_reload_failures_total", Help: "Changes of certificate files that could not be taken over.",
		}, labels),
		acme: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "keystile_tls_acme_failures_total", Help: "Tries to get a certificate from an ACME authority that failed.",
		}, labels),
	}
	r.MustRegister(t.notAfter, t.current, t.failures, t.acme)
	return t
}

// InUse notes the end of the certificate in use, zero for none, and whether it is
// the one that should be.
func (t *TLS) InUse(listener string, notAfter time.Time, current bool) {
	t.failures.WithLabelValues(listener)
	t.acme.WithLabelValues(listener)
	if !notAfter.IsZero() {
		t.notAfter.WithLabelValues(listener).Set(float64(notAfter.Unix()))
	}
	value := 0.0
	if current {
		value = 1
	}
	t.current.WithLabelValues(listener).Set(value)
}

// ReloadFailed counts a change of files that could not be taken over.
func (t *TLS) ReloadFailed(listener string) { t.failures.WithLabelValues(listener).Inc() }

// ACMEFailed counts a try to get a certificate.
func (t *TLS) ACMEFailed(listener string) { t.acme.WithLabelValues(listener).Inc() }
