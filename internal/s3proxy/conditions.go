package s3proxy

import (
	"keystile/internal/keystile"
	"keystile/internal/s3wire"
)

// heeds says which ability makes a backend heed a condition of an operation. A
// condition that is not here is heeded by nobody.
var heeds = map[string]map[string]keystile.Ability{
	s3wire.OpPutObject:  {"If-None-Match": keystile.IfNoneMatch, "If-Match": keystile.IfMatch},
	s3wire.OpPostObject: {"If-None-Match": keystile.IfNoneMatch, "If-Match": keystile.IfMatch},
	s3wire.OpCopyObject: {"If-None-Match": keystile.CopyIfNoneMatch, "If-Match": keystile.CopyIfMatch},
	s3wire.OpCompleteMultipartUpload: {
		"If-None-Match": keystile.ConditionalComplete, "If-Match": keystile.CompleteIfMatch,
	},
	s3wire.OpDeleteObject: {"If-Match": keystile.DeleteIfMatch},
}

// conditions are the headers that a change may be made to depend on.
var conditions = []string{"If-None-Match", "If-Match", "If-Modified-Since", "If-Unmodified-Since"}

// checkConditions refuses a change that is to depend on a condition which the
// backend is not proven to heed: it might be made all the same.
func (x *exchange) checkConditions() error {
	if !x.req.Op.Mutates() {
		return nil
	}
	op := x.req.Op.Name
	abilities := heeds[op]
	if x.copiesAcross() {
		abilities = heeds[s3wire.OpPutObject] // which it is to the backend
	}
	for _, name := range conditions {
		if x.req.Header.Get(name) == "" {
			continue
		}
		ability, known := abilities[name]
		if !known || !x.heeds(ability) {
			return s3wire.NotImplemented.With("This bucket's backend is not proven to heed %s with %s.", name, op)
		}
	}
	return nil
}

// checkDeleteConditions does the same for what is said of single objects in a
// DeleteObjects. Times and sizes are heeded in directory buckets alone (S3 API
// Reference, ObjectIdentifier).
func (x *exchange) checkDeleteConditions(asked s3wire.DeleteRequest) error {
	for _, o := range asked.Objects {
		switch {
		case o.LastModifiedTime != "" || o.Size != "":
			return s3wire.NotImplemented.With("This bucket's backend is not proven to heed LastModifiedTime and Size with %s.", x.req.Op.Name)
		case o.ETag != "" && !x.heeds(keystile.DeletesIfMatch):
			return s3wire.NotImplemented.With("This bucket's backend is not proven to heed ETag with %s.", x.req.Op.Name)
		}
	}
	return nil
}

func (x *exchange) heeds(a keystile.Ability) bool {
	x.await(x.backend, a)
	return x.backend.Can(a)
}
