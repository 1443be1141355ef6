package web

import (
	"bytes"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed unbuilt.html
var unbuilt []byte

// nonceMark stands in the built index where the nonce of a response goes.
const nonceMark = "%CSP-NONCE%"

// Handler serves the pages of a build: its index wherever the dashboard has a
// page, files by their names, 404 for all else. A build without an index gives
// a page that tells how to make one.
type Handler struct {
	known  func(host string) bool
	index  []byte
	assets map[string]asset
}

// New makes a handler of a build. known tells whether a Host header names this
// server: another name could be a foreign page's, rebound to this address.
func New(build fs.FS, known func(host string) bool) (*Handler, error) {
	h := &Handler{known: known}
	index, err := fs.ReadFile(build, indexFile)
	if errors.Is(err, fs.ErrNotExist) {
		h.index = unbuilt
		return h, nil
	}
	if err != nil {
		return nil, fmt.Errorf("dashboard: %w", err)
	}
	if !bytes.Contains(index, []byte(nonceMark)) {
		return nil, errors.New("dashboard: the index has no place for a nonce")
	}
	h.index = index
	if h.assets, err = load(build); err != nil {
		return nil, fmt.Errorf("dashboard: %w", err)
	}
	return h, nil
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	strictHeaders(w.Header())
	switch {
	case !h.known(r.Host):
		http.Error(w, "this server does not go by that host name", http.StatusMisdirectedRequest)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "pages are only read", http.StatusMethodNotAllowed)
	case page(r.URL.Path):
		h.sendIndex(w)
	default:
		h.sendAsset(w, r)
	}
}

// page tells whether the dashboard has its pages there.
func page(path string) bool {
	if path == "/" {
		return true
	}
	first, rest, _ := strings.Cut(path[1:], "/")
	return first == "admin" || first == "projects" || first == "rgw" && rgwPage(rest)
}

// rgwPage tells the pages below /rgw/: the list of users and each of them. What
// lies deeper is the API's alone.
func rgwPage(path string) bool {
	user, below := strings.CutPrefix(path, "users/")
	return path == "users" || below && !strings.Contains(user, "/")
}

// Navigates tells a browser that goes to a page from a program that calls the
// API at the same address: it asks for HTML, and proves by no bearer who it is.
func Navigates(r *http.Request) bool {
	return r.Method == http.MethodGet && page(r.URL.Path) && r.Header.Get("Authorization") == "" &&
		strings.Contains(r.Header.Get("Accept"), "text/html")
}

func strictHeaders(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
}

// sendIndex gives each response its own nonce: the component library writes
// style elements, and only those that know it apply. Scripts come from files.
func (h *Handler) sendIndex(w http.ResponseWriter) {
	nonce := rand.Text()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-"+nonce+"'; "+
		"img-src 'self'; font-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	// The client may be gone; there is nobody else to tell.
	_, _ = w.Write(bytes.ReplaceAll(h.index, []byte(nonceMark), []byte(nonce)))
}

func (h *Handler) sendAsset(w http.ResponseWriter, r *http.Request) {
	a, found := h.assets[r.URL.Path]
	if !found {
		http.Error(w, "there is no such page", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", a.kind)
	w.Header().Set("Cache-Control", "public, max-age=3600")
	if strings.HasPrefix(r.URL.Path, "/"+assetsDir) {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	content := a.plain
	if a.gzipped != nil {
		w.Header().Set("Vary", "Accept-Encoding")
		if takesGzip(r.Header) {
			w.Header().Set("Content-Encoding", "gzip")
			content = a.gzipped
		}
	}
	// The client may be gone; there is nobody else to tell.
	_, _ = w.Write(content)
}

// takesGzip reads Accept-Encoding (RFC 9110, section 12.5.3). Anything but a
// plain or fully weighted gzip counts as a no, which is always safe.
func takesGzip(h http.Header) bool {
	for _, header := range h.Values("Accept-Encoding") {
		for coding := range strings.SplitSeq(header, ",") {
			switch strings.ToLower(strings.ReplaceAll(coding, " ", "")) {
			case "gzip", "gzip;q=1", "gzip;q=1.0":
				return true
			}
		}
	}
	return false
}
