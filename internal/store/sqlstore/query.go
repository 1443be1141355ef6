package sqlstore

import (
	"fmt"
	"strings"
)

// query builds the conditions of a SELECT whose filters vary.
type query struct {
	terms []string
	args  []any
}

// arg adds a value and returns its placeholder.
func (q *query) arg(value any) string {
	q.args = append(q.args, value)
	return fmt.Sprintf("$%d", len(q.args))
}

// and adds a condition. Each verb in it stands for the placeholder of a value.
func (q *query) and(format string, values ...any) {
	marks := make([]any, len(values))
	for i, v := range values {
		marks[i] = q.arg(v)
	}
	q.terms = append(q.terms, fmt.Sprintf(format, marks...))
}

func (q *query) where() string {
	if len(q.terms) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(q.terms, " AND ")
}

// escapeLike makes text stand for itself in a LIKE pattern with ESCAPE '\'.
func escapeLike(text string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text)
}
