package keyring

import (
	"context"
	"fmt"
	"slices"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// Require closes the keyring until it holds at least this generation. It is
// called once the change is committed and before Sync, so that a failing Sync
// leaves nobody admitted on old knowledge.
func (k *Keyring) Require(generation int64) {
	for {
		have := k.required.Load()
		if generation <= have || k.required.CompareAndSwap(have, generation) {
			return
		}
	}
}

// patience is how long a request waits for what was just changed to be taken over,
// which takes milliseconds: nobody is told to come back for that.
const patience = time.Second

// swap brings a snapshot into force, and wakes those who wait for it.
func (k *Keyring) swap(next *snapshot) {
	k.view.Store(next)
	fresh := make(chan struct{})
	if old := k.takenOver.Swap(&fresh); old != nil {
		close(*old)
	}
}

// await is Ready after at most the patience, or as long as ctx lasts.
func (k *Keyring) await(ctx context.Context) error {
	if err := k.Ready(); err == nil || k.regressed.Load() {
		return err
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		next := *k.takenOver.Load() // before Ready: a swap between the two is not missed
		err := k.Ready()
		if err == nil || k.regressed.Load() {
			return err
		}
		select {
		case <-next:
		case <-late.C:
			return err
		case <-ctx.Done():
			return err
		}
	}
}

// Sync takes over all changes of the store. When it returns nil, nothing older
// than the store's generation at the call is admitted, and every request in
// flight on a right that was lost has ended. A generation that went backwards
// closes the keyring: the store may be an old copy with revoked keys in it.
func (k *Keyring) Sync(ctx context.Context) error {
	ending, err := k.takeOver(ctx)
	if err != nil {
		return err
	}
	for _, r := range ending {
		select {
		case <-r.empty:
		case <-ctx.Done():
			return fmt.Errorf("requests in flight have not ended: %w", keystile.ErrNotConfirmed)
		}
	}
	return nil
}

// takeOver swaps the snapshot and returns the rights whose requests have not
// ended yet, those of earlier calls too. All of them are dead when it returns.
func (k *Keyring) takeOver(ctx context.Context) ([]*right, error) {
	k.syncing.Lock()
	defer k.syncing.Unlock()
	held := k.view.Load()
	d, err := k.load(ctx, held)
	if err != nil {
		return nil, fmt.Errorf("loading credentials: %w", err)
	}
	if d.next.generation < held.generation {
		k.regressed.Store(true)
		return nil, fmt.Errorf("the store's generation went from %d back to %d; is it a restored copy? Restart to accept it: %w",
			held.generation, d.next.generation, keystile.ErrUnavailable)
	}
	for r, until := range d.ends {
		r.retime(until) // first: whoever sees the new snapshot finds the new ends
	}
	k.swap(d.next)
	for _, r := range d.lost {
		r.cut()
	}
	k.ending = slices.DeleteFunc(append(k.ending, d.lost...), (*right).gone)
	return slices.Clone(k.ending), nil
}

func (k *Keyring) load(ctx context.Context, held *snapshot) (*draft, error) {
	d := newDraft(held, k.seed)
	err := k.store.Read(ctx, func(tx store.Tx) error {
		var err error
		if d.next.generation, err = tx.Generation(); err != nil || d.next.generation <= held.generation {
			return err
		}
		owners, err := accountNames(tx)
		if err != nil {
			return err
		}
		bindings, err := tx.ChangedBindings(held.generation)
		if err != nil {
			return err
		}
		for _, b := range bindings {
			d.putBinding(b)
		}
		now := k.now()
		if err := loadRGWUsers(tx, d, held.generation, now); err != nil {
			return err
		}
		return tx.ChangedCredentials(held.generation, func(c keystile.Credential, s keystile.CredentialSecrets) error {
			d.putCredential(c, owners[c.Owner], s, now)
			return nil
		})
	})
	return d, err
}

// loadRGWUsers takes over the keys of RGW users. A pending secret opens nothing:
// it may not be the user's yet.
func loadRGWUsers(tx store.Tx, d *draft, since int64, now time.Time) error {
	return tx.ChangedRGWUsers(since, func(u keystile.RGWUser, s keystile.RGWSecrets, buckets []keystile.RGWBucket) error {
		d.putPublic(u, d.next.credential(u.AccessKeyID, d.seed), buckets)
		d.putCredential(u.Credential(buckets), "", keystile.CredentialSecrets{Current: s.Current}, now)
		return nil
	})
}

func accountNames(tx store.Tx) (map[string]string, error) {
	accounts, err := tx.Accounts()
	if err != nil {
		return nil, err
	}
	names := make(map[string]string, len(accounts))
	for _, a := range accounts {
		names[a.ID] = a.Name
	}
	return names, nil
}

// touch remembers that the key was used. Only the first use in a minute takes
// a lock.
func (k *Keyring) touch(e *entry, now time.Time) {
	minute := now.Unix() / 60
	if e.usedMinute.Load() == minute || e.usedMinute.Swap(minute) == minute {
		return
	}
	k.usedMu.Lock()
	defer k.usedMu.Unlock()
	k.used[e.credential.AccessKeyID] = now
}

// Used hands over when which keys were used since the last call, to the minute.
func (k *Keyring) Used() map[string]time.Time {
	k.usedMu.Lock()
	defer k.usedMu.Unlock()
	used := k.used
	k.used = map[string]time.Time{}
	return used
}
