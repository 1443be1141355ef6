package telemetry

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"unicode"
)

type requestIDKey struct{}

// WithRequestID returns a context whose log lines carry the request's ID.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestID is the ID that WithRequestID put into the context, or empty.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// Log formats.
const (
	FormatJSON = "json"
	FormatText = "text"
)

// NewHandler writes log lines of at least the level to w, as JSON or as text.
// Each line carries the request ID of its context. Control characters in
// messages and values come out escaped: they are often a client's.
func NewHandler(w io.Writer, format string, level slog.Leveler) slog.Handler {
	o := &slog.HandlerOptions{Level: level, ReplaceAttr: escapeControls}
	if format == FormatJSON {
		return requestIDs{slog.NewJSONHandler(w, o)}
	}
	return requestIDs{slog.NewTextHandler(w, o)}
}

// requestIDs adds the request ID of the context to each line.
type requestIDs struct{ slog.Handler }

// Handle implements slog.Handler.
func (h requestIDs) Handle(ctx context.Context, r slog.Record) error {
	if id := RequestID(ctx); id != "" {
		r = r.Clone()
		r.AddAttrs(slog.String("request_id", id))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h requestIDs) WithAttrs(attrs []slog.Attr) slog.Handler {
	return requestIDs{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h requestIDs) WithGroup(name string) slog.Handler {
	return requestIDs{h.Handler.WithGroup(name)}
}

// escapeControls makes control characters visible that the JSON handler would
// pass on: DEL and those of C1, which some terminals obey.
func escapeControls(_ []string, a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(escape(a.Value.String()))
	case slog.KindAny:
		if err, ok := a.Value.Any().(error); ok {
			a.Value = slog.StringValue(escape(err.Error()))
		}
	}
	return a
}

func escape(s string) string {
	if !strings.ContainsFunc(s, unicode.IsControl) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unicode.IsControl(r) {
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
