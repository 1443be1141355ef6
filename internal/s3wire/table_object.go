package s3wire

import (
	"net/http"

	"keystile/internal/keystile"
)

// grantHeaders give single rights on a new object (S3 User Guide, "Access
// control list (ACL) overview"). They need the permission acl.
var grantHeaders = []string{
	"x-amz-grant-full-control", "x-amz-grant-read", "x-amz-grant-read-acp", "x-amz-grant-write-acp",
}

// protectionTable are the operations on what protects an object: its ACL, its
// locks and its place in an archive.
var protectionTable = []Operation{
	{
		Name: OpGetObjectACL, Method: http.MethodGet, Level: Object, By: by("acl"),
		Query: []string{"versionId"}, Headers: ownerHeaders,
		Permission: keystile.ACL, Effect: EffectNone, Class: ClassRead, Callers: Credentials, Served: true,
	},
	{
		Name: OpPutObjectACL, Method: http.MethodPut, Level: Object, By: by("acl"),
		Query:      []string{"versionId"},
		Headers:    join(ownerHeaders, framingHeaders, checksumValueHeaders, grantHeaders, []string{"x-amz-acl", "x-amz-grant-write"}),
		Body:       XMLBody,
		Permission: keystile.ACL, Effect: EffectNone, Class: ClassWrite, Callers: Credentials, Served: true,
	},
	{
		Name: "GetObjectLegalHold", Method: http.MethodGet, Level: Object, By: by("legal-hold"),
		Query: []string{"versionId"}, Headers: ownerHeaders,
		Permission: keystile.Read, Effect: EffectNone, Class: ClassRead, Callers: Credentials, Served: true,
	},
	{
		Name: "PutObjectLegalHold", Method: http.MethodPut, Level: Object, By: by("legal-hold"),
		Query: []string{"versionId"}, Headers: join(ownerHeaders, framingHeaders, checksumValueHeaders),
		Body: XMLBody, Canonical: CanonicalLegalHold,
		Permission: keystile.Write, Effect: EffectNone, Class: ClassWrite, Callers: Credentials, Served: true,
	},
	{
		Name: "GetObjectRetention", Method: http.MethodGet, Level: Object, By: by("retention"),
		Query: []string{"versionId"}, Headers: ownerHeaders,
		Permission: keystile.Read, Effect: EffectNone, Class: ClassRead, Callers: Credentials, Served: true,
	},
	{
		Name: "PutObjectRetention", Method: http.MethodPut, Level: Object, By: by("retention"),
		Query:   []string{"versionId"},
		Headers: join(ownerHeaders, framingHeaders, checksumValueHeaders, []string{"x-amz-bypass-governance-retention"}),
		Body:    XMLBody, Canonical: CanonicalRetention,
		Permission: keystile.Write, Effect: EffectNone, Class: ClassWrite, Callers: Credentials, Served: true,
	},
	{
		Name: "RestoreObject", Method: http.MethodPost, Level: Object, By: by("restore"),
		Query: []string{"versionId"}, Headers: join(ownerHeaders, framingHeaders, checksumValueHeaders),
		Body: XMLBody, Canonical: CanonicalRestore,
		Permission: keystile.Write, Effect: EffectNone, Class: ClassWrite, Callers: Credentials, Served: true,
	},
}

// unservedTable are the operations on objects that are refused by name. The
// answer to SelectObjectContent is a stream of events that could not be checked
// here, RenameObject names its source in a header, and both it and the
// annotations are of kinds of buckets that no backend here has.
var unservedTable = []Operation{
	unserved("ListObjectAnnotations", http.MethodGet, ClassRead, keystile.Read, "annotation"),
	unserved("GetObjectAnnotation", http.MethodGet, ClassRead, keystile.Read, "annotation", "annotationName=*"),
	unserved("PutObjectAnnotation", http.MethodPut, ClassWrite, keystile.Write, "annotation", "annotationName=*"),
	unserved("DeleteObjectAnnotation", http.MethodDelete, ClassWrite, keystile.Write, "annotation", "annotationName=*"),
	unserved("GetObjectTorrent", http.MethodGet, ClassRead, keystile.Read, "torrent"),
	unserved("SelectObjectContent", http.MethodPost, ClassRead, keystile.Read, "select", "select-type=2"),
	unserved("RenameObject", http.MethodPut, ClassWrite, keystile.Write, "renameObject"),
	unserved("UpdateObjectEncryption", http.MethodPut, ClassWrite, keystile.Write, "encryption"),
}

func unserved(name, method string, class Class, permission keystile.Permission, params ...string) Operation {
	op := Operation{
		Name: name, Method: method, Level: Object, By: by(params...), Query: []string{"versionId"},
		Permission: permission, Effect: EffectNone, Class: class, Callers: Credentials,
	}
	if method == http.MethodPut || method == http.MethodPost {
		op.Body = XMLBody
	}
	return op
}
