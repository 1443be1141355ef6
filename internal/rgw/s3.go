package rgw

import (
	"errors"
	"io"

	"keystile/internal/control"
	"keystile/internal/http1"
	"keystile/internal/sigv4"
	"keystile/internal/upstream"
)

// caller sends requests for a user: signed with its own key at a Ceph, with the
// gateway's everywhere else.
func (h *Homes) caller(as control.RGWSigner) (c upstream.Caller, err error) {
	b, err := h.backend(as.User.BackendID)
	if err != nil {
		return c, err
	}
	if !as.User.AtCeph() {
		return b.Caller(nil), nil
	}
	return b.Caller(sigv4.NewSigner(as.User.AccessKeyID, as.Secret.Reveal(), b.Info().Region, "s3")), nil
}

// maxDrop is what of an answer that nobody needs is read to keep its connection.
const maxDrop = 64 << 10

func drop(answer *http1.Response) {
	_, _ = io.CopyN(io.Discard, answer.Body, maxDrop)
	_ = answer.Body.Close()
}

// explained has the user learn what only the backend knows the reason of.
func explained(err error) error {
	var refused *upstream.Refused
	if errors.As(err, &refused) && (refused.Code == "TooManyBuckets" || refused.Code == "QuotaExceeded") {
		return &control.Explained{Message: refused.Message, Err: err}
	}
	return err
}

// lacks reports whether the backend does not know the operation.
func lacks(err error) bool {
	var refused *upstream.Refused
	return errors.As(err, &refused) && refused.Lacks()
}
