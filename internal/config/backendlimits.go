package config

import (
	"fmt"
	"reflect"
	"time"
)

// BackendDefaults hold for every backend, those added by API among them, that
// says nothing else.
type BackendDefaults struct {
	Timeouts  Timeouts  `key:"timeouts"`
	KeepAlive KeepAlive `key:"keep_alive"`
}

// Timeouts bound how long a backend may take.
type Timeouts struct {
	Connect     time.Duration `key:"connect"`
	TLS         time.Duration `key:"tls"`
	ReadAnswer  time.Duration `key:"read_answer"`  // for the head of the answer to a read
	WriteAnswer time.Duration `key:"write_answer"` // … to a write, once all of it was sent
	LongAnswer  time.Duration `key:"long_answer"`  // … to what the backend works at itself
	Idle        time.Duration `key:"idle"`         // without a byte moving in a transfer
}

// KeepAlive bounds the connections to a backend that are kept for reuse.
type KeepAlive struct {
	MaxIdle     int           `key:"max_idle"`
	IdleTimeout time.Duration `key:"idle_timeout"`
	MaxLifetime time.Duration `key:"max_lifetime"`
}

func defaultBackendDefaults() BackendDefaults {
	return BackendDefaults{
		Timeouts: Timeouts{
			Connect: 5 * time.Second, TLS: 10 * time.Second,
			ReadAnswer: 30 * time.Second, WriteAnswer: time.Minute, LongAnswer: 10 * time.Minute, Idle: time.Minute,
		},
		KeepAlive: KeepAlive{MaxIdle: 64, IdleTimeout: time.Minute, MaxLifetime: time.Hour},
	}
}

// inherit fills what backends leave open from the defaults.
func (l *loader) inherit() {
	for i := range l.config.Backends {
		b := &l.config.Backends[i]
		at := fmt.Sprintf("backends[%d]", i)
		l.fill(at+".timeouts", reflect.ValueOf(&b.Timeouts), reflect.ValueOf(l.config.BackendDefaults.Timeouts))
		l.fill(at+".keep_alive", reflect.ValueOf(&b.KeepAlive), reflect.ValueOf(l.config.BackendDefaults.KeepAlive))
	}
}

// fill copies the fields of from that target, a pointer, does not set. One that
// was set to zero stays so, for validation to refuse.
func (l *loader) fill(at string, target, from reflect.Value) {
	target = target.Elem()
	for i := range target.NumField() {
		_, set := l.places[at+"."+target.Type().Field(i).Tag.Get("key")]
		if !set {
			target.Field(i).Set(from.Field(i))
		}
	}
}

// checkBackendLimits checks the defaults, or what one backend sets itself: what
// it inherits is checked where it stands.
func (l *loader) checkBackendLimits(at string, t Timeouts, k KeepAlive) {
	for _, d := range []struct {
		key       string
		value     time.Duration
		low, high time.Duration
	}{
		{"timeouts.connect", t.Connect, 100 * time.Millisecond, time.Minute},
		{"timeouts.tls", t.TLS, 100 * time.Millisecond, time.Minute},
		{"timeouts.read_answer", t.ReadAnswer, time.Second, time.Hour},
		{"timeouts.write_answer", t.WriteAnswer, time.Second, time.Hour},
		{"timeouts.long_answer", t.LongAnswer, time.Second, 24 * time.Hour},
		{"timeouts.idle", t.Idle, time.Second, time.Hour},
		{"keep_alive.idle_timeout", k.IdleTimeout, time.Second, time.Hour},
		{"keep_alive.max_lifetime", k.MaxLifetime, time.Second, 7 * 24 * time.Hour},
	} {
		if l.own(at, d.key) {
			l.within(at+"."+d.key, d.value, d.low, d.high)
		}
	}
	if l.own(at, "keep_alive.max_idle") && (k.MaxIdle < 1 || k.MaxIdle > 65536) {
		l.check(at+".keep_alive.max_idle", "must lie between 1 and 65536")
	}
}

func (l *loader) own(at, key string) bool {
	_, set := l.places[at+"."+key]
	return set || at == "backend_defaults"
}
