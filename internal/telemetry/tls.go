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
}

// NewTLS registers the metrics of certificates.
func NewTLS(r prometheus.Registerer) *TLS {
	labels := []string{"listener"}
	t := &TLS{
		notAfter: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "keystile_tls_certificate_not_after_seconds", Help: "When the certificate in use expires, as Unix time.",
		}, labels),
		current: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "keystile_tls_files_in_use", Help: "1 if the certificate files as they are now are in use, 0 if an older state is.",
		}, labels),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "keystile_tls_reload_failures_total", Help: "Changes of certificate files that could not be taken over.",
		}, labels),
	}
	r.MustRegister(t.notAfter, t.current, t.failures)
	return t
}

// InUse notes the certificate in use, and whether the files hold it.
func (t *TLS) InUse(listener string, notAfter time.Time, current bool) {
	t.failures.WithLabelValues(listener)
	t.notAfter.WithLabelValues(listener).Set(float64(notAfter.Unix()))
	value := 0.0
	if current {
		value = 1
	}
	t.current.WithLabelValues(listener).Set(value)
}

// ReloadFailed counts a change of files that could not be taken over.
func (t *TLS) ReloadFailed(listener string) { t.failures.WithLabelValues(listener).Inc() }
