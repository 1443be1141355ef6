package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"

	"keystile/internal/keystile"
)

// Backends tells how every backend is, when the metrics are read.
type Backends interface {
	Health() map[string]keystile.Health
	Loads() map[string]keystile.BackendLoad
}

// NewBackends registers the gauges of backends. Their label is the backend's id,
// which admins alone give.
func NewBackends(r prometheus.Registerer, b Backends) { r.MustRegister(backendGauges{b}) }

type backendGauges struct{ backends Backends }

var (
	backendHealthy = prometheus.NewDesc("keystile_backend_healthy",
		"1: the backend passed its last health check and requests reach it; 0 otherwise.", []string{"backend"}, nil)
	backendCutOff = prometheus.NewDesc("keystile_backend_circuit_open",
		"1: the backend failed too often, and requests to it are refused until it answers a probe.", []string{"backend"}, nil)
	backendConnections = prometheus.NewDesc("keystile_backend_connections",
		"Connections to the backend.", []string{"backend", "state"}, nil)
	backendWaiting = prometheus.NewDesc("keystile_backend_waiting_requests",
		"Requests that wait for a connection to the backend.", []string{"backend"}, nil)
)

// Describe implements prometheus.Collector.
func (backendGauges) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{backendHealthy, backendCutOff, backendConnections, backendWaiting} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (g backendGauges) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	for id, h := range g.backends.Health() {
		gauge(backendHealthy, truth(h.Healthy), id)
		gauge(backendCutOff, truth(h.Circuit == keystile.CircuitOpen), id)
	}
	for id, l := range g.backends.Loads() {
		gauge(backendConnections, float64(l.Open-l.Idle), id, "in_use")
		gauge(backendConnections, float64(l.Idle), id, "idle")
		gauge(backendWaiting, float64(l.Waiting), id)
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
