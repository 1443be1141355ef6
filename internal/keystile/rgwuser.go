package keystile

import (
	"strings"
	"time"
)

// RGWUser is an S3 identity of a project: it owns buckets, has one key pair and
// one size quota. On a Ceph it is a user there; on any other backend the gateway
// is its home.
type RGWUser struct {
	ID        string // UUID
	Name      string // unique in the project
	ProjectID string
	BackendID string
	// UID is the user's at the Ceph; empty where the gateway is its home.
	UID     string
	Adopted bool // its UID was there before it was managed here
	// AccessKeyID never changes: only the secret is renewed.
	AccessKeyID string
	State       RGWState
	Status      Status // StatusActive or StatusDisabled
	// Locked guards renewal and deletion. It never keeps the key from working.
	Locked     bool
	LockReason string
	Quota      SizeQuota

	CreatedAt    time.Time
	UpdatedAt    time.Time
	KeyRenewedAt time.Time // when the secret was made
	DeletedAt    time.Time // zero: it is there
	Generation   int64
}

// RGWState says how far a user's making or unmaking has come.
type RGWState string

// The states. One that is being made or deleted opens nothing.
const (
	RGWCreating RGWState = "creating"
	RGWLive     RGWState = "live"
	RGWDeleting RGWState = "deleting"
)

// Works reports whether the user's key opens anything.
func (u *RGWUser) Works() bool {
	return u.State == RGWLive && u.Status == StatusActive && u.DeletedAt.IsZero()
}

// AtCeph reports whether a Ceph is the user's home.
func (u *RGWUser) AtCeph() bool { return u.UID != "" }

// RGWUID is the Ceph uid of a user that is made here.
func RGWUID(id string) string { return "ks-" + id }

// RGWSecrets are a user's. A pending one is known here before the Ceph knows it,
// so that a renewal which is cut off loses neither.
type RGWSecrets struct {
	Current Secret
	Pending Secret
}

// UnlimitedSize as a quota's size bounds nothing.
const UnlimitedSize int64 = -1

// maxSizeKB keeps a quota in bytes within 63 bits.
const maxSizeKB = 1 << 52

// SizeQuota bounds what a user's buckets hold together. One that is not enabled
// keeps its number and bounds nothing.
type SizeQuota struct {
	MaxSizeKB int64 // KiB; UnlimitedSize: no bound
	Enabled   bool
}

// MaxBytes is the bound in bytes; NoCap if there is none.
func (q SizeQuota) MaxBytes() int64 {
	if !q.Enabled || q.MaxSizeKB == UnlimitedSize {
		return NoCap
	}
	return q.MaxSizeKB << 10
}

// Check bounds the number.
func (q SizeQuota) Check(faults *Faults) {
	if q.MaxSizeKB < UnlimitedSize || q.MaxSizeKB > maxSizeKB {
		faults.Add("quota.max_size_kb", "must be -1 (unlimited) or lie between 0 and %d", int64(maxSizeKB))
	}
}

// Bounds of the texts of an RGW user.
const (
	MaxRGWNameRunes    = 64
	MaxLockReasonRunes = 256
)

// CheckRGWName bounds a user's name.
func CheckRGWName(name string, faults *Faults) {
	before := len(*faults)
	CheckText("name", name, MaxRGWNameRunes, faults)
	if len(*faults) == before && strings.TrimSpace(name) != name {
		faults.Add("name", "must not begin or end with a blank")
	}
}

// RGWBucket is a bucket of a user whose home is the gateway. A Ceph keeps the
// owners of its buckets itself.
type RGWBucket struct {
	Bucket    Bucket
	UserID    string
	ACL       string // canned
	Made      bool   // the backend has confirmed it
	Ending    bool   // it was told to delete it: it may be gone; only with Made
	CreatedAt time.Time
}

// The canned ACLs that buckets of RGW users can have.
const (
	ACLPrivate           = "private"
	ACLPublicRead        = "public-read"
	ACLPublicReadWrite   = "public-read-write"
	ACLAuthenticatedRead = "authenticated-read"
)

// RGWIdentity marks a credential as the key of an RGW user.
type RGWIdentity struct {
	UserID  string
	Backend string
	// Ceph: the backend knows the user and decides what it may; its requests are
	// signed on with its own key.
	Ceph bool
}

// RGWJob is the deletion of a user with all that it owns.
type RGWJob struct {
	ID      string
	UserID  string
	State   JobState
	Account string // name of who asked
	TokenID string // that it was asked with; empty: none
	// Buckets is how many there were, BucketsLeft how many still are; Objects is
	// how many versions of objects were deleted so far.
	Buckets, BucketsLeft int
	Objects              int64
	Message              string // why it stands still
	CreatedAt, UpdatedAt time.Time
	Pace                 *Pace // while this process is at it; it is not stored
}

// JobState says how far a job has come.
type JobState string

// The states of a job. One that is running goes on after a restart.
const (
	JobRunning    JobState = "running"
	JobCancelling JobState = "cancelling"
	JobDone       JobState = "done"
	JobCancelled  JobState = "cancelled"
)

// Over reports whether nothing more is done for the job.
func (s JobState) Over() bool { return s != JobRunning && s != JobCancelling }

// rgwGrant is all that a user may do in a bucket of its own.
const rgwGrant = Read | List | Write | Delete

// Credential is the user's key as the gateway knows it. Where the gateway is its
// home its buckets are its grants; a Ceph decides for itself.
func (u *RGWUser) Credential(buckets []RGWBucket) Credential {
	c := Credential{
		AccessKeyID: u.AccessKeyID, Description: u.Name, CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt, RotatedAt: u.KeyRenewedAt,
		Generation: u.Generation, RGW: &RGWIdentity{UserID: u.ID, Backend: u.BackendID, Ceph: u.AtCeph()},
	}
	switch {
	case !u.DeletedAt.IsZero() || u.State != RGWLive:
		c.RevokedAt = u.UpdatedAt
	case u.Status != StatusActive:
		c.DisabledAt = u.UpdatedAt
	}
	for _, b := range buckets {
		if b.Made {
			c.Grants = append(c.Grants, Grant{Bucket: b.Bucket, Permission: rgwGrant})
		}
	}
	return c
}

// RGWHome is what the home of a user says of it.
type RGWHome struct {
	Secret    Secret // of the user's access key; zero: it has no such key there
	Name      string
	Suspended bool
	Quota     SizeQuota
	Bytes     int64
	Objects   int64
}

// SizeKB is the size in KiB, rounded up, as Ceph counts it.
func (h RGWHome) SizeKB() int64 { return (h.Bytes + 1023) / 1024 }

// RGWBucketInfo is a bucket of a user with what it holds.
type RGWBucketInfo struct {
	Bucket    Bucket
	Owner     string // the user's id here, or the uid of another at the Ceph
	CreatedAt time.Time
	Bytes     int64
	Objects   int64
}
