package rules_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	_ "time/tzdata"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules"
	"github.com/veilleuse/veilleuse/rules/story"
)

var update = flag.Bool("update", false, "rewrite what the stories expect")

func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.story")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s, err := story.Read(bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if err := s.Play(rules.Step, invariants, &out); err != nil {
				t.Fatal(err)
			}
			if *update {
				if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if out.String() != string(text) {
				t.Errorf("the story goes otherwise (see with -update and git diff):\n%s", out.String())
			}
		})
	}
}

// invariants hold after every step of every life: a Step is pure, its commands stay between floor
// and cap and have a reason, nothing is called off, and there is no smoke without an alarm.
func invariants(before gateway.State, e gateway.Event, after gateway.State, commands []gateway.Command) error {
	again, commandsAgain := rules.Step(before, e)
	if !reflect.DeepEqual(commands, commandsAgain) || !reflect.DeepEqual(again, after) && fingerprint(again) != fingerprint(after) {
		return fmt.Errorf("the same State and %T give two results", e.Fact)
	}
	for id := range again.Memories.Changes(after.Memories) {
		a, _ := again.Memories.Get(id)
		b, _ := after.Memories.Get(id)
		if first, second := memorised(a), memorised(b); first != second {
			return fmt.Errorf("the same State and %T make two memories of %s", e.Fact, id)
		}
	}
	for _, c := range commands {
		if c.Why == "" {
			return fmt.Errorf("%v is asked of %s without a reason", c.Value, c.Point)
		}
		if err := relayKept(before, e, after, c); err != nil {
			return err
		}
		n, isNumber := c.Value.Number()
		if c.Point.Quantity == gateway.Target && (!isNumber || n < min(after.Home.FrostGuard, after.Home.Maximum) || n > max(after.Home.Maximum, after.Home.FrostGuard)) {
			if d, ok := after.Devices.Get(gateway.DeviceID(c.Point.Of)); !ok || !limited(d, n) {
				return fmt.Errorf("target %v for %s lies outside %g to %g °C", c.Value, c.Point, after.Home.FrostGuard, after.Home.Maximum)
			}
		}
		if c.Point.Adapter == gateway.CloudAdapter && c.Point.Quantity != gateway.Look && (after.Authority.Phase == gateway.Local || after.Authority.Phase == gateway.Returning) {
			return fmt.Errorf("%v is written to the cloud while the house is %s", c.Value, after.Authority.Phase)
		}
	}
	if err := journalHolds(after); err != nil {
		return err
	}
	return detectorsHeard(e, after)
}

// journalHolds is what must hold of the journal of outages in every life.
func journalHolds(s gateway.State) error {
	inCharge := s.Authority.Phase == gateway.Local || s.Authority.Phase == gateway.Returning
	if inCharge != (s.Outage != nil) {
		return fmt.Errorf("the house is %s and the open outage is %v", s.Authority.Phase, s.Outage)
	}
	all := slices.Clone(s.Outages)
	if s.Outage != nil {
		all = append(all, *s.Outage)
	}
	for i, o := range all {
		if o.Open() != (s.Outage != nil && i == len(all)-1) || i > 0 && o.Number != all[i-1].Number+1 {
			return fmt.Errorf("outage %d is at place %d, open %v", o.Number, i, o.Open())
		}
		if o.Began.Before(o.Lost) || !o.Open() && (o.Ended.Before(o.Began) || o.Back.Before(o.Began) || o.Ended.Before(o.Back)) {
			return fmt.Errorf("outage %d: lost %v, began %v, back %v, ended %v", o.Number, o.Lost, o.Began, o.Back, o.Ended)
		}
		if min(o.Writes, o.Relapses, o.Wishes, o.Alarms, o.SlotsKept, o.SlotsDue-o.SlotsKept, o.LeftOut) < 0 {
			return fmt.Errorf("outage %d counts less than nothing: %+v", o.Number, o)
		}
		for id, c := range o.Rooms.All() {
			if math.IsNaN(c.Below) || math.IsInf(c.Below, 0) || min(c.Below, c.Measured.Hours(), c.Unknown.Hours()) < 0 {
				return fmt.Errorf("outage %d, %s: %+v", o.Number, id, c)
			}
		}
	}
	for i, d := range s.Days {
		if min(d.Watched, d.Broken, d.Ours) < 0 || d.Broken > d.Watched+1 || d.Watched+d.Ours > 86400+60*60 || i > 0 && s.Days[i-1].Date >= d.Date {
			return fmt.Errorf("day %d is %+v", i, d)
		}
	}
	return nil
}

// limited reports whether a target is as near as the device's own range comes.
func limited(d gateway.Device, n float64) bool {
	c, _, ok := d.Control(gateway.Target)
	return ok && (n == c.Min || n == c.Max)
}

func detectorsHeard(e gateway.Event, after gateway.State) error {
	r, ok := e.Fact.(gateway.Reading)
	if !ok || r.Quantity != gateway.Smoke && r.Quantity != gateway.CO || !r.Value.Yes() {
		return nil
	}
	for _, a := range after.Alarms {
		if a.Device == r.Device && a.Kind == r.Quantity {
			return nil
		}
	}
	return fmt.Errorf("%s says %s and there is no alarm", r.Device, r.Quantity)
}

func memorised(m gateway.Memory) string {
	text, err := json.Marshal(m)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// fingerprint is all of a State that can be written down but for the memories of the rooms, which are long
// and change seldom.
func fingerprint(s gateway.State) string {
	l := s.Lasting()
	l.Memories = gateway.Table[gateway.RoomID, gateway.Memory]{}
	lasting, err := json.Marshal(l)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%d %v %+v %+v %s", s.Version, s.At, s.Cloud, s.Authority, lasting)
}

// relayKept holds what an order to a heating relay always keeps: it is a lease, and no minimum time is cut.
func relayKept(before gateway.State, e gateway.Event, after gateway.State, c gateway.Command) error {
	if c.Point.Quantity != gateway.Relay {
		return nil
	}
	d, _ := after.Devices.Get(gateway.DeviceID(c.Point.Of))
	f, _ := after.Firings.Get(d.ID)
	if lease := d.Circuit.Lease; c.Value.Yes() && lease > 0 && !c.Until.Equal(e.At.Add(lease)) {
		return fmt.Errorf("%s is switched on until %v, not for its lease of %v", c.Point, c.Until, lease)
	}
	least := 3 * time.Minute
	switch {
	case d.Circuit.Heats == gateway.HeatsElectric:
		least = 30 * time.Second
	case d.Circuit.Heats == gateway.HeatsFloor:
		least = 10 * time.Minute
	case f.On:
		least = 4 * time.Minute
	}
	if c.Value.Yes() != f.On && e.At.Sub(f.Changed) < least {
		return fmt.Errorf("%s is switched %v after %v", c.Point, c.Value, e.At.Sub(f.Changed))
	}
	if m, ok := d.ReadingFrom(gateway.Relay, c.Point.Adapter); !ok || m.At.Before(before.Started) {
		return fmt.Errorf("%s is ordered before it was read", c.Point)
	}
	return nil
}
