package api

import (
	"testing"
	"time"

	"keystile/internal/keystile"
)

func TestQuotaOfABucket(t *testing.T) {
	s := newSite(t)
	root := s.as("root")
	const path = "/api/backends/main/buckets/uploads/quota"
	root.do("GET", path, nil).wantCode(404, "not_found")
	set := into[BucketQuota](root.do("PUT", path, `{"soft_bytes":8,"hard_bytes":10,"hard_objects":0}`).want(200))
	if *set.SoftBytes != 8 || *set.HardBytes != 10 || *set.HardObjects != 0 || set.SoftObjects != nil || set.Usage.ScannedAt != nil {
		t.Errorf("set %+v", set)
	}
	if len(s.gateways.confirmed) == 0 {
		t.Error("the gateways did not confirm")
	}
	s.ledger.usage = keystile.Usage{
		Used: keystile.Amount{Bytes: 3, Objects: 2}, Unknown: keystile.Amount{Bytes: 1}, CountedAt: time.Unix(9, 0).UTC(), Recount: true,
		Scan: &keystile.ScanProgress{Seen: keystile.Amount{Bytes: 5, Objects: 6}, Pages: 7},
	}
	shown := into[BucketQuota](root.do("GET", path, nil).want(200))
	u := shown.Usage
	if u.UsedBytes != 3 || u.UsedObjects != 2 || u.UnknownBytes != 1 || !u.NeedsScan || u.ScannedAt == nil || u.Scan.Objects != 6 {
		t.Errorf("shown %+v", shown)
	}
	for _, body := range []string{`{"soft_bytes":11,"hard_bytes":10}`, `{"hard_bytes":-1}`, `{"hard":1}`} {
		root.do("PUT", path, body).want(422)
	}
	if again := into[BucketQuota](root.do("GET", path, nil).want(200)); *again.HardBytes != 10 {
		t.Errorf("a refused change changed %+v", again)
	}
	root.do("PUT", "/api/backends/none/buckets/uploads/quota", `{"hard_bytes":1}`).wantCode(404, "not_found")
	root.do("DELETE", path+"/scan", nil).wantCode(409, "conflict")
	root.do("POST", path+"/scan", nil).want(200)
	root.do("DELETE", path+"/scan", nil).want(204)
	root.do("DELETE", path, nil).want(204)
	root.do("DELETE", path, nil).wantCode(404, "not_found")
}
