package s3test

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
)

const xmlns = "http://s3.amazonaws.com/doc/2006-03-01/"

// reply is an answer before it is written.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// operations lists what the server knows, by method, level and the query
// parameter that names a subresource.
func operations(s *Server) map[string]func(*call) reply {
	return map[string]func(*call) reply{
		"GET service": s.listBuckets,

		"PUT bucket":          s.createBucket,
		"HEAD bucket":         s.headBucket,
		"DELETE bucket":       s.deleteBucket,
		"GET bucket":          s.listObjects,
		"GET bucket location": s.bucketLocation,
		"GET bucket versions": s.listVersions,
		"GET bucket uploads":  s.listUploads,
		"POST bucket delete":  s.deleteObjects,

		"GET bucket setting":    s.getSetting,
		"PUT bucket setting":    s.putSetting,
		"DELETE bucket setting": s.deleteSetting,

		"PUT key":            s.putObject,
		"GET key":            s.getObject,
		"HEAD key":           s.getObject,
		"DELETE key":         s.deleteObject,
		"GET key attributes": s.objectAttributes,
		"GET key tagging":    s.getTagging,
		"PUT key tagging":    s.putTagging,
		"DELETE key tagging": s.deleteTagging,

		"GET key acl":        s.getProtection,
		"PUT key acl":        s.putProtection,
		"GET key legal-hold": s.getProtection,
		"PUT key legal-hold": s.putProtection,
		"GET key retention":  s.getProtection,
		"PUT key retention":  s.putProtection,
		"POST key restore":   s.restoreObject,

		"POST key uploads":    s.createUpload,
		"PUT key uploadId":    s.uploadPart,
		"GET key uploadId":    s.listParts,
		"POST key uploadId":   s.completeUpload,
		"DELETE key uploadId": s.abortUpload,
	}
}

// otherSubresources are known to S3 and not to this server.
func otherSubresources() []string {
	return []string{
		"policy", "policyStatus", "cors", "website", "logging", "notification",
		"replication", "encryption", "object-lock", "ownershipControls", "publicAccessBlock", "accelerate",
		"requestPayment", "analytics", "inventory", "metrics", "intelligent-tiering",
		"torrent", "select",
	}
}

func (s *Server) route(c *call) reply {
	name := c.req.Method + " service"
	switch {
	case c.bucket == "" && c.key != "":
		return c.fail(http.StatusBadRequest, "InvalidBucketName", "The bucket has no name.")
	case c.key != "":
		name = c.req.Method + " key"
	case c.bucket != "":
		name = c.req.Method + " bucket"
	}
	for _, sub := range []string{
		"location", "versions", "uploads", "delete", "attributes", "tagging", "uploadId", "acl", "legal-hold", "retention", "restore",
	} {
		if c.query.Has(sub) {
			name += " " + sub
		}
	}
	if c.key == "" && c.setting() != "" {
		name = c.req.Method + " bucket setting"
	}
	operation, known := operations(s)[name]
	if !known || slices.ContainsFunc(otherSubresources(), c.query.Has) {
		return c.fail(http.StatusNotImplemented, "NotImplemented", "not implemented: "+name)
	}
	if c.bucket != "" && s.buckets[c.bucket] == nil && name != "PUT bucket" {
		return c.fail(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
	}
	return operation(c)
}

// errorBody is S3's error document ("Error responses" in the API reference).
type errorBody struct {
	XMLName  xml.Name `xml:"Error"`
	Code     string
	Message  string
	Resource string
}

func (c *call) fail(status int, code, message string) reply {
	return answerXML(status, errorBody{Code: code, Message: message, Resource: c.req.URL.Path})
}

func answerXML(status int, v any) reply {
	body, err := xml.Marshal(v)
	if err != nil {
		return reply{status: http.StatusInternalServerError, body: fmt.Appendf(nil, "s3test: %v", err)}
	}
	return reply{status, http.Header{"Content-Type": {"application/xml"}}, append([]byte(xml.Header), body...)}
}

func (c *call) noSuchKey() reply {
	return c.fail(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
}

func (c *call) malformedXML(err error) reply {
	return c.fail(http.StatusBadRequest, "MalformedXML", err.Error())
}
