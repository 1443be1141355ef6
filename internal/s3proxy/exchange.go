package s3proxy

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"keystile/internal/audit"
	"keystile/internal/keyring"
	"keystile/internal/keystile"
	"keystile/internal/s3wire"
	"keystile/internal/sigv4"
	"keystile/internal/upstream"
)

// exchange is one request on its way. Each step fills in what the next ones
// need.
type exchange struct {
	p     *Proxy
	w     http.ResponseWriter
	r     *http.Request
	ctl   *http.ResponseController
	id    string
	began time.Time

	req     s3wire.Request      // since parse
	form    *postForm           // since parse; nil but for a form upload
	auth    sigv4.Authorization // since authenticate; empty when anonymous
	lease   *keyring.Lease      // since authenticate
	real    s3wire.Real         // since authorize: the request in the backend's names
	bucket  keystile.Bucket     // that of real
	source  keystile.Bucket     // that of real: of a copy
	public  []keystile.Bucket   // of other RGW users, that everybody may read
	backend *upstream.Backend   // since authorize
	shown   s3wire.Owner        // see owner; empty before it is asked for
	// sourceBackend is that of a copy's source; nil if nothing is copied.
	sourceBackend *upstream.Backend

	event   keystile.Event // what will be or is recorded
	limit   string         // the name of the one that refused it
	held    int64          // bytes in p.memory
	lent    lent           // holds the bytes of a read's answer
	counted bool           // in p.inFlight
	// recorded: the event is in the trail; intended: and it is open there.
	recorded, intended bool
	intent             audit.Pending // valid if recorded was set by an intent

	partial bool  // the backend may store what arrives of the payload
	size    int64 // of the payload
	vouched *body // see vouchFor; nil if nothing is
	room    room
	status  int // given to the client; 0 before
	in, out int64
	// refused: the gateway said no; broken: the answer began and could not be
	// ended, through no doing of the client.
	refused, broken bool
	// late: the client was told 200 and kept waiting; the rest is to come.
	late bool
	// patience ends the waiting for proofs; zero before the first (see await).
	patience time.Time
}

func (p *Proxy) begin(w http.ResponseWriter, r *http.Request) *exchange {
	now := p.Now()
	id := newRequestID()
	ids := []string{id}
	w.Header()["x-amz-request-id"] = ids
	w.Header()["x-amz-id-2"] = ids
	x := &exchange{p: p, w: w, r: r, ctl: http.NewResponseController(w), id: id, began: now}
	x.event = keystile.Event{
		Time: now, RequestID: id, UserAgent: clip(r.UserAgent(), keystile.MaxUserAgentBytes),
	}
	if addr := p.Clients.Addr(r); addr.IsValid() {
		x.event.SourceIP = addr.String()
	}
	return x
}

// newRequestID makes 16 characters, as S3's ids have.
func newRequestID() string {
	const digits = "0123456789ABCDEF"
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails: it ends the process instead
	var id [2 * len(random)]byte
	for i, b := range random {
		id[2*i], id[2*i+1] = digits[b>>4], digits[b&15]
	}
	return string(id[:])
}

func newEventID() string {
	id, err := uuid.NewV7()
	if err != nil {
		id = uuid.New() // the id need not be in order, only unique
	}
	return id.String()
}

// end lets go of everything the request held.
func (x *exchange) end() {
	if x.lease != nil {
		x.lease.Release()
	}
	x.letGo()
	x.giveBack()
	x.room.upload.Close()
	served := x.served()
	x.p.Observer.Observe(served)
	if !x.p.Log.Enabled(x.r.Context(), slog.LevelDebug) {
		return
	}
	x.p.Log.LogAttrs(x.r.Context(), slog.LevelDebug, "request",
		slog.String("request_id", x.id), slog.String("operation", served.Operation), slog.Int("status", x.status),
		slog.Duration("took", served.Took), slog.Int64("in", x.in), slog.Int64("out", x.out))
}

// served is the request as it is counted.
func (x *exchange) served() keystile.Served {
	now := x.p.Now()
	s := keystile.Served{
		Ended: now, Took: now.Sub(x.began), Backend: x.bucket.Backend, Operation: "unknown",
		Status: x.status, Refused: x.refused, Limit: x.limit, Broken: x.broken, In: x.in, Out: x.out,
	}
	if x.req.Op != nil {
		s.Operation, s.Class = x.req.Op.Name, string(x.req.Op.Class)
	}
	if x.backend != nil {
		s.Bucket = x.bucket.Name
	}
	if x.lease != nil && x.lease.Credential != nil {
		s.AccessKeyID = x.lease.Credential.AccessKeyID
	}
	return s
}

// context is that of the lease once there is one: it ends when the client goes
// or the right is taken away.
func (x *exchange) context() context.Context {
	if x.lease != nil {
		return x.lease.Context()
	}
	return x.r.Context()
}

// admit takes the lease and makes its end break the client's connection, so
// that nothing waits for a slow client whose right is gone.
func (x *exchange) admit(l *keyring.Lease) {
	x.lease = l
	l.OnCut(x.cutClient)
}

// cutClient makes every read from and write to the client fail.
func (x *exchange) cutClient() {
	past := time.Unix(1, 0)
	_ = x.ctl.SetReadDeadline(past) // fails only where the connection is gone
	_ = x.ctl.SetWriteDeadline(past)
}

// stopReading makes the read from the client fail that the backend no longer
// waits for.
func (x *exchange) stopReading() { _ = x.ctl.SetReadDeadline(time.Unix(1, 0)) }

// resource is the path as the client sent it.
func (x *exchange) resource() string { return x.r.URL.EscapedPath() }

// owner is who owns buckets and objects as far as this client can see.
func (x *exchange) owner() s3wire.Owner {
	if x.shown.ID != "" {
		return x.shown
	}
	name := "anonymous"
	if x.lease != nil && x.lease.Credential != nil {
		name = x.lease.Owner
		if name == "" {
			name = x.lease.Credential.AccessKeyID
		}
	}
	x.shown = s3wire.Owner{ID: ownerID(name), DisplayName: name}
	return x.shown
}

// errorOf turns any error of the way into the S3 error for the client.
func (x *exchange) errorOf(err error) *s3wire.Error {
	if x.lease != nil && x.lease.Cut() {
		return s3wire.InvalidAccessKeyID.Caused(err)
	}
	var e *s3wire.Error
	if errors.As(err, &e) {
		return e
	}
	if e := translate(err); e != nil {
		return e
	}
	return s3wire.InternalError.Caused(err)
}

func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "")
}
