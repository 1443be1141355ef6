package control

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// Sampling lists the rules in force of which successful reads are recorded.
func (t *Audit) Sampling(ctx context.Context, a Actor) (rules keystile.SamplingRules, err error) {
	err = t.read(ctx, a, "audit.sampling.show", "", admins, func(tx store.Tx) error {
		rules, err = samplingRules(tx)
		rules = rules.Live(t.now())
		return err
	})
	return rules, err
}

func samplingRules(tx store.Tx) (keystile.SamplingRules, error) {
	text, err := tx.Setting(keystile.SamplingSetting)
	if err != nil && !errors.Is(err, keystile.ErrNotFound) {
		return nil, err
	}
	return keystile.ParseSampling(text)
}

// SetSampling sets the rule for the reads that it names, in place of the one there
// is. A credential or bucket that is not there yet may have one.
func (t *Audit) SetSampling(ctx context.Context, a Actor, rule keystile.SamplingRule) (rules keystile.SamplingRules, err error) {
	return t.changeSampling(ctx, a, "audit.sampling.update", rule, func(ch *change, rules keystile.SamplingRules) (keystile.SamplingRules, error) {
		if err := rule.Check(ch.now); err != nil {
			return nil, err
		}
		if rules = rules.Without(rule); len(rules) >= keystile.MaxSamplingRules {
			return nil, explain(keystile.ErrConflict, "there are %d rules, which is the most", len(rules))
		}
		rule.SetBy, rule.SetAt = a.Account.Name, ch.now
		ch.changed("rate", "%g", rule.Rate)
		if !rule.Until.IsZero() {
			ch.changed("until", "%s", rule.Until.UTC().Format(time.RFC3339))
		}
		return append(rules, rule), nil
	})
}

// ClearSampling removes the rule for the reads that the one given names, if there
// is one.
func (t *Audit) ClearSampling(ctx context.Context, a Actor, rule keystile.SamplingRule) (keystile.SamplingRules, error) {
	return t.changeSampling(ctx, a, "audit.sampling.delete", rule, func(ch *change, rules keystile.SamplingRules) (keystile.SamplingRules, error) {
		left := rules.Without(rule)
		if len(left) == len(rules) {
			return left, ch.unchanged("there is no such rule")
		}
		return left, nil
	})
}

func (t *Audit) changeSampling(ctx context.Context, a Actor, action string, about keystile.SamplingRule,
	do func(*change, keystile.SamplingRules) (keystile.SamplingRules, error)) (rules keystile.SamplingRules, err error) {
	err = t.mutate(ctx, a, act{action: action, target: samplingTarget(about), who: admins, do: func(ch *change) error {
		if about.Bucket != (keystile.Bucket{}) {
			ch.aboutBucket(about.Bucket)
		}
		before, err := samplingRules(ch)
		if err != nil {
			return err
		}
		if rules, err = do(ch, before.Live(ch.now)); err != nil {
			return err
		}
		text, err := json.Marshal(rules)
		if err != nil {
			return err
		}
		if _, err := ch.stamp(); err != nil {
			return err
		}
		return ch.SetSetting(keystile.SamplingSetting, string(text))
	}})
	return rules, err
}

// samplingTarget says which reads a rule is of.
func samplingTarget(r keystile.SamplingRule) string {
	switch {
	case r.AccessKeyID != "":
		return r.AccessKeyID
	case r.Bucket != (keystile.Bucket{}):
		return r.Bucket.String()
	}
	return "all reads"
}
