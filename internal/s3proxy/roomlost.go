package s3proxy

import (
	"keystile/internal/quota"
	"keystile/internal/s3wire"
)

// doubt is what the mutation would have changed, for when nobody knows whether it
// did.
func (x *exchange) doubt() quota.Doubt {
	key, id := x.real.Key, x.real.Query.Get("uploadId")
	switch x.req.Op.Name {
	case s3wire.OpDeleteObjects:
		return quota.Doubt{} // many keys
	case s3wire.OpDeleteObject:
		return quota.Doubt{Key: key, Version: x.real.Query.Get("versionId")}
	case s3wire.OpAbortMultipartUpload:
		return quota.Doubt{Key: key, UploadID: id, Parts: x.room.parts}
	case s3wire.OpCompleteMultipartUpload:
		return quota.Doubt{Key: key, UploadID: id, Parts: x.room.parts, Stores: true, Size: partsSum(x.room.parts)}
	case s3wire.OpUploadPart, s3wire.OpUploadPartCopy:
		return quota.Doubt{Key: key, UploadID: id, Part: partNumber(x.real.Query.Get("partNumber")), Stores: true, Size: x.room.size}
	}
	return quota.Doubt{Key: key, Stores: true, Size: x.room.size}
}

// partsSum is the size of the object that all parts become.
func partsSum(parts map[int]int64) (sum int64) {
	for _, size := range parts {
		sum += size
	}
	return sum
}
