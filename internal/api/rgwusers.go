package api

import (
	"context"
	"math"
	"net/http"
	"time"

	"keystile/internal/control"
	"keystile/internal/keystile"
)

// rgwUsers serves S3 identities of projects.
type rgwUsers struct {
	users  *control.RGWUsers
	server Server
}

func (h rgwUsers) mount(r *router) {
	const tag, one = "RGW users", "/rgw/users/{user_id}"
	register(r, operation{method: http.MethodGet, path: "/rgw/users", id: "listRGWUsers", tag: tag,
		summary: "List a project's RGW users, newest first", description: "An admin may leave the project out. Usage is in the answer for one user."}, h.list)
	register(r, operation{method: http.MethodPost, path: "/rgw/users", id: "createRGWUser", tag: tag, status: http.StatusCreated,
		summary:     "Make an RGW user with its key",
		description: "For the project's owners and members with rgw:write; a quota is for admins. The secret is shown once."}, h.create)
	register(r, operation{method: http.MethodGet, path: one, id: "getRGWUser", tag: tag,
		summary: "Show an RGW user with its usage now"}, h.get)
	register(r, operation{method: http.MethodPatch, path: one, id: "updateRGWUser", tag: tag,
		summary:     "Edit an RGW user",
		description: "quota, locked, lock_reason and status are for admins: from anybody else a body that has one of them is refused whole."}, h.update)
	register(r, operation{method: http.MethodPost, path: one + "/renew_key", id: "renewRGWUserKey", tag: tag,
		summary: "Give the key a new secret",
		description: "The access key ID stays. When this returns the old secret is dead, at the gateway and at the backend. " +
			"While another renewal is under way: 409. On a locked user nothing changes, and the secret is masked."}, h.renew)
	register(r, operation{method: http.MethodDelete, path: one, id: "deleteRGWUser", tag: tag, status: http.StatusAccepted, orEmpty: true,
		summary: "Delete an RGW user",
		description: "With buckets that hold objects: 409 not_empty. With purge_objects its key stops, and a job (202) empties and deletes its buckets first. " +
			"Locked: 409."}, h.delete)
	register(r, operation{method: http.MethodPost, path: one + "/forget", id: "forgetRGWUser", tag: tag, status: http.StatusNoContent,
		summary: "Give a Ceph user back", description: "For admins. It stays at the Ceph as it is, and is no longer managed here."}, h.forget)
	register(r, operation{method: http.MethodGet, path: one + "/events", id: "listRGWUserEvents", tag: tag,
		summary: "Show what the audit trail has of an RGW user, newest first",
		description: "To who may see the user. Addresses and tokens of the accounts that acted, and what others tried in vain, are left out. " +
			"A page may be short, or empty, though there is a next one."}, h.events)
	register(r, operation{method: http.MethodGet, path: "/rgw/jobs/{job_id}", id: "getRGWJob", tag: tag,
		summary: "Show how far a deletion has come"}, h.job)
	register(r, operation{method: http.MethodDelete, path: "/rgw/jobs/{job_id}", id: "cancelRGWJob", tag: tag, status: http.StatusOK,
		summary: "Stop a deletion", description: "What is deleted stays deleted; the user stays disabled until an admin enables it."}, h.cancel)
	register(r, operation{method: http.MethodGet, path: "/rgw/backends/{backend}/users", id: "listUnmanagedRGWUsers", tag: tag,
		summary: "List a Ceph's users that are not managed here", description: "For admins."}, h.unmanaged)
	register(r, operation{method: http.MethodPost, path: "/rgw/backends/{backend}/adopt", id: "adoptRGWUser", tag: tag, status: http.StatusCreated,
		summary:     "Take a Ceph user under management",
		description: "For admins. It keeps its key, of which it must have just one, and its quota."}, h.adopt)
}

// SecretMask stands for a secret that is not shown; it tells nothing of it.
const SecretMask = "********"

// RGWQuota is what a user's buckets may hold together.
type RGWQuota struct {
	MaxSizeKB int64 `json:"max_size_kb" doc:"KiB; -1: unlimited"`
	Enabled   bool  `json:"enabled" doc:"false: the number is kept and not enforced"`
}

// RGWUser is an S3 identity of a project.
type RGWUser struct {
	ID               string    `json:"id"`
	Name             string    `json:"name"`
	ProjectID        string    `json:"project_id"`
	BackendID        string    `json:"backend_id"`
	AccessKeyID      string    `json:"access_key_id"`
	SecretKey        string    `json:"secret_key" doc:"a fixed mask, but in the answers that make a secret"`
	Status           string    `json:"status" enum:"active,disabled"`
	Locked           bool      `json:"locked"`
	LockReason       *string   `json:"lock_reason" nullable:"true"`
	Quota            RGWQuota  `json:"quota"`
	BucketsTotalSize *int64    `json:"buckets_total_size_kb" nullable:"true" doc:"KiB; null in lists, while the user is being deleted, and where the backend does not answer"`
	Endpoint         string    `json:"endpoint" doc:"where its key works"`
	Region           string    `json:"region"`
	CreatedAt        time.Time `json:"created_at"`
	UpdatedAt        time.Time `json:"updated_at"`
	KeyRenewedAt     time.Time `json:"key_renewed_at"`

	State   string   `json:"state" enum:"live,creating,deleting"`
	UID     string   `json:"uid,omitempty" doc:"of the user at its Ceph"`
	Adopted bool     `json:"adopted" doc:"it was there before it was managed here"`
	Drift   []string `json:"drift,omitempty" enum:"missing,key_missing,secret,status,quota,name" doc:"what was changed at the Ceph by somebody else"`
	Job     *RGWJob  `json:"job,omitempty" doc:"the deletion under way"`
}

// RGWJob is a deletion of a user with all its objects.
type RGWJob struct {
	ID             string    `json:"id"`
	UserID         string    `json:"user_id"`
	State          string    `json:"state" enum:"running,cancelling,done,cancelled"`
	Buckets        int       `json:"buckets" doc:"how many there were"`
	BucketsLeft    int       `json:"buckets_left"`
	ObjectsDeleted int64     `json:"objects_deleted" doc:"versions and delete markers too"`
	Message        string    `json:"message,omitempty" doc:"why it stands still"`
	CreatedAt      time.Time `json:"created_at"`
	UpdatedAt      time.Time `json:"updated_at"`

	ObjectsLeft      *int64   `json:"objects_left" nullable:"true" doc:"about; null where nobody has counted them, and where the job is not at work"`
	ObjectsPerSecond *float64 `json:"objects_per_second" nullable:"true" doc:"since it began or went on; null until that is known"`
	SecondsLeft      *int64   `json:"seconds_left" nullable:"true" doc:"an estimate at this rate; null where there is nothing to judge by"`
}

// NewRGWUser is what is chosen of a user.
type NewRGWUser struct {
	User struct {
		Name      string    `json:"name" example:"my-app-storage"`
		ProjectID string    `json:"project_id" format:"uuid"`
		BackendID string    `json:"backend_id,omitempty" doc:"absent: the one Ceph, or the one backend, that there is"`
		Quota     *RGWQuota `json:"quota,omitempty" doc:"for admins; absent: the configured default"`
	} `json:"user"`
}

// RGWQuotaEdit changes what it has.
type RGWQuotaEdit struct {
	MaxSizeKB *int64 `json:"max_size_kb,omitempty"`
	Enabled   *bool  `json:"enabled,omitempty"`
}

// RGWUserEdit changes what it has.
type RGWUserEdit struct {
	Name       *string                `json:"name,omitempty"`
	Quota      Nullable[RGWQuotaEdit] `json:"quota,omitempty" doc:"for admins"`
	Locked     Nullable[bool]         `json:"locked,omitempty" doc:"for admins"`
	LockReason Nullable[string]       `json:"lock_reason,omitempty" doc:"for admins; goes with the lock"`
	Status     Nullable[string]       `json:"status,omitempty" doc:"for admins; active or disabled"`
}

// RGWAdoption says who is taken under management.
type RGWAdoption struct {
	UID       string `json:"uid" doc:"of the user at the Ceph"`
	ProjectID string `json:"project_id" format:"uuid"`
	Name      string `json:"name,omitempty" doc:"absent: the one at the Ceph"`
}

// UnmanagedRGWUser is a user of a Ceph that is not managed here.
type UnmanagedRGWUser struct {
	UID string `json:"uid"`
}

// ByRGWUser names a user in the path.
type ByRGWUser struct {
	UserID string `path:"user_id" format:"uuid"`
}

// ByRGWJob names a job in the path.
type ByRGWJob struct {
	JobID string `path:"job_id" format:"uuid"`
}

func (h rgwUsers) view(u control.RGWUserInfo) RGWUser {
	v := RGWUser{
		ID: u.ID, Name: u.Name, ProjectID: u.ProjectID, BackendID: u.BackendID, AccessKeyID: u.AccessKeyID, SecretKey: SecretMask,
		Status: string(u.Status), Locked: u.Locked, Quota: RGWQuota{u.Quota.MaxSizeKB, u.Quota.Enabled},
		Endpoint: h.server.S3Endpoint, Region: h.server.Region,
		CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt, KeyRenewedAt: u.KeyRenewedAt,
		State: string(u.State), UID: u.UID, Adopted: u.Adopted, Drift: u.Drift,
	}
	if u.LockReason != "" {
		v.LockReason = &u.LockReason
	}
	if u.Home != nil {
		size := u.Home.SizeKB()
		v.BucketsTotalSize = &size
	}
	if v.Endpoint == "" { // no gateway is served
		v.Endpoint, v.Region = u.Backend.Endpoint, u.Backend.Region
	}
	if u.Job != nil {
		job := jobView(*u.Job, time.Now())
		v.Job = &job
	}
	return v
}

func (h rgwUsers) withSecret(u control.RGWUserSecret) RGWUser {
	v := h.view(u.RGWUserInfo)
	if !u.Secret.IsZero() {
		v.SecretKey = u.Secret.Reveal()
	}
	return v
}

func jobView(j keystile.RGWJob, now time.Time) RGWJob {
	v := RGWJob{
		ID: j.ID, UserID: j.UserID, State: string(j.State), Buckets: j.Buckets, BucketsLeft: j.BucketsLeft,
		ObjectsDeleted: j.Objects, Message: j.Message, CreatedAt: j.CreatedAt, UpdatedAt: j.UpdatedAt,
	}
	if j.Pace == nil {
		return v
	}
	if left := j.Pace.Left(); left >= 0 {
		v.ObjectsLeft = &left
	}
	if rate := j.Pace.PerSecond(now); rate > 0 {
		v.ObjectsPerSecond = &rate
	}
	if left, known := j.Pace.TimeLeft(now); known {
		seconds := int64(math.Ceil(left.Seconds()))
		v.SecondsLeft = &seconds
	}
	return v
}

func (h rgwUsers) list(ctx context.Context, in *struct {
	ProjectID string `query:"project_id" doc:"needed of all but admins"`
	Name      string `query:"name" doc:"part of the name or access key ID"`
	Limit     int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	Cursor    string `query:"cursor"`
}) (*JSON[List[RGWUser]], error) {
	page, next, err := h.users.List(ctx, actorOf(ctx), control.RGWUserQuery{
		ProjectID: in.ProjectID, Text: in.Name, Limit: in.Limit, Cursor: in.Cursor,
	})
	list := listOf(page, h.view)
	list.NextCursor = next
	return reply(list), err
}

func (h rgwUsers) create(ctx context.Context, in *JSON[NewRGWUser]) (*JSON[RGWUser], error) {
	user := in.Body.User
	chosen := control.NewRGWUser{Name: user.Name, ProjectID: user.ProjectID, BackendID: user.BackendID}
	if user.Quota != nil {
		chosen.Quota = &keystile.SizeQuota{MaxSizeKB: user.Quota.MaxSizeKB, Enabled: user.Quota.Enabled}
	}
	made, err := h.users.Create(ctx, actorOf(ctx), chosen)
	return reply(h.withSecret(made)), err
}

func (h rgwUsers) get(ctx context.Context, in *ByRGWUser) (*JSON[RGWUser], error) {
	info, err := h.users.Get(ctx, actorOf(ctx), in.UserID)
	return reply(h.view(info)), err
}

// rgwEventQuery asks for a page of what the trail has of a user.
type rgwEventQuery struct {
	ByRGWUser
	Done   string `query:"done" enum:"to,with" default:"to" doc:"to: to the user and what it owns, by accounts; with: with its key, at the gateway"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	Cursor string `query:"cursor"`
}

func (h rgwUsers) events(ctx context.Context, in *rgwEventQuery) (*JSON[List[Event]], error) {
	events, next, err := h.users.Events(ctx, actorOf(ctx), in.UserID, control.RGWEventQuery{WithKey: in.Done == "with", Limit: in.Limit, Cursor: in.Cursor})
	list := listOf(events, eventView)
	list.NextCursor = next
	return reply(list), err
}

func (h rgwUsers) update(ctx context.Context, in *struct {
	ByRGWUser
	JSON[RGWUserEdit]
}) (*JSON[RGWUser], error) {
	edit, faults := in.Body.edit()
	if len(faults) > 0 && !edit.ForAdmins {
		return nil, faults
	}
	edit.Faults = faults
	info, err := h.users.Update(ctx, actorOf(ctx), in.UserID, edit)
	return reply(h.view(info)), err
}

// edit reads what is there. A null where it means nothing is a fault, which only
// those learn of who may set the value.
func (e RGWUserEdit) edit() (control.RGWUserEdit, keystile.Faults) {
	var faults keystile.Faults
	edit := control.RGWUserEdit{Name: e.Name, ForAdmins: e.Quota.Set || e.Locked.Set || e.LockReason.Set || e.Status.Set}
	for _, n := range []struct {
		field string
		null  bool
	}{{"quota", e.Quota.Null}, {"locked", e.Locked.Null}, {"status", e.Status.Null}} {
		if n.null {
			faults.Add(n.field, "must not be null")
		}
	}
	if e.Quota.Set {
		edit.MaxSizeKB, edit.QuotaEnabled = e.Quota.Value.MaxSizeKB, e.Quota.Value.Enabled
	}
	if e.Locked.Set {
		edit.Locked = &e.Locked.Value
	}
	if e.LockReason.Set {
		edit.LockReason = &e.LockReason.Value
	}
	if e.Status.Set {
		status := keystile.Status(e.Status.Value)
		edit.Status = &status
	}
	return edit, faults
}

func (h rgwUsers) renew(ctx context.Context, in *ByRGWUser) (*JSON[RGWUser], error) {
	renewed, err := h.users.RenewKey(ctx, actorOf(ctx), in.UserID)
	return reply(h.withSecret(renewed)), err
}

// deletion answers with a job where there is one.
type deletion struct {
	Status int
	Body   *RGWJob
}

func (h rgwUsers) delete(ctx context.Context, in *struct {
	ByRGWUser
	Purge bool `query:"purge_objects" doc:"empty and delete its buckets first"`
}) (*deletion, error) {
	actor := actorOf(ctx)
	if !in.Purge {
		actor.Request.Success = http.StatusNoContent
		return &deletion{Status: http.StatusNoContent}, h.users.Delete(ctx, actor, in.UserID)
	}
	job, err := h.users.Purge(ctx, actor, in.UserID)
	view := jobView(job, time.Now())
	return &deletion{http.StatusAccepted, &view}, err
}

func (h rgwUsers) forget(ctx context.Context, in *ByRGWUser) (*nothing, error) {
	return nil, h.users.Forget(ctx, actorOf(ctx), in.UserID)
}

func (h rgwUsers) job(ctx context.Context, in *ByRGWJob) (*JSON[RGWJob], error) {
	job, err := h.users.Job(ctx, actorOf(ctx), in.JobID)
	return reply(jobView(job, time.Now())), err
}

func (h rgwUsers) cancel(ctx context.Context, in *ByRGWJob) (*JSON[RGWJob], error) {
	job, err := h.users.CancelJob(ctx, actorOf(ctx), in.JobID)
	return reply(jobView(job, time.Now())), err
}

func (h rgwUsers) unmanaged(ctx context.Context, in *struct {
	ByBackend
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	Cursor string `query:"cursor"`
}) (*JSON[List[UnmanagedRGWUser]], error) {
	uids, next, err := h.users.Unmanaged(ctx, actorOf(ctx), in.Backend, in.Cursor, in.Limit)
	list := listOf(uids, func(uid string) UnmanagedRGWUser { return UnmanagedRGWUser{uid} })
	list.NextCursor = next
	return reply(list), err
}

func (h rgwUsers) adopt(ctx context.Context, in *struct {
	ByBackend
	JSON[RGWAdoption]
}) (*JSON[RGWUser], error) {
	info, err := h.users.Adopt(ctx, actorOf(ctx), control.RGWAdoption{
		BackendID: in.Backend, UID: in.Body.UID, ProjectID: in.Body.ProjectID, Name: in.Body.Name,
	})
	return reply(h.view(info)), err
}
