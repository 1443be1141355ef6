package s3proxy

import (
	"bytes"

	"keystile/internal/keystile"
	"keystile/internal/payload"
	"keystile/internal/s3wire"
)

// entrustParts takes the checksums of parts out of a completion where the
// backend does not know them: each was verified with its part. A backend that
// knows the kind but no trailers was not told of those that came in the trailers
// of long parts, and would not find them: it is asked which ones it has.
func (x *exchange) entrustParts(canonical []byte) ([]byte, error) {
	if !bytes.Contains(canonical, []byte("<Checksum")) {
		return canonical, nil
	}
	unknown := func(_ int, algorithm string) bool { return !x.knows(algorithm) }
	if x.backend.Can(keystile.ReadsTrailers) || !x.namesKnown(canonical) {
		return s3wire.WithoutPartChecksums(canonical, unknown)
	}
	upload := keystile.PendingUpload{Key: x.real.Key, UploadID: x.real.Query.Get("uploadId")}
	kept, err := x.backend.PartChecksums(x.context(), x.bucket.Name, upload)
	if err != nil {
		// What is wrong, the completion itself will tell.
		return s3wire.WithoutPartChecksums(canonical, unknown)
	}
	return s3wire.WithoutPartChecksums(canonical, func(part int, algorithm string) bool {
		return !x.knows(algorithm) || kept[part][algorithm] == ""
	})
}

// namesKnown reports whether a completion has a checksum of a kind that the
// backend knows.
func (x *exchange) namesKnown(canonical []byte) bool {
	for _, a := range payload.Algorithms() {
		if x.knows(string(a)) && bytes.Contains(canonical, []byte("<Checksum"+string(a)+">")) {
			return true
		}
	}
	return false
}
