package keystile

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// BackendKind says what speaks S3 behind a backend's endpoint.
type BackendKind string

// The kinds.
const (
	KindS3       BackendKind = "s3"
	KindEmbedded BackendKind = "embedded"
	// KindCeph is a Ceph RGW whose users are managed too.
	KindCeph BackendKind = "ceph-rgw"
)

// BackendSource says where a backend is declared.
type BackendSource string

// The sources. What the configuration file declares, only the file changes.
const (
	SourceConfig BackendSource = "config"
	SourceStore  BackendSource = "store"
)

// Backend is one upstream S3 endpoint. Its admin secret is kept apart.
type Backend struct {
	ID          string
	Kind        BackendKind
	Endpoint    string // http(s)://host[:port]; empty for embedded
	Region      string
	PathStyle   bool // address buckets in the path, not in the host name
	AccessKeyID string
	// ForceHashing has every body verified here, whatever the backend is proven
	// to verify itself.
	ForceHashing bool
	// Scratch is where probes write, as BUCKET/PREFIX; empty: in a bucket that
	// they make and remove.
	Scratch string
	// AdminEndpoint and AdminAccessKeyID reach the Admin Ops API of a KindCeph;
	// without an endpoint of its own it is at Endpoint.
	AdminEndpoint    string
	AdminAccessKeyID string

	Source     BackendSource
	CreatedAt  time.Time
	UpdatedAt  time.Time
	Generation int64
}

// Region and access key ID are parts of a credential scope, which separates them
// by slashes, commas and blanks.
var (
	regionName   = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	foreignKeyID = regexp.MustCompile(`^[!-+.0-~\-]{1,256}$`)
)

var backendID = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// Check validates a backend as an admin or the configuration declares it.
func (b *Backend) Check() error {
	var faults Faults
	if !backendID.MatchString(b.ID) {
		faults.Add("id", "must be 1 to 63 lower-case letters, digits or hyphens, begin and end with a letter or digit")
	}
	if !regionName.MatchString(b.Region) {
		faults.Add("region", "a region of 1 to 64 letters, digits, '.', '_' or '-' is needed (many servers take us-east-1)")
	}
	b.checkScratch(&faults)
	if b.Kind != KindCeph && (b.AdminEndpoint != "" || b.AdminAccessKeyID != "") {
		faults.Add("kind", "only a backend of kind %q has an Admin Ops API", KindCeph)
	}
	switch b.Kind {
	case KindEmbedded:
		if b.Endpoint != "" {
			faults.Add("endpoint", "an embedded backend has no endpoint")
		}
	case KindS3, KindCeph:
		checkEndpoint("endpoint", b.Endpoint, &faults)
		checkForeignKey("access_key_id", b.AccessKeyID, &faults)
		if b.Kind == KindCeph {
			if b.AdminEndpoint != "" {
				checkEndpoint("admin_endpoint", b.AdminEndpoint, &faults)
			}
			checkForeignKey("admin_access_key_id", b.AdminAccessKeyID, &faults)
		}
	default:
		faults.Add("kind", "must be %q, %q or %q", KindS3, KindCeph, KindEmbedded)
	}
	return faults.Err()
}

func checkForeignKey(field, id string, faults *Faults) {
	if !foreignKeyID.MatchString(id) {
		faults.Add(field, "an access key ID is needed, without blanks, commas or slashes")
	}
}

// AdminURL is where the Admin Ops API is.
func (b *Backend) AdminURL() string {
	if b.AdminEndpoint != "" {
		return b.AdminEndpoint
	}
	return b.Endpoint
}

// ScratchPlace returns the bucket and the prefix, with a slash at its end or
// empty, where probes write; no bucket if Scratch is empty.
func (b *Backend) ScratchPlace() (bucket, prefix string) {
	bucket, prefix, _ = strings.Cut(b.Scratch, "/")
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	return bucket, prefix
}

// maxScratchPrefix leaves room for the keys of a probe.
const maxScratchPrefix = 512

func (b *Backend) checkScratch(faults *Faults) {
	if b.Scratch == "" {
		return
	}
	bucket, prefix := b.ScratchPlace()
	switch {
	case CheckBucketName(bucket) != nil:
		faults.Add("scratch", "must be BUCKET/PREFIX with the name of a bucket")
	case prefix == "" || HasOddSegments(prefix) || len(prefix) > maxScratchPrefix || CheckKey(prefix) != nil:
		faults.Add("scratch", "must be BUCKET/PREFIX, the prefix without \".\", \"..\" and empty segments and of %d bytes at most", maxScratchPrefix)
	}
}

func checkEndpoint(field, endpoint string, faults *Faults) {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https"):
		faults.Add(field, "must be http://HOST[:PORT] or https://HOST[:PORT]")
	case u.User != nil:
		faults.Add(field, "must not carry a user name or password")
	case u.Port() != "" && !validPort(u.Port()):
		faults.Add(field, "the port must lie between 1 and 65535")
	case (u.Path != "" && u.Path != "/") || strings.ContainsAny(endpoint, "?#"):
		faults.Add(field, "must not have a path, query or fragment")
	}
}

func validPort(port string) bool {
	n, err := strconv.Atoi(port)
	return err == nil && n >= 1 && n <= 65535
}

// Probe is what was last proven about a backend. Unknown means no.
type Probe struct {
	BackendID string
	// Fingerprint of endpoint and kind the proof holds for: a changed endpoint
	// voids it.
	Fingerprint string
	Abilities   Abilities
	ProbedAt    time.Time // when a probe last ran to its end
}

// ProbeTTL is how long a proof about a backend holds.
const ProbeTTL = 7 * 24 * time.Hour

// Circuit says whether requests reach a backend.
type Circuit string

// The states of a circuit.
const (
	CircuitClosed   Circuit = "closed"    // they do
	CircuitOpen     Circuit = "open"      // it failed too often: they are refused at once, probes go on
	CircuitHalfOpen Circuit = "half-open" // it answered a probe: they do, until the first failure
)

// BackendLoad is what a backend's connection pool holds at one moment.
type BackendLoad struct {
	Open    int // connections, in use and idle
	Idle    int // of them, waiting for a request
	Waiting int // requests that wait for a connection
}

// Health is what the gateway last saw of a backend.
type Health struct {
	Healthy   bool
	CheckedAt time.Time // zero: not checked yet
	Latency   time.Duration
	Message   string // why it is unhealthy; no address, no answer's body
	// Unverified: the configuration says to take any TLS certificate of it.
	Unverified bool
	// Circuit: while it is open, Healthy is false.
	Circuit Circuit
	// Abilities are the proofs in force, ProbedAt when a probe last ran to its
	// end; zero: never, or for another endpoint.
	Abilities Abilities
	ProbedAt  time.Time
}

// TestStep is one line of a backend test.
type TestStep struct {
	Name    string // reach, sign, list, clock, admin, keys, abilities
	OK      bool
	Message string
	// Mend is the command at the storage that mends it, where one is known.
	Mend string
}

// TestReport is the outcome of testing a backend: every step, in order, up to
// and with the first that failed.
type TestReport struct {
	OK        bool
	Steps     []TestStep
	ClockSkew time.Duration // the backend's clock less ours
	Buckets   int
	// Abilities are those in force after the test; ForceHashing is the backend's.
	Abilities    Abilities
	ForceHashing bool
}

// BucketInfo is a bucket as its backend lists it.
type BucketInfo struct {
	Bucket    Bucket
	CreatedAt time.Time
}
