package s3proxy

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"

	"keystile/internal/keystile"
	"keystile/internal/payload"
	"keystile/internal/s3wire"
	"keystile/internal/sigv4"
	"keystile/internal/upstream"
)

// shortPayload is the length up to which a request goes out in one write: it
// cannot be cut off half-way, and a checksum at its end is known before its head
// is sent.
const shortPayload = 64 << 10

// carriage is how a payload goes on: who verifies what, and in which form.
type carriage struct {
	hash   string // x-amz-content-sha256
	header http.Header
	// frame is the checksum with which the payload is framed anew; "": it goes on
	// as it is.
	frame payload.Algorithm
	// late is a checksum known only at the end of a payload that is short enough
	// to wait for it, and for a backend that knows it in a header alone.
	late payload.Algorithm
	// partial says that the backend may store what arrived of it.
	partial bool
}

// entrust decides how a payload goes on. What the backend is proven to verify
// is taken out of d, and so not verified here, unless that is forced. A
// checksum that it is not proven to verify does not go on at all.
func (x *exchange) entrust(d *payload.Declared, header http.Header, forced bool) carriage {
	c := carriage{hash: sigv4.UnsignedPayload, header: header}
	if d.SHA256 != "" {
		c.hash = d.SHA256
	}
	c.chooseForm(x.backend, d)
	left := func(a keystile.Ability) bool { return !forced && x.backend.Can(a) }

	switch {
	case c.frame != "":
		c.useFrame(d)
		d.LeaveTrailer = len(d.Trailers) > 0 && left(keystile.ReadsTrailers) && left(checksumAbility(c.frame))
		return c
	case d.SHA256 != "" && left(keystile.ChecksDigest):
		d.SHA256 = ""
	}
	if d.ContentMD5 != "" {
		header.Set("Content-Md5", d.ContentMD5)
		if left(keystile.ChecksMD5) {
			d.ContentMD5 = ""
		}
	}
	for _, sum := range d.Checksums {
		known := checksumAbility(sum.Algorithm)
		switch name := sum.Algorithm.Header(); {
		case !x.backend.Can(known):
			if !x.keeps(sum.Algorithm) {
				header.Del(name)
			}
		case header.Get(name) != "" && left(known):
			d.Checksums = nil
		}
	}
	return c
}

// keeps reports whether the backend gives back a checksum that it does not verify,
// of the object that is put. A part's is not sent: the upload would have to begin
// and end with its kind.
func (x *exchange) keeps(a payload.Algorithm) bool {
	return x.req.Op.Name == s3wire.OpPutObject && a.Usual() && x.backend.Can(keystile.KeepsChecksums)
}

// chooseForm frames a payload anew where its checksum is in its trailer, and
// where that keeps the backend from storing a part of it.
func (c *carriage) chooseForm(b *upstream.Backend, d *payload.Declared) {
	framed := b.Can(keystile.ReadsTrailers)
	for _, name := range d.Trailers {
		a, _ := payload.AlgorithmOf(name)
		switch {
		case !b.Can(checksumAbility(a)):
		case framed:
			c.frame = a
		case 0 <= d.Length && d.Length <= shortPayload:
			c.late = a
		}
	}
	if c.frame != "" || b.Can(keystile.StoresOnlyWhole) || 0 <= d.Length && d.Length <= shortPayload ||
		d.SHA256 != "" && b.Can(keystile.ChecksDigest) {
		return
	}
	if framed {
		for _, a := range frameKinds(d) {
			if b.Can(checksumAbility(a)) {
				c.frame = a
				return
			}
		}
	}
	c.partial = true
}

// frameKinds are the checksums to frame with, the best first: the one that the
// client declared, or that which S3 computes by itself.
func frameKinds(d *payload.Declared) []payload.Algorithm {
	for _, sum := range d.Checksums {
		return []payload.Algorithm{sum.Algorithm}
	}
	return []payload.Algorithm{payload.CRC64NVME, payload.CRC32C, payload.CRC32}
}

// useFrame sets the headers of a framed payload. What they replace is verified
// here. That it is aws-chunked is told by the hash alone: as an encoding some
// backends would keep it with the object.
func (c *carriage) useFrame(d *payload.Declared) {
	c.hash = sigv4.StreamingUnsignedTrailer
	if len(d.Trailers) == 0 {
		d.Compute = c.frame
	}
	dropChecksums(c.header)
	c.header.Del("Content-Md5")
	c.header.Set("X-Amz-Trailer", c.frame.Header())
}

// load makes the payload, of so many bytes, the request's body.
func (c *carriage) load(out *upstream.Request, p payload.Payload, length int64) error {
	out.PayloadHash, out.Body, out.ContentLength = c.hash, p, length
	switch {
	case c.frame != "":
		c.header.Set("X-Amz-Decoded-Content-Length", strconv.FormatInt(length, 10))
		out.Body = payload.NewFramer(p, length, c.frame)
		out.ContentLength = payload.FramedLength(length, c.frame)
	case c.late != "":
		data, err := readWhole(p, length)
		if err != nil {
			return err
		}
		for _, sum := range p.Checksums() {
			if sum.Algorithm == c.late {
				c.header.Set(sum.Algorithm.Header(), sum.Value)
			}
		}
		out.Body = bytes.NewReader(data)
	}
	return nil
}

// checksumAbility is the ability to verify an algorithm. Every algorithm that is
// read has one.
func checksumAbility(a payload.Algorithm) keystile.Ability {
	ability, _ := keystile.ChecksumAbility(string(a))
	return ability
}

// knows reports whether the backend is proven to verify the algorithm of a
// client's header, "" and unknown ones not.
func (x *exchange) knows(algorithm string) bool {
	ability, ok := keystile.ChecksumAbility(algorithm)
	return ok && x.backend.Can(ability)
}

// learns is knows, but for an algorithm that all parts of an upload will depend
// on: a new backend's probe may be about to tell.
func (x *exchange) learns(algorithm string) bool {
	ability, ok := keystile.ChecksumAbility(algorithm)
	if ok && x.req.Op.Name == s3wire.OpCreateMultipartUpload {
		x.await(x.backend, ability)
	}
	return x.knows(algorithm)
}

// entrustUpload takes out of a request without a payload of its own what the
// backend is not proven to know of checksums. A whole object's checksum, which
// then nobody could verify, is refused.
func (x *exchange) entrustUpload(header http.Header) error {
	if a := header.Get("X-Amz-Checksum-Algorithm"); a != "" && !x.learns(a) {
		header.Del("X-Amz-Checksum-Algorithm")
		header.Del("X-Amz-Checksum-Type")
	}
	if x.req.Op.Name != s3wire.OpCompleteMultipartUpload {
		return nil
	}
	any := false
	for _, a := range payload.Algorithms() {
		if header.Get(a.Header()) != "" {
			x.await(x.backend, checksumAbility(a))
		}
		known := x.backend.Can(checksumAbility(a))
		any = any || known
		if !known && header.Get(a.Header()) != "" {
			return s3wire.NotImplemented.With("This bucket's backend does not verify the checksum %s of a whole object, and here it cannot be: leave it out.", a)
		}
	}
	if !any {
		header.Del("X-Amz-Checksum-Type")
	}
	return nil
}

// readWhole reads a short payload whole, verified.
func readWhole(p io.Reader, length int64) ([]byte, error) {
	data := make([]byte, length)
	if _, err := io.ReadFull(p, data); err != nil {
		if errors.Is(err, io.EOF) {
			err = payload.ErrIncomplete
		}
		return nil, err
	}
	// A body of no length is verified by the read that finds its end.
	if _, err := p.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		return nil, err
	}
	return data, nil
}
