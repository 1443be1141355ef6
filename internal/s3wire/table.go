package s3wire

import (
	"net/http"
	"slices"
	"strings"

	"keystile/internal/keystile"
)

// Headers that several operations share.
var (
	ownerHeaders = []string{"x-amz-expected-bucket-owner", "x-amz-request-payer"}

	customerKeyHeaders = []string{
		"x-amz-server-side-encryption-customer-algorithm",
		"x-amz-server-side-encryption-customer-key",
		"x-amz-server-side-encryption-customer-key-md5",
	}
	sourceHeaders = []string{
		"x-amz-copy-source",
		"x-amz-copy-source-if-match",
		"x-amz-copy-source-if-modified-since",
		"x-amz-copy-source-if-none-match",
		"x-amz-copy-source-if-unmodified-since",
		"x-amz-copy-source-server-side-encryption-customer-algorithm",
		"x-amz-copy-source-server-side-encryption-customer-key",
		"x-amz-copy-source-server-side-encryption-customer-key-md5",
		"x-amz-source-expected-bucket-owner",
	}
	// newObjectHeaders describe an object that is about to be made.
	newObjectHeaders = append([]string{
		"x-amz-acl",
		"x-amz-object-lock-legal-hold",
		"x-amz-object-lock-mode",
		"x-amz-object-lock-retain-until-date",
		"x-amz-server-side-encryption",
		"x-amz-server-side-encryption-aws-kms-key-id",
		"x-amz-server-side-encryption-bucket-key-enabled",
		"x-amz-server-side-encryption-context",
		"x-amz-storage-class",
		"x-amz-tagging",
		"x-amz-website-redirect-location",
	}, grantHeaders...)
	checksumValueHeaders = []string{
		"x-amz-checksum-crc32", "x-amz-checksum-crc32c", "x-amz-checksum-crc64nvme", "x-amz-checksum-md5",
		"x-amz-checksum-sha1", "x-amz-checksum-sha256", "x-amz-checksum-sha512",
		"x-amz-checksum-xxhash128", "x-amz-checksum-xxhash3", "x-amz-checksum-xxhash64",
	}
	// framingHeaders describe how a body is sent. They are read, never forwarded.
	framingHeaders = []string{"x-amz-decoded-content-length", "x-amz-sdk-checksum-algorithm", "x-amz-trailer"}
	// payloadHeaders are those of an object's bytes. The last two are none of
	// theirs to S3, but minio-go sends them with its trailers.
	payloadHeaders = join(framingHeaders, []string{"x-amz-checksum-algorithm", "x-amz-checksum-type"})

	// conditionalRead and conditionalWrite are the headers of RFC 9110 that an
	// object's read and write may depend on.
	conditionalRead  = []string{"If-Match", "If-Modified-Since", "If-None-Match", "If-Unmodified-Since", "Range"}
	conditionalWrite = []string{"If-Match", "If-None-Match"}

	overrideQuery = []string{
		"response-cache-control", "response-content-disposition", "response-content-encoding",
		"response-content-language", "response-content-type", "response-expires",
	}
)

func join(groups ...[]string) []string { return slices.Concat(groups...) }

func by(names ...string) []Param {
	params := make([]Param, len(names))
	for i, n := range names {
		name, value, _ := strings.Cut(n, "=")
		params[i] = Param{name, value}
	}
	return params
}

var everybody = Credentials | Anonymous

// table lists every operation of the S3 API. Rows that are not Served are
// recognised, so that they are refused by their own name.
var table = slices.Concat(bucketTable, objectTable, protectionTable, unservedTable, uploadTable, administration())

var bucketTable = []Operation{
	{
		Name: OpListBuckets, Method: http.MethodGet, Level: Service,
		Query:  []string{"bucket-region", "continuation-token", "max-buckets", "prefix"},
		Effect: EffectNone, Class: ClassRead, Callers: Credentials, Served: true,
	},
	{
		Name: OpHeadBucket, Method: http.MethodHead, Level: Bucket,
		Headers:    []string{"x-amz-expected-bucket-owner"},
		Permission: keystile.List, Effect: EffectNone, Class: ClassRead, Callers: everybody, Served: true,
	},
	{
		Name: OpGetBucketLocation, Method: http.MethodGet, Level: Bucket, By: by("location"),
		Headers:    []string{"x-amz-expected-bucket-owner"},
		Permission: keystile.List, Effect: EffectNone, Class: ClassRead, Callers: everybody, Served: true,
	},
	{
		Name: OpListObjects, Method: http.MethodGet, Level: Bucket,
		Query:      []string{"delimiter", "encoding-type", "marker", "max-keys", "prefix"},
		Headers:    join(ownerHeaders, []string{"x-amz-optional-object-attributes"}),
		Permission: keystile.List, Effect: EffectNone, Class: ClassRead, Callers: everybody, Served: true,
	},
	{
		Name: OpListObjectsV2, Method: http.MethodGet, Level: Bucket, By: by("list-type=2"),
		Query:      []string{"continuation-token", "delimiter", "encoding-type", "fetch-owner", "max-keys", "prefix", "start-after"},
		Headers:    join(ownerHeaders, []string{"x-amz-optional-object-attributes"}),
		Permission: keystile.List, Effect: EffectNone, Class: ClassRead, Callers: everybody, Served: true,
	},
	{
		Name: OpListObjectVersions, Method: http.MethodGet, Level: Bucket, By: by("versions"),
		Query:      []string{"delimiter", "encoding-type", "key-marker", "max-keys", "prefix", "version-id-marker"},
		Headers:    join(ownerHeaders, []string{"x-amz-optional-object-attributes"}),
		Permission: keystile.List, Effect: EffectNone, Class: ClassRead, Callers: Credentials, Served: true,
	},
	{
		Name: OpListMultipartUploads, Method: http.MethodGet, Level: Bucket, By: by("uploads"),
		Query:      []string{"delimiter", "encoding-type", "key-marker", "max-uploads", "prefix", "upload-id-marker"},
		Headers:    ownerHeaders,
		Permission: keystile.List, Effect: EffectNone, Class: ClassRead, Callers: Credentials, Served: true,
	},
	{
		Name: OpDeleteObjects, Method: http.MethodPost, Level: Bucket, By: by("delete"),
		Headers:    join(ownerHeaders, framingHeaders, checksumValueHeaders, []string{"x-amz-bypass-governance-retention"}),
		Body:       XMLBody,
		Permission: keystile.Delete, Effect: EffectFrees, Class: ClassDelete, Callers: Credentials, Served: true,
	},
	postRow,
}

var objectTable = []Operation{
	{
		Name: OpGetObject, Method: http.MethodGet, Level: Object,
		Query:      join(overrideQuery, []string{"partNumber", "versionId"}),
		Headers:    join(ownerHeaders, customerKeyHeaders, []string{"x-amz-checksum-mode"}),
		Standard:   conditionalRead,
		Permission: keystile.Read, Effect: EffectNone, Class: ClassRead, Callers: everybody, Served: true,
	},
	{
		Name: OpHeadObject, Method: http.MethodHead, Level: Object,
		Query:      join(overrideQuery, []string{"partNumber", "versionId"}),
		Headers:    join(ownerHeaders, customerKeyHeaders, []string{"x-amz-checksum-mode"}),
		Standard:   conditionalRead,
		Permission: keystile.Read, Effect: EffectNone, Class: ClassRead, Callers: everybody, Served: true,
	},
	{
		Name: OpPutObject, Method: http.MethodPut, Level: Object,
		Headers:  join(ownerHeaders, customerKeyHeaders, newObjectHeaders, payloadHeaders, checksumValueHeaders, []string{"x-amz-write-offset-bytes"}),
		Metadata: true, Body: Payload,
		Standard:   join(contentHeaders, conditionalWrite),
		Permission: keystile.Write, Effect: EffectAdds, Class: ClassWrite, Callers: Credentials, Served: true,
	},
	{
		Name: OpCopyObject, Method: http.MethodPut, Level: Object, CopySource: true,
		Headers: join(ownerHeaders, customerKeyHeaders, newObjectHeaders, sourceHeaders,
			[]string{"x-amz-checksum-algorithm", "x-amz-metadata-directive", "x-amz-tagging-directive"}),
		Metadata:   true,
		Standard:   join(contentHeaders, conditionalWrite),
		Permission: keystile.Write, Effect: EffectCopies, Class: ClassWrite, Callers: Credentials, Served: true,
	},
	{
		Name: OpDeleteObject, Method: http.MethodDelete, Level: Object,
		Query: []string{"versionId"},
		// The conditions on size and time, which are heeded in directory buckets
		// alone, are not here: they are refused as unsupported.
		Headers:    join(ownerHeaders, []string{"x-amz-bypass-governance-retention"}),
		Standard:   []string{"If-Match"},
		Permission: keystile.Delete, Effect: EffectFrees, Class: ClassDelete, Callers: Credentials, Served: true,
	},
	{
		Name: "GetObjectAttributes", Method: http.MethodGet, Level: Object, By: by("attributes"),
		Query:      []string{"versionId"},
		Headers:    join(ownerHeaders, customerKeyHeaders, []string{"x-amz-max-parts", "x-amz-object-attributes", "x-amz-part-number-marker"}),
		Permission: keystile.Read, Effect: EffectNone, Class: ClassRead, Callers: Credentials, Served: true,
	},
	{
		Name: "GetObjectTagging", Method: http.MethodGet, Level: Object, By: by("tagging"),
		Query: []string{"versionId"}, Headers: ownerHeaders,
		Permission: keystile.Read, Effect: EffectNone, Class: ClassRead, Callers: Credentials, Served: true,
	},
	{
		Name: "PutObjectTagging", Method: http.MethodPut, Level: Object, By: by("tagging"),
		Query: []string{"versionId"}, Headers: join(ownerHeaders, framingHeaders, checksumValueHeaders),
		Body: XMLBody, Canonical: CanonicalTagging,
		Permission: keystile.Write, Effect: EffectNone, Class: ClassWrite, Callers: Credentials, Served: true,
	},
	{
		Name: "DeleteObjectTagging", Method: http.MethodDelete, Level: Object, By: by("tagging"),
		Query: []string{"versionId"}, Headers: []string{"x-amz-expected-bucket-owner"},
		Permission: keystile.Write, Effect: EffectNone, Class: ClassWrite, Callers: Credentials, Served: true,
	},
}

var uploadTable = []Operation{
	{
		Name: OpCreateMultipartUpload, Method: http.MethodPost, Level: Object, By: by("uploads"),
		Headers:    join(ownerHeaders, customerKeyHeaders, newObjectHeaders, []string{"x-amz-checksum-algorithm", "x-amz-checksum-type"}),
		Metadata:   true,
		Standard:   contentHeaders,
		Permission: keystile.Write, Effect: EffectNone, Class: ClassWrite, Callers: Credentials, Served: true,
	},
	{
		Name: OpUploadPart, Method: http.MethodPut, Level: Object, By: by("partNumber=*", "uploadId=*"),
		Headers:    join(ownerHeaders, customerKeyHeaders, payloadHeaders, checksumValueHeaders),
		Body:       Payload,
		Permission: keystile.Write, Effect: EffectHolds, Class: ClassWrite, Callers: Credentials, Served: true,
	},
	{
		Name: OpUploadPartCopy, Method: http.MethodPut, Level: Object, By: by("partNumber=*", "uploadId=*"), CopySource: true,
		Headers:    join(ownerHeaders, customerKeyHeaders, sourceHeaders, []string{"x-amz-copy-source-range"}),
		Permission: keystile.Write, Effect: EffectHolds, Class: ClassWrite, Callers: Credentials, Served: true,
	},
	{
		Name: OpCompleteMultipartUpload, Method: http.MethodPost, Level: Object, By: by("uploadId=*"),
		Headers: join(ownerHeaders, customerKeyHeaders, checksumValueHeaders,
			[]string{"x-amz-checksum-type", "x-amz-mp-object-size"}),
		Body: XMLBody, Canonical: CanonicalComplete,
		Standard:   conditionalWrite,
		Permission: keystile.Write, Effect: EffectReplaces, Class: ClassWrite, Callers: Credentials, Served: true,
	},
	{
		Name: OpAbortMultipartUpload, Method: http.MethodDelete, Level: Object, By: by("uploadId=*"),
		Headers:    ownerHeaders,
		Permission: keystile.Write, Effect: EffectFrees, Class: ClassDelete, Callers: Credentials, Served: true,
	},
	{
		Name: OpListParts, Method: http.MethodGet, Level: Object, By: by("uploadId=*"),
		Query: []string{"max-parts", "part-number-marker"}, Headers: join(ownerHeaders, customerKeyHeaders),
		Permission: keystile.Write, Effect: EffectNone, Class: ClassRead, Callers: Credentials, Served: true,
	},
}
