package s3test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"keystile/internal/payload"
)

// Character is what a server makes of bodies that are not as declared.
type Character struct {
	// Verifies: digests, MD5s, checksums and trailers are verified, and a body
	// that does not match is refused.
	Verifies bool
	// Lies: a refused body is stored all the same.
	Lies bool
	// Truncates: what arrived of a body that was cut off is stored.
	Truncates bool
}

// Become changes the server's character. A new one verifies nothing.
func (s *Server) Become(c Character) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.character = c
}

func (s *Server) nature() Character {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.character
}

// verify finds what is wrong with a body that was declared; "" for nothing. It
// notes the checksum of a trailer as if it had been a header.
func (c *call) verify(trailer http.Header) (code string) {
	h := c.req.Header
	digest := h.Get("X-Amz-Content-Sha256")
	sum := sha256.Sum256(c.body)
	switch {
	case len(digest) == 2*sha256.Size && digest != hex.EncodeToString(sum[:]):
		return "XAmzContentSHA256Mismatch"
	case h.Get("Content-Md5") != "" && h.Get("Content-Md5") != payload.MD5.Sum(c.body).Value:
		return "BadDigest"
	}
	if name := h.Get("X-Amz-Trailer"); name != "" {
		if h.Get("X-Amz-Decoded-Content-Length") != strconv.Itoa(len(c.body)) {
			return "IncompleteBody"
		}
		if trailer.Get(name) == "" {
			return "MalformedTrailerError"
		}
		h.Set(name, trailer.Get(name))
	}
	if c.query.Has("uploadId") && c.req.Method == http.MethodPost {
		return "" // of an object, not of this body
	}
	for _, a := range payload.Algorithms() {
		if want := h.Get(a.Header()); want != "" && want != a.Sum(c.body).Value {
			return "BadDigest"
		}
	}
	return ""
}

// unframe takes the payload and the trailers out of an aws-chunked body, whose
// signatures it ignores.
func unframe(framed []byte) ([]byte, http.Header, error) {
	var data bytes.Buffer
	in := bufio.NewReader(bytes.NewReader(framed))
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return data.Bytes(), nil, fmt.Errorf("aws-chunked body: %w", err)
		}
		digits, _, _ := strings.Cut(strings.TrimSpace(line), ";")
		size, err := strconv.ParseInt(digits, 16, 64)
		if err != nil || size < 0 {
			return data.Bytes(), nil, fmt.Errorf("aws-chunked body: chunk size %q", digits)
		}
		if size == 0 {
			break
		}
		if _, err := io.CopyN(&data, in, size); err != nil {
			return data.Bytes(), nil, fmt.Errorf("aws-chunked body: %w", err)
		}
		if _, err := in.Discard(len("\r\n")); err != nil {
			return data.Bytes(), nil, fmt.Errorf("aws-chunked body: %w", err)
		}
	}
	trailer := http.Header{}
	for {
		line, err := in.ReadString('\n')
		name, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		if ok {
			trailer.Set(name, value)
		}
		if err != nil || !ok && line != "\r\n" {
			return data.Bytes(), nil, fmt.Errorf("aws-chunked body: no end behind the trailer")
		}
		if !ok {
			return data.Bytes(), trailer, nil
		}
	}
}
