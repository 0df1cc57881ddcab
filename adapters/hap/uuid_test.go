package hap

import (
	"encoding/json"
	"testing"
)

func TestParseUUID(t *testing.T) {
	for text, want := range map[string]UUID{
		"4A":                                   ServiceThermostat,
		"4a":                                   ServiceThermostat,
		"0000004a":                             ServiceThermostat,
		"0000003E-0000-1000-8000-0026BB765291": ServiceAccessoryInformation,
		"00000121-0000-1000-8000-0026bb765291": ServiceDoorbell,
		"b3bbfabc-d78c-5b8d-948c-5dac1ee2cde5": CharacteristicNetatmoNoise,
		"00000004-4ddb-598f-a73f-006513f2db6b": ServiceNetatmoCarbonMonoxide,
		"00000000-0000-1000-8000-0026BB765291": "0",
	} {
		got, err := ParseUUID(text)
		if err != nil || got != want {
			t.Errorf("%s is %s, %v, want %s", text, got, err, want)
		}
		if again, err := ParseUUID(got.Long()); err != nil || again != got || len(got.Long()) != 36 {
			t.Errorf("%s has the long form %s, which is %s, %v", got, got.Long(), again, err)
		}
	}
	for _, text := range []string{"", "thermostat", "123456789", "-0000-1000-8000-0026BB765291", "b3bbfabc-d78c-5b8d-948c-5dac1ee2cde",
		"b3bbfabcd-78c-5b8d-948c-5dac1ee2cde5", "b3bbfabc-d78c-5b8d-948c-5dac1ee2cdeg", "b3bb-fabc-d78c-5b8d-948c5dac1ee2cde55"} {
		if got, err := ParseUUID(text); err == nil {
			t.Errorf("%q is taken for %s", text, got)
		}
	}
}

func TestUUIDInJSON(t *testing.T) {
	var got []UUID
	if err := json.Unmarshal([]byte(`["0000004a-0000-1000-8000-0026bb765291","3e"]`), &got); err != nil || got[0] != "4A" || got[1] != "3E" {
		t.Fatalf("%v, %v", got, err)
	}
	for _, raw := range []string{`[1]`, `["x"]`, `[""]`} {
		if err := json.Unmarshal([]byte(raw), &got); err == nil {
			t.Errorf("%s is taken for %v", raw, got)
		}
	}
}
