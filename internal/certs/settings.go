package certs

import (
	"crypto/tls"
	"net"
)

// Options are what a listener's TLS is to be like. Either both files are set or
// Certificate is.
type Options struct {
	CertFile string // PEM: the certificate, then its chain
	KeyFile  string // PEM
	// ClientCAFile holds, in PEM, the authorities of client certificates; empty:
	// no client is asked for one.
	ClientCAFile string
	// RequireClientCert refuses clients without a certificate of these
	// authorities. Else one that is given must be right, and none is needed.
	RequireClientCert bool
	// OnlyTLS13 refuses TLS 1.2.
	OnlyTLS13 bool
	// Certificate gives certificates that no file holds, and Protocols are
	// offered for its sake beside HTTP/1.1.
	Certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	Protocols   []string
}

// suites are those of TLS 1.2 with forward secrecy and authenticated encryption
// (RFC 9325, section 4.2). TLS 1.3 has no others.
var suites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// base is what does not depend on files. Only HTTP/1.1 is spoken: S3 is, and
// the strict parser in front of the gateway knows no other.
func (o Options) base() *tls.Config {
	c := &tls.Config{
		MinVersion:     tls.VersionTLS12,
		CipherSuites:   suites,
		NextProtos:     append([]string{"http/1.1"}, o.Protocols...),
		GetCertificate: o.Certificate,
	}
	if o.OnlyTLS13 {
		c.MinVersion = tls.VersionTLS13
	}
	return c
}

// Listen wraps ln so that every connection speaks TLS as f has it at the time of
// the handshake.
func Listen(ln net.Listener, f *Files) net.Listener {
	outer := f.options.base()
	outer.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return f.current.Load().config, nil }
	return tls.NewListener(ln, outer)
}
