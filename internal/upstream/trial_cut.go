package upstream

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/sigv4"
)

// settleTime is how long a cut upload may take to turn up, hangUpTime how long
// a backend may take to answer one whose connection was ended in order.
const (
	settleTime = time.Second
	hangUpTime = 3 * time.Second
)

// cutKey names the subjects of each round of cuts.
func cutKey(name string, round int) string { return name + "-" + strconv.Itoa(round) }

// tryCuts comes first, so that lookAgain finds what turned up late.
func (t *trial) tryCuts(ctx context.Context) error {
	j, err := t.cut(ctx, func(data []byte) write { return write{hash: sigv4.UnsignedPayload, wire: data} })
	if err == nil {
		t.conclude(keystile.StoresOnlyWhole, j.verdict, j.note)
	}
	return err
}

// cut breaks off bodies half-way and before their last byte, over an object,
// over a part, and where there is none; then it looks at what is there. Each is
// cut as the gateway does it, with a reset, and as the end of its process or a
// proxy in between would do it, in order.
func (t *trial) cut(ctx context.Context, body func(data []byte) write) (judgement, error) {
	t.cuts++
	over := &object{t: t, key: cutKey("cut-object", t.cuts)}
	parts, err := t.newPart(ctx, cutKey("cut-parts", t.cuts), nil)
	if err != nil {
		return judgement{}, err
	}
	none := &object{t: t, key: cutKey("cut-new", t.cuts)}
	for _, s := range []subject{over, parts} {
		old := filled('o', shortBody)
		if j, err := accepts(ctx, s, "a body", hashed(old), old); err != nil || j != fine {
			return j, err
		}
	}
	subjects := []subject{over, parts, none}
	for _, s := range subjects {
		for _, missing := range []int{middleBody / 2, 1} {
			for _, inOrder := range []bool{false, true} {
				w := body(filled('c', middleBody))
				w.cutAt, w.inOrder = len(w.wire)-missing, inOrder
				if _, err := s.put(ctx, w); err != nil {
					return judgement{}, err
				}
			}
		}
	}
	if !sleep(ctx, settleTime) {
		return judgement{}, ctx.Err()
	}
	for _, s := range subjects {
		kept, err := s.holds(ctx)
		if err != nil {
			return judgement{}, err
		}
		if !kept {
			return judgement{keystile.No, "what arrived of a cut body is stored"}, nil
		}
	}
	return fine, nil
}

// lookAgain looks at the first round's uploads once more, now that some time has
// passed.
func (t *trial) lookAgain(ctx context.Context) error {
	if t.found[keystile.StoresOnlyWhole].Verdict != keystile.Yes {
		return nil
	}
	for _, s := range []*object{
		{t: t, key: cutKey("cut-object", 1), data: filled('o', shortBody)}, {t: t, key: cutKey("cut-new", 1)},
	} {
		kept, err := s.holds(ctx)
		if err != nil {
			return err
		}
		if !kept {
			t.conclude(keystile.StoresOnlyWhole, keystile.No, "what arrived of a cut body is stored after a while")
		}
	}
	return nil
}

// hangUp sends a part of a body, ends its side of the connection in order and
// waits for the other side to end.
func (b *Backend) hangUp(ctx context.Context, r Request, wire []byte) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	signed, err := b.prepare(&r)
	if err != nil {
		return err
	}
	var head bytes.Buffer
	_, _ = fmt.Fprintf(&head, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", r.Method, signed.target, signed.host, r.ContentLength)
	for name, values := range r.Header {
		_, _ = fmt.Fprintf(&head, "%s: %s\r\n", name, values[0])
	}
	head.WriteString("\r\n")
	conn, err := b.dial(ctx)
	if err != nil {
		return classify(b.info.ID, err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(hangUpTime))
	if _, err := conn.Write(append(head.Bytes(), wire...)); err != nil {
		return nil // it was cut all the same
	}
	if half, ok := conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_, _ = io.Copy(io.Discard, conn)
	}
	return nil
}

// sleep waits, and returns false if ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
