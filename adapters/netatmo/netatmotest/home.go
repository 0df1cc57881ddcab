package netatmotest

import (
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Home is what the account holds.
type Home struct {
	ID              string
	Name            string
	Zone            string        // IANA name
	Control         string        // heating or cooling; "": heating
	DefaultDuration time.Duration // of a manual set point without an end
	Rooms           []Room
	Modules         []Module
	Schedules       []gateway.Schedule
}

// Room is one room with what its thermostat or valve measures.
type Room struct {
	ID          string
	Name        string
	Type        string  // livingroom, bedroom …
	Temperature float64 // °C
}

// Module is one device.
type Module struct {
	ID     string
	Type   string // the vendor's code
	Name   string
	Room   string
	Bridge string
	// Status holds the fields of homestatus besides id, type and bridge; a property that is not in
	// it cannot be set.
	Status map[string]any
	// Dashboard holds the measurements in getstationsdata and gethomecoachsdata; nil: the device is
	// in neither.
	Dashboard map[string]any
	Key       string // of a camera's own HTTP; "": it has none
	Local     string // http://address of a camera on the LAN
}

// The ids of House, for tests and demonstrations.
const (
	HouseID     = "5f8a1c0000000000000000a1"
	LivingRoom  = "1001"
	Bedroom     = "1002"
	Child       = "1003"
	Bathroom    = "1004"
	Relay       = "70:ee:50:00:00:01"
	Thermostat  = "04:00:00:00:00:01"
	BedValve    = "09:00:00:00:00:01"
	ChildValve  = "09:00:00:00:00:02"
	BathValve   = "09:00:00:00:00:03"
	Station     = "70:ee:50:00:00:02"
	Outdoor     = "02:00:00:00:00:01"
	RainGauge   = "05:00:00:00:00:01"
	WindGauge   = "06:00:00:00:00:01"
	Welcome     = "70:ee:50:00:00:03"
	Tag         = "12:00:00:00:00:01"
	Siren       = "12:00:00:00:00:02"
	Presence    = "70:ee:50:00:00:04"
	Doorbell    = "70:ee:50:00:00:05"
	SmokeAlarm  = "70:ee:50:00:00:06"
	COAlarm     = "70:ee:50:00:00:07"
	Coach       = "70:ee:50:00:00:08"
	WeekPlan    = "60a000000000000000000001"
	HolidayPlan = "60a000000000000000000002"
)

// House returns a home in Paris with a thermostat, three valves, a weather station, cameras, a doorbell
// and alarms.
func House() Home {
	return Home{
		ID: HouseID, Name: "Maison", Zone: "Europe/Paris", DefaultDuration: 3 * time.Hour,
		Rooms: []Room{
			{LivingRoom, "Salon", "livingroom", 19.6}, {Bedroom, "Chambre", "bedroom", 18.1},
			{Child, "Chambre d'enfant", "bedroom", 18.7}, {Bathroom, "Salle de bain", "bathroom", 20.9},
		},
		Modules:   append(heatingModules(), append(weatherModules(), securityModules()...)...),
		Schedules: []gateway.Schedule{weekPlan(), holidayPlan()},
	}
}

func heatingModules() []Module {
	valve := func(id, name, room string, level int) Module {
		return Module{ID: id, Type: "NRV", Name: name, Room: room, Bridge: Relay, Status: map[string]any{
			"reachable": true, "firmware_revision": 100, "rf_strength": 62, "battery_level": level, "battery_state": "full",
		}}
	}
	return []Module{
		{ID: Relay, Type: "NAPlug", Name: "Relais", Status: map[string]any{
			"firmware_revision": 236, "rf_strength": 107, "wifi_strength": 45,
		}},
		{ID: Thermostat, Type: "NATherm1", Name: "Thermostat", Room: LivingRoom, Bridge: Relay, Status: map[string]any{
			"reachable": true, "firmware_revision": 76, "rf_strength": 58, "battery_level": 4003, "battery_state": "high",
			"boiler_valve_comfort_boost": false, "anticipating": false,
		}},
		valve(BedValve, "Vanne chambre", Bedroom, 3025),
		valve(ChildValve, "Vanne enfant", Child, 3010),
		valve(BathValve, "Vanne bain", Bathroom, 2956),
	}
}

func weatherModules() []Module {
	radio := func(level, percent int) map[string]any {
		return map[string]any{
			"reachable": true, "firmware_revision": 53, "rf_strength": 60, "battery_level": level, "battery_percent": percent,
		}
	}
	return []Module{
		{ID: Station, Type: "NAMain", Name: "Station", Room: LivingRoom,
			Status:    map[string]any{"firmware_revision": 202, "wifi_strength": 45},
			Dashboard: map[string]any{"Temperature": 19.9, "CO2": 640, "Humidity": 47, "Noise": 36, "Pressure": 1017.3}},
		{ID: Outdoor, Type: "NAModule1", Name: "Extérieur", Bridge: Station, Status: radio(5738, 87),
			Dashboard: map[string]any{"Temperature": 7.4, "Humidity": 81}},
		{ID: RainGauge, Type: "NAModule3", Name: "Pluie", Bridge: Station, Status: radio(5860, 93),
			Dashboard: map[string]any{"Rain": 0.1, "sum_rain_1": 0.4, "sum_rain_24": 3.2}},
		{ID: WindGauge, Type: "NAModule2", Name: "Vent", Bridge: Station, Status: radio(5689, 85),
			Dashboard: map[string]any{"WindStrength": 11, "WindAngle": 217, "GustStrength": 24, "GustAngle": 206}},
		{ID: Coach, Type: "NHC", Name: "Baby", Room: Child,
			Status:    map[string]any{"firmware_revision": 45, "wifi_strength": 58},
			Dashboard: map[string]any{"Temperature": 18.9, "CO2": 712, "Humidity": 51, "Noise": 33, "Pressure": 1017.1, "health_idx": 1}},
	}
}

func securityModules() []Module {
	return []Module{
		{ID: Welcome, Type: "NACamera", Name: "Entrée", Room: LivingRoom, Key: "5d278460699e56180d47ab47169efb31",
			Local: "http://192.168.1.31", Status: map[string]any{
				"monitoring": "on", "sd_status": 4, "alim_status": 2, "locked": false, "is_local": true, "wifi_strength": 52,
			}},
		{ID: Tag, Type: "NACamDoorTag", Name: "Porte", Bridge: Welcome, Status: map[string]any{
			"reachable": true, "status": "closed", "battery_state": "high", "battery_level": 5240, "rf_strength": 58,
		}},
		{ID: Siren, Type: "NIS", Name: "Sirène", Bridge: Welcome, Status: map[string]any{
			"reachable": true, "status": "no_sound", "monitoring": "off", "battery_state": "full", "rf_strength": 62,
		}},
		{ID: Presence, Type: "NOC", Name: "Jardin", Key: "9fb1814609e27de5697ab47d06846631",
			Local: "http://192.168.1.32", Status: map[string]any{
				"monitoring": "on", "floodlight": "auto", "siren_status": "no_sound", "sd_status": 4, "alim_status": 2,
				"is_local": false, "wifi_strength": 62, "firmware_name": "3.2.0",
			}},
		{ID: Doorbell, Type: "NDB", Name: "Sonnette", Status: map[string]any{
			"sd_status": 4, "alim_status": 2, "wifi_strength": 66, "homekit_status": "configured", "is_local": false,
		}},
		{ID: SmokeAlarm, Type: "NSD", Name: "Fumée palier", Status: map[string]any{"firmware_revision": 127, "wifi_strength": 60}},
		{ID: COAlarm, Type: "NCO", Name: "CO chaufferie", Status: map[string]any{"firmware_revision": 103, "wifi_strength": 64}},
	}
}

func weekPlan() gateway.Schedule {
	s := gateway.Schedule{ID: WeekPlan, Name: "Semaine", Type: "therm", Selected: true, Away: 15, Frost: 7, Zones: []gateway.Zone{
		{ID: 0, Type: 0, Name: "Confort", Rooms: targets(20.5, 19, 20, 22)},
		{ID: 1, Type: 1, Name: "Nuit", Rooms: targets(17, 17, 18, 18)},
		{ID: 4, Type: 5, Name: "Éco", Rooms: targets(17, 16.5, 17, 18)},
	}}
	for day := range 7 {
		start := day * 24 * 60
		s.Slots = append(s.Slots, gateway.Slot{Minute: start, Zone: 1}, gateway.Slot{Minute: start + 6*60 + 30, Zone: 0})
		if day < 5 {
			s.Slots = append(s.Slots, gateway.Slot{Minute: start + 8*60 + 30, Zone: 4}, gateway.Slot{Minute: start + 17*60, Zone: 0})
		}
		s.Slots = append(s.Slots, gateway.Slot{Minute: start + 22*60 + 30, Zone: 1})
	}
	return s
}

func holidayPlan() gateway.Schedule {
	s := gateway.Schedule{ID: HolidayPlan, Name: "Vacances", Type: "therm", Away: 14, Frost: 7, Zones: []gateway.Zone{
		{ID: 0, Type: 4, Name: "Journée", Rooms: targets(20, 19, 19, 21)},
		{ID: 1, Type: 1, Name: "Nuit", Rooms: targets(18, 17, 17, 18)},
	}}
	for day := range 7 {
		start := day * 24 * 60
		s.Slots = append(s.Slots, gateway.Slot{Minute: start, Zone: 1},
			gateway.Slot{Minute: start + 8*60, Zone: 0}, gateway.Slot{Minute: start + 22*60, Zone: 1})
	}
	return s
}

func targets(living, bed, child, bath float64) []gateway.ZoneRoom {
	return []gateway.ZoneRoom{
		{Room: LivingRoom, Target: living}, {Room: Bedroom, Target: bed},
		{Room: Child, Target: child}, {Room: Bathroom, Target: bath},
	}
}
