package e2e_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keystile/internal/certs/certtest"
)

// secure is a quickstart whose two listeners speak TLS.
type secure struct {
	*server
	ca  *certtest.CA
	dir string // of cert.pem and key.pem
}

func startSecure(t *testing.T) secure {
	t.Helper()
	ca, dir := certtest.NewCA(t), t.TempDir()
	cert, key := ca.Issue(time.Hour, "localhost").Write(t, dir)
	s := start(t, filepath.Join(t.TempDir(), "data"), "",
		"KEYSTILE_SERVER_TLS_CERT_FILE="+cert, "KEYSTILE_SERVER_TLS_KEY_FILE="+key,
		"KEYSTILE_S3_PROXY_TLS_CERT_FILE="+cert, "KEYSTILE_S3_PROXY_TLS_KEY_FILE="+key)
	bundle := certtest.File(t, dir, "bundle.pem", ca.PEM)
	s.clients = []string{"AWS_CA_BUNDLE=" + bundle, "SSL_CERT_FILE=" + bundle}
	return secure{s, ca, dir}
}

// client trusts the test's authority alone.
func (s secure) client() *http.Client {
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: s.ca.Pool()}, DisableKeepAlives: true, ForceAttemptHTTP2: true,
	}}
}

func (s secure) get(t *testing.T, address string) (*http.Response, string) {
	t.Helper()
	res, err := s.client().Get(address)
	must(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	must(t, err)
	return res, string(body)
}

func TestOverTLS(t *testing.T) {
	s := startSecure(t)
	for _, address := range []string{s.DashboardURL, s.S3Endpoint} {
		if !strings.HasPrefix(address, "https://") {
			t.Errorf("%s is no https URL", address)
		}
	}
	c := s.mint("uploads:read,write,list")

	// 64 MiB: aws-cli frames it with a trailer and names no length, as it does
	// over TLS only.
	dir := t.TempDir()
	up, down := filepath.Join(dir, "up"), filepath.Join(dir, "down")
	file, err := os.Create(up)
	must(t, err)
	_, err = io.Copy(file, &pattern{size: 64 << 20})
	must(t, err)
	must(t, file.Close())
	for _, upload := range [][]string{
		{"s3api", "put-object", "--bucket", "uploads", "--key", "big", "--body", up},
		{"s3", "cp", up, "s3://uploads/big"}, // in parts
	} {
		s.aws(c, upload...).want(t, 0, "")
		s.aws(c, "s3", "cp", "s3://uploads/big", down).want(t, 0, "")
		got, err := os.Open(down)
		must(t, err)
		if digest(got) != digest(&pattern{size: 64 << 20}) {
			t.Errorf("64 MiB, sent with %s, came back as other bytes", upload[1])
		}
		must(t, got.Close())
	}
	// The checksum in the parts' trailers went all the way.
	s.aws(c, "s3api", "head-object", "--bucket", "uploads", "--key", "big", "--checksum-mode", "ENABLED").want(t, 0, "Checksum")
	s.aws(c, "s3", "cp", up, "s3://reports/big").want(t, refused, "AccessDenied")

	stranger := *s.server
	stranger.clients = nil
	stranger.aws(c, "s3", "ls", "s3://uploads").want(t, refused, "SSL")
}

func TestTLSOfTheListeners(t *testing.T) {
	s := startSecure(t)
	res, body := s.get(t, s.DashboardURL+"/readyz")
	if res.Header.Get("Strict-Transport-Security") == "" || !strings.Contains(body, `"tls":{"dashboard":"in use","gateway":"in use"}`) {
		t.Errorf("readyz: %v %s", res.Header, body)
	}
	for _, address := range []string{s.DashboardURL + "/healthz", s.S3Endpoint + "/-/healthz"} {
		if res, _ := s.get(t, address); res.StatusCode != http.StatusOK || res.Proto != "HTTP/1.1" || res.TLS.Version != tls.VersionTLS13 {
			t.Errorf("%s: %d by %s over TLS %x", address, res.StatusCode, res.Proto, res.TLS.Version)
		}
		res, err := http.Get(strings.Replace(address, "https:", "http:", 1))
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				t.Errorf("%s answers in clear", address)
			}
		}
	}
}

// The strict parser stands behind TLS as it does without.
func TestFramingOverTLS(t *testing.T) {
	s := startSecure(t)
	u, err := url.Parse(s.S3Endpoint)
	must(t, err)
	for framing, want := range map[string]string{
		"": "HTTP/1.1 403 Forbidden",
		"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n": "HTTP/1.1 400 Bad Request",
		"Content-Length: 0\r\nContent-Length: 0\r\n":          "HTTP/1.1 400 Bad Request",
	} {
		c, err := tls.Dial("tcp", u.Host, &tls.Config{RootCAs: s.ca.Pool(), NextProtos: []string{"http/1.1"}})
		must(t, err)
		must(t, c.SetDeadline(time.Now().Add(10*time.Second)))
		_, err = io.WriteString(c, "GET /uploads/a HTTP/1.1\r\nHost: "+u.Host+"\r\nConnection: close\r\n"+framing+"\r\n")
		must(t, err)
		answer, _ := io.ReadAll(c)
		_ = c.Close()
		if !strings.HasPrefix(string(answer), want) {
			t.Errorf("%q got %.60q, want %s", framing, answer, want)
		}
	}
}

// New files are taken over without a restart; broken ones change nothing.
func TestCertificatesAreReloaded(t *testing.T) {
	s := startSecure(t)
	serial := func() string {
		res, _ := s.get(t, s.S3Endpoint+"/-/healthz")
		return res.TLS.PeerCertificates[0].SerialNumber.String()
	}
	first := serial()
	certtest.File(t, s.dir, "cert.pem", []byte("nonsense"))
	await(t, "the broken files to be told of", func() bool {
		_, metrics := s.get(t, s.DashboardURL+"/metrics")
		return strings.Contains(metrics, `keystile_tls_certificate_current{listener="gateway"} 0`) &&
			strings.Contains(metrics, `keystile_tls_reload_failures_total{listener="dashboard"} 1`)
	})
	if got := serial(); got != first {
		t.Error("the certificate changed with broken files")
	}
	next := s.ca.Issue(30*time.Minute, "localhost")
	next.Write(t, s.dir)
	leaf, err := x509.ParseCertificate(next.TLS(t).Certificate[0])
	must(t, err)
	await(t, "the new certificate", func() bool { return serial() == leaf.SerialNumber.String() })
	if _, body := s.get(t, s.DashboardURL+"/readyz"); !strings.Contains(body, `"gateway":"in use"`) {
		t.Errorf("readyz: %s", body)
	}
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("waited too long for %s", what)
}

// Both listeners get certificates from an ACME authority without a file.
func TestACME(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	port := free.Addr().(*net.TCPAddr).Port
	must(t, free.Close())
	authority := certtest.NewAuthority(t, port, 1)
	dir := t.TempDir()
	s := start(t, filepath.Join(dir, "data"), "",
		"KEYSTILE_SERVER_TLS_ACME_DOMAINS=keys.test", "KEYSTILE_S3_PROXY_TLS_ACME_DOMAINS=s3.test",
		"KEYSTILE_ACME_AGREE_TERMS=true", "KEYSTILE_ACME_DIRECTORY_URL="+authority.URL,
		"KEYSTILE_ACME_CA_FILE="+certtest.File(t, dir, "authority.pem", authority.OwnPEM),
		fmt.Sprintf("KEYSTILE_ACME_HTTP_LISTEN=127.0.0.1:%d", port))
	for address, health := range map[string]string{s.DashboardURL: "/healthz", s.S3Endpoint: "/-/healthz"} {
		u, err := url.Parse(address)
		must(t, err)
		if u.Scheme != "https" || !strings.HasSuffix(u.Hostname(), ".test") {
			t.Errorf("known as %s", address)
		}
		client := &http.Client{Transport: &http.Transport{
			DisableKeepAlives: true,
			TLSClientConfig:   &tls.Config{RootCAs: authority.Roots},
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "tcp", "127.0.0.1:"+u.Port())
			},
		}}
		await(t, "a certificate for "+u.Hostname(), func() bool {
			res, err := client.Get(address + health)
			if err != nil {
				return false
			}
			_ = res.Body.Close()
			return res.StatusCode == http.StatusOK
		})
	}
	s.interrupt()
}
