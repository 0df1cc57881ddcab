package rules_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules"
)

func failed(p gateway.Plane, v gateway.Verdict, why string) gateway.Call {
	return gateway.Call{Plane: p, Verdict: v, Why: why}
}

func TestTheVerdictNamesCauseAndScope(t *testing.T) {
	well := gateway.Probe{Verdict: gateway.VerdictOK, Why: "Netatmo answers as it should"}
	down := gateway.Probe{Verdict: gateway.VerdictCloudDown, Witness: gateway.Yes, Why: "Netatmo answers 503 with HTML; your internet works: 2 of 3 witnesses answered", Evidence: []string{"API: status 503 with HTML"}}
	open := gateway.Probe{Verdict: gateway.VerdictUnknown, Witness: gateway.Yes, Why: "The way to Netatmo is open; its API is not asked for 10 min, to spare our quota"}
	line := gateway.Probe{Verdict: gateway.VerdictInternetDown, Witness: gateway.No, Why: "The router answers, the internet does not: no connection"}
	tests := []struct {
		name    string
		facts   []gateway.Fact
		verdict gateway.Verdict
		scope   string
		why     string
	}{
		{"all is well", []gateway.Fact{well}, gateway.VerdictOK, "", "Netatmo answers"},
		{"cause, time and witnesses", []gateway.Fact{down}, gateway.VerdictCloudDown, "", "Netatmo answers 503 with HTML since 12:00; your internet works: 2 of 3 witnesses answered"},
		{"a cause hides what follows from it", []gateway.Fact{well, failed("read", gateway.VerdictCloudDown, "homestatus: no answer"), line, failed("read", gateway.VerdictCloudDown, "homestatus: no answer"), failed("write", gateway.VerdictCloudDown, "no answer")},
			gateway.VerdictInternetDown, "", "The router answers, the internet does not: no connection since 12:00"},
		{"a call alone does not say that the cloud is down", []gateway.Fact{well, failed("read", gateway.VerdictCloudDown, "homestatus: 503")}, gateway.VerdictDegraded, "read", "Netatmo does not let itself be read: homestatus: 503 since 12:00"},
		{"a call that failed is the last word while the API may not be asked", []gateway.Fact{well, failed("read", gateway.VerdictCloudDown, "homestatus: 503 with HTML, and asks to wait 600 s"), open},
			gateway.VerdictCloudDown, "read", "homestatus: 503 with HTML, and asks to wait 600 s since 12:00; the way there is open"},
		{"but not if nobody says that the internet is up", []gateway.Fact{well, failed("read", gateway.VerdictCloudDown, "homestatus: 503"), gateway.Probe{Verdict: gateway.VerdictUnknown, Why: open.Why}}, gateway.VerdictDegraded, "read", "homestatus: 503 since 12:00"},
		{"nor if the look came before", []gateway.Fact{well, open, failed("read", gateway.VerdictCloudDown, "homestatus: 503")}, gateway.VerdictDegraded, "read", "homestatus: 503 since 12:00"},
		{"nor of what is no outage", []gateway.Fact{well, failed("read", gateway.VerdictDegraded, "homestatus: 200 with nothing"), open}, gateway.VerdictDegraded, "read", "homestatus: 200 with nothing since 12:00"},
		{"commands alone", []gateway.Fact{well, failed("read", gateway.VerdictOK, "ok"), failed("write", gateway.VerdictDegraded, "setstate: does not show")}, gateway.VerdictDegraded, "write", "commands go over the LAN"},
		{"news alone", []gateway.Fact{well, failed("push", gateway.VerdictDegraded, "webhook_deactivation")}, gateway.VerdictDegraded, "push", "it is read instead"},
		{"the sign-in alone", []gateway.Fact{well, failed("read", gateway.VerdictOK, "ok"), failed("auth", gateway.VerdictDegraded, "token: 503")}, gateway.VerdictDegraded, "auth", "the present one still works"},
		{"two of them", []gateway.Fact{well, failed("read", gateway.VerdictDegraded, "homestatus: nothing in it"), failed("write", gateway.VerdictDegraded, "setstate: 500")}, gateway.VerdictDegraded, "read write", "homestatus: nothing in it since 12:00"},
		{"the quota", []gateway.Fact{well, failed("read", gateway.VerdictRateLimited, "homestatus: 429")}, gateway.VerdictRateLimited, "", "it is no outage"},
		{"revoked", []gateway.Fact{well, failed("auth", gateway.VerdictAuthRevoked, "no")}, gateway.VerdictAuthRevoked, "auth", "log in again: veilleuse login"},
		{"a read after it ends it", []gateway.Fact{well, failed("auth", gateway.VerdictAuthRevoked, "no"), failed("read", gateway.VerdictOK, "ok")}, gateway.VerdictOK, "", "Netatmo answers"},
		{"not signed in says nothing of the cloud", []gateway.Fact{well, failed("auth", gateway.VerdictUnknown, "not signed in")}, gateway.VerdictOK, "", "Netatmo answers"},
		{"a real answer beats an earlier probe", []gateway.Fact{down, failed("read", gateway.VerdictOK, "homestatus: ok")}, gateway.VerdictOK, "", "Netatmo answers"},
		{"a void probe says nothing", []gateway.Fact{well, gateway.Probe{Verdict: gateway.VerdictCloudDown, Why: "late", Void: true}}, gateway.VerdictOK, "", "Netatmo answers"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := gateway.State{}
			for _, f := range test.facts {
				s = tell(t, s, "netatmo", f)
			}
			var scope []string
			for _, p := range s.Cloud.Scope {
				scope = append(scope, string(p))
			}
			if s.Cloud.Verdict != test.verdict || strings.Join(scope, " ") != test.scope || !strings.Contains(s.Cloud.Why, test.why) {
				t.Errorf("verdict %s, scope %v: %q; want %s, %q, %q", s.Cloud.Verdict, scope, s.Cloud.Why, test.verdict, test.scope, test.why)
			}
		})
	}
}

func TestEvidenceNamesTheCall(t *testing.T) {
	s := tell(t, gateway.State{}, "uplink", gateway.Probe{Verdict: gateway.VerdictOK, Evidence: []string{"API: status 401"}},
		"netatmo", failed("read", gateway.VerdictDegraded, "homestatus: nothing in it"))
	if want := []string{"call (read): homestatus: nothing in it, at 12:00", "API: status 401"}; !slices.Equal(s.Cloud.Evidence, want) {
		t.Errorf("evidence is %q, want %q", s.Cloud.Evidence, want)
	}
}

// A vendor that answers 503 and asks to wait ten minutes is asked no sooner. One such answer takes no house
// over; with the second the looks that find the way open are enough.
func TestTwiceToldToWait(t *testing.T) {
	s := served(t)
	at := s.At
	step := func(f gateway.Fact) {
		s, _ = rules.Step(s, gateway.Event{At: at, From: "uplink", Fact: f})
	}
	wait := failed(gateway.PlaneRead, gateway.VerdictCloudDown, "homestatus: 503 with HTML, and asks to wait 600 s")
	var taken time.Duration
	began := at
	for ; at.Sub(began) < 20*time.Minute; at = at.Add(15 * time.Second) {
		if at.Sub(began)%(10*time.Minute) == 0 {
			step(wait)
		}
		step(gateway.Probe{Verdict: gateway.VerdictUnknown, Witness: gateway.Yes, Why: "The way to Netatmo is open"})
		step(gateway.Tick{})
		if taken == 0 && s.Authority.Phase == gateway.Local {
			taken = at.Sub(began)
		}
		if s.Cloud.Verdict != gateway.VerdictCloudDown {
			t.Fatalf("after %v the verdict is %s: %s", at.Sub(began), s.Cloud.Verdict, s.Cloud.Why)
		}
	}
	if taken < 10*time.Minute || taken > 12*time.Minute {
		t.Errorf("taken over after %v, want soon after the second answer", taken)
	}
}

// What was seen while the program did not run, or while its clock was moved, proves nothing.
func TestOurOwnFaultsVoidTheWindow(t *testing.T) {
	down := gateway.Probe{Verdict: gateway.VerdictCloudDown, Why: "503", Witness: gateway.Yes}
	step := func(s gateway.State, at time.Time, f gateway.Fact) gateway.State {
		s, _ = rules.Step(s, gateway.Event{At: at, From: "uplink", Fact: f})
		return s
	}
	tests := []struct {
		name  string
		event func(gateway.State) gateway.State
		want  int
	}{
		{"nothing happens", func(s gateway.State) gateway.State { return step(s, s.At.Add(10*time.Second), gateway.Tick{}) }, 3},
		{"a tick is a little late", func(s gateway.State) gateway.State {
			return step(s, s.At.Add(10*time.Second), gateway.Tick{Late: 2 * time.Second})
		}, 3},
		{"a tick is late", func(s gateway.State) gateway.State {
			return step(s, s.At.Add(10*time.Second), gateway.Tick{Late: 2*time.Second + 1})
		}, 0},
		{"the machine slept", func(s gateway.State) gateway.State { return step(s, s.At.Add(41*time.Second), gateway.Tick{}) }, 0},
		{"the clock was put back", func(s gateway.State) gateway.State { return step(s, s.At.Add(-31*time.Second), gateway.Tick{}) }, 0},
		{"a void probe", func(s gateway.State) gateway.State {
			return step(s, s.At.Add(10*time.Second), gateway.Probe{Void: true})
		}, 0},
		{"our own fault", func(s gateway.State) gateway.State {
			return step(s, s.At.Add(10*time.Second), gateway.Probe{Verdict: gateway.VerdictSelf})
		}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := served(t)
			for range 3 {
				s = step(s, s.At.Add(15*time.Second), down)
			}
			if s = test.event(s); s.Cloud.Bad != test.want {
				t.Errorf("%d failures count, want %d", s.Cloud.Bad, test.want)
			}
			if s.Authority.Phase != gateway.Suspect {
				t.Errorf("the phase is %s: a doubt ends with a good answer only", s.Authority.Phase)
			}
		})
	}
}

// A wish that the cloud has not carried out is not lost to what the cloud shows meanwhile, and yields to
// what somebody sets there later.
func TestAWishStaysUntilItIsTold(t *testing.T) {
	s := tell(t, served(t), "homekit", gateway.Wish{By: "Home app", Ask: gateway.SetTarget{Room: "r1", Target: 22, For: 5 * time.Hour}})
	s = later(t, s, 5*time.Minute)
	show := func(target float64, mode gateway.RoomMode) gateway.CloudView {
		return gateway.CloudView{Home: "h", At: s.At, Rooms: []gateway.CloudRoom{{ID: "r1", Target: gateway.Number(target), Mode: mode, Since: s.At}}}
	}
	s = tell(t, s, "netatmo", show(20, gateway.RoomSchedule))
	if r, _ := s.Rooms.Get("r1"); r.Override.Target != 22 || !r.Override.Local {
		t.Errorf("after the cloud shows its schedule the wish is %+v", r.Override)
	}
	s = tell(t, s, "netatmo", show(22, gateway.RoomManual)) // our own write over the LAN, as the cloud sees it
	if r, _ := s.Rooms.Get("r1"); !r.Override.Local {
		t.Errorf("our own echo ends the wish: %+v", r.Override)
	}
	s = tell(t, s, "netatmo", show(18, gateway.RoomManual))
	if r, _ := s.Rooms.Get("r1"); r.Override.Local || r.Override.Target != 18 {
		t.Errorf("after somebody set 18 °C there the wish is %+v", r.Override)
	}
	for key := range s.Asked.All() {
		if strings.HasPrefix(string(key), "netatmo/r1") {
			t.Errorf("%s is still asked", key)
		}
	}
}

// A mode of the home that the cloud does not take up is carried out over the LAN.
func TestAModeOfTheHomeGoesOverTheLAN(t *testing.T) {
	s := tell(t, served(t), "homekit", gateway.Wish{By: "Home app", Ask: gateway.SetMode{Mode: gateway.HomeAway}})
	s = later(t, s, 10*time.Second)
	asked, ok := s.Asked.Get("accessory/v1/target")
	if !ok || asked.Command.Value != gateway.Number(12) {
		t.Errorf("ten seconds on the valve is asked for %+v", asked)
	}
	if last := s.Decisions[len(s.Decisions)-1]; !strings.Contains(last.Why, "Netatmo has not answered within 3s") {
		t.Errorf("decided is %+v", last)
	}
}
