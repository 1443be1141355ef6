package embedded

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/signal"
	"syscall"

	"github.com/versity/versitygw/auth"
	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/s3api"
	"github.com/versity/versitygw/s3api/middlewares"
)

const (
	// healthPath cannot be a bucket: their names have three characters or more.
	healthPath = "/-/healthz"

	maxConnections = 4096
	maxRequests    = 2048
	maxParts       = 10000
	// maxCopySource is S3's limit for the source of one copy.
	maxCopySource = 5 << 30
)

// Serve runs the S3 server until stdin ends, SIGTERM arrives or ctx is done,
// then answers what is in flight (10 seconds at most) and returns. Its settings
// are the first line of stdin, written by [Start].
//
// Serve needs a process of its own, and one that ends with it: it changes the
// working directory and the umask, ignores the terminal's signals (the parent
// decides when its requests are drained) and lets versitygw print as it likes.
func Serve(ctx context.Context, stdin io.Reader) error {
	signal.Ignore(syscall.SIGINT, syscall.SIGHUP)
	ctx, cancel := signal.NotifyContext(ctx, syscall.SIGTERM)
	defer cancel()

	in := bufio.NewReaderSize(stdin, maxSettings)
	set, err := readSettings(in)
	if err != nil {
		return fmt.Errorf("embedded backend: %w", err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, in)
		cancel()
	}()

	syscall.Umask(int(0o777 &^ dirMode))
	files, err := openFiles(set)
	if err != nil {
		return fmt.Errorf("embedded backend: open %s: %w", set.Buckets, err)
	}
	defer files.Shutdown()
	srv, err := newServer(set, files)
	if err != nil {
		return fmt.Errorf("embedded backend: %w", err)
	}

	ended := make(chan error, 1)
	go func() { ended <- srv.ServeMultiPort([]string{set.Socket}) }()
	select {
	case err := <-ended:
		return fmt.Errorf("embedded backend: serve: %w", err)
	case <-ctx.Done():
	}
	if err := srv.ShutDown(); err != nil {
		return fmt.Errorf("embedded backend: drain: %w", err)
	}
	return nil
}

// openFiles opens versitygw's file backend, everything private to its owner.
func openFiles(set settings) (*posix.Posix, error) {
	opts := posix.PosixOpts{
		VersioningDir:       set.Versions,
		SideCarDir:          set.Sidecar,
		CopyObjectThreshold: maxCopySource, // its zero value refuses every copy
	}
	opts.SetNewDirPerm(dirMode)
	opts.SetNewFilePerm(fileMode)
	if set.Sidecar == "" {
		return posix.New(set.Buckets, meta.XattrMeta{}, opts)
	}
	sidecar, err := meta.NewSideCar(set.Sidecar)
	if err != nil {
		return nil, err
	}
	return posix.New(set.Buckets, sidecar, opts)
}

// newServer builds the S3 server with one account and neither admin API, access
// log, events nor metrics.
func newServer(set settings, files *posix.Posix) (*s3api.S3ApiServer, error) {
	iam := auth.NewIAMServiceSingle(auth.Account{
		Access: set.AccessKeyID, Secret: set.Secret, Role: auth.RoleAdmin,
	})
	root := middlewares.RootUserConfig{Access: set.AccessKeyID, Secret: set.Secret}
	return s3api.New(files, root, set.Region, iam, nil, nil, nil, nil,
		s3api.WithQuiet(),
		s3api.WithKeepAlive(),
		s3api.WithHealth(healthPath),
		s3api.WithSocketPerm(fileMode),
		s3api.WithConcurrencyLimiter(maxConnections, maxRequests), // its zero value refuses every request
		s3api.WithMpMaxParts(maxParts),
		s3api.WithMiddleware("/", guardBody),
	)
}
