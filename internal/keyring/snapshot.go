package keyring

import (
	"hash/maphash"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"keystile/internal/keystile"
)

// shardCount splits the credentials so that a change copies a small part.
const shardCount = 1024

// snapshot is an immutable view of everything that may authenticate.
type snapshot struct {
	generation int64
	shards     [shardCount]map[string]*entry
	bindings   map[string]*bindingEntry
	public     map[string][]*publicEntry // by the bucket's name, one for each backend
}

// entry is one live credential: active, disabled or expired. A revoked one has
// none.
type entry struct {
	credential keystile.Credential
	owner      string
	current    *right
	previous   *right // nil without an overlap
	// usedMinute is the minute of the last use since the epoch. Every version of
	// the credential shares it.
	usedMinute *atomic.Int64
}

type bindingEntry struct {
	binding keystile.Binding
	right   *right
}

func (s *snapshot) credential(accessKeyID string, seed maphash.Seed) *entry {
	return s.shards[shardOf(accessKeyID, seed)][accessKeyID]
}

func shardOf(accessKeyID string, seed maphash.Seed) int {
	return int(maphash.String(seed, accessKeyID) % shardCount)
}

// draft is the next snapshot in the making. It copies only the shards that
// change.
type draft struct {
	next   *snapshot
	seed   maphash.Seed
	copied [shardCount]bool
	// ownPublic: next.public is no longer that of the snapshot before.
	ownPublic bool
	// To be done once next is in force.
	lost []*right
	ends map[*right]time.Time
}

func newDraft(s *snapshot, seed maphash.Seed) *draft {
	next := *s
	next.bindings = maps.Clone(s.bindings)
	if next.bindings == nil {
		next.bindings = map[string]*bindingEntry{}
	}
	return &draft{next: &next, seed: seed, ends: map[*right]time.Time{}}
}

func (d *draft) shard(accessKeyID string) map[string]*entry {
	i := shardOf(accessKeyID, d.seed)
	if !d.copied[i] {
		d.copied[i] = true
		d.next.shards[i] = maps.Clone(d.next.shards[i])
		if d.next.shards[i] == nil {
			d.next.shards[i] = map[string]*entry{}
		}
	}
	return d.next.shards[i]
}

// putCredential takes over a changed credential. Requests in flight go on only
// if it lost nothing and their secret is still good.
func (d *draft) putCredential(c keystile.Credential, owner string, s keystile.CredentialSecrets, now time.Time) {
	shard := d.shard(c.AccessKeyID)
	old := shard[c.AccessKeyID]
	usedMinute := &atomic.Int64{}
	if old != nil {
		usedMinute = old.usedMinute
	}
	if !c.RevokedAt.IsZero() {
		delete(shard, c.AccessKeyID)
		d.lose(old)
		return
	}
	if old != nil && narrowed(&old.credential, &c, now) {
		d.lose(old)
		old = nil
	}
	next := &entry{credential: c, owner: owner, usedMinute: usedMinute}
	next.current = d.inherit(old, s.Current, c.ExpiresAt)
	if !s.Previous.IsZero() && !c.OverlapUntil.IsZero() {
		next.previous = d.inherit(old, s.Previous, sooner(c.ExpiresAt, c.OverlapUntil))
	}
	shard[c.AccessKeyID] = next
	d.loseOthers(old, next)
}

// inherit finds the right that already stands for the secret, so that its
// requests in flight go on.
func (d *draft) inherit(old *entry, secret keystile.Secret, until time.Time) *right {
	if old != nil {
		for _, r := range []*right{old.current, old.previous} {
			if r != nil && r.secret.Equal(secret) {
				d.ends[r] = until
				return r
			}
		}
	}
	return newRight(secret, until)
}

func (d *draft) lose(e *entry) { d.loseOthers(e, &entry{}) }

func (d *draft) loseOthers(old, next *entry) {
	if old == nil {
		return
	}
	for _, r := range []*right{old.current, old.previous} {
		if r != nil && r != next.current && r != next.previous {
			d.lost = append(d.lost, r)
		}
	}
}

func (d *draft) putBinding(b keystile.Binding) {
	old := d.next.bindings[b.Name]
	if old != nil {
		d.lost = append(d.lost, old.right)
		delete(d.next.bindings, b.Name)
	}
	if b.RemovedAt.IsZero() {
		d.next.bindings[b.Name] = &bindingEntry{b, newRight(keystile.Secret{}, time.Time{})}
	}
}

// narrowed reports whether next allows anything less than old did, its end
// apart. When in doubt it does: a request that is cut for nothing is tried again
// by its client.
func narrowed(old, next *keystile.Credential, now time.Time) bool {
	if next.StatusAt(now) != keystile.StatusActive || !next.Limits.AsWide(old.Limits) {
		return true
	}
	return slices.ContainsFunc(old.Grants, func(g keystile.Grant) bool {
		return !slices.ContainsFunc(next.Grants, func(n keystile.Grant) bool { return covers(n, g) })
	})
}

// sooner is the earlier of two ends, of which zero is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

func covers(wide, narrow keystile.Grant) bool {
	return wide.ClientName() == narrow.ClientName() && wide.Allows(keystile.Need{
		Permission: narrow.Permission, Bucket: narrow.Bucket, Target: keystile.TargetPrefix, Name: narrow.Prefix,
	})
}
