package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestActsAreInOrderAndEndWithTheEvening(t *testing.T) {
	zone := time.FixedZone("Paris in winter", 3600)
	at := demoStart
	for _, a := range demoActs() {
		if _, err := time.Parse("15:04", a.clock); err != nil {
			t.Fatalf("%q is no time of day", a.clock)
		}
		next := after(at, a.clock, zone)
		if next.Before(at) || next.Sub(at) > 2*time.Hour {
			t.Errorf("act %s follows %v later", a.clock, next.Sub(at))
		}
		at = next
	}
	if got := at.Sub(demoStart); got != demoLength {
		t.Errorf("the evening is %v long, the progress line says %v", got, demoLength)
	}
}

func TestReportTellsBrokenPromises(t *testing.T) {
	good := demoReport{VerdictSeconds: 150, SlotsDue: 8, SlotsKept: 8, WritesAvoided: 2, Takeovers: 1, HandedBack: true, Wishes: 2, WishesCarried: 2,
		Alarm: demoDelays{SirenMS: 2, MQTTMS: 2, HomeKitMS: 2}}
	good.Promises = good.promises()
	if broken := good.Broken(); len(broken) > 0 {
		t.Fatalf("a good evening broke %v", broken)
	}
	for name, spoil := range map[string]func(*demoReport){
		"late verdict": func(r *demoReport) { r.VerdictSeconds = 211 }, "no verdict": func(r *demoReport) { r.VerdictSeconds = 0 },
		"missed slot": func(r *demoReport) { r.SlotsKept = 7 }, "no slot": func(r *demoReport) { r.SlotsDue, r.SlotsKept, r.WritesAvoided = 0, 0, 0 },
		"needless write": func(r *demoReport) { r.WritesAvoided = 1 }, "silent siren": func(r *demoReport) { r.Alarm.SirenMS = -1 },
		"slow Home app": func(r *demoReport) { r.Alarm.HomeKitMS = 251 }, "not handed back": func(r *demoReport) { r.HandedBack = false },
		"lost wish": func(r *demoReport) { r.WishesCarried = 1 }, "two takeovers": func(r *demoReport) { r.Takeovers = 2 },
		"too many requests": func(r *demoReport) { r.CallsOutage = 111 },
	} {
		r := good
		spoil(&r)
		r.Promises = r.promises()
		if len(r.Broken()) == 0 || len(r.Broken()) > 2 {
			t.Errorf("%s: %d promises broken", name, len(r.Broken()))
		}
		var out bytes.Buffer
		r.print(&out)
		if !strings.Contains(out.String(), "BROKEN") {
			t.Errorf("%s: the report hides it:\n%s", name, out.String())
		}
	}
	if len((demoReport{}).Broken()) == 0 {
		t.Error("an evening that was not played kept its promises")
	}
}

func TestScreenIsPlainWhereNobodyLooks(t *testing.T) {
	var out bytes.Buffer
	s := newDemoScreen(&out, false)
	s.zone = time.UTC
	s.lineAt(demoStart, "Veilleuse", "smoke ALARM: kitchen", "reported")
	s.progress(demoStart, "local", 3)
	if got, want := out.String(), "15:30:00  Veilleuse  smoke ALARM: kitchen\n"+strings.Repeat(" ", 21)+"because: reported\n"; got != want {
		t.Errorf("wrote %q, want %q", got, want)
	}
	out.Reset()
	silent := newDemoScreen(&out, true)
	silent.zone = time.UTC
	silent.lineAt(demoStart, "world", "x", "")
	if out.Len() > 0 {
		t.Errorf("with --json it also says %q", out.String())
	}
}

// Who tries the demonstration can ask it for everything that a house is asked for, a bundle included: none of its secrets
// is a word that stands in its configuration as well.
func TestTheDemonstrationHasABundle(t *testing.T) {
	world := startDemoWorld(t, demoStart, 20, demoHome())
	h, err := demoHouse(t.Context(), t.TempDir(), world)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.store.Close() })
	if _, err := h.packBundle(world.clock.Now(), false); err != nil {
		t.Error(err)
	}
}
