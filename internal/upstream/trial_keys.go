package upstream

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"keystile/internal/keystile"
)

// scratchKey is the object that odd keys must not lead to.
const scratchKey = "a/b"

// tryKeys asks whether keys with ".", ".." and empty segments are kept as they
// are.
func (t *trial) tryKeys(ctx context.Context) error {
	verdict, note, err := t.readOddKeys(ctx)
	if err == nil && verdict == keystile.Yes {
		verdict, note, err = t.writeOddKeys(ctx)
	}
	if err == nil {
		t.conclude(keystile.KeepsKeys, verdict, note)
	}
	return err
}

func (t *trial) status(ctx context.Context, method, key string) (int, error) {
	w := write{}
	if method == http.MethodPut {
		w = hashed([]byte("keystile\n"))
	}
	out, err := t.send(ctx, method, key, nil, w)
	if err == nil && out.status == 0 {
		err = &Error{Kind: ErrUnreachable, Backend: t.b.info.ID}
	}
	return out.status, err
}

func (t *trial) readOddKeys(ctx context.Context) (keystile.Verdict, string, error) {
	if status, err := t.status(ctx, http.MethodPut, scratchKey); err != nil || status != http.StatusOK {
		return keystile.Unknown, fmt.Sprintf("a scratch object could not be made (status %d)", status), err
	}
	if status, err := t.status(ctx, http.MethodHead, scratchKey); err != nil || status != http.StatusOK {
		return keystile.Unknown, fmt.Sprintf("the scratch object was not found (status %d)", status), err
	}
	odds := []string{"x/../a/b", "a/../a/b", "a/./b", "./a/b", "a//b", "/a/b"}
	if t.own {
		odds = append(odds, "../"+t.bucket+"/a/b")
	}
	for _, odd := range odds {
		status, err := t.status(ctx, http.MethodHead, odd)
		switch {
		case err != nil:
			return keystile.Unknown, "", err
		case status == http.StatusOK:
			return keystile.No, fmt.Sprintf("it takes the key %q for another: such keys are refused", strings.ReplaceAll(odd, t.bucket, "BUCKET")), nil
		case status != http.StatusNotFound && status != http.StatusBadRequest:
			return keystile.Unknown, fmt.Sprintf("an odd key was answered with status %d", status), nil
		}
	}
	return keystile.Yes, "", nil
}

// writeOddKeys stores odd keys and wants to see exactly them.
func (t *trial) writeOddKeys(ctx context.Context) (keystile.Verdict, string, error) {
	want := []string{scratchKey, "c//d", "c/./e", "c/../f"}
	for _, odd := range want[1:] {
		status, err := t.status(ctx, http.MethodPut, odd)
		switch {
		case err != nil:
			return keystile.Unknown, "", err
		case status/100 == 5:
			return keystile.Unknown, fmt.Sprintf("an odd key was answered with status %d", status), nil
		case status != http.StatusOK:
			return keystile.No, fmt.Sprintf("it does not take the key %q: such keys are refused", odd), nil
		}
	}
	got, err := t.keys(ctx)
	if err != nil {
		return keystile.Unknown, "", err
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		return keystile.No, "it stores odd keys under other names: such keys are refused", nil
	}
	return keystile.Yes, "it keeps keys byte by byte", nil
}
