package netatmo

import (
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

func statusOf(t *testing.T, s homeStatus, id gateway.DeviceID) deviceStatus {
	t.Helper()
	for _, d := range s.devices {
		if d.Device == id {
			return d
		}
	}
	t.Fatalf("no device %s", id)
	return deviceStatus{}
}

// reads reports the value of a quantity, unknown if it is not there.
func (d deviceStatus) reads(q gateway.Quantity) gateway.Value {
	for _, v := range d.readings {
		if v.quantity == q {
			return v.value
		}
	}
	return gateway.Value{}
}

func (r roomStatus) reads(q gateway.Quantity) gateway.Value {
	return deviceStatus{readings: r.readings}.reads(q)
}

func TestHomestatusOfPyatmo(t *testing.T) {
	a := fixtureAnswer(t, "pyatmo/homestatus_91763b24c43d3e344f424e8b.json")
	s := readStatus(a, time.Now())
	if s.home != "91763b24c43d3e344f424e8b" || s.at.Unix() != 1559292039 || len(s.devices) != 46 || len(s.rooms) != 4 {
		t.Fatalf("home %s at %v, %d devices, %d rooms", s.home, s.at, len(s.devices), len(s.rooms))
	}
	if err := checkStatus(a, s, s.home); err != nil {
		t.Error(err)
	}
	number, flag, word := gateway.Number, gateway.Flag, gateway.Word
	for _, c := range []struct {
		device   gateway.DeviceID
		quantity gateway.Quantity
		want     gateway.Value
	}{
		{"12:34:56:00:01:ae", gateway.Boiler, flag(false)},
		{"12:34:56:00:01:ae", gateway.Battery, number(75)},
		{"12:34:56:00:01:ae", gateway.LowBattery, flag(false)},
		{"12:34:56:00:01:ae", gateway.Signal, number(58)},
		{"12:34:56:03:a5:54", gateway.Battery, number(90)},
		{"12:34:56:00:fa:d0", gateway.Signal, number(42)}, // its Wi-Fi: rf 107 means nothing on a relay
		{"12:34:56:20:f5:44", gateway.Temperature, gateway.Value{}},
		{"12:34:56:20:f5:8c", gateway.Battery, number(90)},
		{"10:20:30:bd:b8:1e", gateway.Boiler, flag(true)},
		{"12:34:56:80:bb:26", gateway.Temperature, number(18.9)},
		{"12:34:56:80:bb:26", gateway.CO2, number(498)},
		{"12:34:56:80:bb:26", gateway.Pressure, number(1034.8)},
		{"12:34:56:80:bb:26", gateway.Noise, number(47)},
		{"12:34:56:80:1c:42", gateway.Humidity, number(65)},
		{"12:34:56:00:f1:62", gateway.Monitoring, flag(true)},
		{"12:34:56:00:f1:62", gateway.SDCard, number(4)},
		{"12:34:56:00:f1:62", gateway.PowerSupply, flag(true)},
		{"12:34:56:10:b9:0e", gateway.Floodlight, word("auto")},
		{"12:34:56:10:b9:0e", gateway.Firmware, word("3.2.0")},
		{"12:34:56:00:e3:9b", gateway.Siren, flag(false)},
		{"12:34:56:00:e3:9b", gateway.LowBattery, flag(true)},
		{"12:34:56:00:86:99", gateway.Contact, gateway.Value{}}, // no_news
		{"0009999992", gateway.Position, number(0)},
		{"12:34:56:00:01:01:01:b5", gateway.Position, number(100)}, // a garage door tells its target only
		{"12:34:56:80:00:12:ac:f2", gateway.On, flag(true)},
		{"12:34:56:00:00:a1:4c:da", gateway.Power, number(476)},
		{"00:11:22:33:00:11:45:fe", gateway.Brightness, number(63)},
		{"12:34:56:00:01:01:01:b6#1", gateway.On, flag(false)},
	} {
		if got := statusOf(t, s, c.device).reads(c.quantity); got != c.want {
			t.Errorf("%s of %s: %v, want %v", c.quantity, c.device, got, c.want)
		}
	}
}

func TestReachOfDevices(t *testing.T) {
	s := readStatus(fixtureAnswer(t, "pyatmo/homestatus_91763b24c43d3e344f424e8b.json"), time.Now())
	for id, want := range map[gateway.DeviceID]gateway.Answer{
		"12:34:56:00:01:ae": gateway.Yes, "12:34:56:00:86:99": gateway.No, "12:34:56:80:00:c3:69:3c": gateway.No,
		"12:34:56:00:fa:d0": gateway.Yes, // a relay does not say
		"10:20:30:bd:b8:1e": gateway.Yes, // nor does a Smarther
	} {
		if got := statusOf(t, s, id).reaches; got != want {
			t.Errorf("%s reaches: %s, want %s", id, got, want)
		}
	}
	if d := statusOf(t, s, "12:34:56:80:00:c3:69:3c"); len(d.readings) != 0 {
		t.Errorf("a device that was never seen has values of nobody knows when: %v", d.readings)
	}
	at := time.Unix(1_700_000_000, 0)
	alarm := func(age time.Duration) deviceStatus {
		return readDevice(readObject([]byte(`{"id":"a","type":"NSD","last_seen":`+itoa(at.Add(-age).Unix())+`}`)), at)
	}
	if d := alarm(185 * time.Hour); d.reaches != gateway.Yes {
		t.Error("a smoke alarm last seen 7.7 days ago counts as lost")
	}
	if d := alarm(9 * 24 * time.Hour); d.reaches != gateway.No || d.why != "the vendor last heard of it on 5 November 2023" {
		t.Errorf("a smoke alarm last seen 9 days ago: %s, %q", d.reaches, d.why)
	}
	off := readDevice(readObject([]byte(`{"id":"a","type":"NACamera","monitoring":"disconnected"}`)), at)
	if off.reaches != gateway.No || off.reads(gateway.Monitoring).Known() {
		t.Errorf("a camera that is disconnected: %+v", off)
	}
}

func itoa(n int64) string { return gateway.Number(float64(n)).String() }

func TestRoomsOfPyatmo(t *testing.T) {
	s := readStatus(fixtureAnswer(t, "pyatmo/homestatus_91763b24c43d3e344f424e8b.json"), time.Now())
	living, kitchen, corridor := s.rooms[0], s.rooms[1], s.rooms[3]
	if living.Mode != gateway.RoomAway || living.Target != gateway.Number(12) || !living.Until.IsZero() || living.Since.Unix() != 1559229567 {
		t.Errorf("a room that is away without an end: %+v", living.CloudRoom)
	}
	if living.reads(gateway.Temperature) != gateway.Number(19.8) || living.reads(gateway.HeatingRequest).Known() {
		t.Errorf("readings of the thermostat's room: %v", living.readings)
	}
	if kitchen.Mode != gateway.RoomFrost || !kitchen.Since.IsZero() {
		t.Errorf("a room that guards against frost: %+v", kitchen.CloudRoom)
	}
	if kitchen.reads(gateway.HeatingRequest) != gateway.Number(0) || kitchen.reads(gateway.OpenWindow) != gateway.Flag(false) {
		t.Errorf("readings of a valve's room: %v", kitchen.readings)
	}
	if corridor.Mode != gateway.RoomHome || !corridor.Until.IsZero() || corridor.reads(gateway.Humidity) != gateway.Number(67) {
		t.Errorf("a Smarther's room, whose end is null: %+v %v", corridor.CloudRoom, corridor.readings)
	}
	if hint := hintOf(s.rooms); hint != "" {
		t.Errorf("rooms that are away, on frost guard and at home hint at %q", hint)
	}
}

func TestHomestatusOfGladys(t *testing.T) {
	now := time.Date(2024, 2, 1, 0, 0, 0, 0, time.UTC)
	s := readStatus(wrapped(t, "gladys/homestatus.json"), now)
	if s.at != now {
		t.Errorf("an answer without a time is of %v", s.at)
	}
	manual := s.rooms[1]
	if manual.Mode != gateway.RoomManual || manual.Target != gateway.Number(14.5) || manual.Until.Unix() != 1703034588 {
		t.Errorf("manual: %+v", manual.CloudRoom)
	}
	if !s.rooms[0].Until.IsZero() {
		t.Error("an end that is absent")
	}
	wind := statusOf(t, s, "06:00:00:yy:yy:yy")
	if wind.reads(gateway.Wind) != gateway.Number(1) || wind.reads(gateway.Gust) != gateway.Number(6) || wind.reads(gateway.GustAngle) != gateway.Number(303) {
		t.Errorf("wind: %v", wind.readings)
	}
	rain := statusOf(t, s, "05:00:00:yy:yy:yy")
	if rain.reaches != gateway.No || rain.measured.Unix() != 1705945317 || rain.reads(gateway.Rain) != gateway.Number(0) {
		t.Errorf("a dead module keeps its last values with its old time: %+v", rain)
	}
	if outdoor := statusOf(t, s, "02:00:00:xx:xx:xx"); outdoor.measured.Unix() != 1706525814 || outdoor.seen.Unix() != 1706525865 || outdoor.reads(gateway.LowBattery) != gateway.Flag(true) {
		t.Errorf("outdoor module: %+v", outdoor)
	}
	if got := s.fresh().Unix(); got != 1706723822 {
		t.Errorf("fresh is %d, the newest sign of life is of 1706723822", got)
	}
	if siren := statusOf(t, s, "70:ee:00:xx:xx:xx").reads(gateway.Siren); siren != gateway.Flag(false) {
		t.Errorf("siren of an outdoor camera: %v", siren)
	}
}

// The published answer is of 2019 but carries devices seen in 2024: a clock that is ahead must not make
// old data look fresh.
func TestStampsOfTheFutureSayNothing(t *testing.T) {
	s := readStatus(fixtureAnswer(t, "pyatmo/homestatus_91763b24c43d3e344f424e8b.json"), time.Now())
	if d := statusOf(t, s, "12:34:56:80:bb:26"); !d.measured.IsZero() || !d.seen.IsZero() {
		t.Errorf("measured %v, seen %v in an answer of %v", d.measured, d.seen, s.at)
	}
	if !s.fresh().IsZero() {
		t.Errorf("fresh is %v", s.fresh())
	}
}

func TestHomestatusWithErrors(t *testing.T) {
	alone := fixtureAnswer(t, "pyatmo/home_status_error_disconnected.json")
	s := readStatus(alone, time.Now())
	if err := checkStatus(alone, s, s.home); err != nil || len(s.errors) != 1 || s.errors[0] != (deviceError{"12:34:56:00:fa:d0", 6, ""}) {
		t.Errorf("an unreachable relay alone: %+v, error %v", s.errors, err)
	}
	both := fixtureAnswer(t, "pyatmo-archive/home_status_error_and_data.json")
	s = readStatus(both, time.Now())
	if len(s.errors) != 1 || len(s.rooms) != 3 || len(s.devices) != 4 {
		t.Errorf("errors beside data: %d errors, %d rooms, %d devices", len(s.errors), len(s.rooms), len(s.devices))
	}
}

func TestCheckStatus(t *testing.T) {
	for in, want := range map[string]string{
		`{"status":"ok","time_server":1559292039}`:                                       "200 without a body",
		`{"status":"ok","body":{}}`:                                                      "200 without a home",
		`{"status":"ok","body":{"home":{"id":"other","rooms":[{"id":"1"}]}}}`:            "200 for another home",
		`{"status":"ok","body":{"home":{"id":"h"}}}`:                                     "200 without rooms and devices",
		`{"status":"ok","body":{"home":{"id":"h","rooms":[],"modules":{}},"errors":[]}}`: "200 without rooms and devices",
	} {
		a, err := readAnswer(200, []byte(in))
		if err != nil {
			t.Fatal(err)
		}
		if err := checkStatus(a, readStatus(a, time.Now()), "h"); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", in, err, want)
		}
	}
}

func TestRoomOddities(t *testing.T) {
	read := func(in string) roomStatus { return readRoom(readObject([]byte(in))) }
	if r := read(`{"id":"1","reachable":false,"therm_measured_temperature":19}`); r.Reachable || r.Target.Known() || len(r.readings) != 0 {
		t.Errorf("an unreachable room without a set point: %+v", r)
	}
	if r := read(`{"id":1,"reachable":"true","therm_setpoint_temperature":"19.5","therm_setpoint_mode":"max","therm_setpoint_end_time":"1559229567"}`); r.ID != "1" || r.Target != gateway.Number(19.5) || r.Mode != gateway.RoomMax || r.Until.Unix() != 1559229567 {
		t.Errorf("strings for numbers: %+v", r.CloudRoom)
	}
	if r := read(`{"id":"1","cooling_setpoint_mode":"manual","cooling_setpoint_temperature":24,"cooling_setpoint_end_time":1559229567}`); !r.Reachable || r.Mode != gateway.RoomManual || r.Target != gateway.Number(24) || r.Until.IsZero() {
		t.Errorf("cooling: %+v", r.CloudRoom)
	}
	if r := read(`{"id":"1","reachable":true,"therm_setpoint_fp":"comfort","therm_setpoint_mode":"schedule"}`); r.Target != gateway.Word("comfort") {
		t.Errorf("pilot wire: %+v", r.CloudRoom)
	}
	if r := read(`{"id":"1","reachable":true,"therm_setpoint_mode":"siesta","open_windows":true,"therm_measured_temperature":127}`); r.Mode != "siesta" || r.reads(gateway.OpenWindow) != gateway.Flag(true) || r.reads(gateway.Temperature).Known() {
		t.Errorf("an unknown mode, the other spelling, an impossible temperature: %+v", r)
	}
	if r := read(`{"id":"1"}`); r.Reachable {
		t.Error("a room of which nothing is said counts as reachable")
	}
}

func TestControls(t *testing.T) {
	s := readStatus(fixtureAnswer(t, "pyatmo/homestatus_91763b24c43d3e344f424e8b.json"), time.Now())
	for id, want := range map[gateway.DeviceID][]gateway.Control{
		"12:34:56:00:f1:62":       {{Quantity: gateway.Monitoring}},
		"12:34:56:10:b9:0e":       {{Quantity: gateway.Monitoring}, {Quantity: gateway.Floodlight}},
		"12:34:56:00:e3:9b":       nil, // a siren
		"0009999992":              {{Quantity: gateway.Position, Max: 100, Step: 100}},
		"0009999993":              {{Quantity: gateway.Position, Max: 100, Step: 100}}, // the other spelling of the step
		"00:11:22:33:00:11:45:fe": {{Quantity: gateway.On}, {Quantity: gateway.Brightness, Max: 100, Step: 1}},
		"12:34:56:00:fa:d0":       nil,
	} {
		got := statusOf(t, s, id).Controls
		if len(got) != len(want) {
			t.Errorf("%s: %+v, want %+v", id, got, want)
			continue
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%s: %+v, want %+v", id, got[i], want[i])
			}
		}
	}
}

func TestBattery(t *testing.T) {
	for _, c := range []struct {
		name, in string
		percent  gateway.Value
		low      gateway.Value
	}{
		{"the vendor's percentage", `{"battery_percent":27,"battery_vp":4678}`, gateway.Number(27), gateway.Flag(false)},
		{"a low percentage", `{"battery_percent":14,"type":"NAModule9"}`, gateway.Number(14), gateway.Flag(true)},
		{"the vendor's word", `{"type":"NRV","battery_state":"full","battery_level":3025}`, gateway.Number(90), gateway.Flag(false)},
		{"very low", `{"battery_state":"very_low"}`, gateway.Number(10), gateway.Flag(true)},
		{"max", `{"battery_state":"max"}`, gateway.Number(100), gateway.Flag(false)},
		{"voltage of a thermostat", `{"type":"NATherm1","battery_level":3793}`, gateway.Number(75), gateway.Flag(false)},
		{"low voltage of a thermostat", `{"type":"NATherm1","battery_level":3100}`, gateway.Number(25), gateway.Flag(true)},
		{"the same voltage of a wind gauge", `{"type":"NAModule2","battery_level":3793}`, gateway.Number(10), gateway.Flag(true)},
		{"indoor module", `{"type":"NAModule4","battery_vp":5626}`, gateway.Number(75), gateway.Flag(false)},
		{"voltage of a model without a ladder", `{"type":"NRV","battery_level":3025}`, gateway.Value{}, gateway.Value{}},
		{"never measured", `{"type":"NAModule1","battery_vp":65535}`, gateway.Value{}, gateway.Value{}},
		{"an unknown word", `{"type":"NRV","battery_state":"odd"}`, gateway.Value{}, gateway.Value{}},
		{"an impossible percentage", `{"battery_percent":255}`, gateway.Value{}, gateway.Value{}},
		{"nothing", `{}`, gateway.Value{}, gateway.Value{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			percent, low := battery(readObject([]byte(c.in)))
			if percent != c.percent || low != c.low {
				t.Errorf("%v %%, low %v, want %v %%, low %v", percent, low, c.percent, c.low)
			}
		})
	}
}

// The calls of old for cameras use other words.
func TestOlderCameraWords(t *testing.T) {
	at := time.Now()
	home := fixtureAnswer(t, "pyatmo-archive/camera_home_data.json").body.objects("homes")[0]
	all := home.objects("cameras")
	indoor, outdoor := readDevice(all[0], at), readDevice(all[1], at)
	for _, c := range []struct {
		got, want gateway.Value
	}{
		{indoor.reads(gateway.Monitoring), gateway.Flag(true)}, {indoor.reads(gateway.SDCard), gateway.Number(4)},
		{indoor.reads(gateway.PowerSupply), gateway.Flag(true)}, {outdoor.reads(gateway.Floodlight), gateway.Word("auto")},
	} {
		if c.got != c.want {
			t.Errorf("%v, want %v", c.got, c.want)
		}
	}
	siren := readDevice(all[0].objects("modules")[0], at)
	if siren.reads(gateway.Battery) != gateway.Number(84) || siren.reads(gateway.Siren).Known() || siren.reads(gateway.Monitoring) != gateway.Flag(true) {
		t.Errorf("siren %v", siren.readings)
	}
}

// Fresh tells whether a cloud serves old data, so only devices count that are heard of all day.
func TestFreshCountsTalkersOnly(t *testing.T) {
	at := time.Unix(1_700_000_000, 0).UTC()
	ago := func(d time.Duration) string { return itoa(at.Add(-d).Unix()) }
	for _, c := range []struct {
		name, modules string
		want          time.Time
	}{
		{"a station", `{"id":"a","type":"NAMain","ts":` + ago(5*time.Minute) + `}`, at.Add(-5 * time.Minute)},
		{"the newest of two", `{"id":"a","type":"NAMain","ts":` + ago(time.Hour) + `},{"id":"b","type":"OTM","last_message":` + ago(time.Minute) + `}`, at.Add(-time.Minute)},
		{"a smoke alarm sleeps", `{"id":"a","type":"NSD","last_seen":` + ago(7*24*time.Hour) + `}`, time.Time{}},
		{"a remote was just used", `{"id":"a","type":"NLT","last_seen":` + ago(0) + `},{"id":"b","type":"NAMain","ts":` + ago(3*time.Hour) + `}`, at.Add(-3 * time.Hour)},
		{"a station that was unplugged long ago", `{"id":"a","type":"NAMain","ts":` + ago(30*24*time.Hour) + `},{"id":"b","type":"NATherm1"}`, time.Time{}},
		{"nothing with a time", `{"id":"a","type":"NATherm1"}`, time.Time{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := readAnswer(200, []byte(`{"status":"ok","time_server":`+itoa(at.Unix())+`,"body":{"home":{"id":"h","modules":[`+c.modules+`]}}}`))
			if err != nil {
				t.Fatal(err)
			}
			if got := readStatus(a, at).fresh(); !got.Equal(c.want) {
				t.Errorf("fresh %v, want %v", got, c.want)
			}
		})
	}
}
