package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/veilleuse/veilleuse/adapters/accessory"
	"github.com/veilleuse/veilleuse/adapters/store/backup"
	"github.com/veilleuse/veilleuse/adapters/web"
	notes "github.com/veilleuse/veilleuse/firmware-notes"
	"github.com/veilleuse/veilleuse/gateway"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var evening = time.Date(2026, 11, 20, 18, 0, 0, 0, time.UTC)

// patient is a house with what the daemon knows of itself: the doctor's whole view.
type patient struct {
	gateway.State
	facts doctorFacts
}

func (p *patient) device(id gateway.DeviceID, change func(*gateway.Device)) {
	d, _ := p.Devices.Get(id)
	d.ID = id
	change(&d)
	p.Devices = p.Devices.With(id, d)
}

// face is how the LAN or the cloud sees a device.
func face(adapter string, controls ...gateway.Quantity) gateway.Face {
	f := gateway.Face{Adapter: adapter, Reaches: true}
	for _, q := range controls {
		f.Controls = append(f.Controls, gateway.Control{Quantity: q, Min: 7, Max: 30, Step: 0.5})
	}
	return f
}

func said20(q gateway.Quantity, v gateway.Value) gateway.Measure {
	return gateway.Measure{Quantity: q, Value: v, At: evening.Add(-20 * time.Second), From: gateway.AccessoryAdapter}
}

// wellHouse has two heated rooms, a detector and a siren, all on the LAN, and nothing that is missing.
func wellHouse() *patient {
	p := &patient{State: gateway.State{At: evening,
		Home: gateway.Home{ID: "h", Name: "Maison", Copied: evening.Add(-10 * time.Minute), Schedules: []gateway.Schedule{{
			ID: "s", Name: "Semaine", Type: "therm", Selected: true, Slots: []gateway.Slot{{Minute: 0, Zone: 1}},
			Zones: []gateway.Zone{{ID: 1, Name: "Confort", Rooms: []gateway.ZoneRoom{{Room: "salon", Target: 20}, {Room: "chambre", Target: 18}}}}}}},
		Authority: gateway.Authority{Phase: gateway.Watching}, Cloud: gateway.Cloud{Verdict: gateway.VerdictOK, Witness: gateway.Yes},
		Clock: gateway.Clock{Trust: gateway.TrustSynced}, Budget: gateway.Budget{Spent: 30, Limit: 120},
	}}
	p.Rooms = p.Rooms.With("salon", gateway.Room{ID: "salon", Name: "Salon", Devices: []gateway.DeviceID{"thermostat"}}).
		With("chambre", gateway.Room{ID: "chambre", Name: "Chambre", Devices: []gateway.DeviceID{"valve"}}).
		With("cave", gateway.Room{ID: "cave", Name: "Cave"})
	for id, model := range map[gateway.DeviceID]string{"thermostat": "NATherm1", "valve": "NRV"} {
		d := gateway.Device{ID: id, Name: "My " + string(id), Model: model, Faces: []gateway.Face{face(gateway.CloudAdapter), face(gateway.AccessoryAdapter, gateway.Target)}}
		p.Devices = p.Devices.With(id, d.WithReading(said20(gateway.Target, gateway.Number(19))))
	}
	p.device("thermostat", func(d *gateway.Device) { d.Room = "salon" })
	p.device("valve", func(d *gateway.Device) { d.Room = "chambre" })
	detector := gateway.Device{ID: "detector", Name: "Detector", Model: "NCO", Faces: []gateway.Face{face(gateway.AccessoryAdapter)}}
	p.Devices = p.Devices.With("detector", detector.WithReading(said20(gateway.CO, gateway.Flag(false))))
	p.Devices = p.Devices.With("siren", gateway.Device{ID: "siren", Name: "Siren", Faces: []gateway.Face{face(gateway.AccessoryAdapter, gateway.Siren)}})
	for _, name := range []gateway.PointKey{"accessory", "homekit", "mqtt", "store"} {
		p.Health = p.Health.With(name, gateway.Health{Adapter: string(name), Up: true})
	}
	p.facts = doctorFacts{Client: true, SignedIn: true, Paired: []accessory.Paired{{ID: "AA", Name: "Relay", Live: true}},
		Bridge: "[::]:51826", Controllers: 2, Visible: true, BrokerInside: true, Broker: "127.0.0.1:1883", Clients: 1,
		Backup:   backup.Report{Newest: evening.Add(-5 * time.Hour), Dated: true, Sealed: true, Kept: 7, Second: backup.SecondReport{Folder: "/mnt/usb"}},
		Snapshot: true, SnapshotAge: 20 * time.Minute, Folder: "/var/lib/veilleuse", DiskFree: 9 << 30, Witnesses: 5}
	return p
}

func (p *patient) diagnose(t *testing.T) doctorReport {
	t.Helper()
	known, err := notes.Read()
	if err != nil {
		t.Fatal(err)
	}
	return diagnose(p.State, known, p.facts)
}

// cloudOnly takes the LAN away from a device.
func cloudOnly(id gateway.DeviceID) func(*patient) {
	return func(p *patient) {
		p.device(id, func(d *gateway.Device) { d.Faces, d.Readings = []gateway.Face{face(gateway.CloudAdapter)}, nil })
	}
}

// byRelay has the bedroom heated by a relay on MQTT instead of a valve, and measured by a thermometer there.
func byRelay(p *patient) {
	p.Devices = p.Devices.Without("valve")
	seen := func(q gateway.Quantity, v gateway.Value, ago time.Duration) gateway.Measure {
		return gateway.Measure{Quantity: q, Value: v, At: evening.Add(-ago), From: "mqtt"}
	}
	relay := gateway.Device{ID: "relay", Name: "Radiator", Circuit: &gateway.Circuit{Rooms: []string{"Chambre"}, Heats: gateway.HeatsRadiator, Lease: 15 * time.Minute},
		Faces: []gateway.Face{face("mqtt", gateway.Relay)}}
	p.Devices = p.Devices.With("relay", relay.WithReading(seen(gateway.Relay, gateway.Flag(false), 5*time.Hour)))
	thermometer := gateway.Device{ID: "thermometer", Name: "Thermometer", Room: "chambre", Faces: []gateway.Face{face("mqtt")}}
	p.Devices = p.Devices.With("thermometer", thermometer.WithReading(seen(gateway.Temperature, gateway.Number(18), 5*time.Minute)))
	p.Rooms = p.Rooms.With("chambre", gateway.Room{ID: "chambre", Name: "Chambre", Devices: []gateway.DeviceID{"thermometer"}})
}

func without(id gateway.DeviceID) func(*patient) {
	return func(p *patient) { p.Devices = p.Devices.Without(id) }
}

// found returns what a report says about a room, a device or a check.
func (r doctorReport) found(name string) (finding, bool) {
	for _, room := range r.Rooms {
		if room.Name == name {
			return room.finding, true
		}
	}
	for _, d := range r.Devices {
		if d.Name == name {
			return d.finding, true
		}
	}
	for _, c := range r.Checks {
		if c.Name == name {
			return c.finding, true
		}
	}
	return finding{}, false
}

func TestDoctorFindsWhatIsMissing(t *testing.T) {
	tests := []struct {
		name     string
		change   func(*patient)
		survives bool
		least    int // of the score
		most     int
		about    string // a room's, device's or check's name
		result   result
		what, do string
	}{
		{"all is well", func(*patient) {}, true, 100, 100, "Salon", well, "over HomeKit", ""},
		{"a valve on the cloud only", cloudOnly("valve"), false, 60, 75, "Chambre", gap, "only the cloud reaches it; by itself (unverified)", "pair its relay"},
		{"a thermostat on the cloud only", cloudOnly("thermostat"), true, 85, 95, "Salon", warn, "by itself (the vendor says so): Keeps its programme", "pair its relay"},
		{"a room that a relay heats", byRelay, true, 100, 100, "Chambre", well, "over MQTT, heard 5 h ago", ""},
		{"a relay that has left the broker", func(p *patient) {
			byRelay(p)
			p.device("relay", func(d *gateway.Device) { d.Faces[0].Reaches, d.Faces[0].Why = false, "it has left the broker" })
		}, false, 60, 75, "Chambre", gap, "does not answer (it has left the broker)", "has power"},
		{"a relay that never said whether it is on", func(p *patient) {
			byRelay(p)
			p.device("relay", func(d *gateway.Device) { d.Readings = nil })
		}, false, 60, 75, "Chambre", gap, "has said nothing yet", "wait a minute"},
		{"a relay's room that only the cloud measures", func(p *patient) {
			byRelay(p)
			p.device("thermometer", func(d *gateway.Device) { d.Readings[0].From = gateway.CloudAdapter })
		}, true, 100, 100, "Chambre", warn, "comes from the cloud alone: the relay would heat as was usual", "thermometer"},
		{"a relay's room that nobody has measured for weeks", func(p *patient) {
			byRelay(p)
			p.device("thermometer", func(d *gateway.Device) { d.Readings[0].At = evening.Add(-500 * time.Hour) })
		}, true, 100, 100, "Chambre", warn, "nobody has measured its temperature lately", "battery"},
		{"a relay whose sensor stands elsewhere", func(p *patient) {
			byRelay(p)
			p.device("thermometer", func(d *gateway.Device) { d.Room = "" })
			p.device("relay", func(d *gateway.Device) {
				d.Circuit = &gateway.Circuit{Rooms: []string{"Chambre"}, Heats: gateway.HeatsRadiator, Lease: time.Minute, Sensor: "thermometer"}
			})
			p.Rooms = p.Rooms.With("chambre", gateway.Room{ID: "chambre", Name: "Chambre"})
		}, true, 100, 100, "Chambre", well, "over MQTT", ""},
		{"a relay that does not switch", func(p *patient) {
			byRelay(p)
			p.Firings = p.Firings.With("relay", gateway.Firing{Silent: true, Tries: 5})
		}, false, 60, 75, "Chambre", gap, "does not show what it was told", "look after it"},
		{"a relay that had a fault once", func(p *patient) {
			byRelay(p)
			p.Firings = p.Firings.With("relay", gateway.Firing{Faulty: "the MQTT broker was lost"})
		}, true, 100, 100, "Chambre", well, "over MQTT", ""},
		{"what could be paired is named", func(p *patient) {
			cloudOnly("valve")(p)
			p.facts.Found = []foundAccessory{{ID: "11:22:33:44:55:66", Name: "Relais", Paired: "no"}, {ID: "77", Name: "TV", Paired: "elsewhere"}}
		}, false, 60, 75, "Chambre", gap, "only the cloud", "veilleuse pair 11:22:33:44:55:66 CODE (Relais)"},
		{"what is paired elsewhere is named", func(p *patient) {
			cloudOnly("valve")(p)
			p.facts.Found = []foundAccessory{{ID: "11:22:33:44:55:66", Name: "Relais", Paired: "elsewhere"}}
		}, false, 60, 75, "Chambre", gap, "only the cloud", "remove it from Apple Home"},
		{"a device that does not answer", func(p *patient) {
			p.device("valve", func(d *gateway.Device) { d.Faces[1].Reaches, d.Faces[1].Why = false, "no route to host" })
		}, false, 60, 75, "Chambre", gap, "does not answer (no route to host)", "has power"},
		{"a stale reading", func(p *patient) {
			p.device("valve", func(d *gateway.Device) { d.Readings[0].At = evening.Add(-5 * time.Hour) })
		}, false, 60, 75, "Chambre", gap, "its last word is 5 h old", "battery"},
		{"a stale reading of what keeps its programme by itself", func(p *patient) {
			p.device("thermostat", func(d *gateway.Device) { d.Readings[0].At = evening.Add(-5 * time.Hour) })
		}, true, 85, 95, "Salon", warn, "5 h old; by itself (the vendor says so)", "battery"},
		{"a valve that has said nothing yet", func(p *patient) {
			p.device("valve", func(d *gateway.Device) { d.Readings = nil })
		}, false, 60, 75, "Chambre", gap, "has said nothing yet", "wait a minute"},
		{"a detector may be silent for days", func(p *patient) {
			p.device("detector", func(d *gateway.Device) { d.Readings[0].At = evening.Add(-7 * 24 * time.Hour) })
		}, true, 100, 100, "Detector", well, "heard 7 days ago", ""},
		{"but not for weeks", func(p *patient) {
			p.device("detector", func(d *gateway.Device) { d.Readings[0].At = evening.Add(-9 * 24 * time.Hour) })
		}, false, 70, 75, "Detector", gap, "9 days old", "battery"},
		{"a smoke alarm without a way", func(p *patient) {
			p.Devices = p.Devices.With("smoke", gateway.Device{ID: "smoke", Name: "Smoke", Model: "NSD", Faces: []gateway.Face{face(gateway.CloudAdapter)}})
		}, false, 70, 75, "Smoke", gap, "Senses smoke and sounds its own 85 dB alarm", "or put a smoke alarm that speaks HomeKit over IP beside it"},
		{"a smoke alarm with a microphone near", func(p *patient) {
			p.Health = p.Health.With("ear", gateway.Health{Adapter: "ear", Up: true})
			p.Devices = p.Devices.With("smoke", gateway.Device{ID: "smoke", Name: "Smoke", Model: "NSD"})
		}, false, 70, 75, "Smoke", gap, "nobody reaches it", "listen --learn"},
		{"a smoke alarm whose siren the ear knows", func(p *patient) {
			p.Devices = p.Devices.With("smoke", gateway.Device{ID: "smoke", Name: "Smoke", Model: "NSD", Room: "salon"})
			p.Devices = p.Devices.With("ear/smoke-salon", gateway.Device{ID: "ear/smoke-salon", Name: "Smoke salon", Model: "ear", Room: "salon",
				Faces:    []gateway.Face{face("ear")},
				Readings: []gateway.Measure{{Quantity: gateway.Smoke, Value: gateway.Flag(false), At: evening, From: "ear"}}})
		}, true, 100, 100, "Smoke", well, "the ear knows its siren", ""},
		{"a detector that speaks Bluetooth", cloudOnly("detector"), false, 70, 75, "Detector", gap, "unverified", "some metres of it, then veilleuse discover"},
		{"no plan", func(p *patient) {
			p.Home.Copied, p.Home.Schedules, p.facts.SignedIn = time.Time{}, nil, false
		}, false, 25, 60, "Salon", gap, "no plan is copied", "veilleuse login"},
		{"no application", func(p *patient) {
			p.Home.Copied, p.Home.Schedules, p.facts.Client = time.Time{}, nil, false
		}, false, 25, 60, "plan", gap, "no plan of the home is copied", "https://dev.netatmo.com/apps"},
		{"an old plan", func(p *patient) { p.Home.Copied = evening.Add(-3 * 24 * time.Hour) }, true, 90, 99, "plan", warn, "copied 3 days ago", ""},
		{"a very old plan", func(p *patient) { p.Home.Copied = evening.Add(-30 * 24 * time.Hour) }, true, 85, 95, "plan", gap, "30 days ago", ""},
		{"a room that the plan leaves out", func(p *patient) {
			p.Home.Schedules[0].Zones[0].Rooms = p.Home.Schedules[0].Zones[0].Rooms[:1]
		}, true, 95, 100, "Chambre", warn, "the plan names no temperature for it", "in the schedule Semaine"},
		{"a room without a device", func(p *patient) {
			p.Rooms = p.Rooms.With("cave", gateway.Room{ID: "cave", Name: "Cave à vin", Cloud: gateway.CloudRoom{Target: gateway.Number(12)}})
		}, false, 60, 75, "Cave à vin", gap, "no device that does so is known", "veilleuse pair --room 'Cave à vin' ID CODE"},
		{"revoked", func(p *patient) { p.Cloud.Verdict, p.Cloud.Why = gateway.VerdictAuthRevoked, "403" }, true, 95, 99, "sign-in", gap, "no longer accepts", "veilleuse login"},
		{"an outage now", func(p *patient) { p.Cloud.Verdict, p.Cloud.Why = gateway.VerdictCloudDown, "503" }, true, 95, 99, "cloud", warn, "right now: 503", ""},
		{"a drill", func(p *patient) { p.Authority.Drill = true }, true, 95, 99, "cloud", warn, "a drill runs", "veilleuse drill --stop"},
		{"a clock that guesses", func(p *patient) { p.Clock = gateway.Clock{Trust: gateway.TrustGuess, Why: "no battery"} }, true, 90, 96, "clock", gap, "a guess (no battery)", "timedatectl set-ntp true"},
		{"no siren", without("siren"), true, 95, 99, "siren", warn, "no siren", "siren: true"},
		{"nobody's phone", func(p *patient) { p.facts.Controllers = 0 }, true, 95, 99, "home-app", warn, "no Home app", "veilleuse code"},
		{"a bridge that does not listen", func(p *patient) { p.facts.BridgeErr = "connection refused" }, true, 95, 99, "homekit", gap, "connection refused", "homekit.listen"},
		{"a bridge that is not found", func(p *patient) { p.facts.Visible = false }, true, 95, 99, "mdns", gap, "not found by mDNS", "UDP 5353"},
		{"a second bridge that is not found", func(p *patient) { p.facts.Visible, p.facts.Unseen = false, []string{"Veilleuse 2"} }, true, 95, 99, "mdns", gap, "Veilleuse 2 was not found by mDNS", "UDP 5353"},
		{"a bridge that has a double", func(p *patient) {
			p.facts.Announced = []string{"Veilleuse: another host, 10.0.0.7, announces the same HomeKit id"}
		}, true, 95, 99, "mdns", warn, "10.0.0.7", "end what it names"},
		{"a second bridge that nobody has scanned", func(p *patient) { p.facts.Unpaired = []string{"Veilleuse 2"} }, true, 95, 99, "home-app", warn, "Veilleuse 2 is paired with nobody", "veilleuse code"},
		{"nobody could look", func(p *patient) { p.facts.Visible, p.facts.SweepErr = false, "no network" }, true, 95, 99, "mdns", warn, "no network", ""},
		{"a broker that is down", func(p *patient) { p.facts.BrokerErr = "refused" }, true, 95, 99, "broker", gap, "does not answer", "mqtt.listen"},
		{"a broker elsewhere that is down", func(p *patient) {
			p.facts.BrokerInside = false
			p.Health = p.Health.With("mqtt", gateway.Health{Adapter: "mqtt", Why: "connection lost"})
		}, true, 90, 99, "broker", gap, "connection lost", "section mqtt"},
		{"a damaged store", func(p *patient) { p.facts.Damage = "the database was damaged; pair again" }, true, 95, 99, "store", gap, "was damaged", "replace it"},
		{"a full disk", func(p *patient) { p.facts.DiskFree = 50 << 20 }, true, 95, 99, "disk", gap, "only 50 MB are free in /var/lib/veilleuse", "100 MB"},
		{"no snapshot", func(p *patient) { p.facts.Snapshot = false }, true, 95, 99, "snapshot", warn, "no snapshot", ""},
		{"no backup", func(p *patient) { p.facts.Backup.Newest = time.Time{} }, true, 100, 100, "backup", warn, "no backup yet", "veilleuse backup"},
		{"a backup that failed", func(p *patient) { p.facts.Backup.Err = "no space left on device" }, true, 100, 100, "backup", warn, "no space left", ""},
		{"an old backup", func(p *patient) { p.facts.Backup.Newest = evening.Add(-80 * time.Hour) }, true, 100, 100, "backup", warn, "3 days old", "journalctl"},
		{"backups on the same card only", func(p *patient) { p.facts.Backup.Second = backup.SecondReport{} }, true, 100, 100, "backup", warn, "same card", "backup.second"},
		{"a stick that is not plugged in", func(p *patient) { p.facts.Backup.Second.SameDisk = true }, true, 100, 100, "backup", warn, "same disk", "plug the stick in"},
		{"a second place that fails", func(p *patient) { p.facts.Backup.Second.Err = "read-only file system" }, true, 100, 100, "backup", warn, "read-only", "/mnt/usb"},
		{"a backup made while nobody knew the time", func(p *patient) { p.facts.Backup.Dated = false }, true, 100, 100, "backup", well, "is not known", ""},
		{"a quota nearly used up", func(p *patient) { p.Budget.Spent = 110 }, true, 95, 99, "budget", warn, "110 of 120", "netatmo.budget_per_hour"},
		{"no witnesses", func(p *patient) { p.facts.Witnesses = 0 }, true, 95, 99, "witnesses", warn, "no witnesses", "uplink.witnesses"},
		{"a part that is down", func(p *patient) {
			p.Health = p.Health.With("uplink", gateway.Health{Adapter: "uplink", Why: "no socket"})
		}, true, 95, 99, "adapters", gap, "uplink (no socket)", "journalctl"},
		{"a pairing that is silent", func(p *patient) { p.facts.Paired[0].Live, p.facts.Paired[0].Why = false, "timeout" }, true, 95, 99, "pairings", gap, "Relay (timeout)", "has power"},
		{"a firmware that was read once is no word that ages", func(p *patient) {
			relay := gateway.Device{ID: "relay", Name: "Relay", Model: "NAPlug", Faces: []gateway.Face{face(gateway.AccessoryAdapter)}}
			p.Devices = p.Devices.With("relay", relay.WithReading(gateway.Measure{Quantity: gateway.Firmware, Value: gateway.Word("236"), At: evening.Add(-9 * time.Hour), From: gateway.AccessoryAdapter}))
		}, true, 100, 100, "Relay", well, "over HomeKit", ""},
		{"a low battery", func(p *patient) {
			p.device("thermostat", func(d *gateway.Device) { *d = d.WithReading(said20(gateway.LowBattery, gateway.Flag(true))) })
		}, true, 100, 100, "Salon", warn, "its battery is low", "change its battery"},
		{"a battery that is nearly empty", func(p *patient) {
			p.device("valve", func(d *gateway.Device) { *d = d.WithReading(said20(gateway.Battery, gateway.Number(12))) })
		}, true, 100, 100, "My valve", warn, "its battery is low", "change its battery"},
		{"a battery that its device calls good", func(p *patient) {
			p.device("valve", func(d *gateway.Device) {
				*d = d.WithReading(said20(gateway.Battery, gateway.Number(12))).WithReading(said20(gateway.LowBattery, gateway.Flag(false)))
			})
		}, true, 100, 100, "My valve", well, "over HomeKit", ""},
		{"a low battery is no better without the LAN", func(p *patient) {
			cloudOnly("valve")(p)
			p.device("valve", func(d *gateway.Device) { *d = d.WithReading(said20(gateway.LowBattery, gateway.Flag(true))) })
		}, false, 60, 75, "Chambre", gap, "its battery is low", "change its battery; pair its relay"},
		{"a detector with a fault", func(p *patient) {
			p.device("detector", func(d *gateway.Device) { *d = d.WithReading(said20(gateway.Fault, gateway.Flag(true))) })
		}, false, 70, 75, "Detector", gap, "reports a fault", "test button"},
		{"no alarms", without("detector"), true, 100, 100, "Salon", well, "", ""},
		{"a camera that is gone is no reason not to survive", func(p *patient) {
			p.Devices = p.Devices.With("camera", gateway.Device{ID: "camera", Name: "Camera", Model: "NACamera", Faces: []gateway.Face{face(gateway.CloudAdapter)}})
		}, true, 100, 100, "Camera", warn, "only the cloud", "veilleuse login"},
		{"a model that nobody knows", func(p *patient) {
			p.device("valve", func(d *gateway.Device) { d.Model, d.Faces[1].Reaches = "XYZ", false })
		}, false, 60, 75, "Chambre", gap, "what it does by itself is unknown", ""},
	}
	var gaps []web.Gap
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := wellHouse()
			test.change(p)
			r := p.diagnose(t)
			gaps = append(gaps, gapsOf(r)...)
			if r.Survives != test.survives || strings.HasPrefix(r.Verdict, "Yes") != test.survives {
				t.Errorf("survives is %v, %q; want %v", r.Survives, r.Verdict, test.survives)
			}
			if r.Score < test.least || r.Score > test.most {
				t.Errorf("the score is %d, want %d to %d", r.Score, test.least, test.most)
			}
			got, ok := r.found(test.about)
			if !ok || got.Result != test.result || !strings.Contains(got.What, test.what) || !strings.Contains(got.Do, test.do) {
				t.Errorf("about %s it says %+v, want %s with %q and %q", test.about, got, test.result, test.what, test.do)
			}
			soundReport(t, r)
		})
	}
	readInFrench(t, gaps)
}

// soundReport holds what is true of every report: whatever is not well says what to do, whatever is has nothing
// to do, and the page for people is narrow enough and says it all.
func soundReport(t *testing.T, r doctorReport) {
	t.Helper()
	var out bytes.Buffer
	printDoctor(&out, r)
	flat := strings.Join(strings.Fields(out.String()), " ")
	look := func(name string, f finding) {
		if (f.Result == well) != (f.Do == "") || f.What == "" {
			t.Errorf("%s: %+v", name, f)
		}
		if !strings.Contains(flat, f.Do) {
			t.Errorf("the page does not say %q", f.Do)
		}
	}
	for _, room := range r.Rooms {
		look(room.Name, room.finding)
	}
	for _, d := range r.Devices {
		look(d.Name, d.finding)
	}
	for _, c := range r.Checks {
		look(c.Name, c.finding)
	}
	for line := range strings.Lines(out.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 && strings.Contains(strings.TrimSpace(line), " ") {
			t.Errorf("%d characters: %s", n, line)
		}
	}
	if r.Score < 0 || r.Score > 100 || !r.Survives && r.Score > mostWithGaps {
		t.Errorf("score %d", r.Score)
	}
}

func TestDoctorOfAHouseWithNothing(t *testing.T) {
	p := &patient{State: gateway.State{At: evening}}
	r := p.diagnose(t)
	if r.Survives || r.Score > 20 || !strings.Contains(r.Verdict, "nothing is paired") {
		t.Errorf("survives %v, score %d, %q", r.Survives, r.Score, r.Verdict)
	}
	if got, _ := r.found("pairings"); got.Do != "veilleuse discover, then veilleuse pair ID CODE" {
		t.Errorf("about pairings it says %+v", got)
	}
	soundReport(t, r)
	raw, err := json.Marshal(r)
	if err != nil || !strings.Contains(string(raw), `"rooms":[],"devices":[]`) {
		t.Errorf("lists that are empty are %s, %v", raw, err)
	}
}

func TestDoctorIsPureAndSteady(t *testing.T) {
	p := wellHouse()
	cloudOnly("valve")(p)
	first, _ := json.Marshal(p.diagnose(t))
	if again, _ := json.Marshal(p.diagnose(t)); string(first) != string(again) {
		t.Errorf("the same house gives\n%s and\n%s", first, again)
	}
}

// TestDoctorsNamesAreAContract holds the JSON of a house in which something of each kind is missing.
func TestDoctorsNamesAreAContract(t *testing.T) {
	p := wellHouse()
	cloudOnly("valve")(p)
	cloudOnly("detector")(p)
	p.facts.Controllers = 0
	var got bytes.Buffer
	if err := writeJSON(&got, p.diagnose(t)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", "doctor.golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(file); err != nil || !bytes.Equal(got.Bytes(), want) {
		t.Errorf("the report differs from %s (%v); see with -update and git diff", file, err)
	}
}
