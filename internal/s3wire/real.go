package s3wire

import (
	"maps"
	"net/url"

	"keystile/internal/keystile"
)

// Real is a request in the backend's names. Where the client's are the same it
// shares them with the Request.
type Real struct {
	Bucket keystile.Bucket
	// Hidden begins every real key of the bucket; the client does not see it.
	Hidden string
	Key    string
	// Query has the prefix and the markers as the backend knows them, but the
	// continuation token as the client sent it.
	Query url.Values
	// FromStart: a listing from the bucket's beginning. Its marker was added, so
	// that the key that equals Hidden, which has no name for the client, is not
	// listed.
	FromStart bool
	// Source and SourceKey are what a copy reads.
	Source    keystile.Bucket
	SourceKey string
}

// Resolver finds what the bucket name that a client uses stands for.
type Resolver func(clientName string) (keystile.Place, error)

// Resolve maps every name of a request to the backend's, once. It is for
// operations on buckets and objects. Keys that would be too long for the backend
// are KeyTooLong.
func (r *Request) Resolve(find Resolver) (Real, error) {
	place, err := find(r.Bucket)
	if err != nil {
		return Real{}, err
	}
	real := Real{Bucket: place.Bucket, Hidden: place.Hidden, Query: r.Query}
	if r.Key != "" {
		if real.Key, err = RealKey(place, r.Key); err != nil {
			return real, err
		}
	}
	if place.Hidden != "" && r.Op.Listing() {
		real.hide(r.Op)
	}
	if r.Source == nil {
		return real, nil
	}
	source, err := find(r.Source.Bucket)
	if err != nil {
		return real, err
	}
	real.Source = source.Bucket
	real.SourceKey, err = RealKey(source, r.Source.Key)
	return real, err
}

// RealKey is the backend's name for a client's key. The two share the room that
// a key has.
func RealKey(place keystile.Place, key string) (string, error) {
	if len(place.Hidden)+len(key) > keystile.MaxKeyBytes {
		return "", KeyTooLong.With("The key is longer than %d bytes.", keystile.MaxKeyBytes-len(place.Hidden))
	}
	return place.Hidden + key, nil
}

// hide puts the hidden beginning in front of the names in a listing's query.
func (real *Real) hide(op *Operation) {
	real.Query = maps.Clone(real.Query)
	prefix, marker := real.Query.Get("prefix"), markerOf(op)
	real.Query.Set("prefix", real.Hidden+prefix)
	if after := real.Query.Get(marker); after != "" {
		real.Query.Set(marker, real.Hidden+after)
		return
	}
	for _, further := range []string{"continuation-token", "upload-id-marker", "version-id-marker"} {
		if real.Query.Has(further) {
			return // from where it goes on is said elsewhere
		}
	}
	if prefix == "" {
		real.Query.Set(marker, real.Hidden)
		real.FromStart = true
	}
}

// markerOf is the parameter after whose key a listing begins.
func markerOf(op *Operation) string {
	switch op.Name {
	case OpListObjects:
		return "marker"
	case OpListObjectsV2:
		return "start-after"
	}
	return "key-marker"
}

// Needs names every right that the request asks for: on its own bucket and key
// or prefix, and on its copy source. The keys of a multi-delete are not among
// them, they have their own answers; nor is bypassing retention for them, which
// is a right on keys. A service operation needs nothing.
func (r *Request) Needs(real Real) []keystile.Need {
	if r.Op.Level == Service {
		return nil
	}
	needs := []keystile.Need{r.ownNeed(real)}
	if r.BypassGovernance && r.Op.Level == Object {
		bypass := needs[0]
		bypass.Permission = keystile.BypassGovernance
		needs = append(needs, bypass)
	}
	if r.NeedsACL() {
		acl := needs[0]
		acl.Permission = keystile.ACL
		needs = append(needs, acl)
	}
	if r.Source == nil {
		return needs
	}
	return append(needs, keystile.Need{Permission: keystile.Read, Bucket: real.Source, Target: keystile.TargetObject, Name: real.SourceKey})
}

func (r *Request) ownNeed(real Real) keystile.Need {
	need := keystile.Need{Permission: r.Op.Permission, Bucket: real.Bucket}
	switch {
	case r.Op.Level == Object:
		need.Target, need.Name = keystile.TargetObject, real.Key
	case r.Op.Listing():
		need.Target, need.Name = keystile.TargetPrefix, real.Query.Get("prefix")
	default:
		need.Target = keystile.TargetBucket
	}
	return need
}
