package s3wire

import (
	"net/http"
)

// administration are the operations on buckets themselves and their
// configuration. No credential may call one, whatever its grants; RGW users make,
// set and delete their own buckets.
func administration() []Operation {
	ops := []Operation{
		admin(OpCreateBucket, http.MethodPut),
		admin("DeleteBucket", http.MethodDelete),
		admin("CreateSession", http.MethodGet, "session"),
		admin("GetBucketPolicyStatus", http.MethodGet, "policyStatus"),
		admin("CreateBucketMetadataConfiguration", http.MethodPost, "metadataConfiguration"),
		admin("GetBucketMetadataConfiguration", http.MethodGet, "metadataConfiguration"),
		admin("DeleteBucketMetadataConfiguration", http.MethodDelete, "metadataConfiguration"),
		admin("CreateBucketMetadataTableConfiguration", http.MethodPost, "metadataTable"),
		admin("GetBucketMetadataTableConfiguration", http.MethodGet, "metadataTable"),
		admin("DeleteBucketMetadataTableConfiguration", http.MethodDelete, "metadataTable"),
		admin("UpdateBucketMetadataAnnotationTableConfiguration", http.MethodPut, "metadataAnnotationTable"),
		admin("UpdateBucketMetadataInventoryTableConfiguration", http.MethodPut, "metadataInventoryTable"),
		admin("UpdateBucketMetadataJournalTableConfiguration", http.MethodPut, "metadataJournalTable"),
	}
	ops[0].Callers, ops[1].Callers = Owners, Owners
	ops = append(ops, onService()...)
	ops = append(ops, getAndPut()...)
	ops = append(ops, getPutAndDelete()...)
	ops = append(ops, byID()...)
	openToOwners(ops)
	return ops
}

func admin(name, method string, params ...string) Operation {
	op := Operation{
		Name: name, Method: method, Level: Bucket, By: by(params...), Headers: adminHeaders[name],
		Effect: EffectNone, Class: ClassAdmin,
	}
	op.Headers = join(op.Headers, []string{"x-amz-expected-bucket-owner"})
	if method == http.MethodPut || method == http.MethodPost {
		op.Body = XMLBody
		op.Headers = join(op.Headers, framingHeaders, checksumValueHeaders)
	}
	return op
}

// adminHeaders are the headers that single operations have. They are listed so
// that a request which carries them is refused for what it is.
var adminHeaders = map[string][]string{
	OpCreateBucket: join(grantHeaders, []string{
		"x-amz-acl", "x-amz-grant-write", "x-amz-bucket-namespace", "x-amz-bucket-object-lock-enabled", "x-amz-object-ownership",
	}),
	"CreateSession": {
		"x-amz-create-session-mode", "x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id",
		"x-amz-server-side-encryption-bucket-key-enabled", "x-amz-server-side-encryption-context",
	},
	"GetBucketAccelerateConfiguration":   {"x-amz-request-payer"},
	"PutBucketAcl":                       join(grantHeaders, []string{"x-amz-acl", "x-amz-grant-write"}),
	"PutBucketLifecycleConfiguration":    {"x-amz-transition-default-minimum-object-size"},
	"PutBucketNotificationConfiguration": {"x-amz-skip-destination-validation"},
	"PutBucketPolicy":                    {"x-amz-confirm-remove-self-bucket-access"},
	"PutBucketReplication":               {"x-amz-bucket-object-lock-token"},
	"PutBucketVersioning":                {"x-amz-mfa"},
	"PutObjectLockConfiguration":         {"x-amz-bucket-object-lock-token", "x-amz-request-payer"},
}

func onService() []Operation {
	directory := admin("ListDirectoryBuckets", http.MethodGet, "max-directory-buckets")
	directory.Level = Service
	directory.Query = []string{"continuation-token"}
	respond := admin("WriteGetObjectResponse", http.MethodPost, "x-amz-request-route")
	respond.Level = Service
	return []Operation{directory, respond}
}

// getAndPut are configurations that cannot be deleted.
func getAndPut() []Operation {
	var ops []Operation
	for _, c := range []struct{ name, param string }{
		{"BucketAbac", "abac"},
		{"BucketAccelerateConfiguration", "accelerate"},
		{"BucketAcl", "acl"},
		{"BucketLogging", "logging"},
		{"BucketNotificationConfiguration", "notification"},
		{"BucketRequestPayment", "requestPayment"},
		{"BucketVersioning", "versioning"},
		{"ObjectLockConfiguration", "object-lock"},
	} {
		ops = append(ops,
			admin("Get"+c.name, http.MethodGet, c.param),
			admin("Put"+c.name, http.MethodPut, c.param))
	}
	return ops
}

// getPutAndDelete are configurations of which a bucket has one.
func getPutAndDelete() []Operation {
	var ops []Operation
	for _, c := range []struct{ name, param, deleted string }{
		{"BucketCors", "cors", "BucketCors"},
		{"BucketEncryption", "encryption", "BucketEncryption"},
		{"BucketLifecycleConfiguration", "lifecycle", "BucketLifecycle"},
		{"BucketOwnershipControls", "ownershipControls", "BucketOwnershipControls"},
		{"BucketPolicy", "policy", "BucketPolicy"},
		{"BucketReplication", "replication", "BucketReplication"},
		{"BucketTagging", "tagging", "BucketTagging"},
		{"BucketWebsite", "website", "BucketWebsite"},
		{"PublicAccessBlock", "publicAccessBlock", "PublicAccessBlock"},
	} {
		ops = append(ops,
			admin("Get"+c.name, http.MethodGet, c.param),
			admin("Put"+c.name, http.MethodPut, c.param),
			admin("Delete"+c.deleted, http.MethodDelete, c.param))
	}
	return ops
}

// byID are configurations of which a bucket has several, each with an id.
func byID() []Operation {
	var ops []Operation
	for _, c := range []struct{ name, param string }{
		{"Analytics", "analytics"},
		{"IntelligentTiering", "intelligent-tiering"},
		{"Inventory", "inventory"},
		{"Metrics", "metrics"},
	} {
		list := admin("ListBucket"+c.name+"Configurations", http.MethodGet, c.param)
		list.Query = []string{"continuation-token"}
		ops = append(ops, list,
			admin("GetBucket"+c.name+"Configuration", http.MethodGet, c.param, "id=*"),
			admin("PutBucket"+c.name+"Configuration", http.MethodPut, c.param, "id=*"),
			admin("DeleteBucket"+c.name+"Configuration", http.MethodDelete, c.param, "id=*"))
	}
	return ops
}
