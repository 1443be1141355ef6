package api

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"keystile/internal/keystile"
)

func (h trail) mountLines(r *router, tag string) {
	register(r, operation{method: http.MethodGet, path: "/api/audit.jsonl", id: "exportEventLines", tag: tag,
		summary: "Download the audit trail as lines of JSON, newest first",
		description: "All events of the filter, however many, one object a line: as the API shows them, or with `schema=ocsf` as the class API Activity (6003) " +
			"of the Open Cybersecurity Schema Framework. If the answer breaks off, the file is not whole: nothing is left out silently.",
		media: "application/x-ndjson"}, h.exportLines)
}

// lineQuery asks for lines of JSON.
type lineQuery struct {
	EventSelection
	Schema string `query:"schema" enum:"keystile,ocsf" default:"keystile" doc:"the shape of each line"`
}

func (h trail) exportLines(ctx context.Context, in *lineQuery) (*huma.StreamResponse, error) {
	found, err := h.audit.Export(ctx, actorOf(ctx), in.filter())
	if err != nil {
		return nil, err
	}
	file, shape := "audit.jsonl", func(e keystile.Event) any { return eventView(e) }
	if in.Schema == "ocsf" {
		file, shape = "audit-ocsf.jsonl", func(e keystile.Event) any { return ocsfView(e, h.version) }
	}
	return &huma.StreamResponse{Body: func(out huma.Context) {
		_, w := humago.Unwrap(out)
		w.Header().Set("Content-Type", "application/x-ndjson")
		w.Header().Set("Content-Disposition", `attachment; filename="`+file+`"`)
		if err := writeLines(ctx, w, found.Next, shape); err != nil {
			// The connection breaks off, so that nobody takes a part for the whole.
			panic(http.ErrAbortHandler)
		}
	}}, nil
}

// writeLines holds one page at a time. The answer may take as long as it moves.
// What fails on our side is left for the log.
func writeLines[T any](ctx context.Context, w http.ResponseWriter, next func(context.Context) ([]T, error), shape func(T) any) error {
	connection := http.NewResponseController(w)
	buffered := bufio.NewWriter(w)
	lines := json.NewEncoder(buffered)
	for {
		items, err := next(ctx)
		if err != nil {
			if ctx.Err() == nil {
				exchangeOf(ctx).cause = err
			}
			return err
		}
		if err := connection.SetWriteDeadline(time.Now().Add(exportIdle)); err != nil {
			return err
		}
		for _, item := range items {
			if err := lines.Encode(shape(item)); err != nil {
				return err
			}
		}
		if err := buffered.Flush(); err != nil || len(items) == 0 {
			return err
		}
	}
}
