package s3wire

import (
	"fmt"
	"strconv"
	"strings"
)

// Limits of XML bodies.
const (
	// MaxXMLBody bounds any XML body in bytes: 1000 keys of 1024 bytes, each
	// byte escaped, with their elements.
	MaxXMLBody = 8 << 20
	// MaxDeleteKeys is S3's limit on one DeleteObjects.
	MaxDeleteKeys = 1000
	// MaxPartNumber is S3's limit on the parts of one upload.
	MaxPartNumber = 10_000
	maxTags       = 10
)

// DeleteRequest is the body of DeleteObjects.
type DeleteRequest struct {
	Objects []DeleteObject
	Quiet   bool
}

// DeleteObject is one object that a DeleteObjects names.
type DeleteObject struct {
	Key              string
	VersionID        string
	ETag             string
	LastModifiedTime string
	Size             string
}

// ParseDelete reads a DeleteObjects body strictly.
func ParseDelete(body []byte) (DeleteRequest, error) {
	root, err := parseXML(body, strict)
	if err != nil || root.name != "Delete" {
		return DeleteRequest{}, malformed(err)
	}
	var req DeleteRequest
	quietSeen := false
	for _, c := range root.children {
		switch {
		case c.name == "Quiet" && !quietSeen:
			quietSeen = true
			if req.Quiet, err = strconv.ParseBool(c.text); err != nil {
				return DeleteRequest{}, malformed(err)
			}
		case c.name == "Object":
			object, err := parseDeleteObject(c)
			if err != nil {
				return DeleteRequest{}, err
			}
			req.Objects = append(req.Objects, object)
		default:
			return DeleteRequest{}, malformed(nil)
		}
	}
	if len(req.Objects) == 0 || len(req.Objects) > MaxDeleteKeys {
		return DeleteRequest{}, MalformedXML.With("A DeleteObjects names 1 to %d keys.", MaxDeleteKeys)
	}
	return req, nil
}

func parseDeleteObject(n *node) (DeleteObject, error) {
	f, err := n.fields("Key", "VersionId", "ETag", "LastModifiedTime", "Size")
	if err != nil {
		return DeleteObject{}, malformed(err)
	}
	if f["Key"] == "" {
		return DeleteObject{}, malformed(nil)
	}
	if err := checkKey(f["Key"]); err != nil {
		return DeleteObject{}, err
	}
	return DeleteObject{f["Key"], f["VersionId"], f["ETag"], f["LastModifiedTime"], f["Size"]}, nil
}

// Marshal writes the body anew.
func (d DeleteRequest) Marshal() []byte {
	doc := &document{}
	doc.open("Delete", xmlNamespace)
	for _, o := range d.Objects {
		doc.open("Object", "")
		doc.text("Key", o.Key)
		doc.optional("VersionId", o.VersionID)
		doc.optional("ETag", o.ETag)
		doc.optional("LastModifiedTime", o.LastModifiedTime)
		doc.optional("Size", o.Size)
		doc.close("Object")
	}
	if d.Quiet {
		doc.text("Quiet", "true")
	}
	doc.close("Delete")
	return doc.bytes()
}

// partChecksums are the checksums that a part of a CompleteMultipartUpload may
// carry.
var partChecksums = []string{
	"ChecksumCRC32", "ChecksumCRC32C", "ChecksumCRC64NVME", "ChecksumMD5", "ChecksumSHA1", "ChecksumSHA256", "ChecksumSHA512",
	"ChecksumXXHASH128", "ChecksumXXHASH3", "ChecksumXXHASH64",
}

// CanonicalComplete checks a CompleteMultipartUpload body strictly and writes
// it anew. One that names no parts is the backend's to judge: S3 refuses it,
// others make an empty object of it.
func CanonicalComplete(body []byte) ([]byte, error) {
	root, err := parseXML(body, strict)
	if err != nil || root.name != "CompleteMultipartUpload" {
		return nil, malformed(err)
	}
	doc := &document{}
	doc.open(root.name, xmlNamespace)
	last := 0
	for _, c := range root.children {
		number, err := writePart(doc, c)
		if err != nil {
			return nil, err
		}
		if number <= last {
			return nil, InvalidPartOrder.Err()
		}
		last = number
	}
	doc.close(root.name)
	return doc.bytes(), nil
}

func writePart(doc *document, n *node) (number int, err error) {
	f, err := n.fields(append([]string{"PartNumber", "ETag"}, partChecksums...)...)
	if err != nil || n.name != "Part" {
		return 0, malformed(err)
	}
	number, err = strconv.Atoi(f["PartNumber"])
	if err != nil || number < 1 || number > MaxPartNumber || f["ETag"] == "" {
		return 0, malformed(err)
	}
	doc.open("Part", "")
	for _, name := range partChecksums {
		doc.optional(name, f[name])
	}
	doc.text("ETag", f["ETag"])
	doc.text("PartNumber", strconv.Itoa(number))
	doc.close("Part")
	return number, nil
}

// CanonicalTagging checks a PutObjectTagging body strictly and writes it anew.
func CanonicalTagging(body []byte) ([]byte, error) { return canonicalTagging(body, maxTags) }

func canonicalTagging(body []byte, most int) ([]byte, error) {
	root, err := parseXML(body, strict)
	if err != nil || root.name != "Tagging" || len(root.children) != 1 || root.children[0].name != "TagSet" {
		return nil, malformed(err)
	}
	tags := root.children[0].children
	if len(tags) > most {
		return nil, InvalidTag.With("At most %d tags are allowed.", most)
	}
	seen := make(map[string]bool, len(tags))
	doc := &document{}
	doc.open("Tagging", xmlNamespace)
	doc.open("TagSet", "")
	for _, tag := range tags {
		f, err := tag.fields("Key", "Value")
		if err != nil || tag.name != "Tag" {
			return nil, malformed(err)
		}
		if f["Key"] == "" || seen[f["Key"]] {
			return nil, InvalidTag.Err()
		}
		seen[f["Key"]] = true
		doc.open("Tag", "")
		doc.text("Key", f["Key"])
		doc.text("Value", f["Value"])
		doc.close("Tag")
	}
	doc.close("TagSet")
	doc.close("Tagging")
	return doc.bytes(), nil
}

func malformed(cause error) error { return MalformedXML.Caused(cause) }

// DeleteResult is the answer to a DeleteObjects.
type DeleteResult struct {
	Deleted []DeletedObject
	Errors  []DeleteError
}

// DeletedObject is one object that is gone.
type DeletedObject struct {
	Key                   string
	VersionID             string
	DeleteMarker          string
	DeleteMarkerVersionID string
}

// DeleteError is one object that was not deleted, and why.
type DeleteError struct {
	Key       string
	VersionID string
	Code      string
	Message   string
}

// ParseDeleteResult reads a backend's answer to DeleteObjects.
func ParseDeleteResult(body []byte) (DeleteResult, error) {
	root, err := parseXML(body, lenient)
	if err != nil {
		return DeleteResult{}, err
	}
	if root.name != "DeleteResult" {
		return DeleteResult{}, fmt.Errorf("%w: <%s> is no DeleteResult", errXML, clip(root.name))
	}
	var result DeleteResult
	for _, c := range root.children {
		switch c.name {
		case "Deleted":
			result.Deleted = append(result.Deleted, DeletedObject{
				c.child("Key"), c.child("VersionId"), c.child("DeleteMarker"), c.child("DeleteMarkerVersionId"),
			})
		case "Error":
			result.Errors = append(result.Errors, DeleteError{
				c.child("Key"), c.child("VersionId"), c.child("Code"), c.child("Message"),
			})
		}
	}
	return result, nil
}

// Deny adds a refusal of the object to the answer.
func (d *DeleteResult) Deny(o DeleteObject) {
	d.Errors = append(d.Errors, DeleteError{o.Key, o.VersionID, AccessDenied.Name, AccessDenied.Message})
}

// Strip cuts the hidden beginning off all keys. A key without it is an error: the
// backend answers for objects that were not named.
func (d *DeleteResult) Strip(hidden string) error {
	if hidden == "" {
		return nil
	}
	cut := func(key *string) bool {
		shown, ok := strings.CutPrefix(*key, hidden)
		ok = ok || *key == ""
		*key = shown
		return ok
	}
	for i := range d.Deleted {
		if !cut(&d.Deleted[i].Key) {
			return fmt.Errorf("%w: a deleted key that was not asked for", errXML)
		}
	}
	for i := range d.Errors {
		if !cut(&d.Errors[i].Key) {
			return fmt.Errorf("%w: a key that was not to be deleted", errXML)
		}
	}
	return nil
}

// Marshal renders the answer. Errors stand in it also under Quiet.
func (d DeleteResult) Marshal() []byte {
	doc := &document{}
	doc.open("DeleteResult", xmlNamespace)
	for _, o := range d.Deleted {
		doc.open("Deleted", "")
		doc.text("Key", o.Key)
		doc.optional("VersionId", o.VersionID)
		doc.optional("DeleteMarker", o.DeleteMarker)
		doc.optional("DeleteMarkerVersionId", o.DeleteMarkerVersionID)
		doc.close("Deleted")
	}
	for _, e := range d.Errors {
		doc.open("Error", "")
		doc.text("Key", e.Key)
		doc.optional("VersionId", e.VersionID)
		doc.text("Code", e.Code)
		doc.text("Message", e.Message)
		doc.close("Error")
	}
	doc.close("DeleteResult")
	return doc.bytes()
}
