package config

import (
	"strings"

	"keystile/internal/keystile"
)

// Fault is one thing wrong with the configuration.
type Fault struct {
	Place   string // "keystile.yaml:12", "environment KEYSTILE_LOG_LEVEL", "flag --listen"; empty: nothing was set
	Key     string // "server.listen"; empty where the file as a whole is meant
	Message string
}

func (f Fault) String() string {
	parts := make([]string, 0, 3)
	for _, s := range []string{f.Place, f.Key, f.Message} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ": ")
}

// Faults are all that is wrong with a configuration. As an error they match
// keystile.ErrInvalid.
type Faults []Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i := range f {
		lines[i] = f[i].String()
	}
	return strings.Join(lines, "\n")
}

// Is makes every Faults match keystile.ErrInvalid.
func (f Faults) Is(target error) bool { return target == keystile.ErrInvalid }
