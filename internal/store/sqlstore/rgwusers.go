package sqlstore

import (
	"errors"
	"fmt"
	"strings"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

const rgwUserColumns = `id, name, project_id, backend, uid, adopted, access_key_id, state, status, locked, lock_reason,
	quota_kb, quota_enabled, created_at, updated_at, key_renewed_at, deleted_at, generation`

// rgwUserFields are the places to scan rgwUserColumns into.
func rgwUserFields(u *keystile.RGWUser) []any {
	return []any{&u.ID, &u.Name, &u.ProjectID, &u.BackendID, &u.UID, &u.Adopted, &u.AccessKeyID, &u.State, &u.Status,
		&u.Locked, &u.LockReason, &u.Quota.MaxSizeKB, &u.Quota.Enabled, instant{&u.CreatedAt}, instant{&u.UpdatedAt},
		instant{&u.KeyRenewedAt}, instant{&u.DeletedAt}, &u.Generation}
}

func scanRGWUser(row scanner) (keystile.RGWUser, error) {
	var u keystile.RGWUser
	err := row.Scan(rgwUserFields(&u)...)
	return u, err
}

func (t *tx) CreateRGWUser(u keystile.RGWUser, s keystile.RGWSecrets) error {
	current, pending := t.sealRGW(u.ID, s)
	_, err := t.exec(`INSERT INTO rgw_users (`+rgwUserColumns+`, name_low, secret_current, secret_pending)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)`,
		u.ID, u.Name, u.ProjectID, u.BackendID, u.UID, u.Adopted, u.AccessKeyID, u.State, u.Status, u.Locked, u.LockReason,
		u.Quota.MaxSizeKB, u.Quota.Enabled, micros(u.CreatedAt), micros(u.UpdatedAt), micros(u.KeyRenewedAt),
		micros(u.DeletedAt), u.Generation, strings.ToLower(u.Name), current, pending)
	return about(err, "RGW user %s", u.ID)
}

func (t *tx) RGWUser(id string) (keystile.RGWUser, error) {
	u, err := get(t, scanRGWUser, `SELECT `+rgwUserColumns+` FROM rgw_users WHERE id = $1 AND deleted_at = 0`, id)
	return u, about(err, "RGW user %s", id)
}

func (t *tx) RGWUserProject(id string) (project string, err error) {
	err = t.row([]any{&project}, `SELECT project_id FROM rgw_users WHERE id = $1`, id)
	return project, about(err, "RGW user %s", id)
}

func (t *tx) RGWUserByName(projectID, name string) (keystile.RGWUser, error) {
	u, err := get(t, scanRGWUser, `SELECT `+rgwUserColumns+` FROM rgw_users
		WHERE project_id = $1 AND name = $2 AND deleted_at = 0`, projectID, name)
	return u, about(err, "RGW user %q of project %s", name, projectID)
}

func (t *tx) RGWUserByUID(backendID, uid string) (keystile.RGWUser, error) {
	u, err := get(t, scanRGWUser, `SELECT `+rgwUserColumns+` FROM rgw_users
		WHERE backend = $1 AND uid = $2 AND uid <> '' AND deleted_at = 0`, backendID, uid)
	return u, about(err, "RGW user with uid %q", uid)
}

func (t *tx) RGWUsers(f store.RGWUserFilter) ([]keystile.RGWUser, error) {
	q := query{terms: []string{"deleted_at = 0"}}
	if f.ProjectID != "" {
		q.and("project_id = %s", f.ProjectID)
	}
	if f.BackendID != "" {
		q.and("backend = %s", f.BackendID)
	}
	if f.Text != "" {
		pattern := "%" + escapeLike(strings.ToLower(f.Text)) + "%"
		q.and(`(lower(access_key_id) LIKE %[1]s ESCAPE '\' OR name_low LIKE %[1]s ESCAPE '\')`, pattern)
	}
	if f.After != "" {
		last, err := t.RGWUser(f.After)
		if errors.Is(err, keystile.ErrNotFound) {
			return nil, fmt.Errorf("no RGW user %q to go on after: %w", f.After, keystile.ErrInvalid)
		}
		if err != nil {
			return nil, err
		}
		q.and("(created_at, id) < (%s, %s)", micros(last.CreatedAt), last.ID)
	}
	text := `SELECT ` + rgwUserColumns + ` FROM rgw_users` + q.where() + ` ORDER BY created_at DESC, id DESC`
	if f.Limit > 0 {
		text += ` LIMIT ` + q.arg(f.Limit)
	}
	all, err := list(t, scanRGWUser, text, q.args...)
	return all, about(err, "RGW users")
}

func (t *tx) UnsettledRGWUsers() ([]keystile.RGWUser, error) {
	all, err := list(t, scanRGWUser, `SELECT `+rgwUserColumns+` FROM rgw_users
		WHERE deleted_at = 0 AND (state <> $1 OR secret_pending IS NOT NULL) ORDER BY id`, keystile.RGWLive)
	return all, about(err, "unsettled RGW users")
}

func (t *tx) UpdateRGWUser(u keystile.RGWUser) error {
	err := t.execOne(`UPDATE rgw_users SET name = $1, name_low = $2, adopted = $3, state = $4, status = $5, locked = $6,
			lock_reason = $7, quota_kb = $8, quota_enabled = $9, updated_at = $10, key_renewed_at = $11, deleted_at = $12,
			generation = $13
		WHERE id = $14 AND deleted_at = 0`,
		u.Name, strings.ToLower(u.Name), u.Adopted, u.State, u.Status, u.Locked, u.LockReason, u.Quota.MaxSizeKB,
		u.Quota.Enabled, micros(u.UpdatedAt), micros(u.KeyRenewedAt), micros(u.DeletedAt), u.Generation, u.ID)
	return about(err, "RGW user %s", u.ID)
}

func (t *tx) sealRGW(id string, s keystile.RGWSecrets) (current, pending any) {
	return t.sealSecret("rgw_users", id, "secret_current", s.Current), t.sealSecret("rgw_users", id, "secret_pending", s.Pending)
}

func (t *tx) openRGW(id string, current, pending []byte) (s keystile.RGWSecrets, err error) {
	if s.Current, err = t.openSecret("rgw_users", id, "secret_current", current); err != nil {
		return keystile.RGWSecrets{}, err
	}
	if s.Pending, err = t.openSecret("rgw_users", id, "secret_pending", pending); err != nil {
		return keystile.RGWSecrets{}, err
	}
	return s, nil
}

func (t *tx) RGWSecrets(id string) (keystile.RGWSecrets, error) {
	var current, pending []byte
	err := t.row([]any{&current, &pending}, `SELECT secret_current, secret_pending FROM rgw_users WHERE id = $1 AND deleted_at = 0`, id)
	if err != nil {
		return keystile.RGWSecrets{}, about(err, "RGW user %s", id)
	}
	return t.openRGW(id, current, pending)
}

func (t *tx) SetRGWSecrets(id string, s keystile.RGWSecrets) error {
	current, pending := t.sealRGW(id, s)
	err := t.execOne(`UPDATE rgw_users SET secret_current = $1, secret_pending = $2 WHERE id = $3`, current, pending, id)
	return about(err, "RGW user %s", id)
}

func (t *tx) ChangedRGWUsers(since int64, yield func(keystile.RGWUser, keystile.RGWSecrets, []keystile.RGWBucket) error) error {
	buckets := map[string][]keystile.RGWBucket{}
	owned, err := list(t, scanRGWBucket, `SELECT `+rgwBucketColumns+` FROM rgw_buckets
		WHERE user_id IN (SELECT id FROM rgw_users WHERE generation > $1) ORDER BY user_id, name`, since)
	if err != nil {
		return about(err, "buckets of changed RGW users")
	}
	for _, b := range owned {
		buckets[b.UserID] = append(buckets[b.UserID], b)
	}
	return t.each(func(row scanner) error {
		var u keystile.RGWUser
		var current, pending []byte
		if err := row.Scan(append(rgwUserFields(&u), &current, &pending)...); err != nil {
			return about(err, "changed RGW users")
		}
		secrets, err := t.openRGW(u.ID, current, pending)
		if err != nil {
			return err
		}
		return yield(u, secrets, buckets[u.ID])
	}, `SELECT `+rgwUserColumns+`, secret_current, secret_pending FROM rgw_users
		WHERE generation > $1 ORDER BY generation, deleted_at = 0, id`, since)
}

const rgwBucketColumns = `backend, name, user_id, acl, made, created_at`

func scanRGWBucket(row scanner) (keystile.RGWBucket, error) {
	var b keystile.RGWBucket
	var stage int
	err := row.Scan(&b.Bucket.Backend, &b.Bucket.Name, &b.UserID, &b.ACL, &stage, instant{&b.CreatedAt})
	b.Made, b.Ending = stage >= bucketMade, stage == bucketEnding
	return b, err
}

// The column made of a bucket; 0: the backend has not confirmed it.
const (
	bucketMade   = 1
	bucketEnding = 2
)

func stageOf(b keystile.RGWBucket) int {
	switch {
	case b.Made && b.Ending:
		return bucketEnding
	case b.Made:
		return bucketMade
	}
	return 0
}

func (t *tx) CreateRGWBucket(b keystile.RGWBucket) error {
	_, err := t.exec(`INSERT INTO rgw_buckets (`+rgwBucketColumns+`) VALUES ($1, $2, $3, $4, $5, $6)`,
		b.Bucket.Backend, b.Bucket.Name, b.UserID, b.ACL, stageOf(b), micros(b.CreatedAt))
	return about(err, "bucket %s", b.Bucket)
}

func (t *tx) RGWBucket(name keystile.Bucket) (keystile.RGWBucket, error) {
	b, err := get(t, scanRGWBucket, `SELECT `+rgwBucketColumns+` FROM rgw_buckets WHERE backend = $1 AND name = $2`, name.Backend, name.Name)
	return b, about(err, "owner of bucket %s", name)
}

func (t *tx) RGWBuckets(userID string) ([]keystile.RGWBucket, error) {
	all, err := list(t, scanRGWBucket, `SELECT `+rgwBucketColumns+` FROM rgw_buckets WHERE user_id = $1 ORDER BY name`, userID)
	return all, about(err, "buckets of RGW user %s", userID)
}

func (t *tx) UpdateRGWBucket(b keystile.RGWBucket) error {
	err := t.execOne(`UPDATE rgw_buckets SET acl = $1, made = $2 WHERE backend = $3 AND name = $4`,
		b.ACL, stageOf(b), b.Bucket.Backend, b.Bucket.Name)
	return about(err, "bucket %s", b.Bucket)
}

func (t *tx) DeleteRGWBucket(name keystile.Bucket) error {
	err := t.execOne(`DELETE FROM rgw_buckets WHERE backend = $1 AND name = $2`, name.Backend, name.Name)
	return about(err, "owner of bucket %s", name)
}

const rgwJobColumns = `id, user_id, state, account, token_id, buckets, buckets_left, objects, message, created_at, updated_at`

func scanRGWJob(row scanner) (keystile.RGWJob, error) {
	var j keystile.RGWJob
	err := row.Scan(&j.ID, &j.UserID, &j.State, &j.Account, &j.TokenID, &j.Buckets, &j.BucketsLeft, &j.Objects, &j.Message,
		instant{&j.CreatedAt}, instant{&j.UpdatedAt})
	return j, err
}

func (t *tx) CreateRGWJob(j keystile.RGWJob) error {
	_, err := t.exec(`INSERT INTO rgw_jobs (`+rgwJobColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		j.ID, j.UserID, j.State, j.Account, j.TokenID, j.Buckets, j.BucketsLeft, j.Objects, j.Message,
		micros(j.CreatedAt), micros(j.UpdatedAt))
	return about(err, "job %s", j.ID)
}

func (t *tx) RGWJob(id string) (keystile.RGWJob, error) {
	j, err := get(t, scanRGWJob, `SELECT `+rgwJobColumns+` FROM rgw_jobs WHERE id = $1`, id)
	return j, about(err, "job %s", id)
}

func (t *tx) LastRGWJob(userID string) (keystile.RGWJob, error) {
	j, err := get(t, scanRGWJob, `SELECT `+rgwJobColumns+` FROM rgw_jobs WHERE user_id = $1
		ORDER BY created_at DESC, id DESC LIMIT 1`, userID)
	return j, about(err, "last job of RGW user %s", userID)
}

func (t *tx) UnfinishedRGWJobs() ([]keystile.RGWJob, error) {
	all, err := list(t, scanRGWJob, `SELECT `+rgwJobColumns+` FROM rgw_jobs
		WHERE state IN ('running', 'cancelling') ORDER BY created_at, id`)
	return all, about(err, "unfinished jobs")
}

func (t *tx) UpdateRGWJob(j keystile.RGWJob) error {
	err := t.execOne(`UPDATE rgw_jobs SET state = $1, buckets = $2, buckets_left = $3, objects = $4, message = $5,
		updated_at = $6 WHERE id = $7`, j.State, j.Buckets, j.BucketsLeft, j.Objects, j.Message, micros(j.UpdatedAt), j.ID)
	return about(err, "job %s", j.ID)
}
