package upstream

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"keystile/internal/http1"
	"keystile/internal/keystile"
	"keystile/internal/sigv4"
)

func splitPath(path string) []string { return strings.Split(path, "/") }

func TestSendRefusesBeforeSigning(t *testing.T) {
	copying := http.Header{"x-Amz-Copy-source": {"pics/a"}}
	tests := []struct {
		name   string
		r      Request
		proven bool
		want   error
	}{
		{"reserved name", Request{Bucket: "admin", Key: "user"}, true, ErrBucketName},
		{"reserved name, no key", Request{Bucket: "minio"}, true, ErrBucketName},
		{"dot dot as a bucket", Request{Bucket: "..", Key: "a"}, true, ErrBucketName},
		{"slash in a bucket", Request{Bucket: "pics/a", Key: "a"}, true, ErrBucketName},
		{"query in a bucket", Request{Bucket: "pics?x", Key: "a"}, true, ErrBucketName},
		{"write to the service", Request{Method: http.MethodPut}, true, ErrBucketName},
		{"delete of the service", Request{Method: http.MethodDelete}, true, ErrBucketName},
		{"key without a bucket", Request{Key: "admin/user"}, true, ErrBucketName},
		{"reserved copy source", Request{Bucket: "pics", Key: "a", CopySource: &Object{Bucket: "admin", Key: "b"}}, true, ErrBucketName},
		{"copy source without a bucket", Request{Bucket: "pics", Key: "a", CopySource: &Object{Key: "b"}}, true, ErrBucketName},
		{"copy source as a header", Request{Bucket: "pics", Key: "a", Header: copying}, true, ErrBucketName},
		{"dot dot", Request{Bucket: "pics", Key: "a/../b"}, false, ErrOddKey},
		{"dot", Request{Bucket: "pics", Key: "./b"}, false, ErrOddKey},
		{"double slash", Request{Bucket: "pics", Key: "a//b"}, false, ErrOddKey},
		{"slash first", Request{Bucket: "pics", Key: "/b"}, false, ErrOddKey},
		{"odd copy source", Request{Bucket: "pics", Key: "a", CopySource: &Object{Bucket: "pics", Key: "x/../b"}}, false, ErrOddKey},
		{"odd prefix", Request{Bucket: "pics", Query: url.Values{"prefix": {"a/../"}}}, false, ErrOddKey},
		{"odd second prefix", Request{Bucket: "pics", Query: url.Values{"prefix": {"a/", "b/../"}}}, false, ErrOddKey},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakeS3(t)
			b := f.backend(t, nil)
			if tt.proven {
				prove(b)
			}
			tt.r.Method = cmp.Or(tt.r.Method, http.MethodGet)
			answer, err := b.Send(t.Context(), tt.r)
			if !errors.Is(err, tt.want) || !errors.Is(err, keystile.ErrInvalid) {
				t.Errorf("got %v, %v; want %v", answer, err, tt.want)
			}
			if got := f.seen(); len(got) != 0 {
				t.Errorf("sent %v", got)
			}
		})
	}
}

func TestSendSignsBodyAndHeaders(t *testing.T) {
	f := newFakeS3(t)
	f.buckets["pics"] = map[string]bool{}
	b := f.backend(t, nil)
	body := bytes.Repeat([]byte("x"), 200_000)
	for _, hash := range []string{sigv4.HashHex(body), sigv4.UnsignedPayload} {
		committed := 0
		answer, err := b.Send(t.Context(), Request{
			Method: http.MethodPut, Bucket: "pics", Key: "k", Body: bytes.NewReader(body), ContentLength: int64(len(body)),
			PayloadHash: hash, Header: http.Header{"X-Amz-Meta-Name": {"a  b"}, "Content-Type": {"text/plain"}},
			Commit: func(send func() error) error { committed++; return send() },
		})
		must(t, err)
		drop(answer)
		if answer.Status != 200 || committed != 1 {
			t.Errorf("%s: status %d, committed %d times", hash, answer.Status, committed)
		}
	}
	copied, err := b.Send(t.Context(), Request{Method: http.MethodPut, Bucket: "pics", Key: "k2", CopySource: &Object{Bucket: "pics", Key: "k"}})
	must(t, err)
	drop(copied)
	f.noFaults(t)
	if got := b.Load(); got.Open != 1 {
		t.Errorf("%d connections, want one reused", got.Open)
	}
}

func TestSendKeepsTheTailOfAFailedBody(t *testing.T) {
	f := newFakeS3(t)
	f.buckets["pics"] = map[string]bool{}
	tampered := errors.New("tampered")
	_, err := f.backend(t, nil).Send(t.Context(), Request{
		Method: http.MethodPut, Bucket: "pics", Key: "k", ContentLength: 100_000, PayloadHash: sigv4.UnsignedPayload,
		Body: io.MultiReader(strings.NewReader(strings.Repeat("x", 100_000)), failing{tampered}),
	})
	if !errors.Is(err, tampered) || !errors.Is(err, http1.ErrBody) || errors.Is(err, keystile.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	f.change(func() {
		if f.buckets["pics"]["k"] {
			t.Error("the object was stored")
		}
	})
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestSendClassifiesTrouble(t *testing.T) {
	elsewhere := func(w http.ResponseWriter, status int) {
		w.Header().Set("Location", "http://10.9.8.7/internal")
		w.WriteHeader(status)
	}
	tests := []struct {
		name   string
		answer func(w http.ResponseWriter, r *http.Request)
		want   error
	}{
		{"moved", func(w http.ResponseWriter, _ *http.Request) { elsewhere(w, 301) }, ErrRedirect},
		{"temporary redirect", func(w http.ResponseWriter, _ *http.Request) { elsewhere(w, 307) }, ErrRedirect},
		{"multiple choices", func(w http.ResponseWriter, _ *http.Request) { elsewhere(w, 300) }, ErrRedirect},
		{"slow head", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, ErrTimeout},
		{"garbage", raw("SSH-2.0-OpenSSH_9.2p1 at 10.9.8.7\r\n\r\n"), ErrBadAnswer},
		{"two lengths", raw("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"), ErrBadAnswer},
		{"head without end", raw("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("a", 1<<17)), ErrBadAnswer},
		{"hangs up", raw(""), ErrUnreachable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(tt.answer))
			defer server.Close()
			info := keystile.Backend{ID: "x", Kind: keystile.KindS3, Endpoint: server.URL, Region: testRegion, PathStyle: true}
			b := newBackend(Endpoint{Backend: info}, NewDialer(), nil, time.Now)
			defer b.client.Close()
			_, err := b.Send(t.Context(), Request{Method: http.MethodPut, Bucket: "pics", Key: "k", AnswerTimeout: 200 * time.Millisecond})
			wantTrouble(t, err, tt.want)
		})
	}
}

// wantTrouble checks the kind of a backend's trouble, and that its text holds
// no address.
func wantTrouble(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) || !errors.Is(err, keystile.ErrUnavailable) {
		t.Fatalf("got %v (%s), want %v", err, Detail(err), want)
	}
	for _, leak := range []string{"127.0.0.1", "10.9.8.7", "169.254", "::", "tcp"} {
		if strings.Contains(err.Error(), leak) {
			t.Errorf("%q names an address", err)
		}
	}
}

// raw answers with bytes instead of HTTP, and hangs up.
func raw(text string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(conn, text)
		_ = conn.Close()
	}
}

func TestSendToNobody(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	dead := l.Addr().String()
	must(t, l.Close())
	for _, tt := range []struct {
		endpoint string
		want     error
	}{
		{"http://" + dead, ErrUnreachable},
		{"https://" + dead, ErrUnreachable},
		{"http://169.254.169.254", ErrRefusedAddress},
		{"http://[fd00:ec2::254]", ErrRefusedAddress},
		{"not a URL", ErrUnreachable},
		{"", ErrUnreachable},
	} {
		info := keystile.Backend{ID: "x", Kind: keystile.KindS3, Endpoint: tt.endpoint, Region: testRegion, PathStyle: true}
		_, err := newBackend(Endpoint{Backend: info}, NewDialer(), nil, time.Now).Send(t.Context(), Request{Method: http.MethodGet})
		wantTrouble(t, err, tt.want)
	}
}

func TestSendPassesOnWhatIsNoTrouble(t *testing.T) {
	for _, status := range []int{200, 204, 206, 304, 403, 404, 412, 500, 503} {
		f := newFakeS3(t)
		f.intervene = func(w http.ResponseWriter, _ seen) bool { w.WriteHeader(status); return true }
		answer, err := f.backend(t, nil).Send(t.Context(), Request{Method: http.MethodGet, Bucket: "pics", Key: "k"})
		must(t, err)
		drop(answer)
		if answer.Status != status {
			t.Errorf("status %d became %d", status, answer.Status)
		}
	}
}

func TestSendEndsWithItsContext(t *testing.T) {
	f := newFakeS3(t)
	gone := errors.New("client gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	f.intervene = func(http.ResponseWriter, seen) bool { cancel(gone); time.Sleep(50 * time.Millisecond); return true }
	_, err := f.backend(t, nil).Send(ctx, Request{Method: http.MethodGet})
	if !errors.Is(err, gone) || !errors.Is(err, context.Canceled) || errors.Is(err, keystile.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

func TestTLSEndpoint(t *testing.T) {
	var protocol, name string
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		protocol, name = fmt.Sprint(r.Proto, " ", r.TLS.NegotiatedProtocol), r.TLS.ServerName
	}))
	server.EnableHTTP2 = true
	server.TLS = &tls.Config{NextProtos: []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS12}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	trusted := x509.NewCertPool()
	trusted.AddCert(server.Certificate())
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	dialer := NewDialer()
	dialer.dialer.Resolver = fakeDNS(t, "127.0.0.1")
	send := func(host string, roots *x509.CertPool) error {
		info := keystile.Backend{ID: "x", Kind: keystile.KindS3, Endpoint: "https://" + host + ":" + port, Region: testRegion, PathStyle: true}
		b := newBackend(Endpoint{Backend: info}, dialer, roots, time.Now)
		defer b.client.Close()
		answer, err := b.Send(t.Context(), Request{Method: http.MethodGet})
		if err == nil {
			drop(answer)
		}
		return err
	}
	must(t, send("example.com", trusted)) // the name in httptest's certificate
	if protocol != "HTTP/1.1 http/1.1" || name != "example.com" {
		t.Errorf("spoke %q with %q", protocol, name)
	}
	wantTrouble(t, send("example.com", nil), ErrUnreachable)
	wantTrouble(t, send("other.test", trusted), ErrUnreachable)
}

func TestProofHoldsForItsEndpointAndTime(t *testing.T) {
	now := time.Now()
	info := keystile.Backend{ID: "x", Kind: keystile.KindS3, Endpoint: "http://s3.example.com", Region: testRegion}
	moved := info
	moved.Endpoint = "http://s3.example.org"
	proven := func(v keystile.Verdict, age time.Duration) (a keystile.Abilities) {
		a[keystile.KeepsKeys] = keystile.Finding{Verdict: v, At: now.Add(-age)}
		return a
	}
	yes := proven(keystile.Yes, time.Hour)
	for _, tt := range []struct {
		name  string
		proof keystile.Probe
		want  bool
	}{
		{"in force", keystile.Probe{Fingerprint: fingerprint(info), Abilities: yes}, true},
		{"disproved", keystile.Probe{Fingerprint: fingerprint(info), Abilities: proven(keystile.No, 0)}, false},
		{"unknown", keystile.Probe{Fingerprint: fingerprint(info), Abilities: proven(keystile.Unknown, 0)}, false},
		{"expired", keystile.Probe{Fingerprint: fingerprint(info), Abilities: proven(keystile.Yes, keystile.ProbeTTL)}, false},
		{"from the future", keystile.Probe{Fingerprint: fingerprint(info), Abilities: proven(keystile.Yes, -24*time.Hour)}, false},
		{"of another endpoint", keystile.Probe{Fingerprint: fingerprint(moved), Abilities: yes}, false},
		{"of nothing", keystile.Probe{Abilities: yes}, false},
	} {
		b := newBackend(Endpoint{Backend: info}, NewDialer(), nil, func() time.Time { return now })
		b.adopt(tt.proof)
		shown := b.Health().Abilities[keystile.KeepsKeys].Verdict == keystile.Yes
		if b.KeepsKeys() != tt.want || shown != tt.want {
			t.Errorf("%s: %v, shown as %v, want %v", tt.name, b.KeepsKeys(), shown, tt.want)
		}
	}
}
