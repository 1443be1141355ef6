package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// RGWUsers are the use cases of S3 identities in projects. Who may see the
// project sees its users; its writers and owners change them; quotas, locks and
// statuses are for admins. Others' users are not found.
type RGWUsers struct {
	*core
	homes        RGWHomes
	backends     *backendLookup
	upstreams    Upstreams
	defaultQuota keystile.SizeQuota
	ledger       Ledger
	turns        *userTurns
	jobs         *jobs
	log          *slog.Logger
}

// RGWUserInfo is a user as it is here and, where it was asked, at its home.
type RGWUserInfo struct {
	keystile.RGWUser
	Backend keystile.Backend
	// Home is what the user's home says; nil where it was not asked, or did not
	// answer.
	Home *keystile.RGWHome
	// Drift is what was changed at the home behind our back, in words.
	Drift []string
	Job   *keystile.RGWJob // that empties it; nil: none
}

// RGWUserSecret is a user with the secret that is shown once; zero where it is
// not shown.
type RGWUserSecret struct {
	RGWUserInfo
	Secret keystile.Secret
}

// RGWUserQuery selects users.
type RGWUserQuery struct {
	ProjectID string // needed of all but admins
	Text      string // part of the name or access key ID
	Limit     int
	Cursor    string
}

// List returns a page of a project's users, newest first, and the next cursor;
// it is empty on the last page.
func (s *RGWUsers) List(ctx context.Context, a Actor, q RGWUserQuery) (list []RGWUserInfo, next string, err error) {
	if q.ProjectID == "" {
		q.ProjectID = a.ProjectID // that of a bound token
	}
	err = s.readIn(ctx, a, "rgw.user.list", q.ProjectID, anyone, func(tx store.Tx) error {
		if q.ProjectID == "" && !admins(a.Account.Role) {
			return keystile.Faults{{Field: "project_id", Message: "is needed"}}
		}
		if q.ProjectID != "" {
			if _, err := needAccess(tx, a, q.ProjectID, keystile.ReadAccess); err != nil {
				return err
			}
		}
		users, err := tx.RGWUsers(store.RGWUserFilter{ProjectID: q.ProjectID, Text: q.Text, After: q.Cursor, Limit: q.Limit + 1})
		if errors.Is(err, keystile.ErrInvalid) {
			return keystile.Faults{{Field: "cursor", Message: "is not one of this list"}}
		}
		if err != nil {
			return err
		}
		if len(users) > q.Limit {
			users = users[:q.Limit]
			next = users[q.Limit-1].ID
		}
		for _, u := range users {
			info, err := s.infoOf(tx, u)
			if err != nil {
				return err
			}
			list = append(list, info)
		}
		return nil
	})
	return list, next, err
}

// Get returns a user with what its home says of it now.
func (s *RGWUsers) Get(ctx context.Context, a Actor, id string) (info RGWUserInfo, err error) {
	var secrets keystile.RGWSecrets
	err = s.readIn(ctx, a, "rgw.user.show", id, anyone, func(tx store.Tx) error {
		if info, err = s.seen(tx, a, id, keystile.ReadAccess); err != nil {
			return err
		}
		secrets, err = tx.RGWSecrets(id)
		return err
	})
	if err != nil {
		return info, err
	}
	s.askHome(ctx, &info, secrets)
	return info, nil
}

// askHome adds what the home says. One that does not answer is left out: the
// rest is as true without it. Of a user that is being deleted it is not asked: what
// it holds is no more when it is counted, and how far the deletion has come must be
// seen while a slow home is what it waits for.
func (s *RGWUsers) askHome(ctx context.Context, info *RGWUserInfo, secrets keystile.RGWSecrets) {
	if info.State != keystile.RGWLive {
		return
	}
	home, err := s.homes.Look(ctx, info.RGWUser, secrets.Current)
	switch {
	case errors.Is(err, keystile.ErrNotFound):
		info.Drift = []string{DriftMissing}
	case err != nil:
		s.log.Warn("the home of an RGW user does not answer", "backend", info.BackendID, "user", info.ID, "error", err)
	case !info.AtCeph():
		info.Home = s.countHome(ctx, info.RGWUser, home)
	default:
		info.Home = &home
		info.Drift = drift(info.RGWUser, secrets, home)
	}
}

// countHome adds up the buckets of a user whose home is the gateway; nil where
// the backend does not answer.
func (s *RGWUsers) countHome(ctx context.Context, u keystile.RGWUser, home keystile.RGWHome) *keystile.RGWHome {
	buckets, err := s.bucketsOf(ctx, RGWSigner{User: u})
	if err != nil {
		s.log.Warn("the buckets of an RGW user cannot be counted", "backend", u.BackendID, "user", u.ID, "error", err)
		return nil
	}
	for _, b := range buckets {
		home.Bytes, home.Objects = home.Bytes+b.Bytes, home.Objects+b.Objects
	}
	return &home
}

// What can have been changed at a Ceph behind our back.
const (
	DriftMissing = "missing"     // the user is not there
	DriftKey     = "key_missing" // its access key is not there
	DriftSecret  = "secret"      // its access key has another secret
	DriftStatus  = "status"      // it is suspended there and active here, or the other way round
	DriftQuota   = "quota"       // its quota is another
	DriftName    = "name"        // its name is another
)

func drift(u keystile.RGWUser, secrets keystile.RGWSecrets, home keystile.RGWHome) []string {
	if !u.AtCeph() || u.State != keystile.RGWLive {
		return nil
	}
	var found []string
	suspended := u.Status != keystile.StatusActive
	switch {
	case suspended: // a deletion that was cancelled leaves another secret behind
	case home.Secret.IsZero():
		found = append(found, DriftKey)
	case !home.Secret.Equal(secrets.Current) && !home.Secret.Equal(secrets.Pending):
		found = append(found, DriftSecret)
	}
	if home.Suspended != suspended {
		found = append(found, DriftStatus)
	}
	if home.Quota.Enabled != u.Quota.Enabled || home.Quota.Enabled && home.Quota.MaxSizeKB != u.Quota.MaxSizeKB {
		found = append(found, DriftQuota)
	}
	if home.Name != u.Name {
		found = append(found, DriftName)
	}
	return found
}

// seen reads a user for an actor with enough access to its project. Who has no
// access at all does not learn whether it exists.
func (s *RGWUsers) seen(tx store.Tx, a Actor, id string, need keystile.ProjectAccess) (RGWUserInfo, error) {
	u, err := tx.RGWUser(id)
	if err != nil {
		return RGWUserInfo{}, err
	}
	if _, err := needAccess(tx, a, u.ProjectID, need); err != nil {
		return RGWUserInfo{}, fmt.Errorf("RGW user %s: %w", id, err)
	}
	return s.infoOf(tx, u)
}

func (s *RGWUsers) infoOf(tx store.Tx, u keystile.RGWUser) (info RGWUserInfo, err error) {
	info.RGWUser = u
	if info.Backend, err = s.backends.get(tx, u.BackendID); err != nil && !errors.Is(err, keystile.ErrNotFound) {
		return info, err
	}
	job, err := tx.LastRGWJob(u.ID)
	switch {
	case err == nil && !job.State.Over():
		job = s.jobs.paced(job)
		info.Job = &job
	case err != nil && !errors.Is(err, keystile.ErrNotFound):
		return info, err
	}
	return info, nil
}

// about fills the event with what an act is about.
func (ch *change) aboutRGWUser(u keystile.RGWUser) {
	ch.event.Backend = u.BackendID
	ch.event.Detail.Target = u.ID
	ch.changed("user", "%s", u.Name)
	ch.changed("project_id", "%s", u.ProjectID)
}

// live refuses a user that is being made or deleted.
func (ch *change) rgwUserLives(u keystile.RGWUser) error {
	switch u.State {
	case keystile.RGWCreating:
		return explain(keystile.ErrConflict, "the user is still being made")
	case keystile.RGWDeleting:
		return explain(keystile.ErrConflict, "the user is being deleted")
	case keystile.RGWLive:
	}
	return nil
}

// saveRGWUser stamps and stores a changed user, so that the gateways take it
// over.
func (ch *change) saveRGWUser(u *keystile.RGWUser) (err error) {
	u.UpdatedAt = ch.now
	if u.Generation, err = ch.stamp(); err != nil {
		return err
	}
	return ch.UpdateRGWUser(*u)
}
