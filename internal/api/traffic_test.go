package api

import (
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// count writes what the gateway would have counted.
func (s *site) count(counts ...keystile.TrafficCount) {
	s.t.Helper()
	must(s.t, s.store.Write(s.t.Context(), func(tx store.Tx) error { return tx.AddTraffic(counts) }))
}

func counted(key, backend string, at time.Time, n int64) keystile.TrafficCount {
	return keystile.TrafficCount{At: at, AccessKeyID: key, Backend: backend,
		Traffic: keystile.Traffic{Requests: n, Reads: n, Errors: 1, Refusals: 2, BytesIn: 10 * n, BytesOut: 100 * n}}
}

func (s *site) seen(samples ...keystile.HealthSample) {
	s.t.Helper()
	must(s.t, s.store.Write(s.t.Context(), func(tx store.Tx) error { return tx.AddHealth(samples) }))
}

func TestOverview(t *testing.T) {
	s := newSite(t)
	root := s.as("root")
	empty := into[Overview](root.do("GET", "/api/overview", nil).want(200))
	if len(empty.Hours) != 24 || empty.Totals != (Traffic{}) || empty.Busiest == nil || len(empty.Busiest) != 0 {
		t.Errorf("nothing happened: %+v", empty)
	}
	if len(empty.Backends) != 1 || empty.Backends[0].ID != "main" || !empty.Backends[0].Healthy || empty.Backends[0].LatencyMS != 1.5 || empty.Backends[0].Uptime24h != nil {
		t.Errorf("backends %+v", empty.Backends)
	}
	now := s.clock.now() // noon
	busy, idle := s.mint("uma").AccessKeyID, s.mint("").AccessKeyID
	s.count(
		counted(busy, "main", now, 50), counted(busy, "cold", now.Add(-23*time.Hour), 5), counted(idle, "main", now.Add(-time.Hour), 7),
		counted("", "main", now, 1000), counted(idle, "main", now.Add(-24*time.Hour), 9999), counted("AKIAGONE", "main", now, 1),
		counted(idle, "main", now.Add(time.Hour), 5555)) // by a clock that was ahead
	o := into[Overview](root.do("GET", "/api/overview", nil).want(200))
	if !o.Since.Equal(now.Add(-23*time.Hour)) || len(o.Hours) != 24 || !o.Hours[0].Hour.Equal(o.Since) || !o.Hours[23].Hour.Equal(now) {
		t.Errorf("the span: %v, %d hours to %v", o.Since, len(o.Hours), o.Hours[23].Hour)
	}
	if o.Hours[0].Requests != 5 || o.Hours[1].Requests != 0 || o.Hours[22].Requests != 7 || o.Hours[23].Requests != 1051 {
		t.Errorf("hours %+v", o.Hours)
	}
	if want := (Traffic{Requests: 1063, Reads: 1063, Errors: 5, Refusals: 10, BytesIn: 10630, BytesOut: 106300}); o.Totals != want {
		t.Errorf("totals %+v, want %+v", o.Totals, want)
	}
	if len(o.Busiest) != 3 || o.Busiest[1].AccessKeyID != busy || o.Busiest[1].Owner != "uma" || o.Busiest[1].Description != "for uma" || o.Busiest[1].Requests != 55 {
		t.Errorf("busiest %+v", o.Busiest)
	}
	if o := into[Overview](root.do("GET", "/api/overview?hours=1", nil).want(200)); len(o.Hours) != 1 || o.Totals.Requests != 1051 {
		t.Errorf("one hour: %+v", o.Hours)
	}
	for _, hours := range []string{"0", "-1", "841", "x", "1.5"} {
		root.do("GET", "/api/overview?hours="+hours, nil).wantCode(422, "invalid")
	}
}

func TestUptimeInOverview(t *testing.T) {
	s := newSite(t)
	now := s.clock.now()
	s.seen(
		keystile.HealthSample{BackendID: "main", At: now.Add(-8 * time.Minute), Healthy: true},
		keystile.HealthSample{BackendID: "main", At: now.Add(-4 * time.Minute), Message: "it did not answer in time"},
		keystile.HealthSample{BackendID: "other", At: now.Add(-time.Minute)})
	o := into[Overview](s.as("root").do("GET", "/api/overview", nil).want(200))
	if len(o.Backends) != 1 || o.Backends[0].Uptime24h == nil || *o.Backends[0].Uptime24h != 0.5 {
		t.Errorf("backends %+v", o.Backends)
	}
}

func TestBackendHealth(t *testing.T) {
	s := newSite(t)
	root, now := s.as("root"), s.clock.now()
	s.seen(
		keystile.HealthSample{BackendID: "main", At: now.Add(-time.Hour), Message: "down", Latency: 2 * time.Millisecond},
		keystile.HealthSample{BackendID: "main", At: now.Add(-30 * time.Hour), Healthy: true},
		keystile.HealthSample{BackendID: "other", At: now, Healthy: true})
	list := into[List[HealthSample]](root.do("GET", "/api/backends/main/health", nil).want(200)).Items
	if len(list) != 1 || list[0].Healthy || list[0].Message != "down" || list[0].LatencyMS != 2 || !list[0].At.Equal(now.Add(-time.Hour)) {
		t.Errorf("a day: %+v", list)
	}
	list = into[List[HealthSample]](root.do("GET", "/api/backends/main/health?hours=168", nil).want(200)).Items
	if len(list) != 2 || !list[0].Healthy {
		t.Errorf("a week: %+v", list)
	}
	root.do("GET", "/api/backends/other/health", nil).wantCode(404, "not_found")
	for _, hours := range []string{"0", "169"} {
		root.do("GET", "/api/backends/main/health?hours="+hours, nil).wantCode(422, "invalid")
	}
}

func TestCredentialTraffic(t *testing.T) {
	s := newSite(t)
	now := s.clock.now().Add(30 * time.Minute)
	s.clock.pass(30 * time.Minute)
	own, other := s.mint("rory").AccessKeyID, s.mint("uma").AccessKeyID
	s.count(
		counted(own, "main", now, 1), counted(own, "main", now.Add(-59*time.Minute), 20), counted(own, "main", now.Add(-time.Hour), 300),
		counted(own, "main", now.Add(-23*time.Hour), 4000), counted(own, "main", now.Add(-24*time.Hour), 50000), counted(other, "main", now, 7))
	for _, who := range []string{"root", "rory"} {
		c := into[CredentialTraffic](s.as(who).do("GET", "/api/credentials/"+own+"/traffic", nil).want(200))
		if c.LastHour.Requests != 21 || c.Last24h.Requests != 4321 || len(c.Hours) != 24 || c.Hours[0].Requests != 4000 || c.Hours[23].Requests != 1 {
			t.Errorf("%s sees %+v", who, c)
		}
	}
	a := s.as("uma").do("GET", "/api/credentials/"+own+"/traffic", nil).wantCode(404, "not_found")
	if e := s.eventsOf(a); len(e) != 1 || e[0].Result != keystile.ResultDenied {
		t.Errorf("a look at another's: %+v", e)
	}
	s.as("rory").do("GET", "/api/credentials/"+other+"/traffic", nil).wantCode(404, "not_found")
	s.as("root").do("GET", "/api/credentials/AKIANONE/traffic", nil).wantCode(404, "not_found")
	never := into[CredentialTraffic](s.as("root").do("GET", "/api/credentials/"+s.mint("").AccessKeyID+"/traffic", nil).want(200))
	if never.LastHour != (Traffic{}) || never.Last24h != (Traffic{}) || len(never.Hours) != 24 {
		t.Errorf("never used: %+v", never)
	}
}
