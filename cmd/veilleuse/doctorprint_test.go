package main

import (
	"bytes"
	"context"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	notes "github.com/veilleuse/veilleuse/firmware-notes"
	"github.com/veilleuse/veilleuse/gateway"
)

func TestFold(t *testing.T) {
	for _, test := range []struct{ name, indent, text, want string }{
		{"short", "  ", "all is well", "  all is well\n"},
		{"columns stay", "", "Salon    LAN", "Salon    LAN\n"},
		{"empty", "", "", "\n"},
		{"nothing behind", "", "all is well  ", "all is well\n"},
		{"long", "  ", strings.Repeat("mots ", 20), "  " + strings.TrimSpace(strings.Repeat("mots ", 15)) + "\n      mots mots mots mots mots\n"},
		{"one word that is too long", "", strings.Repeat("x", 100), strings.Repeat("x", 100) + "\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			fold(&out, test.indent, test.text)
			if out.String() != test.want {
				t.Errorf("gives\n%q, want\n%q", out.String(), test.want)
			}
		})
	}
	var out bytes.Buffer
	fold(&out, "", strings.Repeat("été ", 60)) // letters count, not bytes
	for line := range strings.Lines(out.String()) {
		if n := utf8.RuneCountInString(strings.TrimSpace(line)); n > pageWidth {
			t.Errorf("a line of %d letters", n)
		}
	}
	if lines := strings.Count(out.String(), "\n"); lines != 4 {
		t.Errorf("%d lines of four-letter words, want 4", lines)
	}
}

func TestPad(t *testing.T) {
	for text, want := range map[string]string{"": "    ", "été": "été ", "abcd": "abcd", "éléphant": "élé…"} {
		if got := pad(text, 4); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

func TestWhatIsCommonIsSaidOnce(t *testing.T) {
	missing := finding{gap, "only the cloud reaches it", "pair it"}
	var out bytes.Buffer
	printDoctor(&out, doctorReport{Verdict: "No.",
		Rooms:   []doctorRoom{{Name: "Salon", Path: noWay, finding: finding{gap, "Valve: only the cloud reaches it", "pair it"}}},
		Devices: []doctorDevice{{Name: "Valve", Room: "Salon", finding: missing}, {Name: "Other", Room: "Other", finding: missing}},
		Checks:  []doctorCheck{{"plan", finding{Result: well, What: "copied"}}}})
	if said := out.String(); strings.Count(said, "-> pair it") != 1 || !strings.Contains(said, "  Valve (Salon), Other: only the cloud reaches it\n") || !strings.Contains(said, "plan        copied") {
		t.Errorf("it says\n%s", said)
	}
}

// TestDrillKnocks looks at a house whose parts say that they run and do not answer.
func TestDrillKnocks(t *testing.T) {
	c := defaults()
	c.State, c.HomeKit.Listen, c.MQTT.Listen = filepath.Join(t.TempDir(), "state"), freeAddress(t), "127.0.0.1:0"
	err := withHouse(c, func(h *house) error {
		s := gateway.State{}
		for _, name := range []gateway.PointKey{"homekit", "mqtt", "broker"} {
			s.Health = s.Health.With(name, gateway.Health{Adapter: string(name), Up: true})
		}
		for _, knocking := range []bool{false, true} {
			for _, f := range h.drill(context.Background(), s, 0, knocking).Faces {
				if want := !knocking || f.Name == "mqtt"; f.Up != want || f.Up == (f.Why != "") {
					t.Errorf("knocking %v: %+v", knocking, f)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDoctorSaysWhatCannotBeRead(t *testing.T) {
	p := wellHouse()
	p.facts.PairedErr = fs.ErrPermission.Error()
	if f, _ := p.diagnose(t).found("pairings"); f.Result != gap || !strings.Contains(f.What, "permission denied") {
		t.Errorf("%+v", f)
	}
	p.facts.DiskErr = "no such folder"
	if f, _ := p.diagnose(t).found("disk"); f.Result != warn || !strings.Contains(f.What, "no such folder") {
		t.Errorf("%+v", f)
	}
	if r := diagnose(p.State, notes.Notes{}, p.facts); len(r.Devices) != 4 || r.Devices[0].Kind != "" { // the notes could not be read
		t.Errorf("%+v", r.Devices)
	}
}
