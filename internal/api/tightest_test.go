package api

import (
	"testing"

	"keystile/internal/keystile"
)

// The limit that a key is nearest to, of all that bound it.
func TestTightestLimitOfACredential(t *testing.T) {
	const bucket = "/api/backends/main/buckets/uploads/quota"
	for _, tt := range []struct {
		name, grants, quota, caps string
		used                      keystile.Amount
		spent                     int64
		want                      *LimitUse
	}{
		{"nothing bounds it", writeGrant, ``, ``, keystile.Amount{Bytes: 7}, 0, nil},
		{"the bucket's hard cap, where it has a soft one too", writeGrant, ``, `{"soft_bytes":8,"hard_bytes":10}`, keystile.Amount{Bytes: 9}, 0,
			&LimitUse{Of: "bucket", Bucket: "main/uploads", Unit: "bytes", Used: 9, Cap: 10}},
		{"the bucket's soft cap alone", writeGrant, ``, `{"soft_bytes":8}`, keystile.Amount{Bytes: 9}, 0,
			&LimitUse{Of: "bucket", Bucket: "main/uploads", Unit: "bytes", Used: 9, Cap: 8, Soft: true}},
		{"objects before bytes", writeGrant, ``, `{"hard_bytes":100,"hard_objects":4}`, keystile.Amount{Bytes: 50, Objects: 3}, 0,
			&LimitUse{Of: "bucket", Bucket: "main/uploads", Unit: "objects", Used: 3, Cap: 4}},
		{"its ceiling below the bucket's cap", writeGrant, `,"quota":{"ceiling_bytes":80}`, `{"hard_bytes":100}`, keystile.Amount{Bytes: 50}, 0,
			&LimitUse{Of: "ceiling", Bucket: "main/uploads", Unit: "bytes", Used: 50, Cap: 80}},
		{"the bucket's cap below its ceiling", writeGrant, `,"quota":{"ceiling_bytes":800}`, `{"hard_bytes":100}`, keystile.Amount{Bytes: 50}, 0,
			&LimitUse{Of: "bucket", Bucket: "main/uploads", Unit: "bytes", Used: 50, Cap: 100}},
		{"its allowance, nearly written", writeGrant, `,"quota":{"allowance_bytes":10,"allowance_per":"day"}`, `{"hard_bytes":100}`, keystile.Amount{Bytes: 50}, 9,
			&LimitUse{Of: "allowance", Unit: "bytes", Used: 9, Cap: 10}},
		{"a cap of nothing is used up", writeGrant, `,"quota":{"allowance_bytes":0,"allowance_per":"day"}`, `{"hard_bytes":100}`, keystile.Amount{Bytes: 50}, 0,
			&LimitUse{Of: "allowance", Unit: "bytes"}},
		{"who only reads is bound by nothing", `[{"backend":"main","bucket":"uploads","permissions":["read","delete"]}]`, ``, `{"hard_bytes":100}`, keystile.Amount{Bytes: 50}, 0, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t)
			root := s.as("root")
			s.ledger.usage.Used, s.ledger.spent = tt.used, tt.spent
			if tt.caps != "" {
				root.do("PUT", bucket, tt.caps).want(200)
			}
			made := into[Credential](root.do("POST", "/api/credentials", `{"description":"d","grants":`+tt.grants+tt.quota+`}`).want(201))
			listed := into[List[Credential]](root.do("GET", "/api/credentials", nil).want(200)).Items[0]
			for where, got := range map[string]*LimitUse{"shown": made.Quota.Tightest, "listed": listed.Quota.Tightest} {
				if (got == nil) != (tt.want == nil) || got != nil && *got != *tt.want {
					t.Errorf("%s: %+v, want %+v", where, got, tt.want)
				}
			}
		})
	}
}
