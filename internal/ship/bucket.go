package ship

import (
	"context"
	"crypto/md5" //nolint:gosec // the protocol's checksum, no signature
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/sigv4"
	"keystile/internal/webhook"
)

// BucketOptions are what a Bucket is made of; all but Prefix and TLS are required.
type BucketOptions struct {
	Endpoint    string // http(s)://HOST[:PORT]
	Region      string
	PathStyle   bool
	Bucket      string // made with Object Lock
	Prefix      string // of the keys
	AccessKeyID string
	Secret      keystile.Secret
	RetainFor   time.Duration // for which nobody can remove an anchor
	Dialer      Dialer
	Refused     error // of the dialer, for an address that it does not connect to
	TLS         *tls.Config
	Now         func() time.Time
}

// Bucket puts each item into an object of its own, under S3 Object Lock in
// compliance mode: until its time is over nobody can change or remove it, not the
// owner of the bucket either (Amazon S3 User Guide, "Locking objects with Object
// Lock"). It is for anchors.
type Bucket struct {
	o      BucketOptions
	base   *url.URL
	signer *sigv4.Signer
	http   *http.Client
}

// NewBucket makes the sink.
func NewBucket(o BucketOptions) (*Bucket, error) {
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Hostname() == "" {
		return nil, fmt.Errorf("the endpoint is not a URL with a host: %w", keystile.ErrInvalid)
	}
	if o.PathStyle {
		u.Path = "/" + o.Bucket
	} else {
		u.Host, u.Path = o.Bucket+"."+u.Host, ""
	}
	return &Bucket{
		o: o, base: u, signer: sigv4.NewSigner(o.AccessKeyID, o.Secret.Reveal(), o.Region, "s3"),
		http: &http.Client{
			Timeout: bucketTimeout,
			Transport: &http.Transport{
				DialContext: o.Dialer.DialContext, TLSClientConfig: o.TLS, DisableKeepAlives: true, DisableCompression: true,
				MaxResponseHeaderBytes: 64 << 10,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

const bucketTimeout = 30 * time.Second

// The headers of Object Lock.
const (
	lockMode  = "X-Amz-Object-Lock-Mode"
	lockUntil = "X-Amz-Object-Lock-Retain-Until-Date"
)

// Send implements Sink. What a backend took without its retention is an error: it
// would be no proof.
func (b *Bucket) Send(ctx context.Context, items []Item) error {
	for _, item := range items {
		if err := b.put(ctx, item); err != nil {
			return err
		}
	}
	return nil
}

// key sorts as the records do, and has only characters that need no escapes where
// the prefix has none.
func (b *Bucket) key(item Item) string {
	kind := ""
	if item.Retired {
		kind = "-retired"
	}
	return fmt.Sprintf("%s%s/%020d%s.json", b.o.Prefix, item.Journal, item.Record, kind)
}

func (b *Bucket) put(ctx context.Context, item Item) error {
	body := string(item.JSON) + "\n"
	until := b.o.Now().Add(b.o.RetainFor).UTC().Truncate(time.Second)
	sum := md5.Sum([]byte(body)) //nolint:gosec // S3 asks for it where a lock is set
	header := http.Header{
		"Content-Type": {"application/json"},
		"Content-Md5":  {base64.StdEncoding.EncodeToString(sum[:])},
		lockMode:       {"COMPLIANCE"},
		lockUntil:      {until.Format(time.RFC3339)},
	}
	put, err := b.call(ctx, http.MethodPut, b.key(item), header, body)
	if err != nil {
		return err
	}
	head, err := b.call(ctx, http.MethodHead, b.key(item), http.Header{}, "")
	if err != nil {
		return err
	}
	held, err := time.Parse(time.RFC3339, head.header.Get(lockUntil))
	retained := head.status == http.StatusOK && err == nil && head.header.Get(lockMode) == "COMPLIANCE"
	there := strings.Trim(head.header.Get("Etag"), `"`) == hex.EncodeToString(sum[:])
	switch {
	case put.status == http.StatusOK && retained && !held.Before(until):
		return nil
	case put.status != http.StatusOK && retained && there:
		return nil // it was sent before, and what is locked is not replaced
	case put.status != http.StatusOK:
		return fmt.Errorf("PutObject was answered %d", put.status)
	}
	return fmt.Errorf("the bucket took the anchor, but does not say that it is retained (HeadObject was answered %d): it needs Object Lock, and the key s3:PutObjectRetention and s3:GetObjectRetention", head.status)
}

// answer is what counts of one.
type answer struct {
	status int
	header http.Header
}

func (b *Bucket) call(ctx context.Context, method, key string, header http.Header, body string) (answer, error) {
	u := b.base.JoinPath(key)
	req, err := http.NewRequestWithContext(ctx, method, u.String(), strings.NewReader(body))
	if err != nil {
		return answer{}, fmt.Errorf("the endpoint cannot be called: %w", keystile.ErrInvalid)
	}
	req.Header = header
	if err := b.signer.Sign(method, u.EscapedPath(), "", u.Host, req.Header, sigv4.HashHex([]byte(body)), b.o.Now()); err != nil {
		return answer{}, err
	}
	res, err := b.http.Do(req)
	if err != nil {
		return answer{}, fmt.Errorf("no answer: %s", webhook.Explain(err, b.o.Refused, bucketTimeout))
	}
	_ = res.Body.Close() // what it says concerns nobody
	return answer{res.StatusCode, res.Header}, nil
}

// Close implements Sink.
func (*Bucket) Close() error { return nil }
