package e2e_test

import (
	"fmt"
	"strings"
	"testing"

	"keystile/test/ceph"
)

// TestRGWByCommandLine does what operators and tenants do, with a user that was
// there before, and with changes behind our back.
func TestRGWByCommandLine(t *testing.T) {
	s, cluster := startRGW(t, "ceph", "")
	var made, shown struct {
		ID          string   `json:"id"`
		AccessKeyID string   `json:"access_key_id"`
		SecretKey   string   `json:"secret_key"`
		UID         string   `json:"uid"`
		Status      string   `json:"status"`
		Drift       []string `json:"drift"`
		Adopted     bool     `json:"adopted"`
	}
	s.cliJSON(&made, "rgw", "user", "create", "app", "--project", "data", "--backend", "ceph-1")
	s.secrets[made.SecretKey] = true
	if len(made.SecretKey) != 40 || !strings.HasPrefix(made.UID, "ks-") {
		t.Fatalf("made %+v", made)
	}
	s.cli("rgw", "user", "lock", made.ID, "--reason", "prod").want(t, 0, "prod")
	if kept := s.cli("rgw", "user", "renew-key", made.ID); kept.code != 0 || !strings.Contains(kept.stderr, "its secret was not changed") || !strings.Contains(kept.stdout, `"secret_key":"********"`) {
		t.Errorf("renewed while locked: exit %d, %s %s", kept.code, kept.stdout, kept.stderr)
	}
	s.cli("rgw", "user", "events", made.ID, "-o", "table").want(t, 0, "nothing was changed")
	s.cli("rgw", "user", "show", "app").want(t, 2, "keystile rgw user list")
	s.cli("rgw", "user", "show", made.ID, "-o", "table").want(t, 0, "500.0 GiB")
	s.cli("rgw", "user", "set-quota", made.ID, "--max-size-kb=-1", "-o", "table").want(t, 0, "unlimited")
	s.cli("rgw", "user", "delete", made.ID).want(t, refused, "locked")
	s.cli("rgw", "user", "unlock", made.ID).want(t, 0, "")
	bucket := "cli" + made.ID[:13]
	s.cli("rgw", "bucket", "create", made.ID, bucket).want(t, 0, bucket)
	s.cli("rgw", "bucket", "list", made.ID).want(t, 0, bucket)

	// Somebody gives the Ceph's user another secret.
	behind := rgwUser{made.ID, made.AccessKeyID, "changed-behind-our-back"}
	admin := rgwUser{"", cluster.AccessKeyID, cluster.SecretAccessKey}
	if got := adminOps(t, cluster.Endpoint, admin, "PUT", fmt.Sprintf("access-key=%s&format=json&generate-key=false&key=&secret-key=%s&uid=%s", behind.key, behind.secret, made.UID)); got != 200 {
		t.Fatalf("changing a secret at the Ceph: %d", got)
	}
	s.cliJSON(&shown, "rgw", "user", "show", made.ID)
	if strings.Join(shown.Drift, ",") != "secret" {
		t.Errorf("drift %v, want secret", shown.Drift)
	}
	s.cli("rgw", "user", "drift", "--project", "data", "-o", "table").want(t, 0, "secret")
	s.cliJSON(&made, "rgw", "user", "renew-key", made.ID)
	s.secrets[made.SecretKey], s.secrets[behind.secret] = true, true
	s.cli("rgw", "user", "drift", "-o", "table").want(t, 0, "No user was changed at its Ceph.")
	shown.Drift = nil
	s.cliJSON(&shown, "rgw", "user", "show", made.ID)
	if len(shown.Drift) != 0 || s3(t, cluster.Endpoint, behind, "GET", "/", "") != 403 {
		t.Errorf("after a renewal: drift %v", shown.Drift)
	}

	// A user that is forgotten stays at the Ceph as it is, and can be adopted.
	u := rgwUser{made.ID, made.AccessKeyID, made.SecretKey}
	s.cli("rgw", "user", "forget", made.ID).want(t, 0, "")
	if gateway, radosgw := s3(t, s.S3Endpoint, u, "GET", "/", ""), s3(t, cluster.Endpoint, u, "GET", "/", ""); gateway != 401 || radosgw != 200 {
		t.Errorf("forgotten: %d at the gateway, %d at the Ceph", gateway, radosgw)
	}
	s.cli("rgw", "user", "unmanaged", "ceph-1", "-o", "table").want(t, 0, made.UID)
	s.cliJSON(&shown, "rgw", "user", "adopt", "ceph-1", made.UID, "--project", "Data")
	if !shown.Adopted || shown.AccessKeyID != made.AccessKeyID || shown.UID != made.UID {
		t.Errorf("adopted %+v", shown)
	}
	if got := s3(t, s.S3Endpoint, u, "GET", "/", ""); got != 200 {
		t.Errorf("adopted: %d at the gateway", got)
	}
	for _, name := range []string{shown.ID, "app"} {
		s.cli("rgw", "user", "adopt", "ceph-1", made.UID, "--project", "Data", "--name", name).want(t, refused, "managed here already")
	}
	s.cli("rgw", "user", "adopt", "ceph-1", "nobody", "--project", "Data").want(t, refused, "no user of that uid")
	s.cli("rgw", "user", "unmanaged", "ceph-2").want(t, refused, "no such backend")
	s.cli("rgw", "user", "adopt", "ceph-1", cluster.AdminUID, "--project", "Data").want(t, refused, "the gateway itself")
	s.cli("rgw", "user", "delete", shown.ID, "--purge-objects").want(t, 0, "")
	s.cli("rgw", "user", "show", shown.ID).want(t, refused, "")
	s.withoutCaps(cluster, admin)

	member := s.person("member", "")
	run(t, append(cleanEnv(), "KEYSTILE_URL="+s.DashboardURL, "KEYSTILE_TOKEN="+member), "", binary, "rgw", "user", "list").want(t, 2, "--project")
}

// withoutCaps: an operator whose Admin Ops key may too little is told so, and how
// to mend it.
func (s *rgwSite) withoutCaps(cluster ceph.Cluster, admin rgwUser) {
	s.t.Helper()
	weak := rgwUser{"weak", "WEAKKEY0000000000001", "a-secret-of-the-weak-one"}
	s.secrets[weak.secret] = true
	if got := adminOps(s.t, cluster.Endpoint, admin, "PUT", fmt.Sprintf("access-key=%s&display-name=weak&format=json&secret-key=%s&uid=%s&user-caps=users%%3Dread", weak.key, weak.secret, weak.id)); got != 200 {
		s.t.Fatalf("a user at the Ceph: %d", got)
	}
	env := append(cleanEnv(), "KEYSTILE_URL="+s.DashboardURL, "KEYSTILE_TOKEN="+s.server.token)
	run(s.t, env, weak.secret, binary, "backend", "add", "weak", "--kind", "ceph-rgw", "--endpoint", cluster.Endpoint, "--access-key-id", weak.key, "--secret-access-key-stdin").want(s.t, 0, "")
	s.cli("backend", "test", "weak", "-o", "table").want(s.t, refused, "radosgw-admin caps add --uid='weak' --caps='buckets=*;metadata=read;users=*'")
	s.cli("rgw", "user", "create", "unmade", "--project", "Data", "--backend", "weak").want(s.t, refused, "refuses the gateway's own key: a test of the backend tells")
	s.cli("rgw", "user", "create", "unmade", "--project", "Data", "--backend", "weak").want(s.t, refused, "try again in a minute")
}

func adminOps(t *testing.T, endpoint string, as rgwUser, method, query string) int {
	t.Helper()
	return s3Query(t, endpoint, as, method, "/admin/user", query, "")
}
