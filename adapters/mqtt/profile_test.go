package mqtt_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/veilleuse/veilleuse/adapters/mqtt"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// esp is how a user might describe an own device.
func esp() *mqtt.Profile {
	return &mqtt.Profile{
		Name:     "esp",
		Signs:    []mqtt.Sign{{Topic: "{topic}/status", Yes: "up", No: "down", Why: "it is down"}},
		Ask:      []mqtt.Say{{Topic: "{topic}/get", Payload: "all"}},
		Readings: []mqtt.Extract{{Topic: "{topic}/t", Quantity: gateway.Temperature}, {Key: "door.state", Quantity: gateway.Contact, Yes: "open", No: "shut"}},
		Switch: &mqtt.Switch{State: mqtt.Extract{Topic: "{topic}/relay", Yes: "closed", No: "opened"}, Topic: "{topic}/relay/set",
			On: "close", Off: "open", OnLeased: "close {seconds}", Left: mqtt.Extract{Topic: "{topic}/left"}, PerSecond: 1000, Timer: "its lease"},
		Setpoint: &mqtt.Setpoint{Keys: []string{"aim"}, Topic: "{topic}/aim/set", Payload: `{"to":{value}}`},
	}
}

func espRelay() mqtt.Attached {
	a := relay("esp", "esp1", lease)
	a.Profile = esp()
	return a
}

func TestTheProfilesOfTheTestsAreGood(t *testing.T) {
	if err := esp().Check(); err != nil {
		t.Error(err)
	}
	if err := espRelay().Check(); err != nil {
		t.Error(err)
	}
}

// A relay of a user's own kind is under a lease like any other: it is read back.
func TestARelayOfAUsersProfileIsUnderALease(t *testing.T) {
	a := espRelay()
	inBubbleWith(t, a, func(t *testing.T, f *fakeBroker, h *gatewaytest.House) {
		if !slices.Contains(f.taken(), post{"esp1/get", "all", false}) {
			t.Error("it is not asked how it stands")
		}
		f.deliver("esp1/status", "esp1/status", "up", true)
		answers(h, a)
		f.deliver("esp1/relay", "esp1/relay", "closed", true) // retained: it is asked, and not believed
		f.deliver("esp1/relay", "esp1/relay", "opened", false)
		shows(h, a, false)
		id := h.Send(switchTo(a, true))
		synctest.Wait()
		if got := f.taken(); !slices.Contains(got, post{"esp1/relay/set", "close 120", false}) {
			t.Errorf("sent %v", got)
		}
		f.deliver("esp1/left", "esp1/left", "119500", false)
		f.deliver("esp1/relay", "esp1/relay", "closed", false)
		if o := told(h, id); o.Err != "" {
			t.Error(o.Err)
		}
		id = h.Send(switchTo(a, false))
		synctest.Wait()
		f.deliver("esp1/relay", "esp1/relay", "opened", false)
		if o := told(h, id); o.Err != "" {
			t.Error(o.Err)
		}
		f.deliver("esp1/status", "esp1/status", "down", false)
		gatewaytest.Wait(h, func(r gateway.Reach) bool { return r.Device == a.ID() && !r.OK && r.Why == "it is down" })
	})
}

// One that is on and counts nothing, or too much, is switched off and refused from then on.
func TestARelayOfAUsersProfileThatIgnoresItsLeaseIsRefused(t *testing.T) {
	for name, left := range map[string]string{"nothing": "", "zero": "0", "longer than asked": "120001", "no number": "soon"} {
		t.Run(name, func(t *testing.T) {
			a := espRelay()
			inBubbleWith(t, a, func(t *testing.T, f *fakeBroker, h *gatewaytest.House) {
				id := h.Send(switchTo(a, true))
				synctest.Wait()
				if left != "" {
					f.deliver("esp1/left", "esp1/left", left, false)
				}
				f.deliver("esp1/relay", "esp1/relay", "closed", false)
				f.taken()
				if o := told(h, id); !o.Final || !strings.Contains(o.Err, "its firmware ignores its lease") {
					t.Errorf("the answer is %+v", o)
				}
				synctest.Wait()
				if got := f.taken(); !slices.Contains(got, post{"esp1/relay/set", "open", false}) {
					t.Errorf("it is left on: %v", got)
				}
				if o := told(h, h.Send(switchTo(a, true))); !o.Final {
					t.Errorf("asked again it says %+v", o)
				}
			})
		})
	}
}

func TestSensorsAndValvesOfAUsersProfile(t *testing.T) {
	sensor := mqtt.Attached{Name: "S", Role: mqtt.RoleSensor, Kind: "esp", Topic: "esp2", Room: "Bath", Profile: esp()}
	inBubbleWith(t, sensor, func(t *testing.T, f *fakeBroker, h *gatewaytest.House) {
		f.deliver("esp2/t", "esp2/t", " 19.5\n", false)
		f.deliver("esp2", "esp2", `{"door":{"state":"open"}}`, false)
		f.deliver("esp2", "esp2", `{"door":{"state":"ajar"}}`, false) // unknown is not closed
		f.deliver("esp2/t", "esp2/t", "30", true)                     // of nobody knows when
		synctest.Wait()
		var got []string
		for len(h.Facts()) > 0 {
			if r, ok := (<-h.Facts()).Fact.(gateway.Reading); ok {
				got = append(got, string(r.Quantity)+"="+r.Value.String())
			}
		}
		if want := []string{"temperature=19.5", "contact=yes"}; !slices.Equal(got, want) {
			t.Errorf("read %v, want %v", got, want)
		}
	})
	valve := mqtt.Attached{Name: "V", Role: mqtt.RoleValve, Kind: "esp", Topic: "esp3", Room: "Bath", Profile: esp()}
	inBubbleWith(t, valve, func(t *testing.T, f *fakeBroker, h *gatewaytest.House) {
		id := h.Send(gateway.Command{Value: gateway.Number(20.5), Why: "test", Point: gateway.Point{Adapter: gateway.MQTTAdapter, Of: string(valve.ID()), Quantity: gateway.Target}})
		synctest.Wait()
		if got := f.taken(); !slices.Contains(got, post{"esp3/aim/set", `{"to":20.5}`, false}) {
			t.Errorf("sent %v", got)
		}
		f.deliver("esp3", "esp3", `{"aim":20.5}`, false)
		if o := told(h, id); o.Err != "" {
			t.Error(o.Err)
		}
	})
}

// An order to a device whose lease stands on one topic and its state on another is confirmed whichever
// comes first.
func TestTheOrderOfEchoesDoesNotMatter(t *testing.T) {
	a := espRelay()
	inBubbleWith(t, a, func(t *testing.T, f *fakeBroker, h *gatewaytest.House) {
		id := h.Send(switchTo(a, true))
		synctest.Wait()
		f.deliver("esp1/relay", "esp1/relay", "closed", false)
		time.Sleep(time.Second)
		f.deliver("esp1/left", "esp1/left", "119000", false)
		if o := told(h, id); o.Err != "" {
			t.Error(o.Err)
		}
	})
}
