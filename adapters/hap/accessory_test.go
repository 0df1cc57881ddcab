package hap

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// dumps reads the accessory databases that others recorded from devices.
func dumps(tb testing.TB) map[string][]byte {
	paths, err := filepath.Glob(filepath.Join("..", "..", "..", "shared", "fixtures", "homekit-accessories", "*.json"))
	if err != nil {
		tb.Fatal(err)
	}
	found := map[string][]byte{}
	for _, path := range paths {
		if found[filepath.Base(path)], err = os.ReadFile(path); err != nil {
			tb.Fatal(err)
		}
	}
	return found
}

// count adds up what a dump holds without the decoder under test.
func count(t *testing.T, raw []byte) (accessories, services, characteristics int) {
	var list []struct {
		Services []struct {
			Characteristics []map[string]any
		}
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		t.Fatal(err)
	}
	for _, accessory := range list {
		for _, service := range accessory.Services {
			characteristics += len(service.Characteristics)
		}
		services += len(accessory.Services)
	}
	return len(list), services, characteristics
}

func TestDecodeEveryDump(t *testing.T) {
	all := dumps(t)
	if len(all) == 0 {
		t.Skip("the recorded dumps are not beside the checkout (../shared/fixtures/homekit-accessories)")
	}
	for name, raw := range all {
		t.Run(name, func(t *testing.T) {
			list, err := DecodeAccessories(raw)
			if err != nil {
				t.Fatal(err)
			}
			wantA, wantS, wantC := count(t, raw)
			services, characteristics := 0, 0
			for _, accessory := range list {
				if _, ok := accessory.Find(ServiceAccessoryInformation); !ok || accessory.AID == 0 {
					t.Errorf("accessory %d has no information service", accessory.AID)
				}
				services += len(accessory.Services)
				for _, service := range accessory.Services {
					characteristics += len(service.Characteristics)
				}
			}
			if len(list) != wantA || services != wantS || characteristics != wantC {
				t.Errorf("%d accessories, %d services, %d characteristics, want %d, %d, %d", len(list), services, characteristics, wantA, wantS, wantC)
			}
			sameAfterEncoding(t, list)
		})
	}
}

func sameAfterEncoding(t *testing.T, list []Accessory) {
	t.Helper()
	raw, err := EncodeAccessories(list)
	if err != nil {
		t.Fatal(err)
	}
	again, err := DecodeAccessories(raw)
	if err != nil || !reflect.DeepEqual(again, list) {
		t.Errorf("encoding and decoding changes the database: %v", err)
	}
}

func TestDecodeDetails(t *testing.T) {
	list, err := DecodeAccessories([]byte(`{"accessories":[{"aid":18446744073709551615,"services":[{"iid":1099511627776,"type":"0000004a-0000-1000-8000-0026bb765291","primary":1,"hidden":0,"linked":[3],"stype":"thermostat","characteristics":[
		{"iid":2,"type":"35","perms":["pr","pw","ev"],"format":"float","unit":"celsius","minValue":7,"maxValue":30,"stepValue":0.5,"value":21.5,"ev":true},
		{"iid":3,"type":"7E","perms":["pr"],"format":"uint8","valid-values":[1,3.0,4],"valid-values-range":[0,4],"maxLen":64,"value":null},
		{"iid":4,"type":"4C","perms":[],"format":"data"},
		{"iid":5,"type":"22","perms":null,"format":"bool","value":1,"description":"Motion"}]}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	service := list[0].Services[0]
	if list[0].AID != 18446744073709551615 || service.IID != 1099511627776 || service.Type != ServiceThermostat || !service.Primary || service.Hidden || !reflect.DeepEqual(service.Linked, []uint64{3}) {
		t.Errorf("the service is %+v", service)
	}
	target, ok := service.Find(CharacteristicTargetTemperature)
	if !ok || *target.MinValue != 7 || *target.MaxValue != 30 || *target.MinStep != 0.5 || string(target.Value) != "21.5" || !target.Has(PermEvents) || target.Has(PermTimedWrite) {
		t.Errorf("the target is %+v", target)
	}
	if limits := service.Characteristics[1]; !reflect.DeepEqual(limits.ValidValues, []int64{1, 3, 4}) || !reflect.DeepEqual(limits.ValidRange, []int64{0, 4}) || limits.MaxLen != 64 || limits.Value != nil {
		t.Errorf("the limits are %+v", limits)
	}
	if bare := service.Characteristics[2]; bare.Value != nil || len(bare.Perms) != 0 {
		t.Errorf("the bare one is %+v", bare)
	}
	if on, ok := BoolOf(service.Characteristics[3].Value); !on || !ok {
		t.Error("1 is not true")
	}
	if _, ok := service.Find(CharacteristicMute); ok {
		t.Error("found what is not there")
	}
	if _, ok := list[0].Find(ServiceSwitch); ok {
		t.Error("found a service that is not there")
	}
	sameAfterEncoding(t, list[:1:1])
}

func TestDecodeRefuses(t *testing.T) {
	for name, raw := range map[string]string{
		"nothing":             ``,
		"another object":      `{"characteristics":[]}`,
		"a null list":         `{"accessories":null}`,
		"a number":            `5`,
		"half a list":         `[{"aid":1`,
		"more after the end":  `[] []`,
		"a negative aid":      `[{"aid":-1}]`,
		"an aid of 65 bits":   `[{"aid":18446744073709551616}]`,
		"a type that is none": `[{"aid":1,"services":[{"iid":1,"type":"lamp","characteristics":[]}]}]`,
		"no service type":     `[{"aid":1,"services":[{"iid":1,"characteristics":[]}]}]`,
		"no type":             `[{"aid":1,"services":[{"iid":1,"type":"4A","characteristics":[{"iid":2}]}]}]`,
		"half a length":       `[{"aid":1,"services":[{"iid":1,"type":"4A","characteristics":[{"iid":2,"type":"4A","maxLen":1.5}]}]}]`,
	} {
		if list, err := DecodeAccessories([]byte(raw)); err == nil || !strings.HasPrefix(err.Error(), "read accessories: ") {
			t.Errorf("%s gives %+v, %v", name, list, err)
		}
	}
}

func TestEncodeAccessories(t *testing.T) {
	seven := 7.0
	list := []Accessory{{AID: 1, Services: []Service{{IID: 8, Type: ServiceThermostat, Primary: true, Characteristics: []Characteristic{
		{IID: 9, Type: CharacteristicTargetTemperature, Perms: []Perm{PermRead}, Format: FormatFloat, Unit: "celsius", MinValue: &seven, Value: json.RawMessage("21.5")},
		{IID: 10, Type: CharacteristicProgrammableSwitchEvent, Perms: []Perm{PermRead, PermEvents}, Format: FormatUint8, ValidValues: []int64{0, 2}},
		{IID: 11, Type: CharacteristicNetatmoNoise, Format: FormatBool},
	}}}}}
	want := `{"accessories":[{"aid":1,"services":[{"iid":8,"type":"4A","primary":true,"characteristics":[` +
		`{"iid":9,"type":"35","perms":["pr"],"format":"float","value":21.5,"unit":"celsius","minValue":7},` +
		`{"iid":10,"type":"73","perms":["pr","ev"],"format":"uint8","value":null,"valid-values":[0,2]},` +
		`{"iid":11,"type":"B3BBFABC-D78C-5B8D-948C-5DAC1EE2CDE5","perms":[],"format":"bool"}]}]}]}`
	if got, err := EncodeAccessories(list); err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	if got, err := EncodeAccessories(nil); err != nil || string(got) != `{"accessories":[]}` {
		t.Errorf("an empty database is %s, %v", got, err)
	}
	list[0].Services[0].Characteristics[0].Value = json.RawMessage("NaN")
	if got, err := EncodeAccessories(list); err == nil {
		t.Errorf("a value that is no JSON gives %s", got)
	}
}

func TestValues(t *testing.T) {
	for raw, want := range map[string]float64{"1": 1, "true": 1, "false": 0, "-7.5": -7.5, "1e2": 100} {
		if got, ok := NumberOf(json.RawMessage(raw)); !ok || got != want {
			t.Errorf("%s is the number %v, %t", raw, got, ok)
		}
	}
	for _, raw := range []string{"", "null", `"1"`, "NaN", "Inf", "+1", "[1]", "1e999"} {
		if got, ok := NumberOf(json.RawMessage(raw)); ok {
			t.Errorf("%s is taken for the number %v", raw, got)
		}
	}
	for _, raw := range []string{"", "null", "2", `"true"`} {
		if _, ok := BoolOf(json.RawMessage(raw)); ok {
			t.Errorf("%s is taken for a bool", raw)
		}
	}
	if got, ok := TextOf(json.RawMessage(`"a\u00e9"`)); !ok || got != "aé" {
		t.Errorf("got %q, %t", got, ok)
	}
	for _, raw := range []string{"", "null", "1", `"a`} {
		if got, ok := TextOf(json.RawMessage(raw)); ok {
			t.Errorf("%s is taken for the text %q", raw, got)
		}
	}
}

func FuzzDecodeAccessories(f *testing.F) {
	for _, raw := range dumps(f) {
		if len(raw) < 7_000 {
			f.Add(raw)
		}
	}
	f.Add([]byte(`{"accessories":[{"aid":1,"services":[{"iid":1,"type":"4A","primary":1,"characteristics":[{"iid":2,"type":"35","perms":["pr"],"value":1e2,"valid-values":[1]}]}]}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		list, err := DecodeAccessories(raw)
		if err != nil {
			return
		}
		again, err := EncodeAccessories(list)
		if err != nil {
			t.Fatalf("%s was read but cannot be written: %v", raw, err)
		}
		if _, err := DecodeAccessories(again); err != nil {
			t.Fatalf("%s was written as %s: %v", raw, again, err)
		}
	})
}
