package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"keystile/internal/keystile"
)

// The headers of a call.
const (
	HeaderEvent     = "X-Keystile-Event"
	HeaderDelivery  = "X-Keystile-Delivery"
	HeaderTimestamp = "X-Keystile-Timestamp"
	HeaderSignature = "X-Keystile-Signature"
)

const (
	// callTimeout bounds a call from the first dial to the end of the answer's head.
	callTimeout = 10 * time.Second
	// maxHeadBytes bounds the answer's head; its body is never read.
	maxHeadBytes = 16 << 10
)

// Dialer makes the connections. It refuses addresses that nobody may have called.
type Dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// Message is what a receiver is told.
type Message struct {
	ID   string // the same in every attempt
	Kind string
	Body []byte // JSON
}

// Sender makes signed calls. It is safe for concurrent use.
type Sender struct {
	http    *http.Client
	refused error
	agent   string
	now     func() time.Time
}

// SenderOptions are what a Sender is made of; all but TLS are required.
type SenderOptions struct {
	Dialer Dialer
	// Refused is the error of the dialer for an address that it does not connect to.
	Refused error
	Agent   string // the User-Agent
	Now     func() time.Time
	// TLS has the authorities that receivers may have, and a certificate to show
	// them; nil: the system's, and none.
	TLS *tls.Config
}

// NewSender makes a sender. Each call has a connection of its own, follows no
// redirect and asks no proxy.
func NewSender(o SenderOptions) *Sender {
	if o.TLS == nil {
		o.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return &Sender{
		refused: o.Refused, agent: o.Agent, now: o.Now,
		http: &http.Client{
			Timeout: callTimeout,
			Transport: &http.Transport{
				DialContext: o.Dialer.DialContext, DisableKeepAlives: true, DisableCompression: true,
				MaxResponseHeaderBytes: maxHeadBytes,
				TLSClientConfig:        o.TLS,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Error is a call that failed, in words that hold nothing of an answer but its
// status.
type Error struct {
	Status int // 0: there was no answer
	text   string
}

func (e *Error) Error() string { return e.text }

// Send makes one call and returns the status of the answer. An answer other than
// 2xx is an *Error, and so is everything else that keeps a call from succeeding.
func (s *Sender) Send(ctx context.Context, address string, secret keystile.Secret, m Message) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(m.Body))
	if err != nil {
		return 0, &Error{text: "the URL cannot be called"}
	}
	stamp := strconv.FormatInt(s.now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", s.agent)
	req.Header.Set(HeaderEvent, m.Kind)
	req.Header.Set(HeaderDelivery, m.ID)
	req.Header.Set(HeaderTimestamp, stamp)
	req.Header.Set(HeaderSignature, Sign(secret, stamp, m.Body))
	resp, err := s.http.Do(req)
	if err != nil {
		return 0, &Error{text: Explain(err, s.refused, callTimeout)}
	}
	_ = resp.Body.Close() // what it holds concerns nobody
	switch {
	case resp.StatusCode >= 200 && resp.StatusCode < 300:
		return resp.StatusCode, nil
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return resp.StatusCode, &Error{resp.StatusCode, fmt.Sprintf("answered %d: redirects are not followed", resp.StatusCode)}
	}
	return resp.StatusCode, &Error{resp.StatusCode, fmt.Sprintf("answered %d", resp.StatusCode)}
}

// Sign is the value of HeaderSignature.
func Sign(secret keystile.Secret, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	_, _ = mac.Write([]byte(timestamp + ".")) // never fails
	_, _ = mac.Write(body)
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}

// Explain tells why a call over HTTP had no answer. The errors of net/http quote
// what a server sent, so none of their words are taken over. Refused is the
// dialer's error for addresses that it does not connect to, within how long the
// caller waits.
func Explain(err, refused error, within time.Duration) string {
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var timeout interface{ Timeout() bool }
	var dial *net.OpError
	switch {
	case errors.Is(err, refused):
		return "this address must not be called"
	case errors.Is(err, context.Canceled):
		return "broken off: the server stopped"
	case errors.As(err, &name):
		return "the host name cannot be resolved"
	case errors.As(err, &certificate):
		return "the certificate cannot be trusted"
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return "the receiver does not speak TLS"
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Sprintf("no answer within %s", within)
	case errors.As(err, &dial) && dial.Op == "dial":
		return "no connection"
	}
	return "the connection ended without an answer in HTTP"
}
