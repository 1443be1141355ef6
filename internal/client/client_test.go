package client

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"keystile/internal/keystile"
)

func TestURLsThatAreRefused(t *testing.T) {
	for _, url := range []string{
		"", "127.0.0.1:8080", "ftp://host", "http://", "http://host/path", "http://host?x=1", "http://host#f", "http://:8080", "http://user:hush@host",
	} {
		_, err := New(Options{URL: url})
		if !errors.Is(err, keystile.ErrInvalid) || strings.Contains(err.Error(), "hush") {
			t.Errorf("New(%q) = %v, want ErrInvalid without a password", url, err)
		}
	}
	for _, url := range []string{"http://127.0.0.1:8080", "https://keys.example.org", "http://[::1]:8080/"} {
		if _, err := New(Options{URL: url}); err != nil {
			t.Errorf("New(%q) = %v", url, err)
		}
	}
}

func serve(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c, err := New(Options{URL: server.URL, Token: keystile.NewSecret("ks_hush")})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTokenStaysWithItsHost(t *testing.T) {
	asked := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		c := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, status) })
		_, err := c.Server(t.Context())
		var refused *Error
		if !errors.As(err, &refused) || refused.Status != status || asked {
			t.Errorf("%d: %v, followed %v", status, err, asked)
		}
	}
}

func TestHostileAnswers(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"endless": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.CopyN(w, zeros{}, maxAnswerBytes+10)
		},
		"same page for ever": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"items":[],"next_cursor":"again"}`)
		},
		"cut off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"items":[`)
		},
		"not JSON": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := serve(t, answer).Credentials(t.Context(), CredentialFilter{}); err == nil {
				t.Error("no error")
			} else if strings.Contains(err.Error(), "hush") {
				t.Errorf("the token is in the error: %v", err)
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestUnreachable(t *testing.T) {
	c, err := New(Options{URL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Server(t.Context()); !errors.Is(err, keystile.ErrUnavailable) {
		t.Errorf("error %v, want ErrUnavailable", err)
	}
}

func TestPathsAreEscaped(t *testing.T) {
	got := ""
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.URL.EscapedPath()
		_, _ = io.WriteString(w, "{}")
	})
	if _, err := c.Credential(t.Context(), "../accounts?x#y z"); err != nil {
		t.Fatal(err)
	}
	if want := "/api/credentials/..%2Faccounts%3Fx%23y%20z"; got != want {
		t.Errorf("asked for %s, want %s", got, want)
	}
}

// What breaks off is never taken for the whole.
func TestExportThatBreaksOff(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RequestURI() != "/api/audit.csv?bucket=b" || r.Header.Get("Accept") != "text/csv" {
			t.Errorf("asked %s for %s", r.URL.RequestURI(), r.Header.Get("Accept"))
		}
		_, _ = io.WriteString(w, "time,id\n")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	var out strings.Builder
	err := c.ExportEvents(t.Context(), EventFilter{Bucket: "b", Limit: 3}, "csv", &out)
	if err == nil || !strings.Contains(err.Error(), "not whole") || out.String() != "time,id\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
	full := errors.New("the disk is full")
	c = serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "time,id\n") })
	if err := c.ExportEvents(t.Context(), EventFilter{}, "csv", fullDisk{full}); !errors.Is(err, full) {
		t.Errorf("%v, want %v", err, full)
	}
	refused := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"error":{"code":"denied","message":"no"}}`)
	})
	var e *Error
	if err := refused.ExportEvents(t.Context(), EventFilter{}, "csv", &out); !errors.As(err, &e) || e.Code != "denied" {
		t.Errorf("%v", err)
	}
}

type fullDisk struct{ err error }

func (d fullDisk) Write([]byte) (int, error) { return 0, d.err }
