package gateway

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"
)

var lost = time.Date(2025, 10, 29, 15, 41, 0, 0, time.UTC)

func TestAnOutageSurvivesJSON(t *testing.T) {
	o := Outage{Number: 3, Drill: true, Verdict: VerdictCloudDown, Scope: []Plane{PlaneRead}, Why: "503", Evidence: []string{"503 with HTML"},
		Later: []Cause{{VerdictInternetDown, lost.Add(time.Hour), "no answer"}}, Lost: lost, Began: lost.Add(90 * time.Second),
		Relapses: 1, Writes: 2, SlotsDue: 4, SlotsKept: 3, Spared: 2, Wishes: 5, Alarms: 6, HandedBack: []string{"x"}, LeftOut: 7, Measured: lost}
	o = o.WithDecision(Decision{Number: 1, Kind: "wish", What: "20 °C"})
	o.Rooms = o.Rooms.With("bath", Comfort{Name: "Bath", Below: 1.25, Measured: time.Hour, Unknown: time.Minute, Next: lost, Due: lost})
	s := State{Outage: &o, Outages: []Outage{o}, Days: []Day{{"2025-10-29", 100, 20, 3}}, Watch: Watch{Date: "2025-10-30", Watched: time.Second, Since: lost}}
	data, err := json.Marshal(s.Lasting())
	if err != nil {
		t.Fatal(err)
	}
	l, err := ReadLasting(data)
	if err != nil {
		t.Fatal(err)
	}
	back := l.State()
	if !reflect.DeepEqual(*back.Outage, o) || !reflect.DeepEqual(back.Outages, s.Outages) || !reflect.DeepEqual(back.Days, s.Days) || back.Watch != s.Watch {
		t.Errorf("came back as %+v", back)
	}
	if data, err = json.Marshal((State{}).Lasting()); err != nil || json.Valid(data) && containsAny(string(data), "outage", "days", "watch") {
		t.Errorf("a house without outage saves %s", data)
	}
}

func containsAny(s string, words ...string) bool {
	var m map[string]json.RawMessage
	if json.Unmarshal([]byte(s), &m) != nil {
		return true
	}
	for _, w := range words {
		if _, ok := m[w]; ok {
			return true
		}
	}
	return false
}

func TestDecisionsOfAnOutageAreBounded(t *testing.T) {
	var o Outage
	for i := range 100 {
		before := o
		o = o.WithDecision(Decision{Number: uint64(i)})
		if len(before.Decisions) > 0 && before.Decisions[len(before.Decisions)-1].Number != uint64(i-1) {
			t.Fatal("the outage was changed in place")
		}
	}
	first, last := o.Decisions[FirstDecisions-1].Number, o.Decisions[FirstDecisions].Number
	if len(o.Decisions) != FirstDecisions+LastDecisions || o.LeftOut != 100-len(o.Decisions) || first != FirstDecisions-1 || last != 100-LastDecisions {
		t.Errorf("%d kept, %d left out, from %d on to %d", len(o.Decisions), o.LeftOut, first, last)
	}
}

func TestLastOutage(t *testing.T) {
	if o, ok := (State{}).LastOutage(); ok {
		t.Errorf("a new house had %+v", o)
	}
	s := State{Outages: []Outage{{Number: 1}, {Number: 2}}}
	if o, ok := s.LastOutage(); !ok || o.Number != 2 {
		t.Errorf("the last is %d", o.Number)
	}
	s.Outage = &Outage{Number: 3, Lost: lost}
	if o, _ := s.LastOutage(); o.Number != 3 || o.Length(lost.Add(time.Hour)) != time.Hour {
		t.Errorf("the last is %d", o.Number)
	}
}

func TestWithWatch(t *testing.T) {
	saw := func(date string, s int) Watch {
		return Watch{Date: date, Watched: time.Duration(s) * time.Second, Broken: time.Second}
	}
	tests := []struct {
		name string
		days []Day
		saw  Watch
		want []Day
	}{
		{"nothing seen", []Day{{"2025-01-02", 5, 0, 0}}, Watch{Date: "2025-01-03"}, []Day{{"2025-01-02", 5, 0, 0}}},
		{"the first day", nil, saw("2025-01-02", 7), []Day{{"2025-01-02", 7, 1, 0}}},
		{"the same day", []Day{{"2025-01-01", 9, 0, 0}, {"2025-01-02", 5, 1, 2}}, saw("2025-01-02", 7), []Day{{"2025-01-01", 9, 0, 0}, {"2025-01-02", 12, 2, 2}}},
		{"a new day", []Day{{"2025-01-02", 5, 0, 0}}, saw("2025-01-04", 7), []Day{{"2025-01-02", 5, 0, 0}, {"2025-01-04", 7, 1, 0}}},
		{"a day before, by a clock that was set", []Day{{"2025-01-02", 5, 0, 0}}, saw("2025-01-01", 7), []Day{{"2025-01-01", 7, 1, 0}, {"2025-01-02", 5, 0, 0}}},
		{"in between", []Day{{"2025-01-01", 5, 0, 0}, {"2025-01-03", 5, 0, 0}}, saw("2025-01-02", 7), []Day{{"2025-01-01", 5, 0, 0}, {"2025-01-02", 7, 1, 0}, {"2025-01-03", 5, 0, 0}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := fmt.Sprint(test.days)
			if got := WithWatch(test.days, test.saw); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
			if fmt.Sprint(test.days) != before {
				t.Error("the list that came in was changed")
			}
		})
	}
}

func TestAvailability(t *testing.T) {
	var s State
	if _, ok := s.Availability(30).Share(); ok {
		t.Error("a share of nothing is known")
	}
	// 400 days in a row, watched whole; broken for 864 s (1 %) on each of the last 10 and all day before those 366
	for i := range 400 {
		w := Watch{Date: lost.AddDate(0, 0, i-399).Format(time.DateOnly), Watched: 24 * time.Hour}
		switch {
		case i >= 390:
			w.Broken = 864 * time.Second
		case i < 400-MaxDays:
			w.Broken = w.Watched
		}
		s.Days = WithWatch(s.Days, w)
	}
	s.At = lost
	if len(s.Days) != MaxDays {
		t.Fatalf("%d days are kept", len(s.Days))
	}
	month, _ := s.Availability(30).Share()
	year, _ := s.Availability(365).Share()
	if math.Abs(month-(1-0.1/30)) > 1e-9 || math.Abs(year-(1-0.1/365)) > 1e-9 {
		t.Errorf("%v over 30 days, %v over 365", month, year)
	}
	s.Watch = Watch{Date: lost.Format(time.DateOnly), Watched: time.Hour, Broken: time.Hour, Ours: time.Minute}
	if a := s.Availability(1); a.Watched != 25*time.Hour || a.Broken != time.Hour+864*time.Second || a.Ours != time.Minute {
		t.Errorf("today is %+v", a)
	}
	s.At = lost.AddDate(0, 0, 400)
	if a := s.Availability(365); a.Watched != 0 {
		t.Errorf("a year later %+v is left", a)
	}
	if share, ok := (Availability{Watched: time.Second, Broken: time.Minute}).Share(); !ok || share != 0 {
		t.Errorf("more broken than watched is %v", share)
	}
}
