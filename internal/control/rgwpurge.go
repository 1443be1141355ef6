package control

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// jobs are the deletions under way in this process.
type jobs struct {
	mu      sync.Mutex
	running map[string]context.CancelFunc // by job id
	paces   map[string]keystile.Pace      // of those that are deleting, by job id
	all     sync.WaitGroup
	ctx     context.Context // of the process; nil before RunJobs
}

func newJobs() *jobs {
	return &jobs{running: map[string]context.CancelFunc{}, paces: map[string]keystile.Pace{}}
}

// Purge deletes a user with all its objects. Its key stops first, at the
// gateway and at its home; then a job empties and deletes its buckets, goes on
// after a restart, and can be cancelled: the user is then disabled.
func (s *RGWUsers) Purge(ctx context.Context, a Actor, id string) (job keystile.RGWJob, err error) {
	back, err := s.turn(ctx, a, "rgw.user.delete", id, keystile.WriteAccess)
	if err != nil {
		return job, err
	}
	defer back()
	purge := act{action: "rgw.user.delete", target: id, who: anyone, inProject: true, do: func(ch *change) error {
		as, err := s.toDelete(ch, id)
		if err != nil {
			return err
		}
		secrets, err := ch.RGWSecrets(id)
		if err != nil {
			return err
		}
		job = keystile.RGWJob{
			ID: newID(), UserID: id, State: keystile.JobRunning, Account: ch.actor.Account.Name, TokenID: ch.actor.TokenID,
			CreatedAt: ch.now, UpdatedAt: ch.now,
		}
		ch.changed("purge_objects", "true")
		ch.changed("job", "%s", job.ID)
		if err := ch.CreateRGWJob(job); err != nil {
			return err
		}
		// Who holds the key must not be able to go on writing: what empties the
		// buckets signs with a secret that nobody ever sees.
		if err := ch.SetRGWSecrets(id, keystile.RGWSecrets{Current: secrets.Current, Pending: keystile.NewSecretKey()}); err != nil {
			return err
		}
		as.User.State, as.User.Status = keystile.RGWDeleting, keystile.StatusDisabled
		return ch.saveRGWUser(&as.User)
	}}
	if err := s.mutate(ctx, a, purge); err != nil {
		return job, err
	}
	s.startJob(job)
	return job, nil
}

// Job shows a deletion under way, or how it ended, to who may see its user's
// project.
func (s *RGWUsers) Job(ctx context.Context, a Actor, id string) (job keystile.RGWJob, err error) {
	err = s.readIn(ctx, a, "rgw.job.show", id, anyone, func(tx store.Tx) error {
		job, err = s.seenJob(tx, a, id, keystile.ReadAccess)
		return err
	})
	return s.jobs.paced(job), err
}

// seenJob also knows jobs of users that are gone: the project is in the job's
// user, which stays as a row until then.
func (s *RGWUsers) seenJob(tx store.Tx, a Actor, id string, need keystile.ProjectAccess) (keystile.RGWJob, error) {
	job, err := tx.RGWJob(id)
	if err != nil {
		return job, err
	}
	project, err := tx.RGWUserProject(job.UserID)
	if err != nil {
		return job, err
	}
	_, err = needAccess(tx, a, project, need)
	return job, err
}

// CancelJob stops a deletion. What is deleted stays deleted, and the user stays
// disabled until an admin enables it.
func (s *RGWUsers) CancelJob(ctx context.Context, a Actor, id string) (job keystile.RGWJob, err error) {
	err = s.mutate(ctx, a, act{action: "rgw.job.cancel", target: id, who: anyone, inProject: true, do: func(ch *change) error {
		if job, err = s.seenJob(ch, ch.actor, id, keystile.WriteAccess); err != nil {
			return err
		}
		if job.State.Over() {
			return explain(keystile.ErrConflict, "the job has ended")
		}
		job.State, job.UpdatedAt = keystile.JobCancelling, ch.now
		return ch.UpdateRGWJob(job)
	}})
	if err == nil {
		s.startJob(job) // one that waits notices at once
	}
	return s.jobs.paced(job), err
}

// RunJobs goes on with the jobs of an earlier process, and runs new ones until
// ctx ends.
func (s *RGWUsers) RunJobs(ctx context.Context) error {
	s.jobs.mu.Lock()
	s.jobs.ctx = ctx
	s.jobs.mu.Unlock()
	var left []keystile.RGWJob
	err := s.store.Read(ctx, func(tx store.Tx) (err error) {
		left, err = tx.UnfinishedRGWJobs()
		return err
	})
	for _, job := range left {
		s.startJob(job)
	}
	return err
}

// WaitJobs returns when no job runs any more; ctx of RunJobs must have ended.
func (s *RGWUsers) WaitJobs() { s.jobs.all.Wait() }

// startJob runs a job unless it is running.
func (s *RGWUsers) startJob(job keystile.RGWJob) {
	j := s.jobs
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ctx == nil || j.ctx.Err() != nil || j.running[job.ID] != nil {
		return // the next process goes on with it
	}
	ctx, cancel := context.WithCancel(j.ctx)
	j.running[job.ID] = cancel
	j.all.Go(func() {
		defer func() {
			cancel()
			j.mu.Lock()
			defer j.mu.Unlock()
			delete(j.running, job.ID)
			delete(j.paces, job.ID)
		}()
		if err := s.runJob(ctx, job.ID); err != nil && ctx.Err() == nil {
			s.log.Error("the deletion of an RGW user does not go on: it is tried again", "user", job.UserID, "job", job.ID, "error", err)
		}
	})
}

// purge is a job at work.
type purge struct {
	*RGWUsers
	job keystile.RGWJob
	as  RGWSigner // with the secret that nobody sees
}

// errCancelled: the job was told to stop.
var errCancelled = errors.New("cancelled")

func (s *RGWUsers) runJob(ctx context.Context, id string) error {
	p := purge{RGWUsers: s}
	err := s.store.Read(ctx, func(tx store.Tx) (err error) {
		if p.job, err = tx.RGWJob(id); err != nil || p.job.State.Over() {
			return err
		}
		if p.as.User, err = tx.RGWUser(p.job.UserID); err != nil {
			return err
		}
		secrets, err := tx.RGWSecrets(p.job.UserID)
		p.as.Secret = secrets.Pending
		return err
	})
	if err != nil || p.job.State.Over() {
		return err
	}
	back, err := s.turns.Take(ctx, p.as.User.ID)
	if err != nil {
		return err
	}
	defer back()
	switch err := p.run(ctx); {
	case err == nil:
		return p.end(ctx, keystile.JobDone, "")
	case errors.Is(err, errCancelled):
		return p.stop(ctx)
	default:
		switch {
		case errors.Is(err, ErrHomeDenies): // clear has told for which bucket
		case errors.Is(err, keystile.ErrKeyRefused):
			p.job.Message = "the backend refuses the gateway's own key, and a test of the backend tells what the key lacks; it is tried again"
		default:
			p.job.Message = "the backend gives no clear answer; it is tried again"
		}
		return errors.Join(err, p.save(ctx))
	}
}

func (p *purge) run(ctx context.Context) error {
	if p.job.State == keystile.JobCancelling {
		return errCancelled
	}
	if err := p.homes.SetSecret(ctx, p.as.User, p.as.Secret); err != nil && !errors.Is(err, keystile.ErrNotFound) {
		return err
	}
	buckets, found, err := p.toEmpty(ctx)
	if err != nil && !errors.Is(err, keystile.ErrNotFound) {
		return err
	}
	p.jobs.begins(p.job.ID, keystile.Pace{Since: p.now(), Found: found})
	p.job.Buckets, p.job.BucketsLeft = max(p.job.Buckets, len(buckets)), len(buckets)
	if err := p.save(ctx); err != nil {
		return err
	}
	for _, b := range buckets {
		if err := p.clear(ctx, b); err != nil {
			return err
		}
		if err := p.bucketGone(ctx, b.Bucket.Name); err != nil {
			return err
		}
	}
	if err := p.homes.Remove(ctx, p.as.User); err != nil && !errors.Is(err, keystile.ErrNotFound) {
		return err
	}
	return nil
}

// clear empties a bucket and deletes it. What was never made holds nothing of the
// user's: it is not emptied.
func (p *purge) clear(ctx context.Context, b keystile.RGWBucket) error {
	var err error
	if b.Made {
		err = p.unlessGone(ctx, b, p.empty(ctx, b.Bucket.Name))
	}
	if err == nil {
		err = p.endBucket(ctx, p.as, b)
	}
	if errors.Is(err, ErrHomeDenies) {
		p.job.Message = fmt.Sprintf("the backend denies requests for the bucket %s; it is tried again. If the bucket is gone there, make one of that name, or cancel", b.Bucket.Name)
	}
	return err
}

func (p *purge) empty(ctx context.Context, bucket string) error {
	for {
		deleted, done, err := p.homes.Empty(ctx, p.as, bucket)
		p.job.Objects += deleted
		p.jobs.deleted(p.job.ID, deleted)
		if saving := p.save(ctx); saving != nil {
			return saving
		}
		if errors.Is(err, keystile.ErrNotFound) || err == nil && done {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// bucketGone notes that a bucket is deleted.
func (p *purge) bucketGone(ctx context.Context, name string) error {
	if !p.as.User.AtCeph() {
		err := p.onOwn(ctx, func(ch *change) error {
			return ch.dropRGWBucket(keystile.Bucket{Backend: p.as.User.BackendID, Name: name})
		})
		if err != nil && !errors.Is(err, keystile.ErrNotFound) {
			return err
		}
	}
	p.job.BucketsLeft--
	return p.save(ctx)
}

// save notes how far the job is, and learns that it was cancelled.
func (p *purge) save(ctx context.Context) error {
	return p.store.Write(ctx, func(tx store.Tx) error {
		told, err := tx.RGWJob(p.job.ID)
		if err != nil {
			return err
		}
		if told.State == keystile.JobCancelling {
			return errCancelled
		}
		p.job.UpdatedAt = p.now()
		return tx.UpdateRGWJob(p.job)
	})
}

// end closes the job of a user that is gone.
func (p *purge) end(ctx context.Context, state keystile.JobState, message string) error {
	return p.concluded(ctx, "rgw.user.purged", state, message, func(ch *change, u *keystile.RGWUser) error {
		return ch.forgetBuckets(u)
	})
}

// stop leaves the user disabled, at its home too.
func (p *purge) stop(ctx context.Context) error {
	if err := p.homes.SetSuspended(ctx, p.as.User, true); err != nil && !errors.Is(err, keystile.ErrNotFound) {
		return err
	}
	if buckets, err := p.allBuckets(ctx, p.as.User); err == nil {
		for _, b := range buckets { // what was emptied was not settled object by object
			p.ledger.Scan(b.Bucket)
		}
	}
	return p.concluded(ctx, "rgw.user.purge_cancelled", keystile.JobCancelled, "", func(ch *change, u *keystile.RGWUser) error {
		u.State = keystile.RGWLive
		if err := ch.dropPending(u.ID); err != nil {
			return err
		}
		return ch.saveRGWUser(u)
	})
}

func (p *purge) concluded(ctx context.Context, action string, state keystile.JobState, message string, do func(*change, *keystile.RGWUser) error) error {
	p.job.State, p.job.Message = state, message
	return p.mutate(ctx, System(), act{action: action, target: p.as.User.ID, who: anyone, do: func(ch *change) error {
		ch.aboutRGWUser(p.as.User)
		ch.event.Account, ch.event.Detail.TokenID = p.job.Account, p.job.TokenID
		ch.changed("job", "%s", p.job.ID)
		ch.changed("objects", "%d", p.job.Objects)
		u, err := ch.RGWUser(p.as.User.ID)
		if err != nil {
			return err
		}
		if err := do(ch, &u); err != nil {
			return err
		}
		p.job.UpdatedAt = ch.now
		return ch.UpdateRGWJob(p.job)
	}})
}
