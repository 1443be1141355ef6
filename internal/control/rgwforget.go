package control

import (
	"errors"

	"keystile/internal/keystile"
)

// dropRGWBucket ends the ownership of a bucket that is gone, and what was chosen
// for it here: its quota, its rules for other origins, and the anonymous bindings
// on it.
// Whoever makes a bucket of that name next has chosen nothing yet.
func (ch *change) dropRGWBucket(bucket keystile.Bucket) error {
	if err := ch.DeleteRGWBucket(bucket); err != nil {
		return err
	}
	if err := ch.DeleteBucketQuota(bucket); err != nil && !errors.Is(err, keystile.ErrNotFound) {
		return err
	}
	bindings, ruled, err := chosenFor(ch, bucket)
	if err != nil || len(bindings) == 0 && !ruled {
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
		event.Backend, event.Bucket = bucket.Backend, bucket.Name
	}
	if !ruled {
		return nil
	}
	return ch.SaveBucketCORS(keystile.BucketCORS{Bucket: bucket, Mode: keystile.CORSOff, UpdatedAt: ch.now})
}
