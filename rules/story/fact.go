package story

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// fact reads what happens on a line, without its time, and who says so.
func (p *player) fact(words []string, at time.Time) (from string, f gateway.Fact, err error) {
	arg := func(i int) string {
		if i < len(words) && !strings.Contains(words[i], "=") {
			return words[i]
		}
		return ""
	}
	from = option(words, "from")
	if from == "" {
		from = gateway.AccessoryAdapter
	}
	switch words[0] {
	case "probe":
		f := gateway.Probe{Verdict: gateway.Verdict(arg(1)), Why: arg(2), Witness: gateway.Yes, Void: slices.Contains(words, "void")}
		if v := option(words, "witness"); v != "" {
			f.Witness = map[string]gateway.Answer{"yes": gateway.Yes, "no": gateway.No}[v]
		}
		return "uplink", f, nil
	case "call":
		f := gateway.Call{Plane: gateway.Plane(arg(1)), Verdict: gateway.Verdict(arg(2)), Why: arg(3)}
		if v := option(words, "expires"); v != "" {
			f.Expires, err = p.clock(v, at)
		}
		return gateway.CloudAdapter, f, err
	case "reading":
		return from, gateway.Reading{Device: gateway.DeviceID(arg(1)), Quantity: gateway.Quantity(arg(2)), Value: value(arg(3))}, nil
	case "reach":
		return from, gateway.Reach{Device: gateway.DeviceID(arg(1)), OK: arg(2) == "yes", Why: arg(3)}, nil
	case "clock":
		return "clock", gateway.Clock{Trust: gateway.Trust(arg(1)), Why: arg(2)}, nil
	case "view":
		f, err := p.view(words[1:], at)
		return gateway.CloudAdapter, f, err
	case "found":
		f, err := p.found(words)
		return from, f, err
	case "plan":
		plan := gateway.Plan{Home: arg(1), Name: arg(1)}
		for _, w := range words[1:] {
			if id, name, ok := strings.Cut(w, "="); ok {
				plan.Rooms = append(plan.Rooms, gateway.PlanRoom{ID: gateway.RoomID(id), Name: name})
			}
		}
		return gateway.CloudAdapter, plan, nil
	case "outcome":
		f, err := p.outcome(arg(1), arg(2), slices.Contains(words, "final"))
		return from, f, err
	case "wish":
		if len(words) < 3 {
			return "", nil, fmt.Errorf("a wish is of somebody, for something, as in: wish MQTT bath 21")
		}
		ask, err := p.ask(words[2:], at)
		return "homekit", gateway.Wish{By: arg(1), Ask: ask}, err
	}
	return "", nil, fmt.Errorf("%q is nothing that can happen: probe, call, found, plan, reading, reach, clock, view, outcome, wish, restart, ahead or nothing", words[0])
}

// found reads a device that an adapter came to know: found ID NAME room=ROOM target=7..30/0.5.
func (p *player) found(words []string) (gateway.Found, error) {
	if len(words) < 3 {
		return gateway.Found{}, fmt.Errorf("what is found has an id and a name")
	}
	f := gateway.Found{Device: gateway.DeviceID(words[1]), Name: words[2], Room: gateway.RoomID(option(words, "room"))}
	if text := option(words, "target"); text != "" {
		c, err := limits(text)
		f.Controls = append(f.Controls, c)
		return f, err
	}
	return f, nil
}

// value reads a number, yes, no, or a word.
func value(word string) gateway.Value {
	switch word {
	case "yes":
		return gateway.Flag(true)
	case "no":
		return gateway.Flag(false)
	}
	if n, err := strconv.ParseFloat(word, 64); err == nil {
		return gateway.Number(n)
	}
	return gateway.Word(word)
}

// view reads what the cloud shows: bath=manual/22/19:30 mode=away fresh=2h. Rooms that are not
// named are not in the answer.
func (p *player) view(words []string, at time.Time) (gateway.CloudView, error) {
	v := gateway.CloudView{Home: p.story.state.Home.ID, At: at, Fresh: at, Mode: gateway.HomeSchedule}
	for _, w := range words {
		name, what, _ := strings.Cut(w, "=")
		switch name {
		case "mode":
			v.Mode = gateway.HomeMode(what)
		case "schedule":
			v.Schedule = what
		case "stale":
			age, err := time.ParseDuration(what)
			if err != nil {
				return v, fmt.Errorf("stale=%s is not a duration", what)
			}
			v.Fresh = at.Add(-age)
		default:
			parts := append(strings.Split(what, "/"), "", "", "")
			r := gateway.CloudRoom{ID: gateway.RoomID(name), Reachable: true, Mode: gateway.RoomMode(parts[0]), Target: value(parts[1]), Since: p.since(name, what, at)}
			if parts[2] != "" {
				until, err := p.clock(parts[2], at)
				if err != nil {
					return v, err
				}
				r.Until = until
			}
			v.Rooms = append(v.Rooms, r)
		}
	}
	return v, nil
}

// since keeps the time at which the cloud began to show a room as it does.
func (p *player) since(room, what string, at time.Time) time.Time {
	if shown, ok := p.shown[room]; ok && shown.what == what {
		return shown.at
	}
	p.shown[room] = shownSince{what, at}
	return at
}

// clock reads a time of day as the next such instant after at.
func (p *player) clock(word string, at time.Time) (time.Time, error) {
	clock, err := time.Parse("15:04", word)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a time as in 19:30", word)
	}
	local := at.In(p.story.location())
	next := time.Date(local.Year(), local.Month(), local.Day(), clock.Hour(), clock.Minute(), 0, 0, p.story.location())
	if !next.After(at) {
		next = next.AddDate(0, 0, 1)
	}
	return next, nil
}

// outcome answers the last command to a point.
func (p *player) outcome(point, why string, final bool) (gateway.Outcome, error) {
	for _, c := range slices.Backward(p.sent) {
		if c.Point.String() == point {
			if why == "ok" {
				why = ""
			}
			return gateway.Outcome{ID: c.ID, Point: c.Point, Err: why, Final: final}, nil
		}
	}
	return gateway.Outcome{}, fmt.Errorf("nothing was asked of %s", point)
}

// ask reads a wish: bath 22.5 for=2h, bath home, bath off, mode away until=19:30, schedule ID,
// device siren siren no, guard away, guard night bypass, guard off, hush, acknowledge, test for=5m of=smoke, test end,
// drill for=20m, drill end.
func (p *player) ask(words []string, at time.Time) (gateway.Ask, error) {
	if len(words) == 0 {
		return nil, fmt.Errorf("what is wished is missing")
	}
	words = append(words, "", "", "")
	var length time.Duration
	var until time.Time
	var err error
	if v := option(words, "for"); v != "" {
		if length, err = time.ParseDuration(v); err != nil {
			return nil, fmt.Errorf("for=%s is not a duration as in 2h", v)
		}
	}
	if v := option(words, "until"); v != "" {
		if until, err = p.clock(v, at); err != nil {
			return nil, err
		}
	}
	switch words[0] {
	case "guard":
		return gateway.SetGuard{Mode: gateway.GuardMode(words[1]), Bypass: words[2] == "bypass"}, nil
	case "hush":
		return gateway.Hush{}, nil
	case "acknowledge":
		return gateway.Acknowledge{}, nil
	case "test":
		if words[1] == "end" {
			return gateway.EndTest{}, nil
		}
		return gateway.StartTest{Device: gateway.DeviceID(option(words, "of")), For: length}, nil
	case "mode":
		return gateway.SetMode{Mode: gateway.HomeMode(words[1]), For: length, Until: until}, nil
	case "schedule":
		return gateway.SwitchSchedule{ID: words[1]}, nil
	case "drill":
		if words[1] == "end" {
			return gateway.EndDrill{}, nil
		}
		return gateway.StartDrill{For: length}, nil
	case "device":
		return gateway.SetDevice{Device: gateway.DeviceID(words[1]), Quantity: gateway.Quantity(words[2]), Value: value(words[3])}, nil
	}
	room := gateway.RoomID(words[0])
	switch words[1] {
	case "home":
		return gateway.FollowHome{Room: room}, nil
	case "off":
		return gateway.SetRoomOff{Room: room}, nil
	}
	target, err := strconv.ParseFloat(words[1], 64)
	if err != nil {
		return nil, fmt.Errorf("a room is wished a number of °C, home or off, not %q", words[1])
	}
	return gateway.SetTarget{Room: room, Target: target, For: length, Until: until}, nil
}
