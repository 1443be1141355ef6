package abandoned

import (
	"context"
	"fmt"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

const (
	// keepDelay lets changes gather. Most refused uploads are aborted by their clients
	// at once, and never get to the store.
	keepDelay = 200 * time.Millisecond
	// keepPause is between attempts while the store fails.
	keepPause = time.Second
	// keepTimeout bounds one writing.
	keepTimeout = 20 * time.Second
)

// keepUp brings changes into the store until ctx ends.
func (k *Keeper) keepUp(ctx context.Context) {
	for failed := false; ; {
		pause := keepDelay
		if failed {
			pause = keepPause
		} else {
			select {
			case <-k.wake:
			case <-ctx.Done():
				return
			}
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
		err := k.Flush(ctx)
		if err != nil && !failed && ctx.Err() == nil {
			k.opts.Log.Warn("which uploads were refused for a quota could not be kept; trying again", "error", err)
		}
		failed = err != nil
	}
}

// Flush brings all that has changed into the store. It must not run beside Run but at
// its end.
func (k *Keeper) Flush(ctx context.Context) error {
	if k == nil {
		return nil
	}
	save, remove := k.changes()
	if len(save)+len(remove) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, keepTimeout)
	defer cancel()
	err := k.opts.Store.Write(ctx, func(tx store.Tx) error {
		for _, r := range save {
			if err := tx.SaveRefusedUpload(r); err != nil {
				return err
			}
		}
		for _, of := range remove {
			if err := tx.DeleteRefusedUpload(of.bucket, of.PendingUpload, of.user); err != nil {
				return err
			}
		}
		return nil
	})
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, r := range save {
		u := k.uploads[idOf(r)]
		u.changed = u.changed || err != nil
	}
	for _, of := range remove {
		u := k.uploads[of]
		u.stored = err != nil
		u.changed = u.changed || err != nil
		k.tidy(of, u)
	}
	if err != nil {
		return fmt.Errorf("refused uploads: %w", err)
	}
	return nil
}

// changes are what is to be saved and what is to be deleted. What is saved counts as
// stored from now on: if it was not after all, it is saved again before it can be
// deleted.
func (k *Keeper) changes() (save []keystile.RefusedUpload, remove []id) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for of, u := range k.uploads {
		if !u.changed {
			continue
		}
		u.changed = false
		switch {
		case u.refused != nil:
			u.stored = true
			save = append(save, *u.refused)
		case u.stored:
			remove = append(remove, of)
		}
	}
	return save, remove
}
