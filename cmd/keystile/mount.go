package main

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"keystile/internal/api"
	"keystile/internal/audit"
	"keystile/internal/clientip"
	"keystile/internal/keystile"
	"keystile/internal/s3proxy"
	"keystile/internal/telemetry"
	"keystile/internal/traffic"
	"keystile/internal/web"
)

// mount puts the handlers before the sockets.
func (s *server) mount(context.Context) error {
	dashboard, err := s.dashboardHandler()
	if err != nil {
		return err
	}
	s.fronts = append(s.fronts, s.newFront(frontDashboard, s.sockets.dashboard, dashboard))
	if s.sockets.gateway != nil {
		s.fronts = append(s.fronts, s.gatewayFront())
	}
	return nil
}

func (s *server) dashboardHandler() (http.Handler, error) {
	options := api.Options{
		Control:   s.control,
		Log:       s.log,
		ClientIP:  clientip.Resolver{Trusted: s.config.Server.TrustedProxies},
		PublicURL: s.dashboardURL(),
		Listen:    s.sockets.dashboard.Addr().String(),
		TLS:       s.config.Server.TLS.Enabled(),
		Journal:   func() string { return string(s.trail.State()) },
		Server: api.Server{
			Version:          version(),
			S3Endpoint:       s.s3URL(),
			DashboardURL:     s.dashboardURL().String(),
			Region:           s.config.S3Proxy.Region,
			AnonymousEnabled: s.config.S3Proxy.AnonymousEnabled,
		},
	}
	apiHandler, err := api.New(options)
	if err != nil {
		return nil, err
	}
	build, err := web.Built()
	if err != nil {
		return nil, err
	}
	pages, err := web.New(build, options.KnownHosts())
	if err != nil {
		return nil, err
	}
	telemetry.NewBackends(s.metrics, s.backends)
	mux := http.NewServeMux()
	mux.Handle("/api/", apiHandler)
	mux.Handle("/rgw/", pagesOr(pages, apiHandler))
	mux.Handle("GET /metrics", telemetry.Handler(s.metrics))
	mux.HandleFunc("GET /healthz", healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.Handle("/", pages)
	return wellFormed(s.withHSTS(telemetry.NewHTTP(s.metrics).Wrap(mux))), nil
}

// pagesOr gives browsers the pages, and programs the API, where both have the
// same addresses.
func pagesOr(pages, api http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if web.Navigates(r) {
			pages.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	})
}

func (s *server) gatewayHandler() http.Handler {
	metrics := telemetry.NewGateway(s.metrics)
	telemetry.Audit(s.metrics, s.trail.Lag, func() bool { return s.trail.State() == audit.Recording }, s.room.Held, s.room.Kept)
	limits := s.config.S3Proxy.Limits
	gateway := s3proxy.New(s3proxy.Options{
		Keys:             s.keys,
		Backends:         s.backends,
		Trail:            s.trail.Recorder,
		Clients:          clientip.Resolver{Trusted: s.config.S3Proxy.TrustedProxies},
		Observer:         observers{metrics, s.traffic},
		RGW:              s.control.RGWUsers,
		CORS:             s.backends,
		Quotas:           s.quotas,
		Uploads:          s.uploads,
		Log:              s.log,
		Now:              time.Now,
		Region:           s.config.S3Proxy.Region,
		PublicURL:        s.s3URL(),
		HostSuffixes:     s.config.S3Proxy.HostSuffixes,
		TokenKey:         s.tokenKey,
		AnonymousEnabled: s.config.S3Proxy.AnonymousEnabled,
		AnonymousRate:    s.config.S3Proxy.AnonymousRatePerSecond,
		AnonymousTotal:   s.config.S3Proxy.AnonymousTotalPerSecond,
		ReadRate:         s.sampling.Rate,
		Limits: s3proxy.Limits{
			RequestsPerSecond: limits.RequestsPerSecond, RequestsPerSecondPerKey: limits.RequestsPerSecondPerKey,
			InFlight: limits.MaxInFlight, InFlightPerKey: limits.MaxInFlightPerKey, BufferedBytes: int64(limits.MaxBufferedBytes),
		},
	})
	metrics.WatchBuffered(gateway.Buffered)
	return metrics.Wrap(gateway)
}

// observers are all who count S3 requests.
type observers struct {
	*telemetry.Gateway
	traffic *traffic.Keeper
}

var _ s3proxy.Observer = observers{}

// Observe implements s3proxy.Observer.
func (o observers) Observe(s keystile.Served) {
	o.Gateway.Observe(s)
	o.traffic.Observe(s)
}

// healthz tells that the process answers.
func healthz(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]string{"status": "ok"})
}

// readiness is the body of /readyz.
type readiness struct {
	Status   string            `json:"status"`
	Backends map[string]string `json:"backends"`
	TLS      map[string]string `json:"tls"` // by listener, where it speaks TLS
	// Audit tells whether the journal can be written: "recording", "full" or
	// "failing".
	Audit audit.State `json:"audit"`
	// AuditSinks tells of each whether it is up to date, behind or failing.
	AuditSinks map[string]string `json:"audit_sinks"`
}

// readyTimeout bounds the look into the store.
const readyTimeout = 2 * time.Second

// readyz tells whether requests can be answered: the store reads and the
// gateway holds its snapshot. Backends, certificates and the journal are told of,
// but do not count: reads go on without them.
func (s *server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	body, status := readiness{"ready", map[string]string{}, s.tlsHealth(), s.trail.State(), s.sinkHealth()}, http.StatusOK
	if err := s.ready(ctx); err != nil {
		s.log.Warn("not ready", "error", err)
		body.Status, status = "not ready", http.StatusServiceUnavailable
	}
	for id, h := range s.backends.Health() {
		switch {
		case h.Circuit == keystile.CircuitOpen:
			body.Backends[id] = "cut off"
		case h.Healthy:
			body.Backends[id] = "healthy"
		case h.CheckedAt.IsZero():
			body.Backends[id] = "not checked yet"
		default:
			body.Backends[id] = "unhealthy"
		}
	}
	answer(w, status, body)
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may be gone
}
