package control

import (
	"context"
	"errors"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// forget ends what was chosen for a bucket that is gone: its rules for other
// origins, and the anonymous bindings, with their index documents, that a forced
// deletion left. Whoever makes a bucket of that name next has chosen nothing yet,
// and opened it to nobody.
func (b *Buckets) forget(ctx context.Context, a Actor, bucket keystile.Bucket) error {
	var bindings []keystile.Binding
	var ruled bool
	err := b.store.Read(ctx, func(tx store.Tx) (err error) {
		bindings, ruled, err = chosenFor(tx, bucket)
		return err
	})
	if err != nil || len(bindings) == 0 && !ruled {
		return err
	}
	return b.mutate(ctx, a, act{action: "bucket.forget", target: bucket.String(), who: admins, do: func(ch *change) error {
		ch.aboutBucket(bucket)
		bindings, ruled, err := chosenFor(ch, bucket)
		if err != nil {
			return err
		}
		generation, err := ch.stamp()
		if err != nil {
			return err
		}
		for _, binding := range bindings {
			if err := ch.RemoveBinding(binding.Name, ch.now, generation); err != nil {
				return err
			}
			event := ch.along("binding.remove", binding.Name)
			event.Backend, event.Bucket = ch.event.Backend, ch.event.Bucket
		}
		if !ruled {
			return nil
		}
		ch.changed("cors", "%s", keystile.CORSOff)
		return ch.SaveBucketCORS(keystile.BucketCORS{Bucket: bucket, Mode: keystile.CORSOff, UpdatedAt: ch.now})
	}})
}

func chosenFor(tx store.Tx, bucket keystile.Bucket) (bindings []keystile.Binding, ruled bool, err error) {
	if _, err = tx.BucketCORS(bucket); err == nil {
		ruled = true
	} else if !errors.Is(err, keystile.ErrNotFound) {
		return nil, false, err
	}
	all, err := tx.Bindings()
	for _, binding := range all {
		if binding.Bucket == bucket {
			bindings = append(bindings, binding)
		}
	}
	return bindings, ruled, err
}
