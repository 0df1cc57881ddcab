package accessory

import (
	"testing"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
)

func limits(low, high, step float64) hap.Characteristic {
	return hap.Characteristic{IID: 5, Format: hap.FormatFloat, MinValue: &low, MaxValue: &high, MinStep: &step,
		Perms: []hap.Perm{hap.PermRead, hap.PermWrite}}
}

func TestWhatIsWritten(t *testing.T) {
	target := meanings[hap.CharacteristicTargetTemperature]
	mode := meanings[hap.CharacteristicTargetHeatingCooling]
	on := meanings[hap.CharacteristicOn]
	brightness := meanings[hap.CharacteristicBrightness]
	whole := limits(0, 100, 1)
	whole.Format = hap.FormatInt
	heatOnly := limits(0, 3, 1)
	heatOnly.ValidValues = []int64{0, 1}
	ranged := limits(0, 3, 1)
	ranged.ValidRange = []int64{0, 1}
	boolean, bits := limits(0, 1, 1), limits(0, 1, 1)
	boolean.Format, bits.Format = hap.FormatBool, hap.FormatUint8
	for _, test := range []struct {
		name    string
		setting *Setting
		value   gateway.Value
		want    string // "" is refused
	}{
		{"a step", setting(hap.CharacteristicID{}, limits(7, 30, 0.5), target), gateway.Number(19.5), "19.5"},
		{"between steps", setting(hap.CharacteristicID{}, limits(7, 30, 0.5), target), gateway.Number(19.3), "19.5"},
		{"a tenth", setting(hap.CharacteristicID{}, limits(7, 30, 0.1), target), gateway.Number(20.3), "20.3"},
		{"steps that begin at the least value", setting(hap.CharacteristicID{}, limits(7.2, 33.3, 0.1), target), gateway.Number(21), "21"},
		{"the least", setting(hap.CharacteristicID{}, limits(10, 30, 0.5), target), gateway.Number(10), "10"},
		{"the most, off the grid", setting(hap.CharacteristicID{}, limits(7, 29.8, 0.5), target), gateway.Number(29.8), "29.5"},
		{"below", setting(hap.CharacteristicID{}, limits(10, 30, 0.5), target), gateway.Number(7), ""},
		{"above", setting(hap.CharacteristicID{}, limits(10, 30, 0.5), target), gateway.Number(30.5), ""},
		{"below the limits of the protocol", setting(hap.CharacteristicID{}, hap.Characteristic{Format: hap.FormatFloat}, target), gateway.Number(9), ""},
		{"unknown", setting(hap.CharacteristicID{}, limits(7, 30, 0.5), target), gateway.Value{}, ""},
		{"a word for a number", setting(hap.CharacteristicID{}, limits(7, 30, 0.5), target), gateway.Word("20"), ""},
		{"a whole number", setting(hap.CharacteristicID{}, whole, brightness), gateway.Number(33.4), "33"},
		{"on", setting(hap.CharacteristicID{}, boolean, on), gateway.Flag(true), "true"},
		{"on, as 1", setting(hap.CharacteristicID{}, bits, on), gateway.Flag(true), "1"},
		{"off, as 0", setting(hap.CharacteristicID{}, bits, on), gateway.Flag(false), "0"},
		{"a mode", setting(hap.CharacteristicID{}, limits(0, 3, 1), mode), gateway.Word("auto"), "3"},
		{"a mode that the device has not", setting(hap.CharacteristicID{}, heatOnly, mode), gateway.Word("auto"), ""},
		{"a mode out of its range", setting(hap.CharacteristicID{}, ranged, mode), gateway.Word("cool"), ""},
		{"a mode that nobody has", setting(hap.CharacteristicID{}, limits(0, 3, 1), mode), gateway.Word("away"), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			raw, err := test.setting.wire(test.value)
			if test.want == "" {
				if err == nil {
					t.Errorf("%v is written as %s, it should be refused", test.value, raw)
				}
				return
			}
			if err != nil || string(raw) != test.want {
				t.Errorf("%v is written as %s (%v), want %s", test.value, raw, err, test.want)
			}
		})
	}
}
