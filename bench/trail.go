package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"keystile/internal/audit"
	"keystile/internal/keystile"
	"keystile/internal/store/seal"
	"keystile/internal/store/sqlstore"
)

const (
	// trailWriters record at once, each waiting for its record to be durable.
	trailWriters = 256
	// trailTime is how long each rate is measured.
	trailTime = 3 * time.Second
	// trailWait is the default of audit.group_wait.
	trailWait = time.Millisecond
)

// measureTrail prints how many events a second become durable, and how often the
// same disk can sync.
func measureTrail(ctx context.Context, out io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "keystile-bench-trail-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	syncs, err := syncRate(filepath.Join(dir, "synced"))
	if err != nil {
		return err
	}
	events, lag, err := eventRate(ctx, dir)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "\naudit trail: %.0f events/s made durable by %d writers, where the disk alone syncs %.0f times a second (%.1f events a sync); %d of them not indexed yet\n",
		events, trailWriters, syncs, events/syncs, lag)
	return err
}

// syncRate appends a small record and syncs it, over and over.
func syncRate(name string) (perSecond float64, err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	record := make([]byte, 512)
	n, began := 0, time.Now()
	for ; time.Since(began) < trailTime; n++ {
		if _, err := f.Write(record); err != nil {
			return 0, err
		}
		if err := datasync(f); err != nil {
			return 0, err
		}
	}
	return float64(n) / time.Since(began).Seconds(), nil
}

// eventRate records as a gateway does, with its index.
func eventRate(ctx context.Context, dir string) (perSecond float64, lag uint64, err error) {
	key, _, err := seal.LoadOrCreate(filepath.Join(dir, "master.key"))
	if err != nil {
		return 0, 0, err
	}
	keys, err := seal.New(key)
	if err != nil {
		return 0, 0, err
	}
	db, err := sqlstore.OpenSQLite(ctx, filepath.Join(dir, "keystile.db"), keys)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	trail, err := audit.Open(ctx, audit.Options{
		Dir: filepath.Join(dir, "journal"), Store: db, Log: slog.New(slog.DiscardHandler), Now: time.Now, GroupWait: trailWait,
	})
	if err != nil {
		return 0, 0, err
	}
	n, took, err := record(ctx, trail)
	lag = trail.Lag()
	return float64(n) / took.Seconds(), lag, errors.Join(err, trail.Close(ctx))
}

func record(ctx context.Context, trail *audit.Trail) (n int64, took time.Duration, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var count atomic.Int64
	var writers sync.WaitGroup
	began := time.Now()
	for w := range trailWriters {
		writers.Go(func() {
			for time.Since(began) < trailTime && ctx.Err() == nil {
				id := fmt.Sprintf("%08d-%d", count.Add(1), w)
				event := keystile.Event{
					ID: id, Time: time.Now(), Action: "s3.proxy.putobject", Result: keystile.ResultOK, Status: 200, Backend: "memory",
					Bucket: benchBucket, Key: id, SourceIP: "127.0.0.1", UserAgent: "bench", RequestID: id,
				}
				if err := trail.Append(event).Wait(ctx); err != nil {
					cancel(err)
				}
			}
		})
	}
	writers.Wait()
	return count.Load(), time.Since(began), context.Cause(ctx)
}
