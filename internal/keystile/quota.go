package keystile

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// NoCap in a cap stands for none.
const NoCap int64 = -1

// Amount is what is or may be stored: bytes and objects. In a versioned bucket
// every version is an object; delete markers are none, parts of an upload are
// bytes alone.
type Amount struct{ Bytes, Objects int64 }

// Plus adds, without going beyond what an int64 holds.
func (a Amount) Plus(b Amount) Amount {
	return Amount{addBounded(a.Bytes, b.Bytes), addBounded(a.Objects, b.Objects)}
}

// Minus subtracts.
func (a Amount) Minus(b Amount) Amount { return Amount{a.Bytes - b.Bytes, a.Objects - b.Objects} }

// Floor raises what is below zero to zero.
func (a Amount) Floor() Amount { return Amount{max(a.Bytes, 0), max(a.Objects, 0)} }

// Within reports whether neither is more than in b.
func (a Amount) Within(b Amount) bool { return a.Bytes <= b.Bytes && a.Objects <= b.Objects }

func addBounded(a, b int64) int64 {
	if a > 0 && b > math.MaxInt64-a {
		return math.MaxInt64
	}
	return a + b
}

// BucketQuota is what may be stored in one bucket. A bucket that has one is
// counted, whether or not it has caps.
type BucketQuota struct {
	Bucket Bucket
	// Soft and Hard are caps; NoCap in a field stands for none. Above a soft one
	// writes pass with a warning, above a hard one none does.
	Soft, Hard Amount
	// TrackedAt is since when the bucket is counted.
	TrackedAt time.Time
	UpdatedAt time.Time
}

// Capped reports whether there is any hard cap.
func (q *BucketQuota) Capped() bool { return q.Hard.Bytes != NoCap || q.Hard.Objects != NoCap }

// Check validates the caps.
func (q *BucketQuota) Check() error {
	var faults Faults
	for _, c := range []struct {
		name       string
		soft, hard int64
	}{{"bytes", q.Soft.Bytes, q.Hard.Bytes}, {"objects", q.Soft.Objects, q.Hard.Objects}} {
		if c.soft < NoCap {
			faults.Add("soft_"+c.name, "must not be negative")
		}
		if c.hard < NoCap {
			faults.Add("hard_"+c.name, "must not be negative")
		}
		if c.soft >= 0 && c.hard >= 0 && c.soft > c.hard {
			faults.Add("soft_"+c.name, "must not be above the hard cap")
		}
	}
	return faults.Err()
}

// OwnedBucket is a bucket of an RGW user whose home is the gateway.
type OwnedBucket struct {
	Bucket Bucket
	Owner  string // the user's id
	// MaxBytes is what all buckets of the owner may hold together; NoCap: no bound.
	MaxBytes int64
}

// UsageRecord is what the store knows of a bucket's usage. While a process runs,
// what it lets be stored never goes beyond the sum of Used, Unknown and Leased:
// if it dies, all of that counts until the bucket has been counted anew.
type UsageRecord struct {
	Bucket    Bucket
	TrackedAt time.Time // that of the BucketQuota it belongs to
	Used      Amount
	Parts     int64  // bytes of Used that are parts of uploads; -1: not known
	Unknown   Amount // of writes whose outcome was never learnt
	Leased    Amount // that a running process may add without asking
	// UnknownUntil is until when a write in Unknown may still take effect. A count
	// that begins later settles them.
	UnknownUntil time.Time
	CountedAt    time.Time // when the last count began; zero: never counted
	Drift        Amount    // what the last count found more than was known
	OverSoft     bool      // the crossing of a soft cap was told
	Recount      bool      // something could not be credited
	// Scan is how far a count has come that is under way; nil: none, or none that can
	// be gone on with.
	Scan *ScanPosition
}

// ScanPosition is where a count of a bucket goes on after a restart. It is true
// together with the UsageRecord that has it.
type ScanPosition struct {
	StartedAt time.Time
	Sum       Amount // what was counted, with what changed since
	Parts     int64  // bytes of Sum that are parts of uploads
	Seen      Amount
	Pages     int64
	LastKey   string      // up to it all is counted
	Next      VersionMark // where the listing goes on
}

// Usage is a bucket's usage at one moment.
type Usage struct {
	Used, Unknown, Reserved Amount
	CountedAt               time.Time // zero: never counted
	Drift                   Amount
	Recount                 bool
	Scan                    *ScanProgress // nil: none is under way
	ScanError               string        // why the last one failed; empty if it did not
}

// Total is all that counts against a cap.
func (u *Usage) Total() Amount { return u.Used.Plus(u.Unknown).Plus(u.Reserved) }

// ScanProgress tells how far a count of a bucket has come.
type ScanProgress struct {
	StartedAt time.Time
	Seen      Amount
	Pages     int64
	LastKey   string
	Resumed   bool // it began before the last restart
}

// StoredVersion is one version of an object, as a listing has it; in a bucket
// without versions its VersionID is "null".
type StoredVersion struct {
	Key, VersionID string
	Size           int64
}

// VersionPage is one page of all that a bucket holds.
type VersionPage struct {
	Versions []StoredVersion
	Markers  []StoredVersion // delete markers
	// LastKey is the greatest name of the page, delete markers among them.
	LastKey string
	Next    *VersionMark // nil on the last page
}

// VersionMark is where the next page begins.
type VersionMark struct {
	Key, VersionID string // after which
	// Plain: the backend lists no versions; Token continues its plain listing.
	Plain bool
	Token string
}

// PendingUpload is an upload in parts that is neither completed nor aborted.
type PendingUpload struct{ Key, UploadID string }

// UploadMark is where the next page of uploads begins.
type UploadMark struct{ Key, UploadID string }

// sizeUnits are the suffixes of sizes: binary with an i, decimal without.
var sizeUnits = map[string]int64{
	"": 1, "b": 1, "k": 1e3, "kb": 1e3, "m": 1e6, "mb": 1e6, "g": 1e9, "gb": 1e9, "t": 1e12, "tb": 1e12, "p": 1e15, "pb": 1e15,
	"ki": 1 << 10, "kib": 1 << 10, "mi": 1 << 20, "mib": 1 << 20, "gi": 1 << 30, "gib": 1 << 30, "ti": 1 << 40, "tib": 1 << 40, "pi": 1 << 50, "pib": 1 << 50,
}

var sizePattern = regexp.MustCompile(`^([0-9]{1,18})(\.[0-9]{1,6})?\s*([A-Za-z]{0,3})$`)

// ParseSize reads a size in bytes: a plain number, or one with a unit, such as
// "10GiB" (2^30) or "1.5GB" (10^9). A part of a byte is cut off.
func ParseSize(text string) (int64, error) {
	m := sizePattern.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return 0, fmt.Errorf("%q is not a size, such as 1048576, 512MiB or 10GiB: %w", text, ErrInvalid)
	}
	unit, ok := sizeUnits[strings.ToLower(m[3])]
	if !ok {
		return 0, fmt.Errorf("%q has an unknown unit: use KiB, MiB, GiB, TiB or KB, MB, GB, TB: %w", text, ErrInvalid)
	}
	whole, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil || whole > math.MaxInt64/unit-1 {
		return 0, fmt.Errorf("%q is too large: %w", text, ErrInvalid)
	}
	size := whole * unit
	if m[2] != "" {
		part, err := strconv.ParseFloat("0"+m[2], 64)
		if err != nil {
			return 0, fmt.Errorf("%q is not a size: %w", text, ErrInvalid)
		}
		size += int64(part * float64(unit))
	}
	return size, nil
}

// FormatSize writes a size with a binary unit and at most two decimals. What the
// unit would hide of it stays out: ParseSize of it is near, not the same.
func FormatSize(n int64) string {
	if n < 1<<10 && n > -1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n), ""
	for _, unit = range []string{"KiB", "MiB", "GiB", "TiB", "PiB"} {
		if value /= 1 << 10; math.Abs(value) < 1<<10 {
			break
		}
	}
	text := strings.TrimRight(strings.TrimRight(strconv.FormatFloat(value, 'f', 2, 64), "0"), ".")
	return text + " " + unit
}
