package storetest

import (
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

func rgwUser(id string) keystile.RGWUser {
	return keystile.RGWUser{
		ID: id, Name: "Name " + id, ProjectID: "p1", BackendID: "ceph", UID: "ks-" + id, Adopted: true, AccessKeyID: "AKIA" + id,
		State: keystile.RGWLive, Status: keystile.StatusActive, Locked: true, LockReason: "because",
		Quota: keystile.SizeQuota{MaxSizeKB: 7, Enabled: true}, CreatedAt: noon, UpdatedAt: after(time.Second),
		KeyRenewedAt: after(2 * time.Second), Generation: 3,
	}
}

func createRGWUser(t *testing.T, s store.Store, u keystile.RGWUser) {
	t.Helper()
	write(t, s, func(tx store.Tx) error {
		return tx.CreateRGWUser(u, keystile.RGWSecrets{Current: keystile.NewSecret("current " + u.ID), Pending: keystile.NewSecret("pending " + u.ID)})
	})
}

func rgwUserOf(id string) func(store.Tx) (keystile.RGWUser, error) {
	return func(tx store.Tx) (keystile.RGWUser, error) { return tx.RGWUser(id) }
}

func testRGWUsers(t *testing.T, open Open) {
	proveAll(t, open, []promise{
		{"every field and both secrets come back on the other handle", proveRGWUser},
		{"names, keys and uids are taken once, until their user is deleted", proveRGWConflicts},
		{"they are listed newest first, in pages, by project and text", proveRGWLists},
		{"those that are not settled are told", proveRGWUnsettled},
		{"gateways learn of changed ones with their buckets, and of deleted ones", proveRGWChanges},
		{"buckets have one owner", proveRGWBuckets},
		{"jobs go on until they are over", proveRGWJobs},
	})
}

func proveRGWUser(t *testing.T, a, b store.Store) {
	u := rgwUser("u1")
	createRGWUser(t, a, u)
	wantEqual(t, got(t, b, rgwUserOf("u1")), u)
	byName := func(tx store.Tx) (keystile.RGWUser, error) { return tx.RGWUserByName("p1", "Name u1") }
	byUID := func(tx store.Tx) (keystile.RGWUser, error) { return tx.RGWUserByUID("ceph", "ks-u1") }
	wantEqual(t, got(t, b, byName), u)
	wantEqual(t, got(t, b, byUID), u)
	secrets := func(tx store.Tx) (keystile.RGWSecrets, error) { return tx.RGWSecrets("u1") }
	wantEqual(t, got(t, b, secrets).Current.Reveal(), "current u1")
	wantEqual(t, got(t, b, secrets).Pending.Reveal(), "pending u1")
	u.Name, u.Adopted, u.State, u.Status, u.Locked, u.LockReason = "other", false, keystile.RGWDeleting, keystile.StatusDisabled, false, ""
	u.Quota, u.UpdatedAt, u.KeyRenewedAt, u.Generation = keystile.SizeQuota{MaxSizeKB: -1}, after(time.Hour), after(time.Minute), 9
	write(t, b, func(tx store.Tx) error {
		if err := tx.SetRGWSecrets("u1", keystile.RGWSecrets{Current: keystile.NewSecret("new")}); err != nil {
			return err
		}
		return tx.UpdateRGWUser(u)
	})
	wantEqual(t, got(t, a, rgwUserOf("u1")), u)
	wantEqual(t, got(t, a, secrets).Current.Reveal(), "new")
	wantEqual(t, got(t, a, secrets).Pending.IsZero(), true)
	for _, act := range []func(store.Tx) error{
		func(tx store.Tx) error { _, err := tx.RGWUser("absent"); return err },
		func(tx store.Tx) error { _, err := tx.RGWSecrets("absent"); return err },
		func(tx store.Tx) error { _, err := tx.RGWUserByName("p2", "other"); return err },
		func(tx store.Tx) error { _, err := tx.RGWUserByUID("ceph", ""); return err },
		func(tx store.Tx) error { return tx.UpdateRGWUser(rgwUser("absent")) },
		func(tx store.Tx) error { return tx.SetRGWSecrets("absent", keystile.RGWSecrets{}) },
	} {
		wantErr(t, tryWrite(t, a, act), keystile.ErrNotFound)
	}
}

func proveRGWConflicts(t *testing.T, a, b store.Store) {
	createRGWUser(t, a, rgwUser("u1"))
	taken := map[string]func(*keystile.RGWUser){
		"name": func(u *keystile.RGWUser) { u.Name = "Name u1" },
		"key":  func(u *keystile.RGWUser) { u.AccessKeyID = "AKIAu1" },
		"uid":  func(u *keystile.RGWUser) { u.UID = "ks-u1" },
	}
	for what, take := range taken {
		u := rgwUser("u2")
		take(&u)
		if err := tryWrite(t, b, func(tx store.Tx) error { return tx.CreateRGWUser(u, keystile.RGWSecrets{}) }); err == nil {
			t.Errorf("the %s is taken twice", what)
		} else {
			wantErr(t, err, keystile.ErrConflict)
		}
	}
	elsewhere := rgwUser("u3")
	elsewhere.Name, elsewhere.ProjectID = "Name u1", "p2"
	createRGWUser(t, b, elsewhere)
	gone := rgwUser("u1")
	gone.DeletedAt = after(time.Hour)
	write(t, a, func(tx store.Tx) error { return tx.UpdateRGWUser(gone) })
	again := rgwUser("u4")
	again.Name, again.AccessKeyID, again.UID = gone.Name, gone.AccessKeyID, gone.UID
	createRGWUser(t, b, again)
	_, err := tryGet(t, a, rgwUserOf("u1"))
	wantErr(t, err, keystile.ErrNotFound)
	wantEqual(t, got(t, a, func(tx store.Tx) (string, error) { return tx.RGWUserProject("u1") }), "p1")
}

func proveRGWLists(t *testing.T, a, b store.Store) {
	for i, id := range []string{"u1", "u2", "u3"} {
		u := rgwUser(id)
		u.CreatedAt = after(time.Duration(i) * time.Minute)
		if id == "u2" {
			u.ProjectID = "p2"
		}
		createRGWUser(t, a, u)
	}
	ids := func(f store.RGWUserFilter) (ids []string) {
		for _, u := range got(t, b, func(tx store.Tx) ([]keystile.RGWUser, error) { return tx.RGWUsers(f) }) {
			ids = append(ids, u.ID)
		}
		return ids
	}
	wantEqual(t, ids(store.RGWUserFilter{}), []string{"u3", "u2", "u1"})
	wantEqual(t, ids(store.RGWUserFilter{ProjectID: "p1"}), []string{"u3", "u1"})
	wantEqual(t, ids(store.RGWUserFilter{After: "u3", Limit: 1}), []string{"u2"})
	wantEqual(t, ids(store.RGWUserFilter{Text: "NAME U2"}), []string{"u2"})
	wantEqual(t, ids(store.RGWUserFilter{Text: "akiau1"}), []string{"u1"})
	wantEqual(t, len(ids(store.RGWUserFilter{BackendID: "other"})), 0)
	_, err := tryGet(t, b, func(tx store.Tx) ([]keystile.RGWUser, error) { return tx.RGWUsers(store.RGWUserFilter{After: "x"}) })
	wantErr(t, err, keystile.ErrInvalid)
}

func proveRGWUnsettled(t *testing.T, a, b store.Store) {
	for _, id := range []string{"pending", "settled", "creating"} {
		u := rgwUser(id)
		if id == "creating" {
			u.State = keystile.RGWCreating
		}
		createRGWUser(t, a, u)
	}
	write(t, a, func(tx store.Tx) error {
		for _, id := range []string{"settled", "creating"} {
			if err := tx.SetRGWSecrets(id, keystile.RGWSecrets{Current: keystile.NewSecret("s")}); err != nil {
				return err
			}
		}
		return nil
	})
	found := got(t, b, store.Tx.UnsettledRGWUsers)
	if len(found) != 2 || found[0].ID != "creating" || found[1].ID != "pending" {
		t.Errorf("unsettled %+v", found)
	}
}

func proveRGWChanges(t *testing.T, a, b store.Store) {
	old, live, gone := rgwUser("old"), rgwUser("live"), rgwUser("gone")
	old.Generation, live.Generation, gone.Generation, gone.DeletedAt = 1, 5, 4, after(time.Hour)
	for _, u := range []keystile.RGWUser{old, live, gone} {
		createRGWUser(t, a, u)
	}
	bucket := keystile.RGWBucket{Bucket: keystile.Bucket{Backend: "s3", Name: "b"}, UserID: "live", ACL: "private", CreatedAt: noon}
	write(t, a, func(tx store.Tx) error { return tx.CreateRGWBucket(bucket) })
	var seen []string
	must(t, b.Read(t.Context(), func(tx store.Tx) error {
		return tx.ChangedRGWUsers(1, func(u keystile.RGWUser, s keystile.RGWSecrets, buckets []keystile.RGWBucket) error {
			seen = append(seen, u.ID)
			if u.ID == "live" {
				wantEqual(t, buckets, []keystile.RGWBucket{bucket})
				wantEqual(t, s.Current.Reveal(), "current live")
			} else if len(buckets) != 0 || u.DeletedAt.IsZero() {
				t.Errorf("%+v has %v", u, buckets)
			}
			return nil
		})
	}))
	wantEqual(t, seen, []string{"gone", "live"})
	used := func(tx store.Tx) (bool, error) { return tx.BackendInUse("ceph") }
	wantEqual(t, got(t, b, used), true)
}

func proveRGWBuckets(t *testing.T, a, b store.Store) {
	createRGWUser(t, a, rgwUser("u1"))
	name := keystile.Bucket{Backend: "s3", Name: "b"}
	made := keystile.RGWBucket{Bucket: name, UserID: "u1", ACL: "private", CreatedAt: noon}
	create := func(tx store.Tx) error { return tx.CreateRGWBucket(made) }
	write(t, a, create)
	wantErr(t, tryWrite(t, b, create), keystile.ErrConflict)
	made.ACL, made.Made = "public-read", true
	write(t, b, func(tx store.Tx) error { return tx.UpdateRGWBucket(made) })
	wantEqual(t, got(t, a, func(tx store.Tx) (keystile.RGWBucket, error) { return tx.RGWBucket(name) }), made)
	wantEqual(t, got(t, a, func(tx store.Tx) ([]keystile.RGWBucket, error) { return tx.RGWBuckets("u1") }), []keystile.RGWBucket{made})
	made.Ending = true
	write(t, a, func(tx store.Tx) error { return tx.UpdateRGWBucket(made) })
	wantEqual(t, got(t, b, func(tx store.Tx) (keystile.RGWBucket, error) { return tx.RGWBucket(name) }), made)
	remove := func(tx store.Tx) error { return tx.DeleteRGWBucket(name) }
	write(t, a, remove)
	wantErr(t, tryWrite(t, b, remove), keystile.ErrNotFound)
	wantErr(t, tryWrite(t, b, func(tx store.Tx) error { _, err := tx.RGWBucket(name); return err }), keystile.ErrNotFound)
}

func proveRGWJobs(t *testing.T, a, b store.Store) {
	createRGWUser(t, a, rgwUser("u1"))
	job := keystile.RGWJob{ID: "j1", UserID: "u1", State: keystile.JobRunning, Account: "anna", TokenID: "t", CreatedAt: noon, UpdatedAt: noon}
	write(t, a, func(tx store.Tx) error { return tx.CreateRGWJob(job) })
	wantEqual(t, got(t, b, store.Tx.UnfinishedRGWJobs), []keystile.RGWJob{job})
	job.State, job.Buckets, job.BucketsLeft, job.Objects, job.Message, job.UpdatedAt = keystile.JobCancelling, 3, 2, 1000, "waits", after(time.Second)
	write(t, b, func(tx store.Tx) error { return tx.UpdateRGWJob(job) })
	wantEqual(t, got(t, a, func(tx store.Tx) (keystile.RGWJob, error) { return tx.LastRGWJob("u1") }), job)
	wantEqual(t, len(got(t, a, store.Tx.UnfinishedRGWJobs)), 1)
	job.State = keystile.JobDone
	write(t, b, func(tx store.Tx) error { return tx.UpdateRGWJob(job) })
	wantEqual(t, len(got(t, a, store.Tx.UnfinishedRGWJobs)), 0)
	_, err := tryGet(t, a, func(tx store.Tx) (keystile.RGWJob, error) { return tx.RGWJob("absent") })
	wantErr(t, err, keystile.ErrNotFound)
}
