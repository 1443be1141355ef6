package main

import (
	"testing"
	"time"

	"keystile/internal/client"
)

func TestJobText(t *testing.T) {
	for _, tt := range []struct {
		name string
		job  client.RGWJob
		took time.Duration
		want string
	}{
		{"one that began just now has no rate", client.RGWJob{State: "running", Buckets: 4, BucketsLeft: 4}, 0,
			"running: 0 of 4 buckets deleted, with 0 objects"},
		{"before a bucket is done nobody knows how long", client.RGWJob{State: "running", Buckets: 4, BucketsLeft: 4, ObjectsDeleted: 900}, 9 * time.Second,
			"running: 0 of 4 buckets deleted, with 900 objects, 100 objects/s"},
		{"the others take as long as those that are done", client.RGWJob{State: "running", Buckets: 4, BucketsLeft: 3, ObjectsDeleted: 900}, 9 * time.Second,
			"running: 1 of 4 buckets deleted, with 900 objects, 100 objects/s, about 27s left"},
		{"one that is over has no time left", client.RGWJob{State: "cancelled", Buckets: 4, BucketsLeft: 3, ObjectsDeleted: 900}, 9 * time.Second,
			"cancelled: 1 of 4 buckets deleted, with 900 objects, 100 objects/s"},
		{"why it waits is said, and steers no terminal", client.RGWJob{State: "running", Buckets: 1, BucketsLeft: 1, Message: "no\x1b[2J answer"}, 0,
			`running: 0 of 1 buckets deleted, with 0 objects. It waits: no\x1b[2J answer`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.job.CreatedAt = time.Unix(0, 0)
			tt.job.UpdatedAt = tt.job.CreatedAt.Add(tt.took)
			if got := jobText(tt.job); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
