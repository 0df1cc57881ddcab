package netatmo

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
	"github.com/veilleuse/veilleuse/gateway"
)

// command sends one command and returns how it ended, and the requests that it made.
func (r *rig) command(of string, q gateway.Quantity, v gateway.Value, until time.Time) (gateway.Outcome, []netatmotest.Request) {
	r.t.Helper()
	r.pass(30 * time.Second) // the bucket is full
	before := len(r.cloud.Requests())
	o := r.send(gateway.Command{Point: gateway.CloudPoint(of, q), Value: v, Until: until, Why: "test"})
	return o, r.cloud.Requests()[before:]
}

// send sends one command and returns how it ended.
func (r *rig) send(c gateway.Command) gateway.Outcome {
	r.t.Helper()
	c.ID = r.house.Send(c)
	for step := time.Duration(0); step < time.Minute; step += time.Second {
		for _, o := range only[gateway.Outcome](r.pass(min(step, time.Second))) {
			if o.ID == c.ID {
				return o
			}
		}
	}
	r.t.Fatalf("no outcome of command %d", c.ID)
	return gateway.Outcome{}
}

func TestCommands(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.pass(2 * time.Minute)
		in2h := func() time.Time { return time.Now().Add(2 * time.Hour).Truncate(time.Second) }
		until := in2h()

		o, sent := r.command(netatmotest.Bedroom, gateway.Target, gateway.Number(21.26), until)
		if room := r.cloud.Room(netatmotest.Bedroom); o.Err != "" || len(sent) != 1 || room.Mode != "manual" || room.Target != 21.5 || !room.Until.Equal(until) {
			t.Errorf("target: %+v, %d requests, room %+v", o, len(sent), room)
		}
		o, _ = r.command(netatmotest.ChildValve, gateway.Target, gateway.Number(45), time.Time{})
		if room := r.cloud.Room(netatmotest.Child); o.Err != "" || room.Target != 30 || time.Until(room.Until) > 3*time.Hour {
			t.Errorf("target of a valve, too warm, without an end: %+v, room %+v", o, room)
		}
		o, _ = r.command(netatmotest.LivingRoom, gateway.Mode, gateway.Word("max"), in2h())
		if room := r.cloud.Room(netatmotest.LivingRoom); o.Err != "" || room.Mode != "max" {
			t.Errorf("max: %+v, room %+v", o, room)
		}
		o, _ = r.command(netatmotest.LivingRoom, gateway.Mode, gateway.Word("home"), time.Time{})
		if room := r.cloud.Room(netatmotest.LivingRoom); o.Err != "" || room.Mode != "schedule" {
			t.Errorf("home: %+v, room %+v", o, room)
		}
		o, _ = r.command(netatmotest.LivingRoom, gateway.Mode, gateway.Word("off"), time.Time{})
		if room := r.cloud.Room(netatmotest.LivingRoom); o.Err != "" || room.Mode != "off" {
			t.Errorf("off: %+v, room %+v", o, room)
		}
		o, _ = r.command(netatmotest.Bedroom, gateway.Mode, gateway.Word("off"), time.Time{})
		if !o.Final || !strings.Contains(o.Err, "OFF mode can only be applied on thermostat room") {
			t.Errorf("off in a room of valves: %+v", o)
		}
		o, _ = r.command(netatmotest.Bathroom, gateway.Mode, gateway.Word("frost"), in2h())
		if room := r.cloud.Room(netatmotest.Bathroom); o.Err != "" || room.Mode != "hg" {
			t.Errorf("frost: %+v, room %+v", o, room)
		}

		away := in2h()
		o, _ = r.command(netatmotest.HouseID, gateway.Mode, gateway.Word("away"), away)
		mode, end, _ := r.cloud.Mode()
		if o.Err != "" || mode != "away" || !end.Equal(away) {
			t.Errorf("away: %+v, home %s until %v", o, mode, end)
		}
		o, sent = r.command(netatmotest.HouseID, gateway.Mode, gateway.Word("away"), away)
		if o.Err != "" || len(sent) != 0 {
			t.Errorf("away again: %+v, %d requests; it is so already", o, len(sent))
		}
		r.cloud.SetMode("schedule", time.Time{}) // a person in the app; nobody has read it yet
		r.pass(3 * time.Minute)
		o, sent = r.command(netatmotest.HouseID, gateway.Mode, gateway.Word("away"), away)
		if mode, _, _ = r.cloud.Mode(); o.Err != "" || len(sent) != 1 || mode != "away" {
			t.Errorf("away after a person's change: %+v, %d requests, home %s", o, len(sent), mode)
		}
		o, _ = r.command(netatmotest.HouseID, gateway.Mode, gateway.Word("schedule"), time.Time{})
		if mode, _, _ = r.cloud.Mode(); o.Err != "" || mode != "schedule" {
			t.Errorf("schedule: %+v, home %s", o, mode)
		}
		o, _ = r.command(netatmotest.HouseID, gateway.TimetableID, gateway.Word(netatmotest.HolidayPlan), time.Time{})
		if _, _, plan := r.cloud.Mode(); o.Err != "" || plan != netatmotest.HolidayPlan {
			t.Errorf("switch: %+v, schedule %s", o, plan)
		}
		o, _ = r.command(netatmotest.HouseID, gateway.TimetableID, gateway.Word("nothing"), time.Time{})
		if !o.Final || !strings.Contains(o.Err, "is not therm schedule") {
			t.Errorf("switch to nothing: %+v", o)
		}
		o, sent = r.command(netatmotest.HouseID, gateway.Look, gateway.Word("1"), time.Time{})
		if o.Err != "" || len(sent) != 1 || sent[0].Path != "/api/homestatus" {
			t.Errorf("look: %+v, %s", o, counts(sent))
		}
		if b := bad(r.facts); len(b) > 0 {
			t.Errorf("commands that the vendor refuses are judged as its faults: %+v", b)
		}
	})
}

func TestDeviceCommands(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, func(s *setup) {
			h := netatmotest.House()
			h.Modules = append(h.Modules,
				netatmotest.Module{ID: "plug", Type: "NLP", Status: map[string]any{"on": false, "reachable": true}, Bridge: "gate"},
				netatmotest.Module{ID: "lamp", Type: "NLF", Status: map[string]any{"on": false, "brightness": 10, "reachable": true}, Bridge: "gate"},
				netatmotest.Module{ID: "blind", Type: "NLV", Status: map[string]any{"target_position": 0, "target_position:step": 100, "current_position": 0}, Bridge: "gate"})
			s.options.Home = h
		})
		r.pass(2 * time.Minute)
		for _, c := range []struct {
			name     string
			device   string
			quantity gateway.Quantity
			value    gateway.Value
			key      string
			want     any
			err      string
			final    bool
		}{
			{"monitoring off", netatmotest.Welcome, gateway.Monitoring, gateway.Flag(false), "monitoring", "off", "", false},
			{"monitoring off again: code 23", netatmotest.Welcome, gateway.Monitoring, gateway.Flag(false), "monitoring", "off", "", false},
			{"floodlight", netatmotest.Presence, gateway.Floodlight, gateway.Word("on"), "floodlight", "on", "", false},
			{"floodlight of a colour", netatmotest.Presence, gateway.Floodlight, gateway.Word("red"), "floodlight", "on", "cannot set floodlight of NOC Jardin to red", true},
			{"floodlight of a camera without", netatmotest.Welcome, gateway.Floodlight, gateway.Word("on"), "floodlight", nil, "cannot set property floodlight", true},
			{"siren: the public API refuses", netatmotest.Presence, gateway.Siren, gateway.Flag(true), "siren_status", "no_sound", "code 21", true},
			{"plug", "plug", gateway.On, gateway.Flag(true), "on", true, "", false},
			{"lamp", "lamp", gateway.Brightness, gateway.Number(140), "brightness", 100.0, "", false},
			{"blind", "blind", gateway.Position, gateway.Number(100), "target_position", 100.0, "", false},
			{"what cannot be set", netatmotest.Station, gateway.CO2, gateway.Number(400), "co2", nil, "the vendor cannot set co2", true},
			{"an unknown device", "nobody", gateway.On, gateway.Flag(true), "", nil, "no room and no device nobody", true},
		} {
			o, sent := r.command(c.device, c.quantity, c.value, time.Time{})
			if (o.Err == "") != (c.err == "") || !strings.Contains(o.Err, c.err) || o.Final != c.final {
				t.Errorf("%s: %+v, want error %q, final %v", c.name, o, c.err, c.final)
			}
			if got := r.cloud.Status(c.device, c.key); got != c.want {
				t.Errorf("%s: %s is %v, want %v", c.name, c.key, got, c.want)
			}
			if c.device == "plug" && (len(sent) != 1 || !strings.Contains(string(sent[0].Body), `"bridge":"gate"`)) {
				t.Errorf("%s: sent %s", c.name, sent[0].Body)
			}
		}
	})
}

func TestCommandsThatCannotBe(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.pass(2 * time.Minute)
		for _, c := range []struct {
			name  string
			of    string
			q     gateway.Quantity
			v     gateway.Value
			until time.Time
		}{
			{"a target that is a word", netatmotest.Bedroom, gateway.Target, gateway.Word("warm"), time.Time{}},
			{"a target that is unknown", netatmotest.Bedroom, gateway.Target, gateway.Number(math.NaN()), time.Time{}},
			{"an end that has passed", netatmotest.Bedroom, gateway.Target, gateway.Number(20), time.Now().Add(-time.Minute)},
			{"a mode that is none", netatmotest.Bedroom, gateway.Mode, gateway.Word("party"), time.Time{}},
			{"a home's mode that is none", netatmotest.HouseID, gateway.Mode, gateway.Word("party"), time.Time{}},
			{"a schedule without an id", netatmotest.HouseID, gateway.TimetableID, gateway.Value{}, time.Time{}},
			{"an unknown room", "9999", gateway.Target, gateway.Number(20), time.Time{}},
		} {
			o, sent := r.command(c.of, c.q, c.v, c.until)
			if o.Err == "" || !o.Final || len(sent) != 0 {
				t.Errorf("%s: %+v, %d requests", c.name, o, len(sent))
			}
		}
	})
}

func TestSameCommandTwice(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.pass(2 * time.Minute)
		c := gateway.Command{ID: 77, Point: gateway.CloudPoint(netatmotest.Bedroom, gateway.Target), Value: gateway.Number(20)}
		for range 3 {
			if o := r.send(c); o.Err != "" {
				t.Errorf("ended as %+v", o)
			}
		}
		if n := r.cloud.Count("/api/setroomthermpoint"); n != 1 {
			t.Errorf("%d requests for one command", n)
		}
	})
}

func TestCommandIsTriedAgainAfterAFault(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.pass(2 * time.Minute)
		r.cloud.Break(netatmotest.Fault{Kind: netatmotest.Unavailable, Paths: []string{"/api/setroomthermpoint"}})
		o, _ := r.command(netatmotest.Bedroom, gateway.Target, gateway.Number(20), time.Time{})
		if o.Final || o.Err != "setroomthermpoint: 503 with HTML" {
			t.Errorf("ended as %+v", o)
		}
		c := gateway.Command{ID: o.ID, Point: o.Point, Value: gateway.Number(20)}
		r.cloud.Mend()
		r.pass(30 * time.Second)
		if o = r.send(c); o.Err != "" {
			t.Errorf("the same command again ended as %+v", o)
		}
		calls := bad(r.facts)
		for _, c := range calls {
			if c.Plane != gateway.PlaneWrite || c.Verdict != gateway.VerdictCloudDown {
				t.Errorf("judged %+v", c)
			}
		}
	})
}

// A Smarther's room, and rooms of a home with one, are refused by setroomthermpoint and set by setstate.
func TestRoomsThatNeedSetstate(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, func(s *setup) {
			h := netatmotest.House()
			h.Rooms = append(h.Rooms, netatmotest.Room{ID: "1005", Name: "Bureau", Temperature: 18})
			h.Modules = append(h.Modules, netatmotest.Module{ID: "bns", Type: "BNS", Room: "1005", Status: map[string]any{"boiler_status": true}})
			s.options.Home = h
		})
		r.pass(2 * time.Minute)
		until := time.Now().Add(time.Hour).Truncate(time.Second)
		o, sent := r.command("1005", gateway.Target, gateway.Number(19.5), until)
		if o.Err != "" || len(sent) != 2 || sent[1].Path != "/api/setstate" {
			t.Errorf("first: %+v, %s", o, counts(sent))
		}
		if room := r.cloud.Room("1005"); room.Target != 19.5 || !room.Until.Equal(until) {
			t.Errorf("room %+v", room)
		}
		o, sent = r.command("1005", gateway.Mode, gateway.Word("home"), time.Time{})
		if o.Err != "" || len(sent) != 1 || sent[0].Path != "/api/setstate" {
			t.Errorf("then: %+v, %s", o, counts(sent))
		}
		if b := bad(r.pass(3 * time.Minute)); len(b) > 0 {
			t.Errorf("judged %+v", b)
		}
	})
}

func TestAimsInTheVendorsWords(t *testing.T) {
	end := time.Unix(1_700_000_000, 0)
	for _, c := range []struct {
		name    string
		aim     aim
		control string
		want    string
	}{
		{"heating", aim{mode: "manual", degree: 20.5, until: end}, heating,
			`{"id":"7","therm_setpoint_end_time":1700000000,"therm_setpoint_mode":"manual","therm_setpoint_temperature":20.5}`},
		{"cooling", aim{mode: "manual", degree: 24, until: end}, cooling,
			`{"cooling_setpoint_end_time":1700000000,"cooling_setpoint_mode":"manual","cooling_setpoint_temperature":24,"id":"7"}`},
		{"pilot wire", aim{mode: "manual", order: "comfort_1"}, heating,
			`{"id":"7","therm_setpoint_fp":"comfort_1","therm_setpoint_mode":"manual"}`},
		{"home", aim{mode: "home"}, heating, `{"id":"7","therm_setpoint_mode":"home"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := json.Marshal(c.aim.state("7", c.control))
			if err != nil || string(got) != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestPilotWire(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, func(s *setup) {
			h := netatmotest.House()
			h.Rooms = append(h.Rooms, netatmotest.Room{ID: "1005", Name: "Grenier", Temperature: 14})
			h.Modules = append(h.Modules, netatmotest.Module{ID: "nlc", Type: "NLC", Room: "1005", Status: map[string]any{"reachable": true, "power": 0}})
			plan := &h.Schedules[0]
			for i := range plan.Zones {
				plan.Zones[i].Rooms = append(plan.Zones[i].Rooms, gateway.ZoneRoom{Room: "1005", Order: "away"})
			}
			s.options.Home = h
		})
		news := r.pass(2 * time.Minute)
		if got, _ := last(news, "nlc", gateway.Target); got.Value != gateway.Word("away") {
			t.Errorf("the order in force shows as %v", got.Value)
		}
		plan := only[gateway.Plan](news)[0]
		if rooms := plan.Schedules[0].Zones[0].Rooms; rooms[4].Order != "away" || rooms[4].Target != 0 {
			t.Errorf("the plan has %+v", rooms)
		}
		o, sent := r.command("1005", gateway.Target, gateway.Word("comfort"), time.Time{})
		if o.Err != "" || len(sent) != 1 || sent[0].Path != "/api/setstate" {
			t.Errorf("an order ends as %+v, %s", o, counts(sent))
		}
		if got, _ := last(r.pass(2*time.Minute), "nlc", gateway.Target); got.Value != gateway.Word("comfort") {
			t.Errorf("then the order shows as %v", got.Value)
		}
	})
}

func TestWritesThatDoNotShow(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.pass(2 * time.Minute)
		r.cloud.Break(netatmotest.Fault{Kind: netatmotest.IgnoreWrites})
		o, _ := r.command(netatmotest.Bedroom, gateway.Target, gateway.Number(25), time.Time{})
		if o.Err != "" {
			t.Fatalf("ended as %+v", o)
		}
		calls := bad(r.pass(40 * time.Second))
		if len(calls) != 1 || calls[0].Plane != gateway.PlaneWrite || calls[0].Verdict != gateway.VerdictDegraded || !strings.Contains(calls[0].Why, "does not show") {
			t.Errorf("judged %+v", calls)
		}
		r.cloud.Mend()
		if o, _ = r.command(netatmotest.Bedroom, gateway.Target, gateway.Number(25), time.Time{}); o.Err != "" {
			t.Fatalf("ended as %+v", o)
		}
		news := r.pass(40 * time.Second)
		if calls = bad(news); len(calls) != 0 {
			t.Errorf("a write that shows is judged %+v", calls)
		}
		if got, _ := last(news, netatmotest.BedValve, gateway.Target); got.Value != gateway.Number(25) {
			t.Errorf("half a minute after the write the mirror shows %v", got.Value)
		}
	})
}

func TestPeopleComeFirst(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, func(s *setup) { s.adapter.BudgetPerHour = 10 })
		r.pass(55 * time.Minute) // polls have spent their share
		asked := time.Now()
		o := r.send(gateway.Command{Point: gateway.CloudPoint(netatmotest.Bedroom, gateway.Target), Value: gateway.Number(20)})
		if took := time.Since(asked); o.Err != "" || took > 2*time.Second {
			t.Errorf("a person's command took %v and ended as %+v", took, o)
		}
	})
}

func TestSecretsDoNotShowInWords(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.pass(2 * time.Minute)
		k := stored(t, r.vault)
		r.cloud.Serve("/api/homestatus", netatmotest.Raw{Status: 400, Body: []byte(
			`{"error":{"code":10,"message":"what is ` + k.Access + ` or ` + k.Refresh + ` or client-secret?"}}`)})
		r.cloud.Serve("/api/setroomthermpoint", netatmotest.Raw{Status: 400, Body: []byte(`{"error":{"code":21,"message":"` + k.Access + `"}}`)})
		r.command(netatmotest.Bedroom, gateway.Target, gateway.Number(20), time.Time{})
		r.pass(5 * time.Minute)
		for _, e := range r.facts {
			data, err := json.Marshal(e.Fact)
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{k.Access, k.Refresh, "client-secret"} {
				if strings.Contains(string(data), secret) {
					t.Fatalf("a secret shows in %s", data)
				}
			}
		}
	})
}
