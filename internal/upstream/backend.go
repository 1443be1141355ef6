package upstream

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"keystile/internal/adminops"
	"keystile/internal/http1"
	"keystile/internal/keystile"
	"keystile/internal/sigv4"
)

// LongAnswer as a Request's AnswerTimeout stands for the backend's
// Timeouts.LongAnswer: the operation moves data on the backend's own side, such
// as CopyObject and CompleteMultipartUpload.
const LongAnswer time.Duration = -1

const busyTimeout = 10 * time.Second // for a free connection

// Endpoint is a backend and what it takes to talk to it.
type Endpoint struct {
	Backend keystile.Backend
	Secret  keystile.Secret
	// AdminSecret is that of a Ceph's Admin Ops API.
	AdminSecret keystile.Secret
	// Dial connects to a backend that has no address; nil for those that have.
	Dial func(context.Context) (net.Conn, error)
	// Timeouts and KeepAlive override those of Options, field by field.
	Timeouts  Timeouts
	KeepAlive KeepAlive
	TLS       TLS

	maxConns int // of Options
}

// Backend is one backend at run time, with a connection pool of its own. It is
// safe for concurrent use.
type Backend struct {
	info    keystile.Backend
	secret  keystile.Secret
	scheme  string
	host    string // as Host names it: without the scheme's own port
	signer  *sigv4.Signer
	client  *http1.Client
	limits  Timeouts
	keep    KeepAlive
	tls     TLS
	circuit *circuit
	dial    func(context.Context) (net.Conn, error)
	now     func() time.Time
	health  atomic.Pointer[keystile.Health]
	proof   atomic.Pointer[keystile.Probe]
	proving proving
	private bool // reached by Endpoint.Dial
	// admin calls the Admin Ops API; nil but for a Ceph.
	admin       *adminops.Client
	adminSecret keystile.Secret
}

// Request is one S3 request, in parsed values.
type Request struct {
	Method string
	Bucket string // the real name; "" for ListBuckets
	Key    string // decoded; "" for an operation on the bucket
	Query  url.Values
	// CopySource is the object that CopyObject and UploadPartCopy read; nil for
	// every other operation.
	CopySource *Object
	// Header holds what goes on from the client, already filtered. Send signs
	// in it, so it must not be used again. Host, Content-Length,
	// Transfer-Encoding and x-amz-copy-source are not for it.
	Header http.Header
	// PayloadHash is the x-amz-content-sha256 to declare: a digest in hex or
	// sigv4.UnsignedPayload. Empty stands for a request without a body.
	PayloadHash string
	Body        io.Reader
	// ContentLength is the exact length of Body.
	ContentLength int64
	// Commit and AbortBody are those of http1.Request: Commit lets the last
	// piece of the request go, or does not; AbortBody frees a blocked Body.
	Commit    func(send func() error) error
	AbortBody func()
	// AnswerTimeout bounds the wait for the answer's head once the request is
	// sent; 0 stands for what the backend's Timeouts say for the Method.
	AnswerTimeout time.Duration

	// As signs instead of the backend's own key: for users that the backend knows.
	As *sigv4.Signer

	addressing addressing // for probes
}

// addressing is where a request names its bucket.
type addressing uint8

const (
	asDeclared addressing = iota
	byHost
	inPath
)

// Object names an object of the same backend.
type Object struct {
	Bucket    string // the real name
	Key       string // decoded
	VersionID string // "": the current version
}

// newBackend never fails: an endpoint that cannot be used yields a Backend
// whose every Send tells so, and which is shown as unhealthy.
func newBackend(e Endpoint, dialer *Dialer, roots *x509.CertPool, now func() time.Time) *Backend {
	b := &Backend{
		info: e.Backend, secret: e.Secret, now: now, scheme: "http", host: "localhost", private: e.Dial != nil,
		limits: e.Timeouts.or(DefaultTimeouts), keep: e.KeepAlive.or(DefaultKeepAlive), tls: e.TLS, circuit: newCircuit(now),
	}
	b.signer = sigv4.NewSigner(e.Backend.AccessKeyID, e.Secret.Reveal(), e.Backend.Region, "s3")
	dial := e.Dial
	if dial == nil {
		u, err := url.Parse(e.Backend.Endpoint)
		if err != nil || u.Hostname() == "" {
			dial = func(context.Context) (net.Conn, error) { return nil, errNoEndpoint }
		} else {
			dial = b.reach(u, dialer, roots)
		}
	}
	b.dial = dial
	b.reachAdmin(e, dialer, roots)
	b.client = http1.NewClient(http1.Options{
		Dial:          dial,
		Host:          b.host,
		MaxConns:      e.maxConns,
		MaxIdle:       b.keep.MaxIdle,
		IdleTimeout:   b.keep.IdleTimeout,
		MaxLifetime:   b.keep.MaxLifetime,
		WaitTimeout:   busyTimeout,
		HeaderTimeout: b.limits.WriteAnswer,
		IOTimeout:     b.limits.Idle,
	})
	return b
}

var errNoEndpoint = errors.New("the endpoint is not a URL with a host")

// reach sets scheme and host as u names them and returns how to connect.
func (b *Backend) reach(u *url.URL, dialer *Dialer, roots *x509.CertPool) func(context.Context) (net.Conn, error) {
	name := strings.ToLower(u.Hostname())
	port := portOf(u)
	b.scheme, b.host = u.Scheme, strings.TrimSuffix(strings.ToLower(u.Host), ":")
	if port == standardPort(u.Scheme) {
		b.host = strings.TrimSuffix(b.host, ":"+port)
	}
	address := net.JoinHostPort(name, port)
	plain := func(ctx context.Context) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, b.limits.Connect)
		defer cancel()
		return dialer.DialContext(ctx, "tcp", address)
	}
	if u.Scheme != "https" {
		return plain
	}
	config := b.tls.config(name, roots)
	return func(ctx context.Context) (net.Conn, error) { return dialTLS(ctx, plain, config, b.limits.TLS) }
}

func standardPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

func portOf(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	return standardPort(u.Scheme)
}

func dialTLS(ctx context.Context, plain func(context.Context) (net.Conn, error), config *tls.Config, limit time.Duration) (net.Conn, error) {
	conn, err := plain(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	secured := tls.Client(conn, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return secured, nil
}

// Format prints the id, for every verb: fmt does not ask a secret in an
// unexported field how it wants to be printed.
func (b *Backend) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "backend "+b.info.ID) }

// Info returns the backend as it is declared.
func (b *Backend) Info() keystile.Backend { return b.info }

// KeepsKeys reports whether the backend is proven, now, to store keys byte by
// byte. Unknown means no.
func (b *Backend) KeepsKeys() bool { return b.Can(keystile.KeepsKeys) }

// Health returns what was last seen of the backend.
func (b *Backend) Health() keystile.Health {
	var h keystile.Health
	if seen := b.health.Load(); seen != nil {
		h = *seen
	}
	h.Unverified = b.tls.InsecureSkipVerify
	state, since, cause := b.circuit.state()
	h.Circuit = state
	if state == keystile.CircuitOpen {
		h.Healthy = false
		h.Message = "requests are refused until it answers again: " + plain(cause)
		if since.After(h.CheckedAt) {
			h.CheckedAt = since
		}
	}
	h.Abilities, h.ProbedAt = b.abilities()
	return h
}

// Load returns the gauges of the backend's connection pool.
func (b *Backend) Load() keystile.BackendLoad { return keystile.BackendLoad(b.client.Stats()) }

// Broken notes that the answer about an object broke off or could not be
// understood, after Send had returned it. It returns err as an *Error.
func (b *Backend) Broken(bucket, key string, err error) error {
	broken := &Error{Kind: kindOf(err), Backend: b.info.ID, cause: err}
	b.circuit.failure(broken, bucket+"/"+key)
	return broken
}

// AnswerLimit bounds the time to read an answer that is taken whole, from its
// head on; long is for those of LongAnswer.
func (b *Backend) AnswerLimit(long bool) time.Duration {
	if long {
		return b.limits.LongAnswer
	}
	return b.limits.WriteAnswer
}

// Send addresses, signs and sends a request. An error is ErrBucketName or
// ErrOddKey when nothing was sent because nothing may be; one of the other
// sentinels (as *Error, with an *http1.Error behind it that tells how much was
// sent) when the backend is in trouble; or what ended the request on the
// client's side, as http1 reports it. A redirect is an error. Everything else
// the backend answers, errors included, is a response, and the caller must
// close its body.
func (b *Backend) Send(ctx context.Context, r Request) (*http1.Response, error) {
	if err := b.admit(&r); err != nil {
		return nil, err
	}
	if !b.circuit.admit() {
		return nil, &Error{Kind: ErrCutOff, Backend: b.info.ID}
	}
	answer, err := b.send(ctx, r)
	switch {
	case err == nil, errors.Is(err, ErrRedirect):
		b.circuit.answered()
	default:
		b.circuit.failure(err, r.Bucket+"/"+r.Key)
	}
	return answer, err
}

// admit is the last check before an admin key signs. Of what needs no bucket,
// only ListBuckets is ever sent.
func (b *Backend) admit(r *Request) error {
	listing := r.Bucket == "" && r.Key == "" && r.Method == http.MethodGet
	if !listing {
		if err := b.admitObject(r.Bucket, r.Key); err != nil {
			return err
		}
	}
	for name := range r.Header {
		if strings.EqualFold(name, copySourceHeader) {
			return fmt.Errorf("a copy source that was not parsed: %w", ErrBucketName)
		}
	}
	if r.CopySource != nil {
		if err := b.admitObject(r.CopySource.Bucket, r.CopySource.Key); err != nil {
			return fmt.Errorf("copy source: %w", err)
		}
	}
	// A backend that resolves keys lists what a prefix resolves to.
	if slices.ContainsFunc(r.Query["prefix"], keystile.HasOddSegments) && !b.KeepsKeys() {
		return ErrOddKey
	}
	return nil
}

func (b *Backend) admitObject(bucket, key string) error {
	if err := keystile.CheckBucketName(bucket); err != nil {
		return fmt.Errorf("%w: %w", ErrBucketName, err)
	}
	if keystile.HasOddSegments(key) && !b.KeepsKeys() {
		return ErrOddKey
	}
	return nil
}

const copySourceHeader = "X-Amz-Copy-Source"

// addressed is a request's target and Host, once it is signed.
type addressed struct{ host, target string }

// prepare addresses and signs a request.
func (b *Backend) prepare(r *Request) (addressed, error) {
	host, path := b.address(r.Bucket, r.Key, r.addressing)
	query := encodeQuery(r.Query)
	if r.Header == nil {
		r.Header = make(http.Header, 4)
	}
	if r.CopySource != nil {
		r.Header[copySourceHeader] = []string{encodeCopySource(*r.CopySource)}
	}
	if r.PayloadHash == "" {
		r.PayloadHash = sigv4.EmptySHA256
	}
	lowerMetadata(r.Header)
	signer := b.signer
	if r.As != nil {
		signer = r.As
	}
	if err := signer.Sign(r.Method, path, query, host, r.Header, r.PayloadHash, b.now()); err != nil {
		return addressed{}, err
	}
	target := path
	if query != "" {
		target += "?" + query
	}
	return addressed{host, target}, nil
}

// send is Send without the checks, for probes.
func (b *Backend) send(ctx context.Context, r Request) (*http1.Response, error) {
	to, err := b.prepare(&r)
	if err != nil {
		return nil, err
	}
	answer, err := b.client.Do(ctx, &http1.Request{
		Method: r.Method, Target: to.target, Host: to.host, Header: r.Header,
		ContentLength: r.ContentLength, Body: r.Body,
		HeaderTimeout: b.answerTimeout(&r), Commit: r.Commit, AbortBody: r.AbortBody,
	})
	if err != nil {
		// Not whether ctx has ended: breaking a client's upload off, as a failing
		// backend makes http1 do, ends the client's context too.
		if endedByCaller(err) {
			return nil, err
		}
		return nil, classify(b.info.ID, err)
	}
	if redirects(answer.Status) {
		_ = answer.Body.Close()
		return nil, &Error{Kind: ErrRedirect, Backend: b.info.ID}
	}
	return answer, nil
}

// endedByCaller reports whether the context ended the exchange, rather than the
// time for a part of it ran out.
func endedByCaller(err error) bool {
	var e *http1.Error
	return errors.As(err, &e) && (errors.Is(e.Kind, context.Canceled) || errors.Is(e.Kind, context.DeadlineExceeded))
}

func (b *Backend) answerTimeout(r *Request) time.Duration {
	switch {
	case r.AnswerTimeout == LongAnswer:
		return b.limits.LongAnswer
	case r.AnswerTimeout > 0:
		return r.AnswerTimeout
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		return b.limits.ReadAnswer
	}
	return b.limits.WriteAnswer
}

func redirects(status int) bool {
	return 300 <= status && status <= 399 && status != http.StatusNotModified
}

// address returns the Host and the path of a request. A bucket that cannot be
// a label of a host name is addressed in the path, and so is one with a dot
// over TLS, where no wildcard certificate covers it. So is a key such as
// "minio/admin/…" too: as the whole path it would be the backend's own API.
func (b *Backend) address(bucket, key string, how addressing) (host, path string) {
	if how == byHost {
		return bucket + "." + b.host, EncodePath("", key)
	}
	first, _, _ := strings.Cut(key, "/")
	hosted := how == asDeclared && bucket != "" && !b.info.PathStyle && !b.private && keystile.CheckNewBucketName(bucket) == nil &&
		(b.scheme != "https" || !strings.Contains(bucket, ".")) && !keystile.IsReservedName(first)
	if hosted {
		return bucket + "." + b.host, EncodePath("", key)
	}
	return b.host, EncodePath(bucket, key)
}
