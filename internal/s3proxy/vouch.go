package s3proxy

import (
	"strings"

	"keystile/internal/payload"
	"keystile/internal/s3wire"
)

// vouchFor notes that the checksum which the client declared of an object is
// verified here, so that the answer may tell it. It is not told of a part: what
// the answer to a part says, clients name again when they complete the upload,
// to a backend that does not know it.
func (x *exchange) vouchFor(b *body, d payload.Declared) {
	if x.req.Op.Name == s3wire.OpPutObject && !d.LeaveTrailer && len(d.Checksums)+len(d.Trailers) > 0 {
		x.vouched = b
	}
}

// tellVerified gives the answer the declared checksum that was verified here, as
// S3 answers it, where the backend says nothing of checksums.
func (x *exchange) tellVerified(a *answer) {
	if x.vouched == nil {
		return
	}
	for name := range a.header {
		if strings.HasPrefix(name, "X-Amz-Checksum-") {
			return
		}
	}
	// The declared one comes first; what was computed for the way on follows.
	if sums := x.vouched.Checksums(); len(sums) > 0 {
		a.header.Set(sums[0].Algorithm.Header(), sums[0].Value)
	}
}
