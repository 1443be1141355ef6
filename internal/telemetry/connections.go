package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"

	"keystile/internal/ingress"
)

// Connections counts those of the listeners. The labels are the listeners' names
// and the reasons of package ingress.
type Connections struct {
	open    *prometheus.GaugeVec
	refused *prometheus.CounterVec
}

// NewConnections registers the metrics of connections.
func NewConnections(r prometheus.Registerer) *Connections {
	c := &Connections{
		open: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "keystile_connections", Help: "Connections of clients that are open now.",
		}, []string{"listener"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "keystile_connections_refused_total", Help: "Connections that were closed at once, by reason (all, source, proxy_protocol).",
		}, []string{"listener", "reason"}),
	}
	r.MustRegister(c.open, c.refused)
	return c
}

// Of is the observer of one listener.
func (c *Connections) Of(listener string) ingress.Observer {
	l := listenerConnections{c.open.WithLabelValues(listener), map[ingress.Reason]prometheus.Counter{}}
	for _, why := range []ingress.Reason{ingress.TooMany, ingress.TooManySource, ingress.BadHeader} {
		l.refused[why] = c.refused.WithLabelValues(listener, string(why))
	}
	return l
}

type listenerConnections struct {
	open    prometheus.Gauge
	refused map[ingress.Reason]prometheus.Counter
}

var _ ingress.Observer = listenerConnections{}

// Opened implements ingress.Observer.
func (l listenerConnections) Opened() { l.open.Inc() }

// Closed implements ingress.Observer.
func (l listenerConnections) Closed() { l.open.Dec() }

// Refused implements ingress.Observer.
func (l listenerConnections) Refused(why ingress.Reason) { l.refused[why].Inc() }
