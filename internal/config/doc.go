// Package config is the gateway's configuration: a struct with defaults, laid
// over by one YAML file, then by environment variables, then by flags.
//
// Every source is reduced to settings (key, text, place), so that a value means
// the same wherever it stands and every fault is reported together with its
// place: the line of the file, the variable or the flag. Unknown keys are
// faults. The package reads no environment itself; its caller hands one in.
package config
