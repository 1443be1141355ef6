package clients

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// part says in which runs a case is.
type part int

const (
	long  part = iota // in the full run only
	short             // in both
	keys              // in both, but for slow clients
)

// runs says whether a case is in this run.
func (c client) runs(one testCase) bool {
	return full || one.part == short || one.part == keys && !c.slow
}

// testCase is something that a client does with a store. It fails where the
// store, or what stands before it, does not do its part.
type testCase struct {
	name string
	part part
	run  func(t *trial) error
}

// trial is one case of one client at one target.
type trial struct {
	ctx    context.Context
	client session
	to     target
	dir    string            // empty at first
	seen   map[string]string // what the client was told: must be the same both ways
	files  int
}

// note keeps something that the client was told.
func (t *trial) note(name, value string) { t.seen[name] = value }

// do asks the client, in the target's bucket unless the call names another.
func (t *trial) do(c call) (reply, error) {
	if c.Bucket == "" {
		c.Bucket = t.to.Bucket
	}
	r, err := t.client.do(t.ctx, c)
	if err != nil && !errors.Is(err, errCannot) {
		err = fmt.Errorf("%s %s: %w", c.Op, strings.TrimSpace(c.Key+" "+c.Prefix), err)
	}
	return r, err
}

// path names a new file in the case's directory.
func (t *trial) path() string {
	t.files++
	return filepath.Join(t.dir, fmt.Sprintf("file-%d", t.files))
}

// file makes one of size bytes that depend on seed.
func (t *trial) file(size int, seed uint64) (path string, content []byte, err error) {
	content = make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{byte(seed), byte(size)}).Read(content)
	path = t.path()
	return path, content, os.WriteFile(path, content, 0o600)
}

// put stores a small object and gives its content.
func (t *trial) put(c call) ([]byte, error) {
	path, content, err := t.file(100+len(c.Key), uint64(len(c.Key)))
	if err != nil {
		return nil, err
	}
	c.Op, c.Path = opPut, path
	_, err = t.do(c)
	if errors.Is(err, errCannot) {
		return content, err
	}
	return content, err
}

// wantBody gets an object and compares it.
func (t *trial) wantBody(c call, want []byte) error {
	if c.Op == "" {
		c.Op = opGet
	}
	c.Path = t.path()
	if _, err := t.do(c); err != nil {
		return err
	}
	got, err := os.ReadFile(c.Path)
	if err != nil {
		return err
	}
	return same(got, want)
}

func same(got, want []byte) error {
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%d other bytes came back, %s for %s of %d", len(got), abbreviated(got), abbreviated(want), len(want))
	}
	return nil
}

func abbreviated(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:4])
}

func contentMD5(content []byte) string {
	sum := md5.Sum(content)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// wantRefusal is an error unless err is a refusal with one of the codes:
// clients tell a code of S3, or no more than the status.
func wantRefusal(err error, codes ...string) error {
	var r *refusal
	switch {
	case err == nil:
		return fmt.Errorf("was not refused with %s", codes[0])
	case errors.Is(err, errCannot), !errors.As(err, &r):
		return err
	case slices.Contains(codes, r.code):
		return nil
	}
	return fmt.Errorf("wanted %s: %w", codes[0], err)
}

// wantKeys lists and compares, in any order.
func (t *trial) wantKeys(prefix string, want ...string) error {
	r, err := t.do(call{Op: opList, Prefix: prefix})
	if err != nil {
		return err
	}
	got := slices.Sorted(slices.Values(r.Keys))
	slices.Sort(want)
	if !slices.Equal(got, want) {
		return fmt.Errorf("listed %d keys %.300q, want %d %.300q", len(got), got, len(want), want)
	}
	return nil
}

// web uses a URL as a browser does.
func (t *trial) web(method, url string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(t.ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	res, err := t.to.browser().Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %d %s", method, url, res.StatusCode, content)
	}
	return content, err
}
