package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
)

// versionVerb prints what the build recorded about itself.
func versionVerb(_ context.Context, c console, args []string) error {
	o := newOptions("version")
	if _, err := o.parse(args, 0); err != nil {
		return err
	}
	version, commit := version()
	fmt.Fprintf(c.out, "veilleuse %s, commit %s, %s %s/%s\n", version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}

func version() (version, commit string) {
	version, commit = "development", "unknown"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return version, commit
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		version = v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			commit = s.Value
		}
	}
	return version, commit
}
