package peers

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
	"github.com/veilleuse/veilleuse/gateway"
)

// How long the turns of the story may take: the detector wants failures for 90 s and looks every two
// minutes while all is well; the way back wants good answers for three minutes, and the pauses between two
// looks at a vendor that is gone grow to five.
const (
	lossTime   = 5 * time.Minute
	returnTime = 20 * time.Minute
	slotTime   = patience
)

// TestStory is the evening on which the vendor's cloud goes away and comes back, on real time, with
// accessories and a Home app that others wrote.
func TestStory(t *testing.T) {
	with := needTools(t)
	s := story{t: t, relay: startRelay(t, with)}
	s.due = nextSlot(time.Now())
	cloud, url, witness := startCloud(t, eveningHome(s.due))
	s.cloud = cloud
	s.house = newHouse(t, with, settings{cloud: url, witness: witness, ntp: true, accessories: []string{
		"  - id: AE:5A:01:00:00:04\n    room: Chambre d'enfant\n",
	}})
	need(t, "veilleuse pair and login work before the daemon runs", func() (string, error) {
		if _, err := s.house.pair(s.relay, s.relay.address); err != nil {
			return "", err
		}
		return "", s.house.signIn(cloud)
	})
	wait := max(0, time.Until(s.due.Add(-beforeSlot-usualLoss)))
	say(t, "the daemon starts in %s, so that the house takes over just before a slot is due", seconds(wait))
	time.Sleep(wait)
	s.house.start()
	s.sub = listen(t, s.house.mqtt, "veilleuse/#")
	s.watching()
	s.goesAway()
	s.slotIsDue()
	s.personOutranks()
	s.carbonMonoxide()
	s.comesBack()
	promise(t, "SIGTERM ends the daemon, and the race detector found nothing", s.house.endsSoon)
}

// story is what TestStory works with.
type story struct {
	t      *testing.T
	house  *house
	relay  *relay
	cloud  *netatmotest.Cloud
	sub    *listener
	home   *stranger
	rooms  database
	lost   time.Time // when the cloud was cut
	local  time.Time // when the house took over
	due    time.Time // when the next slot of the timetable begins
	wished float64
}

// eveningHome is the home of the fake vendor. Its timetable asks for what the thermostat shows at first,
// and from the instant named for something else every three minutes.
func eveningHome(due time.Time) netatmotest.Home {
	home := netatmotest.House()
	plan := home.Schedules[0]
	plan.Slots, plan.Zones = nil, nil
	for i := range 9 {
		minute := minuteOfWeek(due.Add(time.Duration(i-1)*betweenSlots), home.Zone)
		if i == 0 {
			minute = minuteOfWeek(due.Add(-time.Hour), home.Zone)
		}
		plan.Slots = append(plan.Slots, gateway.Slot{Minute: minute, Zone: i})
		zone := gateway.Zone{ID: i, Type: 4, Name: fmt.Sprintf("Slot %d", i)}
		for _, r := range home.Rooms {
			zone.Rooms = append(zone.Rooms, gateway.ZoneRoom{Room: gateway.RoomID(r.ID), Target: slotTarget(i)})
		}
		plan.Zones = append(plan.Zones, zone)
	}
	home.Schedules = []gateway.Schedule{plan}
	return home
}

// slotTarget is what slot i asks for: first what the thermostat shows, then never the same twice in a row.
func slotTarget(i int) float64 {
	if i == 0 {
		return shownAtFirst
	}
	return 19.5 + float64(i%8)/2
}

func minuteOfWeek(at time.Time, zone string) int {
	location, err := time.LoadLocation(zone)
	if err != nil {
		location = time.UTC
	}
	at = at.In(location)
	return (int(at.Weekday())+6)%7*24*60 + at.Hour()*60 + at.Minute()
}

const (
	thermostatOfTheStory = "Study"
	shownAtFirst         = 18.0 // its target in accessories.js
)

// watching brings up the house while the cloud is well.
func (s *story) watching() {
	need(s.t, "the plan is copied and the devices are read", func() (string, error) {
		took, err := s.house.knows("Study", "Cellar CO", "Siren", "Vanne chambre")
		if err != nil {
			return "", err
		}
		_, err = until(patience, func() error {
			st, err := s.house.status()
			if err == nil && (st.Authority.Phase != "watching" || st.Clock.Trust != "trusted") {
				err = fmt.Errorf("%w: phase %s, clock %s: %s", errNotYet, st.Authority.Phase, st.Clock.Trust, st.Clock.Why)
			}
			return err
		})
		return took, err
	})
	need(s.t, "a Home app pairs and subscribes", func() (string, error) {
		code, address, err := s.house.code()
		if err != nil {
			return "", err
		}
		s.home = startHomeApp(s.t, s.house.with)
		if err := s.home.ask("pair", map[string]any{"address": address, "device": "", "code": code}, nil); err != nil {
			return "", err
		}
		_, err = until(patience, func() error {
			s.rooms = database{}
			if err := s.home.ask("accessories", nil, &s.rooms); err != nil {
				return err
			}
			return s.rooms.has(0, []string{"Veilleuse", "Chambre d'enfant", "Cellar CO"})
		})
		if err != nil {
			return "", err
		}
		return "", s.home.ask("subscribe", map[string]any{"ids": s.rooms.with("ev")}, nil)
	})
}

// goesAway cuts the cloud off and waits for the verdict.
func (s *story) goesAway() {
	const quiet = 2 * time.Second
	promise(s.t, "while the cloud is there nothing is written to a device", func() (string, error) {
		n, err := s.relay.await(quiet, func(n news) bool { return n.News == "write" })
		if err == nil {
			return "", fmt.Errorf("%s of %s was set to %v", n.Characteristic, n.Accessory, n.Value)
		}
		return "for " + seconds(quiet), nil
	})
	s.lost = time.Now()
	s.cloud.Break(netatmotest.Fault{Kind: netatmotest.Refused})
	say(s.t, "the cloud is cut")
	need(s.t, "the house is run from here, once the cloud has been gone for 90 s or more", func() (string, error) {
		got, err := s.sub.await(lossTime, s.lost, "veilleuse/authority", func(payload string) bool { return readPage(payload).Phase == "local" })
		if err != nil {
			return "", err
		}
		s.local = got.at
		if took := got.at.Sub(s.lost); took < 85*time.Second {
			return "", fmt.Errorf("after %s already", seconds(took))
		}
		return seconds(got.at.Sub(s.lost)) + " after the cut", nil
	})
	promise(s.t, "the verdict is that the cloud is gone and the internet is there, with the evidence", func() (string, error) {
		got, err := s.sub.await(patience, s.lost, "veilleuse/cloud", func(payload string) bool {
			p := readPage(payload)
			return p.Verdict == "cloud-down" && strings.Contains(p.Why, "your internet works") && len(p.Evidence) > 0
		})
		return readPage(got.payload).Why, err
	})
	promise(s.t, "the Home app is told that the cloud is gone", func() (string, error) {
		_, err := until(patience, func() error {
			var now database
			if err := s.home.ask("accessories", nil, &now); err != nil {
				return err
			}
			_, c, err := now.find("Veilleuse", contactState)
			if err == nil && fmt.Sprint(c.Value) != "1" {
				err = fmt.Errorf("%w: the contact of the cloud is %v", errNotYet, c.Value)
			}
			return err
		})
		return "", err
	})
}

const (
	betweenSlots = 3 * time.Minute  // within two of its end nothing is written for a slot
	beforeSlot   = 30 * time.Second // from the takeover to the slot
	toSignIn     = 45 * time.Second // what precedes the start of the daemon
)

// nextSlot is a full minute late enough for the house to sign in, start and take over just before it.
func nextSlot(now time.Time) time.Time {
	return now.Add(toSignIn + usualLoss + beforeSlot).Truncate(time.Minute).Add(time.Minute)
}

// usualLoss is how long after its start the house takes over if the cloud is cut at once: the next request
// fails some seconds later, and failures must hold for 135 s.
const usualLoss = 148 * time.Second

// firstWrite waits for the first write to the thermostat, until some time after the slot is due.
func (s *story) firstWrite() (news, error) {
	return s.relay.await(max(0, time.Until(s.due))+slotTime, func(n news) bool { return n.News == "write" && n.Accessory == thermostatOfTheStory })
}

// slotIsDue waits for the next slot of the timetable.
func (s *story) slotIsDue() {
	n, failure := s.firstWrite()
	if failure != nil && s.local.After(s.due) { // as on a busy machine: so late in a slot nothing is written for it
		for s.due.Before(time.Now()) {
			s.due = s.due.Add(betweenSlots)
		}
		n, failure = s.firstWrite()
	}
	need(s.t, "a thermostat that does what the copied timetable asks for is not written to", func() (string, error) {
		if failure == nil && n.At.Before(s.due) {
			return "", fmt.Errorf("%s was set to %v", n.Characteristic, n.Value)
		}
		return "for " + seconds(max(0, s.due.Sub(s.local))), nil
	})
	need(s.t, "a slot of the copied timetable reaches the thermostat when it is due", func() (string, error) {
		if failure != nil {
			return "", failure
		}
		if want := s.cloud.Room(netatmotest.Child).Target; fmt.Sprint(n.Value) != fmt.Sprint(want) {
			return "", fmt.Errorf("it was set to %v, the timetable says %v", n.Value, want)
		}
		return fmt.Sprintf("%v °C, %s after the minute", n.Value, seconds(n.At.Sub(s.due))), nil
	})
	s.cloud.Mend()
	say(s.t, "the cloud answers again, which nobody here knows yet")
}

// personOutranks writes in the Home app and waits for the next slot to pass.
func (s *story) personOutranks() {
	s.wished = 24.5
	need(s.t, "a target written in the Home app reaches the thermostat", func() (string, error) {
		id, _, err := s.rooms.find("Chambre d'enfant", targetTemperature)
		if err != nil {
			return "", err
		}
		began := time.Now()
		if err := s.home.ask("write", map[string]any{"values": map[string]any{id: s.wished}}, nil); err != nil {
			return "", err
		}
		n, err := s.relay.written(patience, thermostatOfTheStory, "Target Temperature", s.wished)
		return seconds(n.At.Sub(began)), err
	})
}

// carbonMonoxide lets the sensor of others sound the alarm, during the outage and across a slot.
func (s *story) carbonMonoxide() {
	s.relay.forget()
	s.home.forget()
	began := time.Now()
	promise(s.t, "carbon monoxide turns the siren on", func() (string, error) {
		if err := s.relay.set("Cellar CO", "CarbonMonoxideDetected", 1); err != nil {
			return "", err
		}
		n, err := s.relay.written(patience, "Siren", "On", true)
		return seconds(n.At.Sub(began)), err
	})
	promise(s.t, "it is on the topic alarm", func() (string, error) {
		got, err := s.sub.await(patience, began, "veilleuse/alarm", func(payload string) bool {
			p := readPage(payload)
			return p.Phase == "sounding" && p.Kind == "co"
		})
		return seconds(got.at.Sub(began)), err
	})
	promise(s.t, "it is an event in the Home app", func() (string, error) {
		id, _, err := s.rooms.find("Cellar CO", coDetected)
		if err != nil {
			return "", err
		}
		n, err := s.home.event(patience, id, 1)
		return seconds(n.At.Sub(began)), err
	})
	promise(s.t, "the siren stops when the sensor says that it is over", func() (string, error) {
		over := time.Now()
		if err := s.relay.set("Cellar CO", "CarbonMonoxideDetected", 0); err != nil {
			return "", err
		}
		n, err := s.relay.written(patience, "Siren", "On", false)
		return seconds(n.At.Sub(over)), err
	})
	promise(s.t, "what was wished in the Home app outranks the next slot", func() (string, error) {
		time.Sleep(time.Until(s.due.Add(betweenSlots + 5*time.Second)))
		return "", s.relay.shows(thermostatOfTheStory, "TargetTemperature", s.wished)
	})
}

// comesBack waits until the cloud is in charge again.
func (s *story) comesBack() {
	back := time.Now()
	need(s.t, "the cloud is in charge again", func() (string, error) {
		got, err := s.sub.await(returnTime, back, "veilleuse/authority", func(payload string) bool { return readPage(payload).Phase == "watching" })
		return seconds(got.at.Sub(s.lost)) + " after the cut", err
	})
	promise(s.t, "the wish of the Home app is told to the cloud, nothing else is", func() (string, error) {
		_, err := until(patience, func() error {
			if r := s.cloud.Room(netatmotest.Child); r.Mode != "manual" || r.Target != s.wished {
				return fmt.Errorf("%w: the cloud has %+v", errNotYet, r)
			}
			return nil
		})
		if err != nil {
			return "", err
		}
		for _, r := range s.cloud.Requests() {
			if strings.HasPrefix(r.Path, "/api/set") && !slices.Contains(r.Form["room_id"], netatmotest.Child) {
				return "", fmt.Errorf("%s %v", r.Path, r.Form)
			}
		}
		return "", nil
	})
}
