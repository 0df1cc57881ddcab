package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	notes "github.com/veilleuse/veilleuse/firmware-notes"
	"github.com/veilleuse/veilleuse/gateway"
)

// played is a sequence of States, made by hand: what the verb would see of a drill.
type played struct {
	*patient
	watch *drillWatch
	known notes.Notes
	seen  uint64
}

// play begins a drill of ten minutes in a house where all is well.
func play(t *testing.T) *played {
	t.Helper()
	known, err := notes.Read()
	if err != nil {
		t.Fatal(err)
	}
	p := &played{patient: wellHouse(), known: known}
	for _, room := range []gateway.RoomID{"salon", "chambre"} {
		p.aim(room, 19)
	}
	p.Health = p.Health.With("broker", gateway.Health{Adapter: "broker", Up: true})
	p.Authority = gateway.Authority{Phase: gateway.Local, Drill: true, Since: evening}
	p.decide("authority", "drill: the house is run from here until 18:10", "asked for in veilleuse drill")
	p.watch = watchDrill(10*time.Minute, p.look())
	return p
}

func (p *played) decide(kind, what, why string) {
	p.Decided++
	p.Decisions = append(p.Decisions, gateway.Decision{Number: p.Decided, At: p.At, Kind: kind, What: what, Why: why})
}

func (p *played) aim(id gateway.RoomID, target float64) {
	room, _ := p.Rooms.Get(id)
	room.Target = gateway.Aim{Value: gateway.Number(target), Mode: gateway.RoomSchedule, Why: "schedule Semaine, zone Confort"}
	p.Rooms = p.Rooms.With(id, room)
}

// shows lets a device show a target over the LAN.
func (p *played) shows(id gateway.DeviceID, target float64) {
	d, _ := p.Devices.Get(id)
	p.Devices = p.Devices.With(id, d.WithReading(gateway.Measure{Quantity: gateway.Target, Value: gateway.Number(target), At: p.At, From: gateway.AccessoryAdapter}))
}

func (p *played) look() drillView {
	v := viewDrill(p.State, p.known, p.seen)
	p.seen = v.Decided
	return v
}

// later lets time pass, then looks.
func (p *played) later(d time.Duration) {
	p.At = p.At.Add(d)
	p.watch.take(p.look())
}

// ends lets the drill end after that time, for that reason, and the house go back.
func (p *played) ends(after time.Duration, why string) {
	p.At = evening.Add(after)
	p.Authority = gateway.Authority{Phase: gateway.Returning, Drill: true, Since: p.At, Why: "drill: " + why}
	p.decide("authority", "drill: it ends", why)
	p.later(0)
	p.At = p.At.Add(20 * time.Second)
	p.Authority = gateway.Authority{Phase: gateway.Watching, Since: p.At}
	p.decide("authority", "drill: the house is handed back to Netatmo", "the drill is over")
	p.later(0)
}

func TestDrillIsJudged(t *testing.T) {
	tests := []struct {
		name   string
		play   func(*played)
		passed bool
		by     drillEnd
		says   string // somewhere on the page
	}{
		{"all is served", func(p *played) { p.later(9 * time.Minute); p.ends(10*time.Minute, "its time is over") },
			true, endedInTime, "Everything was served without Netatmo: 2 heated rooms, 1 alarm."},
		{"ended early", func(p *played) { p.later(time.Minute); p.ends(2*time.Minute, "asked for in Home app") },
			true, endedOnRequest, "after 2 min: asked for in Home app"},
		{"a device was told", func(p *played) {
			p.shows("valve", 17)
			p.later(3 * time.Minute)
			room, _ := p.Rooms.Get("chambre")
			room.Written = gateway.Aim{Value: gateway.Number(19)}
			p.Rooms = p.Rooms.With("chambre", room)
			p.shows("valve", 19)
			p.later(time.Minute)
			p.ends(10*time.Minute, "its time is over")
		}, true, endedInTime, "My valve was set to 19 °C and shows it"},
		{"a device does not follow", func(p *played) {
			p.shows("valve", 17)
			p.later(9 * time.Minute)
			p.ends(10*time.Minute, "its time is over")
		}, false, endedInTime, "Not served: Chambre. veilleuse doctor says what to do."},
		{"a device had no time to follow", func(p *played) {
			p.shows("valve", 17)
			p.later(time.Minute)
			p.ends(time.Minute+time.Second, "asked for in MQTT")
		}, false, endedOnRequest, "so a longer drill may show more"},
		{"the slot changed just before the end", func(p *played) {
			p.later(9 * time.Minute)
			p.aim("chambre", 17)
			p.later(30 * time.Second)
			p.ends(10*time.Minute, "its time is over")
		}, true, endedInTime, "until then it was served"},
		{"the slot changed long before the end", func(p *played) {
			p.later(time.Minute)
			p.aim("chambre", 17)
			p.later(30 * time.Second)
			p.later(8 * time.Minute)
			p.ends(10*time.Minute, "its time is over")
		}, false, endedInTime, "shows 19 °C instead of 17 °C"},
		{"a room that a relay heats", func(p *played) {
			byRelay(p.patient)
			p.later(9 * time.Minute)
			p.ends(10*time.Minute, "its time is over")
		}, true, endedInTime, "Radiator is off"},
		{"a relay does not obey", func(p *played) {
			byRelay(p.patient)
			p.Firings = p.Firings.With("relay", gateway.Firing{Silent: true})
			p.later(time.Minute)
			p.later(8 * time.Minute)
			p.ends(10*time.Minute, "its time is over")
		}, false, endedInTime, "Radiator does not show what it was told"},
		{"a device is lost on the LAN", func(p *played) {
			p.device("valve", func(d *gateway.Device) {
				d.Faces = []gateway.Face{{Adapter: gateway.AccessoryAdapter, Why: "timeout", Controls: d.Faces[1].Controls}}
			})
			p.later(9 * time.Minute)
			p.ends(10*time.Minute, "its time is over")
		}, false, endedInTime, "My valve does not answer (timeout)"},
		{"a device was never on the LAN", func(p *played) {
			cloudOnly("thermostat")(p.patient)
			p.later(9 * time.Minute)
			p.ends(10*time.Minute, "its time is over")
		}, false, endedInTime, "My thermostat is not on the LAN"},
		{"an alarm that only the cloud hears", func(p *played) {
			cloudOnly("detector")(p.patient)
			p.later(9 * time.Minute)
			p.ends(10*time.Minute, "its time is over")
		}, false, endedInTime, "Not served: Detector."},
		{"MQTT was away for a while", func(p *played) {
			p.Health = p.Health.With("mqtt", gateway.Health{Adapter: "mqtt", Why: "connection lost"})
			p.later(time.Minute)
			p.Health = p.Health.With("mqtt", gateway.Health{Adapter: "mqtt", Up: true})
			p.later(time.Minute)
			p.ends(10*time.Minute, "its time is over")
		}, false, endedInTime, "MQTT: connection lost"},
		{"a real alarm", func(p *played) {
			p.later(time.Minute)
			p.At = p.At.Add(time.Minute)
			p.Alarms = []gateway.Alarm{{Phase: gateway.Sounding, Kind: gateway.CO, Device: "detector"}}
			p.decide("alarm", "carbon monoxide ALARM: Detector", "reported over accessory")
			p.ends(2*time.Minute, "an alarm sounds, and it is no drill")
		}, false, endedByAlarm, "broken off by a real alarm"},
		{"a detector was tried meanwhile", func(p *played) {
			p.decide("alarm", "a test of Detector for 5m: what sounds until 10:06 is a test", "asked for in MQTT")
			p.later(9 * time.Minute)
			p.ends(10*time.Minute, "its time is over")
		}, true, endedInTime, "Everything was served"},
		{"a real alarm that was over before anybody looked", func(p *played) {
			p.decide("alarm", "carbon monoxide ALARM: Detector", "reported over accessory")
			p.decide("alarm", "carbon monoxide alarm is over: Detector", "the detector that raised it says so")
			p.ends(2*time.Minute, "an alarm sounds, and it is no drill")
		}, false, endedByAlarm, "broken off by a real alarm"},
		{"it has become real", func(p *played) {
			p.At = p.At.Add(5 * time.Minute)
			p.Authority = gateway.Authority{Phase: gateway.Local, Since: p.At}
			p.decide("authority", "Netatmo is gone: the drill has become real", "503")
			p.later(0)
		}, false, endedByOutage, "The drill has become real"},
		{"the house does not come back", func(p *played) {
			p.At = p.At.Add(10 * time.Minute)
			p.Authority = gateway.Authority{Phase: gateway.Returning, Drill: true, Since: p.At, Why: "drill: its time is over"}
			p.later(0)
			p.later(returnsWithin + time.Second)
		}, false, endedInTime, "is not under Netatmo again yet"},
		{"nobody saw the end", func(p *played) { p.later(time.Minute) }, false, endedUnseen, "the daemon does not answer any more"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := play(t)
			test.play(p)
			if over := p.watch.over(p.At); over != (test.by != endedUnseen) {
				t.Errorf("over is %v", over)
			}
			r := p.watch.report()
			var out bytes.Buffer
			r.print(&out)
			flat := strings.Join(strings.Fields(out.String()), " ")
			if r.Passed != test.passed || r.EndedBy != test.by || !strings.Contains(flat, test.says) {
				t.Errorf("passed %v by %s; want %v by %s, and it said:\n%s", r.Passed, r.EndedBy, test.passed, test.by, out.String())
			}
			if raw, err := json.Marshal(r); err != nil || strings.Contains(string(raw), "null") {
				t.Errorf("as JSON: %s, %v", raw, err)
			}
		})
	}
}

func TestDrillOfAHouseWithNothing(t *testing.T) {
	p := &played{patient: &patient{State: gateway.State{At: evening, Authority: gateway.Authority{Phase: gateway.Local, Drill: true, Since: evening}}}}
	p.watch = watchDrill(time.Minute, p.look())
	p.ends(time.Minute, "its time is over")
	if r := p.watch.report(); r.Passed || !strings.HasPrefix(r.Verdict, "Nothing was tried") {
		t.Errorf("%+v", r)
	}
}

func TestDrillThatSomebodyEndedAtOnce(t *testing.T) {
	p := play(t)
	p.At = evening.Add(time.Second)
	p.Authority = gateway.Authority{Phase: gateway.Returning, Drill: true, Since: p.At}
	p.decide("authority", "drill: it ends", "asked for in MQTT")
	p.seen = 0
	w := watchDrill(10*time.Minute, p.look())
	if r := w.report(); r.Passed || r.EndedBy != endedOnRequest || !r.Began.Equal(evening) || !r.Ended.Equal(p.At) || r.Why != "asked for in MQTT" {
		t.Errorf("%+v", r)
	}
}

func TestTargetFits(t *testing.T) {
	face := gateway.Face{Controls: []gateway.Control{{Quantity: gateway.Target, Min: 10, Max: 28, Step: 0.5}}}
	for _, test := range []struct {
		shown, wanted float64
		want          bool
	}{{19, 19, true}, {19, 19.2, true}, {19, 19.5, false}, {10, 7, true}, {28, 30, true}, {27, 30, false}} {
		if got := fits(test.shown, test.wanted, face); got != test.want {
			t.Errorf("%g for %g fits: %v", test.shown, test.wanted, got)
		}
	}
	if fits(19, 19.1, gateway.Face{}) || !fits(19, 19.04, gateway.Face{}) {
		t.Error("a device without steps")
	}
}
