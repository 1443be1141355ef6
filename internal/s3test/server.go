// Package s3test is an S3 backend for tests. It keeps objects in memory, keeps
// keys exactly as they come, and records every request that reaches it, so that
// a test can prove that a backend never saw one. It can also misbehave: answer
// late, early, in part or not at all (see [Fault]).
//
// It verifies neither signatures nor, unless told to (see [Character]),
// checksums, so that what a gateway let through is seen and not refused a second
// time. It stores a body only if the whole of its Content-Length arrived.
package s3test

import (
	"bytes"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"
)

// maxKeptBody bounds how much of each request body a [Request] keeps.
const maxKeptBody = 64 << 10

// Request is one request as it came in.
type Request struct {
	Method string
	// Path and Query are the two sides of the request target, not decoded.
	Path, Query string
	Host        string
	Header      http.Header
	// ContentLength is what the head declared, -1 for a chunked body.
	ContentLength int64
	// BodyBytes counts what arrived of the body, and Body is its beginning,
	// at most 64 KiB; both as on the wire, without the chunks of HTTP.
	BodyBytes int64
	Body      []byte
	// Complete tells that the body arrived to its end. It is false while the
	// request is still coming in.
	Complete bool
	// Trailer is what followed a chunked body.
	Trailer http.Header
	// Status is what was answered, 0 for nothing.
	Status int
}

// Server is a running backend. Its methods may be called at any time, from any
// goroutine.
type Server struct {
	// URL is the endpoint, http://127.0.0.1:port, without a slash at the end.
	URL string

	http   *httptest.Server
	closed chan struct{}

	mu          sync.Mutex
	running     *sync.Cond // signalled when a handler ends
	handlers    int
	connections int
	requests    []*Request
	faults      []*Fault
	character   Character
	buckets     map[string]*bucket
	nextID      int
}

type bucket struct {
	created time.Time
	objects map[string]*object
	uploads map[string]*upload
	written int64 // bytes of all objects and parts that were ever stored
	// settings are those of the bucket itself, by subresource, as they were put.
	settings map[string][]byte
}

type object struct {
	data     []byte
	header   http.Header // what GET and HEAD give back
	checksum http.Header // likewise, if asked for
	etag     string
	modified time.Time
	tags     []tag

	protection protection
}

// New starts a backend that ends with the test.
func New(t testing.TB) *Server {
	t.Helper()
	s := &Server{closed: make(chan struct{}), buckets: map[string]*bucket{}}
	s.running = sync.NewCond(&s.mu)
	s.http = httptest.NewUnstartedServer(s)
	s.http.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.connections++
		}
	}
	s.http.Start()
	s.URL = s.http.URL
	t.Cleanup(func() {
		close(s.closed)
		s.http.CloseClientConnections()
		s.http.Close()
	})
	return s
}

// Requests returns what came in since the start or the last Reset, in order.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Request
	for _, r := range s.requests {
		one := *r
		one.Header, one.Trailer, one.Body = r.Header.Clone(), r.Trailer.Clone(), bytes.Clone(r.Body)
		all = append(all, one)
	}
	return all
}

// Count is the number of requests since the start or the last Reset, those
// included whose body is still coming in.
func (s *Server) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

// Connections is the number of connections accepted since the start or the
// last Reset.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connections
}

// Reset forgets the requests and connections counted so far. Objects and faults
// stay.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests, s.connections = nil, 0
}

// Wait returns once no request is being served: what a client broke off
// is recorded by then.
func (s *Server) Wait() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.handlers > 0 {
		s.running.Wait()
	}
}

// Objects returns the contents of a bucket by key, nil if there is no such
// bucket.
func (s *Server) Objects(name string) map[string][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buckets[name]
	if b == nil {
		return nil
	}
	all := map[string][]byte{}
	for key, o := range b.objects {
		all[key] = bytes.Clone(o.data)
	}
	return all
}

// Stored is the number of bytes, with those of parts, and of objects that a bucket
// holds.
func (s *Server) Stored(name string) (size, objects int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buckets[name]
	if b == nil {
		return 0, 0
	}
	for _, o := range b.objects {
		size += int64(len(o.data))
	}
	for _, u := range b.uploads {
		for _, p := range u.parts {
			size += int64(len(p.data))
		}
	}
	return size, int64(len(b.objects))
}

// Written is the number of bytes that clients have stored in a bucket, in objects
// and parts; what is gone since counts too.
func (s *Server) Written(name string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.buckets[name]; b != nil {
		return b.written
	}
	return 0
}

// Buckets returns the names of all buckets, sorted.
func (s *Server) Buckets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.buckets))
}

// CreateBucket makes a bucket if it is not there yet.
func (s *Server) CreateBucket(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.makeBucket(name)
}

// Expire ends an upload in parts, as a lifecycle rule does.
func (s *Server) Expire(bucket, uploadID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.buckets[bucket].uploads, uploadID)
}

// PutObject stores an object, and makes the bucket if need be.
func (s *Server) PutObject(bucket, key string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.makeBucket(bucket).objects[key] = newObject(bytes.Clone(data), http.Header{})
}

func (s *Server) makeBucket(name string) *bucket {
	b := s.buckets[name]
	if b == nil {
		b = &bucket{created: now(), objects: map[string]*object{}, uploads: map[string]*upload{}}
		s.buckets[name] = b
	}
	return b
}

// now has the resolution of the dates in S3's headers.
func now() time.Time { return time.Now().UTC().Truncate(time.Second) }
