package main

import (
	"math"
	"time"

	"github.com/veilleuse/veilleuse/adapters/web"
	notes "github.com/veilleuse/veilleuse/firmware-notes"
	"github.com/veilleuse/veilleuse/gateway"
)

// statusReport is what veilleuse status prints, and with --json writes. Values that are unknown are
// absent, never zero; times are RFC 3339.
type statusReport struct {
	At        time.Time          `json:"at"`
	Home      homeReport         `json:"home"`
	Authority gateway.Authority  `json:"authority"`
	Cloud     cloudReport        `json:"cloud"`
	Alarm     gateway.Alarm      `json:"alarm"`
	Alarms    []gateway.Alarm    `json:"alarms,omitempty"` // those that go on, and the last that are over, newest last
	Tests     []testReport       `json:"tests,omitempty"`  // of smoke and CO detectors
	Guard     *guardReport       `json:"guard,omitempty"`  // the watch against intruders, where there is one
	Clock     clockReport        `json:"clock"`
	Budget    budgetReport       `json:"budget"`
	Store     *storeReport       `json:"store,omitempty"`
	Backup    *backupReport      `json:"backup,omitempty"`
	Upgrade   *web.RolledBack    `json:"rolled_back,omitempty"` // a newer program that has failed its trial
	Rooms     []roomReport       `json:"rooms"`
	Devices   []deviceReport     `json:"devices"`
	Adapters  []adapterReport    `json:"adapters"`
	Bridges   []bridgeReport     `json:"bridges"`   // to the Home app
	Decisions []gateway.Decision `json:"decisions"` // the last ten, newest last

	Outage       *web.OutageReport  `json:"outage,omitempty"`      // the one that goes on
	LastOutage   *web.ShortOutage   `json:"last_outage,omitempty"` // the last finished one
	Availability availabilityReport `json:"availability"`
}

// bridgeReport is how one bridge to the Home app stands.
type bridgeReport struct {
	Name        string `json:"name"`
	Listen      string `json:"listen,omitempty"`
	Controllers int    `json:"controllers"`         // that are paired with it
	Announced   string `json:"announced,omitempty"` // what is wrong with its record on the LAN
}

type homeReport struct {
	ID         string           `json:"id,omitempty"`
	Name       string           `json:"name,omitempty"`
	Mode       gateway.HomeMode `json:"mode"`
	Until      time.Time        `json:"until,omitzero"`
	PlanCopied time.Time        `json:"plan_copied,omitzero"`
	Schedules  int              `json:"schedules"`
}

type cloudReport struct {
	Verdict  gateway.Verdict `json:"verdict"`
	Scope    []gateway.Plane `json:"scope,omitempty"`
	Since    time.Time       `json:"since,omitzero"`
	Why      string          `json:"why"`
	Evidence []string        `json:"evidence,omitempty"`
}

type clockReport struct {
	Trust  gateway.Trust `json:"trust"`
	BoundS int           `json:"bound_s,omitempty"` // how far off it may be; absent: not known
	Why    string        `json:"why"`
}

type budgetReport struct {
	SpentLastHour int `json:"spent_last_hour"`
	PerHour       int `json:"per_hour"`
	Total         int `json:"total"`
}

type roomReport struct {
	ID          gateway.RoomID   `json:"id"`
	Name        string           `json:"name"`
	Temperature *gateway.Measure `json:"temperature,omitempty"`
	Target      *gateway.Value   `json:"target,omitempty"` // °C
	Mode        gateway.RoomMode `json:"mode,omitempty"`
	Until       time.Time        `json:"until,omitzero"`
	Why         string           `json:"why,omitempty"`
}

type deviceReport struct {
	ID        gateway.DeviceID   `json:"id"`
	Name      string             `json:"name"`
	Model     string             `json:"model,omitempty"`
	Kind      string             `json:"kind,omitempty"` // of the firmware note
	Room      string             `json:"room,omitempty"` // its name
	Reachable bool               `json:"reachable"`
	Via       string             `json:"via,omitempty"`
	Why       string             `json:"why,omitempty"` // why it is not reachable
	Readings  []readingReport    `json:"readings,omitempty"`
	Outage    string             `json:"outage,omitempty"` // what would go on without the cloud
	Grade     notes.Grade        `json:"grade,omitempty"`  // how well that is known
	Paths     []string           `json:"paths,omitempty"`  // adapters that see it
	Also      []gateway.DeviceID `json:"also,omitempty"`
}

type readingReport struct {
	Quantity gateway.Quantity `json:"quantity"`
	Value    gateway.Value    `json:"value"`
	At       time.Time        `json:"at"`
	AgeS     int              `json:"age_s"`
	From     string           `json:"from"`
}

type adapterReport struct {
	Name string `json:"name"`
	Up   bool   `json:"up"`
	Why  string `json:"why,omitempty"`
}

// shownDecisions is how many decisions a status shows.
const shownDecisions = 10

// report makes a status of a State.
func report(s gateway.State, known notes.Notes) statusReport {
	r := statusReport{
		At: s.At,
		Home: homeReport{ID: s.Home.ID, Name: s.Home.Name, Mode: s.Home.Regime.Mode, Until: s.Home.Regime.Until,
			PlanCopied: s.Home.Copied, Schedules: len(s.Home.Schedules)},
		Authority: s.Authority,
		Cloud:     cloudReport{s.Cloud.Verdict, s.Cloud.Scope, s.Cloud.Since, s.Cloud.Why, s.Cloud.Evidence},
		Alarm:     s.Alarm(),
		Clock:     clockReport{s.Clock.Trust, int(math.Ceil(s.Clock.Bound.Seconds())), s.Clock.Why},
		Budget:    budgetReport{s.Budget.Spent, s.Budget.Limit, s.Budget.Total},
		Rooms:     []roomReport{},
		Devices:   []deviceReport{},
		Decisions: s.Decisions[max(0, len(s.Decisions)-shownDecisions):],
	}
	r.addOutages(s)
	for _, room := range s.Rooms.All() {
		r.Rooms = append(r.Rooms, reportRoom(room))
	}
	for _, d := range s.Devices.All() {
		r.Devices = append(r.Devices, reportDevice(s, d, known))
	}
	r.Alarms = append(append(r.Alarms, s.PastAlarms[max(0, len(s.PastAlarms)-shownAlarms):]...), s.Alarms...)
	r.Tests = reportTests(s)
	r.Guard = reportGuard(s)
	for name, h := range s.Health.All() {
		r.Adapters = append(r.Adapters, adapterReport{string(name), h.Up, h.Why})
	}
	return r
}

func reportRoom(room gateway.Room) roomReport {
	r := roomReport{ID: room.ID, Name: room.Name, Mode: room.Target.Mode, Until: room.Target.Until, Why: room.Target.Why}
	if room.Temperature.Value.Known() {
		r.Temperature = &room.Temperature
	}
	if room.Target.Value.Known() {
		r.Target = &room.Target.Value
	}
	return r
}

func reportDevice(s gateway.State, d gateway.Device, known notes.Notes) deviceReport {
	r := deviceReport{ID: d.ID, Name: d.Name, Model: d.Model, Reachable: d.Reachable(), Via: d.Via(), Also: d.Also}
	if room, ok := s.Rooms.Get(d.Room); ok {
		r.Room = room.Name
	}
	for _, face := range d.Faces {
		r.Paths = append(r.Paths, face.Adapter)
		if !face.Reaches && !r.Reachable && face.Why != "" {
			r.Why = face.Why
		}
	}
	for _, q := range d.Quantities() {
		if m, ok := d.Reading(q); ok {
			r.Readings = append(r.Readings, readingReport{m.Quantity, m.Value, m.At, int(s.At.Sub(m.At).Seconds()), m.From})
		}
	}
	if note, ok := known.For(d.Model); ok {
		r.Kind, r.Outage, r.Grade = note.Kind, note.Outage(), note.BestPath().Grade
	}
	return r
}
