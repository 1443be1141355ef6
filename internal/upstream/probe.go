package upstream

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// fingerprint names what a proof holds for.
func fingerprint(b keystile.Backend) string {
	sum := sha256.Sum256([]byte(string(b.Kind) + "\n" + b.Endpoint))
	return hex.EncodeToString(sum[:])
}

// holds reports whether a proof is about this backend.
func (b *Backend) holds(p keystile.Probe) bool { return p.Fingerprint == fingerprint(b.info) }

// needsProof reports whether a probe is due.
func (b *Backend) needsProof(now time.Time) bool {
	p := b.proof.Load()
	if p == nil {
		return true
	}
	age := now.Sub(p.ProbedAt)
	return age > keystile.ProbeTTL-probeAhead || age < -time.Hour
}

// adopt takes over the proofs that are about this backend and newer than what
// it has.
func (b *Backend) adopt(proofs ...keystile.Probe) {
	for _, p := range proofs {
		have := b.proof.Load()
		if b.holds(p) && (have == nil || !p.ProbedAt.Before(have.ProbedAt)) {
			b.proof.Store(&p)
		}
	}
	b.proving.told()
}

// Can reports whether the backend is proven, now, to have an ability. Unknown
// means no.
func (b *Backend) Can(a keystile.Ability) bool {
	p := b.proof.Load()
	return p != nil && p.Abilities[a].Proven(b.now())
}

// abilities are the findings in force and when a probe last ran to its end.
func (b *Backend) abilities() (found keystile.Abilities, probedAt time.Time) {
	p := b.proof.Load()
	if p == nil {
		return found, probedAt
	}
	return p.Abilities.InForce(b.now()), p.ProbedAt
}

// remember keeps what a test proved about a backend that is not in the registry
// yet, for when it is.
func (r *Registry) remember(p keystile.Probe) {
	const most = 256
	r.provenMu.Lock()
	defer r.provenMu.Unlock()
	if len(r.proven) >= most {
		clear(r.proven)
	}
	r.proven[p.BackendID] = p
}

func (r *Registry) remembered(b *Backend) keystile.Probe {
	r.provenMu.Lock()
	defer r.provenMu.Unlock()
	return r.proven[b.info.ID]
}

// saveRemembered saves a proof that came before its backend did.
func (r *Registry) saveRemembered(ctx context.Context, b *Backend) {
	if p := r.remembered(b); b.holds(p) {
		r.saveProof(ctx, p)
	}
}

// probe finds out what b can do and records it.
func (r *Registry) probe(ctx context.Context, b *Backend) found {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	f := b.probe(ctx, r, func(sofar found) { r.record(ctx, b, sofar) })
	var proven []string
	for _, a := range keystile.AllAbilities() {
		if f.abilities[a].Verdict == keystile.Yes {
			proven = append(proven, a.String())
		}
	}
	r.opts.Log.Info("backend was probed", "backend", b.info.ID, "proven", proven, "complete", f.complete,
		"keys", f.abilities[keystile.KeepsKeys].Note, "trouble", f.trouble)
	r.record(ctx, b, f)
	return f
}

// record makes findings a proof: in b, in the store if the registry has b, and
// in memory. What the probe left unknown stays as it was proven before.
func (r *Registry) record(ctx context.Context, b *Backend, f found) {
	p := keystile.Probe{BackendID: b.info.ID, Fingerprint: fingerprint(b.info)}
	known, registered := r.Get(b.info.ID)
	registered = registered && known.holds(p)
	for _, before := range []*Backend{known, b} {
		if before != nil && before.holds(p) && before.proof.Load() != nil {
			p = *before.proof.Load()
			break
		}
	}
	p.Abilities.Renew(f.abilities)
	if f.complete {
		p.ProbedAt = b.now().UTC()
	}
	b.adopt(p)
	r.remember(p)
	if registered {
		known.adopt(p)
		r.saveProof(ctx, p)
	}
}

func (r *Registry) saveProof(ctx context.Context, p keystile.Probe) {
	err := r.opts.Store.Write(ctx, func(tx store.Tx) error { return tx.SaveProbe(p) })
	if err != nil && ctx.Err() == nil {
		r.opts.Log.Warn("what was proven about a backend could not be saved", "backend", p.BackendID, "error", err)
	}
}
