package netatmo

import (
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

func weatherOf(t *testing.T, all []deviceStatus, id gateway.DeviceID) deviceStatus {
	t.Helper()
	for _, d := range all {
		if d.Device == id {
			return d
		}
	}
	t.Fatalf("no device %s", id)
	return deviceStatus{}
}

func TestStationsOfPyatmo(t *testing.T) {
	a := fixtureAnswer(t, "pyatmo/getstationsdata.json")
	a.at = time.Unix(1_650_000_000, 0) // it was put together from answers of several years
	all := readWeather(a, "91763b24c43d3e344f424e8b", time.Now())
	number, flag := gateway.Number, gateway.Flag
	for _, c := range []struct {
		device   gateway.DeviceID
		quantity gateway.Quantity
		want     gateway.Value
	}{
		{"12:34:56:37:11:ca", gateway.Temperature, number(24.6)},
		{"12:34:56:37:11:ca", gateway.CO2, number(749)},
		{"12:34:56:37:11:ca", gateway.Noise, number(37)},
		{"12:34:56:37:11:ca", gateway.Pressure, number(1017.3)},
		{"12:34:56:37:11:ca", gateway.Signal, number(45)},
		{"12:34:56:36:fc:de", gateway.Battery, number(87)},
		{"12:34:56:36:fc:de", gateway.LowBattery, flag(false)},
		{"12:34:56:03:1b:e5", gateway.Wind, number(4)},
		{"12:34:56:03:1b:e5", gateway.WindAngle, number(217)},
		{"12:34:56:03:1b:e5", gateway.Gust, number(9)},
		{"12:34:56:80:c1:ea", gateway.Rain, number(0)}, // in the last hour, though 3.7 in the last interval
		{"12:34:56:80:c1:ea", gateway.RainToday, number(6.9)},
	} {
		if got := weatherOf(t, all, c.device).reads(c.quantity); got != c.want {
			t.Errorf("%s of %s: %v, want %v", c.quantity, c.device, got, c.want)
		}
	}
	if d := weatherOf(t, all, "12:34:56:37:11:ca"); d.measured.Unix() != 1559413171 || d.Name != "NetatmoIndoor" || d.Model != "NAMain" || d.Bridge != "" {
		t.Errorf("station %+v, measured %v", d.Found, d.measured)
	}
	if d := weatherOf(t, all, "12:34:56:36:fc:de"); d.Bridge != "12:34:56:37:11:ca" || d.Name != "NetatmoOutdoor" {
		t.Errorf("module %+v", d.Found)
	}
	lost := weatherOf(t, all, "12:34:56:80:1c:42")
	if lost.reaches != gateway.No || lost.reads(gateway.Temperature).Known() || lost.reads(gateway.Battery) != number(27) {
		t.Errorf("an unreachable module has no dashboard: %+v", lost)
	}
}

func TestStationsOfOthersAreLeftOut(t *testing.T) {
	all := readWeather(fixtureAnswer(t, "pyatmo/getstationsdata.json"), "91763b24c43d3e344f424e8b", time.Now())
	for _, d := range all {
		switch d.Device {
		case "12 :34: 56:36:fd:3c", "12:34:56:05:25:6e":
			t.Errorf("%s was lent for reading by somebody else", d.Device)
		case "00:11:22:2c:be:c8", "00:11:22:2c:ce:b6":
			t.Errorf("%s is a favourite of another family's", d.Device)
		}
	}
	for _, d := range readWeather(fixtureAnswer(t, "pyatmo/getstationsdata.json"), "another home", time.Now()) {
		if d.Device == "12:34:56:80:bb:26" {
			t.Error("a station of another home of the account is taken for ours")
		}
	}
}

// A module that was moved is listed under its first station as never seen, under the second as it is.
func TestModuleThatWasMoved(t *testing.T) {
	a := fixtureAnswer(t, "pyatmo/getstationsdata.json")
	a.at = time.Unix(1_650_000_000, 0)
	d := weatherOf(t, readWeather(a, "", time.Now()), "12:34:56:32:db:06")
	if d.reaches != gateway.Yes || d.Bridge != "12:34:56:1c:68:2e" || d.Name != "Ute" || d.reads(gateway.Temperature) != gateway.Number(6.4) {
		t.Errorf("%+v %v", d.Found, d.readings)
	}
}

func TestCoachesOfPyatmo(t *testing.T) {
	a := fixtureAnswer(t, "pyatmo/gethomecoachsdata.json")
	a.at = time.Unix(1_650_000_000, 0)
	all := readWeather(a, "x", time.Now())
	if len(all) != 5 {
		t.Fatalf("%d coaches", len(all))
	}
	if d := weatherOf(t, all, "12:34:56:3e:c5:46"); d.reads(gateway.HealthIndex) != gateway.Number(1) || d.Name != "Parents Bedroom" || d.reaches != gateway.Yes {
		t.Errorf("%+v %v", d.Found, d.readings)
	}
	if d := weatherOf(t, all, "12:34:56:26:69:0c"); d.reaches != gateway.No || d.Name != "Bedroom" || d.reads(gateway.CO2).Known() {
		t.Errorf("%+v %v", d.Found, d.readings)
	}
	if d := weatherOf(t, all, "12:34:56:25:cf:a8"); d.reaches != gateway.Yes || d.reads(gateway.CO2).Known() {
		t.Errorf("a coach that is reachable but has no dashboard: %+v %v", d.Found, d.readings)
	}
	if none := readWeather(fixtureAnswer(t, "pyatmo-archive/home_coach_no_devices.json"), "x", time.Now()); len(none) != 0 {
		t.Errorf("%d coaches in an account without", len(none))
	}
}

func TestOlderStations(t *testing.T) {
	a := fixtureAnswer(t, "pyatmo-archive/weatherstation_data_simple.json")
	all := readWeather(a, "5fb36b9ec68fd10c6467ca65", time.Now())
	if d := weatherOf(t, all, "12:34:56:58:c8:54"); d.Name != "Njurunda (Indoor)" {
		t.Errorf("a station without module_name is called %q", d.Name)
	}
	if d := weatherOf(t, all, "12:34:56:58:e6:38"); d.Name != "" || d.Model != "NAModule1" {
		t.Errorf("a module without a name: %+v", d.Found)
	}
}

func TestNeverMeasured(t *testing.T) {
	d := readStation(readObject([]byte(`{"_id":"a","type":"NAModule1","battery_percent":100,"reachable":false,"firmware":255,"last_message":0,"last_seen":0,"rf_status":255,"battery_vp":65535}`)), "b", time.Now())
	if len(d.readings) != 0 || d.reaches != gateway.No {
		t.Errorf("a module that was never seen: %+v", d)
	}
}
