package storetest

import (
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

func corsChoice(backend, bucket string) keystile.BucketCORS {
	return keystile.BucketCORS{
		Bucket: keystile.Bucket{Backend: backend, Name: bucket}, Mode: keystile.CORSGateway, UpdatedAt: noon,
		Rules: []keystile.CORSRule{
			{ID: "a", AllowedOrigins: []string{"https://*.example"}, AllowedMethods: []string{"GET"}, AllowedHeaders: []string{"*"}, ExposeHeaders: []string{"ETag"}, MaxAgeSeconds: 60},
			{AllowedOrigins: []string{"*"}, AllowedMethods: []string{"HEAD"}},
		},
	}
}

func corsOf(b keystile.Bucket) func(store.Tx) (keystile.BucketCORS, error) {
	return func(tx store.Tx) (keystile.BucketCORS, error) { return tx.BucketCORS(b) }
}

func saveCORS(t *testing.T, s store.Store, c keystile.BucketCORS) {
	t.Helper()
	write(t, s, func(tx store.Tx) error { return tx.SaveBucketCORS(c) })
}

func testCORS(t *testing.T, open Open) {
	one, two := corsChoice("main", "one"), corsChoice("main", "two")
	proveAll(t, open, []promise{
		{"every field comes back on the other handle", func(t *testing.T, a, b store.Store) {
			saveCORS(t, a, one)
			wantEqual(t, got(t, b, corsOf(one.Bucket)), one)
		}},
		{"they are listed by backend and bucket", func(t *testing.T, a, b store.Store) {
			other := corsChoice("alpha", "z")
			for _, c := range []keystile.BucketCORS{two, one, other} {
				saveCORS(t, a, c)
			}
			wantEqual(t, got(t, b, store.Tx.AllBucketCORS), []keystile.BucketCORS{other, one, two})
		}},
		{"a choice replaces the one before", func(t *testing.T, a, b store.Store) {
			saveCORS(t, a, one)
			next := keystile.BucketCORS{Bucket: one.Bucket, Mode: keystile.CORSBackend, UpdatedAt: after(time.Hour)}
			saveCORS(t, b, next)
			wantEqual(t, got(t, a, corsOf(one.Bucket)), next)
		}},
		{"off removes it, and nothing too", func(t *testing.T, a, b store.Store) {
			saveCORS(t, a, one)
			off := keystile.BucketCORS{Bucket: one.Bucket, Mode: keystile.CORSOff}
			saveCORS(t, a, off)
			saveCORS(t, a, off)
			_, err := tryGet(t, b, corsOf(one.Bucket))
			wantErr(t, err, keystile.ErrNotFound)
		}},
		{"a backend takes its own along", func(t *testing.T, a, b store.Store) {
			createBackend(t, a, "main")
			saveCORS(t, a, one)
			saveCORS(t, a, corsChoice("other", "one"))
			write(t, a, func(tx store.Tx) error { return tx.DeleteBackend("main") })
			wantEqual(t, len(got(t, b, store.Tx.AllBucketCORS)), 1)
		}},
	})
}
