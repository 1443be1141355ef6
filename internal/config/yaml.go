package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// yamlFile walks the nodes of a file beside the struct that they fill.
type yamlFile struct {
	*loader
}

func (l *loader) loadYAML(data []byte) {
	y := yamlFile{l}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if !errors.Is(err, io.EOF) { // an empty file sets nothing
			y.syntax(err)
		}
		return
	}
	var second yaml.Node
	if err := decoder.Decode(&second); err == nil {
		y.faultAt(y.place(&second), "", "a second document: one is allowed")
	} else if !errors.Is(err, io.EOF) {
		y.syntax(err)
	}
	root := document.Content[0]
	if isNull(root) {
		return
	}
	y.mapping(root, reflect.ValueOf(&l.config).Elem(), "")
}

var yamlErrorLine = regexp.MustCompile(`^yaml: line (\d+): `)

// syntax reports what the YAML parser said, with its line in our form.
func (y yamlFile) syntax(err error) {
	text := err.Error()
	place := y.file
	if m := yamlErrorLine.FindStringSubmatch(text); m != nil {
		place += ":" + m[1]
		text = text[len(m[0]):]
	}
	y.faultAt(place, "", "not YAML: %s", strings.TrimPrefix(text, "yaml: "))
}

func (y yamlFile) place(n *yaml.Node) string { return fmt.Sprintf("%s:%d", y.file, n.Line) }

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// mapping fills a struct from a YAML mapping.
func (y yamlFile) mapping(n *yaml.Node, target reflect.Value, path string) {
	if n.Kind != yaml.MappingNode {
		y.faultAt(y.place(n), strings.TrimSuffix(path, "."), "must be a mapping of keys to values")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		key := path + name.Value
		inner, known := field(target, name.Value)
		switch {
		case !known:
			y.faultAt(y.place(name), key, "unknown key")
		case seen[name.Value]:
			y.faultAt(y.place(name), key, "set twice")
		default:
			seen[name.Value] = true
			y.places[key] = y.place(name)
			y.value(value, inner, key)
		}
	}
}

func (y yamlFile) value(n *yaml.Node, target reflect.Value, key string) {
	switch {
	case n.Kind == yaml.AliasNode:
		y.faultAt(y.place(n), key, "YAML aliases are not taken: write the value out")
	case isNull(n):
		y.faultAt(y.place(n), key, "has no value")
	case target.Kind() == reflect.Struct:
		y.mapping(n, target, key+".")
	case target.Type() == reflect.TypeFor[[]Backend]():
		y.config.Backends = mappings(y, n, key, defaultBackend)
	case target.Type() == reflect.TypeFor[[]Sink]():
		y.config.Audit.Sinks = mappings(y, n, key, defaultSink)
	case isList(target):
		y.list(n, target, key)
	case n.Kind != yaml.ScalarNode:
		y.faultAt(y.place(n), key, "takes one value, not a %s", kindName(n))
	default:
		y.decode(target, key, []string{n.Value})
	}
}

func (y yamlFile) list(n *yaml.Node, target reflect.Value, key string) {
	if n.Kind != yaml.SequenceNode {
		y.faultAt(y.place(n), key, "must be a list")
		return
	}
	values := make([]string, 0, len(n.Content))
	for _, item := range n.Content {
		if item.Kind != yaml.ScalarNode || isNull(item) {
			y.faultAt(y.place(item), key, "each item takes one value")
			continue
		}
		values = append(values, item.Value)
	}
	y.decode(target, key, values)
}

// mappings reads a list of mappings, each over the defaults.
func mappings[T any](y yamlFile, n *yaml.Node, key string, defaults func() T) (list []T) {
	if n.Kind != yaml.SequenceNode {
		y.faultAt(y.place(n), key, "must be a list")
		return nil
	}
	for i, item := range n.Content {
		at := fmt.Sprintf("%s[%d]", key, i)
		y.places[at] = y.place(item)
		one := defaults()
		y.mapping(item, reflect.ValueOf(&one).Elem(), at+".")
		list = append(list, one)
	}
	return list
}

func kindName(n *yaml.Node) string {
	if n.Kind == yaml.SequenceNode {
		return "list"
	}
	return "mapping"
}
