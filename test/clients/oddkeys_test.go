package clients

import (
	"cmp"
	"fmt"
	"strings"
)

// oddKeys are keys that something on the way could read as something else.
func oddKeys() []testCase {
	// a component of a key is a file name at some backends: 255 bytes at most
	long := strings.Repeat(strings.Repeat("k", 127)+"/", 8)
	list := []struct{ name, key string }{
		{"space", "a b c"},
		{"plus", "a+b+c"},
		{"percent", "100%"},
		{"percent code", "a%2Fb%20c"},
		{"umlauts", "grün/süß"},
		{"combining", "gru\u0308n"},
		{"japanese", "日本/語"},
		{"four-byte", "😀.txt"},
		{"single quote", "it's"},
		{"double quote", `say "it"`},
		{"markup", "<a>&amp;"},
		{"query", "a?b=c&d#e"},
		{"delimiters", "a:b;c,d@e=f$g!h(i)~j*k"},
		{"backslash", `a\b`},
		{"braces", "{a}[b]|c^d`e"},
		{"repeated slash", "a//b"},
		{"leading slash", "/a"},
		{"dots in a segment", "a/.../b..c/.d"},
		{"space at the end", "a "},
		{"like a subresource", "acl"},
		{"1024 bytes", long[:1024-len("odd00/")-1] + "e"},
	}
	var cases []testCase
	for i, k := range list {
		prefix := fmt.Sprintf("odd%02d/", i)
		if strings.HasPrefix(k.key, "/") {
			prefix = ""
		}
		cases = append(cases, testCase{"key: " + k.name, keys, func(t *trial) error { return oddKey(t, cmp.Or(prefix, "/"), prefix+k.key) }})
	}
	return cases
}

// oddKey stores, lists, reads and deletes one.
func oddKey(t *trial, prefix, key string) error {
	content, err := t.put(call{Key: key})
	if err != nil {
		return err
	}
	if err := t.wantKeys(prefix, key); err != nil {
		return err
	}
	if err := t.wantBody(call{Key: key}, content); err != nil {
		return err
	}
	if _, err := t.do(call{Op: opDelete, Key: key}); err != nil {
		return err
	}
	return t.wantKeys(prefix)
}
