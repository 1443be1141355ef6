package config

import (
	"fmt"
	"net"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"time"

	"keystile/internal/keystile"
)

// Sink is one place that the audit journal is shipped to. Its secrets come from
// the environment or from files, never from the file itself.
type Sink struct {
	Name string `key:"name"`
	Kind string `key:"kind"` // syslog, webhook, file or s3
	// Send lists what it gets: records, anchors. Empty: both; of s3, which takes
	// nothing else, anchors.
	Send []string `key:"send"`
	From string   `key:"from"` // of a new sink: beginning or now
	// Retention says whether old segments wait for it: waits or ignores.
	Retention string `key:"retention"`

	Address  string `key:"address"`  // of syslog: HOST:PORT
	Facility int    `key:"facility"` // of syslog

	URL        string `key:"url"` // of a webhook
	SecretEnv  string `key:"secret_env"`
	SecretFile string `key:"secret_file"`

	Path     string `key:"path"`      // of a file
	MaxBytes int    `key:"max_bytes"` // at which it is rotated; 0: never
	Keep     int    `key:"keep"`      // rotated files

	Endpoint      string        `key:"endpoint"` // of s3
	Region        string        `key:"region"`
	PathStyle     bool          `key:"path_style"`
	Bucket        string        `key:"bucket"`
	Prefix        string        `key:"prefix"`
	AccessKeyID   string        `key:"access_key_id"`
	SecretKeyEnv  string        `key:"secret_key_env"`
	SecretKeyFile string        `key:"secret_key_file"`
	RetainFor     time.Duration `key:"retain_for"`

	TLS BackendTLS `key:"tls"`

	// Secret is what the fields above name: of a webhook, or the key of s3.
	Secret keystile.Secret
}

// The kinds of sinks.
const (
	SinkSyslog  = "syslog"
	SinkWebhook = "webhook"
	SinkFile    = "file"
	SinkS3      = "s3"
)

// What a sink may get.
const (
	SendRecords = "records"
	SendAnchors = "anchors"
)

func defaultSink() Sink { return Sink{From: "beginning", Retention: "waits"} }

// fillSinks sets what a sink of its kind has where the file says nothing.
func (l *loader) fillSinks() {
	for i := range l.config.Audit.Sinks {
		s := &l.config.Audit.Sinks[i]
		var own Sink
		switch s.Kind {
		case SinkSyslog:
			own = Sink{Facility: logAudit}
		case SinkFile:
			own = Sink{MaxBytes: 100 << 20, Keep: 10}
		case SinkS3:
			own = Sink{Region: "us-east-1", PathStyle: true, RetainFor: 365 * 24 * time.Hour}
		}
		from, target := reflect.ValueOf(own), reflect.ValueOf(s).Elem()
		for n := range target.NumField() {
			key := fmt.Sprintf("audit.sinks[%d].%s", i, target.Type().Field(n).Tag.Get("key"))
			if _, set := l.places[key]; !set && !from.Field(n).IsZero() {
				target.Field(n).Set(from.Field(n))
			}
		}
	}
}

// logAudit is the facility for audits, RFC 5424 section 6.2.1.
const logAudit = 13

// Sends reports whether a sink gets that.
func (s Sink) Sends(what string) bool {
	if len(s.Send) == 0 {
		return what == SendAnchors || s.Kind != SinkS3
	}
	return slices.Contains(s.Send, what)
}

// Target is where a sink's items go, in words that hold no secret.
func (s Sink) Target() string {
	switch s.Kind {
	case SinkSyslog:
		return s.Address
	case SinkFile:
		return s.Path
	case SinkS3:
		return s.Endpoint + "/" + s.Bucket + "/" + s.Prefix
	}
	u, err := url.Parse(s.URL)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host // a path may be a secret
}

// checkOnly refuses keys that belong to other kinds of sinks.
func (l *loader) checkOnly(at string, s *Sink) {
	for _, k := range []struct {
		kinds []string
		keys  []string
	}{
		{[]string{SinkSyslog}, []string{"address", "facility"}},
		{[]string{SinkWebhook}, []string{"url", "secret_env", "secret_file"}},
		{[]string{SinkFile}, []string{"path", "max_bytes", "keep"}},
		{[]string{SinkS3}, []string{"endpoint", "region", "path_style", "bucket", "prefix", "access_key_id", "secret_key_env", "secret_key_file", "retain_for"}},
		{[]string{SinkSyslog, SinkWebhook, SinkS3}, []string{"tls"}},
	} {
		if slices.Contains(k.kinds, s.Kind) {
			continue
		}
		for _, key := range k.keys {
			if f, _ := field(reflect.ValueOf(s).Elem(), key); !f.IsZero() {
				l.check(at+"."+key, "means nothing to a sink of kind %q", s.Kind)
			}
		}
	}
}

// sinkName bounds what becomes a label of metrics and a name in the store.
var sinkName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// objectKey has nothing that a URL would have to escape.
var objectKey = regexp.MustCompile(`^[A-Za-z0-9/_.-]*$`)

func (l *loader) checkSinks(sinks []Sink) {
	first := map[string]int{}
	for i := range sinks {
		s := &sinks[i]
		at := fmt.Sprintf("audit.sinks[%d]", i)
		if !sinkName.MatchString(s.Name) {
			l.check(at+".name", "must be 1 to 63 lower-case letters, digits or hyphens")
		}
		if n, taken := first[s.Name]; taken {
			l.check(at+".name", "%q is the name of audit.sinks[%d] too", s.Name, n)
		} else {
			first[s.Name] = i
		}
		l.oneOf(at+".kind", s.Kind, SinkSyslog, SinkWebhook, SinkFile, SinkS3)
		l.oneOf(at+".from", s.From, "beginning", "now")
		l.oneOf(at+".retention", s.Retention, "waits", "ignores")
		for _, what := range s.Send {
			l.oneOf(at+".send", what, SendRecords, SendAnchors)
		}
		l.checkOnly(at, s)
		l.checkSink(at, s)
	}
}

func (l *loader) checkSink(at string, s *Sink) {
	switch s.Kind {
	case SinkSyslog:
		host, port, err := net.SplitHostPort(s.Address)
		if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || n == 0 || host == "" {
			l.check(at+".address", "%q is not HOST:PORT", s.Address)
		}
		l.between(at+".facility", s.Facility, 0, 23)
	case SinkWebhook:
		u, err := url.Parse(s.URL)
		if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
			l.check(at+".url", "must be http:// or https:// with a host, and without a user name")
		}
	case SinkFile:
		if s.Path == "" {
			l.check(at+".path", "must not be empty")
		}
		if s.MaxBytes != 0 {
			l.between(at+".max_bytes", s.MaxBytes, 1<<20, 1<<40)
		}
		l.between(at+".keep", s.Keep, 0, 1000)
	case SinkS3:
		l.checkBucketSink(at, s)
	}
}

func (l *loader) checkBucketSink(at string, s *Sink) {
	if s.Endpoint == "" {
		l.check(at+".endpoint", "must not be empty")
	}
	l.checkURL(at+".endpoint", s.Endpoint)
	if s.Bucket == "" || !objectKey.MatchString(s.Bucket) {
		l.check(at+".bucket", "%q is not the name of a bucket", s.Bucket)
	}
	if !objectKey.MatchString(s.Prefix) {
		l.check(at+".prefix", "may have letters, digits and the characters / _ . - only")
	}
	if s.AccessKeyID == "" {
		l.check(at+".access_key_id", "must not be empty")
	}
	if s.Sends(SendRecords) {
		l.check(at+".send", "a sink of kind s3 takes anchors only")
	}
	l.within(at+".retain_for", s.RetainFor, 24*time.Hour, 100*365*24*time.Hour)
}

// readSinks reads the secrets and certificates that sinks name.
func (l *loader) readSinks() {
	for i := range l.config.Audit.Sinks {
		s := &l.config.Audit.Sinks[i]
		at := fmt.Sprintf("audit.sinks[%d]", i)
		switch s.Kind {
		case SinkWebhook:
			l.exactlyOne(at, map[string]string{"secret_env": s.SecretEnv, "secret_file": s.SecretFile})
			s.Secret = l.fromEither(at+".secret", s.SecretEnv, s.SecretFile)
			l.readClientTLS(at, &s.TLS, hasTLS(s.URL))
		case SinkS3:
			l.exactlyOne(at, map[string]string{"secret_key_env": s.SecretKeyEnv, "secret_key_file": s.SecretKeyFile})
			s.Secret = l.fromEither(at+".secret_key", s.SecretKeyEnv, s.SecretKeyFile)
			l.readClientTLS(at, &s.TLS, hasTLS(s.Endpoint))
		case SinkSyslog:
			l.readClientTLS(at, &s.TLS, true)
		}
	}
}
