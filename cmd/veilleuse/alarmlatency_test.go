package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/hap/haptest"
	"github.com/veilleuse/veilleuse/adapters/uplink/uplinktest"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// Ids of the detector and the siren in this measurement.
const (
	aidOfSmoke, iidOfSmoke = 900, 11
	aidOfSiren, iidOfSiren = 901, 11
	stalls                 = 10 * time.Second // for which nothing can be saved
	tooLate                = time.Second      // on the busiest of machines
)

// TestAlarmInATroubledHouse is the time from a smoke detector's event to the command at a siren, to MQTT and to the Home app, while
// all else goes wrong: 100 devices, an outage of the vendor's cloud is under way, a change of the schedule is due in each
// of 40 rooms every minute, and the disk saves nothing for 10 s. It prints the figures; machines differ.
func TestAlarmInATroubledHouse(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes ten seconds")
	}
	sounded, hushed := make(chan time.Time, 100), make(chan time.Time, 100)
	fake := startTroubled(t, 98, sounded, hushed)
	frozen := make(chan struct{})
	h := wiredHouse(t, fake, func(w *outside, internet *uplinktest.World) {
		if err := internet.Edge.Break(uplinktest.Status503); err != nil {
			t.Fatal(err)
		}
		w.disk = func(real gateway.Adapter) gateway.Adapter { return frozenDisk{real, frozen} }
	})
	trouble(&h.loop.State, 40)
	o := runHouse(t, h, 98)
	mqtt, over := o.alarms(t)
	smelt, aired := o.smells(t)
	arrivals, ends := [...]<-chan time.Time{sounded, mqtt, smelt}, [...]<-chan time.Time{hushed, over, aired}
	machine, began := gatewaytest.WatchStandstill(t), time.Now()
	var all [len(arrivals)][]time.Duration
	var late [len(arrivals)]int
	for i := 0; time.Since(began) < stalls; i++ {
		delays, still := alarmOnce(t, fake, machine, arrivals[:], ends[:])
		for k, d := range delays {
			if all[k] = append(all[k], d); d-still > tooLate {
				late[k]++
			}
		}
	}
	close(frozen)
	for k, name := range []string{"siren", "MQTT", "the Home app"} {
		slices.Sort(all[k])
		n := len(all[k])
		p50, p99 := all[k][n/2], all[k][n*99/100]
		t.Logf("alarm to %s: median %.1f ms, p99 %.1f ms, worst %.1f ms (%d alarms)", name, milliseconds(p50), milliseconds(p99), milliseconds(all[k][n-1]), n)
		if late[k]*100 > n {
			t.Errorf("an alarm takes %v to %s", p99, name)
		}
	}
}

// frozenDisk saves nothing until it is released: what a card looks like that does not answer.
type frozenDisk struct {
	disk   gateway.Adapter
	frozen <-chan struct{}
}

func (f frozenDisk) Run(ctx context.Context, port gateway.Port) error {
	select {
	case <-f.frozen:
	case <-ctx.Done():
	}
	return f.disk.Run(ctx, port)
}

// startTroubled is so many sensors, a smoke detector and a siren, which tells when it sounds and when no longer.
func startTroubled(t testing.TB, count int, sounded, hushed chan<- time.Time) *sensors {
	t.Helper()
	list := []hap.Accessory{haptest.Bridge("Sensors")}
	for i := range count {
		list = append(list, sensorAccessory(i))
	}
	smoke, siren := sensorAccessory(count), sensorAccessory(count+1)
	smoke.AID, siren.AID = aidOfSmoke, aidOfSiren
	smoke.Services = append(smoke.Services[:1:1], hap.Service{IID: 10, Type: hap.ServiceSmokeSensor, Characteristics: []hap.Characteristic{
		{IID: iidOfSmoke, Type: hap.CharacteristicSmokeDetected, Perms: []hap.Perm{hap.PermRead, hap.PermEvents}, Format: hap.FormatUint8, Value: []byte("0")}}})
	siren.Services = append(siren.Services[:1:1], hap.Service{IID: 10, Type: hap.ServiceSwitch, Characteristics: []hap.Characteristic{
		{IID: iidOfSiren, Type: hap.CharacteristicOn, Perms: []hap.Perm{hap.PermRead, hap.PermWrite, hap.PermEvents}, Format: hap.FormatBool, Value: hap.BoolValue(false)}}})
	siren.Services[0].Characteristics = slices.Clone(siren.Services[0].Characteristics)
	for i, c := range siren.Services[0].Characteristics {
		if c.Type == hap.CharacteristicName {
			siren.Services[0].Characteristics[i].Value = hap.TextValue("Siren")
		}
	}
	bridge, err := haptest.StartAccessory(haptest.Options{Accessories: append(list, smoke, siren), OnWrite: func(writes []hap.WriteRequest) []hap.WriteResult {
		for _, w := range writes {
			on, _ := hap.BoolOf(w.Value)
			switch {
			case w.ID.AID != aidOfSiren:
			case on:
				sounded <- time.Now()
			default:
				hushed <- time.Now()
			}
		}
		return make([]hap.WriteResult, len(writes))
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bridge.Close() })
	return &sensors{bridge: bridge, motion: make([]bool, count), warmth: make([]float64, count)}
}

// trouble puts a house into the middle of an outage, with a schedule that changes every minute.
func trouble(s *gateway.State, rooms int) {
	now := time.Now()
	s.Home.ID, s.Home.Name = "home", "Home"
	plan := gateway.Schedule{ID: "s", Name: "Winter", Type: "therm", Selected: true, Zones: []gateway.Zone{{ID: 0, Name: "Day"}, {ID: 1, Name: "Night"}}}
	for minute := range 7 * 1440 {
		plan.Slots = append(plan.Slots, gateway.Slot{Minute: minute, Zone: minute % 2})
	}
	for i := range rooms {
		id := gateway.RoomID(fmt.Sprint("room", i))
		s.Rooms = s.Rooms.With(id, gateway.Room{ID: id, Name: sensorName(i)})
		plan.Zones[0].Rooms = append(plan.Zones[0].Rooms, gateway.ZoneRoom{Room: id, Target: 20})
		plan.Zones[1].Rooms = append(plan.Zones[1].Rooms, gateway.ZoneRoom{Room: id, Target: 17})
	}
	s.Home.Schedules = []gateway.Schedule{plan}
	s.Home.Regime = gateway.Regime{Mode: gateway.HomeSchedule, Schedule: "s"}
	s.Authority = gateway.Authority{Phase: gateway.Local, Since: now, Lost: now, Why: "503"}
	s.Cloud.Verdict, s.Cloud.Since, s.Cloud.FirstBad, s.Cloud.Bad = gateway.VerdictCloudDown, now, now, 9
}

// alarms watches the page of alarms at an MQTT client, and tells when each begins to sound and when it is over. A page
// may be overtaken by the next one, which says more of the same alarm.
func (o *observers) alarms(t testing.TB) (sounding, over chan time.Time) {
	t.Helper()
	sounding, over = make(chan time.Time, 100), make(chan time.Time, 100)
	before := false // pages come one after the other
	token := o.client.Subscribe("veilleuse/alarm", 0, func(_ paho.Client, m paho.Message) {
		at, sounds := time.Now(), strings.Contains(string(m.Payload()), `"phase":"sounding"`)
		switch {
		case sounds && !before:
			sounding <- at
		case before && !sounds:
			over <- at
		}
		before = sounds
	})
	if !token.WaitTimeout(figurePatience) || token.Error() != nil {
		t.Fatal("MQTT: ", token.Error())
	}
	return sounding, over
}

// smells subscribes to the detector in the Home app, and tells when it is said to smell, and when no longer.
func (o *observers) smells(t testing.TB) (smelt, aired <-chan time.Time) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), figurePatience)
	defer cancel()
	for {
		list, err := o.session.Accessories(ctx)
		if err != nil {
			t.Fatal("the Home app shows no smoke detector: ", err)
		}
		for _, a := range list {
			if smoke, ok := a.Find(hap.ServiceSmokeSensor); ok {
				c, _ := smoke.Find(hap.CharacteristicSmokeDetected)
				o.mu.Lock()
				o.smoke = hap.CharacteristicID{AID: a.AID, IID: c.IID}
				o.smelt, o.aired = make(chan time.Time, 100), make(chan time.Time, 100)
				o.mu.Unlock()
				if _, err := o.session.Subscribe(ctx, o.smoke); err != nil {
					t.Fatal(err)
				}
				return o.smelt, o.aired
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// alarmOnce lets the detector smell once and returns the delay to each of those it is to reach, and for how long the machine stood
// still meanwhile. Then all is quiet again, and each of them has been told: the next alarm is a new one for all.
func alarmOnce(t testing.TB, fake *sensors, machine *gatewaytest.Standstill, reached, over []<-chan time.Time) (delays []time.Duration, still time.Duration) {
	t.Helper()
	id := hap.CharacteristicID{AID: aidOfSmoke, IID: iidOfSmoke}
	for _, old := range slices.Concat(reached, over) {
		for len(old) > 0 {
			<-old
		}
	}
	began, before := time.Now(), machine.SoFar()
	if err := fake.bridge.Set(hap.Value{ID: id, Value: []byte("1")}); err != nil {
		t.Fatal(err)
	}
	for _, arrivals := range reached {
		select {
		case at := <-arrivals:
			delays = append(delays, at.Sub(began))
		case <-time.After(figurePatience):
			t.Fatalf("an alarm does not arrive everywhere: %v", delays)
		}
	}
	still = machine.SoFar() - before
	if err := fake.bridge.Set(hap.Value{ID: id, Value: []byte("0")}); err != nil {
		t.Fatal(err)
	}
	for i, ends := range over {
		select {
		case <-ends:
		case <-time.After(figurePatience):
			t.Fatalf("the alarm is over for %d of %d", i, len(over))
		}
	}
	time.Sleep(sparse)
	return delays, still
}
