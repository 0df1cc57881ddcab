package main

import (
	"fmt"
	"time"

	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
	"github.com/veilleuse/veilleuse/adapters/uplink/uplinktest"
)

// demoStart is when the demonstration begins: 29 October 2025, 16:30 in Paris.
var demoStart = time.Date(2025, 10, 29, 15, 30, 0, 0, time.UTC)

// act is one thing that the simulated world does.
type act struct {
	clock string  // of the house, HH:MM; one that lies before the last is on the next day
	rate  float64 // from then on, seconds of the house a second of the wall; 0: as before
	what  string  // for the timeline; "": nothing to say
	do    func(*demo) error
}

// The evening as it was: connection time-outs and failing name servers from 15:41 UTC, recovery that
// drags from 18:30, the vendor itself back little by little from 20:40, all over at 00:05. The alarm
// and the people are ours.
func demoActs() []act {
	return []act{
		{"16:31", 300, "The house lives under Netatmo: four rooms, a CO alarm, a siren.", nil},
		{"16:36", 60, "", nil},
		{"16:41", 30, "Azure's edge sickens: connections to Netatmo time out.", breaks(uplinktest.BlackHole)},
		{"16:46", 400, "Its name server answers SERVFAIL.", breaks(uplinktest.ServFail, uplinktest.Refused)},
		{"16:59", 60, "", nil},
		{"17:00", 75, "The vendor's schedule changes to Confort. Only the living room's thermostat does so by itself.", nil},
		{"17:05", 1000, "", checksSlot("17:00")},
		{"17:40", 0, "Netatmo answers 503 with HTML.", breaks(uplinktest.Status503)},
		{"18:45", 120, "Over MQTT somebody wants 23 °C in the bathroom for ten hours.", (*demo).wishByMQTT},
		{"18:52", 1000, "", nil},
		{"19:29", 30, "", nil},
		{"19:30", 0, "The CO alarm in the boiler room goes off.", (*demo).alarm},
		{"19:32", 1000, "", nil},
		{"19:50", 0, "The CO alarm is quiet again.", (*demo).alarmEnds},
		{"20:30", 0, "Netatmo answers 200 with nothing in it.", breaks(uplinktest.Empty200)},
		{"21:39", 200, "", nil},
		{"21:40", 0, "Netatmo is back, it seems.", mends},
		{"21:43", 0, "It fails again: connections are reset.", breaks(uplinktest.Reset)},
		{"21:50", 0, "Back once more.", mends},
		{"21:54", 0, "And gone: 502 with HTML.", breaks(uplinktest.Status502)},
		{"22:00", 800, "", nil},
		{"22:29", 90, "", nil},
		{"22:30", 0, "The schedule changes to Nuit.", nil},
		{"22:35", 1000, "", checksSlot("22:30")},
		{"23:19", 100, "", nil},
		{"23:20", 0, "In the Home app somebody turns the bedroom up to 20.5 °C.", (*demo).wishInHomeApp},
		{"23:26", 1000, "", nil},
		{"00:50", 300, "Netatmo answers again, but slowly.", (*demo).slowReturn},
		{"01:05", 600, "Azure reports the end: 8 h 24 min.", mends},
		{"01:45", 300, "", nil},
	}
}

// breaks lets the world fail in these ways.
func breaks(faults ...uplinktest.Fault) func(*demo) error {
	return func(d *demo) error {
		d.world.setLost(true)
		d.world.cloud.Mend()
		return d.world.internet.Break(faults...)
	}
}

// mends lets everything work again.
func mends(d *demo) error {
	d.world.cloud.Mend()
	return d.world.internet.Break()
}

// slowReturn lets the vendor answer after a while only.
func (d *demo) slowReturn() error {
	d.world.cloud.Break(netatmotest.Fault{Kind: netatmotest.Slow, Delay: 100 * time.Millisecond})
	return d.world.internet.Break()
}

// checksSlot looks whether each room has what the vendor's schedule asks for since a slot.
func checksSlot(slot string) func(*demo) error {
	return func(d *demo) error {
		for _, r := range demoRooms {
			if err := d.checkRoom(slot, r); err != nil {
				return err
			}
		}
		return nil
	}
}

func (d *demo) checkRoom(slot string, r demoRoom) error {
	shown, err := d.world.house.Target(r.device)
	if err != nil {
		return fmt.Errorf("read %s: %w", r.device, err)
	}
	wanted, ok := d.world.planned(r.id, d.world.clock.Now())
	if wish, ok := d.wished[r.id]; ok {
		wanted = wish
	}
	d.result.SlotsDue++
	if ok && shown == wanted {
		d.result.SlotsKept++
		return nil
	}
	d.result.Missed = append(d.result.Missed, fmt.Sprintf("%s at %s: %g °C instead of %g °C", d.world.roomName(r.id), slot, shown, wanted))
	return nil
}
