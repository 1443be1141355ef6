package storetest

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

func quotaOf(backend, bucket string) keystile.BucketQuota {
	return keystile.BucketQuota{
		Bucket: keystile.Bucket{Backend: backend, Name: bucket}, Soft: keystile.Amount{Bytes: 8 << 30, Objects: keystile.NoCap},
		Hard: keystile.Amount{Bytes: 10 << 30, Objects: 5}, TrackedAt: noon, UpdatedAt: noon,
	}
}

func usageOf(q keystile.BucketQuota) keystile.UsageRecord {
	return keystile.UsageRecord{
		Bucket: q.Bucket, TrackedAt: q.TrackedAt, Used: keystile.Amount{Bytes: 1, Objects: 2}, Parts: 14, Unknown: keystile.Amount{Bytes: 3, Objects: 4},
		Leased: keystile.Amount{Bytes: 5, Objects: 6}, UnknownUntil: after(time.Minute), CountedAt: after(time.Hour),
		Drift: keystile.Amount{Bytes: -7, Objects: 8}, OverSoft: true, Recount: true,
		Scan: &keystile.ScanPosition{
			StartedAt: noon, Sum: keystile.Amount{Bytes: 9, Objects: 10}, Parts: 15, Seen: keystile.Amount{Bytes: 11, Objects: 12}, Pages: 13, LastKey: "a\"\u00e9",
			Next: keystile.VersionMark{Key: "b", VersionID: "v", Plain: true, Token: "t"},
		},
	}
}

// allowed is a credential with an allowance.
func allowed(id string, per keystile.AllowancePer) keystile.Credential {
	c := credential(id)
	c.Limits = &keystile.CredentialLimits{Ceiling: keystile.Amount{Bytes: keystile.NoCap, Objects: keystile.NoCap}, Allowance: 5, Per: per}
	return c
}

func bucketQuota(b keystile.Bucket) func(store.Tx) (keystile.BucketQuota, error) {
	return func(tx store.Tx) (keystile.BucketQuota, error) { return tx.BucketQuota(b) }
}

func saveQuota(t *testing.T, s store.Store, q keystile.BucketQuota) {
	t.Helper()
	write(t, s, func(tx store.Tx) error { return tx.SaveBucketQuota(q) })
}

func saveUsage(t *testing.T, s store.Store, u keystile.UsageRecord) {
	t.Helper()
	write(t, s, func(tx store.Tx) error { return tx.SaveBucketUsage(u) })
}

func testQuotas(t *testing.T, open Open) {
	one, two := quotaOf("main", "one"), quotaOf("main", "two")
	proveAll(t, open, []promise{
		{"every field comes back on the other handle", func(t *testing.T, a, b store.Store) {
			saveQuota(t, a, one)
			saveUsage(t, a, usageOf(one))
			wantEqual(t, got(t, b, bucketQuota(one.Bucket)), one)
			wantEqual(t, got(t, b, store.Tx.BucketUsages), []keystile.UsageRecord{usageOf(one)})
		}},
		{"quotas are listed by backend and bucket", func(t *testing.T, a, b store.Store) {
			other := quotaOf("alpha", "z")
			for _, q := range []keystile.BucketQuota{two, one, other} {
				saveQuota(t, a, q)
			}
			wantEqual(t, got(t, b, store.Tx.BucketQuotas), []keystile.BucketQuota{other, one, two})
		}},
		{"a quota replaces the one before and keeps since when it is counted, and the usage", func(t *testing.T, a, b store.Store) {
			saveQuota(t, a, one)
			saveUsage(t, a, usageOf(one))
			next := one
			next.Soft, next.Hard = keystile.Amount{Bytes: 1, Objects: 1}, keystile.Amount{Bytes: keystile.NoCap, Objects: 0}
			next.TrackedAt, next.UpdatedAt = after(time.Hour), after(time.Hour)
			saveQuota(t, b, next)
			next.TrackedAt = one.TrackedAt
			wantEqual(t, got(t, a, bucketQuota(one.Bucket)), next)
			wantEqual(t, len(got(t, a, store.Tx.BucketUsages)), 1)
		}},
		{"a usage replaces the one before", func(t *testing.T, a, b store.Store) {
			saveQuota(t, a, one)
			saveUsage(t, a, usageOf(one))
			next := keystile.UsageRecord{Bucket: one.Bucket, TrackedAt: one.TrackedAt}
			saveUsage(t, b, next)
			wantEqual(t, got(t, a, store.Tx.BucketUsages), []keystile.UsageRecord{next})
		}},
		{"the usage goes with the quota, and none is kept without", func(t *testing.T, a, b store.Store) {
			saveQuota(t, a, one)
			saveUsage(t, a, usageOf(one))
			write(t, a, func(tx store.Tx) error { return tx.DeleteBucketQuota(one.Bucket) })
			wantEqual(t, len(got(t, b, store.Tx.BucketUsages)), 0)
			wantErr(t, tryWrite(t, a, func(tx store.Tx) error { return tx.SaveBucketUsage(usageOf(one)) }), keystile.ErrNotFound)
			wantErr(t, tryWrite(t, a, func(tx store.Tx) error { return tx.DeleteBucketQuota(one.Bucket) }), keystile.ErrNotFound)
			_, err := tryGet(t, b, bucketQuota(one.Bucket))
			wantErr(t, err, keystile.ErrNotFound)
		}},
		{"a usage counted for an earlier quota is not taken for the new one's", func(t *testing.T, a, _ store.Store) {
			saveQuota(t, a, one)
			write(t, a, func(tx store.Tx) error { return tx.DeleteBucketQuota(one.Bucket) })
			again := one
			again.TrackedAt = after(time.Hour)
			saveQuota(t, a, again)
			wantErr(t, tryWrite(t, a, func(tx store.Tx) error { return tx.SaveBucketUsage(usageOf(one)) }), keystile.ErrNotFound)
		}},
		{"owned buckets are told with what their owner's may hold", func(t *testing.T, a, b store.Store) {
			bound, unbound, off := rgwUser("u1"), rgwUser("u2"), rgwUser("u3")
			bound.Quota, unbound.Quota = keystile.SizeQuota{MaxSizeKB: 8, Enabled: true}, keystile.SizeQuota{MaxSizeKB: keystile.UnlimitedSize, Enabled: true}
			off.Quota = keystile.SizeQuota{MaxSizeKB: 8}
			want := []keystile.OwnedBucket{}
			for _, u := range []keystile.RGWUser{bound, unbound, off} {
				createRGWUser(t, a, u)
			}
			for name, u := range map[string]keystile.RGWUser{"one": bound, "two": bound, "zed": off, "un": unbound} {
				own := keystile.OwnedBucket{Bucket: keystile.Bucket{Backend: "s3", Name: name}, Owner: u.ID, MaxBytes: keystile.NoCap}
				if u.ID == "u1" {
					own.MaxBytes = 8192
				}
				want = append(want, own)
			}
			slices.SortFunc(want, func(x, y keystile.OwnedBucket) int { return cmp.Compare(x.Bucket.Name, y.Bucket.Name) })
			for _, o := range want {
				write(t, a, func(tx store.Tx) error {
					return tx.CreateRGWBucket(keystile.RGWBucket{Bucket: o.Bucket, UserID: o.Owner, Made: true, CreatedAt: noon})
				})
			}
			wantEqual(t, got(t, b, store.Tx.OwnedBuckets), want)
		}},
		{"credentials with limits are told until they are revoked", func(t *testing.T, a, b store.Store) {
			ids := func() (ids []string) {
				for _, c := range got(t, b, store.Tx.BoundCredentials) {
					ids = append(ids, c.AccessKeyID)
				}
				return ids
			}
			bound := allowed("AK1", keystile.PerDay)
			createCredentials(t, a, bound, allowed("AK0", keystile.PerTotal), credential("AK2"))
			wantEqual(t, ids(), []string{"AK0", "AK1"})
			wantEqual(t, got(t, b, store.Tx.BoundCredentials)[1], bound)
			bound.RevokedAt = after(time.Hour)
			write(t, a, func(tx store.Tx) error { return tx.UpdateCredential(bound) })
			wantEqual(t, ids(), []string{"AK0"})
		}},
		{"what is spent is kept while the allowance is by the same span", func(t *testing.T, a, b store.Store) {
			c := allowed("AK1", keystile.PerDay)
			createCredentials(t, a, c, credential("AK2"))
			save := func(s keystile.Spent) error {
				return tryWrite(t, a, func(tx store.Tx) error { return tx.SaveSpent(s) })
			}
			spent := keystile.Spent{AccessKeyID: "AK1", Per: keystile.PerDay, Since: noon, Bytes: 1}
			must(t, save(spent))
			spent.Since, spent.Bytes = after(24*time.Hour), 1<<60
			must(t, save(spent))
			wantEqual(t, got(t, b, store.Tx.Spent), []keystile.Spent{spent})
			c.Limits.Allowance = 9
			write(t, a, func(tx store.Tx) error { return tx.UpdateCredential(c) })
			wantEqual(t, got(t, b, store.Tx.Spent), []keystile.Spent{spent})
			wantErr(t, save(keystile.Spent{AccessKeyID: "AK1", Per: keystile.PerTotal}), keystile.ErrNotFound)
			wantErr(t, save(keystile.Spent{AccessKeyID: "AK2", Per: keystile.PerDay}), keystile.ErrNotFound)
			wantErr(t, save(keystile.Spent{AccessKeyID: "absent", Per: keystile.PerDay}), keystile.ErrNotFound)
			c.Limits = nil
			write(t, a, func(tx store.Tx) error { return tx.UpdateCredential(c) })
			wantEqual(t, len(got(t, b, store.Tx.Spent)), 0)
			wantErr(t, save(spent), keystile.ErrNotFound)
		}},
		{"what the trail tells was spent is added up in the newest span", func(t *testing.T, a, b store.Store) {
			c := allowed("AK1", keystile.PerDay)
			createCredentials(t, a, c, credential("AK2"))
			save := func(bytes int64, since time.Time) {
				write(t, a, func(tx store.Tx) error {
					return tx.SaveSpent(keystile.Spent{AccessKeyID: "AK1", Per: keystile.PerDay, Since: since, Bytes: bytes, Recorded: 99})
				})
			}
			add := func(id string, bytes int64, per keystile.AllowancePer, since time.Time) {
				write(t, a, func(tx store.Tx) error {
					return tx.AddSpent(id, keystile.Spend{Bytes: bytes, Per: per, Since: since})
				})
			}
			want := func(bytes, recorded int64, since time.Time) {
				t.Helper()
				wantEqual(t, got(t, b, store.Tx.Spent), []keystile.Spent{{AccessKeyID: "AK1", Per: keystile.PerDay, Since: since, Bytes: bytes, Recorded: recorded}})
			}
			save(1000, noon)
			want(1000, 0, noon)
			add("AK1", 300, keystile.PerDay, noon)
			add("AK1", 50, keystile.PerDay, noon)
			want(1000, 350, noon)
			save(2000, noon)
			want(2000, 350, noon)
			for name, per := range map[string]keystile.AllowancePer{"AK1": keystile.PerTotal, "AK2": keystile.PerDay, "absent": keystile.PerDay} {
				add(name, 7, per, noon)
			}
			add("AK1", 7, keystile.PerDay, after(-24*time.Hour))
			want(2000, 350, noon)
			write(t, a, func(tx store.Tx) error { return tx.RecordLeases() })
			want(2000, 2000, noon)
			add("AK1", 1, keystile.PerDay, noon)
			write(t, a, func(tx store.Tx) error { return tx.RecordLeases() })
			want(2000, 2001, noon)
			later := after(24 * time.Hour)
			save(10, later)
			want(10, 0, later)
			later = after(48 * time.Hour) // the trail is newer than the store
			add("AK1", 40, keystile.PerDay, later)
			want(40, 40, later)
			c.Limits.Per = keystile.PerTotal
			write(t, a, func(tx store.Tx) error { return tx.UpdateCredential(c) })
			add("AK1", 40, keystile.PerDay, later)
			wantEqual(t, len(got(t, b, store.Tx.Spent)), 0)
		}},
		{"a backend takes its own along", func(t *testing.T, a, b store.Store) {
			createBackend(t, a, "main")
			saveQuota(t, a, one)
			saveUsage(t, a, usageOf(one))
			saveQuota(t, a, quotaOf("other", "one"))
			write(t, a, func(tx store.Tx) error { return tx.DeleteBackend("main") })
			wantEqual(t, len(got(t, b, store.Tx.BucketQuotas)), 1)
			wantEqual(t, len(got(t, b, store.Tx.BucketUsages)), 0)
		}},
	})
}
