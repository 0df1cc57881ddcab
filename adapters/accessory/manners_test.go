package accessory_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap/haptest"
	"github.com/veilleuse/veilleuse/gateway"
)

// How the fragile devices of the vendor are treated: one connection, one request at a time, no retry at once, a
// keep-alive, and pauses that grow. Counted at the accessory.

func TestOneRequestIsOnItsWayAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, network := quiet(t, flat()[:1])
		s.allUp(time.Minute, bedroomSerial, bathSerial, hallSerial)
		a := s.server("Relay")
		before, connections := network.Sent(a.Address())
		if connections != 1 {
			t.Errorf("there are %d connections", connections)
		}
		release := a.Hold()
		for _, id := range []gateway.DeviceID{bedroomSerial, bathSerial, hallSerial} {
			s.set(id, gateway.Target, gateway.Number(20))
		}
		go s.adapter.Controllers(t.Context(), a.ID())
		time.Sleep(20 * time.Second) // not so long that the request counts as lost
		during, _ := network.Sent(a.Address())
		if during != before+1 {
			t.Errorf("%d requests went out while none was answered", during-before)
		}
		release()
		synctest.Wait()
		after, connections := network.Sent(a.Address())
		if after < before+7 || connections != 1 { // three times a write and a look at it, the list of controllers
			t.Errorf("after it answered there were %d requests over %d connections", after-before, connections)
		}
		if _, ever := a.Connections(); ever != 1 {
			t.Errorf("it had %d connections", ever)
		}
	})
}

// TestDropsAfterPairVerify is the log of home-assistant/core#123456: each connection ends right after pair-verify.
func TestDropsAfterPairVerify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, network := quiet(t, alone())
		s.back(time.Minute, smokeID)
		time.Sleep(10 * time.Minute)
		a := s.server("Smoke")
		began, before := time.Now(), len(network.Dials())
		a.Fail(haptest.DropAfterVerify, 6)
		a.Disconnect()
		r := facts[gateway.Reach](s, time.Minute)
		if len(r) == 0 || r[0].OK {
			t.Errorf("it is said: %+v", r)
		}
		took := time.Minute + s.back(3*time.Minute, smokeID)
		gap, attempts := closest(network.Dials()[before:], a.Address())
		if attempts != 7 || gap < 10*time.Second {
			t.Errorf("%d attempts, the closest %v apart", attempts, gap)
		}
		if first := network.Dials()[before].At.Sub(began); first < time.Second {
			t.Errorf("it is tried again after %v", first)
		}
		t.Logf("7 attempts in %v, at least %v apart", took.Round(time.Second), gap.Round(time.Second))
	})
}

func TestPausesGrowButEndWithinAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, network := quiet(t, alone())
		s.back(time.Minute, smokeID)
		a := s.server("Smoke")
		s.must(a.Stop())
		before := len(network.Dials())
		time.Sleep(time.Hour)
		gap, attempts := closest(network.Dials()[before:], a.Address())
		if attempts > 120 || attempts < 80 || gap < 10*time.Second {
			t.Errorf("in an hour %d attempts were made, the closest %v apart", attempts, gap)
		}
		s.must(a.Start())
		took := s.back(time.Minute, smokeID)
		t.Logf("%d attempts in an hour; back %v after it was", attempts, took.Round(time.Second))
	})
}

// TestASilentEndIsNoticed takes the power of a device: nothing comes any more, not even the end.
func TestASilentEndIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, network := quiet(t, alone())
		s.back(time.Minute, smokeID)
		time.Sleep(10 * time.Minute)
		a := s.server("Smoke")
		network.Swallow(true, a.Address())
		took := happens(s, 2*time.Minute, "the loss", func(r gateway.Reach) bool { return !r.OK })
		if took > 35*time.Second+12*time.Second+10*time.Second { // the keep-alive, the next attempt, its patience
			t.Errorf("it is noticed after %v", took)
		}
		network.Swallow(false, a.Address())
		t.Logf("noticed after %v, back after %v", took, s.back(time.Minute, smokeID))
	})
}

// TestAMuteSessionIsEnded has a device take requests and answer none, while its other connections would work.
func TestAMuteSessionIsEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := quiet(t, alone())
		s.back(time.Minute, smokeID)
		time.Sleep(10 * time.Minute)
		a := s.server("Smoke")
		_, before := a.Connections()
		a.Fail(haptest.Mute, 1)
		began := time.Now()
		s.must(s.fake.SetSmoke("Smoke", true)) // its event is the first that does not come
		happens(s, 2*time.Minute, "the smoke", func(r gateway.Reading) bool { return r.Quantity == gateway.Smoke && r.Value.Yes() })
		took := time.Since(began)
		if _, after := a.Connections(); after != before+1 || took > 95*time.Second { // a poll, its patience, a second
			t.Errorf("it took %v and %d connections", took, after-before)
		}
		t.Logf("heard of after %v", took.Round(time.Second))
	})
}
