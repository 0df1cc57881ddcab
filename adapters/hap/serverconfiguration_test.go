package hap

import (
	"reflect"
	"testing"
)

func TestTXT(t *testing.T) {
	store := newMemoryStore()
	s := startServerOn(t, store, house(1), nil)
	id := s.options.Identity
	want := map[string]string{"pv": "1.1", "s#": "1", "ff": "0", "sf": "1", "ci": "2", "md": "Veilleuse", "id": id.DeviceID,
		"c#": "1", "sh": SetupHash(id.SetupID, id.DeviceID)}
	got := s.TXT()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	got["c#"] = "99"
	if s.TXT()["c#"] != "1" {
		t.Error("two callers share a map")
	}
	if want := SetupURI(2, id.SetupCode, id.SetupID); s.SetupURI() != want {
		t.Errorf("setup URI %s, want %s", s.SetupURI(), want)
	}
}

func TestConfigurationNumber(t *testing.T) {
	store := newMemoryStore()
	number := func(s *testServer) string { return s.TXT()["c#"] }
	steps := []struct {
		name        string
		accessories func() []Accessory
		want        string
	}{
		{"first", func() []Accessory { return house(1) }, "1"},
		{"restart", func() []Accessory { return house(1) }, "1"},
		{"other values", func() []Accessory {
			list := house(1)
			list[1].Services[1].Characteristics[0].Value = NumberValue(25)
			return list
		}, "1"},
		{"a device more", func() []Accessory { return house(2) }, "2"},
		{"new firmware", func() []Accessory { return append(house(1), device(3, "2.0")) }, "3"},
		{"back again", func() []Accessory { return house(2) }, "4"},
	}
	for _, step := range steps {
		s := startServerOn(t, store, step.accessories(), nil)
		if got := number(s); got != step.want {
			t.Errorf("%s: c#=%s, want %s", step.name, got, step.want)
		}
		s.stop()
	}
	store.values[configurationKey] = []byte(`{"number":65535,"layout":"x"}`)
	if got := number(startServerOn(t, store, house(1), nil)); got != "1" {
		t.Errorf("after 65535 comes %s", got)
	}
}
