package e2e_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"keystile/internal/sigv4"
)

// pattern yields size bytes that depend on their position.
type pattern struct {
	at, size int64
}

func (p *pattern) Read(buf []byte) (int, error) {
	if p.at == p.size {
		return 0, io.EOF
	}
	n := int(min(int64(len(buf)), p.size-p.at))
	for i := range n {
		at := p.at + int64(i)
		buf[i] = byte(at ^ at>>8 ^ at>>16)
	}
	p.at += int64(n)
	return n, nil
}

func digest(r io.Reader) string {
	var h hash.Hash = sha256.New()
	_, _ = io.Copy(h, r)
	return hex.EncodeToString(h.Sum(nil))
}

// signed makes one signed request to the gateway.
func (s *server) signed(t *testing.T, c credential, method, path, payloadHash string, body io.Reader, length int64) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.S3Endpoint+path, body)
	must(t, err)
	req.ContentLength = length
	signer := sigv4.NewSigner(c.AccessKeyID, c.SecretAccessKey, "us-east-1", "s3")
	must(t, signer.Sign(method, path, "", req.URL.Host, req.Header, payloadHash, time.Now()))
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	return res
}

// TestMemoryIsFlat passes 1 GiB up and down, hashed and verified on the way.
func TestMemoryIsFlat(t *testing.T) {
	const (
		size  = 1 << 30
		bound = 32 << 20
	)
	s := start(t, t.TempDir()+"/data", "")
	c := s.mint("uploads:read,write")
	want := digest(&pattern{size: size})
	transfer := func(size int64, hash string) {
		up := s.signed(t, c, http.MethodPut, "/uploads/big", hash, &pattern{size: size}, size)
		_ = up.Body.Close()
		if up.StatusCode != http.StatusOK {
			t.Fatalf("the upload got %d", up.StatusCode)
		}
		down := s.signed(t, c, http.MethodGet, "/uploads/big", sigv4.EmptySHA256, nil, 0)
		got := digest(down.Body)
		_ = down.Body.Close()
		if down.StatusCode != http.StatusOK || got != hash {
			t.Fatalf("the download got %d and other bytes", down.StatusCode)
		}
	}
	transfer(1<<20, digest(&pattern{size: 1 << 20}))
	idle := resident(t, s.cmd.Process.Pid)
	must(t, os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", s.cmd.Process.Pid), []byte("5"), 0o600))
	transfer(size, want)
	peak := status(t, s.cmd.Process.Pid, "VmHWM:")
	t.Logf("resident memory: %d MiB idle, %d MiB at the peak of 1 GiB up and down", idle>>20, peak>>20)
	if grown := peak - idle; grown > bound {
		t.Errorf("memory grew by %d bytes, more than %d", grown, bound)
	}
}

func resident(t *testing.T, pid int) int64 { return status(t, pid, "VmRSS:") }

// status reads a size in bytes from /proc.
func status(t *testing.T, pid int, field string) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	must(t, err)
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, field); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			must(t, err)
			return kib << 10
		}
	}
	t.Fatalf("no %s in the process's status", field)
	return 0
}

// TestRevocationCutsAnUploadOnTheRealBackend leaves nothing behind.
func TestRevocationCutsAnUploadOnTheRealBackend(t *testing.T) {
	s := start(t, t.TempDir()+"/data", "")
	c, watcher := s.mint("uploads:read,write"), s.mint("uploads:read,list")
	reader, writer := io.Pipe()
	done := make(chan int, 1)
	go func() {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPut, s.S3Endpoint+"/uploads/cut", reader)
		req.ContentLength = 8 << 20
		signer := sigv4.NewSigner(c.AccessKeyID, c.SecretAccessKey, "us-east-1", "s3")
		_ = signer.Sign(req.Method, "/uploads/cut", "", req.URL.Host, req.Header, "UNSIGNED-PAYLOAD", time.Now())
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			done <- 0
			return
		}
		_ = res.Body.Close()
		done <- res.StatusCode
	}()
	_, err := writer.Write(make([]byte, 6<<20))
	must(t, err)
	s.cliJSON(nil, "credential", "revoke", c.AccessKeyID, "--yes")
	o := s.aws(watcher, "s3", "ls", "s3://uploads/")
	if o.code != 0 || strings.Contains(o.stdout, "cut") {
		t.Errorf("after the cut: exit %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	_ = writer.CloseWithError(io.ErrClosedPipe) // the client only notices when its body ends
	if status := <-done; status != 0 && status != http.StatusUnauthorized {
		t.Errorf("the upload ended with %d", status)
	}
}
