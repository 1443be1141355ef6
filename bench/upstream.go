package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5" //nolint:gosec // ETag is what S3 defines
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"keystile/internal/payload"
	"keystile/internal/sigv4"
)

type upstreamCommand struct{}

// Run serves a small S3 from memory. It verifies what it is sent as a good
// storage server does, signatures apart: so the gateway may leave to it what it
// leaves to good servers.
func (upstreamCommand) Run(ctx context.Context) error {
	u := &upstream{buckets: map[string]bool{}, objects: map[string]object{}, uploads: map[string]map[int]object{}}
	u.buckets[benchBucket], u.buckets[countedBucket] = true, true
	u.objects[benchBucket+"/"+smallKey] = newObject(make([]byte, smallSize), nil)
	u.objects[benchBucket+"/"+largeKey] = newObject(make([]byte, largeSize), nil)
	for i := range listedKeys {
		u.objects[fmt.Sprintf("%s/%s%04d", benchBucket, listPrefix, i)] = newObject(nil, nil)
	}
	return serve(ctx, u)
}

// maxKept bounds what is kept of new objects: of larger ones, which a run
// writes many of, only the length is looked at.
const maxKept = 8 << 20

type object struct {
	data      []byte
	etag      string
	checksums http.Header
}

func newObject(data []byte, checksums http.Header) object {
	sum := md5.Sum(data) //nolint:gosec // as above
	return object{data: data, etag: `"` + hex.EncodeToString(sum[:]) + `"`, checksums: checksums}
}

type upstream struct {
	mu      sync.RWMutex
	buckets map[string]bool
	objects map[string]object
	uploads map[string]map[int]object
	next    int
}

// ServeHTTP implements http.Handler.
func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case bucket == "":
		u.listBuckets(w)
	case key == "":
		u.onBucket(w, r, bucket)
	case !u.has(bucket):
		refuse(w, http.StatusNotFound, "NoSuchBucket")
	case r.URL.Query().Has("uploads") || r.URL.Query().Has("uploadId"):
		u.onUpload(w, r, bucket+"/"+key)
	default:
		u.onObject(w, r, bucket+"/"+key)
	}
}

func (u *upstream) has(bucket string) bool {
	u.mu.RLock()
	defer u.mu.RUnlock()
	return u.buckets[bucket]
}

func (u *upstream) listBuckets(w http.ResponseWriter) {
	reply(w, http.StatusOK, "<ListAllMyBucketsResult><Owner><ID>bench</ID></Owner><Buckets><Bucket><Name>"+benchBucket+
		"</Name><CreationDate>2026-01-01T00:00:00.000Z</CreationDate></Bucket></Buckets></ListAllMyBucketsResult>")
}

func (u *upstream) onBucket(w http.ResponseWriter, r *http.Request, bucket string) {
	switch r.Method {
	case http.MethodPut, http.MethodDelete:
		u.mu.Lock()
		defer u.mu.Unlock()
		u.buckets[bucket] = r.Method == http.MethodPut
		w.WriteHeader(map[string]int{http.MethodPut: http.StatusOK, http.MethodDelete: http.StatusNoContent}[r.Method])
	case http.MethodHead:
		w.WriteHeader(map[bool]int{true: http.StatusOK, false: http.StatusNotFound}[u.has(bucket)])
	case http.MethodGet:
		switch query := r.URL.Query(); {
		case query.Has("uploads"):
			reply(w, http.StatusOK, "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>")
			return
		case query.Has("versions"):
			refuse(w, http.StatusNotImplemented, "NotImplemented")
			return
		}
		u.list(w, bucket, r.URL.Query().Get("prefix"))
	default:
		refuse(w, http.StatusNotImplemented, "NotImplemented")
	}
}

func (u *upstream) list(w http.ResponseWriter, bucket, prefix string) {
	u.mu.RLock()
	var keys []string
	for name := range u.objects {
		if key, ok := strings.CutPrefix(name, bucket+"/"); ok && strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	u.mu.RUnlock()
	slices.Sort(keys)
	var doc bytes.Buffer
	doc.WriteString(xml.Header + `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>` + bucket + "</Name><IsTruncated>false</IsTruncated>")
	for _, key := range keys {
		doc.WriteString("<Contents><Key>")
		_ = xml.EscapeText(&doc, []byte(key)) // a buffer never fails
		doc.WriteString("</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&#34;d41d8cd98f00b204e9800998ecf8427e&#34;</ETag>" +
			"<Size>0</Size><StorageClass>STANDARD</StorageClass></Contents>")
	}
	doc.WriteString("</ListBucketResult>")
	reply(w, http.StatusOK, doc.String())
}

func (u *upstream) onObject(w http.ResponseWriter, r *http.Request, name string) {
	switch r.Method {
	case http.MethodPut:
		o, err := receive(r)
		if err != nil {
			refuseBody(w, err)
			return
		}
		u.mu.Lock()
		defer u.mu.Unlock()
		if _, there := u.objects[name]; there && r.Header.Get("If-None-Match") == "*" {
			refuse(w, http.StatusPreconditionFailed, "PreconditionFailed")
			return
		}
		if len(o.data) <= maxKept {
			u.objects[name] = o
		}
		w.Header().Set("Etag", o.etag)
	case http.MethodDelete:
		u.mu.Lock()
		defer u.mu.Unlock()
		delete(u.objects, name)
		w.WriteHeader(http.StatusNoContent)
	case http.MethodGet, http.MethodHead:
		u.mu.RLock()
		o, ok := u.objects[name]
		u.mu.RUnlock()
		if !ok {
			refuse(w, http.StatusNotFound, "NoSuchKey")
			return
		}
		send(w, r, o)
	default:
		refuse(w, http.StatusNotImplemented, "NotImplemented")
	}
}

func send(w http.ResponseWriter, r *http.Request, o object) {
	header := w.Header()
	header.Set("Etag", o.etag)
	header.Set("Content-Type", "binary/octet-stream")
	header.Set("Content-Length", strconv.Itoa(len(o.data)))
	if r.Header.Get("X-Amz-Checksum-Mode") == "ENABLED" {
		for key, values := range o.checksums {
			header[key] = values
		}
	}
	if r.Method == http.MethodGet {
		_, _ = w.Write(o.data) // a client that left wants no more
	}
}

func (u *upstream) onUpload(w http.ResponseWriter, r *http.Request, name string) {
	query := r.URL.Query()
	id := query.Get("uploadId")
	u.mu.Lock()
	defer u.mu.Unlock()
	parts, known := u.uploads[id]
	switch {
	case r.Method == http.MethodPost && query.Has("uploads"):
		u.next++
		id = strconv.Itoa(u.next)
		u.uploads[id] = map[int]object{}
		reply(w, http.StatusOK, "<InitiateMultipartUploadResult><Bucket>"+benchBucket+"</Bucket><UploadId>"+id+"</UploadId></InitiateMultipartUploadResult>")
	case !known:
		refuse(w, http.StatusNotFound, "NoSuchUpload")
	case r.Method == http.MethodPut:
		o, err := receive(r)
		number, _ := strconv.Atoi(query.Get("partNumber"))
		if err != nil {
			refuseBody(w, err)
			return
		}
		parts[number] = o
		w.Header().Set("Etag", o.etag)
	case r.Method == http.MethodGet:
		reply(w, http.StatusOK, listParts(parts))
	case r.Method == http.MethodDelete:
		delete(u.uploads, id)
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodPost:
		u.objects[name] = joinParts(parts)
		delete(u.uploads, id)
		reply(w, http.StatusOK, "<CompleteMultipartUploadResult><ETag>"+u.objects[name].etag+"</ETag></CompleteMultipartUploadResult>")
	}
}

func listParts(parts map[int]object) string {
	var doc strings.Builder
	doc.WriteString("<ListPartsResult><IsTruncated>false</IsTruncated>")
	for number := range listedKeys {
		if o, ok := parts[number]; ok {
			fmt.Fprintf(&doc, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag><Size>%d</Size></Part>", number, o.etag, len(o.data))
		}
	}
	doc.WriteString("</ListPartsResult>")
	return doc.String()
}

func joinParts(parts map[int]object) object {
	var whole []byte
	for number := range listedKeys {
		whole = append(whole, parts[number].data...)
	}
	return newObject(whole, nil)
}

// receive reads a body and verifies all that it declares, but for signatures of
// chunks: there is no key here to verify them with.
func receive(r *http.Request) (object, error) {
	hash := cmp.Or(r.Header.Get("X-Amz-Content-Sha256"), sigv4.UnsignedPayload)
	if hash == sigv4.StreamingSigned {
		n, err := io.Copy(io.Discard, r.Body)
		return object{data: make([]byte, 0, 1), etag: `"` + strconv.FormatInt(n, 10) + `"`}, err
	}
	declared, err := payload.Declare(payload.Source{
		Header: r.Header, Query: r.URL.Query(), PayloadHash: hash, ContentLength: r.ContentLength,
	})
	if err != nil {
		return object{}, err
	}
	body, err := payload.NewReader(r.Body, declared)
	if err != nil {
		return object{}, err
	}
	if declared.Length > maxKept {
		_, err := io.Copy(io.Discard, body)
		return object{data: make([]byte, maxKept+1), etag: `"large"`}, err
	}
	data, err := io.ReadAll(body)
	if err != nil {
		return object{}, err
	}
	checksums := http.Header{}
	for _, c := range body.Checksums() {
		checksums.Set("X-Amz-Checksum-"+string(c.Algorithm), c.Value)
	}
	return newObject(data, checksums), nil
}

func refuseBody(w http.ResponseWriter, err error) {
	code := "InvalidRequest"
	switch {
	case errors.Is(err, payload.ErrSHA256):
		code = "XAmzContentSHA256Mismatch"
	case errors.Is(err, payload.ErrBadDigest), errors.Is(err, payload.ErrChecksum):
		code = "BadDigest"
	case errors.Is(err, payload.ErrIncomplete), errors.Is(err, payload.ErrTooLong):
		code = "IncompleteBody"
	}
	refuse(w, http.StatusBadRequest, code)
}

func refuse(w http.ResponseWriter, status int, code string) {
	reply(w, status, "<Error><Code>"+code+"</Code><Message>"+code+"</Message></Error>")
}

func reply(w http.ResponseWriter, status int, doc string) {
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("Content-Length", strconv.Itoa(len(doc)))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, doc)
}
