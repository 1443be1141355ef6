package api

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"keystile/internal/keystile"
)

func (h trail) mountExport(r *router, tag string) {
	register(r, operation{method: http.MethodGet, path: "/api/audit.csv", id: "exportEvents", tag: tag,
		summary: "Download the audit trail as CSV, newest first",
		description: "All events of the filter, however many, with a line of names first. A cell that a spreadsheet would take for a formula " +
			"has an apostrophe before it. If the answer breaks off, the file is not whole: nothing is left out silently.",
		media: "text/csv"}, h.export)
}

// csvColumns are the names in the first line.
var csvColumns = []string{
	"time", "id", "action", "result", "status", "account", "access_key_id", "authenticated", "code", "backend", "bucket", "key",
	"source_ip", "user_agent", "request_id", "in_progress", "detail",
}

func csvRow(e keystile.Event) ([]string, error) {
	detail, err := json.Marshal(e.Detail)
	if err != nil {
		return nil, err
	}
	row := []string{
		e.Time.UTC().Format(time.RFC3339Nano), e.ID, e.Action, string(e.Result), strconv.Itoa(e.Status), e.Account,
		e.Detail.AccessKeyID, strconv.FormatBool(e.Detail.Authenticated), e.Detail.Code, e.Backend, e.Bucket, e.Key,
		e.SourceIP, e.UserAgent, e.RequestID, strconv.FormatBool(e.Open), string(detail),
	}
	for i, cell := range row {
		row[i] = harmless(cell)
	}
	return row, nil
}

// formulaStarts begin what spreadsheets calculate (OWASP, "CSV Injection"), also
// in the full width of East Asian keyboards.
const formulaStarts = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"

// harmless puts an apostrophe before what would be a formula.
func harmless(cell string) string {
	first, _ := utf8.DecodeRuneInString(cell)
	if cell != "" && strings.ContainsRune(formulaStarts, first) {
		return "'" + cell
	}
	return cell
}

// exportIdle bounds the wait for a client to take some more of an export.
const exportIdle = time.Minute

func (h trail) export(ctx context.Context, in *EventSelection) (*huma.StreamResponse, error) {
	found, err := h.audit.Export(ctx, actorOf(ctx), in.filter())
	if err != nil {
		return nil, err
	}
	return streamCSV(ctx, "audit.csv", csvColumns, found.Next, csvRow), nil
}

// streamCSV answers with a file of pages of items; none are left when next returns
// none and no error.
func streamCSV[T any](ctx context.Context, file string, columns []string, next func(context.Context) ([]T, error), row func(T) ([]string, error)) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(out huma.Context) {
		_, w := humago.Unwrap(out)
		w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
		w.Header().Set("Content-Disposition", `attachment; filename="`+file+`"`)
		if err := writeCSV(ctx, w, columns, next, row); err != nil {
			// The connection breaks off, so that nobody takes a part for the whole.
			panic(http.ErrAbortHandler)
		}
	}}
}

// writeCSV holds one page at a time. The answer may take as long as it moves.
// What fails on our side is left for the log.
func writeCSV[T any](ctx context.Context, w http.ResponseWriter, columns []string, next func(context.Context) ([]T, error), row func(T) ([]string, error)) error {
	connection := http.NewResponseController(w)
	rows := csv.NewWriter(w)
	if err := rows.Write(columns); err != nil {
		return err
	}
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
			cells, err := row(item)
			if err != nil {
				return err
			}
			if err := rows.Write(cells); err != nil {
				return err
			}
		}
		rows.Flush()
		if err := rows.Error(); err != nil || len(items) == 0 {
			return err
		}
	}
}
