package telemetry

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode"

	"keystile/internal/keystile"
)

const hostile = "a\x1b[2Jb\nlevel=ERROR\r\x00\x7f\u009b31m\u0085ü"

func TestHostileTextIsEscaped(t *testing.T) {
	for _, format := range []string{FormatJSON, FormatText} {
		for name, write := range map[string]func(*slog.Logger){
			"message": func(l *slog.Logger) { l.Info(hostile) },
			"value":   func(l *slog.Logger) { l.Info("x", "key", hostile) },
			"key":     func(l *slog.Logger) { l.Info("x", "group", slog.GroupValue(slog.String("key", hostile))) },
			"with":    func(l *slog.Logger) { l.With("key", hostile).Info("x") },
			"error":   func(l *slog.Logger) { l.Info("x", "error", errors.New(hostile)) },
		} {
			t.Run(format+" "+name, func(t *testing.T) {
				var b bytes.Buffer
				write(slog.New(NewHandler(&b, format, slog.LevelInfo)))
				line, ended := strings.CutSuffix(b.String(), "\n")
				if !ended || strings.ContainsFunc(line, unicode.IsControl) {
					t.Errorf("control characters got through: %q", b.String())
				}
				if !strings.Contains(line, "31m") || !strings.Contains(line, "ü") {
					t.Errorf("text was lost: %q", line)
				}
			})
		}
	}
}

func TestLinesCarryTheRequestID(t *testing.T) {
	var b bytes.Buffer
	log := slog.New(NewHandler(&b, FormatText, slog.LevelInfo)).With("a", 1)
	log.InfoContext(WithRequestID(t.Context(), "r-17"), "with")
	log.InfoContext(t.Context(), "without")
	with, without, _ := strings.Cut(b.String(), "\n")
	if !strings.Contains(with, "request_id=r-17") || strings.Contains(without, "request_id") {
		t.Errorf("lines:\n%s", b.String())
	}
}

func TestLevel(t *testing.T) {
	var b bytes.Buffer
	slog.New(NewHandler(&b, FormatJSON, slog.LevelWarn)).Info("quiet")
	if b.Len() != 0 {
		t.Errorf("wrote %q below its level", b.String())
	}
}

func scrape(t *testing.T, h http.Handler) string {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("status %d", w.Code)
	}
	return w.Body.String()
}

func TestAPIMetricsHaveBoundedLabels(t *testing.T) {
	r := NewRegistry("v1")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/credentials/{id}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("id") == "gone" {
			http.Error(w, "no", http.StatusNotFound)
			return
		}
		_, _ = io.WriteString(w, "ok")
	})
	h := NewHTTP(r).Wrap(mux)
	for _, path := range []string{"/api/credentials/A", "/api/credentials/B", "/api/credentials/gone", "/made/up/1", "/made/up/2"} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
	}
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("BREW", "/api/credentials/A", nil))
	text := scrape(t, Handler(r))
	for _, want := range []string{
		`keystile_build_info{goversion=`, `version="v1"} 1`,
		`keystile_api_requests_total{route="GET /api/credentials/{id}",status="2xx"} 2`,
		`keystile_api_requests_total{route="GET /api/credentials/{id}",status="4xx"} 1`,
		`keystile_api_requests_total{route="none",status="4xx"} 3`,
		`keystile_api_request_seconds_count{route="none"} 3`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	for _, never := range []string{"made/up", "BREW", "gone"} {
		if strings.Contains(text, never) {
			t.Errorf("a client made up a label: %s", never)
		}
	}
}

func TestGatewayMetrics(t *testing.T) {
	r := NewRegistry("v1")
	g := NewGateway(r)
	g.Observe(keystile.Served{Operation: "PutObject", Status: 200, Took: 20 * time.Millisecond, In: 100})
	g.Observe(keystile.Served{Operation: "GetObject", Status: 403, Took: time.Millisecond, In: -1, Out: 50})
	g.Observe(keystile.Served{Operation: "GetObject", Status: 401, AccessKeyID: "AKIANOLABEL"})
	g.Observe(keystile.Served{Operation: "GetObject", Status: 404})
	g.BackendFailed("local")
	inside := ""
	g.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { inside = scrape(t, Handler(r)) })).
		ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	if !strings.Contains(inside, "keystile_s3_requests_in_flight 1") {
		t.Error("a request in flight is not counted")
	}
	text := scrape(t, Handler(r))
	if strings.Contains(text, "AKIANOLABEL") {
		t.Error("an access key is a label")
	}
	for _, want := range []string{
		`keystile_s3_requests_total{operation="PutObject",result="ok"} 1`,
		`keystile_s3_requests_total{operation="GetObject",result="denied"} 2`,
		`keystile_s3_requests_total{operation="GetObject",result="error"} 1`,
		`keystile_s3_request_seconds_count{operation="PutObject"} 1`,
		"keystile_s3_received_bytes_total 100", "keystile_s3_sent_bytes_total 50",
		"keystile_s3_requests_in_flight 0", `keystile_s3_backend_errors_total{backend="local"} 1`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
}
