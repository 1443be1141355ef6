package s3test

import (
	"encoding/base64"
	"encoding/xml"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const maxPage = 1000

type owner struct{ ID, DisplayName string }

type commonPrefix struct{ Prefix string }

// page is one page of a listing: names in order, each a key or a common prefix.
type page struct {
	keys      []string
	prefixes  []string
	truncated bool
	last      string
	size      int
	show      func(string) string // encoding-type
}

// page walks the sorted names after marker.
func (c *call) page(names []string, marker, sizeParameter string) page {
	prefix, delimiter := c.query.Get("prefix"), c.query.Get("delimiter")
	p := page{size: maxPage, show: func(s string) string { return s }}
	if n, err := strconv.Atoi(c.query.Get(sizeParameter)); err == nil && n < maxPage {
		p.size = max(n, 0)
	}
	if c.query.Get("encoding-type") == "url" {
		p.show = func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "%2F", "/") }
	}
	if p.size == 0 {
		return p
	}
	for _, name := range names {
		rest, inside := strings.CutPrefix(name, prefix)
		if !inside || name <= marker {
			continue
		}
		entry, isPrefix := name, false
		if head, _, found := strings.Cut(rest, delimiter); delimiter != "" && found {
			entry, isPrefix = prefix+head+delimiter, true
		}
		if isPrefix && (entry == marker || slices.Contains(p.prefixes, entry)) {
			continue
		}
		if len(p.keys)+len(p.prefixes) == p.size {
			p.truncated = true
			break
		}
		p.last = entry
		if isPrefix {
			p.prefixes = append(p.prefixes, entry)
		} else {
			p.keys = append(p.keys, entry)
		}
	}
	return p
}

func (p page) commonPrefixes() []commonPrefix {
	var out []commonPrefix
	for _, prefix := range p.prefixes {
		out = append(out, commonPrefix{p.show(prefix)})
	}
	return out
}

type listedObject struct {
	Key, LastModified, ETag string
	Size                    int
	StorageClass            string
	Owner                   *owner `xml:",omitempty"`
	VersionID               string `xml:"VersionId,omitempty"`
	IsLatest                string `xml:",omitempty"`
}

func (p page) listed(b *bucket, withOwner bool) []listedObject {
	var out []listedObject
	for _, key := range p.keys {
		o := b.objects[key]
		entry := listedObject{Key: p.show(key), LastModified: o.modified.Format(dateFormat), ETag: o.etag, Size: len(o.data), StorageClass: "STANDARD"}
		if withOwner {
			entry.Owner = &owner{ID: "s3test"}
		}
		out = append(out, entry)
	}
	return out
}

type listBucketResult struct {
	XMLName               xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
	Name                  string
	Prefix                string
	Delimiter             string  `xml:",omitempty"`
	EncodingType          string  `xml:",omitempty"`
	Marker                *string `xml:",omitempty"`
	NextMarker            string  `xml:",omitempty"`
	StartAfter            string  `xml:",omitempty"`
	ContinuationToken     string  `xml:",omitempty"`
	NextContinuationToken string  `xml:",omitempty"`
	KeyCount              *int    `xml:",omitempty"`
	MaxKeys               int
	IsTruncated           bool
	Contents              []listedObject
	CommonPrefixes        []commonPrefix
}

// listObjects is both ListObjects and ListObjectsV2.
func (s *Server) listObjects(c *call) reply {
	b := s.buckets[c.bucket]
	second := c.query.Get("list-type") == "2"
	marker := c.query.Get("marker")
	if second {
		marker = c.query.Get("start-after")
		if token := c.query.Get("continuation-token"); token != "" {
			decoded, err := base64.StdEncoding.DecodeString(token)
			if err != nil {
				return c.fail(http.StatusBadRequest, "InvalidArgument", "The continuation token is not one of ours.")
			}
			marker = string(decoded)
		}
	}
	p := c.page(slices.Sorted(maps.Keys(b.objects)), marker, "max-keys")
	out := listBucketResult{
		Name: c.bucket, Prefix: p.show(c.query.Get("prefix")), Delimiter: p.show(c.query.Get("delimiter")),
		EncodingType: c.query.Get("encoding-type"), MaxKeys: p.size, IsTruncated: p.truncated,
		Contents:       p.listed(b, !second || c.query.Get("fetch-owner") == "true"),
		CommonPrefixes: p.commonPrefixes(),
	}
	if !second {
		shown := p.show(marker)
		out.Marker = &shown
		if p.truncated {
			out.NextMarker = p.show(p.last)
		}
		return answerXML(http.StatusOK, out)
	}
	count := len(p.keys) + len(p.prefixes)
	out.KeyCount, out.StartAfter, out.ContinuationToken = &count, p.show(c.query.Get("start-after")), c.query.Get("continuation-token")
	if p.truncated {
		out.NextContinuationToken = base64.StdEncoding.EncodeToString([]byte(p.last))
	}
	return answerXML(http.StatusOK, out)
}

// listVersions shows each object as its one version, named "null".
func (s *Server) listVersions(c *call) reply {
	b := s.buckets[c.bucket]
	p := c.page(slices.Sorted(maps.Keys(b.objects)), c.query.Get("key-marker"), "max-keys")
	out := struct {
		XMLName                 xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListVersionsResult"`
		Name, Prefix, KeyMarker string
		Delimiter, EncodingType string `xml:",omitempty"`
		NextKeyMarker           string `xml:",omitempty"`
		NextVersionIdMarker     string `xml:",omitempty"`
		MaxKeys                 int
		IsTruncated             bool
		Version                 []listedObject
		CommonPrefixes          []commonPrefix
	}{
		Name: c.bucket, Prefix: p.show(c.query.Get("prefix")), KeyMarker: p.show(c.query.Get("key-marker")),
		Delimiter: p.show(c.query.Get("delimiter")), EncodingType: c.query.Get("encoding-type"),
		MaxKeys: p.size, IsTruncated: p.truncated, Version: p.listed(b, true), CommonPrefixes: p.commonPrefixes(),
	}
	for i := range out.Version {
		out.Version[i].VersionID, out.Version[i].IsLatest = "null", "true"
	}
	if p.truncated {
		out.NextKeyMarker, out.NextVersionIdMarker = p.show(p.last), "null"
	}
	return answerXML(http.StatusOK, out)
}
