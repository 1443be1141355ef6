package s3wire

import (
	"net/http"
	"strings"
)

const metaPrefix = "x-amz-meta-"

// MaxMetadataBytes is S3's limit on user-defined metadata: the names without
// their prefix, and the values (S3 User Guide, "User-defined object metadata").
const MaxMetadataBytes = 2048

func checkMetadata(h http.Header) error {
	size := 0
	for name, values := range h {
		if len(name) <= len(metaPrefix) || !strings.EqualFold(name[:len(metaPrefix)], metaPrefix) {
			continue
		}
		size += len(name) - len(metaPrefix)
		for _, v := range values {
			size += len(v)
		}
	}
	if size > MaxMetadataBytes {
		return MetadataTooLarge.Err()
	}
	return nil
}
