package config

import (
	"net/netip"
	"path/filepath"
	"time"

	"keystile/internal/keystile"
)

// Config is everything that an operator can set. The key tag is the name in
// the file; the path of such names is the key ("server.listen").
type Config struct {
	DataDir string  `key:"data_dir"` // holds the database, the master key and embedded backends' objects
	Server  Server  `key:"server"`
	S3Proxy S3Proxy `key:"s3_proxy"`
	ACME    ACME    `key:"acme"`
	Limits  Limits  `key:"limits"`

	BackendDefaults BackendDefaults `key:"backend_defaults"`

	Backends []Backend `key:"backends"`
	RGW      RGW       `key:"rgw"`
	Store    Store     `key:"store"`
	Audit    Audit     `key:"audit"`
	Log      Log       `key:"log"`
}

// Server is the listener of the JSON API and the dashboard.
type Server struct {
	Listen          string         `key:"listen"`            // HOST:PORT
	PublicURL       string         `key:"public_url"`        // empty: http(s):// and the listen address
	AllowPublicHTTP bool           `key:"allow_public_http"` // plain HTTP on other than a loopback address
	TrustedProxies  []netip.Prefix `key:"trusted_proxies"`   // whose X-Forwarded-For is believed
	ProxyProtocol   bool           `key:"proxy_protocol"`    // trusted proxies begin connections with its header
	TLS             TLS            `key:"tls"`
	Session         Session        `key:"session"`
}

// Session bounds a sign-in.
type Session struct {
	IdleTimeout     time.Duration `key:"idle_timeout"`
	AbsoluteTimeout time.Duration `key:"absolute_timeout"`
}

// S3Proxy is the gateway's listener.
type S3Proxy struct {
	Enabled   bool   `key:"enabled"`
	Listen    string `key:"listen"`     // HOST:PORT
	PublicURL string `key:"public_url"` // empty: http(s):// and the listen address
	Region    string `key:"region"`     // accepted in signatures beside us-east-1
	// HostSuffixes are names of the gateway in front of which a host names a
	// bucket: of s3.example.org, BUCKET.s3.example.org does.
	HostSuffixes []string `key:"host_suffixes"`
	// AnonymousEnabled is the global switch of anonymous bindings.
	AnonymousEnabled       bool    `key:"anonymous_enabled"`
	AnonymousRatePerSecond float64 `key:"anonymous_rate_per_second"` // per binding and source address, where the binding sets none
	// AnonymousTotalPerSecond is per binding, from all addresses together.
	AnonymousTotalPerSecond float64 `key:"anonymous_total_per_second"`
	// AbortRefusedUploadsAfter is how long nobody must have written to an upload of
	// which a quota refused a part before it is aborted; 0: it never is.
	AbortRefusedUploadsAfter time.Duration `key:"abort_refused_uploads_after"`

	TrustedProxies []netip.Prefix `key:"trusted_proxies"`
	ProxyProtocol  bool           `key:"proxy_protocol"` // trusted proxies begin connections with its header
	TLS            TLS            `key:"tls"`
	Limits         S3Limits       `key:"limits"`
}

// S3Limits bound what S3 clients take together. A zero is no bound.
type S3Limits struct {
	RequestsPerSecond       float64 `key:"requests_per_second"`
	RequestsPerSecondPerKey float64 `key:"requests_per_second_per_key"`
	MaxInFlight             int     `key:"max_in_flight"`         // requests
	MaxInFlightPerKey       int     `key:"max_in_flight_per_key"` // requests
	MaxBufferedBytes        int     `key:"max_buffered_bytes"`    // of XML bodies and answers
}

// Limits bound what a client or a backend may hold.
type Limits struct {
	HeaderTimeout            time.Duration `key:"header_timeout"` // from the first byte of a request to the end of its header
	IdleTimeout              time.Duration `key:"idle_timeout"`   // without a byte moving, in a body or between requests
	MaxHeaderBytes           int           `key:"max_header_bytes"`
	MaxURIBytes              int           `key:"max_uri_bytes"`
	MinBodyRate              int           `key:"min_body_rate"` // bytes per second; 0: none
	MinBodyWindow            time.Duration `key:"min_body_window"`
	MaxConnections           int           `key:"max_connections"`        // of clients, per listener; 0: no bound
	MaxConnectionsPerIP      int           `key:"max_connections_per_ip"` // per listener; 0: no bound
	MaxConnectionsPerBackend int           `key:"max_connections_per_backend"`
}

// Backend is one declared backend. Its keys come from the environment or from
// files, never from the file itself.
type Backend struct {
	ID            string `key:"id"`
	Kind          string `key:"kind"` // embedded, s3 or ceph-rgw
	Endpoint      string `key:"endpoint"`
	Region        string `key:"region"`
	PathStyle     bool   `key:"path_style"`
	AccessKeyID   string `key:"access_key_id"`
	AccessKeyEnv  string `key:"access_key_env"`
	AccessKeyFile string `key:"access_key_file"`
	SecretKeyEnv  string `key:"secret_key_env"`
	SecretKeyFile string `key:"secret_key_file"`
	DataDir       string `key:"data_dir"`      // of an embedded backend
	ForceHashing  bool   `key:"force_hashing"` // verify every body here
	Scratch       string `key:"scratch"`       // BUCKET/PREFIX for probes

	AdminEndpoint      string `key:"admin_endpoint"` // of a Ceph's Admin Ops API; empty: Endpoint
	AdminAccessKeyID   string `key:"admin_access_key_id"`
	AdminAccessKeyEnv  string `key:"admin_access_key_env"`
	AdminAccessKeyFile string `key:"admin_access_key_file"`
	AdminSecretKeyEnv  string `key:"admin_secret_key_env"`
	AdminSecretKeyFile string `key:"admin_secret_key_file"`

	Timeouts  Timeouts  `key:"timeouts"` // what is not set is that of BackendDefaults
	KeepAlive KeepAlive `key:"keep_alive"`

	TLS BackendTLS `key:"tls"`

	// AccessKey and SecretKey are what the fields above name or hold.
	AccessKey      string
	SecretKey      keystile.Secret
	AdminAccessKey string
	AdminSecretKey keystile.Secret
}

// Declared is the backend in the words of the domain.
func (b Backend) Declared() keystile.Backend {
	return keystile.Backend{
		ID:           b.ID,
		Kind:         keystile.BackendKind(b.Kind),
		Endpoint:     b.Endpoint,
		Region:       b.Region,
		PathStyle:    b.PathStyle,
		AccessKeyID:  b.AccessKey,
		ForceHashing: b.ForceHashing,
		Scratch:      b.Scratch,

		AdminEndpoint:    b.AdminEndpoint,
		AdminAccessKeyID: b.AdminAccessKey,

		Source: keystile.SourceConfig,
	}
}

// RGW is what holds for RGW users.
type RGW struct {
	DefaultQuotaKB int `key:"default_quota_kb"` // of a new user, KiB; -1: unlimited
}

// Store is where the control plane keeps its state.
type Store struct {
	Driver        string `key:"driver"` // sqlite
	Path          string `key:"path"`   // empty: keystile.db in the data directory
	MasterKeyEnv  string `key:"master_key_env"`
	MasterKeyFile string `key:"master_key_file"` // empty, and no variable: master.key in the data directory

	// MasterKey is what MasterKeyEnv held; zero when the key is in a file.
	MasterKey keystile.Secret
}

// Audit says where the trail is kept, and what is recorded beyond what always is.
type Audit struct {
	JournalDir string `key:"journal_dir"` // empty: journal in the data directory
	// GroupWait is how long a group of records at most waits for more while others
	// write too; 0: not at all.
	GroupWait time.Duration `key:"group_wait"`
	// AnchorEvery is how often the journal's last record is signed, if there is a
	// new one.
	AnchorEvery time.Duration `key:"anchor_every"`
	// KeepFor and KeepBytes bound what is kept, in whole segments of the journal; 0:
	// all.
	KeepFor   time.Duration `key:"keep_for"`
	KeepBytes int           `key:"keep_bytes"`
	Sampling  Sampling      `key:"sampling"`
	Sinks     []Sink        `key:"sinks"` // that the journal is shipped to
}

// Sampling is the share of successful requests that are recorded.
type Sampling struct {
	ProxySuccessReadRate float64 `key:"proxy_success_read_rate"` // 0 to 1
}

// Log is how the process logs, on standard error.
type Log struct {
	Level  string `key:"level"`  // debug, info, warn or error
	Format string `key:"format"` // json or text
}

// Default is the configuration before anything is set.
func Default() Config {
	return Config{
		DataDir: "data",
		Server: Server{
			Listen:  "127.0.0.1:8080",
			Session: Session{IdleTimeout: 2 * time.Hour, AbsoluteTimeout: 24 * time.Hour},
			TLS:     TLS{MinVersion: "1.2"},
		},
		S3Proxy: S3Proxy{
			Enabled:                 true,
			Listen:                  "127.0.0.1:8090",
			Region:                  "us-east-1",
			AnonymousEnabled:        true,
			AnonymousRatePerSecond:  50,
			AnonymousTotalPerSecond: 1000,

			AbortRefusedUploadsAfter: time.Hour,

			TLS:    TLS{MinVersion: "1.2"},
			Limits: S3Limits{MaxInFlight: 4096, MaxInFlightPerKey: 1024, MaxBufferedBytes: 256 << 20},
		},
		Limits: Limits{
			HeaderTimeout:            10 * time.Second,
			IdleTimeout:              60 * time.Second,
			MaxHeaderBytes:           64 << 10,
			MaxURIBytes:              16 << 10,
			MinBodyRate:              512,
			MinBodyWindow:            30 * time.Second,
			MaxConnections:           8192,
			MaxConnectionsPerIP:      1024,
			MaxConnectionsPerBackend: 256,
		},
		BackendDefaults: defaultBackendDefaults(),

		RGW:   RGW{DefaultQuotaKB: 524_288_000},
		Store: Store{Driver: "sqlite"},
		Audit: Audit{GroupWait: time.Millisecond, AnchorEvery: time.Hour},
		Log:   Log{Level: "info", Format: "text"},
	}
}

// defaultBackend is a declared backend before anything is set.
func defaultBackend() Backend {
	return Backend{Region: "us-east-1", PathStyle: true}
}

// Embedded is the declaration of an embedded backend.
func Embedded(id, dataDir string) Backend {
	b := defaultBackend()
	b.ID, b.Kind, b.DataDir = id, string(keystile.KindEmbedded), dataDir
	return b
}

// derive fills what follows from other settings.
func (c *Config) derive() {
	c.deriveACME()
	if c.Store.Path == "" {
		c.Store.Path = filepath.Join(c.DataDir, "keystile.db")
	}
	if c.Store.MasterKeyEnv == "" && c.Store.MasterKeyFile == "" {
		c.Store.MasterKeyFile = filepath.Join(c.DataDir, "master.key")
	}
	if c.Audit.JournalDir == "" {
		c.Audit.JournalDir = filepath.Join(c.DataDir, "journal")
	}
	for i := range c.Backends {
		b := &c.Backends[i]
		if b.Kind == string(keystile.KindEmbedded) && b.DataDir == "" {
			b.DataDir = filepath.Join(c.DataDir, "backends", b.ID)
		}
	}
}
