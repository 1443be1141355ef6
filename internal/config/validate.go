package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"keystile/internal/keystile"
)

// validate checks what was decoded; a key that could not be is left out.
func (l *loader) validate() {
	c := &l.config
	if c.DataDir == "" {
		l.fault("data_dir", "must not be empty")
	}
	l.checkServer(&c.Server)
	l.checkACME(c)
	l.checkACMEDomains("server", &c.Server.TLS, c.ACME.HTTPListen)
	l.checkACMEDomains("s3_proxy", &c.S3Proxy.TLS, c.ACME.HTTPListen)
	l.checkS3Proxy(c)
	l.within("limits.header_timeout", c.Limits.HeaderTimeout, time.Second, 5*time.Minute)
	l.within("limits.idle_timeout", c.Limits.IdleTimeout, time.Second, time.Hour)
	l.checkLimits(&c.Limits)
	l.checkS3Limits(&c.S3Proxy.Limits)
	l.checkBackendLimits("backend_defaults", c.BackendDefaults.Timeouts, c.BackendDefaults.KeepAlive)
	l.checkBackends(c.Backends)
	var faults keystile.Faults
	quota := keystile.SizeQuota{MaxSizeKB: int64(c.RGW.DefaultQuotaKB)}
	if quota.Check(&faults); len(faults) > 0 {
		l.check("rgw.default_quota_kb", "%s", faults[0].Message)
	}
	if c.Store.Driver != "sqlite" {
		l.check("store.driver", "must be sqlite")
	}
	l.within("audit.group_wait", c.Audit.GroupWait, 0, 10*time.Millisecond)
	l.within("audit.anchor_every", c.Audit.AnchorEvery, time.Second, 30*24*time.Hour)
	l.checkSinks(c.Audit.Sinks)
	if c.Audit.KeepFor != 0 {
		l.within("audit.keep_for", c.Audit.KeepFor, 24*time.Hour, 100*365*24*time.Hour)
	}
	if n := c.Audit.KeepBytes; n != 0 && n < minKeptBytes {
		l.check("audit.keep_bytes", "must be 0 or at least %d", minKeptBytes)
	}
	if r := c.Audit.Sampling.ProxySuccessReadRate; !(r >= 0 && r <= 1) {
		l.check("audit.sampling.proxy_success_read_rate", "must lie between 0 and 1")
	}
	l.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	l.oneOf("log.format", c.Log.Format, "json", "text")
}

// minKeptBytes is room for some segments of an audit journal, so that what is kept
// is more than what is written now.
const minKeptBytes = 256 << 20

// check reports a fault unless the key's value could not be read at all.
func (l *loader) check(key, format string, args ...any) {
	if !l.broken(key) {
		l.fault(key, format, args...)
	}
}

func (l *loader) checkServer(s *Server) {
	l.checkListen("server.listen", s.Listen)
	l.checkURL("server.public_url", s.PublicURL)
	l.within("server.session.idle_timeout", s.Session.IdleTimeout, time.Minute, 30*24*time.Hour)
	l.within("server.session.absolute_timeout", s.Session.AbsoluteTimeout, time.Minute, 365*24*time.Hour)
	if s.Session.IdleTimeout > s.Session.AbsoluteTimeout {
		l.check("server.session.idle_timeout", "must not exceed server.session.absolute_timeout (%s)", s.Session.AbsoluteTimeout)
	}
	l.checkTLS("server", &s.TLS, s.PublicURL)
	l.checkProxyProtocol("server", s.ProxyProtocol, s.TrustedProxies)
	if !s.AllowPublicHTTP && !isLoopback(s.Listen) && !s.TLS.Enabled() && !behindTLS(s) {
		l.check("server.listen", "%s is not a loopback address, and passwords would cross the network in clear: set server.tls, put a TLS proxy in front (an https server.public_url and server.trusted_proxies) or set server.allow_public_http", s.Listen)
	}
}

// behindTLS reports whether the operator says that a proxy ends TLS in front.
func behindTLS(s *Server) bool {
	u, err := url.Parse(s.PublicURL)
	return err == nil && u.Scheme == "https" && len(s.TrustedProxies) > 0
}

func isLoopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil || host == "localhost" {
		return true // what is no address is a fault of its own
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

func (l *loader) checkS3Proxy(c *Config) {
	p := &c.S3Proxy
	l.checkListen("s3_proxy.listen", p.Listen)
	l.checkURL("s3_proxy.public_url", p.PublicURL)
	l.checkTLS("s3_proxy", &p.TLS, p.PublicURL)
	l.checkHostSuffixes(p.HostSuffixes)
	l.checkProxyProtocol("s3_proxy", p.ProxyProtocol, p.TrustedProxies)
	if p.Region == "" {
		l.check("s3_proxy.region", "must not be empty")
	}
	if r := p.AnonymousRatePerSecond; !(r > 0 && r <= 100_000) {
		l.check("s3_proxy.anonymous_rate_per_second", "must lie above 0 and at most at 100000")
	}
	if r := p.AnonymousTotalPerSecond; !(r > 0 && r <= 1_000_000) {
		l.check("s3_proxy.anonymous_total_per_second", "must lie above 0 and at most at 1000000")
	}
	if p.AbortRefusedUploadsAfter != 0 {
		l.within("s3_proxy.abort_refused_uploads_after", p.AbortRefusedUploadsAfter, time.Second, 30*24*time.Hour)
	}
	_, port, err := net.SplitHostPort(p.Listen)
	if err == nil && p.Enabled && p.Listen == c.Server.Listen && port != "0" {
		l.check("s3_proxy.listen", "is the address of server.listen too: the gateway and the dashboard need one each")
	}
}

// hostName is a DNS name, as a suffix that bucket names stand in front of.
var hostName = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$`)

func (l *loader) checkHostSuffixes(suffixes []string) {
	const key = "s3_proxy.host_suffixes"
	if l.broken(key) {
		return
	}
	for i, s := range suffixes {
		_, err := netip.ParseAddr(s)
		switch {
		case err == nil || len(s) > 253 || !hostName.MatchString(s):
			l.fault(key, "%q is not a host name such as s3.example.org, without a port", s)
		case slices.ContainsFunc(suffixes[:i], func(other string) bool { return strings.EqualFold(other, s) }):
			l.fault(key, "%q stands there twice", s)
		}
	}
}

func (l *loader) checkListen(key, listen string) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		l.check(key, "%q is not HOST:PORT", listen)
		return
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		l.check(key, "port %q is not a number from 0 to 65535", port)
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" && host != "localhost" {
		l.check(key, "%q is neither an IP address nor localhost", host)
	}
}

func (l *loader) checkURL(key, text string) {
	if text == "" {
		return
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https"):
		l.check(key, "must be http://HOST[:PORT] or https://HOST[:PORT]")
	case u.User != nil || (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "":
		l.check(key, "must not have a user name, path, query or fragment")
	}
}

func (l *loader) within(key string, d, low, high time.Duration) {
	if d < low || d > high {
		l.check(key, "must lie between %s and %s", low, high)
	}
}

func (l *loader) oneOf(key, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		l.check(key, "%q is not one of %v", value, allowed)
	}
}

func (l *loader) checkBackends(backends []Backend) {
	first := map[string]int{}
	for i := range backends {
		b := &backends[i]
		at := fmt.Sprintf("backends[%d]", i)
		l.checkBackend(at, b)
		l.checkBackendLimits(at, b.Timeouts, b.KeepAlive)
		if n, taken := first[b.ID]; taken && b.ID != "" {
			l.check(at+".id", "%q is the id of backends[%d] too", b.ID, n)
			continue
		}
		first[b.ID] = i
	}
}

func (l *loader) checkBackend(at string, b *Backend) {
	declared := b.Declared()
	var faults keystile.Faults
	if err := declared.Check(); errors.As(err, &faults) {
		for _, f := range faults {
			// A missing key was reported with its three alternatives.
			if f.Field != "access_key_id" && f.Field != "admin_access_key_id" {
				l.check(at+"."+f.Field, "%s", f.Message)
			}
		}
	}
	l.checkNoAdmin(at, b, declared.Kind)
	switch declared.Kind {
	case keystile.KindS3, keystile.KindCeph:
		if b.DataDir != "" {
			l.check(at+".data_dir", "only an embedded backend has a data directory")
		}
	case keystile.KindEmbedded:
		for _, k := range [][2]string{
			{"access_key_id", b.AccessKeyID}, {"access_key_env", b.AccessKeyEnv}, {"access_key_file", b.AccessKeyFile},
			{"secret_key_env", b.SecretKeyEnv}, {"secret_key_file", b.SecretKeyFile},
		} {
			if k[1] != "" {
				l.check(at+"."+k[0], "an embedded backend makes its own keys")
			}
		}
	}
}

// checkNoAdmin refuses the keys of an Admin Ops API where there is none.
func (l *loader) checkNoAdmin(at string, b *Backend, kind keystile.BackendKind) {
	if kind == keystile.KindCeph {
		return
	}
	for _, k := range [][2]string{
		{"admin_access_key_id", b.AdminAccessKeyID}, {"admin_access_key_env", b.AdminAccessKeyEnv}, {"admin_access_key_file", b.AdminAccessKeyFile},
		{"admin_secret_key_env", b.AdminSecretKeyEnv}, {"admin_secret_key_file", b.AdminSecretKeyFile},
	} {
		if k[1] != "" {
			l.check(at+"."+k[0], "only a backend of kind %s has an Admin Ops API", keystile.KindCeph)
		}
	}
}
