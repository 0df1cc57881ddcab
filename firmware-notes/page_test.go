package notes

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const page = `---
models: [NXX, NXY]
name: Test thing
kind: valve
transport: string and cups
paths:
  - via: accessory
    gives: [temperature, target]
    takes: [target]
    grade: R
    note: by report
  - {via: ear, gives: [smoke], grade: U, note: loud}
without-cloud: {state: goes on, does: It goes on., grade: O}
limits:
  target: {min: 7, max: 30, step: 0.5, grade: C, note: °C}
silent-after: 8d
quirks: [squeaks]
evidence: {grade: R, rests-on: a hunch}
sources: [hearsay]
---

Prose with
---
a rule in it.
`

func TestParseReadsAPage(t *testing.T) {
	note, err := parse([]byte(page))
	if err != nil {
		t.Fatal(err)
	}
	if note.Name != "Test thing" || len(note.Models) != 2 || note.Models[1] != "NXY" {
		t.Errorf("models and name: %+v", note)
	}
	if best := note.BestPath(); best.Via != Accessory || best.Takes[0] != "target" || best.Grade != Report || len(note.Paths) != 2 {
		t.Errorf("paths: %+v", note.Paths)
	}
	if note.WithoutCloud != (Alone{GoesOn, "It goes on.", Vendor}) || note.Evidence != (Evidence{Report, "a hunch"}) {
		t.Errorf("without-cloud %+v, evidence %+v", note.WithoutCloud, note.Evidence)
	}
	if want := (Limit{7, 30, 0.5, Code, "°C"}); note.Limits["target"] != want {
		t.Errorf("limits: %+v, want %+v", note.Limits, want)
	}
	if note.SilentAfter != 8*24*time.Hour || note.Prose != "Prose with\n---\na rule in it." {
		t.Errorf("silent after %v, prose %q", note.SilentAfter, note.Prose)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, test := range map[string]struct{ old, new, want string }{
		"no front matter":     {page, "# A page\n", "front matter"},
		"front matter no end": {page, "---\nmodels: [NXX]\n", "front matter"},
		"unknown key":         {"kind: valve", "knid: valve", "knid"},
		"unknown path key":    {"grade: R", "garde: R", "garde"},
		"key twice":           {"kind: valve", "kind: valve\nkind: tap", "kind"},
		"wrong type":          {"sources: [hearsay]", "sources: {a: b}", "front matter"},
		"no models":           {"models: [NXX, NXY]", "models: []", "models"},
		"no silent-after":     {"silent-after: 8d\n", "", `silent-after ""`},
		"silent-after blank":  {"8d", "8 days", "8 days"},
		"silent-after zero":   {"8d", "0d", "0d"},
		"silent-after minus":  {"8d", "-1h", "-1h"},
		"silent-after huge":   {"8d", "99999d", "99999d"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse([]byte(strings.Replace(page, test.old, test.new, 1)))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error that names %q", err, test.want)
			}
		})
	}
}

func TestAddRefuses(t *testing.T) {
	notes := Notes{index: map[string]int{}}
	if err := notes.add("nxy.md", []byte(page)); err == nil || !strings.Contains(err.Error(), "nxx.md") {
		t.Errorf("file named after a lesser model: %v", err)
	}
	if err := notes.add("nxx.md", []byte(page)); err != nil {
		t.Fatal(err)
	}
	second := strings.Replace(page, "[NXX, NXY]", "[NXZ, NXY]", 1)
	if err := notes.add("nxz.md", []byte(second)); err == nil || !strings.Contains(err.Error(), "that of NXX") {
		t.Errorf("model in two notes: %v", err)
	}
	if _, half := notes.For("NXZ"); half {
		t.Error("a refused note was half applied")
	}
}

// The pages in the program are those that people edit.
func TestPackedPagesAreTheFiles(t *testing.T) {
	pages, err := unpacked()
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob("[a-z]*.md")
	if err != nil || len(names) < 30 || len(names) != len(pages) {
		t.Errorf("%d files, %d packed, %v: run go generate ./firmware-notes", len(names), len(pages), err)
	}
	for _, name := range names {
		page, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(page, pages[name]) {
			t.Errorf("%s was changed: run go generate ./firmware-notes", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(page))
	pages, err := unpacked()
	if err != nil || len(pages) == 0 {
		f.Fatalf("%d pages, %v", len(pages), err)
	}
	for _, seed := range pages {
		f.Add(seed)
	}
	f.Add([]byte("---\n\nname: \nA:\n   \n\n  ! {0:0,1:0,2:A}\nlimits:\n 0: {min:0,0008:A,note,}\nquirks: !0 0\n---\n")) // made the library panic
	f.Fuzz(func(t *testing.T, data []byte) {
		note, err := parse(data)
		if err != nil {
			return
		}
		if len(note.Models) == 0 || len(note.Paths) == 0 || note.SilentAfter < 0 {
			t.Errorf("half a note without an error: %+v", note)
		}
		if note.Outage() == "" || note.BestPath().Via != note.Paths[0].Via {
			t.Errorf("no sentence for %+v", note)
		}
	})
}
