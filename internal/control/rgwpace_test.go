package control

import (
	"testing"
	"time"

	"keystile/internal/keystile"
)

func TestCountedBuckets(t *testing.T) {
	bucket := func(name string) keystile.RGWBucket {
		return keystile.RGWBucket{Bucket: keystile.Bucket{Backend: "main", Name: name}}
	}
	usage := func(name string, objects int64, at time.Time) keystile.UsageRecord {
		return keystile.UsageRecord{Bucket: bucket(name).Bucket, Used: keystile.Amount{Objects: objects}, CountedAt: at}
	}
	then := time.Unix(1_800_000_000, 0)
	for _, tt := range []struct {
		name   string
		owned  []keystile.RGWBucket
		usages []keystile.UsageRecord
		want   int64
	}{
		{"a user without buckets has nothing", nil, []keystile.UsageRecord{usage("other", 5, then)}, 0},
		{"only the user's own are added up", []keystile.RGWBucket{bucket("a"), bucket("b")}, []keystile.UsageRecord{usage("a", 2, then), usage("b", 3, then), usage("other", 5, then)}, 5},
		{"one that nobody watches is not guessed", []keystile.RGWBucket{bucket("a"), bucket("b")}, []keystile.UsageRecord{usage("b", 3, then)}, -1},
		{"one that was never counted is not guessed", []keystile.RGWBucket{bucket("a"), bucket("b")}, []keystile.UsageRecord{usage("a", 2, time.Time{}), usage("b", 3, then)}, -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			objects := counted(tt.owned, tt.usages)
			if objects != tt.want {
				t.Errorf("%d objects, want %d", objects, tt.want)
			}
		})
	}
}

func TestAJobHasAPaceWhileItIsAtWork(t *testing.T) {
	j := newJobs()
	job := keystile.RGWJob{ID: "one"}
	if got := j.paced(job); got.Pace != nil {
		t.Errorf("before it began: %+v", got.Pace)
	}
	began := time.Unix(1_800_000_000, 0)
	j.begins("one", keystile.Pace{Since: began, Found: 10})
	j.begins("other", keystile.Pace{Since: began, Found: 99})
	j.deleted("one", 3)
	j.deleted("one", 4)
	if got := j.paced(job).Pace; got == nil || *got != (keystile.Pace{Since: began, Deleted: 7, Found: 10}) {
		t.Errorf("at work: %+v", got)
	}
}
