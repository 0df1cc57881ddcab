package gateway

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	_ "time/tzdata"
)

func TestLastingSurvivesJSON(t *testing.T) {
	paris, err := LoadTimeZone("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2025, 10, 29, 16, 41, 0, 0, time.UTC)
	s := State{
		Home: Home{ID: "h", Zone: paris, DefaultDuration: 3 * time.Hour, FrostGuard: 7, Maximum: 28,
			Regime: Regime{Mode: HomeAway, Until: at}},
		Authority: Authority{Phase: Local, Since: at, Why: "Netatmo answers 503"},
		Alarms:    []Alarm{{Phase: Sounding, Kind: Smoke, Device: "d", Since: at}},
		Decided:   9,
	}
	s.Rooms = s.Rooms.With("r", Room{ID: "r", Name: "Bath", Override: Override{Mode: RoomManual, Target: 22, Until: at}})
	s.Devices = s.Devices.With("d", Device{ID: "d", Model: "NSD"}.WithReading(Measure{Smoke, Flag(true), at, "accessory"}))
	data, err := json.Marshal(s.Lasting())
	if err != nil {
		t.Fatal(err)
	}
	back, err := ReadLasting(data)
	if err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(back.State().Lasting())
	if err != nil || string(again) != string(data) {
		t.Errorf("came back as %s, was %s", again, data)
	}
	room, _ := back.Rooms.Get("r")
	if want, _ := s.Rooms.Get("r"); !reflect.DeepEqual(room, want) {
		t.Errorf("room is %+v, was %+v", room, want)
	}
	if device, _ := back.Devices.Get("d"); !device.Readings[0].Value.Yes() {
		t.Errorf("smoke is %v after a restart", device.Readings[0].Value)
	}
}

func TestNewerVersionIsRefused(t *testing.T) {
	_, err := ReadLasting([]byte(`{"version":2,"home":{"zone":7}}`))
	if err == nil || !strings.Contains(err.Error(), "version 2") {
		t.Errorf("error is %v, want one that names version 2", err)
	}
}

func TestValueJSON(t *testing.T) {
	for _, v := range []Value{{}, Number(0), Number(-7.25), Number(21), Flag(true), Flag(false), Word("away")} {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var back Value
		if err := json.Unmarshal(data, &back); err != nil || back != v {
			t.Errorf("%v became %s became %v (%v)", v, data, back, err)
		}
	}
	if err := new(Value).UnmarshalJSON([]byte(`[1]`)); err == nil {
		t.Error("a list is taken for a value")
	}
}

// learnt is what some rule may remember.
type learnt struct{ gain float64 }

func (l learnt) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]float64{"gain": l.gain})
}

func TestMemoriesAreSavedAsOfTheirLastCopy(t *testing.T) {
	var s State
	s.Memories = s.Memories.With("bath", MemoryOf(learnt{2}))
	s.Kept = s.Kept.With("bath", MemoryOf(learnt{1}))
	s.Firings = s.Firings.With("boiler", Firing{On: true, Ordered: Flag(true), Changed: time.Unix(5, 0)})
	text, err := json.Marshal(s.Lasting())
	if err != nil {
		t.Fatal(err)
	}
	l, err := ReadLasting(text)
	if err != nil {
		t.Fatal(err)
	}
	again := l.State()
	memory, _ := again.Memories.Get("bath")
	if got := memory.Value(); got != MemoryText(`{"gain":1}`) {
		t.Errorf("the memory comes back as %v", got)
	}
	if f, _ := again.Firings.Get("boiler"); !f.On || f.Ordered != Flag(true) || !f.Changed.Equal(time.Unix(5, 0)) {
		t.Errorf("the relay comes back as %+v", f)
	}
	if second, err := json.Marshal(again.Lasting()); err != nil || string(second) != string(text) {
		t.Errorf("saved again (%v):\n%s, was\n%s", err, second, text)
	}
	if text, err := json.Marshal(Memory{}); err != nil || string(text) != "null" {
		t.Errorf("the memory of nothing is %s, %v", text, err)
	}
}
