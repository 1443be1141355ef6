package s3wire

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"keystile/internal/keystile"
)

// OpPostObject is the form upload of the S3 API Reference, "POST Object".
const OpPostObject = "PostObject"

// postRow is how a form arrives. What it says of the object stands in its
// fields, none of which is a header of the request.
var postRow = Operation{
	Name: OpPostObject, Method: http.MethodPost, Level: Bucket, Fields: postFields, Body: Payload,
	Permission: keystile.Write, Effect: EffectAdds, Class: ClassWrite, Callers: Credentials, Served: true,
}

// postedObject is how it goes on once the form has been read: as the upload of
// the object that the form names.
var postedObject = Operation{
	Name: OpPostObject, Method: http.MethodPut, Level: Object, Body: Payload,
	Permission: keystile.Write, Effect: EffectAdds, Class: ClassWrite, Callers: Credentials, Served: true,
}

// postFields are the x-amz- fields that stand for headers of the object. A canned
// ACL and the tags have fields of their own, acl and tagging.
var postFields = slices.DeleteFunc(
	join(customerKeyHeaders, newObjectHeaders, checksumValueHeaders, []string{checksumAlgorithmField, sdkAlgorithmField}),
	func(name string) bool {
		return name == "x-amz-acl" || name == "x-amz-tagging" || strings.HasPrefix(name, "x-amz-grant-")
	},
)

// Two spellings of which checksum the form has a value of.
const (
	checksumAlgorithmField = "x-amz-checksum-algorithm"
	sdkAlgorithmField      = "x-amz-sdk-checksum-algorithm"
)

// objectFields stand for the headers of the same name.
var objectFields = []string{
	"cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires",
}

// authFields are read with the signature and by nothing else.
var authFields = map[string]bool{
	"x-amz-algorithm": true, "x-amz-credential": true, "x-amz-date": true, "x-amz-security-token": true, "x-amz-signature": true,
}

// TakeForm makes of a PostObject whose form has been read the upload of an
// object. An x-amz- field that the row does not have is refused; what else means
// nothing to S3 is left out, as unknown headers are. It returns what the form
// declares of the file's bytes, as the headers that an upload would have.
func (req *Request) TakeForm(f *Form) (declared http.Header, err error) {
	req.Op, req.Key = &postedObject, f.Field("key")
	req.Header, declared = make(http.Header, 8), make(http.Header, 2)
	if req.Key == "" {
		return nil, InvalidArgument.With("The form must have a field \"key\" before its file.")
	}
	if err := checkKey(req.Key); err != nil {
		return nil, err
	}
	if bucket := f.Field("bucket"); f.Has("bucket") && bucket != req.Bucket {
		return nil, InvalidArgument.With("The field \"bucket\" names another bucket than the request.")
	}
	for name, value := range f.fields {
		if err := req.takeField(name, value, declared); err != nil {
			return nil, err
		}
	}
	if tags := f.Field("tagging"); tags != "" {
		header, err := tagsHeader([]byte(tags))
		if err != nil {
			return nil, err
		}
		req.Header.Set("X-Amz-Tagging", header)
	}
	if acl := f.Field("acl"); acl != "" {
		req.Header.Set("X-Amz-Acl", acl)
	}
	if err := checkMetadata(req.Header); err != nil {
		return nil, err
	}
	return declared, req.readACL()
}

func (req *Request) takeField(name, value string, declared http.Header) error {
	amz := strings.HasPrefix(name, vendorPrefix) && !authFields[name]
	isMeta := strings.HasPrefix(name, metaPrefix) && name != metaPrefix && !strings.ContainsFunc(name, notInHeaderName)
	switch {
	case amz && !isMeta && !slices.Contains(postFields, name):
		return NotImplemented.With("The field %q is not supported for %s.", clip(name), OpPostObject)
	case !amz && name != "content-md5" && !slices.Contains(objectFields, name):
		return nil
	case strings.ContainsFunc(value, unicode.IsControl):
		return InvalidArgument.With("The field %q cannot stand for a header.", clip(name))
	}
	value = strings.Trim(value, " ")
	switch name {
	case "content-md5":
		declared.Set(name, value)
		return nil
	case checksumAlgorithmField, sdkAlgorithmField:
		declared.Add(sdkAlgorithmField, value)
		return nil
	}
	if slices.Contains(checksumValueHeaders, name) {
		declared.Set(name, value)
	}
	if value != "" || isMeta {
		req.Header.Set(name, value)
	}
	return nil
}

// tagsHeader writes the XML of tags as x-amz-tagging has them.
func tagsHeader(doc []byte) (string, error) {
	canonical, err := CanonicalTagging(doc)
	if err != nil {
		return "", err
	}
	root, err := parseXML(canonical, strict)
	if err != nil {
		return "", malformed(err)
	}
	var pairs []string
	for _, set := range root.children {
		for _, tag := range set.children {
			pairs = append(pairs, url.QueryEscape(tag.child("Key"))+"="+url.QueryEscape(tag.child("Value")))
		}
	}
	return strings.ReplaceAll(strings.Join(pairs, "&"), "+", "%20"), nil
}

// PostResult is what a successful form upload is answered with.
type PostResult struct {
	Location string // the object's URL
	Bucket   string
	Key      string
	ETag     string // with its quotes
}

// Answer returns status, Location header and body as the form wants them. A
// redirect that is no http or https URL, and a status that S3 does not know,
// count as absent.
func (p PostResult) Answer(f *Form) (status int, location string, body []byte) {
	for _, name := range []string{"success_action_redirect", "redirect"} {
		if target := p.redirect(f.Field(name)); target != "" {
			return http.StatusSeeOther, target, nil
		}
	}
	switch f.Field("success_action_status") {
	case "200":
		return http.StatusOK, p.Location, nil
	case "201":
		return http.StatusCreated, p.Location, p.marshal()
	}
	return http.StatusNoContent, p.Location, nil
}

func (p PostResult) marshal() []byte {
	doc := &document{}
	doc.open("PostResponse", "")
	doc.text("Location", p.Location)
	doc.text("Bucket", p.Bucket)
	doc.text("Key", p.Key)
	doc.text("ETag", p.ETag)
	doc.close("PostResponse")
	return doc.bytes()
}

// redirect is the target with what was stored added to its query; empty if the
// target is not one.
func (p PostResult) redirect(target string) string {
	u, err := url.Parse(target)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		return ""
	}
	added := "bucket=" + url.QueryEscape(p.Bucket) + "&key=" + url.QueryEscape(p.Key) + "&etag=" + url.QueryEscape(p.ETag)
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += strings.ReplaceAll(added, "+", "%20")
	return u.String()
}
