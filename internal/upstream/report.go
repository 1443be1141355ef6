package upstream

import (
	"context"
	"fmt"
	"strings"
	"time"

	"keystile/internal/keystile"
)

const (
	testTimeout = 5 * time.Minute
	// maxClockSkew is what a test lets pass. Signatures fail at 15 minutes.
	maxClockSkew = 5 * time.Minute
)

// Test tries out a backend as it is described, whether the registry has it or
// not. It changes nothing there, but for scratch objects that it makes and
// removes. A zero secret stands for the one the registry has, if that belongs
// to the same endpoint and key. No message names an address or repeats an
// answer.
func (r *Registry) Test(ctx context.Context, described keystile.Backend, secret keystile.Secret) keystile.TestReport {
	ctx, cancel := context.WithTimeout(ctx, testTimeout)
	defer cancel()
	b, done, err := r.candidate(described, secret)
	if err != nil {
		return keystile.TestReport{Steps: []keystile.TestStep{{Name: "reach", Message: err.Error()}}}
	}
	defer done()
	c := b.contact(ctx)
	report := keystile.TestReport{ClockSkew: c.skew, Buckets: c.buckets, ForceHashing: b.info.ForceHashing}
	report.Steps, report.OK = contactSteps(c)
	if report.OK && b.info.Kind == keystile.KindCeph {
		step := b.adminStep(ctx)
		report.Steps, report.OK = append(report.Steps, step), step.OK
	}
	if !report.OK {
		return report
	}
	f := r.probe(ctx, b)
	report.Abilities, _ = b.abilities()
	report.Steps = append(report.Steps, keysStep(f), abilitiesStep(f))
	return report
}

func keysStep(f found) keystile.TestStep {
	finding := f.abilities[keystile.KeepsKeys]
	step := keystile.TestStep{Name: "keys", OK: true, Message: finding.Note}
	if finding.Verdict == keystile.Unknown {
		step.Message = "unknown: " + finding.Note
	}
	return step
}

// abilitiesStep tells in short what was proven; the abilities themselves tell
// what follows.
func abilitiesStep(f found) keystile.TestStep {
	var proven, not []string
	for _, a := range keystile.AllAbilities() {
		if f.abilities[a].Verdict == keystile.Yes {
			proven = append(proven, a.Title())
		} else {
			not = append(not, a.Title())
		}
	}
	message := "nothing is proven"
	if len(proven) > 0 {
		message = "proven: " + strings.Join(proven, ", ")
	}
	if len(not) > 0 && len(proven) > 0 {
		message += "; not: " + strings.Join(not, ", ")
	}
	if f.trouble != "" {
		message += "; " + f.trouble
	}
	return keystile.TestStep{Name: "abilities", OK: true, Message: message}
}

// candidate makes what a test talks to, and tells how to be done with it.
func (r *Registry) candidate(described keystile.Backend, secret keystile.Secret) (*Backend, func(), error) {
	known, ok := r.Get(described.ID)
	if described.Kind == keystile.KindEmbedded {
		if !ok || known.info.Kind != keystile.KindEmbedded {
			return nil, nil, fmt.Errorf("there is no embedded backend %q", described.ID)
		}
		return known, func() {}, nil
	}
	if err := described.Check(); err != nil {
		return nil, nil, err
	}
	var admin keystile.Secret
	if ok && known.info.AdminURL() == described.AdminURL() && known.info.AdminAccessKeyID == described.AdminAccessKeyID {
		admin = known.adminSecret
	}
	if secret.IsZero() {
		if !ok || known.info.Endpoint != described.Endpoint || known.info.AccessKeyID != described.AccessKeyID {
			return nil, nil, fmt.Errorf("the secret access key is needed")
		}
		secret = known.secret
	}
	e := Endpoint{Backend: described, Secret: secret, AdminSecret: admin}
	if ok && known.info.Endpoint == described.Endpoint {
		e.Timeouts, e.KeepAlive, e.TLS = known.limits, known.keep, known.tls
	}
	b := r.newBackend(e)
	return b, b.close, nil
}

// contactSteps tells a contact in steps, up to the first that failed.
func contactSteps(c contact) ([]keystile.TestStep, bool) {
	steps := []keystile.TestStep{
		{Name: "reach", OK: c.reached, Message: fmt.Sprintf("it answered in %d ms", c.latency.Milliseconds())},
		{Name: "sign", OK: c.signed, Message: "it accepts the signature"},
		{Name: "list", OK: c.err == nil, Message: fmt.Sprintf("it lists %d buckets", c.buckets)},
		clockStep(c),
	}
	for i, step := range steps {
		if step.OK {
			continue
		}
		if c.err != nil {
			steps[i].Message = plain(c.err)
		}
		return steps[:i+1], false
	}
	return steps, true
}

func clockStep(c contact) keystile.TestStep {
	step := keystile.TestStep{Name: "clock", OK: c.skew.Abs() <= maxClockSkew}
	switch {
	case !c.dated:
		step.Message = "unknown: its answer has no date"
	case c.skew == 0:
		step.Message = "its clock agrees with ours"
	case c.skew > 0:
		step.Message = fmt.Sprintf("its clock is %s ahead of ours", c.skew)
	default:
		step.Message = fmt.Sprintf("its clock is %s behind ours", -c.skew)
	}
	return step
}
