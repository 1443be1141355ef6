package control

import (
	"keystile/internal/keystile"
	"keystile/internal/store"
)

// LimitKind is whose limit a LimitUse is.
type LimitKind string

// The limits that bound what a credential writes.
const (
	LimitBucket    LimitKind = "bucket"    // of a bucket that it writes into
	LimitCeiling   LimitKind = "ceiling"   // its own, of such a bucket
	LimitAllowance LimitKind = "allowance" // its own, of what it writes
)

// LimitUse is how much of a limit is used up.
type LimitUse struct {
	Of      LimitKind
	Bucket  keystile.Bucket // empty for an allowance
	Objects bool            // Used and Cap are objects; else bytes
	Used    int64           // with what is reserved or unknown
	Cap     int64
	Soft    bool // writes pass beyond it
}

// tighter reports whether less of u's cap is free, by its share, than of other's.
func (u *LimitUse) tighter(other *LimitUse) bool {
	if other == nil {
		return true
	}
	return u.share() > other.share()
}

func (u *LimitUse) share() float64 {
	if u.Cap == 0 {
		return 1
	}
	return float64(u.Used) / float64(u.Cap)
}

// bucketCaps reads the caps of all buckets when they are first asked for: most pages
// of credentials need them, single ones may not.
type bucketCaps struct {
	tx  store.Tx
	all map[keystile.Bucket]keystile.BucketQuota
}

func (b *bucketCaps) of(bucket keystile.Bucket) (keystile.BucketQuota, error) {
	if b.all == nil {
		quotas, err := b.tx.BucketQuotas()
		if err != nil {
			return keystile.BucketQuota{}, err
		}
		b.all = make(map[keystile.Bucket]keystile.BucketQuota, len(quotas))
		for _, q := range quotas {
			b.all[q.Bucket] = q
		}
	}
	if q, ok := b.all[bucket]; ok {
		return q, nil
	}
	return noCaps(bucket), nil
}

// tightest is the limit that a credential is nearest to, by the share of it that is
// used; nil if nothing bounds what it writes. A soft cap counts where the bucket has
// no hard one.
func (c *Credentials) tightest(cred keystile.Credential, spent int64, caps *bucketCaps) (least *LimitUse, err error) {
	consider := func(u LimitUse) {
		if u.Cap != keystile.NoCap && u.tighter(least) {
			least = &u
		}
	}
	if cred.Limits.HasAllowance() {
		consider(LimitUse{Of: LimitAllowance, Used: spent, Cap: cred.Limits.Allowance})
	}
	for _, g := range cred.Grants {
		if !g.Permission.Has(keystile.Write) {
			continue
		}
		quota, err := caps.of(g.Bucket)
		if err != nil {
			return nil, err
		}
		usage, _ := c.ledger.Usage(g.Bucket)
		total := usage.Total()
		if cred.Limits.HasCeiling() {
			consider(LimitUse{Of: LimitCeiling, Bucket: g.Bucket, Used: total.Bytes, Cap: cred.Limits.Ceiling.Bytes})
			consider(LimitUse{Of: LimitCeiling, Bucket: g.Bucket, Objects: true, Used: total.Objects, Cap: cred.Limits.Ceiling.Objects})
		}
		bytes, soft := capThatHolds(quota.Hard.Bytes, quota.Soft.Bytes)
		consider(LimitUse{Of: LimitBucket, Bucket: g.Bucket, Used: total.Bytes, Cap: bytes, Soft: soft})
		objects, soft := capThatHolds(quota.Hard.Objects, quota.Soft.Objects)
		consider(LimitUse{Of: LimitBucket, Bucket: g.Bucket, Objects: true, Used: total.Objects, Cap: objects, Soft: soft})
	}
	return least, nil
}

// capThatHolds is the hard cap, or the soft one where there is none.
func capThatHolds(hard, soft int64) (limit int64, isSoft bool) {
	if hard != keystile.NoCap {
		return hard, false
	}
	return soft, true
}
