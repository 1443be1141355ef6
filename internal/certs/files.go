package certs

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// maxFileBytes bounds each file: whatever is longer is the wrong one.
const maxFileBytes = 1 << 20

// Files is the TLS of one listener. It is safe for concurrent use.
type Files struct {
	options Options
	current atomic.Pointer[loaded]

	mu     sync.Mutex // of reloading
	tried  [sha256.Size]byte
	failed error // of the last try; nil when current is what the files hold
}

// loaded is what was read from the files at one time.
type loaded struct {
	config   *tls.Config
	notAfter time.Time // of the certificate; zero where no file holds one
}

// Status tells of the certificate in use.
type Status struct {
	// NotAfter is the end of the certificate's validity; zero where it comes
	// from elsewhere than files.
	NotAfter time.Time
	// Failed is why the files as they are now cannot be used; nil if they are in
	// use.
	Failed error
}

// Open reads the files for the first time. Its error names every file at fault.
func Open(o Options) (*Files, error) {
	f := &Files{options: o}
	if _, err := f.Reload(); err != nil {
		return nil, err
	}
	return f, nil
}

// Status tells of the certificate in use.
func (f *Files) Status() Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	return Status{f.current.Load().notAfter, f.failed}
}

// Reload reads the files again and takes them if they are new and fit. It
// returns an error once for each change that cannot be used, and reports
// whether one was taken.
func (f *Files) Reload() (changed bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	found, err := f.read()
	sum := found.sum(err)
	if sum == f.tried {
		return false, nil // known, good or bad
	}
	f.tried = sum
	if err == nil {
		var next *loaded
		if next, err = f.build(found); err == nil {
			f.current.Store(next)
		}
	}
	f.failed = err
	return err == nil, err
}

// contents are those of the files.
type contents struct{ cert, key, clientCA []byte }

// sum tells contents apart, and failures to read them.
func (c contents) sum(err error) [sha256.Size]byte {
	parts := [][]byte{c.cert, c.key, c.clientCA}
	if err != nil {
		parts = append(parts, []byte(err.Error()))
	}
	h := sha256.New()
	for _, part := range parts {
		one := sha256.Sum256(part)
		h.Write(one[:])
	}
	return [sha256.Size]byte(h.Sum(nil))
}

func (f *Files) read() (contents, error) {
	var c contents
	var faults []error
	for _, file := range []struct {
		name string
		into *[]byte
	}{{f.options.CertFile, &c.cert}, {f.options.KeyFile, &c.key}, {f.options.ClientCAFile, &c.clientCA}} {
		if file.name == "" {
			continue
		}
		data, err := readFile(file.name)
		*file.into = data
		faults = append(faults, err)
	}
	return c, errors.Join(faults...)
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFileBytes {
		return nil, fmt.Errorf("%s is longer than %d bytes", name, maxFileBytes)
	}
	return data, nil
}

func (f *Files) build(c contents) (*loaded, error) {
	next := &loaded{config: f.options.base()}
	var faults []error
	if f.options.CertFile != "" {
		pair, err := tls.X509KeyPair(c.cert, c.key)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s and %s: %w", f.options.CertFile, f.options.KeyFile, err))
		} else {
			next.config.Certificates = []tls.Certificate{pair}
			next.notAfter = pair.Leaf.NotAfter
		}
	}
	if f.options.ClientCAFile != "" {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(bytes.TrimSpace(c.clientCA)) {
			faults = append(faults, fmt.Errorf("%s holds no certificate in PEM", f.options.ClientCAFile))
		}
		next.config.ClientCAs = pool
		next.config.ClientAuth = tls.VerifyClientCertIfGiven
		if f.options.RequireClientCert {
			next.config.ClientAuth = tls.RequireAndVerifyClientCert
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return next, nil
}
