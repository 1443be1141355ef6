package s3proxy

import (
	"keystile/internal/keystile"
	"keystile/internal/s3wire"
)

// A bucket with the ACL public-read opens to other RGW users of its backend what
// it opens to everybody. Credentials stay within their grants.

// findPublic finds another user's bucket that everybody may read. denied is the
// answer where there is none.
func (x *exchange) findPublic(name string, denied error) (keystile.Place, error) {
	u := x.rgwUser()
	if u == nil || !x.readsPublic() {
		return keystile.Place{}, denied
	}
	bucket := keystile.Bucket{Backend: u.Backend, Name: name}
	lease, err := x.p.Keys.Public(x.lease, bucket)
	if err != nil {
		return keystile.Place{}, err
	}
	x.admit(lease)
	x.public = append(x.public, bucket)
	return keystile.Place{Bucket: bucket}, nil
}

// readsPublic reports whether the operation reads what everybody may read: also
// the source of a copy, but never an old version, which its owner has replaced
// or deleted.
func (x *exchange) readsPublic() bool {
	if x.req.Source != nil {
		return x.req.Source.VersionID == ""
	}
	return x.req.Op.Callers&s3wire.Anonymous != 0 && !x.req.Query.Has("versionId")
}

// publicCovers reports whether a public bucket opens the need.
func (x *exchange) publicCovers(n keystile.Need) bool {
	for _, bucket := range x.public {
		if (keystile.Grant{Bucket: bucket, Permission: keystile.Read | keystile.List}).Allows(n) {
			return true
		}
	}
	return false
}
