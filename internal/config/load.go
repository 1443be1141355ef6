package config

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Sources are what a configuration is loaded from, later fields over earlier.
type Sources struct {
	File    string            // name of the YAML file for messages; empty: no file
	YAML    []byte            // its contents
	Environ map[string]string // the whole environment
	Flags   []Override
}

// Override is one setting given on the command line.
type Override struct {
	Flag  string // as the user wrote it: "--listen"
	Key   string
	Value string
}

// Load lays the sources over the defaults, validates the result and reads the
// secrets that it names. The error is Faults: all of them, those of the file in
// the order of its lines.
func Load(src Sources) (Config, error) {
	l := loader{config: Default(), places: map[string]string{}, environ: src.Environ, file: src.File}
	if src.File != "" {
		l.loadYAML(src.YAML)
	}
	l.loadEnviron(src.Environ)
	for _, o := range src.Flags {
		l.set(o.Key, o.Value, "flag "+o.Flag)
	}
	l.config.derive()
	l.inherit()
	l.fillSinks()
	l.readSecrets()
	l.validate()
	if len(l.faults) > 0 {
		slices.SortStableFunc(l.faults, func(a, b Fault) int {
			return cmp.Compare(l.line(a.Place), l.line(b.Place))
		})
		return Config{}, l.faults
	}
	return l.config, nil
}

// line is the line of a place in the file; places elsewhere come behind it.
func (l *loader) line(place string) int {
	if text, ok := strings.CutPrefix(place, l.file+":"); ok {
		if n, err := strconv.Atoi(text); err == nil {
			return n
		}
	}
	return math.MaxInt
}

// loader gathers settings, the place of each, and every fault.
type loader struct {
	config  Config
	places  map[string]string // of keys that were set, and of the file's mappings
	environ map[string]string
	faults  Faults
	file    string
}

// fault reports a key's fault at the place where the key, or the nearest thing
// around it, was set.
func (l *loader) fault(key, format string, args ...any) {
	l.faultAt(l.placeOf(key), key, format, args...)
}

func (l *loader) faultAt(place, key, format string, args ...any) {
	l.faults = append(l.faults, Fault{place, key, fmt.Sprintf(format, args...)})
}

func (l *loader) placeOf(key string) string {
	for key != "" {
		if place, ok := l.places[key]; ok {
			return place
		}
		cut := strings.LastIndexAny(key, ".[")
		if cut < 0 {
			return ""
		}
		key = key[:cut]
	}
	return ""
}

// broken reports whether a key's value could not even be read, so that
// validating what stands there instead would mislead.
func (l *loader) broken(key string) bool {
	for _, f := range l.faults {
		if f.Key == key {
			return true
		}
	}
	return false
}

// set decodes one scalar or comma-separated setting from the environment or a
// flag.
func (l *loader) set(key, text, place string) {
	f, ok := find(&l.config, key)
	if !ok {
		l.faultAt(place, key, "unknown key")
		return
	}
	l.places[key] = place
	values := []string{text}
	if isList(f) {
		values = splitList(text)
	}
	l.decode(f, key, values)
}

func splitList(text string) []string {
	values := []string{}
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			values = append(values, part)
		}
	}
	return values
}

// loadEnviron takes every variable that stands for a key. A variable that
// begins like one and is none is a fault, but for what Kubernetes sets for
// services of such a name.
func (l *loader) loadEnviron(environ map[string]string) {
	keys := Keys()
	table := make(map[string]string, len(keys))
	for _, k := range keys {
		table[EnvName(k)] = k
		if text, ok := environ[EnvName(k)]; ok {
			l.set(k, text, "environment "+EnvName(k))
		}
	}
	for _, name := range sortedKeys(environ) {
		if _, known := table[name]; !known && looksLikeOurs(name) && !l.namedByConfig(name) {
			l.faultAt("environment "+name, "", "stands for no key")
		}
	}
}

// namedByConfig reports whether the configuration points to the variable as the
// place of a secret.
func (l *loader) namedByConfig(name string) bool {
	if name == l.config.Store.MasterKeyEnv {
		return true
	}
	for i := range l.config.Backends {
		if b := &l.config.Backends[i]; name == b.AccessKeyEnv || name == b.SecretKeyEnv {
			return true
		}
	}
	for i := range l.config.Audit.Sinks {
		if s := &l.config.Audit.Sinks[i]; name == s.SecretEnv || name == s.SecretKeyEnv {
			return true
		}
	}
	return false
}
