package keystile

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Ability is something that a backend can be proven to do. What is not proven,
// or was proven too long ago, is taken for something that it does not do.
type Ability uint8

// The abilities. A write that is refused must leave what was there before; all
// are tried with PutObject and with UploadPart.
const (
	// KeepsKeys: it stores keys byte by byte and resolves no ".", ".." or empty
	// segments.
	KeepsKeys Ability = iota
	// StoresOnlyWhole: a body that is cut off before its declared length is not
	// stored.
	StoresOnlyWhole
	// ChecksDigest: it refuses a body that does not match x-amz-content-sha256.
	ChecksDigest
	// ChecksMD5: it refuses a body that does not match Content-MD5.
	ChecksMD5
	// ReadsTrailers: it takes STREAMING-UNSIGNED-PAYLOAD-TRAILER with a
	// Content-Length and refuses a wrong trailer, a wrong decoded length and a
	// cut body.
	ReadsTrailers
	// The kinds of x-amz-checksum-*: it refuses a wrong one, gives a right one
	// back, and completes an upload by those of its parts.
	ChecksCRC32
	ChecksCRC32C
	ChecksCRC64NVME
	ChecksSHA1
	ChecksSHA256
	ChecksSHA512
	ChecksChecksumMD5
	ChecksXXHASH64
	ChecksXXHASH3
	ChecksXXHASH128
	// IfNoneMatch and IfMatch: PutObject heeds these conditions.
	IfNoneMatch
	IfMatch
	// ConditionalComplete: CompleteMultipartUpload heeds If-None-Match.
	ConditionalComplete
	// CompleteIfMatch, CopyIfNoneMatch, CopyIfMatch and DeleteIfMatch: the same of
	// these operations. DeletesIfMatch: DeleteObjects heeds the ETag of an entry.
	CompleteIfMatch
	CopyIfNoneMatch
	CopyIfMatch
	DeleteIfMatch
	DeletesIfMatch
	// VirtualHosts: it knows a bucket by the host's name.
	VirtualHosts
	// NoOwnNames: it serves nothing of its own under the names that are reserved
	// for that.
	NoOwnNames
	// KeepsChecksums: it keeps an x-amz-checksum-* of the usual kinds that a
	// PutObject has in a header, and gives it back, whether it verifies it or not.
	KeepsChecksums

	abilities // how many there are
)

// Verdict is what a probe found about an ability.
type Verdict uint8

// The verdicts. Unknown means no.
const (
	Unknown Verdict = iota
	No
	Yes
)

func (v Verdict) String() string { return [...]string{"unknown", "no", "yes"}[v] }

// Finding is a verdict and when it was found.
type Finding struct {
	Verdict Verdict
	At      time.Time
	// Note says more in words for an admin: why it is unknown, or what was seen.
	Note string
}

// Abilities are the findings about a backend, by ability.
type Abilities [abilities]Finding

// abilityNames are the names in the API and in the store.
var abilityNames = [abilities]string{
	"keeps_keys", "stores_only_whole", "checks_digest", "checks_md5", "trailers",
	"checksum_crc32", "checksum_crc32c", "checksum_crc64nvme", "checksum_sha1", "checksum_sha256", "checksum_sha512", "checksum_md5",
	"checksum_xxhash64", "checksum_xxhash3", "checksum_xxhash128",
	"if_none_match", "if_match", "conditional_complete", "complete_if_match",
	"copy_if_none_match", "copy_if_match", "delete_if_match", "delete_objects_if_match", "virtual_hosts", "no_own_names", "keeps_checksums",
}

// String is the ability's name in the API.
func (a Ability) String() string { return abilityNames[a] }

// AllAbilities lists every ability, in the order in which they are shown.
func AllAbilities() []Ability {
	all := make([]Ability, abilities)
	for i := range all {
		all[i] = Ability(i)
	}
	return all
}

// ChecksumAbility finds the ability of a checksum algorithm by its S3 name in
// any case, such as "CRC32C".
func ChecksumAbility(algorithm string) (Ability, bool) {
	name := "checksum_" + strings.ToLower(algorithm)
	for a := ChecksCRC32; a <= ChecksXXHASH128; a++ {
		if abilityNames[a] == name {
			return a, true
		}
	}
	return 0, false
}

// Proven reports whether an ability was found less than ProbeTTL before now. A
// finding from the future, by more than an hour, is none.
func (f Finding) Proven(now time.Time) bool { return f.Verdict == Yes && f.inForce(now) }

func (f Finding) inForce(now time.Time) bool {
	age := now.Sub(f.At)
	return f.Verdict != Unknown && age < ProbeTTL && age > -time.Hour
}

// InForce returns what still holds: findings that are too old are unknown.
func (a Abilities) InForce(now time.Time) Abilities {
	for i := range a {
		if !a[i].inForce(now) {
			a[i].Verdict, a[i].At = Unknown, time.Time{}
		}
	}
	return a
}

// Renew takes over what a newer probe found. What that left unknown keeps its
// verdict as long as it lasts, but not its note.
func (a *Abilities) Renew(newer Abilities) {
	for i, f := range newer {
		if f.Verdict != Unknown {
			a[i] = f
		} else if f.Note != "" {
			a[i].Note = f.Note
		}
	}
}

// storedFinding is a finding in JSON, with its time in microseconds.
type storedFinding struct {
	Verdict string `json:"verdict"`
	At      int64  `json:"at,omitempty"`
	Note    string `json:"note,omitempty"`
}

// MarshalJSON writes the findings by name, as the store keeps them.
func (a Abilities) MarshalJSON() ([]byte, error) {
	stored := map[string]storedFinding{}
	for i, f := range a {
		if f != (Finding{}) {
			s := storedFinding{Verdict: f.Verdict.String(), Note: f.Note}
			if !f.At.IsZero() {
				s.At = f.At.UnixMicro()
			}
			stored[abilityNames[i]] = s
		}
	}
	return json.Marshal(stored)
}

// UnmarshalJSON reads what MarshalJSON wrote. Names and verdicts that it does
// not know, of another version, are left out.
func (a *Abilities) UnmarshalJSON(data []byte) error {
	var stored map[string]storedFinding
	if err := json.Unmarshal(data, &stored); err != nil {
		return fmt.Errorf("abilities: %w", err)
	}
	*a = Abilities{}
	for i, name := range abilityNames {
		s, ok := stored[name]
		if !ok {
			continue
		}
		f := Finding{Note: s.Note}
		for _, v := range []Verdict{No, Yes} {
			if s.Verdict == v.String() {
				f.Verdict = v
			}
		}
		if s.At != 0 {
			f.At = time.UnixMicro(s.At).UTC()
		}
		a[i] = f
	}
	return nil
}
