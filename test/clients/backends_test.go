package clients

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"keystile/internal/embedded"
	"keystile/test/ceph"
)

// One bucket of each backend has keys from the start, more than one page of a
// listing.
const (
	seeded       = 1003
	seededPrefix = "many/"
	seededBucket = "seeded"
)

func seededKey(i int) string { return fmt.Sprintf("%s%04d file", seededPrefix, i) }

// backend is an S3 server for the gateway to stand in front of.
type backend struct {
	name   string
	scheme string // in the short run
	// start runs it until the test ends. It skips where the server is not
	// installed.
	start func(t *testing.T) running
}

// running is a server with its admin key.
type running struct {
	address     string // HOST:PORT
	accessKeyID string
	secret      string
	versions    bool // knows versioning
}

func backends() []backend {
	return []backend{
		{"embedded", "http", startEmbedded},
		{"ceph", "https", startCeph},
		{"rclone", "http", startRclone},
	}
}

// startEmbedded runs the server that Keystile embeds, as a child of this
// process, and opens a port to it.
func startEmbedded(t *testing.T) running {
	self, err := os.Executable()
	must(t, err)
	p, err := embedded.Start(t.Context(), embedded.Options{Executable: self, Args: []string{embeddedArg}, DataDir: t.TempDir()})
	must(t, err)
	t.Cleanup(func() { _ = p.Stop(context.Background()) })
	return running{address: relay(t, nil, p.Dial), accessKeyID: p.AccessKeyID(), secret: p.Secret().Reveal(), versions: true}
}

// startCeph runs a real radosgw.
func startCeph(t *testing.T) running {
	cluster := ceph.Start(t)
	return running{address: strings.TrimPrefix(cluster.Endpoint, "http://"), accessKeyID: cluster.AccessKeyID, secret: cluster.SecretAccessKey, versions: true}
}

// startRclone runs "rclone serve s3".
func startRclone(t *testing.T) running {
	dir, address := t.TempDir(), freeAddress(t)
	const key, secret = "RCLONESERVES3", "rclone-serve-s3-secret"
	serve(t, address, dir, program(t, "rclone"), "serve", "s3", "--addr", address, "--auth-key", key+","+secret, "--vfs-cache-mode", "off", dir)
	return running{address: address, accessKeyID: key, secret: secret}
}

// freeAddress is a port that nobody listens on.
func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().String()
}

// serve runs a program until the test ends, and returns once it listens.
func serve(t *testing.T, address, home, name string, args ...string) {
	t.Helper()
	log := &tail{}
	cmd := exec.Command(name, args...)
	cmd.Env = append(target{Home: home}.env(), "RCLONE_CONFIG="+filepath.Join(home, ".rclone.conf"))
	cmd.Stdout, cmd.Stderr = log, log
	must(t, startBound(cmd))
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Signal(os.Interrupt); stopped(cmd, ended) })
	deadline := time.Now().Add(time.Minute)
	for {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			_ = conn.Close()
			return
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("%s ended: %v\n%s", filepath.Base(name), err, log)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not listen\n%s", filepath.Base(name), log)
		}
	}
}

// stopped waits for a process that was told to stop, and ends it if it does not.
func stopped(cmd *exec.Cmd, ended <-chan error) {
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		_ = cmd.Process.Kill()
		<-ended
	}
}

// tail keeps the end of a program's output.
type tail struct{ text []byte }

func (l *tail) Write(p []byte) (int, error) {
	l.text = append(l.text, p...)
	l.text = l.text[max(0, len(l.text)-8<<10):]
	return len(p), nil
}

func (l *tail) String() string { return strings.TrimSpace(string(l.text)) }

// admin is the backend's own key, for preparing buckets.
func (b running) admin() *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String("http://" + b.address), Region: "us-east-1", UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(b.accessKeyID, b.secret, ""),
	})
}

// bucket makes one.
func (b running) bucket(ctx context.Context, name string) error {
	_, err := b.admin().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name})
	return err
}

// seed makes the bucket with the seeded keys.
func (b running) seed(ctx context.Context) error {
	name, client := seededBucket, b.admin()
	if err := b.bucket(ctx, name); err != nil {
		return err
	}
	work, failed := make(chan int), make(chan error, 4)
	for range cap(failed) {
		go func() {
			var first error
			for i := range work {
				_, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: &name, Key: aws.String(seededKey(i)), Body: strings.NewReader("")})
				first = errors.Join(first, err)
			}
			failed <- first
		}()
	}
	for i := range seeded {
		work <- i
	}
	close(work)
	var err error
	for range cap(failed) {
		err = errors.Join(err, <-failed)
	}
	return err
}

// versionedBucket makes one that keeps versions.
func (b running) versionedBucket(ctx context.Context, name string) error {
	if err := b.bucket(ctx, name); err != nil {
		return err
	}
	_, err := b.admin().PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket: &name, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	return err
}
