package mqtt

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/veilleuse/veilleuse/gateway"
)

func TestAnnouncements(t *testing.T) {
	v := newView("veilleuse", newAnnouncer("homeassistant", "veilleuse", "1.2.3"), 41)
	v.show(smallHouse())
	all := sent(v)
	for topic := range all {
		if !strings.HasPrefix(topic, "homeassistant/") {
			delete(all, topic)
		}
	}
	golden(t, "discovery.golden", pretty(t, all))
}

// What Home Assistant 2026.11 demands of every announcement (mqtt/schemas.py).
func TestAnnouncementsHaveWhatIsRequired(t *testing.T) {
	v := newView("my/house", newAnnouncer("ha", "my/house", ""), 41)
	v.show(smallHouse())
	unique := make(map[string]string)
	announced := 0
	for topic, text := range sent(v) {
		if !strings.HasPrefix(topic, "ha/device/my-house") {
			continue
		}
		announced++
		var a struct {
			Device struct {
				Identifiers []string
				Name        string
				Via         string `json:"via_device"`
			}
			Origin       struct{ Name, URL string }
			Availability []struct{ Topic string }
			Mode         string `json:"availability_mode"`
			Components   map[string]map[string]any
		}
		if err := json.Unmarshal([]byte(text), &a); err != nil {
			t.Fatal(err)
		}
		if len(a.Device.Identifiers) != 1 || a.Device.Name == "" || a.Origin.Name == "" || a.Mode != "all" {
			t.Errorf("%s: %+v", topic, a)
		}
		own := a.Device.Identifiers[0] == "my-house"
		if !own && (len(a.Availability) != 2 || a.Device.Via != "my-house") || a.Availability[0].Topic != "my/house/status" {
			t.Errorf("%s: availability %v via %q", topic, a.Availability, a.Device.Via)
		}
		for name, c := range a.Components {
			id, _ := c["unique_id"].(string)
			if other, taken := unique[id]; taken || id == "" {
				t.Errorf("%s %s: unique id %q is taken by %s", topic, name, id, other)
			}
			unique[id] = topic + " " + name
			if c["platform"] == nil {
				t.Errorf("%s %s has no platform", topic, name)
			}
		}
	}
	if want := 1 + 1 + len(devices()); announced != want { // Veilleuse, the heated room, the devices
		t.Errorf("%d devices announced, want %d", announced, want)
	}
}

func TestEveryQuantityIsAnnouncedOrLeftOutOnPurpose(t *testing.T) {
	onPurpose := map[gateway.Quantity]bool{gateway.Mode: true, gateway.TimetableID: true, gateway.Look: true}
	for _, q := range []gateway.Quantity{
		gateway.Temperature, gateway.Target, gateway.Humidity, gateway.CO2, gateway.Noise, gateway.Pressure, gateway.Rain,
		gateway.RainToday, gateway.Wind, gateway.WindAngle, gateway.Gust, gateway.GustAngle, gateway.HealthIndex,
		gateway.AirQuality, gateway.Battery, gateway.LowBattery, gateway.Motion, gateway.Contact, gateway.Smoke, gateway.CO,
		gateway.COLevel, gateway.COPeak, gateway.Tampered, gateway.Fault, gateway.Siren, gateway.Ring, gateway.Monitoring,
		gateway.Floodlight, gateway.On, gateway.Brightness, gateway.Position, gateway.Power, gateway.Boiler,
		gateway.HeatingRequest, gateway.OpenWindow, gateway.Mode, gateway.TimetableID, gateway.Look, gateway.Lock,
		gateway.SDCard, gateway.PowerSupply, gateway.Signal, gateway.Firmware, gateway.Snapshot,
	} {
		s, ok := sensors[q]
		if ok == onPurpose[q] {
			t.Errorf("%s: announced %v", q, ok)
		}
		if ok && s.class == "" && s.name == "" {
			t.Errorf("%s has no name", q)
		}
	}
}

func TestALostComponentIsTakenBack(t *testing.T) {
	a := newAnnouncer("homeassistant", "veilleuse", "")
	camera := devices()[1]
	components := func(d gateway.Device) map[string]map[string]any {
		var got struct{ Components map[string]map[string]any }
		text, _ := a.device("x", d, "")
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		return got.Components
	}
	before := components(camera)
	if before["siren-set"]["platform"] != "siren" || before["siren"] != nil {
		t.Errorf("a siren that can be set is announced as %v and %v", before["siren-set"], before["siren"])
	}
	camera.Faces = nil
	for range 2 {
		after := components(camera)
		if len(after["siren-set"]) != 1 || after["siren-set"]["platform"] != "siren" {
			t.Errorf("the lost siren is announced as %v, want its platform alone", after["siren-set"])
		}
		if after["siren"]["platform"] != "binary_sensor" {
			t.Errorf("the siren that can only be heard is announced as %v", after["siren"])
		}
	}
	a.forget(deviceTopics + "x")
	if after := components(camera); after["siren-set"] != nil {
		t.Errorf("a forgotten device is announced with %v", after["siren-set"])
	}
}

func TestWhatHasNoNameIsCalledByItsID(t *testing.T) {
	a := newAnnouncer("homeassistant", "veilleuse", "")
	device, _ := a.device("x", gateway.Device{ID: "12:34"}, "")
	room := a.room("y", gateway.Room{ID: "56"}, limits{7, 28})
	if !strings.Contains(string(device), `"name":"12:34"`) || !strings.Contains(string(room), `"name":"56"`) {
		t.Errorf("got %s\n%s", device, room)
	}
}

func TestLooksAlike(t *testing.T) {
	d := devices()[0]
	change := map[string]func(*gateway.Device){
		"name":     func(d *gateway.Device) { d.Name = "other" },
		"model":    func(d *gateway.Device) { d.Model = "other" },
		"room":     func(d *gateway.Device) { d.Room = "other" },
		"quantity": func(d *gateway.Device) { d.Readings = d.Readings[1:] },
		"another quantity instead": func(d *gateway.Device) {
			d.Readings = append([]gateway.Measure{reading(gateway.CO2, gateway.Number(1), "x")}, d.Readings[1:]...)
		},
		"firmware": func(d *gateway.Device) {
			*d = d.WithReading(reading(gateway.Firmware, gateway.Word("80"), gateway.CloudAdapter))
		},
		"control": func(d *gateway.Device) {
			f := d.Faces[1]
			f.Controls = []gateway.Control{{Quantity: gateway.Target, Min: 5, Max: 30}}
			*d = d.WithFace(f)
		},
		"face": func(d *gateway.Device) { d.Faces = d.Faces[:1] },
	}
	for name, f := range change {
		other := d
		f(&other)
		if looksAlike(d, other) {
			t.Errorf("another %s is not noticed", name)
		}
	}
	same := d.WithReading(reading(gateway.Temperature, gateway.Number(3), gateway.AccessoryAdapter))
	if same = same.WithFace(gateway.Face{Adapter: gateway.CloudAdapter, Reaches: true}); !looksAlike(d, same) {
		t.Error("a new temperature or path is announced anew")
	}
}

func TestADeviceThatHasShownNothingIsNotAnnounced(t *testing.T) {
	v := newView("veilleuse", newAnnouncer("homeassistant", "veilleuse", ""), 0)
	var s gateway.State
	s.Devices = s.Devices.With("12:34", gateway.Device{ID: "12:34"})
	v.show(s)
	const topic = "homeassistant/device/veilleuse-device-12-34/config"
	if text, ok := sent(v)[topic]; ok {
		t.Errorf("announced as %s", text)
	}
	s.Devices = s.Devices.With("12:34", withReadings(gateway.Device{ID: "12:34"}, reading(gateway.CO2, gateway.Number(600), "netatmo")))
	v.show(s)
	if text := sent(v)[topic]; !strings.Contains(text, "carbon_dioxide") {
		t.Errorf("after its first reading announced as %q", text)
	}
}
