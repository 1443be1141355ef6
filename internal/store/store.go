// Package store is the persistence contract of the control plane. Every engine
// honours it; package storetest proves that it does.
//
// An absent row yields keystile.ErrNotFound, a taken unique name
// keystile.ErrConflict, both maybe wrapped. Times are kept to the microsecond
// in UTC, and a zero time stays zero. Secrets go in and come out in clear; an
// engine seals them at rest.
package store

import (
	"context"
	"time"

	"keystile/internal/keystile"
)

// Store runs transactions. Several handles on one database see each other's
// committed changes at once.
type Store interface {
	// Read runs fn on one consistent snapshot. What fn writes is an error.
	Read(ctx context.Context, fn func(Tx) error) error
	// Write runs fn in one serialisable transaction, which is durable when Write
	// returns nil and has not happened when fn returns an error or panics, or when
	// ctx ends before. fn runs once, or again where it is Urgent and the disk had
	// no room at first, and must return the errors of its Tx.
	// A caller that holds a transaction must not start another: it could wait for
	// itself.
	Write(ctx context.Context, fn func(Tx) error) error
	// Ping reports whether the store can read.
	Ping(ctx context.Context) error
	Close() error
}

// Tx is everything a use case may do in one transaction. It is bound to the
// context of the Read or Write that made it, and to its goroutine; after it all
// calls are errors.
type Tx interface {
	Generations
	Credentials
	Bindings
	Backends
	CORS
	RGWUsers
	Quotas
	RefusedUploads
	Accounts
	Sessions
	Tokens
	Projects
	Events
	AuditViews
	Traffic
	Health
	Webhooks
	Notices
	Meters
	Settings
}

// Generations count the changes that gateways must know of.
type Generations interface {
	// Generation is that of the last change; 0 in a new store.
	Generation() (int64, error)
	// NextGeneration adds one and returns it. A use case stamps every changed
	// credential, binding or backend with it.
	NextGeneration() (int64, error)
}

// CredentialFilter selects credentials. Zero fields do not filter.
type CredentialFilter struct {
	Owner string // account id
	Text  string // part of the access key ID or description, in any case
	After string // access key ID of the last row of the page before; ErrInvalid if absent
	Limit int    // 0: all
}

// Credentials keeps virtual keys. A revoked one stays, without its secrets.
type Credentials interface {
	CreateCredential(keystile.Credential, keystile.CredentialSecrets) error
	Credential(accessKeyID string) (keystile.Credential, error)
	CredentialSecrets(accessKeyID string) (keystile.CredentialSecrets, error)
	// Credentials lists newest first.
	Credentials(CredentialFilter) ([]keystile.Credential, error)
	// UpdateCredential replaces all but the secrets, CreatedAt, CreatedBy and
	// LastUsedAt. Clearing RevokedAt of a revoked one is ErrConflict.
	UpdateCredential(keystile.Credential) error
	// SetCredentialSecrets replaces both secrets; zero ones are erased.
	SetCredentialSecrets(accessKeyID string, s keystile.CredentialSecrets) error
	// ChangedCredentials calls yield for every credential whose generation is
	// above since, with its secrets, in order of generation. It reads row by row:
	// yield must not use the Tx, and its error ends the walk and is returned.
	ChangedCredentials(since int64, yield func(keystile.Credential, keystile.CredentialSecrets) error) error
	// TouchCredentials sets LastUsedAt where it is later than what is stored. An
	// absent key is passed over.
	TouchCredentials(lastUsed map[string]time.Time) error
}

// Bindings keeps anonymous bindings. A removed one leaves its name free, but
// stays as a row until the name is taken again, so that gateways learn of it.
type Bindings interface {
	CreateBinding(keystile.Binding) error          // ErrConflict if an open one has the name
	Binding(name string) (keystile.Binding, error) // an open one
	Bindings() ([]keystile.Binding, error)         // open ones, by name
	RemoveBinding(name string, at time.Time, generation int64) error
	// ChangedBindings lists those whose generation is above since, removed ones
	// too, in order of generation.
	ChangedBindings(since int64) ([]keystile.Binding, error)
}

// Backends keeps the backends that admins added, so that their Source is
// SourceStore; declared ones live in the configuration.
type Backends interface {
	CreateBackend(keystile.Backend, keystile.Secret) error
	Backend(id string) (keystile.Backend, error)
	BackendSecret(id string) (keystile.Secret, error)
	Backends() ([]keystile.Backend, error)                 // by id
	UpdateBackend(keystile.Backend, keystile.Secret) error // both replaced whole
	// BackendAdminSecret is that of a Ceph's Admin Ops API; zero where none was set.
	BackendAdminSecret(id string) (keystile.Secret, error)
	SetBackendAdminSecret(id string, s keystile.Secret) error
	DeleteBackend(id string) error // with its probe, health samples, CORS and quotas
	// Probe is the last one saved, of a declared backend too.
	Probe(backendID string) (keystile.Probe, error)
	SaveProbe(keystile.Probe) error // inserts or replaces
	// BackendInUse reports whether a credential that is not revoked, an open
	// binding, or an RGW user names the backend.
	BackendInUse(id string) (bool, error)
}

// CORS keeps what is chosen for buckets, of declared backends too.
type CORS interface {
	BucketCORS(keystile.Bucket) (keystile.BucketCORS, error)
	AllBucketCORS() ([]keystile.BucketCORS, error) // by backend and bucket
	// SaveBucketCORS inserts or replaces; with CORSOff it removes, if there is
	// anything.
	SaveBucketCORS(keystile.BucketCORS) error
}

// RGWUserFilter selects RGW users. Zero fields do not filter.
type RGWUserFilter struct {
	ProjectID string
	BackendID string
	Text      string // part of the name or access key ID, in any case
	After     string // id of the last row of the page before; ErrInvalid if absent
	Limit     int    // 0: all
}

// RGWUsers keeps S3 identities, their buckets where the gateway is their home,
// and long work on them. A deleted user leaves its names free, but stays as a row
// so that gateways learn of it; only ChangedRGWUsers and its jobs show it.
type RGWUsers interface {
	// CreateRGWUser is ErrConflict if the name is taken in the project, or the key
	// or uid is.
	CreateRGWUser(keystile.RGWUser, keystile.RGWSecrets) error
	RGWUser(id string) (keystile.RGWUser, error)
	// RGWUserProject is the project of a user, of a deleted one too.
	RGWUserProject(id string) (string, error)
	RGWUserByName(projectID, name string) (keystile.RGWUser, error)
	RGWUserByUID(backendID, uid string) (keystile.RGWUser, error)
	RGWSecrets(id string) (keystile.RGWSecrets, error)
	RGWUsers(RGWUserFilter) ([]keystile.RGWUser, error) // newest first
	// UnsettledRGWUsers are those that are being made or deleted, or have a pending
	// secret, by id.
	UnsettledRGWUsers() ([]keystile.RGWUser, error)
	// UpdateRGWUser replaces all but ProjectID, BackendID, UID, AccessKeyID and
	// CreatedAt.
	UpdateRGWUser(keystile.RGWUser) error
	SetRGWSecrets(id string, s keystile.RGWSecrets) error // zero ones are erased
	// ChangedRGWUsers calls yield for every user whose generation is above since,
	// deleted ones too, with its secrets and buckets, in order of generation.
	ChangedRGWUsers(since int64, yield func(keystile.RGWUser, keystile.RGWSecrets, []keystile.RGWBucket) error) error

	CreateRGWBucket(keystile.RGWBucket) error // ErrConflict if the bucket has an owner
	RGWBucket(keystile.Bucket) (keystile.RGWBucket, error)
	RGWBuckets(userID string) ([]keystile.RGWBucket, error) // by name
	UpdateRGWBucket(keystile.RGWBucket) error               // ACL, Made and Ending
	DeleteRGWBucket(keystile.Bucket) error

	CreateRGWJob(keystile.RGWJob) error
	RGWJob(id string) (keystile.RGWJob, error)
	LastRGWJob(userID string) (keystile.RGWJob, error)
	UnfinishedRGWJobs() ([]keystile.RGWJob, error) // oldest first
	UpdateRGWJob(keystile.RGWJob) error            // what it has reached
}

// Quotas keeps what may be stored in buckets, of declared backends too, and what
// is.
type Quotas interface {
	BucketQuota(keystile.Bucket) (keystile.BucketQuota, error)
	BucketQuotas() ([]keystile.BucketQuota, error) // by backend and bucket
	// SaveBucketQuota inserts, or replaces all but TrackedAt.
	SaveBucketQuota(keystile.BucketQuota) error
	DeleteBucketQuota(keystile.Bucket) error // with its usage
	// OwnedBuckets are those of RGW users whose home is the gateway, with what each
	// user's may hold, by backend and bucket.
	OwnedBuckets() ([]keystile.OwnedBucket, error)
	// BoundCredentials are those that are not revoked and have limits of their own.
	BoundCredentials() ([]keystile.Credential, error)
	Spent() ([]keystile.Spent, error) // of allowances
	// SaveSpent inserts, or replaces all but Recorded, which begins at nothing in each
	// span. It is ErrNotFound if the credential has no allowance of that span. What is
	// spent goes when an update of the credential takes the allowance away or gives it
	// another span.
	SaveSpent(keystile.Spent) error
	// AddSpent adds to what is recorded. What is spent of another span than the newest,
	// or of an allowance that is no more, counts nowhere.
	AddSpent(accessKeyID string, s keystile.Spend) error
	// RecordLeases makes all recorded that may have been spent: some of the trail is
	// lost, and what it told of that.
	RecordLeases() error
	BucketUsages() ([]keystile.UsageRecord, error)
	// SaveBucketUsage inserts or replaces. It is ErrNotFound if the bucket has no
	// quota of that TrackedAt.
	SaveBucketUsage(keystile.UsageRecord) error
}

// RefusedUploads keeps uploads of which a quota refused something; apart for each RGW
// user of a Ceph who was refused.
type RefusedUploads interface {
	RefusedUploads() ([]keystile.RefusedUpload, error) // those that were refused first before others
	// SaveRefusedUpload inserts, or replaces its Parts and HeardAt.
	SaveRefusedUpload(keystile.RefusedUpload) error
	// DeleteRefusedUpload passes over one that is not kept.
	DeleteRefusedUpload(b keystile.Bucket, u keystile.PendingUpload, userID string) error
}

// Accounts keeps people. Names are unique among the accounts that exist.
type Accounts interface {
	CreateAccount(keystile.Account) error
	Account(id string) (keystile.Account, error)
	AccountByName(name string) (keystile.Account, error)
	Accounts() ([]keystile.Account, error) // by name
	UpdateAccount(keystile.Account) error  // all but id, name and CreatedAt
	// DeleteAccount removes it with its sessions and tokens.
	DeleteAccount(id string) error
}

// Sessions keeps sign-ins.
type Sessions interface {
	CreateSession(keystile.Session) error // ErrNotFound if its account is absent
	Session(id string) (keystile.Session, error)
	SessionsOf(accountID string) ([]keystile.Session, error) // newest first
	TouchSession(id string, at time.Time) error              // never back in time
	DeleteSession(id string) error
	// DeleteSessionsOf ends all of the account's but the one named; "" ends all.
	DeleteSessionsOf(accountID, except string) error
	// DeleteIdleSessions ends those that have reached ExpiresAt at now, or were
	// last seen before idle.
	DeleteIdleSessions(now, idle time.Time) error
}

// Tokens keeps API tokens. A revoked one stays.
type Tokens interface {
	CreateToken(keystile.Token) error // ErrNotFound if its account is absent
	TokenByHash(hash string) (keystile.Token, error)
	Token(id string) (keystile.Token, error)
	TokensOf(accountID string) ([]keystile.Token, error) // newest first
	// RevokeToken keeps the time of the first revocation, as RevokeTokensOf does.
	RevokeToken(id string, at time.Time) error
	RevokeTokensOf(accountID string, at time.Time) error
	TouchToken(id string, at time.Time) error // never back in time
}

// Projects keeps projects and who is a member of them. Their names are unique in
// any case.
type Projects interface {
	CreateProject(keystile.Project) error
	Project(id string) (keystile.Project, error)
	Projects() ([]keystile.Project, error)                   // by name
	ProjectsOf(accountID string) ([]keystile.Project, error) // those it is a member of, by name
	UpdateProject(keystile.Project) error                    // name and UpdatedAt
	DeleteProject(id string) error                           // with its memberships; tokens stay
	AddMember(keystile.Membership) error                     // ErrNotFound if project or account is absent
	Member(projectID, accountID string) (keystile.Membership, error)
	Members(projectID string) ([]keystile.Membership, error) // oldest first
	UpdateMember(keystile.Membership) error                  // all but AddedAt
	RemoveMember(projectID, accountID string) error
	// RevokeTokensIn revokes the tokens that are bound to the project: those of
	// the account, or of all where it is empty.
	RevokeTokensIn(projectID, accountID string, at time.Time) error
}

// Events keeps the audit trail. Nothing in it is ever changed but by closing an
// open event, adding to a collapsed one's count, and forgetting what is retired. Text that is not UTF-8, or
// holds a NUL, is kept with U+FFFD in those places.
type Events interface {
	// AppendEvents records events together with the change of the transaction.
	// They are in the trail at once, and in the outbox until the journal has them
	// too. ErrConflict if an id is taken.
	AppendEvents([]keystile.Event) error
	// CloseEvents does the same with outcomes. It leaves alone an event that is
	// not open; an absent one is ErrNotFound.
	CloseEvents([]keystile.Outcome) error
	// IndexEvents and IndexOutcomes are AppendEvents and CloseEvents of what comes
	// from the journal.
	IndexEvents([]keystile.Event) error
	IndexOutcomes([]keystile.Outcome) error
	// Outbox lists up to limit entries behind a number, oldest first. Numbers only
	// ever rise.
	Outbox(after int64, limit int) ([]keystile.OutboxEntry, error)
	// ClearOutbox removes entries; absent ones are passed over.
	ClearOutbox(seqs []int64) error
	AddTallies([]keystile.Tally) error // Detail.LastTime never goes back
	// RetireEvents forgets up to limit of the events from before a time, those
	// appended first before others, and returns how many. Open ones stay.
	RetireEvents(before time.Time, limit int) (int, error)
	// OpenEvents lists the open events, oldest first.
	OpenEvents() ([]keystile.Event, error)
	Event(id string) (keystile.Event, error)
	// Events returns a page, newest first by the order of their appending, and
	// the cursor of the next one, empty when there is none. A search that looks
	// through very many without finding a page of them ends it early, with a
	// cursor: it may have fewer than Limit, or none. Events appended in between do
	// not shift pages. A cursor that no page gave, or a limit out of
	// its bounds, is ErrInvalid.
	Events(keystile.EventPage) (events []keystile.Event, next string, err error)
	// CountEvents counts the events of a filter by spans of time, from its Since, and
	// result: the newest of them, about limit where there are more, or of about as
	// many where most are other filters' events. Without Since and
	// Until, or with more than 1000 spans, it is ErrInvalid.
	CountEvents(f keystile.EventFilter, step time.Duration, limit int) (keystile.EventCounts, error)
}

// AuditViews keeps filters of the trail that accounts have named; they go with
// their account.
type AuditViews interface {
	AuditViews(accountID string) ([]keystile.AuditView, error) // by name
	SaveAuditView(keystile.AuditView) error                    // inserts or replaces
	DeleteAuditView(accountID, name string) error
}

// Traffic keeps counters of S3 requests: by hour, credential and backend, and
// for each credential by minute too. Spans begin with the hour, or the minute,
// that since falls into.
type Traffic interface {
	// AddTraffic adds to what has been counted.
	AddTraffic([]keystile.TrafficCount) error
	// TrafficByHour sums all that was counted, oldest hour first. Hours without
	// requests are left out.
	TrafficByHour(since time.Time) ([]keystile.TrafficHour, error)
	// CredentialTrafficByHour is the same of one credential.
	CredentialTrafficByHour(accessKeyID string, since time.Time) ([]keystile.TrafficHour, error)
	// CredentialTraffic sums one credential's minutes.
	CredentialTraffic(accessKeyID string, since time.Time) (keystile.Traffic, error)
	// BusiestCredentials lists up to limit credentials by their requests in the
	// hours of the span, the most first.
	BusiestCredentials(since time.Time, limit int) ([]keystile.CredentialTraffic, error)
	// DeleteTraffic forgets the hours and the minutes that began before.
	DeleteTraffic(hours, minutes time.Time) error
}

// Health keeps what was seen of backends over time, of declared ones too.
type Health interface {
	// AddHealth keeps samples. One of the same backend and time is replaced.
	AddHealth([]keystile.HealthSample) error
	// HealthSince lists a backend's samples from since on, oldest first.
	HealthSince(backendID string, since time.Time) ([]keystile.HealthSample, error)
	// DeleteHealth forgets the samples from before a time.
	DeleteHealth(before time.Time) error
}

// Webhooks keeps addresses to call, and what is on its way to them.
type Webhooks interface {
	CreateWebhook(keystile.Webhook, keystile.Secret) error
	Webhook(id string) (keystile.Webhook, error)
	WebhookSecret(id string) (keystile.Secret, error)
	Webhooks() ([]keystile.Webhook, error) // oldest first
	UpdateWebhook(keystile.Webhook) error  // all but the secret and what is of its creation
	DeleteWebhook(id string) error         // with its deliveries

	// AddDelivery queues a message; one that the webhook has already is passed over.
	// Where more than keystile.MaxPendingDeliveries wait, the oldest is given up.
	AddDelivery(keystile.Delivery) error
	// DueWebhooks are those that are not disabled and have a pending delivery whose
	// NextAt is reached, by id.
	DueWebhooks(now time.Time) ([]string, error)
	// ClaimDelivery returns the oldest due delivery of a webhook and moves its
	// NextAt to until: nobody else takes it before, and somebody does later if its
	// taker dies. ErrNotFound: none is due.
	ClaimDelivery(webhookID string, now, until time.Time) (keystile.Delivery, error)
	// UpdateDelivery replaces what an attempt changes. It is ErrNotFound if the
	// delivery is gone or has ended.
	UpdateDelivery(keystile.Delivery) error
	Deliveries(webhookID string, limit int) ([]keystile.Delivery, error) // newest first
	PendingDeliveries(webhookID string) (int64, error)
	// DeleteDeliveries forgets those that ended before a time.
	DeleteDeliveries(before time.Time) error
}

// Notices keeps what admins should know of buckets.
type Notices interface {
	// AddNotice reports false, and keeps nothing, where the same was told of the
	// bucket within keystile.NoticeQuiet before it, or later.
	AddNotice(keystile.Notice) (added bool, err error)
	Notices(kind string, since time.Time, limit int) ([]keystile.Notice, error) // newest first
	DeleteNotices(before time.Time) error
}

// Meters keeps what requests did and what buckets held, by day.
type Meters interface {
	// AddMeters adds to what has been counted. The project of an access key is
	// looked up: that of the RGW user whose key it is or last was.
	AddMeters([]keystile.MeterCount) error
	// SaveStored replaces what is known of the buckets' day.
	SaveStored([]keystile.StoredCount) error
	// Meters sums by bucket, credential or project, in order of these, up to limit
	// rows after the one named; nil: from the first.
	Meters(by string, q keystile.UsageQuery, after *keystile.UsageKey, limit int) ([]keystile.UsageRow, error)
	// LargestMeters are those that moved the most bytes, in and out together, largest
	// first; of as many by key.
	LargestMeters(by string, q keystile.UsageQuery, limit int) ([]keystile.UsageRow, error)
	MeterDays(keystile.UsageQuery) ([]keystile.UsageDay, error) // oldest first; days without requests are left out
	// Stored tells what buckets or projects held: rows with Stored and
	// StoredByteDays alone. Of credentials and by them nothing is known.
	Stored(by string, q keystile.UsageQuery) ([]keystile.UsageRow, error)
	StoredDays(keystile.UsageQuery) ([]keystile.UsageDay, error) // likewise, oldest first
	// DeleteMeters forgets the days that began before.
	DeleteMeters(before time.Time) error
}

// Settings keeps small facts of an installation, such as that its first run is
// done.
type Settings interface {
	Setting(name string) (string, error)
	SetSetting(name, value string) error
}
