package config

import (
	"maps"
	"net/netip"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// envPrefix begins the variable of every key.
const envPrefix = "KEYSTILE_"

// EnvName is the variable that sets a key: KEYSTILE_ and the key in capitals,
// its dots as underscores. The names come from the table of keys, never from
// taking a variable's name apart, so underscores within keys are no trouble.
func EnvName(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// Keys lists the keys that the environment and flags can set: all but those of
// backends and sinks, which only the file declares.
func Keys() []string {
	var keys []string
	var walk func(t reflect.Type, path string)
	walk = func(t reflect.Type, path string) {
		for i := range t.NumField() {
			name, ok := t.Field(i).Tag.Lookup("key")
			if !ok {
				continue
			}
			if t.Field(i).Type.Kind() == reflect.Struct {
				walk(t.Field(i).Type, path+name+".")
			} else if t := t.Field(i).Type; t != reflect.TypeFor[[]Backend]() && t != reflect.TypeFor[[]Sink]() {
				keys = append(keys, path+name)
			}
		}
	}
	walk(reflect.TypeFor[Config](), "")
	return keys
}

// find returns the field that holds a key's value.
func find(c *Config, key string) (reflect.Value, bool) {
	if !slices.Contains(Keys(), key) {
		return reflect.Value{}, false
	}
	v := reflect.ValueOf(c).Elem()
	for name := range strings.SplitSeq(key, ".") {
		v, _ = field(v, name)
	}
	return v, true
}

// field returns the field of a struct that the file calls name.
func field(v reflect.Value, name string) (reflect.Value, bool) {
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("key") == name && name != "" {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

func isList(v reflect.Value) bool {
	return v.Type() == reflect.TypeFor[[]netip.Prefix]() || v.Type() == reflect.TypeFor[[]string]()
}

// kubernetes matches what the kubelet puts into every pod's environment for
// each service of the namespace.
var kubernetes = regexp.MustCompile(`_(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT|PORT_\d+_(TCP|UDP)(_.*)?)$`)

// looksLikeOurs reports whether a variable begins like one of a section.
func looksLikeOurs(name string) bool {
	if kubernetes.MatchString(name) {
		return false
	}
	for _, section := range []string{"DATA_", "SERVER_", "S3_PROXY_", "ACME_", "LIMITS_", "BACKEND_DEFAULTS_", "BACKENDS_", "RGW_", "STORE_", "AUDIT_", "LOG_"} {
		if strings.HasPrefix(name, envPrefix+section) {
			return true
		}
	}
	return false
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
