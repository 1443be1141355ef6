package s3test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// call is one request on its way through the server.
type call struct {
	http.ResponseWriter
	req         *http.Request
	bucket, key string
	query       url.Values
	body        []byte
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	seen := s.record(r)
	defer s.done()
	fault := s.takeFault(r)
	if fault.early {
		s.answer(w, seen, fault)
		return
	}
	body, err := s.readBody(seen, r, fault.hangUpAfter)
	if err != nil && s.nature().Truncates && fault.hangUpAfter < 0 {
		s.serve(&call{ResponseWriter: w, req: r, query: r.URL.Query(), body: body}, seen)
	}
	if err != nil || fault.hangUpAfter >= 0 {
		panic(http.ErrAbortHandler) // half a request gets no answer
	}
	if fault.delay > 0 {
		select {
		case <-time.After(fault.delay):
		case <-r.Context().Done():
		case <-s.closed:
		}
	}
	if fault.status != 0 {
		s.answer(w, seen, fault)
		return
	}
	if fault.cutAfter >= 0 {
		w = &cutWriter{ResponseWriter: w, left: fault.cutAfter, chunked: fault.chunked, silent: fault.silent}
	}
	c := &call{ResponseWriter: w, req: r, query: r.URL.Query(), body: body}
	s.serve(c, seen)
}

// record notes a request as soon as its head is there.
func (s *Server) record(r *http.Request) *Request {
	path, query, _ := strings.Cut(r.RequestURI, "?")
	seen := &Request{
		Method: r.Method, Path: path, Query: query, Host: r.Host,
		Header: r.Header.Clone(), ContentLength: r.ContentLength,
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, seen)
	s.handlers++
	return seen
}

func (s *Server) done() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handlers--
	s.running.Broadcast()
}

func (s *Server) answer(w http.ResponseWriter, seen *Request, f Fault) {
	s.mu.Lock()
	seen.Status = f.status
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/xml")
	if !f.chunked {
		w.Header().Set("Content-Length", strconv.Itoa(len(f.body)))
	}
	w.WriteHeader(f.status)
	if f.chunked {
		_ = http.NewResponseController(w).Flush() // or net/http would measure a short body
	}
	_, _ = io.WriteString(w, f.body)
}

// readBody reads the body, or its first limit bytes if limit is not negative,
// and notes how much came. An error means that it did not come whole.
func (s *Server) readBody(seen *Request, r *http.Request, limit int64) ([]byte, error) {
	var kept bytes.Buffer
	var err error
	piece := make([]byte, 32<<10)
	for err == nil && (limit < 0 || int64(kept.Len()) < limit) {
		if room := limit - int64(kept.Len()); limit >= 0 && room < int64(len(piece)) {
			piece = piece[:room]
		}
		var n int
		n, err = r.Body.Read(piece)
		kept.Write(piece[:n])
		s.mu.Lock()
		seen.BodyBytes = int64(kept.Len())
		if len(seen.Body) < maxKeptBody {
			seen.Body = bytes.Clone(kept.Bytes()[:min(kept.Len(), maxKeptBody)])
		}
		if errors.Is(err, io.EOF) {
			seen.Complete, seen.Trailer = true, r.Trailer.Clone()
		}
		s.mu.Unlock()
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return kept.Bytes(), err
	}
	return kept.Bytes(), nil
}

// serve carries the request out and answers it.
func (s *Server) serve(c *call, seen *Request) {
	reply := s.carryOut(c, seen.Path)
	s.mu.Lock()
	seen.Status = reply.status
	s.nextID++
	c.Header().Set("X-Amz-Request-Id", fmt.Sprintf("S3TEST%08d", s.nextID))
	s.mu.Unlock()
	for name, values := range reply.header {
		c.Header()[name] = values
	}
	if reply.status != http.StatusNoContent && reply.status != http.StatusNotModified {
		c.Header().Set("Content-Length", strconv.Itoa(len(reply.body)))
	}
	c.WriteHeader(reply.status)
	if c.req.Method != http.MethodHead && len(reply.body) > 0 {
		_, _ = c.Write(reply.body)
	}
}

// carryOut finds bucket and key in the path, byte by byte as they came but for
// the percent-encoding, and calls the operation.
func (s *Server) carryOut(c *call, path string) reply {
	name, key, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	var errName, errKey, errBody error
	c.bucket, errName = url.PathUnescape(name)
	c.key, errKey = url.PathUnescape(key)
	var trailer http.Header
	if strings.HasPrefix(c.req.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		c.body, trailer, errBody = unframe(c.body)
	}
	nature := s.nature()
	if errBody != nil && nature.Lies {
		errBody = nil
	}
	if err := errors.Join(errName, errKey, errBody); err != nil {
		return c.fail(http.StatusBadRequest, "InvalidRequest", err.Error())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if nature.Verifies && len(c.body) > 0 {
		if code := c.verify(trailer); code != "" {
			if nature.Lies {
				s.route(c)
			}
			return c.fail(http.StatusBadRequest, code, "The body is not as declared.")
		}
	}
	return s.route(c)
}
