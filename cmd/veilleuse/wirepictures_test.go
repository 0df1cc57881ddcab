package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/web"
	"github.com/veilleuse/veilleuse/adapters/web/history"
	"github.com/veilleuse/veilleuse/gateway"
)

// The file of the last 48 h is put in its place whole, for its owner only, and what that costs is counted.
func TestPastFile(t *testing.T) {
	f := &pastFile{path: filepath.Join(t.TempDir(), historyName)}
	if got, err := f.load(); err != nil || len(got) > 0 {
		t.Fatalf("before there is one: %d bytes, %v", len(got), err)
	}
	for _, content := range []string{"first", "second"} {
		if err := f.save([]byte(content)); err != nil {
			t.Fatal(err)
		}
		if got, err := f.load(); err != nil || string(got) != content {
			t.Fatalf("%q, %v", got, err)
		}
	}
	if f.bytes.Load() != 11 || f.flushes.Load() != 4 {
		t.Errorf("%d bytes in %d flushes are counted", f.bytes.Load(), f.flushes.Load())
	}
	about, err := os.Stat(f.path)
	if left, _ := os.ReadDir(filepath.Dir(f.path)); err != nil || about.Mode().Perm() != 0o600 || len(left) != 1 {
		t.Errorf("mode %v, %d files", about.Mode(), len(left))
	}
	if err := os.WriteFile(f.path, bytes.Repeat([]byte{'x'}, 4*history.MostBytes), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := f.load()
	if err != nil || len(got) != history.MostBytes+1 {
		t.Errorf("of a file that is too large %d bytes are read, %v", len(got), err)
	}
	if err := (&pastFile{path: filepath.Join(f.path, "no", "folder")}).save(nil); err == nil {
		t.Error("a folder that is not there can be written in")
	}
}

// Each column of the table of outages is a field of the report.
func TestOutagesHaveTheirColumns(t *testing.T) {
	at := time.Date(2025, 10, 29, 15, 41, 0, 0, time.UTC)
	text, err := json.Marshal(web.Outages(gateway.State{Outages: []gateway.Outage{{Number: 1, Verdict: gateway.VerdictCloudDown, Why: "gone", Evidence: []string{"e"}, Lost: at, Began: at, Back: at, Ended: at}}}))
	if err != nil {
		t.Fatal(err)
	}
	var list []map[string]any
	if err := json.Unmarshal(text, &list); err != nil || len(list) != 1 {
		t.Fatalf("%v %s", err, text)
	}
	for _, field := range strings.Fields("number drill verdict lost began back ended length_s writes slots_due slots_kept wishes alarms why evidence") {
		if _, there := list[0][field]; !there {
			t.Errorf("%s is not in %s", field, text)
		}
	}
}
