package s3wire

import (
	"fmt"
	"strings"
)

// Names are what a client is shown in place of the backend's names.
type Names struct {
	Bucket   string
	Location string // of a completed object: its URL
	Owner    func() Owner
	// Hidden begins every real key of the bucket. It is cut off from keys,
	// prefixes and markers; empty, they stay as they are.
	Hidden string
	// Encoded: the request asked for percent-encoded names (encoding-type=url).
	Encoded bool
	// FromStart is that of Real: the marker in the answer is not the client's.
	FromStart bool
	// Token is the continuation token that the client sent, Seal makes the next
	// one from the backend's. They matter only with Hidden.
	Token string
	Seal  func(backendToken string) string
}

// role is what an element's text is to a client.
type role uint8

const (
	other      role = iota
	bucketName      // the bucket
	location        // the object's URL
	ownerID
	ownerName
	keyCount   // how many entries there are
	realName   // a prefix or marker: may be empty, and then is nobody's name
	realKey    // a key or common prefix: its parent is one entry
	startAfter // a marker that is left out where the client gave none
	token      // the continuation token of this page; left out on the first
	nextToken  // that of the next
)

// roles are the elements of all answers that carry a bucket, a key, an owner or
// a URL, by their path from the root (S3 API Reference, the response syntax of
// each operation).
var roles = map[string]role{
	"ListBucketResult/Name":                  bucketName,
	"ListBucketResult/Prefix":                realName,
	"ListBucketResult/Marker":                realName,
	"ListBucketResult/NextMarker":            realName,
	"ListBucketResult/StartAfter":            startAfter,
	"ListBucketResult/ContinuationToken":     token,
	"ListBucketResult/NextContinuationToken": nextToken,
	"ListBucketResult/KeyCount":              keyCount,
	"ListBucketResult/Contents/Key":          realKey,
	"ListBucketResult/CommonPrefixes/Prefix": realKey,

	"ListVersionsResult/Name":                  bucketName,
	"ListVersionsResult/Prefix":                realName,
	"ListVersionsResult/KeyMarker":             realName,
	"ListVersionsResult/NextKeyMarker":         realName,
	"ListVersionsResult/Version/Key":           realKey,
	"ListVersionsResult/DeleteMarker/Key":      realKey,
	"ListVersionsResult/CommonPrefixes/Prefix": realKey,

	"ListMultipartUploadsResult/Bucket":                bucketName,
	"ListMultipartUploadsResult/Prefix":                realName,
	"ListMultipartUploadsResult/KeyMarker":             realName,
	"ListMultipartUploadsResult/NextKeyMarker":         realName,
	"ListMultipartUploadsResult/Upload/Key":            realKey,
	"ListMultipartUploadsResult/CommonPrefixes/Prefix": realKey,

	"ListPartsResult/Bucket":                 bucketName,
	"ListPartsResult/Key":                    realName,
	"InitiateMultipartUploadResult/Bucket":   bucketName,
	"InitiateMultipartUploadResult/Key":      realName,
	"InitiateMultipartUpload/Bucket":         bucketName, // as some servers call it
	"InitiateMultipartUpload/Key":            realName,
	"CompleteMultipartUploadResult/Bucket":   bucketName,
	"CompleteMultipartUploadResult/Key":      realName,
	"CompleteMultipartUploadResult/Location": location,

	"ListBucketResult/Contents/Owner/ID":                      ownerID,
	"ListBucketResult/Contents/Owner/DisplayName":             ownerName,
	"ListVersionsResult/Version/Owner/ID":                     ownerID,
	"ListVersionsResult/Version/Owner/DisplayName":            ownerName,
	"ListVersionsResult/DeleteMarker/Owner/ID":                ownerID,
	"ListVersionsResult/DeleteMarker/Owner/DisplayName":       ownerName,
	"ListMultipartUploadsResult/Upload/Owner/ID":              ownerID,
	"ListMultipartUploadsResult/Upload/Owner/DisplayName":     ownerName,
	"ListMultipartUploadsResult/Upload/Initiator/ID":          ownerID,
	"ListMultipartUploadsResult/Upload/Initiator/DisplayName": ownerName,
	"ListPartsResult/Owner/ID":                                ownerID,
	"ListPartsResult/Owner/DisplayName":                       ownerName,
	"ListPartsResult/Initiator/ID":                            ownerID,
	"ListPartsResult/Initiator/DisplayName":                   ownerName,
}

// place is an element of an answer at its path, with those below it that matter.
type place struct {
	name  string
	role  role
	below []*place
}

// places is the table of roles as a tree, so that none is looked up by its path.
var places = func() *place {
	root := &place{}
	for path, r := range roles {
		at := root
		for name := range strings.SplitSeq(path, "/") {
			next := at.child([]byte(name))
			if next == nil {
				next = &place{name: name}
				at.below = append(at.below, next)
			}
			at = next
		}
		at.role = r
	}
	return root
}()

// child finds the element below that matters; nil if it does not. That of nil is
// nil.
func (p *place) child(name []byte) *place {
	if p == nil {
		return nil
	}
	for _, b := range p.below {
		if b.name == string(name) {
			return b
		}
	}
	return nil
}

// needsText reports whether the role's new text is made from the old one.
func (r role) needsText() bool { return r >= realName }

// verdict is what becomes of an element.
type verdict uint8

const (
	keep     verdict = iota
	replace          // its text
	drop             // it goes
	dropItem         // and so does the entry it stands in
)

// judge decides on an element from its role and text.
func (n *Names) judge(r role, text string) (verdict, string, error) {
	switch r {
	case bucketName:
		return replace, n.Bucket, nil
	case location:
		return replace, n.Location, nil
	case ownerID:
		return replace, n.Owner().ID, nil
	case ownerName:
		return replace, n.Owner().DisplayName, nil
	case token:
		if n.Token == "" {
			return drop, "", nil // some backends tell there where they began
		}
		return replace, n.Token, nil
	case nextToken:
		return replace, n.Seal(text), nil
	}
	if r == startAfter && n.FromStart {
		return drop, "", nil
	}
	if text == "" && r != realKey {
		return keep, "", nil
	}
	shown, ok := n.strip(text)
	switch {
	case !ok:
		return keep, "", fmt.Errorf("%w: a name that does not begin as all do that were asked for", errXML)
	case shown == "" && r == realKey:
		return dropItem, "", nil
	}
	return replace, shown, nil
}

// strip cuts the hidden beginning off a name.
func (n *Names) strip(name string) (string, bool) {
	if n.Encoded {
		if rest, ok := cutEncoded(name, n.Hidden); ok {
			return rest, true
		}
		// A backend that does not know encoding-type answers in plain text.
	}
	return strings.CutPrefix(name, n.Hidden)
}

// cutEncoded cuts a decoded beginning off percent-encoded text and leaves the
// rest as it is. Backends differ in what they escape: "/" or not, a blank as
// "%20" or "+", hex digits of either case.
func cutEncoded(encoded, beginning string) (string, bool) {
	for i := range len(beginning) {
		if encoded == "" {
			return "", false
		}
		c, width := encoded[0], 1
		if c == '%' && len(encoded) >= 3 {
			if high, low := unhex(encoded[1]), unhex(encoded[2]); high < 16 && low < 16 {
				c, width = high<<4|low, 3
			}
		}
		blank := width == 1 && c == '+' && beginning[i] == ' '
		if c != beginning[i] && !blank {
			return "", false
		}
		encoded = encoded[width:]
	}
	return encoded, true
}

// unhex is the value of a hex digit; 16 for anything else.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 16
}
