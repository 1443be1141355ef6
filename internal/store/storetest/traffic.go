package storetest

import (
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// hour is the beginning of the one in which noon lies.
var hour = noon.Truncate(time.Hour)

func count(key, backend string, at time.Time, requests int64) keystile.TrafficCount {
	return keystile.TrafficCount{At: at, AccessKeyID: key, Backend: backend, Traffic: scaled(requests)}
}

// scaled is a sum of so many requests, each counter with a value of its own.
func scaled(n int64) keystile.Traffic {
	return keystile.Traffic{Requests: n, Reads: 2 * n, Writes: 3 * n, Errors: 5 * n, Refusals: 7 * n, BytesIn: 11 * n, BytesOut: 13 * n}
}

func addTraffic(t *testing.T, s store.Store, counts ...keystile.TrafficCount) {
	t.Helper()
	write(t, s, func(tx store.Tx) error { return tx.AddTraffic(counts) })
}

func byHour(since time.Time) func(store.Tx) ([]keystile.TrafficHour, error) {
	return func(tx store.Tx) ([]keystile.TrafficHour, error) { return tx.TrafficByHour(since) }
}

func hoursOf(key string, since time.Time) func(store.Tx) ([]keystile.TrafficHour, error) {
	return func(tx store.Tx) ([]keystile.TrafficHour, error) { return tx.CredentialTrafficByHour(key, since) }
}

func minutesOf(key string, since time.Time) func(store.Tx) (keystile.Traffic, error) {
	return func(tx store.Tx) (keystile.Traffic, error) { return tx.CredentialTraffic(key, since) }
}

func busiest(since time.Time, limit int) func(store.Tx) ([]keystile.CredentialTraffic, error) {
	return func(tx store.Tx) ([]keystile.CredentialTraffic, error) { return tx.BusiestCredentials(since, limit) }
}

func testTraffic(t *testing.T, open Open) {
	proveAll(t, open, []promise{
		{"an empty store has counted nothing", func(t *testing.T, a, _ store.Store) {
			wantEqual(t, len(got(t, a, byHour(time.Time{}))), 0)
			wantEqual(t, len(got(t, a, hoursOf("AK1", noon))), 0)
			wantEqual(t, len(got(t, a, busiest(noon, 10))), 0)
			wantEqual(t, got(t, a, minutesOf("AK1", noon)), keystile.Traffic{})
			addTraffic(t, a)
		}},
		{"every counter adds up, from both handles", proveTrafficAdds},
		{"hours are told apart and summed over everybody", proveTrafficHours},
		{"a span begins with the hour it falls into", func(t *testing.T, a, b store.Store) {
			addTraffic(t, a, count("AK1", "main", hour.Add(-time.Microsecond), 1), count("AK1", "main", hour, 10))
			wantEqual(t, got(t, b, byHour(hour.Add(time.Hour-time.Microsecond))), []keystile.TrafficHour{{Hour: hour, Traffic: scaled(10)}})
			wantEqual(t, len(got(t, b, byHour(hour.Add(-time.Microsecond)))), 2)
			wantEqual(t, len(got(t, b, byHour(hour.Add(time.Hour)))), 0)
		}},
		{"a credential's are its own", proveCredentialTraffic},
		{"minutes are told apart", proveTrafficMinutes},
		{"the busiest come first and nobody is none of them", proveBusiest},
		{"a transaction that fails counts nothing", func(t *testing.T, a, b store.Store) {
			wantErr(t, tryWrite(t, a, func(tx store.Tx) error {
				must(t, tx.AddTraffic([]keystile.TrafficCount{count("AK1", "main", noon, 1)}))
				return keystile.ErrConflict
			}), keystile.ErrConflict)
			wantEqual(t, len(got(t, b, byHour(hour))), 0)
		}},
		{"what is old is forgotten, by hour and by minute", proveTrafficForgotten},
	})
}

func proveTrafficAdds(t *testing.T, a, b store.Store) {
	addTraffic(t, a, count("AK1", "main", noon, 1), count("AK1", "main", after(time.Second), 2))
	addTraffic(t, b, count("AK1", "main", after(2*time.Second), 4))
	wantEqual(t, got(t, a, byHour(hour)), []keystile.TrafficHour{{Hour: hour, Traffic: scaled(7)}})
	wantEqual(t, got(t, b, hoursOf("AK1", hour)), []keystile.TrafficHour{{Hour: hour, Traffic: scaled(7)}})
	wantEqual(t, got(t, b, minutesOf("AK1", noon)), scaled(7))
	huge := keystile.Traffic{BytesIn: 1 << 61, BytesOut: 1 << 62}
	addTraffic(t, a, keystile.TrafficCount{At: noon, AccessKeyID: "AK2", Traffic: huge})
	wantEqual(t, got(t, b, hoursOf("AK2", hour))[0].Traffic, huge)
}

func proveTrafficHours(t *testing.T, a, b store.Store) {
	addTraffic(t, a,
		count("AK1", "main", noon, 1), count("AK2", "main", noon, 10), count("AK1", "cold", noon, 100), count("", "", noon, 1000),
		count("AK1", "main", after(-time.Hour), 5), count("AK1", "main", after(2*time.Hour), 6))
	wantEqual(t, got(t, b, byHour(after(-24*time.Hour))), []keystile.TrafficHour{
		{Hour: hour.Add(-time.Hour), Traffic: scaled(5)},
		{Hour: hour, Traffic: scaled(1111)},
		{Hour: hour.Add(2 * time.Hour), Traffic: scaled(6)},
	})
}

func proveCredentialTraffic(t *testing.T, a, b store.Store) {
	addTraffic(t, a,
		count("AK1", "main", noon, 1), count("AK1", "cold", noon, 2), count("AK1", "main", after(-3*time.Hour), 4),
		count("AK2", "main", noon, 100), count("", "main", noon, 1000), count("ak1", "main", noon, 10000))
	wantEqual(t, got(t, b, hoursOf("AK1", after(-24*time.Hour))), []keystile.TrafficHour{
		{Hour: hour.Add(-3 * time.Hour), Traffic: scaled(4)}, {Hour: hour, Traffic: scaled(3)},
	})
	wantEqual(t, got(t, b, hoursOf("AK1", after(-time.Hour))), []keystile.TrafficHour{{Hour: hour, Traffic: scaled(3)}})
	wantEqual(t, len(got(t, b, hoursOf("AK3", after(-24*time.Hour)))), 0)
	wantEqual(t, len(got(t, b, hoursOf("", after(-24*time.Hour)))), 0) // nobody is no credential
}

func proveTrafficMinutes(t *testing.T, a, b store.Store) {
	minute := noon.Truncate(time.Minute)
	addTraffic(t, a,
		count("AK1", "main", minute.Add(-time.Microsecond), 1), count("AK1", "main", minute, 10), count("AK1", "cold", minute.Add(time.Minute), 100),
		count("AK2", "main", minute, 1000), count("", "main", minute, 5000))
	wantEqual(t, got(t, b, minutesOf("AK1", minute.Add(-time.Hour))), scaled(111))
	wantEqual(t, got(t, b, minutesOf("AK1", minute.Add(59*time.Second))), scaled(110))
	wantEqual(t, got(t, b, minutesOf("AK1", minute.Add(time.Minute))), scaled(100))
	wantEqual(t, got(t, b, minutesOf("AK1", minute.Add(2*time.Minute))), keystile.Traffic{})
	wantEqual(t, got(t, b, minutesOf("", minute.Add(-time.Hour))), keystile.Traffic{})
}

func proveBusiest(t *testing.T, a, b store.Store) {
	addTraffic(t, a,
		count("AK-few", "main", noon, 1), count("AK-many", "main", noon, 6), count("AK-many", "cold", after(time.Hour), 3),
		count("AK-same", "main", noon, 9), count("AK-early", "main", after(-5*time.Hour), 50), count("", "main", noon, 1000))
	wantEqual(t, got(t, b, busiest(noon, 10)), []keystile.CredentialTraffic{
		{AccessKeyID: "AK-many", Traffic: scaled(9)}, {AccessKeyID: "AK-same", Traffic: scaled(9)}, {AccessKeyID: "AK-few", Traffic: scaled(1)},
	})
	wantEqual(t, got(t, b, busiest(after(-24*time.Hour), 1)), []keystile.CredentialTraffic{{AccessKeyID: "AK-early", Traffic: scaled(50)}})
}

func proveTrafficForgotten(t *testing.T, a, b store.Store) {
	addTraffic(t, a, count("AK1", "main", after(-2*time.Hour), 1), count("AK1", "main", after(-time.Hour), 2), count("AK1", "main", noon, 4))
	forget := func(hours, minutes time.Time) {
		t.Helper()
		write(t, b, func(tx store.Tx) error { return tx.DeleteTraffic(hours, minutes) })
	}
	forget(hour.Add(-time.Hour), after(-24*time.Hour))
	wantEqual(t, got(t, a, hoursOf("AK1", after(-24*time.Hour))), []keystile.TrafficHour{
		{Hour: hour.Add(-time.Hour), Traffic: scaled(2)}, {Hour: hour, Traffic: scaled(4)},
	})
	wantEqual(t, got(t, a, minutesOf("AK1", after(-24*time.Hour))), scaled(7))
	forget(hour.Add(-time.Hour), after(-time.Minute))
	wantEqual(t, got(t, a, minutesOf("AK1", after(-24*time.Hour))), scaled(4))
	wantEqual(t, len(got(t, a, byHour(after(-24*time.Hour)))), 2)
}

func sample(backend string, at time.Time, healthy bool) keystile.HealthSample {
	s := keystile.HealthSample{BackendID: backend, At: at, Healthy: healthy, Latency: 1234 * time.Microsecond}
	if !healthy {
		s.Message = "it did not answer in time"
	}
	return s
}

func healthOf(backend string, since time.Time) func(store.Tx) ([]keystile.HealthSample, error) {
	return func(tx store.Tx) ([]keystile.HealthSample, error) { return tx.HealthSince(backend, since) }
}

func testHealth(t *testing.T, open Open) {
	addHealth := func(t *testing.T, s store.Store, all ...keystile.HealthSample) {
		t.Helper()
		write(t, s, func(tx store.Tx) error { return tx.AddHealth(all) })
	}
	proveAll(t, open, []promise{
		{"samples come back whole, oldest first, each backend's its own", func(t *testing.T, a, b store.Store) {
			first, second := sample("main", noon, false), sample("main", after(time.Minute), true)
			addHealth(t, a, second, sample("cold", noon, true), first)
			wantEqual(t, got(t, b, healthOf("main", after(-time.Hour))), []keystile.HealthSample{first, second})
			wantEqual(t, got(t, b, healthOf("main", after(time.Second))), []keystile.HealthSample{second})
			wantEqual(t, len(got(t, b, healthOf("none", time.Time{}))), 0)
			addHealth(t, a)
		}},
		{"one of the same time is replaced", func(t *testing.T, a, b store.Store) {
			addHealth(t, a, sample("main", noon, true))
			addHealth(t, b, sample("main", noon, false))
			wantEqual(t, got(t, a, healthOf("main", noon)), []keystile.HealthSample{sample("main", noon, false)})
		}},
		{"a message may be hostile", func(t *testing.T, a, b store.Store) {
			s := sample("main", noon, false)
			s.Message = "a\x00b\xff"
			addHealth(t, a, s)
			wantEqual(t, got(t, b, healthOf("main", noon))[0].Message, "a\ufffdb\ufffd")
		}},
		{"what is old is forgotten", func(t *testing.T, a, b store.Store) {
			addHealth(t, a, sample("main", after(-time.Minute), true), sample("main", noon, true), sample("cold", after(-time.Hour), true))
			write(t, b, func(tx store.Tx) error { return tx.DeleteHealth(noon) })
			wantEqual(t, got(t, a, healthOf("main", time.Time{})), []keystile.HealthSample{sample("main", noon, true)})
			wantEqual(t, len(got(t, a, healthOf("cold", time.Time{}))), 0)
		}},
		{"a deleted backend takes its own along", func(t *testing.T, a, b store.Store) {
			write(t, a, func(tx store.Tx) error {
				return tx.CreateBackend(keystile.Backend{ID: "main", Kind: keystile.KindS3, Source: keystile.SourceStore}, keystile.Secret{})
			})
			addHealth(t, a, sample("main", noon, true), sample("cold", noon, true))
			write(t, b, func(tx store.Tx) error { return tx.DeleteBackend("main") })
			wantEqual(t, len(got(t, a, healthOf("main", time.Time{}))), 0)
			wantEqual(t, len(got(t, a, healthOf("cold", time.Time{}))), 1)
		}},
	})
}
