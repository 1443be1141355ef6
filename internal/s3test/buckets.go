package s3test

import (
	"encoding/xml"
	"maps"
	"net/http"
	"slices"
)

const dateFormat = "2006-01-02T15:04:05.000Z"

func (s *Server) listBuckets(*call) reply {
	type entry struct{ Name, CreationDate string }
	out := struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListAllMyBucketsResult"`
		Owner   owner
		Buckets []entry `xml:"Buckets>Bucket"`
	}{Owner: owner{ID: "s3test"}}
	for _, name := range slices.Sorted(maps.Keys(s.buckets)) {
		out.Buckets = append(out.Buckets, entry{name, s.buckets[name].created.Format(dateFormat)})
	}
	return answerXML(http.StatusOK, out)
}

func (s *Server) createBucket(c *call) reply {
	if s.buckets[c.bucket] != nil {
		return c.fail(http.StatusConflict, "BucketAlreadyOwnedByYou", "You own this bucket already.")
	}
	s.makeBucket(c.bucket)
	return reply{status: http.StatusOK, header: http.Header{"Location": {"/" + c.bucket}}}
}

func (s *Server) headBucket(*call) reply {
	return reply{status: http.StatusOK, header: http.Header{"X-Amz-Bucket-Region": {"us-east-1"}}}
}

func (s *Server) deleteBucket(c *call) reply {
	if len(s.buckets[c.bucket].objects) > 0 {
		return c.fail(http.StatusConflict, "BucketNotEmpty", "The bucket is not empty.")
	}
	delete(s.buckets, c.bucket)
	return reply{status: http.StatusNoContent}
}

func (s *Server) bucketLocation(*call) reply {
	return answerXML(http.StatusOK, struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ LocationConstraint"`
	}{})
}
