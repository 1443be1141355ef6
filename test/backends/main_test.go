// Package backends_test puts the gateway in front of real S3 servers, and of
// ones that misbehave, and looks at what becomes an object there.
package backends_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/versity/versitygw/auth"
	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/s3api"
	"github.com/versity/versitygw/s3api/middlewares"

	"keystile/internal/embedded"
	"keystile/internal/keystile"
	"keystile/internal/upstream"
	"keystile/test/ceph"
)

// What this binary is when it is started by itself.
const (
	embeddedArg = "embedded-backend"
	versityArg  = "versitygw"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case embeddedArg:
			end(embedded.Serve(context.Background(), os.Stdin))
		case versityArg:
			end(serveVersity(os.Args[2], os.Args[3]))
		}
	}
	os.Exit(m.Run())
}

func end(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

const (
	adminKey    = "BACKENDADMINKEY00001"
	adminSecret = "the-backends-admin-secret-key"
)

// serveVersity is versitygw as it comes, without what the embedded backend adds
// to it: it stores what arrived of an upload that was cut off.
func serveVersity(dir, addr string) error {
	opts := posix.PosixOpts{CopyObjectThreshold: 5 << 30}
	opts.SetNewDirPerm(0o755)
	opts.SetNewFilePerm(0o644)
	files, err := posix.New(dir, meta.XattrMeta{}, opts)
	if err != nil {
		return err
	}
	iam := auth.NewIAMServiceSingle(auth.Account{Access: adminKey, Secret: adminSecret, Role: auth.RoleAdmin})
	root := middlewares.RootUserConfig{Access: adminKey, Secret: adminSecret}
	srv, err := s3api.New(files, root, "us-east-1", iam, nil, nil, nil, nil, s3api.WithQuiet(), s3api.WithKeepAlive(),
		s3api.WithHealth("/-/healthz"), s3api.WithConcurrencyLimiter(1000, 1000), s3api.WithMpMaxParts(10000))
	if err != nil {
		return err
	}
	go func() {
		_, _ = os.Stdin.Read(make([]byte, 1)) // ends with the parent
		os.Exit(0)
	}()
	return srv.ServeMultiPort([]string{addr})
}

func endpointOf(url string) upstream.Endpoint {
	return upstream.Endpoint{
		Backend: keystile.Backend{
			ID: "prod", Kind: keystile.KindS3, Endpoint: url, Region: "us-east-1", PathStyle: true, AccessKeyID: adminKey,
		},
		Secret: keystile.NewSecret(adminSecret),
	}
}

func startCeph(t *testing.T) upstream.Endpoint {
	t.Helper()
	c := ceph.Start(t)
	e := endpointOf(c.Endpoint)
	e.Backend.AccessKeyID, e.Secret = c.AccessKeyID, keystile.NewSecret(c.SecretAccessKey)
	return e
}

func startEmbedded(t *testing.T) upstream.Endpoint {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	p, err := embedded.Start(t.Context(), embedded.Options{Executable: exe, Args: []string{embeddedArg}, DataDir: t.TempDir()})
	must(t, err)
	t.Cleanup(func() { _ = p.Stop(context.Background()) })
	id, secret := p.AccessKeyID(), p.Secret()
	return upstream.Endpoint{
		Backend: keystile.Backend{ID: "prod", Kind: keystile.KindEmbedded, Region: "us-east-1", PathStyle: true, AccessKeyID: id},
		Secret:  secret, Dial: p.Dial,
	}
}

func startVersity(t *testing.T) upstream.Endpoint {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	addr := free.Addr().String()
	must(t, free.Close())
	dir := filepath.Join(t.TempDir(), "buckets")
	must(t, os.Mkdir(dir, 0o755))
	cmd := exec.Command(exe, versityArg, dir, addr)
	stdin, err := cmd.StdinPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { _ = stdin.Close(); _ = cmd.Wait() })
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			_ = conn.Close()
			return endpointOf("http://" + addr)
		}
		if time.Now().After(deadline) {
			t.Fatal("versitygw does not serve")
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
