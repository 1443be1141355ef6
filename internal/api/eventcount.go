package api

import (
	"context"
	"net/http"
	"time"
)

func (h trail) mountCount(r *router, tag string) {
	register(r, operation{method: http.MethodGet, path: "/api/audit/histogram", id: "countEvents", tag: tag,
		summary:     "Count the events of a filter by time and result",
		description: "Without times: of the last 24 hours. The newest 200,000 are counted; of those found by words, the newest 20,000."}, h.count)
}

// Histogram is how events lie in time.
type Histogram struct {
	From     time.Time       `json:"from" doc:"where the first span begins"`
	Step     int64           `json:"step_seconds" doc:"how long each span is"`
	Spans    []HistogramSpan `json:"spans" doc:"those that have events, oldest first"`
	Complete bool            `json:"complete" doc:"false: there were too many, and only the newest were counted"`
	Since    *time.Time      `json:"counted_since,omitempty" doc:"where not complete: the oldest that was counted"`
}

// HistogramSpan is one span of time.
type HistogramSpan struct {
	At      time.Time `json:"at" doc:"where it begins"`
	OK      int64     `json:"ok"`
	Denied  int64     `json:"denied"`
	Error   int64     `json:"error"`
	Unknown int64     `json:"unknown" doc:"with those in progress"`
}

func (h trail) count(ctx context.Context, in *EventSelection) (*JSON[Histogram], error) {
	counts, err := h.audit.Count(ctx, actorOf(ctx), in.filter())
	view := Histogram{From: counts.From.UTC(), Step: int64(counts.Step / time.Second), Spans: []HistogramSpan{}, Complete: counts.Complete, Since: moment(counts.Since)}
	for _, c := range counts.Counts {
		at := counts.From.Add(time.Duration(c.Span) * counts.Step).UTC()
		if n := len(view.Spans); n == 0 || !view.Spans[n-1].At.Equal(at) {
			view.Spans = append(view.Spans, HistogramSpan{At: at})
		}
		view.Spans[len(view.Spans)-1].add(string(c.Result), c.Events)
	}
	return reply(view), err
}

func (s *HistogramSpan) add(result string, n int64) {
	switch result {
	case "ok":
		s.OK += n
	case "denied":
		s.Denied += n
	case "error":
		s.Error += n
	default:
		s.Unknown += n
	}
}
