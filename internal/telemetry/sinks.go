package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"

	"keystile/internal/keystile"
)

// NewSinks registers the gauges of the sinks of the audit journal. Their label is
// the sink's name, which only the configuration gives.
func NewSinks(r prometheus.Registerer, status func() []keystile.AuditSink) {
	r.MustRegister(sinkGauges{status})
}

type sinkGauges struct{ status func() []keystile.AuditSink }

var (
	sinkLag = prometheus.NewDesc("keystile_audit_sink_lag_records",
		"Durable audit records that the sink has not got.", []string{"sink"}, nil)
	sinkUp = prometheus.NewDesc("keystile_audit_sink_up",
		"1: the sink takes what it is sent; 0: it fails, and is tried again.", []string{"sink"}, nil)
	sinkPosition = prometheus.NewDesc("keystile_audit_sink_position_record",
		"Number of the last audit record that the sink took.", []string{"sink"}, nil)
)

// Describe implements prometheus.Collector.
func (sinkGauges) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{sinkLag, sinkUp, sinkPosition} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (g sinkGauges) Collect(ch chan<- prometheus.Metric) {
	for _, s := range g.status() {
		gauge := func(d *prometheus.Desc, value float64) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, s.Name)
		}
		gauge(sinkUp, truth(s.Failing == ""))
		if s.Records {
			gauge(sinkLag, float64(s.Lag))
			gauge(sinkPosition, float64(s.Position))
		}
	}
}
