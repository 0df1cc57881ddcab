package netatmo

import (
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

func TestEventsOfPyatmo(t *testing.T) {
	a := fixtureAnswer(t, "pyatmo/getevents.json")
	list := readEventList(a.body)
	if len(list) != 11 { // of 8 entries, two of which nest five parts
		t.Fatalf("%d events", len(list))
	}
	readings := newestReadings(list, a.at)
	want := map[readingKey]gateway.Reading{
		{"12:34:56:10:b9:0e", gateway.Motion}:  {Value: gateway.Flag(false), Measured: time.Unix(1645794718, 0).Add(motionHold)},
		{"12:34:56:00:f1:62", gateway.Motion}:  {Value: gateway.Flag(true), Measured: time.Unix(1645901266, 0)},
		{"12:34:56:00:86:99", gateway.Contact}: {Value: gateway.Flag(true), Measured: time.Unix(1645897638, 0)},
	}
	if len(readings) != len(want) {
		t.Errorf("%d readings: %+v", len(readings), readings)
	}
	for _, r := range readings {
		w := want[readingKey{r.Device, r.Quantity}]
		if r.Value != w.Value || !r.Measured.Equal(w.Measured) {
			t.Errorf("%s of %s is %v at %v, want %v at %v", r.Quantity, r.Device, r.Value, r.Measured, w.Value, w.Measured)
		}
	}
}

func TestOlderEventLists(t *testing.T) {
	until := readEventList(fixtureAnswer(t, "pyatmo-archive/camera_data_events_until.json").body)
	if len(until) != 6 { // the outdoor one nests two
		t.Errorf("%d events of geteventsuntil", len(until))
	}
	homes := readEventList(fixtureAnswer(t, "pyatmo-archive/camera_home_data.json").body)
	if len(homes) != 10 {
		t.Errorf("%d events of gethomedata", len(homes))
	}
	if n := len(readEventList(fixtureAnswer(t, "home-assistant/gethomedata.json").body)); n != 10 {
		t.Errorf("%d events of Home Assistant's gethomedata", n)
	}
	for _, e := range append(until, homes...) {
		if e.device == "" || e.at.IsZero() {
			t.Errorf("event %+v", e)
		}
	}
	for _, r := range newestReadings(homes, time.Unix(1560626960, 0)) {
		if r.Quantity == gateway.Fault {
			t.Errorf("a sound test gone well is a fault: %+v", r)
		}
	}
}

func TestEventReadings(t *testing.T) {
	for _, c := range []struct {
		name, kind, sub string
		quantity        gateway.Quantity
		want            gateway.Value // unknown: no reading
	}{
		{"smoke", "smoke", "1", gateway.Smoke, gateway.Flag(true)},
		{"smoke is over", "smoke", "0", gateway.Smoke, gateway.Flag(false)},
		{"smoke that does not say", "smoke", "", gateway.Smoke, gateway.Flag(true)},
		{"smoke of an unknown degree", "smoke", "7", gateway.Smoke, gateway.Flag(true)},
		{"carbon monoxide", "co_detected", "2", gateway.CO, gateway.Flag(true)},
		{"carbon monoxide, pre-alarm", "co_detected", "1", gateway.CO, gateway.Flag(true)},
		{"carbon monoxide is over", "co_detected", "0", gateway.CO, gateway.Flag(false)},
		{"tampered", "tampered", "1", gateway.Tampered, gateway.Flag(true)},
		{"ready again", "tampered", "0", gateway.Tampered, gateway.Flag(false)},
		{"dusty chamber", "detection_chamber_status", "1", gateway.Fault, gateway.Flag(true)},
		{"clean chamber, the other word", "chamber_status", "0", gateway.Fault, gateway.Flag(false)},
		{"sound test failed", "sound_test", "1", gateway.Fault, gateway.Flag(true)},
		{"sound test well", "sound_test", "0", gateway.SelfTest, gateway.Flag(true)},
		{"battery low", "battery_status", "0", gateway.LowBattery, gateway.Flag(true)},
		{"battery very low", "battery_status", "1", gateway.LowBattery, gateway.Flag(true)},
		{"siren", "siren_sounding", "", gateway.Siren, gateway.Flag(true)},
		{"card", "sd", "4", gateway.SDCard, gateway.Number(4)},
		{"card of an unknown state", "sd", "9", "", gateway.Value{}},
		{"power bad", "alim", "1", gateway.PowerSupply, gateway.Flag(false)},
		{"monitoring", "on", "", gateway.Monitoring, gateway.Flag(true)},
		{"monitoring off", "off", "", gateway.Monitoring, gateway.Flag(false)},
		{"floodlight", "light_mode", "auto", gateway.Floodlight, gateway.Word("auto")},
		{"floodlight that does not say", "light_mode", "", "", gateway.Value{}},
		{"door moved", "tag_big_move", "", gateway.Motion, gateway.Flag(true)},
		{"an animal", "animal", "", gateway.Motion, gateway.Flag(true)},
		{"hush, whose codes nobody agrees on", "hush", "1", "", gateway.Value{}},
		{"a daily summary", "daily_summary", "", "", gateway.Value{}},
		{"something new", "ufo", "1", "", gateway.Value{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, ok := event{kind: c.kind, sub: c.sub, device: "d", at: evening}.reading()
			if ok != c.want.Known() || ok && (r.Quantity != c.quantity || r.Value != c.want || !r.Measured.Equal(evening)) {
				t.Errorf("%+v, %v, want %s %v", r, ok, c.quantity, c.want)
			}
		})
	}
}

func TestSubTypeAsNumberOrWord(t *testing.T) {
	for _, in := range []string{`{"type":"smoke","sub_type":0,"device_id":"d","time":1560706271}`, `{"type":"smoke","sub_type":"0","module_id":"d","time":"1560706271"}`} {
		if r, ok := readEvent(readObject([]byte(in))).reading(); !ok || r.Value != gateway.Flag(false) {
			t.Errorf("%s: %+v, %v", in, r, ok)
		}
	}
}

// Of two events of one second the one that the vendor lists first, as the newer, counts.
func TestNewestOfEqualTimes(t *testing.T) {
	list := readEventList(readObject([]byte(`{"events":[
		{"type":"smoke","sub_type":1,"module_id":"d","time":1560706271},
		{"type":"smoke","sub_type":0,"module_id":"d","time":1560706271}]}`)))
	if r := newestReadings(list, time.Unix(1560706300, 0)); len(r) != 1 || r[0].Value != gateway.Flag(true) {
		t.Errorf("%+v", r)
	}
}

// The list goes back for days: an alarm in it that has no end must not set off sirens at a start, but
// that an alarm is over is always told.
func TestOldAlarmsAreNoNews(t *testing.T) {
	at := func(age time.Duration, kind, sub string) []gateway.Reading {
		return newestReadings([]event{{kind: kind, sub: sub, device: "d", at: evening.Add(-age)}}, evening)
	}
	for _, kind := range []string{"smoke", "co_detected"} {
		if r := at(50*time.Minute, kind, "1"); len(r) != 1 || !r[0].Value.Yes() {
			t.Errorf("%s of 50 min ago: %+v", kind, r)
		}
		if r := at(3*24*time.Hour, kind, "1"); len(r) != 0 {
			t.Errorf("%s of three days ago: %+v", kind, r)
		}
		if r := at(3*24*time.Hour, kind, "0"); len(r) != 1 || r[0].Value.Yes() {
			t.Errorf("the end of %s three days ago: %+v", kind, r)
		}
	}
}
