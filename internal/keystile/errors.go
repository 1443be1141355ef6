package keystile

import (
	"errors"
	"fmt"
	"strings"
)

// The errors that cross package borders. Adapters wrap them with %w; each edge
// (S3 XML, JSON, exit codes) translates them in one table.
var (
	ErrNotFound        = errors.New("not found")
	ErrConflict        = errors.New("conflict")
	ErrInvalid         = errors.New("invalid")
	ErrDenied          = errors.New("access denied")
	ErrUnauthenticated = errors.New("not authenticated")
	ErrThrottled       = errors.New("too many attempts")
	// ErrUnavailable: something this depends on (store, backend) did not answer.
	ErrUnavailable = errors.New("unavailable")
	// ErrKeyRefused: a backend answered, and does not let the gateway's own key do
	// what it was asked.
	ErrKeyRefused = fmt.Errorf("the gateway's key is refused: %w", ErrUnavailable)
	// ErrNotConfirmed: the change is committed, but not every gateway has
	// confirmed in time that it holds. Repeating the call is safe.
	ErrNotConfirmed = errors.New("committed, not confirmed")
	// ErrNotEmpty: a bucket holds objects, or a user buckets that do.
	ErrNotEmpty = fmt.Errorf("not empty: %w", ErrConflict)
	// ErrRange: a part of an object was asked for that it does not have.
	ErrRange = fmt.Errorf("no such range: %w", ErrInvalid)
	// ErrOwned: a bucket is there already, and belongs to who asks for it.
	ErrOwned = fmt.Errorf("owned already: %w", ErrConflict)
)

// A Fault is one thing wrong with one field of an input.
type Fault struct {
	Field   string // as the client names it, such as "grants[0].prefix"
	Message string
}

// Faults are all that is wrong with an input, reported together. As an error
// they match ErrInvalid.
type Faults []Fault

// Add appends a fault of the field.
func (f *Faults) Add(field, format string, args ...any) {
	*f = append(*f, Fault{field, fmt.Sprintf(format, args...)})
}

// Err returns f as an error, nil when there is no fault.
func (f Faults) Err() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, x := range f {
		lines[i] = x.Field + ": " + x.Message
	}
	return strings.Join(lines, "; ")
}

// Is makes every Faults match ErrInvalid.
func (f Faults) Is(target error) bool { return target == ErrInvalid }
