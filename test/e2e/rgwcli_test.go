package e2e_test

import (
	"fmt"
	"strings"
	"testing"
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
	s.cli("rgw", "user", "renew-key", made.ID).want(t, 0, "")
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
	s.cli("rgw", "user", "adopt", "ceph-1", made.UID, "--project", "Data", "--name", "twice").want(t, refused, "managed here already")
	s.cli("rgw", "user", "adopt", "ceph-1", cluster.AdminUID, "--project", "Data").want(t, refused, "the gateway itself")
	s.cli("rgw", "user", "delete", shown.ID, "--purge-objects").want(t, 0, "")
	s.cli("rgw", "user", "show", shown.ID).want(t, refused, "")
}

func adminOps(t *testing.T, endpoint string, as rgwUser, method, query string) int {
	t.Helper()
	return s3Query(t, endpoint, as, method, "/admin/user", query, "")
}
