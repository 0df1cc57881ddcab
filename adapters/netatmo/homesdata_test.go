package netatmo

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

func deviceOf(t *testing.T, h home, id gateway.DeviceID) gateway.Found {
	t.Helper()
	for _, d := range h.Devices {
		if d.Device == id {
			return d
		}
	}
	t.Fatalf("no device %s", id)
	return gateway.Found{}
}

func TestHomesdataOfPyatmo(t *testing.T) {
	homes := readHomes(fixtureAnswer(t, "pyatmo/homesdata.json").body)
	if len(homes) != 2 {
		t.Fatalf("%d homes", len(homes))
	}
	empty := homes[1]
	if empty.Name != "" || len(empty.Rooms)+len(empty.Devices)+len(empty.Schedules) != 0 || empty.Duration != 3*time.Hour {
		t.Errorf("the second home, which has nothing: %+v", empty)
	}
	h, err := chooseHome(homes, "")
	if err != nil || h.ID != "91763b24c43d3e344f424e8b" || h.Zone != "Europe/Berlin" || h.Duration != 2*time.Hour {
		t.Fatalf("chose %s in %s with %v, error %v", h.ID, h.Zone, h.Duration, err)
	}
	if len(h.Rooms) != 9 || len(h.Devices) != 51 {
		t.Errorf("%d rooms, %d devices", len(h.Rooms), len(h.Devices))
	}
	if h.Control != cooling || h.Mode != gateway.HomeSchedule || h.selected() != "591b54a2764ff4d50d8b5795" {
		t.Errorf("a home that cools: control %s, mode %s, schedule %s", h.Control, h.Mode, h.selected())
	}
	for _, c := range []struct {
		name   string
		id     gateway.DeviceID
		model  string
		room   gateway.RoomID
		bridge gateway.DeviceID
		also   []gateway.DeviceID
	}{
		{"thermostat", "12:34:56:00:01:ae", "NATherm1", "2746182631", "12:34:56:00:fa:d0", nil},
		{"decimal id", "0009999992", "NBR", "3688132631", "12:34:56:30:d5:d4", nil},
		{"line of a meter", "12:34:56:00:16:0e#3", "NLE", "100007519", "12:34:56:00:16:0e", nil},
		{"doorbell with a HomeKit id without colons", "12:34:56:10:f1:66", "NDB", "3688132631", "",
			[]gateway.DeviceID{"12:34:56:00:7D:F1", "123456007df1"}},
		{"relay with a HomeKit id in small letters", "12:34:56:20:f5:44", "OTH", "222452125", "",
			[]gateway.DeviceID{"12:34:56:20:D0:C5", "12:34:56:20:d0:c5"}},
		{"station in a room that is not listed", "12:34:56:80:bb:26", "NAMain", "", "", nil},
		{"device without a name", "00:11:22:33:00:11:45:fe", "NLF", "100007520", "12:34:56:80:60:40", nil},
		{"device whose room only the room tells", "12:34:56:00:e3:9b", "NIS", "3688132631", "12:34:56:00:f1:62", nil},
		{"third-party shutter", "12:34:56:80:00:c3:69:3d", "Z3V", "3688132631", "12:34:56:80:60:40", nil},
	} {
		d := deviceOf(t, h, c.id)
		if d.Model != c.model || d.Room != c.room || d.Bridge != c.bridge || !slices.Equal(d.Also, c.also) {
			t.Errorf("%s: %+v", c.name, d)
		}
	}
	heads := heads(h.Devices)
	for room, want := range map[gateway.RoomID]gateway.DeviceID{
		"2746182631": "12:34:56:00:01:ae", // thermostat
		"2833524037": "12:34:56:03:a5:54", // valve
		"222452125":  "12:34:56:20:f5:8c", // the modulating thermostat, not its relay
		"1002003001": "10:20:30:bd:b8:1e", // Smarther
		"100007519":  "",                  // meters only
	} {
		if heads[room] != want {
			t.Errorf("room %s is spoken for by %q, want %q", room, heads[room], want)
		}
	}
}

func TestOlderHomesdata(t *testing.T) {
	homes := readHomes(fixtureAnswer(t, "pyatmo-archive/home_data_simple.json").body)
	h, err := chooseHome(homes, "")
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, s := range h.Schedules {
		ids = append(ids, s.ID)
	}
	if !slices.Equal(ids, []string{"591b54a2764ff4d50d8b5795", "b1b54a2f45795764f59d50d8"}) {
		t.Errorf("schedules %v: one stands under both keys, one only under therm_schedules", ids)
	}
	if h.Control != heating || h.selected() != "591b54a2764ff4d50d8b5795" {
		t.Errorf("a home that does not tell its control: %s, schedule %s", h.Control, h.selected())
	}
}

func TestHomesdataOfGladys(t *testing.T) {
	homes := readHomes(wrapped(t, "gladys/homesdata.json").body)
	h, err := chooseHome(homes, "")
	if err != nil || len(homes) != 2 || h.Name != "Maison Stark" || h.Zone != "Europe/Paris" {
		t.Fatalf("%d homes, chose %q, error %v", len(homes), h.Name, err)
	}
	if v := deviceOf(t, h, "09:00:00:xx:xx:xx"); v.Room != "8765432109" || v.Bridge != "70:ee:50:yy:yy:yy" {
		t.Errorf("valve %+v", v)
	}
	if station := deviceOf(t, h, "03:00:00:xx:xx:xx"); station.Bridge != "70:ee:50:jj:jj:jj" {
		t.Errorf("indoor module %+v", station)
	}
	s := h.Schedules[0]
	if s.Selected || h.selected() != "" {
		t.Error("a schedule that does not say so counts as selected")
	}
	if s.Away != 17 || s.Frost != 8 || len(s.Zones) != 1 || s.Slots[1].Zone != 6 {
		t.Errorf("schedule %+v", s)
	}
	if rooms := s.Zones[0].Rooms; len(rooms) != 4 || rooms[3] != (gateway.ZoneRoom{Room: "0987654321", Target: 20}) {
		t.Errorf("rooms of both shapes: %+v", rooms)
	}
}

func TestChooseHome(t *testing.T) {
	if _, err := chooseHome(readHomes(fixtureAnswer(t, "pyatmo-archive/home_data_no_homes.json").body), ""); err != errNoHomes {
		t.Errorf("no homes: %v", err)
	}
	two := []home{{ID: "a", Name: "Empty"}, {ID: "b", Name: "Full", Rooms: []gateway.PlanRoom{{ID: "1"}}}}
	if h, err := chooseHome(two, ""); err != nil || h.ID != "b" {
		t.Errorf("chose %s, error %v", h.ID, err)
	}
	if h, err := chooseHome(two, "a"); err != nil || h.ID != "a" {
		t.Errorf("wanted a, got %s, error %v", h.ID, err)
	}
	if _, err := chooseHome(two, "c"); err == nil || !strings.Contains(err.Error(), "no home c, but a Empty, b Full") {
		t.Errorf("wanted c: %v", err)
	}
	if _, err := chooseHome(two[:1], ""); err == nil || !strings.Contains(err.Error(), "none of the account's homes has a device") {
		t.Errorf("only an empty one: %v", err)
	}
}

func TestPlanKeepsTheZoneThatIsKnown(t *testing.T) {
	paris, err := gateway.LoadTimeZone("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	for zone, want := range map[string]string{"Europe/Berlin": "Europe/Berlin", "": "Europe/Paris", "Europe/Atlantis": "Europe/Paris"} {
		if got := (home{Zone: zone}).plan(paris).Zone.String(); got != want {
			t.Errorf("zone %q gives %s, want %s", zone, got, want)
		}
	}
}

func TestHomeModes(t *testing.T) {
	read := func(in string) home { return readHome(readObject([]byte(in))) }
	if h := read(`{"id":"a","therm_mode":"hg","therm_mode_endtime":"1700000000"}`); h.Mode != gateway.HomeFrost || h.ModeUntil.Unix() != 1700000000 {
		t.Errorf("hg: %s until %v", h.Mode, h.ModeUntil)
	}
	if h := read(`{"id":"a","therm_mode":"schedule","therm_mode_endtime":1700000000}`); !h.ModeUntil.IsZero() {
		t.Error("schedule has an end")
	}
	if h := read(`{"id":"a","therm_mode":"away","therm_mode_endtime":0}`); h.Mode != gateway.HomeAway || !h.ModeUntil.IsZero() {
		t.Errorf("away without an end: until %v", h.ModeUntil)
	}
	if h := read(`{"id":"a","therm_mode":"siesta"}`); h.Mode != "siesta" {
		t.Errorf("an unknown mode became %q", h.Mode)
	}
	if h := read(`{"id":"a","therm_mode":"schedule","cooling_mode":"away","temperature_control_mode":"cooling"}`); h.Mode != gateway.HomeAway {
		t.Errorf("a home that cools while away: %s", h.Mode)
	}
}
