package hap

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func newTestDatabase(t testing.TB, accessories []Accessory) *database {
	t.Helper()
	d, err := newDatabase(accessories)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// sameJSON compares by content, with numbers as they are written.
func sameJSON(t testing.TB, a, b []byte) bool {
	t.Helper()
	var values [2]any
	for i, raw := range [][]byte{a, b} {
		decoder := json.NewDecoder(strings.NewReader(string(raw)))
		decoder.UseNumber()
		if err := decoder.Decode(&values[i]); err != nil {
			t.Fatalf("%.200s is no JSON: %v", raw, err)
		}
	}
	return reflect.DeepEqual(values[0], values[1])
}

func TestEncodedDatabaseIsWhatTheWireWouldWrite(t *testing.T) {
	accessories := house(3)
	// A description that looks like JSON must not confuse where values go.
	accessories[1].Services[1].Characteristics[0].Description = `"value":null,"x"`
	want, err := EncodeAccessories(accessories)
	if err != nil {
		t.Fatal(err)
	}
	d := newTestDatabase(t, accessories)
	if got := d.encode(); !sameJSON(t, got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	d.points[CharacteristicID{2, iidCurrent}].set(NumberValue(22.5))
	d.points[CharacteristicID{3, iidCurrent}].set(nil)
	accessories[1].Services[1].Characteristics[0].Value = NumberValue(22.5)
	accessories[2].Services[1].Characteristics[0].Value = nil
	if want, err = EncodeAccessories(accessories); err != nil {
		t.Fatal(err)
	}
	if got := d.encode(); !sameJSON(t, got, want) {
		t.Errorf("after two changes got\n%s\nwant\n%s", got, want)
	}
}

// Whatever real devices publish, a server of ours can publish too, as the fakes of other tests do.
func TestServeEveryDump(t *testing.T) {
	all := dumps(t)
	if len(all) == 0 {
		t.Skip("the recorded dumps are not beside the checkout (../shared/fixtures/homekit-accessories)")
	}
	for name, raw := range all {
		t.Run(name, func(t *testing.T) {
			accessories, err := DecodeAccessories(raw)
			if err != nil {
				t.Fatal(err)
			}
			d := newTestDatabase(t, accessories)
			again, err := DecodeAccessories(d.encode())
			if err != nil {
				t.Fatal(err)
			}
			for i, accessory := range again {
				if len(accessory.Services) != len(accessories[i].Services) {
					t.Errorf("accessory %d has %d services, want %d", accessory.AID, len(accessory.Services), len(accessories[i].Services))
				}
			}
		})
	}
}

func TestNewDatabaseRefuses(t *testing.T) {
	tests := []struct {
		name   string
		damage func([]Accessory) []Accessory
		reason string
	}{
		{"nothing", func([]Accessory) []Accessory { return nil }, "accessory 1 is missing"},
		{"no bridge", func(a []Accessory) []Accessory { return a[1:] }, "accessory 1 is missing"},
		{"two of one aid", func(a []Accessory) []Accessory { a[2].AID = 2; return a }, "accessory 2: the id is 0 or there twice"},
		{"aid 0", func(a []Accessory) []Accessory { a[1].AID = 0; return a }, "accessory 0"},
		{"too many", func([]Accessory) []Accessory { return house(AccessoriesMax) }, "151 accessories"},
		{"no information", func(a []Accessory) []Accessory { a[1].Services = a[1].Services[1:]; return a }, "Accessory Information"},
		{"two characteristics of one iid", func(a []Accessory) []Accessory {
			a[1].Services[1].Characteristics[0].IID = iidTarget
			return a
		}, "characteristic 11"},
		{"two services of one iid", func(a []Accessory) []Accessory { a[1].Services[1].IID = 1; return a }, "service 1"},
		{"service without type", func(a []Accessory) []Accessory { a[1].Services[1].Type = ""; return a }, "service 8"},
		{"characteristic without format", func(a []Accessory) []Accessory {
			a[1].Services[1].Characteristics[0].Format = ""
			return a
		}, "characteristic 10 11: format"},
		{"value out of range", func(a []Accessory) []Accessory {
			a[1].Services[1].Characteristics[0].Value = NumberValue(61)
			return a
		}, "61 is more than 60"},
		{"too many services", func(a []Accessory) []Accessory {
			for i := range servicesMax {
				a[1].Services = append(a[1].Services, Service{IID: 1000 + uint64(i), Type: ServiceSwitch})
			}
			return a
		}, "106 services"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := newDatabase(test.damage(house(2)))
			if err == nil || !strings.Contains(err.Error(), test.reason) {
				t.Errorf("error %v, want one with %q", err, test.reason)
			}
		})
	}
}

func TestNewDatabaseNamesEveryFault(t *testing.T) {
	accessories := house(2)
	accessories[1].Services[1].Characteristics[0].Format = "complex"
	accessories[2].Services[2].IID = 1
	_, err := newDatabase(accessories)
	for _, want := range []string{"accessory 2", "complex", "accessory 3", "service 1"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not name %q", err, want)
		}
	}
}

func TestFingerprint(t *testing.T) {
	before := newTestDatabase(t, house(2)).layout
	tests := []struct {
		name   string
		change func([]Accessory) []Accessory
		differ bool
	}{
		{"nothing", func(a []Accessory) []Accessory { return a }, false},
		{"a value", func(a []Accessory) []Accessory {
			a[1].Services[1].Characteristics[0].Value = NumberValue(-3)
			return a
		}, false},
		{"a value that is gone", func(a []Accessory) []Accessory {
			a[1].Services[1].Characteristics[0].Value = nil
			return a
		}, false},
		{"a name, which is a value", func(a []Accessory) []Accessory { a[1].Services[0] = information("other", "1.0"); return a }, false},
		{"the firmware", func(a []Accessory) []Accessory { a[1] = device(2, "1.1"); return a }, true},
		{"one device more", func(a []Accessory) []Accessory { return append(a, device(4, "1.0")) }, true},
		{"one device less", func(a []Accessory) []Accessory { return a[:2] }, true},
		{"another limit", func(a []Accessory) []Accessory {
			a[1].Services[1].Characteristics[0].MaxValue = new(50.0)
			return a
		}, true},
		{"another permission", func(a []Accessory) []Accessory {
			a[1].Services[1].Characteristics[0].Perms = permsRead
			return a
		}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			after := newTestDatabase(t, test.change(house(2))).layout
			if differ := after != before; differ != test.differ {
				t.Errorf("the fingerprint differs: %t, want %t", differ, test.differ)
			}
		})
	}
}

func TestPointSet(t *testing.T) {
	d := newTestDatabase(t, house(1))
	tests := []struct {
		name  string
		iid   uint64
		value json.RawMessage
		tell  bool
		known string
	}{
		{"another value", iidCurrent, NumberValue(20), true, "20"},
		{"the same again", iidCurrent, NumberValue(20), false, "20"},
		{"nothing to show", iidCurrent, nil, false, ""},
		{"something again", iidCurrent, NumberValue(20), true, "20"},
		{"a press", iidButton, NumberValue(0), true, "null"},
		{"the same press again", iidButton, NumberValue(0), true, "null"},
		{"no press", iidButton, nil, false, "null"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := d.points[CharacteristicID{2, test.iid}]
			if tell := p.set(test.value); tell != test.tell {
				t.Errorf("controllers should hear of it: %t, want %t", tell, test.tell)
			}
			if got := string(p.known()); got != test.known {
				t.Errorf("known is %q, want %q", got, test.known)
			}
		})
	}
}
