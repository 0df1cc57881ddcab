package accessory

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

var update = flag.Bool("update", false, "write the golden listings anew")

const dumps = "../../../shared/fixtures/homekit-accessories"

func TestDumpsAreUnderstoodOrNamed(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(dumps, "*.json"))
	if len(files) == 0 {
		t.Skipf("the recorded accessory databases are not beside the checkout (%s)", dumps)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			accessories, err := hap.DecodeAccessories(raw)
			if err != nil {
				t.Fatal(err)
			}
			devices, left := Understand(accessories, About{HomeKitID: "AA:BB:CC:DD:EE:FF"})
			nothingDropped(t, accessories, devices, left)
			golden(t, filepath.Join("testdata", name+".txt"), listing(devices, left))
		})
	}
}

// nothingDropped checks that each characteristic became a reading or a setting, names a device, or is on the list.
func nothingDropped(t *testing.T, accessories []hap.Accessory, devices []Device, left []Remainder) {
	t.Helper()
	used := map[hap.CharacteristicID]bool{}
	for _, d := range devices {
		for _, p := range d.Points {
			for _, s := range p.Sources {
				used[s.ID] = true
			}
			if p.Setting != nil {
				used[p.Setting.ID] = true
			}
		}
	}
	listed := map[string]int{}
	for _, r := range left {
		if r.Why == "" {
			t.Errorf("%v gives no reason", r)
		}
		for _, c := range r.Characteristics {
			listed[fmt.Sprint(r.AID, r.Service, c)]++
		}
	}
	for _, a := range accessories {
		for _, s := range a.Services {
			for _, c := range s.Characteristics {
				key := fmt.Sprint(a.AID, s.Type, c.Type)
				if used[hap.CharacteristicID{AID: a.AID, IID: c.IID}] || furniture[c.Type] {
					continue
				}
				if listed[key]--; listed[key] < 0 {
					t.Errorf("accessory %d: characteristic %d (%s) of service %s is dropped silently", a.AID, c.IID, c.Type, s.Type)
				}
			}
		}
	}
	for key, n := range listed {
		if n > 0 {
			t.Errorf("%s is listed as not understood, but %d of them are not there or are used", key, n)
		}
	}
}

func listing(devices []Device, left []Remainder) string {
	var b strings.Builder
	for _, d := range devices {
		fmt.Fprintf(&b, "%s  %q  model %q  maker %q  firmware %q\n", d.ID, d.Name, d.Model, d.Manufacturer, d.Firmware)
		for _, name := range d.Also {
			fmt.Fprintf(&b, "  also %s\n", name)
		}
		if d.Bridge != "" {
			fmt.Fprintf(&b, "  behind %s\n", d.Bridge)
		}
		for _, p := range d.Points {
			fmt.Fprintf(&b, "  %s%s\n", p.Quantity, describe(p))
		}
	}
	for _, r := range left {
		fmt.Fprintf(&b, "not understood: %s\n", r)
	}
	return b.String()
}

func describe(p Point) string {
	var b strings.Builder
	for _, s := range p.Sources {
		fmt.Fprintf(&b, "  from %s", s.ID)
		if !s.Read {
			b.WriteString(" (events only)")
		}
		if !s.Events {
			b.WriteString(" (no events)")
		}
	}
	if s := p.Setting; s != nil {
		fmt.Fprintf(&b, "  set at %s", s.ID)
		if s.Control.Min != s.Control.Max {
			fmt.Fprintf(&b, " %v..%v step %v", s.Control.Min, s.Control.Max, s.Control.Step)
		}
		if len(s.Valid) > 0 {
			fmt.Fprintf(&b, " of %v", s.Valid)
		}
		if s.Timed {
			b.WriteString(" (timed)")
		}
	}
	return b.String()
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s: differs; look at it, and if it is right run the test with -update.\ngot:\n%s", file, got)
	}
}
