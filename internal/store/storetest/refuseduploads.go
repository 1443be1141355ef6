package storetest

import (
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

func refusedUpload(bucket, key, id string, at time.Time) keystile.RefusedUpload {
	return keystile.RefusedUpload{
		Bucket: keystile.Bucket{Backend: "main", Name: bucket}, PendingUpload: keystile.PendingUpload{Key: key, UploadID: id},
		Parts: []int{0, 3, 10_000}, AccessKeyID: "AKIAFIRST", UserID: "user-1", RefusedAt: at, HeardAt: at.Add(time.Minute),
	}
}

func saveRefused(t *testing.T, s store.Store, u keystile.RefusedUpload) {
	t.Helper()
	write(t, s, func(tx store.Tx) error { return tx.SaveRefusedUpload(u) })
}

func testRefusedUploads(t *testing.T, open Open) {
	one, two := refusedUpload("uploads", "a b/ü", "id-1", after(time.Hour)), refusedUpload("uploads", "a b/ü", "id-2", noon)
	proveAll(t, open, []promise{
		{"every field comes back on the other handle, the first refused first", func(t *testing.T, a, b store.Store) {
			saveRefused(t, a, one)
			saveRefused(t, a, two)
			wantEqual(t, got(t, b, store.Tx.RefusedUploads), []keystile.RefusedUpload{two, one})
		}},
		{"saved again it has other parts, and was heard of later", func(t *testing.T, a, b store.Store) {
			saveRefused(t, a, one)
			next := one
			next.Parts, next.HeardAt = []int{3}, after(2*time.Hour)
			changed := next
			changed.AccessKeyID, changed.RefusedAt = "AKIALATER", after(2*time.Hour)
			saveRefused(t, b, changed)
			wantEqual(t, got(t, a, store.Tx.RefusedUploads), []keystile.RefusedUpload{next})
		}},
		{"deleted it is gone, and no other with it", func(t *testing.T, a, b store.Store) {
			saveRefused(t, a, one)
			saveRefused(t, a, two)
			elsewhere := refusedUpload("other", "a b/ü", "id-1", after(2*time.Hour))
			saveRefused(t, a, elsewhere)
			otherUser := refusedUpload("uploads", "a b/ü", "id-1", after(3*time.Hour))
			otherUser.UserID = "user-2"
			saveRefused(t, a, otherUser)
			for range 2 { // the second time it is not there
				write(t, b, func(tx store.Tx) error {
					return tx.DeleteRefusedUpload(one.Bucket, one.PendingUpload, one.UserID)
				})
			}
			wantEqual(t, got(t, a, store.Tx.RefusedUploads), []keystile.RefusedUpload{two, elsewhere, otherUser})
		}},
	})
}
