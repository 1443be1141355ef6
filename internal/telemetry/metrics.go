package telemetry

import (
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"keystile/internal/keystile"
)

// durationBuckets reach from a cached answer to a slow upload, in seconds.
var durationBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60, 600}

// NewRegistry makes a registry with the Go runtime, the process and the build
// in it.
func NewRegistry(version string) *prometheus.Registry {
	r := prometheus.NewRegistry()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "keystile_build_info",
		Help:        "Always 1; its labels tell the build.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	})
	build.Set(1)
	r.MustRegister(build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// Handler serves the registry's metrics.
func Handler(r *prometheus.Registry) http.Handler {
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{Registry: r})
}

// HTTP counts the requests of the JSON API.
type HTTP struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

// NewHTTP registers the metrics of the API.
func NewHTTP(r prometheus.Registerer) *HTTP {
	h := &HTTP{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "keystile_api_requests_total", Help: "Requests of the API by route and class of status.",
		}, []string{"route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "keystile_api_request_seconds", Help: "Time to answer a request of the API.", Buckets: durationBuckets,
		}, []string{"route"}),
	}
	r.MustRegister(h.requests, h.duration)
	return h
}

// Wrap counts what passes through mux. The route is the pattern that matched,
// so that no client can make up labels.
func (h *HTTP) Wrap(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		_, route := mux.Handler(r)
		if route == "" {
			route = "none"
		}
		status := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			h.requests.WithLabelValues(route, strconv.Itoa(status.status/100)+"xx").Inc()
			h.duration.WithLabelValues(route).Observe(time.Since(begin).Seconds())
		}()
		mux.ServeHTTP(status, r)
	})
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
	wrote  bool
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	if !w.wrote && status >= 200 {
		w.status, w.wrote = status, true
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *statusWriter) Write(b []byte) (int, error) {
	w.wrote = true
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Gateway counts S3 requests. Operations and results are the names of fixed
// tables, backends those that an admin made: labels stay bounded.
type Gateway struct {
	requests      *prometheus.CounterVec
	duration      *prometheus.HistogramVec
	bytesIn       prometheus.Counter
	bytesOut      prometheus.Counter
	inFlight      prometheus.Gauge
	backendErrors *prometheus.CounterVec
	limited       *prometheus.CounterVec
	registry      prometheus.Registerer
}

// NewGateway registers the metrics of the gateway.
func NewGateway(r prometheus.Registerer) *Gateway {
	g := &Gateway{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "keystile_s3_requests_total", Help: "S3 requests by operation and result (ok, denied, error).",
		}, []string{"operation", "result"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "keystile_s3_request_seconds", Help: "Time from an S3 request's head to the end of its answer.", Buckets: durationBuckets,
		}, []string{"operation"}),
		bytesIn:  prometheus.NewCounter(prometheus.CounterOpts{Name: "keystile_s3_received_bytes_total", Help: "Bytes of request bodies read from clients."}),
		bytesOut: prometheus.NewCounter(prometheus.CounterOpts{Name: "keystile_s3_sent_bytes_total", Help: "Bytes of answers' bodies written to clients."}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "keystile_s3_requests_in_flight", Help: "S3 requests being answered now."}),
		backendErrors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "keystile_s3_backend_errors_total", Help: "Requests that a backend did not answer, or not as S3 does.",
		}, []string{"backend"}),
		limited: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "keystile_s3_limited_total", Help: "S3 requests that were refused for a limit, by its name.",
		}, []string{"limit"}),
		registry: r,
	}
	r.MustRegister(g.requests, g.duration, g.bytesIn, g.bytesOut, g.inFlight, g.backendErrors, g.limited)
	return g
}

// WatchBuffered shows how many bytes are held whole.
func (g *Gateway) WatchBuffered(held func() int64) {
	g.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "keystile_s3_buffered_bytes", Help: "Bytes of XML bodies and answers that are held whole now.",
	}, func() float64 { return float64(held()) }))
}

// Wrap counts the requests in flight.
func (g *Gateway) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.inFlight.Inc()
		defer g.inFlight.Dec()
		next.ServeHTTP(w, r)
	})
}

// Observe counts a finished request with the bytes of its bodies.
func (g *Gateway) Observe(s keystile.Served) {
	g.requests.WithLabelValues(s.Operation, result(s.Status)).Inc()
	g.duration.WithLabelValues(s.Operation).Observe(s.Took.Seconds())
	if s.Limit != "" {
		g.limited.WithLabelValues(s.Limit).Inc()
	}
	g.bytesIn.Add(float64(max(s.In, 0)))
	g.bytesOut.Add(float64(max(s.Out, 0)))
}

func result(status int) string {
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return "denied"
	case status >= http.StatusBadRequest:
		return "error"
	}
	return "ok"
}

// BackendFailed counts a request that the backend failed.
func (g *Gateway) BackendFailed(backend string) { g.backendErrors.WithLabelValues(backend).Inc() }

// Audit registers how it stands with the audit journal: the records that are
// durable but not found by queries yet, whether it can be written, and whether the
// space that is kept for a full disk is there.
func Audit(r prometheus.Registerer, lag func() uint64, writable, reserve func() bool, kept func() int64) {
	r.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "keystile_audit_index_lag_records", Help: "Audit records in the journal that queries do not find yet.",
		}, func() float64 { return float64(lag()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "keystile_audit_writable", Help: "Whether the audit journal can be written. While it is 0, changes are refused.",
		}, func() float64 { return truth(writable()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "keystile_disk_reserve_held", Help: "Whether all of the disk space that is kept for revocations is held. While it is 0, other changes are refused.",
		}, func() float64 { return truth(reserve()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "keystile_disk_reserve_bytes", Help: "How much of the disk space that is kept for revocations is held.",
		}, func() float64 { return float64(kept()) }),
	)
}
