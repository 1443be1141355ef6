package control

import (
	"context"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// begins notes that a job is deleting from now on.
func (j *jobs) begins(id string, p keystile.Pace) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.paces[id] = p
}

// deleted notes that n more objects are gone.
func (j *jobs) deleted(id string, n int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	p := j.paces[id]
	p.Deleted += n
	j.paces[id] = p
}

// paced adds to a job how fast it goes, if it is at work here.
func (j *jobs) paced(job keystile.RGWJob) keystile.RGWJob {
	j.mu.Lock()
	defer j.mu.Unlock()
	if p, atWork := j.paces[job.ID]; atWork {
		job.Pace = &p
	}
	return job
}

// toEmpty are the buckets of the job's user, and about how many objects
// they hold; -1: nobody has counted them. To count them now would take as long as
// to delete them.
func (p *purge) toEmpty(ctx context.Context) (buckets []keystile.RGWBucket, objects int64, err error) {
	if p.as.User.AtCeph() {
		list, err := p.homes.Buckets(ctx, p.as.User)
		for _, b := range list {
			objects += b.Objects
		}
		return atCeph(list), objects, err
	}
	err = p.store.Read(ctx, func(tx store.Tx) error {
		if buckets, err = tx.RGWBuckets(p.as.User.ID); err != nil {
			return err
		}
		usages, err := tx.BucketUsages()
		objects = counted(buckets, usages)
		return err
	})
	return buckets, objects, err
}

// counted adds up what is known of buckets; -1 if one has not been counted.
func counted(owned []keystile.RGWBucket, usages []keystile.UsageRecord) (objects int64) {
	known := make(map[keystile.Bucket]int64, len(usages))
	for _, u := range usages {
		if !u.CountedAt.IsZero() {
			known[u.Bucket] = u.Used.Objects
		}
	}
	for _, b := range owned {
		n, is := known[b.Bucket]
		if !is || objects < 0 {
			objects = -1
			continue
		}
		objects += n
	}
	return objects
}
