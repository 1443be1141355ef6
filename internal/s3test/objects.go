package s3test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

type tag struct{ Key, Value string }

type tagging struct {
	XMLName xml.Name `xml:"Tagging"`
	Xmlns   string   `xml:"xmlns,attr,omitempty"`
	TagSet  []tag    `xml:"TagSet>Tag"`
}

// newObject keeps of the request's header what S3 keeps with an object.
func newObject(data []byte, header http.Header) *object {
	sum := md5.Sum(data)
	o := &object{data: data, etag: `"` + hex.EncodeToString(sum[:]) + `"`, modified: now()}
	o.header, o.checksum = keptHeader(header)
	query, _ := url.ParseQuery(header.Get("X-Amz-Tagging"))
	for key, values := range query {
		o.tags = append(o.tags, tag{key, values[0]})
	}
	return o
}

func keptHeader(from http.Header) (kept, checksum http.Header) {
	kept, checksum = http.Header{}, http.Header{}
	for name, values := range from {
		switch {
		case strings.HasPrefix(name, "X-Amz-Meta-"):
			kept[name] = values
		case strings.HasPrefix(name, "X-Amz-Checksum-") && name != "X-Amz-Checksum-Mode" && name != "X-Amz-Checksum-Algorithm":
			checksum[name] = values
		}
	}
	for _, name := range []string{"Content-Type", "Cache-Control", "Content-Disposition", "Content-Language", "Expires"} {
		if v := from.Get(name); v != "" {
			kept.Set(name, v)
		}
	}
	encoding := strings.Trim(strings.Replace(from.Get("Content-Encoding"), "aws-chunked", "", 1), ", ")
	if encoding != "" {
		kept.Set("Content-Encoding", encoding)
	}
	if kept.Get("Content-Type") == "" {
		kept.Set("Content-Type", "binary/octet-stream")
	}
	return kept, checksum
}

func (s *Server) putObject(c *call) reply {
	if c.req.Header.Get("X-Amz-Copy-Source") != "" {
		return s.copyObject(c)
	}
	objects := s.buckets[c.bucket].objects
	if c.req.Header.Get("If-None-Match") == "*" && objects[c.key] != nil {
		return c.fail(http.StatusPreconditionFailed, "PreconditionFailed", "The object is there already.")
	}
	o := newObject(c.body, c.req.Header)
	objects[c.key] = o
	s.buckets[c.bucket].written += int64(len(o.data))
	return reply{status: http.StatusOK, header: http.Header{"Etag": {o.etag}}}
}

func (s *Server) getObject(c *call) reply {
	o := s.buckets[c.bucket].objects[c.key]
	if o == nil {
		return c.noSuchKey()
	}
	if v := c.query.Get("versionId"); v != "" && v != "null" {
		return c.fail(http.StatusNotFound, "NoSuchVersion", "The specified version does not exist.")
	}
	if match := c.req.Header.Get("If-None-Match"); match == o.etag || match == "*" {
		return reply{status: http.StatusNotModified, header: http.Header{"Etag": {o.etag}}}
	}
	if match := c.req.Header.Get("If-Match"); match != "" && match != o.etag && match != "*" {
		return c.fail(http.StatusPreconditionFailed, "PreconditionFailed", "The ETag is another one.")
	}
	out := reply{status: http.StatusOK, header: o.header.Clone(), body: o.data}
	out.header.Set("Etag", o.etag)
	out.header.Set("Last-Modified", o.modified.Format(http.TimeFormat))
	out.header.Set("Accept-Ranges", "bytes")
	if spec := c.req.Header.Get("Range"); spec != "" {
		first, last, ok := byteRange(spec, int64(len(o.data)))
		if !ok {
			return c.fail(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable")
		}
		out.status, out.body = http.StatusPartialContent, o.data[first:last+1]
		out.header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, last, len(o.data)))
	} else if c.req.Header.Get("X-Amz-Checksum-Mode") == "ENABLED" {
		for name, values := range o.checksum {
			out.header[name] = values
		}
	}
	return out
}

// byteRange reads a Range of one part (RFC 9110, 14.2).
func byteRange(spec string, size int64) (first, last int64, ok bool) {
	from, to, found := strings.Cut(strings.TrimPrefix(spec, "bytes="), "-")
	if !found {
		return 0, 0, false
	}
	first, errFirst := strconv.ParseInt(from, 10, 64)
	last, errLast := strconv.ParseInt(to, 10, 64)
	switch {
	case from == "" && errLast == nil:
		first, last = max(0, size-last), size-1
	case errFirst == nil && to == "":
		last = size - 1
	case errFirst != nil || errLast != nil:
		return 0, 0, false
	}
	last = min(last, size-1)
	return first, last, first >= 0 && first <= last
}

func (s *Server) deleteObject(c *call) reply {
	delete(s.buckets[c.bucket].objects, c.key)
	return reply{status: http.StatusNoContent}
}

func (s *Server) deleteObjects(c *call) reply {
	var in struct {
		XMLName xml.Name `xml:"Delete"`
		Quiet   bool
		Object  []struct{ Key string }
	}
	if err := xml.Unmarshal(c.body, &in); err != nil {
		return c.malformedXML(err)
	}
	type deleted struct{ Key string }
	out := struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ DeleteResult"`
		Deleted []deleted
	}{}
	for _, o := range in.Object {
		delete(s.buckets[c.bucket].objects, o.Key)
		if !in.Quiet {
			out.Deleted = append(out.Deleted, deleted{o.Key})
		}
	}
	return answerXML(http.StatusOK, out)
}

// copySource finds the object that the request names as its source.
func (s *Server) copySource(c *call) *object {
	path, _, _ := strings.Cut(c.req.Header.Get("X-Amz-Copy-Source"), "?")
	source, err := url.PathUnescape(strings.TrimPrefix(path, "/"))
	name, key, _ := strings.Cut(source, "/")
	if err != nil || s.buckets[name] == nil {
		return nil
	}
	return s.buckets[name].objects[key]
}

func (s *Server) copyObject(c *call) reply {
	source := s.copySource(c)
	if source == nil {
		return c.noSuchKey()
	}
	o := newObject(bytes.Clone(source.data), c.req.Header)
	if c.req.Header.Get("X-Amz-Metadata-Directive") != "REPLACE" {
		o.header = source.header.Clone()
	}
	if c.req.Header.Get("X-Amz-Tagging-Directive") != "REPLACE" {
		o.tags = source.tags
	}
	s.buckets[c.bucket].objects[c.key] = o
	s.buckets[c.bucket].written += int64(len(o.data))
	return answerXML(http.StatusOK, copyResult("CopyObjectResult", o.etag))
}

func copyResult(name, etag string) any {
	return struct {
		XMLName      xml.Name
		LastModified string
		ETag         string
	}{xml.Name{Space: xmlns, Local: name}, now().Format(dateFormat), etag}
}

func (s *Server) objectAttributes(c *call) reply {
	o := s.buckets[c.bucket].objects[c.key]
	if o == nil {
		return c.noSuchKey()
	}
	out := answerXML(http.StatusOK, struct {
		XMLName      xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ GetObjectAttributesResponse"`
		ETag         string
		ObjectSize   int
		StorageClass string
	}{ETag: strings.Trim(o.etag, `"`), ObjectSize: len(o.data), StorageClass: "STANDARD"})
	out.header.Set("Last-Modified", o.modified.Format(http.TimeFormat))
	return out
}

func (s *Server) getTagging(c *call) reply {
	o := s.buckets[c.bucket].objects[c.key]
	if o == nil {
		return c.noSuchKey()
	}
	return answerXML(http.StatusOK, tagging{Xmlns: xmlns, TagSet: o.tags})
}

func (s *Server) putTagging(c *call) reply {
	o := s.buckets[c.bucket].objects[c.key]
	if o == nil {
		return c.noSuchKey()
	}
	var in tagging
	if err := xml.Unmarshal(c.body, &in); err != nil {
		return c.malformedXML(err)
	}
	o.tags = in.TagSet
	return reply{status: http.StatusOK}
}

func (s *Server) deleteTagging(c *call) reply {
	o := s.buckets[c.bucket].objects[c.key]
	if o == nil {
		return c.noSuchKey()
	}
	o.tags = nil
	return reply{status: http.StatusNoContent}
}
