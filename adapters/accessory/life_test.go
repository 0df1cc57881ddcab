package accessory_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/veilleuse/veilleuse/adapters/accessory/accessorytest"
	"github.com/veilleuse/veilleuse/adapters/hap/haptest"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// alone is a house with one smoke alarm.
func alone() []accessorytest.Server {
	return []accessorytest.Server{accessorytest.Single(accessorytest.Device{
		Kind: accessorytest.SmokeAlarm, Name: "Smoke", Serial: "70:ee:50:aa:00:09"})}
}

const smokeID gateway.DeviceID = "70:ee:50:aa:00:09"

func TestASessionComesBack(t *testing.T) {
	for _, test := range []struct {
		name  string
		spoil func(*scene, *haptest.Accessory) error
	}{
		{"after it was cut", func(_ *scene, a *haptest.Accessory) error { a.Disconnect(); return nil }},
		{"after being dropped behind pair-verify, more than once", func(_ *scene, a *haptest.Accessory) error {
			a.Fail(haptest.DropAfterVerify, 3)
			a.Disconnect()
			return nil
		}},
		{"after half an answer", func(_ *scene, a *haptest.Accessory) error { a.Fail(haptest.HalfAnswer, 2); a.Disconnect(); return nil }},
		{"after an answer that cannot be opened", func(_ *scene, a *haptest.Accessory) error {
			a.Fail(haptest.WrongNonce, 1)
			a.Disconnect()
			return nil
		}},
		{"after connections were reset", func(_ *scene, a *haptest.Accessory) error { a.Fail(haptest.Reset, 3); a.Disconnect(); return nil }},
		{"after a restart at the same port", func(s *scene, _ *haptest.Accessory) error { return s.fake.Restart("Smoke", nil) }},
		{"after a restart at another port", func(s *scene, _ *haptest.Accessory) error { return s.fake.MoveTo("Smoke", "10.0.0.1:6001") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, _ := quiet(t, alone())
				s.back(time.Minute, smokeID)
				s.must(test.spoil(s, s.server("Smoke")))
				s.must(s.fake.SetSmoke("Smoke", true)) // whoever is not there hears of it when it is back
				happens(s, time.Minute, "the smoke", func(r gateway.Reading) bool { return r.Quantity == gateway.Smoke && r.Value.Yes() })
			})
		})
	}
}

func TestADeviceThatIsOffIsSaidToBe(t *testing.T) {
	s := play(t, 100, alone())
	s.up(smokeID)
	s.must(s.server("Smoke").Stop())
	r := gatewaytest.Wait(s.house, func(r gateway.Reach) bool { return !r.OK })
	if r.Device != smokeID || r.Why != "it refuses the connection" {
		t.Errorf("got %+v", r)
	}
	id := s.house.Send(gateway.Command{Point: gateway.Point{Adapter: gateway.AccessoryAdapter, Of: string(smokeID), Quantity: gateway.Siren}, Value: gateway.Flag(true)})
	o := gatewaytest.Wait(s.house, func(o gateway.Outcome) bool { return o.ID == id })
	if o.Err != "Smoke does not answer: it refuses the connection" || o.Final {
		t.Errorf("got %+v", o)
	}
	s.must(s.server("Smoke").Start())
	gatewaytest.Wait(s.house, func(r gateway.Reach) bool { return r.OK && r.Device == smokeID })
}

func TestARemovedPairingEndsTheAttempts(t *testing.T) {
	s := play(t, 1000, alone())
	s.up(smokeID)
	a := s.server("Smoke")
	s.must(a.Forget())
	r := gatewaytest.Wait(s.house, func(r gateway.Reach) bool { return !r.OK })
	if !strings.Contains(r.Why, "pairing was removed") {
		t.Errorf("got %+v", r)
	}
	_, before := a.Connections()
	id := s.house.Send(gateway.Command{Point: gateway.Point{Adapter: gateway.AccessoryAdapter, Of: string(smokeID), Quantity: gateway.Siren}, Value: gateway.Flag(true)})
	if o := gatewaytest.Wait(s.house, func(o gateway.Outcome) bool { return o.ID == id }); o.Err == "" {
		t.Errorf("a command to it ends as %+v", o)
	}
	time.Sleep(300 * time.Millisecond) // five minutes of the house, in which it must stay quiet
	if _, after := a.Connections(); after != before {
		t.Errorf("%d more connections were tried", after-before)
	}
	p, err := s.adapter.Pair(t.Context(), a.ID(), a.Code(), "Hall")
	if err != nil || p.ID != strings.ToLower(a.ID()) {
		t.Fatalf("pair anew: %+v, %v", p, err)
	}
	gatewaytest.Wait(s.house, func(r gateway.Reach) bool { return r.OK && r.Device == smokeID })
}

func TestOneThatFailsDoesNotHinderAnother(t *testing.T) {
	s := play(t, 1, flat()[:2])
	s.up(bedroomSerial, s.hkID("CO"))
	release := s.server("Relay").Hold()
	defer release()
	id := s.set(bedroomSerial, gateway.Target, gateway.Number(20)) // gets stuck
	s.must(s.fake.SetCO("CO", 300, true))
	s.reads(s.hkID("CO"), gateway.CO, gateway.Flag(true))
	release()
	if o := gatewaytest.Wait(s.house, func(o gateway.Outcome) bool { return o.ID == id }); o.Err != "" {
		t.Errorf("the slow relay ends the command as %+v", o)
	}
}

func TestThermostatsComeAndGoBehindTheirRelay(t *testing.T) {
	s := play(t, 1000, flat()[:1])
	s.up(relaySerial, bedroomSerial, bathSerial, hallSerial)
	const study gateway.DeviceID = "04:00:00:aa:00:04"
	s.must(s.fake.Add("Relay", accessorytest.Device{Kind: accessorytest.Thermostat, Name: "Study", Serial: string(study), Temperature: 17.1}))
	f := gatewaytest.Wait(s.house, func(f gateway.Found) bool { return f.Device == study })
	if f.Bridge != relaySerial {
		t.Errorf("the new one is %+v", f)
	}
	s.up(study)
	s.must(s.fake.SetTemperature("Study", 17.9))
	s.reads(study, gateway.Temperature, gateway.Number(17.9))

	s.must(s.fake.Remove("Bath"))
	r := gatewaytest.Wait(s.house, func(r gateway.Reach) bool { return !r.OK })
	if r.Device != bathSerial || r.Why != "it is no longer behind Relay" {
		t.Errorf("got %+v", r)
	}
	if _, ever := s.server("Relay").Connections(); ever > 3 { // pair-setup, the session
		t.Errorf("it took %d connections", ever)
	}
}

func TestTwoServersWithOneSerialStayTwo(t *testing.T) {
	s := play(t, 1, []accessorytest.Server{
		accessorytest.Single(accessorytest.Device{Kind: accessorytest.SmokeAlarm, Name: "One", Serial: "g8d8a6c"}),
		accessorytest.Single(accessorytest.Device{Kind: accessorytest.SmokeAlarm, Name: "Two", Serial: "g8d8a6c"}),
		accessorytest.Single(accessorytest.Device{Kind: accessorytest.SmokeAlarm, Name: "Three", Serial: "70:ee:50:8d:8a:6c"}),
	})
	bearers := map[gateway.DeviceID]gateway.DeviceID{}
	for range 3 {
		f := gatewaytest.Wait[gateway.Found](s.house, nil)
		for _, name := range append(f.Also, f.Device) {
			if other, ok := bearers[name]; ok {
				t.Errorf("%s and %s both go by %s", other, f.Device, name)
			}
			bearers[name] = f.Device
		}
	}
}

func TestNobodyLooksAroundWhileAllAreThere(t *testing.T) {
	s := play(t, 20, alone()) // the first cadence ends after 30 s of the house, the idle one begins after 10 minutes
	s.up(smokeID)
	before := s.browses.count()
	time.Sleep(2500 * time.Millisecond)
	if n := s.browses.count() - before; n > 1 { // one may have been under way
		t.Errorf("the LAN was swept %d times in 50 s though the session was up", n)
	}
}

func TestDevicesOfARestoredPairingAreToldOf(t *testing.T) {
	s := play(t, 1, alone())
	s.up(smokeID)
	s.house.Stop()
	s.must(s.server("Smoke").Stop())
	s.run(1)
	if r := gatewaytest.Wait[gateway.Reach](s.house, nil); r.OK || r.Device != smokeID {
		t.Errorf("got %+v, want that it does not answer", r)
	}
}

// set sends a command.
func (s *scene) set(id gateway.DeviceID, q gateway.Quantity, v gateway.Value) uint64 {
	s.t.Helper()
	return s.house.Send(gateway.Command{Point: gateway.Point{Adapter: gateway.AccessoryAdapter, Of: string(id), Quantity: q}, Value: v, Why: "test"})
}

func TestCommands(t *testing.T) {
	s := play(t, 1, flat())
	s.up(bedroomSerial, bathSerial, hallSerial, s.hkID("Sirène du hall"))
	siren := s.hkID("Sirène du hall")
	for _, test := range []struct {
		name    string
		device  gateway.DeviceID
		q       gateway.Quantity
		value   gateway.Value
		reads   gateway.Value // unknown: the command fails
		err     string
		final   bool
		written float64
	}{
		{"a target", bedroomSerial, gateway.Target, gateway.Number(20.5), gateway.Number(20.5), "", false, 20.5},
		{"a target between steps", bedroomSerial, gateway.Target, gateway.Number(20.2), gateway.Number(20), "", false, 20},
		{"a target with tenths", bathSerial, gateway.Target, gateway.Number(22.3), gateway.Number(22.3), "", false, 22.3},
		{"again, the same", bathSerial, gateway.Target, gateway.Number(22.3), gateway.Number(22.3), "", false, 22.3},
		{"too cold for this one", hallSerial, gateway.Target, gateway.Number(7), gateway.Value{}, "target 7 is outside of what the device takes: 10 to 30", true, 0},
		{"too hot", bedroomSerial, gateway.Target, gateway.Number(35), gateway.Value{}, "target 35 is outside of what the device takes: 7 to 30", true, 0},
		{"off", bedroomSerial, gateway.Mode, gateway.Word("off"), gateway.Word("off"), "", false, 0},
		{"a mode that it has not", bedroomSerial, gateway.Mode, gateway.Word("auto"), gateway.Value{}, `mode "auto" is not one of those that the device takes: off, heat`, true, 0},
		{"the siren", siren, gateway.Siren, gateway.Flag(true), gateway.Flag(true), "", false, 1},
		{"the siren, quiet", siren, gateway.Siren, gateway.Flag(false), gateway.Flag(false), "", false, 0},
		{"what cannot be set", bedroomSerial, gateway.Temperature, gateway.Number(20), gateway.Value{}, bedroomSerial + " has no temperature that can be set", true, 0},
		{"what is not there", "nobody", gateway.Target, gateway.Number(20), gateway.Value{}, "no paired HomeKit accessory is nobody", false, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			id := s.set(test.device, test.q, test.value)
			if test.reads.Known() {
				s.reads(test.device, test.q, test.reads) // before the outcome, so that converge sees it
			}
			o := gatewaytest.Wait(s.house, func(o gateway.Outcome) bool { return o.ID == id })
			if o.Err != test.err || o.Final != test.final {
				t.Errorf("got %+v, want %q, final %v", o, test.err, test.final)
			}
			if test.err == "" {
				if all := s.fake.Writes(); len(all) == 0 || all[len(all)-1].Value != test.written {
					t.Errorf("written was %+v, want %v", all, test.written)
				}
			}
		})
	}
}

func TestADeviceIsFoundUnderTheNameThatTheHouseGivesIt(t *testing.T) {
	s := play(t, 1, flat()[1:2])
	s.up(s.hkID("CO"))
	const cloud gateway.DeviceID = "cloud-id"
	s.house.Show(func(st gateway.State) gateway.State {
		st.Devices = st.Devices.With(cloud, gateway.Device{ID: cloud})
		st.Also = st.Also.With(s.hkID("CO"), cloud)
		return st
	})
	id := s.set(cloud, gateway.Target, gateway.Number(20))
	o := gatewaytest.Wait(s.house, func(o gateway.Outcome) bool { return o.ID == id })
	if o.Err != "cloud-id has no target that can be set" {
		t.Errorf("got %+v, want that the device was found", o)
	}
}

func TestOnlyTheNewestOfAPointWaits(t *testing.T) {
	s := play(t, 1, flat()[:1])
	s.up(bedroomSerial)
	release := s.server("Relay").Hold()
	defer release()
	stuck := s.set(bathSerial, gateway.Target, gateway.Number(18)) // keeps the keeper busy, or waits with the next
	first := s.set(bedroomSerial, gateway.Target, gateway.Number(20))
	for range 3 { // the middle ones are replaced
		s.set(bedroomSerial, gateway.Target, gateway.Number(21))
	}
	last := s.set(bedroomSerial, gateway.Target, gateway.Number(22))
	nobody := s.set("nobody", gateway.Target, gateway.Number(22)) // is refused once all before it were taken
	ends := map[uint64]gateway.Outcome{}
	hear := func(more func() bool) {
		for more() {
			o := gatewaytest.Wait[gateway.Outcome](s.house, nil)
			ends[o.ID] = o
		}
	}
	hear(func() bool { return ends[nobody].ID == 0 })
	release()
	hear(func() bool { return len(ends) < 7 })
	if ends[last].Err != "" || ends[stuck].Err != "" {
		t.Errorf("the last ends as %+v, the other point as %+v", ends[last], ends[stuck])
	}
	if got, err := s.fake.Target("Bedroom"); err != nil || got != 22 {
		t.Errorf("the target is %v (%v)", got, err)
	}
	if n := len(s.fake.Writes()); n > 3 {
		t.Errorf("%d writes reached the relay, at most 3 were due (%v first)", n, ends[first])
	}
}
