package control

import (
	"context"
	"errors"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// CORS tells what is chosen for a bucket: off where nothing ever was.
func (b *Buckets) CORS(ctx context.Context, a Actor, bucket keystile.Bucket) (choice keystile.BucketCORS, err error) {
	err = b.read(ctx, a, "bucket.cors.show", bucket.String(), admins, func(tx store.Tx) error {
		if err := b.mayHaveCORS(tx, bucket); err != nil {
			return err
		}
		choice, err = tx.BucketCORS(bucket)
		if errors.Is(err, keystile.ErrNotFound) {
			choice, err = keystile.BucketCORS{Bucket: bucket, Mode: keystile.CORSOff}, nil
		}
		return err
	})
	return choice, err
}

// SetCORS chooses where the bucket's rules for other origins come from. The
// backend is not asked whether it has the bucket.
func (b *Buckets) SetCORS(ctx context.Context, a Actor, choice keystile.BucketCORS) (keystile.BucketCORS, error) {
	err := b.mutate(ctx, a, act{action: "bucket.cors.update", target: choice.Bucket.String(), who: admins, do: func(ch *change) error {
		ch.aboutBucket(choice.Bucket)
		if err := b.mayHaveCORS(ch, choice.Bucket); err != nil {
			return err
		}
		if err := choice.Check(); err != nil {
			return err
		}
		if _, err := ch.stamp(); err != nil {
			return err
		}
		choice.UpdatedAt = ch.now
		ch.changed("cors", "%s", choice.Mode)
		ch.changed("cors_rules", "%d", len(choice.Rules))
		return ch.SaveBucketCORS(choice)
	}})
	return choice, err
}

func (b *Buckets) mayHaveCORS(tx store.Tx, bucket keystile.Bucket) error {
	if _, err := b.backends.get(tx, bucket.Backend); err != nil {
		return err
	}
	if err := keystile.CheckBucketName(bucket.Name); err != nil {
		return explain(keystile.ErrNotFound, "there is no such bucket")
	}
	return nil
}
