package main

import (
	"testing"

	"keystile/internal/client"
)

func TestJobText(t *testing.T) {
	rate, left, none := 100.4, int64(27), int64(0)
	for _, tt := range []struct {
		name string
		job  client.RGWJob
		want string
	}{
		{"one that began just now has no rate", client.RGWJob{State: "running", Buckets: 4, BucketsLeft: 4},
			"running: 0 of 4 buckets deleted, with 0 objects"},
		{"objects that nobody has counted have a rate and no end", client.RGWJob{State: "running", Buckets: 4, BucketsLeft: 4, ObjectsDeleted: 900, ObjectsPerSecond: &rate},
			"running: 0 of 4 buckets deleted, with 900 objects, 100 objects/s"},
		{"what the server estimates is told", client.RGWJob{State: "running", Buckets: 4, BucketsLeft: 3, ObjectsDeleted: 900, ObjectsPerSecond: &rate, SecondsLeft: &left},
			"running: 1 of 4 buckets deleted, with 900 objects, 100 objects/s, about 27s left"},
		{"nothing left is told too", client.RGWJob{State: "running", Buckets: 4, BucketsLeft: 1, ObjectsDeleted: 900, ObjectsPerSecond: &rate, SecondsLeft: &none},
			"running: 3 of 4 buckets deleted, with 900 objects, 100 objects/s, about 0s left"},
		{"one that is over has no rate", client.RGWJob{State: "cancelled", Buckets: 4, BucketsLeft: 3, ObjectsDeleted: 900},
			"cancelled: 1 of 4 buckets deleted, with 900 objects"},
		{"why it waits is said, and steers no terminal", client.RGWJob{State: "running", Buckets: 1, BucketsLeft: 1, Message: "no\x1b[2J answer"},
			`running: 0 of 1 buckets deleted, with 0 objects. It waits: no\x1b[2J answer`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := jobText(tt.job); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
