package netatmo

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// obey carries out one command and says how it ended. The same one, by its id, is done once.
func (s *session) obey(ctx context.Context, c gateway.Command) {
	outcome := gateway.Outcome{ID: c.ID, Point: c.Point}
	if done, again := s.done[c.Point]; !again || done != c.ID || c.ID == 0 {
		if err := s.carryOut(ctx, c); err != nil {
			outcome.Err, outcome.Final = s.hush(err.Error()), isFinal(err)
		} else {
			s.done[c.Point] = c.ID
		}
	}
	if ctx.Err() == nil {
		s.post(outcome)
	}
}

func (s *session) carryOut(ctx context.Context, c gateway.Command) error {
	switch {
	case s.account.dead:
		return errRevoked
	case !s.account.usable():
		return errNotSignedIn
	case !c.Until.IsZero() && !c.Until.After(s.now()):
		return useless("its end has passed: " + c.Until.Format("2 January 15:04"))
	}
	switch c.Point.Quantity {
	case gateway.Look:
		return s.lookNow(ctx)
	case gateway.TimetableID:
		return s.switchSchedule(ctx, c.Value.Word())
	}
	id := s.homeID()
	switch {
	case c.Point.Of == id && id != "" && c.Point.Quantity == gateway.Mode:
		return s.setHomeMode(ctx, gateway.HomeMode(c.Value.Word()), c.Until)
	case s.known.home.ID == "":
		return errors.New("the vendor's plan of the home was not read yet")
	}
	if room, ok := s.roomOf(c.Point); ok {
		return s.setRoom(ctx, room, c)
	}
	if f, ok := s.known.founds[gateway.DeviceID(c.Point.Of)]; ok {
		return s.setDevice(ctx, f, c)
	}
	return useless(fmt.Sprintf("the vendor has no room and no device %s", shorten(c.Point.Of)))
}

// lookNow reads homestatus out of turn. While the vendor comes back that is done a little later, unless
// it was done a moment ago: the rules of all houses ask for it at the same tick of the clock.
func (s *session) lookNow(ctx context.Context) error {
	if p := s.state.Authority.Phase; p == gateway.Local || p == gateway.Returning {
		now := s.now()
		if age := now.Sub(s.known.read); age < 0 || age >= statusReturning {
			s.round.hasten(status, now.Add(time.Duration(s.luck()*float64(lookWithin))))
		}
		return nil
	}
	if err := s.readStatus(ctx); err != nil {
		return err
	}
	now := s.now()
	if d, runs := pause(status, s.state.Authority.Phase, s.purse.left(now), s.luck()); runs {
		s.round.done(status, now, d, true)
	}
	return nil
}

// roomOf returns the room that a target or mode is meant for: a room's id, or that of a device that
// heats it.
func (s *session) roomOf(p gateway.Point) (gateway.RoomID, bool) {
	if p.Quantity != gateway.Target && p.Quantity != gateway.Mode {
		return "", false
	}
	for _, r := range s.known.home.Rooms {
		if string(r.ID) == p.Of || string(s.known.heads[r.ID]) == p.Of {
			return r.ID, true
		}
	}
	f := s.known.founds[gateway.DeviceID(p.Of)]
	_, heats := headRank(f.Model)
	return f.Room, heats && f.Room != ""
}

// aim is what a room ought to do, in the vendor's words.
type aim struct {
	mode   string // manual, home, max, off, hg
	degree float64
	order  string // of a pilot wire, instead of degree
	until  time.Time
}

// pilotOrders are the orders of a pilot wire (pyatmo const.py).
const pilotOrders = " comfort away frost_guard stand_by comfort_1 comfort_2 "

// aimOf reads a command for a room. A mode that follows the home has no end.
func aimOf(c gateway.Command) (aim, error) {
	if c.Point.Quantity == gateway.Target {
		if order := c.Value.Word(); isA(pilotOrders, order) {
			return aim{mode: "manual", order: order, until: c.Until}, nil
		}
		n, ok := c.Value.Number()
		if !ok {
			return aim{}, useless(fmt.Sprintf("a target is a number of °C, not %v", c.Value))
		}
		n = math.Round(n/targetStep) * targetStep
		return aim{mode: "manual", degree: min(max(n, coldest), warmest), until: c.Until}, nil
	}
	switch gateway.RoomMode(c.Value.Word()) {
	case gateway.RoomHome, gateway.RoomSchedule:
		return aim{mode: "home"}, nil
	case gateway.RoomMax:
		return aim{mode: "max", until: c.Until}, nil
	case gateway.RoomOff:
		return aim{mode: "off", until: c.Until}, nil
	case gateway.RoomFrost:
		return aim{mode: "hg", until: c.Until}, nil
	}
	return aim{}, useless(fmt.Sprintf("a room's mode is home, max, off or frost, not %v", c.Value))
}

// setRoom sets a room by setroomthermpoint, which knows rooms with a thermostat or, in most homes,
// with valves; others it refuses with code 13, and they are set by setstate from then on.
func (s *session) setRoom(ctx context.Context, room gateway.RoomID, c gateway.Command) error {
	a, err := aimOf(c)
	if err != nil {
		return err
	}
	direct := a.order == "" && s.known.home.Control != cooling && !s.known.byState[room]
	if direct {
		err = s.write(ctx, call{name: "setroomthermpoint", path: "/api/setroomthermpoint", form: a.form(s.homeID(), room)})
		if direct = !isDenied(err); !direct {
			err = nil
		}
	}
	if !direct {
		err = s.setState(ctx, "rooms", a.state(room, s.known.home.Control))
		s.known.byState[room] = err == nil
	}
	if err == nil {
		s.expect(room, a)
	}
	return err
}

// form writes an aim for setroomthermpoint. Without an end the home's default duration holds.
func (a aim) form(home string, room gateway.RoomID) url.Values {
	form := url.Values{"home_id": {home}, "room_id": {string(room)}, "mode": {a.mode}}
	if a.mode == "manual" {
		form.Set("temp", strconv.FormatFloat(a.degree, 'f', -1, 64))
	}
	if !a.until.IsZero() {
		form.Set("endtime", strconv.FormatInt(a.until.Unix(), 10))
	}
	return form
}

// state writes an aim for setstate, whose keys differ in cooling mode (pyatmo room.py).
func (a aim) state(room gateway.RoomID, control string) map[string]any {
	prefix := "therm"
	if control == cooling {
		prefix = cooling
	}
	o := map[string]any{"id": string(room), prefix + "_setpoint_mode": a.mode}
	switch {
	case a.order != "":
		o["therm_setpoint_fp"] = a.order
	case a.mode == "manual":
		o[prefix+"_setpoint_temperature"] = a.degree
	}
	if !a.until.IsZero() {
		o[prefix+"_setpoint_end_time"] = a.until.Unix()
	}
	return o
}

// sureFor is for how long what was read of the home's mode is taken for the truth; then somebody may
// have changed it in the vendor's app.
const sureFor = 2 * time.Minute

// setHomeMode sets the home's mode. What is so already is not set again: that would wipe the rooms'
// manual set points (home-assistant#46147).
func (s *session) setHomeMode(ctx context.Context, mode gateway.HomeMode, until time.Time) error {
	word, ok := map[gateway.HomeMode]string{
		gateway.HomeSchedule: "schedule", gateway.HomeAway: "away", gateway.HomeFrost: "hg",
	}[mode]
	if !ok {
		return useless(fmt.Sprintf("a home's mode is schedule, away or frost, not %q", shorten(string(mode))))
	}
	if mode == gateway.HomeSchedule {
		until = time.Time{}
	}
	if h := s.known.home; h.Mode == mode && h.ModeUntil.Unix() == until.Unix() && s.now().Sub(s.known.homeAt) < sureFor {
		return nil
	}
	form := url.Values{"home_id": {s.homeID()}, "mode": {word}}
	if !until.IsZero() {
		form.Set("endtime", strconv.FormatInt(until.Unix(), 10))
	}
	if err := s.write(ctx, call{name: "setthermmode", path: "/api/setthermmode", form: form}); err != nil {
		return err
	}
	s.known.home.Mode, s.known.home.ModeUntil, s.known.hint, s.known.homeAt = mode, until, mode, s.now()
	s.round.hasten(topology, s.now().Add(afterWrite))
	return nil
}

func (s *session) switchSchedule(ctx context.Context, id string) error {
	if id == "" {
		return useless("a schedule is named by its id")
	}
	form := url.Values{"home_id": {s.homeID()}, "schedule_id": {id}}
	if err := s.write(ctx, call{name: "switchhomeschedule", path: "/api/switchhomeschedule", form: form}); err != nil {
		return err
	}
	s.round.hasten(topology, s.now())
	return nil
}

// setDevice sets one property of a device by setstate.
func (s *session) setDevice(ctx context.Context, f gateway.Found, c gateway.Command) error {
	o := map[string]any{"id": string(f.Device)}
	if f.Bridge != "" {
		o["bridge"] = string(f.Bridge)
	}
	n, isNumber := c.Value.Number()
	whole := int(math.Round(min(max(n, 0), 100)))
	switch q := c.Point.Quantity; {
	case q == gateway.Monitoring && isNumber:
		o["monitoring"] = onOff(c.Value)
	case q == gateway.Floodlight && isA(" on off auto ", c.Value.Word()):
		o["floodlight"] = c.Value.Word()
	case q == gateway.Siren && isNumber:
		o["siren_status"] = map[bool]string{true: "sound", false: "no_sound"}[c.Value.Yes()]
	case q == gateway.On && isNumber:
		o["on"] = c.Value.Yes()
	case q == gateway.Brightness && isNumber:
		o["brightness"] = whole
	case q == gateway.Position && isNumber:
		o["target_position"] = whole
	default:
		return useless(fmt.Sprintf("the vendor cannot set %s of %s to %v", q, strings.TrimSpace(f.Model+" "+f.Name), c.Value))
	}
	return s.setState(ctx, "modules", o)
}

func onOff(v gateway.Value) string {
	if v.Yes() {
		return "on"
	}
	return "off"
}

// setState sends one entry to setstate, under rooms or modules.
func (s *session) setState(ctx context.Context, list string, entry map[string]any) error {
	return s.write(ctx, call{name: "setstate", path: "/api/setstate", json: map[string]any{
		"home": map[string]any{"id": s.homeID(), list: []any{entry}},
	}})
}
