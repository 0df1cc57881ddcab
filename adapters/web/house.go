package web

import (
	"math"
	"slices"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// house is how the house stands: what GET /api/state answers, and what the page is made of. Names are a contract. What is not
// known is absent, never zero; times are RFC 3339 in UTC; temperatures are °C.
type house struct {
	Version   uint64         `json:"version"` // grows with every change
	At        time.Time      `json:"at"`
	Home      homeView       `json:"home"`
	Authority authorityView  `json:"authority"`
	Cloud     cloudView      `json:"cloud"`
	Alarms    []alarmView    `json:"alarms"` // those that go on, the gravest first, then one that was over within the hour
	Outlook   *Outlook       `json:"outlook,omitempty"`
	Outage    *outageView    `json:"outage,omitempty"` // the one that goes on, or was over within the week
	Rooms     []roomView     `json:"rooms"`
	Devices   []deviceView   `json:"devices"`
	Guard     *guardView     `json:"guard,omitempty"` // where sensors are named for it
	Clock     clockView      `json:"clock"`
	First     []string       `json:"first,omitempty"`    // steps of the first run that are left
	Troubles  []troubleView  `json:"troubles,omitempty"` // parts of Veilleuse that do not run
	Lately    []decisionView `json:"lately"`             // the last decisions, newest first

	RolledBack *RolledBack `json:"rolled_back,omitempty"` // a newer program that has failed its trial

	zone *time.Location
}

type homeView struct {
	Name       string         `json:"name,omitempty"`
	Zone       string         `json:"zone"`
	Mode       string         `json:"mode"` // schedule, away, frost
	Until      time.Time      `json:"until,omitzero"`
	Schedule   string         `json:"schedule,omitempty"` // id of the one in force
	Schedules  []scheduleView `json:"schedules,omitempty"`
	FrostGuard float64        `json:"frost_guard"`
	Maximum    float64        `json:"maximum"`
	Copied     time.Time      `json:"plan_copied,omitzero"`
}

type scheduleView struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type authorityView struct {
	Phase string    `json:"phase"`
	Since time.Time `json:"since,omitzero"`
	Why   string    `json:"why"`
	Drill bool      `json:"drill"`
	Until time.Time `json:"until,omitzero"` // when a drill ends by itself
}

type cloudView struct {
	Verdict  string    `json:"verdict"`
	Since    time.Time `json:"since,omitzero"`
	Why      string    `json:"why"`
	Evidence []string  `json:"evidence,omitempty"`
}

type alarmView struct {
	Number   uint64     `json:"number"`
	Phase    string     `json:"phase"`
	Kind     string     `json:"kind"`
	Device   string     `json:"device"`
	Name     string     `json:"name"`
	Since    time.Time  `json:"since"`
	Why      string     `json:"why"`
	Answered time.Time  `json:"answered,omitzero"`
	By       string     `json:"answered_by,omitempty"`
	Ended    time.Time  `json:"ended,omitzero"`
	Told     []toldView `json:"told,omitempty"`
}

// waits reports whether the alarm is on and nobody has answered.
func (a alarmView) waits() bool {
	return (a.Phase == string(gateway.Sounding) || a.Phase == string(gateway.Hushed)) && a.Answered.IsZero()
}

type toldView struct {
	Step      int       `json:"step"`
	Path      string    `json:"path"`
	At        time.Time `json:"at"`
	Times     int       `json:"times"`
	Delivered time.Time `json:"delivered,omitzero"`
	By        string    `json:"by,omitempty"`
	Err       string    `json:"error,omitempty"`
}

// Outlook is what an outage now would find.
type Outlook struct {
	Survives bool   `json:"survives"` // every heated room and every alarm would be served
	Says     string `json:"says"`     // in one sentence
	// How many heated rooms, and smoke or carbon monoxide alarms, there are, and would be served.
	Rooms        int   `json:"rooms"`
	RoomsServed  int   `json:"rooms_served"`
	Alarms       int   `json:"alarms"`
	AlarmsServed int   `json:"alarms_served"`
	Gaps         []Gap `json:"gaps,omitempty"`
}

// Gap is one thing that an outage would find missing.
type Gap struct {
	Name string `json:"name"`
	What string `json:"what"`
	Do   string `json:"do,omitempty"`
}

type roomView struct {
	ID          string        `json:"id"`
	Wish        string        `json:"wish"` // where wishes for it go: room/<id>
	Name        string        `json:"name"`
	Temperature *readingView  `json:"temperature,omitempty"`
	Fades       time.Time     `json:"temperature_until,omitzero"` // from then on it is too old to say how warm it is
	Target      gateway.Value `json:"target,omitzero"`
	Mode        string        `json:"mode,omitempty"`
	Until       time.Time     `json:"until,omitzero"`
	Why         string        `json:"why,omitempty"`
	Heating     gateway.Value `json:"heating,omitzero"` // true or false, or the demand in %
	// Shown is the target that a device of the room shows, where it is not yet Target.
	Shown gateway.Value `json:"shown,omitzero"`
	// Confirmed says that every device of the room that has a target shows Target; absent: none has one.
	Confirmed gateway.Value `json:"confirmed,omitzero"`
	// NotTaken is why a device of the room has not taken Target, where it said why.
	NotTaken  string    `json:"not_taken,omitempty"`
	OpenSince time.Time `json:"window_open_since,omitzero"`
}

type deviceView struct {
	ID        string        `json:"id"`
	Wish      string        `json:"wish"` // where wishes for it go: device/<id>
	Name      string        `json:"name"`
	Model     string        `json:"model,omitempty"`
	Room      string        `json:"room,omitempty"` // its name
	Reachable bool          `json:"reachable"`
	Via       string        `json:"via,omitempty"`
	Why       string        `json:"why,omitempty"`       // why it does not answer
	Silent    bool          `json:"silent,omitempty"`    // a detector that was not heard for too long
	Heard     time.Time     `json:"heard,omitzero"`      // its newest word
	Without   string        `json:"in_outage,omitempty"` // what would go on without the cloud
	Readings  []readingView `json:"readings,omitempty"`
}

type readingView struct {
	Quantity string        `json:"quantity"`
	Value    gateway.Value `json:"value"`
	At       time.Time     `json:"at"`
	From     string        `json:"from"`
}

type guardView struct {
	Mode     string    `json:"mode"`
	Phase    string    `json:"phase,omitempty"` // absent: off
	Since    time.Time `json:"since,omitzero"`
	LeftS    int       `json:"left_s,omitempty"` // of the exit or entry delay
	LeftOut  []string  `json:"left_out,omitempty"`
	Open     []string  `json:"open,omitempty"`
	NotHeard []string  `json:"not_heard,omitempty"`
}

type clockView struct {
	Trust string `json:"trust"`
	Why   string `json:"why,omitempty"`
}

type troubleView struct {
	Name string `json:"name"`
	Why  string `json:"why"`
}

type decisionView struct {
	Number uint64    `json:"number"`
	At     time.Time `json:"at"`
	Kind   string    `json:"kind"`
	What   string    `json:"what"`
	Why    string    `json:"why"`
}

// How much of the past is shown.
const (
	shownDecisions = 12
	sameTarget     = 0.25 // °C; devices round to half degrees
)

// view makes a house of a State.
func (a *Adapter) view(s gateway.State) house {
	h := house{
		Version: s.Version, At: s.At.UTC(),
		Home: homeView{Name: s.Home.Name, Zone: s.Home.Zone.String(), Mode: string(s.Home.Regime.Mode), Until: utc(s.Home.Regime.End()), Schedule: s.Home.Regime.Schedule,
			FrostGuard: s.Home.FrostGuard, Maximum: s.Home.Maximum, Copied: utc(s.Home.Copied)},
		Authority: authorityView{string(s.Authority.Phase), utc(s.Authority.Since), s.Authority.Why, s.Authority.Drill, utc(s.Authority.Until)},
		Cloud:     cloudView{string(s.Cloud.Verdict), utc(s.Cloud.Since), s.Cloud.Why, s.Cloud.Evidence},
		Alarms:    alarmsOf(s), Rooms: []roomView{}, Devices: []deviceView{}, Lately: []decisionView{},
		Clock: clockView{string(s.Clock.Trust), s.Clock.Why},
		Guard: guardOf(s), Outage: outageOn(s), RolledBack: a.options.RolledBack,
		First: a.reminder(),
		zone:  zoneOf(s.Home),
	}
	if h.Home.Mode == "" {
		h.Home.Mode = string(gateway.HomeSchedule)
	}
	for _, one := range s.Home.Schedules {
		if one.Type == "therm" || one.Type == "" {
			h.Home.Schedules = append(h.Home.Schedules, scheduleView{one.ID, one.Name})
		}
	}
	for _, r := range s.Rooms.All() {
		h.Rooms = append(h.Rooms, a.roomOf(s, r))
	}
	for _, d := range s.Devices.All() {
		h.Devices = append(h.Devices, a.deviceOf(s, d))
	}
	for name, health := range s.Health.All() {
		if !health.Up {
			h.Troubles = append(h.Troubles, troubleView{string(name), health.Why})
		}
	}
	for _, d := range slices.Backward(s.Decisions[max(0, len(s.Decisions)-shownDecisions):]) {
		h.Lately = append(h.Lately, decisionView{d.Number, utc(d.At), d.Kind, d.What, d.Why})
	}
	if a.options.Outlook != nil {
		h.Outlook = a.options.Outlook(s)
	}
	return h
}

// utc is a time as others read it; zero stays zero.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC()
}

// zoneOf is by which clock people in the house live: the plan's, else the machine's.
func zoneOf(home gateway.Home) *time.Location {
	if home.Copied.IsZero() {
		return time.Local
	}
	return home.Zone.Location()
}

func (a *Adapter) roomOf(s gateway.State, r gateway.Room) roomView {
	v := roomView{ID: string(r.ID), Wish: "room/" + a.form(string(r.ID)), Name: r.Name, Target: r.Target.Value, Mode: string(r.Target.Mode),
		Until: utc(r.Target.Until), Why: r.Target.Why, Heating: r.Heating, OpenSince: utc(r.Opened)}
	if v.Name == "" {
		v.Name = v.ID
	}
	if r.Temperature.Value.Known() {
		v.Temperature = &readingView{string(gateway.Temperature), r.Temperature.Value, utc(r.Temperature.At), r.Temperature.From}
		v.Fades = utc(r.Fades())
	}
	want, ok := r.Target.Value.Number()
	if !ok {
		return v
	}
	for _, id := range r.Devices {
		d, _ := s.Device(id)
		if _, _, settable := d.Control(gateway.Target); !settable {
			continue
		}
		m, read := d.Reading(gateway.Target)
		shown, _ := m.Value.Number()
		same := read && math.Abs(shown-want) < sameTarget
		if !same && read {
			v.Shown = m.Value
		}
		if !same {
			v.NotTaken = orElse(notTaken(s, id), v.NotTaken)
		}
		v.Confirmed = gateway.Flag(same && (!v.Confirmed.Known() || v.Confirmed.Yes()))
	}
	return v
}

// notTaken is why a device has not taken what was asked of it; "": it did not say, or has.
func notTaken(s gateway.State, id gateway.DeviceID) string {
	d, _ := s.Devices.Get(id)
	_, via, _ := d.Control(gateway.Target)
	asked, _ := s.Asked.Get(gateway.PointKey(gateway.Point{Adapter: via, Of: string(id), Quantity: gateway.Target}.String()))
	return asked.Err
}

func (a *Adapter) deviceOf(s gateway.State, d gateway.Device) deviceView {
	v := deviceView{ID: string(d.ID), Wish: "device/" + a.form(string(d.ID)), Name: d.Name, Model: d.Model, Reachable: d.Reachable(), Via: d.Via(), Silent: d.Silent}
	if v.Name == "" {
		v.Name = v.ID
	}
	if r, ok := s.Rooms.Get(d.Room); ok {
		v.Room = r.Name
	}
	for _, f := range d.Faces {
		if !v.Reachable && f.Why != "" {
			v.Why = f.Why
		}
	}
	for _, q := range d.Quantities() {
		if m, ok := d.Reading(q); ok {
			v.Readings = append(v.Readings, readingView{string(q), m.Value, utc(m.At), m.From})
			if m.At.After(v.Heard) {
				v.Heard = utc(m.At)
			}
		}
	}
	if a.options.Without != nil {
		v.Without = a.options.Without(d.Model)
	}
	return v
}

// alarmsOf are the alarms that go on, the gravest first, and the last one if it was over within the hour.
func alarmsOf(s gateway.State) []alarmView {
	all := []alarmView{}
	for _, phase := range []gateway.AlarmPhase{gateway.Sounding, gateway.Hushed, gateway.PreAlarm, gateway.Testing} {
		for _, al := range s.Alarms {
			if al.Phase == phase {
				all = append(all, alarmOf(al))
			}
		}
	}
	if n := len(s.PastAlarms); n > 0 && s.PastAlarms[n-1].Phase == gateway.Cleared {
		all = append(all, alarmOf(s.PastAlarms[n-1]))
	}
	return all
}

func alarmOf(al gateway.Alarm) alarmView {
	v := alarmView{Number: al.Number, Phase: string(al.Phase), Kind: string(al.Kind), Device: string(al.Device), Name: al.Name, Since: utc(al.Since), Why: al.Why,
		Answered: utc(al.Answered), By: al.By, Ended: utc(al.Ended)}
	for _, d := range al.Told {
		v.Told = append(v.Told, toldView{d.Step, d.Path, utc(d.At), d.Times, utc(d.Delivered), d.By, d.Err})
	}
	return v
}

func guardOf(s gateway.State) *guardView {
	if len(s.Home.Guard.Sensors) == 0 {
		return nil
	}
	names := func(all []gateway.DeviceID) []string {
		var words []string
		for _, id := range all {
			d, _ := s.Device(id)
			words = append(words, orElse(d.Name, string(id)))
		}
		return words
	}
	g := s.Guard
	return &guardView{Mode: orElse(string(g.Mode), string(gateway.GuardOff)), Phase: string(g.Phase), Since: utc(g.Since), LeftS: int(g.Left.Seconds()),
		LeftOut: names(g.LeftOut), Open: names(g.Open), NotHeard: names(g.Blind)}
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// form is an id as it stands in the path of a wish.
func (a *Adapter) form(id string) string {
	if a.options.Form == nil {
		return id
	}
	return a.options.Form(id)
}
