package s3wire

import (
	"net/http"
	"net/url"
	"strings"

	"keystile/internal/keystile"
)

// Request is what a client asks for, in the names that it uses. Nothing past
// Parse looks at the raw request to decide.
type Request struct {
	Op     *Operation
	Bucket string // as the client names it; empty for a service operation
	Key    string
	// Query holds the operation's own parameters, each at most once. Those of
	// the signature are not among them.
	Query url.Values
	// Header holds the headers that go on to the backend if the operation is
	// carried out: canonical names, hop-by-hop ones, those of the signature and
	// those of the body's framing left out.
	Header http.Header
	// Source is what a copy reads; nil for any other operation.
	Source *Source
	// CannedACL and ACLGrants are what x-amz-acl and the x-amz-grant- headers
	// give others on the object, checked; at most one of them is set.
	CannedACL string
	ACLGrants []AccessGrant
	// BypassGovernance: the request wants to delete, or to shorten the retention,
	// under governance mode.
	BypassGovernance bool
	// ExpectedOwner is the bucket owner id that the client expects, or empty;
	// ExpectedSourceOwner is that of a copy source's bucket.
	ExpectedOwner       string
	ExpectedSourceOwner string
	// OnBehalfOf is the account that AccountParam names; empty: none.
	OnBehalfOf string
}

// Source names what a copy reads.
type Source struct {
	Bucket    string
	Key       string
	VersionID string
}

// Action is the request's name in the audit trail.
func (r *Request) Action() string { return r.Op.Action() }

// UnknownAction is the audit trail's name for a request that names no operation.
const UnknownAction = keystile.ActionPrefixS3 + "unknown"

func actionOf(name string) string { return keystile.ActionPrefixS3 + strings.ToLower(name) }
