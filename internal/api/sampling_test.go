package api

import (
	"testing"
	"time"

	"keystile/internal/keystile"
)

func TestSampling(t *testing.T) {
	s := newSite(t)
	root := s.as("root")
	const path = "/api/audit/sampling"
	soon := s.clock.now().Add(time.Hour).UTC().Format(time.RFC3339)
	root.do("PUT", path, `{"access_key_id":"AK1","rate":0.5}`).want(200)
	root.do("PUT", path, `{"backend":"main","bucket":"uploads","rate":1,"until":"`+soon+`"}`).want(200)
	root.do("PUT", path, `{"access_key_id":"AK1","rate":1}`).want(200) // in place of the first
	rules := into[List[SamplingRule]](root.do("GET", path, nil).want(200)).Items
	if len(rules) != 2 || rules[0].Bucket != "uploads" || rules[0].Until == nil || rules[1].AccessKeyID != "AK1" || rules[1].Rate != 1 || rules[1].SetBy != "root" {
		t.Errorf("rules %+v", rules)
	}
	for name, body := range map[string]string{
		"of a credential and a bucket": `{"access_key_id":"AK1","backend":"main","bucket":"uploads","rate":1}`,
		"of a bucket without backend":  `{"bucket":"uploads","rate":1}`,
		"a share above all":            `{"rate":1.5}`,
		"that has ended":               `{"rate":1,"until":"2001-01-01T00:00:00Z"}`,
	} {
		if a := root.do("PUT", path, body); a.status != 422 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	root.do("DELETE", path+"?access_key_id=AK2", nil).want(200) // there is none
	root.do("DELETE", path+"?access_key_id=AK1", nil).want(200)
	s.clock.pass(2 * time.Hour)
	if left := into[List[SamplingRule]](root.do("GET", path, nil).want(200)).Items; len(left) != 0 {
		t.Errorf("left %+v", left)
	}
	if n := len(s.events(keystile.EventFilter{ActionPrefix: "audit.sampling.update", Result: keystile.ResultOK})); n != 3 {
		t.Errorf("%d events of rules that were set", n)
	}
}
