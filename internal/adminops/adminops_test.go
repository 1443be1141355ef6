package adminops_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"keystile/internal/adminops"
	"keystile/internal/keystile"
	"keystile/internal/sigv4"
	"keystile/test/ceph"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wants(t *testing.T, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Fatalf("got %v, want %v", err, kind)
	}
}

func clientOf(t *testing.T, endpoint, key, secret string) *adminops.Client {
	t.Helper()
	c, err := adminops.New(adminops.Options{
		Endpoint: endpoint, Region: "us-east-1", AccessKeyID: key, Secret: keystile.NewSecret(secret),
		Dial: (&net.Dialer{}).DialContext,
	})
	must(t, err)
	t.Cleanup(c.Close)
	return c
}

// real is a client of the Ceph, and a user of its own for the test.
func real(t *testing.T) (*adminops.Client, ceph.Cluster, adminops.NewUser) {
	t.Helper()
	cluster := ceph.Start(t)
	return clientOf(t, cluster.Endpoint, cluster.AccessKeyID, cluster.SecretAccessKey), cluster, someone()
}

func someone() adminops.NewUser {
	id, secret := keystile.NewKeyPair()
	return adminops.NewUser{
		UID: "ks-" + strings.ToLower(rand.Text()), DisplayName: "my app & more",
		Key: adminops.Key{AccessKeyID: id, Secret: secret},
	}
}

// s3 sends a signed S3 request and returns the status of the answer.
func s3(t *testing.T, c ceph.Cluster, key adminops.Key, method, path, body string) int {
	t.Helper()
	host := strings.TrimPrefix(c.Endpoint, "http://")
	req, err := http.NewRequestWithContext(t.Context(), method, c.Endpoint+path, strings.NewReader(body))
	must(t, err)
	signer := sigv4.NewSigner(key.AccessKeyID, key.Secret.Reveal(), "us-east-1", "s3")
	must(t, signer.Sign(method, path, "", host, req.Header, sigv4.HashHex([]byte(body)), time.Now()))
	answer, err := http.DefaultClient.Do(req)
	must(t, err)
	must(t, answer.Body.Close())
	return answer.StatusCode
}

func TestAUsersLifeOnCeph(t *testing.T) {
	c, cluster, n := real(t)
	ctx := t.Context()
	_, err := c.User(ctx, n.UID)
	wants(t, err, keystile.ErrNotFound)

	must(t, c.CreateUser(ctx, n))
	must(t, c.CreateUser(ctx, n)) // a try that is repeated
	u, err := c.UserByKey(ctx, n.Key.AccessKeyID)
	must(t, err)
	if u.UID != n.UID || u.DisplayName != n.DisplayName || u.Suspended || !u.Secret(n.Key.AccessKeyID).Equal(n.Key.Secret) {
		t.Errorf("made %+v", u)
	}
	if got := s3(t, cluster, n.Key, "GET", "/", ""); got != http.StatusOK {
		t.Errorf("the new key: %d", got)
	}

	other := someone()
	other.Key.AccessKeyID = n.Key.AccessKeyID
	wants(t, c.CreateUser(ctx, other), adminops.ErrKeyTaken)
	taken := n
	taken.Key = someone().Key
	wants(t, c.CreateUser(ctx, taken), keystile.ErrConflict)

	renewed := adminops.Key{AccessKeyID: n.Key.AccessKeyID, Secret: keystile.NewSecretKey()}
	must(t, c.SetSecret(ctx, n.UID, renewed))
	if old, now := s3(t, cluster, n.Key, "GET", "/", ""), s3(t, cluster, renewed, "GET", "/", ""); old != 403 || now != 200 {
		t.Errorf("after the renewal: old secret %d, new secret %d", old, now)
	}
	must(t, c.SetSuspended(ctx, n.UID, true))
	if got := s3(t, cluster, renewed, "GET", "/", ""); got != 403 {
		t.Errorf("suspended: %d", got)
	}
	must(t, c.SetSuspended(ctx, n.UID, false))
	must(t, c.Rename(ctx, n.UID, "another"))
	if u, err = c.User(ctx, n.UID); err != nil || u.DisplayName != "another" || len(u.Keys) != 1 {
		t.Errorf("renamed: %+v, %v", u, err)
	}
	must(t, c.DeleteKey(ctx, n.UID, renewed.AccessKeyID))
	must(t, c.DeleteKey(ctx, n.UID, renewed.AccessKeyID)) // gone already
	if got := s3(t, cluster, renewed, "GET", "/", ""); got != 403 {
		t.Errorf("key deleted: %d", got)
	}
	must(t, c.SetSecret(ctx, n.UID, renewed)) // a key that is not there is made
	if got := s3(t, cluster, renewed, "GET", "/", ""); got != 200 {
		t.Errorf("key made again: %d", got)
	}
	must(t, c.RemoveUser(ctx, n.UID))
	wants(t, c.RemoveUser(ctx, n.UID), keystile.ErrNotFound)
}

func TestQuotaAndBucketsOnCeph(t *testing.T) {
	c, cluster, n := real(t)
	ctx := t.Context()
	must(t, c.CreateUser(ctx, n))
	name := n.UID + "-bucket"
	for _, path := range []string{"/" + name, "/" + name + "/a", "/" + name + "/b"} {
		body := strings.Repeat("x", 3000)
		if strings.Count(path, "/") == 1 {
			body = ""
		}
		if got := s3(t, cluster, n.Key, "PUT", path, body); got != 200 {
			t.Fatalf("PUT %s: %d", path, got)
		}
	}
	u, err := c.UserWithUsage(ctx, n.UID)
	must(t, err)
	if u.Usage != (adminops.Usage{Bytes: 6000, Objects: 2}) || u.Usage.SizeKB() != 6 {
		t.Errorf("usage %+v", u.Usage)
	}
	if u.Quota.Enabled {
		t.Errorf("a quota from the start: %+v", u.Quota)
	}
	for _, q := range []adminops.Quota{{true, 6}, {false, 6}, {true, 524288000}, {true, adminops.Unlimited}} {
		must(t, c.SetQuota(ctx, n.UID, q))
		if u, err = c.User(ctx, n.UID); err != nil || u.Quota != q {
			t.Errorf("set %+v, read %+v, %v", q, u.Quota, err)
		}
	}
	must(t, c.SetQuota(ctx, n.UID, adminops.Quota{Enabled: true, MaxSizeKB: 7}))
	if got := s3(t, cluster, n.Key, "PUT", "/"+name+"/c", strings.Repeat("x", 3000)); got != 403 {
		t.Errorf("over the quota: %d", got)
	}
	for _, kb := range []int64{-2, 1 << 53} {
		wants(t, c.SetQuota(ctx, n.UID, adminops.Quota{Enabled: true, MaxSizeKB: kb}), keystile.ErrInvalid)
	}

	list, err := c.Buckets(ctx, n.UID)
	must(t, err)
	if len(list) != 1 || list[0].Name != name || list[0].Owner != n.UID || list[0].Usage.Objects != 2 || list[0].CreatedAt.IsZero() {
		t.Errorf("buckets %+v", list)
	}
	if _, err := c.Buckets(ctx, ""); !errors.Is(err, keystile.ErrInvalid) {
		t.Errorf("buckets of nobody: %v", err)
	}
	wants(t, c.DeleteBucket(ctx, name), adminops.ErrNotEmpty)
	wants(t, c.RemoveUser(ctx, n.UID), adminops.ErrNotEmpty)
	for _, key := range []string{"/a", "/b"} {
		s3(t, cluster, n.Key, "DELETE", "/"+name+key, "")
	}
	must(t, c.DeleteBucket(ctx, name))
	_, err = c.Bucket(ctx, name)
	wants(t, err, keystile.ErrNotFound)
	must(t, c.RemoveUser(ctx, n.UID))
}

// TestParallelChangesAllSucceed: a radosgw alone fails most of them.
func TestParallelChangesAllSucceed(t *testing.T) {
	c, cluster, n := real(t)
	must(t, c.CreateUser(t.Context(), n))
	keys := make([]adminops.Key, 20)
	var last string
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range keys {
		keys[i] = adminops.Key{AccessKeyID: n.Key.AccessKeyID, Secret: keystile.NewSecretKey()}
		all.Go(func() {
			if err := c.SetSecret(t.Context(), n.UID, keys[i]); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			last = keys[i].Secret.Reveal()
		})
	}
	all.Wait()
	working := 0
	for _, k := range keys {
		if s3(t, cluster, k, "GET", "/", "") == 200 {
			working++
		}
	}
	if working != 1 || last == "" {
		t.Errorf("%d secrets work", working)
	}
	must(t, c.RemoveUser(t.Context(), n.UID))
}

func TestUsersAreListedInPages(t *testing.T) {
	c, _, n := real(t)
	ctx := t.Context()
	made := []string{n.UID}
	must(t, c.CreateUser(ctx, n))
	for range 3 {
		n := someone()
		must(t, c.CreateUser(ctx, n))
		made = append(made, n.UID)
	}
	var seen []string
	for marker, first := "", true; first || marker != ""; first = false {
		page, next, err := c.UIDs(ctx, marker, 2)
		must(t, err)
		seen, marker = append(seen, page...), next
	}
	for _, uid := range made {
		if !slices.Contains(seen, uid) {
			t.Errorf("%s is not listed", uid)
		}
		must(t, c.RemoveUser(ctx, uid))
	}
}

func TestCheckTellsWhatIsMissing(t *testing.T) {
	c, cluster, n := real(t)
	r, err := c.Check(t.Context())
	must(t, err)
	if r.UID != cluster.AdminUID || len(r.Missing) != 0 || r.Mend != "" || r.ClockSkew != 0 {
		t.Errorf("the admin's key: %+v", r)
	}
	must(t, c.CreateUser(t.Context(), n))
	r, err = clientOf(t, cluster.Endpoint, n.Key.AccessKeyID, n.Key.Secret.Reveal()).Check(t.Context())
	must(t, err)
	if len(r.Missing) != 3 || r.Mend != `radosgw-admin caps add --uid='UID' --caps='buckets=*;metadata=read;users=*'` {
		t.Errorf("a key without capabilities: %+v", r)
	}
	_, err = clientOf(t, cluster.Endpoint, n.Key.AccessKeyID, "wrong").Check(t.Context())
	wants(t, err, adminops.ErrRefused)
	_, err = clientOf(t, cluster.Endpoint, "AKIANOBODY", "wrong").Check(t.Context())
	wants(t, err, adminops.ErrRefused)
	must(t, c.RemoveUser(t.Context(), n.UID))
}

// TestFaults uses a server that misbehaves as no Ceph at hand does.
func TestFaults(t *testing.T) {
	const secret = "a-very-secret-value"
	var calls atomic.Int64
	for _, tt := range []struct {
		name   string
		answer func(w http.ResponseWriter)
		want   error
		calls  int64
	}{
		{"changes that meet are tried again", func(w http.ResponseWriter) {
			if calls.Load() < 3 {
				w.WriteHeader(500)
				_, _ = fmt.Fprint(w, `{"Code":"UnknownError"}`)
			}
		}, nil, 3},
		{"but not for ever", func(w http.ResponseWriter) {
			w.WriteHeader(500)
			_, _ = fmt.Fprint(w, `{"Code":"UnknownError"}`)
		}, keystile.ErrUnavailable, 6},
		{"a refusal is final", func(w http.ResponseWriter) {
			w.WriteHeader(403)
			_, _ = fmt.Fprint(w, `{"Code":"AccessDenied"}`)
		}, adminops.ErrRefused, 1},
		{"a redirect is not followed", func(w http.ResponseWriter) {
			w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
			w.WriteHeader(307)
		}, keystile.ErrUnavailable, 1},
		{"an answer without end is cut", func(w http.ResponseWriter) {
			for range 200 {
				_, _ = w.Write(make([]byte, 64<<10))
			}
		}, keystile.ErrUnavailable, 1},
		{"a code that is none is not repeated", func(w http.ResponseWriter) {
			w.WriteHeader(400)
			_, _ = fmt.Fprintf(w, `{"Code":"<%s>"}`, secret)
		}, keystile.ErrUnavailable, 1},
		{"a connection that breaks", func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, keystile.ErrUnavailable, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			calls.Store(0)
			c := clientOf(t, serve(t, func(w http.ResponseWriter, _ *http.Request) { calls.Add(1); tt.answer(w) }), "AKIA", "s")
			err := c.SetSecret(t.Context(), "someone", adminops.Key{AccessKeyID: "AKIAX", Secret: keystile.NewSecret(secret)})
			if !errors.Is(err, tt.want) || calls.Load() != tt.calls {
				t.Errorf("%v after %d calls", err, calls.Load())
			}
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("the error tells the secret: %v", err)
			}
		})
	}
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	s := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	go func() { _ = s.Serve(ln) }()
	t.Cleanup(func() { _ = s.Close() })
	return "http://" + ln.Addr().String()
}

// TestAWaitEndsWithItsContext: a call that waits for its turn gives up when its
// caller does.
func TestAWaitEndsWithItsContext(t *testing.T) {
	entered, leave := make(chan bool, 1), make(chan bool)
	c := clientOf(t, serve(t, func(http.ResponseWriter, *http.Request) { entered <- true; <-leave }), "AKIA", "s")
	first := make(chan error)
	go func() { first <- c.SetSuspended(t.Context(), "someone", true) }()
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wants(t, c.SetSuspended(ctx, "someone", false), context.Canceled)
	close(leave)
	must(t, <-first)
}
