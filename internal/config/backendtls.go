package config

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
)

// BackendTLS says how an https backend, or a sink of the audit journal, proves who
// it is, and the gateway who it is to it. The files are read when the process
// starts.
type BackendTLS struct {
	// CAFile holds the authorities to trust instead of the system's.
	CAFile         string `key:"ca_file"`
	ClientCertFile string `key:"client_cert_file"`
	ClientKeyFile  string `key:"client_key_file"`
	// InsecureSkipVerify takes any certificate. Whoever stands between can read
	// and change everything.
	InsecureSkipVerify bool `key:"insecure_skip_verify"`

	CAs         *x509.CertPool   // what CAFile holds; nil without one
	Certificate *tls.Certificate // what the client files hold; nil without them
}

func (t *BackendTLS) isSet() bool {
	return t.CAFile != "" || t.ClientCertFile != "" || t.ClientKeyFile != "" || t.InsecureSkipVerify
}

func hasTLS(endpoint string) bool { return strings.HasPrefix(endpoint, "https://") }

// readClientTLS reads and checks the TLS files of what is called over TLS, or not.
func (l *loader) readClientTLS(at string, t *BackendTLS, on bool) {
	if !t.isSet() {
		return
	}
	if !on {
		l.check(at+".tls", "means nothing without an https endpoint")
		return
	}
	if t.InsecureSkipVerify && t.CAFile != "" {
		l.check(at+".tls.insecure_skip_verify", "is set beside ca_file: no authority is asked then")
	}
	if t.CAFile != "" {
		l.readAuthorities(at+".tls.ca_file", t)
	}
	switch {
	case t.ClientCertFile != "" && t.ClientKeyFile == "":
		l.check(at+".tls.client_cert_file", "needs client_key_file beside it")
	case t.ClientCertFile == "" && t.ClientKeyFile != "":
		l.check(at+".tls.client_key_file", "needs client_cert_file beside it")
	case t.ClientCertFile != "":
		l.readClientCertificate(at, t)
	}
}

func (l *loader) readAuthorities(key string, t *BackendTLS) {
	data, err := os.ReadFile(t.CAFile)
	if err != nil {
		l.check(key, "%s", err)
		return
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		l.check(key, "%s holds no certificate in PEM", t.CAFile)
		return
	}
	t.CAs = pool
}

func (l *loader) readClientCertificate(at string, t *BackendTLS) {
	if err := checkPrivate(t.ClientKeyFile); err != nil {
		l.check(at+".tls.client_key_file", "%s", err)
		return
	}
	pair, err := tls.LoadX509KeyPair(t.ClientCertFile, t.ClientKeyFile)
	if err != nil {
		l.check(at+".tls.client_cert_file", "%s", err)
		return
	}
	t.Certificate = &pair
}

// Warnings are what is valid, and still should not stay so.
func (c Config) Warnings() []string {
	var list []string
	for _, b := range c.Backends {
		if b.TLS.InsecureSkipVerify {
			list = append(list, fmt.Sprintf("backend %s: the certificate of %s is NOT verified (tls.insecure_skip_verify): whoever stands between can read and change everything, the admin key's requests included", b.ID, b.Endpoint))
		}
	}
	for _, s := range c.Audit.Sinks {
		if s.TLS.InsecureSkipVerify {
			list = append(list, fmt.Sprintf("audit sink %s: the certificate of %s is NOT verified (tls.insecure_skip_verify): whoever stands between can read and change what is sent", s.Name, s.Target()))
		}
	}
	return list
}
