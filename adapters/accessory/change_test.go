package accessory_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/veilleuse/veilleuse/adapters/accessory/accessorytest"
	"github.com/veilleuse/veilleuse/gateway"
)

// What changes at an accessory is followed without a restart.

func TestAnAccessoryIsFoundAtItsNewAddress(t *testing.T) {
	for _, test := range []struct {
		name string
		move func(*scene, string) error
	}{
		{"another port", func(s *scene, host string) error { return s.fake.MoveTo("Relay", host+":6001") }},
		{"another host", func(s *scene, _ string) error { return s.fake.MoveTo("Relay", "10.0.7.7:5001") }},
		{"another host, after an hour without power", func(s *scene, _ string) error {
			return s.fake.Restart("Relay", func() { time.Sleep(time.Hour); s.must(s.server("Relay").Readdress("10.0.7.7:5001")) })
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, network := quiet(t, flat()[:1])
				s.allUp(time.Minute, bedroomSerial)
				time.Sleep(10 * time.Minute)
				before := s.server("Relay").Address()
				host, _, _ := strings.Cut(before, ":")
				s.must(test.move(s, host))
				facts[gateway.Reading](s, 0)
				s.must(s.fake.SetTemperature("Bedroom", 23.4))
				took := happens(s, time.Minute, "the new temperature", func(r gateway.Reading) bool {
					return r.Device == bedroomSerial && r.Value == gateway.Number(23.4)
				})
				if gap, attempts := closest(network.Dials()[1:], before, s.server("Relay").Address()); gap < 10*time.Second {
					t.Errorf("of %d attempts two were %v apart", attempts, gap)
				}
				paired, err := s.adapter.Paired()
				s.must(err)
				if paired[0].Address != s.server("Relay").Address() || !paired[0].Live {
					t.Errorf("it is kept as %+v", paired[0])
				}
				t.Logf("back after %v", took.Round(time.Second))
			})
		})
	}
}

// TestAccessoriesThatSwapAddresses is what a router does that has forgotten its leases.
func TestAccessoriesThatSwapAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := quiet(t, flat()[:2])
		s.allUp(time.Minute, bedroomSerial, s.hkID("CO"))
		relay, co := s.server("Relay").Address(), s.server("CO").Address()
		s.must(s.fake.Restart("Relay", func() {
			s.must(s.fake.MoveTo("CO", relay))
			s.must(s.server("Relay").Readdress(co))
		}))
		s.must(s.fake.SetTemperature("Bedroom", 23.4))
		s.must(s.fake.SetCO("CO", 300, true))
		missing := 2
		took := happens(s, time.Minute, "what both say", func(r gateway.Reading) bool {
			if r.Device == bedroomSerial && r.Value == gateway.Number(23.4) || r.Device == s.hkID("CO") && r.Quantity == gateway.CO && r.Value.Yes() {
				missing--
			}
			return missing == 0
		})
		t.Logf("both are back after %v", took.Round(time.Second))
	})
}

func TestARaisedConfigurationNumberIsHeededInASession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := quiet(t, flat()[:1])
		s.allUp(time.Minute, bedroomSerial)
		time.Sleep(20 * time.Minute)
		const study gateway.DeviceID = "04:00:00:aa:00:04"
		s.must(s.fake.Add("Relay", accessorytest.Device{Kind: accessorytest.Thermostat, Name: "Study", Serial: string(study)}))
		took := happens(s, 5*time.Minute+10*time.Second, "the new one", func(f gateway.Found) bool {
			return f.Device == study && f.Bridge == relaySerial
		})
		s.back(time.Minute, study)
		if _, ever := s.server("Relay").Connections(); ever != 1 {
			t.Errorf("it took %d connections", ever)
		}
		t.Logf("found after %v in the same session", took.Round(time.Second))
	})
}

func TestAThermostatMissingFromOneListIsNotDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := quiet(t, flat()[:1])
		s.allUp(time.Minute, bathSerial)
		for range 5 { // each time for one or two lists
			s.must(s.fake.Hide("Bath", true))
			time.Sleep(50 * time.Second)
			s.must(s.fake.Hide("Bath", false))
			time.Sleep(6 * time.Minute)
		}
		for _, r := range facts[gateway.Reach](s, time.Minute) {
			if !r.OK {
				t.Errorf("it is said: %+v", r)
			}
		}
		s.must(s.fake.SetTemperature("Bath", 24.5))
		happens(s, time.Second, "what it says", func(r gateway.Reading) bool { return r.Device == bathSerial && r.Value == gateway.Number(24.5) })
	})
}

func TestAThermostatThatIsGoneIsSaidToBe(t *testing.T) {
	for _, test := range []struct {
		name  string
		loses time.Duration // the session, so often
	}{{"in one session", 0}, {"over sessions that are lost", 100 * time.Second}} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, _ := quiet(t, flat()[:1])
				s.allUp(time.Minute, bathSerial)
				time.Sleep(10 * time.Minute)
				facts[gateway.Reach](s, 0)
				if test.loses > 0 {
					losing := time.NewTicker(test.loses)
					defer losing.Stop()
					over := make(chan bool)
					defer close(over)
					go func() {
						for {
							select {
							case <-losing.C:
								s.server("Relay").Disconnect()
							case <-over:
								return
							}
						}
					}()
				}
				s.must(s.fake.Remove("Bath"))
				began := time.Now()
				var all []gateway.Reach
				for time.Since(began) < 15*time.Minute {
					all = append(all, facts[gateway.Reach](s, time.Minute)...)
				}
				gone := slices.IndexFunc(all, func(r gateway.Reach) bool {
					return r.Device == bathSerial && !r.OK && r.Why == "it is no longer behind Relay"
				})
				if gone < 0 {
					t.Errorf("nobody says that it is gone, but %+v", all)
				}
				for _, r := range all {
					if r.OK && r.Device == bathSerial {
						t.Errorf("it is said to be there: %+v", r)
					}
				}
			})
		})
	}
}

func TestAThermostatThatComesBackIsTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := quiet(t, flat()[:1])
		s.allUp(time.Minute, bathSerial)
		s.must(s.fake.Hide("Bath", true))
		happens(s, 10*time.Minute, "its end", func(r gateway.Reach) bool { return r.Device == bathSerial && !r.OK })
		s.must(s.fake.Hide("Bath", false))
		s.back(6*time.Minute, bathSerial)
		s.must(s.fake.SetTemperature("Bath", 24.5))
		happens(s, time.Second, "what it says", func(r gateway.Reading) bool { return r.Device == bathSerial && r.Value == gateway.Number(24.5) })
	})
}
