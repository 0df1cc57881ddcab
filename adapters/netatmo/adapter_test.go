package netatmo

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

func TestStart(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		news := r.pass(time.Minute)
		if b := bad(news); len(b) > 0 {
			t.Errorf("a healthy vendor is judged %v", b)
		}
		plans := only[gateway.Plan](news)
		if len(plans) != 1 || plans[0].Home != netatmotest.HouseID || plans[0].Zone.String() != "Europe/Paris" {
			t.Fatalf("plans %+v", plans)
		}
		if got := plans[0].DefaultDuration; got != 3*time.Hour {
			t.Errorf("default duration %v", got)
		}
		views := only[gateway.CloudView](news)
		if len(views) == 0 || views[0].Mode != gateway.HomeSchedule || views[0].Schedule != netatmotest.WeekPlan {
			t.Fatalf("views %+v", views)
		}
		for _, q := range []struct {
			device   string
			quantity gateway.Quantity
			want     gateway.Value
		}{
			{netatmotest.Thermostat, gateway.Temperature, gateway.Number(19.6)},
			{netatmotest.Thermostat, gateway.Target, gateway.Number(20.5)},
			{netatmotest.Thermostat, gateway.Boiler, gateway.Flag(true)},
			{netatmotest.Thermostat, gateway.Battery, gateway.Number(75)},
			{netatmotest.BedValve, gateway.Temperature, gateway.Number(18.1)},
			{netatmotest.BedValve, gateway.HeatingRequest, gateway.Number(44)},
			{netatmotest.Station, gateway.CO2, gateway.Number(640)},
			{netatmotest.RainGauge, gateway.Rain, gateway.Number(0.4)},
			{netatmotest.WindGauge, gateway.Gust, gateway.Number(24)},
			{netatmotest.Coach, gateway.HealthIndex, gateway.Number(1)},
			{netatmotest.Presence, gateway.Floodlight, gateway.Word("auto")},
			{netatmotest.Tag, gateway.Contact, gateway.Flag(false)},
			{netatmotest.SmokeAlarm, gateway.Firmware, gateway.Word("127")},
		} {
			got, ok := last(news, q.device, q.quantity)
			if !ok || got.Value != q.want {
				t.Errorf("%s of %s is %v, want %v", q.quantity, q.device, got.Value, q.want)
			}
		}
	})
}

func TestBudgetIsTold(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		news := only[gateway.Budget](r.pass(time.Minute))
		if len(news) == 0 {
			t.Fatal("no budget was told")
		}
		final := news[len(news)-1]
		if want := r.cloud.Count(""); final.Spent != want || final.Total != want || final.Limit != DefaultBudget {
			t.Errorf("told %+v, the vendor counted %d", final, want)
		}
	})
}

// What the vendor can do wrong, and what the adapter says of a homestatus that meets it.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		kind    netatmotest.Kind
		plane   gateway.Plane
		verdict gateway.Verdict
		why     string
	}{
		{netatmotest.TimeOut, gateway.PlaneRead, gateway.VerdictDegraded, "homestatus: no answer in time"},
		{netatmotest.Slow, gateway.PlaneRead, gateway.VerdictDegraded, "homestatus: no answer in time"},
		{netatmotest.Dribble, gateway.PlaneRead, gateway.VerdictDegraded, "homestatus: no answer in time"},
		{netatmotest.Unavailable, gateway.PlaneRead, gateway.VerdictCloudDown, "homestatus: 503 with HTML"},
		{netatmotest.Mongo, gateway.PlaneRead, gateway.VerdictCloudDown, "homestatus: 500 code 0 failed to connect to server [localhost:27020] on first connect"},
		{netatmotest.Overloaded, gateway.PlaneRead, gateway.VerdictCloudDown, "homestatus: 500 too_many_connections"},
		{netatmotest.Refused, gateway.PlaneRead, gateway.VerdictCloudDown, "homestatus: connection refused"},
		{netatmotest.Reset, gateway.PlaneRead, gateway.VerdictCloudDown, "homestatus: the connection broke off"},
		{netatmotest.Empty, gateway.PlaneRead, gateway.VerdictDegraded, "homestatus: 200 with nothing"},
		{netatmotest.HTML, gateway.PlaneRead, gateway.VerdictDegraded, "homestatus: 200 with HTML"},
		{netatmotest.Truncated, gateway.PlaneRead, gateway.VerdictDegraded, "homestatus: 200 with a cut answer"},
		{netatmotest.NoBody, gateway.PlaneRead, gateway.VerdictDegraded, "homestatus: 200 without a body"},
		{netatmotest.Redirect, gateway.PlaneRead, gateway.VerdictDegraded, "homestatus: 302 with nothing"},
		{netatmotest.TooMany, gateway.PlaneRead, gateway.VerdictRateLimited, "homestatus: 429 code 26 Maximum api usage reached"},
		{netatmotest.Concurrency, gateway.PlaneRead, gateway.VerdictRateLimited, "homestatus: 429 code 11 Failed to enter concurrency limited section"},
		{netatmotest.UsageReached, gateway.PlaneRead, gateway.VerdictRateLimited, "homestatus: 403 code 26 User usage reached"},
		{netatmotest.InvalidToken, gateway.PlaneAuth, gateway.VerdictDegraded, "homestatus: 403 code 2 Invalid access token"},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newRig(t, nil)
				r.pass(time.Minute)
				r.cloud.Break(netatmotest.Fault{Kind: c.kind, Delay: time.Minute, Paths: []string{"/api/homestatus"}})
				news := r.pass(3 * time.Minute)
				calls := bad(news)
				if len(calls) == 0 {
					t.Fatal("judged as well")
				}
				got := calls[0]
				if got.Plane != c.plane || got.Verdict != c.verdict || got.Why != c.why {
					t.Errorf("judged %s %s %q, want %s %s %q", got.Plane, got.Verdict, got.Why, c.plane, c.verdict, c.why)
				}
				if got.Took > usualDeadline+time.Second {
					t.Errorf("one request took %v", got.Took)
				}
				if n := len(only[gateway.Gone](news)); n > 0 {
					t.Errorf("%d devices were given up", n)
				}
				r.cloud.Mend()
				if news = r.pass(70 * time.Minute); len(only[gateway.CloudView](news)) == 0 {
					t.Error("it does not go on when the vendor is well again")
				}
			})
		})
	}
}

func TestZeroHomesForgetNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.pass(time.Minute)
		r.cloud.Break(netatmotest.Fault{Kind: netatmotest.ZeroHomes})
		news := r.pass(3 * time.Hour)
		calls := bad(news)
		if len(calls) < 10 || calls[0].Verdict != gateway.VerdictDegraded || calls[0].Why != "homesdata: the account shows no home" {
			t.Errorf("bad calls: %+v", calls)
		}
		if len(only[gateway.Plan](news)) != 0 || len(only[gateway.Gone](news)) != 0 {
			t.Error("an empty account changed the house")
		}
		if _, ok := last(news, netatmotest.Thermostat, gateway.Temperature); !ok {
			t.Error("the mirror stopped, though homestatus is well")
		}
	})
}

func TestAnotherHomeDoesNotTakeTheFirstOnesPlace(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.pass(time.Minute)
		r.cloud.Serve("/api/homesdata", netatmotest.Raw{Body: []byte(
			`{"status":"ok","body":{"homes":[{"id":"other","name":"Elsewhere","rooms":[{"id":"1"}],"modules":[{"id":"2","type":"NRV"}]}]}}`)})
		news := r.pass(time.Hour)
		if plans := only[gateway.Plan](news); len(plans) != 0 {
			t.Errorf("took the plan of home %s", plans[0].Home)
		}
		calls := bad(news)
		if len(calls) == 0 || calls[0].Verdict != gateway.VerdictDegraded {
			t.Errorf("bad calls: %+v", calls)
		}
	})
}

func TestRelayOffLineIsNoOutage(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.pass(time.Minute)
		r.cloud.SetOffline(netatmotest.Relay, true)
		news := r.pass(3 * time.Minute)
		if b := bad(news); len(b) > 0 {
			t.Errorf("the cloud is judged %+v", b)
		}
		lost := make(map[gateway.DeviceID]string)
		for _, f := range only[gateway.Reach](news) {
			if !f.OK {
				lost[f.Device] = f.Why
			}
		}
		for id, want := range map[gateway.DeviceID]string{
			netatmotest.Relay:      "the vendor cannot reach it",
			netatmotest.Thermostat: "the vendor cannot reach its bridge Relais 70:ee:50:00:00:01",
			netatmotest.BedValve:   "the vendor cannot reach its bridge Relais 70:ee:50:00:00:01",
		} {
			if lost[id] != want {
				t.Errorf("%s: %q, want %q", id, lost[id], want)
			}
		}
		if len(lost) != 5 {
			t.Errorf("%d devices are lost, want the relay and its four: %v", len(lost), lost)
		}
		views := only[gateway.CloudView](news)
		if v := views[len(views)-1]; len(v.Rooms) != 4 || v.Rooms[0].Reachable || v.Rooms[0].Target.Known() {
			t.Errorf("the view of an unreachable relay: %+v", v.Rooms)
		}
		r.cloud.SetOffline(netatmotest.Relay, false)
		back := 0
		for _, f := range only[gateway.Reach](r.pass(3 * time.Minute)) {
			if f.OK {
				back++
			}
		}
		if back != 5 {
			t.Errorf("%d devices came back, want 5", back)
		}
	})
}

func TestRemovedDeviceIsNotReachedButNotGone(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.pass(time.Minute)
		r.cloud.Remove(netatmotest.BathValve)
		news := r.pass(time.Hour)
		for _, f := range only[gateway.Reach](news) {
			if f.Device == netatmotest.BathValve {
				t.Fatal("one short list makes a device unreachable")
			}
		}
		news = r.pass(2 * time.Hour)
		var lost []gateway.Reach
		for _, f := range only[gateway.Reach](news) {
			if !f.OK {
				lost = append(lost, f)
			}
		}
		if len(lost) != 1 || lost[0].Device != netatmotest.BathValve || !strings.Contains(lost[0].Why, "has not mentioned it since") {
			t.Errorf("after three hours: %+v", lost)
		}
		if n := len(only[gateway.Gone](r.facts)); n != 0 {
			t.Errorf("%d devices were given up", n)
		}
	})
}

func TestStaleDataShows(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.pass(time.Minute)
		r.cloud.Break(netatmotest.Fault{Kind: netatmotest.Stale})
		began := time.Now()
		news := r.pass(time.Hour)
		if b := bad(news); len(b) > 0 {
			t.Errorf("judged %+v; whether stale data is an outage is not decided here", b)
		}
		views := only[gateway.CloudView](news)
		v := views[len(views)-1]
		if v.Fresh.After(began.Add(time.Second)) || began.Sub(v.Fresh) > time.Minute {
			t.Errorf("fresh is %v, the data is of %v", v.Fresh, began)
		}
		if v.At.Before(began.Add(50 * time.Minute)) {
			t.Errorf("at is %v, the answer is of now", v.At)
		}
		r.cloud.Mend()
		views = only[gateway.CloudView](r.pass(3 * time.Minute))
		if v = views[len(views)-1]; time.Since(v.Fresh) > 3*time.Minute {
			t.Errorf("when the data is alive again, fresh is %v", v.Fresh)
		}
	})
}

func TestPersonInTheVendorsApp(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.pass(5 * time.Minute)
		end := time.Now().Add(5 * time.Hour).Truncate(time.Second)
		r.cloud.SetMode("away", end)
		views := only[gateway.CloudView](r.pass(3 * time.Minute))
		v := views[len(views)-1]
		if v.Mode != gateway.HomeAway || !v.ModeUntil.Equal(end) || v.Rooms[0].Mode != gateway.RoomAway {
			t.Errorf("away shows as %s until %v, rooms %s", v.Mode, v.ModeUntil, v.Rooms[0].Mode)
		}
		r.pass(5 * time.Hour)
		views = only[gateway.CloudView](r.facts)
		if v = views[len(views)-1]; v.Mode != gateway.HomeSchedule || !v.ModeUntil.IsZero() {
			t.Errorf("after its end: %s until %v", v.Mode, v.ModeUntil)
		}
		r.cloud.SwitchSchedule(netatmotest.HolidayPlan)
		views = only[gateway.CloudView](r.pass(20 * time.Minute))
		if v = views[len(views)-1]; v.Schedule != netatmotest.HolidayPlan {
			t.Errorf("the schedule is %s", v.Schedule)
		}
		r.cloud.LANWrite(netatmotest.Bedroom, 21.5)
		until := time.Now().Add(3 * time.Hour)
		news := r.pass(3 * time.Minute)
		views = only[gateway.CloudView](news)
		room := views[len(views)-1].Rooms[1]
		if room.Mode != gateway.RoomManual || room.Target != gateway.Number(21.5) || room.Until.Sub(until).Abs() > time.Second {
			t.Errorf("a write over the LAN shows as %+v", room)
		}
		if got, _ := last(news, netatmotest.BedValve, gateway.Target); got.Value != gateway.Number(21.5) {
			t.Errorf("target of the valve: %v", got.Value)
		}
	})
}

func TestNobodyHasSignedIn(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, func(s *setup) { s.vault = newMemory() })
		r.pass(10 * time.Minute)
		calls := only[gateway.Call](r.facts)
		if len(calls) != 1 || calls[0].Plane != gateway.PlaneAuth || calls[0].Verdict != gateway.VerdictUnknown ||
			!strings.HasPrefix(calls[0].Why, "not signed in: ") {
			t.Errorf("calls %+v, want one that says so", calls)
		}
		if n := r.cloud.Count(""); n != 0 {
			t.Errorf("%d requests without a sign-in", n)
		}
		if o := r.send(gateway.Command{Point: gateway.CloudPoint(netatmotest.LivingRoom, gateway.Target), Value: gateway.Number(20)}); o.Err == "" || o.Final {
			t.Errorf("a command without a sign-in ends as %+v", o)
		}
		signInto(t, r.cloud, r.vault)
		if news := r.pass(time.Minute); len(only[gateway.CloudView](news)) == 0 {
			t.Error("it does not begin to work")
		}
	})
}

func TestNoApplication(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		cloud := netatmotest.New(netatmotest.Options{})
		vault := signedIn(t, cloud)
		house := gatewaytest.Start(t, gateway.CloudAdapter, New(Options{Vault: vault, Log: slog.New(slog.DiscardHandler)}))
		call := gatewaytest.Wait[gateway.Call](house, nil)
		if call.Verdict != gateway.VerdictUnknown || !strings.Contains(call.Why, "not signed in: netatmo.client_id is empty") {
			t.Errorf("told %+v", call)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
	})
}

func TestQuotaOfTheVendor(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.pass(time.Minute)
		r.cloud.Break(netatmotest.Fault{Kind: netatmotest.TooMany, RetryAfter: 20 * time.Minute, Times: 1})
		news := r.pass(3 * time.Minute)
		if b := bad(news); len(b) != 1 || b[0].Verdict != gateway.VerdictRateLimited {
			t.Fatalf("judged %+v", b)
		}
		o := r.send(gateway.Command{Point: gateway.CloudPoint(netatmotest.LivingRoom, gateway.Target), Value: gateway.Number(20)})
		if !strings.Contains(o.Err, "the quota of requests is spent until") || o.Final {
			t.Errorf("a command during the cool-down ends as %+v", o)
		}
		requests := r.cloud.Requests()
		limited := requests[len(requests)-1]
		if limited.Status != 429 {
			t.Fatalf("the last request was answered %d", limited.Status)
		}
		r.pass(30 * time.Minute)
		if next := r.cloud.Requests()[len(requests)]; next.At.Sub(limited.At) < 20*time.Minute {
			t.Errorf("the next request came %v after the 429, asked were 20 min", next.At.Sub(limited.At))
		}
	})
}

func TestRightThatTheSignInLacks(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, func(s *setup) { s.options.Denied = []string{"/api/getstationsdata"} })
		r.pass(6 * time.Hour)
		if b := bad(r.facts); len(b) > 0 {
			t.Errorf("a missing right is judged as a fault of the cloud: %+v", b)
		}
		if n := r.cloud.Count("/api/getstationsdata"); n > 3 {
			t.Errorf("getstationsdata was asked %d times in 6 h without the right to", n)
		}
	})
}

func TestEventsBecomeReadings(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, func(s *setup) { s.adapter.luck = func() float64 { return 0.5 } })
		r.pass(time.Minute)
		fire := time.Now().Add(-time.Second)
		r.cloud.AddEvent(netatmotest.Event{Type: "smoke", Device: netatmotest.SmokeAlarm, At: fire, Sub: 1})
		r.cloud.AddEvent(netatmotest.Event{Type: "human", Device: netatmotest.Presence, At: fire})
		r.cloud.AddEvent(netatmotest.Event{Type: "incoming_call", Device: netatmotest.Doorbell, At: fire})
		news := r.pass(11 * time.Minute)
		smoke, ok := last(news, netatmotest.SmokeAlarm, gateway.Smoke)
		if !ok || smoke.Value != gateway.Flag(true) || smoke.Measured.Unix() != fire.Unix() {
			t.Errorf("smoke: %+v", smoke)
		}
		if m, ok := last(news, netatmotest.Presence, gateway.Motion); !ok || m.Value != gateway.Flag(true) {
			t.Errorf("motion: %+v", m)
		}
		r.cloud.AddEvent(netatmotest.Event{Type: "smoke", Device: netatmotest.SmokeAlarm, Sub: 0})
		r.cloud.AddEvent(netatmotest.Event{Type: "incoming_call", Device: netatmotest.Doorbell})
		r.cloud.AddEvent(netatmotest.Event{Type: "incoming_call", Device: netatmotest.Doorbell, At: time.Now().Add(time.Second)})
		news = r.pass(12 * time.Minute)
		if smoke, _ = last(news, netatmotest.SmokeAlarm, gateway.Smoke); smoke.Value != gateway.Flag(false) {
			t.Errorf("smoke that is over: %+v", smoke)
		}
		if m, _ := last(news, netatmotest.Presence, gateway.Motion); m.Value != gateway.Flag(false) {
			t.Errorf("motion that is over: %+v", m)
		}
		if ring, _ := last(news, netatmotest.Doorbell, gateway.Ring); ring.Value != gateway.Number(3) {
			t.Errorf("rings: %v, want 3", ring.Value)
		}
		before := len(only[gateway.Reading](r.facts))
		again := 0
		for _, f := range only[gateway.Reading](r.pass(11 * time.Minute)) {
			if f.Quantity == gateway.Smoke || f.Quantity == gateway.Ring || f.Quantity == gateway.Motion {
				again++
			}
		}
		if again != 0 || before == 0 {
			t.Errorf("%d old events were told again", again)
		}
	})
}

func TestRingsGoOnFromWhatTheHouseHasCounted(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		counted := time.Now().Add(-time.Hour)
		bell := gateway.Device{ID: netatmotest.Doorbell}.WithReading(gateway.Measure{
			Quantity: gateway.Ring, Value: gateway.Number(41), At: counted, From: gateway.CloudAdapter})
		r := newRig(t, func(s *setup) {
			s.state.Devices = s.state.Devices.With(bell.ID, bell)
		})
		r.cloud.AddEvent(netatmotest.Event{Type: "incoming_call", Device: netatmotest.Doorbell, At: counted})
		r.cloud.AddEvent(netatmotest.Event{Type: "incoming_call", Device: netatmotest.Doorbell, At: counted.Add(time.Minute)})
		news := r.pass(time.Minute)
		if ring, _ := last(news, netatmotest.Doorbell, gateway.Ring); ring.Value != gateway.Number(42) {
			t.Errorf("rings: %v, want 42", ring.Value)
		}
	})
}

func TestUnknownTypesAreKept(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, func(s *setup) {
			h := netatmotest.House()
			h.Modules = append(h.Modules[:1:1], netatmotest.Module{ID: "aa", Type: "NXY9", Name: "Novelty", Room: netatmotest.Bathroom,
				Status: map[string]any{"reachable": true, "temperature": 21.5, "on": true}})
			s.options.Home = h
		})
		news := r.pass(time.Minute)
		founds := only[gateway.Found](news)
		i := slices.IndexFunc(founds, func(f gateway.Found) bool { return f.Device == "aa" })
		if i < 0 || founds[i].Model != "NXY9" || founds[i].Room != netatmotest.Bathroom {
			t.Fatalf("founds %+v", founds)
		}
		if got, _ := last(news, "aa", gateway.Temperature); got.Value != gateway.Number(21.5) {
			t.Errorf("its temperature: %v", got.Value)
		}
	})
}

func TestSignInThatIsOfNoUse(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var words bytes.Buffer
		r := newRig(t, func(s *setup) {
			s.options.Denied = []string{"/api/homesdata", "/api/homestatus"}
			s.adapter.Log = slog.New(slog.NewTextHandler(&words, nil))
		})
		calls := bad(r.pass(time.Hour))
		if len(calls) < 2 || calls[0].Plane != gateway.PlaneAuth || calls[0].Verdict != gateway.VerdictDegraded {
			t.Errorf("judged %+v", calls)
		}
		r.house.Stop()
		if n := strings.Count(words.String(), "the sign-in lacks the right"); n != 1 {
			t.Errorf("%d log lines say what is missing: %s", n, words.String())
		}
	})
}

func TestHomeThatIsNotInTheAccount(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var words bytes.Buffer
		r := newRig(t, func(s *setup) {
			s.adapter.Home = "5f8a1cffffffffffffffffff"
			s.adapter.Log = slog.New(slog.NewTextHandler(&words, nil))
		})
		r.pass(time.Hour)
		r.house.Stop()
		if !strings.Contains(words.String(), "check home.id in the configuration") || len(only[gateway.Plan](r.facts)) != 0 {
			t.Errorf("log: %s", words.String())
		}
	})
}

// A house whose clock runs 500 times as fast would lose hours to one request that hangs for 20 s.
func TestDeadlineCanBeShortened(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, func(s *setup) { s.adapter.Deadline = time.Second })
		r.pass(time.Minute)
		r.cloud.Break(netatmotest.Fault{Kind: netatmotest.TimeOut})
		calls := bad(r.pass(5 * time.Minute))
		if len(calls) == 0 || calls[0].Took != time.Second {
			t.Errorf("judged %+v", calls)
		}
	})
}

// Over real sockets: the vendor's port closes and opens again.
func TestVendorGoesAndComesBack(t *testing.T) {
	now, speed := fast()
	cloud := netatmotest.New(netatmotest.Options{Now: now})
	base, err := cloud.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer cloud.Close()
	house := gatewaytest.Start(t, gateway.CloudAdapter, New(Options{
		URL: base, ClientID: "client", ClientSecret: "client-secret", Vault: signedIn(t, cloud), Log: slog.New(slog.DiscardHandler),
	}), speed)
	gatewaytest.Wait[gateway.CloudView](house, nil)
	cloud.Break(netatmotest.Fault{Kind: netatmotest.Refused})
	gatewaytest.Wait(house, func(c gateway.Call) bool {
		return c.Verdict == gateway.VerdictCloudDown && strings.HasSuffix(c.Why, "connection refused")
	})
	cloud.Mend()
	gatewaytest.Wait[gateway.CloudView](house, nil)
	house.Stop()
}

func TestCallThatTheVendorDoesNotKnow(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, func(s *setup) {
			s.begin = func(c *netatmotest.Cloud) {
				c.Serve("/api/gethomecoachsdata", netatmotest.Raw{Status: 404, Type: "text/html", Body: []byte("<html>")})
			}
		})
		r.pass(5 * time.Hour)
		if n := r.cloud.Count("/api/gethomecoachsdata"); n > 2 {
			t.Errorf("asked %d times in 5 h", n)
		}
	})
}
