package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// release is set by the linker for a release build.
var release string

// version is the release, or what the build recorded of its source.
func version() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "dev-" + s.Value[:12]
		}
	}
	return "dev"
}

type versionCommand struct{}

// Run prints the version, the Go release and the platform.
func (versionCommand) Run(con *console) error {
	_, err := fmt.Fprintf(con.out, "keystile %s (%s, %s/%s)\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
