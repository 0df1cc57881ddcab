package mqtt

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// outagePage shows a State and returns what was sent of its outage; "" if nothing was.
func outagePage(v *view, s gateway.State) string {
	v.show(s)
	return sent(v)["veilleuse/outage"]
}

func TestTheOutageFromBeginningToEnd(t *testing.T) {
	v := newView("veilleuse", nil, 0)
	s := gateway.State{Home: gateway.Home{ID: "h"}}
	if got := outagePage(v, s); got != "{}" {
		t.Errorf("before the first there is %s", got)
	}
	s.Version++
	if got := outagePage(v, s); got != "" {
		t.Errorf("sent again: %s", got)
	}
	o := gateway.Outage{Number: 1, Verdict: gateway.VerdictCloudDown, Why: "503", Lost: evening}
	s.Outage = &o
	want := `{"number":1,"verdict":"cloud-down","scope":[],"since":"2025-10-29T17:00:00Z","why":"503","drill":false,"writes":0,"wishes":0,"alarms":0,"slots_due":0,"slots_kept":0,"rooms":{}}`
	if got := outagePage(v, s); got != want {
		t.Errorf("it begins as\n%s, want\n%s", got, want)
	}
	later := o
	later.Measured = evening.Add(time.Minute) // looked at, and nothing new to say
	s.Outage = &later
	if got := outagePage(v, s); got != "" {
		t.Errorf("unchanged, and sent: %s", got)
	}
	later.Ended, later.Drill = evening.Add(time.Hour), true
	s.Outage, s.Outages = nil, []gateway.Outage{later}
	var page struct {
		Number int
		Until  time.Time
		Drill  bool
	}
	if err := json.Unmarshal([]byte(outagePage(v, s)), &page); err != nil || page.Number != 1 || !page.Until.Equal(later.Ended) || !page.Drill {
		t.Errorf("at its end there is %+v, %v", page, err)
	}
	s.Outages = append([]gateway.Outage{}, s.Outages...)
	if got := outagePage(v, s); got != "" {
		t.Errorf("the last is sent again: %s", got)
	}
}

func TestTwinRoomsHaveOneComfort(t *testing.T) {
	o := gateway.Outage{Number: 1, Lost: evening}
	o.Rooms = o.Rooms.With("R 1", gateway.Comfort{Name: "first"}).With("r-1", gateway.Comfort{Name: "second"})
	got := outagePage(newView("veilleuse", nil, 0), gateway.State{Outage: &o})
	var page struct {
		Rooms map[string]struct{ Name string }
	}
	if err := json.Unmarshal([]byte(got), &page); err != nil || len(page.Rooms) != 1 || page.Rooms["r-1"].Name != "first" {
		t.Errorf("%s: %v", got, err)
	}
}

func TestABudgetThatNobodySaidIsNotMadeUp(t *testing.T) {
	v := newView("veilleuse", nil, 0)
	v.show(gateway.State{})
	if got, some := sent(v)["veilleuse/budget"]; some {
		t.Errorf("sent %s", got)
	}
	v.show(gateway.State{Budget: gateway.Budget{Spent: 3, Limit: 120, Total: 9}})
	if got, want := sent(v)["veilleuse/budget"], `{"spent_last_hour":3,"per_hour":120,"total":9}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
