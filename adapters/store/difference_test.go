package store

import (
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

func TestDifference(t *testing.T) {
	later := began.Add(time.Hour)
	room := func(change func(*gateway.Room)) func(gateway.State) gateway.State {
		return func(s gateway.State) gateway.State {
			r, _ := s.Rooms.Get("room-1")
			change(&r)
			s.Rooms = s.Rooms.With(r.ID, r)
			return s
		}
	}
	device := func(change func(*gateway.Device)) func(gateway.State) gateway.State {
		return func(s gateway.State) gateway.State {
			d, _ := s.Devices.Get(deviceID(5))
			change(&d)
			s.Devices = s.Devices.With(d.ID, d)
			return s
		}
	}
	state := func(change func(*gateway.State)) func(gateway.State) gateway.State {
		return func(s gateway.State) gateway.State { change(&s); return s }
	}
	for _, c := range []struct {
		name   string
		change func(gateway.State) gateway.State
		want   urgency
	}{
		{"nothing", state(func(*gateway.State) {}), nothing},
		{"the same house made anew", func(gateway.State) gateway.State { return houseOf(8) }, nothing},
		{"the same device put in again", device(func(*gateway.Device) {}), nothing},
		{"what is never saved", state(func(s *gateway.State) { s.At = later; s.Cloud.LastGood = later; s.Budget.Spent = 7 }), nothing},
		{"a room's temperature", room(func(r *gateway.Room) { r.Temperature.Value = gateway.Number(21) }), nothing},
		{"a face that answers no more", device(func(d *gateway.Device) {
			*d = d.WithFace(gateway.Face{Adapter: "netatmo", Reaches: false, Since: later, Why: "no answer"})
		}), nothing},
		{"an equal time in another zone", state(func(s *gateway.State) { s.Authority.Since = began.In(time.FixedZone("", 0)) }), nothing},

		{"an outage is measured", state(func(s *gateway.State) { s.Outage = &gateway.Outage{Number: 1, Measured: later} }), measured},
		{"the vendor's day grows", state(func(s *gateway.State) { s.Days = []gateway.Day{{Date: "2025-10-29", Watched: 900}} }), measured},
		{"the vendor was watched", state(func(s *gateway.State) { s.Watch.Watched = time.Second }), measured},
		{"a reading's value", func(s gateway.State) gateway.State { return measure(s, 5, 30, began) }, measured},
		{"a reading's time", func(s gateway.State) gateway.State { return measure(s, 5, 19.5, later) }, measured},
		{"the cloud was asked again", room(func(r *gateway.Room) { r.CloudAt = later }), measured},
		{"the plan was copied again", state(func(s *gateway.State) { s.Home.Copied = later }), measured},
		{"another reason, same phase", state(func(s *gateway.State) { s.Authority.Why = "the cloud still answers" }), measured},
		{"another reason, same verdict", state(func(s *gateway.State) { s.Cloud.Why = "503 again" }), measured},
		{"a command was numbered", state(func(s *gateway.State) { s.Commanded++ }), measured},

		{"a relay switched", state(func(s *gateway.State) { s.Firings = s.Firings.With("boiler", gateway.Firing{On: true}) }), measured},
		{"what is learnt and not yet to be saved", state(func(s *gateway.State) {
			s.Memories = s.Memories.With("room-1", gateway.MemoryOf(gateway.MemoryText(`{"gain":2}`)))
		}), nothing},

		{"a decision", state(func(s *gateway.State) { s.Decided++ }), decided},

		{"a person's wish", func(s gateway.State) gateway.State { return override(s, 1, 23, began) }, essential},
		{"a wish and a reading", func(s gateway.State) gateway.State { return measure(override(s, 1, 23, began), 5, 30, later) }, essential},
		{"a quantity never read before", device(func(d *gateway.Device) {
			*d = d.WithReading(gateway.Measure{Quantity: gateway.Smoke, From: "accessory"})
		}), essential},
		{"a new control", device(func(d *gateway.Device) {
			*d = d.WithFace(gateway.Face{Adapter: "camera", Controls: []gateway.Control{{Quantity: gateway.Monitoring}}})
		}), essential},
		{"a new name", device(func(d *gateway.Device) { d.Name = "Salon" }), essential},
		{"a device went", state(func(s *gateway.State) { s.Devices = s.Devices.Without(deviceID(5)) }), essential},
		{"a device came", state(func(s *gateway.State) { s.Devices = s.Devices.With("x", gateway.Device{ID: "x"}) }), essential},
		{"another name of a device", state(func(s *gateway.State) { s.Also = s.Also.With("serial-5", "x") }), essential},
		{"the phase", state(func(s *gateway.State) { s.Authority.Phase = gateway.Local }), essential},
		{"the verdict", state(func(s *gateway.State) { s.Cloud.Verdict = gateway.VerdictCloudDown }), essential},
		{"the home's mode", state(func(s *gateway.State) { s.Home.Regime.Mode = gateway.HomeAway }), essential},
		{"a slot of the schedule", state(func(s *gateway.State) {
			s.Home.Schedules = []gateway.Schedule{scheduleOf(0, 2), scheduleOf(1, 3)}
		}), essential},
		{"a detector was tested", state(func(s *gateway.State) { s.Tests = s.Tests.With("x", gateway.DetectorTest{At: later}) }), essential},
		{"an alarm", state(func(s *gateway.State) {
			s.Alarms = []gateway.Alarm{{Phase: gateway.Sounding, Kind: gateway.Smoke}}
		}), grave},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := houseOf(8)
			after := c.change(before)
			after.Version = before.Version + 1
			if got := difference(before, after); got != c.want {
				t.Errorf("urgency is %d, wanted %d", got, c.want)
			}
		})
	}
}

// An alarm that was saved and is only heard again is no news; one that was hushed is.
func TestDifferenceOfAlarms(t *testing.T) {
	before := houseOf(4)
	before.Alarms = []gateway.Alarm{{Phase: gateway.Sounding, Kind: gateway.Smoke, Heard: began, Why: "smoke"}}
	heard, hushed := before, before
	heard.Version++
	heard.Alarms = []gateway.Alarm{{Phase: gateway.Sounding, Kind: gateway.Smoke, Heard: began.Add(time.Second), Why: "smoke"}}
	hushed.Version++
	hushed.Alarms = []gateway.Alarm{{Phase: gateway.Hushed, Kind: gateway.Smoke, Heard: began, Why: "smoke"}}
	if got := difference(before, heard); got != measured {
		t.Errorf("heard again: %d", got)
	}
	lasted := heard
	lasted.Alarms = []gateway.Alarm{{Phase: gateway.Sounding, Kind: gateway.Smoke, Heard: began, Held: time.Minute, Why: "smoke"}}
	if got := difference(before, lasted); got != measured {
		t.Errorf("lasted: %d", got)
	}
	if got := difference(before, hushed); got != grave {
		t.Errorf("hushed: %d", got)
	}
	told := heard
	told.Alarms = []gateway.Alarm{{Phase: gateway.Sounding, Kind: gateway.Smoke, Heard: began, Why: "smoke", Told: []gateway.Delivery{{Step: 1}}}}
	if got := difference(before, told); got != essential {
		t.Errorf("told: %d", got)
	}
	if before.Alarms[0].Why != "smoke" || before.Alarms[0].Heard != began {
		t.Error("the State was changed by being compared")
	}
}

func TestDifferenceLeavesTheStateAlone(t *testing.T) {
	before := houseOf(4)
	saved := asJSON(t, before.Lasting())
	difference(gateway.State{}, before)
	difference(before, measure(override(before, 0, 20, began), 1, 30, began))
	if asJSON(t, before.Lasting()) != saved {
		t.Error("the State was changed by being compared")
	}
}

// The comparison runs with every event, so it must not grow with the house.
func BenchmarkDifferenceOfOneReading(b *testing.B) {
	before := houseOf(60)
	after := measure(before, 7, 25, began)
	b.ReportAllocs()
	for b.Loop() {
		if difference(before, after) != measured {
			b.Fatal("not seen")
		}
	}
}

// What is learnt of a room changes all day: it must not have the disk written at once each time.
func TestWhatIsLearntIsNotUrgent(t *testing.T) {
	learnt := func(s gateway.State, gain string) gateway.State {
		s.Version++
		s.Kept = s.Kept.With("room-1", gateway.MemoryOf(gateway.MemoryText(gain)))
		return s
	}
	before := learnt(houseOf(8), "1")
	if got := difference(before, learnt(before, "2")); got != measured {
		t.Errorf("another memory has urgency %d, want %d", got, measured)
	}
	if got := difference(before, learnt(before, "1")); got != nothing {
		t.Errorf("the same memory has urgency %d, want %d", got, nothing)
	}
}

func TestDifferenceOfTheGuard(t *testing.T) {
	before := houseOf(4)
	before.Guard = gateway.Guard{Mode: gateway.GuardAway, Phase: gateway.GuardEntering, Left: 20 * time.Second}
	for name, test := range map[string]struct {
		guard gateway.Guard
		want  urgency
	}{
		"a second passed":   {gateway.Guard{Mode: gateway.GuardAway, Phase: gateway.GuardEntering, Left: 19 * time.Second}, measured},
		"switched off":      {gateway.Guard{Mode: gateway.GuardOff}, grave},
		"an intruder":       {gateway.Guard{Mode: gateway.GuardAway, Phase: gateway.GuardTripped}, grave},
		"a sensor was lost": {gateway.Guard{Mode: gateway.GuardAway, Phase: gateway.GuardEntering, Left: 20 * time.Second, Blind: []gateway.DeviceID{"w"}}, essential},
	} {
		after := before
		after.Version++
		after.Guard = test.guard
		if got := difference(before, after); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
}
