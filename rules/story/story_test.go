package story

import (
	"io"
	"strings"
	"testing"
	"time"

	_ "time/tzdata"

	"github.com/veilleuse/veilleuse/gateway"
)

const small = `zone Europe/Paris
start 2025-10-29 16:30
home h1 Maison default=2h
room bath Bath
week 06:30=day
target day bath=21
device v1 NRV room=bath face=accessory target=7..30/0.5 obeys
`

// log returns a Step that notes every event and sends a command at each reading.
func log(events *[]gateway.Event) gateway.Step {
	return func(s gateway.State, e gateway.Event) (gateway.State, []gateway.Command) {
		*events = append(*events, e)
		if r, ok := e.Fact.(gateway.Reading); ok && r.Quantity == gateway.Temperature {
			s.Commanded++
			return s, []gateway.Command{{ID: s.Commanded, Point: gateway.Point{Adapter: "accessory", Of: "v1", Quantity: gateway.Target}, Value: gateway.Number(20), Why: "test"}}
		}
		return s, nil
	}
}

func TestPlayLetsTimePassAndDevicesObey(t *testing.T) {
	s, err := Read(strings.NewReader(small + "16:31 reading v1 temperature 19\n00:30 nothing\n"))
	if err != nil {
		t.Fatal(err)
	}
	var events []gateway.Event
	var out strings.Builder
	if err := s.Play(log(&events), nil, &out); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	ticks := 0
	for _, e := range events {
		switch f := e.Fact.(type) {
		case gateway.Tick:
			ticks++
		case gateway.Reading:
			kinds = append(kinds, string(f.Quantity)+"="+f.Value.String())
		case gateway.Outcome:
			kinds = append(kinds, "outcome"+f.Err)
		}
	}
	if got, want := strings.Join(kinds, " "), "temperature=19 outcome target=20"; got != want {
		t.Errorf("facts are %s, want %s", got, want)
	}
	if ticks < 8*360-10 || ticks > 8*360+10 { // eight hours of ticks each 10 s
		t.Errorf("%d ticks in eight hours", ticks)
	}
	if last := events[len(events)-1].At.In(s.location()); last.Format("Mon 15:04") != "Thu 00:30" {
		t.Errorf("a time before the last one is %v, want the next day", last)
	}
	if !strings.Contains(out.String(), "> 16:31:00 accessory/v1/target = 20 (test)") {
		t.Errorf("the command is missing in:\n%s", out.String())
	}
}

func TestFaultsNameTheirLine(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"no start", "zone Europe/Paris\n", "needs a line as in: start"},
		{"event before the start", "16:30 nothing\n", "line 1: the line start must come before"},
		{"unknown zone", "zone Mars/Olympus\n", `line 1: time zone "Mars/Olympus" is not known`},
		{"not a line of a house", "rooom bath\n", `line 1: "rooom" is not a line of a house`},
		{"not a time", small + "25:00 nothing\n", `line 8: "25:00" is not a time`},
		{"nothing happens", small + "16:31\n", "line 8: what happens at 16:31 is missing"},
		{"open quotation", small + "16:31 probe ok \"fine\n", "line 8: a quotation mark is not closed"},
		{"bad slot", "week 6h=day\n", `line 1: a slot is a time and a zone`},
		{"bad limits", "device v NRV face=accessory target=7-30\n", `line 1: limits are as in target=7..30/0.5`},
		{"relay without rooms", "relay boiler heats=boiler\n", "line 1: a relay needs an id and rooms"},
		{"relay with a bad lease", "relay boiler rooms=bath lease=long\n", "line 1: lease=long is not a duration"},
		{"bad target", "target day bath=warm\n", "line 1: a target is a room and °C"},
		{"a clock that is ahead by words", small + "16:31 ahead soon\n", "line 8: ahead soon is not a duration as in -10h"},
		{"a clock that is ahead by nothing", small + "16:31 ahead\n", "line 8: the clock is ahead by some time, as in: ahead -10h"},
		{"unknown event", small + "16:31 explode\n", `line 8: "explode" is nothing that can happen`},
		{"outcome of nothing", small + "16:31 outcome accessory/v1/target ok\n", "line 8: nothing was asked of accessory/v1/target"},
		{"wish without a number", small + "16:31 wish MQTT bath warm\n", "line 8: a room is wished a number of °C"},
		{"wish of nobody", small + "16:31 wish\n", "line 8: a wish is of somebody"},
		{"wish without end", small + "16:31 wish MQTT bath 20 for=long\n", "line 8: for=long is not a duration"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, err := Read(strings.NewReader(test.text))
			if err == nil {
				var events []gateway.Event
				err = s.Play(log(&events), nil, io.Discard)
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add(small + "16:31 probe cloud-down \"503\" every=15s lasting=1m\n16:40 view bath=manual/22/19:30 mode=away\n")
	f.Add("start 2025-10-29 16:30\n16:31 wish page device d siren yes\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Read(strings.NewReader(text))
		if err != nil || strings.Contains(text, "every") || strings.Count(text, "\n") > 30 {
			return
		}
		s.Play(func(s gateway.State, _ gateway.Event) (gateway.State, []gateway.Command) { return s, nil }, nil, io.Discard)
	})
}

func TestADrillIsAskedFor(t *testing.T) {
	s, err := Read(strings.NewReader(small + "16:31 wish control drill for=20m\n16:32 wish control drill end\n"))
	if err != nil {
		t.Fatal(err)
	}
	var events []gateway.Event
	if err := s.Play(log(&events), nil, io.Discard); err != nil {
		t.Fatal(err)
	}
	var asks []gateway.Ask
	for _, e := range events {
		if w, ok := e.Fact.(gateway.Wish); ok {
			asks = append(asks, w.Ask)
		}
	}
	if len(asks) != 2 || asks[0] != (gateway.StartDrill{For: 20 * time.Minute}) || asks[1] != (gateway.EndDrill{}) {
		t.Errorf("asked for is %#v", asks)
	}
}

func TestProbesAndCallsSayMore(t *testing.T) {
	s, err := Read(strings.NewReader(small + "16:31 probe cloud-down x witness=no\n16:32 call auth degraded x expires=17:30\n"))
	if err != nil {
		t.Fatal(err)
	}
	var events []gateway.Event
	if err := s.Play(log(&events), nil, io.Discard); err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, e := range events {
		switch f := e.Fact.(type) {
		case gateway.Probe:
			found++
			if f.Witness != gateway.No {
				t.Errorf("the witness is %q", f.Witness)
			}
		case gateway.Call:
			found++
			if f.Expires.In(s.location()).Format("15:04") != "17:30" {
				t.Errorf("it expires at %v", f.Expires)
			}
		}
	}
	if found != 2 {
		t.Errorf("%d facts of 2", found)
	}
}

func TestAStoryWakesTheRules(t *testing.T) {
	s, err := Read(strings.NewReader(small + "16:31 reading v1 humidity 50\n16:32 nothing\n"))
	if err != nil {
		t.Fatal(err)
	}
	var woken []string
	step := func(st gateway.State, e gateway.Event) (gateway.State, []gateway.Command) {
		if _, ok := e.Fact.(gateway.Reading); ok {
			st.Wake = e.At.Add(3 * time.Second)
		} else if e.At.Equal(st.Wake) {
			woken = append(woken, e.At.Format("04:05"))
		}
		return st, nil
	}
	if err := s.Play(step, nil, io.Discard); err != nil {
		t.Fatal(err)
	}
	if strings.Join(woken, " ") != "31:03" {
		t.Errorf("woken at %v, want 31:03", woken)
	}
}

func TestAlarmWords(t *testing.T) {
	const house = "start 2025-10-29 18:00\nplan tell=mqtt light=lamp/30s run=/bin/call/1m repeat=2m\nsilent NSD=192h\n"
	s, err := Read(strings.NewReader(house))
	if err != nil {
		t.Fatal(err)
	}
	plan := s.state.Home.AlarmPlan
	if len(plan.Steps) != 3 || plan.Repeat != 2*time.Minute || plan.Steps[1] != (gateway.AlarmStep{Way: gateway.WayLight, Of: "lamp", After: 30 * time.Second}) ||
		plan.Steps[2].Of != "/bin/call" || s.state.Home.SilentAfter["NSD"] != 192*time.Hour {
		t.Errorf("read as %+v, %v", plan, s.state.Home.SilentAfter)
	}
	for _, bad := range []string{"plan shout=all\n", "plan repeat=soon\n", "silent NSD=long\n"} {
		if _, err := Read(strings.NewReader("start 2025-10-29 18:00\n" + bad)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
