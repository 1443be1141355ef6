package embedded

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const (
	childArg  = "embedded-backend" // this binary as the child
	parentArg = "parent"           // this binary as a parent that is killed
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case childArg:
			exit(Serve(context.Background(), os.Stdin))
		case parentArg:
			exit(beParent(os.Args[2]))
		}
	}
	os.Exit(m.Run())
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// beParent starts a backend, prints its child's pid and waits to be killed.
func beParent(dataDir string) error {
	p, err := Start(context.Background(), Options{Executable: os.Args[0], Args: []string{childArg}, DataDir: dataDir})
	if err != nil {
		return err
	}
	fmt.Println(p.PID())
	select {}
}

// start runs a backend on dir and stops it when the test ends.
func start(t *testing.T, dir string) *Process {
	t.Helper()
	p, err := Start(t.Context(), options(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return p
}

func options(t *testing.T, dir string) Options {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Options{Executable: exe, Args: []string{childArg}, DataDir: dir, Logger: testLogger(t)}
}

// testLogger logs to the test, and goes quiet when the test has ended.
func testLogger(t *testing.T) *slog.Logger {
	w := &testWriter{t: t}
	t.Cleanup(w.close)
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

type testWriter struct {
	mu     sync.Mutex
	t      *testing.T
	closed bool
}

func (w *testWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.t.Log(strings.TrimSpace(string(p)))
	}
	return len(p), nil
}

func (w *testWriter) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
}

func httpClient(t *testing.T, p *Process) *http.Client {
	t.Helper()
	tr := &http.Transport{
		DialContext:        func(ctx context.Context, _, _ string) (net.Conn, error) { return p.Dial(ctx) },
		DisableCompression: true,
	}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func sdkCredentials(p *Process) aws.Credentials {
	return aws.Credentials{AccessKeyID: p.AccessKeyID(), SecretAccessKey: p.Secret().Reveal()}
}

// client is the AWS SDK talking to the child's socket.
func client(t *testing.T, p *Process) *s3.Client {
	t.Helper()
	return s3.New(s3.Options{
		Region:       p.Region(),
		BaseEndpoint: aws.String("http://embedded"),
		UsePathStyle: true,
		HTTPClient:   httpClient(t, p),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return sdkCredentials(p), nil
		}),
		RetryMaxAttempts: 1,
	})
}

// answer is what came back on a raw request.
type answer struct {
	status int
	header http.Header
	body   string
}

// raw sends one request, signed with the digest named in the header
// x-amz-content-sha256 (else the body's own). The path goes out as it is given.
func raw(t *testing.T, p *Process, method, rawPath string, header http.Header, body []byte) answer {
	t.Helper()
	path, query, _ := strings.Cut(rawPath, "?")
	decoded, err := url.PathUnescape(path)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://embedded/", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.URL.Path, req.URL.RawPath, req.URL.RawQuery = decoded, path, query
	for name, values := range header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	digest := req.Header.Get("X-Amz-Content-Sha256")
	if digest == "" {
		sum := sha256.Sum256(body)
		digest = hex.EncodeToString(sum[:])
		req.Header.Set("X-Amz-Content-Sha256", digest)
	}
	sign(t, p, req, digest)
	resp, err := httpClient(t, p).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(got)}
}

func s3Signer() *v4.Signer {
	return v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
}

func sign(t *testing.T, p *Process, req *http.Request, digest string) {
	t.Helper()
	must(t, s3Signer().SignHTTP(t.Context(), sdkCredentials(p), req, digest, "s3", p.Region(), time.Now()))
}

func presignGet(t *testing.T, p *Process, path string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://embedded"+path+"?X-Amz-Expires=60", http.NoBody)
	must(t, err)
	signed, _, err := s3Signer().PresignHTTP(t.Context(), sdkCredentials(p), req, unsigned, "s3", p.Region(), time.Now())
	must(t, err)
	return signed
}

// syncWriter serialises what the child's output and the supervisor log.
type syncWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *syncWriter) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(p)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
