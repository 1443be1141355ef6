package config

import (
	"fmt"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// decode writes the texts of a setting into its field, or reports a fault.
func (l *loader) decode(target reflect.Value, key string, values []string) {
	if target.Type() == reflect.TypeFor[[]string]() {
		texts := make([]string, 0, len(values))
		for _, text := range values {
			texts = append(texts, strings.TrimSpace(text))
		}
		target.Set(reflect.ValueOf(texts))
		return
	}
	if isList(target) {
		prefixes := make([]netip.Prefix, 0, len(values))
		for _, text := range values {
			p, err := parsePrefix(text)
			if err != nil {
				l.fault(key, "%s", err)
				continue
			}
			prefixes = append(prefixes, p)
		}
		target.Set(reflect.ValueOf(prefixes))
		return
	}
	if len(values) != 1 {
		l.fault(key, "takes one value, not a list")
		return
	}
	if err := decodeScalar(target, strings.TrimSpace(values[0])); err != nil {
		l.fault(key, "%s", err)
	}
}

func decodeScalar(target reflect.Value, text string) error {
	switch target.Interface().(type) {
	case string:
		target.SetString(text)
	case bool:
		return decodeBool(target, text)
	case int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", text)
		}
		target.SetInt(int64(n))
	case float64:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("%q is not a number", text)
		}
		target.SetFloat(f)
	case time.Duration:
		d, err := ParseDuration(text)
		if err != nil {
			return err
		}
		target.SetInt(int64(d))
	default:
		return fmt.Errorf("cannot be set")
	}
	return nil
}

func decodeBool(target reflect.Value, text string) error {
	if text != "true" && text != "false" {
		return fmt.Errorf("%q is neither true nor false", text)
	}
	target.SetBool(text == "true")
	return nil
}

// ParseDuration reads what time.ParseDuration does, and whole days and weeks
// ("30d", "12w").
func ParseDuration(text string) (time.Duration, error) {
	const day = 24 * time.Hour
	for suffix, unit := range map[string]time.Duration{"d": day, "w": 7 * day} {
		count, ok := strings.CutSuffix(text, suffix)
		if !ok {
			continue
		}
		if n, err := strconv.ParseUint(count, 10, 13); err == nil {
			return time.Duration(n) * unit, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration such as 90s, 15m, 24h or 30d", text)
	}
	return d, nil
}

// parsePrefix reads an address range or a single address.
func parsePrefix(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		return netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is neither an IP address nor a range such as 10.0.0.0/8", text)
	}
	return p.Masked(), nil
}
