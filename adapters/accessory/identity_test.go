package accessory

import (
	"slices"
	"testing"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
)

// named is an accessory with nothing but its information, and perhaps a service more.
func named(aid uint64, maker, model, name, serial string, services ...hap.Service) hap.Accessory {
	text := func(iid uint64, kind hap.UUID, value string) hap.Characteristic {
		return hap.Characteristic{IID: iid, Type: kind, Perms: []hap.Perm{hap.PermRead}, Format: hap.FormatString, Value: hap.TextValue(value)}
	}
	return hap.Accessory{AID: aid, Services: append([]hap.Service{{IID: 1, Type: hap.ServiceAccessoryInformation, Characteristics: []hap.Characteristic{
		text(2, hap.CharacteristicManufacturer, maker), text(3, hap.CharacteristicModel, model),
		text(4, hap.CharacteristicName, name), text(5, hap.CharacteristicSerialNumber, serial)}}}, services...)}
}

func TestIdentity(t *testing.T) {
	const home = "12:34:56:20:D0:C5"
	bare := gateway.DeviceID("12345620d0c5")
	for _, test := range []struct {
		name  string
		given hap.Accessory
		id    gateway.DeviceID
		also  []gateway.DeviceID
	}{
		{"a hardware address of six bytes is the id", named(1, "Netatmo", "", "", "70:EE:50:12:34:56"), "70:ee:50:12:34:56",
			[]gateway.DeviceID{"12:34:56:20:d0:c5", "netatmo:70:ee:50:12:34:56", bare}},
		{"so is one of eight bytes", named(7, "Legrand", "", "", "00:04:74:00:00:12:34:56"), "00:04:74:00:00:12:34:56",
			[]gateway.DeviceID{"12:34:56:20:d0:c5#7", "legrand:00:04:74:00:00:12:34:56"}},
		{"zeros are no address", named(1, "X", "", "", "00:00:00:00:00:00"), "12:34:56:20:d0:c5", []gateway.DeviceID{bare}},
		{"a placeholder is no identity", named(1, "Default-Manufacturer", "", "", "Default-SerialNumber"), "12:34:56:20:d0:c5", []gateway.DeviceID{bare}},
		{"a short number is no identity", named(2, "Philips", "", "", "1"), "12:34:56:20:d0:c5#2", nil},
		{"a count is no identity", named(2, "ecobee", "", "", "123456789012"), "12:34:56:20:d0:c5#2", nil},
		{"a maker's serial number is another name", named(2, "VELUX", "", "", "a11b11199"), "12:34:56:20:d0:c5#2", []gateway.DeviceID{"velux:a11b11199"}},
		{"Netatmo's short one also stands for the address", named(1, "Netatmo", "", "", "h00bcdc"), "12:34:56:20:d0:c5",
			[]gateway.DeviceID{"netatmo:h00bcdc", "02:00:00:00:bc:dc", bare}},
		{"nobody else's does", named(2, "Other", "", "", "g738658"), "12:34:56:20:d0:c5#2", []gateway.DeviceID{"other:g738658"}},
		{"padding is cut", named(1, "Netatmo\x00", "", "", " 70:ee:50:12:34:56\x00"), "70:ee:50:12:34:56",
			[]gateway.DeviceID{"12:34:56:20:d0:c5", "netatmo:70:ee:50:12:34:56", bare}},
	} {
		t.Run(test.name, func(t *testing.T) {
			devices, _ := Understand([]hap.Accessory{test.given}, About{HomeKitID: home})
			if len(devices) != 1 || devices[0].ID != test.id {
				t.Fatalf("got %+v, want the id %s", devices, test.id)
			}
			got := slices.Sorted(slices.Values(devices[0].Also))
			if want := slices.Sorted(slices.Values(test.also)); !slices.Equal(got, want) {
				t.Errorf("also %q, want %q", got, want)
			}
		})
	}
}

func TestTwoWithOneSerialStayTwo(t *testing.T) {
	list := []hap.Accessory{
		named(9, "Netatmo", "", "B", "04:00:00:00:00:01"), // the order of the database does not matter
		named(1, "Netatmo", "Netatmo Relay\x00", "Relay", "70:ee:50:00:00:01"),
		named(2, "Netatmo", "", "A", "04:00:00:00:00:01"),
	}
	devices, _ := Understand(list, About{HomeKitID: "AABBCCDDEEFF"})
	if len(devices) != 3 || devices[1].ID != "04:00:00:00:00:01" || devices[2].ID != "aa:bb:cc:dd:ee:ff#9" {
		t.Fatalf("got %+v", devices)
	}
	for _, d := range devices[1:] {
		if d.Bridge != "70:ee:50:00:00:01" {
			t.Errorf("%s is behind %q", d.ID, d.Bridge)
		}
		for _, other := range devices {
			if other.AID != d.AID && (slices.Contains(other.Also, d.ID) || slices.ContainsFunc(d.Also, func(name gateway.DeviceID) bool { return slices.Contains(other.Also, name) })) {
				t.Errorf("%s and %s share a name: %q, %q", d.ID, other.ID, d.Also, other.Also)
			}
		}
	}
	if devices[0].Model != "NAPlug" {
		t.Errorf("the relay's model is %q", devices[0].Model)
	}
}

func TestAnIDOnceGivenStays(t *testing.T) {
	list := []hap.Accessory{named(1, "Netatmo", "", "", "70:ee:50:00:00:01")}
	kept, _ := Understand(list, About{HomeKitID: "aa:bb:cc:dd:ee:ff", IDs: map[uint64]gateway.DeviceID{1: "aa:bb:cc:dd:ee:ff"}})
	if kept[0].ID != "aa:bb:cc:dd:ee:ff" || !slices.Contains(kept[0].Also, "70:ee:50:00:00:01") {
		t.Errorf("got %+v, want the id of before", kept[0])
	}
	taken := func(id gateway.DeviceID) bool { return id == "70:ee:50:00:00:01" }
	other, _ := Understand(list, About{HomeKitID: "aa:bb:cc:dd:ee:ff", Taken: taken})
	if other[0].ID != "aa:bb:cc:dd:ee:ff" || slices.Contains(other[0].Also, "70:ee:50:00:00:01") {
		t.Errorf("got %+v, want an id that is not another server's", other[0])
	}
}

func TestHardwareOutranksTheAid(t *testing.T) {
	// A relay that was reset deals its aids anew.
	list := []hap.Accessory{named(1, "N", "", "", ""), named(2, "N", "", "Bath", "04:00:00:00:00:02"), named(3, "N", "", "Bedroom", "04:00:00:00:00:01")}
	devices, _ := Understand(list, About{HomeKitID: "aa:bb:cc:dd:ee:ff",
		IDs: map[uint64]gateway.DeviceID{2: "04:00:00:00:00:01", 3: "04:00:00:00:00:02"}})
	if devices[1].ID != "04:00:00:00:00:02" || devices[2].ID != "04:00:00:00:00:01" {
		t.Errorf("the bath is %s, the bedroom is %s", devices[1].ID, devices[2].ID)
	}
	blank := []hap.Accessory{named(1, "N", "", "", ""), named(2, "N", "", "Bath", "")}
	devices, _ = Understand(blank, About{HomeKitID: "aa:bb:cc:dd:ee:ff", IDs: map[uint64]gateway.DeviceID{2: "04:00:00:00:00:02"}})
	if devices[1].ID != "04:00:00:00:00:02" {
		t.Errorf("a device that does not tell its serial number this time is %s", devices[1].ID)
	}
}

func TestModels(t *testing.T) {
	for text, want := range map[string]string{
		"Smart CO Alarm": "NCO", "Netatmo Doorbell": "NDB", "Healthy Home Coach": "NHC", "Healty Home Coach": "NHC",
		"Netatmo Relay\x00": "NAPlug", "Legrand Gateway": "NLG", "VELUX Window": "VELUX Window", "": "",
	} {
		if got := modelCode(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}
