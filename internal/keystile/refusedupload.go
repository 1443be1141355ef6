package keystile

import "time"

// RefusedUpload is an upload in parts of which a quota refused something that has not
// been stored since.
type RefusedUpload struct {
	Bucket Bucket
	PendingUpload
	// Parts are the numbers of the parts that were refused, ascending; 0 stands for
	// the upload's completion.
	Parts []int
	// AccessKeyID is of the key that was refused first.
	AccessKeyID string
	// UserID is the RGW user whose own key signs what goes to its Ceph; empty: the
	// backend's key does.
	UserID    string
	RefusedAt time.Time // the first time
	HeardAt   time.Time // the last time that anybody wrote to the upload
}
