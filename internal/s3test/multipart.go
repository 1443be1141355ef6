package s3test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"keystile/internal/payload"
)

type upload struct {
	key    string
	header http.Header
	parts  map[int]*object
}

func (s *Server) createUpload(c *call) reply {
	s.nextID++
	id := fmt.Sprintf("upload-%d", s.nextID)
	s.buckets[c.bucket].uploads[id] = &upload{key: c.key, header: c.req.Header.Clone(), parts: map[int]*object{}}
	return answerXML(http.StatusOK, struct {
		XMLName               xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ InitiateMultipartUploadResult"`
		Bucket, Key, UploadId string
	}{Bucket: c.bucket, Key: c.key, UploadId: id})
}

// upload returns the upload that the request names, nil if key and id do not
// belong together.
func (s *Server) upload(c *call) *upload {
	u := s.buckets[c.bucket].uploads[c.query.Get("uploadId")]
	if u == nil || u.key != c.key {
		return nil
	}
	return u
}

func (c *call) noSuchUpload() reply {
	return c.fail(http.StatusNotFound, "NoSuchUpload", "The specified upload does not exist.")
}

func (s *Server) uploadPart(c *call) reply {
	u := s.upload(c)
	number, err := strconv.Atoi(c.query.Get("partNumber"))
	if u == nil {
		return c.noSuchUpload()
	}
	if err != nil || number < 1 || number > 10000 {
		return c.fail(http.StatusBadRequest, "InvalidArgument", "Part numbers go from 1 to 10000.")
	}
	if c.req.Header.Get("X-Amz-Copy-Source") == "" {
		u.parts[number] = newObject(c.body, c.req.Header)
		s.buckets[c.bucket].written += int64(len(c.body))
		return reply{status: http.StatusOK, header: http.Header{"Etag": {u.parts[number].etag}}}
	}
	source := s.copySource(c)
	if source == nil {
		return c.noSuchKey()
	}
	data := source.data
	if spec := c.req.Header.Get("X-Amz-Copy-Source-Range"); spec != "" {
		first, last, ok := byteRange(spec, int64(len(data)))
		if !ok {
			return c.fail(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable")
		}
		data = data[first : last+1]
	}
	u.parts[number] = newObject(bytes.Clone(data), http.Header{})
	s.buckets[c.bucket].written += int64(len(data))
	return answerXML(http.StatusOK, copyResult("CopyPartResult", u.parts[number].etag))
}

func (s *Server) completeUpload(c *call) reply {
	u := s.upload(c)
	if u == nil {
		return c.noSuchUpload()
	}
	var in struct {
		XMLName xml.Name `xml:"CompleteMultipartUpload"`
		Part    []namedPart
	}
	if err := xml.Unmarshal(c.body, &in); err != nil {
		return c.malformedXML(err)
	}
	if len(in.Part) == 0 {
		return c.fail(http.StatusBadRequest, "MalformedXML", "No parts are named.")
	}
	var data, sums []byte
	for i, named := range in.Part {
		part := u.parts[named.PartNumber]
		if part == nil || strings.Trim(named.ETag, `"`) != strings.Trim(part.etag, `"`) {
			return c.fail(http.StatusBadRequest, "InvalidPart", "One of the parts is not there, or another one.")
		}
		if s.character.Verifies && !named.fits(part) {
			return c.fail(http.StatusBadRequest, "InvalidPart", "A part has another checksum.")
		}
		if i > 0 && named.PartNumber <= in.Part[i-1].PartNumber {
			return c.fail(http.StatusBadRequest, "InvalidPartOrder", "The parts are not in order.")
		}
		sum := md5.Sum(part.data)
		data, sums = append(data, part.data...), append(sums, sum[:]...)
	}
	o := newObject(data, u.header)
	sum := md5.Sum(sums)
	o.etag = fmt.Sprintf(`"%s-%d"`, hex.EncodeToString(sum[:]), len(in.Part))
	s.buckets[c.bucket].objects[c.key] = o
	delete(s.buckets[c.bucket].uploads, c.query.Get("uploadId"))
	return answerXML(http.StatusOK, struct {
		XMLName                     xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CompleteMultipartUploadResult"`
		Location, Bucket, Key, ETag string
	}{Location: s.URL + c.req.URL.EscapedPath(), Bucket: c.bucket, Key: c.key, ETag: o.etag})
}

// namedPart is a part as CompleteMultipartUpload names it.
type namedPart struct {
	PartNumber int
	ETag       string
	Sums       []struct {
		XMLName xml.Name
		Value   string `xml:",chardata"`
	} `xml:",any"`
}

// fits reports whether the checksums that are named came with the part.
func (n namedPart) fits(part *object) bool {
	for _, sum := range n.Sums {
		kind, ok := strings.CutPrefix(sum.XMLName.Local, "Checksum")
		if ok && part.checksum.Get("X-Amz-Checksum-"+kind) != sum.Value {
			return false
		}
	}
	return true
}

func (s *Server) abortUpload(c *call) reply {
	if s.upload(c) == nil {
		return c.noSuchUpload()
	}
	delete(s.buckets[c.bucket].uploads, c.query.Get("uploadId"))
	return reply{status: http.StatusNoContent}
}

func (s *Server) listParts(c *call) reply {
	u := s.upload(c)
	if u == nil {
		return c.noSuchUpload()
	}
	type sum struct {
		XMLName xml.Name
		Value   string `xml:",chardata"`
	}
	type part struct {
		PartNumber         int
		LastModified, ETag string
		Size               int
		Sums               []sum
	}
	out := struct {
		XMLName               xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListPartsResult"`
		Bucket, Key, UploadId string
		MaxParts              int
		IsTruncated           bool
		Part                  []part
	}{Bucket: c.bucket, Key: c.key, UploadId: c.query.Get("uploadId"), MaxParts: maxPage}
	for _, number := range slices.Sorted(maps.Keys(u.parts)) {
		p := u.parts[number]
		listed := part{PartNumber: number, LastModified: p.modified.Format(dateFormat), ETag: p.etag, Size: len(p.data)}
		for _, a := range payload.Algorithms() {
			if value := p.checksum.Get(a.Header()); value != "" {
				listed.Sums = append(listed.Sums, sum{xml.Name{Local: "Checksum" + string(a)}, value})
			}
		}
		out.Part = append(out.Part, listed)
	}
	return answerXML(http.StatusOK, out)
}

// listUploads lists by key; several uploads of one key come on the same page.
func (s *Server) listUploads(c *call) reply {
	byKey := map[string][]string{}
	uploads := s.buckets[c.bucket].uploads
	for _, id := range slices.Sorted(maps.Keys(uploads)) {
		byKey[uploads[id].key] = append(byKey[uploads[id].key], id)
	}
	p := c.page(slices.Sorted(maps.Keys(byKey)), c.query.Get("key-marker"), "max-uploads")
	type entry struct{ Key, UploadId, Initiated string }
	out := struct {
		XMLName                   xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListMultipartUploadsResult"`
		Bucket, Prefix, KeyMarker string
		Delimiter, EncodingType   string `xml:",omitempty"`
		NextKeyMarker             string `xml:",omitempty"`
		MaxUploads                int
		IsTruncated               bool
		Upload                    []entry
		CommonPrefixes            []commonPrefix
	}{
		Bucket: c.bucket, Prefix: p.show(c.query.Get("prefix")), KeyMarker: p.show(c.query.Get("key-marker")),
		Delimiter: p.show(c.query.Get("delimiter")), EncodingType: c.query.Get("encoding-type"),
		MaxUploads: p.size, IsTruncated: p.truncated, CommonPrefixes: p.commonPrefixes(),
	}
	for _, key := range p.keys {
		for _, id := range byKey[key] {
			out.Upload = append(out.Upload, entry{p.show(key), id, now().Format(dateFormat)})
		}
	}
	if p.truncated {
		out.NextKeyMarker = p.show(p.last)
	}
	return answerXML(http.StatusOK, out)
}
