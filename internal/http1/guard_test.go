package http1

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// recorder is the handler behind the guard: it notes what net/http showed it.
type recorder struct {
	mu      sync.Mutex
	served  []string // "METHOD target body"
	refused []error
	faults  []error // from reading bodies
	skip    bool    // leave bodies unread
}

func (h *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := Refused(r); err != nil {
		h.note(func() { h.refused = append(h.refused, err) })
		http.Error(w, "refused", http.StatusBadRequest)
		return
	}
	var body []byte
	if !h.skip {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			if fault := BodyFault(r); fault != nil {
				err = fault
			}
			h.note(func() { h.faults = append(h.faults, err) })
			http.Error(w, "fault", http.StatusBadRequest)
			return
		}
	}
	if len(body) > 64 {
		body = fmt.Appendf(nil, "%d bytes", len(body))
	}
	h.note(func() { h.served = append(h.served, fmt.Sprintf("%s %s %s", r.Method, r.RequestURI, body)) })
	_, _ = io.WriteString(w, "served "+r.RequestURI)
}

func (h *recorder) note(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
}

func (h *recorder) seen() (served []string, refused, faults []error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.served, h.refused, h.faults
}

// serveFunc serves what comes in at ln until the test ends, and returns its
// address.
type serveFunc func(t *testing.T, h http.Handler, ln net.Listener, opts GuardOptions) string

// onEach runs a test on everything that faces clients: net/http behind the
// guard, and the server of this package.
func onEach(t *testing.T, test func(*testing.T, serveFunc)) {
	t.Run("net/http", func(t *testing.T) { test(t, serveGuarded) })
	t.Run("server", func(t *testing.T) { test(t, serveOwn) })
}

const patience = 5 * time.Second

func serveGuarded(t *testing.T, h http.Handler, ln net.Listener, opts GuardOptions) string {
	t.Helper()
	srv := &http.Server{Handler: h, ConnContext: ConnContext, ReadHeaderTimeout: patience, IdleTimeout: patience}
	return serveUntilEnd(t, srv, Guard(ln, opts))
}

func serveOwn(t *testing.T, h http.Handler, ln net.Listener, opts GuardOptions) string {
	t.Helper()
	return serveUntilEnd(t, &Server{Handler: h, HeaderTimeout: patience, IdleTimeout: patience, Guard: opts}, ln)
}

func serveUntilEnd(t *testing.T, srv interface {
	Serve(net.Listener) error
	Close() error
}, ln net.Listener,
) string {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(ln)
	}()
	t.Cleanup(func() {
		_ = srv.Close()
		<-done
	})
	return ln.Addr().String()
}

// shortHeads is what most tests serve with.
var shortHeads = GuardOptions{MaxHeadBytes: 8 << 10}

func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// exchangeRaw writes raw bytes, ends its side and returns all that comes back.
func exchangeRaw(t *testing.T, addr, raw string) string {
	t.Helper()
	c := dial(t, addr)
	go func() {
		_, _ = io.WriteString(c, raw)
		_ = c.CloseWrite()
	}()
	return readAnswers(t, c)
}

// dial connects with a deadline that ends a hanging test.
func dial(t *testing.T, addr string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	return c.(*net.TCPConn)
}

// readAnswers reads until the server closes or resets the connection.
func readAnswers(t *testing.T, c net.Conn) string {
	t.Helper()
	all, err := io.ReadAll(c)
	if isTimeout(err) {
		t.Errorf("server did not close; got %q", all)
	}
	return string(all)
}

// smuggled follows every refused message: it must never be served.
const smuggled = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"

func TestGuardRefusesHeads(t *testing.T) { onEach(t, testGuardRefusesHeads) }

func testGuardRefusesHeads(t *testing.T, serve serveFunc) {
	for _, tt := range []struct {
		name, raw string
		want      error
	}{
		{"length and chunked", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ErrMalformedHead},
		{"chunked and length", "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", ErrMalformedHead},
		{"same length twice", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", ErrMalformedHead},
		{"two lengths", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabc", ErrMalformedHead},
		{"length list", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3, 3\r\n\r\nabc", ErrMalformedHead},
		{"length with plus", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: +3\r\n\r\nabc", ErrMalformedHead},
		{"negative length", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: -3\r\n\r\nabc", ErrMalformedHead},
		{"empty length", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\n", ErrMalformedHead},
		{"hex length", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0x3\r\n\r\nabc", ErrMalformedHead},
		{"length overflows", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 9223372036854775808\r\n\r\n", ErrMalformedHead},
		{"length wraps", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551619\r\n\r\nabc", ErrMalformedHead},
		{"odd coding", "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", ErrMalformedHead},
		{"coding list", "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", ErrMalformedHead},
		{"coding before chunked", "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", ErrMalformedHead},
		{"identity", "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc", ErrMalformedHead},
		{"coding twice", "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ErrMalformedHead},
		{"vertical tab before coding", "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", ErrMalformedHead},
		{"coding in HTTP/1.0", "POST /a HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ErrMalformedHead},
		{"bare LF after request line", "GET /a HTTP/1.1\nHost: h\r\n\r\n", ErrMalformedHead},
		{"bare LF after header", "GET /a HTTP/1.1\r\nHost: h\n\r\n", ErrMalformedHead},
		{"bare LF ends head", "GET /a HTTP/1.1\r\nHost: h\r\n\n", ErrMalformedHead},
		{"bare LF in value", "GET /a HTTP/1.1\r\nHost: h\r\nX: a\nContent-Length: 40\r\n\r\n", ErrMalformedHead},
		{"bare CR in value", "GET /a HTTP/1.1\r\nHost: h\r\nX: a\rContent-Length: 40\r\n\r\n", ErrMalformedHead},
		{"CR CR LF", "GET /a HTTP/1.1\r\nHost: h\r\r\n\r\n", ErrMalformedHead},
		{"folded value", "GET /a HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n", ErrMalformedHead},
		{"folded with tab", "GET /a HTTP/1.1\r\nHost: h\r\nX: a\r\n\tb: c\r\n\r\n", ErrMalformedHead},
		{"folded first header", "GET /a HTTP/1.1\r\n Host: h\r\n\r\n", ErrMalformedHead},
		{"space before colon", "GET /a HTTP/1.1\r\nHost: h\r\nContent-Length : 3\r\n\r\nabc", ErrMalformedHead},
		{"tab before colon", "GET /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n", ErrMalformedHead},
		{"empty name", "GET /a HTTP/1.1\r\nHost: h\r\n: v\r\n\r\n", ErrMalformedHead},
		{"no colon", "GET /a HTTP/1.1\r\nHost: h\r\nnothing\r\n\r\n", ErrMalformedHead},
		{"name outside ASCII", "GET /a HTTP/1.1\r\nHost: h\r\nContent-Length\xff: 3\r\n\r\nabc", ErrMalformedHead},
		{"NUL in value", "GET /a HTTP/1.1\r\nHost: h\r\nX: a\x00b\r\n\r\n", ErrMalformedHead},
		{"DEL in value", "GET /a HTTP/1.1\r\nHost: h\r\nX: a\x7fb\r\n\r\n", ErrMalformedHead},
		{"two hosts", "GET /a HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", ErrMalformedHead},
		{"no host", "GET /a HTTP/1.1\r\nX: h\r\n\r\n", ErrMalformedHead},
		{"empty host", "GET /a HTTP/1.1\r\nHost:\r\n\r\n", ErrMalformedHead},
		{"host with path", "GET /a HTTP/1.1\r\nHost: h/x\r\n\r\n", ErrMalformedHead},
		{"host with user", "GET /a HTTP/1.1\r\nHost: u@h\r\n\r\n", ErrMalformedHead},
		{"host with bad port", "GET /a HTTP/1.1\r\nHost: h:8x\r\n\r\n", ErrMalformedHead},
		{"host with open bracket", "GET /a HTTP/1.1\r\nHost: [::1\r\n\r\n", ErrMalformedHead},
		{"URL of another host", "GET http://other/a HTTP/1.1\r\nHost: h\r\n\r\n", ErrMalformedHead},
		{"URL without host header", "GET http://h/a HTTP/1.0\r\n\r\n", ErrMalformedHead},
		{"URL with user", "GET http://u@h/a HTTP/1.1\r\nHost: h\r\n\r\n", ErrMalformedHead},
		{"URL of another scheme", "GET ftp://h/a HTTP/1.1\r\nHost: h\r\n\r\n", ErrMalformedHead},
		{"asterisk target", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", ErrMalformedHead},
		{"tunnel", "CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", ErrMalformedHead},
		{"tunnel to a path", "CONNECT /a HTTP/1.1\r\nHost: h\r\n\r\n", ErrMalformedHead},
		{"fragment", "GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", ErrMalformedHead},
		{"broken escape", "GET /a%zz HTTP/1.1\r\nHost: h\r\n\r\n", ErrMalformedHead},
		{"short escape", "GET /a%2 HTTP/1.1\r\nHost: h\r\n\r\n", ErrMalformedHead},
		{"control in target", "GET /a\x01 HTTP/1.1\r\nHost: h\r\n\r\n", ErrMalformedHead},
		{"space in target", "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", ErrMalformedHead},
		{"two spaces", "GET  /a HTTP/1.1\r\nHost: h\r\n\r\n", ErrMalformedHead},
		{"space after version", "GET /a HTTP/1.1 \r\nHost: h\r\n\r\n", ErrMalformedHead},
		{"no version", "GET /a\r\nHost: h\r\n\r\n", ErrMalformedHead},
		{"HTTP/1.2", "GET /a HTTP/1.2\r\nHost: h\r\n\r\n", ErrMalformedHead},
		{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ErrMalformedHead},
		{"lower-case version", "GET /a http/1.1\r\nHost: h\r\n\r\n", ErrMalformedHead},
		{"method is no token", "G@T /a HTTP/1.1\r\nHost: h\r\n\r\n", ErrMalformedHead},
		{"empty line first", "\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n", ErrMalformedHead},
		{"TLS greeting", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", ErrMalformedHead},
		{"upgrade", "GET /a HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n", ErrMalformedHead},
		{"connection names a header", "GET /a HTTP/1.1\r\nHost: h\r\nConnection: x-amz-date\r\n\r\n", ErrMalformedHead},
		{"connection names one more", "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close, x-amz-date\r\n\r\n", ErrMalformedHead},
		{"connection names none", "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close,\r\n\r\n", ErrMalformedHead},
		{"trailer", "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n0\r\nX: y\r\n\r\n", ErrMalformedHead},
		{"unknown expectation", "PUT /a HTTP/1.1\r\nHost: h\r\nExpect: 200-ok\r\nContent-Length: 3\r\n\r\nabc", ErrMalformedHead},
		{"forged substitute", "GET /-/refused HTTP/1.1\r\nHost: h\r\nkeystile-refused: 1\r\n\r\n", ErrMalformedHead},
		{"head too large", "GET /a HTTP/1.1\r\nHost: h\r\nX: " + strings.Repeat("x", 9<<10) + "\r\n\r\n", ErrHeadTooLarge},
		{"endless line", "GET /" + strings.Repeat("x", 9<<10), ErrHeadTooLarge},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := &recorder{}
			addr := serve(t, h, listen(t), shortHeads)
			answer := exchangeRaw(t, addr, tt.raw+smuggled)
			served, refused, _ := h.seen()
			if len(served) > 0 {
				t.Errorf("served %q, want nothing", served)
			}
			if len(refused) != 1 || !errors.Is(refused[0], tt.want) {
				t.Errorf("refusals = %v, want one %v", refused, tt.want)
			}
			if !strings.HasPrefix(answer, "HTTP/1.1 400 ") || strings.Count(answer, "HTTP/1.1 ") != 1 {
				t.Errorf("answer = %q, want one 400", answer)
			}
		})
	}
}

func TestGuardRefusesBodies(t *testing.T) { onEach(t, testGuardRefusesBodies) }

func testGuardRefusesBodies(t *testing.T, serve serveFunc) {
	const head = "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
	for _, tt := range []struct{ name, body string }{
		{"no size", "\r\nabc\r\n0\r\n\r\n"},
		{"size is no number", "xyz\r\nabc\r\n0\r\n\r\n"},
		{"garbage after size", "3 \r\nabc\r\n0\r\n\r\n"},
		{"prefix before size", "0x3\r\nabc\r\n0\r\n\r\n"},
		{"signed size", "+3\r\nabc\r\n0\r\n\r\n"},
		{"extension", "3;a=b\r\nabc\r\n0\r\n\r\n"},
		{"extension on the last chunk", "3\r\nabc\r\n0;a\r\n\r\n"},
		{"size overflows", "8000000000000000\r\nabc\r\n0\r\n\r\n"},
		{"size wraps", "10000000000000003\r\nabc\r\n0\r\n\r\n"},
		{"endless size line", strings.Repeat("0", 1000) + "3\r\nabc\r\n0\r\n\r\n"},
		{"bare LF after size", "3\nabc\r\n0\r\n\r\n"},
		{"bare CR after size", "3\rabc\r\n0\r\n\r\n"},
		{"no CRLF after data", "3\r\nabc0\r\n\r\n"},
		{"bare LF after data", "3\r\nabc\n0\r\n\r\n"},
		{"longer data", "3\r\nabcd\r\n0\r\n\r\n"},
		{"bare LF after last chunk", "3\r\nabc\r\n0\n\r\n"},
		{"bare LF ends body", "3\r\nabc\r\n0\r\n\n"},
		{"trailer field", "3\r\nabc\r\n0\r\nX: y\r\n\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := &recorder{}
			addr := serve(t, h, listen(t), shortHeads)
			exchangeRaw(t, addr, head+tt.body+smuggled)
			served, refused, faults := h.seen()
			if len(served) > 0 || len(refused) > 0 {
				t.Errorf("served %q, refused %v, want nothing", served, refused)
			}
			if len(faults) != 1 || !errors.Is(faults[0], ErrFraming) {
				t.Errorf("body errors = %v, want one %v", faults, ErrFraming)
			}
		})
	}
}

func TestGuardPasses(t *testing.T) { onEach(t, testGuardPasses) }

func testGuardPasses(t *testing.T, serve serveFunc) {
	for _, tt := range []struct {
		name, raw string
		want      []string
	}{
		{"plain", "GET /a HTTP/1.1\r\nHost: h\r\n\r\n", []string{"GET /a "}},
		{"length", "PUT /a HTTP/1.1\r\nHost: h\r\ncontent-length:3\r\n\r\nabc", []string{"PUT /a abc"}},
		{"length zero", "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", []string{"PUT /a "}},
		{"chunked", "PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n00A\r\n0123456789\r\n0\r\n\r\n", []string{"PUT /a abc0123456789"}},
		{"empty chunked", "PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", []string{"PUT /a "}},
		{"pipelined", "GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n", []string{"GET /a ", "GET /b "}},
		{"pipelined after length", "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\nHost: h\r\n\r\n", []string{"PUT /a abc", "GET /b "}},
		{"pipelined after chunks", "PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nPUT /b HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nxyGET /c HTTP/1.1\r\nHost: h\r\n\r\n", []string{"PUT /a abc", "PUT /b xy", "GET /c "}},
		{"URL target", "GET http://h:80/a?b HTTP/1.1\r\nHost: h:80\r\n\r\n", []string{"GET http://h:80/a?b "}},
		{"IPv6 host", "GET /a HTTP/1.1\r\nHost: [::1]:8090\r\n\r\n", []string{"GET /a "}},
		{"two slashes", "GET //h/a HTTP/1.1\r\nHost: h\r\n\r\n", []string{"GET //h/a "}},
		{"loose escape in query", "GET /a?b=100% HTTP/1.1\r\nHost: h\r\n\r\n", []string{"GET /a?b=100% "}},
		{"HTTP/1.0", "GET /a HTTP/1.0\r\n\r\n", []string{"GET /a "}},
		{"HTTP/1.0 with length", "PUT /a HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc", []string{"PUT /a abc"}},
		{"connection options", "GET /a HTTP/1.1\r\nHost: h\r\nConnection: Keep-Alive, close\r\n\r\n", []string{"GET /a "}},
		{"value outside ASCII", "GET /a HTTP/1.1\r\nHost: h\r\nx-amz-meta-a: \xc3\xbc\t1\r\n\r\n", []string{"GET /a "}},
		{"path of refusals", "GET /-/refused HTTP/1.1\r\nHost: h\r\n\r\n", []string{"GET /-/refused "}},
		{"long body", "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n" + strings.Repeat("x", 300000), []string{"PUT /a 300000 bytes"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := &recorder{}
			addr := serve(t, h, listen(t), shortHeads)
			answer := exchangeRaw(t, addr, tt.raw)
			served, refused, faults := h.seen()
			if fmt.Sprint(served) != fmt.Sprint(tt.want) || len(refused)+len(faults) > 0 {
				t.Errorf("served %q, want %q; refused %v, faults %v", served, tt.want, refused, faults)
			}
			if n := strings.Count(answer, "HTTP/1."); n != len(tt.want) {
				t.Errorf("%d answers, want %d: %q", n, len(tt.want), answer)
			}
		})
	}
}

func TestGuardServesWhatCameBeforeARefusal(t *testing.T) {
	onEach(t, testGuardServesWhatCameBeforeARefusal)
}

func testGuardServesWhatCameBeforeARefusal(t *testing.T, serve serveFunc) {
	h := &recorder{}
	addr := serve(t, h, listen(t), shortHeads)
	answer := exchangeRaw(t, addr, "GET /-/refused HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\n\r\n"+smuggled)
	served, refused, _ := h.seen()
	if len(served) != 1 || len(refused) != 1 {
		t.Fatalf("served %q, refused %v, want one of each", served, refused)
	}
	first, second := strings.Index(answer, "HTTP/1.1 200"), strings.Index(answer, "HTTP/1.1 400")
	if first != 0 || second < 0 {
		t.Errorf("answers = %q, want a 200 and then a 400", answer)
	}
}

func TestGuardDoesNotServeAnUnreadBody(t *testing.T) { onEach(t, testGuardDoesNotServeAnUnreadBody) }

func testGuardDoesNotServeAnUnreadBody(t *testing.T, serve serveFunc) {
	for _, size := range []int{len(smuggled), 1 << 20} {
		h := &recorder{skip: true}
		addr := serve(t, h, listen(t), shortHeads)
		body := strings.Repeat("x", size-len(smuggled)) + smuggled
		exchangeRaw(t, addr, fmt.Sprintf("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", size, body))
		if served, _, _ := h.seen(); len(served) != 1 {
			t.Errorf("body of %d bytes: served %q, want the PUT alone", size, served)
		}
	}
}

func TestGuardLetsContinueThrough(t *testing.T) { onEach(t, testGuardLetsContinueThrough) }

func testGuardLetsContinueThrough(t *testing.T, serve serveFunc) {
	h := &recorder{}
	addr := serve(t, h, listen(t), shortHeads)
	c := dial(t, addr)
	_, _ = io.WriteString(c, "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-Continue\r\n\r\n")
	in := bufio.NewReader(c)
	line, err := in.ReadString('\n')
	if err != nil || line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("interim answer = %q, %v", line, err)
	}
	_, _ = in.ReadString('\n')
	_, _ = io.WriteString(c, "abc")
	resp, err := http.ReadResponse(in, nil)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("answer = %v, %v", resp, err)
	}
	_ = resp.Body.Close()
	if served, _, _ := h.seen(); len(served) != 1 || served[0] != "PUT /a abc" {
		t.Errorf("served %q", served)
	}
}

// A refused client that is still sending must get to read the answer.
func TestGuardAnswerSurvivesAnUpload(t *testing.T) { onEach(t, testGuardAnswerSurvivesAnUpload) }

func testGuardAnswerSurvivesAnUpload(t *testing.T, serve serveFunc) {
	h := &recorder{}
	addr := serve(t, h, listen(t), shortHeads)
	for range 20 {
		answer := exchangeRaw(t, addr, "PUT /a HTTP/1.1\r\nHost: h\r\nHost: h\r\nContent-Length: 200000\r\n\r\n"+strings.Repeat("x", 200000))
		if !strings.HasPrefix(answer, "HTTP/1.1 400 ") {
			t.Fatalf("answer = %q, want a 400", answer)
		}
	}
}

// The context of the handler that answers a refusal must live while it does.
func TestGuardRefusalKeepsItsContext(t *testing.T) { onEach(t, testGuardRefusalKeepsItsContext) }

func testGuardRefusalKeepsItsContext(t *testing.T, serve serveFunc) {
	ended := make(chan error, 1)
	addr := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(50 * time.Millisecond)
		ended <- r.Context().Err()
	}), listen(t), shortHeads)
	c := dial(t, addr)
	_, _ = io.WriteString(c, "GET /a HTTP/1.1\r\n\r\n")
	readAnswers(t, c)
	if err := <-ended; err != nil {
		t.Errorf("context ended while the refusal was answered: %v", err)
	}
}

func TestGuardKeepsWhatTheTransportCan(t *testing.T) {
	ln := listen(t)
	guarded := Guard(ln, GuardOptions{})
	defer func() { _ = guarded.Close() }()
	go func() {
		if c, err := net.Dial("tcp", ln.Addr().String()); err == nil {
			_ = c.Close()
		}
	}()
	c, err := guarded.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, ok := c.(io.ReaderFrom); !ok {
		t.Error("a TCP connection lost ReadFrom")
	}
	if _, ok := c.(interface{ CloseWrite() error }); !ok {
		t.Error("a TCP connection lost CloseWrite")
	}
	if _, ok := c.(interface{ ConnectionState() tls.ConnectionState }); ok {
		t.Error("a TCP connection claims a TLS state")
	}
}

func TestGuardOnTLS(t *testing.T) { onEach(t, testGuardOnTLS) }

func testGuardOnTLS(t *testing.T, serve serveFunc) {
	backend := httptest.NewUnstartedServer(nil)
	backend.StartTLS()
	defer backend.Close()
	cfg := &tls.Config{Certificates: backend.TLS.Certificates}

	states := make(chan *tls.ConnectionState, 1)
	ln := listen(t)
	addr := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		states <- r.TLS
		_, _ = io.Copy(w, r.Body)
	}), tls.NewListener(ln, cfg), shortHeads)

	resp, err := backend.Client().Post("https://"+addr+"/a", "", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(resp.Body)
	if string(body) != "hello" {
		t.Errorf("body = %q", body)
	}
	if st := <-states; st == nil || !st.HandshakeComplete {
		t.Errorf("Request.TLS = %+v, want a finished handshake", st)
	}

	// Plain HTTP on the TLS port must fail, not hang.
	c := dial(t, addr)
	_, _ = io.WriteString(c, smuggled)
	if got, err := io.ReadAll(c); isTimeout(err) || bytes.Contains(got, []byte("200")) {
		t.Errorf("plain HTTP on TLS: %q, %v", got, err)
	}
}

func TestRefusedWithoutGuard(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, RefusedPath, nil)
	r.Header.Set(refusedField, "1")
	if err := Refused(r); err != nil {
		t.Errorf("Refused = %v, want nil", err)
	}
}
