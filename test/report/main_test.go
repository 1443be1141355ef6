package main

import (
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	for _, tt := range []struct {
		name   string
		in     string
		ok     bool
		counts string
		says   string
	}{
		{"nothing ran", "", false, "0 passed, 0 failed, 0 skipped", ""},
		{"a pass", `{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Elapsed":1.5}`, true, "1 passed, 0 failed, 0 skipped", "ok    p"},
		{"subtests count, their parent does not", `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"run","Package":"p","Test":"TestA/x"}
{"Action":"run","Package":"p","Test":"TestA/y"}
{"Action":"output","Package":"p","Test":"TestA/y","Output":"broken thing\n"}
{"Action":"pass","Package":"p","Test":"TestA/x"}
{"Action":"fail","Package":"p","Test":"TestA/y"}
{"Action":"fail","Package":"p","Test":"TestA"}
{"Action":"fail","Package":"p"}`, false, "1 passed, 1 failed, 0 skipped", "broken thing"},
		{"a parent that fails by itself", `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"run","Package":"p","Test":"TestA/x"}
{"Action":"pass","Package":"p","Test":"TestA/x"}
{"Action":"fail","Package":"p","Test":"TestA"}`, false, "1 passed, 1 failed, 0 skipped", "TestA FAILED"},
		{"skips are no passes", `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"no aws\n"}
{"Action":"skip","Package":"p","Test":"TestA"}`, false, "0 passed, 0 failed, 1 skipped", "no aws"},
		{"a package without tests", `{"Action":"start","Package":"p"}
{"Action":"skip","Package":"p"}`, false, "0 passed, 0 failed, 0 skipped", ""},
		{"a test that never ended", `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"panic: no\n"}`, false, "0 passed, 1 failed, 0 skipped", "panic: no"},
		{"a package that fails without a test", `{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Output":"exit status 3\n"}
{"Action":"fail","Package":"p"}`, false, "1 passed, 1 failed, 0 skipped", "exit status 3"},
		{"a package that does not build", `{"ImportPath":"p","Action":"build-output","Output":"x.go:1: no\n"}
{"ImportPath":"p","Action":"build-fail"}`, false, "0 passed, 1 failed, 0 skipped", "x.go:1: no"},
		{"a failure that nothing tells of", `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"exit"}`, false, "1 passed, 1 failed, 0 skipped", "did not say what"},
		{"words that are no JSON", "go: no such thing\n", false, "0 passed, 0 failed, 0 skipped", "no such thing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			ok, err := report(strings.NewReader(tt.in), &out)
			if err != nil || ok != tt.ok {
				t.Errorf("ok = %v, %v, want %v", ok, err, tt.ok)
			}
			if !strings.HasSuffix(out.String(), tt.counts+"\n") || !strings.Contains(out.String(), tt.says) {
				t.Errorf("printed:\n%s\nwant %q and at its end %q", out.String(), tt.says, tt.counts)
			}
		})
	}
}
