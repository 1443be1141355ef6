package config

import (
	"fmt"
	"io"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Show writes the effective configuration as YAML that Load would take. Secrets
// are not in it: where they come from is.
func (c Config) Show(w io.Writer) error {
	var b strings.Builder
	showStruct(&b, reflect.ValueOf(c), "", "")
	_, err := io.WriteString(w, b.String())
	return err
}

// showStruct writes the fields of v, the first one after lead, which is the
// indent or the dash of a list.
func showStruct(b *strings.Builder, v reflect.Value, lead, indent string) {
	for i := range v.NumField() {
		name, ok := v.Type().Field(i).Tag.Lookup("key")
		f := v.Field(i)
		if !ok || hidden(f) {
			continue
		}
		switch x := f.Interface().(type) {
		case []Backend, []Sink:
			fmt.Fprintf(b, "%s%s:\n", lead, name)
			for n := range f.Len() {
				showStruct(b, f.Index(n), indent+"  - ", indent+"    ")
			}
		case []netip.Prefix:
			fmt.Fprintf(b, "%s%s:\n", lead, name)
			for _, item := range x {
				fmt.Fprintf(b, "%s  - %s\n", indent, quote(item.String()))
			}
		case []string:
			fmt.Fprintf(b, "%s%s:\n", lead, name)
			for _, item := range x {
				fmt.Fprintf(b, "%s  - %s\n", indent, quote(item))
			}
		default:
			if f.Kind() == reflect.Struct {
				fmt.Fprintf(b, "%s%s:\n", lead, name)
				showStruct(b, f, indent+"  ", indent+"  ")
			} else {
				fmt.Fprintf(b, "%s%s: %s\n", lead, name, showScalar(x))
			}
		}
		lead = indent
	}
}

// hidden leaves out what is not set and has no value to show.
func hidden(f reflect.Value) bool {
	return (f.Kind() == reflect.String || f.Kind() == reflect.Slice) && f.Len() == 0
}

func showScalar(x any) string {
	switch x := x.(type) {
	case string:
		return quote(x)
	case time.Duration:
		return quote(x.String())
	case float64:
		return strconv.FormatFloat(x, 'g', -1, 64)
	}
	return fmt.Sprint(x)
}

// quote writes a string as YAML's double-quoted style, which takes Go's escapes
// for what a configuration holds.
func quote(s string) string { return strconv.Quote(s) }
