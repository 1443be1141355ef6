package sqlstore

import (
	"time"

	"keystile/internal/keystile"
)

// AddHealth implements store.Health.
func (t *tx) AddHealth(samples []keystile.HealthSample) error {
	for _, s := range samples {
		_, err := t.exec(`INSERT INTO health_samples (backend_id, at, healthy, latency, message) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (backend_id, at) DO UPDATE SET healthy = excluded.healthy, latency = excluded.latency,
				message = excluded.message`,
			s.BackendID, micros(s.At), s.Healthy, s.Latency.Microseconds(), clean(s.Message))
		if err != nil {
			return about(err, "health of backend %q", s.BackendID)
		}
	}
	return nil
}

// HealthSince implements store.Health.
func (t *tx) HealthSince(backendID string, since time.Time) ([]keystile.HealthSample, error) {
	samples, err := list(t, func(row scanner) (keystile.HealthSample, error) {
		s := keystile.HealthSample{BackendID: backendID}
		var latency int64
		err := row.Scan(instant{&s.At}, &s.Healthy, &latency, &s.Message)
		s.Latency = time.Duration(latency) * time.Microsecond
		return s, err
	}, `SELECT at, healthy, latency, message FROM health_samples WHERE backend_id = $1 AND at >= $2 ORDER BY at`,
		backendID, micros(since))
	return samples, about(err, "health of backend %q", backendID)
}

// DeleteHealth implements store.Health.
func (t *tx) DeleteHealth(before time.Time) error {
	_, err := t.exec(`DELETE FROM health_samples WHERE at < $1`, micros(before))
	return about(err, "old health samples")
}
