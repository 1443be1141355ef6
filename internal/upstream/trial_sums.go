package upstream

import (
	"context"
	"net/http"

	"keystile/internal/keystile"
	"keystile/internal/payload"
	"keystile/internal/sigv4"
)

// tryKeepsChecksums tries whether the backend gives back the checksums that
// objects were put with, of every usual kind; what it makes of wrong ones is
// another matter.
func (t *trial) tryKeepsChecksums(ctx context.Context) error {
	for _, a := range payload.Algorithms() {
		if !a.Usual() {
			continue
		}
		whole, data := &object{t: t, key: "object"}, filled('k', shortBody)
		sum := a.Sum(data)
		j, err := all(
			func() (judgement, error) {
				return accepts(ctx, whole, "a "+string(a), write{
					hash: sigv4.UnsignedPayload, wire: data, header: http.Header{http.CanonicalHeaderKey(a.Header()): {sum.Value}},
				}, data)
			},
			func() (judgement, error) { return t.gives(ctx, whole, sum) },
		)
		if err != nil {
			return err
		}
		if j != fine {
			t.conclude(keystile.KeepsChecksums, j.verdict, j.note)
			return nil
		}
	}
	t.conclude(keystile.KeepsChecksums, keystile.Yes, "")
	return nil
}
