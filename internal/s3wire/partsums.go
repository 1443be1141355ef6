package s3wire

import (
	"strconv"
	"strings"
)

// WithoutPartChecksums takes checksums out of a CompleteMultipartUpload body
// that CanonicalComplete wrote: those of the parts and algorithms, the latter by
// their S3 names, that drop tells to.
func WithoutPartChecksums(canonical []byte, drop func(part int, algorithm string) bool) ([]byte, error) {
	root, err := parseXML(canonical, strict)
	if err != nil {
		return nil, malformed(err)
	}
	doc := &document{}
	doc.open(root.name, xmlNamespace)
	for _, part := range root.children {
		fields, err := part.fields(append([]string{"PartNumber", "ETag"}, partChecksums...)...)
		if err != nil {
			return nil, malformed(err)
		}
		number, err := strconv.Atoi(fields["PartNumber"])
		if err != nil {
			return nil, malformed(err)
		}
		doc.open("Part", "")
		for _, name := range partChecksums {
			if !drop(number, strings.TrimPrefix(name, "Checksum")) {
				doc.optional(name, fields[name])
			}
		}
		doc.text("ETag", fields["ETag"])
		doc.text("PartNumber", fields["PartNumber"])
		doc.close("Part")
	}
	doc.close(root.name)
	return doc.bytes(), nil
}
