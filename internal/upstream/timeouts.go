package upstream

import (
	"crypto/tls"
	"crypto/x509"
	"time"
)

// TLS says how an https backend proves who it is, and the gateway to it.
type TLS struct {
	RootCAs     *x509.CertPool   // trusted instead of those of Options; nil: those
	Certificate *tls.Certificate // the gateway's own; nil: none
	// InsecureSkipVerify takes any certificate.
	InsecureSkipVerify bool
}

func (t TLS) config(serverName string, roots *x509.CertPool) *tls.Config {
	c := &tls.Config{
		ServerName: serverName,
		RootCAs:    roots,
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"http/1.1"},

		InsecureSkipVerify: t.InsecureSkipVerify, //nolint:gosec // said aloud: configuration, log, health
	}
	if t.RootCAs != nil {
		c.RootCAs = t.RootCAs
	}
	if t.Certificate != nil {
		c.Certificates = []tls.Certificate{*t.Certificate}
	}
	return c
}

// Timeouts bound how long a backend may take. Zero fields stand for the
// defaults given. No bound is set on a body that moves.
type Timeouts struct {
	Connect     time.Duration // to connect to one address; 5 s
	TLS         time.Duration // for the handshake; 10 s
	ReadAnswer  time.Duration // for the head of the answer to a GET or HEAD; 30 s
	WriteAnswer time.Duration // … to any other request, once all of it was sent; 60 s
	// LongAnswer is the same for operations that move data on the backend's own
	// side, such as CopyObject and CompleteMultipartUpload; 10 min.
	LongAnswer time.Duration
	Idle       time.Duration // how long a transfer under way may stand still; 60 s
}

// KeepAlive bounds the connections that are kept for reuse. Zero fields stand
// for the defaults given.
type KeepAlive struct {
	MaxIdle     int           // connections that wait for a request; 64
	IdleTimeout time.Duration // a connection not used for that long is closed; 60 s
	MaxLifetime time.Duration // one older than that takes no more requests; 1 h
}

// DefaultTimeouts and DefaultKeepAlive hold where nothing else is said.
var (
	DefaultTimeouts = Timeouts{
		Connect: 5 * time.Second, TLS: 10 * time.Second,
		ReadAnswer: 30 * time.Second, WriteAnswer: time.Minute, LongAnswer: 10 * time.Minute, Idle: time.Minute,
	}
	DefaultKeepAlive = KeepAlive{MaxIdle: 64, IdleTimeout: time.Minute, MaxLifetime: time.Hour}
)

// or fills the fields that are not set from another's.
func (t Timeouts) or(d Timeouts) Timeouts {
	for _, f := range []struct{ have, def *time.Duration }{
		{&t.Connect, &d.Connect}, {&t.TLS, &d.TLS}, {&t.ReadAnswer, &d.ReadAnswer}, {&t.WriteAnswer, &d.WriteAnswer},
		{&t.LongAnswer, &d.LongAnswer}, {&t.Idle, &d.Idle},
	} {
		if *f.have <= 0 {
			*f.have = *f.def
		}
	}
	return t
}

func (k KeepAlive) or(d KeepAlive) KeepAlive {
	if k.MaxIdle <= 0 {
		k.MaxIdle = d.MaxIdle
	}
	if k.IdleTimeout <= 0 {
		k.IdleTimeout = d.IdleTimeout
	}
	if k.MaxLifetime <= 0 {
		k.MaxLifetime = d.MaxLifetime
	}
	return k
}
