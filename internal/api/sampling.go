package api

import (
	"context"
	"net/http"
	"time"

	"keystile/internal/keystile"
)

func (h trail) mountSampling(r *router, tag string) {
	const path = "/api/audit/sampling"
	register(r, operation{method: http.MethodGet, path: path, id: "listSampling", tag: tag,
		summary: "List which successful reads are recorded, beyond the configured share"}, h.sampling)
	register(r, operation{method: http.MethodPut, path: path, id: "setSampling", tag: tag,
		summary: "Have successful reads recorded: of a credential, of a bucket, or of all",
		description: "Replaces the rule for the same reads. Where several are in force for a read, and the configured share, the highest counts. " +
			"Which reads are chosen follows from their request ids alone."}, h.setSampling)
	register(r, operation{method: http.MethodDelete, path: path, id: "clearSampling", tag: tag,
		summary: "Remove a rule: of a credential, of a bucket, or of all"}, h.clearSampling)
}

// SampledReads are those of a credential, of a bucket, or all.
type SampledReads struct {
	AccessKeyID string `json:"access_key_id,omitempty" query:"access_key_id"`
	Backend     string `json:"backend,omitempty" query:"backend"`
	Bucket      string `json:"bucket,omitempty" query:"bucket" doc:"its real name"`
}

func (s SampledReads) rule() keystile.SamplingRule {
	return keystile.SamplingRule{AccessKeyID: s.AccessKeyID, Bucket: keystile.Bucket{Backend: s.Backend, Name: s.Bucket}}
}

// SamplingRule has a share of successful reads recorded.
type SamplingRule struct {
	SampledReads
	Rate  float64    `json:"rate" minimum:"0" maximum:"1" doc:"share of the reads"`
	Until *time.Time `json:"until,omitempty" doc:"when it ends; absent: never"`
	SetBy string     `json:"set_by,omitempty" readOnly:"true"`
	SetAt *time.Time `json:"set_at,omitempty" readOnly:"true"`
}

func samplingView(r keystile.SamplingRule) SamplingRule {
	return SamplingRule{
		SampledReads: SampledReads{AccessKeyID: r.AccessKeyID, Backend: r.Bucket.Backend, Bucket: r.Bucket.Name},
		Rate:         r.Rate, Until: moment(r.Until), SetBy: r.SetBy, SetAt: moment(r.SetAt),
	}
}

func (h trail) sampling(ctx context.Context, _ *nothing) (*JSON[List[SamplingRule]], error) {
	rules, err := h.audit.Sampling(ctx, actorOf(ctx))
	return reply(listOf(rules, samplingView)), err
}

func (h trail) setSampling(ctx context.Context, in *JSON[SamplingRule]) (*JSON[List[SamplingRule]], error) {
	rule := in.Body.rule()
	rule.Rate = in.Body.Rate
	if in.Body.Until != nil {
		rule.Until = *in.Body.Until
	}
	rules, err := h.audit.SetSampling(ctx, actorOf(ctx), rule)
	return reply(listOf(rules, samplingView)), err
}

func (h trail) clearSampling(ctx context.Context, in *SampledReads) (*JSON[List[SamplingRule]], error) {
	rules, err := h.audit.ClearSampling(ctx, actorOf(ctx), in.rule())
	return reply(listOf(rules, samplingView)), err
}
