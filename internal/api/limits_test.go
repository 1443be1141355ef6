package api

import (
	"testing"

	"keystile/internal/keystile"
)

const writeGrant = `[{"backend":"main","bucket":"uploads","permissions":["write"]}]`

func TestLimitsOfACredential(t *testing.T) {
	s := newSite(t)
	root := s.as("root")
	s.ledger.usage.Used, s.ledger.spent = keystile.Amount{Bytes: 7, Objects: 2}, 3
	a := root.do("POST", "/api/credentials", `{"description":"d","grants":`+writeGrant+`,"quota":{"ceiling_bytes":1024,"allowance_bytes":10,"allowance_per":"day"}}`).want(201)
	made := into[Credential](a)
	q := made.Quota
	if q.Inherits || *q.CeilingBytes != 1024 || q.CeilingObjects != nil || *q.AllowanceBytes != 10 || q.AllowancePer != "day" ||
		*q.FullestBytes != 7 || *q.FullestObjects != 2 || *q.AllowanceUsedBytes != 3 {
		t.Errorf("made %+v", q)
	}
	if got := s.eventsOf(a)[0].Detail.Changes["quota"]; got != "writes while the bucket holds at most 1 KiB; writes at most 10 B a day" {
		t.Errorf("event says %q", got)
	}
	const bucket = "/api/backends/main/buckets/uploads/quota"
	counted := into[BucketQuota](root.do("GET", bucket, nil).want(200)) // below a ceiling a bucket is counted
	if counted.HardBytes != nil || counted.SoftBytes != nil {
		t.Errorf("counted %+v", counted)
	}
	root.do("DELETE", bucket, nil).want(204)
	root.do("GET", bucket, nil).want(200) // the ceiling needs it on

	path := "/api/credentials/" + made.AccessKeyID
	for body, field := range map[string]string{
		`{"quota":{"allowance_bytes":10}}`:                        "quota.allowance_per",
		`{"quota":{"allowance_per":"day"}}`:                       "quota.allowance_per",
		`{"quota":{"allowance_bytes":10,"allowance_per":"week"}}`: "quota.allowance_per",
		`{"quota":{"ceiling_bytes":-1}}`:                          "quota.ceiling_bytes",
		`{"quota":{"ceiling":1}}`:                                 "quota.ceiling",
	} {
		p := root.do("PATCH", path, body).wantCode(422, "invalid").problem()
		if f := p.Error.Detail.Faults; len(f) != 1 || f[0].Field != field {
			t.Errorf("%s: faults %+v, want %s", body, f, field)
		}
	}
	if got := into[Credential](root.do("PATCH", path, `{"description":"e"}`).want(200)); got.Quota.CeilingBytes == nil {
		t.Error("an edit of something else took the limits away")
	}
	s.as("uma").do("PATCH", path, `{"quota":null}`).want(403)
	if got := into[Credential](root.do("PATCH", path, `{"quota":null}`).want(200)); !got.Quota.Inherits || got.Quota.CeilingBytes != nil || got.Quota.Text != "inherits the bucket's" {
		t.Errorf("taken away: %+v", got.Quota)
	}
	root.do("DELETE", bucket, nil).want(204)
	root.do("GET", bucket, nil).want(404)

	own := s.mint("uma").AccessKeyID
	s.as("uma").do("PATCH", "/api/credentials/"+own, `{"quota":null}`).want(403)
}
