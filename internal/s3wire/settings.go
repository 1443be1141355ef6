package s3wire

import (
	"fmt"
	"slices"
	"strconv"

	"keystile/internal/keystile"
)

// Names of the operations on what an owner sets on a bucket of its own.
const (
	OpGetBucketACL        = "GetBucketAcl"
	OpPutBucketACL        = "PutBucketAcl"
	OpGetBucketCORS       = "GetBucketCors"
	OpPutBucketCORS       = "PutBucketCors"
	OpDeleteBucketCORS    = "DeleteBucketCors"
	OpGetBucketLifecycle  = "GetBucketLifecycleConfiguration"
	OpPutBucketLifecycle  = "PutBucketLifecycleConfiguration"
	OpDelBucketLifecycle  = "DeleteBucketLifecycle"
	OpGetBucketTagging    = "GetBucketTagging"
	OpPutBucketTagging    = "PutBucketTagging"
	OpDeleteBucketTagging = "DeleteBucketTagging"
	OpGetBucketVersioning = "GetBucketVersioning"
	OpPutBucketVersioning = "PutBucketVersioning"
)

// Setting is one thing that a bucket's owner sets: the subresource that names it,
// the root of its document, and the code of a backend that knows it and has none.
type Setting struct{ Sub, Root, None string }

// ownerSettings are what owners may set (S3 API Reference, of each): the
// operations, and how the document of the one that puts it is written anew.
var ownerSettings = []struct {
	Setting
	ops       []string
	put       string
	canonical func([]byte) ([]byte, error)
}{
	{Setting{"acl", "AccessControlPolicy", ""}, []string{OpGetBucketACL, OpPutBucketACL}, "", nil},
	{Setting{"cors", "CORSConfiguration", "NoSuchCORSConfiguration"}, []string{OpGetBucketCORS, OpPutBucketCORS, OpDeleteBucketCORS}, OpPutBucketCORS, CanonicalCORS},
	{
		Setting{"lifecycle", "LifecycleConfiguration", "NoSuchLifecycleConfiguration"},
		[]string{OpGetBucketLifecycle, OpPutBucketLifecycle, OpDelBucketLifecycle}, OpPutBucketLifecycle,
		canonicalTree("LifecycleConfiguration", "AbortIncompleteMultipartUpload", "And", "Date", "Days", "DaysAfterInitiation", "Expiration",
			"ExpiredObjectDeleteMarker", "Filter", "ID", "Key", "NewerNoncurrentVersions", "NoncurrentDays", "NoncurrentVersionExpiration",
			"NoncurrentVersionTransition", "ObjectSizeGreaterThan", "ObjectSizeLessThan", "Prefix", "Rule", "Status", "StorageClass", "Tag",
			"Transition", "Value"),
	},
	{Setting{"tagging", "Tagging", "NoSuchTagSet"}, []string{OpGetBucketTagging, OpPutBucketTagging, OpDeleteBucketTagging}, OpPutBucketTagging, CanonicalBucketTagging},
	{
		Setting{"versioning", "VersioningConfiguration", ""}, []string{OpGetBucketVersioning, OpPutBucketVersioning}, OpPutBucketVersioning,
		canonicalTree("VersioningConfiguration", "MfaDelete", "Status"),
	},
}

// openToOwners lets RGW users call what sets their own buckets.
func openToOwners(ops []Operation) {
	for _, s := range ownerSettings {
		for i := range ops {
			if !slices.Contains(s.ops, ops[i].Name) {
				continue
			}
			ops[i].Callers, ops[i].setting = Owners, &s.Setting
			if ops[i].Name == s.put {
				ops[i].Canonical = s.canonical
			}
		}
	}
}

// Setting is what the operation reads or sets on a bucket; false for any other.
func (o *Operation) Setting() (Setting, bool) {
	if o.setting == nil {
		return Setting{}, false
	}
	return *o.setting, true
}

// Root is the name of a document's root element; "" if it is no XML.
func Root(doc []byte) string {
	root, err := parseXML(doc, lenient)
	if err != nil {
		return ""
	}
	return root.name
}

// canonicalTree checks that a document has these elements and no others, and
// writes it anew. How they fit together is for the backend to say: none of them
// names anything outside the bucket.
func canonicalTree(rootName string, names ...string) func([]byte) ([]byte, error) {
	return func(body []byte) ([]byte, error) {
		root, err := parseXML(body, strict)
		if err != nil || root.name != rootName {
			return nil, malformed(err)
		}
		doc := &document{}
		doc.open(root.name, xmlNamespace)
		for _, c := range root.children {
			if err := writeTree(doc, c, names); err != nil {
				return nil, err
			}
		}
		doc.close(root.name)
		return doc.bytes(), nil
	}
}

func writeTree(doc *document, n *node, names []string) error {
	if !slices.Contains(names, n.name) {
		return malformed(fmt.Errorf("%w: <%s> is not expected", errXML, clip(n.name)))
	}
	if len(n.children) == 0 {
		doc.text(n.name, n.text)
		return nil
	}
	doc.open(n.name, "")
	for _, c := range n.children {
		if err := writeTree(doc, c, names); err != nil {
			return err
		}
	}
	doc.close(n.name)
	return nil
}

// maxBucketTags is S3's limit on the tags of a bucket.
const maxBucketTags = 50

// CanonicalBucketTagging checks a PutBucketTagging body strictly and writes it
// anew.
func CanonicalBucketTagging(body []byte) ([]byte, error) {
	return canonicalTagging(body, maxBucketTags)
}

// ParseCORS reads a PutBucketCors body strictly.
func ParseCORS(body []byte) ([]keystile.CORSRule, error) {
	root, err := parseXML(body, strict)
	if err != nil || root.name != "CORSConfiguration" || len(root.children) == 0 {
		return nil, malformed(err)
	}
	var rules []keystile.CORSRule
	for _, c := range root.children {
		rule, err := corsRule(c)
		if err != nil {
			return nil, err
		}
		rules = append(rules, rule)
	}
	whole := keystile.BucketCORS{Mode: keystile.CORSGateway, Rules: rules}
	if err := whole.Check(); err != nil {
		return nil, InvalidRequest.With("The CORS configuration is not valid: %s.", err)
	}
	return rules, nil
}

func corsRule(n *node) (keystile.CORSRule, error) {
	var r keystile.CORSRule
	if n.name != "CORSRule" {
		return r, malformed(nil)
	}
	seen := map[string]bool{}
	for _, c := range n.children {
		if len(c.children) > 0 || seen[c.name] && (c.name == "ID" || c.name == "MaxAgeSeconds") {
			return r, malformed(nil)
		}
		seen[c.name] = true
		switch c.name {
		case "ID":
			r.ID = c.text
		case "AllowedOrigin":
			r.AllowedOrigins = append(r.AllowedOrigins, c.text)
		case "AllowedMethod":
			r.AllowedMethods = append(r.AllowedMethods, c.text)
		case "AllowedHeader":
			r.AllowedHeaders = append(r.AllowedHeaders, c.text)
		case "ExposeHeader":
			r.ExposeHeaders = append(r.ExposeHeaders, c.text)
		case "MaxAgeSeconds":
			age, err := strconv.ParseInt(c.text, 10, 32)
			if err != nil {
				return r, malformed(err)
			}
			r.MaxAgeSeconds = int(age)
		default:
			return r, malformed(nil)
		}
	}
	return r, nil
}

// MarshalCORS renders the rules (S3 API Reference, GetBucketCors).
func MarshalCORS(rules []keystile.CORSRule) []byte {
	doc := &document{}
	doc.open("CORSConfiguration", xmlNamespace)
	for _, r := range rules {
		doc.open("CORSRule", "")
		doc.optional("ID", r.ID)
		for _, list := range []struct {
			name   string
			values []string
		}{
			{"AllowedHeader", r.AllowedHeaders}, {"AllowedMethod", r.AllowedMethods},
			{"AllowedOrigin", r.AllowedOrigins}, {"ExposeHeader", r.ExposeHeaders},
		} {
			for _, v := range list.values {
				doc.text(list.name, v)
			}
		}
		if r.MaxAgeSeconds > 0 {
			doc.text("MaxAgeSeconds", strconv.Itoa(r.MaxAgeSeconds))
		}
		doc.close("CORSRule")
	}
	doc.close("CORSConfiguration")
	return doc.bytes()
}

// CanonicalCORS checks a PutBucketCors body strictly and writes it anew.
func CanonicalCORS(body []byte) ([]byte, error) {
	rules, err := ParseCORS(body)
	if err != nil {
		return nil, err
	}
	return MarshalCORS(rules), nil
}

// ParseLocationConstraint reads where a CreateBucket wants its bucket; empty where
// it does not say. What else S3 lets a new bucket be configured with is
// NotImplemented: to leave it out unsaid would make another bucket than was asked
// for.
func ParseLocationConstraint(body []byte) (string, error) {
	root, err := parseXML(body, strict)
	if err != nil || root.name != "CreateBucketConfiguration" {
		return "", malformed(err)
	}
	location, seen := "", false
	for _, c := range root.children {
		switch {
		case c.name == "LocationConstraint" && !seen && len(c.children) == 0:
			location, seen = c.text, true
		case c.name == "Bucket" || c.name == "Location" || c.name == "Tags":
			return "", NotImplemented.With("A bucket cannot be made with <%s> here.", c.name)
		default:
			return "", malformed(nil)
		}
	}
	return location, nil
}

const allUsers = "http://acs.amazonaws.com/groups/global/AllUsers"

// CannedOf is the canned ACL that grants amount to where the owner may do
// everything anyway: private, or public-read. Any other is false.
func CannedOf(grants []AccessGrant, owner string) (string, bool) {
	acl := keystile.ACLPrivate
	for _, g := range grants {
		switch {
		case g.Kind == "id" && g.Value == owner:
		case g.Kind == "uri" && g.Value == allUsers && g.Right == "READ":
			acl = keystile.ACLPublicRead
		default:
			return "", false
		}
	}
	return acl, true
}

// CannedPolicy is CannedOf's other way round.
func CannedPolicy(acl, owner string) AccessPolicy {
	p := AccessPolicy{Owner: owner, Grants: []AccessGrant{{Grantee{"id", owner}, "FULL_CONTROL"}}}
	if acl == keystile.ACLPublicRead {
		p.Grants = append(p.Grants, AccessGrant{Grantee{"uri", allUsers}, "READ"})
	}
	return p
}
