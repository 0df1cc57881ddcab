package accessory

import (
	"encoding/json"
	"testing"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
)

func one(iid uint64, kind hap.UUID, value string, perms ...hap.Perm) hap.Characteristic {
	c := hap.Characteristic{IID: iid, Type: kind, Perms: perms, Format: hap.FormatFloat}
	if value != "" {
		c.Value = json.RawMessage(value)
	}
	return c
}

var all = []hap.Perm{hap.PermRead, hap.PermWrite, hap.PermEvents}

func switchNamed(name string) hap.Service {
	return hap.Service{IID: 10, Type: hap.ServiceSwitch, Characteristics: []hap.Characteristic{
		one(11, hap.CharacteristicOn, "0", all...),
		{IID: 12, Type: hap.CharacteristicName, Perms: []hap.Perm{hap.PermRead}, Format: hap.FormatString, Value: hap.TextValue(name)}}}
}

func TestSirens(t *testing.T) {
	for _, test := range []struct {
		name  string
		given hap.Accessory
		known []Known
		want  gateway.Quantity
	}{
		{"a switch is a switch", named(1, "X", "", "Lamp", ""), nil, gateway.On},
		{"by the accessory's name", named(1, "X", "", "Grande SIRÈNE", ""), nil, gateway.Siren},
		{"by the service's name", named(1, "X", "", "Relay 4", "", switchNamed("Indoor siren")), nil, gateway.Siren},
		{"by the configuration", named(1, "X", "", "Relay 4", ""), []Known{{ID: "AABBCCDDEEFF", Siren: true}}, gateway.Siren},
		{"by the configuration, behind a bridge", named(3, "X", "", "Relay 4", ""), []Known{{ID: "AA:BB:CC:DD:EE:FF#3", Siren: true}}, gateway.Siren},
		{"another one by the configuration", named(1, "X", "", "Lamp", ""), []Known{{ID: "AA:BB:CC:DD:EE:00", Siren: true}}, gateway.On},
	} {
		t.Run(test.name, func(t *testing.T) {
			if len(test.given.Services) == 1 {
				test.given.Services = append(test.given.Services, switchNamed("Switch"))
			}
			devices, _ := Understand([]hap.Accessory{test.given}, About{HomeKitID: "AA:BB:CC:DD:EE:FF", Known: test.known})
			if len(devices[0].Points) != 1 || devices[0].Points[0].Quantity != test.want || devices[0].Points[0].Setting == nil {
				t.Errorf("got %+v, want a %s that can be set", devices[0].Points, test.want)
			}
			if c := devices[0].Found().Controls; len(c) != 1 || c[0] != (gateway.Control{Quantity: test.want}) {
				t.Errorf("its controls are %+v", c)
			}
		})
	}
}

func TestASecondSwitchIsNotMixedUpWithTheFirst(t *testing.T) {
	second := hap.Service{IID: 20, Type: hap.ServiceOutlet, Characteristics: []hap.Characteristic{one(21, hap.CharacteristicOn, "1", all...)}}
	devices, left := Understand([]hap.Accessory{named(1, "X", "", "Strip", "", switchNamed("A"), second)}, About{HomeKitID: "AA:BB:CC:DD:EE:FF"})
	p, _ := devices[0].Point(gateway.On)
	if len(p.Sources) != 1 || p.Sources[0].ID.IID != 11 || p.Setting.ID.IID != 11 {
		t.Errorf("the switch is %+v", p)
	}
	if len(left) != 1 || left[0].Service != hap.ServiceOutlet {
		t.Errorf("not understood are %v, want the second outlet", left)
	}
}

func TestFlagsOfOneDeviceCountTogether(t *testing.T) {
	sensor := func(iid uint64, kind hap.UUID) hap.Service {
		return hap.Service{IID: iid, Type: kind, Characteristics: []hap.Characteristic{one(iid+1, hap.CharacteristicStatusLowBattery, "0", all...)}}
	}
	devices, _ := Understand([]hap.Accessory{named(1, "X", "", "", "", sensor(10, hap.ServiceMotionSensor), sensor(20, hap.ServiceTemperatureSensor))},
		About{HomeKitID: "AA:BB:CC:DD:EE:FF"})
	l := newLedger(func(gateway.DeviceID) float64 { return 0 })
	l.show(devices)
	say := func(iid uint64, raw string) gateway.Value {
		t.Helper()
		r, _ := l.event(hap.CharacteristicID{AID: 1, IID: iid}, json.RawMessage(raw))
		return r.Value
	}
	if v := say(11, "0"); v != gateway.Flag(false) {
		t.Errorf("one says no, the other nothing: %v", v)
	}
	if v := say(21, "true"); v != gateway.Flag(true) {
		t.Errorf("one says no, the other yes: %v", v)
	}
	if v := say(11, "0"); v != gateway.Flag(true) {
		t.Errorf("the other still says yes: %v", v)
	}
	if v := say(21, "null"); v != gateway.Flag(false) {
		t.Errorf("the other says nothing any more: %v", v)
	}
}

func TestPressesAreCounted(t *testing.T) {
	bell := hap.Service{IID: 10, Type: hap.ServiceDoorbell, Characteristics: []hap.Characteristic{
		one(11, hap.CharacteristicProgrammableSwitchEvent, "null", hap.PermRead, hap.PermEvents)}}
	devices, _ := Understand([]hap.Accessory{named(1, "X", "", "", "", bell)}, About{HomeKitID: "AA:BB:CC:DD:EE:FF"})
	l := newLedger(func(gateway.DeviceID) float64 { return 41 })
	l.show(devices)
	id := hap.CharacteristicID{AID: 1, IID: 11}
	if _, ok := l.read(id, json.RawMessage("0"), 9); ok {
		t.Error("a press was read, though none happened")
	}
	if _, ok := l.event(id, nil); ok {
		t.Error("an event without a value is no press")
	}
	for _, want := range []float64{42, 43} {
		if r, ok := l.event(id, json.RawMessage("0")); !ok || r.Value != gateway.Number(want) {
			t.Errorf("got %v, want press %v", r.Value, want)
		}
	}
}

func TestAnOlderReadNeverFollowsANewerEvent(t *testing.T) {
	smoke := hap.Service{IID: 10, Type: hap.ServiceSmokeSensor, Characteristics: []hap.Characteristic{one(11, hap.CharacteristicSmokeDetected, "0", all...)}}
	devices, _ := Understand([]hap.Accessory{named(1, "X", "", "", "", smoke)}, About{HomeKitID: "AA:BB:CC:DD:EE:FF"})
	l := newLedger(nil)
	l.show(devices)
	id := hap.CharacteristicID{AID: 1, IID: 11}
	asked := l.events // the poll leaves
	if r, ok := l.event(id, json.RawMessage("1")); !ok || r.Value != gateway.Flag(true) {
		t.Fatalf("the event gives %v", r)
	}
	if r, ok := l.read(id, json.RawMessage("0"), asked); ok { // its answer is from before
		t.Errorf("the poll's older answer says %v after the alarm", r.Value)
	}
	if r, ok := l.read(id, json.RawMessage("0"), l.events); !ok || r.Value != gateway.Flag(false) {
		t.Errorf("the next poll gives %v", r)
	}
}

func TestValuesThatDevicesWrite(t *testing.T) {
	for _, test := range []struct {
		name string
		as   decoding
		raw  string
		want gateway.Value
	}{
		{"number", asNumber, "19.4", gateway.Number(19.4)},
		{"null", asNumber, "null", gateway.Value{}},
		{"nothing", asFlag, "", gateway.Value{}},
		{"text", asFlag, `"on"`, gateway.Value{}},
		{"true", asFlag, "true", gateway.Flag(true)},
		{"1", asFlag, "1", gateway.Flag(true)},
		{"inactive", asNoFlag, "false", gateway.Flag(true)},
		{"heats", asHeats, "1", gateway.Flag(true)},
		{"cools", asHeats, "2", gateway.Flag(false)},
		{"mode", asMode, "3", gateway.Word("auto")},
		{"no mode", asMode, "7", gateway.Value{}},
		{"grade", asGrade, "5", gateway.Number(5)},
		{"no grade", asGrade, "0", gateway.Value{}},
	} {
		if got := test.as.value(json.RawMessage(test.raw)); got != test.want {
			t.Errorf("%s: %s is %v, want %v", test.name, test.raw, got, test.want)
		}
	}
}

func FuzzUnderstand(f *testing.F) {
	// Small ones: the recorded databases, which TestDumpsAreUnderstoodOrNamed reads, slow the search down.
	f.Add([]byte(`[{"aid":1,"services":[{"iid":1,"type":"3E","characteristics":[{"iid":2,"type":"30","perms":["pr"],"format":"string","value":"70:ee:50:00:00:01"}]}]}]`))
	f.Add([]byte(`[{"aid":2,"services":[{"iid":9,"type":"49","characteristics":[{"iid":2,"type":"25","perms":["pr","pw","tw"],"format":"bool","value":1}]}]}]`))
	f.Add([]byte(`[{"aid":3,"services":[{"iid":9,"type":"8B","characteristics":[{"iid":2,"type":"7C","perms":["pw"],"format":"uint8","valid-values":[1]},{"iid":3,"type":"6D","perms":[]}]}]}]`))
	f.Add([]byte(`[{"aid":1,"services":[{"iid":1,"type":"4A","characteristics":[{"iid":2,"type":"35","perms":["pw"],"format":"float","minStep":-1,"minValue":9,"maxValue":3,"valid-values-range":[5]}]}]},{"aid":1,"services":[]}]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		accessories, err := hap.DecodeAccessories(raw)
		if err != nil {
			t.Skip()
		}
		devices, _ := Understand(accessories, About{HomeKitID: "AA:BB:CC:DD:EE:FF"})
		ids := map[gateway.DeviceID]bool{}
		l := newLedger(func(gateway.DeviceID) float64 { return 0 })
		l.show(devices)
		for _, d := range devices {
			if ids[d.ID] {
				t.Fatalf("two devices are %s", d.ID)
			}
			ids[d.ID] = true
			for _, p := range d.Points {
				for _, s := range p.Sources {
					l.event(s.ID, json.RawMessage("1"))
				}
				if p.Setting == nil {
					continue
				}
				if p.Setting.Control.Quantity != p.Quantity {
					t.Fatalf("%s is set as %s", p.Quantity, p.Setting.Control.Quantity)
				}
				if written, err := p.Setting.wire(gateway.Number(20)); err == nil && !json.Valid(written) {
					t.Fatalf("writes %q", written)
				}
			}
		}
	})
}

func TestLedgerTellsNewsFromWhatStayed(t *testing.T) {
	smoke := hap.Service{IID: 10, Type: hap.ServiceSmokeSensor, Characteristics: []hap.Characteristic{one(11, hap.CharacteristicSmokeDetected, "0", all...)}}
	devices, _ := Understand([]hap.Accessory{named(1, "X", "", "", "", smoke)}, About{HomeKitID: "AA:BB:CC:DD:EE:FF"})
	l := newLedger(nil)
	l.show(devices)
	id := hap.CharacteristicID{AID: 1, IID: 11}
	for _, step := range []struct {
		raw  string
		news bool
	}{{"0", true}, {"0", false}, {"1", true}, {"true", false}, {"0", true}} {
		before := l.says(id)
		r, ok := l.read(id, json.RawMessage(step.raw), l.events)
		if !ok || (r.Value != before) != step.news {
			t.Errorf("%s after %v: news %v, want %v", step.raw, before, r.Value != before, step.news)
		}
	}
	if v := l.says(hap.CharacteristicID{AID: 9, IID: 9}); v.Known() {
		t.Errorf("what is not there says %v", v)
	}
}
