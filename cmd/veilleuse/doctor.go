package main

import (
	"context"
	"time"

	notes "github.com/veilleuse/veilleuse/firmware-notes"
	"github.com/veilleuse/veilleuse/gateway"
)

// doctorReport answers "would we survive an outage tonight?". Its field names are a contract.
type doctorReport struct {
	At       time.Time      `json:"at"`
	Survives bool           `json:"survives"` // every heated room and every alarm would be served
	Score    int            `json:"score"`    // 0 to 100, see score
	Verdict  string         `json:"verdict"`  // one sentence
	Rooms    []doctorRoom   `json:"rooms"`    // the heated ones
	Devices  []doctorDevice `json:"devices"`
	Checks   []doctorCheck  `json:"checks"`
}

// finding is what was found out about one thing, and what to do about it.
type finding struct {
	Result result `json:"result"`
	What   string `json:"what"`
	Do     string `json:"do,omitempty"` // the exact thing to do; "" where nothing is missing
}

// result says how much is missing.
type result string

// The results.
const (
	well result = "ok"
	warn result = "warn" // it would do, but not as well as it could
	gap  result = "gap"  // it would be missed in an outage
)

// way is the path that would serve something in an outage.
type way string

// The ways.
const (
	overLAN  way = "lan"    // we read and steer it over the LAN
	byItself way = "itself" // it goes on by itself, by its firmware note; nobody sees or steers it
	noWay    way = "none"
)

// doctorRoom is one heated room.
type doctorRoom struct {
	ID     gateway.RoomID `json:"id"`
	Name   string         `json:"name"`
	Path   way            `json:"path"`
	Served bool           `json:"served"`
	finding
}

// doctorDevice is one device.
type doctorDevice struct {
	ID     gateway.DeviceID `json:"id"`
	Name   string           `json:"name"`
	Model  string           `json:"model,omitempty"`
	Kind   string           `json:"kind,omitempty"` // of the firmware note
	Room   string           `json:"room,omitempty"` // its name
	Path   way              `json:"path"`
	Via    string           `json:"via,omitempty"`   // the adapter that reaches it over the LAN
	Grade  notes.Grade      `json:"grade,omitempty"` // how well the note's word is known
	Alarm  bool             `json:"alarm,omitempty"` // it warns of smoke or carbon monoxide
	Served bool             `json:"served"`
	finding
}

// doctorCheck is one thing that concerns the whole house. Names are a contract.
type doctorCheck struct {
	Name string `json:"name"`
	finding
}

// doctor looks at a house. It is pure: all that it knows is in these three.
type doctor struct {
	state gateway.State
	notes notes.Notes
	facts doctorFacts
}

// diagnose tells what an outage tonight would find.
func diagnose(s gateway.State, known notes.Notes, f doctorFacts) doctorReport {
	d := doctor{s, known, f}
	r := doctorReport{At: s.At, Rooms: []doctorRoom{}, Devices: []doctorDevice{}, Checks: d.checks()}
	seen := map[gateway.DeviceID]doctorDevice{}
	for _, device := range s.Devices.All() {
		seen[device.ID] = d.device(device)
		r.Devices = append(r.Devices, seen[device.ID])
	}
	for _, room := range s.Rooms.All() {
		if found, heated := d.room(room, seen); heated {
			r.Rooms = append(r.Rooms, found)
		}
	}
	tally := count(r)
	r.Survives = tally.all()
	r.Score = score(r, tally)
	r.Verdict = tally.verdict(r)
	return r
}

// doctorVerb asks whether the house would survive an outage tonight.
func doctorVerb(ctx context.Context, c console, args []string) error {
	o := newOptions("doctor").withJSON()
	if _, err := o.parse(args, 0); err != nil {
		return err
	}
	config, _, err := loadConfig(o.config)
	if err != nil {
		return err
	}
	var r doctorReport
	if err := askDaemon(ctx, config.State, "GET", "/doctor", nil, &r); err != nil {
		return err
	}
	if o.json {
		err = writeJSON(c.out, r)
	} else {
		printDoctor(c.out, r)
	}
	if err == nil && !r.Survives {
		return errNo
	}
	return err
}
