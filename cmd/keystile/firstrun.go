package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"keystile/internal/control"
	"keystile/internal/keystile"
	"keystile/internal/store"
	"keystile/internal/upstream"
)

// What the first run makes.
const (
	adminName         = "admin"
	quickstartBackend = "local"
)

func quickstartBuckets() []string { return []string{"uploads", "reports"} }

// sample is an object that the first run stores, so that there is something to
// list.
type sample struct{ bucket, key, contentType, text string }

func samples() []sample {
	return []sample{
		{"uploads", "welcome.txt", "text/plain; charset=utf-8", "Hello. You read this through Keystile, with a key that opens this bucket and nothing else.\n"},
		{"uploads", "photos/readme.txt", "text/plain; charset=utf-8", "A credential can be limited to a prefix such as photos/.\n"},
		{"reports", "2026/q1.csv", "text/csv", "month,requests\n2026-01,1200\n2026-02,1750\n2026-03,2100\n"},
		{"reports", "2026/q2.csv", "text/csv", "month,requests\n2026-04,2400\n2026-05,2300\n2026-06,2950\n"},
	}
}

// firstRun is what is shown once; both are zero on later runs.
type firstRun struct {
	password keystile.Secret
	token    keystile.Secret
}

// The setting that remembers how far the first run came. One that was
// interrupted is done again, with a new password: nobody has seen the old one.
const (
	settingFirstRun = "quickstart"
	firstRunBegun   = "begun"
	firstRunDone    = "done"
)

// firstRun prepares a new data directory and returns what is shown once. A
// directory that has accounts from elsewhere is left as it is.
func (s *server) firstRun(ctx context.Context, keepToken func(keystile.Secret) error) (firstRun, error) {
	wanted, err := s.beginFirstRun(ctx)
	if err != nil || !wanted {
		return firstRun{}, err
	}
	made, err := s.makeAdmin(ctx)
	if err != nil {
		return firstRun{}, err
	}
	if err := s.makeBuckets(ctx); err != nil {
		return firstRun{}, err
	}
	if err := keepToken(made.token); err != nil {
		return firstRun{}, err
	}
	return made, s.store.Write(ctx, func(tx store.Tx) error { return tx.SetSetting(settingFirstRun, firstRunDone) })
}

// beginFirstRun reports whether there is a first run to do, or to do again.
func (s *server) beginFirstRun(ctx context.Context) (wanted bool, err error) {
	// Most runs are not the first: they only look, also on a full disk.
	err = s.store.Read(ctx, func(tx store.Tx) error {
		state, err := tx.Setting(settingFirstRun)
		if err != nil && !errors.Is(err, keystile.ErrNotFound) {
			return err
		}
		accounts, err := tx.Accounts()
		if err != nil {
			return err
		}
		wanted = state == firstRunBegun || (state == "" && len(accounts) == 0)
		return nil
	})
	if err != nil || !wanted {
		return false, err
	}
	return true, s.store.Write(ctx, func(tx store.Tx) error { return tx.SetSetting(settingFirstRun, firstRunBegun) })
}

func (s *server) makeAdmin(ctx context.Context) (firstRun, error) {
	made := firstRun{password: keystile.NewPassword()}
	_, err := s.control.Bootstrap.CreateAdmin(ctx, adminName, made.password)
	if errors.Is(err, keystile.ErrConflict) {
		err = s.control.Bootstrap.ResetPassword(ctx, adminName, made.password)
	}
	if err != nil {
		return made, err
	}
	made.token, err = s.control.Bootstrap.CreateToken(ctx, adminName, "quickstart", control.Expiry{})
	return made, err
}

// makeBuckets makes the buckets as the new administrator, and fills them.
func (s *server) makeBuckets(ctx context.Context) error {
	actor := control.Actor{}
	err := s.store.Read(ctx, func(tx store.Tx) (err error) {
		actor.Account, err = tx.AccountByName(adminName)
		return err
	})
	if err != nil {
		return err
	}
	for _, name := range quickstartBuckets() {
		err := s.control.Buckets.Create(ctx, actor, keystile.Bucket{Backend: quickstartBackend, Name: name})
		if err != nil && !errors.Is(err, keystile.ErrConflict) {
			return fmt.Errorf("create the bucket %s: %w", name, err)
		}
	}
	backend, ok := s.backends.Get(quickstartBackend)
	if !ok {
		return fmt.Errorf("backend %s: %w", quickstartBackend, keystile.ErrNotFound)
	}
	for _, x := range samples() {
		if err := put(ctx, backend, x); err != nil {
			return fmt.Errorf("store %s/%s: %w", x.bucket, x.key, err)
		}
	}
	return nil
}

func put(ctx context.Context, backend *upstream.Backend, x sample) error {
	digest := sha256.Sum256([]byte(x.text))
	resp, err := backend.Send(ctx, upstream.Request{
		Method: http.MethodPut, Bucket: x.bucket, Key: x.key,
		Header:        http.Header{"Content-Type": {x.contentType}},
		PayloadHash:   hex.EncodeToString(digest[:]),
		Body:          strings.NewReader(x.text),
		ContentLength: int64(len(x.text)),
	})
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.Status != http.StatusOK {
		return fmt.Errorf("the backend answered %d", resp.Status)
	}
	return nil
}
