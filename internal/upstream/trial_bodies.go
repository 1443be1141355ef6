package upstream

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"

	"keystile/internal/keystile"
	"keystile/internal/payload"
	"keystile/internal/sigv4"
)

// Lengths of the bodies that are tried. Servers treat short ones, those of more
// than one buffer and those of more than one of their own pieces differently.
const (
	shortBody  = 100
	middleBody = 300 << 10
	longBody   = 5<<20 + 1
)

// filled is a body of n bytes that no other letter's is.
func filled(letter byte, n int) []byte { return bytes.Repeat([]byte{letter}, n) }

// onBoth tries something on an object and on a part, completes the upload, and
// concludes.
func (t *trial) onBoth(ctx context.Context, a keystile.Ability, try func(subject) (judgement, error)) error {
	return t.onBothSummed(ctx, a, "", try)
}

// onBothSummed is onBoth with an upload whose parts have a checksum; "" for none.
func (t *trial) onBothSummed(ctx context.Context, a keystile.Ability, sum payload.Algorithm, try func(subject) (judgement, error)) error {
	parts, err := t.newPart(ctx, "parts", algorithm(sum))
	if err != nil {
		return err
	}
	j, err := all(
		func() (judgement, error) { return try(&object{t: t, key: "object"}) },
		func() (judgement, error) { return try(parts) },
		func() (judgement, error) { return t.completes(ctx, parts, sum) },
	)
	if err == nil {
		t.conclude(a, j.verdict, j.note)
	}
	return err
}

// completes wants the upload of a part to become the object that was accepted.
func (t *trial) completes(ctx context.Context, s *part, sum payload.Algorithm) (judgement, error) {
	var sums map[string]string
	if sum != "" {
		sums = map[string]string{"Checksum" + string(sum): sum.Sum(s.data).Value}
	}
	completed, right, err := s.complete(ctx, sums)
	switch {
	case err != nil:
		return judgement{}, err
	case !completed:
		return judgement{keystile.No, "the upload cannot be completed"}, nil
	case !right:
		return judgement{keystile.No, "the upload becomes another object than was sent"}, nil
	}
	return fine, nil
}

// tryDigests also cuts a body that has a digest: what such a cut leaves of it
// does not match.
func (t *trial) tryDigests(ctx context.Context) error {
	err := t.onBoth(ctx, keystile.ChecksDigest, func(s subject) (judgement, error) {
		for i, n := range []int{shortBody, middleBody, longBody} {
			right, wrong := filled(byte('a'+i), n), filled('w', n)
			j, err := all(
				func() (judgement, error) { return accepts(ctx, s, "a body with its digest", hashed(right), right) },
				func() (judgement, error) {
					return refuses(ctx, s, "a wrong digest", write{hash: sigv4.HashHex(right), wire: wrong})
				},
			)
			if err != nil || j != fine {
				return j, err
			}
		}
		return fine, nil
	})
	if err != nil || t.found[keystile.ChecksDigest].Verdict != keystile.Yes {
		return err
	}
	j, err := t.cut(ctx, hashed)
	if err == nil && j != fine {
		t.conclude(keystile.ChecksDigest, j.verdict, j.note)
	}
	return err
}

func (t *trial) tryMD5(ctx context.Context) error {
	return t.onBoth(ctx, keystile.ChecksMD5, func(s subject) (judgement, error) {
		for i, n := range []int{shortBody, middleBody} {
			right, wrong := filled(byte('a'+i), n), filled('w', n)
			header := http.Header{"Content-Md5": {payload.MD5.Sum(right).Value}}
			unsigned := func(data []byte) write { return write{hash: sigv4.UnsignedPayload, header: header, wire: data} }
			j, err := all(
				func() (judgement, error) { return accepts(ctx, s, "a body with its MD5", unsigned(right), right) },
				func() (judgement, error) { return refuses(ctx, s, "a wrong Content-MD5", unsigned(wrong)) },
				func() (judgement, error) {
					return refuses(ctx, s, "a wrong Content-MD5", write{hash: sigv4.HashHex(wrong), header: header, wire: wrong})
				},
			)
			if err != nil || j != fine {
				return j, err
			}
		}
		return fine, nil
	})
}

// trailed is a body with a checksum in its trailer, which need not be its own,
// and a decoded length that may be off. Content-Encoding does not say aws-chunked:
// x-amz-content-sha256 says it, and some servers would keep it with the object.
func trailed(data []byte, sum payload.Checksum, off int) write {
	var wire bytes.Buffer
	const chunk = 64 << 10
	for rest := data; len(rest) > 0; {
		n := min(len(rest), chunk)
		_, _ = fmt.Fprintf(&wire, "%x\r\n%s\r\n", n, rest[:n])
		rest = rest[n:]
	}
	_, _ = fmt.Fprintf(&wire, "0\r\n%s:%s\r\n\r\n", sum.Algorithm.Header(), sum.Value)
	return write{hash: sigv4.StreamingUnsignedTrailer, wire: wire.Bytes(), header: http.Header{
		"X-Amz-Trailer":                {sum.Algorithm.Header()},
		"X-Amz-Decoded-Content-Length": {strconv.Itoa(len(data) + off)},
	}}
}

func (t *trial) tryTrailers(ctx context.Context) error {
	const kind = payload.CRC32
	err := t.onBothSummed(ctx, keystile.ReadsTrailers, kind, func(s subject) (judgement, error) {
		for i, n := range []int{shortBody, middleBody} {
			right, wrong := filled(byte('a'+i), n), filled('w', n)
			j, err := all(
				func() (judgement, error) {
					return accepts(ctx, s, "a trailer", trailed(right, kind.Sum(right), 0), right)
				},
				func() (judgement, error) {
					return refuses(ctx, s, "a wrong trailer", trailed(wrong, kind.Sum(right), 0))
				},
				func() (judgement, error) {
					return refuses(ctx, s, "a decoded length that is too long", trailed(wrong, kind.Sum(wrong), 1))
				},
				func() (judgement, error) {
					return refuses(ctx, s, "a decoded length that is too short", trailed(wrong, kind.Sum(wrong), -1))
				},
			)
			if err != nil || j != fine {
				return j, err
			}
		}
		return fine, nil
	})
	if err != nil || t.found[keystile.ReadsTrailers].Verdict != keystile.Yes {
		return err
	}
	j, err := t.cut(ctx, func(data []byte) write { return trailed(data, kind.Sum(data), 0) })
	if err == nil && j != fine {
		t.conclude(keystile.ReadsTrailers, j.verdict, j.note)
	}
	return err
}

func algorithm(a payload.Algorithm) http.Header {
	if a == "" {
		return nil
	}
	return http.Header{"X-Amz-Checksum-Algorithm": {string(a)}}
}

func (t *trial) tryChecksums(ctx context.Context) error {
	for _, a := range payload.Algorithms() {
		ability, ok := keystile.ChecksumAbility(string(a))
		if !ok {
			continue
		}
		j, err := t.tryChecksum(ctx, a)
		if err != nil {
			return err
		}
		t.conclude(ability, j.verdict, j.note)
	}
	return nil
}

// tryChecksum tries one kind in every way in which it is sent on.
func (t *trial) tryChecksum(ctx context.Context, a payload.Algorithm) (judgement, error) {
	whole := &object{t: t, key: "object"}
	old := filled('o', shortBody)
	if j, err := accepts(ctx, whole, "a body", hashed(old), old); err != nil || j != fine {
		return j, err
	}
	if j, err := t.checks(ctx, whole, a); err != nil || j != fine {
		return j, err
	}
	if j, err := t.gives(ctx, whole, a.Sum(whole.data)); err != nil || j != fine {
		return j, err
	}
	id, err := t.begin(ctx, "parts", algorithm(a))
	if err != nil {
		return judgement{keystile.No, "an upload with such checksums cannot be begun"}, ctx.Err()
	}
	parts := &part{t: t, key: "parts", id: id}
	if j, err := t.checks(ctx, parts, a); err != nil || j != fine {
		return j, err
	}
	return t.completes(ctx, parts, a)
}

// checks tries a checksum in a header and, where trailers are read, in one.
func (t *trial) checks(ctx context.Context, s subject, a payload.Algorithm) (judgement, error) {
	headed := func(data []byte, sum payload.Checksum) write {
		return write{hash: sigv4.UnsignedPayload, wire: data, header: http.Header{http.CanonicalHeaderKey(a.Header()): {sum.Value}}}
	}
	inTrailer := func(data []byte, sum payload.Checksum) write { return trailed(data, sum, 0) }
	forms := []func([]byte, payload.Checksum) write{headed}
	if t.found[keystile.ReadsTrailers].Verdict == keystile.Yes {
		forms = append(forms, inTrailer)
	}
	for i, form := range forms {
		right, wrong := filled(byte('a'+i), shortBody), filled('w', shortBody)
		j, err := all(
			func() (judgement, error) { return refuses(ctx, s, "a wrong checksum", form(wrong, a.Sum(right))) },
			func() (judgement, error) {
				return accepts(ctx, s, "a right checksum", form(right, a.Sum(right)), right)
			},
			func() (judgement, error) { return refuses(ctx, s, "a wrong checksum", form(wrong, a.Sum(right))) },
		)
		if err != nil || j != fine {
			return j, err
		}
	}
	return fine, nil
}

// gives wants the checksum back.
func (t *trial) gives(ctx context.Context, s *object, sum payload.Checksum) (judgement, error) {
	_, header, err := t.read(ctx, s.key, http.Header{"X-Amz-Checksum-Mode": {"ENABLED"}})
	if err != nil {
		return judgement{}, err
	}
	if header.Get(sum.Algorithm.Header()) != sum.Value {
		return judgement{keystile.No, "the checksum is not given back"}, nil
	}
	return fine, nil
}
