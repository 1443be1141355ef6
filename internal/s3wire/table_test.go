package s3wire_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"keystile/internal/keystile"
	"keystile/internal/s3wire"
)

// apiReference are the operations of the Amazon S3 API Reference ("Actions",
// Amazon S3), written down by hand, and the form upload of the developer guide.
const apiReference = `
AbortMultipartUpload CompleteMultipartUpload CopyObject CreateBucket CreateBucketMetadataConfiguration
CreateBucketMetadataTableConfiguration CreateMultipartUpload CreateSession DeleteBucket
DeleteBucketAnalyticsConfiguration DeleteBucketCors DeleteBucketEncryption
DeleteBucketIntelligentTieringConfiguration DeleteBucketInventoryConfiguration DeleteBucketLifecycle
DeleteBucketMetadataConfiguration DeleteBucketMetadataTableConfiguration DeleteBucketMetricsConfiguration
DeleteBucketOwnershipControls DeleteBucketPolicy DeleteBucketReplication DeleteBucketTagging DeleteBucketWebsite
DeleteObject DeleteObjectAnnotation DeleteObjectTagging DeleteObjects DeletePublicAccessBlock GetBucketAbac
GetBucketAccelerateConfiguration GetBucketAcl GetBucketAnalyticsConfiguration GetBucketCors GetBucketEncryption
GetBucketIntelligentTieringConfiguration GetBucketInventoryConfiguration GetBucketLifecycleConfiguration
GetBucketLocation GetBucketLogging GetBucketMetadataConfiguration GetBucketMetadataTableConfiguration
GetBucketMetricsConfiguration GetBucketNotificationConfiguration GetBucketOwnershipControls GetBucketPolicy
GetBucketPolicyStatus GetBucketReplication GetBucketRequestPayment GetBucketTagging GetBucketVersioning
GetBucketWebsite GetObject GetObjectAcl GetObjectAnnotation GetObjectAttributes GetObjectLegalHold GetObjectLockConfiguration
GetObjectRetention GetObjectTagging GetObjectTorrent GetPublicAccessBlock HeadBucket HeadObject
ListBucketAnalyticsConfigurations ListBucketIntelligentTieringConfigurations ListBucketInventoryConfigurations
ListBucketMetricsConfigurations ListBuckets ListDirectoryBuckets ListMultipartUploads ListObjectAnnotations ListObjectVersions
ListObjects ListObjectsV2 ListParts PostObject PutBucketAbac PutBucketAccelerateConfiguration PutBucketAcl
PutBucketAnalyticsConfiguration PutBucketCors PutBucketEncryption PutBucketIntelligentTieringConfiguration
PutBucketInventoryConfiguration PutBucketLifecycleConfiguration PutBucketLogging PutBucketMetricsConfiguration
PutBucketNotificationConfiguration PutBucketOwnershipControls PutBucketPolicy PutBucketReplication
PutBucketRequestPayment PutBucketTagging PutBucketVersioning PutBucketWebsite PutObject PutObjectAcl
PutObjectAnnotation PutObjectLegalHold PutObjectLockConfiguration PutObjectRetention PutObjectTagging PutPublicAccessBlock
RenameObject RestoreObject SelectObjectContent UpdateBucketMetadataAnnotationTableConfiguration UpdateBucketMetadataInventoryTableConfiguration
UpdateBucketMetadataJournalTableConfiguration UpdateObjectEncryption UploadPart UploadPartCopy
WriteGetObjectResponse`

// served are those that the gateway carries out.
const served = `
AbortMultipartUpload CompleteMultipartUpload CopyObject CreateMultipartUpload DeleteObject DeleteObjectTagging
DeleteObjects GetBucketLocation GetObject GetObjectAcl GetObjectAttributes GetObjectLegalHold GetObjectRetention GetObjectTagging
HeadBucket HeadObject ListBuckets ListMultipartUploads ListObjectVersions ListObjects ListObjectsV2 ListParts PostObject PutObject
PutObjectAcl PutObjectLegalHold PutObjectRetention PutObjectTagging RestoreObject UploadPart UploadPartCopy`

// open are those that need no signature where a binding allows it.
const open = `GetBucketLocation GetObject HeadBucket HeadObject ListObjects ListObjectsV2`

// owners are those that RGW users may call on buckets of their own.
const owners = `CreateBucket DeleteBucket DeleteBucketCors DeleteBucketLifecycle DeleteBucketTagging GetBucketAcl GetBucketCors
GetBucketLifecycleConfiguration GetBucketTagging GetBucketVersioning PutBucketAcl PutBucketCors PutBucketLifecycleConfiguration
PutBucketTagging PutBucketVersioning`

func names(list string) []string {
	sorted := strings.Fields(list)
	slices.Sort(sorted)
	return sorted
}

func namesWhere(keep func(s3wire.Operation) bool) []string {
	var found []string
	for _, op := range s3wire.Operations() {
		if keep(op) {
			found = append(found, op.Name)
		}
	}
	slices.Sort(found)
	return found
}

func TestTableHoldsAllOperationsOnce(t *testing.T) {
	got, want := namesWhere(func(s3wire.Operation) bool { return true }), names(apiReference)
	if !slices.Equal(got, want) {
		t.Errorf("missing or too many: %v", difference(got, want))
	}
}

// difference marks what only one of two sorted lists has.
func difference(got, want []string) []string {
	var diff []string
	for _, g := range got {
		if !slices.Contains(want, g) {
			diff = append(diff, "+"+g)
		}
	}
	for _, w := range want {
		if !slices.Contains(got, w) {
			diff = append(diff, "-"+w)
		}
	}
	if len(diff) == 0 {
		diff = append(diff, "one stands twice")
	}
	return diff
}

func TestWhoMayCallWhat(t *testing.T) {
	if got, want := namesWhere(func(op s3wire.Operation) bool { return op.Served }), names(served); !slices.Equal(got, want) {
		t.Errorf("served: %v", difference(got, want))
	}
	anonymous := func(op s3wire.Operation) bool { return op.Callers&s3wire.Anonymous != 0 }
	if got, want := namesWhere(anonymous), names(open); !slices.Equal(got, want) {
		t.Errorf("open to unsigned requests: %v", difference(got, want))
	}
	ownersOnly := func(op s3wire.Operation) bool { return op.Callers == s3wire.Owners }
	if got, want := namesWhere(ownersOnly), names(owners); !slices.Equal(got, want) {
		t.Errorf("open to RGW users: %v", difference(got, want))
	}
	for _, op := range s3wire.Operations() {
		admin := op.Class == s3wire.ClassAdmin
		switch {
		case admin != (op.Callers&^s3wire.Owners == 0):
			t.Errorf("%s is of class %s and open to %d", op.Name, op.Class, op.Callers)
		case admin && op.Served:
			t.Errorf("%s is bucket administration and served", op.Name)
		case op.Mutates() && op.Callers&s3wire.Anonymous != 0:
			t.Errorf("%s changes things without a signature", op.Name)
		case op.Served && op.Permission == 0 && op.Name != s3wire.OpListBuckets:
			t.Errorf("%s is served and needs no permission", op.Name)
		case op.Name == s3wire.OpListBuckets && op.Callers != s3wire.Credentials:
			t.Errorf("%s is open to others than credentials", op.Name)
		}
	}
}

func TestClassesFitMethodsAndPermissions(t *testing.T) {
	const changing = keystile.Write | keystile.Delete | keystile.ACL
	for _, op := range s3wire.Operations() {
		reads := op.Method == http.MethodGet || op.Method == http.MethodHead || op.Name == "SelectObjectContent"
		if op.Class != s3wire.ClassAdmin && reads == op.Mutates() {
			t.Errorf("%s %s is of class %q", op.Method, op.Name, op.Class)
		}
		if op.Mutates() && op.Served && op.Permission&changing == 0 {
			t.Errorf("%s changes things with %v", op.Name, op.Permission)
		}
		if op.Class == s3wire.ClassDelete && op.Method != http.MethodDelete && op.Name != s3wire.OpDeleteObjects {
			t.Errorf("%s is of class %q", op.Name, op.Class)
		}
		if got, want := op.Action(), "s3.proxy."+strings.ToLower(op.Name); got != want {
			t.Errorf("%s is recorded as %q", op.Name, got)
		}
		if op.Effect == "" || op.Class == "" {
			t.Errorf("%s lacks its effect or class", op.Name)
		}
		if reads && op.Class == s3wire.ClassRead && op.Effect != s3wire.EffectNone {
			t.Errorf("%s reads and has the effect %s", op.Name, op.Effect)
		}
	}
}

func TestRowsAreToldApart(t *testing.T) {
	seen := map[string]string{}
	for _, op := range s3wire.Operations() {
		var params []string
		for _, p := range op.By {
			params = append(params, p.Name+"="+p.Value)
		}
		slices.Sort(params)
		sign := fmt.Sprint(op.Method, op.Level, params, op.CopySource)
		if other, taken := seen[sign]; taken {
			t.Errorf("%s and %s are told apart by nothing", op.Name, other)
		}
		seen[sign] = op.Name
	}
}

func TestRowsAreWellFormed(t *testing.T) {
	header := regexp.MustCompile(`^x-amz-[a-z0-9]+(-[a-z0-9]+)*$`)
	param := regexp.MustCompile(`^[A-Za-z]+(-[A-Za-z]+)*$`)
	for _, op := range s3wire.Operations() {
		var params []string
		for _, p := range op.By {
			params = append(params, p.Name)
		}
		params = append(params, op.Query...)
		for _, p := range params {
			if !param.MatchString(p) || p == "x-id" {
				t.Errorf("%s has the query parameter %q", op.Name, p)
			}
		}
		for _, h := range op.Headers {
			if !header.MatchString(h) || strings.HasPrefix(h, "x-amz-meta-") {
				t.Errorf("%s has the header %q", op.Name, h)
			}
		}
		for what, list := range map[string][]string{"parameter": params, "header": op.Headers} {
			list = slices.Sorted(slices.Values(list))
			if len(slices.Compact(slices.Clone(list))) != len(list) {
				t.Errorf("%s lists a %s twice: %v", op.Name, what, list)
			}
		}
		if op.CopySource != slices.Contains(op.Headers, "x-amz-copy-source") {
			t.Errorf("%s: copies, or has the header for it, but not both", op.Name)
		}
		if op.Body != s3wire.NoBody && (op.Method == http.MethodGet || op.Method == http.MethodHead || op.Method == http.MethodDelete) {
			t.Errorf("%s %s takes a body", op.Method, op.Name)
		}
		if op.Listing() && (op.Permission != keystile.List || !slices.Contains(op.Query, "prefix")) {
			t.Errorf("%s lists with %v", op.Name, op.Permission)
		}
	}
}
